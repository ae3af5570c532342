"""spec/seal.md (5) to (16) and (20), one file per defect."""

from __future__ import annotations

from io import BytesIO

import pytest

from comity.seal import age, armor
from comity.seal.hybrid import HybridIdentity
from comity.seal.passphrase import PassphraseIdentity
from comity.seal.x25519 import X25519Identity
from seal.testkit import HYBRID_SEED, PASSPHRASE, X25519_SECRET
from seal.vectors import COUNT, VECTORS, Vector

IDENTITIES = (X25519Identity(X25519_SECRET), HybridIdentity(HYBRID_SEED), PassphraseIdentity(PASSPHRASE))
BINARY = [vector for vector in VECTORS if not vector.name.startswith("armor")]


def identities_for(vector: Vector) -> list[X25519Identity | HybridIdentity | PassphraseIdentity]:
    """The one identity the vector is about, so that another cannot answer for it."""
    kinds = {"hybrid": IDENTITIES[1:2], "scrypt": IDENTITIES[2:]}
    return list(next((found for kind, found in kinds.items() if kind in vector.name.split("_")[:2]), IDENTITIES[:1]))


def test_no_vector_has_disappeared() -> None:
    assert len(VECTORS) == COUNT
    assert len({vector.name for vector in VECTORS}) == COUNT


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_as_a_stream(vector: Vector) -> None:
    sink = BytesIO()
    source = armor.detected(BytesIO(vector.data))
    if vector.layer is None:
        assert age.open_stream(source, sink, identities_for(vector)) == len(vector.plaintext)
    else:
        with pytest.raises(vector.layer) as caught:
            age.open_stream(source, sink, identities_for(vector))
        assert type(caught.value) is vector.layer
        assert not vector.code or caught.value.code == vector.code
    assert sink.getvalue() == vector.plaintext  # (16) and nothing else was released


@pytest.mark.parametrize("vector", BINARY, ids=lambda vector: vector.name)
def test_in_memory(vector: Vector) -> None:
    if vector.layer is None:
        assert age.open_bytes(age.Sealed.split(vector.data), identities_for(vector)) == vector.plaintext
    else:
        with pytest.raises(vector.layer) as caught:
            age.open_bytes(age.Sealed.split(vector.data), identities_for(vector))
        assert not vector.code or caught.value.code == vector.code
