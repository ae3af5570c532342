"""Deposits: to commit now to a statement or a log that is shown later, or never (``spec/notices.md`` steps 8 to 11).

The salt is durable here before the deposit is said, so that no crash can leave a deposit that nobody can reveal. Salt
and copy are side data: they can be erased, no journal brings them back, and without the salt a deposit stays a digest.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from hashlib import sha256
from pathlib import PurePath

import msgspec

from comity.errors import ComityError, Misuse, Rejected
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.speaking import speak, speaker
from comity.record.bodies.notices import Deposited, Revealed
from comity.record.encoding import TEXT_CHARACTERS_MAX, decode, encode
from comity.record.person_act import unsigned
from comity.record.statement import chain_id
from comity.register.deposits import deposit_commitment
from comity.register.rows.notices import DepositRow

DEPOSIT_SALT = "deposit-salt"
"""Side table: salt, digest and file name of a deposit of ours, by ``relationship/deposit``; erasable."""
DEPOSIT_COPY = "deposit-copy"
"""Side table: the content of a deposit of ours, likewise."""
COPY_BYTES_MAX = 4 * 1024 * 1024
"""Longest content of which a copy is kept; whoever deposits a longer one keeps the file himself."""
SALT_BYTES = 32
PIECE_BYTES = 1024 * 1024
"""How much of a file is read at once."""


class MakeDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """Deposit a file.

    Attributes:
        path: the file; nothing of it crosses.
        relationship: with whom it is deposited.
        about: what it is, for both sides to know it by.
        actor: an officer, the registry, or an agreement authority.
        deposit: identifier for it, for a person who signs elsewhere.
    """

    path: str
    relationship: str
    about: str
    actor: Actor
    deposit: str | None = None


class CheckDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """Compare a file with what was deposited."""

    deposit: str
    path: str


class RevealDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """Reveal a deposit of ours; ``path`` is the file, where no copy was kept and its text is to be shown."""

    deposit: str
    actor: Actor
    path: str | None = None


class ListDeposits(msgspec.Struct, frozen=True):
    """Every deposit of both sides."""


class DepositShown(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit.

    Attributes:
        party: who made it.
        witnessed: the other party has cosigned a checkpoint that covers it; what it made itself, this house holds.
        revealed: when it was revealed.
        digest: SHA-256 of the content in hex, once it is revealed or where this house made it.
        text: the content, where it was revealed and is short.
        salt_kept, copy_kept: of our own, whether this house still has them.
        file_name: of our own, the name of the file.
    """

    deposit: str
    relationship: str
    party: str
    about: str
    at: datetime
    record: str
    witnessed: bool
    revealed: datetime | None
    digest: str
    text: str | None
    salt_kept: bool
    copy_kept: bool
    file_name: str


