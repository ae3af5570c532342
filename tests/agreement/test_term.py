"""The status on an instant (spec/term.md): the instants of the real history, counting rules, random histories."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from agreement.histories import (
    AGREEMENT,
    ENTRY,
    SEOUL,
    UNDATED,
    ZONES,
    event,
    histories,
    instants,
    packaged_chronicle,
    run,
    seoul,
    term,
    written,
)
from comity.agreement.course import NOTICES_MAX
from comity.agreement.history import Event, ReadingClaim, history_from_header, history_of
from comity.agreement.lifecycle import ACTS, NO_EFFECT, NOTICE, diagram
from comity.agreement.lifecycle import AGREEMENT as STATES
from comity.agreement.term import Contradiction, Reading, Status, status_at
from comity.decision.model import Acknowledgement, Permit, Standing
from comity.errors import Misuse
from comity.flows.keeping.library import readings
from decision.cases import GIVE, asked

REAL = packaged_chronicle("jp-kr-2016.history.toml")
HYPOTHETICAL = packaged_chronicle("jp-kr-2016.hypothetical.history.toml")
NOTICE_2019 = event("2019-08-23T15:00", "notice", "kr", id="notice")
SUSPENSION_2019 = event("2019-11-22T18:00", "suspension", "kr", of="notice", id="suspension")
AT_ANY_TIME = ReadingClaim("kr", "said", "suspended-notice", "at-any-time", "At any time.")


def phases(status: Status) -> set[str]:
    return {reading.phase for reading in status.readings}


# ------------------------------------------------------------------------------------------- the real history


@pytest.mark.parametrize(
    ("instant", "phase", "in_force", "protection", "contested"),
    [
        ("2011-01-10T12:00", "not-signed", False, False, []),
        ("2012-06-29T17:00", "not-signed", False, False, []),
        ("2016-11-23T09:59", "not-signed", False, False, []),
        ("2016-11-23T12:00", "in-force", True, True, []),
        ("2018-12-20T12:00", "in-force", True, True, []),
        ("2019-08-22T23:59", "in-force", True, True, []),
        ("2019-08-23T09:00", "in-force", True, True, []),
        ("2019-08-23T18:00", "notice-given", True, True, []),
        ("2019-11-22T17:59", "notice-given", True, True, []),
        ("2019-11-22T18:01", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2019-11-23T00:01", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2020-11-23T00:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2021-11-23T00:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2022-06-13T12:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2022-09-07T12:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2022-11-23T00:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2023-03-16T23:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2023-03-20T12:00", "notice-suspended", True, True, ["how-it-can-end"]),
        ("2023-03-22T12:00", "in-force", True, True, []),
        ("2026-11-21T12:00", "in-force", True, True, []),
    ],
)
def test_the_history_of_2010_to_2024(
    instant: str, phase: str, in_force: bool, protection: bool, contested: list[str]
) -> None:
    status = REAL.status(seoul(instant))
    assert phases(status) == {phase}
    assert [reading.party for reading in status.readings] == ["jp", "kr"]
    assert {reading.in_force for reading in status.readings} == {in_force}
    assert status.protection is protection
    assert [point.point for point in status.contested] == contested
    assert status.tzdata == ZONES.version
    assert status.hypothetical is None


def test_what_was_contested_is_how_it_could_be_ended_and_whose_word_that_is() -> None:
    status = REAL.status(seoul("2020-10-01T12:00"))
    jp, kr = status.reading("jp"), status.reading("kr")
    assert (kr.known, kr.claim) == ("said", "2020-01-09-may-be-reactivated")
    assert (jp.known, jp.claim) == ("reported", "2020-08-22-read-differently")
    assert [ending.how for ending in kr.endings] == ["reactivation", "notice"]
    assert [ending.how for ending in jp.endings] == ["notice"]
    assert kr.endings[0].clause == ""  # (8) it rests on the party's own word, not on the text
    assert jp.endings[0].clause == "21.3"
    (point,) = status.contested
    assert "reported of it by others" in point.held["jp"]
    assert "said by it" in point.held["kr"]


@pytest.mark.parametrize("day", ["2019-11-22T18:01", "2020-06-15T12:00", "2021-11-23T00:00", "2023-03-20T23:59"])
def test_while_only_its_end_was_contested_giving_was_permitted(day: str) -> None:
    """From November 2019 to March 2023 both sides treated it as in force."""
    status = REAL.status(seoul(day))
    assert status.in_force
    assert [point.point for point in status.contested] == ["how-it-can-end"]
    standing = Standing(
        agreement=AGREEMENT.id,
        readings=readings(status),
        acknowledgements=tuple(Acknowledgement(party, AGREEMENT.digest) for party in ("jp", "kr")),
    )
    decision = asked(replace(GIVE, facts=replace(GIVE.facts, standings=(standing,))))
    assert isinstance(decision, Permit)
    noted = [each for each in decision.reasons if each.code == "contested"]
    assert {each.parameters for each in noted} == {("jp", "how-it-can-end"), ("kr", "how-it-can-end")}


def test_before_anybody_reported_japans_reading_the_text_speaks_for_it() -> None:
    jp = REAL.status(seoul("2019-12-01T12:00")).reading("jp")
    assert (jp.known, jp.claim) == ("text", None)


def test_the_last_day_for_notice_is_given_under_each_counting_rule() -> None:
    status = REAL.status(seoul("2020-02-01T12:00"))
    (notice,) = status.reading("jp").endings
    assert {day.counting: day.day for day in notice.last_days} == {
        "before-anniversary": date(2020, 8, 25),
        "before-last-day": date(2020, 8, 24),
    }
    ahead = [(milestone.what, milestone.at) for milestone in status.reading("jp").ahead]
    assert ahead[0] == ("last-day-for-notice", seoul("2020-08-24T23:59:59"))
    assert ahead[-1] == ("renewal", datetime(2020, 11, 22, 15, 0, tzinfo=UTC))


def test_between_the_two_last_days_only_one_rule_still_has_a_day() -> None:
    (notice,) = REAL.status(seoul("2020-08-25T12:00")).reading("kr").endings[1:]
    assert {day.day for day in notice.last_days} == {date(2020, 8, 25), date(2021, 8, 24)}


def test_a_note_whose_hour_is_not_known_is_unsettled_until_it_is_certain() -> None:
    assert REAL.status(seoul("2019-08-23T12:00")).unsettled == ("2019-08-23-notice",)
    assert REAL.status(seoul("2019-08-23T17:37")).unsettled == ()
    assert REAL.status(seoul("2016-11-23T12:00")).unsettled == ("2016-11-23-note-kr", "2016-11-23-note-jp")


def test_both_notes_are_withdrawn_on_one_morning_and_the_status_rests_on_both() -> None:
    assert phases(REAL.status(seoul("2023-03-21T00:00"))) == {"notice-suspended"}
    events = REAL.status(seoul("2023-03-21T12:00")).reading("kr").events
    assert events[-2:] == ("2023-03-21-notice-withdrawn", "2023-03-21-suspension-withdrawn")


def test_midnight_in_seoul_is_fifteen_hours_utc_on_the_day_before() -> None:
    (ending,) = REAL.status(seoul("2019-11-01T12:00")).reading("jp").endings
    assert ending.at == datetime(2019, 11, 22, 15, 0, tzinfo=UTC)
    assert "2019-11-23T00:00+09:00" in ending.says


def test_hypothetical_without_the_suspension_it_lapses_and_protection_goes_on() -> None:
    last = HYPOTHETICAL.status(seoul("2019-11-22T23:59:59"))
    assert last.in_force
    assert last.hypothetical
    after = HYPOTHETICAL.status(seoul("2019-11-23T00:00"))
    assert phases(after) == {"lapsed"}
    assert not after.in_force
    assert after.protection
    assert "21.4" in after.reading("jp").clauses
    assert after.reading("jp").endings == after.reading("jp").ahead == ()
    assert HYPOTHETICAL.status(seoul("2026-11-21T12:00")).protection


def test_every_reading_names_its_events_and_clauses_and_they_exist() -> None:
    ids = {dated.event.id for dated in REAL.history.events}
    clauses = {clause.id for clause in AGREEMENT.clauses}
    for year in range(2017, 2026):
        for reading in REAL.status(seoul(f"{year}-12-31T00:00")).readings:
            assert {"2016-11-23-signature", "2016-11-23-note-jp"} <= set(reading.events) <= ids
            assert {"21", "21.1", "21.3"} <= set(reading.clauses) <= clauses


# ------------------------------------------------------------------------------------------- counting and entry


@pytest.mark.parametrize(
    ("counting", "in_time"),
    [("before-last-day", {24}), ("before-anniversary", {24, 25}), ("both-days-count", {24, 25, 26})],
)
@pytest.mark.parametrize("day", [24, 25, 26])
def test_hypothetical_notices_of_august_2019_under_each_counting_rule(
    counting: str, in_time: set[int], day: int
) -> None:
    agreement = term(counting=counting, counting_disputed=())
    chronicle = run([*ENTRY, event(f"2019-08-{day}T23:59", "notice", "kr")], agreement)
    lapsed = phases(chronicle.status(seoul("2019-11-23T00:00"))) == {"lapsed"}
    assert lapsed is (day in in_time)
    assert phases(chronicle.status(seoul("2020-11-22T23:59"))) == {"lapsed" if lapsed else "notice-given"}
    assert phases(chronicle.status(seoul("2020-11-23T00:00"))) == {"lapsed"}


def test_a_notice_in_time_under_one_rule_only_is_in_force_under_neither_but_protects() -> None:
    chronicle = run([*ENTRY, event("2019-08-25T12:00", "notice", "kr")])
    before = chronicle.status(seoul("2019-11-22T12:00"))
    assert [point.point for point in before.contested] == ["when-it-ends"]
    after = chronicle.status(seoul("2019-11-24T12:00"))
    assert [point.point for point in after.contested] == ["in-force"]
    assert not after.in_force
    assert after.protection


@pytest.mark.parametrize("counting", ["before-last-day", "before-anniversary", "both-days-count"])
def test_counting_rules_count_ninety_days_as_they_say(counting: str) -> None:
    agreement = term(counting=counting, counting_disputed=())
    (notice,) = run(ENTRY, agreement).status(seoul("2019-08-01T12:00")).reading("jp").endings
    (last,) = notice.last_days
    first_counted = last.day if counting == "both-days-count" else last.day + timedelta(days=1)
    last_counted = last.renewal - timedelta(days=1) if counting == "before-last-day" else last.renewal
    assert len(range(first_counted.toordinal(), last_counted.toordinal() + 1)) == 90


def test_entry_is_on_the_later_of_the_two_notes() -> None:
    notes = [event("2016-11-24", "entry-note", "kr"), event("2016-11-30", "entry-note", "jp")]
    chronicle = run([ENTRY[0], *notes])
    assert phases(chronicle.status(seoul("2016-11-29T23:59"))) == {"signed"}
    reading = chronicle.status(seoul("2016-11-30T00:00")).reading("kr")
    assert reading.phase == "in-force"
    assert reading.ahead[-1].at == seoul("2017-11-30T00:00")


def test_entry_on_signature_needs_no_note() -> None:
    chronicle = run([ENTRY[0]], term(entry="on-signature"))
    assert phases(chronicle.status(seoul("2016-11-23T10:00"))) == {"in-force"}


def test_a_deposit_is_not_entry_and_entry_comes_by_itself_days_later() -> None:
    agreement = term(entry="deposit-plus", entry_plus="P30D")
    deposits = [event("2023-07-01", "deposit", "jp"), event("2023-07-24", "deposit", "kr")]
    chronicle = run([ENTRY[0], *deposits], agreement)
    waiting = chronicle.status(seoul("2023-08-22T23:59"))
    assert phases(waiting) == {"signed"}
    assert [milestone.what for milestone in waiting.reading("jp").ahead] == ["entry"]
    assert phases(chronicle.status(seoul("2023-08-23T00:00"))) == {"in-force"}


@pytest.mark.parametrize(
    ("plus", "day", "entry"),
    [("P30D", None, "2017-01-04"), ("P2M", None, "2017-02-05"), ("P2M", "first-of-month", "2017-02-01")],
)
def test_entry_a_time_after_the_later_note(plus: str, day: str | None, entry: str) -> None:
    agreement = term(entry="notices-plus", entry_plus=plus, entry_day=day)
    notes = [event("2016-11-30", "entry-note", "jp"), event("2016-12-05", "entry-note", "kr")]
    chronicle = run([ENTRY[0], *notes], agreement)
    begins = seoul(f"{entry}T00:00")
    assert phases(chronicle.status(begins - timedelta(seconds=1))) == {"signed"}
    assert phases(chronicle.status(begins)) == {"in-force"}


def test_a_longer_term_renews_itself_and_a_notice_ends_it_at_the_next_renewal_it_is_in_time_for() -> None:
    agreement = term(duration="P5Y", counting_disputed=())
    chronicle = run([*ENTRY, event("2021-08-25T12:00", "notice", "jp")], agreement)
    assert phases(chronicle.status(seoul("2021-11-23T00:00"))) == {"lapsed"}
    late = run([*ENTRY, event("2021-08-26T12:00", "notice", "jp")], agreement)
    assert [ahead.at for ahead in late.status(seoul("2022-01-01T00:00")).reading("jp").ahead] == [
        seoul("2026-11-23T00:00")
    ]
    assert late.status(seoul("2026-11-22T23:59")).in_force
    assert phases(late.status(seoul("2026-11-23T00:00"))) == {"lapsed"}
    quiet = run(ENTRY, agreement).status(seoul("2021-08-26T12:00")).reading("kr").ahead
    assert {ahead.what: ahead.at for ahead in quiet} == {
        "renewal": seoul("2021-11-23T00:00"),
        "last-day-for-notice": seoul("2026-08-25T23:59:59"),
    }


@pytest.mark.parametrize("renewal", ["none", "by-consent"])
def test_a_term_that_does_not_renew_itself_expires(renewal: str) -> None:
    chronicle = run(ENTRY, term(duration="P5Y", renewal=renewal))
    (expiry, _) = chronicle.status(seoul("2020-01-01T00:00")).reading("jp").endings
    assert expiry.how == "expiry"
    assert chronicle.status(seoul("2021-11-22T23:59")).in_force
    assert phases(chronicle.status(seoul("2021-11-23T00:00"))) == {"lapsed"}


def test_a_renewal_by_consent_adds_a_term() -> None:
    chronicle = run([*ENTRY, event("2021-10-01", "renewal")], term(duration="P5Y", renewal="by-consent"))
    assert chronicle.status(seoul("2026-11-22T23:59")).in_force
    assert not chronicle.status(seoul("2026-11-23T00:00")).in_force


def test_open_ended_a_notice_ends_it_when_its_period_is_over() -> None:
    agreement = term(duration=None, renewal="none", period="P6M", counting_disputed=())
    chronicle = run([*ENTRY, event("2020-01-31T12:00", "notice", "jp")], agreement)
    assert chronicle.status(seoul("2020-07-30T23:59")).in_force
    assert phases(chronicle.status(seoul("2020-07-31T00:00"))) == {"lapsed"}


def test_without_survival_nothing_is_protected_after_the_end() -> None:
    chronicle = run([*ENTRY, event("2020-01-01", "end-by-consent")], term(survival="none"))
    assert not chronicle.status(seoul("2020-01-02T00:00")).protection


def test_an_anniversary_of_29_february_does_not_drift() -> None:
    chronicle = run([event("2016-02-29T10:00", "signature")], term(entry="on-signature"))
    renewals = [
        next(m.at for m in chronicle.status(seoul(f"{year}-01-15T12:00")).reading("jp").ahead if m.what == "renewal")
        for year in (2017, 2020)
    ]
    assert [renewal.astimezone(SEOUL).date() for renewal in renewals] == [date(2017, 2, 28), date(2020, 2, 29)]


def test_an_agreement_without_a_history_file_has_the_one_its_header_tells() -> None:
    history = history_of(history_from_header(AGREEMENT), AGREEMENT, ZONES)
    status = status_at(AGREEMENT, history, seoul("2020-01-01T00:00"), ZONES)
    assert phases(status) == {"in-force"}


# ------------------------------------------------------------------------------------------- suspended notices


def test_reactivated_before_its_time_a_notice_ends_it_as_if_never_suspended() -> None:
    suspended = event("2019-10-01T12:00", "suspension", "kr", of="notice", id="suspension")
    again = event("2019-11-01T12:00", "reactivation", "kr", of="notice")
    chronicle = run([*ENTRY, NOTICE_2019, suspended, again])
    assert phases(chronicle.status(seoul("2019-11-22T23:59"))) == {"notice-given"}
    assert phases(chronicle.status(seoul("2019-11-23T00:00"))) == {"lapsed"}


def test_reactivated_later_the_readings_differ_and_nothing_may_be_given() -> None:
    says = event("2019-11-22T18:00", "statement", "kr", readings=(AT_ANY_TIME,), id="says")
    again = event("2020-02-01T12:00", "reactivation", "kr", of="notice", id="again")
    chronicle = run([*ENTRY, NOTICE_2019, SUSPENSION_2019, says, again])
    assert chronicle.status(seoul("2020-02-01T11:59")).in_force
    status = chronicle.status(seoul("2020-02-01T12:00"))
    assert (status.reading("kr").phase, status.reading("jp").phase) == ("lapsed", "notice-given")
    assert [point.point for point in status.contested] == ["in-force"]
    assert not status.in_force
    assert status.protection
    assert phases(chronicle.status(seoul("2020-11-23T00:00"))) == {"lapsed"}


def test_withdrawing_the_suspension_alone_lets_the_notice_run_again() -> None:
    alone = event("2019-11-22T20:00", "withdrawal", "kr", of="suspension")
    chronicle = run([*ENTRY, NOTICE_2019, SUSPENSION_2019, alone])
    assert phases(chronicle.status(seoul("2019-11-22T20:00"))) == {"notice-given"}
    assert phases(chronicle.status(seoul("2019-11-23T00:00"))) == {"lapsed"}


def test_a_fresh_notice_may_stand_beside_a_suspended_one() -> None:
    fresh = event("2020-08-01T12:00", "notice", "kr", id="fresh")
    chronicle = run([*ENTRY, NOTICE_2019, SUSPENSION_2019, fresh])
    assert phases(chronicle.status(seoul("2020-11-23T00:00"))) == {"lapsed"}


def test_a_suspension_that_is_over_can_not_be_withdrawn_while_another_stands() -> None:
    again = event("2019-10-02T12:00", "reactivation", "kr", of="notice", id="again")
    first = event("2019-10-01T12:00", "suspension", "kr", of="notice", id="first")
    second = event("2019-10-03T12:00", "suspension", "kr", of="notice", id="second")
    with pytest.raises(Contradiction, match="of 'first' cannot follow"):
        run([*ENTRY, NOTICE_2019, first, again, second, event("2019-10-04T12:00", "withdrawal", "kr", of="first")])
    chronicle = run([*ENTRY, NOTICE_2019, first, again, second])
    assert chronicle.status(seoul("2019-10-05T12:00")).reading("kr").events[-4:] == (
        "notice",
        "first",
        "again",
        "second",
    )


def test_a_withdrawn_notice_is_over_when_its_party_gives_another() -> None:
    other = event("2019-08-24T12:00", "notice", "jp", id="other")
    gone = event("2019-11-22T19:00", "withdrawal", "kr", of="notice")
    fresh = event("2019-11-22T20:00", "notice", "kr", id="fresh")
    late = event("2019-11-22T21:00", "withdrawal", "kr", of="suspension")
    run([*ENTRY, NOTICE_2019, other, SUSPENSION_2019, gone, late])
    with pytest.raises(Contradiction, match="a round that is over"):
        run([*ENTRY, NOTICE_2019, other, SUSPENSION_2019, gone, fresh, late])


def test_only_so_many_notices_stand_at_once() -> None:
    events = [*ENTRY]
    for number in range(NOTICES_MAX + 1):
        at = datetime(2017, 1, 1) + timedelta(days=number)  # noqa: DTZ001 - local time, as a history is written
        events.append(event(at.isoformat("T", "minutes"), "notice", "kr", id=f"n{number}"))
        at += timedelta(hours=1)
        events.append(event(at.isoformat("T", "minutes"), "suspension", "kr", of=f"n{number}", id=f"s{number}"))
    run(events[:-2])
    with pytest.raises(Contradiction, match="64 notices stand already"):
        run(events)


def test_a_notice_that_is_suspended_thousands_of_times_is_answered_and_let_go() -> None:
    events = [*ENTRY, event("2016-12-01T00:00", "notice", "kr", id="n")]
    at = datetime(2016, 12, 2)  # noqa: DTZ001 - local time, as a history is written
    for number in range(2_500):
        events.append(event(at.isoformat("T", "minutes"), "suspension", "kr", of="n", id=f"s{number}"))
        at += timedelta(minutes=30)
        events.append(event(at.isoformat("T", "minutes"), "reactivation", "kr", of="n", id=f"r{number}"))
        at += timedelta(minutes=30)
    status = run(events).status(seoul("2017-10-01T00:00"))
    assert phases(status) == {"notice-given"}
    assert len(status.reading("kr").events) == len(events)


def test_each_party_may_give_notice_and_withdrawing_one_leaves_the_other() -> None:
    mine = event("2019-08-24T12:00", "notice", "jp", id="mine")
    gone = event("2019-09-01T12:00", "withdrawal", "kr", of="notice")
    chronicle = run([*ENTRY, NOTICE_2019, mine, gone])
    assert phases(chronicle.status(seoul("2019-10-01T12:00"))) == {"notice-given"}
    assert phases(chronicle.status(seoul("2019-11-23T00:00"))) == {"lapsed"}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([event("2016-11-24", "entry-note", "kr")], "the agreement is not-signed"),
        ([*ENTRY, event("2017-01-01", "signature", id="again")], "a signature cannot follow"),
        ([ENTRY[0], ENTRY[1], event("2016-12-01", "entry-note", "kr")], "has made its entry-note already"),
        ([ENTRY[0], event("2016-12-01", "deposit", "kr")], "has no part in an entry"),
        ([ENTRY[0], event("2016-12-01", "notice", "kr")], "the agreement is signed"),
        ([*ENTRY, NOTICE_2019, event("2019-08-24", "notice", "kr", id="twice")], "has given notice already"),
        (
            [*ENTRY, NOTICE_2019, SUSPENSION_2019, event("2019-11-22T19:00", "suspension", "kr", of="notice")],
            "'notice' is suspended",
        ),
        ([*ENTRY, NOTICE_2019, event("2019-09-01", "reactivation", "kr", of="notice")], "'notice' is given"),
        (
            [*ENTRY, NOTICE_2019, event("2019-11-23T00:00", "suspension", "kr", of="notice")],
            "the agreement is lapsed since 2019-11-23",
        ),
        ([*ENTRY, event("2017-01-01", "renewal")], "renewal is 'automatic'"),
        ([*ENTRY, event("2017-01-01", "signature-called-off")], "the agreement is in-force"),
    ],
)
def test_a_history_that_contradicts_itself_is_refused_with_the_reason(events: list[Event], reason: str) -> None:
    with pytest.raises(Contradiction, match=re.escape(reason)) as caught:
        run(events)
    assert caught.value.code == "contradiction"


def test_an_instant_without_a_zone_and_a_stranger_are_refused() -> None:
    with pytest.raises(Misuse, match="has no time zone"):
        REAL.status(datetime(2019, 11, 22, 18, 0))  # noqa: DTZ001 - without a zone on purpose
    with pytest.raises(Misuse, match="'us' is not a party"):
        REAL.status(seoul("2019-11-22T18:00")).reading("us")


# ------------------------------------------------------------------------------------------- random histories


@settings(max_examples=60, deadline=None)
@given(histories)
def test_what_is_so_on_an_instant_depends_on_nothing_later(events: list[Event]) -> None:
    chronicle = run(events)
    for at in instants(chronicle):
        so_far = [dated.event for dated in chronicle.history.events if dated.window.earliest <= at]
        assert run(so_far).status(at) == chronicle.status(at)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_withdrawal_changes_nothing_before_it(events: list[Event]) -> None:
    chronicle = run(events)
    for index, dated in enumerate(chronicle.history.events):
        if dated.event.kind == "withdrawal":
            without = run(events[:index])
            for at in instants(chronicle):
                if at < dated.effective:
                    assert without.status(at).readings == chronicle.status(at).readings


@settings(max_examples=60, deadline=None)
@given(histories)
def test_what_is_only_said_changes_nothing(events: list[Event]) -> None:
    chronicle = run(events)
    silent = run([e for e in events if e.kind in ACTS or e.readings])
    for at in instants(chronicle):
        assert silent.status(at).readings == chronicle.status(at).readings


@settings(max_examples=60, deadline=None)
@given(histories)
def test_a_lapse_is_final_and_protection_outlives_it(events: list[Event]) -> None:
    chronicle = run(events)
    lapsed: set[str] = set()
    for at in instants(chronicle):
        readings: dict[str, Reading] = {reading.party: reading for reading in chronicle.status(at).readings}
        assert all(readings[party].phase == "lapsed" and readings[party].protection for party in lapsed)
        assert all(reading.protection for reading in readings.values() if reading.in_force)
        lapsed |= {party for party, reading in readings.items() if reading.phase == "lapsed"}


# ------------------------------------------------------------------------------------------- tables and spec


def test_every_act_is_in_the_tables_and_what_has_no_effect_is_not() -> None:
    assert {act for _, act in STATES} - {"end"} == ACTS
    assert not ACTS & NO_EFFECT
    assert set(NOTICE.values()) == {"given", "suspended", "withdrawn"}


def test_the_diagram_has_an_arrow_for_every_row_of_the_tables() -> None:
    assert diagram().count(" --> ") == len(STATES) + len(NOTICE)
    assert "    agreement_in_force --> agreement_lapsed: end\n" in diagram()
    assert f"```mermaid\n{diagram()}```" in (Path(__file__).parents[2] / "spec/term.md").read_text(encoding="utf-8")


def test_every_step_cited_is_in_the_spec() -> None:
    root = Path(__file__).parents[2]
    spec = (root / "spec/term.md").read_text(encoding="utf-8")
    steps = set(re.findall(r"^\((\d+)\)", spec, re.MULTILINE))
    names = ("calendar", "course", "history", "lifecycle", "term", "timeline")
    code = "".join((root / f"src/comity/agreement/{name}.py").read_text(encoding="utf-8") for name in names)
    cited = set(re.findall(r"(?:#|\"\"\") ?\((\d+)\)", code))
    assert len(cited) >= 6
    assert cited <= steps


def test_the_answer_at_the_head_of_the_spec_is_what_the_code_answers() -> None:
    status = REAL.status(seoul("2020-02-01T12:00"))
    spec = (Path(__file__).parents[2] / "spec/term.md").read_text(encoding="utf-8")
    shown = " ".join(spec.split("```")[3].split())
    for reading in status.readings:
        assert f"{reading.party} {reading.phase}, in force, to be protected known: {reading.known}" in shown
    assert status.reading("jp").endings[0].says in shown
    assert status.reading("kr").claim in shown


def test_written_twice_the_answer_is_the_same() -> None:
    at = seoul("2020-02-01T12:00")
    again = packaged_chronicle("jp-kr-2016.history.toml").status(at.astimezone(UTC))
    assert again == REAL.status(at)
    assert written(ENTRY) == written(ENTRY, UNDATED)
