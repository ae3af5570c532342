"""Consent between two houses: asked, answered, standing, withdrawn, and met with silence (``spec/consent.md``)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from comity.errors import ComityError, Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import ConsentsShown, ListConsents, list_consents
from comity.flows.consenting.consent_requests import DropConsent, drop_consent
from comity.flows.consenting.granting import WithdrawConsent, withdraw_consent
from comity.flows.deciding.consents import consents_for
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.giving.using import UseItem, use_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.record.statement import read_kept, understand
from comity.register.rows import ItemRow, Key, Row
from flows.consenting import UNTIL, answer, ask, ask_other_use, grant, path, staffed
from world import RELATIONSHIP, TODAY, World, library

DAY = timedelta(days=1)


async def opened(world: World, item: str, purpose: str, name: str, handle: str = "kim") -> OpenedItem:
    return await open_item(world.kr, Open(item=item, purpose=purpose, path=str(path(world, name)), actor=Actor(handle)))


async def listed(world: World, party: str = "jp", handle: str | None = None) -> ConsentsShown:
    return await list_consents(world.house(party), ListConsents(actor=Actor(handle) if handle else None))


async def refused(code: str, doing: object) -> ComityError:
    with pytest.raises(ComityError) as raised:
        await doing  # type: ignore[misc]  # a coroutine
    assert raised.value.code == code, raised.value
    return raised.value


async def test_another_purpose_is_asked_for_granted_and_taken_back(world: World) -> None:
    item = (await world.given()).item
    assert (await opened(world, item, "training", "1")).outcome == "needs-consent"
    asked = await ask_other_use(world, item)
    assert (asked.originator, asked.beneficiaries, asked.clauses) == ("jp", ("kr",), ("6.c",))
    assert (await opened(world, item, "training", "2")).outcome == "needs-consent"
    given = await answer(world, asked.request, conditions=("no copies",), until=UNTIL - DAY)
    told = await opened(world, item, "training", "3")
    assert (told.outcome, told.conditions) == ("permit", ("no copies",))
    assert (await opened(world, item, "air defence", "3a")).conditions == ()
    assert (await opened(world, item, "a lecture", "4")).outcome == "needs-consent"
    used = await use_item(world.kr, UseItem(item=item, purpose="training", actor=Actor("kim")))
    assert (used.outcome, used.consents, used.conditions) == ("permit", (given.consent,), ("no copies",))
    await withdraw_consent(world.jp, WithdrawConsent(consent=given.consent, reason="over", actor=Actor("abe")))
    assert (await opened(world, item, "training", "5")).outcome == "permit"  # Seoul has not heard of it yet
    await world.exchange()
    assert (await opened(world, item, "training", "6")).outcome == "needs-consent"
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings


async def test_a_consent_ends_by_itself(world: World) -> None:
    item = (await world.given()).item
    await answer(world, (await ask_other_use(world, item)).request, until=TODAY + DAY)
    assert (await opened(world, item, "training", "1")).outcome == "permit"
    world.clock.time = TODAY + DAY
    assert (await opened(world, item, "training", "2")).outcome == "needs-consent"
    assert [each.standing for each in (await listed(world, "kr")).consents] == ["ended"]


async def test_a_refusal_is_an_answer_and_no_consent(world: World) -> None:
    item = (await world.given()).item
    asked = await ask_other_use(world, item)
    await answer(world, asked.request, granted=False, reason="not while the exercise lasts")
    assert (await opened(world, item, "training", "1")).outcome == "needs-consent"
    shown = await listed(world, "kr")
    assert [each.answer for each in shown.asked] == ["refused"]
    assert [(each.standing, each.reason) for each in shown.consents] == [("refused", "not while the exercise lasts")]
    await refused("already-answered", answer(world, asked.request))


async def test_silence_is_silence(world: World) -> None:
    item = (await world.given()).item
    await ask_other_use(world, item, answer_by=TODAY + 30 * DAY)
    world.clock.time = TODAY + 12 * DAY + timedelta(hours=1)
    for party, ours in (("jp", False), ("kr", True)):
        (line,) = (await listed(world, party)).asked
        assert (line.answer, line.days, line.ours, line.consent) == ("silent", 12, ours, None)
    assert (await opened(world, item, "training", "1")).outcome == "needs-consent"
    world.clock.time = TODAY + 31 * DAY + timedelta(hours=1)
    (line,) = (await listed(world)).asked
    assert (line.answer, line.days) == ("lapsed", 31)
    await refused("lapsed", answer(world, line.request))
    assert not (await listed(world)).consents


async def test_what_crosses_says_what_is_asked_and_not_who_asks(world: World) -> None:
    item = (await world.given()).item
    asked = await ask(world, item)
    (line,) = (await listed(world)).asked
    assert (line.by, line.mark, line.beneficiaries, line.beneficiary_kind) == (
        "lee's desk",
        "極秘",
        ("us",),
        "government",
    )
    assert (line.purpose, line.reason, line.until) == ("air defence", "an exercise", UNTIL)
    (ours,) = (await listed(world, "kr")).asked
    assert ours.by == "lee"
    person = await world.kr.person("lee")
    names = {b'lee"', person.person.encode(), (await world.pseudonym("lee")).encode(), b"Lee"}
    entries = await world.jp.store.journal(0, 1_000)
    crossed = [
        record
        for record in (understand(read_kept(each.envelope, each.record)) for each in entries)
        if record.statement.type == "consent-request/1"
    ]
    assert [asked.request in str(record.body) for record in crossed] == [True]
    said = bytes(crossed[0].statement.body)
    assert not any(name in said for name in names)


async def test_only_what_the_text_asks_consent_for_is_asked(world: World) -> None:
    item = (await world.given()).item
    for acts in (("copy",), ("translate",), ("open",), ("pass-on", "copy")):
        changes = {"acts": acts, "beneficiary": "kr", "beneficiary_kind": "party", "purpose": "air defence"}
        await refused("no-consent-asked", ask(world, item, **changes))


EUROPEAN = """
[[clause]]
id = "14.x"
heading = { en = "Copies of the second class" }
says = "Copied and translated only with the originator's written consent."
provenance = "P"
source = "a text for this test, after the European ones"

