"""The log of a node, on standard error: a line each, in universal time, whatever a stranger's words have in them."""

from __future__ import annotations

import logging
import time
from types import TracebackType

_FORMAT = "%(asctime)sZ %(levelname)s %(message)s"


class OneLine(logging.Formatter):
    """One record is one line; the trace of a defect follows it, indented, so that no line of it passes for another."""

    def __init__(self) -> None:
        super().__init__(_FORMAT, "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """The record without its trace."""
        record.message = _plain(record.message)
        return super().formatMessage(record)

    def formatException(  # noqa: N802 - the library's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The trace."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {_plain(line)}" for line in lines)


def begin_log() -> None:
    """Warnings and errors go to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _plain(text: str) -> str:
    """What a terminal or a collector of logs could take for something else, as Python writes it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
