"""Verdicts that no rule gives: what is not known, what is too early, what goes back in time (steps 3 and 4)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from comity.record.bodies import BODIES
from comity.record.encoding import encode
from comity.record.statement import Record, SeenCheckpoint, read
from comity.register import step
from comity.register.crossing import CROSSING_RULES
from comity.register.house import HOUSE_RULES
from comity.register.rows import TABLES, ChainRow, decode_row, encode_row
from comity.register.step import CLOCK_SKEW_MAX, FUTURE_TIME, UNKNOWN_VERSION, reads
from comity.register.verdict import Changes, Context, Held, Rejection, Verdict
from record.made import NODE, sealed, statement
from register.story import KEYS, START, listed, told


def test_every_type_has_one_rule() -> None:
    assert set(step._RULES) == set(BODIES.values())
    assert not set(HOUSE_RULES) & set(CROSSING_RULES)


@pytest.mark.parametrize("changes", [{"version": 2}, {"type": "feed/1"}, {"suite": "ed448"}])
def test_what_is_not_known_is_held(changes: dict[str, object]) -> None:  # (4)
    envelope = sealed(encode(statement(b"{}", **changes)))
    story = told("peered")
    verdict = story.registers["jp"].judge(read(envelope, [NODE.public]), story.now)
    assert isinstance(verdict, Held)
    assert verdict.code == UNKNOWN_VERSION


def test_another_partys_record_waits_for_its_time() -> None:  # (4)
    story = told("peered")
    early, late = story.now + CLOCK_SKEW_MAX, story.now + CLOCK_SKEW_MAX + timedelta(microseconds=1)
    kr, jp = story.registers["kr"], story.registers["jp"]
    body = listed("sato", ())
    assert isinstance(jp.judge(story.write("kr", body, early), story.now), Changes)
    record = story.write("kr", body, late)
    verdict = jp.judge(record, story.now)
    assert isinstance(verdict, Held)
    assert verdict.code == FUTURE_TIME
    assert isinstance(kr.judge(record, story.now), Changes)  # its author's clock is its own
    assert isinstance(jp.judge(record, story.now + timedelta(seconds=1)), Changes)


def test_an_author_does_not_go_back_in_time() -> None:  # (4)
    story = told("peered")
    newest = story.row("jp", "chain", "jp-kr-2016/jp.kr/jp")
    assert isinstance(newest, ChainRow)
    verdict = story.try_("jp", listed("sato", ()), newest.at - timedelta(microseconds=1))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "time-order"
    assert isinstance(story.try_("jp", listed("sato", ()), newest.at), Changes)


def test_an_author_does_not_forget_what_he_has_seen() -> None:  # (4)
    """Else he could say that a withdrawal, a recall or another level had not reached him, after he had cited it."""
    story = told("peered")

    def verdict(size: int | None) -> Verdict:
        seen = None if size is None else SeenCheckpoint(size, bytes(32))
        record = story.write("kr", listed("kim", ()), seen=seen)
        verdicts = [register.judge(record, story.now) for register in story.registers.values()]
        assert (verdicts[0].word, verdicts[0].code) == (verdicts[1].word, verdicts[1].code)
        return verdicts[0]

    assert isinstance(verdict(None), Changes)
    for register in story.registers.values():
        record = story.write("kr", listed("kim", ()), seen=SeenCheckpoint(7, bytes(32)))
        assert isinstance(register.take(record, story.now), Changes)
    for forgotten in (None, 6):
        assert verdict(forgotten).code == "seen-order"
    assert isinstance(verdict(7), Changes)
    assert isinstance(verdict(8), Changes)


def test_chains_keep_their_own_time() -> None:
    """A record of one chain says nothing about the time of another."""
    story = told("peered")
    story.now += timedelta(days=1)
    story.say("jp", listed("sato", ()))
    assert isinstance(story.try_("kr", listed("kim", ()), story.now - timedelta(hours=1)), Changes)


def test_a_record_without_a_body_depends_on_nothing() -> None:
    story = told("founded")
    record: Record = msgspec.structs.replace(story.said["person/1"], body=None)
    context = Context(
        "jp",
        KEYS["jp root"].public,
        START,
        lambda _: pytest.fail("no agreement"),
        lambda _: pytest.fail("no layer"),
        lambda _: pytest.fail("no zone"),
    )
    assert reads(context, record) == []


def test_rows_are_read_back_as_they_were_written() -> None:  # (1, 2)
    story = told("received")
    kinds = set()
    for register in story.registers.values():
        for (table, key), row in register.rows.items():
            assert row is not None
            assert decode_row(table, encode_row(row)) == row
            assert type(row) is TABLES[table]
            assert key
            kinds.add(table)
    assert {"chain", "person", "agreement", "item", "request", "assurance", "consignment", "copy", "duty"} <= kinds
