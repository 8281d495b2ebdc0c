"""The vault app: the only pages on which a treatment can stand."""
