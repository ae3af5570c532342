"""Rules for feeds: accepted once, refused for each reason, alike on both sides and whoever hears what first.

``spec/feed.md`` steps 3 to 6, 12 and 15.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from importlib import resources

import pytest
from msgspec.structs import replace

import feeds
from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement
from comity.record import bodies
from comity.record.bodies import Body
from comity.record.bodies.consents import ConsentAsked, Consented, ConsentWithdrawn
from comity.record.bodies.feeding import (
    Crossed,
    FeedEnded,
    FeedEpoch,
    FeedMarked,
    FeedOriginals,
    FeedOver,
    FeedRead,
    FeedReceipted,
    FeedReleased,
    FeedRequested,
    FeedTold,
    PostureDeclared,
    ReleasedField,
    ReleasedType,
    Rounded,
    UnderPosture,
)
from comity.record.person_act import unsigned
from comity.register.rows import AgreementRow, RequestRow
from comity.register.rows.feeding import FeedMarkRow, FeedReceiptRow, FeedReleaseRow, FeedRow, FeedToldRow, PostureRow
from comity.register.verdict import Changes, Rejection
from register import story as stories
from register.story import ALTERNATIVE, LABEL, RELATIONSHIP, START, Story, approved, listed, signed, told

FEED = "air-picture"
UNTIL = START + timedelta(days=30)
TRACK = ReleasedType(
    type="track",
    fields=(
        ReleasedField(name="observed", kind="instant", mark="秘"),
        ReleasedField(name="latitude", kind="number", mark="極秘", role="position"),
    ),
    time="observed",
)
NORMAL = Crossed(type="track", fields=("observed", "latitude"), rounded=(Rounded("latitude", "0.1"),), delay=60)
POSTURES = (
    UnderPosture(posture="normal", types=(NORMAL,)),
    UnderPosture(posture="heightened", types=(NORMAL,)),
    UnderPosture(posture="crisis", types=(replace(NORMAL, rounded=(), delay=0),)),
)


@cache
def with_feeds() -> Agreement:
    return parse_agreement(feeds.with_feeds(), "jp-kr-2016.toml")


@cache
def without_feeds() -> Agreement:
    text = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
    return parse_agreement(text, "jp-kr-2016.toml")


@pytest.fixture(autouse=True)
def _feeds_may_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "agreement", with_feeds)


@pytest.fixture
def story() -> Story:
    made = told("peered")
    for name in ("abe", "sato"):
        roles = ("release-authority",) if name == "abe" else ("officer",)
        made.say("jp", listed(name, roles, nationality="jp", serves="jp"))
    made.say("kr", listed("other", ("release-authority",)))
    made.say("kr", listed("rei", ("registry",)))
    return made


def requested(signer: str = "p-sato", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "feed": FEED,
        "relationship": RELATIONSHIP,
        "recipients": ("n-kim",),
        "label": LABEL,
        "topic": "missiles",
        "subject": "defence",
        "purpose": "air defence",
        "until": UNTIL,
        "host": "jp",
        "schema": bytes(32),
        "terms": bytes(32),
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(FeedRequested(**fields), signer, key=key)


def release(**changes: object) -> Body:
    fields: dict[str, object] = {
        "release": "r-1",
        "feed": FEED,
        "label": LABEL,
        "alternative": ALTERNATIVE,
        "topic": "missiles",
        "subject": "defence",
        "purpose": "air defence",
        "until": UNTIL,
        "host": "jp",
        "recipients": ("n-kim",),
        "agreement": stories.digest(),
        "types": (TRACK,),
        "postures": POSTURES,
        "basis": bytes(32),
        **changes,
    }
    return FeedReleased(**fields)


def asked_for(story: Story, request: str = "r-1", **changes: object) -> None:
    story.say("jp", requested(request=request, **changes))
    row = story.row("jp", "request", request)
    assert isinstance(row, RequestRow)
    story.say("jp", approved(story, request=request, after=row.record))


def running(story: Story) -> Story:
    asked_for(story)
    story.say("jp", release())
    return story


def released(story: Story, name: str = "r-1", party: str = "jp") -> FeedReleaseRow:
    row = story.row(party, "feed-release", f"{RELATIONSHIP}/{name}")
    assert isinstance(row, FeedReleaseRow)
    return row


def ended(story: Story, signer: str, party: str, key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "release": "r-1",
        "reason": "enough",
        "by": signer,
        "after": released(story).record,
        "signature": unsigned(),
        **changes,
    }
    return signed(FeedEnded(**fields), signer, party, key)


def declared(story: Story, party: str = "jp", signer: str = "n-abe", key: str = "", **changes: object) -> Body:
    before = story.row(party, "posture", f"{RELATIONSHIP}/{party}")
    fields: dict[str, object] = {
        "posture": "crisis",
        "until": START + timedelta(hours=5),
        "reason": "a launch is expected",
        "by": signer,
        "after": before.record if isinstance(before, PostureRow) else bytes(32),
        "signature": unsigned(),
        **changes,
    }
    return signed(PostureDeclared(**fields), signer, party, key)


def epoch(number: int = 1, **changes: object) -> Body:
    fields: dict[str, object] = {
        "release": "r-1",
        "feed": FEED,
        "epoch": number,
        "first": 0,
        "key": b"sealed",
        **changes,
    }
    return FeedEpoch(**fields)


def receipt(batches: int, messages: int, **changes: object) -> Body:
    fields: dict[str, object] = {
        "feed": FEED,
        "batches": batches,
        "messages": messages,
        "root": bytes([batches % 256]) * 32,
        **changes,
    }
    return FeedReceipted(**fields)


def code(story: Story, author: str, body: Body) -> str:
    """The code with which a record is rejected, at home and abroad alike."""
    verdict = story.try_(author, body)
    assert isinstance(verdict, Rejection), verdict
    return verdict.code


class TestAsking:
    def test_an_officer_asks_once(self, story: Story) -> None:
        story.say("jp", requested())
        assert code(story, "jp", requested()) == "request-exists"

    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            (lambda: requested("p-abe"), "no-role"),
            (lambda: requested(by="p-abe"), "unknown-key"),
            (lambda: requested("p-nao", by="p-nao"), "unknown-person"),
            (lambda: requested(until=START), "ended-before-asked"),
            (lambda: requested(relationship="jp-us-2007/jp.us"), "unknown-agreement"),
        ],
    )
    def test_it_is_refused(self, story: Story, made: object, expected: str) -> None:
        assert callable(made)
        assert code(story, "jp", made()) == expected


class TestTheRelease:
    def test_both_have_the_same_of_it(self, story: Story) -> None:
        running(story)
        assert story.rows("jp", FeedReleaseRow, FeedRow) == story.rows("kr", FeedReleaseRow, FeedRow)
        request = story.row("jp", "request", "r-1")
        assert isinstance(request, RequestRow)
        assert request.consignment == released(story).record

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"agreement": bytes(32)}, "other-digest"),
            ({"until": START}, "ended-before-released"),
            ({"alternative": None}, "wrong-mark"),
            ({"label": replace(LABEL, mark="機密")}, "above-ceiling"),
            (
                {
                    "label": replace(LABEL, originator="us"),
                    "alternative": replace(ALTERNATIVE, originator="us"),
                },
                "unknown-party",
            ),
            ({"host": "us"}, "unknown-party"),
            ({"recipients": ("n-nobody",)}, "unknown-recipient"),
            ({"postures": (POSTURES[1], POSTURES[0], POSTURES[2])}, "postures"),
            ({"types": (TRACK, TRACK)}, "twice"),
            ({"types": (replace(TRACK, fields=(*TRACK.fields, TRACK.fields[0])),)}, "twice"),
            ({"types": (replace(TRACK, source="sensor"),)}, "unknown-field"),
            ({"types": (replace(TRACK, fields=TRACK.fields[:1]),)}, "unknown-field"),
            (
                {"types": (replace(TRACK, fields=(TRACK.fields[0], replace(TRACK.fields[1], mark="機密"))),)},
                "above-release",
            ),
            ({"postures": (UnderPosture(posture="normal", types=(NORMAL, NORMAL)), *POSTURES[1:])}, "twice"),
            (
                {
                    "postures": (
                        UnderPosture(posture="normal", types=(replace(NORMAL, fields=("observed",)),)),
                        *POSTURES[1:],
                    )
                },
                "unknown-field",
            ),
        ],
    )
    def test_it_is_refused_on_both_sides(self, story: Story, changes: dict[str, object], expected: str) -> None:
        asked_for(story)
        assert code(story, "jp", release(**changes)) == expected

    def test_a_text_that_lets_no_feed_cross_gives_it_no_basis(
        self, story: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked_for(story)
        digest = stories.digest()
        monkeypatch.setattr(stories, "agreement", without_feeds)
        assert code(story, "jp", release(agreement=digest)) == "no-basis"

    def test_both_must_have_acknowledged_the_text(self, story: Story) -> None:
        asked_for(story)
        for register in story.registers.values():
            key = (AgreementRow.table, RELATIONSHIP)
            row = register.rows[key]
            assert isinstance(row, AgreementRow)
            register.rows[key] = replace(row, acknowledged=("jp",))
        assert code(story, "jp", release()) == "not-acknowledged"

    def test_it_is_made_once(self, story: Story) -> None:
        assert code(running(story), "jp", release()) == "release-exists"

    @pytest.mark.parametrize(
        "changes",
        [
            {"purpose": "training"},
            {"topic": "ships"},
            {"until": UNTIL + timedelta(days=1)},
            {"feed": "another"},
            {"recipients": ("n-kim", "n-rei")},
        ],
    )
    def test_it_is_what_was_approved(self, story: Story, changes: dict[str, object]) -> None:
        asked_for(story)
        record = story.write("jp", release(**changes))
        verdict = story.registers["jp"].judge(record, story.now)
        assert isinstance(verdict, Rejection)
        assert verdict.code == "other-terms"

    def test_without_a_request_or_an_approval_there_is_none(self, story: Story) -> None:
        record = story.write("jp", release())
        verdict = story.registers["jp"].judge(record, story.now)
        assert isinstance(verdict, Rejection)
        assert verdict.code == "unknown-request"
        story.say("jp", requested())
        record = story.write("jp", release())
        verdict = story.registers["jp"].judge(record, story.now)
        assert isinstance(verdict, Rejection)
        assert verdict.code == "not-approved"

    def test_another_release_of_the_feed_follows_the_one_before(self, story: Story) -> None:
        running(story)
        asked_for(story, "r-2")
        second = story.say("jp", release(release="r-2"))
        for party in ("jp", "kr"):
            first = released(story, "r-1", party)
            assert (first.followed, first.by_release) == (second.statement.at, "r-2")
            assert story.row(party, "feed", f"{RELATIONSHIP}/jp/{FEED}") == FeedRow(release="r-2")

    def test_a_consignment_cannot_carry_out_a_request_for_a_feed(self, story: Story) -> None:
        asked_for(story)
        request = story.row("jp", "request", "r-1")
        assert isinstance(request, RequestRow)
        assert request.act == "feed"
        assert story.row("jp", "item", FEED) is None


class TestItsEnd:
    def test_either_side_ends_it_alone(self, story: Story) -> None:
        running(story)
        assert isinstance(story.try_("kr", ended(story, "n-other", "kr")), Changes)
        story.say("jp", ended(story, "n-sato", "jp"))
        assert released(story).ended is not None
        assert released(story) == released(story, party="kr")

    def test_both_end_it_before_they_hear_of_each_other(self, story: Story) -> None:
        running(story)
        story.at_once(("jp", ended(story, "n-abe", "jp")), ("kr", ended(story, "n-other", "kr")))
        assert released(story) == released(story, party="kr")
        assert [each.party for each in released(story).ends] == ["jp", "kr"]
        assert released(story).ended == min(each.at for each in released(story).ends)

    def test_the_other_side_ends_it_while_another_release_follows_it(self, story: Story) -> None:
        running(story)
        asked_for(story, "r-2")
        story.at_once(("jp", release(release="r-2")), ("kr", ended(story, "n-other", "kr")))
        assert story.rows("jp", FeedReleaseRow, FeedRow) == story.rows("kr", FeedReleaseRow, FeedRow)
        assert released(story, "r-2").ended is None

    @pytest.mark.parametrize(
        ("made", "expected"),
        [
            (lambda story: ended(story, "n-rei", "kr"), "no-role"),
            (lambda story: ended(story, "n-other", "kr", after=bytes(32)), "stale-act"),
            (lambda story: ended(story, "n-other", "kr", release="r-9"), "unknown-feed-release"),
            (lambda story: ended(story, "n-other", "kr", by="n-kim"), "unknown-key"),
        ],
    )
    def test_it_is_refused(self, story: Story, made: object, expected: str) -> None:
        assert callable(made)
        running(story)
        body = made(story)
        if expected == "unknown-key":
            body = replace(ended(story, "n-other", "kr"), reason="another")
            expected = "bad-signature"
        assert code(story, "kr", body) == expected

    def test_each_side_ends_it_once(self, story: Story) -> None:
        running(story)
        story.say("kr", ended(story, "n-other", "kr"))
        assert code(story, "kr", ended(story, "n-other", "kr")) == "already-ended"


class TestPostures:
    def test_each_party_declares_its_own_whatever_the_other_says_meanwhile(self, story: Story) -> None:
        story.at_once(("jp", declared(story)), ("kr", declared(story, "kr", "n-other", posture="heightened")))
        assert story.rows("jp", PostureRow) == story.rows("kr", PostureRow)
        story.say("jp", declared(story, posture="normal", until=None))
        row = story.row("kr", "posture", f"{RELATIONSHIP}/jp")
        assert isinstance(row, PostureRow)
        assert (row.posture, row.until) == ("normal", None)

    def test_it_is_refused(self, story: Story) -> None:
        assert code(story, "jp", declared(story, until=None)) == "posture-end"
        assert code(story, "jp", declared(story, posture="normal")) == "posture-end"
        assert code(story, "jp", declared(story, until=START)) == "ended-before-declared"
        assert code(story, "jp", declared(story, signer="n-sato")) == "no-role"
        assert code(story, "jp", declared(story, after=bytes([1]) * 32)) == "stale-act"

    def test_what_was_signed_once_counts_once(self, story: Story) -> None:
        first = declared(story)
        story.say("jp", first)
        story.say("jp", declared(story, posture="normal", until=None))
        assert code(story, "jp", first) == "stale-act"


class TestTheStream:
    def test_keys_are_made_one_after_another(self, story: Story) -> None:
        running(story)
        story.say("jp", epoch())
        assert code(story, "jp", epoch()) == "epoch-order"
        assert code(story, "jp", epoch(3)) == "epoch-order"
        story.say("jp", epoch(2, first=9))
        assert story.row("kr", "feed", f"{RELATIONSHIP}/jp/{FEED}") == FeedRow(release="r-1", epoch=2)

    def test_a_key_is_made_while_the_other_side_ends_the_release(self, story: Story) -> None:
        running(story)
        story.at_once(("jp", epoch()), ("kr", ended(story, "n-other", "kr")))
        assert story.rows("jp", FeedReleaseRow, FeedRow) == story.rows("kr", FeedReleaseRow, FeedRow)

    def test_of_what_ended_there_is_no_new_key(self, story: Story) -> None:
        running(story)
        story.say("jp", ended(story, "n-abe", "jp"))
        assert code(story, "jp", epoch()) == "release-ended"

    def test_nobody_else_makes_a_key_nor_for_another_release(self, story: Story) -> None:
        running(story)
        assert code(story, "kr", epoch()) == "unknown-feed"
        asked_for(story, "r-2")
        story.say("jp", release(release="r-2"))
        assert code(story, "jp", epoch()) == "other-release"

    def test_after_its_time_there_is_no_new_key(self, story: Story) -> None:
        running(story)
        story.now = UNTIL
        assert code(story, "jp", epoch()) == "release-ended"

    def test_receipts_grow(self, story: Story) -> None:
        running(story)
        story.say("kr", receipt(3, 2_000))
        assert code(story, "kr", receipt(3, 2_000)) == "receipt-order"
        assert code(story, "kr", receipt(4, 1_999)) == "receipt-order"
        story.say("kr", receipt(4, 2_000))
        row = story.row("jp", "feed-receipt", f"{RELATIONSHIP}/jp/{FEED}")
        assert isinstance(row, FeedReceiptRow)
        assert (row.batches, row.messages) == (4, 2_000)

    def test_nobody_receipts_his_own_feed_nor_one_that_is_not_there(self, story: Story) -> None:
        running(story)
        assert code(story, "jp", receipt(1, 1)) == "unknown-feed"
        assert code(story, "kr", receipt(1, 1, feed="another")) == "unknown-feed"

    def test_originals_are_logged_once_at_home(self, story: Story) -> None:
        running(story)
        logged = FeedOriginals(
            relationship=RELATIONSHIP, feed=FEED, release="r-1", batch=0, batches=2, root=bytes([3]) * 32
        )
        assert not bodies.BODIES["feed-originals/1"].crosses
        story.say("jp", logged)
        assert code(story, "jp", logged) == "already-logged"
        assert code(story, "jp", replace(logged, batch=2, batches=0)) == "nothing-logged"
        assert code(story, "jp", replace(logged, feed="another")) == "unknown-feed"

    def test_who_was_shown_messages_is_recorded_at_home(self, story: Story) -> None:
        running(story)
        said = FeedRead(
            relationship=RELATIONSHIP,
            publisher="jp",
            feed=FEED,
            reader="n-kim",
            purpose="air defence",
            first=4,
            next=9,
            messages=5,
            basis=bytes([3]) * 32,
        )
        assert not bodies.BODIES["feed-read/1"].crosses
        story.say("kr", said)
        story.say("kr", replace(said, messages=1))
        assert code(story, "kr", replace(said, messages=6)) == "nothing-read"
        assert code(story, "kr", replace(said, messages=0)) == "nothing-read"
        assert code(story, "kr", replace(said, next=4)) == "nothing-read"
        assert code(story, "kr", replace(said, feed="another")) == "unknown-feed"


class TestWhatAnOriginatorIsTold:
    def made(self, **changes: object) -> Body:
        fields: dict[str, object] = {
            "release": "r-1",
            "feed": FEED,
            "to": "us",
            "host": "jp",
            "label": replace(LABEL, originator="kr"),
            "topic": "missiles",
            "purpose": "air defence",
            "until": UNTIL,
            "consents": (),
            **changes,
        }
        return FeedTold(**fields)

    def agrees(self, story: Story, **changes: object) -> None:
        fields: dict[str, object] = {
            "consent": "c-1",
            "granted": True,
            "topic": "missiles",
            "acts": ("feed",),
            "beneficiaries": ("us",),
            "purpose": "air defence",
            "until": UNTIL,
            "reason": "so agreed",
            "by": "n-other",
            "signature": unsigned(),
            **changes,
        }
        story.say("kr", signed(Consented(**fields), "n-other", "kr"))

    def test_it_is_told_once_and_once_that_it_is_over(self, story: Story) -> None:
        self.agrees(story)
        story.say("jp", self.made(consents=("c-1",)))
        assert code(story, "jp", self.made()) == "release-exists"
        story.say("jp", FeedOver(release="r-1", reason="enough"))
        assert code(story, "jp", FeedOver(release="r-1", reason="enough")) == "already-ended"
        assert story.rows("jp", FeedToldRow) == story.rows("kr", FeedToldRow)

    def test_its_consent_may_be_withdrawn_meanwhile(self, story: Story) -> None:
        self.agrees(story)
        taken = ConsentWithdrawn(consent="c-1", reason="no more", by="n-other", signature=unsigned())
        story.at_once(("jp", self.made(consents=("c-1",))), ("kr", signed(taken, "n-other", "kr")))
        assert story.rows("jp", FeedToldRow) == story.rows("kr", FeedToldRow)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"label": LABEL}, "not-originator"),
            ({"to": "kr"}, "not-originator"),
            ({"to": "jp"}, "not-originator"),
            ({"consents": ("c-9",)}, "unknown-consent"),
            ({"consents": ("c-1",), "to": "au"}, "other-consent"),
            ({"consents": ("c-1",), "purpose": "training"}, "other-consent"),
        ],
    )
    def test_it_is_refused(self, story: Story, changes: dict[str, object], expected: str) -> None:
        self.agrees(story)
        assert code(story, "jp", self.made(**changes)) == expected

    def test_a_consent_to_another_act_is_none_to_a_feed(self, story: Story) -> None:
        self.agrees(story, acts=("give",))
        assert code(story, "jp", self.made(consents=("c-1",))) == "other-consent"

    def marks(self, story: Story, **changes: object) -> Body:
        fields: dict[str, object] = {
            "release": "r-1",
            "feed": FEED,
            "mark": "군사 Ⅲ급 비밀",
            "reason": "no longer current",
            "by": "n-other",
            "after": next(iter(story.rows("kr", FeedToldRow).values())).record,
            "signature": unsigned(),
            **changes,
        }
        return signed(FeedMarked(**fields), "n-other", "kr")

    def test_it_says_how_it_marks_it_from_now_on(self, story: Story) -> None:
        story.say("jp", self.made())
        first = self.marks(story)
        story.say("kr", first)
        (row,) = story.rows("jp", FeedMarkRow).values()
        assert story.rows("kr", FeedMarkRow) == story.rows("jp", FeedMarkRow)
        assert row.mark == "군사 Ⅲ급 비밀"
        assert code(story, "kr", self.marks(story, mark="군사 Ⅱ급 비밀")) == "stale-act"
        assert code(story, "kr", self.marks(story, after=row.record)) == "no-change"
        story.say("kr", self.marks(story, mark="군사 Ⅱ급 비밀", after=row.record))

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"release": "r-9"}, "unknown-feed-told"),
            ({"feed": "another"}, "other-feed"),
            ({"mark": "極秘"}, "unknown-mark"),
            ({"after": bytes(32)}, "stale-act"),
            ({"by": "n-nobody"}, "other-signer"),
        ],
    )
    def test_how_it_marks_it_is_refused(self, story: Story, changes: dict[str, object], expected: str) -> None:
        story.say("jp", self.made())
        assert code(story, "kr", self.marks(story, **changes)) == expected

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"acts": ("give",)}, "not-a-feed"),
            ({"acts": ("feed", "give")}, "not-a-feed"),
            ({"origin": bytes([1]) * 32}, "not-a-feed"),
            ({"label": LABEL}, "not-originator"),
            ({"label": replace(LABEL, policy="kr", originator="kr")}, "other-label"),
            ({"label": replace(LABEL, mark="군사 Ⅱ급 비밀", originator="kr")}, "unknown-mark"),
            ({"beneficiary_kind": "party"}, "beneficiary-kind"),
            ({"until": START - timedelta(days=1)}, "ended-before-asked"),
        ],
    )
    def test_its_consent_is_asked_for_as_it_would_be_published(
        self, story: Story, changes: dict[str, object], expected: str
    ) -> None:
        fields: dict[str, object] = {
            "request": "r-7",
            "item": FEED,
            "origin": bytes(32),
            "label": replace(LABEL, originator="kr"),
            "acts": ("feed",),
            "beneficiaries": ("us",),
            "beneficiary_kind": "government",
            "purpose": "air defence",
            "reason": "so agreed",
            "until": UNTIL,
            "topic": "missiles",
            **changes,
        }
        assert code(story, "jp", ConsentAsked(**fields)) == expected

    def test_nothing_is_over_that_was_not_told(self, story: Story) -> None:
        assert code(story, "jp", FeedOver(release="r-1", reason="enough")) == "unknown-feed-told"
