"""What is planted in everything that must not be seen, so that it is found wherever it appears."""

SECRET = b"PLAINTEXT-OF-"
"""Every document contains this; nothing but documents that somebody opened may."""
HIDDEN = SECRET + b"HIDDEN-"
"""The fields of a feed that may not cross begin like this."""
OURS = b"KEPT_IN_"
"""Every name of a person, every handle and every title contains this; it never leaves its house."""
