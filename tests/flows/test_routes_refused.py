"""What the registers do not take of letters, handings on and receipts, rule by rule (``spec/routes.md`` 4 to 9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.granting import WithdrawConsent, withdraw_consent
from comity.flows.ending.recalls import Recall, recall
from comity.flows.giving import release
from comity.flows.keeping.work import Draft
from comity.record import bodies
from comity.record.bodies import Body
from comity.record.bodies.routes import ConsentLettered, HandedOn
from comity.record.letters import ConsentLetter, ReceiptLetter, peek_letter, write_letter
from comity.register.rows import ItemRow
from comity.register.rows.routes import HandedOnRow, LetterRow
from trilateral import FIRST, SECOND, Trilateral


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path)
    yield made
    await made.close()


async def said(world: Trilateral, party: str, relationship: str, body: Body) -> str:
    """Why the register of its own author does not take a record."""

    async def say(work: Any) -> None:
        await work.say(Draft(relationship, body))

    with pytest.raises(Misuse) as raised:
        await world.houses[party].sequencer.submit(say)
    return raised.value.code


async def lettered(world: Trilateral) -> tuple[str, ConsentLettered, ConsentLetter]:
    """An item of Tokyo's with Washington, and the letter of the consent to it."""
    given = await world.given()
    shown = await world.consent(await world.ask_consent(given.item))
    rows = [row async for _, row in world.houses["jp"].rows(LetterRow)]
    letter = rows[-1].letter
    body = ConsentLettered(consent=shown.consent, beneficiary="kr", letter=letter)
    return given.item, body, peek_letter(letter, ConsentLetter)


def signed(world: Trilateral, party: str, letter: ConsentLetter | ReceiptLetter) -> bytes:
    key = world.houses[party].keys.record
    return write_letter(letter, key.public, key.sign)


# ---- letters (4) -----------------------------------------------------------------------------------------------------


async def test_a_consent_is_put_into_a_letter_once_for_each_that_gains(world: Trilateral) -> None:
    _, body, _ = await lettered(world)
    assert await said(world, "jp", FIRST, body) == "letter-exists"
    other = msgspec.structs.replace(body, beneficiary="us")
    assert await said(world, "jp", FIRST, other) == "other-consent"
    unknown = msgspec.structs.replace(body, consent="c-aaaaaaaaaaaaaaaa")
    assert await said(world, "jp", FIRST, unknown) == "unknown-consent"


@pytest.mark.parametrize("field", ["content", "payload", "purpose", "holder", "relationship", "conditions"])
async def test_a_letter_says_what_the_consent_says(world: Trilateral, field: str) -> None:
    given = await world.given()
    shown = await world.consent(await world.ask_consent(given.item, acts=("show",)))
    assert [row async for _, row in world.houses["jp"].rows(LetterRow)] == []  # nobody may give it by that
    _, _, letter = await lettered(world)
    other = {
        "content": bytes(32),
        "payload": bytes(32),
        "purpose": "tea",
        "holder": "kr",
        "relationship": SECOND,
        "conditions": ("none",),
    }[field]
    forged = msgspec.structs.replace(letter, **{field: other})
    again = await world.consent(await world.ask_consent(letter.item, beneficiary="au", beneficiary_kind="government"))
    body = ConsentLettered(
        consent=again.consent,
        beneficiary="au",
        letter=signed(world, "jp", msgspec.structs.replace(forged, consent=again.consent, beneficiary="au")),
    )
    assert await said(world, "jp", FIRST, body) == "other-letter"
    shows = msgspec.structs.replace(body, consent=shown.consent, beneficiary="kr")
    assert await said(world, "jp", FIRST, shows) == "other-consent"


async def test_a_consent_that_was_withdrawn_is_put_into_no_letter(world: Trilateral) -> None:
    _, body, letter = await lettered(world)
    again = await world.consent(await world.ask_consent(letter.item))
    await withdraw_consent(
        world.houses["jp"], WithdrawConsent(consent=again.consent, reason="not any more", actor=Actor("abe"))
    )
    assert await said(world, "jp", FIRST, msgspec.structs.replace(body, consent=again.consent)) == "lapsed"
    assert await said(world, "us", FIRST, body) == "lapsed"  # another's


# ---- what is handed on (6) -------------------------------------------------------------------------------------------


async def consigned(
    world: Trilateral, monkeypatch: pytest.MonkeyPatch, letter: ConsentLetter, **changes: object
) -> str:
    """Why Washington's own register does not take its handing on, under a letter that Tokyo really signed."""
    made = release._consignment

    async def shows(*_: object) -> Any:
        from comity.flows.giving.forwarding import Shown

        return Shown(letter.consent, signed(world, "jp", letter))

    def altered(*given: Any) -> bodies.Consigned:
        return msgspec.structs.replace(made(*given), **changes)

    monkeypatch.setattr(release, "letter_for", shows)
    monkeypatch.setattr(release, "_consignment", altered)
    asked = await world.ask_on(letter.item)
    with pytest.raises(Misuse) as raised:
        await world.approve_on(asked)
    return raised.value.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": timedelta(days=-1)}, "lapsed"),
        ({"beneficiary": "us"}, "other-letter"),
        ({"holder": "kr"}, "other-letter"),
        ({"relationship": "jp-us-2007/jp.us"}, "other-item"),
        ({"label": "秘"}, "level-changed"),
        ({"alternative": "CONFIDENTIAL"}, "other-label"),
    ],
)
async def test_a_letter_about_something_else(
    world: Trilateral, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], code: str
) -> None:
    _, _, letter = await lettered(world)
    (field, value), *_ = changes.items()
    if field == "until":
        value = world.clock.time + value
    if field in {"label", "alternative"}:
        value = msgspec.structs.replace(getattr(letter, field), mark=value)
    other = msgspec.structs.replace(letter, **{field: value})
    assert await consigned(world, monkeypatch, other) == code


