"""Participants, their visits and windows, deviations."""
