"""Muster of copies and reconciliation of registers: what records say about it (Article 6(f))."""
