"""What waits when an agreement lapses, by the house's own clock: it does not go, and says why (spec/term.md step 7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from articles.visiting import asked as visit_asked
from articles.visiting import permitted, radar_hall
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import Why, why
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, Given, preview
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.views import ShowInbox, ShowOutbox, show_inbox, show_outbox
from comity.flows.people.visit_views import ListVisits, list_visits
from world import RELATIONSHIP, World, adopt, library

LAPSE = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""The 23rd of November 2026 at 00:00 in Seoul: the tenth renewal, which does not come."""
BEFORE = LAPSE - timedelta(seconds=1)
NOTICE = """
[[event]]
id = "2026-06-01-notice"
when = "2026-06-01T10:00"
zone = "Asia/Seoul"
kind = "notice"
by = ["kr"]
says = "Notice of the end, made up for a test."
sources = ["upi-2016-12-16"]
"""
SUSPENSION = (
    NOTICE.replace("06-01-notice", "11-21-suspension")
    .replace("06-01T10", "11-21T11")
    .replace('kind = "notice"', 'kind = "suspension"\nof = "2026-06-01-notice"')
)


def history(*events: str) -> str:
    """What happened, and then these events, before the sources."""
    text = library("jp-kr-2016.history.toml")
    place = text.index("\n[[source]]")
    supposed = text[:place].replace("[history]\n", '[history]\nhypothetical = "A notice that nobody gave."\n', 1)
    return supposed + "".join(events) + text[place:]


@pytest.fixture
async def ending(tmp_path: Path) -> World:
    """Two houses under an agreement that lapses in a day and a half."""
    return await World.make(tmp_path, history=history(NOTICE))


async def assured(world: World, name: str) -> Given:
    """A request that only an approval is missing for."""
    asked = await world.ask(path=world.document(name.encode(), f"{name}.txt"))
    await world.exchange()
    recipient = await world.pseudonym("kim")
    await assure(
        world.kr,
        Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee")),
    )
    await world.exchange()
    return asked


async def approved(world: World, asked: Given) -> Given:
    done = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert done.given is not None
    return done.given


async def test_giving_stops_at_the_instant_of_the_lapse_and_not_before(ending: World) -> None:
    first, second = await assured(ending, "first"), await assured(ending, "second")
    ending.clock.time = BEFORE
    assert (await approved(ending, first)).consignment is not None
    ending.clock.time = LAPSE
    late = await approved(ending, second)
    assert (late.outcome, late.consignment) == ("no-basis", None)
    (reason,) = [each for each in late.decision.reasons if each.effect == "lacks"]
    assert (reason.step, reason.code, reason.clause, reason.parameters) == (2, "not-in-force", "21.1", ("jp", "kr"))
    told = (await why(ending.jp, Why(of=second.item)))[-1]
    assert (told.told.outcome, told.replayed) == ("no-basis", True)
    await ending.exchange()
    received = await show_inbox(ending.kr, ShowInbox())
    assert [each.item for each in received.received] == [first.item]


async def test_what_waits_says_why_it_does_not_go(ending: World) -> None:
    """On both sides, from the instant on; before it nothing is said."""
    asked = await ending.ask()
    await ending.exchange()
    ending.clock.time = BEFORE - timedelta(minutes=1)
    assert [each.halted for each in (await show_outbox(ending.jp, ShowOutbox())).waiting] == [None]
    assert [each.halted for each in (await show_inbox(ending.kr, ShowInbox())).asked] == [None]
    ending.clock.time = LAPSE
    (waiting,) = (await show_outbox(ending.jp, ShowOutbox(actor=Actor("sato")))).waiting
    (wanted,) = (await show_inbox(ending.kr, ShowInbox(actor=Actor("lee")))).asked
    for each in (waiting, wanted):
        assert each.request == asked.request
        assert each.halted is not None
        assert (each.halted.clause, each.halted.instrument) == ("21.1", "jp-kr-2016")
        assert each.halted.says == "the agreement is not in force by the reading of jp, kr"


