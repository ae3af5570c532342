"""spec/ledger.md (40)-(49); signed-note v1.0.0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    KeyType,
    Note,
    Signature,
    VerifierKey,
    check_name,
    cosign,
    open_note,
    sign,
)
from ledger.reference import Key

# The example of the signed-note specification, and the keys and note of the reference implementation's tests.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
    "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
COSIGNER = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
TWO_SIGNED = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
).encode()

LOG, WITNESS = Key(1), Key(2)
TEXT = "comity/jp-kr-2016/jp\n7\nroot\n"


def _keys(*texts: str) -> list[VerifierKey]:
    return [VerifierKey.parse(text) for text in texts]


def test_the_example_of_the_specification() -> None:  # (40) (43) (46)
    key = VerifierKey.parse(SPEC_KEY)
    assert (key.name, key.type, key.id.hex()) == ("example.com/foo", KeyType.ED25519, "530d903a")
    opened = open_note(Note.parse(SPEC_NOTE), [key])
    assert opened.note.text == "This is an example message.\n"
    assert [verified.key for verified in opened.verified] == [key]
    assert opened.note.encode() == SPEC_NOTE


def test_two_signatures_of_the_reference_implementation() -> None:  # (45) (46)
    note = Note.parse(TWO_SIGNED)
    for texts in ([PETER], [ENOCH], [ENOCH, PETER]):
        assert {verified.key for verified in open_note(note, _keys(*texts)).verified} == set(_keys(*texts))


@pytest.mark.parametrize(
    "text", [SPEC_KEY, PETER, ENOCH, "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"]
)
def test_verifier_keys_are_read_back(text: str) -> None:  # (43)
    assert VerifierKey.parse(text).text == text


def test_base64_of_a_key_may_hold_a_plus() -> None:  # (43)
    text = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"
    assert VerifierKey.parse(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/ foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
        "example.com/foo+530d903a+",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_bad_verifier_keys(text: str) -> None:  # (41) (43)
    with pytest.raises(Rejected):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\u2028b", "a\u0085b", "a\tb", "a\x00b"])
def test_bad_names(name: str) -> None:  # (41)
    with pytest.raises(Rejected) as caught:
        check_name(name)
    assert caught.value.code == "bad-name"


def test_names_may_be_in_any_script() -> None:  # (41)
    key = LOG.verifier("外務省/記録")
    assert VerifierKey.parse(key.text) == key
    opened = open_note(Note.parse(Note(TEXT, (sign(TEXT, "外務省/記録", LOG),)).encode()), [key])
    assert opened.verified[0].key == key


def test_both_types_of_signature() -> None:  # (46) (49)
    note = Note(TEXT, (sign(TEXT, "log", LOG), cosign(TEXT, "witness", WITNESS, 1_700_000_000)))
    log, witness = LOG.verifier("log"), WITNESS.verifier("witness", KeyType.COSIGNATURE_V1)
    opened = open_note(Note.parse(note.encode()), [log, witness])
    assert [(verified.key, verified.time) for verified in opened.verified] == [(log, None), (witness, 1_700_000_000)]
    assert len(note.signatures[1].blob) == 72


def test_one_key_under_two_types_has_two_ids() -> None:  # (42)
    assert LOG.verifier("log").id != LOG.verifier("log", KeyType.COSIGNATURE_V1).id
    assert LOG.verifier("log").id != LOG.verifier("gol").id


@pytest.mark.parametrize("stranger", [("log", WITNESS), ("somebody", LOG)], ids=["other id", "other name"])
def test_unknown_signatures_are_ignored(stranger: tuple[str, Key]) -> None:  # (45)
    name, key = stranger
    line = sign("something else\n", name, key)
    unknown = Signature(name, key.verifier(name).id, line.blob)
    note = Note(TEXT, (unknown, sign(TEXT, "log", LOG)))
    assert len(open_note(note, [LOG.verifier("log")]).verified) == 1
    with pytest.raises(Rejected) as caught:
        open_note(Note(TEXT, (unknown,)), [LOG.verifier("log")])
    assert caught.value.code == "no-trusted-signature"  # (48)


def test_a_known_signature_that_fails_condemns_the_note() -> None:  # (46)
    good, bad = sign(TEXT, "log", LOG), sign("another text\n", "witness", WITNESS)
    keys = [LOG.verifier("log"), WITNESS.verifier("witness")]
    for signatures in ((good, bad), (bad, good)):
        with pytest.raises(Rejected, match="signature of 'witness' does not verify") as caught:
            open_note(Note(TEXT, signatures), keys)
        assert caught.value.code == "bad-signature"


def test_a_cosignature_is_no_plain_signature() -> None:  # (46): the id tells them apart, the message too
    cosignature = cosign(TEXT, "log", LOG, 0)
    plain = Signature("log", LOG.verifier("log").id, cosignature.blob[8:])
    with pytest.raises(Rejected):
        open_note(Note(TEXT, (plain,)), [LOG.verifier("log")])


def test_a_cosignature_at_another_time_fails() -> None:  # (46)
    line = cosign(TEXT, "witness", WITNESS, 1)
    later = Signature(line.name, line.key_id, (2).to_bytes(8, "big") + line.blob[8:])
    with pytest.raises(Rejected):
        open_note(Note(TEXT, (later,)), [WITNESS.verifier("witness", KeyType.COSIGNATURE_V1)])


def test_times_that_cannot_be_carried() -> None:  # (49)
    for time in (-1, 2**63):
        with pytest.raises(Misuse):
            cosign(TEXT, "witness", WITNESS, time)
    signature = WITNESS.sign(f"cosignature/v1\ntime {2**63}\n{TEXT}".encode())
    key = WITNESS.verifier("witness", KeyType.COSIGNATURE_V1)
    with pytest.raises(Rejected):
        open_note(Note(TEXT, (Signature("witness", key.id, (2**63).to_bytes(8, "big") + signature),)), [key])


def test_a_key_counts_once_however_often_it_signs() -> None:  # (47)
    key = WITNESS.verifier("witness", KeyType.COSIGNATURE_V1)
    lines = tuple(cosign(TEXT, "witness", WITNESS, time) for time in (5, 6))
    assert [verified.time for verified in open_note(Note(TEXT, lines), [key]).verified] == [5]
    broken = Signature("witness", key.id, bytes(72))
    with pytest.raises(Rejected):
        open_note(Note(TEXT, (*lines, broken)), [key])


def test_colliding_keys_are_the_callers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VerifierKey, "id", b"same")
    with pytest.raises(Misuse, match="two keys are called 'log'"):
        open_note(Note(TEXT, (sign(TEXT, "log", LOG),)), [LOG.verifier("log"), WITNESS.verifier("log")])


def test_the_text_ends_at_the_last_empty_line() -> None:  # (40)
    for text in ("a\n\nb\n", "a\n\n", "\n", "\n\n\n"):
        note = Note(text, (sign(text, "log", LOG),))
        assert open_note(Note.parse(note.encode()), [LOG.verifier("log")]).note == note


GOOD = Note(TEXT, (sign(TEXT, "log", LOG),)).encode().decode()
LINE = GOOD.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "whole",
    {
        "empty": "",
        "only text": TEXT,
        "no signatures": TEXT + "\n",
        "no empty line": TEXT + LINE,
        "no text": "\n" + LINE,
        "no last newline": GOOD[:-1],
        "line after": GOOD + "x\n",
        "empty line after": GOOD + "\n",
        "carriage return": GOOD.replace("\n", "\r\n"),
        "tab": GOOD.replace("\n7\n", "\n\t\n"),
        "null": GOOD.replace("\n7\n", "\n\0\n"),
        "hyphen": GOOD.replace("—", "-"),
        "en dash": GOOD.replace("—", "–"),
        "two spaces": GOOD.replace("log ", "log  "),
        "space at the end": GOOD[:-1] + " \n",
        "no name": GOOD.replace("— log ", "—  "),
        "plus in a name": GOOD.replace("— log ", "— l+g "),
        "no-break space": GOOD.replace("— log ", "—\u00a0log "),
        "padding cut": GOOD.replace("==\n", "\n").replace("=\n", "\n"),
        "url-safe base64": GOOD.replace("— log ", "— log _").replace("_A", "_"),
        "only a key id": TEXT + "\n— log AAAAAA==\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_bad_notes(whole: tuple[str, str]) -> None:  # (40) (41) (44)
    assert whole[1] != GOOD
    with pytest.raises(Rejected):
        Note.parse(whole[1].encode())


def test_bad_utf_8() -> None:  # (40)
    with pytest.raises(Rejected, match="not UTF-8 at byte 2"):
        Note.parse(b"ok\xff" + GOOD.encode())
    with pytest.raises(Rejected):
        Note.parse(b"\xed\xa0\x80" + GOOD.encode())


def test_bounds_of_a_note() -> None:  # (40)
    line = sign(TEXT, "log", LOG)
    most = Note(TEXT, (line,) * SIGNATURES_MAX)
    assert SIGNATURES_MAX >= 16
    assert Note.parse(most.encode()) == most
    with pytest.raises(Rejected, match="more than 32 signatures"):
        Note.parse(most.encode() + line.line.encode())
    with pytest.raises(Rejected) as caught:
        Note.parse(b"x" * (NOTE_BYTES_MAX + 1))
    assert caught.value.code == "note-too-long"


@pytest.mark.parametrize("text", ["", "no newline", "control\x07\n", "tab\t\n"])
def test_texts_that_no_note_has(text: str) -> None:  # (40)
    with pytest.raises(Misuse):
        Note(text, (sign(TEXT, "log", LOG),)).encode()
    with pytest.raises(Misuse):
        Note(TEXT, ()).encode()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=80))
def test_what_is_written_is_read(text: str) -> None:  # (40)
    note = Note(text + "\n", (sign(text + "\n", "log", LOG),))
    assert Note.parse(note.encode()) == note


@given(st.binary(max_size=200) | st.text(st.sampled_from("a\n— +=A"), max_size=60).map(str.encode))
def test_what_is_read_is_what_would_be_written(data: bytes) -> None:  # (40)
    try:
        note = Note.parse(data)
    except Rejected:
        return
    assert note.encode() == data


@pytest.mark.parametrize("known", ["both", "log", "witness"])
def test_every_byte_flipped_in_a_note(known: str) -> None:  # (40) (45) (46)
    """Refused, unless the flip turns a line into that of an unknown (name, id), or lies in such a line."""
    keys = {"log": LOG.verifier("log"), "witness": WITNESS.verifier("witness", KeyType.COSIGNATURE_V1)}
    note = Note(TEXT, (sign(TEXT, "log", LOG), cosign(TEXT, "witness", WITNESS, 1)))
    trusted = [key for name, key in keys.items() if known in ("both", name)]
    data = note.encode()
    ignored = 0
    for at in range(len(data)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128):
            flipped = data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
            try:
                opened = open_note(Note.parse(flipped), trusted)
            except Rejected:
                continue
            ignored += 1
            assert opened.note.text == TEXT
            assert opened.note.encode() == flipped
            assert all(verified.signature in note.signatures for verified in opened.verified)
            lost = [line for line in opened.note.signatures if line not in note.signatures]
            assert len(lost) == 1
            assert (lost[0].name, lost[0].key_id) not in {(key.name, key.id) for key in trusted}
    assert ignored
