"""Change of level, recall, return and destruction: the rows about it (Articles 6(g), 6(h), 13)."""
