"""Pages for people: the blinded app and the vault app."""
