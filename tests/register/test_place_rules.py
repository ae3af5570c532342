"""People and places: each record accepted once, and refused for each reason (``spec/places.md``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from comity.record import bodies
from comity.record.bodies import Body
from comity.record.bodies import places as made
from comity.record.person_act import unsigned
from comity.register.conditions import PARENTS_MAX, conditions_met, evidenced, is_cleared
from comity.register.roles import APART, ROLES
from comity.register.rows import FacilityRow, PersonRow
from comity.register.rows.giving import Evidence
from comity.register.rows.places import PersonThenRow, PostingRow
from comity.register.verdict import Changes, Rejection
from register.story import KEYS, RELATIONSHIP, START, YEAR, Story, listed, person, signed, told

Make = Callable[[Story], Body]
CONTRACTOR = "hanbit"
DAY = timedelta(days=1)


def said(kind: type[Body], signer: str, key: str = "", **fields: object) -> Body:
    return signed(kind(signature=unsigned(), **fields), signer, key=key)


def clearance(story: Story, who: str = "p-sato", signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": who,
        "mark": "極秘",
        "until": story.now + YEAR,
        "basis": "vetted",
        "after": story.last("person", who),
        "all_information": True,
        **changes,
    }
    return said(bodies.ClearanceGranted, signer, **fields)


def withdrawn(story: Story, who: str = "p-sato") -> Body:
    return said(bodies.ClearanceWithdrawn, "p-ito", person=who, reason="moved", after=story.last("person", who))


def facility(story: Story, name: str = "tower", signer: str = "p-ito", **changes: object) -> Body:
    known = story.row("jp", "facility", name)
    fields: dict[str, object] = {
        "facility": name,
        "mark": "極秘",
        "until": START + YEAR,
        "conditions": (),
        "evidence": "order 12",
        "after": story.last("facility", name) if known else None,
        **changes,
    }
    return said(bodies.FacilityRegistered, signer, **fields)


def posting(story: Story, who: str = "p-sato", site: str = "tower", signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": who,
        "facility": site,
        "posted": True,
        "after": story.last("person", who),
        **changes,
    }
    return said(made.Posted, signer, **fields)


def briefing(story: Story, who: str = "p-sato", signer: str = "", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": who,
        "on": "duties",
        "material": "instruction 4",
        "given_by": "p-ito",
        "after": story.last("person", who),
        **changes,
    }
    return said(made.Briefed, signer or who, key, **fields)


def officer(story: Story, site: str = "tower", signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "facility": site,
        "person": "p-sato",
        "authority": "course 2026, order 12",
        "after": story.last("facility", site),
        **changes,
    }
    return said(made.OfficerNamed, signer, **fields)


def inspection(story: Story, site: str = CONTRACTOR, signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "facility": site,
        "findings": "in order",
        "due": story.now + YEAR,
        "by": signer,
        "after": story.last("facility", site),
        **changes,
    }
    return said(made.Inspected, signer, **fields)


def condition(story: Story, clause: str = "16.a", signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "facility": CONTRACTOR,
        "condition": clause,
        "met": True,
        "evidence": "file 7",
        "until": None,
        "after": story.last("facility", CONTRACTOR),
        **changes,
    }
    return said(made.ConditionEvidenced, signer, **fields)


def removal(story: Story, who: str = "p-sato", signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {"person": who, "reason": "left", "after": story.last("person", who), **changes}
    return said(made.PersonRemoved, signer, **fields)


def placed(*, peered: bool = False) -> Story:
    """A tower of the government, a contractor's works; sato is cleared, oda is not."""
    story = told("peered" if peered else "founded")
    story.say("jp", clearance(story))
    story.say("jp", facility(story))
    story.say("jp", facility(story, CONTRACTOR, nature="contractor"))
    return story


def posted() -> Story:
    story = placed()
    story.say("jp", posting(story))
    return story


def staffed() -> Story:
    story = posted()
    story.say("jp", officer(story))
    story.say("jp", condition(story))
    return story


def worker(story: Story) -> Story:
    """Somebody who works for the contractor, cleared."""
    story.say("jp", person("other", ("reader",), employer="contractor", firm=CONTRACTOR))
    story.say("jp", clearance(story, "p-other"))
    return story


