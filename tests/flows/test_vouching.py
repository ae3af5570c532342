"""``spec/witness.md`` steps 30 to 39: third parties cosign the ledgers of a house, and a policy says what counts."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Rejected, Unavailable
from comity.evidence.verify import verify
from comity.evidence.vouching import PolicyTold
from comity.flows.actors import Actor
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.looking.views import ShowOutbox, chains, show_outbox
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.vouching.cosigning import COUNTED, VOUCHED, Posted, counted, settle, submit, vouched
from comity.flows.vouching.proving import ProveRecord, prove_record
from comity.flows.vouching.witnesses import (
    POLICY,
    AddWitness,
    ListWitnesses,
    NamedWitness,
    RemoveWitness,
    SetPolicy,
    ShowPolicy,
    add_witness,
    list_witnesses,
    put_side,
    reader,
    remove_witness,
    set_policy,
    show_policy,
    witnesses,
)
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.note import KeyType, Note, Signature, VerifierKey, cosign
from comity.ledger.policy import parse_policy
from comity.ledger.tiles import BundleId, TileId, read_bundle
from comity.ledger.tlog_proof import TlogProof
from comity.ledger.tree import leaf_hash
from comity.ledger.witness import AddCheckpoint
from comity.node.submitting import Submitters
from comity.stores.memory import MemoryHighWaterMark, MemoryStore
from comity.stores.memory_disk import MemoryDisk
from comity.timezones import time_zones
from comity.witness.witness import Cosigner, Witness
from ledger.reference import Key, PostQuantumKey
from world import RELATIONSHIP, World

OWN, THEIRS, HOUSE = f"{RELATIONSHIP}/jp", f"{RELATIONSHIP}/kr", "domestic/jp"
URL = "https://w1.example"


class Third:
    """A third party with its witness, and the way to it, which can be cut or bent."""

    def __init__(self, seed: int, world: World, *, quantum: bool = False) -> None:
        name = f"witness.example/w{seed}"
        key = Key(20 + seed)
        self.cosigners = [Cosigner(key.verifier(name, KeyType.COSIGNATURE_V1), key)]
        if quantum:
            other = PostQuantumKey(20 + seed)
            self.cosigners.append(Cosigner(other.verifier(name), other))
        self.name = f"w{seed}"
        self.disk = MemoryDisk()
        self.witness = Witness(MemoryStore(self.disk), MemoryHighWaterMark(self.disk), self.cosigners, world.clock)
        self.asked: list[AddCheckpoint] = []
        self.answer: Posted | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(each.key.text for each in self.cosigners)

    async def post(self, url: str, body: bytes) -> Posted:
        assert url == f"https://{self.name}.example/add-checkpoint"
        self.asked.append(AddCheckpoint.parse(body))
        if self.answer is not None:
            if not self.answer.status:
                raise Unavailable("does not answer", code="witness-unreachable")
            return self.answer
        answer = await self.witness.add_checkpoint(body)
        return Posted(answer.status, answer.content_type, answer.body)

    async def named(self, house: House, *ledgers: str) -> NamedWitness:
        """Added to a house, and following its ledgers."""
        for ledger in ledgers:
            await self.witness.follow(VerifierKey(f"comity/{ledger}", KeyType.ED25519, house.keys.log.public))
        url = f"https://{self.name}.example"
        await add_witness(house, AddWitness(name=self.name, keys=self.keys, url=url, ledgers=ledgers))
        return {each.name: each for each in await witnesses(house)}[self.name]


@pytest.fixture
async def grown(world: World) -> AsyncIterator[World]:
    """The two houses, with something given and witnessed between them."""
    await world.given()
    await world.exchange()
    return world


async def code(awaited: object) -> str:
    with pytest.raises(ComityError) as caught:
        await awaited  # type: ignore[misc]  # a coroutine
    return caught.value.code


# ---- naming ---------------------------------------------------------------------------------------------------------


async def test_a_witness_is_added_listed_and_removed(world: World) -> None:  # (30) (38) (41)
    third = Third(1, world, quantum=True)
    made = await third.named(world.jp, OWN)
    assert (made.keys, made.ledgers, len(made.secret)) == (third.keys, (OWN,), 32)
    again = await third.named(world.jp, HOUSE)
    assert (again.ledgers, again.secret) == ((OWN, HOUSE), made.secret)
    assert await list_witnesses(world.jp, ListWitnesses()) == [again]
    assert await reader(world.jp, made.secret) == again
    assert await reader(world.jp, made.secret[:-1]) is None
    assert await remove_witness(world.jp, RemoveWitness("w1")) == []
    assert await reader(world.jp, made.secret) is None
    assert await code(remove_witness(world.jp, RemoveWitness("w1"))) == "unknown-witness"
    assert (await third.named(world.jp, OWN)).secret != made.secret


async def test_what_no_witness_can_be(world: World) -> None:  # (30) (31)
    one, two = Third(1, world), Third(2, world)
    await one.named(world.jp, OWN)

    def add(**changes: object) -> AddWitness:
        given = {"name": "w2", "keys": two.keys, "url": "https://w2.example", "ledgers": (OWN,)} | changes
        return AddWitness(**given)  # type: ignore[arg-type]  # as given

    for changes, expected in (
        ({"name": "W2"}, "bad-name"),
        ({"name": "none"}, "bad-name"),
        ({"name": "a/b"}, "bad-name"),
        ({"url": "http://w2.example"}, "bad-address"),
        ({"url": "https://w2.example/?x"}, "bad-address"),
        ({"url": "ftp://w2.example"}, "bad-address"),
        ({"keys": ()}, "bad-witness-key"),
        ({"keys": (*one.keys, *two.keys)}, "bad-witness-key"),
        ({"keys": (*two.keys, Key(9).verifier("witness.example/w2", KeyType.COSIGNATURE_V1).text)}, "bad-witness-key"),
        ({"keys": (Key(1).verifier("w").text,)}, "bad-witness-key"),
        ({"keys": ("w+0000",)}, "bad-key"),
        ({"ledgers": ()}, "no-ledger"),
        ({"ledgers": (f"{RELATIONSHIP}/kr",)}, "no-ledger"),
        ({"ledgers": ("jp-us-2007/jp.us/jp",)}, "no-ledger"),
        ({"ledgers": ("domestic/kr",)}, "no-ledger"),
        ({"ledgers": ("jp",)}, "no-ledger"),
        ({"keys": one.keys}, "key-reuse"),
        ({"name": "w1"}, "name-taken"),
    ):
        assert await code(add_witness(world.jp, add(**changes))) == expected, changes
    assert [each.name for each in await witnesses(world.jp)] == ["w1"]


# ---- submitting -----------------------------------------------------------------------------------------------------


async def test_a_third_party_cosigns_what_the_other_party_has_cosigned(grown: World) -> None:  # (32) (33) (35) (37)
    third = Third(1, grown, quantum=True)
    named = await third.named(grown.jp, OWN)
    assert await submit(grown.jp, named, OWN, third.post, patient=True)
    cosigned = await grown.jp.side(COSIGNED, OWN)
    assert cosigned is not None
    size = read_head(cosigned).size
    (asked,) = third.asked
    assert (asked.old_size, asked.path) == (0, ())
    assert [line.name for line in Note.parse(asked.note).signatures] == [f"comity/{OWN}"]  # its own only
    ((shown,), line) = await vouched(grown.jp, OWN), (await chains(grown.jp))[1]
    assert (shown.witness, shown.size, line.vouched) == ("w1", size, (shown,))
    assert not await submit(grown.jp, named, OWN, third.post, patient=True)
    assert len(third.asked) == 1
    await grown.given()
    await grown.exchange()
    assert await submit(grown.jp, named, OWN, third.post, patient=True)
    assert third.asked[-1].old_size == size
    assert third.asked[-1].path
    verified = await verify_ledger(grown.jp, VerifyLedger())
    assert verified.findings == ()
    assert verified.vouched == {OWN: {"w1": grown.jp.sequencer.head(OWN).size}}


async def test_the_ledger_of_the_house_is_witnessed_by_third_parties_alone(grown: World) -> None:
    third = Third(1, grown)
    named = await third.named(grown.jp, HOUSE)
    assert await submit(grown.jp, named, HOUSE, third.post, patient=False)
    assert (await vouched(grown.jp, HOUSE))[0].size == grown.jp.sequencer.head(HOUSE).size


async def test_whoever_is_not_patient_submits_what_nobody_cosigned(grown: World) -> None:  # (32)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN)
    assert await submit(grown.jp, named, OWN, third.post, patient=True)
    before = (await vouched(grown.jp, OWN))[0].size
    await grown.ask()  # something new, of which the other party knows nothing yet
    assert grown.jp.sequencer.head(OWN).size > before
    assert not await submit(grown.jp, named, OWN, third.post, patient=True)
    assert await submit(grown.jp, named, OWN, third.post, patient=False)
    assert (await vouched(grown.jp, OWN))[0].size == grown.jp.sequencer.head(OWN).size


async def test_a_witness_that_knows_more_than_is_remembered_is_asked_from_there(grown: World) -> None:  # (33)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN)
    assert await submit(grown.jp, named, OWN, third.post, patient=False)
    await put_side(grown.jp, VOUCHED, f"{OWN}/w1", None)
    assert await submit(grown.jp, named, OWN, third.post, patient=False)
    size = grown.jp.sequencer.head(OWN).size
    assert [asked.old_size for asked in third.asked] == [0, 0, size]


async def test_what_a_witness_may_answer(grown: World) -> None:  # (34) (35)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN)
    size = grown.jp.sequencer.head(OWN).size
    note = Note.parse(grown.jp.exchange.checkpoint(OWN))
    stranger = cosign(note.text, "witness.example/w1", Key(99), 5).line.encode()
    never = cosign(note.text, "witness.example/w1", Key(21), 2**62).line.encode()
    sized = "text/x.tlog.size"
    for answer, expected in (
        (Posted(409, sized, b"%d\n" % (size + 1)), "witness-ahead"),
        (Posted(409, sized, b"%d" % size), "bad-answer"),
        (Posted(409, sized, b"-1\n"), "bad-decimal"),
        (Posted(409, "text/plain", b"another root\n"), "witness-refuses"),
        (Posted(422, "text/plain", b"no\n"), "witness-refuses"),
        (Posted(404, "text/plain", b"no\n"), "witness-refuses"),
        (Posted(503, "text/plain", b"later\n"), "witness-refuses"),
        (Posted(200, "text/plain", b""), "bad-note"),
        (Posted(200, "text/plain", b"\xff"), "bad-note"),
        (Posted(200, "text/plain", b"<html>"), "bad-note"),
        (Posted(200, "text/plain", stranger), "no-trusted-signature"),
        (Posted(200, "text/plain", never), "bad-time"),
        (Posted(0, "", b""), "witness-unreachable"),
    ):
        third.answer = answer
        assert await code(submit(grown.jp, named, OWN, third.post, patient=False)) == expected, answer
    assert await vouched(grown.jp, OWN) == []
    assert (await verify_ledger(grown.jp, VerifyLedger())).findings == ()


# ---- what counts ----------------------------------------------------------------------------------------------------


async def test_the_policy_that_holds_without_one(grown: World) -> None:  # (36)
    third = Third(1, grown)
    await third.named(grown.jp, OWN, HOUSE)
    shown = await show_policy(grown.jp, ShowPolicy(OWN))
    assert not shown.given
    policy = parse_policy(shown.content.encode())
    assert ([line.name for line in policy.witnesses], policy.quorum) == (["kr", "w1"], "kr")
    cosigned = await grown.jp.side(COSIGNED, OWN)
    assert cosigned is not None
    assert policy.met(policy.open(cosigned, f"comity/{OWN}").witnesses)
    domestic = parse_policy((await show_policy(grown.jp, ShowPolicy(HOUSE))).content.encode())
    assert ([line.name for line in domestic.witnesses], domestic.quorum) == (["w1"], "none")
    assert await code(show_policy(grown.jp, ShowPolicy(f"{RELATIONSHIP}/kr"))) == "no-ledger"


def asking(grown: World, *lines: str) -> SetPolicy:
    return SetPolicy(ledger=OWN, content="".join(line + "\n" for line in lines).encode())


async def test_a_policy_decides_what_counts(grown: World) -> None:  # (35) (36) (37)
    thirds = [Third(number, grown) for number in (1, 2)]
    named = [await third.named(grown.jp, OWN) for third in thirds]
    lines = (await show_policy(grown.jp, ShowPolicy(OWN))).content.splitlines()
    both = "group both all kr w1", "group enough any both w2", "quorum both"
    shown = await set_policy(grown.jp, asking(grown, *lines[:-1], *both))
    assert shown.given
    assert await counted(grown.jp, OWN) == 0
    await submit(grown.jp, named[1], OWN, thirds[1].post, patient=True)
    assert await counted(grown.jp, OWN) == 0
    await submit(grown.jp, named[0], OWN, thirds[0].post, patient=True)
    first = grown.jp.sequencer.head(OWN).size
    assert await counted(grown.jp, OWN) == first
    assert (await chains(grown.jp))[1].counted == first
    # one of them goes on without the other: what counted still counts
    await grown.given()
    await grown.exchange()
    await submit(grown.jp, named[1], OWN, thirds[1].post, patient=True)
    assert await counted(grown.jp, OWN) == first
    note = await grown.jp.side(COUNTED, OWN)
    assert note is not None
    policy = parse_policy((await show_policy(grown.jp, ShowPolicy(OWN))).content.encode())
    signed = policy.open(note, f"comity/{OWN}")
    assert policy.met(signed.witnesses)
    assert signed.checkpoint.head.size == first
    await submit(grown.jp, named[0], OWN, thirds[0].post, patient=True)
    assert await counted(grown.jp, OWN) == grown.jp.sequencer.head(OWN).size
    verified = await verify_ledger(grown.jp, VerifyLedger())
    assert (verified.findings, verified.counted) == ((), {OWN: grown.jp.sequencer.head(OWN).size})
    await set_policy(grown.jp, SetPolicy(ledger=OWN, content=b""))
    assert await counted(grown.jp, OWN) is None


async def test_the_other_party_alone_may_be_what_a_policy_waits_for(grown: World) -> None:  # (35)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN)
    lines = (await show_policy(grown.jp, ShowPolicy(OWN))).content.splitlines()
    await set_policy(grown.jp, asking(grown, *lines[:-1], "group both all kr w1", "quorum both"))
    await grown.ask()
    for _ in range(2):  # first the third party …
        await submit(grown.jp, named, OWN, third.post, patient=False)
    size = grown.jp.sequencer.head(OWN).size
    before = await counted(grown.jp, OWN)
    assert before is not None
    assert before < size
    await grown.exchange()  # … then the other party, if the ledger has not grown meanwhile
    await settle(grown.jp, OWN)
    cosigned = await grown.jp.side(COSIGNED, OWN)
    assert cosigned is not None
    assert await counted(grown.jp, OWN) == (size if read_head(cosigned).size == size else before)


async def test_a_policy_of_another_log_is_refused(grown: World) -> None:  # (36)
    other = f"log {Key(3).verifier('comity/other').text}"
    assert await code(set_policy(grown.jp, asking(grown, other, "quorum none"))) == "other-log"
    assert await code(set_policy(grown.jp, asking(grown, "quorum nobody"))) == "bad-policy"
    assert await code(set_policy(grown.jp, SetPolicy(ledger="x", content=b"quorum none\n"))) == "no-ledger"
    strange = b"witness \xff " + Key(3).verifier("other").text.encode() + b"\nquorum none\n"
    assert await code(set_policy(grown.jp, SetPolicy(ledger=OWN, content=strange))) == "bad-policy"
    assert await grown.jp.side(POLICY, OWN) is None


async def test_what_was_altered_is_found(grown: World) -> None:  # (37)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN)
    await submit(grown.jp, named, OWN, third.post, patient=True)
    value = await grown.jp.side(VOUCHED, f"{OWN}/w1")
    assert value is not None
    kept = msgspec.json.decode(value)
    text = base64.b64decode(kept["note"])
    note = Note.parse(text)
    other = Note.parse(grown.jp.exchange.checkpoint(HOUSE))
    bare = Note(note.text, note.signatures[:1])
    for altered in (text.replace(b"\n\n", b"\nextra\n\n", 1), other.encode(), bare.encode()):
        put = msgspec.json.encode(kept | {"note": altered})
        await put_side(grown.jp, VOUCHED, f"{OWN}/w1", put)
        assert await vouched(grown.jp, OWN) == []
        findings = (await verify_ledger(grown.jp, VerifyLedger())).findings
        assert [finding.place for finding in findings] == [f"vouched {OWN}"], altered


# ---- the worker ----------------------------------------------------------------------------------------------------


async def test_the_worker_submits_by_itself_and_pauses_after_a_failure(grown: World) -> None:  # (32)
    one, two = Third(1, grown), Third(2, grown)
    await one.named(grown.jp, OWN, HOUSE)
    await two.named(grown.jp, OWN)
    two.answer = Posted(0, "", b"")
    seconds = [0.0]

    async def post(url: str, body: bytes) -> Posted:
        return await (one if "//w1." in url else two).post(url, body)

    worker = Submitters(grown.jp, post, grown.clock, bytes, lambda: seconds[0])
    await worker.round()
    await worker.idle()
    assert {(each.witness, each.ledger, each.failures) for each in worker.told()} == {
        ("w1", OWN, 0),
        ("w1", HOUSE, 0),
        ("w2", OWN, 1),
    }
    assert len(two.asked) == 1
    await worker.round()
    await worker.idle()
    assert len(two.asked) == 1  # it is given a pause
    two.answer = None
    seconds[0] = 1.0
    await worker.round()
    await worker.idle()
    assert [each.failures for each in worker.told()] == [0, 0, 0]
    assert {each.witness: each.size for each in await vouched(grown.jp, OWN)}.keys() == {"w1", "w2"}
    await grown.ask()
    for now, more in ((2.0, 0), (13.0, 1)):  # the other party is given time to cosign first
        seconds[0], asked = now, len(two.asked)
        await worker.round()
        await worker.idle()
        assert len(two.asked) - asked == more
    await remove_witness(grown.jp, RemoveWitness("w2"))
    await worker.round()
    assert {each.witness for each in worker.told()} == {"w1"}
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# ---- evidence -------------------------------------------------------------------------------------------------------


async def exported(world: World, folder: Path) -> bytes:
    (given,) = (await show_outbox(world.jp, ShowOutbox())).given
    file = folder / "item.evidence"
    await export_evidence(world.jp, ExportEvidence(item=given.item, path=str(file), actor=Actor("abe")))
    return file.read_bytes()


async def test_evidence_carries_what_third_parties_cosigned(grown: World, tmp_path: Path) -> None:  # (39)
    third, quantum, stranger = Third(1, grown), Third(2, grown, quantum=True), Third(3, grown)
    for each in (third, quantum):
        named = await each.named(grown.jp, OWN, HOUSE)
        for ledger in (OWN, HOUSE):
            assert await submit(grown.jp, named, ledger, each.post, patient=False)
    data = await exported(grown, tmp_path)

    def judged(*lines: str) -> dict[str, PolicyTold]:
        policy = parse_policy("".join(f"{line}\n" for line in lines).encode())
        return {told.chain: told for told in verify(data, (), time_zones(), policy=policy).judged}

    lines = (await show_policy(grown.jp, ShowPolicy(OWN))).content.splitlines()
    assert verify(data, (), time_zones()).judged == ()
    told = judged(*lines)  # the other party's cosignature, as without a policy
    assert (told[OWN].met, {each.witness for each in told[OWN].cosigned}) == (True, {"kr", "w1", "w2", "w2/2"})
    assert (told[HOUSE].met, {each.witness for each in told[HOUSE].cosigned}) == (False, {"w1", "w2", "w2/2"})
    assert (told[THEIRS].met, told[THEIRS].cosigned) == (False, ())
    assert judged(*lines[:-1], "group both all w1 w2/2", "quorum both")[HOUSE].met
    absent = f"witness w3 {stranger.keys[0]}"
    three = judged(*lines[:-1], absent, "group three 3 w1 w2 w3", "quorum three")
    assert not any(each.met for each in three.values())
    assert all(each.met for each in judged("quorum none").values())


async def test_a_cosignature_that_does_not_hold_is_named(grown: World, tmp_path: Path) -> None:  # (39)
    """A line by the name and id of a witness of the policy that does not verify condemns the checkpoint."""
    third = Third(1, grown)
    await third.named(grown.jp, OWN)
    cosigned = await grown.jp.side(COSIGNED, OWN)
    assert cosigned is not None
    note = Note.parse(cosigned)
    line = cosign(note.text, third.cosigners[0].key.name, Key(21), 5)
    bad = Signature(line.name, line.key_id, line.blob[:-1] + bytes([line.blob[-1] ^ 1]))
    await put_side(grown.jp, COSIGNED, OWN, Note(note.text, (*note.signatures, bad)).encode())
    data = await exported(grown, tmp_path)
    policy = parse_policy(f"witness w1 {third.keys[0]}\nquorum w1\n".encode())
    assert verify(data, (), time_zones()).lines
    with pytest.raises(Rejected) as caught:
        verify(data, (), time_zones(), policy=policy)
    assert (caught.value.code, caught.value.place) == ("bad-signature", f"the checkpoint of {OWN}")


# ---- ledgers as a peer reads them ------------------------------------------------------------------------------------


async def test_a_peer_reads_the_leaf_data_of_its_relationship_and_nobody_else_does(grown: World) -> None:  # (40)
    house = grown.jp
    size = house.sequencer.head(OWN).size
    entries = read_bundle(await house.tile("kr", OWN, BundleId(0, size)), size)
    hashes = await house.tile("kr", OWN, TileId(0, 0, size))
    assert b"".join(map(leaf_hash, entries)) == hashes
    kept = await house.store.chain(OWN, 0, size)
    assert entries == tuple(record_leaf(entry.salt, entry.envelope).data for entry in kept)
    for peer, chain in (("us", OWN), ("kr", HOUSE), ("kr", THEIRS), ("kr", "jp-us-2007/jp.us/jp")):
        for tile in (TileId(0, 0, 1), BundleId(0, 1)):
            assert await code(house.tile(peer, chain, tile)) in {"unknown-chain", "unknown-relationship"}
    assert await code(house.tile("kr", OWN, BundleId(0, size + 1))) == "unknown-tile"


async def test_a_proof_is_under_the_checkpoint_that_is_worth_most(grown: World) -> None:  # (50)
    third = Third(1, grown)
    named = await third.named(grown.jp, OWN, HOUSE)
    await submit(grown.jp, named, OWN, third.post, patient=True)
    policy = parse_policy((await show_policy(grown.jp, ShowPolicy(OWN))).content.encode())
    proved = await prove_record(grown.jp, ProveRecord(ledger=OWN, index=2))
    proof = TlogProof.parse(proved.proof)
    logs, keys = [line.key for line in policy.logs], [line.key for line in policy.witnesses]
    shown = proof.verify(bytes.fromhex(proved.leaf), f"comity/{OWN}", logs, keys)
    assert {each.key.name for each in shown.checkpoint.witnesses} == {"comity/kr/witness", "witness.example/w1"}
    newest = await grown.ask()  # of which nobody has cosigned anything
    assert newest.request
    last = grown.jp.sequencer.head(OWN).size - 1
    own = TlogProof.parse((await prove_record(grown.jp, ProveRecord(ledger=OWN, index=last))).proof)
    assert open_checkpoint(own.note, f"comity/{OWN}", logs, keys).witnesses == ()
    for index in (-1, last + 1):
        assert await code(prove_record(grown.jp, ProveRecord(ledger=OWN, index=index))) == "unknown-record"
    assert await code(prove_record(grown.jp, ProveRecord(ledger=THEIRS, index=0))) == "no-ledger"
    for digits in (proved.record, proved.record.upper()[:16]):
        assert await prove_record(grown.jp, ProveRecord(ledger=OWN, record=digits)) == proved
    for digits in (proved.record[:15], "", "0" * 64):
        assert await code(prove_record(grown.jp, ProveRecord(ledger=OWN, record=digits))) == "unknown-record"
