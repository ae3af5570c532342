"""Evidence: what one file can show to somebody who trusts neither party.

Rules of this room (``spec/evidence.md``):

- ``verify`` takes bytes and says what they show. It asks no network, no node, no clock and no file.
- No byte is outside a signature. When one was changed, the error names the part that it belongs to.
- What is told is *proved* or *attested*, and the result says on whose word an attested thing rests. A record that is
  not shown is counted, never passed over.
- The checks are written from the specifications, not shared with the flows that made the file.
"""
