"""Authorities, laws, disputes, deposits and costs: what is accepted, and what is not (``spec/notices.md``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import msgspec
import pytest

from comity.record.bodies import Body
from comity.record.bodies.notices import (
    Deposited,
    Designated,
    DesignationEnded,
    DisputeOpened,
    LawAnswered,
    LawAsked,
    LawNotified,
    OutlayNoted,
    PositionTaken,
    Revealed,
    SettlementSigned,
)
from comity.record.person_act import unsigned
from comity.record.statement import Record, SeenCheckpoint
from comity.register import deposits, disputes
from comity.register.deposits import deposit_commitment
from comity.register.rows.duties import DutiesRow
from comity.register.rows.notices import (
    DepositRow,
    DesignationRow,
    DisputeRow,
    LawRequestRow,
    LawRow,
    OutlayRow,
)
from comity.register.verdict import Changes
from register.story import RELATIONSHIP, Story, listed, signed, told

SALT, CONTENT = bytes(range(32)), b"06:00:01 contact\n"
DIGEST = sha256(CONTENT).digest()


@pytest.fixture
def story() -> Story:
    """An item has been given; Lee in Seoul and Oda in Tokyo are agreement authorities, Sato in Tokyo is an officer."""
    story = told("received")
    story.say("jp", listed("oda", ("agreement-authority",), nationality="jp", serves="jp"))
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    return story


def designated(signer: str = "n-oda", party: str = "jp", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "designation": "d-1",
        "authority": "Ministry of Defense",
        "since": "2026-12-01",
        "note": "note 12/2026",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(Designated(**fields), signer, party, key)


def ended(signer: str = "n-oda", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "designation": "d-1",
        "since": "2027-12-01",
        "note": "note 13/2026",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(DesignationEnded(**fields), signer, party)


def law(story: Story, change: str = "enacted", signer: str = "n-oda", party: str = "jp", **changes: object) -> Body:
    name = changes.get("law", "w-1")
    row = story.row("kr", "law", f"{RELATIONSHIP}/{party}/{name}")
    fields: dict[str, object] = {
        "law": name,
        "title": "Act on the Protection of Specially Designated Secrets",
        "change": change,
        "in_force": "2027-04-01",
        "says": "a new ladder",
        "note": "note 14/2026",
        "by": signer,
        "after": row.last if isinstance(row, LawRow) else bytes(32),
        "signature": unsigned(),
        **changes,
    }
    return signed(LawNotified(**fields), signer, party)


def asked(signer: str = "n-lee", party: str = "kr", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "q-1",
        "matter": "who may be cleared",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(LawAsked(**fields), signer, party)


def answered(signer: str = "n-oda", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "q-1",
        "laws": ("w-1",),
        "says": "see its chapter 5",
        "note": "note 15/2026",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(LawAnswered(**fields), signer, party)


def dispute(signer: str = "n-lee", party: str = "kr", **changes: object) -> Body:
    fields: dict[str, object] = {
        "dispute": "x-1",
        "about": "item",
        "subject": "i-1",
        "question": "was it marked as it had to be?",
        "position": "it was not",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(DisputeOpened(**fields), signer, party)


def last(story: Story, party: str, name: str = "x-1") -> bytes:
    row = story.row(party, "dispute", f"{RELATIONSHIP}/{name}")
    return row.last(party) if isinstance(row, DisputeRow) else bytes(32)


def position(story: Story, signer: str = "n-oda", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "dispute": "x-1",
        "says": "it was",
        "by": signer,
        "after": last(story, party),
        "signature": unsigned(),
        **changes,
    }
    return signed(PositionTaken(**fields), signer, party)


def settlement(story: Story, signer: str = "n-oda", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "dispute": "x-1",
        "digest": DIGEST,
        "by": signer,
        "after": last(story, party),
        "signature": unsigned(),
        **changes,
    }
    return signed(SettlementSigned(**fields), signer, party)


def deposited(signer: str = "n-sato", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "deposit": "e-1",
        "commitment": deposit_commitment(RELATIONSHIP, party, "e-1", SALT, DIGEST),
        "about": "a log",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(Deposited(**fields), signer, party)


def revealed(signer: str = "n-sato", party: str = "jp", **changes: object) -> Body:
    fields: dict[str, object] = {
        "deposit": "e-1",
        "salt": SALT,
        "digest": DIGEST,
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(Revealed(**fields), signer, party)


def outlay(signer: str = "root", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "outlay": "c-1",
        "relationship": RELATIONSHIP,
        "amount": "1200.50",
        "currency": "JPY",
        "day": "2026-11-21",
        "purpose": "courier",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(OutlayNoted(**fields), signer, key=key)


def rejected(story: Story, author: str, body: Body, code: str) -> None:
    """Both sides refuse it, with the same code."""
    verdict = story.try_(author, body)
    assert (verdict.word, verdict.code) == ("rejected", code)


def same_on_both_sides(story: Story, table: str, key: str) -> object:
    rows = [story.row(party, table, f"{RELATIONSHIP}/{key}") for party in ("jp", "kr")]
    assert rows[0] == rows[1]
    return rows[0]


def duties(story: Story, subject: str) -> list[tuple[str, str, bool]]:
    row = same_on_both_sides(story, "duty", subject)
    return [(each.obligation, each.who, each.open) for each in row.duties] if isinstance(row, DutiesRow) else []


# ---- authorities ----------------------------------------------------------------------------------------------------


def test_a_designation_stands_in_both_registers_and_discharges_itself(story: Story) -> None:  # (1, 13)
    record = story.say("jp", designated())
    row = same_on_both_sides(story, "designation", "jp/d-1")
    assert isinstance(row, DesignationRow)
    assert (row.authority, row.since, row.note, row.until) == ("Ministry of Defense", "2026-12-01", "note 12/2026", "")
    assert duties(story, f"d-1/{record.id.hex()[:32]}") == [("o-2d", "jp", False)]
    record = story.say("jp", ended())
    row = same_on_both_sides(story, "designation", "jp/d-1")
    assert isinstance(row, DesignationRow)
    assert (row.until, row.end_note, row.ended) == ("2027-12-01", "note 13/2026", record.id)
    assert duties(story, f"d-1/{record.id.hex()[:32]}") == [("o-2d", "jp", False)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (designated("n-sato"), "no-role"),
        (designated("n-oda", key="sato"), "unknown-key"),
        (designated(by="n-sato"), "other-signer"),
        (designated("n-nobody", key="other"), "unknown-directory"),
        (designated(since="2027-02-30"), "bad-day"),
        (ended(), "unknown-designation"),
    ],
)
def test_a_designation_that_is_not_accepted(story: Story, body: Body, code: str) -> None:  # (1)
    rejected(story, "jp", body, code)


def test_a_designation_ends_once_and_not_before_it_began(story: Story) -> None:  # (1)
    story.say("jp", designated())
    rejected(story, "jp", designated(), "designation-exists")
    rejected(story, "kr", ended("n-lee", "kr"), "unknown-designation")  # another party's is not there to end
    rejected(story, "jp", ended(since="2026-11-30"), "ends-before-it-begins")
    story.say("jp", ended(since="2026-12-01"))
    rejected(story, "jp", ended(since="2028-01-01"), "designation-ended")


def test_nothing_is_told_before_both_have_acknowledged() -> None:
    story = Story()
    story.registers["jp"] = told("peered").registers["jp"]
    story = told("peered")
    story.say("jp", listed("oda", ("agreement-authority",)))
    for register in story.registers.values():
        row = register.rows["agreement", RELATIONSHIP]
        assert row is not None
        register.rows["agreement", RELATIONSHIP] = msgspec.structs.replace(row, acknowledged=("jp",))
    rejected(story, "jp", designated(), "not-acknowledged")


# ---- laws -----------------------------------------------------------------------------------------------------------


def test_a_law_is_told_amended_repealed_and_enacted_anew(story: Story) -> None:  # (2, 13)
    rejected(story, "jp", law(story, "amended"), "unknown-law")
    rejected(story, "jp", law(story, "repealed"), "unknown-law")
    stated = story.say("jp", law(story, "stated"))
    assert duties(story, f"w-1/{stated.id.hex()[:32]}") == []  # what stands anyway is no change
    rejected(story, "jp", law(story, "enacted"), "law-stands")
    amended = story.say("jp", law(story, "amended"))
    assert duties(story, f"w-1/{amended.id.hex()[:32]}") == [("o-3-change", "jp", False)]
    rejected(story, "jp", law(story, "amended", after=stated.id), "stale-act")
    rejected(story, "jp", law(story, "amended", in_force="2027-13-01"), "bad-day")
    rejected(story, "jp", law(story, "amended", "n-sato"), "no-role")
    story.say("jp", law(story, "repealed"))
    rejected(story, "jp", law(story, "amended"), "unknown-law")
    rejected(story, "jp", law(story, "stated"), "law-repealed")
    story.say("jp", law(story, "enacted"))
    row = same_on_both_sides(story, "law", "jp/w-1")
    assert isinstance(row, LawRow)
    assert (row.change, len(row.notices)) == ("enacted", 4)


def test_laws_are_asked_for_and_the_answer_discharges(story: Story) -> None:  # (3, 13)
    story.say("jp", law(story, "stated"))
    rejected(story, "jp", answered(), "unknown-law-request")
    story.say("kr", asked())
    assert duties(story, "q-1") == [("o-3-request", "jp", True)]
    rejected(story, "kr", asked(), "request-exists")
    rejected(story, "kr", answered("n-lee", "kr", laws=()), "own-request")
    rejected(story, "jp", answered(laws=("w-1", "w-2")), "unknown-law")
    rejected(story, "jp", answered("n-sato"), "no-role")
    record = story.say("jp", answered())
    row = same_on_both_sides(story, "law-request", "q-1")
    assert isinstance(row, LawRequestRow)
    assert (row.answer, row.laws, row.says) == (record.id, ("w-1",), "see its chapter 5")
    assert duties(story, "q-1") == [("o-3-request", "jp", False)]
    rejected(story, "jp", answered(), "already-answered")


# ---- disputes -------------------------------------------------------------------------------------------------------


def test_a_dispute_is_settled_by_the_same_text_and_by_nothing_else(story: Story) -> None:  # (4, 5, 6)
    story.say("kr", dispute())
    rejected(story, "kr", dispute(), "dispute-exists")
    story.say("jp", position(story))
    rejected(story, "jp", position(story, after=bytes(32)), "stale-act")
    rejected(story, "jp", position(story, "n-sato"), "no-role")
    story.say("jp", settlement(story))
    story.say("jp", settlement(story))  # twice by one side settles nothing
    story.say("kr", settlement(story, "n-lee", "kr", digest=sha256(b"another text").digest()))
    row = same_on_both_sides(story, "dispute", "x-1")
    assert isinstance(row, DisputeRow)
    assert (row.settled, len(row.proposed), len(row.positions)) == (None, 3, 2)
    record = story.say("kr", settlement(story, "n-lee", "kr"))
    row = same_on_both_sides(story, "dispute", "x-1")
    assert isinstance(row, DisputeRow)
    assert (row.settled, row.settlement) == (record.id, DIGEST)
    for late in (position(story), settlement(story)):
        verdict = story.registers["jp"].judge(story.write("jp", late), story.now)
        assert (verdict.word, verdict.code) == ("rejected", "settled")


OTHER = sha256(b"another text").digest()
Said = tuple[str, Callable[[Story], Body]]


def _signs(party: str, digest: bytes = DIGEST) -> Said:
    signer = {"jp": "n-oda", "kr": "n-lee"}[party]
    return party, lambda story: settlement(story, signer, party, digest=digest)


def _speaks(party: str) -> Said:
    signer = {"jp": "n-oda", "kr": "n-lee"}[party]
    return party, lambda story: position(story, signer, party)


def at_once(story: Story, *said: Said) -> tuple[DisputeRow, list[Record]]:
    """Each side writes all its part before it hears of the other's: both accept all of it, and end the same."""
    records = []
    for author, make in said:
        story.now += timedelta(seconds=1)
        record = story.write(author, make(story))
        verdict = story.registers[author].take(record, story.now)
        assert isinstance(verdict, Changes), verdict
        story._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
        records.append(record)
    for record in records:
        other = "kr" if record.statement.author == "jp" else "jp"
        verdict = story.registers[other].take(record, story.now)
        assert isinstance(verdict, Changes), verdict
    row = same_on_both_sides(story, "dispute", "x-1")
    assert isinstance(row, DisputeRow)
    return row, records


