"""spec/ledger.md (90)-(95); c2sp.org/tlog-proof@v1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, cosign
from comity.ledger.proof import inclusion_path
from comity.ledger.tlog_proof import EXTRA_BYTES_MAX, TlogProof
from comity.ledger.tree import leaf_hash
from ledger.reference import Key, entries, log_of

ORIGIN = "comity/jp-kr-2016/jp"
LOG, WITNESS = Key(1), Key(2)
LOG_KEYS, WITNESS_KEYS = [LOG.verifier(ORIGIN)], [WITNESS.verifier("comity/kr", KeyType.COSIGNATURE_V1)]
STORED = log_of(600)


def _proof(index: int, size: int, extra: bytes = b"") -> TlogProof:
    checkpoint = Checkpoint(ORIGIN, STORED.heads[size])
    cosignature = cosign(checkpoint.text, "comity/kr", WITNESS, 1_700_000_000)
    note = Note(checkpoint.text, (*sign_checkpoint(checkpoint, LOG).signatures, cosignature))
    return TlogProof(index, inclusion_path(STORED.read, index, size), note.encode(), extra)


def test_a_proof_verifies_offline() -> None:  # (93)-(95)
    leaf = leaf_hash(entries(600)[73])
    proved = TlogProof.parse(_proof(73, 600).encode()).verify(leaf, ORIGIN, LOG_KEYS, WITNESS_KEYS)
    assert (proved.inclusion.index, proved.inclusion.leaf) == (73, leaf)
    assert proved.inclusion.head == proved.checkpoint.checkpoint.head == STORED.heads[600]
    assert len(proved.checkpoint.witnesses) == 1


def test_a_file_as_text() -> None:  # (90)
    lines = _proof(1, 2, b"context").encode().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra Y29udGV4dA==", "index 1"]
    assert len(lines[3]) == 44
    assert lines[4:7] == ["", ORIGIN, "2"]
    assert _proof(0, 1).encode().startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\ncomity/")


@given(st.integers(1, 600), st.data(), st.binary(max_size=50))
def test_files_are_read_back(size: int, data: st.DataObject, extra: bytes) -> None:  # (90)
    proof = _proof(data.draw(st.integers(0, size - 1)), size, extra)
    assert TlogProof.parse(proof.encode()) == proof


def test_what_is_proved_comes_from_elsewhere() -> None:  # (94) (95)
    proof = _proof(73, 600)
    with pytest.raises(Rejected):
        proof.verify(leaf_hash(entries(600)[74]), ORIGIN, LOG_KEYS)
    leaf = leaf_hash(entries(600)[73])
    with pytest.raises(Rejected):
        proof.verify(leaf, "comity/jp-kr-2016/kr", LOG_KEYS)
    with pytest.raises(Rejected):
        proof.verify(leaf, ORIGIN, [WITNESS.verifier(ORIGIN)])


GOOD = _proof(1, 3).encode()
HASH = b"A" * 43 + b"=\n"


@pytest.mark.parametrize(
    "data",
    {
        "empty": b"",
        "no header": GOOD.partition(b"\n")[2],
        "another version": GOOD.replace(b"@v1", b"@v2"),
        "header with a space": GOOD.replace(b"@v1", b"@v1 "),
        "no index": GOOD.replace(b"index 1\n", b""),
        "index with a plus": GOOD.replace(b"index 1", b"index +1"),
        "index with a zero": GOOD.replace(b"index 1", b"index 01"),
        "index too large": GOOD.replace(b"index 1", b"index 9223372036854775808"),
        "two indexes": GOOD.replace(b"index 1", b"index 1\nindex 1"),
        "no empty line": GOOD.replace(b"\n\n", b"\n"),
        "carriage returns": GOOD.replace(b"\n", b"\r\n"),
        "empty extra": GOOD.replace(b"index 1", b"extra \nindex 1"),
        "extra not canonical": GOOD.replace(b"index 1", b"extra QR==\nindex 1"),
        "extra twice": GOOD.replace(b"index 1", b"extra QQ==\nextra QQ==\nindex 1"),
        "extra after index": GOOD.replace(b"index 1", b"index 1\nextra QQ=="),
        "short hash": GOOD.replace(b"index 1\n", b"index 1\nQUJD\n"),
        "64 hashes": GOOD.replace(b"index 1\n", b"index 1\n" + HASH * 64),
        "not ascii": GOOD.replace(b"index 1", "index １".encode()),
        "huge extra": TlogProof(1, (), b"note", b"x" * (EXTRA_BYTES_MAX + 1)).encode(),
        "huge": GOOD + b"x" * 10**6,
    }.items(),
    ids=lambda item: item[0],
)
def test_bad_files(data: tuple[str, bytes]) -> None:  # (90)-(92)
    with pytest.raises(Rejected):
        TlogProof.parse(data[1])


def test_every_byte_flipped_in_a_file() -> None:  # (90)-(95)
    """Nothing verifies but the same leaf at the same place of the same log, whatever unknown lines say."""
    data, leaf = _proof(5, 9).encode(), leaf_hash(entries(600)[5])
    expected = _proof(5, 9).verify(leaf, ORIGIN, LOG_KEYS, WITNESS_KEYS)
    for at in range(len(data)):
        for mask in (1, 16, 128):
            flipped = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            try:
                proved = TlogProof.parse(flipped).verify(leaf, ORIGIN, LOG_KEYS, WITNESS_KEYS)
            except Rejected:
                continue
            assert proved.inclusion == expected.inclusion
            assert not proved.checkpoint.witnesses  # only the cosigner's name or id became unknown
