"""Re-wrapping: the header of a copy anew, for others, while its payload stays as it is (``spec/custody.md`` step 19).

In served custody the node does it. In strict custody it cannot: it hands the holder his header and the keys of the
others, he makes the new headers on his side with his own key, and what was decided is decided again before they count.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.deciding.cases import outcome_word
from comity.flows.deciding.recorded import named_decision
from comity.flows.giving.content import recipient
from comity.flows.giving.sealed import check_header, header_of
from comity.flows.handling.custody import Found
from comity.flows.house import House
from comity.seal.age import open_header, seal_header
from comity.seal.keys import parse_identity


class Rewrap(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder in strict custody does on his side: open ``header`` with his own key, seal it to each recipient."""

    header: bytes
    recipients: tuple[str, ...]


class Rewrapped(msgspec.Struct, frozen=True, kw_only=True):
    """What he gives back: one header for each recipient, and the decision that allowed it."""

    decision_record: str
    headers: tuple[bytes, ...] = ()


async def rewrap(house: House, found: Found, recipients: Sequence[str]) -> tuple[bytes, ...]:
    """A header for each of ``recipients``, made by the node: the holder is in served custody.

    Raises:
        Rejected: the copy's header is gone, or does not open.
    """
    identities = [parse_identity(secret) for secret in house.keys.registry()]
    file_key = open_header(await header_of(house, found.first.copy.header), identities)
    return tuple(seal_header(file_key, [recipient(each)], house.entropy) for each in recipients)


async def new_headers(
    house: House, found: Found, given: Rewrapped | None, recipients: Sequence[str]
) -> tuple[bytes, ...] | None:
    """A header for each of ``recipients``; None where the holder is in strict custody and has not made them yet.

    Raises:
        Misuse, Rejected: as ``rewrap`` and ``check_rewrapped``.
    """
    if found.person.custody != "strict":
        return await rewrap(house, found, recipients)
    return None if given is None else check_rewrapped(given, recipients)


async def to_rewrap(house: House, found: Found, recipients: Sequence[str]) -> Rewrap:
    """What a holder in strict custody is given to do it himself."""
    return Rewrap(header=await header_of(house, found.first.copy.header), recipients=tuple(recipients))


def check_rewrapped(given: Rewrapped, recipients: Sequence[str]) -> tuple[bytes, ...]:
    """The headers that a holder made on his side: as many as were asked for, each of its recipient's kind.

    Raises:
        Misuse: another number of them.
        Rejected: one is no header, too large, or sealed to a key of another kind.
    """
    if len(given.headers) != len(recipients):
        raise Misuse(
            f"{len(recipients)} headers were asked for, {len(given.headers)} came; name your own keys with --key FILE",
            code="strict-keys",
        )
    for header, sealed_to in zip(given.headers, recipients, strict=True):
        check_header(header, sealed_to)
    return given.headers


async def still_permitted(house: House, given: Rewrapped, now: decision.Case, outcome: decision.Outcome) -> bytes:
    """The id of the decision that was recorded, once it is shown to be about the same, and still to hold.

    Args:
        house: this house.
        given: names the decision.
        now: the same question, put again.
        outcome: its answer.

    Raises:
        Misuse: no such decision of his, or it was about something else.
        Refused: it is not permitted any more.
    """
    decided = await named_decision(house, given.decision_record, now.requester)
    if not decided.permits or _question(decided.case) != _question(now):
        raise Misuse("that decision does not permit this; ask again", code="other-decision")
    if outcome_word(outcome) != "permit":
        raise Refused("what was permitted then is not permitted any more; ask again", code="not-any-more")
    return decided.record


def _question(case: decision.Case) -> tuple[object, ...]:
    people = tuple(sorted(each.pseudonym for each in case.recipients))
    return case.act, case.item.id, case.purpose, case.requester, people
