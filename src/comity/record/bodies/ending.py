"""Change of level, recall, return and destruction: what records say about it (Articles 6(g), 6(h), 13)."""
