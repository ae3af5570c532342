"""Loss and compromise: each record accepted once on both sides, and refused for each reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from comity.agreement.model import Obligation
from comity.record.bodies import Body
from comity.record.bodies.incidents import CopyNamed, IncidentAffected, IncidentOpened, InvestigationOpened
from comity.record.person_act import unsigned
from comity.register.incidents import OCCASIONS
from comity.register.rows.duties import DutiesRow
from comity.register.rows.incidents import AffectedRow, SuspicionRow
from comity.register.verdict import Changes, Occurrence, Rejection
from register import story as told
from register.families import (
    closed,
    derived,
    ended,
    incident,
    investigated,
    received,
    registered,
    released,
    reported,
    translated,
    widened,
)
from register.story import RELATIONSHIP, Story, adopted, item, signed


def code(story: Story, body: Body, author: str = "kr") -> str:
    verdict = story.try_(author, body)
    assert isinstance(verdict, Rejection), verdict
    return verdict.code


def suspected(story: Story, item: str = "i-1", party: str = "jp") -> tuple[str, ...]:
    row = story.row(party, "suspicion", f"{RELATIONSHIP}/{item}")
    assert row is None or isinstance(row, SuspicionRow)
    return row.incidents if row is not None else ()


def duties(story: Story, party: str = "jp") -> dict[str, bool]:
    """Obligations about the incident, and whether they are still open."""
    row = story.row(party, "duty", f"{RELATIONSHIP}/x-1")
    assert isinstance(row, DutiesRow)
    return {duty.obligation: duty.open for duty in row.duties}


def lost() -> Story:
    story = translated()
    story.say("kr", reported(items=("i-1", "i-2")))
    return story


def test_the_originator_has_it_as_the_holder_does() -> None:
    story = lost()
    row = incident(story)
    assert row is not None
    assert (row.author, row.what, row.items, row.copies) == ("kr", "lost", ("i-1", "i-2"), (("i-1", 1),))
    for party in ("jp", "kr"):
        assert suspected(story, "i-1", party) == suspected(story, "i-2", party) == ("x-1",)


def test_three_duties_one_done_at_once_two_to_follow() -> None:
    story = lost()
    for party in ("jp", "kr"):
        assert duties(story, party) == {"o-17-notify": False, "o-17-investigate": True}
    story.say("kr", investigated(story))
    assert duties(story) == {"o-17-notify": False, "o-17-investigate": False}
    story.say("kr", ended(story, measures=""))
    assert duties(story)["o-17-report"]
    story.say("kr", ended(story, result=""))
    assert not any(duties(story).values())


def test_who_owes_what_does_not_hang_on_who_has_acknowledged_a_new_text() -> None:
    story = received()
    story.say("jp", adopted("kr", digest=bytes(32)))
    story.say("kr", reported())
    row = {party: story.row(party, "duty", f"{RELATIONSHIP}/x-1") for party in ("jp", "kr")}
    assert isinstance(row["jp"], DutiesRow)
    assert row["jp"] == row["kr"]
    assert {duty.who for duty in row["jp"].duties} == {"kr"}


def test_a_result_with_its_measures_is_reported_at_once() -> None:
    story = lost()
    story.say("kr", investigated(story))
    story.say("kr", ended(story))
    assert duties(story)["o-17-report"] is False
    row = incident(story)
    assert row is not None
    assert row.reported is not None


def test_from_the_report_to_the_end() -> None:
    story = lost()
    story.say("kr", investigated(story))
    story.say("kr", ended(story))
    story.say("kr", released(story))
    assert suspected(story) == suspected(story, "i-2") == ()
    story.say("kr", closed(story))
    row = incident(story)
    assert row is not None
    assert row.closed is not None
    assert not row.false_alarm


def test_a_false_alarm_ends_what_is_owed_and_what_is_suspended() -> None:
    story = lost()
    story.say("kr", closed(story, false_alarm=True, reason="it was in the copying room"))
    assert not any(duties(story).values())
    assert suspected(story) == suspected(story, "i-2", "kr") == ()
    row = incident(story)
    assert row is not None
    assert row.released == row.closed


def test_one_of_two_incidents_leaves_the_other_suspicion() -> None:
    story = lost()
    story.say("kr", reported(incident="x-2"))
    assert suspected(story) == ("x-1", "x-2")
    story.say("kr", closed(story, false_alarm=True))
    assert suspected(story) == ("x-2",)
    assert suspected(story, "i-2") == ()


REFUSED: list[tuple[str, Callable[[Story], Body]]] = [
    ("other-signer", lambda _: reported(by="n-other")),
    ("unknown-key", lambda _: reported(key="other")),
    ("not-third-ground", lambda _: reported(ground="jp")),
    ("not-received", lambda _: reported(items=("i-9",), copies=())),
    ("other-item", lambda _: reported(copies=(CopyNamed("i-2", 1),))),
    ("unknown-copy", lambda _: reported(copies=(CopyNamed("i-1", 7),))),
    ("unknown-incident", lambda _: widened()),
    ("unknown-incident", investigated),
    ("unknown-incident", ended),
    ("unknown-incident", released),
    ("unknown-incident", closed),
]


@pytest.mark.parametrize(("expected", "make"), REFUSED)
def test_a_report_that_is_wrong_is_refused_on_both_sides(expected: str, make: Callable[[Story], Body]) -> None:
    story = translated()
    assert code(story, make(story)) == expected


FOLLOWING_REFUSED: list[tuple[str, Callable[[Story], Body]]] = [
    ("incident-exists", lambda _: reported()),
    ("no-role", lambda story: investigated(story, signer="n-kim")),
    ("stale-act", lambda story: investigated(story, after=bytes(32))),
    ("not-investigated", ended),
    ("not-reported", closed),
    ("no-reason", lambda story: closed(story, false_alarm=True, reason="")),
    ("no-role", lambda story: released(story, signer="n-kim")),
    ("part", lambda _: widened(part=2)),
    ("not-received", lambda _: widened(items=("i-9",))),
]


@pytest.mark.parametrize(("expected", "make"), FOLLOWING_REFUSED)
def test_what_does_not_follow_is_refused_on_both_sides(expected: str, make: Callable[[Story], Body]) -> None:
    story = lost()
    assert code(story, make(story)) == expected


def test_nothing_is_said_twice_and_nothing_after_the_end() -> None:
    story = lost()
    story.say("kr", investigated(story))
    assert code(story, investigated(story)) == "already-investigated"
    assert code(story, ended(story, result="", measures="")) == "no-result"
    story.say("kr", released(story))
    assert code(story, released(story)) == "already-released"
    story.say("kr", closed(story, false_alarm=True))
    for body in (ended(story), released(story), closed(story), widened()):
        assert code(story, body) == "closed"


def test_the_giver_does_not_report_what_it_gave_nor_go_on_with_it() -> None:
    story = received()
    assert code(story, reported("n-abe", "jp", copies=()), "jp") == "not-received"
    story.say("kr", reported())
    for make in (ended, released, closed):
        assert code(story, make(story, signer="n-abe", party="jp"), "jp") == "not-reporter"
    assert code(story, investigated(story, signer="n-abe", party="jp"), "jp") == "not-reporter"


def test_on_the_ground_of_a_third_party_the_giver_investigates_too() -> None:
    """Neither side's records depend on what the other says at the same time."""
    story = received()
    story.say("kr", reported(ground="ocean-shipping"))
    row = incident(story)
    assert row is not None
    ours = investigated(story, signer="n-abe", party="jp", after=row.record)
    story.say("kr", investigated(story))
    story.say("jp", ours)
    row = incident(story)
    assert row is not None
    assert row.followed is not None
    assert row.investigated is not None
    again = investigated(story, signer="n-abe", party="jp", after=row.following)
    assert code(story, again, "jp") == "already-investigated"
    assert code(story, ours, "jp") == "stale-act"
    story.say("kr", ended(story))


