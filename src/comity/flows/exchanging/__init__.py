"""What crosses between two houses, over the wire or in a pouch, and how it is taken up."""
