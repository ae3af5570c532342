"""spec/seal.md (21) to (26): the inner manifest, commitments and padding."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from math import ceil, floor, log2
from unicodedata import normalize

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comity.errors import InternalError, Misuse
from comity.seal import age, items
from comity.seal import manifest as manifests
from comity.seal.commitment import commitment
from comity.seal.manifest import Binding, Manifest, content_commitment
from comity.seal.padding import padded_length
from comity.seal.refusals import ManifestRejected, PayloadDamaged
from seal.entropy import Repeatable

SALT = bytes(range(32))
FILE_KEY = age.new_file_key(Repeatable())


def manifest_of(content: bytes, **changes: object) -> Manifest:
    binding = Binding(
        author="jp",
        relationship="jp-kr",
        item="jp/2023/0041",
        label=sha256(b"label").digest(),
        agreement=sha256(b"agreement").digest(),
        content=content_commitment(SALT, sha256(content).digest()),
    )
    manifest = Manifest(binding=binding, salt=SALT, length=len(content), media_type="text/plain", file_name="경보.txt")
    return msgspec.structs.replace(manifest, **changes)


def forged(manifest: Manifest, content: bytes, padding: bytes | None = None) -> bytes:
    """A plaintext put together by hand, whatever it says."""
    data = msgspec.json.encode(manifest)
    plaintext = b"comity-sealed/1\n" + len(data).to_bytes(4) + data + content
    return plaintext + (bytes(padded_length(len(plaintext)) - len(plaintext)) if padding is None else padding)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 600_000), st.integers(1, 300_000))
@example(0, 1)
def test_opening_gives_what_was_sealed(size: int, step: int) -> None:
    content = Repeatable()(size)
    manifest = manifest_of(content)
    plaintext = items.pack(manifest, content)
    assert plaintext == forged(manifest, content)
    assert len(plaintext) == padded_length(len(plaintext))
    assert items.unpack(plaintext, manifest.binding) == items.Item(manifest, content)

    sealed, opened = BytesIO(), BytesIO()
    age.seal_payload(FILE_KEY, items.packed(manifest, BytesIO(content)), sealed, Repeatable())
    assert age.open_payload_bytes(FILE_KEY, sealed.getvalue()) == plaintext
    sealed.seek(0)
    assert items.unpack_payload(FILE_KEY, sealed, opened, manifest.binding) == manifest
    assert opened.getvalue() == content

    in_steps = items._Unpacking(manifest.binding, whole := BytesIO())
    for start in range(0, len(plaintext), step):
        in_steps.write(plaintext[start : start + step])
    assert in_steps.finish() == manifest
    assert whole.getvalue() == content


def test_measuring_a_content() -> None:
    content = Repeatable()(700_000)
    assert items.measure(BytesIO(content)) == items.Measure(len(content), sha256(content).digest())


@pytest.mark.parametrize("field", Binding.__struct_fields__)
def test_a_binding_that_differs_is_named_and_nothing_is_released(field: str) -> None:
    manifest = manifest_of(b"content")
    value = getattr(manifest.binding, field)
    other = msgspec.structs.replace(manifest.binding, **{field: "kr" if isinstance(value, str) else bytes(32)})
    sealed, sink = BytesIO(), BytesIO()
    age.seal_payload(FILE_KEY, items.packed(manifest, BytesIO(b"content")), sealed, Repeatable())
    sealed.seek(0)
    with pytest.raises(ManifestRejected) as caught:
        items.unpack_payload(FILE_KEY, sealed, sink, other)
    assert (caught.value.code, caught.value.place) == ("manifest-differs", field)
    assert sink.getvalue() == b""


@pytest.mark.parametrize("wrong", [b"contenT", b"conten", b"contents", b""])
def test_a_content_that_is_not_the_manifests_is_not_sealed(wrong: bytes) -> None:
    with pytest.raises(Misuse):
        items.pack(manifest_of(b"content"), wrong)
    with pytest.raises(Misuse):
        age.seal_payload(FILE_KEY, items.packed(manifest_of(b"content"), BytesIO(wrong)), BytesIO(), Repeatable())


def test_a_content_that_is_not_the_manifests_is_not_opened() -> None:
    manifest = manifest_of(b"content")
    with pytest.raises(ManifestRejected) as caught:
        items.unpack(forged(manifest, b"contenT"), manifest.binding)
    assert caught.value.code == "content-differs"


def test_another_salt_is_another_content() -> None:
    manifest = manifest_of(b"content", salt=bytes(32))
    with pytest.raises(ManifestRejected) as caught:
        items.unpack(forged(manifest, b"content"), manifest.binding)
    assert caught.value.code == "content-differs"


@pytest.mark.parametrize("change", [-1, 1, 100])
def test_a_length_that_is_not_the_contents(change: int) -> None:
    manifest = manifest_of(b"content", length=7 + change)
    with pytest.raises(ManifestRejected):
        items.unpack(forged(manifest, b"content"), manifest.binding)


def test_a_content_that_ends_early_where_no_padding_is_due() -> None:
    """What is there is what the binding commits to, and there is less of it than the manifest says."""
    for more in range(1, 100):
        manifest = manifest_of(b"content", length=7 + more)
        plaintext = forged(manifest, b"content", padding=b"")
        if padded_length(len(plaintext) + more) == len(plaintext) + more:
            break
    with pytest.raises(ManifestRejected) as caught:
        items.unpack(plaintext, manifest.binding)
    assert caught.value.code == "content-differs"


def test_a_manifest_too_long_is_refused_before_it_is_waited_for() -> None:
    unpacking = items._Unpacking(manifest_of(b"").binding, BytesIO())
    with pytest.raises(ManifestRejected):
        unpacking.write(b"comity-sealed/1\n" + (16 * 1024 + 1).to_bytes(4))


def test_padding_is_zeros_to_exactly_its_length() -> None:
    manifest = manifest_of(b"content")
    good = items.pack(manifest, b"content")
    padding = len(good) - len(good.rstrip(b"\0"))
    assert padding > 1
    for wrong in (good[:-1], good + b"\0", good[:-1] + b"\1", good[:-padding], good + bytes(5000)):
        with pytest.raises(ManifestRejected) as caught:
            items.unpack(wrong, manifest.binding)
        assert caught.value.code == "padding-differs"


def test_endless_padding_is_refused_when_it_begins() -> None:
    """A small item sealed with a gigabyte of zeros does not make its reader count them."""
    manifest = manifest_of(b"content")
    unpacking = items._Unpacking(manifest.binding, BytesIO())
    with pytest.raises(ManifestRejected):
        unpacking.write(items.pack(manifest, b"content") + bytes(1))


def test_every_byte_of_a_plaintext_counts() -> None:
    manifest = manifest_of(b"content")
    plaintext = items.pack(manifest, b"content")
    differs = 0
    for place in range(len(plaintext)):
        changed = plaintext[:place] + bytes([plaintext[place] ^ 1]) + plaintext[place + 1 :]
        try:
            item = items.unpack(changed, manifest.binding)
        except ManifestRejected:
            continue
        # Only what the record does not fix can be changed by the author himself: how the file is called.
        assert item.content == b"content"
        assert item.manifest.binding == manifest.binding
        assert (item.manifest.media_type, item.manifest.file_name) != (manifest.media_type, manifest.file_name)
        differs += 1
    assert differs < len("text/plain경보.txt".encode())


def test_a_shorter_plaintext_is_refused() -> None:
    manifest = manifest_of(b"content")
    plaintext = items.pack(manifest, b"content")
    for end in range(len(plaintext)):
        with pytest.raises(ManifestRejected):
            items.unpack(plaintext[:end], manifest.binding)


def _json(text: str) -> bytes:
    data = text.encode()
    return b"comity-sealed/1\n" + len(data).to_bytes(4) + data


GOOD = msgspec.json.encode(manifest_of(b"")).decode()


@pytest.mark.parametrize(
    "plaintext",
    [
        b"%PDF-1.7 not an item at all",
        b"comity-sealed/2\n" + bytes(20),
        b"comity-sealed/1\n" + (16 * 1024 + 1).to_bytes(4) + bytes(20_000),
        b"comity-sealed/1\n" + (1 << 31).to_bytes(4) + bytes(20),
        _json(""),
        _json("{}"),
        _json("[]"),
        _json(GOOD + " "),
        _json(" " + GOOD),
        _json(GOOD.replace('"length":0', '"length": 0')),
        _json(GOOD.replace('"length":0', '"length":0.0')),
        _json(GOOD.replace('"length":0', '"length":-1')),
        _json(GOOD.replace('"length":0', '"length":-0')),
        _json(GOOD.replace('"length":0', '"length":9007199254740992')),
        _json(GOOD.replace('"length":0', '"length":0,"length":0')),
        _json(GOOD.replace('"length":0', '"length":0,"width":0')),
        _json(GOOD.replace('"length":0', '"length":"0"')),
        _json(GOOD.replace('"author":"jp"', '"author":"\\u006ap"')),
        _json(GOOD.replace('"author":"jp"', '"author":""')),
        _json(GOOD.replace('"author":"jp"', f'"author":"{"j" * 201}"')),
        _json(GOOD.replace('"author":"jp",', "")),
        _json(GOOD.replace('"author":"jp","relationship":"jp-kr"', '"relationship":"jp-kr","author":"jp"')),
        _json(GOOD.replace("=", "")),
        _json(GOOD.replace('"salt":"AAEC', '"salt":"AAE')),
        _json(GOOD.replace("경보", normalize("NFD", "경보"))),
        _json(GOOD.replace("경보", "/etc/passwd")),
        _json(GOOD).replace("경보".encode(), b"\xff\xfe\xfd\xfc\xfb\xfa"),
    ],
)
def test_a_manifest_we_would_not_write_is_not_read(plaintext: bytes) -> None:
    with pytest.raises(ManifestRejected) as caught:
        items.unpack(plaintext, manifest_of(b"").binding)
    assert caught.value.code == "manifest-malformed"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\n",
        "a\x7f",
        "evil\u202efdp.exe",
        "\u2066x",
        "\ufeffx",
        "x" * 256,
        "경" * 86,
        "e\u0301",
    ],
)
def test_a_file_name_that_could_mislead(name: str) -> None:
    manifest = manifest_of(b"", file_name=name)
    with pytest.raises(Misuse):
        items.pack(manifest, b"")
    with pytest.raises(ManifestRejected):
        items.unpack(forged(manifest, b""), manifest.binding)


@pytest.mark.parametrize("name", ["x", "...", ".profile", "極秘 報告.pdf", "경" * 85, "a" * 255, "-rf", "CON"])
def test_a_file_name_that_is_one(name: str) -> None:
    manifest = manifest_of(b"", file_name=name)
    assert items.unpack(items.pack(manifest, b""), manifest.binding).manifest.file_name == name


@pytest.mark.parametrize("media_type", ["", "text", "Text/plain", "text/plain; charset=utf-8", "text/", "/x", "a/b\n"])
def test_a_media_type_that_is_none(media_type: str) -> None:
    with pytest.raises(Misuse):
        items.pack(manifest_of(b"", media_type=media_type), b"")


def test_the_largest_manifest_fits_its_bound() -> None:
    longest = "𠀋" * 200  # four bytes each, the most that a character people can see takes
    binding = msgspec.structs.replace(manifest_of(b"").binding, author=longest, relationship=longest, item=longest)
    manifest = manifest_of(b"", binding=binding, file_name="경" * 85, media_type=f"{'a' * 127}/{'b' * 127}")
    assert len(manifests.encode(manifest)) < manifests.MANIFEST_BYTES_MAX
    assert items.unpack(items.pack(manifest, b""), binding).manifest == manifest


def test_a_payload_that_is_damaged_is_told_apart_from_a_manifest_that_differs() -> None:
    manifest = manifest_of(b"content")
    sealed = BytesIO()
    age.seal_payload(FILE_KEY, items.packed(manifest, BytesIO(b"content")), sealed, Repeatable())
    with pytest.raises(PayloadDamaged):
        items.unpack_payload(FILE_KEY, BytesIO(sealed.getvalue()[:-1]), BytesIO(), manifest.binding)


def test_the_commitment_is_the_digest_of_its_three_parts() -> None:
    digest = sha256(b"content").digest()
    assert commitment(b"comity/x/1", SALT, digest) == sha256(b"comity/x/1" + SALT + digest).digest()
    assert content_commitment(SALT, digest) == commitment(b"comity/content/1", SALT, digest)
    for salt, what in ((SALT[:31], digest), (SALT, digest[:31]), (b"", SALT + digest)):
        with pytest.raises(InternalError):
            commitment(b"comity/x/1", salt, what)


@given(st.integers(2, 1 << 60))
def test_padme(length: int) -> None:
    padded = padded_length(length)
    exponent = length.bit_length() - 1
    zero_bits = exponent - (floor(log2(exponent)) + 1 if exponent else 0)
    assert length <= padded <= ceil(length * 1.12)
    assert padded_length(padded) == padded
    assert padded % (1 << max(0, zero_bits)) == 0


def test_padme_of_small_lengths() -> None:
    assert [padded_length(length) for length in range(10)] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert padded_length(1_000_003) == 1_015_808
    sizes = {padded_length(length) for length in range(1 << 16, 1 << 17)}
    assert len(sizes) == 33  # five bits of a 17-bit length can be seen, and the next power of two
