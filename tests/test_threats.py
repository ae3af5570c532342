"""Each threat in ``spec/threats.md`` names a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEC = (ROOT / "spec" / "threats.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \((\d+)\) \|.*\|([^|]*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)`((?:,? `test_\w+`)+)")


def test_every_threat_names_a_test_that_there_is() -> None:
    rows = ROW.findall(SPEC)
    assert len(rows) > 10
    for number, shown in rows:
        found = NAMED.findall(shown)
        assert found, number
        for file, tests in found:
            text = (ROOT / file).read_text(encoding="utf-8")
            for name in re.findall(r"`(test_\w+)`", tests):
                assert f"def {name}" in text, (number, file, name)
