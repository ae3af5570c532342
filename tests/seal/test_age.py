"""spec/seal.md (6), (7), (11), (16), (17), (18): sealing, opening, and header and payload apart."""

from __future__ import annotations

from io import BytesIO, RawIOBase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.seal import age
from comity.seal.header import FileKey, Header, Stanza, parse
from comity.seal.hybrid import HybridIdentity
from comity.seal.passphrase import PassphraseRecipient
from comity.seal.payload import BATCH_CHUNKS, CHUNK_BYTES
from comity.seal.recipients import Identity
from comity.seal.refusals import HeaderForged, HeaderMalformed, NoMatch, PayloadDamaged
from comity.seal.x25519 import X25519Identity
from seal.entropy import Repeatable

HYBRID = HybridIdentity.generate(Repeatable(b"hybrid"))
CLASSIC = X25519Identity.generate(Repeatable(b"classic"))
READER = HybridIdentity.generate(Repeatable(b"reader"))
BOTH = pytest.mark.parametrize("identity", [HYBRID, CLASSIC], ids=["hybrid", "x25519"])

# Around every edge: of a chunk, of a batch.
SIZES = st.one_of(
    st.integers(0, 200),
    st.sampled_from([1, 2, BATCH_CHUNKS, 2 * BATCH_CHUNKS]).flatmap(
        lambda chunks: st.integers(-2, 2).map(lambda off: chunks * CHUNK_BYTES + off)
    ),
)


class Trickle(RawIOBase):
    """A source that gives, and a sink that takes, a little at a time."""

    def __init__(self, data: bytes = b"", step: int = 1000) -> None:
        self.data = data
        self.taken = b""
        self.step = step

    def readinto(self, buffer: memoryview) -> int:
        count = min(self.step, len(buffer), len(self.data))
        buffer[:count] = self.data[:count]
        self.data = self.data[count:]
        return count

    def write(self, data: memoryview) -> int:
        self.taken += data[: self.step]
        return min(self.step, len(data))


@settings(max_examples=40, deadline=None)
@given(SIZES, st.sampled_from([HYBRID, CLASSIC]), st.binary(min_size=1, max_size=8))
def test_opening_gives_what_was_sealed(size: int, identity: HybridIdentity | X25519Identity, seed: bytes) -> None:
    entropy = Repeatable(seed)
    plaintext = entropy(size)
    sealed = age.seal_bytes(plaintext, [identity.recipient], entropy)
    assert age.open_bytes(sealed, [identity]) == plaintext
    assert len(sealed.payload) == age.sealed_size(size)

    sink = BytesIO()
    age.seal_stream(BytesIO(plaintext), sink, [identity.recipient], entropy)
    file = sink.getvalue()
    assert age.open_bytes(age.Sealed.split(file), [identity]) == plaintext

    opened = BytesIO()
    assert age.open_stream(BytesIO(bytes(sealed)), opened, [identity]) == size
    assert opened.getvalue() == plaintext


def test_streams_that_move_a_little_at_a_time() -> None:
    plaintext = Repeatable()(3 * CHUNK_BYTES + 5)
    sealed, opened = Trickle(), Trickle(step=777)
    age.seal_stream(Trickle(plaintext), sealed, [CLASSIC.recipient], Repeatable())
    age.open_stream(Trickle(sealed.taken, step=99_991), opened, [CLASSIC])
    assert opened.taken == plaintext


def test_a_stream_that_does_not_block_is_refused() -> None:
    class Empty(RawIOBase):
        def readinto(self, buffer: memoryview) -> None:
            return None

        def write(self, data: memoryview) -> None:
            return None

    with pytest.raises(Misuse):
        age.seal_stream(Empty(), BytesIO(), [CLASSIC.recipient], Repeatable())
    with pytest.raises(Misuse):
        age.seal_stream(BytesIO(), Empty(), [CLASSIC.recipient], Repeatable())


def test_two_seals_share_nothing() -> None:
    entropy = Repeatable()
    one, two = (age.seal_bytes(b"the same", [HYBRID.recipient], entropy) for _ in range(2))
    assert one.header != two.header
    assert one.payload[:16] != two.payload[:16]