def test_both_sides_may_speak_at_once(story: Story) -> None:  # (5)
    story.say("kr", dispute())
    row, records = at_once(story, _speaks("jp"), _speaks("kr"), _speaks("jp"), _speaks("kr"))
    assert [each.record for each in row.positions[1:]] == [record.id for record in records]
    assert [row.last(party) for party in ("jp", "kr")] == [records[2].id, records[3].id]
    assert [open_ for _, _, open_ in duties(story, "x-1")] == [False] * len(duties(story, "x-1"))


def test_the_same_text_signed_by_both_at_once_settles_by_the_later(story: Story) -> None:  # (6)
    story.say("kr", dispute())
    row, (first, second) = at_once(story, _signs("kr"), _signs("jp"))
    assert (row.settled, row.settlement) == (second.id, DIGEST)
    assert first.id != second.id


def test_what_was_written_before_the_settlement_was_known_changes_nothing(story: Story) -> None:  # (6)
    story.say("kr", dispute())
    story.say("jp", settlement(story))
    row, records = at_once(story, _signs("jp", OTHER), _speaks("jp"), _signs("kr"))
    assert (row.settled, row.settlement, len(row.positions)) == (records[2].id, DIGEST, 2)


def test_of_two_texts_that_cross_the_one_that_both_had_signed_first_holds(story: Story) -> None:  # (6)
    story.say("kr", dispute())
    row, records = at_once(story, _signs("jp"), _signs("kr", OTHER), _signs("kr"), _signs("jp", OTHER))
    assert (row.settled, row.settlement) == (records[2].id, DIGEST)


