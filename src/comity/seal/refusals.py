"""What this room refuses, one class per layer of the format (the layers of the CCTV age vectors).

All are ``Rejected``: the data is at fault. The ``code`` tells cases of one layer apart.
"""

from __future__ import annotations

from comity.errors import Rejected


class KeyMalformed(Rejected):
    """A recipient, an identity or a key file is not written as it must be. Secret text is never quoted."""


class ArmorMalformed(Rejected):
    """The text form is not strict PEM with the label ``AGE ENCRYPTED FILE``."""


class HeaderMalformed(Rejected):
    """The header is not in the one canonical form, or a stanza addressed to our kind of key is malformed."""


class NoMatch(Rejected):
    """The header is well formed and no identity opens it.

    Codes: ``not-addressed`` (no stanza is of a kind these identities open), ``wrong-key`` (the kind fits, the key
    does not), ``wrong-passphrase``.
    """


class HeaderForged(Rejected):
    """An identity opened the file key, and the header's MAC is not that key's: somebody changed the header."""


class PayloadDamaged(Rejected):
    """The payload does not authenticate to its end; ``place`` names the chunk, counted from 0.

    Codes: ``truncated``, ``trailing-data``, ``chunk-moved``, ``chunk-forged``, ``empty-final-chunk``.
    """


class ManifestRejected(Rejected):
    """What is inside is not what the record says, or not laid out as ``spec/seal.md`` asks.

    Codes: ``manifest-malformed``, ``manifest-differs``, ``content-differs``, ``padding-differs``.
    """
