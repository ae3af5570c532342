"""Rules for house records: each accepted once, and refused for each reason (``spec/register.md`` step 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from comity.record import bodies
from comity.record.bodies import Body
from comity.record.card import fingerprint
from comity.record.person_act import unsigned
from comity.register.rows import AgreementRow, DecisionRow, PersonRow
from comity.register.verdict import Changes, Rejection
from register.story import (
    KEYS,
    LABEL,
    RELATIONSHIP,
    START,
    YEAR,
    Story,
    adopted,
    approved,
    card,
    item,
    peer,
    person,
    requested,
    signed,
    told,
)

Make = Callable[[Story], Body]


def clearance(story: Story, signer: str = "p-ito", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": "p-sato",
        "mark": "極秘",
        "until": START + YEAR,
        "basis": "vetted",
        "after": story.last("person", "p-sato"),
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.ClearanceGranted(**fields), signer, key=key)


def withdrawal(story: Story, signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": "p-sato",
        "reason": "moved",
        "after": story.last("person", "p-sato"),
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.ClearanceWithdrawn(**fields), signer)


def on_list(story: Story, signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "topic": "missiles",
        "person": "p-sato",
        "listed": True,
        "after": story.last("person", "p-sato"),
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.NeedToKnow(**fields), signer)


def facility(signer: str = "p-ito", **changes: object) -> Body:
    fields: dict[str, object] = {
        "facility": "works",
        "mark": "極秘",
        "until": START + YEAR,
        "conditions": ("16.b", "16.a"),
        "evidence": "inspected",
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.FacilityRegistered(**fields), signer)


def marking(signer: str = "p-rei", **changes: object) -> Body:
    fields: dict[str, object] = {"item": "i-1", "mark": "極秘", "by": signer, "signature": unsigned(), **changes}
    return signed(bodies.Marked(**fields), signer)


ACCEPTED: list[tuple[str, Make]] = [
    ("founded", lambda _: person("kim", ("reader",), "p-ito")),
    ("founded", lambda _: person("ito", ("security-officer", "registry"))),
    ("founded", clearance),
    ("founded", lambda story: clearance(story, "root")),
    ("founded", withdrawal),
    ("founded", on_list),
    ("founded", lambda story: on_list(story, listed=False)),
    ("founded", lambda _: facility()),
    ("founded", lambda _: facility("root")),
    ("founded", lambda _: peer("kr")),
    ("peered", lambda _: peer("kr", card=card("kr", issued=START + timedelta(days=1)))),
    ("peered", lambda _: adopted("kr")),
    ("peered", lambda _: adopted("kr", digest=bytes(32))),
    ("peered", lambda _: item()),
    ("asked", lambda _: requested(request="r-2")),
    ("asked", approved),
    ("asked", lambda story: approved(story, granted=False)),
    ("asked", lambda story: approved(story, "p-oda")),
]

REFUSED: list[tuple[str, Make, str]] = [
    # people
    ("founded", lambda _: person("kim", ("reader",), "p-sato"), "no-role"),
    ("founded", lambda _: person("kim", ("reader",), "p-kim"), "unknown-person"),
    ("founded", lambda _: person("ito", ("security-officer", "release-authority"), "p-ito"), "self-enrolment"),
    ("founded", lambda _: person("kim", ("reader",), "p-ito", key="sato"), "unknown-key"),
    ("founded", lambda _: person("kim", ("reader",), key="kr root"), "unknown-key"),
    ("founded", lambda _: person("kim", ("king",)), "unknown-role"),
    ("founded", lambda _: person("abe", ("release-authority",), person="p-twin"), "key-taken"),
    ("founded", lambda story: clearance(story, "p-sato"), "no-role"),
    ("founded", lambda story: clearance(story, person="p-ito"), "own-clearance"),
    ("founded", lambda story: clearance(story, person="p-nobody"), "unknown-person"),
    ("founded", lambda story: clearance(story, until=START), "expired-clearance"),
    ("founded", lambda story: clearance(story, after=bytes(32)), "stale-act"),
    ("founded", lambda story: clearance(story, key="abe"), "unknown-key"),
    ("founded", lambda story: withdrawal(story, "p-abe"), "no-role"),
    ("founded", lambda story: withdrawal(story, person="p-nobody"), "unknown-person"),
    ("founded", lambda story: on_list(story, "p-rei"), "no-role"),
    ("founded", lambda story: on_list(story, person="p-nobody"), "unknown-person"),
    ("founded", lambda story: on_list(story, person="p-ito"), "own-clearance"),
    ("founded", lambda _: facility("p-abe"), "no-role"),
    # peers and agreements
    ("founded", lambda _: peer("jp"), "own-name"),
    ("founded", lambda _: peer("kr", party="us"), "fingerprint"),
    ("founded", lambda _: peer("kr", fingerprint=bytes(32)), "fingerprint"),
    ("founded", lambda _: peer("kr", compared_by=("one", "one")), "one-person"),
    ("founded", lambda _: peer("kr", card=card("kr", issued=START - YEAR, until=START)), "expired-card"),
    ("founded", lambda _: peer("kr", card=b"{}"), "malformed"),
    ("peered", lambda _: peer("kr", card=card("kr", issued=START - YEAR)), "older-card"),
    (
        "peered",
        lambda _: peer(
            "kr",
            card=card("kr", root=KEYS["other"].public),
            fingerprint=fingerprint("kr", KEYS["other"].public),
        ),
        "name-taken",
    ),
    ("founded", lambda _: adopted("kr"), "unknown-peer"),
    ("peered", lambda _: adopted("us"), "unknown-peer"),
    # items, requests, approvals, marks
    ("peered", lambda _: item(by="p-nobody"), "unknown-person"),
    ("asked", lambda _: item(), "item-exists"),
    ("peered", lambda _: requested(), "unknown-item"),
    ("asked", lambda _: requested(request="r-2", relationship="us-kr/kr.us"), "unknown-agreement"),
    ("asked", lambda _: requested(), "request-exists"),
    ("asked", lambda _: requested("p-oda", key="sato", request="r-2"), "other-signer"),
    ("asked", lambda _: requested(key="oda", request="r-2"), "unknown-key"),
    ("asked", lambda _: requested(request="r-2", by="p-nobody"), "unknown-person"),
    ("asked", lambda _: requested("p-abe", request="r-2", by="p-abe"), "no-role"),
    ("asked", lambda story: approved(story, request="r-2"), "unknown-request"),
    ("asked", lambda story: approved(story, "p-sato"), "no-role"),
    ("asked", lambda story: approved(story, "root"), "other-signer"),
    ("asked", lambda story: approved(story, "p-abe", by="p-oda"), "other-signer"),
    ("asked", lambda story: approved(story, "p-abe", key="oda"), "unknown-key"),
    ("asked", lambda story: approved(story, after=bytes(32)), "stale-act"),
    ("given", lambda story: approved(story, "p-oda"), "already-given"),
    ("asked", lambda _: marking(item="i-2"), "unknown-item"),
]


@pytest.mark.parametrize(("point", "make"), ACCEPTED)
def test_accepted(point: str, make: Make) -> None:  # (5)
    story = told(point)
    assert isinstance(story.try_("jp", make(story)), Changes)


@pytest.mark.parametrize(("point", "make", "code"), REFUSED)
def test_refused(point: str, make: Make, code: str) -> None:  # (5)
    story = told(point)
    verdict = story.try_("jp", make(story))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code
    assert verdict.sentence[0].islower() or verdict.sentence[0] in "'\""
    assert not verdict.sentence.endswith(".")


def test_who_asked_cannot_approve_whatever_his_roles() -> None:
    story = told("asked")
    story.say("jp", requested("p-oda", request="r-2", by="p-oda"))
    verdict = story.try_("jp", approved(story, "p-oda", request="r-2", after=story.last("request", "r-2")))
    assert verdict.code == "own-request"


def test_a_relationship_keeps_its_peer() -> None:
    story, us = told("peered"), card("kr", party="us")
    story.say("jp", peer("kr", party="us", card=us, fingerprint=fingerprint("us", KEYS["kr root"].public)))
    assert story.try_("jp", adopted("us")).code == "other-peer"


def test_a_clearance_and_its_end() -> None:
    story = told("founded")
    story.say("jp", clearance(story))
    first = story.said["clearance/1"].body
    row = story.row("jp", "person", "p-sato")
    assert isinstance(row, PersonRow)
    assert (row.clearance, row.clearance_until) == ("極秘", START + YEAR)
    story.say("jp", withdrawal(story))
    assert isinstance(row := story.row("jp", "person", "p-sato"), PersonRow)
    assert (row.clearance, row.clearance_until) == (None, None)
    assert first is not None
    assert story.try_("jp", first).code == "stale-act"  # the old act cannot be recorded again


def test_enrolling_again_keeps_clearance_and_lists() -> None:
    story = told("founded")
    story.say("jp", clearance(story))
    story.say("jp", on_list(story))
    story.say("jp", person("sato", ("officer", "registry"), "p-ito"))
    row = story.row("jp", "person", "p-sato")
    assert isinstance(row, PersonRow)
    assert (row.roles, row.clearance, row.topics) == (("officer", "registry"), "極秘", ("missiles",))
    story.say("jp", on_list(story, listed=False))
    assert isinstance(row := story.row("jp", "person", "p-sato"), PersonRow)
    assert row.topics == ()


def test_another_digest_asks_both_to_acknowledge_anew() -> None:
    story = told("peered")
    before = story.row("jp", "agreement", RELATIONSHIP)
    assert isinstance(before, AgreementRow)
    assert before.acknowledged == ("jp", "kr")
    story.say("jp", adopted("kr", history=b"\x01" * 32))
    assert isinstance(row := story.row("jp", "agreement", RELATIONSHIP), AgreementRow)
    assert row.acknowledged == ("jp", "kr")
    story.say("jp", adopted("kr", digest=bytes(32)))
    assert isinstance(row := story.row("jp", "agreement", RELATIONSHIP), AgreementRow)
    assert row.acknowledged == ()


def test_a_received_item_is_marked_by_the_registry_only() -> None:
    story = told("received")
    for name, roles in (("lee", ("registry",)), ("kim", ("reader",))):
        story.say("kr", signed(person_of_kr(name, roles), "root", "kr"))
    story.say("kr", marking_of_kr("p-lee"))
    assert story.row("kr", "item", "i-1").alternative == LABEL.__class__(
        policy="kr", mark="군사 Ⅱ급 비밀", originator="jp"
    )
    assert story.try_("kr", marking_of_kr("p-kim")).code == "no-role"
    assert story.try_("kr", marking_of_kr("p-lee", by="p-kim")).code == "other-signer"


def person_of_kr(name: str, roles: tuple[str, ...]) -> Body:
    return person(name, roles, nationality="kr", serves="kr")


def marking_of_kr(signer: str, **changes: object) -> Body:
    fields: dict[str, object] = {
        "item": "i-1",
        "mark": "군사 Ⅱ급 비밀",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.Marked(**fields), signer, "kr")


def test_an_own_item_is_not_marked() -> None:
    story = told("asked")
    assert story.try_("jp", marking()).code == "own-item"


def test_every_decision_is_kept_in_order() -> None:
    """Those of one instant too, which a record's id alone would put in any order."""
    story = told("peered")
    outcomes = ["forbidden", "permit", "forbidden", "forbidden", "permit", "permit"]
    for outcome in outcomes:
        story.now -= timedelta(seconds=1)
        story.say(
            "jp",
            bodies.Decided(
                act="give",
                item="i-1",
                relationship=RELATIONSHIP,
                outcome=outcome,
                agreement=bytes(32),
                case=msgspec.Raw(b"{}"),
                decision=msgspec.Raw(b"{}"),
            ),
        )
    rows = sorted((key, row) for key, row in story.registers["jp"].rows.items() if isinstance(row, DecisionRow))
    assert [row.outcome for _, row in rows] == outcomes
    assert len({row.at for _, row in rows}) == 1
