"""Real-time labelled messages: what may cross of each, how batches are made, sealed, logged and proved (pure).

Rules of this room (``spec/feed.md``):

- What crosses is a function of the views, the release and the clock. No hidden field reaches a frame.
- A message that is not in order is refused alone, with a code; nothing stops for it.
- Time and entropy are arguments; batches are values.
"""
