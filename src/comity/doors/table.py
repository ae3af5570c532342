"""The doors that there are, by name; a door's library is loaded when something goes through it.

Whoever carries messages on does it so::

    setting = Setting(now=clock.now, schema=schema, trusted=(certificate,))
    counted = Counted(DOORS["cap"].messages(stream, setting))
    for each in counted:
        if isinstance(each, bytes):
            ...  # publish the message
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, resources
from typing import Any, BinaryIO

from comity.doors import events
from comity.doors.passing import Door, Passed, Setting, Writer, lines, read_json, refusal, whole
from comity.errors import Misuse, Rejected

LIBRARIES = frozenset({"asterix", "lxml", "signxml"})
"""What a node need not have: ``pip install 'comity[doors]'``."""


def _late(module: str, function: str) -> Callable[..., Any]:
    """A function of a module that needs one of the libraries."""
    try:
        found: Callable[..., Any] = getattr(import_module(f"comity.doors.{module}"), function)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        sentence = f"this door needs the package {error.name!r}: pip install 'comity[doors]'"
        raise Misuse(sentence, code="no-library") from None
    return found


def _json_read(document: bytes, setting: Setting) -> Iterator[Passed]:
    del setting
    try:
        read_json(document)
        yield document.strip()
    except Rejected as error:
        yield refusal(error)


class _AsTheyAre:
    """Messages as they are."""

    def __init__(self, setting: Setting) -> None:
        del setting

    def take(self, number: int, message: bytes) -> Iterator[Passed]:
        del number
        yield message

    def end(self) -> Iterator[Passed]:
        return iter(())


def _cap_read(document: bytes, setting: Setting) -> Iterator[Passed]:
    yield from _late("cap", "read")(document, setting)


def _cap_writer(setting: Setting) -> Writer:
    made: Writer = _late("cap", "Alerts")(setting)
    return made


def _asterix_read(document: bytes, setting: Setting) -> Iterator[Passed]:
    yield from _late("asterix", "read")(document, setting)


def _asterix_documents(stream: BinaryIO) -> Iterator[Passed]:
    yield from _late("asterix", "documents")(stream)


DOORS: Mapping[str, Door] = {
    each.name: each
    for each in (
        Door(
            name="asterix",
            title="ASTERIX categories 021, 048 and 062, read only",
            documents=_asterix_documents,
            read=_asterix_read,
            schema="air-surveillance",
        ),
        Door(
            name="cap",
            title="CAP 1.2 alerts in signed XML",
            documents=whole,
            read=_cap_read,
            writer=_cap_writer,
            ending="xml",
            schema="cap",
        ),
        Door(
            name="cloudevents",
            title="CloudEvents 1.0.2 in JSON",
            documents=lines,
            read=events.read,
            writer=events.Structured,
        ),
        Door(name="json", title="messages as JSON", documents=lines, read=_json_read, writer=_AsTheyAre),
    )
}
"""Every door, by its name."""


def schema_text(door: Door) -> str:
    """The schema that comes with a door, without marks: its owner writes those into a copy (3).

    Raises:
        Misuse: this door has none, since the schema is the user's own.
    """
    if door.schema is None:
        raise Misuse(f"the door {door.name!r} has no schema of its own; write yours", code="no-schema")
    entry = resources.files("comity.doors").joinpath("schemas", f"{door.schema}.toml")
    return entry.read_text(encoding="utf-8")
