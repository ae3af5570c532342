"""What is made from received information: the rows about it (Articles 4.3, 15)."""