def test_what_no_agreement_says_lays_no_duty_on_the_giver() -> None:
    """A loss on third ground is an event of its own; the agreement of 2016 has no obligation on it."""
    story = received()
    record = story.say("kr", reported(ground="ocean-shipping"))
    register = story.registers["jp"]
    occasions = OCCASIONS[type(record.body)](register.context(story.now), register.rows, record)
    events = [each.event for each in occasions if isinstance(each, Occurrence)]
    assert events == ["loss-suspected", "loss-on-third-ground"]
    assert set(duties(story)) == {"o-17-notify", "o-17-investigate"}


def test_where_an_agreement_says_so_the_giver_owes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = told.agreement()
    owed = Obligation(
        id="o-third",
        clause="17",
        on="loss-on-third-ground",
        who="originator",
        act="investigate",
        evidence="its opening",
    )
    other = msgspec.structs.replace(agreement, obligations=(*agreement.obligations, owed), digest="17" * 32)
    monkeypatch.setattr(told, "agreement", lambda: other)
    story = received()
    story.say("kr", reported(ground="ocean-shipping"))
    row = story.row("jp", "duty", f"{RELATIONSHIP}/x-1")
    assert isinstance(row, DutiesRow)
    assert {(duty.obligation, duty.who) for duty in row.duties if duty.open} == {
        ("o-17-investigate", "kr"),
        ("o-third", "jp"),
    }
    reported_by = incident(story)
    assert reported_by is not None
    follows = InvestigationOpened(
        incident="x-1", note="ours", by="n-abe", after=reported_by.record, signature=unsigned()
    )
    story.say("jp", signed(follows, "n-abe"))
    row = story.row("kr", "duty", f"{RELATIONSHIP}/x-1")
    assert isinstance(row, DutiesRow)
    assert {duty.obligation for duty in row.duties if duty.open} == {"o-17-investigate"}