[[rule]]
id = "copies-by-consent"
clause = "14.x"
acts = ["copy", "translate"]
when = { level-at-least = "SECRET" }
consent = "originator"
"""


async def test_copying_is_asked_for_where_a_text_asks_it(tmp_path: object) -> None:
    world = await World.make(tmp_path, text=library("jp-kr-2016.toml") + EUROPEAN)  # type: ignore[arg-type]  # a path
    secret = (await world.given()).item
    lower = (await world.given(mark="秘")).item
    own = {"acts": ("copy", "translate"), "beneficiary": "kr", "beneficiary_kind": "party", "purpose": "air defence"}
    asked = await ask(world, secret, **own)
    assert asked.clauses == ("14.x",)
    await refused("no-consent-asked", ask(world, lower, **own))
    await answer(world, asked.request)
    row = await world.kr.agreement_row(RELATIONSHIP)
    item = await world.kr.need(ItemRow, secret, "item")
    facts = await consents_for(world.kr.sequencer.rows.get, row, item, world.kr.now())
    assert {(each.act, each.beneficiary) for each in facts} == {("copy", "kr"), ("translate", "kr")}
    await world.close()


async def test_a_standing_consent_speaks_of_what_comes_later(world: World) -> None:
    await grant(world, acts=("open",), beneficiaries=("kr",), purpose="training", marks=("極秘",))
    item = (await world.given()).item
    other = (await world.given(mark="秘")).item
    assert (await opened(world, item, "training", "1")).outcome == "permit"
    assert (await opened(world, other, "training", "2")).outcome == "needs-consent"


async def test_an_embedded_officer_reads_what_the_originator_consented_to(world: World) -> None:
    item = (await world.given()).item
    assert (await opened(world, item, "air defence", "1", "smith")).outcome == "needs-consent"
    asked = await ask(world, item, acts=("open",))
    await answer(world, asked.request)
    decided = await use_item(world.kr, UseItem(item=item, purpose="air defence", actor=Actor("smith")))
    assert decided.outcome == "needs-consent"  # the consent is to open, not to use
    with pytest.raises(ComityError) as raised:
        await opened(world, item, "air defence", "2", "smith")
    assert raised.value.code == "not-holder"  # permitted, and only a copy of his own is missing


async def test_our_own_consent_lets_go_what_waited_for_it(world: World) -> None:
    """Tokyo gives to an officer of a third country in Seoul's ranks: its own consent, in writing, comes first."""
    smith = await world.pseudonym("smith")
    asked = await world.ask(recipients=(smith,))
    await world.exchange()
    from comity.flows.giving.answering import Assure, assure

    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    approved = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert approved.given is None
    await grant(world, item=asked.item, topic=None, acts=("give", "open"), beneficiaries=("au",))
    assert await _given(world, asked.item) is False
    await grant(world, item=asked.item, topic=None, acts=("give", "open"))
    assert await _given(world, asked.item) is True
    assert (await opened(world, asked.item, "air defence", "1", "smith")).outcome == "permit"


async def _given(world: World, item: str) -> bool:
    await world.exchange()
    return await world.kr.row(ItemRow, item) is not None


async def test_what_is_refused_to_ask(world: World) -> None:
    item = (await world.given()).item
    await refused("unknown-item", ask(world, "i-aaaaaaaaaaaaaaaa"))
    await refused("unknown-item", ask(world, item, actor=Actor("choi")))  # he may not know of it
    await refused("no-role", ask(world, item, actor=Actor("kim")))
    await world.both_ways()
    own = (await world.given_back()).item
    error = await refused("own-item", ask(world, own))
    assert isinstance(error, Misuse)
    await refused("ended-before-asked", ask(world, item, until=TODAY - DAY))


