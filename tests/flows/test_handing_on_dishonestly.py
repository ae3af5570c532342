"""A holder who forges, replays and alters: what it carries is verified by those it is shown to (``spec/routes.md``).

Washington lies here, and says what its own register would not let it say; Tokyo and Seoul run what everybody runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.decision.model import NeedsConsent, Permit
from comity.flows.deciding import lineage, picking
from comity.flows.giving import forwarding, release
from comity.flows.giving.forwarding import Shown
from comity.flows.giving.release import Given
from comity.flows.handling import handing_on
from comity.flows.house import House
from comity.flows.keeping.work import Draft
from comity.record.bodies.routes import ConsentLettered, Relayed
from comity.record.letters import ConsentLetter, LetterBody, ReceiptLetter, peek_letter, write_letter
from comity.register import crossing, routes
from comity.register.rows import ConsignmentRow, ItemRow, ReturnedRow
from comity.register.rows.routes import HandedOnRow, LetterRow
from trilateral import FIRST, SECOND, Trilateral


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Washington's register takes whatever Washington says."""
    verified, checked = routes._verified, crossing.check_letter

    def believes(context: Any, facts: Any, envelope: bytes, kind: Any, author: str) -> Any:
        return (
            peek_letter(envelope, kind) if context.party == "us" else verified(context, facts, envelope, kind, author)
        )

    def hands_on(context: Any, facts: Any, record: Any) -> ConsentLetter:
        if context.party == "us":
            return peek_letter(record.body.letter, ConsentLetter)
        return checked(context, facts, record)

    monkeypatch.setattr(routes, "_verified", believes)
    monkeypatch.setattr(crossing, "check_letter", hands_on)
    monkeypatch.setattr(crossing, "check_held", lambda *_: None)


def signed_by(house: House, letter: LetterBody) -> bytes:
    key = house.keys.record
    return write_letter(letter, key.public, key.sign)


async def the_letter(world: Trilateral) -> bytes:
    rows = [row async for _, row in world.houses["us"].rows(LetterRow, f"{FIRST}/")]
    return rows[-1].letter


async def shows(
    world: Trilateral, monkeypatch: pytest.MonkeyPatch, item: str, letter: bytes, **changes: object
) -> tuple[Given, ReturnedRow | None]:
    """Washington hands on with this letter; what Seoul answered to it."""

    async def other(*_: object) -> Shown:
        return Shown("c-aaaaaaaaaaaaaaaa", letter)

    async def silent(*_: object) -> None:
        """It does not tell Tokyo."""

    monkeypatch.setattr(release, "letter_for", other)
    monkeypatch.setattr(release, "tell_originator", silent)
    if changes:
        consigned = release._consignment

        def altered(*given: Any) -> Any:
            return msgspec.structs.replace(consigned(*given), **changes)

        monkeypatch.setattr(release, "_consignment", altered)
    asked = await world.ask_on(item)
    approved = await world.approve_on(asked)
    assert approved.given is not None
    us = world.houses["us"]
    return approved.given, await us.row(ReturnedRow, approved.given.consignment or "")


async def nothing_arrived(world: Trilateral, item: str) -> None:
    assert await world.houses["kr"].row(ItemRow, item) is None


