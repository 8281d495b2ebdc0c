"""The vault app's pages of lists: the ceremony step by step, and what is made known of it."""
