"""A standing release between two houses: asked for, approved, told, ended; and the gate that all of it makes.

``spec/feed.md`` steps 3 to 6.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import feeds
from comity.agreement.load import parse_agreement
from comity.errors import Misuse, Refused, Rejected
from comity.feed.gate import Gate
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.agreeing.agreements import AcknowledgeAgreement, acknowledge_agreement
from comity.flows.calls import show_whole_inbox
from comity.flows.deciding.explaining import Why, why
from comity.flows.feeding import gates as gating
from comity.flows.feeding.ending import EndFeed, end_feed
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.listing import FeedLine, ListFeeds, ShowFeed, list_feeds, show_feed
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.postures import DeclarePosture, ShowPostures, declare_posture, show_postures
from comity.flows.feeding.releasing import FeedAsked, ReleaseFeed, preview_feed, release_feed
from comity.flows.feeding.terms import read_terms, told_postures, told_types
from comity.flows.giving.answering import Approve, Approved, Assure, approve, assure
from comity.flows.keeping.work import Draft
from comity.flows.looking.views import ShowInbox, ShowOutbox, show_inbox, show_outbox
from comity.flows.maintaining.rebuilding import Rebuild, rebuild
from comity.flows.people.clearances import WithdrawClearance, withdraw_clearance
from comity.flows.people.leaving import RemovePerson, remove_person
from comity.record.bodies.feeding import FeedReceipted
from comity.register.rows import DecisionRow
from comity.register.rows.feeding import FeedReleaseRow
from comity.seal.keys import generate_identity
from feeds import SCHEMA, with_feeds
from record.made import Key
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World, adopt, library

FEED = "air-picture"
UNTIL = TODAY + timedelta(days=30)
TERMS = (
    feeds.TERMS.format(until=UNTIL)
    .replace(', "longitude", "height", "sensor"]', "]", 1)
    .replace('longitude = "0.1", observed = "1s" }', 'observed = "1s" }\ndelay = 60\nrate = 200')
)
LAYER = """
[layer]
format = 1
id = "two"
version = "1"
kind = "arrangement"
on = "jp-kr-2016"
title = { en = "Two approvals" }

[[clause]]
id = "1"
heading = { en = "Two" }
says = "Two people approve."
provenance = "P"
source = "made for tests"

