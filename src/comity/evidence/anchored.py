"""Verifying when Ed25519 is trusted no more: what was anchored before still stands (``spec/evidence.md`` 43 to 45)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from comity.agreement.calendar import TimeZones
from comity.errors import Rejected
from comity.evidence.anchors import Opened, open_anchor
from comity.evidence.exhibits import Open
from comity.evidence.model import Evidence, read_evidence
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note
from comity.ledger.policy import Policy
from comity.ledger.tree import TreeHead
from comity.record.card import fingerprint_text, read_card


class Distrust(msgspec.Struct, frozen=True):
    """A reader's policy: an Ed25519 signature counts only where it is shown to have been there before.

    Attributes:
        after: the instant since which somebody may be able to forge one.
        anchors: the anchors he has, as files.
        trusted: fingerprints of the parties' anchor keys that he has compared.
    """

    after: datetime
    anchors: tuple[bytes, ...]
    trusted: tuple[bytes, ...]


def verify_distrusting(
    data: bytes,
    trusted: Sequence[bytes],
    zones: TimeZones,
    newer: Sequence[bytes],
    policy: Policy | None,
    distrust: Distrust,
) -> Verified:
    """Verify an evidence file as ever, and that what its signatures cover was anchored before Ed25519 was broken.

    Raises:
        Rejected: as ``verify``; ``not-anchored``: a ledger or a card that no anchor shows; ``unknown-fingerprint``,
            ``late-anchor``, ``other-party``, or what ``open_anchor`` raises.
    """
    verified = verify(data, trusted, zones, newer, policy)
    evidence = read_evidence(data).evidence
    anchors = _by_party(evidence, distrust)
    _check_cards(evidence, anchors)
    exporter, peer = evidence.exporter, _peer(evidence)
    for chain, signers in zip(evidence.chains, ((exporter, peer), (peer, exporter), (exporter,)), strict=True):
        if not chain.records:
            continue
        head = Checkpoint.parse(Note.parse(chain.checkpoint).text).head if chain.checkpoint else TreeHead(0, b"")
        for party in signers:  # (43)
            if not any((chain.name, head.size, head.root) in each.heads for each in anchors[party]):
                raise _not_anchored(f"the checkpoint of {chain.name}", party)
        beyond = next((each.index for each in chain.records if each.index >= head.size), None)
        if beyond is not None:
            raise _not_anchored(f"record {beyond} of {chain.name}", exporter)
    told = Open(
        "distrusted",
        "the outer signature",
        f"nobody shows that {exporter!r} made this file before {distrust.after.isoformat()}; what is in it stands by "
        "what both parties anchored",
    )
    return msgspec.structs.replace(verified, open=(*verified.open, told))  # (44)


def _by_party(evidence: Evidence, distrust: Distrust) -> dict[str, list[Opened]]:
    """(43) The anchors of the two parties, each under a compared key, each before the instant."""
    found: dict[str, list[Opened]] = {evidence.exporter: [], _peer(evidence): []}
    for number, data in enumerate(distrust.anchors, start=1):
        anchor = open_anchor(data, place := f"anchor {number}")
        if anchor.party not in found:
            raise Rejected(f"it is of {anchor.party!r}, no party of this file", code="other-party", place=place)
        if anchor.fingerprint not in distrust.trusted:
            raise Rejected(
                f"its key has the fingerprint {fingerprint_text(anchor.fingerprint)}, which is none of those trusted",
                code="unknown-fingerprint",
                place=place,
            )
        if anchor.at > distrust.after:
            raise Rejected(f"it was made {anchor.at.isoformat()}, after that", code="late-anchor", place=place)
        found[anchor.party].append(anchor)
    return found


def _peer(evidence: Evidence) -> str:
    return evidence.chains[1].name.rpartition("/")[2]


def _check_cards(evidence: Evidence, anchors: dict[str, list[Opened]]) -> None:
    """(43) Each card is one that its own party anchored: otherwise its root key may have been forged with."""
    for number, envelope in enumerate(evidence.cards, start=1):
        party = read_card(envelope).party
        if not any(sha256(envelope).digest() in each.cards for each in anchors[party]):
            raise _not_anchored(f"card {number}", party)


def _not_anchored(place: str, party: str) -> Rejected:
    return Rejected(f"no anchor of {party!r} that is here shows it", code="not-anchored", place=place)
