"""Submitting checkpoints to third parties, and what they have cosigned (``spec/witness.md`` steps 32 to 35 and 37)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from comity.errors import Rejected, Unavailable
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.vouching.witnesses import NamedWitness, given_policy, own_log_keys, put_side
from comity.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from comity.ledger.note import Note, Signature, VerifierKey
from comity.ledger.policy import Policy
from comity.ledger.tree import TreeHead
from comity.ledger.witness import (
    SIZE_CONTENT_TYPE,
    AddCheckpoint,
    add_cosignatures,
    read_cosignatures,
    read_size,
)
from comity.record.contexts import origin

VOUCHED = "vouched"
"""Side table: the newest checkpoint that a third party cosigned, with its cosignatures; key ``chain/witness``."""
COUNTED = "policy-met"
"""Side table: the newest checkpoint of a ledger that met its policy, with all its cosignatures, by chain."""
ANSWER_BYTES_MAX = 64 * 1024
"""Most that is read of a witness's answer (31)."""
TIME_MAX = 253_402_300_799
"""The last second of the year 9999."""
NOTES_MAX = 64
"""Most notes that are kept of one ledger: one for each witness it has, or had."""


class Posted(msgspec.Struct, frozen=True):
    """What a witness answered."""

    status: int
    content_type: str
    body: bytes


Post = Callable[[str, bytes], Awaitable[Posted]]
"""Posts a body to an address. Raises ``Unavailable`` where there is no answer."""


class _Kept(msgspec.Struct, frozen=True):
    """A checkpoint that a third party cosigned, and the verifier keys it had then."""

    note: bytes
    keys: tuple[str, ...]

    def open(self, house: House, ledger: str) -> SignedCheckpoint:
        """What is kept, verified.

        Raises:
            Rejected: it is not the ledger's own checkpoint, cosigned by one of these keys.
        """
        keys = tuple(map(VerifierKey.parse, self.keys))
        signed = open_checkpoint(self.note, origin(ledger), own_log_keys(house, ledger), keys)
        if not signed.witnesses:
            raise Rejected("it does not carry the cosignature for which it is kept", code="not-cosigned")
        return signed


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """How far a third party has cosigned a ledger.

    Attributes:
        witness: what this house calls it.
        size: records under the newest checkpoint that it cosigned.
        at: when, by its clock.
    """

    witness: str
    size: int
    at: datetime


async def submit(house: House, witness: NamedWitness, ledger: str, post: Post, *, patient: bool) -> bool:
    """Submit the newest checkpoint of a ledger that a witness has not cosigned; whether there was one.

    Args:
        house: whose ledger.
        witness: who.
        ledger: chain.
        post: the way to it.
        patient: wait for the other party's cosignature, so that both are of the same checkpoint (32).

    Raises:
        Unavailable: it does not answer, or cannot cosign now.
        Rejected: ``witness-ahead``, ``witness-refuses``, or its answer is no cosignature of its own.
    """
    await house.sequencer.raise_mark()
    kept = dict(await _kept(house, ledger)).get(witness.name)
    had = read_head(kept.note).size if kept is not None else 0
    note = await _candidate(house, ledger, had, patient=patient)
    if note is None:
        return False
    answer = await _ask(house, witness, ledger, post, note, had)
    if answer.status == 409 and answer.content_type == SIZE_CONTENT_TYPE:  # (33)
        had = read_size(answer.body)
        if had > house.sequencer.marked(ledger).size:  # (34)
            raise Rejected(
                f"{witness.name!r} says that it has cosigned {had} records of {ledger!r}, but only "
                f"{house.sequencer.marked(ledger).size} are here: this database may be an older copy",
                code="witness-ahead",
            )
        if had > read_head(note).size:
            note = house.exchange.checkpoint(ledger)
        answer = await _ask(house, witness, ledger, post, note, had)
    if answer.status != 200:
        told = answer.body[:200].decode("utf-8", "replace").strip()
        error = Unavailable if answer.status >= 500 else Rejected
        raise error(f"{witness.name!r} answers {answer.status}: {told!r}", code="witness-refuses")
    await _keep(house, witness, ledger, _own_lines(note, ledger), answer.body)
    return True


async def vouched(house: House, ledger: str) -> list[Vouched]:
    """How far third parties have cosigned a ledger, by name."""
    found = []
    for name, kept in await _kept(house, ledger):
        with suppress(Rejected):  # 'ledger verify' tells of it
            signed = kept.open(house, ledger)
            at = datetime.fromtimestamp(min(each.time or 0 for each in signed.witnesses), UTC)
            found.append(Vouched(witness=name, size=signed.checkpoint.head.size, at=at))
    return found


async def counted(house: House, ledger: str) -> int | None:
    """How many records of a ledger are under a checkpoint that meets its policy; None where none was given (37)."""
    policy = await given_policy(house, ledger)
    if policy is None:
        return None
    return max((read_head(note).size for note in await _meeting(house, ledger, policy)), default=0)


