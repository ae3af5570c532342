"""What the core needs from outside: contracts, not code.

Rules of this file:

- Ports are asynchronous, the core is not; only ``flows`` joins the two.
- Every contract says what is durable on return, what is atomic against what, and which error means what.
- No transaction handle leaks: a change of state is one ``Batch``, handed over whole, and either all of it is durable
  or none of it is there. The contract fits SQLite with one writer and PostgreSQL with many processes.
- Values are bytes to a store. What a row means is known by ``register`` and ``ledger`` only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

import msgspec

from comity.errors import Unavailable


class Conflict(Unavailable):
    """A head was not what the caller expected: nothing was written, read again and retry."""


class Ambiguous(Unavailable):
    """The commit may or may not have happened: re-read the heads before signing anything."""


class DiskFull(Unavailable):
    """There is no room: nothing was written."""


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends.

    Attributes:
        size: number of records, which is also the sequence number of the next one.
        last: id of the last record (32 bytes), or 32 zero bytes while the chain is empty.
        root: RFC 6962 root of the chain's ledger at ``size`` (32 bytes).
    """

    size: int
    last: bytes
    root: bytes


class JournalEntry(msgspec.Struct, frozen=True):
    """One record as this node received or wrote it; the journal in order is the source of everything.

    Attributes:
        chain: the chain the record claims to stand in (``RELATIONSHIP/AUTHOR``).
        sequence: the author's sequence number in that chain.
        record: record id, 32 bytes.
        envelope: the canonical envelope, verbatim.
        salt: the 32-byte salt of its ledger leaf.
        verdict: ``changes``, ``held`` or ``rejected``; an entry that settles an earlier held record repeats the
            record with its new verdict.
        reason: the code of a ``held`` or ``rejected`` verdict, else empty.
        extends: whether this entry extends its chain (a record whose predecessor is missing does not, the entry that
            settles it does; a record held for another reason does, the entry that settles it does not).
        rules: version of the register rules that gave the verdict.
        at: the instant the verdict was given, aware UTC.
    """

    chain: str
    sequence: int
    record: bytes
    envelope: bytes
    salt: bytes
    verdict: str
    reason: str
    extends: bool
    rules: int
    at: datetime


class Put(msgspec.Struct, frozen=True, array_like=True):
    """Write one row; a row with the same table and key is replaced. ``value`` None deletes the row."""

    table: str
    key: str
    value: bytes | None


class Batch(msgspec.Struct, frozen=True):
    """One change of state: all of it or nothing.

    Attributes:
        entries: appended to the journal in this order.
        heads: the new head of every chain the batch extends.
        puts: rows written, in order (the later of two to one key wins).
    """

    entries: tuple[JournalEntry, ...] = ()
    heads: Mapping[str, Head] = {}
    puts: tuple[Put, ...] = ()