ACCEPTED: list[tuple[Callable[[], Story], Make]] = [
    (placed, lambda story: person("sato", ("officer",), after=story.last("person", "p-sato"))),
    (placed, posting),
    (placed, lambda story: posting(story, signer="root")),
    (posted, lambda story: posting(story, posted=False)),
    (placed, briefing),
    (placed, lambda story: briefing(story, given_by="root")),
    (staffed, lambda story: briefing(story, "p-oda", given_by="p-ito")),
    (placed, officer),
    (staffed, lambda story: officer(story, person=None, authority="")),
    (placed, inspection),
    (placed, lambda story: inspection(story, "tower", due=None)),
    (placed, condition),
    (staffed, lambda story: condition(story, met=False, evidence="")),
    (placed, lambda story: condition(story, until=story.now + DAY, borne_out="briefings")),
    (posted, removal),
    (placed, lambda story: facility(story, mark="秘")),
    (placed, lambda story: facility(story, "works-2", nature="contractor", parent=CONTRACTOR)),
    (placed, lambda story: facility(story, "node", nature="system")),
]

REFUSED: list[tuple[Callable[[], Story], Make, str]] = [
    # people
    (placed, lambda _: person("sato", ("officer",), after=bytes(32)), "stale-act"),
    (placed, lambda _: person("kim", ("reader",), after=b"\x01" * 32), "stale-act"),
    (placed, lambda story: clearance(story, decided_by="p-sato"), "own-clearance"),
    (placed, lambda story: removal(story, "p-ito"), "own-clearance"),
    (placed, lambda story: removal(story, signer="p-sato"), "no-role"),
    (placed, lambda story: removal(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: briefing(story, key="oda"), "unknown-key"),
    (placed, lambda story: briefing(story, signer="p-ito"), "unknown-key"),
    (placed, lambda story: briefing(story, given_by="p-sato"), "self-briefing"),
    (placed, lambda story: briefing(story, given_by="p-oda"), "no-role"),
    (placed, lambda story: briefing(story, given_by="p-nobody"), "unknown-person"),
    (placed, lambda story: briefing(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: posting(story, "p-oda"), "not-cleared"),
    (placed, lambda story: posting(story, "p-nobody"), "unknown-person"),
    (placed, lambda story: posting(story, site="nowhere"), "unknown-facility"),
    (placed, lambda story: posting(story, signer="p-abe"), "no-role"),
    (placed, lambda story: posting(story, posted=False), "not-posted"),
    (placed, lambda story: posting(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: posting(story, under=("us-jp/jp.us",)), "unknown-agreement"),
    (posted, posting, "already-posted"),
    (lambda: worker(placed()), lambda story: posting(story, "p-other"), "other-site"),
    # sites
    (placed, lambda story: facility(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: facility(story, "works-2", nature="contractor", parent="nobody"), "unknown-facility"),
    (placed, lambda story: facility(story, "works-2", nature="contractor", parent="tower"), "not-a-contractor"),
    (placed, lambda story: facility(story, "works-2", parent=CONTRACTOR), "not-a-contractor"),
    (placed, lambda story: facility(story, CONTRACTOR, nature="contractor", parent=CONTRACTOR), "other-parent"),
    (placed, lambda story: officer(story, person="p-oda"), "not-cleared"),
    (placed, lambda story: officer(story, person="p-nobody"), "unknown-person"),
    (placed, lambda story: officer(story, authority=""), "no-authority"),
    (placed, lambda story: officer(story, person=None), "no-officer"),
    (placed, lambda story: officer(story, site="nowhere"), "unknown-facility"),
    (placed, lambda story: officer(story, signer="p-abe"), "no-role"),
    (placed, lambda story: officer(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: officer(story, person="p-ito"), "own-post"),
    (placed, lambda story: inspection(story, findings=""), "no-findings"),
    (placed, lambda story: inspection(story, due=START), "due-passed"),
    (placed, lambda story: inspection(story, by="p-sato"), "other-signer"),
    (placed, lambda story: inspection(story, signer="p-abe"), "no-role"),
    (placed, lambda story: inspection(story, after=bytes(32)), "stale-act"),
    (placed, lambda story: inspection(story, under=("us-jp/jp.us",)), "unknown-agreement"),
    (placed, lambda story: condition(story, evidence=""), "no-evidence"),
    (placed, lambda story: condition(story, until=START), "ended-evidence"),
    (placed, lambda story: condition(story, met=False), "not-evidenced"),
    (placed, lambda story: condition(story, signer="p-abe"), "no-role"),
    (placed, lambda story: condition(story, after=bytes(32)), "stale-act"),
]


@pytest.mark.parametrize(("point", "make"), ACCEPTED)
def test_accepted(point: Callable[[], Story], make: Make) -> None:
    story = point()
    assert isinstance(story.try_("jp", make(story)), Changes)


@pytest.mark.parametrize(("point", "make", "code"), REFUSED)
def test_refused(point: Callable[[], Story], make: Make, code: str) -> None:
    story = point()
    verdict = story.try_("jp", make(story))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code
    assert verdict.sentence[0].islower() or verdict.sentence[0] in "'\"1"
    assert not verdict.sentence.endswith(".")


def row_of(story: Story, who: str = "p-sato") -> PersonRow:
    row = story.row("jp", "person", who)
    assert isinstance(row, PersonRow)
    return row


def site_of(story: Story, name: str) -> FacilityRow:
    row = story.row("jp", "facility", name)
    assert isinstance(row, FacilityRow)
    return row


# ---- roles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "roles", [(role, other) for role, others, _ in APART for other in sorted(others)], ids="-".join
)
def test_some_roles_nobody_has_together(roles: tuple[str, str]) -> None:  # (3)
    story = told("founded")
    verdict = story.try_("jp", person("kim", roles))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "roles-apart"
    assert "two people" in verdict.sentence
    story.say("jp", person("kim", roles[:1]))  # nor by a change afterwards
    changed = person("kim", roles, after=story.last("person", "p-kim"))
    assert story.try_("jp", changed).code == "roles-apart"


def test_no_role_both_releases_and_audits_and_the_administrator_does_neither() -> None:  # (3)
    apart = {role: others for role, others, _ in APART}
    assert "release-authority" in apart["auditor"]
    assert apart["administrator"] == set(ROLES) - {"administrator"}


# ---- what stays, and what is kept -----------------------------------------------------------------------------------


def test_a_change_keeps_what_the_person_holds_but_not_a_posting_at_another_firms_site() -> None:  # (1)
    story = worker(placed())
    story.say("jp", briefing(story, "p-other", given_by="root"))
    story.say("jp", posting(story, "p-other", CONTRACTOR))
    story.say("jp", facility(story, "works-2", nature="contractor"))
    changes = {"employer": "contractor", "firm": CONTRACTOR, "after": story.last("person", "p-other")}
    story.say("jp", person("other", ("reader",), function="second desk", **changes))
    assert (row := row_of(story, "p-other")).function == "second desk"
    assert (row.clearance, row.site, row.briefed) == ("極秘", CONTRACTOR, ("duties",))
    changes |= {"firm": "works-2", "after": story.last("person", "p-other")}
    story.say("jp", person("other", ("reader",), **changes))
    assert (row_of(story, "p-other").clearance, row_of(story, "p-other").site) == ("極秘", None)
    ended = story.row("jp", "posting", f"{CONTRACTOR}/p-other")
    assert isinstance(ended, PostingRow)
    assert ended.ended == story.now


def test_withdrawing_a_clearance_ends_the_posting_and_what_may_be_received() -> None:  # (5)
    story = posted()
    story.say("jp", withdrawn(story))
    row = row_of(story)
    assert (row.clearance, row.site, row.stopped, row.clearing) == (None, None, True, None)
    assert isinstance(posting_row := story.row("jp", "posting", "tower/p-sato"), PostingRow)
    assert posting_row.ended == story.now
    story.say("jp", clearance(story))
    assert (row_of(story).stopped, row_of(story).site) == (False, None)


def test_how_somebody_stood_is_kept_under_each_instant() -> None:  # (1)
    story = posted()
    story.say("jp", withdrawn(story))
    then = [row for (table, key), row in story.registers["jp"].rows.items() if key.startswith("p-sato/")]
    assert [row.person.clearance for row in then if isinstance(row, PersonThenRow)] == [None, "極秘", "極秘", None]
    assert [row.person.site for row in then if isinstance(row, PersonThenRow)] == [None, None, "tower", None]


def test_who_left_is_not_changed_cleared_posted_or_briefed_again() -> None:  # (2)
    story = posted()
    story.say("jp", removal(story))
    row = row_of(story)
    assert (row.removed, row.roles, row.clearance, row.site, row.topics) == (True, (), None, None, ())
    for body in (
        clearance(story),
        posting(story),
        briefing(story),
        removal(story),
        person("sato", ("officer",), after=story.last("person", "p-sato")),
    ):
        assert story.try_("jp", body).code == "removed-person"


def test_an_old_approval_of_a_site_cannot_be_recorded_again() -> None:  # (8)
    story = placed()
    first = story.said["facility/1"].body
    assert first is not None
    higher = facility(story, mark="極秘")
    story.say("jp", higher)
    story.say("jp", facility(story, mark="秘"))
    assert story.try_("jp", higher).code == "stale-act"


def test_changing_an_approval_keeps_officer_evidence_and_inspections() -> None:  # (8)
    story = staffed()
    story.say("jp", inspection(story))
    before = site_of(story, CONTRACTOR)
    story.say("jp", facility(story, CONTRACTOR, nature="contractor", conditions=("16.b",)))
    after = site_of(story, CONTRACTOR)
    assert (after.evidenced, after.inspected) == (before.evidenced, before.inspected)
    assert (after.conditions, after.inspection_due) == (("16.b",), before.inspection_due)
    story.say("jp", facility(story))
    assert site_of(story, "tower").officer == "p-sato"


def test_nobody_inspects_a_site_that_he_answers_for() -> None:  # (10)
    story = placed()
    story.say("jp", clearance(story, "p-ito", "root"))
    story.say("jp", officer(story, CONTRACTOR, "root", person="p-ito"))
    assert story.try_("jp", inspection(story)).code == "own-site"


def test_a_responsible_officer_briefs_the_people_of_his_site() -> None:  # (7)
    story = staffed()
    story.say("jp", clearance(story, "p-oda"))
    story.say("jp", posting(story, "p-oda"))
    assert isinstance(story.try_("jp", briefing(story, "p-oda", given_by="p-sato")), Changes)
    assert story.try_("jp", briefing(story, "p-abe", given_by="p-sato")).code == "no-role"  # who is posted elsewhere


# ---- evidence -------------------------------------------------------------------------------------------------------


def test_what_ended_or_was_withdrawn_is_missing() -> None:  # (11)
    story = placed()
    story.say("jp", facility(story, CONTRACTOR, nature="contractor", conditions=("16.b", "16.c")))
    story.say("jp", condition(story, until=story.now + 10 * DAY))
    assert set(evidenced(site_of(story, CONTRACTOR), story.now)) == {"16.a", "16.b", "16.c"}
    assert set(evidenced(site_of(story, CONTRACTOR), story.now + 10 * DAY)) == {"16.b", "16.c"}
    assert evidenced(site_of(story, CONTRACTOR), START + YEAR) == {}  # the approval of the site itself has ended
    story.say("jp", condition(story, "16.b", met=False))
    story.say("jp", condition(story, met=False))
    assert set(evidenced(site_of(story, CONTRACTOR), story.now)) == {"16.c"}
    story.say("jp", condition(story, "16.b"))
    assert set(evidenced(site_of(story, CONTRACTOR), story.now)) == {"16.b", "16.c"}
    assert evidenced(site_of(story, CONTRACTOR), story.now)["16.b"].record == story.said["site-condition/1"].id


def test_evidence_holds_while_the_register_bears_it_out() -> None:  # (12)
    story = worker(staffed())
    words = {"16.f": "briefings", "16.g": "inspections", "16.i": "postings", "16.j": "officer", "16.c": "clearances"}
    for clause, word in words.items():
        story.say("jp", condition(story, clause, borne_out=word))

    def met() -> set[str]:
        site = site_of(story, CONTRACTOR)
        officers = {"p-sato": row_of(story)}
        return set(conditions_met([site], officers, row_of(story, "p-other"), story.now)) - {"16.a"}

    assert met() == {"16.c"}
    story.say("jp", briefing(story, "p-other", given_by="root"))
    assert met() == {"16.c", "16.f"}
    story.say("jp", inspection(story, due=story.now + 10 * DAY))
    assert met() == {"16.c", "16.f", "16.g"}
    story.say("jp", posting(story, "p-other", CONTRACTOR))
    assert met() == {"16.c", "16.f", "16.g", "16.i"}
    story.say("jp", officer(story, CONTRACTOR))
    assert met() == set(words)
    story.now += 20 * DAY  # the inspection is overdue
    assert met() == set(words) - {"16.g"}
    story.say("jp", withdrawn(story))  # the officer is no longer cleared
    assert met() == set(words) - {"16.g", "16.j"}
    story.say("jp", clearance(story, "p-other", all_information=False))
    assert met() == {"16.f", "16.i"}


def test_a_sub_contractor_meets_what_all_above_meet() -> None:  # (13)
    def site(name: str, *conditions: str) -> FacilityRow:
        shown = tuple(Evidence(condition=each, record=bytes(32), evidence="file") for each in conditions)
        return FacilityRow(
            facility=name, mark="秘", until=START + YEAR, conditions=(), evidence="", evidenced=shown, last=bytes(32)
        )

    chain = [site("c", "16.a", "16.b"), site("b", "16.a", "16.b"), site("a", "16.b")]
    assert set(conditions_met(chain, {}, None, START)) == {"16.b"}
    assert set(conditions_met(chain[:2], {}, None, START)) == {"16.a", "16.b"}
    assert conditions_met([], {}, None, START) == {}
    assert len(chain) <= PARENTS_MAX


def test_a_clearance_ends_at_its_instant() -> None:
    story = placed()
    row = row_of(story)
    assert row.clearance_until is not None
    assert is_cleared(row, row.clearance_until - DAY)
    assert not is_cleared(row, row.clearance_until)
    assert not is_cleared(None, START)


# ---- duties ---------------------------------------------------------------------------------------------------------


def inspections_owed(story: Story) -> list[tuple[str, str, bool]]:
    return sorted(
        (key.removeprefix(f"{RELATIONSHIP}/"), duty.clause, duty.open)
        for (table, key), row in story.registers["jp"].rows.items()
        if table == "duty" and row is not None
        for duty in row.duties
        if duty.event == "inspection-due"
    )


def test_each_inspection_opens_the_next() -> None:  # (15)
    story = placed(peered=True)
    under = (RELATIONSHIP,)
    story.say("jp", facility(story, "works-2", nature="contractor", under=under))
    assert inspections_owed(story) == [("works-2/first", "16.g", True)]
    due = story.now + 10 * DAY
    story.say("jp", inspection(story, "works-2", due=due, under=under))
    first = story.said["inspection/1"].id.hex()[:32]
    assert inspections_owed(story) == sorted([("works-2/first", "16.g", False), (f"works-2/{first}", "16.g", True)])
    row = story.row("jp", "duty", f"{RELATIONSHIP}/works-2/{first}")
    assert row.duties[0].due == due  # the day that the inspection named, and no other
    assert (row.duties[0].who, row.duties[0].to) == ("jp", "")
    story.say("jp", inspection(story, "works-2", due=None, under=under))
    assert [open_ for _, _, open_ in inspections_owed(story)] == [False, False]
    story.say("jp", facility(story, "node", nature="system", under=under))  # no contractor's: nothing is owed
    assert len(inspections_owed(story)) == 2


def test_a_function_that_receives_nothing_more_has_no_access_left() -> None:  # (15)
    story = told("peered")
    story.say("kr", listed("kim", ("reader",)))
    story.say("kr", listed("kim", ("reader",), receives=False))
    entry = story.row("jp", "directory", f"{RELATIONSHIP}/kr/n-kim")
    assert not entry.reachable
    assert KEYS["kim"].public == entry.signing_key  # he still signs for what he holds
