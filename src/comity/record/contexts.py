"""The registry of context strings: one key, one purpose, one context (``spec/record.md`` step 3).

A string is never reused for another meaning. Adding one here is the only way to get one.
"""

from __future__ import annotations

RECORD = "application/vnd.comity.record.v1+json"
"""DSSE payload type of a record, signed by a party's node-sign key."""
PERSON_ACT = "application/vnd.comity.person-act.v1+json"
"""DSSE payload type of what a person's own key signs inside a record."""
READING = "comity-reading"
"""Requests of a person to read a feed over the network (``spec/feed.md`` step 17)."""
CARD = "application/vnd.comity.card.v1+json"
"""DSSE payload type of a party's card, signed by its root key."""
BASIS = b"comity/basis/1"
"""Salted commitment of a crossing record to the decision record of its author's own house."""
PSEUDONYM = b"comity/pseudonym/1"
"""Derivation of the name by which a person is known in one relationship."""
CEREMONY = "application/vnd.comity.ceremony.v1+json"
"""DSSE payload type of the protocol of a key ceremony, signed by the root key, or by node-sign at a first contact."""
TOKEN_PROBE = b"comity/token-probe/1"
"""What a key that was put on a token signs once, to show that it can (``spec/keys.md`` step 22)."""
KEY_ID = b"comity/key-id/1"
"""Short name of a public key, a hint for people and for look-ups only."""
FINGERPRINT = b"comity/fingerprint/1"
"""The full fingerprint of a party's root key that two people compare."""
POUCH = "application/vnd.comity.pouch.v1+json"
"""DSSE payload type of a pouch's contents list, signed by the sender's transport key."""
EVIDENCE = "application/vnd.comity.evidence.v1+json"
"""DSSE payload type of an evidence file's contents, signed by the exporting party's node-sign key."""
CONSENT_LETTER = "application/vnd.comity.consent-letter.v1+json"
"""DSSE payload type of a consent as a third party is shown it, signed by the originator's node-sign key."""
RECEIPT_LETTER = "application/vnd.comity.receipt-letter.v1+json"
"""DSSE payload type of a receipt as the originator is shown it, signed by the node-sign key of whoever received."""
ANCHOR = "application/vnd.comity.anchor.v1+json"
"""What an anchor key signs, in the form of DSSE: the root over old ledgers."""
ANCHOR_LEAF = b"comity/anchor-leaf/1"
"""Salted leaf of the tree that an anchor key signs."""
ANCHOR_FINGERPRINT = b"comity/anchor-fingerprint/1"
"""The full fingerprint of a party's anchor key that two people compare."""
COPY_REFERENCE = b"comity/copy-reference/1"
"""Digest by which the label of a copy names it."""
CONTENT = b"comity/content/1"
"""Salted commitment of a record to a content."""
DEPOSIT = b"comity/deposit/1"
"""Salted commitment of a deposit to what it will reveal."""
TALLY = b"comity/tally/1"
"""Digest of one line of the tally that two registers are compared by."""
RECONCILIATION = "application/vnd.comity.reconciliation.v1+json"
"""DSSE payload type of a question or an answer of a reconciliation by file, signed by its sender's transport key."""


def origin(chain: str) -> str:
    """The C2SP origin line of a chain's ledger, which is also the name of its key."""
    return f"comity/{chain}"


def witness_name(party: str) -> str:
    """The C2SP key name under which a party cosigns."""
    return f"comity/{party}/witness"
