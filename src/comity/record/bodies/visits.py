"""Visits: what records say about it (Articles 8, 18)."""
