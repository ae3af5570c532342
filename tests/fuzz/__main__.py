"""Fuzz the decoders for as long as asked, each in a process of its own, led by what of the code was reached.

    make fuzz SECONDS=60
    make fuzz SECONDS=600 ONLY="record parcel"

Of each decoder a line tells how many inputs it met and whether one was neither read nor refused. Such an input is kept
in ``.fuzz/NAME``, tried first the next time, and printed with how to try it alone:

    python -m tests.fuzz --try record .fuzz/record/crash-…
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".fuzz"
INPUT_BYTES_MAX = 2**20
MEMORY_MEBIBYTES_MAX = 2048
AT_ONCE = 2
REASON = re.compile(r"[A-Za-z_.]*(Error|Exception)\b|ALARM|==\d+== ERROR")


def main() -> int:
    """Fuzz what is asked for; 1 where something was found."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz every decoder.")
    asked.add_argument("--seconds", type=int, default=60, help="for each decoder")
    asked.add_argument("--only", nargs="*", default=[], metavar="NAME", help="of these decoders alone")
    asked.add_argument("--try", nargs=2, dest="tried", metavar=("NAME", "FILE"), help="read one input")
    asked.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given, rest = asked.parse_known_args()
    sys.path.insert(0, str(ROOT / "tests"))
    if given.child:
        return fuzz(*given.child, rest)
    from fuzz.corpora import corpora
    from fuzz.decoders import DECODERS
    from fuzz.test_decoders import read

    if given.tried:
        name, file = given.tried
        print("taken" if read(DECODERS[name], Path(file).read_bytes()) else "refused")
        return 0
    unknown = sorted(set(given.only) - set(DECODERS))
    if unknown:
        asked.error(f"there is no decoder {unknown[0]!r}; there are {', '.join(sorted(DECODERS))}")
    with tempfile.TemporaryDirectory() as folder:
        examples = corpora(Path(folder))
    found = 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        names = given.only or sorted(DECODERS)
        for line, bad in threads.map(lambda name: one(name, examples[name], given.seconds), names):
            print(line, flush=True)
            found += bad
    print(f"decoders: {len(names)}, with a finding: {found}")
    return int(found > 0)


def one(name: str, examples: list[bytes], seconds: int) -> tuple[str, bool]:
    """Fuzz one decoder in a process of its own, and say how it went."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    for place, example in enumerate(examples):
        (folder / f"example-{place}").write_bytes(example)
    before = set(folder.glob("*-*"))
    limits = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MEBIBYTES_MAX}", "-timeout=20"]
    limits += [f"-max_len={INPUT_BYTES_MAX}", f"-artifact_prefix={folder}/"]
    command = [sys.executable, "-m", "tests.fuzz", "--child", name, str(folder), *limits]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode(errors="replace").splitlines()
    counted = [int(found[1]) for line in said if (found := re.match(r"(?:Done |#)(\d+)\b", line))]
    text = f"{name:18} {max(counted, default=0):>12,} inputs"
    if not done.returncode and counted:
        return f"{text}  nothing found", False
    kept = sorted(path.relative_to(ROOT) for path in set(folder.glob("*-*")) - before)
    reasons = [line for line in said if re.match(r"[A-Za-z_.]*(Error|Exception)\b|ALARM|==\d+== ERROR", line)] or said[
        -3:
    ]
    again = [f"python -m tests.fuzz --try {name} {path}" for path in kept]
    return "\n    ".join([f"{text}  FOUND", *reasons[:3], *again]), True


def fuzz(name: str, folder: str, limits: list[str]) -> int:
    """In the process of one decoder: never returns but by the fuzzer's own end."""
    import atheris

    with atheris.instrument_imports(include=["comity"]):
        from fuzz.decoders import DECODERS
        from fuzz.test_decoders import read

    decoder = DECODERS[name]

    def meet(data: bytes) -> None:
        read(decoder, data)

    atheris.Setup([sys.argv[0], folder, *limits], meet)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
