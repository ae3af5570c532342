"""Files with one thing wrong each (or nothing), named for the defect, with the layer that must answer.

The scenarios are those of the CCTV age vectors, built anew, and some of our own. A layer is the class of the refusal;
``None`` is success.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from comity.errors import Rejected
from comity.seal.refusals import ArmorMalformed, HeaderForged, HeaderMalformed, NoMatch, PayloadDamaged
from seal.testkit import (
    HYBRID_SEED,
    LOW_ORDER_POINT,
    OTHER_HYBRID_SEED,
    OTHER_X25519_SECRET,
    AgeFile,
    armored,
    not_canonical,
    raw64,
)

CHUNK = 64 * 1024


class Vector(NamedTuple):
    """One file.

    ``plaintext`` is what may be released: all of it on success, the chunks before the defect otherwise.
    """

    name: str
    layer: type[Rejected] | None
    code: str
    data: bytes
    plaintext: bytes = b""


VECTORS: list[Vector] = []


def vector(
    layer: type[Rejected] | None, code: str = "", plaintext: bytes | None = None
) -> Callable[[Callable[[], AgeFile | str]], None]:
    def keep(build: Callable[[], AgeFile | str]) -> None:
        built = build()
        data = built.encode("latin-1") if isinstance(built, str) else built.data
        released = plaintext if plaintext is not None else b"" if layer else b"age"
        VECTORS.append(Vector(build.__name__, layer, code, data, released))

    return keep


def _x25519() -> AgeFile:
    return AgeFile().x25519()


def _grease(count: int = 1) -> AgeFile:
    file = AgeFile()
    for number in range(count):
        file.stanza(f"grease{number}", "anything!#$%&'()*+,-./:;<=>?@[]^_`{|}~", body=b"x" * number)
    return file


# --- X25519 ---------------------------------------------------------------------------------------------------------


@vector(None)
def x25519() -> AgeFile:
    return _x25519().done()


@vector(None)
def x25519_after_unknown_stanzas() -> AgeFile:
    return _grease(3).x25519().done()


@vector(None)
def x25519_among_others_of_its_kind() -> AgeFile:
    return AgeFile().x25519(OTHER_X25519_SECRET).x25519().done()


@vector(None)
def x25519_next_to_hybrid_is_read_though_never_written() -> AgeFile:
    return AgeFile().x25519().hybrid(OTHER_HYBRID_SEED).done()


@vector(NoMatch, "wrong-key")
def x25519_of_somebody_else() -> AgeFile:
    return AgeFile().x25519(OTHER_X25519_SECRET).done()


@vector(NoMatch, "wrong-key")
def x25519_body_changed() -> AgeFile:
    file = _x25519()
    arguments, body = file.unread_stanza()
    return file.line(f"-> {' '.join(arguments)}").line(("A" if body[0] != "A" else "B") + body[1:]).done()


@vector(NoMatch, "not-addressed")
def x25519_in_lower_case() -> AgeFile:
    file = _x25519()
    arguments, body = file.unread_stanza()
    return file.line(f"-> x25519 {arguments[1]}").line(body).done()


@vector(HeaderMalformed, "argument-count")
def x25519_extra_argument() -> AgeFile:
    file = _x25519()
    arguments, body = file.unread_stanza()
    return file.line(f"-> {' '.join(arguments)} 1234").line(body).done()


@vector(HeaderMalformed, "argument-count")
def x25519_no_share() -> AgeFile:
    file = _x25519()
    _, body = file.unread_stanza()
    return file.line("-> X25519").line(body).done()


@vector(HeaderMalformed, "body-length")
def x25519_long_file_key() -> AgeFile:
    return AgeFile(file_key=b"A LONGER YELLOW SUBMARINE").x25519().done()


@vector(HeaderMalformed, "length")
def x25519_short_share() -> AgeFile:
    return AgeFile().stanza("X25519", raw64(bytes(31)), body=bytes(32)).done()


@vector(HeaderMalformed, "length")
def x25519_long_share() -> AgeFile:
    return AgeFile().stanza("X25519", raw64(bytes(33)), body=bytes(32)).done()


@vector(HeaderMalformed, "length")
def x25519_with_a_hybrid_share() -> AgeFile:
    return AgeFile().stanza("X25519", raw64(bytes(1120)), body=bytes(32)).done()


@vector(HeaderMalformed, "base64")
def x25519_share_not_canonical() -> AgeFile:
    file = _x25519()
    arguments, body = file.unread_stanza()
    return file.line(f"-> X25519 {not_canonical(arguments[1])}").line(body).done()


@vector(HeaderMalformed, "base64")
def x25519_share_padded() -> AgeFile:
    file = _x25519()
    arguments, body = file.unread_stanza()
    return file.line(f"-> X25519 {arguments[1]}=").line(body).done()


@vector(HeaderMalformed, "base64")
def x25519_body_not_canonical() -> AgeFile:
    file = _x25519()
    return file.line(not_canonical(file.unread_line())).done()


@vector(HeaderMalformed, "low-order")
def x25519_share_zero() -> AgeFile:
    return AgeFile().x25519(share=bytes(32), zero=True).done()


@vector(HeaderMalformed, "low-order")
def x25519_share_of_low_order() -> AgeFile:
    return AgeFile().x25519(share=LOW_ORDER_POINT, zero=True).done()


@vector(HeaderMalformed, "low-order")
def x25519_share_of_low_order_with_its_unused_bit_set() -> AgeFile:
    share = LOW_ORDER_POINT[:-1] + bytes([LOW_ORDER_POINT[-1] | 0x80])
    return AgeFile().x25519(share=share, zero=True).done()


# --- hybrid ---------------------------------------------------------------------------------------------------------


@vector(None)
def hybrid() -> AgeFile:
    return AgeFile().hybrid().done()


@vector(None)
def hybrid_after_unknown_stanzas() -> AgeFile:
    return _grease(2).hybrid().done()


@vector(None)
def hybrid_among_others_of_its_kind() -> AgeFile:
    return AgeFile().hybrid(OTHER_HYBRID_SEED).hybrid().done()


@vector(NoMatch, "wrong-key")
def hybrid_of_somebody_else() -> AgeFile:
    return AgeFile().hybrid(OTHER_HYBRID_SEED).done()


@vector(NoMatch, "not-addressed")
def hybrid_in_upper_case() -> AgeFile:
    file = AgeFile().hybrid()
    arguments, body = file.unread_stanza()
    return file.line(f"-> MLKEM768X25519 {arguments[1]}").line(body).done()


def _hybrid_with(change: Callable[[str], str]) -> AgeFile:
    file = AgeFile().hybrid()
    arguments, body = file.unread_stanza()
    return file.line(f"-> mlkem768x25519 {change(arguments[1])}").line(body).done()


@vector(NoMatch, "wrong-key")
def hybrid_mlkem_ciphertext_changed() -> AgeFile:
    return _hybrid_with(lambda text: ("A" if text[0] != "A" else "B") + text[1:])


@vector(NoMatch, "wrong-key")
def hybrid_x25519_share_changed() -> AgeFile:
    return _hybrid_with(lambda text: text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:])


@vector(NoMatch, "wrong-key")
def hybrid_body_changed() -> AgeFile:
    file = AgeFile().hybrid()
    body = file.unread_line()
    return file.line(("A" if body[0] != "A" else "B") + body[1:]).done()


@vector(HeaderMalformed, "base64")
def hybrid_enc_not_canonical() -> AgeFile:
    return _hybrid_with(not_canonical)


@vector(HeaderMalformed, "length")
def hybrid_enc_short() -> AgeFile:
    return AgeFile().stanza("mlkem768x25519", raw64(bytes(1119)), body=bytes(32)).done()


@vector(HeaderMalformed, "length")
def hybrid_enc_long() -> AgeFile:
    return AgeFile().stanza("mlkem768x25519", raw64(bytes(1121)), body=bytes(32)).done()


@vector(HeaderMalformed, "argument-count")
def hybrid_extra_argument() -> AgeFile:
    return _hybrid_with(lambda text: f"{text} 1234")


@vector(HeaderMalformed, "body-length")
def hybrid_long_file_key() -> AgeFile:
    return AgeFile(file_key=b"A LONGER YELLOW SUBMARINE").hybrid().done()


@vector(HeaderMalformed, "base64")
def hybrid_body_not_canonical() -> AgeFile:
    file = AgeFile().hybrid()
    return file.line(not_canonical(file.unread_line())).done()


@vector(HeaderMalformed, "low-order")
def hybrid_share_of_low_order() -> AgeFile:
    return AgeFile().hybrid(HYBRID_SEED, share=LOW_ORDER_POINT).done()


# --- scrypt ---------------------------------------------------------------------------------------------------------


@vector(None)
def scrypt() -> AgeFile:
    return AgeFile().scrypt().done()


@vector(NoMatch, "wrong-passphrase")
def scrypt_other_passphrase() -> AgeFile:
    return AgeFile().scrypt("hunter2").done()


@vector(NoMatch, "not-addressed")
def scrypt_in_upper_case() -> AgeFile:
    file = AgeFile().scrypt()
    arguments, body = file.unread_stanza()
    return file.line(f"-> SCRYPT {' '.join(arguments[1:])}").line(body).done()


@vector(HeaderMalformed, "mixed-kinds")
def scrypt_next_to_x25519() -> AgeFile:
    return AgeFile().scrypt().x25519().done()


@vector(HeaderMalformed, "mixed-kinds")
def scrypt_next_to_an_unknown_stanza() -> AgeFile:
    return _grease().scrypt().done()


@vector(HeaderMalformed, "mixed-kinds")
def scrypt_twice() -> AgeFile:
    return AgeFile().scrypt().scrypt().done()


@vector(HeaderMalformed, "body-length")
def scrypt_long_file_key() -> AgeFile:
    return AgeFile(file_key=b"A LONGER YELLOW SUBMARINE").scrypt().done()


@vector(HeaderMalformed, "length")
def scrypt_salt_short() -> AgeFile:
    return AgeFile().scrypt(salt=bytes(15)).done()


@vector(HeaderMalformed, "length")
def scrypt_salt_long() -> AgeFile:
    return AgeFile().scrypt(salt=bytes(17)).done()


@vector(HeaderMalformed, "argument-count")
def scrypt_no_salt() -> AgeFile:
    return AgeFile().stanza("scrypt", "10", body=bytes(32)).done()


@vector(HeaderMalformed, "argument-count")
def scrypt_no_work_factor() -> AgeFile:
    return AgeFile().stanza("scrypt", raw64(bytes(16)), body=bytes(32)).done()


@vector(HeaderMalformed, "argument-count")
def scrypt_extra_argument() -> AgeFile:
    return AgeFile().stanza("scrypt", raw64(bytes(16)), "10", "10", body=bytes(32)).done()


@vector(HeaderMalformed, "base64")
def scrypt_salt_not_canonical() -> AgeFile:
    return AgeFile().stanza("scrypt", not_canonical(raw64(bytes(16))), "10", body=bytes(32)).done()


def _scrypt_work_factor(name: str, factor: str, code: str = "work-factor") -> None:
    def build() -> AgeFile:
        return AgeFile().scrypt(factor=factor).done()

    build.__name__ = f"scrypt_work_factor_{name}"
    vector(HeaderMalformed, code)(build)


for _name, _factor in {
    "hex": "0xa",
    "leading_plus": "+10",
    "leading_zero": "010",
    "negative": "-10",
    "zero": "0",
    "underscore": "1_0",
    "trailing_letter": "10a",
    "overflow": "18446744073709551626",
}.items():
    _scrypt_work_factor(_name, _factor)
_scrypt_work_factor("superscript", "1\u00b9", "not-ascii")
_scrypt_work_factor("21", "21", "work-factor-max")
_scrypt_work_factor("999", "999", "work-factor-max")


# --- header ---------------------------------------------------------------------------------------------------------


@vector(HeaderMalformed, "not-age")
def version_2() -> AgeFile:
    return AgeFile(first_line="age-encryption.org/v2").x25519().done()


@vector(HeaderMalformed, "not-age")
def version_line_with_space() -> AgeFile:
    return AgeFile(first_line="age-encryption.org/v1 ").x25519().done()


@vector(HeaderMalformed, "not-age")
def header_crlf() -> AgeFile:
    file = _x25519().mac()
    file.data = file.data.replace(b"\n", b"\r\n")
    return file.payload()


@vector(HeaderMalformed, "truncated")
def empty_file() -> str:
    return ""


@vector(HeaderMalformed, "stanza-count")
def no_stanza() -> AgeFile:
    return AgeFile().done()


@vector(HeaderMalformed, "stanza")
def stanza_bad_start() -> AgeFile:
    return _x25519().line("- > grease").line("").done()


@vector(HeaderMalformed, "stanza")
def stanza_no_space_after_the_arrow() -> AgeFile:
    return _x25519().line("->grease").line("").done()


@vector(HeaderMalformed, "stanza")
def stanza_no_arguments() -> AgeFile:
    return _x25519().line("->").line("").done()


@vector(HeaderMalformed, "argument")
def stanza_empty_argument() -> AgeFile:
    return _x25519().line("-> grease  two").line("").done()


@vector(HeaderMalformed, "argument")
def stanza_trailing_space() -> AgeFile:
    return _x25519().line("-> grease ").line("").done()


@vector(HeaderMalformed, "argument")
def stanza_control_character() -> AgeFile:
    return _x25519().line("-> grease\x7f").line("").done()


@vector(HeaderMalformed, "argument")
def stanza_tab_between_arguments() -> AgeFile:
    return _x25519().line("-> grease\ttwo").line("").done()


@vector(HeaderMalformed, "argument")
def stanza_carriage_return() -> AgeFile:
    return _x25519().line("-> grease\r").line("").done()


@vector(HeaderMalformed, "not-ascii")
def stanza_not_ascii() -> AgeFile:
    return _x25519().line("-> gr\xe9ase").line("").done()


@vector(None)
def stanza_empty_body() -> AgeFile:
    return AgeFile().stanza("empty", body=b"").x25519().done()


@vector(None)
def stanza_body_of_a_full_line_and_an_empty_one() -> AgeFile:
    return AgeFile().stanza("full", body=bytes(48)).x25519().done()


@vector(None)
def stanza_all_visible_characters() -> AgeFile:
    return AgeFile().stanza(*"".join(map(chr, range(0x21, 0x7F))), body=b"").x25519().done()


@vector(HeaderMalformed, "base64")
def stanza_without_body_before_another() -> AgeFile:
    return AgeFile().line("-> grease").x25519().done()


@vector(HeaderMalformed, "no-final-line")
def stanza_without_body_before_the_mac() -> AgeFile:
    return _x25519().line("-> grease").done()


@vector(HeaderMalformed, "no-final-line")
def stanza_full_line_before_the_mac() -> AgeFile:
    return _x25519().line("-> grease").line("A" * 64).done()


@vector(HeaderMalformed, "base64")
def stanza_full_line_before_another() -> AgeFile:
    return AgeFile().line("-> grease").line("A" * 64).x25519().done()


@vector(HeaderMalformed, "stanza")
def stanza_two_short_lines() -> AgeFile:
    return _x25519().line("-> grease").line("AAAA").line("AAAA").done()


@vector(HeaderMalformed, "stanza")
def stanza_empty_line_after_a_short_one() -> AgeFile:
    return _x25519().line("-> grease").line("AAAA").line("").done()


@vector(HeaderMalformed, "long-line")
def stanza_long_line() -> AgeFile:
    return _x25519().line("-> grease").line("A" * 68).line("").done()


@vector(HeaderMalformed, "base64")
def stanza_body_padded() -> AgeFile:
    return _x25519().line("-> grease").line("AAA=").done()


@vector(HeaderMalformed, "base64")
def stanza_body_not_canonical() -> AgeFile:
    return _x25519().line("-> grease").line("AAB").done()


@vector(HeaderMalformed, "base64")
def stanza_body_of_one_character() -> AgeFile:
    return _x25519().line("-> grease").line("A").done()


@vector(HeaderMalformed, "base64")
def stanza_body_with_space() -> AgeFile:
    return _x25519().line("-> grease").line("AA AA").done()


@vector(HeaderMalformed, "base64")
def stanza_body_in_the_url_alphabet() -> AgeFile:
    return _x25519().line("-> grease").line("-_-_").done()


@vector(HeaderMalformed, "stanza-count")
def stanza_too_many() -> AgeFile:
    return _grease(512).x25519().done()


@vector(HeaderMalformed, "too-long")
def header_too_long() -> AgeFile:
    return _x25519().stanza("grease", body=bytes(800_000)).done()


@vector(HeaderMalformed, "too-long")
def header_without_end() -> AgeFile:
    return _x25519().raw(b"-> grease\n" + b"A" * (1 << 20))


@vector(HeaderMalformed, "truncated")
def mac_missing() -> AgeFile:
    return _x25519().payload()


@vector(HeaderMalformed, "mac-line")
def mac_without_space() -> AgeFile:
    file = _x25519()
    return file.line(f"---{raw64(file.mac_bytes())}").payload()


@vector(HeaderMalformed, "mac-line")
def mac_two_spaces() -> AgeFile:
    file = _x25519()
    return file.line(f"---  {raw64(file.mac_bytes())}").payload()


@vector(HeaderMalformed, "mac-line")
def mac_trailing_space() -> AgeFile:
    file = _x25519()
    return file.line(f"--- {raw64(file.mac_bytes())} ").payload()


@vector(HeaderMalformed, "mac-line")
def mac_padded() -> AgeFile:
    file = _x25519()
    return file.line(f"--- {raw64(file.mac_bytes())}=").payload()


@vector(HeaderMalformed, "mac-line")
def mac_not_canonical() -> AgeFile:
    file = _x25519()
    return file.line(f"--- {not_canonical(raw64(file.mac_bytes()))}").payload()


@vector(HeaderMalformed, "mac-line")
def mac_short() -> AgeFile:
    file = _x25519()
    return file.line(f"--- {raw64(file.mac_bytes()[:31])}").payload()


@vector(HeaderMalformed, "mac-line")
def mac_bare() -> AgeFile:
    return _x25519().line("---").payload()


@vector(HeaderForged)
def mac_of_something_else() -> AgeFile:
    file = _x25519()
    return file.line(f"--- {raw64(bytes(32))}").payload()


@vector(HeaderForged)
def stanza_added_after_sealing() -> AgeFile:
    file = _x25519()
    mac = file.mac_bytes()
    return file.stanza("added", body=b"").line(f"--- {raw64(mac)}").payload()


# --- payload --------------------------------------------------------------------------------------------------------


def _sealed() -> AgeFile:
    return _x25519().mac().nonce()


@vector(None, plaintext=b"")
def payload_empty() -> AgeFile:
    return _sealed().final(b"")


@vector(None, plaintext=bytes(CHUNK))
def payload_one_full_chunk() -> AgeFile:
    return _sealed().final(bytes(CHUNK))


@vector(None, plaintext=bytes(2 * CHUNK))
def payload_two_full_chunks() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK)).final(bytes(CHUNK))


@vector(None, plaintext=bytes(2 * CHUNK) + b"age")
def payload_three_chunks() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK)).chunk(bytes(CHUNK)).final(b"age")


@vector(None, plaintext=bytes(17 * CHUNK) + b"age")
def payload_of_two_batches() -> AgeFile:
    file = _sealed()
    for _ in range(17):
        file.chunk(bytes(CHUNK))
    return file.final(b"age")


@vector(None, plaintext=bytes(16 * CHUNK))
def payload_of_exactly_one_batch() -> AgeFile:
    file = _sealed()
    for _ in range(15):
        file.chunk(bytes(CHUNK))
    return file.final(bytes(CHUNK))


@vector(PayloadDamaged, "truncated")
def payload_no_nonce() -> AgeFile:
    return _x25519().mac()


@vector(PayloadDamaged, "truncated")
def payload_short_nonce() -> AgeFile:
    return _x25519().mac().raw(bytes(15))


@vector(PayloadDamaged, "truncated")
def payload_no_chunks() -> AgeFile:
    return _sealed()


@vector(PayloadDamaged, "truncated")
def payload_chunk_shorter_than_its_tag() -> AgeFile:
    return _sealed().raw(bytes(15))


@vector(PayloadDamaged, "chunk-forged")
def payload_chunk_without_its_tag() -> AgeFile:
    file = _sealed().final(b"x" * 100)
    file.data = file.data[:-16]
    return file


@vector(PayloadDamaged, "truncated")
def payload_no_final_chunk() -> AgeFile:
    return _sealed().chunk(b"age")


@vector(PayloadDamaged, "truncated")
def payload_no_final_chunk_after_a_full_one() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK))


@vector(PayloadDamaged, "truncated", plaintext=bytes(16 * CHUNK))
def payload_no_final_chunk_after_a_batch() -> AgeFile:
    file = _sealed()
    for _ in range(17):
        file.chunk(bytes(CHUNK))
    return file


@vector(PayloadDamaged, "empty-final-chunk")
def payload_last_chunk_empty() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK)).final(b"")


@vector(PayloadDamaged, "chunk-forged")
def payload_changed() -> AgeFile:
    file = _sealed().final(b"age")
    file.data = file.data[:-1] + bytes([file.data[-1] ^ 1])
    return file


@vector(PayloadDamaged, "chunk-forged", plaintext=bytes(16 * CHUNK))
def payload_changed_in_its_second_batch() -> AgeFile:
    file = _sealed()
    for _ in range(17):
        file.chunk(bytes(CHUNK))
    file.final(b"age")
    file.data = file.data[:-1] + bytes([file.data[-1] ^ 1])
    return file


@vector(PayloadDamaged, "chunk-forged")
def payload_short_chunk_in_the_middle() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK - 1)).final(bytes(CHUNK))


@vector(PayloadDamaged, "trailing-data")
def payload_two_final_chunks() -> AgeFile:
    return _sealed().final(bytes(CHUNK)).final(bytes(CHUNK))


@vector(PayloadDamaged, "trailing-data")
def payload_garbage_after_a_full_last_chunk() -> AgeFile:
    return _sealed().final(bytes(CHUNK)).raw(b"garbage")


@vector(PayloadDamaged, "chunk-forged")
def payload_garbage_after_a_short_last_chunk() -> AgeFile:
    return _sealed().final(b"age").raw(b"garbage")


@vector(PayloadDamaged, "chunk-moved")
def payload_chunks_swapped() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK), index=1).chunk(bytes(CHUNK), index=0).chunk(b"age", final=True, index=2)


@vector(PayloadDamaged, "chunk-moved")
def payload_chunk_repeated() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK)).chunk(bytes(CHUNK), index=0).chunk(b"age", final=True, index=2)


@vector(PayloadDamaged, "chunk-moved")
def payload_chunk_missing() -> AgeFile:
    return _sealed().chunk(bytes(CHUNK)).chunk(b"age", final=True, index=2)


@vector(PayloadDamaged, "chunk-forged")
def payload_of_another_file() -> AgeFile:
    other = AgeFile(file_key=b"GREEN  SUBMARINE").payload().data.split(b"\n", 1)[1]
    return _x25519().mac().raw(other)


# --- armor ----------------------------------------------------------------------------------------------------------

_FILE = _x25519().done().data
_TEXT = armored(_FILE)
_LINES = _TEXT.split("\n")


@vector(None)
def armor() -> str:
    return _TEXT


@vector(None)
def armor_hybrid() -> str:
    return armored(AgeFile().hybrid().done().data)


@vector(None)
def armor_scrypt() -> str:
    return armored(AgeFile().scrypt().done().data)


@vector(None)
def armor_crlf() -> str:
    return _TEXT.replace("\n", "\r\n")


@vector(None)
def armor_without_last_end_of_line() -> str:
    return _TEXT[:-1]


@vector(None)
def armor_white_space_outside() -> str:
    return f"\n\r   \t\n{_TEXT}\n\r   \t\n"


@vector(None, plaintext=bytes(range(256)) * 2000)
def armor_of_several_blocks() -> str:
    plaintext = bytes(range(256)) * 2000
    file = _sealed()
    while len(plaintext) > CHUNK:
        file.chunk(plaintext[:CHUNK])
        plaintext = plaintext[CHUNK:]
    return armored(file.final(plaintext).data)


def _armor_with_last_line_full() -> bytes:
    file = _sealed()
    return file.final(b"." * (-(len(file.data) + 16) % 48)).data


@vector(None, plaintext=b"." * (len(_armor_with_last_line_full()) - len(_sealed().data) - 16))
def armor_last_line_full() -> str:
    return armored(_armor_with_last_line_full())


@vector(NoMatch, "wrong-key")
def armor_of_somebody_elses_file() -> str:
    return armored(AgeFile().x25519(OTHER_X25519_SECRET).done().data)


@vector(HeaderMalformed, "not-age")
def armor_of_a_file_with_crlf_in_its_header() -> str:
    return armored(_FILE.replace(b"\n", b"\r\n"))


@vector(ArmorMalformed, "empty")
def armor_empty() -> str:
    return armored(b"")


@vector(ArmorMalformed, "armor-line")
def armor_empty_line_first() -> str:
    return "\n".join((_LINES[0], "", *_LINES[1:]))


@vector(ArmorMalformed, "armor-line")
def armor_empty_line_last() -> str:
    return "\n".join((*_LINES[:-2], "", *_LINES[-2:]))


@vector(ArmorMalformed, "armor-line")
def armor_empty_line_between() -> str:
    return "\n".join((*_LINES[:2], "", *_LINES[2:]))


@vector(ArmorMalformed, "armor-line")
def armor_end_of_line_inside_the_padding() -> str:
    text = armored(_FILE + bytes(-len(_FILE) % 3 + 1))
    return text.replace("==", "=\n=")


@vector(ArmorMalformed, "armor-line")
def armor_long_lines() -> str:
    return armored(_FILE, columns=68)


@vector(ArmorMalformed, "armor-line")
def armor_short_lines() -> str:
    return armored(_FILE, columns=60)


@vector(ArmorMalformed, "armor-line")
def armor_one_line() -> str:
    return armored(_FILE, columns=100_000)


@vector(ArmorMalformed, "armor-line")
def armor_mixed_ends_of_line() -> str:
    return _TEXT.replace("\n", "\r\n").replace("\r\n", "\n", 3).replace("\n", "\r\n", 1)


@vector(ArmorMalformed, "armor-line")
def armor_without_padding() -> str:
    return armored(_FILE + bytes(-len(_FILE) % 3 + 1)).replace("=", "")


@vector(ArmorMalformed, "armor-line")
def armor_padding_at_the_end_of_a_full_line() -> str:
    """The line is the last of the first block that is decoded at once, so that only its size gives it away."""
    lines = armored(_sealed().final(bytes(5000)).data).split("\n")
    return "\n".join((*lines[:15], "A" * 63 + "=", *lines[16:]))


@vector(ArmorMalformed, "armor-line")
def armor_not_canonical() -> str:
    text = armored(_FILE + bytes(-len(_FILE) % 3 + 1))
    end = text.index("==")
    return text[: end - 1] + not_canonical(text[end - 1]) + text[end:]


@vector(ArmorMalformed, "armor-line")
def armor_invalid_character() -> str:
    return "\n".join((_LINES[0], "*" + _LINES[1][1:], *_LINES[2:]))


@vector(ArmorMalformed, "armor-line")
def armor_url_alphabet() -> str:
    return "\n".join((_LINES[0], "_" + _LINES[1][1:], *_LINES[2:]))


@vector(ArmorMalformed, "armor-line")
def armor_space_at_the_end_of_a_line() -> str:
    return _TEXT.replace("\n", " \n", 2).replace(" \n", "\n", 1)


@vector(ArmorMalformed, "armor-line")
def armor_space_at_the_start_of_a_line() -> str:
    return _TEXT.replace("\n", "\n ", 1)


@vector(ArmorMalformed, "begin-line")
def armor_space_after_the_first_line() -> str:
    return _TEXT.replace("\n", " \n", 1)


@vector(ArmorMalformed, "armor-line")
def armor_with_headers() -> str:
    return _TEXT.replace("\n", "\nComment: no\n\n", 1)


@vector(ArmorMalformed, "armor-line")
def armor_with_a_pgp_checksum() -> str:
    return "\n".join((*_LINES[:-2], "=njUN", *_LINES[-2:]))


@vector(ArmorMalformed, "begin-line")
def armor_label_in_lower_case() -> str:
    return armored(_FILE, label="age encrypted file")


@vector(ArmorMalformed, "begin-line")
def armor_of_another_type() -> str:
    return armored(_FILE, label="AGE ENCRYPTED MESSAGE")


@vector(ArmorMalformed, "end-line")
def armor_ends_with_another_label() -> str:
    return _TEXT.replace("END AGE ENCRYPTED FILE", "END AGE ENCRYPTED FILES")


@vector(ArmorMalformed, "no-end")
def armor_without_end_line() -> str:
    return "\n".join((*_LINES[:-2], ""))


@vector(ArmorMalformed, "trailing-data")
def armor_garbage_after_it() -> str:
    return _TEXT + "hello\n"


@vector(ArmorMalformed, "trailing-data")
def armor_another_after_it() -> str:
    return _TEXT + _TEXT


@vector(ArmorMalformed, "trailing-data")
def armor_too_much_space_after_it() -> str:
    return _TEXT + " " * 1025


@vector(HeaderMalformed, "not-age")
def armor_garbage_before_it() -> str:
    return "hello\n" + _TEXT


@vector(HeaderMalformed, "not-age")
def armor_too_much_space_before_it() -> str:
    return " " * 2048 + _TEXT


COUNT = 163
"""Pinned, so that a vector cannot disappear unseen."""
