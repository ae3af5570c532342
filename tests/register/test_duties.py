"""Duties: what obligations lay on whom, until when, and what discharges it (``spec/duties.md``)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import Deed, Event
from comity.errors import Rejected
from comity.record import bodies
from comity.record.statement import DOMESTIC, Record
from comity.register import duties
from comity.register.rows import AgreementRow, Key, Row
from comity.register.rows.duties import DutiesRow, Duty, ItemDutyRow, OpenDutyRow
from comity.register.verdict import Context, Discharge, Occurrence
from register.story import RELATIONSHIP, Story, listed, received, told

NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # noon in Seoul
TEXT = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
ARRANGEMENT = """
[layer]
format = 1
id = "arrangement-2017"
version = "1"
kind = "arrangement"
on = "jp-kr-2016"
title = { en = "Implementing arrangement" }

[[clause]]
id = "9"
heading = { en = "Numbers" }
says = "Numbers for what the agreement leaves open."
provenance = "P"
source = "written for this test"

[[deadline]]
obligation = "o-17-notify"
clause = "9"
within = "PT24H"

[[deadline]]
obligation = "o-17-investigate"
clause = "9"
within = "P3D"

[[obligation]]
id = "weekly"
clause = "9"
on = "loss-suspected"
who = "recipient"
act = "report"
to = "originator"
within = "P7D"
evidence = "a report"
"""
DOMESTIC_KR = (
    ARRANGEMENT.replace('"arrangement-2017"', '"kr-own"')
    .replace('kind = "arrangement"', 'kind = "domestic"\nparty = "kr"')
    .replace("PT24H", "PT12H")
    .replace('id = "weekly"', 'id = "own"')
)


@cache
def agreement(text: str = TEXT) -> Agreement:
    return parse_agreement(text, "jp-kr-2016.toml")


@cache
def layer(text: str) -> Layer:
    return parse_layer(text, "layer", agreement())


STANDING = [
    each.id
    for each in agreement().obligations
    if each.on in ("always", "agreement-ended") and each.within == "continuous"
]


class Desk:
    """One party's duties, changed by records that are occasions of whatever the test says."""

    def __init__(self, party: str, layers: tuple[str, ...] = (), text: str = TEXT) -> None:
        self.party = party
        self.text = text
        self.layers = {sha256(each.encode()).digest(): each for each in layers}
        self.rows: dict[Key, Row] = {}
        self.story = Story()

    def record(self, author: str, at: datetime, body: bodies.Body | None = None) -> Record:
        record = self.story.write(author, body or listed("kim", ()), at)
        self.story._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
        return record

    def say(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *occasions: Occurrence | Discharge,
        author: str = "kr",
        at: datetime = NOON,
        body: bodies.Body | None = None,
    ) -> Record:
        record = self.record(author, at, body)
        monkeypatch.setattr(duties, "OCCASIONS", {type(record.body): (lambda *_: list(occasions),)})
        read = agreement(self.text)
        context = Context(
            self.party, bytes(32), at, lambda _: read, lambda digest: layer(self.layers[digest]), ZoneInfo
        )
        row = AgreementRow(
            agreement=read.id,
            relationship=RELATIONSHIP,
            peer="kr" if self.party == "jp" else "jp",
            digest=bytes.fromhex(read.digest),
            text=bytes(32),
            history=bytes(32),
            layers=tuple(self.layers),
            acknowledged=("jp", "kr"),
        )
        facts: dict[Key, Row | None] = {(AgreementRow.table, RELATIONSHIP): row}
        facts |= {key: self.rows.get(key) for key in duties.DUTIES.reads(context, facts, record) if key not in facts}
        for put in duties.DUTIES.apply(context, facts, record, []):
            if put.row is None:
                del self.rows[put.key]
            else:
                self.rows[put.key] = put.row
        return record

    def about(self, subject: str) -> dict[tuple[str, str], Duty]:
        row = self.rows.get((DutiesRow.table, f"{RELATIONSHIP}/{subject}"))
        return {(each.obligation, each.who): each for each in row.duties} if isinstance(row, DutiesRow) else {}

    def all(self) -> list[Duty]:
        return [duty for row in self.rows.values() if isinstance(row, DutiesRow) for duty in row.duties]

    def index(self) -> list[Duty]:
        found = []
        for _, row in sorted(self.rows.items()):
            if isinstance(row, OpenDutyRow):
                duties_row = self.rows[DutiesRow.table, row.duty]
                assert isinstance(duties_row, DutiesRow)
                found.append(duties_row.duties[row.place])
        return found


