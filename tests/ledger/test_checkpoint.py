"""spec/ledger.md (50)-(60); tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, VerifierKey, cosign, sign
from comity.ledger.tree import Frontier, TreeHead
from ledger.reference import Key

ORIGIN = "comity/jp-kr-2016/jp"
LOG, OLD_LOG, WITNESS = Key(1), Key(2), Key(3)
HEAD = Frontier().append([b"one", b"two"])[0].head()
CHECKPOINT = Checkpoint(ORIGIN, HEAD)
LOG_KEYS = [LOG.verifier(ORIGIN), OLD_LOG.verifier(ORIGIN)]
WITNESS_KEYS = [WITNESS.verifier("comity/kr", KeyType.COSIGNATURE_V1)]

# A checkpoint of a public Certificate Transparency staging log with signatures of four types of key: the log's RFC 6962
# head (0x05, unknown here), the log's Ed25519, and four witnesses.
STAGING = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
""".encode()  # noqa: E501 - as published
STAGING_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
STAGING_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
]


def test_a_checkpoint_of_a_public_log_with_its_witnesses() -> None:  # (50) (52) (60)
    signed = open_checkpoint(
        STAGING,
        "arche2025h1.staging.ct.transparency.dev",
        [VerifierKey.parse(STAGING_LOG)],
        [VerifierKey.parse(text) for text in STAGING_WITNESSES],
    )
    assert signed.checkpoint.head.size == 1_432_088_532
    assert {verified.key.text for verified in signed.witnesses} == set(STAGING_WITNESSES)
    assert {verified.time for verified in signed.witnesses} == {0x6A122120}
    assert signed.note.encode() == STAGING


def test_our_own_checkpoint_as_text() -> None:  # (50) (51)
    assert CHECKPOINT.text == f"{ORIGIN}\n2\nT1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=\n"
    note = sign_checkpoint(CHECKPOINT, LOG)
    signed = open_checkpoint(note.encode(), ORIGIN, LOG_KEYS)
    assert signed.checkpoint == CHECKPOINT
    assert [verified.key for verified in signed.log] == [LOG.verifier(ORIGIN)]
    assert signed.witnesses == ()


def test_an_old_key_of_the_log_still_counts_after_a_rotation() -> None:  # (52)
    note = sign_checkpoint(CHECKPOINT, OLD_LOG)
    assert open_checkpoint(note.encode(), ORIGIN, LOG_KEYS).log[0].key == OLD_LOG.verifier(ORIGIN)


def test_witnesses_are_told_from_the_log() -> None:  # (52) (60)
    cosignature = cosign(CHECKPOINT.text, "comity/kr", WITNESS, 1_700_000_000)
    note = Note(CHECKPOINT.text, (*sign_checkpoint(CHECKPOINT, LOG).signatures, cosignature))
    signed = open_checkpoint(note.encode(), ORIGIN, LOG_KEYS, WITNESS_KEYS)
    assert [verified.time for verified in signed.witnesses] == [1_700_000_000]


def test_what_a_cosignature_is_over() -> None:  # (60)
    cosignature = cosign(CHECKPOINT.text, "comity/kr", WITNESS, 1_700_000_000)
    message = f"cosignature/v1\ntime 1700000000\n{CHECKPOINT.text}".encode()
    assert cosignature.blob == (1_700_000_000).to_bytes(8, "big") + WITNESS.sign(message)


def test_a_witness_alone_makes_no_checkpoint() -> None:  # (55)
    note = Note(CHECKPOINT.text, (cosign(CHECKPOINT.text, "comity/kr", WITNESS, 1),))
    with pytest.raises(Rejected) as caught:
        open_checkpoint(note.encode(), ORIGIN, LOG_KEYS, WITNESS_KEYS)
    assert caught.value.code == "no-log-signature"


def test_another_logs_checkpoint_under_our_key() -> None:  # (54)
    other = Checkpoint("comity/jp-kr-2016/kr", HEAD)
    note = Note(other.text, (sign(other.text, ORIGIN, LOG),))
    with pytest.raises(Rejected, match="is of the log 'comity/jp-kr-2016/kr', not") as caught:
        open_checkpoint(note.encode(), ORIGIN, LOG_KEYS)
    assert caught.value.code == "wrong-origin"


