"""Article 21: entry into force, amendment, duration and notice, and what goes on after the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clauses import against, article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import (
    AcknowledgeAgreement,
    AskStatus,
    ListAgreements,
    acknowledge_agreement,
    ask_status,
    list_agreements,
)
from comity.flows.agreeing.end_notes import (
    ListEndNotes,
    PreviewEndNote,
    TellEndNote,
    list_end_notes,
    preview_end_note,
    tell_end_note,
)
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows.duties import DutiesRow
from openings import asked_to_open
from world import RELATIONSHIP, ROOT, World, adopt, hand_over, library

HISTORY = "jp-kr-2016.history.toml"
ENDED = "jp-kr-2016.hypothetical.history.toml"


def until(event: str) -> str:
    """The history as it stood before ``event``."""
    text = library(HISTORY)
    place = text.index(f'[[event]]\nid = "{event}"')
    sources = text.find("\n[[source]]", place)
    return text[:place] + (text[sources:] if sources >= 0 else "")


@article(
    "21",
    "21.1",
    does="lets nothing be provided before the later of the two notes, and everything from it on",
    command="comity agreement status --at",
    rests_on=("term.entry-clause",),
)
async def test_nothing_is_provided_before_the_later_of_the_two_notes(make_world: Any) -> None:
    early: World = await make_world(history=until("2016-11-23-note-jp"))
    asked = await early.ask()
    assert asked.outcome == "no-basis"
    assert "jp-kr-2016:21.1" in against(asked.decision)
    for house, peer in ((early.jp, "kr"), (early.kr, "jp")):
        await adopt(house, peer, until("2016-12-16-first-exchange"), text=(await text_of(early)))
    assert (await early.ask()).outcome == "needs-consent"


async def text_of(world: World) -> str:
    """The text that runs in this world, which may be a mutation."""
    row = await world.jp.agreement_row(RELATIONSHIP)
    return await world.jp.library.text(row.text)


@article(
    "21.2",
    does="runs an amended text only when both parties have acknowledged its digest; until then nothing new crosses",
    command="comity agreement acknowledge",
)
async def test_an_amendment_needs_both(world: World) -> None:
    given = await world.given()
    before = await text_of(world)
    amended = before.replace("No release to any government", "No release or loan to any government")
    assert amended != before
    for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
        await adopt(house, peer, HISTORY, text=amended)
    for acknowledging in ((), (world.jp,), (world.kr,)):
        for house in acknowledging:
            await acknowledge_agreement(house, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
            await world.exchange()
        asked = await world.ask()
        silent = {each.parameters[0] for each in asked.decision.reasons if each.code == "not-acknowledged"}
        (shown,) = await list_agreements(world.jp, ListAgreements())
        assert silent == {"jp", "kr"} - set(shown.acknowledged)
    assert silent == set()
    # what was provided under the text before stays protected under the new one
    path = str(world.folder / "opened")
    told = await open_item(world.kr, Open(item=given.item, purpose="air defence", path=path, actor=Actor("kim")))
    assert told.outcome == "permit"


@article(
    "21.2",
    does="refuses the acknowledgement of another text than the one adopted here, and says to compare the files",
    command="comity agreement acknowledge",
)
async def test_one_side_alone_amends_nothing(world: World) -> None:
    before = await text_of(world)
    amended = before.replace("No release to any government", "No release or loan to any government")
    await adopt(world.kr, "jp", HISTORY, text=amended)
    await acknowledge_agreement(world.kr, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
    await hand_over(world.kr, world.jp)
    (here,) = await list_agreements(world.jp, ListAgreements())
    assert here.acknowledged == ("jp", "kr")  # of the text that runs here, as before
    assert here.digest == (await world.jp.agreement_row(RELATIONSHIP)).digest.hex()
    (there,) = await list_agreements(world.kr, ListAgreements())
    assert there.acknowledged == ("kr",)
    with pytest.raises(Misuse):
        await acknowledge_agreement(world.jp, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))


@article(
    "21.3",
    does="says on any day until when notice can be given, by every way of counting, and when it would end",
    command="comity agreement status",
    rests_on=("term.notice", "term.renewal"),
)
async def test_the_last_day_for_notice_is_told_for_each_way_of_counting(world: World) -> None:
    at = datetime(2019, 6, 1, tzinfo=UTC)
    status = await ask_status(world.jp, AskStatus(relationship=RELATIONSHIP, at=at))
    for reading in status.readings:
        assert reading.in_force
        days = {
            ahead.counting: ahead.at.astimezone(UTC).date().isoformat() for ahead in reading.ahead if ahead.counting
        }
        assert days == {"before-last-day": "2019-08-24", "before-anniversary": "2019-08-25"}
        assert any("90 days before the renewal" in ending.says for ending in reading.endings)
        assert any(ahead.what == "renewal" for ahead in reading.ahead)


@article(
    "21.3",
    does="provides nothing once a notice has ended the agreement by any party's reading",
    command="comity give",
    rests_on=("term.notice",),
)
async def test_after_a_notice_has_run_its_time_nothing_is_provided(make_world: Any) -> None:
    world: World = await make_world(history=ENDED)
    asked = await world.ask()
    assert asked.outcome == "no-basis"
    (reason,) = [each for each in asked.decision.reasons if each.code == "not-in-force"]
    assert set(reason.parameters) == {"jp", "kr"}


@article(
    "21.3",
    does="records a written notice of the end on both sides, discharges the duty to give it, says when it ends",
    command="comity agreement notice give",
    rests_on=("o-21.3", "term.notice"),
)
async def test_a_notice_is_told_recorded_and_counted(world: World) -> None:
    await world.person("kr", "yun", roles=("agreement-authority",))
    await world.exchange()
    row = await world.kr.agreement_row(RELATIONSHIP)
    with pytest.raises(Misuse, match="does not have the role"):
        await tell_end_note(world.kr, noted("notice", actor=Actor("kim")))
    before = await ask_status(world.kr, AskStatus(relationship=RELATIONSHIP))
    told = await tell_end_note(world.kr, noted("notice"))
    await world.exchange()
    (note,) = told.notes
    for house in (world.jp, world.kr):
        shown = await list_end_notes(house, ListEndNotes(relationship=RELATIONSHIP))
        ((party, step, state, known),) = [(each.party, each.step, each.state, each.in_history) for each in shown.notes]
        assert (party, step, state, known) == ("kr", "notice", "given", False)
        assert shown.follows is not None
        ends = {each.counting: each.at for each in shown.follows.reading("jp").ahead if each.what == "end"}
        # given on 21 November 2026, too late for the renewal of the 23rd by either way of counting
        assert {at.astimezone(UTC).isoformat() for at in ends.values()} == {"2027-11-22T15:00:00+00:00"}
        duties = [each async for _, each in house.rows(DutiesRow, f"{RELATIONSHIP}/{note.notice}")]
        ((obligation, who, discharged),) = [
            (each.obligation, each.who, each.discharged) for row in duties for each in row.duties
        ]
        assert (obligation, who) == ("o-21.3", "kr")
        assert discharged is not None
    # the record moves nothing: it is the history of each house that says how it reads what happened
    assert await ask_status(world.kr, AskStatus(relationship=RELATIONSHIP, at=before.at)) == before
    assert (await world.ask()).outcome == "needs-consent"
    suspended = await tell_end_note(world.kr, noted("suspension", notice=note.notice))
    assert suspended.follows is not None
    assert suspended.follows.reading("kr").phase == "notice-suspended"
    with pytest.raises(Misuse, match="is suspended; no suspension follows"):
        await tell_end_note(world.kr, noted("suspension", notice=note.notice))
    assert row.peer == "jp"


def noted(step: Any, actor: Actor = Actor("yun"), notice: str | None = None) -> TellEndNote:  # noqa: B008 - frozen
    return TellEndNote(
        relationship=RELATIONSHIP, step=step, note="NV 114/2026", day="2026-11-21", actor=actor, notice=notice
    )


@article(
    "21.3",
    does="says what would follow from a notice before anybody gives it, and records nothing",
    command="comity agreement notice give --preview",
    rests_on=("term.notice",),
)
async def test_what_would_follow_is_told_before_a_notice_is_given(world: World) -> None:
    early = PreviewEndNote(relationship=RELATIONSHIP, step="notice", day="2026-08-24")
    shown = await preview_end_note(world.jp, early)
    assert shown.notes == ()
    assert shown.follows is not None
    reading = shown.follows.reading("jp")
    # in time for the renewal of 23 November 2026, two days from now
    ends = {each.at.astimezone(UTC).date().isoformat() for each in reading.ahead if each.what == "end"}
    assert ends == {"2026-11-22"}
    too_early = PreviewEndNote(relationship=RELATIONSHIP, step="notice", day="2016-01-01")
    impossible = await preview_end_note(world.jp, too_early)
    assert impossible.follows is None
    assert impossible.contradiction
    with pytest.raises(Misuse, match="given no notice"):
        await preview_end_note(world.jp, PreviewEndNote(relationship=RELATIONSHIP, step="withdrawal", day="2026-11-21"))


@article(
    "21.4",
    does="goes on protecting after the end: nothing new is provided, and who could not open still cannot",
    command="comity open",
    rests_on=("term.survival", "term.survival-clause"),
)
async def test_after_the_end_protection_goes_on(world: World) -> None:
    given = await world.given()
    for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
        await adopt(house, peer, ENDED, text=await text_of(world))
    assert (await world.ask()).outcome == "no-basis"
    told = {}
    for reader in ("kim", "park", "smith"):
        path = str(world.folder / reader)
        request = Open(item=given.item, purpose="air defence", path=path, actor=Actor(reader))
        told[reader] = await asked_to_open(world.kr, request)
    assert told["kim"].outcome == "permit"
    assert any(each.code == "protected" and each.clause == "21.4" for each in told["kim"].decision.reasons)
    assert "jp-kr-2016:7.2" in against(told["park"].decision)
    assert "jp-kr-2016:6.a" in against(told["smith"].decision)


@article(
    "21.4",
    does="keeps the duty to protect standing on both sides from the day both accept the text; no end is written",
    command="comity duties",
    rests_on=("o-21.4",),
)
async def test_the_duty_to_protect_stands_and_has_no_end(world: World) -> None:
    for house in (world.jp, world.kr):
        shown = await list_duties(house, ListDuties())
        standing = {each.who: each for each in shown.standing if each.obligation == "o-21.4"}
        assert set(standing) == {"jp", "kr"}
        for duty in standing.values():
            assert (duty.clause, duty.deed, duty.due, duty.overdue) == ("21.4", "protect", None, False)
