"""Other implementations, in both directions: witnesses, logs, clients of logs and post-quantum signatures by others.

The ``aics`` packages need a newer Python than Comity does, so they run in processes of the other Python, where there is
one (``make other-python``). They share no code with ours: another HTTP, another SQLite, another Merkle tree.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import metamorphic_log
import pytest
from dilithium_py.ml_dsa import ML_DSA_44

from comity.flows.vouching.cosigning import submit, vouched
from comity.flows.vouching.witnesses import AddWitness, add_witness, witnesses
from comity.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, Signature, VerifierKey, cosign
from comity.ledger.proof import consistency_path, inclusion_path
from comity.ledger.tree import TreeHead, leaf_hash
from comity.node.ledger_door import LedgerDoor
from comity.node.serving import Serving, free_port, listen_tcp, until
from comity.node.submitting import witness_poster
from comity.node.witnessing import FollowLog, WitnessSettings, ask_witness, make_witness, running
from comity.witness.witness import log_id
from courier.keys import seeded
from ledger.reference import Key, PostQuantumKey, entries, log_of
from node.ledgers import CHAIN, SECRET, SIZES, Ledger
from world import RELATIONSHIP, World

OTHER = Path(__file__).parents[2] / ".venv-other" / "bin" / "python"
OWN = f"{RELATIONSHIP}/jp"
NAME = "theirs.example/w1"


def other(*arguments: str, given: object = None) -> Any:
    """Run a program in the other Python; what it prints last is JSON."""
    done = subprocess.run(
        [str(OTHER), *arguments], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def there() -> None:
    """The other Python, with what is tried."""
    if not OTHER.exists():
        pytest.skip("there is no other Python on this machine ('make other-python')")
    if subprocess.run([str(OTHER), "-c", "import sys; sys.exit(sys.version_info < (3, 12))"], check=False).returncode:
        pytest.skip("the other Python is older than 3.12, which 'aics-witness' needs")
    found = subprocess.run([str(OTHER), "-c", "import aics_witness"], capture_output=True, check=False).returncode == 0
    if not found and not os.environ.get("CI"):
        pytest.skip("the other Python has no 'aics-witness'; 'make other-python' installs it")
    assert found, "the other Python has no 'aics-witness'; 'make other-python' installs it"


# ---- their witness, our log -----------------------------------------------------------------------------------------


class Theirs:
    """A witness by others, running."""

    def __init__(self, folder: Path) -> None:
        self.config = str(folder / "witness.json")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = self.run("init", "--name", NAME, "--listen", f"127.0.0.1:{self.port}").splitlines()[-1]
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, verb: str, *arguments: str) -> str:
        program = [str(OTHER), "-m", "aics_witness", verb, "--config", self.config, *arguments]
        return subprocess.run(program, capture_output=True, text=True, timeout=60, check=True).stdout

    def serve(self) -> None:
        self.process = subprocess.Popen(
            [str(OTHER), "-m", "aics_witness", "serve", "--config", self.config], stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("their witness does not answer")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def theirs(tmp_path: Path, there: None) -> Iterator[Theirs]:
    made = Theirs(tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


async def test_their_witness_cosigns_our_ledger(theirs: Theirs, world: World) -> None:
    house = world.jp
    log = VerifierKey(f"comity/{OWN}", KeyType.ED25519, house.keys.log.public)
    theirs.run("add-log", "--origin", log.name, "--vkey", log.text)
    await asyncio.to_thread(theirs.serve)
    await add_witness(house, AddWitness(name="w1", keys=(theirs.key,), url=theirs.url, ledgers=(OWN,)))
    (named,) = await witnesses(house)
    sizes = []
    for _ in range(3):
        await world.given()
        await world.exchange()
        assert await submit(house, named, OWN, witness_poster(), patient=True)
        sizes.append((await vouched(house, OWN))[0].size)
    assert sizes == sorted(set(sizes))
    address = f"{theirs.url}/{log_id(log.name)}/checkpoint"
    with await asyncio.to_thread(urllib.request.urlopen, address) as reply:
        shown = reply.read()
    signed = open_checkpoint(shown, log.name, [log], [VerifierKey.parse(theirs.key)])
    assert (signed.checkpoint.head.size, len(signed.witnesses)) == (sizes[-1], 1)


async def test_their_witness_refuses_our_second_history(theirs: Theirs, world: World) -> None:
    house = world.jp
    log = VerifierKey(f"comity/{OWN}", KeyType.ED25519, house.keys.log.public)
    theirs.run("add-log", "--origin", log.name, "--vkey", log.text)
    await asyncio.to_thread(theirs.serve)
    await add_witness(house, AddWitness(name="w1", keys=(theirs.key,), url=theirs.url, ledgers=(OWN,)))
    (named,) = await witnesses(house)
    await world.given()
    await world.exchange()
    assert await submit(house, named, OWN, witness_poster(), patient=True)
    size = (await vouched(house, OWN))[0].size
    other_root = sign_checkpoint(Checkpoint(log.name, TreeHead(size, bytes(32))), house.keys.log)
    body = f"old {size}\n\n".encode() + other_root.encode()
    answer = await witness_poster()(f"{theirs.url}/add-checkpoint", body)
    assert answer.status in {409, 422}  # v1.0.0 and v1.1.0 of tlog-witness


# ---- our witness, their log -----------------------------------------------------------------------------------------

LOG_PROGRAM = """
import json, sys
from hashlib import sha256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from aics_tlog import (Checkpoint, MerkleTree, format_vkey, parse_note, parse_vkey, sign_checkpoint,
                       verify_checkpoint, vkey_from_ed25519)
