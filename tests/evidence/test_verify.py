"""What an honest file shows, and on whose word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from comity.errors import Rejected
from comity.evidence.model import EVIDENCE_BYTES_MAX, Withheld
from comity.evidence.story import Line, Verified
from comity.evidence.wording import GROUPS, LINES, ground_wording, line_wording
from comity.record.card import fingerprint, read_card
from evidence.made import ALL_GROUPS, Made, codes, contents, told

GIVER_STORY = [
    "acknowledgement/1",
    "same-agreement",
    "item/1",
    "release-request/1",
    "assurance-request/1",
    "assurance/1",
    "approval/1",
    "decision/1",
    "consignment/1",
    "basis",
    "receipt/1",
    "opening/1",
    "decision/1",
]


def line(verified: Verified, code: str) -> Line:
    return next(each for each in verified.lines if each.code == code)


def fingerprints(data: bytes) -> list[bytes]:
    cards = [read_card(card) for card in contents(data).cards]
    return [fingerprint(card.party, card.root) for card in cards]


def test_the_story_of_the_giver_is_told_in_order(made: Made) -> None:
    found = [code for code in codes(told(made.jp)) if code in GIVER_STORY]
    assert found[0] == "acknowledgement/1"
    assert found[1:] == GIVER_STORY


def test_what_both_parties_signed_is_proved_and_what_one_says_is_attested(made: Made) -> None:
    """(30)"""
    verified = told(made.jp)
    assert [line(verified, code).status for code in ("same-agreement", "consignment/1", "receipt/1")] == ["proved"] * 3
    assert line(verified, "consignment/1").ground == line(verified, "receipt/1").ground == "both-parties"
    for code, party in (("opening/1", "kr"), ("assurance/1", "kr"), ("directory/1", "kr"), ("approval/1", "jp")):
        assert (line(verified, code).status, line(verified, code).word_of) == ("attested", party)


def test_a_decision_is_proved_when_it_is_made_again_and_fixed_by_a_witnessed_record(made: Made) -> None:
    """(23) (25) (29): the giving was decided before the other party cosigned; the export is the exporter's word."""
    giving, export = [each for each in told(made.jp).lines if each.code == "decision/1"]
    assert (giving.parameters[0], giving.ground, giving.status) == ("give", "replayed", "proved")
    assert (export.parameters[0], export.ground, export.status) == ("export-evidence", "replayed", "attested")
    assert {"4.1", "7.5", "comity-house two-people"} <= set(giving.clauses)


def test_what_the_decision_follows_on_is_fixed_with_it(made: Made) -> None:
    """(29)"""
    verified = told(made.jp)
    assert {line(verified, code).ground for code in ("approval/1", "release-request/1")} == {"anchored"}
    assert line(verified, "agreement/1").ground == "one-party"


def test_the_receiver_can_export_as_well(made: Made) -> None:
    verified = told(made.kr)
    assert verified.exporter == "kr"
    assert "approval/1" not in codes(verified)
    assert line(verified, "consignment/1").status == "proved"
    opening = next(each for each in told(made.others["kr-all"]).lines if each.parameters[0] == "open")
    assert (opening.party, opening.ground, opening.status) == ("kr", "replayed", "attested")  # (24): by kr's own facts
    assert [each.code for each in verified.open] == ["decision-elsewhere"]


def test_articles_are_those_of_the_agreement(made: Made) -> None:
    verified = told(made.jp)
    assert line(verified, "assurance/1").clauses == ("7.5.a", "7.5.b", "7.5.c")
    assert line(verified, "consignment/1").clauses == ("4.1", "4.2")
    assert line(verified, "receipt/1").clauses == ("12",)


def test_a_record_lies_between_what_was_seen_and_its_cosignature(made: Made) -> None:
    """(27)"""
    verified = told(made.jp)
    consigned, assured = line(verified, "consignment/1"), line(verified, "assurance/1")
    assert consigned.seen is not None
    assert consigned.before is not None
    assert verified.lines.index(assured) < verified.lines.index(consigned)
    assert verified.open == ()


def test_without_trusted_fingerprints_the_result_says_what_it_hangs_on(made: Made) -> None:
    """(10)"""
    found = told(made.jp).fingerprints
    assert [(each.party, each.trusted) for each in found] == [("jp", False), ("kr", False)]
    both = told(made.jp, *fingerprints(made.jp))
    assert [each.trusted for each in both.fingerprints] == [True, True]


@pytest.mark.parametrize("trusted", [[0], [1], []], ids=["only-jp", "only-kr", "neither"])
def test_a_party_that_is_not_trusted_is_refused(made: Made, trusted: list[int]) -> None:
    """(10)"""
    known = fingerprints(made.jp)
    given = [known[index] for index in trusted] or [bytes(32)]
    with pytest.raises(Rejected, match="none of those trusted here") as caught:
        told(made.jp, *given)
    assert caught.value.code == "unknown-fingerprint"
    assert caught.value.place == f"the card of {'kr' if trusted == [0] else 'jp'!r}"


