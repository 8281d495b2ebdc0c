"""Blank paper forms: to be filled in by hand, or annotated with the definition."""
