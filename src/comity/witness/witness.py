"""Following logs and cosigning their checkpoints (``spec/witness.md`` steps 1 to 22; tlog-witness).

Rules of this file:

- What may be cosigned is decided by ``ledger.witness.decide``; here it is made durable. The recorded head moves by the
  compare-and-set of the store, is put under the mark outside the database, and only then is anything signed.
- A cosignature is made from what is recorded (note and time), so the one that is shown later says what was given.
- The time of a log's cosignatures never goes back, whatever the clock does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from comity.errors import Misuse, Rejected, Unavailable
from comity.ledger.note import KeyType, Note, Signature, Signer, VerifierKey, cosign
from comity.ledger.tree import EMPTY_ROOT, TreeHead
from comity.ledger.witness import (
    TEXT_CONTENT_TYPE,
    AddCheckpoint,
    Cosign,
    Refusal,
    WitnessedLog,
    decide,
    malformed,
)
from comity.ports import Batch, Clock, Head, HighWaterMark, Put, Store

LOG = "log"
"""Table: the keys of each log that is followed, or was; key SHA-256 of its origin in hex."""
COSIGNED = "cosigned"
"""Table: the newest checkpoint of each log, and the time of its cosignature; same key."""
CONTRADICTION = "contradiction"
"""Table: what a log signed that does not agree with what it signed before; key ``log/digest``."""
CONTRADICTIONS_KEPT = 100
"""Most of them about one log."""
KEYS_MAX = 8
"""Most keys of one log."""
LOGS_READ = 1_000
"""Logs read from the store at once."""
_NO_RECORD = bytes(32)
"""Stands where a chain of records names its last one."""


class Cosigner(msgspec.Struct, frozen=True):
    """A key of the witness: how others know it, and what signs."""

    key: VerifierKey
    signer: Signer


class Answer(msgspec.Struct, frozen=True):
    """What HTTP answers."""

    status: int
    body: bytes
    content_type: str = TEXT_CONTENT_TYPE


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A log that this witness follows, or did.

    Attributes:
        origin: which.
        keys: its verifier keys; none where it is followed no more.
        size: leaves under its newest cosigned checkpoint.
        root: root of that, in hex.
        cosigned: when; None where nothing was.
        contradictions: how much of what it signed does not agree with the rest, and is kept.
    """

    origin: str
    keys: tuple[str, ...]
    size: int
    root: str
    cosigned: datetime | None
    contradictions: int


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """What a log signed, beside what it had signed before.

    Attributes:
        origin: which log.
        code: why it was not cosigned: with ``split-view`` or ``stale`` the two notes prove two histories.
        recorded: the signed note that was cosigned last; empty where nothing was.
        request: the body of the request, with the signed note that was not.
    """

    origin: str
    code: str
    recorded: bytes
    request: bytes


class _Log(msgspec.Struct, frozen=True):
    origin: str
    keys: tuple[str, ...]


class _Cosigned(msgspec.Struct, frozen=True):
    """The signed note, without cosignatures, and the time that ours carry."""

    note: bytes
    time: int


def log_id(origin: str) -> str:
    """How a log is named in rows and in the address of its checkpoint (12)."""
    return sha256(origin.encode()).hexdigest()


