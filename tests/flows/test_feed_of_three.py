"""A radar of Washington's in Japan, published by Tokyo to Seoul: originator, host and publisher are not one.

``spec/feed.md`` step 4, under the sharing of 2023 and the invented arrangement below it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.consenting.consent_requests import (
    AskedForConsent,
    AskFeedConsent,
    DropConsent,
    ask_feed_consent,
    drop_consent,
)
from comity.flows.consenting.granting import (
    AnswerConsent,
    ConsentShown,
    GrantConsent,
    WithdrawConsent,
    answer_consent,
    grant_consent,
    withdraw_consent,
)
from comity.flows.feeding.ending import EndFeed, end_feed
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.listing import ShowFeed, show_feed
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.originators import ListTold, list_told
from comity.flows.feeding.releasing import FeedAsked, ReleaseFeed, preview_feed, release_feed
from comity.flows.giving.answering import Approve, approve
from comity.register.rows.consents import ConsentAskedRow
from comity.register.rows.feeding import FeedReleaseRow, FeedToldRow
from trilateral import NEXT_YEAR, Trilateral
from world import TODAY, library

TO_SEOUL, TO_WASHINGTON = "warning-data-2023/jp.kr", "warning-data-2023/jp.us"
FEED = FeedName(TO_SEOUL, "jp", "launches")
SCHEMA = """
[schema]
format = 1
id = "launches"
title = { en = "Launches" }

[[type]]
id = "launch"
time = "seen"
source = "radar"

[type.fields]
seen = { kind = "instant", mark = "極秘" }
latitude = { kind = "number", mark = "極秘", role = "position" }
radar = { kind = "text", mark = "極秘" }
"""
TERMS = f"""
[release]
format = 1
feed = "launches"
mark = "極秘"
topic = "test-site"
purpose = "missile-warning"
until = "{TODAY + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
originator = "us"
host = "jp"

