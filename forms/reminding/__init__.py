"""Reminders that stand until somebody acts: forms that answers call for, clocks that run."""
