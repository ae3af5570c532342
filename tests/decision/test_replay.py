"""A decision recorded and worked out again (``spec/decision.md`` step 21): here, elsewhere, and by another Python."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from comity.decision.compiled import compile_agreement
from comity.decision.replay import case_bytes, read_case, read_statement, replay, state, statement_bytes
from comity.errors import Rejected
from comity.marking.label import Label
from decision.cases import AGREEMENT, COMPILED, GIVE, ITEM, OPEN, SATO, TZDATA, with_facts, with_item, with_person

ROOT = Path(__file__).parents[2]
OTHER = ROOT / ".venv-other" / "bin" / "python"

CASES = [
    GIVE,
    OPEN,
    replace(GIVE, recipients=()),
    with_facts(GIVE, attestations=(), approvals=()),
    with_person(OPEN, serves="us", nationality="us", clearance=None),
    replace(OPEN, recipients=(SATO, replace(SATO, pseudonym="abe", need_to_know=()))),
    with_item(OPEN, lineage=(replace(ITEM, id="item-0", purpose="exercise"),), relation="contains"),
    with_item(OPEN, label=Label(policy="kr", mark="군사 Ⅰ급 비밀", originator="kr", categories=("a", "b", "c"))),
]

ELSEWHERE = """
import sys
from importlib import resources
from comity.agreement.load import parse_agreement, parse_layer
from comity.decision.compiled import compile_agreement
from comity.decision.replay import read_case, state, statement_bytes
library = resources.files("comity").joinpath("agreements")
agreement = parse_agreement(library.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8"), "jp-kr-2016.toml")
house = parse_layer(library.joinpath("house.toml").read_text(encoding="utf-8"), "house.toml", agreement)
compiled = compile_agreement(agreement, [house], tzdata=sys.argv[1])
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(statement_bytes(state(compiled, read_case(line.rstrip()))) + b"\\n")
"""


def elsewhere(python: str, seed: str) -> list[bytes]:
    """The statements on all cases by a fresh process."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")}
    given = b"\n".join(map(case_bytes, CASES))
    command = [python, "-c", ELSEWHERE, TZDATA]
    done = subprocess.run(command, input=given, capture_output=True, env=environment, check=True)
    return done.stdout.splitlines()


def test_a_case_and_a_statement_write_back_to_the_same_bytes() -> None:
    for case in CASES:
        assert read_case(case_bytes(case)) == case
        statement = state(COMPILED, case)
        assert read_statement(statement_bytes(statement)) == statement
        assert statement.facts == hashlib.sha256(case_bytes(case)).hexdigest()


@pytest.mark.parametrize("seed", ["1", "4294967295"])
def test_a_fresh_process_under_another_hash_seed_says_the_same(seed: str) -> None:
    assert elsewhere(sys.executable, seed) == [statement_bytes(state(COMPILED, case)) for case in CASES]


def test_another_python_says_the_same() -> None:
    if not OTHER.exists():
        pytest.skip("there is no other Python here; `make other-python` prepares one")
    asked = [str(OTHER), "-c", "import sys; print(sys.version_info[:2])"]
    version = subprocess.run(asked, capture_output=True, check=True)
    assert version.stdout.decode().strip() != str(sys.version_info[:2])
    assert elsewhere(str(OTHER), "7") == [statement_bytes(state(COMPILED, case)) for case in CASES]


def test_replay_gives_what_was_stated() -> None:
    for case in CASES:
        statement = state(COMPILED, case)
        assert replay(COMPILED, case_bytes(case), statement_bytes(statement)) == statement


class TestWhatReplayRefuses:
    STATED = statement_bytes(state(COMPILED, OPEN))

    def refused(self, case: bytes, stated: bytes) -> str:
        with pytest.raises(Rejected) as raised:
            replay(COMPILED, case, stated)
        return raised.value.code

    def test_other_facts(self) -> None:
        assert self.refused(case_bytes(replace(OPEN, request="request-2")), self.STATED) == "other-facts"

    def test_other_texts(self) -> None:
        bare = statement_bytes(state(compile_agreement(AGREEMENT, tzdata=TZDATA), OPEN))
        assert self.refused(case_bytes(OPEN), bare) == "other-inputs"

    def test_an_outcome_that_was_written_over(self) -> None:
        case = with_facts(GIVE, approvals=())
        stated = statement_bytes(state(COMPILED, case)).replace(b'"needs-consent"', b'"permit"')
        assert self.refused(case_bytes(case), stated) == "other-decision"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"request":', b'"request": '),
            (b'"request":"request-1",', b'"request":"request-0","request":"request-1",'),
            (b"2020-11-23T03:00:00Z", b"2020-11-23T03:00:00.000000Z"),
            (b'"via":[],', b""),
            (b',"method":""', b""),
            (b'"act":"open"', b'"act":"\\u006fpen"'),
        ],
    )
    def test_bytes_we_would_not_write(self, old: bytes, new: bytes) -> None:
        written = case_bytes(OPEN)
        assert old in written
        assert self.refused(written.replace(old, new, 1), self.STATED) == "not-canonical"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"act":"open"', b'"act":"steal"'),
            (b'"act":"open"', b'"act":"op\xb0n"'),
            (b"2020-11-23T03:00:00Z", b"2020-11-23T12:00:00+09:00"),
            (b"2020-11-23T03:00:00Z", b"2020-11-23T03:00:00"),
            (b'"recipients":[', b'"recipients":{'),
        ],
    )
    def test_what_is_no_case(self, old: bytes, new: bytes) -> None:
        written = case_bytes(OPEN)
        assert old in written
        assert self.refused(written.replace(old, new, 1), self.STATED) == "bad-case"

    def test_a_label_without_its_policy(self) -> None:
        written = case_bytes(OPEN).replace(b'"policy":"kr"', b'"policy":""', 1)
        assert self.refused(written, self.STATED) == "label-text"

    def test_a_case_too_long_to_be_one(self) -> None:
        assert self.refused(b" " * 16_000_001, self.STATED) == "too-long"
