"""Consent, showing and passing on: what records say about it (Articles 6(a), 6(c), 8)."""
