"""What the checks look things up in: the records shown, the texts they rest on, and what stays open.

A record that a check needs is shown, or withheld and then noted as an open question, or missing and then the file is
rejected: nothing is left out silently (``spec/evidence.md`` step 16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.agreement.term import Chronicle
from comity.errors import Rejected
from comity.evidence.chains import Hidden, Party, Stood, StoodChain
from comity.evidence.model import Group
from comity.record.bodies import Body, Returned

B = TypeVar("B", bound=Body)


class Edition(msgspec.Struct, frozen=True):
    """The texts that the exporter decided by from one adoption to the next."""

    adopted: Stood
    agreement: Agreement
    layers: tuple[Layer, ...]
    chronicle: Chronicle


class Open(msgspec.Struct, frozen=True):
    """A question that the file leaves open: its code, the record it is about, and a sentence."""

    code: str
    place: str
    says: str


class Exhibits:
    """The verified records of a file.

    Attributes:
        item: item id.
        relationship: relationship id.
        exporter, peer: the parties.
        own, theirs, domestic: the chains.
        editions: by the place of their adoption in the domestic chain.
        open: questions left open, in the order they were met.
        records: by record id.
        returned: ids of records that the other party returned as rejected.
        withheld: groups of which a record is withheld.
    """

    def __init__(
        self,
        item: str,
        relationship: str,
        parties: tuple[Party, Party],
        chains: tuple[StoodChain, StoodChain, StoodChain],
    ) -> None:
        self.item = item
        self.relationship = relationship
        self.exporter, self.peer = parties
        self.own, self.theirs, self.domestic = self.chains = chains
        self.editions: tuple[Edition, ...] = ()
        self.open: list[Open] = []
        self.records: dict[bytes, Stood] = {each.record.id: each for each in self.every()}
        self._by_type: dict[type[Body], list[Stood]] = {}
        for each in self.every():
            self._by_type.setdefault(type(each.body), []).append(each)
        self.returned = {body.record for stood, body in self.of(Returned) if self._about_other(stood, body)}
        self.withheld = {each.group for chain in chains for each in chain.hidden}

    def _about_other(self, stood: Stood, body: Returned) -> bool:
        about = self.records.get(body.record)
        return about is not None and about.author != stood.author

    def every(self) -> Iterator[Stood]:
        """Every record shown, chain after chain."""
        for chain in self.chains:
            yield from chain.records

    def hidden(self) -> Iterator[Hidden]:
        """Every place that is not shown."""
        for chain in self.chains:
            yield from chain.hidden

    def party(self, name: str) -> Party:
        """One of the two parties."""
        return self.exporter if name == self.exporter.name else self.peer

    def other(self, party: str) -> str:
        """The other of the two parties."""
        return self.peer.name if party == self.exporter.name else self.exporter.name

    def of(self, kind: type[B], author: str | None = None) -> Iterator[tuple[Stood, B]]:
        """Every record of a type, by anybody or by ``author``."""
        for stood in self._by_type.get(kind, ()):
            if author in (None, stood.author):
                yield stood, cast("B", stood.body)

    def last(self, kind: type[B], before: Stood, wanted: Callable[[B], bool]) -> tuple[Stood, B] | None:
        """The newest record of a type that stands before another one in the same chain."""
        chain = before.record.statement.chain
        found = [
            (stood, body)
            for stood, body in self.of(kind, before.author)
            if stood.record.statement.chain == chain and stood.index < before.index and wanted(body)
        ]
        return found[-1] if found else None

    def get(self, record: bytes, kind: type[B]) -> tuple[Stood, B] | None:
        """A record by its id, if it is shown and of that type."""
        stood = self.records.get(record)
        return (stood, stood.body) if stood is not None and isinstance(stood.body, kind) else None

    def missing(self, group: Group, code: str, place: str, says: str) -> None:
        """Note an open question if records of ``group`` are withheld (16).

        Raises:
            Rejected: nothing of that group is withheld, so what is needed is left out.
        """
        if group not in self.withheld:
            raise Rejected(f"{says}, and nothing is said to be withheld", code=code, place=place)
        self.open.append(Open(code, place, says))

    @contextmanager
    def judged(self, stood: Stood) -> Iterator[None]:
        """(19) Check a record; what is wrong with one that was returned for it is told, it does not spoil the file."""
        try:
            yield
        except Rejected as error:
            if stood.record.id not in self.returned:
                raise
            self.open.append(Open(error.code, error.place, f"it was returned for it: {error.sentence}"))

    def edition(self, house: Stood) -> Edition:
        """The texts in force where a house record stands.

        Raises:
            Rejected: no adoption comes before it.
        """
        found = [each for each in self.editions if each.adopted.index < house.index]
        if not found:
            raise Rejected("no agreement was adopted before this record", code="no-agreement", place=house.place)
        return found[-1]

    def by_digest(self, digest: bytes, place: str) -> Edition:
        """The newest texts whose agreement has this digest.

        Raises:
            Rejected: there is none.
        """
        for each in reversed(self.editions):
            if each.agreement.digest == digest.hex():
                return each
        raise Rejected(
            f"it names an agreement with the digest {digest.hex()[:16]}…, which is not the one in this file",
            code="other-digest",
            place=place,
        )
