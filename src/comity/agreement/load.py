r"""From the text of a file to a checked agreement or layer (``spec/agreement.md``, "Reading a file").

Rules of this file:

- Every mistake is a ``Rejected`` with ``file:line`` as its place, a stable code, and a sentence that quotes what was
  written and says what was expected. The first mistake found is the one told.
- Nothing is repaired and nothing filled in before the digest is taken.

    >>> parse_agreement("[agreement]\nformat = 1.5\n", "new.toml")
    Traceback (most recent call last):
    comity.errors.Rejected: new.toml:2: 'format' is the number 1.5 with a fraction; write whole numbers and texts only
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Container, Iterator, Mapping
from typing import TypeVar, get_args

import msgspec

from comity.agreement import model, toml
from comity.agreement import vocabulary as words
from comity.agreement.check import Mistake, check_agreement, check_layer
from comity.agreement.digest import Written, digest_of
from comity.agreement.lines import Lines, Path
from comity.agreement.nearest import nearest
from comity.errors import Rejected

FILE_CHARACTERS_MAX = 4_000_000
"""Longest file read; an agreement of 1,000 clauses has some 500,000 characters."""
INTEGER_MAX = 2**53 - 1
"""The largest whole number that JSON carries exactly (RFC 8785, section 3.2.2.3)."""

File = TypeVar("File", bound=model.Table)

_SHAPES = {
    model.IDENTIFIER_PATTERN: (
        "bad-identifier",
        "an id: lowercase letters and digits, joined by '-' or '.', as in 'jp-kr-2016'",
    ),
    model.PERIOD_PATTERN: (
        "bad-duration",
        "an ISO 8601 duration of years, months or days, as in 'P1Y', 'P6M' or 'P90D'",
    ),
    model.DURATION_PATTERN: (
        "bad-duration",
        "an ISO 8601 duration of years, months, days or hours, as in 'P90D' or 'PT24H'",
    ),
    model.WITHIN_PATTERN: (
        "bad-limit",
        f"one of {', '.join(get_args(words.Within))}, or an ISO 8601 duration, as in 'P90D' or 'PT24H'",
    ),
    model.DAY_PATTERN: ("bad-day", "a calendar day, as in '2016-11-23'"),
    model.MOMENT_PATTERN: ("bad-moment", "a minute with its offset, as in '2027-03-01T09:00+10:00'"),
    model.ZONE_PATTERN: ("bad-time-zone", "an IANA time zone name, as in 'Asia/Tokyo'"),
}
_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for the end of a line, and those that turn the direction of writing."""
_PLAIN: dict[str, type] = {"str": str, "int": int, "bool": bool, "array": list, "object": dict}
_KINDS = {
    "str": "a text in quotation marks",
    "int": "a whole number",
    "bool": "true or false",
    "array": "a list in square brackets",
    "object": "a table",
}


def parse_agreement(text: str, file: str) -> model.Agreement:
    """The agreement written in ``text``; ``file`` is the name that errors give.

    Raises:
        Rejected: the text breaks a rule of ``spec/agreement.md``; its ``code`` says which, its ``place`` is
            ``file:line``.
    """
    written, lines, read = read_file(text, file, model.AgreementFile, "agreement")
    try:
        check_agreement(read)
    except Mistake as mistake:
        raise _rejected(mistake, lines, file) from None
    return model.Agreement(**msgspec.structs.asdict(read), digest=digest_of(written))


def parse_layer(text: str, file: str, agreement: model.Agreement) -> model.Layer:
    """The layer written in ``text``, checked against the agreement it stands on.

    Raises:
        Rejected: as ``parse_agreement``; also when the layer permits something (``layer-permits``), belongs to
            another agreement (``other-agreement``) or loosens a time limit (``looser-deadline``).
    """
    written, lines, read = read_file(text, file, model.LayerFile, "layer")
    try:
        check_layer(read, agreement)
    except Mistake as mistake:
        raise _rejected(mistake, lines, file) from None
    return model.Layer(**msgspec.structs.asdict(read), digest=digest_of(written))


def check_time_zones(agreement: model.Agreement, text: str, file: str, known: Container[str]) -> None:
    """Refuse a time zone that is not among ``known``, the names of one version of the time zone database.

    Raises:
        Rejected: code ``unknown-time-zone``, with the line in ``text``.
    """
    places: list[tuple[Path, str]] = [(("term", "timezone"), agreement.term.timezone)]
    places += [(("party", i, "timezone"), party.timezone) for i, party in enumerate(agreement.parties)]
    for path, zone in places:
        if zone not in known:
            mistake = Mistake("unknown-time-zone", path, f"there is no time zone {zone!r}")
            raise _rejected(mistake, Lines(text), file)


