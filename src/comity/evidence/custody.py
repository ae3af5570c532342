"""In whose hands copies were: the chain of custody, followed through the records shown (``spec/evidence.md`` step 22).

A copy belongs to its keeper: the receiver of its consignment. Only the keeper's records move it, each names the one
before it about the same copy, and whoever signs is whose turn it is. What a carrier or the giver said of its way moves
nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import Stood
from comity.evidence.exhibits import Exhibits
from comity.record import bodies
from comity.record.bodies.custody import Carried, CopyFound, CopyLost, HandedOver, Reproduced, TakenOver
from comity.record.bodies.ending import SentBack
from comity.register.occasions import BY_HAND


class Hands(msgspec.Struct):
    """A copy at one point of its keeper's chain.

    Attributes:
        keeper: party whose people hold it.
        holder: pseudonym of whoever answers for it.
        last: newest record about it, which the next one names.
        taker: who is to sign for it; None when nobody is.
        lost: whether it is said to be lost.
        away: whether it is on its way to somebody, or back.
    """

    keeper: str
    holder: str
    last: bytes
    taker: str | None = None
    lost: bool = False
    away: bool = False


def hands_before(exhibits: Exhibits, stood: Stood) -> dict[int, Hands]:
    """Every copy by its number, as the author of ``stood`` had it just before that record."""
    copies: dict[int, Hands] = {}
    for given, consigned in exhibits.of(bodies.Consigned):
        keeper = exhibits.other(given.author)
        for copy in consigned.copies:
            taker = copy.holder if consigned.form in BY_HAND else None
            copies[copy.number] = Hands(keeper, copy.holder, given.record.id, taker, away=taker is not None)
    chain = exhibits.own if stood.author == exhibits.exporter.name else exhibits.theirs
    for each in chain.records:
        if each.index >= stood.index:
            break
        _move(copies, each)
    return copies


def _move(copies: dict[int, Hands], stood: Stood) -> None:
    """What a record of the keeper's makes of the copies."""
    body: Any = stood.body
    copy = copies.get(getattr(body, "copy", -1))
    if isinstance(body, bodies.Opened | bodies.Unopenable | Carried) or copy is None or copy.keeper != stood.author:
        return
    match body:
        case Reproduced():
            for made in body.copies:
                copies[made.number] = Hands(copy.keeper, made.holder, stood.record.id)
            return
        case HandedOver():
            copy.taker, copy.away = body.taker, True
        case SentBack():
            copy.away = True
        case TakenOver():
            copy.holder, copy.taker, copy.lost, copy.away = body.by, None, False, False
        case CopyLost():
            copy.lost = True
            if copy.away:  # on its way it is still the record that sent it off
                return
        case CopyFound():
            copy.lost = False
    copy.last = stood.record.id


def check_hands(exhibits: Exhibits, stood: Stood) -> None:
    """(22) A record of custody is its keeper's, follows on the newest about its copy, and its signer's turn has come.

    Raises:
        Rejected: it does not fit the chain of custody.
    """
    body: Any = stood.body
    if not isinstance(body, Reproduced | HandedOver | TakenOver | CopyLost | CopyFound | Carried):
        return
    copies = hands_before(exhibits, stood)
    copy = copies.get(body.copy)
    if copy is None:
        raise _no(stood, "other-copy", f"copy {body.copy} was neither given nor made")
    if isinstance(body, Carried) or (isinstance(body, CopyLost) and copy.keeper != stood.author):
        return
    if copy.keeper != stood.author:
        raise _no(stood, "not-keeper", f"copy {body.copy} is with {copy.keeper!r}, not with {stood.author!r}")
    if body.after != copy.last:
        raise _no(stood, "broken-custody", f"it does not follow on the newest record about copy {body.copy}")
    if isinstance(body, TakenOver):
        if body.by != copy.taker:
            raise _no(stood, "not-taker", f"copy {body.copy} was not sent to {body.by!r}")
    elif isinstance(body, CopyFound):
        by_other = any(at.author != copy.keeper and said.copy == body.copy for at, said in exhibits.of(CopyLost))
        if not copy.lost and not by_other:  # who had it carried may have said so
            raise _no(stood, "not-lost", f"copy {body.copy} was not lost")
    elif copy.lost or (copy.away and not isinstance(body, CopyLost)):
        raise _no(stood, "not-held", f"copy {body.copy} is not held by anybody")
    elif isinstance(body, Reproduced) and body.by != copy.holder:
        raise _no(stood, "not-holder", f"copy {body.copy} is held by {copy.holder!r}, not by {body.by!r}")
    elif isinstance(body, Reproduced) and {each.number for each in body.copies} & set(copies):
        raise _no(stood, "copy-number", "a copy of that number was made before")


def _no(stood: Stood, code: str, sentence: str) -> Rejected:
    return Rejected(sentence, code=code, place=stood.place)