def test_a_text_that_was_replaced_is_not_settled_by_whoever_could_know(story: Story) -> None:  # (6)
    story.say("kr", dispute())
    story.say("jp", settlement(story))
    replaced = story.say("jp", settlement(story, digest=OTHER))
    seen = SeenCheckpoint(size=replaced.statement.sequence + 1, root=bytes(32))
    knowing = story.write("kr", settlement(story, "n-lee", "kr"), seen=seen)
    unknowing = story.write("kr", settlement(story, "n-lee", "kr"))
    for record, settled in ((knowing, None), (unknowing, DIGEST)):
        for register in story.registers.values():
            verdict = register.judge(record, story.now)
            assert isinstance(verdict, Changes), verdict
            rows = [put.row for put in verdict.puts if isinstance(put.row, DisputeRow)]
            assert [row.settlement for row in rows] == [settled]


def test_the_text_of_a_settlement_is_the_one_that_is_signed(story: Story) -> None:  # (6)
    story.say("kr", dispute())
    rejected(story, "jp", settlement(story, text="another text"), "other-text")
    story.say("jp", settlement(story, text=CONTENT.decode()))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": "i-2"}, "unknown-item"),
        ({"about": "duty", "subject": "i-1/r-1", "obligation": "o-17-notify"}, "unknown-duty"),
        ({"about": "duty", "subject": "i-1/r-9", "obligation": "o-7.5"}, "unknown-duty"),
        ({"about": "duty", "subject": "i-1/r-1"}, "other-subject"),
        ({"obligation": "o-7.5"}, "other-subject"),
        ({"about": "reading", "subject": "22"}, "unknown-clause"),
        ({"deposits": ("e-9",)}, "unknown-deposit"),
    ],
)
def test_a_dispute_about_nothing_is_refused(story: Story, changes: dict[str, object], code: str) -> None:  # (4)
    rejected(story, "kr", dispute(**changes), code)


