"""Who lies to, or as, the third party of the three capitals.

- A *two-faced* house submits, now and then, another tree to the third party than the one that the other party has: of
  the same size, with another leaf, signed with its own log key, and with the proofs of that tree.
- A *blind* third party cosigns whatever it is shown, and so both trees; what it says is right in form.

What comes of it is proved by whoever holds two of these words: the third party, by what it refused; the other party,
once somebody shows it what the third party has cosigned; and, where the third party has cosigned both, against that,
too.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING

from comity.errors import ComityError, Rejected, Unavailable
from comity.evidence.comparing import prove_refused
from comity.evidence.contradiction import Noted, TwoHistories, only, prove, verify_contradiction
from comity.flows.exchanging.parcel import Parcel, write_parcel
from comity.flows.exchanging.witnessing import read_head
from comity.flows.table import FLOWS
from comity.flows.vouching.cosigning import Posted
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.note import KeyType, Note, VerifierKey, cosign
from comity.ledger.tiles import LEVEL_MAX, edge_tiles
from comity.ledger.tree import Frontier
from comity.ledger.witness import AddCheckpoint
from comity.record.card import fingerprint
from comity.record.contexts import origin
from ledger.reference import subproof
from ledger.stranger import Stranger
from trilateral import FIRST

if TYPE_CHECKING:
    from .capitals import Capitals, Third

LIAR, OTHER = "jp", "us"
CHAIN = f"{FIRST}/{LIAR}"
"""The ledger of which there are two trees."""
HASH_BYTES = 32
LIES = 0.5
"""Share of what is submitted of it that is of the other tree."""


class TwoFaced:
    """What stands between one house and the third party.

    Attributes:
        blind: the third party cosigns whatever it is shown.
        active: it lies at all, at the moment.
        shown: how often the other tree was cosigned, and how often it was refused.
        cosigned: every checkpoint that the third party has cosigned of this ledger, by size and root.
    """

    def __init__(self, sim: Capitals, *, blind: bool) -> None:
        self._sim, self.blind = sim, blind
        self.active = True
        self.shown = {"cosigned": 0, "refused": 0}
        self.cosigned: dict[tuple[int, bytes], bytes] = {}

    async def post(self, third: Third, url: str, body: bytes) -> Posted:
        """What the third party answers a house; nothing, where it was shown another tree."""
        request = AddCheckpoint.parse(body)
        if request.origin != origin(CHAIN) or not self.active:
            return await third.post(url, body)
        if self._sim.random.random() >= LIES:
            answer = await self._ask(third, url, request)
            self._heard(request.note, answer)
            return answer
        other = self._other(request)
        answer = await self._ask(third, url, other)
        took = "cosigned" if self._heard(other.note, answer) else "refused"
        self.shown[took] += 1
        self._sim.witness.fault(f"two-faced, {took} ({answer.status})")
        raise Unavailable("it does not answer", code="witness-unreachable")

    def _heard(self, note: bytes, answer: Posted) -> bool:
        if answer.status == 200:
            head = Checkpoint.parse(Note.parse(note).text).head
            self.cosigned[head.size, head.root] = note + answer.body
        return answer.status == 200

    async def _ask(self, third: Third, url: str, request: AddCheckpoint) -> Posted:
        if not self.blind:
            return await third.post(url, request.encode())
        key = third.cosigner.key
        line = cosign(Note.parse(request.note).text, key.name, third.cosigner.signer, int(third.now().timestamp()))
        return Posted(200, "text/plain", line.line.encode())

    def _other(self, request: AddCheckpoint) -> AddCheckpoint:
        """The same request, about the other tree."""
        size = Checkpoint.parse(Note.parse(request.note).text).head.size
        leaves = forked(self._leaves()[:size])
        head = Frontier().append(leaves)[0].head()
        house = self._sim.nodes[LIAR].house
        note = sign_checkpoint(Checkpoint(origin(CHAIN), head), house.keys.log)
        old = request.old_size
        path = tuple(subproof(old, leaves, whole=True)) if 0 < old < size else ()
        return AddCheckpoint(old, path, note.encode())

    def _leaves(self) -> list[bytes]:
        entries = self._sim.nodes[LIAR].disk.database.chains[CHAIN]
        return [record_leaf(each.salt, each.envelope).data for _, each in sorted(entries.items())]

    # ---- at rest ---------------------------------------------------------------------------------------------------

    @property
    def lied(self) -> bool:
        """Whether anybody was shown the other tree."""
        return any(self.shown.values())

    async def unproved(self) -> list[str]:
        """What was cosigned of the other tree, and is proved by nobody."""
        other = self._cosigned_of_the_other_tree()
        if not other:
            return await self._tiles_that_are_believed()
        proofs = [*await self._by_the_third_party(), *await self._by_the_other_party(other)]
        found = []
        trusted = [fingerprint(LIAR, self._sim.nodes[LIAR].house.keys.root_public), self._log_key.text]
        if not any(_convicts(proof, trusted) for proof in proofs):
            found.append(f"the third party has cosigned another tree of {CHAIN}, and nobody proves anything by it")
        key = self._sim.third.cosigner.key
        if self.blind and not all(_convicts(proof, [key.text]) for proof in self.against_the_third_party()):
            found.append(f"the third party has cosigned two trees of {CHAIN}, and a stranger is not convinced")
        return found + await self._tiles_that_are_believed()

    async def _tiles_that_are_believed(self) -> list[str]:
        """Whoever reads the tiles as C2SP has it comes to the root of the checkpoint by the true ones alone."""
        house = self._sim.nodes[LIAR].house
        size = house.sequencer.head(CHAIN).size
        root = read_head(house.exchange.checkpoint(CHAIN)).root
        shown = {
            tile.path: await house.ledgers.tile(CHAIN, tile) for tile in edge_tiles(size) if tile.level <= LEVEL_MAX
        }
        believed = Stranger(shown.__getitem__).root(size) == root
        found = [] if believed else [f"the true tiles of {CHAIN} are not believed"]
        for path, hashes in shown.items():
            for place in range(0, len(hashes), HASH_BYTES):
                lie = hashes[:place] + bytes(HASH_BYTES) + hashes[place + HASH_BYTES :]
                if Stranger({**shown, path: lie}.__getitem__).root(size) == root:
                    found.append(f"{path} of {CHAIN} with another hash at {place // HASH_BYTES} is believed")
        return found

    @property
    def _log_key(self) -> VerifierKey:
        return VerifierKey(origin(CHAIN), KeyType.ED25519, self._sim.nodes[LIAR].house.keys.log.public)

    def _cosigned_of_the_other_tree(self) -> list[bytes]:
        leaves = self._leaves()
        true = {size: Frontier().append(leaves[:size])[0].head().root for size, _ in self.cosigned}
        return [note for (size, root), note in sorted(self.cosigned.items()) if true[size] != root]

    async def _by_the_third_party(self) -> list[bytes]:
        """The proofs in what it refused, with the log's key alone."""
        witness = await self._sim.third.open()
        refused = await witness.contradictions(origin(CHAIN))
        proofs = [prove_refused(each.recorded, each.request, [self._log_key.text]) for each in refused]
        return [proof for proof in proofs if proof is not None]

    async def _by_the_other_party(self, other: list[bytes]) -> list[bytes]:
        """It is shown what the third party has cosigned, as if its peer had sent it; what it exports then."""
        house = self._sim.nodes[OTHER].house
        for note in other:
            size = house.sequencer.head(CHAIN).size
            with suppress(ComityError):
                signed = only(note, [self._log_key])
                told = Parcel("comity-parcel/1", FIRST, LIAR, OTHER, size, (), signed, b"", 0)
                await house.take_parcel(LIAR, FIRST, write_parcel(told))
        listing, exporting = FLOWS["ledger.contradictions"], FLOWS["evidence.contradiction"]
        proofs = []
        for each in await listing.run(house, listing.request()):
            if each.kind is not None:
                path = self._sim.folder / f"proof-{each.contradiction}"
                await exporting.run(house, exporting.request(contradiction=each.contradiction, path=str(path)))
                proofs.append(path.read_bytes())
                path.unlink()
        return proofs

    def against_the_third_party(self) -> list[bytes]:
        """What it cosigned of one tree beside what it cosigned of the other, where neither goes on from the other."""
        key = self._sim.third.cosigner.key
        trees = {(size, root): self._tree(size, root) for size, root in self.cosigned}
        proofs = []
        for (old, root), (new, top) in product(sorted(trees), repeat=2):
            later = trees[new, top]
            as_later = Frontier().append(later[:old])[0].head().root
            if old <= new and as_later != root:
                notes = (Noted(only(self.cosigned[each], [key])) for each in ((old, root), (new, top)))
                path = tuple(subproof(old, later, whole=True)) if old < new else ()
                shows = TwoHistories(origin(CHAIN), *notes, as_later, path)
                proofs.append(prove(shows, key.name, key=key.text))
        return proofs

    def _tree(self, size: int, root: bytes) -> list[bytes]:
        """The leaves under a root: those of the ledger, or those of the other tree of that size."""
        leaves = self._leaves()[:size]
        return leaves if Frontier().append(leaves)[0].head().root == root else forked(leaves)


def forked(leaves: list[bytes]) -> list[bytes]:
    """The other tree."""
    place = len(leaves) // 2
    return [*leaves[:place], bytes(len(leaves[place])), *leaves[place + 1 :]]


async def accused(sim: Capitals) -> list[str]:
    """Whom the third party or a house holds something against who signed one thing only."""
    lied = sim.two_faced is not None and sim.two_faced.lied
    logs = await (await sim.third.open()).logs()
    found = [
        f"the third party holds something against {log.origin}"
        for log in logs
        if log.contradictions and not (lied and log.origin == origin(CHAIN))
    ]
    listing = FLOWS["ledger.contradictions"]
    for party, node in sim.nodes.items():
        signers = {each.signer for each in await listing.run(node.house, listing.request()) if each.kind}
        signers -= {LIAR} if lied else set()
        found += [f"{party} holds something against {each}" for each in sorted(signers)]
    return found


def _convicts(proof: bytes, trusted: list[bytes | str]) -> bool:
    """Whether a stranger who trusts these is convinced."""
    try:
        return verify_contradiction(proof, trusted).trusted
    except Rejected:
        return False