def _rejected(mistake: Mistake, lines: Lines, file: str) -> Rejected:
    return Rejected(mistake.sentence, code=mistake.code, place=f"{file}:{lines.of(mistake.path)}")


def read_file(
    text: str, file: str, kind: type[File], head: str, shapes: Mapping[str, tuple[str, str]] = {}
) -> tuple[dict[str, Written], Lines, File]:
    """What is written in ``text``, where its keys stand, and the tables of ``kind``; ``[head]`` holds the format.

    ``shapes`` has a code, and what is expected in words, for each pattern of ``kind`` that agreements do not have.

    Raises:
        Rejected: the text is not TOML, is of another format, or does not have the tables of ``kind``.
    """
    if len(text) > FILE_CHARACTERS_MAX:
        sentence = f"{len(text)} characters; at most {FILE_CHARACTERS_MAX} are read"
        raise Rejected(sentence, code="too-long", place=file)
    if text.startswith("\ufeff"):
        raise Rejected("it begins with a byte order mark; save it without one", code="not-toml", place=f"{file}:1")
    try:
        written = toml.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), file) from None
    lines = Lines(text)
    try:
        _check_values(written, ())
        _check_format(written, head)
        return written, lines, _convert(written, kind, {**_SHAPES, **shapes})
    except Mistake as mistake:
        raise _rejected(mistake, lines, file) from None


def _not_toml(message: str, file: str) -> Rejected:
    where = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", message)
    line = f":{where[1]}" if where and where[1] else ""
    said = message[: where.start()] if where else message
    return Rejected(f"not TOML: {said[:1].lower()}{said[1:]}", code="not-toml", place=file + line)