from aics_witness.feeder import WitnessClient, WitnessRejected, merge_cosignatures

asked = json.load(sys.stdin)
key = Ed25519PrivateKey.from_private_bytes(bytes([77]) * 32)
name = "theirs.example/log"
vkey = vkey_from_ed25519(name, key.public_key())
if asked["verb"] == "key":
    print(json.dumps(format_vkey(vkey)))
    sys.exit()
client = WitnessClient(asked["url"], asked["witness"])
witness = parse_vkey(asked["witness"])
told = []
tree = MerkleTree()
for size in asked["sizes"]:
    while len(tree) < size:
        tree.append(sha256(b"their entry %d" % len(tree)).digest())
    note = sign_checkpoint(Checkpoint(name, size, tree.root(size)), key, name).to_bytes()
    merged = merge_cosignatures(note, client.submit(note, tree.consistency_proof))
    result = verify_checkpoint(parse_note(merged), vkey, [witness], 1)
    told.append([size, result.ok if hasattr(result, "ok") else str(result), merged.decode()])
fork = MerkleTree([b"rewritten"] * (size + 1))
note = sign_checkpoint(Checkpoint(name, size + 1, fork.root()), key, name).to_bytes()
try:
    client.submit(note, fork.consistency_proof)
    refused = 0
except WitnessRejected as error:
    refused = error.status
print(json.dumps({"told": told, "refused": refused}))
"""


@pytest.mark.usefixtures("there")
async def test_our_witness_cosigns_their_log(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "w1"
    made = make_witness(folder, WitnessSettings(name="ours.example/w1", ml_dsa_44=True), seeded("interop"))
    log = VerifierKey.parse(await asyncio.to_thread(other, "-c", LOG_PROGRAM, given={"verb": "key"}))
    await asyncio.to_thread(ask_witness, folder, "witness.follow", FollowLog(log.text))
    stop = asyncio.Event()
    async with running(folder) as witness:
        task = asyncio.create_task(until(stop, witness.doors))
        given = {"verb": "log", "url": witness.says.witness, "witness": made.keys[0], "sizes": [0, 1, 7, 256, 257, 900]}
        answer = await asyncio.to_thread(other, "-c", LOG_PROGRAM, given=given)
        stop.set()
        await task
    assert answer["refused"] == 422
    assert [size for size, _, _ in answer["told"]] == given["sizes"]
    for size, accepted, merged in answer["told"]:
        assert accepted is True
        signed = open_checkpoint(merged.encode(), log.name, [log], [VerifierKey.parse(made.keys[0])])
        assert (signed.checkpoint.head.size, len(signed.witnesses)) == (size, 1)


# ---- our ledger, their client ----------------------------------------------------------------------------------------

CLIENT_PROGRAM = """
import json, random, sys
from aics_tlog import (HttpTileReader, checkpoint, consistency_proof_from_tiles, inclusion_proof_from_tiles, parse_note,
                       parse_vkey, tree_root_from_tiles, verify_checkpoint, verify_consistency, verify_inclusion)

asked = json.load(sys.stdin)
reader = HttpTileReader(asked["prefix"], proxies={})
note = parse_note(reader.read_checkpoint())
assert verify_checkpoint(note, parse_vkey(asked["log"])).log_ok
head = checkpoint.parse_checkpoint(note.text)
assert tree_root_from_tiles(reader, head.size) == head.root
chance = random.Random(5)
for index in {0, head.size - 1, *(chance.randrange(head.size) for _ in range(8))}:
    leaf = bytes.fromhex(asked["leaves"][index])
    proof = inclusion_proof_from_tiles(reader, index, head.size)
    assert verify_inclusion(leaf, index, head.size, proof, head.root) is not False
for old, root in asked["older"]:
    proof = consistency_proof_from_tiles(reader, old, head.size)
    assert verify_consistency(old, head.size, bytes.fromhex(root), head.root, proof) is not False
