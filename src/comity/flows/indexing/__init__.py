"""The index of the register: what stands in it, and how it keeps up (``spec/index.md``)."""
