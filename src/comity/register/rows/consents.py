"""Consent, showing and passing on: the rows about it (Articles 6(a), 6(c), 8)."""