[[release.posture]]
posture = "normal"
[release.posture.types.launch]
fields = ["seen", "latitude"]
"""


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Trilateral]:
    layer = (library("warning-data-arrangement.example.toml"),)
    world = await Trilateral.make(tmp_path, (TO_SEOUL, TO_WASHINGTON), layers={TO_SEOUL: layer, TO_WASHINGTON: layer})
    await world.enrol("jp", "ono", ("release-authority",))
    await world.exchange()
    yield world
    for house in world.houses.values():
        await house.close()


async def wish(three: Trilateral, **changes: str) -> ReleaseFeed:
    return ReleaseFeed(
        schema=SCHEMA,
        terms=changes.get("terms", TERMS),
        relationship=TO_SEOUL,
        recipients=(await three.pseudonym("kr", "kim", TO_SEOUL),),
        actor=Actor("sato"),
    )


async def approved(three: Trilateral, **changes: str) -> FeedAsked:
    asked = await release_feed(three.houses["jp"], await wish(three, **changes))
    for handle in ("abe", "ono"):
        await approve(three.houses["jp"], Approve(request=asked.request, reason="needed", actor=Actor(handle)))
    await three.exchange()
    return asked


async def agrees(three: Trilateral, **changes: object) -> ConsentShown:
    given: dict[str, object] = {
        "relationship": TO_WASHINGTON,
        "acts": ("feed",),
        "beneficiaries": ("kr",),
        "purpose": "missile-warning",
        "until": NEXT_YEAR,
        "reason": "the three share it",
        "actor": Actor("brown"),
        "topic": "test-site",
        **changes,
    }
    shown = await grant_consent(three.houses["us"], GrantConsent(**given))  # type: ignore[arg-type]  # as given
    await three.exchange()
    return shown


async def released(three: Trilateral, request: str, party: str = "kr") -> FeedReleaseRow | None:
    return await three.houses[party].row(FeedReleaseRow, f"{TO_SEOUL}/{request}")


async def test_without_its_originator_s_consent_it_waits_and_goes_when_that_comes(three: Trilateral) -> None:
    asked = await approved(three)
    assert await released(three, asked.request) is None
    await agrees(three, purpose="training")  # for something else
    await agrees(three, beneficiaries=("au",))  # for somebody else
    await agrees(three, acts=("give",))  # to something else
    assert await released(three, asked.request) is None
    await agrees(three)
    row = await released(three, asked.request)
    assert row is not None
    assert (row.label.originator, row.host, row.publisher) == ("us", "jp", "jp")
    line = (await show_feed(three.houses["kr"], ShowFeed(release=asked.request))).line
    assert (line.label.originator, line.host, line.publisher, line.state) == ("us", "jp", "jp", "stands")


async def test_when_the_originator_takes_its_consent_back_the_gate_closes_at_that_instant(three: Trilateral) -> None:
    consent = await agrees(three)
    await approved(three)
    gates = Gates(three.houses["jp"])
    before = await gates.gate(FEED)
    assert before.stands
    taken = WithdrawConsent(consent=consent.consent, reason="not any more", actor=Actor("brown"))
    await withdraw_consent(three.houses["us"], taken)
    assert (await gates.gate(FEED)).stands  # Tokyo has not heard yet
    await three.exchange()
    after = await gates.gate(FEED)
    assert (after.stands, after.why, after.changed) == (False, "consent-missing", "consent")
    assert after.since > before.since
    await agrees(three)
    again = await gates.gate(FEED)
    assert again.stands
    assert again.since > after.since


async def test_when_the_consent_ends_by_itself_so_does_what_crosses(three: Trilateral) -> None:
    end = TODAY + timedelta(days=1)
    await agrees(three, until=end)
    await approved(three)
    gates = Gates(three.houses["jp"])
    assert (await gates.gate(FEED)).until == end
    three.clock.time = end
    closed = await gates.gate(FEED)
    assert (closed.stands, closed.why, closed.changed, closed.since) == (False, "consent-missing", "consent", end)


async def test_of_one_s_own_sensor_nobody_is_asked(three: Trilateral) -> None:
    own = TERMS.replace('originator = "us"\nhost = "jp"\n', "")
    asked = await approved(three, terms=own)
    row = await released(three, asked.request)
    assert row is not None
    assert (row.label.originator, row.host) == ("jp", "jp")


async def test_two_approve_besides_the_one_who_asks(three: Trilateral) -> None:
    asked = await preview_feed(three.houses["jp"], await wish(three))
    missing = [each for each in asked.decision.reasons if each.code == "approval-missing"]
    assert {(each.instrument, each.parameters) for each in missing} == {
        ("comity-house", ("1", "0")),
        ("warning-data-arrangement.example", ("2", "0")),
    }


async def test_a_fourth_state_s_officer_in_seoul_gets_it_with_consent_alone(three: Trilateral) -> None:
    await three.enrol("kr", "taylor", (), nationality="au", serves="au")
    await three.exchange()
    request = ReleaseFeed(
        schema=SCHEMA,
        terms=TERMS.replace('originator = "us"\nhost = "jp"\n', ""),
        relationship=TO_SEOUL,
        recipients=(await three.pseudonym("kr", "taylor", TO_SEOUL),),
        actor=Actor("sato"),
    )
    asked = await preview_feed(three.houses["jp"], request)
    assert any(each.code == "consent-missing" and each.clause == "3" for each in asked.decision.reasons)


async def test_for_another_purpose_there_is_no_basis(three: Trilateral) -> None:
    request = await wish(three, terms=TERMS.replace("missile-warning", "air-defence"))
    asked = await release_feed(three.houses["jp"], request)
    assert asked.outcome == "no-basis"
    assert any(each.code == "purpose-outside" and each.clause == "real-time" for each in asked.decision.reasons)


async def test_the_originator_is_told_what_is_published_of_its_information_and_when_that_is_over(
    three: Trilateral,
) -> None:
    consent = await agrees(three)
    first = (await approved(three)).request
    told = await list_told(three.houses["us"], ListTold())
    assert [(each.publisher, each.row.to, each.row.host, each.over) for each in told] == [("jp", "kr", "jp", False)]
    assert told[0].row.consents == (consent.consent,)
    assert await list_told(three.houses["us"], ListTold(actor=Actor("jones"))) == []  # an officer, no more
    assert len(await list_told(three.houses["us"], ListTold(actor=Actor("brown")))) == 1
    for each in ("jp", "kr"):
        assert await list_told(three.houses[each], ListTold()) == []
    second = (await approved(three)).request
    rows = {each.row.release: each.row for each in await list_told(three.houses["us"], ListTold())}
    assert rows[first].reason == f"followed by {second}"
    assert rows[second].over is None
    await three.enrol("kr", "moon", ("release-authority",))
    await end_feed(three.houses["kr"], EndFeed(release=second, reason="the exercise is over", actor=Actor("moon")))
    await three.exchange(rounds=3)
    told = await list_told(three.houses["us"], ListTold())
    assert [(each.over, each.row.reason) for each in told if each.row.release == second] == [
        (True, "the exercise is over")
    ]


async def test_whoever_publishes_ends_it_and_the_originator_is_told_once(three: Trilateral) -> None:
    await agrees(three)
    request = (await approved(three)).request
    await end_feed(three.houses["jp"], EndFeed(release=request, reason="enough", actor=Actor("abe")))
    await end_feed(three.houses["kr"], EndFeed(release=request, reason="enough here too", actor=Actor("yoon")))
    await three.exchange(rounds=3)
    (told,) = await list_told(three.houses["us"], ListTold())
    assert (told.over, told.row.reason) == (True, "enough")
    here = await three.houses["jp"].row(FeedToldRow, f"{TO_WASHINGTON}/jp/{request}")
    assert here == told.row


# ---- asking for its consent ------------------------------------------------------------------------------------------


async def asks(three: Trilateral, **changes: object) -> AskedForConsent:
    wanted: dict[str, object] = {
        "feed": "launches",
        "mark": "極秘",
        "topic": "test-site",
        "beneficiary": "kr",
        "purpose": "missile-warning",
        "reason": "the three share it",
        "until": NEXT_YEAR,
        "relationship": TO_WASHINGTON,
        "actor": Actor("sato"),
        **changes,
    }
    asked = await ask_feed_consent(three.houses["jp"], AskFeedConsent(**wanted))  # type: ignore[arg-type]  # as given
    await three.exchange()
    return asked


async def answers(three: Trilateral, request: str, *, granted: bool = True, **changes: object) -> ConsentShown:
    given = AnswerConsent(request=request, granted=granted, reason="agreed", actor=Actor("brown"), **changes)
    shown = await answer_consent(three.houses["us"], given)
    await three.exchange()
    return shown


async def test_its_consent_can_be_asked_for_and_is_answered_like_any_other(three: Trilateral) -> None:
    waiting = await approved(three)
    assert await released(three, waiting.request) is None
    asked = await asks(three)
    assert (asked.originator, asked.item, asked.acts, asked.beneficiaries) == ("us", "launches", ("feed",), ("kr",))
    seen = (await list_consents(three.houses["us"], ListConsents(actor=Actor("brown")))).asked
    assert [(each.item, each.mark, each.topic, each.answer, each.by) for each in seen] == [
        ("launches", "極秘", "test-site", "silent", "sato's desk")
    ]
    assert (await list_consents(three.houses["us"], ListConsents(actor=Actor("jones")))).asked == ()
    consent = await answers(three, asked.request)
    row = await released(three, waiting.request)
    assert row is not None
    (told,) = await list_told(three.houses["us"], ListTold())
    assert told.row.consents == (consent.consent,)
    other = await approved(three, terms=TERMS.replace('feed = "launches"', 'feed = "tests"'))
    assert await released(three, other.request) is None  # it was given for the one feed
    await withdraw_consent(
        three.houses["us"], WithdrawConsent(consent=consent.consent, reason="no more", actor=Actor("brown"))
    )
    await three.exchange()
    assert (await Gates(three.houses["jp"]).gate(FEED)).why == "consent-missing"


async def test_a_refusal_and_a_lapse_let_nothing_cross(three: Trilateral) -> None:
    waiting = await approved(three)
    await answers(three, (await asks(three)).request, granted=False)
    late = await asks(three, answer_by=TODAY + timedelta(days=1))
    three.clock.time = TODAY + timedelta(days=2)
    with pytest.raises(Misuse, match="lapsed"):
        await answers(three, late.request)
    assert await released(three, waiting.request) is None


async def test_what_was_asked_can_be_dropped_and_is_answered_no_more_widely_than_it_was_asked(
    three: Trilateral,
) -> None:
    first, second = await asks(three), await asks(three)
    await drop_consent(three.houses["jp"], DropConsent(request=first.request, reason="no need", actor=Actor("sato")))
    await three.exchange()
    with pytest.raises(Misuse, match="dropped"):
        await answers(three, first.request)
    with pytest.raises(Misuse, match="allows more"):
        await answers(three, second.request, until=NEXT_YEAR + timedelta(days=1))
    with pytest.raises(Misuse, match="already"):
        await answers(three, (await answers(three, second.request)).row.request or "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mark": "SECRET"}, "is not a mark of 'jp'"),
        ({"beneficiary": "jp"}, "there is nothing to ask"),
        ({"actor": Actor("abe")}, "has neither the role"),
        ({"until": TODAY - timedelta(days=1)}, "before it is asked for"),
        ({"relationship": TO_SEOUL}, "there is nothing to ask"),
    ],
)
async def test_what_can_not_be_asked_says_why(three: Trilateral, changes: dict[str, object], says: str) -> None:
    with pytest.raises((Misuse, Rejected, Refused), match=says):
        await asks(three, **changes)


async def test_an_item_is_no_feed(three: Trilateral) -> None:
    asked = await asks(three)
    (row,) = [row async for _, row in three.houses["us"].rows(ConsentAskedRow)]
    assert (row.request, row.topic) == (asked.request, "test-site")
    with pytest.raises(Misuse, match="'i-"):
        await three.ask_consent("i-aaaaaaaaaaaaaaaa", holder="jp")
