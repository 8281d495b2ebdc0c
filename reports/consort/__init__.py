"""CONSORT 2025 on randomization and masking, written from the records of the system."""
