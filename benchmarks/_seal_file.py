"""Seal or open one file, as a program of its own: what the seal benchmark runs beside ``age``.

python -m benchmarks._seal_file seal RECIPIENT SOURCE TARGET
python -m benchmarks._seal_file open KEY_FILE SOURCE TARGET

Prints by how many bytes its greatest use of memory grew between having its keys and being done.
"""

from __future__ import annotations

import re
import sys
from os import urandom
from pathlib import Path

from comity.seal import age, keys
from comity.seal.files import whole_file


def main(verb: str, key: str, source: Path, target: Path) -> None:
    recipients = [keys.parse_recipient(key)] if verb == "seal" else []
    identities = keys.parse_identities(Path(key).read_text()) if verb == "open" else ()
    before = peak()
    with source.open("rb", buffering=0) as read, whole_file(target) as sink:
        if verb == "seal":
            age.seal_stream(read, sink, recipients, urandom)
        else:
            age.open_stream(read, sink, identities)
    print(peak() - before)


def peak() -> int:
    """Greatest resident memory of this program so far, in bytes (Linux).

    Not ``ru_maxrss``: that begins with what the process that started this one had.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[0]) * 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
