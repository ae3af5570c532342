"""Proving one message: that it crossed, and that what crossed comes from what was logged (``spec/feed.md`` step 18).

Two proofs, one on top of the other:

- a ``ViewProof`` can be made by either party: the message is in a batch whose root is in the feed's log, under a
  checkpoint that the publisher signed and the recipient cosigned;
- an ``OriginalProof`` only by the publisher: the view belongs to an original in its own log, and these fields had these
  values; of the others nothing is learnt, neither what they were, nor how long, nor how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct

from comity.errors import Rejected
from comity.feed.batch import VIEW_CONTEXT, Contents, root_of, view_leaves
from comity.feed.originals import HASH_BYTES, SALT_BYTES, Committer, Originals, original_leaf, prefix, salts
from comity.feed.schema import Reader, Refused, Schema
from comity.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from comity.ledger.leaf import batch_root_leaf
from comity.ledger.note import VerifierKey
from comity.ledger.proof import inclusion_path, verify_inclusion
from comity.ledger.tree import Frontier, ReadTile, TreeHead, leaf_hash

FORMAT = "comity-feed-proof/1"
PROOF_BYTES_MAX = 1_048_576


class ViewProof(Struct, frozen=True, kw_only=True):
    """That a message crossed.

    Attributes:
        origin: of the feed's log.
        number: the message's number in the feed.
        view: what crossed of it, JSON.
        salt: 16 bytes, of its leaf.
        place, count: where it stands in its batch, and how many messages that has.
        root: the root of the batch.
        path: from its leaf to that root.
        leaf_salt: 32 bytes, of the batch's leaf.
        batch: the batch's place in the log.
        log_path: from the batch's leaf to the root in the checkpoint.
        checkpoint: the signed note, cosigned.
    """

    origin: str
    number: int
    view: bytes
    salt: bytes
    place: int
    count: int
    root: bytes
    path: tuple[bytes, ...]
    leaf_salt: bytes
    batch: int
    log_path: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf data of the view (11)."""
        return sha256(VIEW_CONTEXT + self.salt + self.number.to_bytes(8, "big") + self.view).digest()


class Shown(Struct, frozen=True):
    """A field that is shown: its place among the commitments, its name, its value as JSON, and its salt."""

    place: int
    name: str
    value: bytes
    salt: bytes


class OriginalProof(Struct, frozen=True, kw_only=True):
    """What an original had in some fields.

    Attributes:
        shown: the fields that are shown.
        commitments: all of them, 32 bytes each, as many as a power of two.
        path: from the original's leaf to the root of its batch's originals.
        root: that root.
        batches: how many batches were logged together, and which of them this is.
        record_path: from that root to the root in the record.
        record_root: the root that ``feed-originals/1`` carries.
    """

    shown: tuple[Shown, ...]
    commitments: bytes
    path: tuple[bytes, ...]
    root: bytes
    batches: tuple[int, int]
    record_path: tuple[bytes, ...]
    record_root: bytes


class Proof(Struct, frozen=True, kw_only=True):
    """Both, as they are written to a file."""

    format: str
    view: ViewProof
    original: OriginalProof | None = None


class Proved(Struct, frozen=True):
    """What was verified.

    Attributes:
        number: the message's number.
        view: what crossed.
        signed: the checkpoint, with whoever cosigned it.
        shown: fields that are shown, where an original is proved.
        same: those of them that crossed as they were.
        record_root: what the publisher's record must carry; empty where no original is proved.
    """

    number: int
    view: bytes
    signed: SignedCheckpoint
    shown: tuple[Shown, ...] = ()
    same: tuple[str, ...] = ()
    record_root: bytes = b""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Proof)
_view = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def write_proof(proof: Proof) -> bytes:
    """A proof as a file: JSON, bytes in base64."""
    return msgspec.json.format(_encoder.encode(proof)) + b"\n"