def test_parts_are_remembered_so_that_all_of_it_is_released() -> None:
    story = received()
    story.say("kr", reported(copies=(), what="suspected"))
    for number in (2, 3):
        story.say("kr", registered(f"i-{number}"))
        story.say("kr", derived(f"i-{number}"))
        story.say("kr", widened(part=number - 1, items=(f"i-{number}",)))
    assert [suspected(story, f"i-{number}") for number in (1, 2, 3)] == [("x-1",)] * 3
    story.say("kr", released(story))
    for party in ("jp", "kr"):
        assert [suspected(story, f"i-{number}", party) for number in (1, 2, 3)] == [()] * 3


def test_an_item_that_was_never_given_is_nobodys_to_report() -> None:
    """Its own item, which the giver kept; and one of which only the giver knows."""
    story = received()
    story.say("jp", item(item="i-4"))
    record = story.write("kr", reported(items=("i-9",), copies=()))
    assert isinstance(story.registers["jp"].judge(record, story.now), Rejection)
    assert code(story, reported(items=("i-9",), copies=())) == "not-received"


# ---- the house's own ------------------------------------------------------------------------------------------------


def opened(**changes: object) -> Body:
    fields: dict[str, object] = {
        "incident": "x-1",
        "what": "lost",
        "items": ("i-1",),
        "circumstances": "not in its safe",
        "told": (RELATIONSHIP,),
        "affected_items": 1,
        "affected_copies": 1,
        "holders": 1,
        "digest": bytes(32),
        "by": "p-kim",
        "signature": unsigned(),
        **changes,
    }
    return signed(IncidentOpened(**fields), "p-kim", "kr")


def test_the_house_records_the_whole_of_it_in_parts() -> None:
    story = received()
    story.say("kr", opened())
    for part in (1, 2):
        story.say("kr", IncidentAffected(incident="x-1", part=part, items=("i-1",)))
    row = story.row("kr", "affected", "x-1")
    assert isinstance(row, AffectedRow)
    assert (row.parts, row.told) == (2, (RELATIONSHIP,))
    assert code(story, opened()) == "incident-exists"
    assert code(story, IncidentAffected(incident="x-1", part=2, items=())) == "part"
    assert code(story, IncidentAffected(incident="x-7", part=1, items=())) == "unknown-affected"


def test_the_house_report_is_its_reporters_own() -> None:
    story = received()
    assert isinstance(story.try_("kr", opened()), Changes)
    forged = signed(IncidentOpened(**{**_fields(opened()), "by": "p-kim"}), "p-kim", "kr", "other")
    assert code(story, forged) == "unknown-key"


def _fields(body: Body) -> dict[str, object]:
    return {name: getattr(body, name) for name in body.__struct_fields__}