LOSS = Occurrence(event="loss-suspected", subject="x-1", originator="jp", item="i-1")


@pytest.mark.parametrize("party", ["jp", "kr"])
def test_both_sides_lay_the_same_on_whom_the_roles_mean(party: str, monkeypatch: pytest.MonkeyPatch) -> None:  # (1, 2)
    desk = Desk(party)
    record = desk.say(monkeypatch, LOSS)
    found = desk.about("x-1")
    assert set(found) == {("o-17-notify", "kr"), ("o-17-investigate", "kr")}
    told_ = found["o-17-notify", "kr"]
    assert (told_.to, told_.clause, told_.provenance, told_.item) == ("jp", "17", "P", "i-1")
    assert (told_.opened, told_.at, told_.evidence) == (record.id, NOON, "the notice")
    assert found["o-17-investigate", "kr"].to == ""


ROLES = [
    ("originator", "jp"),
    ("recipient", "kr"),
    ("visiting-authority", "kr"),
    ("host-authority", "jp"),
    ("carrier", "jp"),
    ("either", "kr"),
]


@pytest.mark.parametrize(("role", "owes"), ROLES)
def test_each_role_means_one_party(role: str, owes: str, monkeypatch: pytest.MonkeyPatch) -> None:  # (2)
    before = 'on = "loss-suspected"\nwho = "recipient"\nact = "notify"'
    text = TEXT.replace(before, before.replace("recipient", role))
    desk = Desk("jp", text=text)
    desk.say(monkeypatch, msgspec.structs.replace(LOSS, visiting="kr", carrier="jp"), author="kr")
    assert ("o-17-notify", owes) in desk.about("x-1")


@pytest.mark.parametrize("role", ["visiting-authority", "host-authority", "carrier"])
def test_a_role_that_nobody_has_lays_nothing(role: str, monkeypatch: pytest.MonkeyPatch) -> None:  # (2)
    text = TEXT.replace('on = "loss-suspected"\nwho = "recipient"', f'on = "loss-suspected"\nwho = "{role}"')
    desk = Desk("jp", text=text)
    desk.say(monkeypatch, LOSS)
    assert desk.about("x-1") == {}


def test_both_means_the_one_whose_turn_it_is_else_each(monkeypatch: pytest.MonkeyPatch) -> None:  # (2)
    desk = Desk("jp")
    desk.say(monkeypatch, Occurrence(event="law-changed", subject="w-1", originator="jp", acting="jp"), author="jp")
    assert {who: each.to for (_, who), each in desk.about("w-1").items()} == {"jp": "kr"}
    desk.say(monkeypatch, Occurrence(event="law-changed", subject="w-2", originator="jp"), author="jp")
    assert {who: each.to for (_, who), each in desk.about("w-2").items()} == {"jp": "kr", "kr": "jp"}


def test_what_comes_again_about_the_same_subject_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:  # (3)
    desk = Desk("jp")
    result = msgspec.structs.replace(LOSS, event="investigation-ended")
    desk.say(monkeypatch, LOSS, LOSS)
    desk.say(monkeypatch, result, result)
    before = desk.all()
    desk.say(monkeypatch, result, at=NOON + timedelta(days=1))
    assert desk.all() == before
    desk.say(monkeypatch, Discharge(deed="report", subject="x-1"))
    desk.say(monkeypatch, result, at=NOON + timedelta(days=2))
    assert not desk.about("x-1")["o-17-report", "kr"].open


