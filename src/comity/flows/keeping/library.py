"""The library: the agreements this house runs, parsed and compiled once, with their layers and history.

Texts stand in side data under the digest of their bytes; the register says by digest which of them are in use, so a
text that was altered is not found, never silently used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from comity.agreement.calendar import TimeZones
from comity.agreement.history import History
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.agreement.model import Agreement, Layer
from comity.agreement.term import Chronicle, Status
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.model import Acknowledgement, Reading, Standing
from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Store
from comity.register.rows import AgreementRow

TEXT = "text"
"""Side table: texts of agreements, layers and histories by the SHA-256 of their bytes, in hex."""
FOREVER = datetime.max.replace(tzinfo=UTC)


def nothing_beside(_: str) -> Compiled | None:
    """Of an agreement that stands by itself: no other runs."""
    return None


class Running(msgspec.Struct, frozen=True, eq=False):
    """An agreement in use: parsed, compiled, with its layers and the history this house reads.

    ``beside`` gives another agreement in use by its id, for ancestors of an item that were provided under it.
    """

    agreement: Agreement
    layers: tuple[Layer, ...]
    compiled: Compiled
    chronicle: Chronicle
    beside: Callable[[str], Compiled | None] = nothing_beside


class Library:
    """Agreements by digest and by relationship."""

    def __init__(self, store: Store, zones: TimeZones) -> None:
        self._store = store
        self._zones = zones
        self._agreements: dict[bytes, Agreement] = {}
        self._layers: dict[bytes, Layer] = {}
        self._running: dict[str, tuple[AgreementRow, Running]] = {}
        self._standings: dict[str, tuple[datetime, datetime, tuple[Reading, ...]]] = {}

    def agreement(self, digest: bytes) -> Agreement:
        """The agreement with this digest.

        Raises:
            Unavailable: this house does not have it.
        """
        found = self._agreements.get(digest)
        if found is None:
            raise Unavailable(f"the agreement with digest {digest.hex()[:16]}… is not here", code="unknown-agreement")
        return found

    def layer(self, digest: bytes) -> Layer:
        """The layer whose text has this digest.

        Raises:
            Unavailable: this house does not have it.
        """
        found = self._layers.get(digest)
        if found is None:
            raise Unavailable(f"the layer with digest {digest.hex()[:16]}… is not here", code="unknown-layer")
        return found

    async def text(self, digest: bytes) -> str:
        """A text by the digest of its bytes.

        Raises:
            Unavailable: it is not here.
            Rejected: what stands under that digest is another text.
        """
        value = (await self._store.get(TEXT, [digest.hex()]))[0]
        if value is None:
            raise Unavailable(f"the text with digest {digest.hex()[:16]}… is not here", code="unknown-text")
        if sha256(value).digest() != digest:
            raise Rejected(f"the text kept under {digest.hex()[:16]}… was altered", code="altered-text")
        return value.decode()

    async def load(self, row: AgreementRow) -> Running:
        """Parse and compile what ``row`` names; cached until the row names other texts."""
        cached = self._running.get(row.relationship)
        if cached is not None and _texts(cached[0]) == _texts(row):
            return cached[1]
        running = await self.version(row)
        self._agreements[bytes.fromhex(running.agreement.digest)] = running.agreement
        self._layers.update(zip(row.layers, running.layers, strict=True))
        self._running[row.relationship] = (row, running)
        self._standings.pop(row.relationship, None)
        return running

    async def version(self, row: AgreementRow) -> Running:
        """Parse and compile what ``row`` names, whether or not it still runs."""
        agreement = parse_agreement(await self.text(row.text), f"{row.agreement}.toml")
        layers = tuple([parse_layer(await self.text(layer), "layer", agreement) for layer in row.layers])
        zones = self._zones
        history = parse_history(await self.text(row.history), f"{row.agreement}.history.toml", agreement, zones)
        return msgspec.structs.replace(self.assemble(agreement, layers, history, zones), beside=self.compiled)

    def compiled(self, agreement: str) -> Compiled | None:
        """The agreement of that id as it is decided by here; of several relationships under one, the first."""
        for relationship in sorted(self._running):
            row, running = self._running[relationship]
            if row.agreement == agreement:
                return running.compiled
        return None

    @staticmethod
    def assemble(agreement: Agreement, layers: Iterable[Layer], history: History, zones: TimeZones) -> Running:
        """An agreement made ready to decide by."""
        stacked = tuple(layers)
        chronicle = Chronicle(agreement, history, zones)
        return Running(agreement, stacked, compile_agreement(agreement, stacked, tzdata=zones.version), chronicle)

    async def turns(self, row: AgreementRow, at: datetime) -> datetime:
        """The first instant after ``at`` at which the agreement can stand otherwise by itself."""
        await self.standing(row, at)
        return self._standings[row.relationship][1]

    async def standing(self, row: AgreementRow, at: datetime) -> Standing:
        """Where the agreement of a relationship stands at ``at``, for the decision.

        A text that a signed amendment has replaced counts as accepted by nobody (``spec/lifecycle.md`` step 17).
        """
        running = await self.load(row)
        cached = self._standings.get(row.relationship)
        if cached is None or not cached[0] <= at < cached[1]:
            status = running.chronicle.status(at)
            until = next_change(running.chronicle, status)
            cached = self._standings[row.relationship] = (at, until, readings(status))
        digest = running.agreement.digest
        accepted = () if row.superseded is not None and at >= row.superseded else row.acknowledged
        return Standing(
            agreement=running.agreement.id,
            readings=cached[2],
            acknowledgements=tuple(Acknowledgement(party, digest) for party in accepted),
        )


def readings(status: Status) -> tuple[Reading, ...]:
    """How each party reads the state, as the decision takes it."""
    contested = tuple(point.point for point in status.contested)
    return tuple(
        Reading(party=each.party, in_force=each.in_force, protection=each.protection, contested=contested)
        for each in status.readings
    )


def next_change(chronicle: Chronicle, status: Status) -> datetime:
    """The first instant after ``status`` at which it can be another one."""
    ahead = [milestone.at for reading in status.readings for milestone in reading.ahead]
    events = [dated.effective for dated in chronicle.history.events]
    return min((at for at in (*ahead, *events) if at > status.at), default=FOREVER)


def known_relationship(agreement: Agreement, party: str, peer: str) -> str:
    """The relationship id of two parties under an agreement.

    Raises:
        Misuse: one of them is no party to it.
    """
    parties = {each.id for each in agreement.parties}
    for each in (party, peer):
        if each not in parties:
            raise Misuse(
                f"{each!r} is no party to {agreement.id!r}; its parties are {', '.join(sorted(parties))}",
                code="unknown-party",
            )
    return f"{agreement.id}/{'.'.join(sorted((party, peer)))}"


def _texts(row: AgreementRow) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    return row.text, row.history, row.layers
