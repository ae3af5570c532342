"""``spec/exchange.md`` steps 44 to 48: our profile of RFC 9421, written and read exactly."""

from __future__ import annotations

from base64 import b64decode

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given
from hypothesis import strategies as st

from comity.courier import signature
from comity.errors import Rejected
from courier.keys import NOW, Key, card

SECOND = int(NOW.timestamp())
JP, KR = card("jp"), card("kr")
KEY = Key("jp transport")
NONCE = bytes(range(16))
PATH = "/v1/exchange/jp-kr-2016/jp.kr"


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def signed(**changes) -> dict[str, str]:
    arguments = {
        "method": "POST",
        "path": PATH,
        "body": b"parcel",
        "sender": "jp",
        "audience": signature.audience_of(KR),
        "nonce": NONCE,
        "created": SECOND,
        "signer": KEY,
    } | changes
    return signature.sign_request(**arguments)


def verify(headers: dict[str, str], *, method: str = "POST", path: str = PATH, now: int = SECOND, to=KR) -> object:
    claim = signature.read_request(raw(headers))
    return signature.verify_request(
        claim, method, path, audience=signature.audience_of(to), keys=[JP.transport], now=now
    )


def test_the_base_is_that_of_rfc_9421() -> None:
    """RFC 9421 appendix B.2.6, with the Ed25519 test key of B.1.4."""
    key = load_der_private_key(
        b64decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"), password=None
    )
    base = signature.signature_base(
        [
            ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
            ('"@method"', "POST"),
            ('"@path"', "/foo"),
            ('"@authority"', "example.com"),
            ('"content-type"', "application/json"),
            ('"content-length"', "18"),
        ],
        ';created=1618884473;keyid="test-key-ed25519"',
    )
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert key.sign(base) == b64decode(expected)


def test_a_request_is_written_as_the_specification_shows() -> None:
    headers = signed()
    assert list(headers) == [
        "content-digest",
        "comity-sender",
        "comity-audience",
        "comity-nonce",
        "signature-input",
        "signature",
    ]
    assert headers["signature-input"] == (
        'comity=("@method" "@path" "content-digest" "comity-sender" "comity-audience" "comity-nonce")'
        f';created={SECOND};keyid="{signature.key_id(KEY.public)}";alg="ed25519";tag="comity-exchange"'
    )
    # RFC 9530 appendix D shows this digest form; the value is `openssl dgst -sha256 -binary | base64` of "parcel".
    assert headers["content-digest"] == "sha-256=:VQpJ6tKMj2JscCbV+te1NwA1RjhnVfBqQQpVp2BVvoc=:"
    assert headers["comity-audience"].startswith("kr/")


def test_what_is_signed_verifies() -> None:
    claim = verify(signed())
    assert isinstance(claim, signature.Claim)
    assert (claim.sender, claim.nonce, claim.created) == ("jp", NONCE, SECOND)
    assert signature.verify_body(claim, b"parcel") == b"parcel"


def test_a_request_for_another_node_is_refused() -> None:
    with pytest.raises(Rejected, match="meant for 'kr/") as caught:
        verify(signed(), to=card("us"))
    assert caught.value.code == "wrong-audience"


def test_two_nodes_of_one_name_are_told_apart() -> None:
    with pytest.raises(Rejected) as caught:
        verify(signed(), to=card("kr", house=" other"))
    assert caught.value.code == "wrong-audience"


