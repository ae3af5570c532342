"""Drafts: a text that is negotiated, sealed to the delegates of both sides (``spec/lifecycle.md`` steps 10 and 12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from hashlib import sha256

import msgspec

from comity.agreement.calendar import day_start
from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
from comity.agreement.model import Agreement
from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.giving.content import Wrapping, recipient
from comity.flows.house import House
from comity.flows.keeping.library import known_relationship
from comity.record.bodies.negotiation import About
from comity.register.rows import DirectoryRow
from comity.register.rows.negotiation import DraftKept, NegotiationRow
from comity.seal.age import Sealed, new_file_key, open_header, seal_header
from comity.seal.items import pack, unpack
from comity.seal.keys import parse_identity
from comity.seal.manifest import Binding
from comity.seal.payload import open_payload_bytes, seal_payload_bytes

DRAFT_BYTES_MAX = 1024 * 1024
"""Longest text of a draft, in bytes."""
LAYERED: frozenset[About] = frozenset({"exchange-of-notes", "arrangement"})
"""What is negotiated as a layer on a running agreement."""


class Text(msgspec.Struct, frozen=True):
    """A text that passed every check: whose it is, what it calls its version, its digest, and its parties' calendar."""

    agreement: str
    version: str
    digest: bytes
    timezone: str


class SealedDraft(msgspec.Struct, frozen=True):
    """A text as it crosses."""

    payload: bytes
    size: int
    content: bytes


def check_text(
    house: House, about: About, text: str, name: str, *, peer: str, base: Agreement | None, running: str = ""
) -> Text:
    """Read a text as strictly as it will be read when it runs (12).

    Args:
        house: one of the two parties.
        about: what is negotiated.
        text: the file's content.
        name: its name, for errors.
        peer: the other party.
        base: the running agreement that it amends or stands on.
        running: the version of ``base``.

    Raises:
        Rejected: it has a mistake, or is not what is negotiated.
        Misuse: one of the two is no party to it.
    """
    if len(text.encode()) > DRAFT_BYTES_MAX:
        raise Rejected(f"a draft has at most {DRAFT_BYTES_MAX} bytes", code="too-large", place=name)
    if about in LAYERED:
        assert base is not None  # the register lets none be opened without
        layer = parse_layer(text, name, base)
        if layer.header.kind != "arrangement":
            sentence = f"a {layer.header.kind} layer is one side's own; what both agree on is an arrangement"
            raise Rejected(sentence, code="not-arrangement", place=name)
        return Text(layer.id, layer.header.version, bytes.fromhex(layer.digest), base.term.timezone)
    agreement = parse_agreement(text, name)
    check_time_zones(agreement, text, name, house.zones.zones)
    known_relationship(agreement, house.party, peer)
    if base is not None and agreement.id != base.id:
        raise Rejected(f"a text of {agreement.id!r} is no amendment of {base.id!r}", code="other-agreement", place=name)
    if base is not None and agreement.header.version == running:
        sentence = f"an amendment is another version than {running!r}; say which in [agreement] version"
        raise Rejected(sentence, code="same-version", place=name)
    return Text(agreement.id, agreement.header.version, bytes.fromhex(agreement.digest), agreement.term.timezone)


def applies(house: House, text: Text, day: str | None) -> datetime | None:
    """The instant at which ``day`` begins where the text's term is counted; forward only.

    Raises:
        Misuse: there is no such day, or it has begun.
    """
    if day is None:
        return None
    try:
        found = day_start(date.fromisoformat(day), house.zones.zone(text.timezone))
    except ValueError:
        raise Misuse(f"there is no day {day!r}", code="bad-day") from None
    if found <= house.now():
        raise Misuse(
            f"{day} has begun in {text.timezone}; a text applies from a later day, or once signed", code="past"
        )
    return found


async def seal_draft(house: House, place: Binding, text: str, readers: Iterable[DirectoryRow]) -> SealedDraft:
    """Seal a text to its readers; durable on return.

    Args:
        house: whose draft it is.
        place: what the manifest says; ``content`` is replaced.
        text: the text.
        readers: delegates of both sides.

    Raises:
        Misuse: their keys are of two kinds, which one file cannot be sealed to.
    """
    data, file_key, salt = text.encode(), new_file_key(house.entropy), house.entropy(32)
    fields = {name: getattr(place, name) for name in place.__struct_fields__ if name != "content"}
    wrapping = Wrapping(**fields, file_name=f"{place.item.rpartition('/')[2]}.toml")
    manifest = wrapping.manifest(salt, len(data), sha256(data).digest())
    keys = [recipient(each) for each in sorted({reader.recipient for reader in readers})]
    header = seal_header(file_key, keys, house.entropy)
    blob = header + seal_payload_bytes(file_key, pack(manifest, data), house.entropy)
    payload = sha256(blob).digest()
    await house.payloads.keep(payload, blob)
    return SealedDraft(payload, len(blob), manifest.binding.content)


async def sealed_draft(house: House, draft: DraftKept) -> bytes:
    """The sealed text of a draft, as one age file.

    Raises:
        Unavailable: it is not here.
        Rejected: it was altered.
    """
    blob = await house.payloads.get(draft.payload)
    if blob is None:
        raise Unavailable(f"the sealed text of {draft.draft} is not here", code="missing-blob")
    if sha256(blob).digest() != draft.payload:
        raise Rejected(f"the sealed text of {draft.draft} was altered", code="altered-text")
    return blob


async def open_draft(house: House, relationship: str, row: NegotiationRow, draft: DraftKept) -> str:
    """The text of a draft, opened with the keys that this house holds for its people.

    Raises:
        Unavailable, Rejected: as ``sealed_draft``; it does not open, or is not what its record says.
    """
    sealed = Sealed.split(await sealed_draft(house, draft))
    file_key = open_header(sealed.header, [parse_identity(secret) for secret in house.keys.registry()])
    item = unpack(open_payload_bytes(file_key, sealed.payload), binding_of(relationship, row, draft))
    return item.content.decode()


def binding_of(relationship: str, row: NegotiationRow, draft: DraftKept) -> Binding:
    """What the manifest of a draft says."""
    return Binding(
        author=draft.party,
        relationship=relationship,
        item=f"{row.negotiation}/{draft.draft}",
        label=draft.digest,
        agreement=draft.digest,
        content=draft.content,
    )