@pytest.mark.parametrize(
    "changes",
    [
        {"about": "item", "subject": "i-1"},
        {"about": "duty", "subject": "i-1/r-1", "obligation": "o-7.5"},
        {"about": "reading", "subject": "21.3"},
    ],
)
def test_an_item_a_duty_and_a_reading_can_be_in_dispute(story: Story, changes: dict[str, object]) -> None:  # (4)
    story.say("kr", dispute(**changes))
    story.say("jp", dispute("n-oda", "jp", dispute="x-2", **changes))


def test_what_never_passed_here_is_answered_as_what_does_not_exist() -> None:  # (4)
    story = told("asked")  # i-1 is registered in Tokyo, and was not given
    story.say("jp", listed("oda", ("agreement-authority",), nationality="jp", serves="jp"))
    verdicts = []
    for subject in ("i-1", "i-2"):
        record = story.write("kr", dispute(subject=subject))
        verdict = story.registers["jp"].judge(record, story.now)
        assert not isinstance(verdict, Changes)
        verdicts.append((verdict.code, verdict.sentence.replace(subject, "ID")))
    assert verdicts[0] == verdicts[1]


def test_a_dispute_has_its_bound(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:  # (5)
    monkeypatch.setattr(disputes, "RECORDS_MAX", 2)
    story.say("kr", dispute())
    for _ in range(2):
        story.say("jp", position(story))
    rejected(story, "jp", position(story), "too-many-positions")
    story.say("kr", position(story, "n-lee", "kr"))  # each side has its own


# ---- deposits -------------------------------------------------------------------------------------------------------


def test_a_deposit_is_revealed_once(story: Story) -> None:  # (8, 10)
    record = story.say("jp", deposited())
    rejected(story, "jp", deposited(), "deposit-exists")
    row = same_on_both_sides(story, "deposit", "e-1")
    assert isinstance(row, DepositRow)
    assert (row.reveal, row.digest, row.sequence) == (None, None, record.statement.sequence)
    story.say("kr", dispute(deposits=("e-1",)))
    record = story.say("jp", revealed(text=CONTENT.decode()))
    row = same_on_both_sides(story, "deposit", "e-1")
    assert isinstance(row, DepositRow)
    assert (row.reveal, row.digest, row.text) == (record.id, DIGEST, CONTENT.decode())
    rejected(story, "jp", revealed(), "already-revealed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digest": sha256(b"06:00:01 nothing\n").digest()}, "other-content"),
        ({"salt": bytes(32)}, "other-content"),
        ({"text": "06:00:01 nothing\n"}, "other-text"),
        ({"deposit": "e-2"}, "unknown-deposit"),
        ({"by": "n-oda"}, "other-signer"),
    ],
)
def test_a_reveal_that_does_not_match_is_refused_on_both_sides(
    story: Story, changes: dict[str, object], code: str
) -> None:  # (10)
    story.say("jp", deposited())
    rejected(story, "jp", revealed(**changes), code)


