"""Keeping what a process has in memory off the disk, as far as the system lets it (``SECURITY.md``).

- No core is dumped, whatever the limits of the shell say.
- On Linux the process is marked as not to be dumped, which also keeps others of the same user from reading its memory
  through ``/proc``, and its pages are not written to swap: those in use now, and each further one when it is used.

Python copies and moves what it works on, and wipes nothing: secrets stay in memory until it is used for something else.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_PR_SET_DUMPABLE = 4
_CAP_IPC_LOCK = 14
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


def dump_no_core() -> None:
    """No core of this process or of its children is written."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def keep_off_disk() -> tuple[str, ...]:
    """Do all of it.

    Returns:
        What could not be had though it matters here, a sentence each.
    """
    dump_no_core()
    if not sys.platform.startswith("linux"):
        return ("this system is not asked to keep memory out of swap: turn swap off, or encrypt it",)
    import ctypes

    system, missing = ctypes.CDLL(None), []
    if system.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        missing.append("others of the same user can read the memory of this process")
    if not (_may_lock_all() and system.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0) and _has_swap():
        missing.append("its memory may be written to swap: let it be locked (LimitMEMLOCK=infinity), or encrypt swap")
    return tuple(missing)


def _may_lock_all() -> bool:
    """Whether there is no bound that a growing process would meet later, in the middle of its work."""
    bound, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    granted = next((line.split()[1] for line in _read("/proc/self/status") if line.startswith("CapEff:")), "0")
    return bound == resource.RLIM_INFINITY or bool(int(granted, 16) >> _CAP_IPC_LOCK & 1)


def _has_swap() -> bool:
    return len(_read("/proc/swaps")) != 1  # its heading; where nothing can be read, nothing says that there is none


def _read(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
