"""spec/ledger.md (70)-(82); tlog-witness v1.0.0: every row of its table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, Signature, sign
from comity.ledger.proof import consistency_path
from comity.ledger.tree import EMPTY_ROOT, Frontier, TreeHead
from comity.ledger.witness import (
    REQUEST_BYTES_MAX,
    AddCheckpoint,
    Cosign,
    Refusal,
    WitnessedLog,
    add_cosignatures,
    cosign_checkpoint,
    decide,
    malformed,
    read_cosignatures,
    read_size,
)
from ledger.reference import Key, entries, log_of

ORIGIN = "comity/jp-kr-2016/jp"
LOG, WITNESS, STRANGER = Key(1), Key(2), Key(3)
LOG_KEY = LOG.verifier(ORIGIN)
WITNESS_KEY = WITNESS.verifier("comity/kr", KeyType.COSIGNATURE_V1)
STORED = log_of(600)


def _head(size: int) -> TreeHead:
    return STORED.heads[size]


def _note(head: TreeHead, key: Key = LOG, origin: str = ORIGIN) -> Note:
    return sign_checkpoint(Checkpoint(origin, head), key)


def _request(old: int, new: int, head: TreeHead | None = None, key: Key = LOG) -> AddCheckpoint:
    path = consistency_path(STORED.read, old, new) if old <= new else ()
    return AddCheckpoint(old, path, _note(head or _head(new), key).encode())


def _witnessed(size: int) -> WitnessedLog:
    return WitnessedLog((LOG_KEY,), _head(size))


OTHER_ROOT = TreeHead(7, EMPTY_ROOT)

# row of the table: request, what is known, status, code
TABLE = {
    "unknown origin": (_request(3, 7), None, 404, "unknown-log"),
    "unknown origin, though badly signed": (_request(3, 7, key=STRANGER), None, 404, "unknown-log"),
    "no trusted signature": (_request(3, 7, key=STRANGER), _witnessed(3), 403, "no-trusted-signature"),
    "no trusted signature, though stale": (_request(2, 7, key=STRANGER), _witnessed(3), 403, "no-trusted-signature"),
    "known key, bad signature": (
        AddCheckpoint(3, (), Note(_note(_head(7)).text, _note(_head(8)).signatures).encode()),
        _witnessed(3),
        403,
        "bad-signature",
    ),
    "old above size": (_request(8, 7), _witnessed(8), 400, "bad-old-size"),
    "old above size, though stale": (_request(8, 7), _witnessed(3), 400, "bad-old-size"),
    "old below recorded": (_request(2, 7), _witnessed(3), 409, "stale"),
    "old above recorded": (_request(4, 7), _witnessed(3), 409, "stale"),
    "never cosigned": (_request(3, 7), WitnessedLog((LOG_KEY,)), 409, "stale"),
    "same size, another root": (_request(7, 7, OTHER_ROOT), _witnessed(7), 409, "split-view"),
    "bad proof": (
        AddCheckpoint(3, consistency_path(STORED.read, 4, 7), _note(_head(7)).encode()),
        _witnessed(3),
        422,
        "inconsistent",
    ),
    "no proof": (AddCheckpoint(3, (), _note(_head(7)).encode()), _witnessed(3), 422, "inconsistent"),
    "good proof to another root": (_request(3, 7, OTHER_ROOT), _witnessed(3), 422, "inconsistent"),
    "proof from nothing": (
        AddCheckpoint(0, (EMPTY_ROOT,), _note(_head(7)).encode()),
        WitnessedLog((LOG_KEY,)),
        422,
        "inconsistent",
    ),
    "proof from itself": (
        AddCheckpoint(7, (EMPTY_ROOT,), _note(_head(7)).encode()),
        _witnessed(7),
        422,
        "inconsistent",
    ),
    "no leaves, another root": (
        _request(0, 0, TreeHead(0, bytes(32))),
        WitnessedLog((LOG_KEY,)),
        422,
        "inconsistent",
    ),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_refusals(row: tuple[AddCheckpoint, WitnessedLog | None, int, str]) -> None:  # (72)-(78)
    request, log, status, code = row
    answer = decide(AddCheckpoint.parse(request.encode()), log)
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.code) == (status, code)
    if code == "stale":  # (75)
        assert log is not None
        assert (answer.content_type, answer.body) == ("text/x.tlog.size", f"{log.head.size}\n")
        assert read_size(answer.body.encode()) == log.head.size
    else:
        assert answer.content_type == "text/plain; charset=utf-8"
        assert answer.body.endswith("\n")


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 7), (3, 7), (4, 7), (7, 7), (255, 257), (1, 600)])
def test_what_is_cosigned(old: int, new: int) -> None:  # (79) (80)
    log = _witnessed(old) if old else WitnessedLog((LOG_KEY,))
    answer = decide(AddCheckpoint.parse(_request(old, new).encode()), log)
    assert isinstance(answer, Cosign)
    assert (answer.expected, answer.checkpoint.checkpoint.head) == (log.head, _head(new))
    line = cosign_checkpoint(answer, "comity/kr", WITNESS, 1_700_000_000).line
    note = _note(_head(new))
    verified = read_cosignatures(line.encode(), note, (WITNESS_KEY,))
    cosigned = add_cosignatures(note, verified)
    signed = open_checkpoint(cosigned.encode(), ORIGIN, [LOG_KEY], [WITNESS_KEY])
    assert signed.witnesses == verified


def test_a_split_view_is_kept_as_evidence() -> None:  # (76)
    answer = decide(_request(7, 7, OTHER_ROOT), _witnessed(7))
    assert isinstance(answer, Refusal)
    assert answer.evidence is not None
    assert answer.evidence.checkpoint.head == OTHER_ROOT
    assert answer.evidence.log[0].key == LOG_KEY


def test_a_second_history_never_gets_a_cosignature() -> None:  # (77)
    """Whatever proof its log tries: the other history shares 300 leaves, the witness has seen 400."""
    fork, _ = Frontier().append([*entries(300), b"rewritten", *entries(600)[301:500]])
    for old in range(0, 500, 7):
        request = AddCheckpoint(400, consistency_path(STORED.read, old, 500), _note(fork.head()).encode())
        assert isinstance(decide(request, _witnessed(400)), Refusal)


def test_a_request_as_bytes() -> None:  # (70)
    note = _note(_head(2)).encode()
    body = AddCheckpoint(1, consistency_path(STORED.read, 1, 2), note).encode()
    first, proof, empty, *rest = body.split(b"\n")
    assert (first, len(proof), empty) == (b"old 1", 44, b"")
    assert b"\n".join(rest) == note
    assert AddCheckpoint.parse(body).origin == ORIGIN


@given(st.integers(0, 600), st.integers(0, 600))
def test_requests_are_read_back(old: int, new: int) -> None:  # (70)
    request = _request(old, new)
    assert AddCheckpoint.parse(request.encode()) == request


HASH = "A" * 43 + "=\n"
NOTE = _note(_head(7)).encode()


@pytest.mark.parametrize(
    "body",
    {
        "empty": b"",
        "only a note": NOTE,
        "no empty line": b"old 3\n" + NOTE,
        "no note": b"old 3\n\n",
        "no old line": b"\n" + NOTE,
        "old twice": b"old 3\nold 3\n\n" + NOTE,
        "plus": b"old +3\n\n" + NOTE,
        "leading zero": b"old 03\n\n" + NOTE,
        "underscore": b"old 1_000\n\n" + NOTE,
        "space at the end": b"old 3 \n\n" + NOTE,
        "two spaces": b"old  3\n\n" + NOTE,
        "carriage return": b"old 3\r\n\r\n" + NOTE,
        "too large": b"old 9223372036854775808\n\n" + NOTE,
        "not a hash": b"old 3\nQUJD\n\n" + NOTE,
        "not canonical base64": b"old 3\n" + HASH.replace("A=", "B=").encode() + b"\n" + NOTE,
        "64 hashes": b"old 3\n" + HASH.encode() * 64 + b"\n" + NOTE,
        "not ascii": "old ３\n\n".encode() + NOTE,
        "unsigned": b"old 3\n\n" + NOTE.partition(b"\n\n")[0] + b"\n",
        "not a checkpoint": b"old 3\n\n" + Note("hello\n", (sign("hello\n", ORIGIN, LOG),)).encode(),
    }.items(),
    ids=lambda item: item[0],
)
def test_malformed_requests(body: tuple[str, bytes]) -> None:  # (70) (71)
    with pytest.raises(Rejected) as caught:
        AddCheckpoint.parse(body[1])
    refusal = malformed(caught.value)
    assert (refusal.status, refusal.body) == (400, f"{caught.value}\n")


def test_a_request_is_not_read_beyond_its_bound() -> None:  # (70)
    with pytest.raises(Rejected, match="at most 262144 are read"):
        AddCheckpoint.parse(b"old 3\n\n" + NOTE + b" " * REQUEST_BYTES_MAX)


def test_63_hashes_are_read() -> None:  # (70)
    assert len(AddCheckpoint.parse(b"old 3\n" + HASH.encode() * 63 + b"\n" + NOTE).path) == 63


def test_the_logs_side_of_the_answer() -> None:  # (81)
    note = _note(_head(7))
    other = Cosign(_head(0), open_checkpoint(_note(_head(8)).encode(), ORIGIN, [LOG_KEY]))
    wrong = cosign_checkpoint(other, "comity/kr", WITNESS, 1).line
    unknown = cosign_checkpoint(other, "somebody", STRANGER, 1).line
    right = cosign_checkpoint(
        Cosign(_head(0), open_checkpoint(note.encode(), ORIGIN, [LOG_KEY])), "comity/kr", WITNESS, 1
    ).line
    assert len(read_cosignatures((unknown + right).encode(), note, (WITNESS_KEY,))) == 1
    for answer in ("", "\n", right[:-1], "ok\n", wrong, unknown, right + "\n", "\n" + right, right + "\n" + right):
        with pytest.raises(Rejected):
            read_cosignatures(answer.encode(), note, (WITNESS_KEY,))
    with pytest.raises(Rejected):
        read_cosignatures(b"\xff", note, (WITNESS_KEY,))
    with pytest.raises(Rejected, match="holds an empty line"):
        read_cosignatures((right + "\n" + right).encode(), note, (WITNESS_KEY,))


def test_a_newer_cosignature_takes_the_place_of_the_older() -> None:  # (82)
    note = _note(_head(7))
    allowed = Cosign(_head(0), open_checkpoint(note.encode(), ORIGIN, [LOG_KEY]))
    for time in (1, 2):
        line = cosign_checkpoint(allowed, "comity/kr", WITNESS, time).line.encode()
        note = add_cosignatures(note, read_cosignatures(line, note, (WITNESS_KEY,)))
    signed = open_checkpoint(note.encode(), ORIGIN, [LOG_KEY], [WITNESS_KEY])
    assert [verified.time for verified in signed.witnesses] == [2]
    assert len(note.signatures) == 2


def test_a_note_is_not_filled_beyond_its_bound() -> None:  # (82)
    note = _note(_head(7))
    allowed = Cosign(_head(0), open_checkpoint(note.encode(), ORIGIN, [LOG_KEY]))
    verified = read_cosignatures(
        cosign_checkpoint(allowed, "comity/kr", WITNESS, 1).line.encode(), note, (WITNESS_KEY,)
    )
    full = Note(note.text, (*note.signatures, *[Signature("x", bytes([i]) * 4, b"x") for i in range(31)]))
    with pytest.raises(Misuse):
        add_cosignatures(full, verified).encode()


@pytest.mark.parametrize(
    "body", [b"", b"7", b"07\n", b"+7\n", b"7\n\n", b" 7\n", b"7\r\n", "７\n".encode(), b"7" * 30 + b"\n"]
)
def test_bad_sizes_in_a_conflict(body: bytes) -> None:  # (75)
    with pytest.raises(Rejected):
        read_size(body)
