"""What was agreed: the agreement file, the layers on it, and what follows from their words.

A pure room, the lowest: it imports nothing of Comity's but the errors. ``load`` makes checked agreements from text;
``equivalence`` answers which mark corresponds to which.
"""
