"""spec/contradictions.md step 20: evidence files beside one another."""

from __future__ import annotations

import msgspec
import pytest

from comity.errors import Rejected
from comity.evidence.comparing import compare_evidence
from comity.evidence.contradiction import verify_contradiction
from comity.evidence.model import Chain, Shown, Withheld
from comity.ledger.leaf import record_leaf
from comity.ledger.note import Note
from comity.ledger.tree import TreeHead
from comity.record.statement import DOMESTIC, SeenCheckpoint
from evidence.made import Made
from evidence.signers import Signer, log_over, salt_of, shown
from ledger.reference import StoredLog

KR, JP = Signer("kr", 10), Signer("jp", 30)
HONEST = KR.history(9)
REWRITTEN = KR.history(9, "b", since=HONEST[:5])
LOG, OTHER = log_over(HONEST), log_over(REWRITTEN)


def hiding(chain: Chain) -> Chain:
    """The same with no record shown."""
    withheld = [
        Withheld(each.index, record_leaf(each.salt, each.envelope).data, "openings", each.path)
        for each in chain.records
        if isinstance(each, Shown)
    ]
    return msgspec.structs.replace(chain, records=tuple(withheld))


def by_kr(chain: Chain, theirs: Chain | None = None) -> bytes:
    return KR.evidence(JP, [chain, theirs or Chain(JP.chain, b"", ()), Chain(f"{DOMESTIC}/kr", b"", ())])


def by_jp(chain: Chain, own: Chain | None = None) -> bytes:
    return JP.evidence(KR, [own or Chain(JP.chain, b"", ()), chain, Chain(f"{DOMESTIC}/jp", b"", ())])


def found(*files: bytes) -> set[tuple[str, str]]:
    shown = [verify_contradiction(proof, ()) for proof in compare_evidence(files)]
    return {(each.signer, each.kind) for each in shown}


def part(records: int, log: StoredLog = LOG) -> Chain:
    return shown(KR, (HONEST if log is LOG else REWRITTEN)[:records], log)


def test_what_honest_parties_export_contradicts_nothing(made: Made) -> None:
    files = [made.jp, made.kr, *made.others.values()]
    assert compare_evidence(files) == []
    assert found(by_kr(part(5)), by_kr(part(9)), by_jp(part(7)), by_kr(hiding(part(6)))) == set()


def test_two_files_of_two_histories() -> None:
    assert found(by_kr(part(9)), by_jp(part(9, OTHER))) == {
        ("kr", "two-records"),
        ("kr", "two-histories"),
        ("kr", "two-leaves"),
    }


def test_what_was_dropped_is_found_though_no_record_is_shown() -> None:
    """The witnessed prefix of the one is not in the other, which has another size."""
    assert found(by_kr(hiding(part(9))), by_jp(hiding(part(7, OTHER)))) == {("kr", "two-leaves")}


def test_a_record_that_follows_on_another_than_the_one_shown() -> None:
    first = msgspec.structs.replace(part(9), records=(part(9).records[5],), checkpoint=b"")
    later = msgspec.structs.replace(part(9, OTHER), records=(part(9, OTHER).records[6],), checkpoint=b"")
    beyond = [
        msgspec.structs.replace(each, records=(msgspec.structs.replace(each.records[0], path=()),))
        for each in (first, later)
    ]
    assert found(by_kr(beyond[0]), by_jp(beyond[1])) == {("kr", "two-records")}


def test_a_cosigner_who_cites_another_state() -> None:
    """The other party cosigned the log as it is, and cites it as it never was."""
    head = LOG.heads[9]
    note = Note.parse(KR.checkpoint(head))
    theirs = Note.parse(JP.cosigned(head, KR.origin, 5))
    both = Note(note.text, (*note.signatures, *theirs.signatures)).encode()
    cites = [JP.says(0, seen=SeenCheckpoint(9, OTHER.heads[9].root))]
    citing = shown(JP, cites, log_over(cites))
    assert found(by_kr(msgspec.structs.replace(part(9), checkpoint=both), citing)) == {("jp", "two-histories")}
    alone = msgspec.structs.replace(part(9), checkpoint=note.encode())
    assert found(by_kr(alone, citing)) == set()  # the word of one party against that of the other


def test_a_record_said_to_be_included_that_is_not() -> None:
    wrong = msgspec.structs.replace(part(9).records[3], salt=salt_of(8))
    records = part(9).records
    chain = msgspec.structs.replace(part(9), records=(*records[:3], wrong, *records[4:]))
    assert found(by_jp(chain)) == {("jp", "false-inclusion")}


def test_a_file_that_is_not_its_exporters_accuses_nobody() -> None:
    data = by_jp(part(9))
    forged = msgspec.json.encode(
        {**msgspec.json.decode(data), "signatures": msgspec.json.decode(by_kr(part(9)))["signatures"]}
    )
    with pytest.raises(Rejected) as caught:
        compare_evidence([by_kr(part(9, OTHER)), forged])
    assert caught.value.place.startswith("file 2, the outer signature")


def test_an_empty_log_is_no_state() -> None:
    empty = msgspec.structs.replace(part(0), records=(), checkpoint=KR.checkpoint(TreeHead(0, bytes(32))))
    assert found(by_kr(empty), by_jp(part(9))) == set()