@pytest.mark.parametrize(("now", "code"), [(SECOND + 301, "stale-request"), (SECOND - 301, "future-request")])
def test_clocks_too_far_apart_are_refused(now: int, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        verify(signed(), now=now)
    assert caught.value.code == code


@pytest.mark.parametrize("now", [SECOND + 300, SECOND - 300])
def test_the_window_includes_its_ends(now: int) -> None:
    verify(signed(), now=now)


@pytest.mark.parametrize(
    "changes",
    [{"method": "PUT"}, {"path": "/v1/exchange/jp-kr-2016/jp.us"}],
)
def test_another_method_or_path_does_not_verify(changes: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        verify(signed(), **changes)
    assert caught.value.code == "bad-signature"


def test_another_body_is_refused() -> None:
    claim = verify(signed())
    with pytest.raises(Rejected) as caught:
        signature.verify_body(claim, b"parceL")
    assert caught.value.code == "bad-digest"


def test_another_key_is_named() -> None:
    with pytest.raises(Rejected, match="exchange cards again") as caught:
        verify(signed(signer=Key("somebody")))
    assert caught.value.code == "unknown-key"


def test_every_character_of_every_header_counts() -> None:
    """No header has a character that can change unnoticed, and none can be left out."""
    headers = signed()
    for name, value in headers.items():
        with pytest.raises(Rejected):
            verify({other: text for other, text in headers.items() if other != name})
        for place, letter in enumerate(value):
            changed = value[:place] + chr(ord(letter) ^ 1) + value[place + 1 :]
            with pytest.raises(Rejected):
                verify(headers | {name: changed})


@pytest.mark.parametrize("name", list(signed()))
def test_a_header_that_stands_there_twice_is_refused(name: str) -> None:
    headers = signed()
    with pytest.raises(Rejected, match="twice"):
        signature.read_request([*raw(headers), (name.upper().encode(), headers[name].encode())])


@pytest.mark.parametrize(
    "change",
    [
        {"signature-input": lambda value: value.replace("comity=", "sig1=")},
        {"signature-input": lambda value: value.replace(";alg", "; alg")},
        {"signature-input": lambda value: value.replace("created=", "created=0")},
        {"signature-input": lambda value: value.replace("created=", "created=+")},
        {"signature-input": lambda value: value.replace(' "comity-nonce"', "")},
        {"signature-input": lambda value: value.replace("ed25519", "hmac-sha256")},
        {"signature": lambda value: value.replace("=:", "=:", 1).replace("==:", ":")},
        {"signature": lambda value: value.replace("==:", "==\n:")},
        {"comity-nonce": lambda _: "AAAA"},
        {"comity-nonce": lambda value: value.replace("==", "")},
        {"content-digest": lambda value: value.replace("sha-256", "sha-512")},
        {"content-digest": lambda value: value + ", sha-512=:AA==:"},
        {"comity-sender": lambda _: "../jp"},
    ],
)
def test_another_spelling_is_refused(change) -> None:
    (name, spell), *_ = change.items()
    headers = signed()
    with pytest.raises(Rejected):
        signature.read_request(raw(headers | {name: spell(headers[name])}))


def test_a_reply_verifies_for_its_request_only() -> None:
    headers = raw(signature.sign_reply(200, b"reply", nonce=NONCE, signer=KEY))
    assert signature.verify_reply(200, b"reply", headers, nonce=NONCE, keys=[KEY.public]) == b"reply"
    for status, body, nonce, key, code in [
        (201, b"reply", NONCE, KEY.public, "bad-signature"),
        (200, b"other", NONCE, KEY.public, "bad-digest"),
        (200, b"reply", bytes(16), KEY.public, "bad-signature"),
        (200, b"reply", NONCE, KR.transport, "unknown-key"),
    ]:
        with pytest.raises(Rejected) as caught:
            signature.verify_reply(status, body, headers, nonce=nonce, keys=[key])
        assert caught.value.code == code


def test_a_reply_is_no_request_and_a_request_no_reply() -> None:
    with pytest.raises(Rejected):
        signature.verify_reply(200, b"parcel", raw(signed()), nonce=NONCE, keys=[KEY.public])
    with pytest.raises(Rejected):
        signature.read_request(raw(signature.sign_reply(200, b"", nonce=NONCE, signer=KEY)))


@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.binary(max_size=64),
    st.binary(min_size=16, max_size=16),
    st.integers(SECOND - 300, SECOND + 300),
)
def test_any_request_verifies_as_itself(method: str, body: bytes, nonce: bytes, created: int) -> None:
    headers = signed(method=method, body=body, nonce=nonce, created=created)
    claim = verify(headers, method=method)
    assert isinstance(claim, signature.Claim)
    assert signature.verify_body(claim, body) == body
    assert (claim.nonce, claim.created) == (nonce, created)


def test_what_a_reader_signs_is_no_request_of_a_node_and_the_other_way_round() -> None:
    read = signature.read_request(raw(signed(tag=signature.READING_TAG)))
    given = {"audience": signature.audience_of(KR), "keys": [JP.transport], "now": SECOND}
    assert signature.verify_request(read, "POST", PATH, **given, tag=signature.READING_TAG) == read
    for claim, tag in (
        (read, signature.REQUEST_TAG),
        (signature.read_request(raw(signed())), signature.READING_TAG),
        (msgspec.structs.replace(read, tag=signature.REQUEST_TAG), signature.REQUEST_TAG),
    ):
        with pytest.raises(Rejected):
            signature.verify_request(claim, "POST", PATH, **given, tag=tag)
