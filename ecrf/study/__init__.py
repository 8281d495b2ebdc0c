"""A study as data: YAML read into frozen models, checked as a whole, versioned and approved."""
