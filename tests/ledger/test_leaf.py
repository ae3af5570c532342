"""spec/ledger.md (24)-(27)."""

from __future__ import annotations

from hashlib import sha256

import pytest

from comity.errors import Misuse, Rejected
from comity.ledger.leaf import Leaf, LeafKind, batch_root_leaf, record_leaf, verify_leaf
from comity.ledger.tree import Frontier

SALT = bytes(range(32))


def test_the_data_of_a_record_leaf() -> None:  # (24) (25)
    digest = sha256(b"envelope").digest()
    expected = sha256(b"comity/ledger-leaf/record/1" + SALT + digest).digest()
    assert record_leaf(SALT, b"envelope").data == expected
    assert expected.hex() == "1f45a8d74153373d08993a9ea1fadcc1bac2b4e3eb70dcf178ed8d1d7919a00b"


def test_the_data_of_a_batch_root_leaf() -> None:  # (24) (26)
    root = Frontier().append([b"one", b"two"])[0].root()
    assert batch_root_leaf(SALT, root).data == sha256(b"comity/ledger-leaf/batch-root/1" + SALT + root).digest()


def test_the_hash_is_what_the_tree_makes_of_the_data() -> None:  # (27)
    leaf = record_leaf(SALT, b"envelope")
    assert Frontier().append([leaf.data])[0].root() == leaf.hash


def test_kind_salt_and_digest_all_count() -> None:
    digest = sha256(b"envelope").digest()
    leaves = [
        Leaf(LeafKind.RECORD, SALT, digest),
        Leaf(LeafKind.BATCH_ROOT, SALT, digest),
        Leaf(LeafKind.RECORD, SALT[::-1], digest),
        Leaf(LeafKind.RECORD, SALT, digest[::-1]),
        Leaf(LeafKind.RECORD, digest, SALT),
    ]
    assert len({leaf.data for leaf in leaves}) == len(leaves)


def test_an_opening_is_checked() -> None:
    leaf = record_leaf(SALT, b"envelope")
    assert verify_leaf(leaf.data, leaf) is leaf
    with pytest.raises(Rejected) as caught:
        verify_leaf(leaf.data, record_leaf(SALT, b"another envelope"))
    assert caught.value.code == "wrong-leaf"


@pytest.mark.parametrize(("salt", "digest"), [(SALT[1:], SALT), (SALT, SALT + b"x"), (b"", SALT)])
def test_only_fields_of_32_bytes(salt: bytes, digest: bytes) -> None:  # (24): else the parts could shift
    with pytest.raises(Misuse):
        Leaf(LeafKind.RECORD, salt, digest)
