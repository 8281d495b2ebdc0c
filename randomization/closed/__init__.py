"""What unblinded people read of the whole study, and the record of every read of an arm."""