class Store(Protocol):
    """Journal, heads and rows, behind compare-and-set.

    Keys order by their UTF-8 bytes. Reads see every commit that returned before they began. A store belongs to one
    data folder (or database) and one party.
    """

    async def commit(self, batch: Batch, expected: Mapping[str, Head | None]) -> int:
        """Make ``batch`` durable if every head named in ``expected`` is still as given (None: no such chain).

        Atomic against every other commit, in this process or another. Durable on return: it survives the loss of
        power. Concurrent callers may share one fsync (group commit). A caller that is cancelled does not know the
        outcome. No head moves unseen: every chain in ``batch.heads`` is named in ``expected``.

        Returns:
            Number of journal entries after the commit.

        Raises:
            Conflict: a head differs; nothing was written.
            DiskFull: nothing was written.
            Ambiguous: the outcome is unknown; the store refuses further commits until ``heads`` was called.
            Unavailable: (itself, not a subclass) nothing was written: the disk failed, or ``heads`` must come first.
            Misuse: nothing was written: a head moves unseen, a sequence number is extended twice, or a value that no
                store holds (text with U+0000 or a lone surrogate, an integer beyond 63 bits, a naive instant).
        """
        ...

    async def heads(self, chains: Sequence[str] | None = None) -> dict[str, Head]:
        """The heads of the named chains that exist (all chains when None).

        After an ambiguous commit this first finds out what happened and makes that durable.

        Raises:
            Unavailable: it could not be found out; ask again.
        """
        ...

    async def get(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """The values of the rows with these keys, in the order asked, None where there is no row."""
        ...

    async def scan(
        self,
        table: str,
        first: str = "",
        before: str | None = None,
        *,
        limit: int,
        newest_first: bool = False,
    ) -> list[tuple[str, bytes]]:
        """Up to ``limit`` rows with ``first <= key < before`` in key order (or its reverse)."""
        ...

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        """Up to ``limit`` entries in order, beginning with entry number ``after`` (0 is the first ever)."""
        ...

    async def chain(self, chain: str, start: int, limit: int) -> list[JournalEntry]:
        """Up to ``limit`` entries of ``chain`` with ``extends`` set, by sequence number from ``start`` on."""
        ...

    async def find(self, record: bytes) -> JournalEntry | None:
        """The newest journal entry of the record with this id."""
        ...

    async def replace_rows(self, tables: Sequence[str], puts: AsyncIterator[Put]) -> None:
        """Throw the rows of ``tables`` away and write ``puts`` instead, atomically (for a rebuild).

        Commits wait meanwhile, so that what the rebuild reads does not move under it; ``puts`` must not commit.

        Raises:
            Misuse: a row is for another table; nothing was written.
            DiskFull, Ambiguous, Unavailable: as ``commit``.
        """
        ...

    async def close(self) -> None:
        """Release files and threads. Idempotent."""
        ...


class Blobs(Protocol):
    """Sealed payloads by the SHA-256 of their bytes; contents are verified by whoever reads them.

    The contract needs no rename, so that an object store fits: a blob is either whole under its digest or absent.
    """

    async def put_many(self, blobs: Mapping[bytes, bytes]) -> None:
        """Make small blobs durable before returning; putting a blob that is there already is no error.

        Raises:
            Rejected: a digest does not match its bytes; nothing of that blob was kept.
            DiskFull: some blobs may be there, whole.
        """
        ...

    async def received(self, digest: bytes) -> int:
        """Bytes durably received of an upload: the whole size when the blob is complete, 0 when unknown."""
        ...

    async def append(self, digest: bytes, offset: int, piece: bytes, size: int) -> int:
        """Add a piece to a resumable upload of ``size`` bytes; complete when the last byte is in and the digest fits.

        Returns:
            Bytes received so far, durably.

        Raises:
            Rejected: ``offset`` is not where the upload stands, the piece runs over ``size``, or the whole does not
                match ``digest`` (the upload is then thrown away).
            DiskFull: the piece was not kept.
        """
        ...

    def open(self, digest: bytes) -> AbstractAsyncContextManager[BinaryIO]:
        """The complete blob, open for reading (blocking reads).

        Raises:
            Unavailable: there is no such blob.
        """
        ...

    async def size(self, digest: bytes) -> int | None:
        """Size in bytes of a complete blob, None when it is not there."""
        ...

    async def adopt(self, digest: bytes, path: str) -> None:
        """Take over a complete file written by this node (fsynced here before it appears under its digest)."""
        ...

    async def all(self) -> list[bytes]:
        """Digests of all complete blobs (to collect orphans)."""
        ...

    async def unfinished(self) -> list[bytes]:
        """Digests of all uploads that are not complete (to collect those that nobody goes on with)."""
        ...

    async def delete(self, digest: bytes) -> None:
        """Remove a blob, whole or still being uploaded; removing one that is not there is no error."""
        ...


class Files(Protocol):
    """The files a user names, and room for sealed payloads under way. Plaintext is only ever written to ``whole``."""

    def read(self, path: str) -> BinaryIO:
        """A file the user names, open for reading.

        Raises:
            Misuse: it is not there, cannot be read, or is not a file.
        """
        ...

    def whole(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file that appears under ``path`` whole when the context ends well, and not at all otherwise.

        Raises:
            Misuse: it exists already or cannot be written there.
        """
        ...

    def scratch(self) -> AbstractContextManager[tuple[str, BinaryIO]]:
        """Path and open file for a sealed payload, on the file system of the blobs; removed unless adopted."""
        ...


class HighWaterMark(Protocol):
    """Sizes of this party's own chains, kept outside the database, so that a restored one is recognised.

    A mark never goes down: of two sizes written for a chain, in whatever order, the greater stays.
    """

    async def read(self) -> dict[str, int]:
        """The sizes last written (empty on first use)."""
        ...

    async def write(self, sizes: Mapping[str, int]) -> None:
        """Raise the sizes of the chains named, durably, after a commit and before anything it signed leaves."""
        ...


class ErasedKeys(Protocol):
    """Digests of the headers whose keys this party has destroyed, kept outside the database.

    A database that is restored from a copy holds keys again that were destroyed after the copy was made. This list is
    not restored with it, and says which (``spec/ending.md`` step 40). It only grows; what it names twice, it names.
    """

    async def count(self) -> int:
        """How many entries it has; cheap, so that a start can ask."""
        ...

    async def read(self) -> list[bytes]:
        """The digests in the order in which they were added, 32 bytes each.

        Raises:
            Rejected: it is damaged.
            Unavailable: it cannot be read.
        """
        ...

    async def add(self, digests: Sequence[bytes]) -> None:
        """Add digests at the end; durable on return.

        Raises:
            DiskFull: none was added.
            Ambiguous, Unavailable: none, some or all of them may have been; adding them again does no harm.
        """
        ...


class RestoredFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a house was brought back from a backup, and what is known besides of how far it had come.

    Attributes:
        backup: number of the backup.
        taken: when it was taken.
        at: when it was brought back.
        floor: how many records this party had at least signed in each chain of its own, as far as is known.
        kept: how many records of each chain of its own were brought back.
        compared: the relationships whose chains were compared with the other party's copy, and the size found there.
        alone: the relationships in which somebody decided to go on without the other party, by whom.
        asked: 64 hexadecimal digits in what is asked by pouch since; empty where nothing was.
    """

    backup: int
    taken: datetime
    at: datetime
    floor: dict[str, int]
    kept: dict[str, int]
    compared: dict[str, int] = {}
    alone: dict[str, str] = {}
    asked: str = ""


class Restoration(Protocol):
    """The note that a house was brought back from a backup, kept outside the database until it has caught up."""

    async def read(self) -> RestoredFrom | None:
        """The note; None for a house that was never brought back, or has caught up.

        Raises:
            Rejected: it is damaged.
            Unavailable: it cannot be read.
        """
        ...

    async def write(self, restored: RestoredFrom) -> None:
        """Replace the note; durable on return."""
        ...

    async def clear(self) -> None:
        """Remove the note, durably."""
        ...


class Clock(Protocol):
    """Wall-clock time; ``flows`` reads it once per act and never lets it step back."""

    def now(self) -> datetime:
        """The present instant as an aware UTC datetime."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes from the operating system (a seeded stream in the simulated world)."""

    def __call__(self, count: int) -> bytes:
        """``count`` fresh random bytes."""
        ...


class Signer(Protocol):
    """A private Ed25519 key for one purpose; a hardware key fits behind it."""

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature (RFC 8032) over ``message``, 64 bytes."""
        ...


class TokenHome(msgspec.Struct, frozen=True, kw_only=True):
    """A token: the library that speaks to it, the label it was given, the PIN of its user."""

    module: str
    token: str
    pin: str

    def __repr__(self) -> str:
        return f"TokenHome({self.token!r} through {self.module!r})"


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What can be told of a key while it is locked.

    Attributes:
        name: what it is called here, such as ``record`` or ``registry/000001``.
        does: what it signs or opens.
        created: when it was made, where that was noted.
        public: its public half, hexadecimal or an age recipient; empty for a secret that has none.
        fingerprint: SHA-256 of the public half, as people read it aloud.
        locked: whether it is sealed to a passphrase, or lies on a token.
        place: the file, or the token.
        here: whether it is at hand.
        token: the label of the token on which it lives; empty for a file. Then ``locked`` is about the PIN.
        standing: ``present``, ``overlaps``, ``former`` or ``revoked`` on this party's own card; empty where that does
            not name it.
        until: when the overlap ends, or ended.
        since: since when what it signs is not this party's; None where it is not revoked.
    """

    name: str
    does: str
    created: str
    public: str
    fingerprint: str
    locked: bool
    place: str
    here: bool = True
    token: str = ""
    standing: str = ""
    until: datetime | None = None
    since: datetime | None = None


class Keys(Protocol):
    """The private keys of one house, each for one purpose.

    A key is read when it is asked for; none is ever returned raw. ``root`` is offline in earnest use.
    """

    @property
    def root_public(self) -> bytes:
        """The raw public root key, 32 bytes."""
        ...

    @property
    def record(self) -> Signer:
        """Signs records."""
        ...

    @property
    def log(self) -> Signer:
        """Signs the checkpoints of this house's ledgers."""
        ...

    @property
    def witness(self) -> Signer:
        """Cosigns the checkpoints of others."""
        ...

    @property
    def transport(self) -> Signer:
        """Signs requests and replies."""
        ...

    def signer(self, purpose: str, public: bytes) -> Signer:
        """The key of ``purpose`` (``record``, ``log``, ``witness`` or ``transport``) with a raw public key.

        Raises:
            Unavailable: ``no-key``: it is not here, or no more.
        """
        ...

    def make(self, purpose: str) -> Signer:
        """Make another key for a purpose, beside those there are; durable on return, used when ``use`` says so."""
        ...

    def use(self, purpose: str, public: bytes) -> None:
        """From now on ``record`` and so on is the key with that raw public key.

        Raises:
            Unavailable: as ``signer``.
        """
        ...

    def destroy(self, purpose: str, public: bytes) -> None:
        """Destroy a key that signs no more, or a certificate (``tls``) by its digest; nothing where it is not here.

        Raises:
            Misuse: it is the one in use.
        """
        ...

    def certificates(self) -> Collection[bytes]:
        """The digests of the TLS certificates whose keys are here."""
        ...

    def new_certificate(self, party: str) -> bytes:
        """Make another TLS certificate for the server of ``party``, with its key, durably; its digest."""
        ...

    def new_epoch(self) -> int:
        """Make the identity of the registry's next epoch, durably; it is the newest from now on."""
        ...

    def epochs(self) -> Sequence[int]:
        """The epochs whose identities are kept, newest first, in the order of ``registry``."""
        ...

    def destroy_epoch(self, epoch: int) -> None:
        """Destroy the identity of an epoch; what was sealed to it alone is never opened again.

        Raises:
            Misuse: it is the newest one.
        """
        ...

    def root(self) -> Signer:
        """The root key.

        Raises:
            Unavailable: it is offline; bring it for this act.
        """
        ...

    def person(self, person: str, public: bytes | None = None) -> Signer:
        """The signing key of a person in served custody: the one with this public half; else the first that was made.

        Raises:
            Unavailable: the key is in strict custody, or there is no such person.
        """
        ...

    def person_keys(self, person: str) -> Sequence[bytes]:
        """The public halves of all keys that are kept for a person, the first one that was made first."""
        ...

    def new_person(self, person: str) -> Signer:
        """Make and keep a signing key for a person in served custody, the first or the next; durable on return."""
        ...

    def destroy_person(self, person: str, public: bytes) -> None:
        """Destroy a key of a person; nothing where it is gone already."""
        ...

    def registry(self) -> Sequence[str]:
        """The age identities of the registry's epochs, newest first (secret text)."""
        ...

    def pairwise(self) -> bytes:
        """The 32-byte secret from which pseudonyms are derived."""
        ...


class Reply(msgspec.Struct, frozen=True):
    """What came back from a peer.

    Attributes:
        status: HTTP status code.
        body: at most the size the caller asked for.
    """

    status: int
    body: bytes


class Channel(Protocol):
    """A line to one peer that stays open: each thing sent arrives whole and in order, or the line is cut.

    What comes is at most as long as whoever opened it said. A line that nobody answers on any more is cut, too.
    """

    async def send(self, data: bytes) -> None:
        """Send one thing; waits while the other side takes nothing.

        Raises:
            Unavailable: the line is cut.
        """
        ...

    async def receive(self) -> bytes:
        """The next thing from the other side.

        Raises:
            Unavailable: the line is cut.
            Rejected: what came is nothing that such a line carries.
        """
        ...


class Courier(Protocol):
    """Carries requests to one peer. It is trusted for nothing but its effort."""

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request and its reply.

        Raises:
            Unavailable: the peer could not be reached or did not answer in time; it may or may not have acted.
        """
        ...

    async def close(self) -> None:
        """Release connections. Idempotent."""
        ...
