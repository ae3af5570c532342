"""Make a release in ``dist``: the wheel, built twice and byte for byte the same, its bill of materials, and digests.

    python .ci/release.py [FOLDER]

The two builds run in copies of the committed files, under another path, zone and order of sets, so that nothing of the
machine is in the wheel. The bill of materials (CycloneDX 1.6) names every pinned package that a node
runs with, and its hashes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
ZONES = "Asia/Tokyo", "America/Adak"
UMASK = 0o022
"""The modes of files are in a wheel."""
SBOM = "comity.cdx.json"


def main(folder: Path) -> None:
    """Make everything, or stop at what is not alike."""
    commit, at = output("git", "-C", str(ROOT), "log", "-1", "--format=%H %ct").split()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory(suffix="-of-another-length") as two:
        wheels = [build(Path(place), zone, commit, at) for place, zone in zip((one, two), ZONES, strict=True)]
        first, second = (wheel.read_bytes() for wheel in wheels)
        if first != second:
            sys.exit(
                f"two builds of {wheels[0].name} differ: {sha256(first).hexdigest()}, {sha256(second).hexdigest()}"
            )
        folder.mkdir(exist_ok=True)
        shutil.copyfile(wheels[0], folder / wheels[0].name)
    (folder / SBOM).write_text(json.dumps(bill(), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    made = [wheels[0].name, SBOM]
    digests = [f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in made]
    (folder / "SHA256SUMS").write_text("".join(digests), encoding="utf-8")
    print("".join(digests), end="")


def build(folder: Path, zone: str, commit: str, at: str) -> Path:
    """A wheel from a copy of the committed files."""
    source, out = folder / "source", folder / "out"
    source.mkdir()
    out.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, stdout=subprocess.PIPE)  # noqa: S607 - the developer's git
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True, umask=UMASK)  # noqa: S607 - any tar does
    subprocess.run(
        [sys.executable, "-c", BUILD, str(out)],
        cwd=source,
        env=os.environ | {"SOURCE_DATE_EPOCH": at, "TZ": zone, "PYTHONHASHSEED": str(len(zone))},
        check=True,
        umask=UMASK,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (wheel,) = out.glob("*.whl")
    return wheel


def bill() -> dict[str, object]:
    """What a node runs with, as CycloneDX."""
    command = ["cyclonedx_py", "requirements", "--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml")]
    found: dict[str, object] = json.loads(
        output(sys.executable, "-W", "ignore", "-m", *command, str(ROOT / "requirements/run.txt"))
    )
    return found


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist")
