"""Obligations on some items only are laid on those, by both sides alike (``spec/agreement.md`` step 6)."""

from __future__ import annotations

from importlib import resources

import pytest

from comity.agreement.load import parse_agreement
from comity.register.rows.duties import DutiesRow, Duty
from register import story as of_story
from register.story import RELATIONSHIP, Story
from register.test_ending import destroyed, ended, notified, reclassified, story_of, witnessed

OBLIGATION = """
[[obligation]]
id = "{id}"
clause = "13"
on = "{on}"
who = "recipient"
act = "{act}"
to = "originator"
evidence = "the record"
when = {{ {when} }}
"""
MORE = "".join(
    OBLIGATION.format(id=name, on=on, act=act, when=when)
    for name, on, act, when in (
        ("secret-destroyed", "destroyed", "notify", 'level-at-least = "SECRET"'),
        ("restricted-destroyed", "destroyed", "notify", 'level = ["秘"]'),
        ("secret-ended", "purpose-ended", "return-or-destroy", 'level-at-least = "SECRET", form = ["electronic"]'),
        ("paper-ended", "purpose-ended", "return-or-destroy", 'form = ["documentary"]'),
    )
)
TEXT = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def more_obligations(monkeypatch: pytest.MonkeyPatch) -> None:
    extended = parse_agreement(TEXT + MORE, "more.toml")
    monkeypatch.setattr(of_story, "agreement", lambda: extended)


def duties(story: Story, subject: str) -> dict[str, Duty]:
    """The duties about a subject, which both sides see alike."""
    rows = [story.row(party, "duty", f"{RELATIONSHIP}/{subject}") for party in ("jp", "kr")]
    assert rows[0] == rows[1]
    return {duty.obligation: duty for duty in rows[0].duties} if isinstance(rows[0], DutiesRow) else {}


def test_of_a_destruction_the_originator_is_told_where_the_text_asks_it() -> None:
    story = story_of()
    record = story.say("kr", destroyed(story))
    found = duties(story, "i-1/d-1")
    assert set(found) == {"secret-destroyed"}
    assert (found["secret-destroyed"].who, found["secret-destroyed"].to) == ("kr", "jp")
    assert found["secret-destroyed"].discharged == record.id


def test_it_is_told_when_the_certificate_is_complete() -> None:
    story = story_of()
    story.say("kr", destroyed(story, witnesses=1))
    assert duties(story, "i-1/d-1") == {}
    record = story.say("kr", witnessed(story))
    assert duties(story, "i-1/d-1")["secret-destroyed"].discharged == record.id


def test_a_level_that_was_changed_counts_as_it_is() -> None:
    story = story_of()
    story.say("jp", reclassified(story))
    story.say("jp", notified(story))
    story.say("kr", destroyed(story))
    assert set(duties(story, "i-1/d-1")) == {"restricted-destroyed"}


@pytest.mark.parametrize(("form", "laid"), [("electronic", "secret-ended"), ("documentary", "paper-ended")])
def test_what_an_item_is_decides_which_duty_is_laid(form: str, laid: str) -> None:
    story = story_of(form)
    story.say("kr", ended(story))
    assert set(duties(story, "e-1")) == {"o-6h", laid}
