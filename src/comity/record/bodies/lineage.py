"""What is made from received information: what records say about it (Articles 4.3, 15)."""
