"""Briefings, postings, responsible officers, inspections: what records say about it (Articles 6(e), 7, 10, 11, 16)."""