def test_only_the_depositor_reveals_and_nobody_deposits_what_he_does_not_know(story: Story) -> None:  # (8, 10)
    first = story.say("jp", deposited())
    rejected(story, "kr", revealed("n-lee", "kr"), "not-depositor")
    body = first.body
    assert isinstance(body, Deposited)
    story.say("kr", deposited("n-lee", "kr", deposit="e-2", commitment=body.commitment))
    story.say("jp", revealed())
    rejected(story, "kr", revealed("n-lee", "kr", deposit="e-2"), "other-content")


def test_a_deposit_needs_one_of_three_roles(story: Story) -> None:
    assert deposits.DEPOSITORS == ("agreement-authority", "officer", "registry")
    rejected(story, "kr", deposited("n-kim", "kr"), "no-role")


# ---- costs ----------------------------------------------------------------------------------------------------------


def test_an_outlay_stays_in_the_house(story: Story) -> None:  # (12)
    story.say("jp", outlay(item="i-1"))
    row = story.row("jp", "outlay", f"{RELATIONSHIP}/2026-11-21/c-1")
    assert isinstance(row, OutlayRow)
    assert (row.amount, row.currency, row.purpose, row.item) == ("1200.50", "JPY", "courier", "i-1")
    assert story.row("kr", "outlay", f"{RELATIONSHIP}/2026-11-21/c-1") is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (outlay(item="i-9"), "unknown-item"),
        (outlay(relationship="jp-kr-2016/jp.us"), "unknown-agreement"),
        (outlay(day="2026-02-29"), "bad-day"),
        (outlay(by="p-sato"), "other-signer"),
        (outlay("p-rei"), "no-role"),
        (outlay("root", key="other"), "unknown-key"),
    ],
)
def test_an_outlay_that_is_not_accepted(story: Story, body: Body, code: str) -> None:  # (12)
    verdict = story.try_("jp", body)
    assert (verdict.word, verdict.code) == ("rejected", code)


def test_an_outlay_counts_once(story: Story) -> None:
    story.say("jp", outlay())
    assert story.try_("jp", outlay()).code == "outlay-exists"
