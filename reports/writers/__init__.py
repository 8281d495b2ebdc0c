"""Writers: rows in, bytes out. They know nothing of studies."""
