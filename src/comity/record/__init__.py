"""Records: signed statements of something done or said.

Rules of this room (``spec/record.md``):

- What we would not write, we do not read: every decoder encodes again and compares, byte for byte.
- A record's id is the digest of the bytes that were signed, never of the envelope around them.
- One key, one purpose, one context: every signature covers a context string from ``contexts.py``.
- A record type is never changed once released: it grows by fields with defaults at its end, or becomes ``NAME/2``.
"""
