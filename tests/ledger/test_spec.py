"""The literal example that opens spec/ledger.md is true, and the numbers cited in the code are there."""

from __future__ import annotations

import re
from pathlib import Path

from comity.ledger.leaf import record_leaf
from comity.ledger.note import VerifierKey
from comity.ledger.tlog_proof import TlogProof

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "spec" / "ledger.md").read_text(encoding="utf-8")


def test_the_example_verifies() -> None:
    file, keys = re.findall(r"```\n(.*?)```", SPEC, re.DOTALL)[:2]
    log_key, witness_key = map(VerifierKey.parse, keys.splitlines())
    proof = TlogProof.parse(file.encode())
    leaf = record_leaf(b"\x01" * 32, b"envelope 1")
    proved = proof.verify(leaf.hash, log_key.name, [log_key], [witness_key])
    assert proved.inclusion.index == 1
    assert proved.inclusion.head.size == 3
    assert [verified.key for verified in proved.checkpoint.witnesses] == [witness_key]
    assert proof.encode() == file.encode()


def test_every_number_cited_is_a_step_of_the_spec() -> None:
    steps = set(re.findall(r"^(?:\| )?\((\d+)\)", SPEC, re.MULTILINE))
    cited: set[str] = set()
    for path in (*(ROOT / "src/comity/ledger").glob("*.py"), *(ROOT / "tests/ledger").glob("test_*.py")):
        comments = re.findall(r"#[^\n]*|\"{3}.*?\"{3}", path.read_text(encoding="utf-8"), re.DOTALL)
        cited.update(number for comment in comments for number in re.findall(r"(?<!\w)\((\d+)\)", comment))
    assert len(cited) > 40
    assert cited <= steps
