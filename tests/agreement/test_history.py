"""History files (spec/term.md, steps 1, 2 and 5): what is in the packaged ones, and every refusal with its line."""

from __future__ import annotations

import pytest

from agreement.histories import (
    AGREEMENT,
    ENTRY,
    UNDATED,
    ZONES,
    event,
    packaged,
    packaged_chronicle,
    run,
    seoul,
    written,
)
from comity.agreement.history import history_from_header, history_of, written_from_header
from comity.agreement.lifecycle import ACTS, one
from comity.agreement.load import parse_agreement
from comity.agreement.load_history import parse_history
from comity.agreement.timeline import drawing, lines, timeline
from comity.errors import Misuse, Rejected

NAME = "jp-kr-2016.history.toml"
REAL = packaged_chronicle(NAME)
TEXT = packaged(NAME)


# ------------------------------------------------------------------------------------------- the packaged history


DAYS = """
2010-07 2010-11-09 2011-01-10 2012-04 2012-06 2012-06-26 2012-06-29 2012-07-03 2014-12-29 2016-10-27 2016-11-01
2016-11-23T10:00 2016-11-23 2016-12-16 2018-12 2019-08-06 2019-08-10 2019-08-16 2019-08-22 2019-08-23 2019-08-24
2019-11-22T18:00 2019-11-23T00:00 2020-01-09 2020-08-22 2022-05 2022-06-13 2022-09-07 2022-11 2023-03-16 2023-03-17
2023-03-21 2023-06-04 2023-11-12 2023-12-19 2024-06-01
"""


@pytest.mark.parametrize("day", DAYS.split())
def test_every_dated_event_is_there_with_a_source(day: str) -> None:
    found = [dated.event for dated in REAL.history.events if dated.event.when == day]
    assert found
    assert all(each.sources for each in found)


def test_only_six_acts_and_a_signature_called_off_ever_moved_the_term() -> None:
    acts = [dated.event.kind for dated in REAL.history.events if dated.event.kind in ACTS]
    assert acts == [
        "signature-called-off",
        "signature",
        "entry-note",
        "entry-note",
        "notice",
        "suspension",
        "withdrawal",
        "withdrawal",
    ]


def test_conflicts_between_sources_stand_beside_the_event() -> None:
    events = {dated.event.id: dated.event for dated in REAL.history.events}
    called_off = {version.source: version for version in events["2012-06-29-signature-called-off"].versions}
    assert "less than an hour" in called_off["yonhap-2012-06-29"].says
    assert called_off["upi-2012-06-29"].when == "2012-06-29T15:40"
    suspension = {version.source: version for version in events["2019-11-22-suspension"].versions}
    assert suspension["wsws-2019-11-25"].when == "2019-11-24"
    assert "agreed not to suspend" in suspension["wsws-2023-03-28"].says
    assert "never was" in suspension["international-viewpoint-2022"].says
    assert "withdrawn" in events["2019-11-22-trade-complaint"].versions[0].says
    assert events["2019-08-24-last-day-reported"].versions[0].when == "2019-08-25"


def test_a_report_may_carry_an_earlier_day_than_what_it_tells() -> None:
    sources = {source.id: source for source in REAL.history.sources}
    report = sources["international-viewpoint-2022"]
    told = next(dated.event for dated in REAL.history.events if dated.event.id == "2022-06-13-hope-of-normalisation")
    assert report.report_date is not None
    assert report.id in {version.source for version in told.versions}
    assert report.report_date < told.when
    assert report.note


def test_every_source_is_used() -> None:
    events = [dated.event for dated in REAL.history.events]
    used = {name for each in events for name in each.sources}
    used |= {version.source for each in events for version in each.versions}
    assert used == {source.id for source in REAL.history.sources}