@pytest.mark.parametrize("group", ALL_GROUPS)
async def test_each_group_can_be_withheld(made: Made, group: str) -> None:
    """(5) (16)"""
    shown = contents(made.others["jp-all"])
    hidden = [each for chain in contents(made.others["jp-least"]).chains for each in chain.records]
    withheld = [each for each in hidden if isinstance(each, Withheld) and each.group == group]
    in_all = [each for chain in shown.chains for each in chain.records if isinstance(each, Withheld)]
    assert not in_all
    assert withheld or group in {"markings", "access"}  # no mark was chosen, and only the receiver decides on access


def test_the_least_that_can_be_shown_still_shows_the_giving(made: Made) -> None:
    """(5) (16)"""
    verified = told(made.others["jp-least"])
    assert [code for code in codes(verified) if code in GIVER_STORY] == [
        "acknowledgement/1",
        "acknowledgement/1",
        "same-agreement",
        "consignment/1",
        "receipt/1",
        "decision/1",
    ]
    assert {each.code for each in verified.open} >= {"decision-not-shown", "missing-assurance", "missing-request"}
    assert len(verified.withheld) == sum(each.withheld for each in verified.chains) > 8
    assert {each.group for each in verified.withheld} <= set(GROUPS)


def test_what_is_withheld_is_not_in_the_file(made: Made) -> None:
    """(3): neither an approver nor a reader's clearance can be read in it, and no salt by which to guess."""
    data = msgspec.json.encode(contents(made.others["jp-least"]))
    everything = contents(made.others["jp-all"])
    shown = {each.index: each for each in everything.chains[2].records if not isinstance(each, Withheld)}
    for each in contents(made.others["jp-least"]).chains[2].records:
        if isinstance(each, Withheld):
            assert msgspec.json.encode(shown[each.index].envelope) not in data
            assert msgspec.json.encode(shown[each.index].salt) not in data
    assert contents(made.others["jp-least"]).anchors == ()


def test_by_default_readers_stay_unnamed_and_what_led_to_nothing_unsaid(made: Made) -> None:
    """(5)"""
    assert {each.group for each in told(made.jp).withheld} == {"other-decisions"}
    assert {each.group for each in told(made.kr).withheld} == {"access"}
    assert all(each.standing == "unwitnessed" for each in told(made.jp).withheld)


def test_every_line_has_its_sentence(made: Made) -> None:
    for name in ("jp-all", "kr-all", "jp-least"):
        for each in told(made.others[name]).lines:
            sentence = line_wording(each)
            assert sentence[0] not in "{'"
            assert "{" not in sentence
            assert (each.word_of in ground_wording(each)) is bool(each.word_of) or not each.word_of
    assert set(codes(told(made.others["jp-all"]))) <= set(LINES)


def test_a_returned_record_and_one_that_does_not_open_have_sentences(made: Made) -> None:
    plain = line(told(made.jp), "receipt/1")
    for code, parameters in (("verdict/1", ("ab" * 32, "wrong-mark", "why")), ("unopenable/1", ("1", "code", "why"))):
        assert "why" in line_wording(msgspec.structs.replace(plain, code=code, parameters=parameters))


def test_the_chains_say_how_far_they_are_witnessed(made: Made) -> None:
    own, theirs, domestic = told(made.jp).chains
    assert (own.witness, theirs.witness, domestic.witness) == ("kr", "jp", "")
    assert own.beyond == theirs.beyond == domestic.beyond == 0
    assert own.cosigned_at is not None


def test_a_file_that_is_too_large_is_not_read() -> None:
    """(1)"""
    with pytest.raises(Rejected, match="at most 16777216") as caught:
        told(b" " * (EVIDENCE_BYTES_MAX + 1))
    assert (caught.value.code, caught.value.place) == ("too-large", "the file")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b'{"payload":"', b'{"payload":"","payloadType":"x","signatures":[]}']
)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    """(1) (7)"""
    with pytest.raises(Rejected) as caught:
        told(data)
    assert caught.value.place == "the outer envelope" or data == b'{"payload":"'


def test_a_record_is_no_evidence(made: Made) -> None:
    """(1)"""
    with pytest.raises(Rejected) as caught:
        told(contents(made.jp).cards[0])
    assert caught.value.code == "wrong-context"


def test_verifying_needs_no_database_and_no_server(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "a.evidence"
    path.write_bytes(made.jp)
    program = (
        "import sys; from comity.cli.main import main; code = main(['evidence', 'verify', sys.argv[1], '--json']);"
        "print(sorted({'apsw', 'aiohttp', 'uvicorn', 'starlette'} & set(sys.modules)), file=sys.stderr);"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True)
    assert done.stderr.decode().strip() == "[]"
    assert msgspec.json.decode(done.stdout)["item"] == made.item


def test_the_result_can_be_written_and_read_again(made: Made) -> None:
    verified = told(made.others["kr-all"])
    assert msgspec.json.decode(msgspec.json.encode(verified), type=Verified) == verified