def test_what_is_sealed_depends_on_the_entropy_alone() -> None:
    one, two = (age.seal_bytes(b"the same", [CLASSIC.recipient], Repeatable()) for _ in range(2))
    assert one == two


@BOTH
def test_every_byte_of_a_file_counts(identity: HybridIdentity | X25519Identity) -> None:
    """Each byte changed in turn: all are refused, by whichever layer stands there."""
    file = bytes(age.seal_bytes(b"warning data", [identity.recipient], Repeatable()))
    for place in range(len(file)):
        changed = file[:place] + bytes([file[place] ^ 1 << place % 8]) + file[place + 1 :]
        sink = BytesIO()
        with pytest.raises(Rejected):
            age.open_stream(BytesIO(changed), sink, [identity])
        assert sink.getvalue() == b""


@BOTH
def test_every_shorter_file_is_refused(identity: HybridIdentity | X25519Identity) -> None:
    file = bytes(age.seal_bytes(b"warning data", [identity.recipient], Repeatable()))
    for end in range(len(file)):
        with pytest.raises((HeaderMalformed, PayloadDamaged)):
            age.open_stream(BytesIO(file[:end]), BytesIO(), [identity])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_file_of_several_chunks_cut_anywhere(data: st.DataObject) -> None:
    plaintext = Repeatable()(2 * CHUNK_BYTES + 100)
    file = bytes(age.seal_bytes(plaintext, [CLASSIC.recipient], Repeatable()))
    end = data.draw(st.integers(200, len(file) - 1))
    sink = BytesIO()
    with pytest.raises(PayloadDamaged):
        age.open_stream(BytesIO(file[:end]), sink, [CLASSIC])
    assert plaintext.startswith(sink.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_no_noise_opens(noise: bytes) -> None:
    for data in (noise, b"age-encryption.org/v1\n" + noise, b"age-encryption.org/v1\n-> X25519 " + noise):
        with pytest.raises(Rejected):
            age.open_stream(BytesIO(data), BytesIO(), [CLASSIC, HYBRID])


def test_each_recipient_opens_and_nobody_else() -> None:
    entropy = Repeatable()
    sealed = age.seal_bytes(b"for two", [HYBRID.recipient, READER.recipient], entropy)
    for identity in (HYBRID, READER):
        assert age.open_bytes(sealed, [CLASSIC, identity]) == b"for two"
    with pytest.raises(NoMatch) as caught:
        age.open_bytes(sealed, [HybridIdentity.generate(entropy)])
    assert caught.value.code == "wrong-key"
    with pytest.raises(NoMatch) as caught:
        age.open_bytes(sealed, [CLASSIC])
    assert caught.value.code == "not-addressed"


@pytest.mark.parametrize(
    ("recipients", "code"),
    [
        ([], "recipient-count"),
        ([CLASSIC.recipient] * 513, "recipient-count"),
        ([HYBRID.recipient, CLASSIC.recipient], "mixed-kinds"),
        ([PassphraseRecipient("one", 2), CLASSIC.recipient], "mixed-kinds"),
        ([PassphraseRecipient("one", 2), PassphraseRecipient("two", 2)], "mixed-kinds"),
    ],
    ids=["nobody", "too many", "hybrid and classic", "passphrase and key", "two passphrases"],
)
def test_recipients_that_are_refused(recipients: list[PassphraseRecipient], code: str) -> None:
    sink = BytesIO()
    with pytest.raises(Misuse) as caught:
        age.seal_stream(BytesIO(b"x"), sink, recipients, Repeatable())
    assert caught.value.code == code
    assert sink.getvalue() == b""


def test_no_identity_is_the_callers_fault() -> None:
    with pytest.raises(Misuse):
        age.open_bytes(age.seal_bytes(b"x", [CLASSIC.recipient], Repeatable()), [])


def test_one_payload_and_a_header_per_copy() -> None:
    entropy = Repeatable()
    file_key = age.new_file_key(entropy)
    payload = BytesIO()
    age.seal_payload(file_key, BytesIO(b"the item"), payload, entropy)
    for identity in (HYBRID, READER, CLASSIC):
        header = age.seal_header(file_key, [identity.recipient], entropy)
        assert age.open_bytes(age.Sealed(header, payload.getvalue()), [identity]) == b"the item"
        opened = BytesIO()
        age.open_stream(BytesIO(header + payload.getvalue()), opened, [identity])
        assert opened.getvalue() == b"the item"


def test_rewrapping_adds_a_reader_and_takes_none_away() -> None:
    entropy = Repeatable()
    sealed = age.seal_bytes(b"the item", [HYBRID.recipient], entropy)
    header = age.rewrap(sealed.header, [HYBRID], [READER.recipient], entropy)
    assert age.open_bytes(age.Sealed(header, sealed.payload), [READER]) == b"the item"
    assert age.open_bytes(sealed, [HYBRID]) == b"the item"
    with pytest.raises(NoMatch):
        age.open_header(header, [HYBRID])
    with pytest.raises(NoMatch):
        age.rewrap(sealed.header, [READER], [READER.recipient], entropy)


def test_a_header_does_not_open_the_payload_of_another_file() -> None:
    entropy = Repeatable()
    one, two = (age.seal_bytes(text, [HYBRID.recipient], entropy) for text in (b"one", b"two"))
    with pytest.raises(PayloadDamaged):
        age.open_bytes(age.Sealed(one.header, two.payload), [HYBRID])


def test_a_stanza_moved_into_another_header_is_noticed() -> None:
    """(12) An attacker who can add a stanza of his own cannot keep the rest of the header."""
    entropy = Repeatable()
    sealed = age.seal_bytes(b"x", [CLASSIC.recipient], entropy)
    other = age.seal_header(FileKey(bytes(16)), [READER.recipient], entropy)
    stanza = other.split(b"\n---")[0].split(b"v1\n")[1] + b"\n"
    forged = sealed.header.replace(b"v1\n", b"v1\n" + stanza, 1)
    for identity in (CLASSIC, READER):
        with pytest.raises(HeaderForged):
            age.open_header(forged, [identity])


def test_a_minimum_suite_is_demanded_of_the_whole_header() -> None:
    entropy = Repeatable()
    file_key = age.new_file_key(entropy)
    hybrid = age.seal_header(file_key, [HYBRID.recipient], entropy)
    assert age.require_kind(hybrid, HYBRID.kind) == hybrid
    classic = age.seal_header(file_key, [CLASSIC.recipient], entropy)
    stanza = classic.split(b"\n---")[0].split(b"v1\n")[1] + b"\n"
    for header in (classic, hybrid.replace(b"v1\n", b"v1\n" + stanza, 1)):
        with pytest.raises(HeaderMalformed) as caught:
            age.require_kind(header, HYBRID.kind)
        assert caught.value.code == "other-kind"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), min_size=1),
            st.binary(max_size=200),
        ),
        min_size=1,
        max_size=4,
    ).filter(lambda stanzas: len(stanzas) == 1 or all(arguments[0] != "scrypt" for arguments, _ in stanzas)),
    st.binary(min_size=32, max_size=32),
)
def test_a_header_is_read_as_written(stanzas: list[tuple[list[str], bytes]], mac: bytes) -> None:
    """(5) decode(encode(x)) is x, and encode(decode(b)) is b, for kinds we know and kinds we do not."""
    header = Header(tuple(Stanza(tuple(arguments), body) for arguments, body in stanzas), mac)
    assert parse(header.encode()) == header
    assert parse(header.encode()).encode() == header.encode()


def test_the_first_identity_that_fits_is_asked_first() -> None:
    """(11) The order is the caller's: a slow identity at the end is never tried if another opens."""

    class Counting:
        kind = CLASSIC.kind

        def __init__(self, inner: Identity) -> None:
            self.inner = inner
            self.tried = 0

        def unwrap(self, stanza: object) -> FileKey | None:
            self.tried += 1
            return self.inner.unwrap(stanza)

    first, second = Counting(CLASSIC), Counting(X25519Identity.generate(Repeatable(b"other")))
    sealed = age.seal_bytes(b"x", [CLASSIC.recipient], Repeatable())
    assert age.open_bytes(sealed, [first, second]) == b"x"
    assert (first.tried, second.tried) == (1, 0)