async def test_a_consent_that_the_holder_signed_itself(
    world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    letter = peek_letter(await the_letter(world), ConsentLetter)
    forged = signed_by(world.houses["us"], letter)
    _, returned = await shows(world, monkeypatch, given.item, forged)
    assert returned is not None
    assert returned.code == "unknown-key"
    await nothing_arrived(world, given.item)


async def test_no_letter_at_all(world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    checked = crossing.check_letter
    letter = await the_letter(world)

    def without(context: Any, facts: Any, record: Any) -> ConsentLetter:
        return peek_letter(letter, ConsentLetter) if context.party == "us" else checked(context, facts, record)

    monkeypatch.setattr(crossing, "check_letter", without)
    _, returned = await shows(world, monkeypatch, given.item, b"")
    assert returned is not None
    assert returned.code == "no-letter"


async def test_a_consent_to_another_item(world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    given = await world.given()
    secret = await world.given(path=world.document(b"the other report", "other.txt"))
    await world.consent(await world.ask_consent(given.item))
    await world.consent(await world.ask_consent(secret.item), granted=False)
    waits_for = await the_letter(world)
    monkeypatch.setattr(release, "answer", permits(release.answer))
    _, returned = await shows(world, monkeypatch, secret.item, waits_for)
    assert returned is not None
    assert returned.code == "other-letter"
    await nothing_arrived(world, secret.item)


def permits(answer: Callable[..., Any], kind: type[Permit | NeedsConsent] = Permit) -> Callable[..., Any]:
    """The liar decides by what a consent would have permitted."""

    def decide(running: Any, case: Any) -> Any:
        made = answer(running, case)
        return kind(made.reasons, made.duties, made.inputs)

    return decide


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": -timedelta(days=1)}, "unknown-key"),
        ({"beneficiary": "us"}, "unknown-key"),
        ({"purpose": "something else"}, "unknown-key"),
    ],
    ids=["a longer one", "for somebody else", "for something else"],
)
async def test_a_consent_that_was_altered(
    world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], code: str
) -> None:
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    letter = peek_letter(await the_letter(world), ConsentLetter)
    if "until" in changes:
        changes = {"until": letter.until + timedelta(days=365)}
    forged = signed_by(world.houses["us"], msgspec.structs.replace(letter, **changes))
    _, returned = await shows(world, monkeypatch, given.item, forged)
    assert returned is not None
    assert returned.code == code


