"""The literal example that opens spec/witness.md is true."""

from __future__ import annotations

import re
from pathlib import Path

from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import VerifierKey
from comity.ledger.witness import AddCheckpoint

SPEC = Path(__file__).parents[2] / "spec"


def test_the_example_verifies() -> None:
    text = (SPEC / "witness.md").read_text(encoding="utf-8")
    request, answer, key = re.findall(r"```\n(.*?)```", text, re.DOTALL)[:3]
    head, _, body = request.partition("\n\n")
    assert f"Content-Length: {len(body.encode())}" in head
    asked = AddCheckpoint.parse(body.encode())
    line = answer.partition("\n\n")[2]
    ledger = (SPEC / "ledger.md").read_text(encoding="utf-8")
    log = VerifierKey.parse(re.findall(r"^comity/jp-kr-2016/jp\+\S+", ledger, re.MULTILINE)[0])
    signed = open_checkpoint(asked.note + line.encode(), asked.origin, [log], [VerifierKey.parse(key.strip())])
    assert [each.time for each in signed.witnesses] == [1479862272]
