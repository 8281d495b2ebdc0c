"""Entries: one filled form each. Plans, queries, signatures' content, the casebook grid."""
