"""A person's own signature inside a record (``spec/record.md`` step 7).

The node signs the record; the person signs the body, before the record has its place in a chain. The signed bytes name
the record type, the relationship and the party, so that the signature fits nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from comity.errors import Rejected
from comity.record.bodies import Body, PersonSignature
from comity.record.contexts import PERSON_ACT
from comity.record.dsse import check_signature, pae, vouch
from comity.record.encoding import encode

B = TypeVar("B", bound=Body)
_UNSIGNED = PersonSignature(signer="-", key=bytes(32), signature=bytes(64))


def act_bytes(body: Body, relationship: str, party: str) -> bytes:
    """What the person signs: type, relationship, party, and the body with an empty signature of the same signer."""
    field = "endorsement" if hasattr(body, "endorsement") else "signature"
    blank = msgspec.structs.replace(body, **{field: _UNSIGNED})
    return pae(PERSON_ACT, encode((body.kind, relationship, party, blank)))


def sign_act(
    body: B, relationship: str, party: str, signer: str, public: bytes, signing: Callable[[bytes], bytes]
) -> B:
    """``body`` with the signature of ``signer`` in its place."""
    field = "endorsement" if hasattr(body, "endorsement") else "signature"
    message = act_bytes(body, relationship, party)
    signature = PersonSignature(signer, public, vouch(public, signing(message), message))
    return msgspec.structs.replace(body, **{field: signature})


def unsigned() -> PersonSignature:
    """What stands in a body's signature field until the person has signed."""
    return _UNSIGNED


def check_act(body: Body, relationship: str, party: str, public: bytes) -> str:
    """The id of the signer, once the signature in ``body`` is verified to be by ``public``.

    Raises:
        Rejected: there is no signature, it names another key, or it does not verify.
    """
    signature = getattr(body, "endorsement", None) or getattr(body, "signature", None)
    if not isinstance(signature, PersonSignature):
        raise Rejected(f"a record of type {body.kind!r} without its person's signature", code="unsigned-act")
    if signature.key != public:
        raise Rejected(f"signed with a key that is not {signature.signer!r}'s", code="unknown-key")
    check_signature(public, signature.signature, act_bytes(body, relationship, party))
    return signature.signer


def attach(body: B, signer: str, public: bytes, signature: bytes) -> B:
    """``body`` with a signature made elsewhere, verified when the record is stepped."""
    field = "endorsement" if hasattr(body, "endorsement") else "signature"
    return msgspec.structs.replace(body, **{field: PersonSignature(signer, public, signature)})
