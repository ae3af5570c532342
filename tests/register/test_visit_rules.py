"""Visits: each record accepted once and refused for each reason, alike by both parties (``spec/visits.md``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from comity.errors import Rejected
from comity.marking.label import Label
from comity.record.bodies import Body
from comity.record.bodies import visits as made
from comity.record.person_act import unsigned
from comity.record.statement import SeenCheckpoint
from comity.register.rows.duties import DutiesRow
from comity.register.rows.visits import FindingRow, VisitRow
from comity.register.verdict import Changes, Rejection
from comity.register.visits import check_shown
from register.story import CONDITIONS, LABEL, RELATIONSHIP, Story, agreement, listed, signed, told

Make = Callable[[Story], Body]
DAY = timedelta(days=1)
GUARD = ("security-officer",)


def said(kind: type[Body], signer: str, party: str, **fields: object) -> Body:
    return signed(kind(signature=unsigned(), by=fields.pop("by", signer), **fields), signer, party)


def asked(story: Story, signer: str = "n-lee", party: str = "kr", **changes: object) -> Body:
    """People of kr want to see a site of jp."""
    fields: dict[str, object] = {
        "visit": "v-1",
        "facility": "yokota",
        "topic": "missiles",
        "scope": "the radar hall",
        "subject": "defence",
        "purpose": "joint exercise",
        "mark": "極秘",
        "visitors": ("n-kim",),
        "starts": story.now + 10 * DAY,
        "ends": story.now + 20 * DAY,
        "conditions": CONDITIONS,
        **changes,
    }
    return said(made.VisitAsked, signer, party, **fields)


def visit(story: Story, name: str = "v-1", party: str = "jp") -> VisitRow:
    row = story.row(party, "visit", f"{RELATIONSHIP}/{name}")
    assert isinstance(row, VisitRow)
    return row


def permission(story: Story, **changes: object) -> made.Permission:
    row = visit(story)
    fields: dict[str, object] = {
        "site": "yokota",
        "told": "Base security",
        "topic": row.topic,
        "scope": row.scope,
        "mark": row.mark,
        "visitors": row.visitors,
        "starts": row.starts,
        "ends": row.ends,
        **changes,
    }
    return made.Permission(**fields)


def answered(story: Story, signer: str = "n-ito", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "visit": "v-1",
        "permits": permission(story, **changes.pop("narrower", {})),
        "reason": "",
        "basis": bytes(32),
        "after": visit(story).last,
        **changes,
    }
    return said(made.VisitAnswered, signer, party, **fields)


def ended(story: Story, signer: str = "n-kim", party: str = "kr", **changes: object) -> Body:
    fields: dict[str, object] = {"visit": "v-1", "report": "seen", "after": visit(story).last, **changes}
    return said(made.VisitEnded, signer, party, **fields)


def found(signer: str = "n-kim", party: str = "kr", **changes: object) -> Body:
    fields: dict[str, object] = {"visit": "v-1", "finding": "f-1", "says": "no log", "wanted": "a log", **changes}
    return said(made.FindingMade, signer, party, **fields)


def closed(story: Story, signer: str = "n-ito", party: str = "jp", **changes: object) -> Body:
    row = story.row("jp", "visit-finding", f"{RELATIONSHIP}/v-1/f-1")
    fields: dict[str, object] = {
        "visit": "v-1",
        "finding": "f-1",
        "evidence": "a log is kept",
        "after": row.record if isinstance(row, FindingRow) else bytes(32),
        **changes,
    }
    return said(made.FindingClosed, signer, party, **fields)


def acquainted() -> Story:
    """jp has an officer and a guard in its directory, kr an authority, two readers."""
    story = told("peered")
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    story.say("jp", listed("ito", GUARD, nationality="jp", serves="jp"))
    story.say("kr", listed("other", ("reader",), signing_key=bytes([7]) * 32, withdrawn=True))
    story.say("kr", listed("oda", ("reader",), receives=False))
    return story


def wanted(**changes: object) -> Story:
    story = acquainted()
    story.say("kr", asked(story, **changes))
    return story


def permitted(**changes: object) -> Story:
    story = wanted(**changes)
    story.say("jp", answered(story))
    return story


def under_way(*, security: bool = True) -> Story:
    story = permitted(security=security)
    story.now += 11 * DAY
    return story


def with_finding() -> Story:
    story = under_way()
    story.say("kr", found())
    return story


ACCEPTED: list[tuple[Callable[[], Story], str, Make]] = [
    (acquainted, "kr", asked),
    (acquainted, "kr", lambda story: asked(story, recurring=True, security=True)),
    (acquainted, "jp", lambda story: asked(story, "n-ito", "jp", visitors=("n-sato",), mark="군사 Ⅱ급 비밀")),
    (wanted, "jp", answered),
    (wanted, "jp", lambda story: answered(story, permits=None, basis=None, reason="closed")),
    (wanted, "jp", lambda story: answered(story, narrower={"mark": "秘", "ends": visit(story).ends - DAY})),
    (permitted, "jp", lambda story: answered(story, permits=None, basis=None, reason="an exercise")),  # taken back
    (wanted, "kr", ended),
    (permitted, "kr", lambda story: ended(story, "n-lee")),
    (under_way, "kr", lambda _: found()),
    (with_finding, "jp", closed),
]

REFUSED: list[tuple[Callable[[], Story], str, Make, str]] = [
    # asking
    (wanted, "kr", asked, "visit-exists"),
    (acquainted, "kr", lambda story: asked(story, "n-kim"), "no-role"),
    (acquainted, "kr", lambda story: asked(story, "n-ito"), "unknown-directory"),
    (acquainted, "kr", lambda story: asked(story, by="n-kim"), "other-signer"),
    (acquainted, "kr", lambda story: asked(story, visitors=("n-nobody",)), "unknown-directory"),
    (acquainted, "kr", lambda story: asked(story, visitors=("n-sato",)), "unknown-directory"),
    (acquainted, "kr", lambda story: asked(story, visitors=("n-kim", "n-other")), "withdrawn"),
    (acquainted, "kr", lambda story: asked(story, visitors=("n-oda",)), "withdrawn"),
    (acquainted, "kr", lambda story: asked(story, ends=story.now + 10 * DAY), "dates"),
    (acquainted, "kr", lambda story: asked(story, starts=story.now - 2 * DAY, ends=story.now - DAY), "dates"),
    (acquainted, "kr", lambda story: asked(story, mark="機密"), "above-ceiling"),
    (acquainted, "kr", lambda story: asked(story, mark="군사 Ⅱ급 비밀"), "unknown-mark"),  # the host's ladder
    # answering
    (wanted, "kr", lambda story: answered(story, "n-lee", "kr"), "not-host"),
    (wanted, "jp", lambda story: answered(story, "n-sato"), "no-role"),
    (wanted, "jp", lambda story: answered(story, by="n-sato"), "other-signer"),
    (wanted, "jp", lambda story: answered(story, after=bytes(32)), "stale-act"),
    (wanted, "jp", lambda story: answered(story, visit="v-2"), "unknown-visit"),
    (wanted, "jp", lambda story: answered(story, basis=None), "no-basis"),
    (wanted, "jp", lambda story: answered(story, permits=None), "no-reason"),
    (wanted, "jp", lambda story: answered(story, narrower={"visitors": ("n-kim", "n-lee")}), "other-visitor"),
    (wanted, "jp", lambda story: answered(story, narrower={"ends": visit(story).ends + DAY}), "dates"),
    (wanted, "jp", lambda story: answered(story, narrower={"starts": visit(story).starts - DAY}), "dates"),
    (lambda: wanted(mark="秘"), "jp", lambda story: answered(story, narrower={"mark": "極秘"}), "above-asked"),
    (wanted, "jp", lambda story: answered(story, narrower={"mark": "비밀"}), "unknown-mark"),
    # the end
    (wanted, "jp", lambda story: ended(story, "n-ito", "jp"), "not-visitor"),
    (wanted, "kr", lambda story: ended(story, "n-other"), "unknown-key"),
    (wanted, "kr", lambda story: ended(story, after=bytes(32)), "stale-act"),
    # findings
    (lambda: under_way(security=False), "kr", lambda _: found(), "not-security"),
    (lambda: permitted(security=True), "kr", lambda _: found(), "visit-dates"),
    (lambda: wanted(security=True), "kr", lambda _: found(), "visit-dates"),
    (under_way, "kr", lambda _: found("n-lee"), "other-visitor"),
    (under_way, "jp", lambda _: found("n-ito", "jp"), "not-visitor"),
    (under_way, "kr", lambda _: found(says=""), "no-findings"),
    (with_finding, "kr", lambda _: found(), "finding-exists"),
    (with_finding, "kr", lambda story: closed(story, "n-lee", "kr"), "not-host"),
    (with_finding, "jp", lambda story: closed(story, "n-sato"), "no-role"),
    (with_finding, "jp", lambda story: closed(story, finding="f-2"), "unknown-visit-finding"),
    (with_finding, "jp", lambda story: closed(story, evidence=""), "no-evidence"),
    (with_finding, "jp", lambda story: closed(story, after=bytes(32)), "stale-act"),
]


@pytest.mark.parametrize(("point", "author", "make"), ACCEPTED)
def test_accepted(point: Callable[[], Story], author: str, make: Make) -> None:
    story = point()
    assert isinstance(story.try_(author, make(story)), Changes)


@pytest.mark.parametrize(("point", "author", "make", "code"), REFUSED)
def test_refused_alike_by_both(point: Callable[[], Story], author: str, make: Make, code: str) -> None:
    story = point()
    verdict = story.try_(author, make(story))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code
    assert not verdict.sentence.endswith(".")


def test_nothing_is_answered_or_ended_twice_once_it_is_over() -> None:  # (7)
    story = permitted()
    story.say("kr", ended(story))
    assert visit(story).state == "ended"
    assert story.try_("jp", answered(story)).code == "visit-ended"
    assert story.try_("kr", ended(story)).code == "visit-ended"


def test_a_finding_is_closed_once() -> None:  # (8)
    story = with_finding()
    story.say("jp", closed(story))
    assert story.try_("jp", closed(story)).code == "finding-closed"


def test_both_registers_say_the_same_of_a_visit() -> None:
    story = with_finding()
    story.say("jp", closed(story))
    for table in ("visit", "visit-finding", "duty"):
        rows = [
            {key: row for key, row in story.registers[party].rows.items() if key[0] == table} for party in ("jp", "kr")
        ]
        assert rows[0] == rows[1]
        assert rows[0]


def test_the_duties_of_a_visit() -> None:  # (9)
    story = wanted()
    duties = {duty.obligation: duty for duty in story.row("kr", "duty", f"{RELATIONSHIP}/v-1").duties}
    assert set(duties) == {"o-8-request"}
    assert (duties["o-8-request"].who, duties["o-8-request"].to) == ("kr", "jp")
    assert not duties["o-8-request"].open  # it is the request that discharges it
    story.say("jp", answered(story))
    duties = {duty.obligation: duty for duty in story.row("kr", "duty", f"{RELATIONSHIP}/v-1").duties}
    assert duties["o-8-brief"].who == "jp"
    assert duties["o-8-brief"].discharged == story.said["visit-answer/1"].id  # it says what the site was told


def test_a_visit_needs_the_text_acknowledged_by_both() -> None:  # (1)
    story = acquainted()
    row = story.row("jp", "agreement", RELATIONSHIP)
    for register in story.registers.values():
        register.rows["agreement", RELATIONSHIP] = msgspec.structs.replace(row, acknowledged=("jp",))
    story.registers["kr"].rows["agreement", RELATIONSHIP] = msgspec.structs.replace(
        row, peer="jp", acknowledged=("jp",)
    )
    assert story.try_("kr", asked(story)).code == "not-acknowledged"


# ---- showing --------------------------------------------------------------------------------------------------------

SHOWN: list[tuple[dict[str, object], str]] = [
    ({}, ""),
    ({"author": "kr"}, "unknown-visit"),
    ({"to": ("n-lee",)}, "other-visitor"),
    ({"topic": "ships"}, "other-topic"),
    ({"label": Label(policy="jp", mark="極秘", originator="jp")}, "above-visit"),
]


@pytest.mark.parametrize(("changes", "code"), SHOWN)
def test_what_is_shown_is_within_what_was_permitted(changes: dict[str, object], code: str) -> None:  # (6)
    story = permitted(mark="秘")
    row = visit(story)
    assert LABEL.mark != row.mark
    given: dict[str, object] = {
        "author": "jp",
        "to": ("n-kim",),
        "label": Label(policy="jp", mark="秘", originator="jp"),
        "topic": "missiles",
        "shown": row.starts,
        **changes,
    }
    if not code:
        check_shown(agreement(), row, **given)
        return
    with pytest.raises(Rejected) as refused:
        check_shown(agreement(), row, **given)
    assert refused.value.code == code


def test_nothing_is_shown_before_after_or_without_a_permission() -> None:  # (6)
    story = permitted()
    row = visit(story)

    def code(of: VisitRow | None, shown: object) -> str:
        with pytest.raises(Rejected) as refused:
            check_shown(
                agreement(),
                of,
                author="jp",
                to=("n-kim",),
                label=LABEL,
                topic="missiles",
                shown=shown,  # type: ignore[arg-type]  # an instant
            )
        return refused.value.code

    assert code(row, row.starts - DAY) == "visit-dates"
    assert code(row, row.ends) == "visit-dates"
    assert code(None, row.starts) == "unknown-visit"
    assert code(visit(wanted()), row.starts) == "visit-not-permitted"
    ended_early = msgspec.structs.replace(row, ended=row.starts + DAY)
    assert code(ended_early, row.starts + DAY) == "visit-dates"
    check_shown(agreement(), ended_early, author="jp", to=("n-kim",), label=LABEL, topic="missiles", shown=row.starts)


# ---- both speak at once ---------------------------------------------------------------------------------------------


def at_once(story: Story, *said_by: tuple[str, Body]) -> None:
    """Each side says its part before it hears of the other's; both registers then say the same."""
    story.at_once(*said_by)
    kinds = (VisitRow, FindingRow, DutiesRow)
    assert story.rows("jp", *kinds) == story.rows("kr", *kinds)


