"""How two agreements differ, or two drafts of one: parameter by parameter, then table by table.

Rules of this file (``spec/explanation.md`` steps 6 and 7):

- Parameters are compared by what they say, not by the clause that says it.
- A row of a table is the same row where its id is (a level: its party and mark; an equivalence: its marks). A rule,
  duty or checklist that says the same under another id is told as renamed, and not as added and removed.
- A row of a layer is compared with the rows of the layer of the same id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from comity.agreement import vocabulary as words
from comity.agreement.model import Agreement, Checklist, Layer, Obligation, Rule, Table
from comity.agreement.writing import value
from comity.explanation.parameters import parameters
from comity.explanation.voice import Instrument, Told, Voice

How = Literal["added", "removed", "changed", "renamed"]
"""Of a row: it is only in the second, only in the first, in both and otherwise, in both under another id."""


class Side(Struct, frozen=True):
    """One of the two that are compared."""

    id: str
    version: str
    title: str
    digest: str
    layers: tuple[str, ...]


class Compared(Struct, frozen=True):
    """One parameter of both. `same` when both say the same of it, or both nothing."""

    key: str
    name: str
    first: tuple[Told, ...]
    second: tuple[Told, ...]
    same: bool


class KeyChange(Struct, frozen=True):
    """A key of a row that is in both, as each writes it in TOML; empty where one does not write it."""

    key: str
    first: str
    second: str


class Change(Struct, frozen=True):
    """A row of a table that is not the same in both.

    Attributes:
        table: which table, such as `rule`.
        layer: the layer it stands in; empty for the agreement itself.
        id: what the row is called: its id, or what stands for one.
        how: what became of it.
        first_clause, second_clause: the clause it rests on in each; empty where it is in one only, or rests on none.
        first, second: what it says in each, as a sentence where there is one.
        keys: what is written otherwise, for a row that is in both.
    """

    table: str
    layer: str
    id: str
    how: How
    first_clause: str = ""
    second_clause: str = ""
    first: str = ""
    second: str = ""
    keys: tuple[KeyChange, ...] = ()


class Difference(Struct, frozen=True):
    """Everything in which two agreements differ, and every parameter of both."""

    first: Side
    second: Side
    parameters: tuple[Compared, ...]
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs but perhaps what is not compared: sources, and the order of tables."""
        return not self.changes and all(each.same for each in self.parameters)


def difference(
    first: tuple[Agreement, Sequence[Layer]],
    second: tuple[Agreement, Sequence[Layer]],
    language: words.Language = "en",
) -> Difference:
    """Compare two agreements, each with its layers."""
    of_first, of_second = parameters(*first, language), parameters(*second, language)
    compared = tuple(
        Compared(
            a.key, a.name, a.values, b.values, [each.text for each in a.values] == [each.text for each in b.values]
        )
        for a, b in zip(of_first, of_second, strict=True)
    )
    voices = Voice(language, *first), Voice(language, *second)
    return Difference(_side(*first), _side(*second), compared, tuple(_changes(*voices)))


def _side(agreement: Agreement, layers: Sequence[Layer]) -> Side:
    header = agreement.header
    return Side(header.id, header.version, header.title.en, agreement.digest, tuple(layer.id for layer in layers))


def _changes(first: Voice, second: Voice) -> Iterator[Change]:
    yield from _of_instruments(first, second, first.agreement, second.agreement, "")
    theirs = {layer.id: layer for layer in second.layers}
    ours = {layer.id: layer for layer in first.layers}
    for name in dict.fromkeys((*ours, *theirs)):
        yield from _of_instruments(first, second, ours.get(name), theirs.get(name), name)


def _of_instruments(
    first: Voice, second: Voice, before: Instrument | None, after: Instrument | None, layer: str
) -> Iterator[Change]:
    instrument = before or after
    assert instrument is not None
    for field in fields(instrument):
        if field.name == "digest":
            continue
        old = _rows(before, field.name)
        new = _rows(after, field.name)
        renamed = _renamed(_told(first, before, old), _told(second, after, new))
        for name in dict.fromkeys((*old, *new)):
            if name in renamed.values():
                continue
            how: How = (
                "renamed"
                if name in renamed
                else "removed"
                if name not in new
                else "added"
                if name not in old
                else "changed"
            )
            mine, other = old.get(name), new.get(renamed.get(name, name))
            if how == "changed" and mine == other:
                continue
            yield Change(
                table=field.encode_name,
                layer=layer,
                id=f"{name} → {renamed[name]}" if how == "renamed" else name,
                how=how,
                first_clause=getattr(mine, "clause", ""),
                second_clause=getattr(other, "clause", ""),
                first=_says(first, before, mine),
                second=_says(second, after, other),
                keys=tuple(_keys(mine, other)) if mine and other else (),
            )


def _rows(instrument: Instrument | None, field: str) -> dict[str, Table]:
    """The rows of a table by what each is called; a table that stands once is its own row."""
    held = getattr(instrument, field, None)
    if held is None:
        return {}
    return {_called(row): row for row in held} if isinstance(held, tuple) else {"": held}


def _called(row: Any) -> str:
    if name := getattr(row, "id", ""):
        return str(name)
    if marks := getattr(row, "marks", None):
        return " = ".join(f"{party}: {', '.join(each)}" for party, each in sorted(marks.items()))
    for keys in (("party", "mark"), ("party", "name", "valid_from"), ("of",), ("obligation",), ("agreement",)):
        if all(hasattr(row, key) for key in keys):
            return " ".join(_plain(getattr(row, key)) for key in keys)
    return _plain(row)


def _plain(held: Any) -> str:
    return held if isinstance(held, str) else getattr(held, "en", None) or value(_written(held))


def _written(row: Any) -> Any:
    """A row as it is written, without what is left out."""
    return msgspec.json.decode(msgspec.json.encode(row))


def _says(voice: Voice, instrument: Instrument | None, row: Table | None) -> str:
    if instrument is None or row is None:
        return ""
    if isinstance(row, Rule):
        return voice.rule(instrument, row).text
    if isinstance(row, Obligation):
        return voice.obligation(instrument, row).text
    if isinstance(row, Checklist):
        return voice.checklist(instrument, row)
    if hasattr(row, "says"):
        return str(row.says)
    if hasattr(row, "title"):
        return voice.own(row.title)
    return value({key: each for key, each in _written(row).items() if key not in {"clause", "id"}})


def _told(voice: Voice, instrument: Instrument | None, rows: dict[str, Table]) -> dict[str, str]:
    """What the rows say that can be the same under another id."""
    kinds = (Rule, Obligation, Checklist)
    return {name: _says(voice, instrument, row) for name, row in rows.items() if isinstance(row, kinds)}


def _renamed(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """By the id in the first, the id in the second of what says the same there."""
    free = {said: name for name, said in reversed(new.items()) if name not in old}
    found: dict[str, str] = {}
    for name, said in old.items():
        if name not in new and said in free:
            found[name] = free.pop(said)
    return found


def _keys(mine: Table, other: Table) -> Iterator[KeyChange]:
    old, new = dict(_flat(_written(mine))), dict(_flat(_written(other)))
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield KeyChange(key, *("" if key not in row else value(row[key]) for row in (old, new)))


def _flat(row: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a table, those of the tables within it with their path."""
    for key, held in row.items():
        if isinstance(held, dict):
            yield from _flat(held, f"{before}{key}.")
        else:
            yield before + key, held
