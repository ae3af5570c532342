"""Decisions: from the rows of a register to the question, and from a record back to plain words."""