[[rule]]
id = "two"
clause = "1"
acts = ["feed"]
approvals = 2
"""
ASSURED = """
[[rule]]
id = "feed-assured"
clause = "7.5"
acts = ["feed"]
checklist = "assurance"
"""


OTHERWISE = """
[[rule]]
id = "feed-to-nobody-else"
clause = "9"
acts = ["feed"]
when = { function = ["nobody's desk"] }
forbids = true
"""
OTHER_KEY = Key(78)
POSTURES_OF = ShowPostures(relationship=RELATIONSHIP)


def text(more: str = "") -> str:
    return with_feeds() + more


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path, text=text())
    yield made
    await made.close()


async def ask(world: World, **changes: object) -> FeedAsked:
    given: dict[str, object] = {
        "schema": SCHEMA,
        "terms": TERMS,
        "relationship": RELATIONSHIP,
        "recipients": (await world.pseudonym("kim"),),
        "actor": Actor("sato"),
        **changes,
    }
    return await release_feed(world.jp, ReleaseFeed(**given))  # type: ignore[arg-type]  # as given


async def said_yes(world: World, request: str, by: str = "abe") -> Approved:
    return await approve(world.jp, Approve(request=request, reason="needed", actor=Actor(by)))


async def released(world: World, **changes: object) -> str:
    asked = await ask(world, **changes)
    approved = await said_yes(world, asked.request)
    assert approved.released is not None
    await world.exchange()
    return asked.request


def gates(world: World) -> tuple[Gates, Gates]:
    return Gates(world.jp), Gates(world.kr)


async def stands(each: Gates, feed: str = FEED) -> Gate:
    return await each.gate(FeedName(RELATIONSHIP, "jp", feed))


async def declare(world: World, party: str, posture: str, until: datetime | None = None) -> None:
    if party == "kr" and not await knows(world, "yoon"):
        await world.person("kr", "yoon", roles=("release-authority",))
        await world.exchange()
    await declare_posture(
        world.house(party),
        DeclarePosture(
            posture=posture,  # type: ignore[arg-type]  # a word of the test
            relationship=RELATIONSHIP,
            reason="a launch is expected",
            actor=Actor("abe" if party == "jp" else "yoon"),
            until=until,
        ),
    )
    await world.exchange()


async def knows(world: World, handle: str) -> bool:
    try:
        await world.kr.person(handle)
    except Misuse:
        return False
    return True


async def line(world: World, party: str, request: str) -> FeedLine:
    found = await list_feeds(world.house(party), ListFeeds(all=True))
    return next(each for each in found if each.release == request)


class TestTheRelease:
    async def test_two_people_make_it_and_the_other_side_learns_what_crosses_and_nothing_else(
        self, world: World
    ) -> None:
        asked = await ask(world)
        assert (asked.outcome, asked.release) == ("needs-consent", None)
        assert asked.never == ("track.method", "track.quality")
        approved = await said_yes(world, asked.request)
        assert approved.released is not None
        decided = [row.outcome async for _, row in world.jp.rows(DecisionRow, f"{FEED}/")]
        assert decided == ["needs-consent", "permit"]
        told = await why(world.jp, Why(of=asked.decision_record))
        assert any(each.clause == "9" and each.effect == "holds" for each in told[0].told.reasons)
        await world.exchange()
        rows = [await house.row(FeedReleaseRow, f"{RELATIONSHIP}/{asked.request}") for house in (world.jp, world.kr)]
        assert rows[0] == rows[1]
        row = rows[0]
        assert row is not None
        assert [each.name for each in row.types[0].fields] == [
            "track",
            "observed",
            "latitude",
            "longitude",
            "height",
            "sensor",
        ]
        assert "method" not in repr(row)
        assert "quality" not in repr(row)
        assert (row.alternative.mark if row.alternative else None) == "군사 Ⅱ급 비밀"
        assert [each.posture for each in row.postures] == ["normal", "heightened", "crisis"]
        assert row.postures[0].types == row.postures[1].types

    def test_what_never_crosses_changes_nothing_that_is_told(self) -> None:
        hidden = (
            SCHEMA.replace("quality = ", 'secret_source = { kind = "text", mark = "機密" }\nqualities = ').replace(
                'method = { kind = "text", mark = "機密" }\n', ""
            )
            + """
[[type]]
id = "spy"
time = "seen"
source = "who"

