"""ASTERIX, read only: blocks into records, records into messages (``spec/doors.md`` steps 13 to 16).

The library is generated from the definitions of the standard, in Python: a record takes it a fifth of a millisecond,
and its tables more than a second to load. So it is loaded by whoever opens this door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import msgspec
from asterix import generated
from asterix.base import Bits, ParsingMode

from comity.doors.items import CATEGORIES, Category, Path, Said
from comity.doors.passing import DOCUMENT_BYTES_MAX, Passed, Setting, refusal
from comity.errors import Rejected
from comity.feed.schema import Refused

HEADER_BYTES = 3
DAY_SECONDS = 86_400

Record = Any
_RECORDS: dict[int, Any] = {
    number: getattr(generated, f"Cat_{number:03}_{each.edition[0]}_{each.edition[1]}").cv_record
    for number, each in CATEGORIES.items()
}


def documents(stream: BinaryIO) -> Iterator[Passed]:
    """Each block of a stream, by the length that it says; where that can not be, the stream can not go on."""
    while header := stream.read(HEADER_BYTES):
        length = int.from_bytes(header[1:], "big")
        body = stream.read(max(0, length - HEADER_BYTES))
        block = header + body
        if length < HEADER_BYTES or len(block) < length:
            yield _broken_off(len(block))
            return
        yield block


def read(document: bytes, setting: Setting) -> Iterator[Passed]:
    """Messages of every record of every block (13)."""
    if len(document) > DOCUMENT_BYTES_MAX:
        yield Refused("too-large", f"a document of {len(document)} bytes; at most {DOCUMENT_BYTES_MAX} are taken")
        return
    start = 0
    while start < len(document):
        length = int.from_bytes(document[start + 1 : start + HEADER_BYTES], "big")
        if length < HEADER_BYTES or start + length > len(document):
            yield _broken_off(len(document) - start)
            return
        yield from _block(document[start], document[start + HEADER_BYTES : start + length], setting.now())
        start += length


def _broken_off(size: int) -> Refused:
    return Refused("bad-block", f"the last {size} bytes are no block of the length that it says")


def _block(number: int, records: bytes, at: datetime) -> Iterator[Passed]:
    category = CATEGORIES.get(number)
    if category is None:
        known = ", ".join(f"{each:03}" for each in CATEGORIES)
        yield Refused("other-category", f"a block of category {number:03}; those read are {known}")
        return
    place = 0
    while records:
        place += 1
        parsed = _parsed(number, records)
        if parsed is None:
            sentence = (
                f"record {place} of a block of category {number:03} is broken; {len(records)} bytes are passed over"
            )
            yield Refused("bad-record", sentence)
            return
        record, rest = parsed
        try:
            yield _message(record, category, at)
        except Rejected as error:
            yield refusal(error)
        records = rest


def _parsed(number: int, records: bytes) -> tuple[Record, bytes] | None:
    """The first of the records, and the bytes after it; None where it is broken."""
    try:
        parsed = _RECORDS[number].parse(ParsingMode.StrictParsing, Bits.from_bytes(records))
        if isinstance(parsed, ValueError):
            return None
        record, rest = parsed
        return record, rest.to_bytes()
    except Exception:  # noqa: BLE001 - whatever the library stumbles over in hostile bytes, this record is broken
        return None


def _message(record: Record, category: Category, at: datetime) -> bytes:
    fields: dict[str, object] = {
        "type": category.type,
        "sensor": _sensor(record),
        "observed": _observed(record, category, at),
    }
    for said in category.fields:
        value = _value(record, said)
        if value is not None:
            fields[said.field] = value
        elif said.needed:
            raise _lacks(category, said.path[0])
    return msgspec.json.encode(fields)


def _lacks(category: Category, item: str) -> Rejected:
    return Rejected(f"a record of the type {category.type!r} lacks its data item {item}", code="missing-item")


def _find(record: Record, path: Path) -> Any:
    """A data item or a part of one, None where the record does not have it."""
    found = record.get_item(path[0])
    for name in path[1:]:
        found = None if found is None else found.variation.get_item(name)
    return found


def _sensor(record: Record) -> str:
    sac, sic = _find(record, ("010", "SAC")), _find(record, ("010", "SIC"))
    if sac is None or sic is None:
        raise Rejected("a record lacks the data item 010, which says what saw it", code="missing-item")
    return f"{sac.as_uint()}/{sic.as_uint()}"


def _observed(record: Record, category: Category, at: datetime) -> datetime:
    """The instant nearest to ``at`` that has the record's time of day (15)."""
    for item in category.times:
        if (found := _find(record, (item,))) is not None:
            seconds = found.variation.content.as_quantity("s")
            if seconds >= DAY_SECONDS:
                raise Rejected(f"there is no time of day of {seconds} s", code="bad-value")
            midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            days = (midnight + timedelta(days=each, seconds=seconds) for each in (-1, 0, 1))
            return min(days, key=lambda each: abs(each - at))
    raise _lacks(category, category.times[0])


def _value(record: Record, said: Said) -> object:
    found = _find(record, said.path)
    if found is None and said.otherwise is not None:
        found = _find(record, said.otherwise)
    if found is None or any((set_ := _find(record, each)) is not None and set_.as_uint() for each in said.unless):
        return None
    return _READ[said.how](found, said)


def _quantity(found: Any, said: Said) -> object:
    value: float = found.variation.content.as_quantity(said.unit) * said.factor
    if said.within is not None and abs(value) > said.within:
        raise Rejected(f"there is no {said.field!r} of {value}", code="bad-value")
    return value


def _letters(found: Any, said: Said) -> object:
    """What is said in eight letters of six bits; None where one of them is none (16)."""
    del said
    text: str = found.variation.content.as_string()
    return text.rstrip() or None if len(text) == 8 else None


def _word(found: Any, said: Said) -> object:
    return said.words[found.as_uint()]


_READ: dict[str, Callable[[Any, Said], object]] = {
    "quantity": _quantity,
    "whole": lambda found, said: found.as_uint(),  # noqa: ARG005 - one shape for all
    "flag": lambda found, said: bool(found.as_uint()),  # noqa: ARG005 - one shape for all
    "address": lambda found, said: f"{found.as_uint():06x}",  # noqa: ARG005 - one shape for all
    "octal": lambda found, said: found.variation.content.as_string(),  # noqa: ARG005 - one shape for all
    "letters": _letters,
    "word": _word,
}
