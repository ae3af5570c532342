"""Copies in people's hands: made, carried, handed over, lost and found."""
