"""Real examples of everything that is decoded: of the library, of the specs, and of two houses that gave a document."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from comity.answers import write_error
from comity.courier import paths
from comity.courier.signature import sign_request
from comity.errors import Refused
from comity.feed.delivery import Acknowledged, Have, write_word
from comity.feed.proof import write_proof
from comity.flows.actors import Actor
from comity.flows.agreeing.founding import IssueCard, issue_card
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.maintaining.giving_back import AskBack, GiveBack, ask_back, give_back
from comity.flows.pouch import ExportPouch, export_pouch
from comity.ledger.policy import parse_policy
from comity.ledger.tiles import parse_path, write_bundle
from comity.ledger.tree import EMPTY_ROOT, Frontier
from comity.ports import RestoredFrom
from comity.record import bodies, dsse
from comity.record.contexts import RECORD
from comity.record.encoding import decode, encode
from comity.record.statement import Statement
from comity.seal.armor import encode as armor_encode
from comity.seal.bech32 import encode as bech32_encode
from comity.seal.manifest import Binding, Manifest
from comity.seal.x25519 import X25519Identity
from feed.examples import RELEASE_TEXT, SCHEMA_TEXT, example
from feed.test_batch import sealed
from feed.test_proof import made as proof_made
from record.made import NODE
from seal.testkit import X25519_SECRET
from seal.vectors import VECTORS
from world import LIBRARY, RELATIONSHIP, TODAY, World

SETTINGS = """
party = "jp"

[listen]
address = "0.0.0.0"
port = 8443
public = ["https://comity.example:8443"]

[quotas]
requests-per-second = 9

