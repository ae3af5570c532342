"""Who may do and see what: the rows of a register as a question, and the answer in plain words."""
