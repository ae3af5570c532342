"""``spec/record.md`` itself: its example is real, its bounds are the code's, its steps are cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comity.record import bodies, dsse, encoding, statement
from comity.record.contexts import RECORD

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "spec/record.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)\n```", SPEC, re.MULTILINE | re.DOTALL)


def test_the_example_verifies_and_has_its_id() -> None:
    envelope, payload, keys = BLOCKS
    key, record_id = keys.splitlines()
    record = statement.read(envelope.encode(), [bytes.fromhex(key)])
    assert record.id.hex() == record_id
    assert dsse.read(envelope.encode(), RECORD).payload == payload.encode()
    assert isinstance(record.body, bodies.Received)
    assert statement.write(record.statement, record.body, []).id == record.id


def test_the_bounds_are_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+)", SPEC, re.MULTILINE))
    assert len(rows) == 5
    for name, value in rows.items():
        assert {**vars(encoding), **vars(dsse)}[name] == int(value.replace(",", "")), name


def test_the_types_are_the_codes() -> None:
    rows = re.findall(r"^\| (`.+/1`) \| .* \| (yes|no) \|$", SPEC, re.MULTILINE)
    told = {name: crosses == "yes" for names, crosses in rows for name in re.findall("`([^`]+)`", names)}
    assert told == {name: body.crosses for name, body in bodies.BODIES.items()}


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("record", ["record"]),
        ("register", ["register", "flows/maintaining/replaying.py"]),
        ("sequencer", ["flows/keeping/work.py", "flows/keeping/sequencer.py", "flows/maintaining/replaying.py"]),
    ],
)
def test_every_step_is_cited_in_the_code(spec: str, code: list[str]) -> None:
    text = (ROOT / f"spec/{spec}.md").read_text(encoding="utf-8")
    steps = {int(number) for number in re.findall(r"^\((\d+)\) ", text, re.MULTILINE)}
    paths = [
        path for name in code for path in sorted((ROOT / "src/comity").glob(name if "." in name else f"{name}/**/*.py"))
    ]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    cited = {int(number) for number in re.findall(r"# [^\n]*\((\d+)\)", source)}
    for numbers in re.findall(rf"spec/{spec}\.md`` steps? ([\d ,and]+)", source):
        cited |= {int(number) for number in re.findall(r"\d+", numbers)}
    assert steps == set(range(1, len(steps) + 1))
    assert steps <= cited