class DepositChecked(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a file is what was deposited, to the byte."""

    deposit: str
    matches: bool
    digest: str
    shown: DepositShown


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a deposit of ours."""

    salt: bytes
    digest: bytes
    size: int
    file_name: str


async def make_deposit(house: House, request: MakeDeposit) -> DepositShown:
    """Commit to a file, and tell the other side; the file itself stays here.

    Raises:
        Misuse: the actor may not, or the file cannot be read.
    """
    by = await speaker(house, request.relationship, request.actor)
    digest, size, content = await _read(house, request.path)
    deposit = house.name("e", request.deposit)
    key = f"{request.relationship}/{deposit}"
    if await house.row(DepositRow, key) is not None:
        raise Misuse(f"deposit {deposit!r} was already made", code="deposit-exists")
    kept = await _kept(house, key)
    if kept is None or kept.digest != digest:  # else he comes back with his signature over the same commitment
        kept = Kept(house.entropy(SALT_BYTES), digest, size, PurePath(request.path).name)
        await _keep(house, key, kept, content)
    body = Deposited(
        deposit=deposit,
        commitment=deposit_commitment(request.relationship, house.party, deposit, kept.salt, digest),
        about=request.about,
        by=by,
        signature=unsigned(),
    )
    try:
        await speak(house, request.relationship, body, request.actor)
    except NeedsSignature:
        raise
    except ComityError:
        if await house.row(DepositRow, key) is None:
            await _keep(house, key, None, None)
        raise
    return await _shown(house, request.relationship, await house.need(DepositRow, key, "deposit"))


async def check_deposit(house: House, request: CheckDeposit) -> DepositChecked:
    """Compare a file with a deposit: our own at any time, the other side's once it is revealed.

    Raises:
        Misuse: there is no such deposit, or nobody here can compare it yet.
    """
    relationship, row = await _find(house, request.deposit)
    kept = await _kept(house, f"{relationship}/{row.deposit}")
    salt = row.salt if row.salt is not None else kept.salt if kept is not None else None
    if salt is None:
        raise Misuse(
            f"deposit {row.deposit!r} was not revealed; whoever does not have its salt has nothing to compare with",
            code="not-revealed",
        )
    digest, _, _ = await _read(house, request.path)
    given = deposit_commitment(relationship, row.party, row.deposit, salt, digest)
    shown = await _shown(house, relationship, row)
    return DepositChecked(deposit=row.deposit, matches=given == row.commitment, digest=digest.hex(), shown=shown)


async def reveal_deposit(house: House, request: RevealDeposit) -> DepositShown:
    """Reveal a deposit of ours: its salt and digest cross, and the text itself where it is short.

    Raises:
        Misuse: it is not ours or was revealed, its salt is gone, or the file is not what was deposited.
    """
    relationship, row = await _find(house, request.deposit)
    if row.party != house.party:
        raise Misuse(f"deposit {row.deposit!r} was made by {row.party!r}; only it can reveal it", code="not-depositor")
    key = f"{relationship}/{row.deposit}"
    kept = await _kept(house, key)
    if kept is None:
        raise Misuse(
            f"the salt of deposit {row.deposit!r} is gone from this house; it can never be revealed, and stays what it "
            "is: a digest that nobody can open",
            code="salt-lost",
        )
    content = await house.side(DEPOSIT_COPY, key)
    if request.path is not None:
        digest, _, content = await _read(house, request.path)
        if digest != kept.digest:
            raise Misuse(
                f"{request.path!r} is not what was deposited as {row.deposit!r}, to the byte; nothing was revealed",
                code="other-content",
            )
    body = Revealed(
        deposit=row.deposit,
        salt=kept.salt,
        digest=kept.digest,
        text=inlined(content),
        by=await speaker(house, relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, relationship, body, request.actor)
    return await _shown(house, relationship, await house.need(DepositRow, key, "deposit"))


async def list_deposits(house: House, _: ListDeposits) -> list[DepositShown]:
    """Every deposit of both sides, oldest first, and whether it is witnessed yet."""
    found = []
    for relationship, _peer in await house.relationships():
        async for _key, row in house.rows(DepositRow, f"{relationship}/"):
            found.append(await _shown(house, relationship, row))
    return sorted(found, key=lambda each: (each.at, each.deposit))


def inlined(content: bytes | None) -> str | None:
    """``content`` as a record can carry it: a short text without characters that people cannot see; else None."""
    if not content or len(content) > 4 * TEXT_CHARACTERS_MAX:
        return None
    try:
        text = content.decode()
        decode(encode(text), str)
    except (UnicodeDecodeError, Rejected):
        return None
    return text if len(text) <= TEXT_CHARACTERS_MAX else None


async def _find(house: House, deposit: str) -> tuple[str, DepositRow]:
    for relationship, _peer in await house.relationships():
        row = await house.row(DepositRow, f"{relationship}/{deposit}")
        if row is not None:
            return relationship, row
    raise Misuse(f"there is no deposit {deposit!r}", code="unknown-deposit")


async def _read(house: House, path: str) -> tuple[bytes, int, bytes | None]:
    """Digest, size, and, where it is short enough to be kept, content of a file."""
    digest, size, pieces = sha256(), 0, []
    with house.files.read(path) as file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            if size <= COPY_BYTES_MAX:
                pieces.append(piece)
    return digest.digest(), size, b"".join(pieces) if size <= COPY_BYTES_MAX else None


async def _kept(house: House, key: str) -> Kept | None:
    value = await house.side(DEPOSIT_SALT, key)
    return decode(value, Kept) if value is not None else None


async def _keep(house: House, key: str, kept: Kept | None, content: bytes | None) -> None:
    """Keep salt and copy durably; or, with None, no longer."""

    async def keep(work: Work) -> None:
        work.put_side(DEPOSIT_SALT, key, None if kept is None else encode(kept))
        work.put_side(DEPOSIT_COPY, key, content)

    await house.sequencer.submit(keep)


async def _shown(house: House, relationship: str, row: DepositRow) -> DepositShown:
    ours = row.party == house.party
    key = f"{relationship}/{row.deposit}"
    kept = await _kept(house, key) if ours else None
    digest = row.digest if row.digest is not None else kept.digest if kept is not None else None
    return DepositShown(
        deposit=row.deposit,
        relationship=relationship,
        party=row.party,
        about=row.about,
        at=row.at,
        record=row.record.hex(),
        witnessed=await _witnessed(house, relationship, row) if ours else True,
        revealed=row.revealed,
        digest=digest.hex() if digest is not None else "",
        text=row.text,
        salt_kept=kept is not None,
        copy_kept=ours and await house.side(DEPOSIT_COPY, key) is not None,
        file_name=kept.file_name if kept is not None else "",
    )


async def _witnessed(house: House, relationship: str, row: DepositRow) -> bool:
    """Whether the other party has cosigned a checkpoint of our chain that covers the deposit (9)."""
    cosigned = await house.side(COSIGNED, chain_id(relationship, house.party))
    return cosigned is not None and read_head(cosigned).size > row.sequence
