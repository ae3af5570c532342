"""A small login of an organisation (OpenID Connect) over real HTTP, with its own keys; honest unless told otherwise."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from comity.ports import Clock

CLIENT, SECRET = "comity of tokyo", "a secret: of both%ends"
Key = RSAKey | ECKey | OKPKey


@dataclass
class Provider:
    """What it knows and says.

    Attributes:
        person: who is sitting before it.
        claims: what an ID token says otherwise; None takes a claim away.
        sign: how it signs; None as it should.
        key: with what.
        published: its keys, as it publishes them.
        says: what its discovery document says otherwise.
        asked: what it was asked, by path.
    """

    address: str
    clock: Clock
    person: str = "sato"
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    published: list[dict[str, Any]] = field(default_factory=list)
    says: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    algorithm: str = "ES256"
    status: int = 200

    def authorise(self, url: str) -> str:
        """What a browser does there: its person signs in, and it is sent back."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.address}/authorise"
        asked = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"code={code}&state={asked['state']}"

    def token(self, asked: dict[str, str]) -> str:
        """The ID token for what was asked."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.address,
            "sub": "4711",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "preferred_username": self.person,
            **({"auth_time": now} if "max_age" in asked else {}),
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key, algorithms=[self.algorithm])

    async def discovery(self, _request: web.Request) -> web.Response:
        self.asked.append("discovery")
        said = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorise",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            **self.says,
        }
        return web.json_response(said, status=self.status)

    async def keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        return web.json_response({"keys": self.published or [self.key.as_dict(private=False)]})

    async def exchange(self, request: web.Request) -> web.Response:
        """Change a code for a token, once, for whoever has the verifier and the secret."""
        self.asked.append("token")
        given = {name: str(value) for name, value in (await request.post()).items()}
        name, _, secret = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
        asked = self.codes.pop(given["code"], None)
        verifier = urlsafe_b64encode(sha256(given["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (
            asked is None
            or (unquote(name), unquote(secret)) != (CLIENT, SECRET)
            or verifier != asked["code_challenge"]
            or given["redirect_uri"] != asked["redirect_uri"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked)})


@asynccontextmanager
async def provider(clock: Clock) -> AsyncIterator[Provider]:
    """One that listens, for as long as the context lasts."""
    app = web.Application()
    runner = web.AppRunner(app)
    made = Provider("", clock)
    app.router.add_get("/.well-known/openid-configuration", made.discovery)
    app.router.add_get("/keys", made.keys)
    app.router.add_post("/token", made.exchange)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


def unsigned(claims: dict[str, Any]) -> str:
    """A token with ``alg: none``."""
    return ".".join((_part({"alg": "none"}), _part(claims), ""))


def by_secret(claims: dict[str, Any]) -> str:
    """A token signed with what both sides know, as nobody is to take it."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.ljust(32, "0")), algorithms=["HS256"])


def by_published(key: Key) -> Callable[[dict[str, Any]], str]:
    """The classic confusion: a public key taken as the secret of an HMAC."""

    def signed(claims: dict[str, Any]) -> str:
        said = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(claims)}"
        mark = hmac.digest(key.as_pem(private=False), said.encode(), "sha256")
        return f"{said}.{urlsafe_b64encode(mark).rstrip(b'=').decode()}"

    return signed


def _part(said: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