@pytest.mark.parametrize("event", ["loss-suspected", "purpose-ended", "law-requested"])
def test_nothing_new_goes_by_the_name_of_something_else(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:  # (3)
    """Else one answer would do for both, and of the same kind nothing would be owed about the second."""
    desk = Desk("jp")
    desk.say(monkeypatch, Occurrence(event="visit-wanted", subject="x-1", originator="kr", visiting="jp"))
    before = desk.all()
    assert before
    with pytest.raises(Rejected) as raised:
        desk.say(monkeypatch, msgspec.structs.replace(LOSS, event=event), Discharge(deed="notify", subject="x-1"))
    assert raised.value.code == "subject-taken"
    assert desk.all() == before


def test_no_word_becomes_a_number(monkeypatch: pytest.MonkeyPatch) -> None:  # (4)
    desk = Desk("jp")
    desk.say(monkeypatch, LOSS)
    found = desk.about("x-1")["o-17-notify", "kr"]
    assert (found.within, found.limit, found.limit_from, found.due) == ("immediately", "", "", None)
    assert desk.about("x-1")["o-17-investigate", "kr"].within == ""


def test_an_arrangement_puts_numbers_in_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:  # (4)
    desk = Desk("jp", (ARRANGEMENT,))
    desk.say(monkeypatch, LOSS)
    found = desk.about("x-1")
    told_ = found["o-17-notify", "kr"]
    assert (told_.instrument, told_.clause, told_.within) == ("jp-kr-2016", "17", "immediately")
    assert (told_.limit, told_.limit_from, told_.due) == ("PT24H", "arrangement-2017:9", NOON + timedelta(hours=24))
    looked = found["o-17-investigate", "kr"]  # three days after the 21st, to the last second there
    assert looked.due == datetime(2026, 11, 24, 23, 59, 59, tzinfo=ZoneInfo("Asia/Seoul"))
    weekly = found["weekly", "kr"]
    assert (weekly.instrument, weekly.clause, weekly.within, weekly.limit) == ("arrangement-2017", "9", "P7D", "")
    assert weekly.due is not None


def test_a_domestic_layer_binds_its_own_party_only(monkeypatch: pytest.MonkeyPatch) -> None:  # (2, 4)
    desk = Desk("kr", (ARRANGEMENT, DOMESTIC_KR))
    desk.say(monkeypatch, LOSS)
    assert desk.about("x-1")["o-17-notify", "kr"].limit_from == "kr-own:9"  # the shorter of two numbers
    assert ("own", "kr") in desk.about("x-1")
    desk.say(monkeypatch, msgspec.structs.replace(LOSS, subject="x-2", originator="kr"))
    assert desk.about("x-2")["o-17-notify", "jp"].limit_from == "arrangement-2017:9"
    assert ("own", "jp") not in desk.about("x-2")


def test_a_house_rule_binds_its_own_house_only(monkeypatch: pytest.MonkeyPatch) -> None:  # (2)
    rule = ARRANGEMENT.replace('kind = "arrangement"', 'kind = "house"').replace('on = "jp-kr-2016"\n', "")
    for party, laid in (("kr", True), ("jp", False)):
        desk = Desk(party, (rule,))
        desk.say(monkeypatch, LOSS)
        assert (("weekly", "kr") in desk.about("x-1")) is laid
        assert bool(desk.about("x-1")["o-17-notify", "kr"].limit) is laid


def test_a_limit_beyond_the_calendar_has_no_day(monkeypatch: pytest.MonkeyPatch) -> None:  # (4)
    desk = Desk("kr", (ARRANGEMENT.replace("P7D", "P9999Y").replace("P3D", "P9999D"),))
    desk.say(monkeypatch, LOSS)
    assert desk.about("x-1")["weekly", "kr"].due is None
    assert desk.about("x-1")["o-17-investigate", "kr"].due is not None


def test_a_deed_discharges_what_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:  # (5)
    desk = Desk("jp", (ARRANGEMENT,))
    desk.say(monkeypatch, LOSS)
    later = NOON + timedelta(hours=1)
    for wrong in (
        Discharge(deed="notify", subject="x-2"),
        Discharge(deed="assure", subject="x-1"),
        Discharge(deed="notify", subject="x-1", party="jp"),
    ):
        desk.say(monkeypatch, wrong, at=later)
        assert all(each.open for each in desk.all())
    record = desk.say(monkeypatch, Discharge(deed="notify", subject="x-1"), at=later)
    found = desk.about("x-1")
    assert (found["o-17-notify", "kr"].discharged, found["o-17-notify", "kr"].discharged_at) == (record.id, later)
    assert found["o-17-investigate", "kr"].open
    desk.say(monkeypatch, Discharge(deed="notify", subject="x-1"), at=NOON + timedelta(hours=2))
    assert desk.about("x-1")["o-17-notify", "kr"].discharged == record.id


def test_one_record_opens_and_discharges(monkeypatch: pytest.MonkeyPatch) -> None:  # (5)
    desk = Desk("jp")
    record = desk.say(monkeypatch, LOSS, Discharge(deed="notify", subject="x-1"))
    found = desk.about("x-1")["o-17-notify", "kr"]
    assert found.opened == found.discharged == record.id
    assert [each.obligation for each in desk.index()] == ["o-17-investigate"]


def test_a_house_record_opens_nothing_and_discharges_its_own(monkeypatch: pytest.MonkeyPatch) -> None:  # (5)
    desk = Desk("kr")
    own = next(body for body in (told("peered").said["agreement/1"].body,) if body is not None)
    desk.say(monkeypatch, LOSS, author="kr", body=own)
    assert desk.all() == []
    desk.say(monkeypatch, LOSS)
    desk.say(monkeypatch, Discharge(deed="investigate", subject="x-1"), body=own)
    assert desk.about("x-1")["o-17-investigate", "kr"].open
    record = desk.say(monkeypatch, Discharge(deed="investigate", subject="x-1", relationship=RELATIONSHIP), body=own)
    assert record.statement.relationship == DOMESTIC
    assert desk.about("x-1")["o-17-investigate", "kr"].discharged == record.id


def test_what_stands_is_shown_and_never_discharged(monkeypatch: pytest.MonkeyPatch) -> None:  # (6)
    desk = Desk("jp")
    always = [Occurrence(event="always", subject="agreement", originator=party) for party in ("jp", "kr")]
    ended = [Occurrence(event="agreement-ended", subject="agreement", originator=party) for party in ("jp", "kr")]
    desk.say(monkeypatch, *always, *ended)
    found = desk.about("agreement")
    assert set(found) == {(name, who) for name in STANDING for who in ("jp", "kr")}
    assert all(each.standing and each.due is None for each in found.values())
    record = desk.say(monkeypatch, Discharge(deed="keep-register", subject="agreement"), at=NOON + timedelta(days=1))
    shown = desk.about("agreement")["o-6e", "kr"]
    assert (shown.open, shown.shown, shown.shown_at) == (True, record.id, NOON + timedelta(days=1))
    assert desk.about("agreement")["o-6e", "jp"].shown is None


def test_another_text_ends_what_it_no_longer_lays(monkeypatch: pytest.MonkeyPatch) -> None:  # (6)
    desk = Desk("jp")
    always = [Occurrence(event="always", subject="agreement", originator=party) for party in ("jp", "kr")]
    desk.say(monkeypatch, *always)
    desk.say(monkeypatch, *always)
    assert len(desk.all()) == 2 * len(STANDING) - 2  # the same text again changes nothing; o-21.4 is not for ever
    desk.text = TEXT.replace('act = "keep-register"', 'act = "protect"')
    record = desk.say(monkeypatch, *always, at=NOON + timedelta(days=1))
    row = desk.rows[DutiesRow.table, f"{RELATIONSHIP}/agreement"]
    assert isinstance(row, DutiesRow)
    ended = [each for each in row.duties if not each.open]
    assert [(each.obligation, each.deed) for each in ended] == [("o-6e", "keep-register")] * 2
    assert {each.discharged for each in ended} == {record.id}
    begun = [each for each in row.duties if each.opened == record.id]
    assert [(each.obligation, each.deed) for each in begun] == [("o-6e", "protect")] * 2


def test_nothing_that_ends_is_laid_on_an_end_that_no_record_tells(monkeypatch: pytest.MonkeyPatch) -> None:  # (6)
    before = 'within = "continuous"\nevidence = "the registers'
    text = TEXT.replace(before, before.replace("continuous", "P30D"))
    assert text != TEXT
    desk = Desk("jp", text=text)
    desk.say(monkeypatch, Occurrence(event="agreement-ended", subject="agreement", originator="jp"))
    assert desk.all() == []


def test_the_index_lists_what_presses_first(monkeypatch: pytest.MonkeyPatch) -> None:  # (7)
    desk = Desk("kr", (ARRANGEMENT,))
    desk.layers = {}
    desk.say(monkeypatch, LOSS)
    desk.layers = {sha256(ARRANGEMENT.encode()).digest(): ARRANGEMENT}
    desk.say(monkeypatch, msgspec.structs.replace(LOSS, subject="x-2"), at=NOON + timedelta(hours=1))
    desk.say(monkeypatch, Occurrence(event="always", subject="agreement", originator="jp"), at=NOON)
    mine = [(each.obligation, each.due is not None) for each in desk.index() if each.who == "kr"]
    assert mine == [
        ("o-17-notify", True),
        ("o-17-investigate", True),
        ("weekly", True),
        ("o-17-notify", False),
        ("o-17-investigate", False),
        *((name, False) for name in STANDING if name != "o-21.4"),
    ]


def test_an_item_leads_to_what_is_not_named_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk("jp")
    desk.say(monkeypatch, LOSS, msgspec.structs.replace(LOSS, subject="i-1/x-9"))
    found = [key for key, row in desk.rows.items() if isinstance(row, ItemDutyRow)]
    assert found == [(ItemDutyRow.table, f"{RELATIONSHIP}/i-1/x-1")]


# ---- the records about giving ---------------------------------------------------------------------------------------


def of_story(story: Story, party: str) -> dict[str, Duty]:
    rows = story.registers[party].rows.values()
    return {
        f"{row.subject.partition('/')[0]} {each.obligation} {each.who}": each
        for row in rows
        if isinstance(row, DutiesRow)
        for each in row.duties
    }


def test_the_duties_of_a_give_open_and_are_discharged_in_turn() -> None:  # (9)
    story = told("peered")
    assert set(of_story(story, "jp")) == {f"agreement {each} {who}" for each in STANDING for who in ("jp", "kr")}
    story = told("asked")
    assert of_story(story, "jp")["i-1 o-7.5 kr"].open
    story = told("given")
    assert not of_story(story, "jp")["i-1 o-7.5 kr"].open
    assert of_story(story, "jp")["i-1 o-12 kr"].open
    assert of_story(story, "jp")["i-1 o-12 kr"].provenance == "K"
    story = told("received")
    found = of_story(story, "jp")
    assert found == of_story(story, "kr")
    assert [key for key, each in found.items() if each.open and not each.standing] == []
    assert found["i-1 o-4.2 kr"].opened == found["i-1 o-4.2 kr"].discharged == story.said["receipt/1"].id


def test_a_directory_shows_that_the_register_of_persons_is_kept() -> None:  # (6, 9)
    story = told("peered")
    record = story.say("kr", listed("kim", ("reader",), function="another desk"))
    assert of_story(story, "jp")["agreement o-6e kr"].shown == record.id
    assert of_story(story, "jp")["agreement o-6e jp"].shown is None


def test_a_receipt_for_what_was_never_given_leads_nowhere() -> None:
    story = told("peered")
    verdict = story.try_("kr", received(told("given")))
    assert verdict.code == "unknown-consignment"


def test_every_event_and_every_deed_has_a_record() -> None:
    """A duty that nothing opens or discharges would be silently never owed, or owed for ever."""
    folder = Path(duties.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.name != "duties.py")
    assert [event for event in get_args(Event) if f'"{event}"' not in text] == []
    standing = {each.act for each in agreement().obligations if each.within == "continuous"}
    assert [deed for deed in get_args(Deed) if f'"{deed}"' not in text and deed not in standing] == []


# ---- balance --------------------------------------------------------------------------------------------------------

EVENTS = ("received", "loss-suspected", "law-requested", "visit-wanted", "always", "purpose-ended", "hands-changed")
DEEDS = ("mark", "notify", "investigate", "request-visit", "keep-register", "return-or-destroy", "give-receipt")
OCCURRENCES = st.builds(
    Occurrence,
    event=st.sampled_from(EVENTS),
    subject=st.sampled_from(("a", "b", "c")),
    originator=st.sampled_from(("jp", "kr")),
    item=st.sampled_from(("", "i-1", "a")),
    visiting=st.sampled_from(("", "jp")),
    carrier=st.sampled_from(("", "kr")),
    acting=st.sampled_from(("", "kr")),
)
DISCHARGES = st.builds(
    Discharge,
    deed=st.sampled_from(DEEDS),
    subject=st.sampled_from(("a", "b", "c")),
    party=st.sampled_from(("", "jp", "kr")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("jp", "kr")), st.lists(OCCURRENCES | DISCHARGES, max_size=4)), max_size=12))