def test_a_witness_key_must_be_one() -> None:  # (52)
    note = sign_checkpoint(CHECKPOINT, LOG).encode()
    for log_keys, witness in ((LOG_KEYS, WITNESS.verifier("comity/kr")), (WITNESS_KEYS, WITNESS_KEYS[0])):
        with pytest.raises(Misuse):
            open_checkpoint(note, ORIGIN, log_keys, [witness])


def test_extension_lines_are_kept_and_covered() -> None:  # (50)
    extended = Checkpoint(ORIGIN, HEAD, ("first", "second line"))
    assert Checkpoint.parse(extended.text) == extended
    note = Note(extended.text, (sign(extended.text, ORIGIN, LOG), cosign(extended.text, "comity/kr", WITNESS, 1)))
    signed = open_checkpoint(note.encode(), ORIGIN, LOG_KEYS, WITNESS_KEYS)
    assert signed.checkpoint.extensions == ("first", "second line")
    for changed in (CHECKPOINT, Checkpoint(ORIGIN, HEAD, ("first", "second  line"))):
        with pytest.raises(Rejected):
            open_checkpoint(Note(changed.text, note.signatures).encode(), ORIGIN, LOG_KEYS, WITNESS_KEYS)


def test_our_own_log_signs_no_extension_lines() -> None:  # (51)
    with pytest.raises(Misuse, match="no extension lines"):
        sign_checkpoint(Checkpoint(ORIGIN, HEAD, ("x",)), LOG)
    with pytest.raises(Misuse):
        sign_checkpoint(Checkpoint("an origin with spaces", HEAD), LOG)


ROOT = CHECKPOINT.text.split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n2\n",
        f"{ORIGIN}\n2\n{ROOT}",
        f"\n2\n{ROOT}\n",
        f"{ORIGIN}\n02\n{ROOT}\n",
        f"{ORIGIN}\n+2\n{ROOT}\n",
        f"{ORIGIN}\n-2\n{ROOT}\n",
        f"{ORIGIN}\n 2\n{ROOT}\n",
        f"{ORIGIN}\n1_000\n{ROOT}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n2\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n2\n{ROOT} \n",
        f"{ORIGIN}\n2\nAAAA\n",
        f"{ORIGIN}\n2\n{ROOT[:-2]}N=\n",
        f"{ORIGIN}\n2\n{ROOT}\n\nx\n",
        f"{ORIGIN}\n2\n{ROOT}\n\n",
        f"{ORIGIN}\n2\n{ROOT}\nx\ty\n",
    ],
)
def test_bad_checkpoints(text: str) -> None:  # (50)
    with pytest.raises(Rejected):
        Checkpoint.parse(text)


def test_values_no_checkpoint_has() -> None:  # (50)
    for head in (TreeHead(-1, HEAD.root), TreeHead(2**63, HEAD.root), TreeHead(1, b"")):
        with pytest.raises(Rejected):
            Checkpoint(ORIGIN, head)
    for origin in ("", "a\nb", "a\rb"):
        with pytest.raises(Rejected):
            Checkpoint(origin, HEAD)


lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(lines, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_what_is_written_is_read(origin: str, size: int, root: bytes, extensions: list[str]) -> None:  # (50)
    checkpoint = Checkpoint(origin, TreeHead(size, root), tuple(extensions))
    assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_every_byte_flipped_in_a_signed_checkpoint() -> None:  # (52)-(55)
    """With every key of the note known, nothing but the right checkpoint is ever accepted."""
    cosignature = cosign(CHECKPOINT.text, "comity/kr", WITNESS, 1)
    data = Note(CHECKPOINT.text, (*sign_checkpoint(CHECKPOINT, LOG).signatures, cosignature)).encode()
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            signed = open_checkpoint(flipped, ORIGIN, LOG_KEYS, WITNESS_KEYS)
        except Rejected:
            continue
        assert signed.checkpoint == CHECKPOINT
        assert not signed.witnesses  # only the cosigner's name or id became unknown
