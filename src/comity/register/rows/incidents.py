"""Loss and compromise: the rows about it (Article 17)."""
