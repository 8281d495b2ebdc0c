"""The floor: database, clock, rights, people, ledger, signatures, errors, configuration."""