[type.fields]
seen = { kind = "instant", mark = "秘" }
who = { kind = "text", mark = "秘" }
"""
        )
        assert hidden != SCHEMA
        both = [
            read_terms(each, "a.toml", TERMS, "b.toml", parse_agreement(text(), "jp-kr-2016.toml"), "jp")
            for each in (SCHEMA, hidden)
        ]
        assert told_types(both[0]) == told_types(both[1])
        assert told_postures(both[0]) == told_postures(both[1])

    async def test_a_preview_records_the_question_and_nothing_more(self, world: World) -> None:
        request = ReleaseFeed(
            schema=SCHEMA,
            terms=TERMS,
            relationship=RELATIONSHIP,
            recipients=(await world.pseudonym("kim"),),
            actor=Actor("sato"),
        )
        asked = await preview_feed(world.jp, request)
        assert asked.outcome == "needs-consent"
        assert (await show_outbox(world.jp, ShowOutbox())).waiting == ()

    async def test_it_waits_in_the_outbox_by_the_name_of_the_feed(self, world: World) -> None:
        asked = await ask(world)
        waiting = (await show_outbox(world.jp, ShowOutbox())).waiting
        assert [(each.request, each.act, each.title) for each in waiting] == [(asked.request, "feed", FEED)]

    async def test_whoever_asked_does_not_approve(self, world: World) -> None:
        await world.person("jp", "ueno", roles=("officer", "release-authority"))
        asked = await ask(world, actor=Actor("ueno"))
        with pytest.raises(Misuse) as refused:
            await said_yes(world, asked.request, "ueno")
        assert refused.value.code == "own-request"

    async def test_as_many_approve_as_the_texts_ask(self, tmp_path: Path) -> None:
        world = await World.make(tmp_path, text=text(), layers=(LAYER,))
        await world.person("jp", "ono", roles=("release-authority",))
        asked = await ask(world)
        assert (await said_yes(world, asked.request)).released is None
        again = await said_yes(world, asked.request)  # the same person once more is no second one
        assert again.released is None
        last = await said_yes(world, asked.request, "ono")
        assert last.released is not None
        await world.close()

    async def test_a_refused_request_is_not_released(self, world: World) -> None:
        asked = await ask(world)
        answer = Approve(request=asked.request, reason="not now", actor=Actor("abe"), granted=False)
        assert (await approve(world.jp, answer)).released is None
        assert (await list_feeds(world.jp, ListFeeds(all=True))) == []

    async def test_an_agreement_that_names_no_clause_for_a_feed_gives_it_no_basis(self, tmp_path: Path) -> None:
        world = await World.make(tmp_path)
        asked = await ask(world)
        assert asked.outcome == "no-basis"
        assert any(reason.code == "nothing-permits" for reason in asked.decision.reasons)
        assert (await show_outbox(world.jp, ShowOutbox())).waiting == ()
        await world.close()

    async def test_where_the_text_asks_an_assurance_it_is_asked_and_given_like_any_other(self, tmp_path: Path) -> None:
        world = await World.make(tmp_path, text=text(ASSURED))
        asked = await ask(world)
        await world.exchange()
        assert [each.request for each in (await show_inbox(world.kr, ShowInbox())).asked] == [asked.request]
        assert (await said_yes(world, asked.request)).released is None
        await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
        await world.exchange()
        assert (await line(world, "kr", asked.request)).state == "stands"
        await world.close()

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ('feed = "air-picture"\nmark = "極秘"', 'feed = "air-picture"\nmark = "極密"', "unknown-mark"),
            ('fields = ["track", "observed", "latitude"]', 'fields = ["track", "method"]', "above-release"),
            ('fields = ["track", "observed", "latitude"]', 'fields = ["track", "quality"]', "unlabelled-field"),
            ('fields = ["track", "observed", "latitude"]', 'fields = ["track", "speed"]', "unknown-field"),
            ('latitude = "0.1"', 'latitude = "0.3"', "bad-step"),
        ],
    )
    async def test_terms_that_are_not_in_order_are_refused_with_their_line(
        self, world: World, old: str, new: str, code: str
    ) -> None:
        assert old in TERMS
        with pytest.raises(Rejected) as refused:
            await ask(world, terms=TERMS.replace(old, new, 1), names=("air.toml", "seoul.toml"))
        assert refused.value.code == code
        assert refused.value.place.startswith("seoul.toml:")

    async def test_a_feed_is_not_called_like_an_item_and_is_told_in_one_record(self, world: World) -> None:
        with pytest.raises(Rejected) as refused:
            await ask(world, terms=TERMS.replace('feed = "air-picture"', 'feed = "i-aaaaaaaaaaaaaaaa"'))
        assert refused.value.code == "reserved-name"
        nothing = TERMS[: TERMS.index("[[release.posture]]")] + '[[release.posture]]\nposture = "normal"\ntypes = {}\n'
        with pytest.raises(Rejected) as refused:
            await ask(world, terms=nothing)
        assert refused.value.code == "nothing-crosses"
        names = [f"a_field_with_a_long_name_{number:039d}" for number in range(250)]
        fields = "".join(f'{each} = {{ kind = "number", mark = "秘" }}\n' for each in names)
        crossing = f"fields = {names}".replace("'", '"')
        types = "".join(f"[release.posture.types.t{number}]\n{crossing}\n" for number in range(2))
        kinds = "".join(
            f'[[type]]\nid = "t{number}"\ntime = "observed"\nsource = "sensor"\n[type.fields]\n'
            f'observed = {{ kind = "instant" }}\nsensor = {{ kind = "text" }}\n{fields}\n'
            for number in range(2)
        )
        schema = SCHEMA[: SCHEMA.index("[[type]]")] + kinds
        head = TERMS[: TERMS.index("[[release.posture]]")]
        with pytest.raises(Rejected) as refused:
            await ask(world, schema=schema, terms=f'{head}[[release.posture]]\nposture = "normal"\n{types}')
        assert refused.value.code == "too-many-fields"

    async def test_the_recipient_finds_it_in_the_inbox_until_the_first_of_it_is_there(self, world: World) -> None:
        request = await released(world)
        calls = (await show_whole_inbox(world.kr, ShowInbox())).calls
        assert [(each.kind, each.subject, each.next) for each in calls if each.kind == "feed"] == [
            ("feed", request, f"comity feed show {request}")
        ]
        unlisted = (await show_whole_inbox(world.kr, ShowInbox(actor=Actor("choi")))).calls
        assert not [each for each in unlisted if each.kind == "feed"]
        receipt = FeedReceipted(feed=FEED, batches=1, messages=3, root=bytes(32))
        await world.kr.sequencer.submit(lambda work: work.say(Draft(RELATIONSHIP, receipt)))
        assert not [each for each in (await show_whole_inbox(world.kr, ShowInbox())).calls if each.kind == "feed"]

    async def test_nobody_else_than_an_officer_asks_and_nobody_unknown_gets_it(self, world: World) -> None:
        with pytest.raises(Misuse) as refused:
            await ask(world, actor=Actor("abe"))
        assert refused.value.code == "no-role"
        with pytest.raises(Misuse) as unknown:
            await ask(world, recipients=("n-nobody",))
        assert unknown.value.code == "unknown-recipient"
        nobody = await ask(world, recipients=())
        assert nobody.outcome == "forbidden"

    async def test_what_is_to_end_before_it_begins_is_not_asked_for(self, world: World) -> None:
        past = TERMS.replace(f"{UNTIL:%Y-%m-%d}", "2026-01-01")
        with pytest.raises(Misuse) as refused:
            await ask(world, terms=past)
        assert refused.value.code == "ended-before-asked"


class TestTheGate:
    async def test_it_stands_on_both_sides_with_what_crosses(self, world: World) -> None:
        await released(world)
        here, there = [await stands(each) for each in gates(world)]
        assert here.stands
        assert there.stands
        assert here.posture == there.posture == "normal"
        assert here.crossings["track"] == there.crossings["track"]
        assert here.crossings["track"].delay == 60
        assert here.schema is not None
        assert there.schema is not None
        assert "method" in here.schema.types["track"].fields
        assert "method" not in there.schema.types["track"].fields
        renewal = datetime(2026, 11, 22, 15, tzinfo=UTC)  # when the agreement can turn by itself, and does not
        assert here.until == renewal
        world.clock.time = renewal
        assert ((await stands(gates(world)[0])).stands, (await stands(gates(world)[0])).until) == (True, UNTIL)

    async def test_without_a_release_nothing_crosses(self, world: World) -> None:
        ours, _ = gates(world)
        found = await stands(ours)
        assert (found.stands, found.why) == (False, "no-release")
        with pytest.raises(Refused) as refused:
            await ours.next_epoch(FeedName(RELATIONSHIP, "jp", FEED))
        assert refused.value.code == "no-release"

    async def test_it_is_the_very_same_until_something_changes(self, world: World) -> None:
        await released(world)
        ours, _ = gates(world)
        first = await stands(ours)
        assert await stands(ours) is first
        await world.person("jp", "goto")  # a commit that has nothing to do with it
        again = await stands(ours)
        assert again == first

    async def test_it_is_worked_out_once_for_all_who_ask_at_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await released(world)
        ours, _ = gates(world)
        count, work_out = 0, gating.work_out

        async def counted(*asked: Any) -> Any:
            nonlocal count
            count += 1
            await asyncio.sleep(0)
            return await work_out(*asked)

        monkeypatch.setattr(gating, "work_out", counted)
        found = await asyncio.gather(*[stands(ours) for _ in range(50)])
        assert (count, len({id(each) for each in found})) == (1, 1)
        await world.person("jp", "goto")
        await asyncio.gather(*[stands(ours) for _ in range(50)])
        assert count == 2

    async def test_it_ends_by_itself_at_the_instant_that_was_said(self, world: World) -> None:
        await released(world)
        both = gates(world)
        assert all([(await stands(each)).stands for each in both])
        world.clock.time = UNTIL
        for each in both:
            found = await stands(each)
            assert (found.stands, found.why, found.since) == (False, "expired", UNTIL)

    @pytest.mark.parametrize("party", ["jp", "kr"])
    async def test_either_side_ends_it_at_once(self, world: World, party: str) -> None:
        request = await released(world)
        both = gates(world)
        await stands(both[0])
        actor = Actor("abe" if party == "jp" else "lee")  # a release authority here, a security officer there
        ended = await end_feed(
            world.house(party),
            EndFeed(release=request, relationship=RELATIONSHIP, reason="enough", actor=actor),
        )
        mine = await stands(both[0 if party == "jp" else 1])
        assert (mine.stands, mine.why, mine.changed) == (False, "ended", "ended")
        assert f"{mine.since:%Y-%m-%dT%H:%M:%S.%fZ}" == ended.at
        await world.exchange()
        theirs = await stands(both[1 if party == "jp" else 0])
        assert (theirs.stands, theirs.since) == (False, mine.since)

    async def test_it_ends_at_once_though_the_clock_of_whoever_ends_it_is_ahead(self, world: World) -> None:
        request = await released(world)
        ours, _ = gates(world)
        before = await stands(ours)
        world.clock.time += timedelta(seconds=90)
        wish = EndFeed(release=request, relationship=RELATIONSHIP, reason="enough", actor=Actor("lee"))
        ended = await end_feed(world.kr, wish)
        world.clock.time -= timedelta(seconds=80)
        await world.exchange()
        found = await stands(ours)
        assert (found.stands, found.why) == (False, "ended")
        assert before.since < found.since < datetime.fromisoformat(ended.at)
        world.clock.time += timedelta(seconds=200)
        assert (await stands(ours)).since == found.since

    async def test_each_side_ends_it_once_and_both_may(self, world: World) -> None:
        request = await released(world)
        for party, actor in (("jp", "abe"), ("kr", "lee")):  # neither has heard of the other's yet
            asks = EndFeed(release=request, relationship=RELATIONSHIP, reason="enough", actor=Actor(actor))
            await end_feed(world.house(party), asks)
            with pytest.raises(Misuse) as refused:
                await end_feed(world.house(party), asks)
            assert refused.value.code == "already-ended"
        await world.exchange()
        rows = [await house.row(FeedReleaseRow, f"{RELATIONSHIP}/{request}") for house in (world.jp, world.kr)]
        assert rows[0] == rows[1]
        assert rows[0] is not None
        assert [each.party for each in rows[0].ends] == ["jp", "kr"]

    async def test_another_release_of_the_feed_follows_at_that_instant(self, world: World) -> None:
        first = await released(world)
        ours, theirs = gates(world)
        before = await stands(ours)
        second = await released(
            world,
            terms=TERMS.replace('"極秘"', '"秘"', 1)
            .replace(', "latitude"]', "]")
            .replace('latitude = "0.1", ', "")
            .replace('["track", "observed", "latitude", "longitude", "height", "sensor"]', '["track", "observed"]'),
        )
        after = await stands(ours)
        assert after.since > before.since
        assert after.release is not None
        assert after.release.mark == "秘"
        assert after.release == msgspec.structs.replace(after.release)
        assert (await stands(theirs)).crossings["track"].fields == ("track", "observed")
        told = await line(world, "kr", first)
        assert (told.state, told.followed_by) == ("followed", second)

    async def test_a_clearance_that_is_revoked_there_closes_it_on_both_sides(self, world: World) -> None:
        await released(world)
        both = gates(world)
        before = [await stands(each) for each in both]
        await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="left the post", actor=ROOT))
        mine = await stands(both[1])
        assert (mine.stands, mine.why) == (False, "no-recipients")
        assert mine.since > before[1].since
        await world.exchange()
        theirs = await stands(both[0])
        assert (theirs.stands, theirs.why, theirs.changed) == (False, "no-recipients", "standing")

    async def test_as_long_as_one_recipient_is_left_it_stands(self, world: World) -> None:
        await released(world, recipients=(await world.pseudonym("kim"), await world.pseudonym("choi")))
        both = gates(world)
        await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="left the post", actor=ROOT))
        await world.exchange()
        assert all([(await stands(each)).stands for each in both])
        await remove_person(world.kr, RemovePerson(handle="choi", reason="gone", actor=ROOT))
        await world.exchange()
        assert not any([(await stands(each)).stands for each in both])

    async def test_when_the_agreement_lapses_it_closes_by_itself_at_that_instant(self, tmp_path: Path) -> None:
        notice = """