def test_the_hypothetical_history_differs_by_what_it_supposes_alone() -> None:
    supposed = packaged_chronicle("jp-kr-2016.hypothetical.history.toml").history
    real = {dated.event.id: dated.event for dated in REAL.history.events}
    assert supposed.hypothetical
    assert "HYPOTHETICAL" in packaged("jp-kr-2016.hypothetical.history.toml").split("\n")[0]
    assert all(real[dated.event.id] == dated.event for dated in supposed.events)
    assert {dated.event.kind for dated in supposed.events}.isdisjoint({"suspension", "withdrawal"})


# ------------------------------------------------------------------------------------------- dates and order


def test_a_day_counts_from_its_end_and_entry_from_its_beginning() -> None:
    history = written([*ENTRY, event("2019-08-23", "notice", "kr")])
    notes, notice = history.events[1:3], history.events[3]
    assert {dated.effective for dated in notes} == {seoul("2016-11-23T10:00")}  # (2) not before the signature
    assert notice.effective == seoul("2019-08-23T23:59:59")


def test_a_later_event_of_the_day_makes_an_earlier_one_certain() -> None:
    suspension = event("2019-08-23T18:00", "suspension", "kr", of="n")
    history = written([*ENTRY, event("2019-08-23", "notice", "kr", id="n"), suspension])
    assert history.events[3].effective == history.events[4].effective == seoul("2019-08-23T18:00")


def test_what_is_only_said_narrows_no_window_but_keeps_its_place() -> None:
    said = event("2019-08-23T12:00", "statement", "kr")
    history = written([*ENTRY, event("2019-08-23", "notice", "kr"), said])
    assert [dated.effective for dated in history.events[3:]] == [seoul("2019-08-23T23:59:59")] * 2
    month = written([event("2016-11", "statement", "kr"), *ENTRY])
    assert month.events[0].effective == seoul("2016-11-23T10:00")


def test_a_local_time_that_did_not_happen_once_is_refused() -> None:
    for when in ("2021-03-14T02:30", "2021-11-07T01:30"):
        with pytest.raises(Rejected, match="did not happen exactly once in America/New_York"):
            written([event(when, "statement", zone="America/New_York")])


@pytest.mark.parametrize(
    "when", ["2019-8-23", "20190823", "2019-W34-5", "2019-02-30", "2019", " 2019-08", "2019-08-23T9:00"]
)
def test_what_is_no_date_is_refused(when: str) -> None:
    with pytest.raises(Rejected, match="is not a date") as caught:
        written([event(when, "statement", id="x")])
    assert caught.value.code == "bad-date"


# ------------------------------------------------------------------------------------------- refusals with their line


MISTAKES = [  # what is written, what stands there instead, code, line it is found at, part of the sentence
    ('agreement = "jp-kr-2016"', 'agreement = "jp-us-2007"', "bad-history", "agreement =", "not of 'jp-kr-2016'"),
    ("format = 1", "format = 2", "unknown-format", "format =", "reads format 1"),
    ('"suspension"', '"suspention"', "unknown-word", 'kind = "suspention"', "did you mean 'suspension'"),
    ('"reported"', '"rumoured"', "unknown-word", 'known = "rumoured"', "'rumoured'"),
    ("about = true", "abuot = true", "unknown-key", "abuot", "did you mean 'about'"),
    ('"2018-12"', "2018-12-20", "bare-date", "when = 2018-12-20", "in quotation marks"),
    ('of = "2019-08-23-notice"\nby', "by", "no-such-notice", 'kind = "suspension"', "name it with of"),
    ('of = "2019-08-23-notice"', 'of = "2019-08-24"', "no-such-notice", 'of = "2019-08-24"', "names none before it"),
    ('suspension"\nby = ["kr"]', 'suspension"\nby = ["jp"]', "bad-history", 'by = ["jp"]', "only 'kr' can make"),
    ('"2020-01-09"', '"2019-01-09"', "out-of-order", 'when = "2019-01-09"', "cannot have happened after it"),
    ('"2016-11-23T10:00"', '"2016-11-22T10:00"', "bad-history", 'when = "2016-11-22T', "it was signed"),
    ('"2016-11-01-first-round"', '"2016-10-27-talks-resume"', "bad-history", "id = ", "is there twice"),
    ('["upi-2016-12-16"]', '["upi-2016"]', "bad-history", "sources =", "no source is called 'upi-2016'"),
    ('["21.1"]', '["22.1"]', "bad-history", "clauses =", "has no clause '22.1'"),
    ('whose = "jp"', 'whose = "us"', "bad-history", "[[event.reading]]", "'us' is not a party"),
    ('"Asia/Singapore"', '"Asia/Singapur"', "unknown-zone", "zone =", "'Asia/Singapur'"),
    ('not-after = "2019-08-23', 'not-after = "2019-08-22', "bad-history", "when =", "leave no instant"),
    ('signature"\nby = ["jp", "kr"]', 'signature"\nby = ["kr"]', "bad-history", "by =", "an act of every party"),
    ('kind = "notice"\nby = ["kr"]', 'kind = "notice"\nby = []', "bad-history", "by =", "the act of one party"),
    ('kind = "pledge"', 'kind = "pledge"\nof = "x"', "bad-history", "of =", "acts on no other event"),
]