assert reader.read_entry_bundle(0, None) is None
print(json.dumps(head.size))
"""


@pytest.fixture
async def served() -> AsyncIterator[tuple[Ledger, str]]:
    ledger = Ledger()
    await ledger.grow()
    listener = listen_tcp("127.0.0.1", 0)
    door = Serving(LedgerDoor(ledger.reads, ledger.checkpoint, ledger.ledgers.tile), listener)
    task = asyncio.create_task(door.run())
    yield ledger, f"http://127.0.0.1:{listener.getsockname()[1]}/{SECRET}/{CHAIN}/"
    door.stop()
    await task


@pytest.mark.usefixtures("there")
async def test_their_client_verifies_our_ledger(served: tuple[Ledger, str]) -> None:
    ledger, prefix = served
    for size in (SIZES[0], 256, 513, SIZES[-1]):
        ledger.marked.sizes[CHAIN] = size
        given = {
            "prefix": prefix,
            "log": Key(1).verifier(f"comity/{CHAIN}").text,
            "leaves": [leaf_hash(leaf).hex() for leaf in ledger.leaves],
            "older": [(old, ledger.heads[old].root.hex()) for old in SIZES if old < size],
        }
        assert await asyncio.to_thread(other, "-c", CLIENT_PROGRAM, given=given) == size


# ---- another verifier, in Rust ---------------------------------------------------------------------------------------

STORED = log_of(600)
LOG = Key(1)
ORIGIN = "example.com/log"
LOG_KEY = LOG.verifier(ORIGIN).text


def signed(size: int) -> str:
    note = sign_checkpoint(Checkpoint(ORIGIN, STORED.heads[size]), LOG)
    line = cosign(note.text, "w", Key(2), 1_700_000_000)
    return Note(note.text, (*note.signatures, line)).encode().decode()


@pytest.mark.parametrize("size", [1, 2, 7, 255, 256, 257, 600])
def test_checkpoints_verify_elsewhere(size: int) -> None:
    head = metamorphic_log.checkpoint_verify(signed(size), [LOG_KEY])
    assert (head.origin, head.size, head.root) == (ORIGIN, size, STORED.heads[size].root)
    for bad in (signed(size).replace(f"\n{size}\n", f"\n{size + 1}\n"), signed(size).replace("A", "B", 1)):
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.checkpoint_verify(bad, [LOG_KEY])


@pytest.mark.parametrize("size", [1, 2, 7, 255, 256, 257, 600])
def test_proofs_verify_elsewhere(size: int) -> None:
    root = STORED.heads[size].root
    for index in {0, size // 2, size - 1}:
        leaf, proof = leaf_hash(entries(600)[index]), list(inclusion_path(STORED.read, index, size))
        metamorphic_log.verify_inclusion(index, size, leaf, proof, root)
        with pytest.raises(metamorphic_log.VerifyError):
            metamorphic_log.verify_inclusion(index, size, leaf_hash(b"other"), proof, root)
    for old in {1, size // 2 or 1, size}:
        proof = list(consistency_path(STORED.read, old, size))
        metamorphic_log.verify_consistency(old, size, proof, STORED.heads[old].root, root)
        if old < size:
            with pytest.raises(metamorphic_log.VerifyError):
                metamorphic_log.verify_consistency(old, size, proof, bytes(32), root)


# ---- ML-DSA-44 by another implementation -----------------------------------------------------------------------------

SEED = bytes([9]) * 32
POST_QUANTUM = "witness.example/q"


class Foreign:
    """A signer by FIPS 204 in plain Python."""

    def __init__(self) -> None:
        self.public, self._secret = ML_DSA_44.key_derive(SEED)

    def sign(self, message: bytes) -> bytes:
        made: bytes = ML_DSA_44.sign(self._secret, message)
        return made


def structure(size: int, time: int) -> bytes:
    """``cosigned_message`` of tlog-cosignature for the log of these tests, written by hand."""
    name, origin = POST_QUANTUM.encode(), ORIGIN.encode()
    parts = [b"subtree/v1\n\0", bytes([len(name)]), name, time.to_bytes(8, "big"), bytes([len(origin)]), origin]
    return b"".join([*parts, bytes(8), size.to_bytes(8, "big"), STORED.heads[size].root])


def test_our_post_quantum_cosignature_verifies_elsewhere() -> None:
    ours = PostQuantumKey(9)
    assert ML_DSA_44.key_derive(SEED)[0] == ours.public
    note = sign_checkpoint(Checkpoint(ORIGIN, STORED.heads[300]), LOG)
    line = cosign(note.text, POST_QUANTUM, ours, 1_700_000_000, KeyType.COSIGNATURE_ML_DSA_44)
    assert ML_DSA_44.verify(ours.public, structure(300, 1_700_000_000), line.blob[8:])
    assert not ML_DSA_44.verify(ours.public, structure(300, 1_700_000_001), line.blob[8:])


def test_a_post_quantum_cosignature_made_elsewhere_verifies_here() -> None:
    theirs = Foreign()
    key = VerifierKey(POST_QUANTUM, KeyType.COSIGNATURE_ML_DSA_44, theirs.public)
    note = sign_checkpoint(Checkpoint(ORIGIN, STORED.heads[300]), LOG)
    blob = (1_700_000_000).to_bytes(8, "big") + theirs.sign(structure(300, 1_700_000_000))
    whole = Note(note.text, (*note.signatures, Signature(key.name, key.id, blob)))
    signed = open_checkpoint(whole.encode(), ORIGIN, [LOG.verifier(ORIGIN)], [key])
    assert [each.time for each in signed.witnesses] == [1_700_000_000]
