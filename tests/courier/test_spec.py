"""The literal examples of spec/exchange.md are true, and the steps cited in the code are there."""

from __future__ import annotations

import re
from pathlib import Path

from comity.answers import read_error, status_of
from comity.courier import paths, signature
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX
from comity.node.quota import Quotas
from courier.keys import NOW, card

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "spec" / "exchange.md").read_text(encoding="utf-8")
REQUEST, REPLY, KEYS = re.findall(r"```\n(.*?)```", SPEC, re.DOTALL)[:3]


def headers(example: str) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in re.findall(r"^([\w-]+): (.*)$", example, re.MULTILINE)]


def keys() -> dict[str, bytes]:
    return {party: bytes.fromhex(key) for party, key in map(str.split, KEYS.splitlines())}


def test_the_request_verifies() -> None:
    method, path, _ = REQUEST.split("\n", 1)[0].split(" ")
    claim = signature.read_request(headers(REQUEST))
    audience = signature.audience_of(card("kr"))
    signature.verify_request(claim, method, path, audience=audience, keys=[keys()["jp"]], now=int(NOW.timestamp()))
    assert signature.verify_body(claim, b"parcel") == b"parcel"
    assert paths.read(path) == paths.Exchange("jp-kr-2016/jp.kr")


def test_the_reply_verifies() -> None:
    nonce = signature.read_request(headers(REQUEST)).nonce
    assert signature.verify_reply(200, b"answer", headers(REPLY), nonce=nonce, keys=[keys()["kr"]]) == b"answer"


def test_the_error_is_read_and_has_its_status() -> None:
    example = re.findall(r"^\{.*\}$", SPEC, re.MULTILINE)[0]
    assert status_of(read_error(example.encode())) == 413


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"at most {PARCEL_BYTES_MAX:,} bytes" in SPEC
    assert f"at most {paths.PIECE_BYTES_MAX:,}" in SPEC
    assert f"{signature.WINDOW_SECONDS} seconds" in SPEC
    assert Quotas().body_bytes_in_flight >= PARCEL_BYTES_MAX
