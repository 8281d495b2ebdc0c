"""Breaking codes: also while the main database is down, and by hand without any system."""