async def settle(house: House, ledger: str) -> None:
    """Keep the newest checkpoint that meets the policy of a ledger, with all its cosignatures (35)."""
    policy = await given_policy(house, ledger)
    if policy is None:
        return
    meeting = await _meeting(house, ledger, policy)
    best = max(meeting, key=lambda note: read_head(note).size, default=None)
    if best is not None and best != await house.side(COUNTED, ledger):
        await put_side(house, COUNTED, ledger, best)


async def with_cosignatures(house: House, ledger: str, note: bytes) -> bytes:
    """A checkpoint of a ledger with every cosignature of it that is kept (39)."""
    if not note:
        return note
    text = Note.parse(note).text
    return _merged([note, *(each for each in await _notes(house, ledger) if Note.parse(each).text == text)])


async def newest_vouched(house: House, ledger: str) -> bytes | None:
    """The newest checkpoint of a ledger that any third party cosigned."""
    notes = [kept.note for _, kept in await _kept(house, ledger)]
    return max(notes, key=lambda note: read_head(note).size, default=None)


async def check_vouched(house: House, ledger: str, check: Callable[[TreeHead], object]) -> list[str]:
    """What is wrong with the cosignatures kept of a ledger, in sentences.

    Args:
        house: whose ledger.
        ledger: chain.
        check: refuses a state that the records here did not have.
    """
    found = []
    for name, kept in await _kept(house, ledger):
        try:
            check(kept.open(house, ledger).checkpoint.head)
        except Rejected as error:
            found.append(f"the checkpoint cosigned by {name!r}: {error.sentence}")
    met = await house.side(COUNTED, ledger)
    if met is not None:
        try:
            check(open_checkpoint(met, origin(ledger), own_log_keys(house, ledger)).checkpoint.head)
        except Rejected as error:
            found.append(f"the checkpoint that met the policy: {error.sentence}")
    return found


async def _candidate(house: House, ledger: str, had: int, *, patient: bool) -> bytes | None:
    """The checkpoint to submit to somebody who cosigned ``had`` records (32)."""
    cosigned = await house.side(COSIGNED, ledger)
    if cosigned is not None and read_head(cosigned).size > had:
        return cosigned
    if patient or house.sequencer.marked(ledger).size <= had:
        return None
    return house.exchange.checkpoint(ledger)


async def _ask(house: House, witness: NamedWitness, ledger: str, post: Post, note: bytes, had: int) -> Posted:
    size = read_head(note).size
    path = await house.ledgers.consistency(ledger, had, size) if had <= size else ()
    body = AddCheckpoint(had, path, _own_lines(note, ledger).encode()).encode()
    return await post(f"{witness.url}/add-checkpoint", body)


def _own_lines(note: bytes, ledger: str) -> Note:
    """A checkpoint with the log's own signatures only (33)."""
    whole = Note.parse(note)
    return Note(whole.text, tuple(line for line in whole.signatures if line.name == origin(ledger)))


async def _keep(house: House, witness: NamedWitness, ledger: str, note: Note, answer: bytes) -> None:
    cosignatures = read_cosignatures(answer, note, witness.verifiers())
    if any((each.time or 0) > TIME_MAX for each in cosignatures):
        raise Rejected(f"{witness.name!r} cosigned at a time that is on no calendar", code="bad-time")
    kept = _Kept(add_cosignatures(note, cosignatures).encode(), witness.keys)
    await put_side(house, VOUCHED, f"{ledger}/{witness.name}", msgspec.json.encode(kept))
    await settle(house, ledger)


async def _meeting(house: House, ledger: str, policy: Policy) -> list[bytes]:
    """The checkpoints kept of a ledger that meet a policy, each with all its cosignatures."""
    by_text: dict[str, list[bytes]] = {}
    for note in await _notes(house, ledger):
        by_text.setdefault(Note.parse(note).text, []).append(note)
    logs, keys = own_log_keys(house, ledger), [line.key for line in policy.witnesses]
    found = []
    for notes in by_text.values():
        merged = _merged(notes)
        if policy.met(open_checkpoint(merged, origin(ledger), logs, keys).witnesses):
            found.append(merged)
    return found


def _merged(notes: Iterable[bytes]) -> bytes:
    """Notes of one text as one, each line once; of one key, the line of the first that has it."""
    lines: dict[tuple[str, bytes], Signature] = {}
    text = ""
    for note in map(Note.parse, notes):
        text = note.text
        for line in note.signatures:
            lines.setdefault((line.name, line.key_id), line)
    return Note(text, tuple(lines.values())).encode()


async def _notes(house: House, ledger: str) -> list[bytes]:
    beside = [await house.side(table, ledger) for table in (COSIGNED, COUNTED)]
    return [*(note for note in beside if note is not None), *(kept.note for _, kept in await _kept(house, ledger))]


async def _kept(house: House, ledger: str) -> list[tuple[str, _Kept]]:
    """What third parties cosigned of a ledger, by name."""
    found = await house.store.scan(VOUCHED, f"{ledger}/", f"{ledger}0", limit=NOTES_MAX)
    return [(key.rpartition("/")[2], msgspec.json.decode(value, type=_Kept)) for key, value in found]
