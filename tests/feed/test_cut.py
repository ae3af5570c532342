"""What crosses of a message depends on nothing that does not (``spec/feed.md`` steps 7 to 9)."""

from __future__ import annotations

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.feed.cut import Cutter, cutters
from comity.feed.originals import CONTEXT, SALT_BYTES, Committer, original_leaf, salts
from comity.feed.release import POSTURES, Posture
from comity.feed.schema import Reader, Refused
from feed.examples import INSTANTS, NUMBERS, TEXTS, messages, release, schema, written

READER = Reader(schema())
CUTTERS = {posture: cutters(schema(), release().postures[posture])["track"] for posture in POSTURES}
NAMES = tuple(schema().types["track"].fields)
OTHERS = st.fixed_dictionaries(
    {"method": TEXTS, "quality": st.integers(0, 9)},
    optional={"height": NUMBERS, "sensor": TEXTS},
)


def read(message: dict[str, object]) -> msgspec.Struct:
    found = READER.read(written(message))
    assert not isinstance(found, Refused)
    return found


@given(messages(), OTHERS, st.sampled_from(POSTURES), st.randoms())
def test_nothing_hidden_and_no_spelling_reaches_the_view(
    message: dict[str, object], other: dict[str, object], posture: Posture, random: object
) -> None:
    cutter = CUTTERS[posture]
    hidden = {name: value for name, value in other.items() if name not in cutter.fields}
    items = list((message | hidden).items())
    random.shuffle(items)  # type: ignore[attr-defined]  # a random.Random
    spelt = json.dumps(dict(items), indent=1, ensure_ascii=False).encode()
    again = READER.read(spelt)
    assert not isinstance(again, Refused)
    assert cutter.view(again) == cutter.view(read(message))


@given(messages(), st.sampled_from(POSTURES))
def test_a_view_has_the_released_fields_and_is_a_message_in_its_order(
    message: dict[str, object], posture: Posture
) -> None:
    cutter = CUTTERS[posture]
    view = json.loads(cutter.view(read(message)))
    names = list(view)
    assert names[0] == "type"
    order = sorted(set(cutter.fields) & set(message), key=lambda name: (name == "speed", NAMES.index(name)))
    assert names[1:] == order
    for name in set(cutter.fields) - cutter.rounded - {"observed"}:
        assert view.get(name) == message.get(name)


@given(messages(), INSTANTS)
def test_what_differs_within_a_step_crosses_alike(message: dict[str, object], instant: object) -> None:
    cutter = CUTTERS["normal"]
    at = instant.replace(microsecond=0)  # type: ignore[attr-defined]  # a datetime
    one, other = at.isoformat(), at.replace(microsecond=999_999).isoformat()
    first = message | {"observed": one, "latitude": 38.01}
    second = message | {"observed": other, "latitude": 38.0499}
    assert cutter.view(read(first)) == cutter.view(read(second))


def test_an_instant_that_is_in_no_year_of_utc_is_refused() -> None:
    found = READER.read(written({**json.loads(written(MESSAGE)), "observed": "0001-01-01T00:00:00+09:00"}))
    assert not isinstance(found, Refused)
    for cutter in CUTTERS.values():
        with pytest.raises(Rejected, match="years 1 to 9999") as caught:
            cutter.view(found)
        assert caught.value.code == "bad-field"


MESSAGE: dict[str, object] = {
    "type": "track",
    "track": "T-71",
    "observed": "2026-11-20T01:02:03.417Z",
    "latitude": 38.0213,
    "longitude": 131.4471,
    "height": 11280.5,
    "sensor": "fps-5/okushiri",
    "method": "multistatic",
    "quality": 7,
}


def test_a_commitment_is_of_the_salt_the_name_and_the_value_as_json() -> None:
    kind = Committer(NAMES)
    stream = salts(bytes(32), kind.key_bytes // SALT_BYTES)
    found = kind.commit(read(MESSAGE), stream)
    assert (len(NAMES), kind.width, len(found)) == (9, 16, 32 * 16)
    for place, name in enumerate(NAMES):
        salt = stream[SALT_BYTES * place : SALT_BYTES * (place + 1)]
        value = b"" if name not in MESSAGE else json.dumps(MESSAGE[name]).encode()
        if name == "observed":
            value = b'"2026-11-20T01:02:03.417000Z"'
        made = sha256(salt + name.encode() + b":" + value).digest()
        assert found[32 * place : 32 * (place + 1)] == made, name
    assert found[32 * 9 :] == stream[SALT_BYTES * 9 :]
    leaf = original_leaf(bytes(32), found)
    assert leaf == sha256(CONTEXT + bytes(32) + (16).to_bytes(2, "big") + found).digest()


def test_a_type_with_one_field_is_cut_and_committed_to() -> None:
    one = Committer(["track"]).commit(read(MESSAGE), bytes(16))
    assert one == sha256(bytes(16) + b'track:"T-71"').digest()
    crossing = msgspec.structs.replace(release().postures["crisis"]["track"], fields=("track",))
    assert Cutter("track", schema().types["track"], crossing).view(read(MESSAGE)) == b'{"type":"track","track":"T-71"}'


@given(st.binary(min_size=32, max_size=32), st.integers(1, 40))
def test_salts_are_one_stream(seed: bytes, count: int) -> None:
    assert salts(seed, count + 1)[: SALT_BYTES * count] == salts(seed, count)
    assert salts(seed, count) != salts(bytes(31) + bytes([seed[31] ^ 1]), count)
