"""Rules for crossing records: each accepted once and refused for each reason, alike on both sides (step 6)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from comity.marking.label import Label
from comity.record.bodies import Body, CopyMade, Opened, Returned
from comity.register.crossing import CONSIGNMENTS_KEPT, OPENINGS_KEPT
from comity.register.rows import AskedRow, ConsignmentRow, CopyRow, ItemRow, RequestRow, ReturnedRow
from comity.register.verdict import Changes, Rejection
from register.story import (
    ALTERNATIVE,
    CONDITIONS,
    LABEL,
    RELATIONSHIP,
    Story,
    acknowledged,
    adopted,
    approved,
    asked,
    assured,
    consigned,
    item,
    listed,
    opened,
    received,
    requested,
    returned,
    signed,
    told,
    unopenable,
)

Make = Callable[[Story], Body]
CONFIDENTIAL = Label(policy="jp", mark="秘", originator="jp")

ACCEPTED: list[tuple[str, str, Make]] = [
    ("peered", "jp", lambda _: acknowledged("jp")),
    ("peered", "kr", lambda _: acknowledged("kr")),
    ("peered", "kr", lambda _: acknowledged("kr", "n-lee")),
    ("peered", "jp", lambda _: listed("sato", ("officer",))),
    ("peered", "kr", lambda _: listed("kim", ("reader",), withdrawn=True)),
    ("peered", "kr", lambda _: asked(request="r-kr")),
    ("asked", "kr", assured),
    ("asked", "kr", lambda story: assured(story, conditions=(), reason="not on the list")),
    ("assured", "jp", consigned),
    ("given", "kr", received),
    ("received", "kr", opened),
    ("received", "kr", lambda story: opened(story, "n-kim")),
    ("received", "kr", unopenable),
    ("given", "kr", returned),
    ("peered", "kr", lambda _: Returned(record=bytes(32), code="stale", reason="")),
]

REFUSED: list[tuple[str, str, Make, str]] = [
    # acknowledgement
    ("peered", "kr", lambda _: acknowledged("kr", digest=bytes(32)), "other-digest"),
    ("peered", "kr", lambda _: acknowledged("kr", "root", key="jp root"), "unknown-key"),
    ("peered", "kr", lambda _: acknowledged("kr", "n-kim"), "no-role"),
    ("peered", "kr", lambda _: acknowledged("kr", "n-other"), "unknown-directory"),
    ("peered", "kr", lambda _: acknowledged("kr", "n-lee", key="kim"), "unknown-key"),
    # assurance
    ("asked", "jp", lambda _: asked(), "request-exists"),
    ("asked", "kr", lambda _: asked(), "request-exists"),
    ("asked", "jp", lambda story: assured(story, "n-lee", "jp"), "own-request"),
    ("peered", "kr", assured, "unknown-asked"),
    ("asked", "kr", lambda story: assured(story, item="i-2"), "other-item"),
    ("asked", "kr", lambda story: assured(story, recipient="n-lee"), "other-item"),
    ("asked", "kr", lambda story: assured(story, "n-kim"), "no-role"),
    ("asked", "kr", lambda story: assured(story, "n-other"), "unknown-directory"),
    ("asked", "kr", lambda story: assured(story, "n-lee", key="kim"), "unknown-key"),
    ("asked", "kr", lambda story: assured(story, by="n-kim"), "other-signer"),
    (
        "assured",
        "kr",
        lambda story: assured(story, after=story.row("kr", "asked", "jp-kr-2016/jp.kr/r-1").record),
        "stale-act",
    ),
    # consignment
    ("assured", "jp", lambda story: consigned(story, agreement=bytes(32)), "other-digest"),
    ("assured", "jp", lambda story: consigned(story, originator="us"), "other-originator"),
    ("assured", "jp", lambda story: consigned(story, alternative=None), "wrong-mark"),
    (
        "assured",
        "jp",
        lambda story: consigned(story, alternative=msgspec.structs.replace(ALTERNATIVE, mark="군사 Ⅲ급 비밀")),
        "wrong-mark",
    ),
    ("assured", "jp", lambda story: consigned(story, form="telepathic"), "form"),
    ("assured", "jp", lambda story: consigned(story, request="r-2"), "unknown-asked"),
    ("assured", "kr", consigned, "wrong-mark"),
    ("assured", "jp", lambda story: consigned(story, item="i-2"), "other-item"),
    (
        "assured",
        "jp",
        lambda story: consigned(
            story, label=CONFIDENTIAL, alternative=msgspec.structs.replace(ALTERNATIVE, mark="군사 Ⅲ급 비밀")
        ),
        "other-label",
    ),
    ("assured", "jp", lambda story: consigned(story, purpose="commerce"), "other-terms"),
    ("assured", "jp", lambda story: consigned(story, topic="ships"), "other-terms"),
    ("assured", "jp", lambda story: consigned(story, form="documentary"), "other-terms"),
    ("given", "jp", consigned, "already-given"),
    (
        "assured",
        "jp",
        lambda story: consigned(story, copies=(CopyMade(1, "n-kim", bytes(32)), CopyMade(1, "n-kim", bytes(32)))),
        "copy-number",
    ),
    ("assured", "jp", lambda story: consigned(story, copies=(CopyMade(1, "n-lee", bytes(32)),)), "other-recipient"),
    ("asked", "jp", consigned, "no-assurance"),
    ("assured", "jp", lambda story: consigned(story, assurances=()), "other-assurance"),
    # what the receiver says
    ("given", "jp", received, "not-receiver"),
    ("given", "kr", lambda story: received(story, consignment=bytes(32)), "unknown-consignment"),
    ("given", "kr", lambda story: received(story, item="i-2"), "other-item"),
    ("given", "kr", lambda story: received(story, copies=(1, 2)), "copies-differ"),
    ("received", "kr", received, "already-received"),
    ("received", "kr", returned, "already-received"),
    ("given", "kr", opened, "copy-state"),
    ("received", "kr", lambda story: opened(story, copy=2), "unknown-copy"),
    ("received", "kr", lambda story: opened(story, holder="n-lee"), "not-holder"),
    ("received", "jp", opened, "not-receiver"),
    ("given", "kr", unopenable, "copy-state"),
    ("received", "jp", unopenable, "not-receiver"),
    ("given", "jp", returned, "not-receiver"),
    ("given", "kr", lambda story: returned(story, item=None, copies=()), "other-item"),
    ("given", "kr", lambda story: returned(story, copies=(1, 2)), "copies-differ"),
]


@pytest.mark.parametrize(("point", "author", "make"), ACCEPTED)
def test_accepted(point: str, author: str, make: Make) -> None:  # (6)
    story = told(point)
    assert isinstance(story.try_(author, make(story)), Changes)


@pytest.mark.parametrize(("point", "author", "make", "code"), REFUSED)
def test_refused_alike_by_both(point: str, author: str, make: Make, code: str) -> None:  # (6)
    story = told(point)
    verdict = story.try_(author, make(story))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code


def test_above_the_ceiling_nothing_crosses() -> None:
    story = told("assured")
    top = Label(policy="jp", mark="機密", originator="jp")
    verdict = story.try_("jp", consigned(story, label=top, alternative=None))
    assert verdict.code == "above-ceiling"


def test_the_signature_of_an_opening_is_its_holders() -> None:
    story = told("received")
    body = opened(story, "n-kim")
    assert isinstance(body, Opened)
    assert body.signature is not None
    for signer, key, code in (("n-lee", "lee", "other-signer"), ("n-kim", "lee", "unknown-key")):
        changed = opened(story)
        assert story.try_("kr", signed(changed, signer, "kr", key)).code == code


def test_one_acknowledgement_is_not_enough() -> None:
    story = told("assured")
    for party, other in (("jp", "kr"), ("kr", "jp")):
        story.say(party, adopted(other, digest=b"\x01" * 32))
        story.say(party, adopted(other))
    assert story.try_("jp", consigned(story)).code == "not-acknowledged"
    story.say("jp", acknowledged("jp"))
    assert story.try_("jp", consigned(story)).code == "not-acknowledged"
    story.say("kr", acknowledged("kr"))
    assert isinstance(story.try_("jp", consigned(story)), Changes)


def test_the_giver_needs_an_approval_that_stands() -> None:
    story = told("asked")
    story.say("kr", assured(story))
    for answer, code in ((False, "not-approved"), (True, "")):
        story.say("jp", approved(story, granted=answer))
        record = story.write("jp", consigned(story))
        assert story.registers["jp"].judge(record, story.now).code == code
        assert isinstance(story.registers["kr"].judge(record, story.now), Changes)  # the other house cannot see it


def test_an_assurance_that_was_taken_back_is_none() -> None:
    story = told("assured")
    story.say("kr", assured(story, conditions=CONDITIONS[:2], reason="no need any more"))
    verdict = story.try_("jp", consigned(story))
    assert verdict.code == "no-assurance"
    assert isinstance(verdict, Rejection)
    assert "7.5.c" in verdict.sentence


def test_nobody_writes_into_an_item_that_did_not_come_from_him() -> None:
    """The other party gives "back" under the id of an item of ours: our row stays as it is."""
    story = told("received")
    story.say("kr", asked(request="r-kr", recipients=("n-sato",)))
    story.say("jp", listed("sato", ("assurance-officer",), nationality="jp", serves="jp"))
    story.say("jp", assured(story, "n-sato", "jp", request="r-kr", recipient="n-sato"))
    body = consigned(
        story,
        request="r-kr",
        alternative=None,
        copies=(CopyMade(2, "n-sato", bytes(32)),),
        assurances=(story.said["assurance/1"].id,),
    )
    record = story.write("kr", body)
    assert story.registers["jp"].judge(record, story.now).code in {"other-item", "wrong-mark"}


def test_a_second_consignment_of_the_item_numbers_its_copies_on() -> None:
    story = told("received")
    story.say("jp", requested(request="r-2"))
    story.say("jp", asked(request="r-2"))
    story.say("kr", assured(story, request="r-2"))
    story.say("jp", approved(story, request="r-2", after=story.last("request", "r-2")))
    again = consigned(story, request="r-2")
    assert story.try_("jp", again).code == "copy-number"
    story.say("jp", msgspec.structs.replace(again, copies=(CopyMade(2, "n-kim", bytes(32)),)))
    for party in ("jp", "kr"):
        row = story.row(party, "item", "i-1")
        assert isinstance(row, ItemRow)
        assert (row.copies, len(row.consignments)) == (2, 2)


@pytest.mark.parametrize("changes", [{"content": b"c" * 32}, {"subject": "police"}])
def test_what_is_given_is_what_was_registered_and_approved(changes: dict[str, object]) -> None:
    story = told("assured")
    record = story.write("jp", consigned(story, **changes))
    assert story.registers["jp"].judge(record, story.now).code == "other-item"


def test_an_item_stays_what_it_was_when_it_comes_again() -> None:
    """Other content under the id of what came before, as a dishonest giver could record it: refused by both."""
    story = told("received")
    story.say("jp", requested(request="r-2"))
    story.say("jp", asked(request="r-2"))
    story.say("kr", assured(story, request="r-2"))
    story.say("jp", approved(story, request="r-2", after=story.last("request", "r-2")))
    again = consigned(story, request="r-2", content=b"c" * 32, copies=(CopyMade(2, "n-kim", bytes(32)),))
    assert story.try_("jp", again).code == "other-item"


def test_what_is_returned_gives_its_copies_back() -> None:
    """The receiver rejects what the giver recorded; both end without a copy in transit."""
    story = told("assured")
    record = story.write("jp", consigned(story))
    assert isinstance(story.registers["jp"].take(record, story.now), Changes)
    story.said["consignment/1"] = record
    answer = story.write("kr", returned(story, code="not-acknowledged"))
    for register in story.registers.values():
        assert isinstance(register.take(answer, story.now), Changes)
    consignment = story.row("jp", "consignment", record.id.hex())
    copy = story.row("jp", "copy", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(consignment, ConsignmentRow)
    assert isinstance(copy, CopyRow)
    assert (copy.state, consignment.returned) == ("returned", "not-acknowledged: ")
    for party in ("jp", "kr"):
        assert isinstance(story.row(party, "returned", record.id.hex()), ReturnedRow)
    assert story.registers["jp"].judge(story.write("kr", received(story)), story.now).code == "already-received"


def test_what_a_consignment_writes() -> None:
    story = told("given")
    consignment = story.said["consignment/1"].id
    for party in ("jp", "kr"):
        asked_row, item_row = story.row(party, "asked", f"{RELATIONSHIP}/r-1"), story.row(party, "item", "i-1")
        assert isinstance(asked_row, AskedRow)
        assert isinstance(item_row, ItemRow)
        assert asked_row.consignment == consignment
        assert item_row.label == LABEL
        assert item_row.consignments == (consignment,)
    request = story.row("jp", "request", "r-1")
    assert isinstance(request, RequestRow)
    assert request.consignment == consignment
    assert story.row("kr", "request", "r-1") is None
    ours, theirs = story.row("jp", "item", "i-1"), story.row("kr", "item", "i-1")
    assert isinstance(ours, ItemRow)
    assert isinstance(theirs, ItemRow)
    assert (ours.relationship, ours.provided) == ("domestic", None)
    assert (theirs.relationship, theirs.provided, theirs.alternative) == (RELATIONSHIP, "air defence", ALTERNATIVE)


def test_rows_do_not_grow_without_bound() -> None:
    story = told("received")
    for _ in range(OPENINGS_KEPT + 3):
        story.say("kr", opened(story))
    row = story.row("kr", "copy", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(row, CopyRow)
    assert len(row.openings) == OPENINGS_KEPT
    assert row.openings[-1] == story.said["opening/1"].id
    assert CONSIGNMENTS_KEPT == OPENINGS_KEPT


def test_a_party_asks_and_registers_under_free_ids_only() -> None:
    story = told("peered")
    story.say("jp", item())
    story.say("kr", asked(request="r-1"))
    assert story.try_("jp", asked(request="r-1")).code == "request-exists"
