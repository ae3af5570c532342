"""An organisation's own login: OpenID Connect, the code flow (``spec/console.md`` steps 19 and 20).

    /sign-in/organisation            to the login, with state, nonce and the SHA-256 of a verifier
    /sign-in/organisation/back       from there, by a page of another site: our own page goes on at once, so that the
                                     browser brings what it holds
    /sign-in/organisation/done       the code is changed for an ID token, and that is verified

Nothing is kept between the two ends: state, nonce and verifier come from a challenge that is bound to the browser.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from comity.console.challenges import Challenges
from comity.console.settings import Organisation, is_issuer
from comity.errors import Refused, Rejected, Unavailable
from comity.ports import Clock, Entropy

BACK = "/sign-in/organisation/back"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Of signatures of ID tokens; nothing that a secret of ours could sign, and not ``none``."""
KEPT = timedelta(hours=1)
"""How long what the issuer says of itself is taken to be so."""
LOOKED_AGAIN = timedelta(minutes=1)
"""How often its keys are asked for because of one that is not among them, and what it says of itself while it fails."""
LEEWAY = timedelta(minutes=1)
STATE_CHARACTERS_MAX = 6_000
KEYS_MAX = 100
ASKED_AT_ONCE = 8
"""Codes that are changed for tokens at once; a flood of them is not passed on to the organisation."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=253_402_300_799)]

Fetch = Callable[[str, bytes | None, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Asks an address: with GET, or with POST where there is a body; status and body of the answer, bounded in both."""
T = TypeVar("T")


class _Says(msgspec.Struct, frozen=True):
    """What an issuer says of itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: Text
    authorization_endpoint: Text
    token_endpoint: Text
    jwks_uri: Text
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: Annotated[str, msgspec.Meta(max_length=100_000)]


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Claims(msgspec.Struct, frozen=True):
    """What is read of an ID token besides the handle (OpenID Connect Core 1.0, section 2)."""

    iss: str
    sub: Text
    aud: str | tuple[str, ...]
    exp: Seconds
    iat: Seconds
    nonce: str
    azp: str | None = None
    nbf: Seconds = 0
    auth_time: Seconds | None = None


class _State(msgspec.Struct, frozen=True, array_like=True):
    purpose: str
    after: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the organisation has said to be there.

    Attributes:
        handle: what its claim says.
        purpose: ``sign-in`` or ``prove``.
        after: the page to go on to.
        shown: when he showed there that it is he, where it says that.
    """

    handle: str
    purpose: str
    after: str
    shown: datetime | None


