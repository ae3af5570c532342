"""What would follow in this house: its register asked as if other texts ran in it (``spec/what-if.md``)."""
