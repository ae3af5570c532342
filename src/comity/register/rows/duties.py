"""Duties: the rows about it (Article 5 and the obligations of an agreement)."""
