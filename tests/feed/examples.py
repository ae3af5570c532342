"""The feed of spec/feed.md, ready to use: its schema, its release, its message, and messages made like it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from comity.feed.release import Release, parse_release
from comity.feed.schema import Schema, parse_schema
from comity.ledger.note import KeyType, VerifierKey

SPEC = (Path(__file__).parents[2] / "spec" / "feed.md").read_text(encoding="utf-8")
SCHEMA_TEXT, RELEASE_TEXT = re.findall(r"```toml\n(.*?)```", SPEC, re.DOTALL)[:2]
RANKS = {"極秘": 1, "機密": 2}
ORIGIN = "comity/jp-kr-2016/jp.kr/jp/feed/air-picture"


def schema() -> Schema:
    return parse_schema(SCHEMA_TEXT, "schema.toml")


def release() -> Release:
    return parse_release(RELEASE_TEXT, "release.toml", schema(), RANKS)


def example() -> tuple[bytes, bytes]:
    """The message of the spec as it was published and as it crossed."""
    block = re.findall(r"```\n(published.*?)```", SPEC, re.DOTALL)[0]
    published, crossed = re.findall(r"\{.*?\}", block, re.DOTALL)
    return typed(re.sub(r"\n +", "", published)), typed(crossed)


def typed(message: str) -> bytes:
    return message.replace("{", '{"type":"track",', 1).encode()


class Key:
    """A signing key."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


LOG = Key(bytes(31) + b"\x01")
LOG_KEY = VerifierKey(ORIGIN, KeyType.ED25519, LOG.public)

INSTANTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))]),
)
NUMBERS = st.floats(min_value=-1e15, max_value=1e15)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def messages() -> st.SearchStrategy[dict[str, Any]]:
    """Messages that the schema of the spec takes, as JSON objects."""
    return st.fixed_dictionaries(
        {
            "track": TEXTS,
            "observed": INSTANTS.map(lambda instant: instant.isoformat()),
            "latitude": NUMBERS,
            "longitude": NUMBERS,
            "height": NUMBERS,
            "sensor": TEXTS,
            "method": TEXTS,
            "quality": st.integers(-(2**53) + 1, 2**53 - 1),
        },
        optional={"speed": NUMBERS},
    ).map(lambda found: {"type": "track"} | found)


def written(message: Mapping[str, object]) -> bytes:
    return json.dumps(message).encode()