async def test_what_is_somebodys_own_is_not_handed_on_to_him(world: Trilateral) -> None:
    """Whatever its author says about whose it is: where it would come back, no letter helps."""
    item, _, letter = await lettered(world)
    row = await world.houses["us"].need(ItemRow, item, "item")
    asked = await world.ask_on(item)
    body = await a_consignment(world, asked.request, row, letter, originator="kr")
    assert await said(world, "us", SECOND, body) == "looped-route"
    assert await said(world, "us", SECOND, msgspec.structs.replace(body, originator="jp")) == "other-originator"


async def a_consignment(
    world: Trilateral, request: str, row: ItemRow, letter: ConsentLetter, originator: str
) -> bodies.Consigned:
    assert row.alternative is not None
    label = msgspec.structs.replace(row.alternative, originator=originator)
    us = world.houses["us"]

    async def relabel(work: Any) -> None:
        """The same question of the arrangement, under the label that it names."""
        await work.say(
            Draft(
                SECOND,
                bodies.AssuranceAsked(
                    request="r-aaaaaaaaaaaaaaaa",
                    item=row.item,
                    label=label,
                    form=row.form,
                    topic=row.topic,
                    purpose=letter.purpose,
                    recipients=(await world.pseudonym("kr", "kim", SECOND),),
                ),
            )
        )

    await us.sequencer.submit(relabel)
    agreement = await us.agreement_row(SECOND)
    return bodies.Consigned(
        request="r-aaaaaaaaaaaaaaaa",
        item=row.item,
        label=label,
        alternative=msgspec.structs.replace(label, policy="kr", mark="군사 Ⅱ급 비밀"),
        form=row.form,
        topic=row.topic,
        subject=row.subject,
        purpose=letter.purpose,
        originator=originator,
        agreement=agreement.digest,
        payload=letter.payload,
        size=464,
        content=row.content,
        copies=(bodies.CopyMade(1, await world.pseudonym("kr", "kim", SECOND), bytes(32)),),
        assurances=(),
        basis=bytes(32),
        letter=signed(world, "jp", letter),
    )


# ---- what the originator is told (7) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "already-given"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "to": "jp"}, "looped-route"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "to": "us"}, "looped-route"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "to": "au"}, "other-consent"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "purpose": "tea"}, "other-consent"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "consent": "c-aaaaaaaaaaaaaaaa"}, "unknown-consent"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "item": "i-aaaaaaaaaaaaaaaa"}, "unknown-holding"),
        ({"request": "r-bbbbbbbbbbbbbbbb", "label": "us"}, "derived"),
    ],
)
async def test_a_handing_on_that_does_not_fit(world: Trilateral, changes: dict[str, Any], code: str) -> None:
    body = await told(world)
    if "label" in changes:
        changes = {**changes, "label": msgspec.structs.replace(body.label, originator="us")}
    assert await said(world, "us", FIRST, msgspec.structs.replace(body, **changes)) == code


async def told(world: Trilateral) -> HandedOn:
    """What Washington said to Tokyo of a handing on."""
    given, approved = await world.handed_on()
    row = await world.houses["us"].need(HandedOnRow, f"{FIRST}/{given.item}/{approved.request}", "handing on")
    fields = {name: getattr(row, name) for name in HandedOn.__struct_fields__ if name != "basis"}
    return HandedOn(basis=bytes(32), **fields)


async def test_nobody_hands_on_what_was_not_given_to_him_or_what_is_recalled(world: Trilateral) -> None:
    body = msgspec.structs.replace(await told(world), request="r-bbbbbbbbbbbbbbbb")
    assert await said(world, "jp", FIRST, body) == "not-holder"
    await recall(world.houses["jp"], Recall(item=body.item, asks="destroy", reason="wrong", actor=Actor("abe")))
    await world.exchange()
    assert await said(world, "us", FIRST, body) == "recalled"


async def test_a_consent_that_has_ended_is_no_ground(world: Trilateral) -> None:
    body = msgspec.structs.replace(await told(world), request="r-bbbbbbbbbbbbbbbb")
    world.clock.time += timedelta(days=800)
    assert await said(world, "us", FIRST, body) == "lapsed"


# ---- the receipt (8) -------------------------------------------------------------------------------------------------


async def test_a_receipt_with_a_letter_that_says_something_else_is_returned(
    world: Trilateral, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.flows.exchanging import taking

    made = taking._receipt_letter

    async def another(work: Any, record: Any) -> bytes:
        letter = await made(work, record)
        if not letter:
            return letter
        return signed(world, "kr", msgspec.structs.replace(peek_letter(letter, ReceiptLetter), copies=7))

    monkeypatch.setattr(taking, "_receipt_letter", another)
    given = await world.given()
    await world.consent(await world.ask_consent(given.item))
    asked = await world.ask_on(given.item)
    with pytest.raises(Misuse) as raised:  # Seoul's own register does not let Seoul say it
        await world.approve_on(asked)
    assert raised.value.code == "other-letter"
