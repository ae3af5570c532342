"""Doors: what sensors and other systems say as messages of a feed, and messages as what they understand.

Rules of this room (``spec/doors.md``):

- The feed knows no door; a door knows the feed's schema and its refusals, and nothing else of Comity.
- Whatever is read gives messages or refusals, each by itself; nothing that comes from outside raises out of a door.
- What the standard does not allow is refused on reading, and what is written has one spelling.
- A library that reads hostile bytes is called in one place, and loaded when its door is used.

`table.py` lists them; CloudEvents are in `events.py` and `event_headers.py`, CAP in `alert.py`, `cap.py` and
`signed_xml.py`, ASTERIX in `asterix.py` by the table in `items.py`; `recording.py` has what comes with the package.
"""
