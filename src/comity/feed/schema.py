"""What messages a feed has, and how each of their fields is marked (``spec/feed.md`` steps 1 and 2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from comity.agreement.digest import digest_of
from comity.agreement.lines import Lines, Path
from comity.agreement.load import read_file
from comity.agreement.model import Identifier, Line, Table, Text
from comity.errors import Rejected

MESSAGE_BYTES_MAX = 65_536
"""Longest message, in bytes of JSON."""
FIELDS_MAX = 256
"""Most fields of a type; their places are written in one byte."""
TEXT_CHARACTERS_MAX = 10_000
INTEGER_MAX = 2**53 - 1
"""The largest whole number that JSON carries exactly."""
NUMBER_MAX = 1e15
"""The largest number, so that none overflows when it is rounded."""

Kind = Literal["text", "integer", "number", "boolean", "instant"]
Role = Literal["position", "time", "speed"]
FIELD_NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}(?!\n)$"
FieldName = Annotated[str, Meta(pattern=FIELD_NAME_PATTERN)]
"""As most sensors name things; it is a key of the message's JSON object."""

SHAPES = {
    FIELD_NAME_PATTERN: ("bad-field-name", "a letter, then letters, digits and '_', 64 at most, as in 'latitude'")
}
"""What a pattern of these files asks for, in words."""
_TYPES: dict[str, Any] = {
    "text": Annotated[str, Meta(max_length=TEXT_CHARACTERS_MAX)],
    "integer": Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)],
    "number": Annotated[float, Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)],
    "boolean": bool,
    "instant": Annotated[datetime, Meta(tz=True)],
}


class Field(Table, frozen=True):
    """One field. Without ``mark`` it never crosses."""

    kind: Kind
    mark: Line | None = None
    optional: bool = False
    role: Role | None = None


class MessageType(Table, frozen=True):
    """`[[type]]`: its fields in order; ``time`` names the one that says when, ``source`` the one that says who."""

    id: Identifier
    time: FieldName
    source: FieldName
    fields: Annotated[Mapping[FieldName, Field], Meta(min_length=1, max_length=FIELDS_MAX)]


class SchemaHeader(Table, frozen=True):
    """`[schema]`: the version of this format, which is 1, the id and a title."""

    format: int
    id: Identifier
    title: Text


class SchemaFile(Table, frozen=True):
    """What a schema file holds."""

    schema: SchemaHeader
    types: Annotated[tuple[MessageType, ...], Meta(min_length=1, max_length=64)] = field(name="type")


class Schema(Struct, frozen=True):
    """A checked schema.

    Attributes:
        id: its name.
        digest: SHA-256 of what is written, hexadecimal.
        types: its message types, by name.
    """

    id: str
    digest: str
    types: Mapping[str, MessageType]


class Refused(Struct, frozen=True):
    """A message that was not taken: the code of the reason, and a sentence."""

    code: str
    sentence: str


def parse_schema(text: str, file: str) -> Schema:
    """The schema written in ``text``.

    Raises:
        Rejected: it breaks a rule of step 1; ``place`` is ``file:line``.
    """
    written, lines, read = read_file(text, file, SchemaFile, "schema", SHAPES)
    seen: set[str] = set()
    for number, each in enumerate(read.types):
        path: Path = ("type", number)
        if each.id in seen:
            raise _rejected("twice", (*path, "id"), f"the type {each.id!r} is there twice", lines, file)
        seen.add(each.id)
        if "type" in each.fields:
            sentence = "a field can not be called 'type'; that is the name of the message's type"
            raise _rejected("reserved-name", (*path, "fields", "type"), sentence, lines, file)
        for key, name, kind in (("time", each.time, "instant"), ("source", each.source, "text")):
            found = each.fields.get(name)
            if found is None or found.kind != kind or found.optional:
                sentence = f"{key!r} is {name!r}; name a field of kind {kind!r} that is not optional"
                raise _rejected("bad-field-name", (*path, key), sentence, lines, file)
    return Schema(read.schema.id, digest_of(written), {each.id: each for each in read.types})


def _rejected(code: str, path: Path, sentence: str, lines: Lines, file: str) -> Rejected:
    return Rejected(sentence, code=code, place=f"{file}:{lines.of(path)}")


def struct_of(name: str, fields: Mapping[str, Field], *, frozen: bool = True) -> type[Struct]:
    """The type of a message with these fields, tagged with its name; what is optional may be left out."""
    return msgspec.defstruct(
        name,
        [
            (each, _TYPES[said.kind] | UnsetType, UNSET) if said.optional else (each, _TYPES[said.kind])
            for each, said in sorted(fields.items(), key=lambda found: found[1].optional)
        ],
        tag=name,
        tag_field="type",
        forbid_unknown_fields=True,
        frozen=frozen,
        gc=False,
    )


class _Nothing(Struct, tag="", tag_field="type"):
    """No message is of this type: no id is empty."""


class Reader:
    """Reads messages of one schema, each by itself (step 2)."""

    def __init__(self, schema: Schema) -> None:
        self.structs = {name: struct_of(name, each.fields) for name, each in schema.types.items()}
        union: Any = _Nothing  # of one type alone msgspec would not ask for the tag
        for each in self.structs.values():
            union |= each
        self._decode: Callable[[bytes], Struct] = msgspec.json.Decoder(union).decode

    def read(self, message: bytes) -> Struct | Refused:
        """The message, or why it is refused."""
        if len(message) > MESSAGE_BYTES_MAX:
            return Refused("too-large", f"{len(message)} bytes; at most {MESSAGE_BYTES_MAX} are taken")
        try:
            read = self._decode(message)
        except msgspec.ValidationError as error:
            return _refused(str(error))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Refused("malformed", "not a JSON object in UTF-8")
        return Refused("unknown-type", "the schema has no type ''") if isinstance(read, _Nothing) else read


_FOUND: Sequence[tuple[str, str, str]] = (
    (r"unknown field `(.*)`", "unknown-field", "the schema has no field {}"),
    (r"missing required field `(.*)`", "missing-field", "the field {} is missing"),
    (r"Invalid value '(.*)' - at `\$\.type`", "unknown-type", "the schema has no type {}"),
    (r" - at `\$\.(.*)`$", "bad-field", "the field {} is not of its kind"),
)


def _refused(message: str) -> Refused:
    for pattern, code, sentence in _FOUND:
        if found := re.search(pattern, message):
            name = repr(found[1]) if code != "missing-field" or found[1] != "type" else "'type'"
            return Refused(code, sentence.format(name[:80]))
    return Refused("malformed", "not a JSON object with a 'type'")