def read_proof(data: bytes) -> Proof:
    """A proof from a file.

    Raises:
        Rejected: ``bad-proof``.
    """
    try:
        if len(data) > PROOF_BYTES_MAX:
            raise msgspec.DecodeError(f"{len(data)} bytes; at most {PROOF_BYTES_MAX} are read")  # noqa: TRY301 - one refusal
        proof = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not a proof of a message: {error}", code="bad-proof") from None
    if proof.format != FORMAT:
        raise Rejected(f"a proof of the format {proof.format[:80]!r}; this program reads {FORMAT!r}", code="bad-proof")
    return proof


# ---- making --------------------------------------------------------------------------------------------------------


def tree_path(leaves: Sequence[bytes], place: int) -> tuple[bytes, ...]:
    """The path of one of ``leaves`` (leaf data) to their root."""
    tiles = {(tile.id.level, tile.id.index): tile.hashes for tile in Frontier().append(leaves)[1]}
    return inclusion_path(lambda level, index: tiles[level, index], place, len(leaves))


def prove_view(
    *,
    origin: str,
    seed: bytes,
    first: int,
    views: Sequence[bytes],
    place: int,
    leaf_salt: bytes,
    batch: int,
    size: int,
    read_tile: ReadTile,
    checkpoint: bytes,
) -> ViewProof:
    """The proof of a view, by whoever has its batch and the log's tiles."""
    leaves = view_leaves(seed, first, views)
    return ViewProof(
        origin=origin,
        number=first + place,
        view=views[place],
        salt=salts(seed, place + 1)[SALT_BYTES * place :],
        place=place,
        count=len(views),
        root=root_of(leaves),
        path=tree_path(leaves, place),
        leaf_salt=leaf_salt,
        batch=batch,
        log_path=inclusion_path(read_tile, batch, size),
        checkpoint=checkpoint,
    )


class OriginalTree(Struct, frozen=True):
    """The originals of one batch: their leaves, and the commitments and key stream of each."""

    leaves: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    streams: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """The root over them."""
        return root_of(self.leaves)


