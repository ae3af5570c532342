"""What follows if: a supposition beside what runs, and the differences with their clauses (``spec/what-if.md``)."""
