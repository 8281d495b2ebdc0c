"""A later version of a definition: what it changes, tried dry and applied to what is there."""
