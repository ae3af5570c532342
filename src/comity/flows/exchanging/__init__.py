"""What crosses between two houses, how it is taken up, and how their registers are compared."""