[[event]]
id = "made-up-notice"
when = "2026-08-20"
zone = "Asia/Seoul"
kind = "notice"
by = ["kr"]
says = "A notice, for tests."
clauses = ["21.3"]
sources = ["made-up"]

[[source]]
id = "made-up"
title = "Made for tests"
report-date = "2026-08-20"
provenance = "S"
"""
        world = await World.make(tmp_path, text=text(), history=library("jp-kr-2016.history.toml") + notice)
        await released(world)
        both = gates(world)
        found = [await stands(each) for each in both]
        assert [each.stands for each in found] == [True, True]
        lapse = datetime(2026, 11, 22, 15, tzinfo=UTC)  # the midnight before 23 November in Seoul
        assert [each.until for each in found] == [lapse, lapse]
        world.clock.time = lapse
        for each in both:
            closed = await stands(each)
            assert (closed.stands, closed.why, closed.changed) == (False, "not-in-force", "standing")
            assert closed.since == lapse
        await world.close()

    async def test_under_another_text_it_is_released_anew(self, world: World) -> None:
        await released(world)
        both = gates(world)
        before = [await stands(each) for each in both]
        for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
            await adopt(house, peer, "jp-kr-2016.history.toml", text=text(OTHERWISE))
            await acknowledge_agreement(house, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
        await world.exchange()
        for each, was in zip(both, before, strict=True):
            found = await stands(each)
            assert (found.stands, found.why, found.changed) == (False, "other-text", "standing")
            assert found.since > was.since
        await released(world)
        assert all([(await stands(each)).stands for each in both])

    async def test_what_the_other_side_s_register_did_not_accept_does_not_stand(self, world: World) -> None:
        await adopt(world.kr, "jp", "jp-kr-2016.history.toml", text=text(OTHERWISE))
        request = await released(world)
        found = await stands(gates(world)[0])
        assert (found.stands, found.why) == (False, "returned")
        assert (await line(world, "jp", request)).state == "stopped"
        assert (await list_feeds(world.kr, ListFeeds(all=True))) == []

    async def test_the_register_made_again_from_the_journal_has_the_same_of_it(self, world: World) -> None:
        request = await released(world)
        await declare(world, "jp", "crisis", TODAY + timedelta(hours=3))
        await end_feed(
            world.kr, EndFeed(release=request, relationship=RELATIONSHIP, reason="enough", actor=Actor("lee"))
        )
        await world.exchange()
        for house in (world.jp, world.kr):
            before = [await list_feeds(house, ListFeeds(all=True)), await show_postures(house, POSTURES_OF)]
            assert (await rebuild(house, Rebuild())).findings == ()
            assert [await list_feeds(house, ListFeeds(all=True)), await show_postures(house, POSTURES_OF)] == before


class TestStrictCustody:
    async def test_who_keeps_his_own_key_asks_declares_and_ends(self, world: World) -> None:
        key = Key(77)
        for handle, roles in (("mori", ("officer",)), ("kato", ("release-authority",))):
            await world.person(
                "jp",
                handle,
                roles=roles,
                custody="strict",
                recipient=str(generate_identity(SeededEntropy(handle)).recipient),
                signing_key=(key if handle == "mori" else OTHER_KEY).public,
            )
        await world.exchange()
        name = "r-aaaaaaaaaaaaaaaa"
        with pytest.raises(NeedsSignature) as needed:
            await ask(world, actor=Actor("mori"), request=name)
        asked = await ask(world, actor=Actor("mori", (key.sign(needed.value.message),)), request=name)
        assert asked.request == name
        await said_yes(world, name)
        await world.exchange()
        wish = DeclarePosture(
            posture="normal", relationship=RELATIONSHIP, reason="calm", actor=Actor("kato"), until=None
        )
        with pytest.raises(NeedsSignature) as needed:
            await declare_posture(world.jp, wish)
        by = Actor("kato", (OTHER_KEY.sign(needed.value.message),))
        await declare_posture(world.jp, msgspec.structs.replace(wish, actor=by))
        ends = EndFeed(release=name, relationship=RELATIONSHIP, reason="enough", actor=Actor("mori"))
        with pytest.raises(NeedsSignature) as needed:
            await end_feed(world.jp, ends)
        by = Actor("mori", (key.sign(needed.value.message),))
        assert (await end_feed(world.jp, msgspec.structs.replace(ends, actor=by))).release == name


class TestThePosture:
    async def test_more_crosses_once_both_have_said_so_and_it_falls_back_by_itself(self, world: World) -> None:
        await released(world)
        both = gates(world)
        end = TODAY + timedelta(hours=3)
        await declare(world, "jp", "crisis", end)
        assert [(await stands(each)).posture for each in both] == ["normal", "normal"]
        await declare(world, "kr", "crisis", end - timedelta(hours=1))
        for each in both:
            found = await stands(each)
            assert found.posture == "crisis"
            assert "sensor" in found.crossings["track"].fields
            assert found.until == end - timedelta(hours=1)
            assert found.changed == "posture"
        world.clock.time = end - timedelta(hours=1)
        for each in both:
            fallen = await stands(each)
            assert (fallen.posture, fallen.since) == ("normal", end - timedelta(hours=1))
            assert fallen.crossings["track"].fields == ("track", "observed", "latitude")
        shown = await show_postures(world.jp, ShowPostures(relationship=RELATIONSHIP))
        assert [(each.party, each.ended) for each in shown.declared] == [("jp", False), ("kr", True)]

    async def test_the_lowest_that_both_have_declared_holds(self, world: World) -> None:
        await released(world)
        end = TODAY + timedelta(hours=3)
        await declare(world, "jp", "crisis", end)
        await declare(world, "kr", "heightened", end)
        assert (await stands(gates(world)[0])).posture == "heightened"
        await declare(world, "jp", "normal")
        assert (await stands(gates(world)[1])).posture == "normal"

    async def test_what_is_above_normal_has_an_end_and_normal_has_none(self, world: World) -> None:
        for posture, until in (("crisis", None), ("normal", TODAY + timedelta(hours=1))):
            with pytest.raises(Misuse) as refused:
                await declare(world, "jp", posture, until)
            assert refused.value.code == "posture-end"
        with pytest.raises(Misuse) as past:
            await declare(world, "jp", "crisis", TODAY - timedelta(hours=1))
        assert past.value.code == "ended-before-declared"

    async def test_nobody_else_than_a_release_authority_declares_it(self, world: World) -> None:
        with pytest.raises(Misuse) as refused:
            await declare_posture(
                world.jp,
                DeclarePosture(
                    posture="normal", relationship=RELATIONSHIP, reason="calm", actor=Actor("sato"), until=None
                ),
            )
        assert refused.value.code == "no-role"


class TestEpochs:
    async def test_both_sides_read_the_key_that_one_of_them_made_and_nobody_else(self, world: World) -> None:
        await released(world)
        ours, theirs = gates(world)
        name = FeedName(RELATIONSHIP, "jp", FEED)
        assert await theirs.epoch_key(name, 1) is None
        first = await ours.next_epoch(name)
        second = await ours.next_epoch(name)
        assert (first.number, second.number) == (1, 2)
        assert first.key != second.key
        await world.exchange()
        assert [await theirs.epoch_key(name, each) for each in (1, 2)] == [first.key, second.key]
        assert await Gates(world.jp).epoch_key(name, 1) == first.key

    async def test_there_is_no_new_key_for_a_release_that_ended(self, world: World) -> None:
        request = await released(world)
        ours, _ = gates(world)
        await end_feed(
            world.jp, EndFeed(release=request, relationship=RELATIONSHIP, reason="enough", actor=Actor("abe"))
        )
        with pytest.raises(Refused) as refused:
            await ours.next_epoch(FeedName(RELATIONSHIP, "jp", FEED))
        assert refused.value.code == "ended"


class TestWhoSeesIt:
    async def test_whoever_may_not_see_it_finds_it_as_if_it_were_not_there(self, world: World) -> None:
        request = await released(world)
        for party, handle, sees in (
            ("jp", "sato", True),
            ("jp", "abe", True),
            ("jp", "ito", True),
            ("kr", "kim", True),
            ("kr", "lee", True),
            ("kr", "choi", False),  # cleared, not on the list
            ("kr", "park", False),  # on the list, not cleared
            ("kr", "hong", True),  # cleared and on the list
        ):
            house, actor = world.house(party), Actor(handle)
            assert bool(await list_feeds(house, ListFeeds(actor=actor))) == sees, handle
            if sees:
                assert (await show_feed(house, ShowFeed(release=request, actor=actor))).line.release == request
            else:
                messages = set()
                for asked in (request, "r-aaaaaaaaaaaaaaaa"):
                    with pytest.raises(Misuse) as refused:
                        await show_feed(house, ShowFeed(release=asked, actor=actor))
                    messages.add(str(refused.value).replace(asked, "…"))
                assert len(messages) == 1

    async def test_an_officer_who_may_not_see_it_can_not_end_it_and_a_reader_never_can(self, world: World) -> None:
        request = await released(world)
        await world.person("kr", "han", roles=("officer",))
        await world.exchange()
        for handle, code in (("han", "unknown-release"), ("kim", "no-role")):
            with pytest.raises(Misuse) as refused:
                await end_feed(
                    world.kr,
                    EndFeed(release=request, relationship=RELATIONSHIP, reason="no", actor=Actor(handle)),
                )
            assert refused.value.code == code
