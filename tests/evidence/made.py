"""Real evidence files, made once by two houses that gave, received and opened one document; and the means to forge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from comity.evidence.model import Chain, Evidence, Group, Shown, read_evidence, write_evidence
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.looking.evidence import EvidenceExported, ExportEvidence, export_evidence
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.proof import inclusion_path
from comity.ledger.tree import Frontier
from comity.record import bodies
from comity.record.bodies import BODIES, Body
from comity.record.encoding import decode, encode
from comity.record.person_act import sign_act
from comity.record.statement import DOMESTIC, NOTHING, Statement, peek, write
from comity.timezones import time_zones
from world import World

ZONES = time_zones()
SHOW_ALL: tuple[Group, ...] = ()


@dataclass
class Made:
    """A world after one document was given, receipted and opened, and the evidence that each side exported."""

    world: World
    item: str = ""
    jp: bytes = b""
    kr: bytes = b""
    others: dict[str, bytes] = field(default_factory=dict)

    async def export(
        self, name: str, party: str = "jp", actor: str = "", withhold: Sequence[Group] | None = None
    ) -> EvidenceExported:
        path = self.world.folder / f"{name}.evidence"
        changes: dict[str, Any] = {} if withhold is None else {"withhold": tuple(withhold)}
        request = ExportEvidence(
            item=self.item, path=str(path), actor=Actor(actor or {"jp": "sato", "kr": "lee"}[party]), **changes
        )
        exported = await export_evidence(self.world.house(party), request)
        if exported.path:
            self.others[name] = path.read_bytes()
        return exported

    async def open_it(self, name: str = "opened.txt") -> None:
        request = Open(item=self.item, purpose="air defence", path=str(self.world.folder / name), actor=Actor("kim"))
        assert (await open_item(self.world.kr, request)).outcome == "permit"


async def _made(folder: Path) -> Made:
    made = Made(await World.make(folder))
    made.item = (await made.world.given()).item
    await made.open_it()
    await made.world.exchange()
    for party in ("jp", "kr"):
        await made.export(party, party)
        await made.export(f"{party}-all", party, withhold=SHOW_ALL)
    await made.export("jp-least", withhold=ALL_GROUPS)
    made.jp, made.kr = made.others["jp"], made.others["kr"]
    await made.world.close()
    return made


ALL_GROUPS: tuple[Group, ...] = (
    "items",
    "people",
    "requests",
    "approvals",
    "permits",
    "access",
    "other-decisions",
    "markings",
    "directory",
    "assurances",
    "openings",
)


def make(folder: Path) -> Made:
    return asyncio.run(_made(folder))


def told(data: bytes, *trusted: bytes) -> Verified:
    return verify(data, trusted, ZONES)


def contents(data: bytes) -> Evidence:
    return read_evidence(data).evidence


def codes(verified: Verified) -> list[str]:
    return [line.code for line in verified.lines]


class Forger:
    """A dishonest exporter: he has every private key of his own house, and none of the other's."""

    def __init__(self, made: Made, data: bytes, party: str = "jp") -> None:
        self.house: House = made.world.house(party)
        self.evidence = contents(data)

    def signed(self, evidence: Evidence | None = None, **changes: Any) -> bytes:
        """The file with these changes, signed as it should be."""
        changed = msgspec.structs.replace(evidence or self.evidence, **changes)
        signer = self.house.keys.record
        return write_evidence(changed, [(signer.public, signer.sign)])

    def chain(self, place: int, changed: Chain) -> tuple[Chain, ...]:
        chains = list(self.evidence.chains)
        chains[place] = changed
        return tuple(chains)

    def without(self, place: int, *kinds: str) -> bytes:
        """The file without the records of some types."""
        chain = self.evidence.chains[place]
        kept = [each for each in chain.records if not isinstance(each, Shown) or peek(each.envelope).type not in kinds]
        return self.signed(chains=self.chain(place, msgspec.structs.replace(chain, records=tuple(kept))))

    def domestic(self) -> list[tuple[datetime, Body]]:
        """What the exporter's own chain says, to be changed and written anew."""
        found = []
        for each in self.evidence.chains[2].records:
            assert isinstance(each, Shown)
            statement = peek(each.envelope)
            found.append((statement.at, decode(bytes(statement.body), BODIES[statement.type])))
        return found

    def rewritten(self, said: list[tuple[datetime, Body]], **changes: Any) -> Evidence:
        """The file with another domestic chain, signed, linked and proved as it should be: nobody witnesses it."""
        domestic = self.house.keys.record
        author = self.house.party
        envelopes: list[bytes] = []
        ids: list[bytes] = []
        last = NOTHING
        for index, (at, given) in enumerate(said):
            body = self.following(given, last)
            statement = Statement(
                version=1,
                suite="ed25519",
                relationship=DOMESTIC,
                author=author,
                sequence=index,
                previous=ids[-1] if ids else NOTHING,
                at=at,
                type=body.kind,
                body=msgspec.Raw(encode(body)),
            )
            record = write(statement, body, [(domestic.public, domestic.sign)])
            envelopes.append(record.envelope)
            ids.append(record.id)
            if isinstance(body, bodies.ReleaseRequested | bodies.Approved):
                last = record.id
        chain = self.proved(self.evidence.chains[2].name, envelopes)
        decision = changes.pop("decision", ids[-1])
        return msgspec.structs.replace(self.evidence, chains=self.chain(2, chain), decision=decision, **changes)

    def following(self, body: Body, last: bytes) -> Body:
        """An approval signed anew after the request as it stands now; anything else, and a false signature, as is."""
        if not isinstance(body, bodies.Approved):
            return body
        signature = body.signature
        if self.house.keys.person(signature.signer).public != signature.key:
            return body
        followed: Body = self.act(msgspec.structs.replace(body, after=last), signature.signer)
        return followed

    def proved(self, name: str, envelopes: list[bytes]) -> Chain:
        """A chain of these records with its checkpoint, unwitnessed, and every proof."""
        salts = [bytes([index]) * 32 for index in range(len(envelopes))]
        leaves = [record_leaf(salt, envelope) for salt, envelope in zip(salts, envelopes, strict=True)]
        frontier, tiles = Frontier().append([leaf.data for leaf in leaves])
        hashes = {(tile.id.level, tile.id.index): tile.hashes for tile in tiles}
        note = sign_checkpoint(Checkpoint(f"comity/{name}", frontier.head()), self.house.keys.log)
        records = [
            Shown(
                index,
                envelope,
                salts[index],
                inclusion_path(lambda level, place: hashes[level, place], index, len(envelopes)),
            )
            for index, envelope in enumerate(envelopes)
        ]
        return Chain(name, note.encode(), tuple(records))

    def act(self, body: Any, person: str) -> Any:
        """A body signed with the key of a person whom the house keeps keys for."""
        key = self.house.keys.person(person)
        return sign_act(body, DOMESTIC, self.house.party, person, key.public, key.sign)


def changing(kind: type[Body], change: Callable[[Any], Body]) -> Callable[[list[tuple[datetime, Body]]], Any]:
    """A change to every body of a type."""

    def apply(said: list[tuple[datetime, Body]]) -> list[tuple[datetime, Body]]:
        return [(at, change(body) if isinstance(body, kind) else body) for at, body in said]

    return apply
