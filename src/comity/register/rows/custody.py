"""Custody of numbered copies: the rows about it (Articles 9, 12, 14)."""