class Login:
    """The login of an organisation.

    Args:
        settings: whose, and as what we are known there.
        secret: by which we are known there.
        fetch: asks an address.
        clock: wall-clock time.
        entropy: makes challenges.
    """

    def __init__(self, settings: Organisation, secret: str, fetch: Fetch, *, clock: Clock, entropy: Entropy) -> None:
        self.name = settings.name
        self._settings = settings
        self._secret = secret
        self._fetch = fetch
        self._clock = clock
        self._challenges = Challenges(clock, entropy)
        self._turn = asyncio.Lock()
        self._asking = 0
        self._says: tuple[datetime, _Says] | None = None
        self._silent: tuple[datetime, Unavailable] | None = None
        self._keys: tuple[datetime, Any] | None = None

    async def start(self, purpose: str, after: str, browser: str, origin: str) -> str:
        """The address to which a browser is sent.

        Raises:
            Unavailable: the organisation does not say how it is asked.
        """
        says = await self._said()
        kept = msgspec.json.encode(_State(purpose, after))
        challenge = self._challenges.make(_bound(kept), browser)
        asked = {
            "response_type": "code",
            "client_id": self._settings.client,
            "redirect_uri": origin + BACK,
            "scope": "openid profile",
            "state": f"{_text(challenge)}.{_text(kept)}",
            "nonce": self._nonce(challenge),
            "code_challenge": _text(sha256(self._verifier(challenge).encode()).digest()),
            "code_challenge_method": "S256",
        }
        if purpose == "prove":
            asked |= {"prompt": "login", "max_age": "0"}
        joined = "&" if "?" in says.authorization_endpoint else "?"
        return f"{says.authorization_endpoint}{joined}{urlencode(asked)}"

    async def finish(self, given: Mapping[str, str], browser: str, origin: str) -> Known:
        """Whom the organisation has said to be there, of what a browser brings from it.

        Raises:
            Refused: the organisation has refused him.
            Rejected: it was not asked from this browser, or what it says is not signed as it must be, not for us, or
                not of now.
            Unavailable: it does not answer.
        """
        challenge, state = self._state(given.get("state", ""), browser)
        self._challenges.spend(challenge)
        if "error" in given or not given.get("code"):
            raise Refused(
                f"{self.name} did not sign you in; try again, or ask whoever keeps that login", code="refused-there"
            )
        if self._asking >= ASKED_AT_ONCE:
            raise Unavailable("too many people sign in at this moment; try again in a few seconds", code="busy")
        self._asking += 1
        try:
            token = await self._token(given["code"], self._verifier(challenge), origin)
        finally:
            self._asking -= 1
        claims, all_claims = await self._verified(token, self._nonce(challenge))
        handle = all_claims.get(self._settings.claim)
        if not isinstance(handle, str) or not 0 < len(handle) <= 200 or not handle.isprintable():
            raise Refused(
                f"{self.name} does not say who you are here; its administrator has to send {self._settings.claim!r}",
                code="no-claim",
            )
        shown = None if claims.auth_time is None else datetime.fromtimestamp(claims.auth_time, UTC)
        return Known(handle=handle, purpose=state.purpose, after=state.after, shown=shown)

    def _state(self, text: str, browser: str) -> tuple[bytes, _State]:
        first, _, second = text[:STATE_CHARACTERS_MAX].partition(".")
        try:
            challenge, kept = _raw(first), _raw(second)
            state = msgspec.json.decode(kept, type=_State)
        except (ValueError, msgspec.MsgspecError):
            challenge, kept, state = b"", b"", _State("", "")
        self._challenges.check(challenge, _bound(kept), browser)
        return challenge, state

    async def _token(self, code: str, verifier: str, origin: str) -> str:
        says = await self._said()
        asked = {
            "grant_type": "authorization_code",
            "code": code[:4_000],
            "redirect_uri": origin + BACK,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if "client_secret_basic" in says.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._settings.client, safe='')}:{quote(self._secret, safe='')}"
            headers["authorization"] = "Basic " + b64encode(pair.encode()).decode()
        else:
            asked |= {"client_id": self._settings.client, "client_secret": self._secret}
        status, body = await self._fetch(says.token_endpoint, urlencode(asked).encode(), headers)
        if status != 200:
            raise Rejected(f"{self.name} does not take the code it gave; sign in again", code="refused-there")
        return self._read(body, _Tokens).id_token

    async def _verified(self, token: str, nonce: str) -> tuple[_Claims, dict[str, Any]]:
        """The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError

        try:
            try:
                read = jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:  # its keys have changed since they were read
                read = jwt.decode(token, await self._key_set(again=True), algorithms=ALGORITHMS)
            claims = msgspec.convert(read.claims, _Claims)
        except (JoseError, msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise self._bad("is not signed as it must be") from error
        now, leeway = self._clock.now().timestamp(), LEEWAY.total_seconds()
        audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if claims.iss != self._settings.issuer:
            raise self._bad("is of another issuer")
        if self._settings.client not in audience or claims.azp not in (
            (None, self._settings.client) if len(audience) == 1 else (self._settings.client,)
        ):
            raise self._bad("is for another client")
        if not compare_digest(claims.nonce.encode(), nonce.encode()):
            raise self._bad("is from another sign-in")
        if not claims.exp + leeway > now or not max(claims.iat, claims.nbf) - leeway <= now:
            raise self._bad("does not hold now")
        return claims, read.claims

    def _bad(self, what: str) -> Rejected:
        return Rejected(f"what {self.name} says of you {what}; sign in again", code="bad-id-token")

    async def _said(self) -> _Says:
        """What the issuer says of itself: asked once an hour, and where that failed, once a minute by one of all."""
        if self._turn.locked():
            self._check_not_silent(timedelta.max)
        async with self._turn:
            now = self._clock.now()
            if self._says is None or now - self._says[0] > KEPT:
                self._check_not_silent(LOOKED_AGAIN)
                try:
                    self._says = (now, await self._asked())
                except Unavailable as error:
                    self._silent = (self._clock.now(), error)
                    raise
                self._silent = None
            return self._says[1]

    def _check_not_silent(self, lately: timedelta) -> None:
        """Check that it did not fail to say it, so lately that nobody asks again.

        Raises:
            Unavailable: it did.
        """
        if self._silent is not None and self._clock.now() - self._silent[0] <= lately:
            raise Unavailable(self._silent[1].sentence, code=self._silent[1].code)

    async def _asked(self) -> _Says:
        address = self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        says = self._read(await self._got(address), _Says)
        if says.issuer != self._settings.issuer:
            raise self._unavailable("says that it is another")
        for each in (says.authorization_endpoint, says.token_endpoint, says.jwks_uri):
            if not is_issuer(each.partition("?")[0]) or _is_open(each) > _is_open(self._settings.issuer):
                raise self._unavailable("names an address that is neither HTTPS nor on this machine")
        return says

    async def _key_set(self, *, again: bool = False) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet, import_key

        says = await self._said()
        async with self._turn:
            now = self._clock.now()
            if self._keys is None or now - self._keys[0] > (LOOKED_AGAIN if again else KEPT):
                keys = []
                for each in self._read(await self._got(says.jwks_uri), _Keys).keys[:KEYS_MAX]:
                    with suppress(JoseError, ValueError, TypeError, KeyError):  # one of a kind that nobody here knows
                        if each.get("use", "sig") == "sig" and each.get("kty") != "oct":
                            keys.append(import_key(each))
                self._keys = (now, KeySet(keys))
            return self._keys[1]

    async def _got(self, address: str) -> bytes:
        status, body = await self._fetch(address, None, {"accept": "application/json"})
        if status != 200:
            raise self._unavailable(f"answers {status}")
        return body

    def _read(self, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise self._unavailable("answers something else than it must") from None

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"the login of {self.name} {what}; tell whoever keeps it", code="organisation-unavailable")

    def _verifier(self, challenge: bytes) -> str:
        return _text(self._challenges.secret(challenge, "verifier"))

    def _nonce(self, challenge: bytes) -> str:
        return _text(self._challenges.secret(challenge, "nonce"))


def _bound(kept: bytes) -> str:
    """The purpose of a challenge that what goes with it cannot be changed under."""
    return f"organisation {sha256(kept).hexdigest()}"


def _is_open(address: str) -> bool:
    """Whether an address is asked without TLS: only where the issuer is on this machine are others here asked so."""
    return address.startswith("http:")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
