"""The story: what was said and done, in order, and how far each line is proved (``spec/evidence.md`` steps 27 to 30).

A line is *proved* when both parties' signatures, a witnessed prefix or a decision made again carry it, and nothing in
it rests on one party's word; else it is *attested*, and ``word_of`` names whose word it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Literal

import msgspec

from comity.evidence.chains import NAMES, Hidden, Stood, StoodChain
from comity.evidence.deciding import Replayed
from comity.evidence.exhibits import Exhibits, Open
from comity.evidence.grounds import Fingerprint
from comity.evidence.model import Anchor
from comity.evidence.stamped import StampTold, bounds
from comity.evidence.telling import clauses_of, parameters_of
from comity.evidence.vouching import PolicyTold
from comity.record import bodies
from comity.record.bodies import consents, custody, ending, lineage
from comity.record.statement import SeenCheckpoint

Ground = Literal["both-parties", "witnessed", "replayed", "anchored", "one-party"]
"""What carries a line: the signatures of both parties; its author's, in a prefix that the other party cosigned; the
decision made again here; a commitment in a witnessed record, which fixes it but leaves it one party's word; or that
word alone."""
Status = Literal["proved", "attested"]

CLOCK_ERROR_MAX = timedelta(minutes=2)
"""How far two parties' clocks may be apart before it is worth saying (the register waits as long)."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said or done.

    Attributes:
        code: the record type, or ``same-agreement`` or ``basis`` for what several records show together.
        status: ``proved`` or ``attested``.
        ground: what carries it.
        word_of: party on whose word it rests that the line is true; empty when it rests on nobody's.
        party: who said or did it; empty for both.
        at: when, by that party's clock.
        seen: records of the other party that its author had seen, by his own account; None when he cites none.
        before: when the other party cosigned it, by that party's clock.
        clauses: the articles it was done under; those of a layer behind its id.
        not_before, not_after: what bounds its time, by the clocks of others (``spec/ledger.md`` step 106); None where
            nothing does.
        record: record id in hex.
        parameters: what the sentence needs, in the order ``wording.py`` documents.
    """

    code: str
    status: Status
    ground: Ground
    word_of: str
    party: str
    at: datetime
    seen: int | None = None
    before: datetime | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    clauses: tuple[str, ...] = ()
    record: str
    parameters: tuple[str, ...] = ()


class ChainTold(msgspec.Struct, frozen=True, kw_only=True):
    """How far a chain is witnessed.

    Attributes:
        name: ``RELATIONSHIP/AUTHOR``.
        size: records its checkpoint covers.
        witness: party that cosigned it; empty when nobody did.
        cosigned_at: when, by that party's clock.
        shown, withheld: how many of its records are here.
        beyond: how many of those stand beyond the checkpoint, by their author's signature alone.
    """

    name: str
    size: int
    witness: str
    cosigned_at: datetime | None
    shown: int
    withheld: int
    beyond: int


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What an evidence file shows, once everything in it was verified.

    Attributes:
        exporter, item, relationship, at: who exported, about what, when by its clock.
        agreement, digest: id and digest of the newest agreement text in the file.
        hypothetical: what is supposed, when the history that the exporter reads is not the real one.
        fingerprints: on which everything hangs.
        lines: the story.
        chains: how far each chain is witnessed.
        withheld: what is not shown.
        open: questions that the file leaves open.
        judged: what the reader's policy says of each chain's checkpoint; empty where he brought none.
        stamps: the time-stamps in the file.
    """

    exporter: str
    item: str
    relationship: str
    at: datetime
    agreement: str
    digest: str
    hypothetical: str | None
    fingerprints: tuple[Fingerprint, ...]
    lines: tuple[Line, ...]
    chains: tuple[ChainTold, ...]
    withheld: tuple[Hidden, ...]
    open: tuple[Open, ...]
    judged: tuple[PolicyTold, ...] = ()
    stamps: tuple[StampTold, ...] = ()