class Witness:
    """One witness, in one process.

    Args:
        store: its own; nothing else writes to it.
        mark: outside of the store.
        cosigners: its keys, all of one name and of different types.
        clock: for the times of cosignatures.
    """

    def __init__(self, store: Store, mark: HighWaterMark, cosigners: Sequence[Cosigner], clock: Clock) -> None:
        self._store = store
        self._mark = mark
        self._cosigners = tuple(cosigners)
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """What others verify its cosignatures by."""
        return tuple(cosigner.key for cosigner in self._cosigners)

    async def start(self) -> None:
        """Look whether this is the newest database, and mark what it holds (22).

        Raises:
            Rejected: ``restored-database``: it is older than the mark, so that a rewritten log would be cosigned.
        """
        heads = await self._store.heads()
        for origin, size in (await self._mark.read()).items():
            found = heads[origin].size if origin in heads else 0
            if found < size:
                raise Rejected(
                    f"this witness has cosigned {size} leaves of {origin!r}, but this database knows {found}: it is an "
                    "older copy; put the newest one back, or begin again with another name and key",
                    code="restored-database",
                )
        await self._mark.write({origin: head.size for origin, head in heads.items()})

    # ---- which logs -----------------------------------------------------------------------------------------------

    async def follow(self, key: VerifierKey) -> None:
        """Follow the log whose origin is the name of ``key``; another key of a log that is followed is added (2).

        Raises:
            Misuse: it is no key of a log, it is one of ours, or the log has too many.
        """
        if key.type is not KeyType.ED25519:
            raise Misuse("a log signs with a key of type 01; this one is a witness's", code="bad-log-key")
        if any(key.public == ours.public for ours in self.keys):
            raise Misuse("this key is the witness's own: it signs no log", code="key-reuse")
        async with self._turn(log_id(key.name)):
            known = await self._log(log_id(key.name)) or _Log(key.name, ())
            keys = (*known.keys, *({key.text} - set(known.keys)))
            if len(keys) > KEYS_MAX:
                raise Misuse(f"a log has at most {KEYS_MAX} keys", code="too-many-keys")
            await self._put(LOG, log_id(key.name), msgspec.json.encode(_Log(key.name, keys)))

    async def unfollow(self, origin: str) -> None:
        """Cosign that log no more; what was cosigned stays known, so that taking it up again cannot roll it back (3).

        Raises:
            Misuse: it is not followed.
        """
        async with self._turn(log_id(origin)):
            known = await self._log(log_id(origin))
            if known is None or not known.keys:
                raise Misuse(f"the log {origin!r} is not followed", code="unknown-log")
            await self._put(LOG, log_id(origin), msgspec.json.encode(_Log(origin, ())))

    async def logs(self) -> list[Followed]:
        """Every log that is followed, or was, by origin."""
        heads, shown, first = await self._store.heads(), [], ""
        while found := await self._store.scan(LOG, first, limit=LOGS_READ):
            for name, value in found:
                log = msgspec.json.decode(value, type=_Log)
                head = heads.get(log.origin)
                kept = await self._cosigned(name)
                shown.append(
                    Followed(
                        origin=log.origin,
                        keys=log.keys,
                        size=head.size if head else 0,
                        root=(head.root if head else EMPTY_ROOT).hex(),
                        cosigned=datetime.fromtimestamp(kept.time, UTC) if kept else None,
                        contradictions=len(await self._contradictions(name)),
                    )
                )
            first = found[-1][0] + "\0"
        return sorted(shown, key=lambda each: each.origin)

    async def contradictions(self, origin: str) -> list[Contradiction]:
        """What is kept against a log."""
        found = await self._contradictions(log_id(origin))
        return [msgspec.json.decode(value, type=Contradiction) for _, value in found]

    # ---- over HTTP ------------------------------------------------------------------------------------------------

    async def add_checkpoint(self, body: bytes) -> Answer:
        """Answer an ``add-checkpoint`` request (10, 11)."""
        try:
            request = AddCheckpoint.parse(body)
        except Rejected as error:
            return _refused(malformed(error))
        name = log_id(request.origin)
        log = await self._log(name)
        if log is None or not log.keys:  # before any turn is made: strangers leave nothing behind
            return _refused(_decide(request, None))
        async with self._turn(name):
            try:
                return await self._answer(name, request)
            except Unavailable:  # (11)
                return Answer(503, b"this witness cannot make its record durable now; try again\n")

    async def checkpoint(self, name: str) -> bytes | None:
        """The newest cosigned checkpoint of the log with this ``log_id``, with our cosignatures; None if none (12).

        Raises:
            Unavailable: it cannot be put under the mark now.
        """
        kept = await self._cosigned(name)
        if kept is None:
            return None
        note = Note.parse(kept.note)
        await self._raise_mark(note.text)
        return Note(note.text, (*note.signatures, *self._sign(note, kept.time))).encode()

    async def _answer(self, name: str, request: AddCheckpoint) -> Answer:
        log = await self._log(name)
        assert log is not None  # nothing is ever removed
        head = (await self._store.heads([log.origin])).get(log.origin)
        kept = await self._cosigned(name)
        recorded = TreeHead(head.size, head.root) if head else TreeHead(0, EMPTY_ROOT)
        keys = tuple(map(VerifierKey.parse, log.keys))
        decision = decide(request, WitnessedLog(keys, recorded) if keys else None)
        if isinstance(decision, Refusal):
            if decision.evidence is not None:
                await self._keep(name, log.origin, decision.code, kept, request)
            return _refused(decision)
        signed = decision.checkpoint
        note = Note(signed.note.text, tuple(verified.signature for verified in signed.log))
        time = max(int(self._clock.now().timestamp()), kept.time if kept else 0)  # (21)
        new = _Cosigned(note.encode(), time)
        if new != kept:
            moved = Head(signed.checkpoint.head.size, _NO_RECORD, signed.checkpoint.head.root)
            puts = (Put(COSIGNED, name, msgspec.json.encode(new)),)
            await self._store.commit(Batch((), {log.origin: moved}, puts), {log.origin: head})  # (20)
        await self._raise_mark(note.text)  # (22)
        lines = self._sign(note, time)
        return Answer(200, "".join([line.line for line in lines]).encode())

    def _sign(self, note: Note, time: int) -> tuple[Signature, ...]:
        return tuple(cosign(note.text, each.key.name, each.signer, time, each.key.type) for each in self._cosigners)

    async def _raise_mark(self, text: str) -> None:
        origin, size, _ = text.split("\n", 2)
        await self._mark.write({origin: int(size)})

    async def _keep(self, name: str, origin: str, code: str, kept: _Cosigned | None, request: AddCheckpoint) -> None:
        """Keep what a log signed against itself, up to a bound (13)."""
        known = dict(await self._contradictions(name))
        body = request.encode()
        key = f"{name}/{sha256(request.note).hexdigest()}"
        if len(known) < CONTRADICTIONS_KEPT and key not in known:
            recorded = kept.note if kept else b""
            found = Contradiction(origin=origin, code=code, recorded=recorded, request=body)
            await self._put(CONTRADICTION, key, msgspec.json.encode(found))

    # ---- the store -------------------------------------------------------------------------------------------------

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())

    async def _log(self, name: str) -> _Log | None:
        value = (await self._store.get(LOG, [name]))[0]
        return None if value is None else msgspec.json.decode(value, type=_Log)

    async def _cosigned(self, name: str) -> _Cosigned | None:
        value = (await self._store.get(COSIGNED, [name]))[0]
        return None if value is None else msgspec.json.decode(value, type=_Cosigned)

    async def _contradictions(self, name: str) -> list[tuple[str, bytes]]:
        return await self._store.scan(CONTRADICTION, f"{name}/", f"{name}0", limit=CONTRADICTIONS_KEPT)

    async def _put(self, table: str, key: str, value: bytes) -> None:
        await self._store.commit(Batch((), {}, (Put(table, key, value),)), {})


def _decide(request: AddCheckpoint, log: WitnessedLog | None) -> Refusal:
    decision = decide(request, log)
    assert not isinstance(decision, Cosign)
    return decision


def _refused(refusal: Refusal) -> Answer:
    return Answer(refusal.status, refusal.body.encode(), refusal.content_type)
