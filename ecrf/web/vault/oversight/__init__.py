"""Pages of the vault app on the whole study: closed reports, reads, the end of the blind."""
