"""Briefings, postings, responsible officers, inspections: the rows about it (Articles 6(e), 7, 10, 11, 16)."""
