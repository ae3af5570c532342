"""spec/contradictions.md: no honest history makes a proof, each lie makes one, and no byte of one can be changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.evidence.contradiction import (
    PROOF_BYTES_MAX,
    Cited,
    FalseInclusion,
    Misplaced,
    Noted,
    Proof,
    Shows,
    TwoHistories,
    TwoLeaves,
    TwoRecords,
    WentBack,
    only,
    prove,
    verify_contradiction,
)
from comity.evidence.model import Chain, Shown
from comity.ledger.note import KeyType, Note
from comity.ledger.proof import consistency_path, inclusion_path
from comity.ledger.tree import TreeHead
from comity.record.card import fingerprint
from comity.record.contexts import witness_name
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC
from evidence.signers import Signer, log_over, placed, salt_of, shown
from ledger.reference import Key, StoredLog
from record.made import AT

SPEC = (Path(__file__).parents[2] / "spec" / "contradictions.md").read_text(encoding="utf-8")
KR, JP = Signer("kr", 10), Signer("jp", 30)
HONEST = KR.history(12)
REWRITTEN = KR.history(12, "b", since=HONEST[:5])
"""The same chain with its record 5, and all after it, written anew."""
LOG, OTHER = log_over(HONEST), log_over(REWRITTEN)
DOMESTIC_OF_KR = Chain(f"{DOMESTIC}/kr", b"", ())


def two_histories(earlier: Noted | Cited, later: Noted | Cited, sizes: tuple[int, int], log: StoredLog) -> TwoHistories:
    small, large = sizes
    return TwoHistories(KR.origin, earlier, later, log.heads[small].root, consistency_path(log.read, small, large))


def evidence_with(entry: Shown) -> bytes:
    chain = shown(KR, HONEST, LOG)
    chain = msgspec.structs.replace(
        chain, records=(*chain.records[: entry.index], entry, *chain.records[entry.index + 1 :])
    )
    return KR.evidence(JP, [chain, Chain(JP.chain, b"", ()), DOMESTIC_OF_KR])


HIDDEN = Shown(3, HONEST[3].envelope, salt_of(9), inclusion_path(LOG.read, 3, 12))
LIES: dict[str, tuple[Signer, Shows]] = {
    "two records at one place": (KR, TwoRecords(HONEST[5].envelope, REWRITTEN[5].envelope)),
    "a record that follows on another": (KR, TwoRecords(HONEST[5].envelope, REWRITTEN[6].envelope)),
    "two roots of one size": (
        KR,
        two_histories(Noted(KR.checkpoint(LOG.heads[7])), Noted(KR.checkpoint(OTHER.heads[7])), (7, 7), OTHER),
    ),
    "a later log without the earlier one": (
        KR,
        two_histories(Noted(KR.checkpoint(LOG.heads[7])), Noted(KR.checkpoint(OTHER.heads[11])), (7, 11), OTHER),
    ),
    "the same, from a power of two": (
        KR,
        two_histories(Noted(KR.checkpoint(LOG.heads[8])), Noted(KR.checkpoint(OTHER.heads[11])), (8, 11), OTHER),
    ),
    "both cosigned": (
        JP,
        two_histories(
            Noted(JP.cosigned(LOG.heads[7], KR.origin, 100)),
            Noted(JP.cosigned(OTHER.heads[9], KR.origin, 50)),
            (7, 9),
            OTHER,
        ),
    ),
    "cited, and another cosigned": (
        JP,
        two_histories(Cited(JP.cites(OTHER.heads[7])), Noted(JP.cosigned(LOG.heads[9], KR.origin, 100)), (7, 9), LOG),
    ),
    "a leaf that became another": (
        KR,
        TwoLeaves(KR.origin, 5, placed(KR, HONEST, LOG, 5, 7), placed(KR, REWRITTEN, OTHER, 5, 12)),
    ),
    "acknowledged and lost": (
        JP,
        WentBack(KR.origin, JP.cosigned(LOG.heads[9], KR.origin, 100), JP.cosigned(LOG.heads[8], KR.origin, 101)),
    ),
    "said to be included": (KR, FalseInclusion(evidence_with(HIDDEN), KR.chain, 3)),
}
MOVED = [*HONEST[:4], HONEST[6], HONEST[5]]
MOVED_LOG = log_over(MOVED)
LIES["a record at another place"] = (
    KR,
    Misplaced(
        KR.origin,
        4,
        KR.checkpoint(MOVED_LOG.heads[6]),
        HONEST[6].envelope,
        salt_of(4),
        inclusion_path(MOVED_LOG.read, 4, 6),
    ),
)


def code(shows: Shows, signer: Signer = KR, cards: tuple[bytes, ...] = (), key: str = "") -> str:
    with pytest.raises(Rejected) as caught:
        prove(shows, signer.party, cards or (() if key else (signer.card,)), key)
    return caught.value.code


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_makes_a_proof(lie: str) -> None:  # (10) to (15)
    signer, shows = LIES[lie]
    data = prove(shows, signer.party, [signer.card])
    digest = fingerprint(signer.party, signer.root.public)
    found = verify_contradiction(data, [digest])
    assert (found.signer, found.kind, found.trusted) == (signer.party, type(shows).__struct_config__.tag, True)
    assert found.hangs_on == digest.hex()
    assert not verify_contradiction(data, ()).trusted  # (5)
    with pytest.raises(Rejected, match="none of those trusted") as caught:
        verify_contradiction(data, [bytes(32)])
    assert caught.value.code == "unknown-fingerprint"


@pytest.mark.parametrize("lie", LIES)
def test_no_byte_of_a_proof_can_be_changed(lie: str) -> None:  # (6)
    signer, shows = LIES[lie]
    data = prove(shows, signer.party, [signer.card])
    step = max(1, len(data) // 400)
    for place in range(0, len(data), step):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(Rejected):
            verify_contradiction(changed, ())


@pytest.mark.parametrize("lie", LIES)
def test_a_proof_accuses_its_signer_only(lie: str) -> None:  # (3, 7)
    signer, shows = LIES[lie]
    other = JP if signer is KR else KR
    assert code(shows, other) in {"unknown-key", "no-trusted-signature", "bad-signature", "other-author"}
    assert code(shows, signer, cards=(other.card,)) == "other-card"
    assert code(shows, signer, cards=(signer.card, signer.card)) == "other-card"


def words_of_an_honest_history(sizes: list[int]) -> Iterator[tuple[Signer, Noted | Cited, int]]:
    """Whatever either party would sign of one log, that never lied."""
    for time, size in enumerate(sizes):
        yield KR, Noted(KR.checkpoint(LOG.heads[size])), size
        yield JP, Noted(JP.cosigned(LOG.heads[size], KR.origin, 100 + time)), size
        yield JP, Cited(JP.cites(LOG.heads[size], time)), size


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=3).map(sorted), st.data())
def test_no_honest_history_makes_a_proof(sizes: list[int], data: st.DataObject) -> None:
    words = list(words_of_an_honest_history(sizes))
    root = data.draw(st.sampled_from([head.root for head in (*LOG.heads.values(), *OTHER.heads.values())]))
    for (signer, earlier, small), (by, later, large) in permutations(words, 2):
        if small > large or signer is not by:
            continue
        for log in (LOG, OTHER):
            path = consistency_path(log.read, small, large)
            for claimed in {root, LOG.heads[small].root, OTHER.heads[small].root}:
                code(TwoHistories(KR.origin, earlier, later, claimed, path), signer)
        if isinstance(earlier, Noted) and isinstance(later, Noted):
            code(WentBack(KR.origin, earlier.note, later.note), signer)
            code(WentBack(KR.origin, later.note, earlier.note), signer)
    for one, other in permutations(HONEST, 2):
        assert code(TwoRecords(one.envelope, other.envelope)) == "no-contradiction"
    index = data.draw(st.integers(0, sizes[0] - 1))
    one, other_leaf = (placed(KR, HONEST, LOG, index, size) for size in sizes[:2])
    assert code(TwoLeaves(KR.origin, index, one, other_leaf)) == "no-contradiction"
    lying = msgspec.structs.replace(other_leaf, leaf=salt_of(1))
    assert code(TwoLeaves(KR.origin, index, one, lying)) == "not-included"
    size, path = sizes[0], inclusion_path(LOG.read, index, sizes[0])
    honest = (KR.checkpoint(LOG.heads[size]), HONEST[index].envelope, salt_of(index), path)
    assert code(Misplaced(KR.origin, index, *honest)) == "no-contradiction"
    assert (
        code(FalseInclusion(evidence_with(shown(KR, HONEST, LOG).records[index]), KR.chain, index))
        == "no-contradiction"
    )  # type: ignore[arg-type]  # all of them are shown


def test_one_statement_signed_twice_is_none() -> None:  # (10)
    again = KR.says(5, HONEST[4].id)
    assert again.id == HONEST[5].id
    assert code(TwoRecords(again.envelope, HONEST[5].envelope)) == "no-contradiction"
    other = KR.says(5, HONEST[4].id, relationship="eu-style/jp.kr")
    assert code(TwoRecords(HONEST[5].envelope, other.envelope)) == "no-contradiction"


def test_a_consistency_proof_that_fails_proves_nothing_by_itself() -> None:  # (16)
    states = Noted(KR.checkpoint(LOG.heads[7])), Noted(KR.checkpoint(OTHER.heads[11]))
    made_up = (bytes(32),) * len(consistency_path(OTHER.read, 7, 11))
    assert code(TwoHistories(KR.origin, *states, OTHER.heads[7].root, made_up)) == "inconsistent"
    assert code(TwoHistories(KR.origin, *states, LOG.heads[7].root, made_up)) == "no-contradiction"
    empty = Noted(KR.checkpoint(TreeHead(0, bytes(32))))
    assert code(TwoHistories(KR.origin, empty, states[1], LOG.heads[7].root, ())) == "no-contradiction"


def test_a_note_with_another_signature_is_refused_and_stripped() -> None:  # (6)
    text = Note.parse(KR.checkpoint(LOG.heads[7]))
    theirs = Note.parse(JP.cosigned(LOG.heads[7], KR.origin, 5))
    both = Note(text.text, (*text.signatures, *theirs.signatures)).encode()
    later = Noted(KR.checkpoint(OTHER.heads[7]))
    assert code(two_histories(Noted(both), later, (7, 7), OTHER)) == "other-signature"
    assert only(both, [KR.log_key]) == text.encode()
    assert only(both, [JP.witness.verifier(witness_name("jp"), KeyType.COSIGNATURE_V1)]) == theirs.encode()


def test_what_a_revoked_key_signed_accuses_nobody() -> None:  # (8)
    for lie, key, purpose in (
        ("two records at one place", KR.record, "record"),
        ("two roots of one size", KR.log, "log"),
        ("acknowledged and lost", JP.witness, "witness"),
    ):
        signer, shows = LIES[lie]
        revoking = signer.revoking(key, purpose)
        assert code(shows, signer, cards=(revoking, signer.card)) in {"unknown-key", "no-trusted-signature"}


def test_a_log_or_a_witness_without_a_card_stands_by_its_key() -> None:  # (3)
    _, shows = LIES["a later log without the earlier one"]
    data = prove(shows, KR.origin, key=KR.log_key.text)
    assert verify_contradiction(data, [KR.log_key.text]).trusted
    with pytest.raises(Rejected) as caught:
        verify_contradiction(data, [JP.log_key.text])
    assert caught.value.code == "unknown-fingerprint"
    third = Key(77)
    name = witness_name("jp")
    witness = third.verifier(name, KeyType.COSIGNATURE_V1)
    assert code(LIES["both cosigned"][1], JP, key=witness.text) == "other-key"
    assert code(shows, KR, key=KR.log_key.text) == "other-key"
    with pytest.raises(Rejected) as caught:
        prove(LIES["both cosigned"][1], name, key=JP.witness.verifier(name).text)
    assert caught.value.code == "no-trusted-signature"
    proof = prove(LIES["both cosigned"][1], name, key=JP.witness.verifier(name, KeyType.COSIGNATURE_V1).text)
    assert verify_contradiction(proof, ()).signer == name
    with pytest.raises(Rejected) as caught:
        prove(LIES["two records at one place"][1], KR.origin, key=KR.log_key.text)
    assert caught.value.code == "unknown-key"


def test_one_who_has_neither_cards_nor_a_key_or_both_is_nobody() -> None:  # (3)
    shows = LIES["two records at one place"][1]
    with pytest.raises(Rejected) as caught:
        prove(shows, "kr")
    assert caught.value.code == "no-signer"
    with pytest.raises(Rejected) as caught:
        prove(shows, "kr", [KR.card], KR.log_key.text)
    assert caught.value.code == "no-signer"


def test_a_citation_of_another_log_is_none() -> None:  # (11)
    own = TwoHistories(JP.origin, Cited(JP.cites(OTHER.heads[7])), Cited(JP.cites(LOG.heads[7])), LOG.heads[7].root, ())
    assert code(own, JP) == "wrong-origin"
    feed = msgspec.structs.replace(own, log=f"{KR.origin}/feed/warnings")
    assert code(feed, JP) == "wrong-origin"
    silent = msgspec.structs.replace(own, log=KR.origin, earlier=Cited(JP.says(0).envelope))
    assert code(silent, JP) == "wrong-origin"
    both = prove(msgspec.structs.replace(own, log=KR.origin), "jp", [JP.card])
    assert verify_contradiction(both, ()).log == KR.origin


def test_who_cosigns_a_log_is_not_accused_by_its_leaves() -> None:  # (13)
    """A log's author can put anybody's record there; a witness sees no more than a hash."""
    theirs = JP.history(3)
    log = log_over([*HONEST[:4], theirs[2]])
    path = inclusion_path(log.read, 4, 5)
    for note in (JP.cosigned(log.heads[5], KR.origin, 100), JP.cosigned(log.heads[5], f"{KR.origin}/feed/x", 100)):
        origin = Note.parse(note).text.partition("\n")[0]
        assert code(Misplaced(origin, 4, note, theirs[2].envelope, salt_of(4), path), JP) == "no-contradiction"


def test_a_record_of_a_suite_that_is_not_known_accuses_nobody() -> None:  # (8)
    later = KR.says(5, HONEST[4].id, suite="ed25519+ml-dsa-65")
    assert code(TwoRecords(HONEST[5].envelope, later.envelope)) == "suite"


def test_an_evidence_file_of_somebody_else_does_not_accuse_its_author() -> None:  # (15)
    _, shows = LIES["said to be included"]
    assert isinstance(shows, FalseInclusion)
    assert code(shows, JP) == "unknown-key"
    for place in ((KR.chain, 4), (JP.chain, 3), (KR.chain, 99)):
        assert code(FalseInclusion(shows.evidence, *place)) == "no-contradiction"


def test_what_is_too_large_or_no_proof_is_refused() -> None:  # (1)
    for data, expected in ((bytes(PROOF_BYTES_MAX + 1), "too-large"), (b"{}", "malformed")):
        with pytest.raises(Rejected) as caught:
            verify_contradiction(data, ())
        assert caught.value.code == expected
    loose = prove(LIES["two records at one place"][1], "kr", [KR.card]) + b"\n"
    with pytest.raises(Rejected) as caught:
        verify_contradiction(loose, ())
    assert caught.value.code == "not-canonical"


def test_the_example_has_the_shape_of_a_file() -> None:  # (1, 4)
    written = msgspec.json.decode(SPEC.split("```json\n")[1].split("```")[0])
    real = msgspec.json.decode(prove(LIES["two roots of one size"][1], "kr", [KR.card]))
    assert list(written) == list(real)
    assert list(written["shows"]) == list(real["shows"])
    assert {**written["shows"], "earlier": 0, "later": 0, "root": 0} == {
        **real["shows"],
        "earlier": 0,
        "later": 0,
        "root": 0,
    }
    table = re.findall(r"^\| `([a-z-]+)` \|", SPEC.partition("(4)")[2].partition("## Verifying")[0], re.MULTILINE)
    assert set(table) - {"is"} == {type(shows).__struct_config__.tag for _, shows in LIES.values()}
    assert encode(msgspec.json.decode(encode(real), type=Proof)) == prove(
        LIES["two roots of one size"][1], "kr", [KR.card]
    )


def test_the_fixtures_are_what_they_say() -> None:
    assert LOG.heads[5] == OTHER.heads[5]
    assert LOG.heads[6] != OTHER.heads[6]
    assert HONEST[0].statement.at == AT
