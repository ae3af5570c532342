"""A person's own signature inside a record (``spec/record.md`` step 7).

The node signs the record; the person signs the body, before the record has its place in a chain. The signed bytes name
the record type, the relationship, the party, the signer and the key, so that the signature fits nowhere else.
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
_BLANK = bytes(64)
_UNSIGNED = PersonSignature(signer="nobody", key=bytes(32), signature=_BLANK)


def unsigned() -> PersonSignature:
    """What stands in a body's signature field until the person has signed."""
    return _UNSIGNED


def attach(body: B, signer: str, public: bytes, signature: bytes = _BLANK) -> B:
    """``body`` with a signature made elsewhere, verified when the record is stepped; or with room for one."""
    return msgspec.structs.replace(body, signature=PersonSignature(signer, public, signature))


def act_bytes(body: Body, relationship: str, party: str) -> bytes:
    """What the person signs: type, relationship, party, and the body with zeros where the signature goes."""
    given = signature_in(body)
    blank = attach(body, given.signer, given.key)
    return pae(PERSON_ACT, encode((body.kind, relationship, party, blank)))


def sign_act(
    body: B, relationship: str, party: str, signer: str, public: bytes, signing: Callable[[bytes], bytes]
) -> B:
    """``body`` with the signature of ``signer`` in its place."""
    message = act_bytes(attach(body, signer, public), relationship, party)
    return attach(body, signer, public, vouch(public, signing(message), message))


def signature_in(body: Body) -> PersonSignature:
    """The person's signature in ``body``.

    Raises:
        Rejected: there is none.
    """
    signature = getattr(body, "signature", None)
    if not isinstance(signature, PersonSignature):
        raise Rejected(f"a record of type {body.kind!r} without its person's signature", code="unsigned-act")
    return signature


def check_act(body: Body, relationship: str, party: str, public: bytes) -> str:
    """The id of the signer, once the signature in ``body`` is verified to be by ``public``.

    Raises:
        Rejected: there is no signature, it names another key, or it does not verify.
    """
    signature = signature_in(body)
    if signature.key != public:  # (7)
        raise Rejected(f"signed with a key that is not {signature.signer!r}'s", code="unknown-key")
    check_signature(public, signature.signature, act_bytes(body, relationship, party))
    return signature.signer


class ActSaid(msgspec.Struct, frozen=True):
    """What somebody signs, read from the very bytes: the record type, where it is said, for which party, and what."""

    kind: str
    relationship: str
    party: str
    body: dict[str, object]


def act_said(message: bytes) -> ActSaid:
    """What stands in the bytes that a person signs; his signature's own place is left out.

    Raises:
        Rejected: they are not an act of a person.
    """
    head = b"DSSEv1 %d %b " % (len(PERSON_ACT), PERSON_ACT.encode())
    length, _, payload = message.removeprefix(head).partition(b" ")
    if not message.startswith(head) or length != b"%d" % len(payload):
        raise Rejected("these bytes are not an act of a person; they are not to be signed", code="no-act")
    try:
        kind, relationship, party, body = msgspec.json.decode(payload, type=tuple[str, str, str, dict[str, object]])
    except msgspec.MsgspecError:
        raise Rejected("these bytes are not an act of a person; they are not to be signed", code="no-act") from None
    return ActSaid(kind, relationship, party, {name: said for name, said in body.items() if name != "signature"})
