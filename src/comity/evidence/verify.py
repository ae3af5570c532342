"""The procedure: from the bytes of a file to what it shows (``spec/evidence.md``).

The outer signature comes first, so that a damaged file is refused at once. Which part of it was damaged is then found
by verifying the inside, part by part: the first part that does not verify is named.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from comity.agreement.calendar import TimeZones
from comity.errors import Rejected
from comity.evidence.chains import Party, StoodChain, at_place, check_chain
from comity.evidence.crossing import check_crossing
from comity.evidence.damage import OUTER, unreadable_part
from comity.evidence.deciding import check_decisions
from comity.evidence.exhibits import Exhibits, Open
from comity.evidence.grounds import Fingerprint, check_cards, check_fingerprints, read_editions
from comity.evidence.model import Evidence, Unsigned, read_evidence
from comity.evidence.persons import check_persons
from comity.evidence.stamped import ReadToken, check_stamps
from comity.evidence.story import Verified, bounded, check_times, tell, tell_chain
from comity.evidence.vouching import judge
from comity.ledger.policy import Policy
from comity.record import dsse
from comity.record.dsse import key_id
from comity.record.statement import DOMESTIC, chain_id


def verify(
    data: bytes,
    trusted: Sequence[bytes],
    zones: TimeZones,
    newer: Sequence[bytes] = (),
    policy: Policy | None = None,
    stamp: ReadToken | None = None,
) -> Verified:
    """Verify an evidence file, with nothing but the file.

    Args:
        data: the file.
        trusted: fingerprints of the parties' root keys (32 bytes each) that the caller has compared; with any given,
            both parties' must be among them. With none, the result says on which fingerprints everything hangs.
        zones: time zones, to read the history by.
        newer: cards of the parties that are newer than those in the file: what they revoke is revoked (31, 32).
        policy: says of each checkpoint whether it counts as witnessed (34).
        stamp: reads the time-stamps of authorities that the caller believes; without it they say nothing.

    Raises:
        Rejected: something in it is not what it must be; code and place say what, and which part it belongs to.
    """
    unsigned = _read(data)  # (1, 2)
    parties = check_cards(unsigned.evidence, newer)  # (8)
    try:
        check_outer(unsigned, parties[0])  # (9)
    except Rejected:
        name_damage(unsigned.evidence, zones, newer)
        raise
    fingerprints = check_fingerprints(parties, trusted)  # (10)
    noted = revoked_outer(unsigned, parties[0])
    verified = _verify_inside(unsigned.evidence, parties, fingerprints, zones, noted, stamp)
    if policy is None:
        return verified
    exporter, peer = parties
    authors = zip(unsigned.evidence.chains, (exporter, peer, exporter), strict=True)
    return msgspec.structs.replace(verified, judged=judge(tuple(authors), policy))


def revoked_outer(unsigned: Unsigned, exporter: Party) -> tuple[Open, ...]:
    """(33) What is to be told of a file whose outer signature is by a key that its exporter revoked."""
    ids = {each.keyid for each in unsigned.envelope.signatures}
    return tuple(
        Open(
            "revoked-key",
            "the outer signature",
            f"{exporter.name!r} revoked its key from {since.isoformat()} on: that it made this file, and what it says "
            "in its own house, is not shown",
        )
        for key, since in exporter.revoked.items()
        if key_id(key) in ids
    )


def _read(data: bytes) -> Unsigned:
    try:
        return read_evidence(data)
    except Rejected as error:
        known = {"too-large": "the file", "wrong-context": OUTER}
        raise at_place(error, known.get(error.code) or unreadable_part(data)) from None


def check_outer(unsigned: Unsigned, exporter: Party) -> Evidence:
    """The contents, once the exporter's signature over them is verified (9).

    Raises:
        Rejected: it does not verify; nothing is said yet about which byte was changed.
    """
    dsse.verify(unsigned.envelope, exporter.record, "the outer signature")
    return unsigned.evidence


def name_damage(evidence: Evidence, zones: TimeZones, newer: Sequence[bytes] = ()) -> None:
    """Find the part that was damaged in contents whose outer signature does not verify (7).

    Raises:
        Rejected: the first part inside that does not verify by itself.
    """
    parties = check_cards(evidence, newer)
    _verify_inside(evidence, parties, check_fingerprints(parties, ()), zones)


def _verify_inside(
    evidence: Evidence,
    parties: tuple[Party, Party],
    fingerprints: tuple[Fingerprint, ...],
    zones: TimeZones,
    noted: tuple[Open, ...] = (),
    stamp: ReadToken | None = None,
) -> Verified:
    """Steps 11 to 33."""
    exhibits = Exhibits(evidence.item, evidence.relationship, parties, _chains(evidence, parties))
    exhibits.editions = read_editions(evidence, exhibits, zones)  # (17)
    check_persons(exhibits)  # (18)
    check_crossing(exhibits)  # (19) to (22)
    decisions = check_decisions(evidence, exhibits)  # (23) to (26)
    check_times(exhibits)  # (27)
    exhibits.open += [*noted, *_revoked(exhibits)]
    newest = exhibits.editions[-1]
    exporter, peer = parties
    own, theirs, domestic = exhibits.chains
    authors = {own.name: (own, exporter), theirs.name: (theirs, peer), domestic.name: (domestic, exporter)}
    stamps = check_stamps(evidence, authors, stamp)
    witnesses = (peer.name, exporter.name, "")
    return Verified(
        exporter=exporter.name,
        item=evidence.item,
        relationship=evidence.relationship,
        at=evidence.at,
        agreement=newest.agreement.id,
        digest=newest.agreement.digest,
        hypothetical=newest.chronicle.history.hypothetical,
        fingerprints=fingerprints,
        lines=bounded(exhibits, tell(exhibits, decisions, evidence.anchors), stamps),  # (28) to (30)
        chains=tuple(map(tell_chain, exhibits.chains, witnesses)),
        withheld=tuple(exhibits.hidden()),
        open=tuple(exhibits.open),
        stamps=stamps,
    )


def _revoked(exhibits: Exhibits) -> list[Open]:
    """(31, 33) What rests on the exporter's word alone about when a revoked key signed."""
    return [
        Open(
            "revoked-key",
            stood.place,
            f"its key was revoked from {stood.revoked.isoformat()} on; that it was there before is the word of "
            f"{exhibits.exporter.name!r}",
        )
        for chain in (exhibits.theirs, exhibits.domestic)
        for stood in chain.records
        if stood.revoked is not None
    ]


def _chains(evidence: Evidence, parties: tuple[Party, Party]) -> tuple[StoodChain, StoodChain, StoodChain]:
    """(11) The three chains, in their order, each by its author's keys."""
    exporter, peer = parties
    expected = (
        chain_id(evidence.relationship, exporter.name),
        chain_id(evidence.relationship, peer.name),
        chain_id(DOMESTIC, exporter.name),
    )
    named = tuple(chain.name for chain in evidence.chains)
    if named != expected:
        raise Rejected(f"the chains are {named}, expected {expected}", code="wrong-chain", place="the chains")
    own, theirs, domestic = evidence.chains
    return (
        check_chain(own, exporter, peer),
        check_chain(theirs, peer, exporter),
        check_chain(domestic, exporter, None),
    )
