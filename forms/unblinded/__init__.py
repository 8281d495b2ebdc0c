"""What the blinded side knows of broken codes: that, when, by whom and why; what came of it."""