def tell(exhibits: Exhibits, decisions: Mapping[bytes, Replayed], anchors: Iterable[Anchor]) -> tuple[Line, ...]:
    """The lines, in order (28)."""
    anchored = {anchor.record: anchor.decision for anchor in anchors}
    fixed = _fixed(exhibits, anchored)
    agreed: dict[bytes, set[str]] = {}
    lines: list[Line] = []
    for stood in _in_order(exhibits):
        lines.append(_line(exhibits, stood, decisions, fixed))
        if isinstance(stood.body, bodies.Acknowledged):
            parties = agreed.setdefault(stood.body.digest, set())
            if parties == {exhibits.other(stood.author)}:
                lines.append(_joint(stood, "same-agreement", (stood.body.agreement, stood.body.digest.hex())))
            parties.add(stood.author)
        if stood.record.id in anchored:
            lines.append(_basis(stood, anchored[stood.record.id]))
    return tuple(lines)


def bounded(exhibits: Exhibits, lines: Iterable[Line], stamps: tuple[StampTold, ...]) -> tuple[Line, ...]:
    """The lines, each with what bounds its time."""
    found = bounds(exhibits, stamps)
    told = []
    for line in lines:
        not_before, not_after = found[bytes.fromhex(line.record)]
        told.append(msgspec.structs.replace(line, not_before=not_before, not_after=not_after))
    return tuple(told)


def tell_chain(chain: StoodChain, witness: str) -> ChainTold:
    """How far a chain is witnessed."""
    indexes = [*(each.index for each in chain.records), *(each.index for each in chain.hidden)]
    return ChainTold(
        name=chain.name,
        size=chain.head.size,
        witness=witness if chain.cosigned_at else "",
        cosigned_at=chain.cosigned_at,
        shown=len(chain.records),
        withheld=len(chain.hidden),
        beyond=sum(index >= chain.head.size for index in indexes),
    )


def check_times(exhibits: Exhibits) -> None:
    """Note where the clocks and the checkpoints that are cited do not fit together (27).

    Nothing here rejects a file: otherwise one party could spoil the other's evidence by a wrong clock of its own.
    """
    for chain in exhibits.chains:
        for earlier, later in pairwise(chain.records):
            if later.at < earlier.at:
                says = f"it says {later.at.isoformat()}, before {earlier.place}, which it follows"
                exhibits.open.append(Open("time-runs-back", later.place, says))
    heads = {chain.name.rpartition("/")[2]: chain.head for chain in (exhibits.own, exhibits.theirs)}
    for stood in exhibits.every():
        cosigned = stood.cosigned_at
        if cosigned is not None and stood.at > cosigned + CLOCK_ERROR_MAX:
            says = f"it says {stood.at.isoformat()}, but was cosigned at {cosigned.isoformat()}"
            exhibits.open.append(Open("late-time", stood.place, says))
        seen = stood.record.statement.seen
        if seen is None:
            continue
        head = heads[exhibits.other(stood.author)]
        if seen.size == head.size and seen.root != head.root:
            says = "it cites another checkpoint of the other party than the one here"
            exhibits.open.append(Open("two-histories", stood.place, says))
    for stood, other in _crossed(exhibits):
        says = f"it and {other.place} each say to come after the other"
        exhibits.open.append(Open("order", stood.place, says))


def _crossed(exhibits: Exhibits) -> Iterator[tuple[Stood, Stood]]:
    """Pairs of which each says that it had seen the other: of those seen, the one that had seen most decides."""
    theirs = exhibits.theirs.records
    furthest = list(accumulate(theirs, _further))
    for stood in exhibits.own.records:
        before = bisect_left(theirs, _seen(stood), key=lambda each: each.index)
        if before and _seen(furthest[before - 1]) > stood.index:
            yield stood, furthest[before - 1]


def _further(one: Stood, other: Stood) -> Stood:
    return max(one, other, key=_seen)


def _seen(stood: Stood) -> int:
    seen: SeenCheckpoint | None = stood.record.statement.seen
    return seen.size if seen is not None else 0


