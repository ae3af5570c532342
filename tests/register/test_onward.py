"""Passing on under rules that go by the item and by who gains: without a consent, with one, and never."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

import pytest

from comity.agreement.load import parse_agreement
from comity.register.occasions import consignment_subject
from comity.register.rows import CopyRow
from comity.register.rows.duties import DutiesRow
from comity.register.verdict import Changes, Verdict
from register import story as of_story
from register.consenting import UNTIL, allowed, answered, approved, asking, pass_requested, passed_on, standing
from register.story import RELATIONSHIP, Story

TEXT = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
WHOM = '[[body]]\nid = "us"\nname = { en = "The United States" }\ncircles = ["allies"]\nclient-of = ["kr"]\n'
RULE = TEXT[TEXT.index('id = "third-party"') :].partition("\n\n")[0]
Agree = Callable[..., None]


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> Agree:
    """The agreement with another rule on third parties."""

    def change(effect: str, when: str = 'beneficiary = ["third-party"]', unless: str = "", more: str = "") -> None:
        limits = f"when = {{ {when} }}\n" + (f"unless = {{ {unless} }}\n" if unless else "")
        rule = f'id = "third-party"\nclause = "6.a"\nacts = ["pass-on"]\n{limits}{effect}\n{more}'
        text = TEXT.replace(RULE, rule).replace("[scope]", f"{WHOM}\n[scope]", 1).replace('nations = ["kr"]\n', "")
        changed = parse_agreement(text.replace('nations = ["jp"]\n', ""), "changed.toml")
        monkeypatch.setattr(of_story, "agreement", lambda: changed)

    return change


def unasked() -> Story:
    """Nobody consented to anything; Seoul has approved among themselves."""
    story = asking()
    story.say("kr", pass_requested())
    story.say("kr", approved(story))
    return story


def passing(story: Story) -> Verdict:
    return story.try_("kr", passed_on(story, consents=()))


def code(verdict: Verdict) -> str:
    return verdict.code


def test_within_the_circle_no_consent_is_needed(agree: Agree) -> None:
    agree('consent = "originator"', unless='circle = ["allies"]')
    story = unasked()
    assert isinstance(passing(story), Changes)
    story.say("kr", passed_on(story, consents=()))
    copy = story.row("jp", "copy", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(copy, CopyRow)
    assert copy.state == "passed on"


def test_what_follows_is_owed_to_whom_it_came_from(agree: Agree) -> None:
    agree('consent = "originator"', unless='circle = ["allies"]')
    story = unasked()
    record = story.say("kr", passed_on(story, consents=()))
    for party in ("jp", "kr"):
        row = story.row(party, "duty", f"{RELATIONSHIP}/{consignment_subject('i-1', record.id)}")
        assert isinstance(row, DutiesRow)
        assert {(duty.obligation, duty.who, duty.to) for duty in row.duties} >= {("o-12", "kr", "jp")}


def test_to_a_client_of_who_passes_on(agree: Agree) -> None:
    agree('consent = "originator"', unless="client = true")
    assert isinstance(passing(unasked()), Changes)


def test_to_nobody_s_client(agree: Agree) -> None:
    agree('consent = "originator"', unless="client = true")
    story = unasked()
    other = {"beneficiary": "fr", "nationality": "fr", "consents": ()}
    assert code(story.try_("kr", passed_on(story, **other))) in {"no-consent", "other-item"}


@pytest.mark.parametrize(("mark", "found"), [("極秘", "no-consent"), ("秘", "changes")])
def test_by_level(agree: Agree, mark: str, found: str) -> None:
    agree('consent = "originator"', when=f'beneficiary = ["third-party"], level = ["{mark}"]')
    verdict = passing(unasked())
    assert (code(verdict) or verdict.word) == found


def test_what_is_forbidden_no_consent_lets_go(agree: Agree) -> None:
    agree("forbids = true")
    story = allowed()
    assert code(story.try_("kr", passed_on(story))) == "forbidden"


def test_a_rule_that_was_not_checked_refuses_nothing(agree: Agree) -> None:
    agree('consent = "originator"', more='provenance = "K"\n')
    assert isinstance(passing(unasked()), Changes)


@pytest.mark.parametrize(("itself", "found"), [(True, "changes"), (False, "no-consent")])
def test_a_consent_for_the_item_itself(agree: Agree, itself: bool, found: str) -> None:
    agree('consent = "originator"\nper-item = true')
    story = asking()
    story.say("jp", answered(until=UNTIL) if itself else standing(until=UNTIL))
    story.say("kr", pass_requested())
    story.say("kr", approved(story))
    verdict = story.try_("kr", passed_on(story))
    assert (code(verdict) or verdict.word) == found