async def test_what_is_refused_to_answer(world: World) -> None:
    item = (await world.given()).item
    asked = await ask(world, item)
    await refused("unknown-consent-request", answer(world, "r-aaaaaaaaaaaaaaaa"))
    await refused("no-role", answer(world, asked.request, actor=Actor("sato")))
    await refused("other-terms", answer(world, asked.request, until=UNTIL + DAY))
    await staffed(world)
    from comity.flows.consenting.granting import AnswerConsent, GrantConsent, answer_consent, grant_consent

    ours = AnswerConsent(request=asked.request, granted=True, reason="ours", actor=Actor("baek"))
    await refused("own-request", answer_consent(world.kr, ours))
    theirs = GrantConsent(
        relationship=RELATIONSHIP,
        acts=("pass-on",),
        beneficiaries=("us",),
        purpose="air defence",
        until=UNTIL,
        reason="it is not ours",
        actor=Actor("baek"),
        item=item,
    )
    error = await refused("unknown-item", grant_consent(world.kr, theirs))  # he may not even know of it
    assert item in str(error)
    await world.person("kr", "gong", roles=("release-authority", "reader"))
    from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
    from world import ROOT

    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="gong", mark="군사 Ⅱ급 비밀", until=UNTIL, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="gong", listed=True, actor=ROOT))
    from msgspec.structs import replace as changed

    await refused("not-originator", grant_consent(world.kr, changed(theirs, actor=Actor("gong"))))


async def test_another_partys_consent_is_not_withdrawn(world: World) -> None:
    await staffed(world)
    given = await grant(world)
    await refused(
        "not-yours",
        withdraw_consent(world.kr, WithdrawConsent(consent=given.consent, reason="why", actor=Actor("baek"))),
    )
    mine = WithdrawConsent(consent=given.consent, reason="over", actor=Actor("abe"))
    await withdraw_consent(world.jp, mine)
    await refused("already-withdrawn", withdraw_consent(world.jp, mine))
    await refused(
        "unknown-consent", withdraw_consent(world.jp, WithdrawConsent(consent="c-x", reason="", actor=Actor("abe")))
    )


async def test_consents_are_listed_for_who_may_know_of_the_item(world: World) -> None:
    item = (await world.given()).item
    await answer(world, (await ask(world, item)).request)
    await grant(world)
    assert [(len(each.asked), len(each.consents)) for each in [await listed(world, "kr", "lee")]] == [(1, 2)]
    assert [(len(each.asked), len(each.consents)) for each in [await listed(world, "kr", "kim")]] == [(1, 1)]
    assert [(len(each.asked), len(each.consents)) for each in [await listed(world, "kr", "choi")]] == [(0, 0)]


async def test_finding_consents_reads_what_speaks_of_the_item(world: World) -> None:
    """The cost is that of the answer, not of the register of consents."""
    item = (await world.given()).item
    for number in range(30):
        await grant(world, topic=f"topic {number}")
    await grant(world)
    row = await world.kr.agreement_row(RELATIONSHIP)
    found = await world.kr.need(ItemRow, item, "item")
    read: list[Key] = []

    async def counted(keys: object) -> dict[Key, Row | None]:
        wanted = list(keys)  # type: ignore[call-overload]  # an iterable of keys
        read.extend(wanted)
        return await world.kr.sequencer.rows.get(wanted)

    facts = await consents_for(counted, row, found, world.kr.now())
    assert len(facts) == 1
    assert len(read) == 10  # a level, eight lists, one consent


async def test_what_is_dropped_is_waited_for_no_more(world: World) -> None:
    item = (await world.given()).item
    asked = await ask_other_use(world, item)
    reason = "the course was cancelled"
    theirs = DropConsent(request=asked.request, reason=reason, actor=Actor("sato"))
    await refused("not-yours", drop_consent(world.jp, theirs))
    ours = DropConsent(request=asked.request, reason=reason, actor=Actor("lee"))
    await refused("no-role", drop_consent(world.kr, replace(ours, actor=Actor("kim"))))
    assert len(await _wishes(world)) == 1
    await drop_consent(world.kr, ours)
    await world.exchange()
    assert await _wishes(world) == []
    for party in ("jp", "kr"):
        assert [each.answer for each in (await listed(world, party)).asked] == ["dropped"]
        assert not (await verify_ledger(world.house(party), VerifyLedger())).findings
    await refused("dropped", answer(world, asked.request))
    await refused("dropped", drop_consent(world.kr, ours))


async def _wishes(world: World) -> list[str]:
    duties = await list_duties(world.kr, ListDuties())
    return [each.subject for each in duties.duties if each.deed == "ask-consent"]
