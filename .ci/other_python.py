"""Print the path of another Python version on this machine, newest first; nothing when there is none.

A Python counts when it is 3.11 or newer, differs from this one in its minor version, and can make environments.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from shutil import which

NEWEST = 14
"""Newest minor version that the pinned requirements are known to install on."""
PROBE = "import ensurepip, sys; print(*sys.version_info[:2], sys.executable)"


def candidates() -> list[str]:
    """Pythons by name on the path, and those of pyenv, whose names on the path often answer for none."""
    named = [which(f"python3.{minor}") for minor in range(NEWEST, 10, -1)]
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python3"), reverse=True)
    return [*filter(None, named), *map(str, pyenv)]


def main() -> None:
    """Ask each candidate what it is; print the first that will do."""
    for candidate in candidates():
        answer = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, check=False).stdout
        match = re.fullmatch(r"3 (\d+) (.+)\n", answer)
        if match and 11 <= int(match[1]) <= NEWEST and int(match[1]) != sys.version_info.minor:
            print(match[2])
            return


if __name__ == "__main__":
    main()
