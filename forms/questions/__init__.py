"""Queries: what one is about, who is to answer it, how old it is, words ready to be said."""