@pytest.mark.parametrize(("old", "new", "code", "line", "sentence"), MISTAKES)
def test_a_mistake_is_refused_at_its_line(old: str, new: str, code: str, line: str, sentence: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    with pytest.raises(Rejected) as caught:
        parse_history(text, "mine.toml", AGREEMENT, ZONES)
    assert caught.value.code == code
    assert sentence in str(caught.value)
    number = int(caught.value.place.removeprefix("mine.toml:"))
    assert text.split("\n")[number - 1].startswith(line)
    changed = text[: TEXT.index(old)].count("\n") + 1
    assert abs(number - changed) <= 5 or code == "no-such-notice"


@pytest.mark.parametrize("kind", ["amendment", "renewal", "end-by-consent", "signature"])
def test_an_act_of_all_that_one_side_did_not_do_is_refused(kind: str) -> None:
    with pytest.raises(Rejected, match=f"{one(kind)} is an act of every party, jp, kr; this one is by kr") as caught:
        written([*ENTRY, event("2020-01-01", kind, "kr", id="alone")])
    assert caught.value.code == "bad-history"


def test_a_contradiction_names_the_line_of_the_act_that_cannot_follow() -> None:
    text = TEXT.replace('kind = "pledge"', 'kind = "withdrawal"\nof = "2019-08-23-notice"')
    with pytest.raises(Rejected, match="2019-08-23-notice' is withdrawn") as caught:
        parse_history(text, "mine.toml", AGREEMENT, ZONES)
    line = int(caught.value.place.removeprefix("mine.toml:"))
    assert text.split("\n")[line - 1] == 'kind = "withdrawal"'
    assert 'id = "2023-03-21-notice-withdrawn"' in text.split("\n")[line - 6 : line]


# ------------------------------------------------------------------------------------------- the timeline


def test_the_timeline_has_every_event_and_every_renewal() -> None:
    rows = timeline(REAL, seoul("2026-11-21T12:00"))
    assert {row.event for row in rows if row.event} == {dated.event.id for dated in REAL.history.events}
    assert [row.when[:10] for row in rows if row.kind == "renewal"] == [f"{year}-11-23" for year in range(2017, 2026)]
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    for row in rows:
        assert row.phases == {reading.party: reading.phase for reading in REAL.status(row.at).readings} or row.event


def test_a_row_says_what_was_so_after_it_even_when_three_acts_share_the_hour() -> None:
    rows = {row.event: row for row in timeline(REAL, seoul("2017-01-01T00:00"))}
    assert rows["2016-11-23-signature"].phases == {"jp": "signed", "kr": "signed"}
    assert rows["2016-11-23-note-kr"].phases == {"jp": "signed", "kr": "signed"}
    assert rows["2016-11-23-note-jp"].phases == {"jp": "in-force", "kr": "in-force"}


def test_the_hypothetical_timeline_ends_with_the_lapse() -> None:
    rows = timeline(packaged_chronicle("jp-kr-2016.hypothetical.history.toml"), seoul("2026-11-21T12:00"))
    assert (rows[-1].kind, rows[-1].at) == ("end", seoul("2019-11-23T00:00"))
    assert rows[-1].says == "Ends by itself; what was provided stays protected."


def test_as_text_a_row_shows_sources_readings_and_other_versions() -> None:
    text = "\n".join(lines(timeline(REAL, seoul("2020-01-01T00:00"))))
    assert "* about 2019-11-22 18:00 Asia/Seoul  suspension (kr)" in text
    assert "now: jp notice-suspended, kr notice-suspended" in text
    assert "reading of kr (said)" in text
    assert "otherwise: World Socialist Web Site, 2019-11-25 [S]: 2019-11-24" in text


def test_the_drawing_is_well_formed_and_escapes_what_it_shows() -> None:
    from xml.etree import ElementTree

    rows = timeline(run([*ENTRY, event("2018-01-01", "statement", id="x", note="")]), seoul("2019-01-01T00:00"))
    drawn = drawing(rows, "A <title> & more\x01")
    root = ElementTree.fromstring(drawn)
    assert root.findtext("{http://www.w3.org/2000/svg}text") == "A <title> & more\N{REPLACEMENT CHARACTER}"
    bars = [each for each in root if each.tag.endswith("rect")]
    assert len(bars) == 2 * len(rows) + 6


def test_the_drawing_has_sources_and_conflicts_beside_each_event() -> None:
    from xml.etree import ElementTree

    rows = timeline(REAL, seoul("2024-07-01T00:00"))
    drawn = " ".join(text for text in ElementTree.fromstring(drawing(rows, "x")).itertext() if text.strip())
    for row in rows:
        for said in (*row.sources, *row.versions):
            assert said.split(",")[0].split(": ")[0][:40] in drawn
    assert "otherwise: World Socialist Web Site" in drawn


def test_as_json_a_row_has_sources_readings_and_conflicts(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from comity.cli.main import main

    assert main(["agreement", "timeline", "jp-kr-2016", "--until", "2024-07-01", "--json"]) == 0
    rows = {row["event"]: row for row in json.loads(capsys.readouterr().out) if row["event"]}
    suspension = rows["2019-11-22-suspension"]
    assert suspension["phases"] == {"jp": "notice-suspended", "kr": "notice-suspended"}
    assert suspension["sources"]
    assert suspension["readings"][0].startswith("kr (said)")
    assert any(
        version.startswith("World Socialist Web Site, 2019-11-25 [S]: 2019-11-24") for version in suspension["versions"]
    )


def test_a_timeline_needs_a_zone() -> None:
    from datetime import datetime

    with pytest.raises(Misuse, match="no time zone"):
        timeline(REAL, datetime(2020, 1, 1))  # noqa: DTZ001 - without a zone on purpose


@pytest.mark.parametrize("name", ["at-fi-2017", "csirt-tlp.example"])
def test_what_an_agreement_tells_of_itself_is_read_back_as_a_history(name: str) -> None:
    agreement = parse_agreement(packaged(f"{name}.toml"), f"{name}.toml")
    again = parse_history(written_from_header(agreement), f"{name}.toml", agreement, ZONES)
    assert again == history_of(history_from_header(agreement), agreement, ZONES)
    assert len(again.events) == (1 if agreement.term.entry == "on-signature" else 2)


def test_a_draft_tells_nothing_of_itself() -> None:
    assert written_from_header(UNDATED).count("[[event]]") == 0
