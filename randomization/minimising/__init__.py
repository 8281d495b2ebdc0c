"""Minimisation in the vault: deciding under the lock, and the record of every draw."""