def _check_values(value: object, path: Path) -> None:
    """(1) Only texts in normal form C, whole numbers, true and false, lists and tables."""
    match value:
        case dict():
            for key, inner in value.items():
                _check_values(key, (*path, key))
                _check_values(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                _check_values(inner, (*path, index))
        case str():
            if not value.isascii() and not unicodedata.is_normalized("NFC", value):
                composed = unicodedata.normalize("NFC", value)
                raise Mistake("not-nfc", path, f"{value!r} is not in Unicode normal form C; write {composed!r}")
            if hidden := _HIDDEN.search(value):
                sentence = f"{_name(path)} has the invisible character U+{ord(hidden[0]):04X}; take it out"
                raise Mistake("invisible-character", path, sentence)
            if value != value.strip():
                raise Mistake("stray-space", path, f"{value!r} begins or ends with white space")
        case float():
            sentence = f"{_name(path)} is the number {value} with a fraction; write whole numbers and texts only"
            raise Mistake("float", path, sentence)
        case int():
            if abs(value) > INTEGER_MAX:
                raise Mistake("out-of-range", path, f"{_name(path)} is {value}, beyond {INTEGER_MAX}")
        case _:
            raise Mistake("bare-date", path, f"{_name(path)} is a bare date or time; write it in quotation marks")


_HEADS = {
    "agreement": "an agreement",
    "layer": "a layer, which stands on an agreement",
    "history": "the history of an agreement",
    "casebook": "a casebook",
    "clearances": "what clearances are worth",
}
"""What a file is, by the table it begins with."""


def _check_format(written: dict[str, Written], head: str) -> None:
    """(2) The version of the format comes first: of another version nothing else can be said."""
    header = written.get(head)
    if not isinstance(header, dict):
        other = next((each for each in _HEADS if each in written), None)
        instead = f"; what is written there is {_HEADS[other]}" if other else ""
        raise Mistake("missing-key", (), f"there is no table [{head}]{instead}")
    version = header.get("format")
    if version != model.FORMAT_VERSION or isinstance(version, bool):
        sentence = f"'format' is {version!r}; this version of comity reads format {model.FORMAT_VERSION}"
        raise Mistake("unknown-format", (head, "format"), sentence)


def _convert(written: dict[str, Written], kind: type[File], shapes: Mapping[str, tuple[str, str]]) -> File:
    """(3) The tables and keys of the format, each with its type, and no others."""
    try:
        return msgspec.convert(written, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        told = re.findall(r"\[(\d+|\.\.\.)\]|\.([\w-]+)", place)
        path = tuple(name or (index if index == "..." else int(index)) for index, name in told)
        raise _mistake(message, path, written, kind, shapes) from None


def _places(value: object, path: Path, before: Path = ()) -> Iterator[tuple[Path, object]]:
    """Each place that ``path`` can mean, and what stands there: of a free table ``msgspec`` does not say which key."""
    if not path:
        yield before, value
        return
    first, *rest = path
    if isinstance(value, dict):
        for key in value if first == "..." else {first} & value.keys():
            yield from _places(value[key], tuple(rest), (*before, key))
    elif isinstance(value, list) and isinstance(first, int) and first < len(value):
        yield from _places(value[first], tuple(rest), (*before, first))


def _mistake(message: str, told: Path, written: object, kind: type, shapes: Mapping[str, tuple[str, str]]) -> Mistake:
    """Our own sentence for what ``msgspec`` found, with the value that was written and the words that are known."""
    quoted = re.findall(r"`([^`]*)`|'([^']*)'", message)
    word = (quoted[-1][0] or quoted[-1][1]) if quoted else ""
    pattern = re.search(r"matching regex '(.*)'$", message)
    asked = pattern[1].replace("\\\\", "\\") if pattern else ""
    places = list(_places(written, told))
    wrong = [found for found in places if _is_meant(message, word, asked, found[1])]
    path, value = (wrong or places)[0]
    if "unknown field" in message:
        known = _known(kind, path, msgspec.inspect.StructType)
        return Mistake("unknown-key", (*path, word), f"{_name(path)} has no key {word!r}{nearest(word, known)}")
    if "missing required field" in message:
        return Mistake("missing-key", path, f"{_name(path)} lacks the key {word!r}")
    if "Invalid enum value" in message:
        known = _known(kind, path, msgspec.inspect.LiteralType)
        sentence = f"{value!r} is not a word for {_name(path)}{nearest(str(value), known)}"
        return Mistake("unknown-word", path, sentence)
    if pattern:
        code, expected = shapes[asked]
        return Mistake(code, path, f"{_name(path)} is {value!r}; expected {expected}")
    if value in ([], {}, ""):
        kinds = {"list": "empty-list", "dict": "empty-table", "str": "empty-text"}
        return Mistake(
            kinds[type(value).__name__], path, f"{_name(path)} is empty; write at least one, or leave the key out"
        )
    if "length" in message or " >= " in message or " <= " in message:
        limit = message.partition("of ")[2] or message.partition("`int` ")[2]
        return Mistake("out-of-range", path, f"{_name(path)} is {value!r}; expected {limit}")
    expected = " or ".join(_KINDS.get(name, name) for name in _types(message))
    return Mistake("wrong-type", path, f"{_name(path)} is {value!r}; expected {expected}")


def _is_meant(message: str, word: str, pattern: str, value: object) -> bool:
    """Whether a message can be about ``value``, of all that stand where ``msgspec`` says."""
    if "field" in message:
        return isinstance(value, dict) and (word in value) == ("unknown" in message)
    if pattern:
        return isinstance(value, str) and not re.search(pattern, value)
    if "Invalid enum value" in message:
        return not word or value == word
    wanted = tuple([_PLAIN[name] for name in _types(message) if name in _PLAIN])
    return not value or (bool(wanted) and not isinstance(value, wanted))


def _types(message: str) -> list[str]:
    """The types that ``msgspec`` expected, without the absence that an optional key allows."""
    expected = re.match(r"Expected `([^`]*)`", message)
    return [name for name in (expected[1] if expected else "").split(" | ") if name != "null"]


def _known(kind: type, path: Path, wanted: type) -> list[str]:
    """The keys, or the closed words, that may stand at ``path``."""
    types = [msgspec.inspect.type_info(kind)]
    for part in path:
        types = [inner for outer in _options(types) for inner in _step(outer, part)]
    found: list[str] = []
    for option in _options(types):
        if isinstance(option, wanted):
            found += [field.encode_name for field in getattr(option, "fields", ())]
            found += ["true" if word is True else str(word) for word in getattr(option, "values", ())]
    return found


def _options(types: list[msgspec.inspect.Type]) -> list[msgspec.inspect.Type]:
    flat: list[msgspec.inspect.Type] = []
    for option in types:
        plain = option.type if isinstance(option, msgspec.inspect.Metadata) else option
        flat += _options(list(plain.types)) if isinstance(plain, msgspec.inspect.UnionType) else [plain]
    return flat


def _step(outer: msgspec.inspect.Type, part: str | int) -> list[msgspec.inspect.Type]:
    match outer:
        case msgspec.inspect.StructType(fields=fields):
            return [f.type for f in fields if f.encode_name == part]
        case msgspec.inspect.VarTupleType(item_type=inner):
            return [inner]
        case msgspec.inspect.DictType(value_type=inner):
            return [inner]
    return []


def _name(path: Path) -> str:
    """How a sentence names a place: the key, and the table it is in when it is a list entry."""
    keys = [part for part in path if isinstance(part, str)]
    if not keys:
        return "the file"
    return f"[[{keys[-1]}]]" if isinstance(path[-1], int) and len(path) == 2 else repr(keys[-1])
