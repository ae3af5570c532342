"""Muster of copies and reconciliation of registers: the rows about it (Article 6(f))."""
