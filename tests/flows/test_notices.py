"""Authorities, laws, disputes, deposits and costs, as people of two houses use them (``spec/notices.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.agreeing import deposits
from comity.flows.agreeing.deposits import (
    DEPOSIT_COPY,
    DEPOSIT_SALT,
    CheckDeposit,
    ListDeposits,
    MakeDeposit,
    RevealDeposit,
    check_deposit,
    inlined,
    list_deposits,
    make_deposit,
    reveal_deposit,
)
from comity.flows.agreeing.disputes import (
    AnswerDispute,
    DisputeShown,
    ListDisputes,
    OpenDispute,
    SettleDispute,
    ShowDispute,
    answer_dispute,
    list_disputes,
    open_dispute,
    settle_dispute,
    show_dispute,
)
from comity.flows.agreeing.notices import (
    AnswerLaws,
    AskLaws,
    Designate,
    EndDesignation,
    ListDesignations,
    ListLaws,
    NotifyLaw,
    answer_laws,
    ask_laws,
    designate,
    end_designation,
    list_designations,
    list_laws,
    notify_law,
)
from comity.flows.agreeing.outlays import ListOutlays, NoteOutlay, list_outlays, note_outlay
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.record.statement import chain_id
from comity.seal.commitment import SALT_BYTES
from world import RELATIONSHIP, ROOT, World

ENVOY, LEGATE = Actor("mori"), Actor("yun")
"""Agreement authorities, of Tokyo and of Seoul."""
LOG = b"06:00:01 contact at 12 km\n06:00:09 contact lost\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    await made.person("jp", "mori", roles=("agreement-authority",))
    await made.person("kr", "yun", roles=("agreement-authority", "registry"))
    await made.exchange()
    yield made
    await made.close()


def designation(**changes: object) -> Designate:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "authority": "Ministry of Defense",
        "since": "2026-12-01",
        "note": "note 12/2026",
        "actor": ENVOY,
        **changes,
    }
    return Designate(**fields)


# ---- authorities and laws -------------------------------------------------------------------------------------------


async def test_a_designation_is_known_on_both_sides_by_day(world: World) -> None:  # (1)
    made = await designate(world.jp, designation())
    await end_designation(
        world.jp,
        EndDesignation(
            relationship=RELATIONSHIP,
            designation=made.designation,
            since="2027-12-01",
            note="note 30/2027",
            actor=ENVOY,
        ),
    )
    await world.exchange()
    for house in (world.jp, world.kr):
        for on, holds in (("2026-11-30", 0), ("2026-12-01", 1), ("2027-11-30", 1), ("2027-12-01", 0)):
            found = await list_designations(house, ListDesignations(on=on))
            assert len([each for each in found if each.record]) == holds, on
        (whole,) = [each for each in await list_designations(house, ListDesignations()) if each.record]
        assert (whole.party, whole.until, whole.end_note) == ("jp", "2027-12-01", "note 30/2027")


async def test_what_the_agreement_lists_is_where_the_register_begins(tmp_path: Path) -> None:  # (1)
    from world import library

    text = library("jp-kr-2016.toml").replace(
        "# What is covered",
        '[[authority]]\nparty = "kr"\nname = { en = "Defence Security Command" }\nvalid-from = "2016-11-23"\n'
        'notified-by = "note of 2016"\nprovenance = "K"\nsource = "nobody looked"\n\n# What is covered',
    )
    world = await World.make(tmp_path, text=text)
    try:
        (listed,) = await list_designations(world.jp, ListDesignations(on="2020-01-01"))
        assert (listed.party, listed.authority, listed.provenance, listed.designation) == (
            "kr",
            "Defence Security Command",
            "K",
            "",
        )
    finally:
        await world.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"actor": Actor("sato")}, "no-role"),
        ({"actor": ROOT}, "root-act"),
        ({"actor": Actor("nobody")}, "unknown-person"),
        ({"since": "2026-02-30"}, "bad-day"),
        ({"since": "tomorrow"}, "malformed"),
        ({"note": ""}, "malformed"),
        ({"designation": "d-1"}, "bad-name"),
    ],
)
async def test_a_designation_that_cannot_be_told(world: World, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Misuse) as refused:
        await designate(world.jp, designation(**changes))
    assert refused.value.code == code
    with pytest.raises(Refused, match="no agreement"):
        await designate(world.jp, designation(relationship="jp-kr-2016/jp.us"))


def told_law(**changes: object) -> NotifyLaw:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "title": "Act on Specially Designated Secrets",
        "change": "enacted",
        "in_force": "2027-04-01",
        "says": "a new ladder of marks",
        "note": "note 14/2026",
        "actor": ENVOY,
        **changes,
    }
    return NotifyLaw(**fields)


async def test_laws_are_told_asked_for_and_answered(world: World) -> None:  # (2, 3)
    law = await notify_law(world.jp, told_law())
    await notify_law(world.jp, told_law(law=law.law, known=True, change="amended", title="", in_force="2028-04-01"))
    await world.exchange()
    asked = await ask_laws(world.kr, AskLaws(relationship=RELATIONSHIP, matter="who may be cleared", actor=LEGATE))
    await world.exchange()
    answered = AnswerLaws(
        relationship=RELATIONSHIP,
        request=asked.request,
        laws=(law.law,),
        says="its chapter 5",
        note="note 16/2026",
        actor=ENVOY,
    )
    await answer_laws(world.jp, answered)
    await world.exchange()
    seen = [await list_laws(house, ListLaws()) for house in (world.jp, world.kr)]
    assert seen[0] == seen[1]
    assert [(each.title, each.change, each.in_force, each.notices) for each in seen[0].laws] == [
        ("Act on Specially Designated Secrets", "amended", "2028-04-01", 2)
    ]
    assert [(each.party, each.laws, each.says) for each in seen[0].requests] == [("kr", (law.law,), "its chapter 5")]
    with pytest.raises(Misuse, match="answered already"):
        await answer_laws(world.jp, answered)
    with pytest.raises(Misuse, match="not told before"):
        await notify_law(world.jp, told_law(law="w-" + "a" * 16, change="repealed"))


# ---- disputes -------------------------------------------------------------------------------------------------------


async def opened(world: World, **changes: object) -> DisputeShown:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "about": "reading",
        "subject": "21.3",
        "question": "may a notice be suspended?",
        "position": "it may",
        "actor": LEGATE,
        **changes,
    }
    return await open_dispute(world.kr, OpenDispute(**fields))


async def test_a_dispute_is_settled_by_one_text_signed_twice(world: World) -> None:  # (5, 6)
    dispute = await opened(world)
    await world.exchange()
    await answer_dispute(world.jp, AnswerDispute(dispute=dispute.dispute, says="it may not", actor=ENVOY))
    await world.exchange()
    text = "Both sides treat the agreement as in force, and keep their readings."
    proposed = await settle_dispute(world.kr, SettleDispute(dispute=dispute.dispute, text=text, actor=LEGATE))
    assert (proposed.settled, proposed.settlement) == (None, "")
    await world.exchange()
    digest = proposed.proposed[0].digest
    other = await settle_dispute(world.jp, SettleDispute(dispute=dispute.dispute, text=text + " ", actor=ENVOY))
    assert other.settled is None  # one space more is another text
    settled = await settle_dispute(world.jp, SettleDispute(dispute=dispute.dispute, digest=digest, actor=ENVOY))
    assert (settled.settled is not None, settled.settlement) == (True, digest)
    await world.exchange()
    assert await show_dispute(world.kr, ShowDispute(dispute=dispute.dispute)) == settled
    for house, actor in ((world.jp, ENVOY), (world.kr, LEGATE)):
        with pytest.raises(Misuse, match="was settled"):
            await answer_dispute(house, AnswerDispute(dispute=dispute.dispute, says="but", actor=actor))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "which-text"),
        ({"text": "a", "digest": "00" * 32}, "which-text"),
        ({"digest": "00"}, "bad-digest"),
        ({"digest": "no"}, "bad-digest"),
        ({"text": "a", "dispute": "x-none"}, "unknown-dispute"),
        ({"text": "a", "actor": Actor("kim")}, "no-role"),
    ],
)
async def test_a_settlement_that_cannot_be_signed(world: World, changes: dict[str, object], code: str) -> None:
    dispute = await opened(world)
    fields: dict[str, object] = {"dispute": dispute.dispute, "actor": LEGATE, **changes}
    with pytest.raises(Misuse) as refused:
        await settle_dispute(world.kr, SettleDispute(**fields))
    assert refused.value.code == code


async def test_a_dispute_about_an_item_is_seen_by_whoever_may_see_the_item(world: World) -> None:
    given = await world.given()
    dispute = await opened(world, about="item", subject=given.item)
    reading = await opened(world)
    for handle, seen in (("lee", [dispute, reading]), ("kim", [dispute, reading]), ("park", [reading])):
        assert await list_disputes(world.kr, ListDisputes(viewer=Actor(handle))) == seen, handle
    said = []
    for name in (dispute.dispute, "x-" + "a" * 16):
        with pytest.raises(Misuse) as refused:
            await show_dispute(world.kr, ShowDispute(dispute=name, viewer=Actor("park")))
        said.append((refused.value.code, refused.value.sentence.replace(name, "ID")))
    assert said[0] == said[1]


async def test_who_may_not_see_an_item_cannot_learn_of_it_by_disputing_it(world: World) -> None:
    given = await world.given()
    await world.person("kr", "bae", roles=("agreement-authority",))
    said = []
    for item in (given.item, "i-" + "a" * 16):
        with pytest.raises(Misuse) as refused:
            await opened(world, about="item", subject=item, actor=Actor("bae"))
        said.append((refused.value.code, refused.value.sentence.replace(item, "ID")))
    assert said == [("unknown-item", "there is no item 'ID'")] * 2


async def test_a_dispute_about_a_duty_is_seen_by_whoever_may_know_of_the_duty(world: World) -> None:
    given = await world.given()
    await world.person("kr", "bae", roles=("agreement-authority",))
    asked = await ask_laws(world.kr, AskLaws(relationship=RELATIONSHIP, matter="clearance", actor=LEGATE))
    about_law = await opened(
        world, about="duty", subject=asked.request, obligation="o-3-request", actor=Actor("bae")
    )  # a duty about no item is known to everybody who handles the agreement
    duty = f"{given.item}/{given.request}"
    about_item = await opened(world, about="duty", subject=duty, obligation="o-7.5")
    for handle, seen in (("bae", [about_law]), ("lee", [about_law, about_item])):
        assert await list_disputes(world.kr, ListDisputes(viewer=Actor(handle))) == seen
    said = []
    for subject in (duty, duty.replace(given.request, "r-" + "a" * 16)):
        with pytest.raises(Misuse) as refused:
            await opened(world, about="duty", subject=subject, obligation="o-7.5", actor=Actor("bae"))
        said.append((refused.value.code, refused.value.sentence.replace(subject, "ID")))
    assert said == [("unknown-duty", "nothing is owed under 'o-7.5' about 'ID'")] * 2


# ---- deposits -------------------------------------------------------------------------------------------------------


async def deposited(world: World, content: bytes = LOG, **changes: object) -> str:
    fields: dict[str, object] = {
        "path": world.document(content, "radar.log"),
        "relationship": RELATIONSHIP,
        "about": "radar log",
        "actor": Actor("sato"),
        **changes,
    }
    return (await make_deposit(world.jp, MakeDeposit(**fields))).deposit


async def one(house: House) -> deposits.DepositShown:
    (found,) = await list_deposits(house, ListDeposits())
    return found


async def test_a_deposit_is_witnessed_then_revealed(world: World) -> None:  # (8, 9, 10)
    name = await deposited(world)
    before = await one(world.jp)
    assert (before.witnessed, before.salt_kept, before.copy_kept, before.file_name) == (False, True, True, "radar.log")
    await world.exchange()
    assert (await one(world.jp)).witnessed
    theirs = await one(world.kr)
    assert (theirs.digest, theirs.text, theirs.salt_kept, theirs.file_name) == ("", None, False, "")
    with pytest.raises(Misuse, match="was not revealed"):
        await check_deposit(world.kr, CheckDeposit(deposit=name, path=world.document(LOG, "copy.log")))
    assert (await check_deposit(world.jp, CheckDeposit(deposit=name, path=world.document(LOG, "copy.log")))).matches
    await reveal_deposit(world.jp, RevealDeposit(deposit=name, actor=Actor("sato")))
    await world.exchange()
    theirs = await one(world.kr)
    assert theirs.text == LOG.decode()
    for content, matches in ((LOG, True), (LOG + b"\n", False)):
        path = world.document(content, "compared.log")
        assert (await check_deposit(world.kr, CheckDeposit(deposit=name, path=path))).matches is matches
    with pytest.raises(Misuse, match="revealed already"):
        await reveal_deposit(world.jp, RevealDeposit(deposit=name, actor=Actor("sato")))
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_nothing_of_the_content_crosses_before_the_reveal(world: World) -> None:
    await deposited(world)
    parcel = await world.jp.pack(RELATIONSHIP)
    for entry in parcel.entries:
        assert LOG[:8] not in repr(entry).encode()
        assert b"radar.log" not in repr(entry).encode()


async def test_another_file_is_not_what_was_deposited(world: World) -> None:  # (10)
    name = await deposited(world)
    other = world.document(LOG.replace(b"12", b"13"), "other.log")
    assert not (await check_deposit(world.jp, CheckDeposit(deposit=name, path=other))).matches
    with pytest.raises(Misuse, match="not what was deposited"):
        await reveal_deposit(world.jp, RevealDeposit(deposit=name, actor=Actor("sato"), path=other))
    assert (await one(world.jp)).revealed is None


async def test_only_its_author_reveals_and_only_with_a_role(world: World) -> None:
    name = await deposited(world)
    await world.exchange()
    with pytest.raises(Misuse, match="only it can reveal it"):
        await reveal_deposit(world.kr, RevealDeposit(deposit=name, actor=LEGATE))
    with pytest.raises(Misuse, match="does not have the role"):
        await reveal_deposit(world.jp, RevealDeposit(deposit=name, actor=Actor("abe")))
    with pytest.raises(Misuse, match="no deposit"):
        await reveal_deposit(world.jp, RevealDeposit(deposit="e-none", actor=Actor("sato")))


async def test_without_its_salt_a_deposit_stays_a_digest(world: World) -> None:  # (11)
    name = await deposited(world)
    key = f"{RELATIONSHIP}/{name}"

    async def erase(work: Work) -> None:
        work.put_side(DEPOSIT_SALT, key, None)

    await world.jp.sequencer.submit(erase)
    with pytest.raises(Misuse, match="can never be revealed"):
        await reveal_deposit(world.jp, RevealDeposit(deposit=name, actor=Actor("sato")))


async def test_without_its_copy_the_file_is_needed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (11)
    monkeypatch.setattr(deposits, "COPY_BYTES_MAX", 8)
    name = await deposited(world)
    assert not (await one(world.jp)).copy_kept
    shown = await reveal_deposit(
        world.jp, RevealDeposit(deposit=name, actor=Actor("sato"), path=world.document(LOG, "again.log"))
    )
    assert shown.text is None  # longer than what is kept: by its digest alone
    assert shown.digest


async def test_who_may_not_deposit_leaves_no_salt_behind(world: World) -> None:
    with pytest.raises(Misuse, match="does not have the role"):
        await deposited(world, actor=Actor("abe"))
    assert await world.jp.store.scan(DEPOSIT_SALT, limit=10) == []
    assert await world.jp.store.scan(DEPOSIT_COPY, limit=10) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", None),
        (b"a log\n", "a log\n"),
        (b"\xff", None),
        (b"tab\there", None),
        ("e\u0301".encode(), None),
        (b"x" * 2001, None),
        ("가".encode() * 2000, "가" * 2000),
    ],
)
def test_a_record_carries_only_what_people_can_read(content: bytes, text: str | None) -> None:
    assert inlined(content) == text


def test_a_salt_has_the_size_of_every_salt() -> None:
    assert deposits.SALT_BYTES == SALT_BYTES


# ---- costs ----------------------------------------------------------------------------------------------------------


async def test_costs_stay_in_the_house_and_are_summed_by_currency(world: World) -> None:  # (12)
    given = await world.given()
    before = world.jp.sequencer.head(chain_id(RELATIONSHIP, "jp")).size
    for amount, currency, item in (("1200.50", "JPY", given.item), ("0.10", "JPY", None), ("40", "USD", None)):
        await note_outlay(
            world.jp,
            NoteOutlay(
                relationship=RELATIONSHIP,
                amount=amount,
                currency=currency,
                day="2026-11-21",
                purpose="courier",
                item=item,
                actor=ENVOY if item is None else ROOT,
            ),
        )
    found = await list_outlays(world.jp, ListOutlays())
    assert found.sums == {"JPY": "1200.60", "USD": "40"}
    assert world.jp.sequencer.head(chain_id(RELATIONSHIP, "jp")).size == before
    hidden = await list_outlays(world.jp, ListOutlays(viewer=ENVOY))  # who is on no list for the item
    assert hidden.sums == {"JPY": "0.10", "USD": "40"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "1,200"}, "bad-amount"),
        ({"amount": "-1"}, "bad-amount"),
        ({"amount": "1e3"}, "bad-amount"),
        ({"currency": "yen"}, "bad-currency"),
        ({"day": "2026-11-31"}, "bad-day"),
        ({"item": "i-none"}, "unknown-item"),
        ({"actor": Actor("abe")}, "no-role"),
    ],
)
async def test_an_outlay_that_cannot_be_noted(world: World, changes: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "amount": "1",
        "currency": "JPY",
        "day": "2026-11-21",
        "purpose": "courier",
        "actor": ENVOY,
        **changes,
    }
    with pytest.raises(Misuse) as refused:
        await note_outlay(world.jp, NoteOutlay(**fields))
    assert refused.value.code == code
