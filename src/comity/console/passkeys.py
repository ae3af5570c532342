"""Passkeys: what a browser is asked for, and whether what it answers is from the key it claims (``spec/console.md``).

The library verifies; what is here is which host, which challenge, and that a counter only grows (step 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from comity.console.challenges import CHALLENGE_BYTES
from comity.errors import Misuse, Rejected, Unavailable

ANSWER_BYTES_MAX = 32 * 1024
TIMEOUT_MILLISECONDS = 120_000


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey of somebody.

    Attributes:
        key: its credential id.
        name: how he calls it.
        public: its public key (COSE).
        count: how often it signed, as it said last; 0 where it does not count.
        host: under which host it was made, and works.
        made: when.
        used: when it last signed somebody in.
    """

    key: bytes
    name: str
    public: bytes
    count: int
    host: str
    made: datetime
    used: datetime | None = None


class _Said(msgspec.Struct, rename="camel"):
    challenge: str
    cross_origin: bool = False


class _Response(msgspec.Struct, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")
    user_handle: str | None = None


class Answer(msgspec.Struct, rename="camel"):
    """What a browser answered, as far as it is read before it is verified."""

    id: str
    response: _Response


def host_of(origin: str) -> str:
    """The host by which passkeys are bound under an address (RP id).

    Raises:
        Unavailable: it has none: passkeys want a name, not a number.
    """
    host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host
    raise Unavailable(
        "passkeys work under a name, not under a number; open the console under its name, such as localhost",
        code="no-passkeys-here",
    )


def asked_to_make(person: str, handle: str, house: str, host: str, challenge: bytes, had: Sequence[Passkey]) -> str:
    """What ``navigator.credentials.create`` takes, as JSON: a key that stays there and asks for a PIN or a finger."""
    return options_to_json(
        generate_registration_options(
            rp_id=host,
            rp_name=f"Comity {house.upper()}",
            user_id=person.encode(),
            user_name=handle,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each.key) for each in had if each.host == host],
        )
    )


def asked_to_sign(host: str, challenge: bytes) -> str:
    """What ``navigator.credentials.get`` takes, as JSON: any passkey of this host."""
    return options_to_json(
        generate_authentication_options(
            rp_id=host,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def read_answer(text: str) -> tuple[Answer, bytes]:
    """An answer of a browser, and the challenge that it says it is over; nothing of it is verified yet.

    Raises:
        Rejected: it is no answer.
    """
    if len(text.encode()) > ANSWER_BYTES_MAX:
        raise _no_answer()
    try:
        answer = msgspec.json.decode(text, type=Answer)
        said = msgspec.json.decode(_bytes(answer.response.client_data), type=_Said)
        challenge = _bytes(said.challenge)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _no_answer() from None
    if len(challenge) != CHALLENGE_BYTES or said.cross_origin:
        raise _no_answer()
    return answer, challenge


def holder(answer: Answer) -> tuple[str, bytes]:
    """The person id and the credential id that an answer claims.

    Raises:
        Rejected: it claims none.
    """
    try:
        return _bytes(answer.response.user_handle or "").decode("ascii"), _bytes(answer.id)
    except ValueError:
        raise _no_answer() from None


def made(text: str, challenge: bytes, origin: str, name: str, now: datetime) -> Passkey:
    """The passkey that a browser made over a challenge that was checked.

    Raises:
        Rejected: it is for another host or page, asked its user nothing, or is not signed as it must be.
    """
    host = host_of(origin)
    try:
        found = verify_registration_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library raises whatever its decoders do on hostile bytes
        raise Rejected("this passkey was not made for this page; try again", code="bad-passkey") from error
    return Passkey(
        key=found.credential_id,
        name=name,
        public=found.credential_public_key,
        count=found.sign_count,
        host=host,
        made=now,
    )


def signed(text: str, passkey: Passkey, challenge: bytes, origin: str, now: datetime) -> Passkey:
    """A passkey after it answered over a challenge that was checked.

    Raises:
        Rejected: the answer is not this key's, for another host or page, or its user was asked nothing.
        Misuse: its counter went back: there are two of it.
    """
    try:
        found = verify_authentication_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=passkey.host,
            expected_origin=origin,
            credential_public_key=passkey.public,
            credential_current_sign_count=0,  # compared below, and told apart from the rest
            require_user_verification=True,
        )
    except Exception as error:  # the library raises whatever its decoders do on hostile bytes
        raise Rejected("this passkey did not answer for this page; try again", code="bad-passkey") from error
    if max(found.new_sign_count, passkey.count) > 0 and found.new_sign_count <= passkey.count:
        raise Misuse(
            "this passkey has counted backwards, as a copy of it would; it signs nobody in until it is removed and "
            "made anew",
            code="passkey-copied",
        )
    return msgspec.structs.replace(passkey, count=found.new_sign_count, used=now)


def _bytes(text: str) -> bytes:
    return base64url_to_bytes(text)


def _no_answer() -> Rejected:
    return Rejected("this is no answer of a passkey; try again", code="bad-passkey")
