"""The proof of blinding, as far as it needs arms: tests whose answers tell none."""
