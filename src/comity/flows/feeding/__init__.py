"""Feeds between two houses: messages taken, cut, sealed, kept, delivered and proved (``spec/feed.md``)."""
