"""Custody acts of the story's people, signed.

In Seoul ``kim`` and ``other`` hold copies, ``rei`` keeps the registry and ``lee`` carries; in Tokyo ``oda`` carries and
``nao`` keeps the registry.
"""

from __future__ import annotations

from comity.record.bodies import Body, CopyMade
from comity.record.bodies.custody import Carried, CopyFound, CopyLost, HandedOver, Reproduced, TakenOver
from comity.record.bodies.ending import SentBack, TakenBack
from comity.record.person_act import unsigned
from comity.register.rows import CopyRow
from comity.register.rows.ending import EndingRow
from register.story import (
    ALTERNATIVE,
    LABEL,
    RELATIONSHIP,
    Story,
    approved,
    asked,
    assured,
    consigned,
    item,
    listed,
    received,
    requested,
    signed,
    told,
)

NUMBER = 1


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def peopled() -> Story:
    """Both parties acknowledged, everybody listed; nothing given yet."""
    story = told("peered")
    story.say("kr", listed("other", ("reader",)))
    story.say("kr", listed("rei", ("registry",)))
    story.say("jp", listed("oda", ("officer",), nationality="jp", serves="jp"))
    story.say("jp", listed("nao", ("registry",), nationality="jp", serves="jp"))
    return story


def given(form: str = "electronic", holders: tuple[str, ...] = ("n-kim",), *, receipted: bool = True) -> Story:
    """Copies 1, 2, … of an item, to ``holders``."""
    story = peopled()
    story.say("jp", item(form=form))
    story.say("jp", requested(recipients=tuple(sorted(set(holders)))))
    story.say("jp", asked(form=form, recipients=tuple(sorted(set(holders)))))
    assurances = [story.say("kr", assured(story, recipient=holder)).id for holder in sorted(set(holders))]
    story.say("jp", approved(story))
    copies = tuple(CopyMade(number, holder, digest(number)) for number, holder in enumerate(holders, start=1))
    story.say("jp", consigned(story, form=form, copies=copies, assurances=tuple(assurances)))
    if receipted:
        story.say("kr", received(story, copies=tuple(copy.number for copy in copies)))
    return story


def copy(story: Story, number: int = NUMBER, party: str = "jp") -> CopyRow:
    row = story.row(party, "copy", f"{RELATIONSHIP}/i-1/{number:06d}")
    assert isinstance(row, CopyRow)
    return row


def _after(story: Story, number: int) -> bytes:
    row = story.row("jp", "copy", f"{RELATIONSHIP}/i-1/{number:06d}")
    return row.last if isinstance(row, CopyRow) else bytes(32)


def _made(kind: type[Body], story: Story, signer: str, party: str, key: str, fields: dict[str, object]) -> Body:
    number = int(str(fields.get("copy", NUMBER)))
    given_fields: dict[str, object] = {
        "item": "i-1",
        "copy": number,
        "by": signer,
        "after": _after(story, number),
        "signature": unsigned(),
        **fields,
    }
    return signed(kind(**given_fields), signer, party, key)


def reproduced(
    story: Story,
    by: str = "n-kim",
    *holders: str,
    first: int = 1_001,
    party: str = "kr",
    key: str = "",
    **changes: object,
) -> Body:
    numbered = enumerate(holders or ("n-other",), start=first)
    made = tuple(CopyMade(number, each, digest(number)) for number, each in numbered)
    fields = {
        "copies": made,
        "marks": (LABEL.mark, ALTERNATIVE.mark),
        "purpose": "air defence",
        "basis": bytes(32),
        **changes,
    }
    return _made(Reproduced, story, by, party, key, fields)


def handed_over(
    story: Story, by: str = "n-kim", taker: str = "n-other", party: str = "kr", key: str = "", **changes: object
) -> Body:
    fields = {"taker": taker, "header": digest(7), "basis": bytes(32), **changes}
    return _made(HandedOver, story, by, party, key, fields)


def taken_over(story: Story, by: str = "n-other", party: str = "kr", key: str = "", **changes: object) -> Body:
    return _made(TakenOver, story, by, party, key, changes)


def carried(story: Story, by: str = "n-oda", party: str = "jp", key: str = "", **changes: object) -> Body:
    row = story.row("jp", "copy", f"{RELATIONSHIP}/i-1/{int(str(changes.get('copy', NUMBER))):06d}")
    before = row.carrier(party) if isinstance(row, CopyRow) else None
    return _made(Carried, story, by, party, key, {**({"after": before.record} if before else {}), **changes})


def lost(story: Story, by: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    return _made(CopyLost, story, by, party, key, {"circumstances": "not in its safe", **changes})


def found(story: Story, by: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    return _made(CopyFound, story, by, party, key, {"circumstances": "behind the safe", **changes})


def sent_back(story: Story, signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    return _made(SentBack, story, signer, party, key, {"reason": "no longer needed", "basis": bytes(32), **changes})


def taken_back(story: Story, signer: str = "n-nao", party: str = "jp", key: str = "", **changes: object) -> Body:
    row = story.row("jp", "ending", f"{RELATIONSHIP}/i-1/{int(str(changes.get('copy', NUMBER))):06d}")
    after = row.record if isinstance(row, EndingRow) else bytes(32)
    return _made(TakenBack, story, signer, party, key, {"after": after, **changes})