def _in_order(exhibits: Exhibits) -> Iterator[Stood]:
    """(28) Each chain in its own order; across, after what its author had seen, then by the clocks."""
    waiting = {chain.name: list(chain.records) for chain in (exhibits.domestic, exhibits.own, exhibits.theirs)}
    across = {exhibits.own.name: exhibits.theirs.name, exhibits.theirs.name: exhibits.own.name}
    while any(waiting.values()):
        heads = [records[0] for records in waiting.values() if records]
        ready = [
            stood
            for stood in heads
            if not (other := waiting.get(across.get(stood.record.statement.chain, ""), []))
            or other[0].index >= _seen(stood)
        ]
        first = min(ready or heads, key=lambda stood: stood.at)
        waiting[first.record.statement.chain].pop(0)
        yield first


def _fixed(exhibits: Exhibits, anchored: Mapping[bytes, bytes]) -> set[bytes]:
    """(29) House records that a witnessed record fixes: the decision it commits to, and what that one follows on."""
    fixed = {decision for record, decision in anchored.items() if exhibits.records[record].standing == "witnessed"}
    for stood in reversed(exhibits.domestic.records):
        if stood.record.id in fixed:
            fixed.add(stood.record.statement.previous)
            if isinstance(stood.body, bodies.Approved):
                fixed.add(stood.body.after)
    return fixed


def _line(exhibits: Exhibits, stood: Stood, decisions: Mapping[bytes, Replayed], fixed: set[bytes]) -> Line:
    """(29) (30) A record as a line."""
    replayed = decisions.get(stood.record.id)
    ground: Ground = "one-party"
    if replayed is not None and replayed.again:
        ground = "replayed"
    elif stood.record.id in fixed:
        ground = "anchored"
    elif stood.standing == "witnessed":
        ground = "both-parties" if _answered(exhibits, stood) else "witnessed"
    if replayed is not None:
        rests = not (replayed.again and replayed.borne and stood.record.id in fixed)
    else:
        rests = ground in {"anchored", "one-party"} or isinstance(stood.body, _ON_ITS_WORD)
    return Line(
        code=stood.record.statement.type,
        status="attested" if rests else "proved",
        ground=ground,
        word_of=stood.author if rests else "",
        party=stood.author,
        at=stood.at,
        seen=None if stood.record.statement.seen is None else _seen(stood),
        before=stood.cosigned_at,
        clauses=clauses_of(exhibits, stood, replayed),
        record=stood.record.id.hex(),
        parameters=parameters_of(stood.body),
    )


_ON_ITS_WORD = (
    bodies.Listed,
    bodies.Assured,
    bodies.Opened,
    bodies.Unopenable,
    custody.Reproduced,
    custody.HandedOver,
    custody.Carried,
    custody.CopyLost,
    custody.CopyFound,
    lineage.Derived,
    ending.Remarked,
    ending.PurposeEnded,
    ending.SentBack,
    ending.Destroyed,
    ending.DestructionWitnessed,
    consents.Shown,
    consents.PassedOn,
    consents.PassOnReceipted,
)
"""That these were said can be proved; that they are true rests on whoever said them (30)."""


def _answered(exhibits: Exhibits, stood: Stood) -> bool:
    """Whether the other party's own record meets this one: a consignment and its receipt, a request and its answer."""
    if isinstance(stood.body, bodies.Received):
        return True
    if isinstance(stood.body, bodies.Consigned):
        return any(body.consignment == stood.record.id for _, body in exhibits.of(bodies.Received))
    return False


def _joint(stood: Stood, code: str, parameters: tuple[str, ...]) -> Line:
    return Line(
        code=code,
        status="proved",
        ground="both-parties",
        word_of="",
        party="",
        at=stood.at,
        before=stood.cosigned_at,
        record=stood.record.id.hex(),
        parameters=parameters,
    )


def _basis(stood: Stood, decided: bytes) -> Line:
    witnessed = stood.standing == "witnessed"
    return Line(
        code="basis",
        status="proved" if witnessed else "attested",
        ground="witnessed" if witnessed else "one-party",
        word_of="" if witnessed else stood.author,
        party=stood.author,
        at=stood.at,
        before=stood.cosigned_at,
        record=stood.record.id.hex(),
        parameters=(NAMES[stood.record.statement.type], decided.hex()),
    )
