"""Visits: the rows about it (Articles 8, 18)."""
