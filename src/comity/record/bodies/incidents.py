"""Loss and compromise: what records say about it (Article 17)."""