@pytest.mark.parametrize("refused", [False, True])
def test_a_visit_is_called_off_while_its_host_answers(refused: bool) -> None:  # (7)
    story = wanted()
    changes: dict[str, object] = {"permits": None, "basis": None, "reason": "closed"} if refused else {}
    at_once(story, ("jp", answered(story, **changes)), ("kr", ended(story)))
    assert visit(story).state == "ended"
    story = wanted()
    at_once(story, ("kr", ended(story)), ("jp", answered(story, **changes)))
    assert visit(story).state == "ended"


def test_whoever_had_seen_the_end_answers_nothing_any_more() -> None:  # (7)
    story = wanted()
    answer = answered(story)
    end = story.say("kr", ended(story))
    seen = SeenCheckpoint(end.statement.sequence + 1, bytes(32))
    verdicts = [
        register.judge(story.write("jp", answer, seen=seen), story.now) for register in story.registers.values()
    ]
    assert [verdict.code for verdict in verdicts] == ["visit-ended", "visit-ended"]


def test_a_finding_stands_though_the_permission_was_taken_back_meanwhile() -> None:  # (8)
    story = under_way()
    at_once(story, ("jp", answered(story, permits=None, basis=None, reason="an exercise")), ("kr", found()))
    assert visit(story).permits is None


def test_nobody_finds_anything_on_a_visit_that_was_never_permitted() -> None:  # (8)
    story = wanted(security=True)
    story.say("jp", answered(story, permits=None, basis=None, reason="closed"))
    verdict = story.registers["jp"].judge(story.write("kr", found()), story.now)
    assert verdict.code == "visit-dates"
