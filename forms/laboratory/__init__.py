"""Laboratory results: reference ranges, flags, grades, safety alerts, files of results."""