[readers]
address = "10.0.0.5"
port = 8444
"""
PATHS = (
    paths.OwnCard(),
    paths.Exchange(RELATIONSHIP),
    paths.Feed(RELATIONSHIP, "air-picture"),
    paths.Checkpoint(RELATIONSHIP, "jp"),
    paths.LedgerTile(RELATIONSHIP, "jp", parse_path("tile/0/x001/067.p/3")),
)
MANIFEST = Manifest(
    binding=Binding(
        author="jp", relationship=RELATIONSHIP, item="i-1", label=bytes(32), agreement=bytes(32), content=bytes(32)
    ),
    salt=bytes(32),
    length=5,
    media_type="text/plain",
    file_name="report.txt",
)
SPEC = Path(__file__).parents[2] / "spec"
JOURNAL_MAX = 1000


def corpora(folder: Path) -> dict[str, list[bytes]]:
    """Examples of each decoder by its name; every one is taken by it.

    Args:
        folder: empty, for what two houses need.
    """
    return {**_library(), **_ledger(), **_sealed(), **_feeds(), **asyncio.run(_houses(folder))}


def _library() -> dict[str, list[bytes]]:
    files = {path.name: path.read_bytes() for path in LIBRARY.iterdir() if path.name.endswith(".toml")}
    heads = {"agreement": b"[agreement]", "layer": b"[layer]", "history": b"[history]"}
    found = {kind: [data for data in files.values() if head in data] for kind, head in heads.items()}
    own = [data for data in found["layer"] if b'"jp-kr-2016"' in data]
    return {
        "agreement": found["agreement"],
        "layer": own,
        "history": [files["jp-kr-2016.history.toml"], files["jp-kr-2016.hypothetical.history.toml"]],
        "casebook": [block(SPEC / "casebook.md", "toml")[0].encode()],
        "settings": [SETTINGS.encode(), b'party = "jp"\n'],
    }


def _ledger() -> dict[str, list[bytes]]:
    proof, keys = block(SPEC / "ledger.md")[:2]
    (asked,) = (each for each in block(SPEC / "witness.md") if each.startswith("POST"))
    request = asked.partition("\n\n")[2]
    note = proof.partition("\n\n")[2]
    key, witness = keys.splitlines()
    policy = f"log {key}\nwitness w1 {witness}\ngroup both all w1\nquorum both\n".encode()
    paths_of_tiles = ["tile/0/000", "tile/1/x001/067.p/3", "tile/entries/x001/x234/067", "tile/entries/005.p/200"]
    return {
        "tlog-proof": [proof.encode()],
        "note": [note.encode()],
        "checkpoint": [note.partition("\n\n")[0].encode() + b"\n"],
        "verifier-key": [key.encode(), witness.encode()],
        "add-checkpoint": [request.encode()],
        "tlog-policy": [policy, parse_policy(policy).encode(), b"quorum none\n"],
        "tile-path": [path.encode() for path in paths_of_tiles],
        "entry-bundle": [write_bundle([bytes(32), b"", b"entry"])],
    }


def _sealed() -> dict[str, list[bytes]]:
    good = [vector.data for vector in VECTORS if vector.layer is None and b"X25519" in vector.data[:200]]
    plain = [data for data in good if data.startswith(b"age-encryption.org")]
    identity = X25519Identity(X25519_SECRET)
    return {
        "age-file": plain,
        "age-header": [data[: data.index(b"\n--- ") + 49] for data in plain],
        "age-armor": [armor_encode(plain[0])],
        "age-recipients": [f"{identity.recipient}\n# a comment\n".encode()],
        "age-identities": [f"{bech32_encode('age-secret-key-', X25519_SECRET).upper()}\n".encode()],
    }


def _feeds() -> dict[str, list[bytes]]:
    published, _ = example()
    frame, _ = sealed((b'{"a":1}', b"{}"), Frontier())
    reading = b'{"feed":"air-picture","purpose":"air defence","actor":{"handle":"kim"}}'
    return {
        "feed-schema": [SCHEMA_TEXT.encode()],
        "feed-release": [RELEASE_TEXT.encode()],
        "feed-message": [published],
        "feed-frame": [frame],
        "feed-word": [write_word(Have(0, EMPTY_ROOT)), write_word(Acknowledged(3, "— a Aa==\n"))],
        "feed-proof": [write_proof(proof_made([published, published], 1))],
        "feed-reading": [reading],
        "door-json": [published, b'[{"a":[1,2.5e3,null,true,"\\u00e9"]}]'],
        "door-xml": [b'<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:x"><a b="c">d</a></alert>'],
        "error-answer": [write_error(Refused("it may not cross", code="no-basis", place="9"))],
    }


async def _houses(folder: Path) -> dict[str, list[bytes]]:
    world = await World.make(folder)
    given = await world.given()
    entries = await world.jp.store.journal(0, JOURNAL_MAX)
    statements = [decode(dsse.read(entry.envelope, RECORD).payload, Statement) for entry in entries]
    newest = {statement.type: entry.envelope for statement, entry in zip(statements, entries, strict=True)}
    decided = [decode(bytes(each.body), bodies.Decided) for each in statements if each.type == bodies.Decided.kind]
    card = await issue_card(
        world.jp, IssueCard(name="Japan", certificate=bytes(32), addresses=("https://127.0.0.1:1",))
    )
    parcel = write_parcel(await world.kr.pack(RELATIONSHIP))
    pouch, evidence = folder / "one.pouch", folder / "one.evidence"
    await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=str(pouch)))
    await export_evidence(world.jp, ExportEvidence(item=given.item, path=str(evidence), actor=Actor("sato")))
    asked, back = folder / "asked.pouch", folder / "back.pouch"
    world.jp.restored = RestoredFrom(backup=1, taken=TODAY, at=TODAY, floor={}, kept={})
    await ask_back(world.jp, AskBack(relationship=RELATIONSHIP, path=str(asked)))
    await give_back(world.kr, GiveBack(asked=str(asked), path=str(back)))
    await world.close()
    return {
        "record": list(newest.values()),
        "record-payload": [dsse.read(envelope, RECORD).payload for envelope in newest.values()],
        "card": [card.card],
        "parcel": [parcel],
        "pouch-contents": [listed(pouch)],
        "give-back": [listed(asked)],
        "given-back": [listed(back)],
        "case": [bytes(each.case) for each in decided],
        "evidence": [evidence.read_bytes()],
        "manifest": [encode(MANIFEST)],
        "exchange-path": [paths.write(each).encode() for each in PATHS],
        "request-signature": [signed_request()],
    }


def listed(path: Path) -> bytes:
    """The list at the head of a file that is carried."""
    content = path.read_bytes().partition(b"\n")[2]
    return content[4 : 4 + int.from_bytes(content[:4], "big")]


def signed_request() -> bytes:
    """The headers of a request, a line each."""
    headers = sign_request(
        "GET", "/v1/card", b"", sender="jp", audience="kr/0123456789abcdef", nonce=bytes(16), created=1, signer=NODE
    )
    return "\n".join(f"{name}: {value}" for name, value in headers.items()).encode()


def block(path: Path, language: str = "") -> list[str]:
    """The literal examples of a spec."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
