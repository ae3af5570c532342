"""Signing keys on a token, through PKCS#11 (``spec/keys.md`` steps 20 to 24).

Rules of this file:

- A private key is made or put on the token as sensitive and not extractable; it is never read back.
- Every signature is verified before it is handed out: a token that errs, or is made to, gives nothing away.
- A PIN that was wrong is never tried again: tokens count.
- One login for each token in this process, one operation at a time: what PKCS#11 promises of sessions ends there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import TokenHome

_CURVE = bytes.fromhex("130c656477617264733235353139")
"""CKA_EC_PARAMS of Ed25519 (PKCS#11 3.0, 2.3.5): the printable string ``edwards25519``."""
_POINT_PREFIX = b"\x04\x20"
"""DER of an octet string of 32 bytes, in which most tokens wrap the public key."""
T = TypeVar("T")


class TokenKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a ``NAME.token`` file says: where a key lives.

    Attributes:
        home: the token.
        label: what the key is called there.
        public: its raw public half, hexadecimal.
    """

    home: TokenHome
    label: str
    public: str

    def __repr__(self) -> str:
        return f"TokenKey({self.label!r} on {self.home!r})"


class TokenSigner:
    """A private Ed25519 key on a token; the token is asked when something is signed, not before."""

    def __init__(self, key: TokenKey) -> None:
        self.public = bytes.fromhex(key.public)
        self.key = key
        self._verify = Ed25519PublicKey.from_public_bytes(self.public).verify

    def sign(self, message: bytes) -> bytes:
        """See ``ports.Signer.sign``.

        Raises:
            Unavailable: the token is not there, or does not answer.
            Misuse: its PIN is another one.
            Rejected: what it signed with is another key.
        """
        signature = _at(self.key.home, lambda session: _signed(session, self.key, message))
        try:
            self._verify(signature, message)
        except InvalidSignature:
            sentence = "what the token signed does not verify under the key that is noted"
            raise Rejected(sentence, code="other-token-key", place=self.key.label) from None
        return signature

    def __repr__(self) -> str:
        return f"TokenSigner({self.key!r})"


def make_on_token(home: TokenHome, label: str) -> TokenSigner:
    """(21) A new key, born on the token.

    Raises:
        Unavailable, Misuse: as ``TokenSigner.sign``; the label is taken there.
    """
    pkcs11 = _library()

    def make(session: Any) -> bytes:
        _free(session, label)
        parameters = session.create_domain_parameters(
            pkcs11.KeyType.EC_EDWARDS, {pkcs11.Attribute.EC_PARAMS: _CURVE}, local=True
        )
        public, _ = parameters.generate_keypair(
            mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
            store=True,
            label=label,
            private_template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
        )
        return _raw(public)

    return TokenSigner(TokenKey(home=home, label=label, public=_at(home, make).hex()))


def put_on_token(home: TokenHome, label: str, seed: bytes, public: bytes) -> TokenSigner:
    """(22) A key that was made elsewhere, put on the token.

    Raises:
        Unavailable, Misuse: as ``make_on_token``.
    """
    pkcs11 = _library()
    attribute = pkcs11.Attribute
    both = {
        attribute.KEY_TYPE: pkcs11.KeyType.EC_EDWARDS,
        attribute.EC_PARAMS: _CURVE,
        attribute.TOKEN: True,
        attribute.LABEL: label,
    }

    def put(session: Any) -> None:
        _free(session, label)
        session.create_object(
            {
                **both,
                attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                attribute.VALUE: seed,
                attribute.PRIVATE: True,
                attribute.SENSITIVE: True,
                attribute.EXTRACTABLE: False,
                attribute.SIGN: True,
            }
        )
        session.create_object(
            {
                **both,
                attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY,
                attribute.EC_POINT: _POINT_PREFIX + public,
                attribute.VERIFY: True,
            }
        )

    _at(home, put)
    return TokenSigner(TokenKey(home=home, label=label, public=public.hex()))


def remove_from_token(key: TokenKey) -> None:
    """(12) Destroy a key on its token; nothing where it is gone already."""
    pkcs11 = _library()
    _at(key.home, lambda session: [each.destroy() for each in session.get_objects({pkcs11.Attribute.LABEL: key.label})])


def read_token_key(content: bytes, place: str) -> TokenSigner:
    """The key that a ``NAME.token`` file speaks of.

    Raises:
        Rejected: it is not such a file.
    """
    try:
        return TokenSigner(msgspec.json.decode(content, type=TokenKey))
    except (msgspec.DecodeError, ValueError):
        raise Rejected("not the place of a key on a token", code="bad-key-file", place=place) from None


_sessions: dict[tuple[str, str], Any] = {}
_turn = threading.Lock()


def _at(home: TokenHome, act: Callable[[Any], T]) -> T:
    """Do something in the one session with a token; a session that broke is opened again once."""
    pkcs11 = _library()
    name = (home.module, home.token)
    with _turn:
        for again in (True, False):
            session = _sessions.get(name) or _sessions.setdefault(name, _login(home))
            try:
                return act(session)
            except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned):
                raise Unavailable(f"the key is not on the token {home.token!r}", code="no-token-key") from None
            except pkcs11.PKCS11Error as error:
                _sessions.pop(name, None)
                if not again:
                    raise Unavailable(f"the token {home.token!r} failed: {_told(error)}", code="token-failed") from None
    raise AssertionError


def _login(home: TokenHome) -> Any:
    pkcs11 = _library()
    try:
        token = pkcs11.lib(home.module).get_token(token_label=home.token)
        try:
            return token.open(rw=True, user_pin=home.pin)
        except pkcs11.UserAlreadyLoggedIn:  # a login is of the process, not of a session that broke
            return token.open(rw=True)
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
        raise Misuse(
            f"this is not the PIN of the token {home.token!r}; it was not tried again", code="wrong-pin"
        ) from None
    except pkcs11.PinLocked:
        raise Unavailable(f"the token {home.token!r} is locked after wrong PINs", code="token-locked") from None
    except (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.MultipleTokensReturned):
        raise Unavailable(f"there is no token {home.token!r}, or more than one; put it in", code="no-token") from None
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        raise Unavailable(f"the token {home.token!r} cannot be reached: {_told(error)}", code="token-failed") from None


def _signed(session: Any, key: TokenKey, message: bytes) -> bytes:
    pkcs11 = _library()
    private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=key.label)
    signature: bytes = private.sign(message, mechanism=pkcs11.Mechanism.EDDSA)
    return signature


def _free(session: Any, label: str) -> None:
    attribute = _library().Attribute
    if next(iter(session.get_objects({attribute.LABEL: label})), None) is not None:
        raise Misuse(f"there is a key {label!r} on the token already", code="token-key-exists")


def _raw(public: Any) -> bytes:
    point: bytes = public[_library().Attribute.EC_POINT]
    return point.removeprefix(_POINT_PREFIX) if len(point) > 32 else point


def _told(error: Exception) -> str:
    return type(error).__name__ if not str(error) else f"{type(error).__name__}, {error}"


def _library() -> Any:
    try:
        return import_module("pkcs11")
    except ModuleNotFoundError:
        sentence = "a key on a token needs the package 'python-pkcs11': pip install 'comity[keys]'"
        raise Misuse(sentence, code="no-library") from None
