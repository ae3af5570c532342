"""What is made from received information, and what that inherits."""