async def test_an_assurance_that_comes_after_the_lapse_sends_nothing(ending: World) -> None:
    asked = await ending.ask()
    await ending.exchange()
    await approve(ending.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    recipient = await ending.pseudonym("kim")
    ending.clock.time = BEFORE - timedelta(minutes=1)
    await assure(
        ending.kr, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee"))
    )
    ending.clock.time = LAPSE
    await ending.exchange()
    assert (await show_inbox(ending.kr, ShowInbox())).received == ()
    told = await why(ending.jp, Why(of=asked.item))
    assert [each.told.outcome for each in told] == ["needs-consent", "no-basis"]


async def test_what_was_on_its_way_at_the_lapse_arrives_and_is_opened(ending: World) -> None:
    """It was given while the agreement was in force: the instant of the consignment governs."""
    asked = await assured(ending, "first")
    ending.clock.time = BEFORE - timedelta(minutes=1)
    given = await approved(ending, asked)
    assert given.consignment is not None
    ending.clock.time = LAPSE + timedelta(days=1)
    await ending.exchange()
    (received,) = (await show_inbox(ending.kr, ShowInbox())).received
    assert received.returned is None
    path = str(ending.folder / "opened")
    opened = await open_item(ending.kr, Open(item=given.item, purpose="air defence", path=path, actor=Actor("kim")))
    assert opened.outcome == "permit"


async def test_protection_goes_on_and_nothing_has_to_be_returned(ending: World) -> None:
    """21.4: no duty to return or destroy opens by itself."""
    await ending.given()
    before = await list_duties(ending.kr, ListDuties())
    ending.clock.time = LAPSE + timedelta(days=1)
    after = await list_duties(ending.kr, ListDuties())
    assert [each.deed for each in after.duties] == [each.deed for each in before.duties]
    assert "return-or-destroy" not in {each.deed for each in (*after.duties, *after.standing)}
    assert "o-21.4" in {each.obligation for each in after.standing}
    assert await list_visits(ending.kr, ListVisits()) == []


async def test_once_the_notice_is_suspended_nothing_is_lost(ending: World) -> None:
    """What waited goes as it would have."""
    asked = await assured(ending, "first")
    for house, peer in ((ending.jp, "kr"), (ending.kr, "jp")):
        await adopt(house, peer, history(NOTICE, SUSPENSION))
    ending.clock.time = LAPSE + timedelta(days=1)
    assert (await show_outbox(ending.jp, ShowOutbox())).waiting[0].halted is None
    assert (await approved(ending, asked)).consignment is not None


async def test_no_visit_is_permitted_after_the_lapse(ending: World) -> None:
    """A visit shows something new (Article 8); asked for before, it is refused by the same clause."""
    await radar_hall(ending)
    visit = await visit_asked(ending)
    ending.clock.time = LAPSE
    told = await permitted(ending, visit)
    assert told.outcome == "no-basis"
    assert told.decision is not None
    assert "21.1" in {each.clause for each in told.decision.reasons if each.effect == "lacks"}


async def test_what_was_received_may_still_be_copied_and_passed_on_by_its_rules(ending: World) -> None:
    """All that needs protection alone is decided as before: the one reason about force is gone, no other has come."""
    await ending.given()
    for instant, code in ((BEFORE, "protected"), (LAPSE, "protected")):
        ending.clock.time = instant
        (held,) = (await show_inbox(ending.kr, ShowInbox())).received
        path = str(ending.folder / f"opened-{instant:%H%M%S}")
        opened = await open_item(ending.kr, Open(item=held.item, purpose="air defence", path=path, actor=Actor("kim")))
        assert opened.outcome == "permit"
        assert [each.code for each in opened.decision.reasons if each.step == 2] == [code]


async def test_a_question_after_the_lapse_is_answered_at_once(ending: World) -> None:
    recipients = (await ending.pseudonym("kim"),)
    wish = Give(
        path=ending.document(),
        relationship=RELATIONSHIP,
        mark="極秘",
        topic="missiles",
        recipients=recipients,
        purpose="air defence",
        actor=Actor("sato"),
    )
    ending.clock.time = BEFORE
    assert (await preview(ending.jp, wish)).outcome == "needs-consent"
    ending.clock.time = LAPSE
    assert (await preview(ending.jp, wish)).outcome == "no-basis"
