"""Unlocking for a while: asked for by one person, approved by another, with a scope and an end.

Nothing has to happen for the end to count: whatever was unlocked carries the moment it is
locked again, and every door compares it with its own moment. A re-lock afterwards shows what
was changed and puts a new lock in the place of the old.
"""
