"""Custody of numbered copies: what records say about it (Articles 9, 12, 14)."""
