"""spec/ledger.md (110)-(118): tlog-policy, read, evaluated and printed; (61) cosignatures by ML-DSA-44."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, Signature, Verified, VerifierKey, cosign
from comity.ledger.policy import NONE, Group, LogLine, Policy, WitnessLine, parse_policy
from comity.ledger.tree import TreeHead
from ledger.reference import Key, PostQuantumKey

SPEC = (Path(__file__).parents[2] / "spec" / "ledger.md").read_text(encoding="utf-8")
ORIGIN = "comity/jp-kr-2016/jp"
LOG = Key(1)
LOG_KEY = LOG.verifier(ORIGIN)
HEAD = TreeHead(7, bytes(32))
NOTE = sign_checkpoint(Checkpoint(ORIGIN, HEAD), LOG)
WITNESSES = [Key(seed) for seed in range(20, 26)]
KEYS = [key.verifier(f"example/w{number}", KeyType.COSIGNATURE_V1) for number, key in enumerate(WITNESSES)]
LINES = [f"witness w{number} {key.text}" for number, key in enumerate(KEYS)]


def policy(*lines: str) -> Policy:
    return parse_policy("".join(line + "\n" for line in lines).encode())


def cosigned(*numbers: int) -> Note:
    lines = [cosign(NOTE.text, KEYS[number].name, WITNESSES[number], 1_700_000_000) for number in numbers]
    return Note(NOTE.text, (*NOTE.signatures, *lines))


def example() -> str:
    return re.findall(r"```\n(log .*?)```", SPEC, re.DOTALL)[0]


def test_the_example_asks_for_the_other_party_and_one_university() -> None:  # (110)-(118)
    read = parse_policy(example().encode())
    assert read.encode() == example().encode()
    seoul, w1, w2 = (line.key for line in read.witnesses)
    for keys, met in (((), False), ((seoul,), False), ((w1, w2), False), ((seoul, w2), True), ((seoul, w1, w2), True)):
        assert read.met([Verified(key, Signature(key.name, key.id, b"x"), 1) for key in keys]) is met


@pytest.mark.parametrize(
    ("threshold", "counts"), [("any", [1, 2, 3]), ("all", [3]), ("1", [1, 2, 3]), ("2", [2, 3]), ("3", [3])]
)
def test_k_of_n(threshold: str, counts: list[int]) -> None:  # (113) (117)
    read = policy(f"log {LOG_KEY.text}", *LINES[:3], f"group g {threshold} w0 w1 w2", "quorum g")
    for numbers in ((), (0,), (2,), (0, 1), (1, 2), (0, 1, 2)):
        signed = read.open(cosigned(*numbers).encode(), ORIGIN)
        assert read.met(signed.witnesses) is (len(numbers) in counts)


def test_one_key_that_signs_twice_counts_once() -> None:  # (117)
    read = policy(f"log {LOG_KEY.text}", *LINES[:2], "group g 2 w0 w1", "quorum g")
    assert not read.met(read.open(cosigned(0, 0).encode(), ORIGIN).witnesses)


def test_whoever_is_not_named_does_not_count() -> None:  # (117)
    read = policy(f"log {LOG_KEY.text}", LINES[0], "quorum w0")
    assert not read.met(read.open(cosigned(1, 2, 3).encode(), ORIGIN).witnesses)
    assert read.met(read.open(cosigned(3, 0).encode(), ORIGIN).witnesses)


def test_the_log_must_be_one_of_the_policy() -> None:  # (117)
    with pytest.raises(Rejected, match="names no log"):
        policy(LINES[0], "quorum w0").open(cosigned(0).encode(), ORIGIN)
    other = Key(2).verifier(ORIGIN)
    with pytest.raises(Rejected):
        policy(f"log {other.text}", LINES[0], "quorum w0").open(cosigned(0).encode(), ORIGIN)


def test_white_space_and_comments() -> None:  # (110)
    text = f"\t# a\xff comment\n\n \t\n  quorum\t\tnone \t\nlog {LOG_KEY.text}  https://x/\n".encode("latin-1")
    read = parse_policy(text)
    assert read == Policy(logs=(LogLine(LOG_KEY, "https://x/"),))
    assert read.encode() == f"log {LOG_KEY.text} https://x/\nquorum none\n".encode()
    assert read.met(())


def test_names_are_octets() -> None:  # (115)
    kelvin = policy(
        LINES[0].replace("w0", "K", 1), LINES[1].replace("w1", "\u212a", 1), "group g all K \u212a", "quorum g"
    )
    assert [line.name for line in kelvin.witnesses] == ["K", "\u212a"]
    raw = b"witness \xff\xfe " + KEYS[0].text.encode() + b"\nquorum \xff\xfe\n"
    assert parse_policy(raw).encode() == raw


BAD = {
    "no quorum": [],
    "two quorums": ["quorum none", "quorum none"],
    "unknown word": ["quorum none", "wittness w"],
    "another case": ["Quorum none"],
    "quorum without name": ["quorum"],
    "quorum of two": [LINES[0], LINES[1], "quorum w0 w1"],
    "quorum before its witness": ["quorum w0", LINES[0]],
    "quorum unknown": ["quorum nobody"],
    "log without key": ["log", "quorum none"],
    "log with too much": [f"log {LOG_KEY.text} https://x y", "quorum none"],
    "log twice": [f"log {LOG_KEY.text}", f"log {LOG_KEY.text}", "quorum none"],
    "log twice, by two names": [f"log {LOG_KEY.text}", f"log {LOG.verifier('other').text}", "quorum none"],
    "log key of a witness": [f"log {KEYS[0].text}", "quorum none"],
    "witness key of a log": [f"witness w {LOG_KEY.text}", "quorum none"],
    "witness without key": ["witness w", "quorum none"],
    "witness twice, by two names": [LINES[0], LINES[0].replace("w0 ", "other ", 1), "quorum none"],
    "name twice": [LINES[0], LINES[1].replace("w1 ", "w0 ", 1), "quorum none"],
    "witness called none": [LINES[0].replace("w0 ", "none ", 1), "quorum none"],
    "group called none": [LINES[0], "group none any w0", "quorum none"],
    "group like a witness": [LINES[0], "group w0 any w0", "quorum w0"],
    "group of nobody": ["group g any", "quorum g"],
    "group of itself": ["group g any g", "quorum g"],
    "group of none": ["group g any none", "quorum g"],
    "group of what comes later": ["group g any w0", LINES[0], "quorum g"],
    "member twice": [LINES[0], LINES[1], "group g 2 w0 w0", "quorum g"],
    "member of two groups": [LINES[0], LINES[1], "group g any w0", "group h all w0 w1", "quorum h"],
    "nought of one": [LINES[0], "group g 0 w0", "quorum g"],
    "two of one": [LINES[0], "group g 2 w0", "quorum g"],
    "leading zero": [LINES[0], "group g 01 w0", "quorum g"],
    "signed": [LINES[0], "group g +1 w0", "quorum g"],
    "other digits": [LINES[0], "group g \u0661 w0", "quorum g"],
    "carriage return": ["quorum none\r"],
    "other space": ["quorum\u00a0none"],
    "wrong key id": [f"log {LOG_KEY.name}+00000000+{LOG_KEY.text.split('+', 2)[2]}", "quorum none"],
    "33 logs": [*(f"log {Key(seed).verifier('l').text}" for seed in range(33)), "quorum none"],
}


@pytest.mark.parametrize("lines", BAD.values(), ids=BAD)
def test_what_is_no_policy(lines: list[str]) -> None:  # (110)-(116)
    with pytest.raises(Rejected):
        policy(*lines)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"quorum none",
        b"quorum none\n\0",
        b"quorum none\x7f\n",
        b"#" * 262144 + b"\nquorum none\n",
        b"log \xff+00000000+AAAA\nquorum none\n",
    ],
)
def test_octets_that_are_no_policy(data: bytes) -> None:  # (110)
    with pytest.raises(Rejected):
        parse_policy(data)


def test_the_line_is_named_on_which_it_is_wrong() -> None:
    with pytest.raises(Rejected) as caught:
        policy("# two witnesses", LINES[0], "", "group g 2 w0", "quorum g")
    assert caught.value.place == "line 4"
    with pytest.raises(Rejected) as caught:
        parse_policy(b"quorum none\nlog \xff+00000000+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n")
    assert caught.value.place == "line 2"


OWNED = [key.verifier(f"example/w{number // 2}", KeyType.COSIGNATURE_V1) for number, key in enumerate(WITNESSES)]
"""Two keys of each witness."""


def owner(name: str) -> str:
    return f"witness {int(name[1:]) // 2}" if name.startswith("w") else name


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    count = draw(st.integers(0, 6))
    free = [f"w{number}" for number in range(count)]
    groups = []
    for number in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if members:
            owners = set(map(owner, members))
            free = [name for name in free if owner(name) not in owners] + [f"g{number}"]
            threshold = draw(st.sampled_from([*range(1, len(owners) + 1), len(members)]))
            groups.append(Group(f"g{number}", threshold, tuple(members)))
    witnesses = tuple(WitnessLine(f"w{number}", OWNED[number]) for number in range(count))
    return Policy(witnesses=witnesses, groups=tuple(groups), quorum=draw(st.sampled_from([*free, NONE])))


@given(policies(), st.sets(st.sampled_from(OWNED)))
def test_what_is_printed_is_read_and_means_the_same(made: Policy, signed: set[VerifierKey]) -> None:  # (117) (118)
    read = parse_policy(made.encode())
    assert read == made
    groups = {group.name: group for group in made.groups}

    def met(name: str) -> bool:  # the definition, told top down
        if name in groups:
            members, threshold = groups[name].members, groups[name].threshold
            return all(map(met, members)) or len({owner(each) for each in members if met(each)}) >= threshold
        return name == NONE or OWNED[int(name[1:])] in signed

    assert read.met([Verified(key, Signature(key.name, key.id, b"x"), 1) for key in signed]) is met(made.quorum)


# ---- ML-DSA-44 ------------------------------------------------------------------------------------------------------

QUANTUM = PostQuantumKey(7)
QUANTUM_KEY = QUANTUM.verifier("example/q")


def test_a_cosignature_by_ml_dsa_44() -> None:  # (43) (61)
    assert VerifierKey.parse(QUANTUM_KEY.text) == QUANTUM_KEY
    line = cosign(NOTE.text, "example/q", QUANTUM, 1_700_000_000, KeyType.COSIGNATURE_ML_DSA_44)
    assert len(line.blob) == 8 + 2_420
    note = Note.parse(Note(NOTE.text, (*NOTE.signatures, line)).encode())
    signed = open_checkpoint(note.encode(), ORIGIN, [LOG_KEY], [QUANTUM_KEY, KEYS[0]])
    assert [(each.key, each.time) for each in signed.witnesses] == [(QUANTUM_KEY, 1_700_000_000)]
    message = b"subtree/v1\n\0" + b"\x09example/q" + (1_700_000_000).to_bytes(8, "big")
    message += bytes([len(ORIGIN)]) + ORIGIN.encode() + bytes(8) + (7).to_bytes(8, "big") + bytes(32)
    QUANTUM.private.public_key().verify(line.blob[8:], message)  # as tlog-cosignature writes the structure


@pytest.mark.parametrize("change", ["name", "time", "size", "root", "origin", "short", "long", "flipped", "future"])
def test_what_an_ml_dsa_44_cosignature_covers(change: str) -> None:  # (61)
    line = cosign(NOTE.text, "example/q", QUANTUM, 1_700_000_000, KeyType.COSIGNATURE_ML_DSA_44)
    key, text, blob = QUANTUM_KEY, NOTE.text, line.blob
    match change:
        case "name":
            key = QUANTUM.verifier("example/r")
        case "time":
            blob = bytes(7) + b"\1" + blob[8:]
        case "future":
            blob = b"\xff" * 8 + blob[8:]
        case "size":
            text = text.replace("\n7\n", "\n8\n")
        case "root":
            text = text.replace("AAAA", "BAAA", 1)
        case "origin":
            text = text.replace("/jp\n", "/kr\n")
        case "short":
            blob = blob[:-1]
        case "long":
            blob += b"\0"
        case "flipped":
            blob = blob[:-1] + bytes([blob[-1] ^ 1])
    origin = text.partition("\n")[0]
    checkpoint = Checkpoint.parse(text)
    note = Note(text, (*sign_checkpoint(checkpoint, LOG).signatures, Signature(key.name, key.id, blob)))
    with pytest.raises(Rejected, match="does not verify"):
        open_checkpoint(note.encode(), origin, [LOG.verifier(origin)], [key])


def test_what_cannot_be_cosigned_by_ml_dsa_44() -> None:  # (61)
    for text, name in (("no checkpoint\n", "q"), (NOTE.text.replace(ORIGIN, "o" * 256), "q"), (NOTE.text, "n" * 256)):
        with pytest.raises(Rejected):
            cosign(text, name, QUANTUM, 1, KeyType.COSIGNATURE_ML_DSA_44)
    with pytest.raises(Misuse):
        cosign(NOTE.text, "q", QUANTUM, 2**63, KeyType.COSIGNATURE_ML_DSA_44)
    with pytest.raises(Rejected, match="1312 bytes, not 32"):
        VerifierKey("q", KeyType.COSIGNATURE_ML_DSA_44, bytes(32))


def test_a_plain_key_signs_no_witness_line() -> None:
    with pytest.raises(Misuse):
        open_checkpoint(NOTE.encode(), ORIGIN, [LOG_KEY], [LOG.verifier("w")])


BOTH = [f"witness w {KEYS[0].text}", f"witness w/2 {QUANTUM.verifier(KEYS[0].name).text}", LINES[1]]
"""A witness with keys of two algorithms, as it tells them itself, and another one."""


@pytest.mark.parametrize(
    ("group", "met"),
    [
        ("2 w w/2 w1", {"w w1", "w/2 w1", "w w/2 w1"}),
        ("any w w/2", {"w", "w/2", "w w/2", "w w1", "w/2 w1", "w w/2 w1"}),
        ("1 w/2 w1", {"w/2", "w1", "w w/2", "w w1", "w/2 w1", "w w/2 w1"}),
        ("all w w/2", {"w w/2", "w w/2 w1"}),
        ("all w w/2 w1", {"w w/2 w1"}),
    ],
)
def test_a_witness_with_two_keys_counts_once(group: str, met: set[str]) -> None:  # (119)
    read = policy(f"log {LOG_KEY.text}", *BOTH, f"group g {group}", "quorum g")
    lines = {
        "w": cosign(NOTE.text, KEYS[0].name, WITNESSES[0], 5),
        "w/2": cosign(NOTE.text, KEYS[0].name, QUANTUM, 5, KeyType.COSIGNATURE_ML_DSA_44),
        "w1": cosign(NOTE.text, KEYS[1].name, WITNESSES[1], 5),
    }
    for number in range(8):
        signed = [name for bit, name in enumerate(lines) if number >> bit & 1]
        note = Note(NOTE.text, (*NOTE.signatures, *(lines[name] for name in signed)))
        assert read.met(read.open(note.encode(), ORIGIN).witnesses) is (" ".join(signed) in met), signed
    assert parse_policy(read.encode()) == read


@pytest.mark.parametrize(
    "lines",
    [
        ["group g 2 w w/2", "quorum g"],
        ["group g 3 w w/2 w1", "quorum g"],
        ["group g any w", "group h any w/2", "group all all g h", "quorum all"],
        ["group g all w w1", "group h any g w/2", "quorum h"],
    ],
)
def test_a_witness_cannot_be_made_to_count_twice(lines: list[str]) -> None:  # (119)
    with pytest.raises(Rejected, match="witness"):
        policy(*BOTH, *lines)
    with pytest.raises(Rejected):
        Policy(
            witnesses=policy(*BOTH, "quorum none").witnesses,
            groups=(Group("g", 1, ("w",)), Group("h", 1, ("w/2",))),
        )


def test_a_policy_takes_witnesses_of_both_kinds() -> None:  # (112) (117)
    read = policy(f"log {LOG_KEY.text}", LINES[0], f"witness q {QUANTUM_KEY.text}", "group g all w0 q", "quorum g")
    line = cosign(NOTE.text, "example/q", QUANTUM, 5, KeyType.COSIGNATURE_ML_DSA_44)
    both = Note(NOTE.text, (*cosigned(0).signatures, line))
    assert read.met(read.open(both.encode(), ORIGIN).witnesses)
    assert not read.met(read.open(cosigned(0).encode(), ORIGIN).witnesses)
