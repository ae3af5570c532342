"""spec/seal.md itself: its examples are real, its bounds are the code's, its steps are cited."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from comity.seal import age, armor, header, items, keys, manifest, passphrase
from comity.seal.manifest import Binding, content_commitment

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "spec" / "seal.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", SPEC, re.MULTILINE | re.DOTALL)
LINE = b"warning: 2023-12-19T06:12Z\n"


def test_the_first_example_opens() -> None:
    text, key, head = BLOCKS[:3]
    sealed = age.Sealed.split(armor.decode(text.encode()))
    assert sealed.header.decode() == head
    assert age.open_bytes(sealed, [keys.parse_identity(key.strip())]) == LINE
    assert LINE.decode().strip() in SPEC


def test_the_manifest_example_is_one_we_write() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("comity-sealed/1\n")]
    magic, length, *lines = block.splitlines()
    data = "".join(lines).encode()
    said = bytes(int(number) for number in re.findall(r"\d+", length.split(":")[0]))
    assert said == len(data).to_bytes(4)
    found = manifest.decode(data)
    assert items.pack(found, LINE).startswith(f"{magic}\n".encode() + said + data + LINE)
    assert found.binding == Binding(
        author="jp",
        relationship="jp-kr",
        item="jp/2023/0041",
        label=sha256(b"label").digest(),
        agreement=sha256(b"agreement").digest(),
        content=content_commitment(found.salt, sha256(LINE).digest()),
    )


def test_the_bounds_are_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+)", SPEC, re.MULTILINE))
    assert len(rows) == 8
    for name, value in rows.items():
        (place,) = [module for module in (header, passphrase, keys, armor, manifest) if name in vars(module)]
        assert vars(place)[name] == int(value.replace(",", "")), name


def test_every_step_is_cited() -> None:
    steps = {int(number) for number in re.findall(r"^\((\d+)\) ", SPEC, re.MULTILINE)}
    assert steps == set(range(1, 27))
    code = "".join(path.read_text() for path in sorted((ROOT / "src" / "comity" / "seal").glob("*.py")))
    cited = {int(number) for number in re.findall(r"\((\d+)\)", code)}
    for first, last in re.findall(r"steps? (\d+)(?:(?: to|,| and) (\d+))?", code):
        cited |= set(range(int(first), int(last or first) + 1))
    assert steps <= cited
