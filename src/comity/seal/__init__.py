"""Encryption to recipients: the age v1 format in our own code (``spec/seal.md``; c2sp.org/age v1.1.0).

Rules of this room:

- Strict on reading, canonical on writing: what we would not write, we do not read, except where the age format asks
  for tolerance (unknown stanzas; white space around an armor).
- Randomness, files and passphrases are arguments. The one exception is named where it is: HPKE draws the ephemeral
  key of a hybrid stanza inside ``cryptography``.
- Header and payload are two things. A file is one after the other; a copy is a new header for the same payload.
- Nothing is released before it authenticates. A caller who must not see any byte of a damaged file opens into a
  ``whole_file``, which appears under its name only when everything authenticated.
- Every file has recipients of one kind: a hybrid recipient next to a classic one would protect nobody against a
  later quantum computer.

Where things are: ``age`` seals and opens, ``keys`` reads and makes keys, ``armor`` is the text form, ``files`` writes
whole files or none, ``manifest`` says what is inside a consignment, ``items`` seals and opens one.

    >>> from os import urandom
    >>> from comity.seal import age, keys
    >>> identity = keys.generate_identity(urandom)
    >>> sealed = age.seal_bytes(b"warning data", [identity.recipient], urandom)
    >>> age.open_bytes(sealed, [identity])
    b'warning data'
"""
