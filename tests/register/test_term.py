"""Notes about the end of an agreement: what is accepted, and what is not (``spec/term.md`` steps 11 and 12)."""

from __future__ import annotations

import msgspec
import pytest

from comity.record.bodies import Body
from comity.record.bodies.term import EndNoteTold
from comity.record.person_act import unsigned
from comity.register import term
from comity.register.rows.duties import DutiesRow
from comity.register.rows.term import EndNotesRow
from comity.register.verdict import Rejection
from register.story import RELATIONSHIP, Story, agreement, listed, signed, told


@pytest.fixture
def story() -> Story:
    """Lee in Seoul and Oda in Tokyo are agreement authorities, Sato in Tokyo is an officer."""
    story = told("peered")
    story.say("jp", listed("oda", ("agreement-authority",), nationality="jp", serves="jp"))
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    return story


def note(story: Story, step: str = "notice", party: str = "kr", **changes: object) -> Body:
    signer = str(changes.pop("signer", "n-lee" if party == "kr" else "n-oda"))
    row = story.row("jp", "end-notes", f"{RELATIONSHIP}/{party}")
    fields: dict[str, object] = {
        "notice": "e-1",
        "step": step,
        "note": "NV 114/2026",
        "day": "2026-11-21",
        "by": signer,
        "after": row.last if isinstance(row, EndNotesRow) else bytes(32),
        "signature": unsigned(),
        **changes,
    }
    return signed(EndNoteTold(**fields), signer, party)


def test_a_notice_its_suspension_reactivation_and_withdrawal_follow_on_one_another(story: Story) -> None:
    for step in ("notice", "suspension", "reactivation", "suspension", "withdrawal"):
        story.say("kr", note(story, step))
    for party in ("jp", "kr"):
        row = story.row(party, "end-notes", f"{RELATIONSHIP}/kr")
        assert isinstance(row, EndNotesRow)
        assert row.steps("e-1") == ("notice", "suspension", "reactivation", "suspension", "withdrawal")
    story.say("kr", note(story, notice="e-2"))  # the first was withdrawn, so that another can be given


def test_the_duty_to_give_written_notice_is_opened_and_discharged_by_it(story: Story) -> None:
    story.say("kr", note(story))
    for party in ("jp", "kr"):
        row = story.row(party, "duty", f"{RELATIONSHIP}/e-1")
        assert isinstance(row, DutiesRow)
        ((obligation, who, discharged),) = [(each.obligation, each.who, each.discharged) for each in row.duties]
        assert (obligation, who) == ("o-21.3", "kr")
        assert discharged is not None
    story.say("kr", note(story, "suspension"))
    row = story.row("jp", "duty", f"{RELATIONSHIP}/e-1")
    assert isinstance(row, DutiesRow)
    assert len(row.duties) == 1


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        ([], {"step": "suspension"}, "unknown-notice"),
        ([], {"step": "withdrawal"}, "unknown-notice"),
        (["notice"], {"step": "withdrawal", "notice": "e-2"}, "unknown-notice"),
        (["notice"], {"step": "reactivation"}, "no-such-step"),
        (["notice"], {"step": "notice"}, "no-such-step"),
        (["notice", "withdrawal"], {"step": "suspension"}, "no-such-step"),
        (["notice", "withdrawal"], {"step": "withdrawal"}, "no-such-step"),
        (["notice"], {"notice": "e-2"}, "notice-stands"),
        (["notice", "suspension"], {"notice": "e-2"}, "notice-stands"),
        ([], {"day": "2026-11-23"}, "day-ahead"),
        ([], {"day": "2026-02-30"}, "bad-day"),
        (["notice"], {"step": "suspension", "day": "2026-11-20"}, "day-before"),
        (["notice"], {"step": "suspension", "after": bytes(32)}, "stale-act"),
        ([], {"party": "jp", "signer": "n-sato"}, "no-role"),
        ([], {"by": "n-kim"}, "other-signer"),
        ([], {"channel": "post"}, "other-channel"),
    ],
)
def test_what_cannot_follow_is_rejected(
    story: Story, before: list[str], changes: dict[str, object], expected: str
) -> None:
    for step in before:
        story.say("kr", note(story, step))
    author = str(changes.get("party", "kr"))
    assert story.try_(author, note(story, **changes)).code == expected


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ([], {"step": "suspension"}),
        (["notice"], {"step": "notice"}),
        (["notice"], {"notice": "e-2"}),
        ([], {"channel": "post"}),
    ],
)
def test_a_refusal_names_the_clause(story: Story, before: list[str], changes: dict[str, object]) -> None:
    for step in before:
        story.say("kr", note(story, step))
    verdict = story.try_("kr", note(story, **changes))
    assert isinstance(verdict, Rejection)
    assert verdict.sentence.endswith("(Article 21.3)")


def test_an_agreement_that_no_notice_ends_takes_none(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    without = msgspec.structs.replace(agreement(), term=msgspec.structs.replace(agreement().term, notice=None))
    monkeypatch.setattr("register.story.agreement", lambda: without)
    assert story.try_("kr", note(story)).code == "no-notice"


def test_the_note_itself_is_cited(story: Story) -> None:
    story.say("kr", note(story, channel="diplomatic", document=bytes([5]) * 32))
    for party in ("jp", "kr"):
        row = story.row(party, "end-notes", f"{RELATIONSHIP}/kr")
        assert isinstance(row, EndNotesRow)
        assert (row.notes[0].note, row.notes[0].channel, row.notes[0].document) == (
            "NV 114/2026",
            "diplomatic",
            bytes([5]) * 32,
        )


def test_a_notice_is_nobody_elses_to_suspend(story: Story) -> None:
    story.say("kr", note(story))
    assert story.try_("jp", note(story, "suspension", "jp")).code == "unknown-notice"
    story.say("jp", note(story, party="jp", notice="e-9"))  # each party may give its own


def test_there_is_a_bound_on_notes(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term, "NOTES_KEPT", 2)
    story.say("kr", note(story))
    story.say("kr", note(story, "suspension"))
    assert story.try_("kr", note(story, "withdrawal")).code == "too-many-notes"