def test_opened_is_discharged_and_open(
    records: list[tuple[str, list[Occurrence | Discharge]]],
) -> None:  # (11)
    desks = [Desk(party, (ARRANGEMENT,)) for party in ("jp", "kr")]
    opened = 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        for number, (author, occasions) in enumerate(records):
            for desk in desks:
                before = len(desk.all())
                with suppress(Rejected):
                    desk.say(monkeypatch, *occasions, author=author, at=NOON + timedelta(hours=number))
                opened += len(desk.all()) - before
    for desk in desks:
        open_ = [each for each in desk.all() if each.open]
        discharged = [each for each in desk.all() if not each.open]
        assert len(desk.all()) == len(open_) + len(discharged)
        assert sorted(map(repr, desk.index())) == sorted(map(repr, open_))
    assert opened == sum(len(desk.all()) for desk in desks)
    assert desks[0].rows == desks[1].rows  # both stand on the same texts: one view


def test_what_both_sides_discharge_at_once_is_discharged_by_the_earlier_record() -> None:  # (5)
    story = told("received")
    opened = story.said["consignment/1"]
    duty = Duty(
        obligation="o",
        instrument="jp-kr-2016",
        clause="12",
        provenance="P",
        event="hands-changed",
        deed="give-receipt",
        who="kr",
        opened=opened.id,
        at=opened.statement.at,
        evidence="",
    )
    row = DutiesRow(relationship=RELATIONSHIP, subject="s", duties=(duty,))
    early = story.write("kr", listed("kim", ("reader",)), at=NOON)
    late = story.write("jp", listed("ito", ("reader",)), at=NOON + timedelta(seconds=1))
    rows = []
    for order in ((early, late), (late, early)):
        book = duties.DutyBook(RELATIONSHIP, "s", row)
        for record in order:
            book.discharge(record, Discharge(deed="give-receipt", subject="s", party="kr"))
        rows.append(book.puts())
    assert rows[0] == rows[1]
    assert rows[0][0].row is not None
    assert rows[0][0].row.duties[0].discharged == early.id