def original_tree(
    seed: bytes, messages: Sequence[Struct], view_leaf: Sequence[bytes], committers: dict[str, Committer]
) -> OriginalTree:
    """The originals of a batch, from its messages as they were read, in their order (8)."""
    kinds = [committers[type(message).__name__] for message in messages]
    stream = salts(seed, sum(kind.key_bytes for kind in kinds) // SALT_BYTES)
    leaves, commitments, streams, at = [], [], [], 0
    for message, kind, leaf in zip(messages, kinds, view_leaf, strict=True):
        own = stream[at : at + kind.key_bytes]
        at += kind.key_bytes
        made = kind.commit(message, own)
        leaves.append(original_leaf(leaf, made))
        commitments.append(made)
        streams.append(own)
    return OriginalTree(tuple(leaves), tuple(commitments), tuple(streams))


class OriginalsReader:
    """Reads what was published of batches again; what a schema makes of its types is made once, not for each batch.

    Attributes:
        committers: what commits to each type of the schema.
    """

    def __init__(self, schema: Schema) -> None:
        self.committers = {name: Committer(tuple(kind.fields)) for name, kind in schema.types.items()}
        self._reader = Reader(schema)

    def read(self, contents: Contents, first: int, originals: Originals) -> tuple[list[Struct], OriginalTree]:
        """The messages of a batch as they were published, and what was logged of them.

        Raises:
            Rejected: ``damaged``: what was kept of them is not what crossed.
        """
        messages = []
        for raw in originals.raws:
            read = self._reader.read(raw)
            if isinstance(read, Refused):
                raise Rejected(f"a message that was kept is not one of its schema: {read.sentence}", code="damaged")
            messages.append(read)
        if len(messages) != len(contents.views):
            raise Rejected("not as many messages were kept as crossed", code="damaged")
        leaves = view_leaves(contents.seed, first, contents.views)
        return messages, original_tree(originals.seed, messages, leaves, self.committers)


def prove_original(
    tree: OriginalTree,
    place: int,
    message: Struct,
    kind: Committer,
    show: Iterable[str],
    roots: Sequence[bytes],
    batch: int,
) -> OriginalProof:
    """The proof of an original, showing some of its fields.

    Args:
        tree: the originals of its batch.
        place: its place there.
        message: as it was read.
        kind: what commits to messages of its type.
        show: the fields to show.
        roots: of the originals of all batches that were logged together.
        batch: which of them is its own.
    """
    values, stream = kind.values(message), tree.streams[place]
    wanted = frozenset(show)
    shown = tuple(
        Shown(at, name, values[at], stream[SALT_BYTES * at : SALT_BYTES * (at + 1)])
        for at, name in enumerate(kind.names)
        if name in wanted
    )
    return OriginalProof(
        shown=shown,
        commitments=tree.commitments[place],
        path=tree_path(tree.leaves, place),
        root=tree.root,
        batches=(len(roots), batch),
        record_path=tree_path(roots, batch),
        record_root=root_of(roots),
    )


# ---- verifying -----------------------------------------------------------------------------------------------------


def verify_proof(
    proof: Proof, origin: str, log_keys: Iterable[VerifierKey], witness_keys: Iterable[VerifierKey]
) -> Proved:
    """What a proof shows, once every part of it is verified.

    Args:
        proof: as it was read.
        origin: of the feed's log, as whoever verifies has it from elsewhere.
        log_keys: keys of that log.
        witness_keys: keys that may have cosigned; whether one has is in ``signed.witnesses``.

    Raises:
        Rejected: ``other-feed``, ``bad-proof``, or what verifying an inclusion or a checkpoint raises.
    """
    view = proof.view
    if view.origin != origin:
        raise Rejected(f"a proof of the feed {view.origin[:200]!r}, not of {origin!r}", code="other-feed")
    if not (0 <= view.number < 2**63 and len(view.salt) == SALT_BYTES and 0 <= view.place < view.count):
        raise Rejected("the number, the salt or the place of the message can not be", code="bad-proof")
    verify_inclusion(leaf_hash(view.leaf), view.place, TreeHead(view.count, view.root), view.path)
    signed = open_checkpoint(view.checkpoint, origin, log_keys, witness_keys)
    batch = batch_root_leaf(view.leaf_salt, view.root) if len(view.leaf_salt) == 32 else None
    if batch is None:
        raise Rejected("the salt of the batch does not have 32 bytes", code="bad-proof")
    verify_inclusion(batch.hash, view.batch, signed.checkpoint.head, view.log_path)
    try:
        crossed = _view(view.view.decode())
    except (ValueError, RecursionError):
        raise Rejected("what was logged is no message", code="bad-proof") from None
    if proof.original is None:
        return Proved(view.number, view.view, signed)
    return _verify_original(proof.original, view, crossed, signed)


def _verify_original(
    original: OriginalProof, view: ViewProof, crossed: dict[str, msgspec.Raw], signed: SignedCheckpoint
) -> Proved:
    width = len(original.commitments) // HASH_BYTES
    if width * HASH_BYTES != len(original.commitments) or not width or width & (width - 1):
        raise Rejected("the commitments are not as many as a power of two", code="bad-proof")
    for shown in original.shown:
        at = HASH_BYTES * shown.place
        made = sha256(shown.salt + prefix(shown.name) + shown.value).digest()
        if len(shown.salt) != SALT_BYTES or shown.place < 0 or original.commitments[at : at + HASH_BYTES] != made:
            raise Rejected(f"the field {shown.name[:80]!r} was not logged with this value", code="bad-proof")
        if ":" in shown.name:  # else what one name and value commit to, another name and value would, too
            raise Rejected(f"no field is called {shown.name[:80]!r}", code="bad-proof")
    leaf = original_leaf(view.leaf, original.commitments)
    verify_inclusion(leaf_hash(leaf), view.place, TreeHead(view.count, original.root), original.path)
    count, batch = original.batches
    if count < 1:
        raise Rejected("originals are logged with one batch at least", code="bad-proof")
    verify_inclusion(leaf_hash(original.root), batch, TreeHead(count, original.record_root), original.record_path)
    same = tuple(each.name for each in original.shown if bytes(crossed.get(each.name, b"")) == each.value)
    return Proved(view.number, view.view, signed, original.shown, same, original.record_root)
