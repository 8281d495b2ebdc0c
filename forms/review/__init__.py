"""Verification against the source, review marks, milestones: whoever looks after the site."""
