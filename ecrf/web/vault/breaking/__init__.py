"""The vault app's room of code breaks: three steps, also while the main database is down."""