async def test_bytes_of_a_letter_turned(world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The originator's own signature, over something else: one field more in the future."""
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    envelope = await the_letter(world)
    letter = peek_letter(envelope, ConsentLetter)
    other = signed_by(world.houses["jp"], msgspec.structs.replace(letter, conditions=("none",)))
    parts, theirs = msgspec.json.decode(envelope), msgspec.json.decode(other)
    mixed = msgspec.json.encode({**parts, "payload": theirs["payload"]})
    _, returned = await shows(world, monkeypatch, given.item, mixed)
    assert returned is not None
    assert returned.code == "bad-signature"


@pytest.mark.parametrize("field", ["payload", "content"])
async def test_what_is_not_as_the_originator_sealed_it(
    world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """Other bytes than Tokyo's, that are there; or another content, of which nothing could be opened."""
    given = await world.given()
    secret = await world.given(path=world.document(b"the other report", "other.txt"))
    await world.consent(await world.ask_consent(given.item))
    other = await world.houses["us"].need(ConsignmentRow, secret.consignment or "", "consignment")
    changes = {"payload": {"payload": other.payload, "size": other.size}, "content": {"content": bytes(32)}}[field]
    _, returned = await shows(world, monkeypatch, given.item, await the_letter(world), **changes)
    assert returned is not None
    assert returned.code == "other-letter"
    await nothing_arrived(world, given.item)


async def test_a_milder_mark_on_the_way(world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Tokyo gave as secret is confidential in Washington all of a sudden; so it would be in Seoul."""
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    own = forwarding.own_marking

    async def mild(*of: Any) -> Any:
        marked = await own(*of)
        lower = msgspec.structs.replace(marked.alternative, mark="CONFIDENTIAL")
        return msgspec.structs.replace(marked, alternative=lower)

    for module in (forwarding, handing_on, lineage):
        monkeypatch.setattr(module, "own_marking", mild)
    monkeypatch.setattr(release, "answer", permits(release.answer))
    monkeypatch.setattr(picking, "answer", permits(picking.answer, NeedsConsent))
    _, returned = await shows(world, monkeypatch, given.item, await the_letter(world))
    assert returned is not None
    assert returned.code == "other-label"
    await nothing_arrived(world, given.item)


# ---- what Tokyo is told ----------------------------------------------------------------------------------------------


async def told_tokyo(world: Trilateral, body: Relayed) -> ReturnedRow | None:
    """What Tokyo answered to a relay."""

    us = world.houses["us"]

    async def say(work: Any) -> str:
        return (await work.say(Draft(FIRST, body))).id.hex()

    record = await us.sequencer.submit(say)
    await world.exchange()
    return await us.row(ReturnedRow, record)


async def silent_seoul(world: Trilateral) -> tuple[Given, Given]:
    """Washington has handed on, and Seoul's receipt has not come yet."""
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    asked = await world.ask_on(given.item)
    between = dict(world.between)
    del world.between[SECOND]
    approved = await world.approve_on(asked)
    world.between = between
    assert approved.given is not None
    return given, approved.given


def receipt(world: Trilateral, given: Given, on: Given, item: ItemRow, **changes: object) -> ReceiptLetter:
    return ReceiptLetter(
        **{
            "receiver": "kr",
            "originator": "jp",
            "holder": "us",
            "request": on.request,
            "item": given.item,
            "content": item.content,
            "payload": bytes(32),
            "copies": 1,
            "mark": "군사 Ⅱ급 비밀",
            "at": world.clock.time,
            **changes,
        }
    )


async def test_a_receipt_that_the_holder_signed_itself(world: Trilateral, lying: None) -> None:
    given, on = await silent_seoul(world)
    item = await world.houses["us"].need(ItemRow, given.item, "item")
    forged = signed_by(world.houses["us"], receipt(world, given, on, item))
    returned = await told_tokyo(world, Relayed(request=on.request, item=given.item, letter=forged))
    assert returned is not None
    assert returned.code == "unknown-key"
    row = await world.houses["jp"].need(HandedOnRow, f"{FIRST}/{given.item}/{on.request}", "handing on")
    assert row.received is None


async def test_seouls_receipt_of_something_else(
    world: Trilateral, lying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that Seoul did sign, for another handing on of the same item."""
    given, on = await silent_seoul(world)
    item = await world.houses["us"].need(ItemRow, given.item, "item")
    other = signed_by(world.houses["kr"], receipt(world, given, on, item, request="r-aaaaaaaaaaaaaaaa"))
    differs = routes._differs
    monkeypatch.setattr(routes, "_differs", lambda *_: None)
    us = world.houses["us"]

    async def say(work: Any) -> str:
        body = Relayed(request=on.request, item=given.item, letter=other)
        return (await work.say(Draft(FIRST, body))).id.hex()

    record = await us.sequencer.submit(say)
    monkeypatch.setattr(routes, "_differs", differs)
    await world.exchange()
    returned = await us.need(ReturnedRow, record, "returned record")
    assert returned.code == "other-letter"


async def test_a_second_receipt(world: Trilateral, monkeypatch: pytest.MonkeyPatch) -> None:
    given, approved = await world.handed_on()
    assert approved.given is not None
    row = await world.houses["us"].need(HandedOnRow, f"{FIRST}/{given.item}/{approved.request}", "handing on")
    with pytest.raises(Exception, match="already") as raised:
        await told_tokyo(world, Relayed(request=row.request, item=row.item, letter=row.receipt or b""))
    assert getattr(raised.value, "code", "") == "already-received"


async def test_a_letter_that_says_more_than_the_consent(world: Trilateral, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokyo's own node could not put a longer consent into a letter either: Washington would not take it."""
    given = await world.given()
    shown = await world.consent(await world.ask_consent(given.item), until=world.clock.time + timedelta(days=1))
    jp = world.houses["jp"]
    letter = peek_letter(await the_letter(world), ConsentLetter)
    longer = msgspec.structs.replace(letter, until=letter.until + timedelta(days=365))
    body = ConsentLettered(consent=shown.consent, beneficiary="kr", letter=signed_by(jp, longer))

    async def say(work: Any) -> None:
        await work.say(Draft(FIRST, body))

    with pytest.raises(Exception, match="until") as raised:
        await jp.sequencer.submit(say)
    assert getattr(raised.value, "code", "") == "other-letter"
