"""What this house holds against whoever signed two histories, and the proof of each (``spec/contradictions.md``).

What is kept is the word that did not fit; the word that it contradicts is looked up when somebody asks, because it may
have come only since. Where it is not here there is no proof, and nobody is accused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from hashlib import sha256

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import Response
from comity.errors import Misuse, Refused, Rejected
from comity.evidence.contradiction import (
    Kind,
    Noted,
    Shows,
    TwoHistories,
    TwoRecords,
    WentBack,
    only,
    prove,
    verify_contradiction,
)
from comity.flows.actors import Actor
from comity.flows.exchanging.exchange import CONFLICT, CONFLICTS_KEPT, THEIR_CHECKPOINT
from comity.flows.exchanging.taking import WAITING, waiting_key
from comity.flows.exchanging.witnessing import log_keys, read_head
from comity.flows.house import ROOT, House
from comity.flows.keeping.sequencer import TILE, tile_key
from comity.flows.keeping.work import Draft, Work
from comity.ledger.note import VerifierKey
from comity.ledger.tiles import edge_tiles
from comity.ledger.tree import Frontier
from comity.record.bodies.contradictions import ContradictionSettled
from comity.record.card import known_card
from comity.record.contexts import origin
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, PeerRow
from comity.register.rows.contradictions import ContradictionSettledRow, contradiction_settled_key

ID_DIGITS = 16
"""How much of its digest names a contradiction."""
WHOLE = b'{"format":'
"""How a proof begins; what is kept of the exchange is one word of it."""
_read = msgspec.json.Decoder(WentBack)


class ListContradictions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept."""


class ExportContradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Write the proof of one into a new file."""

    contradiction: str
    path: str


class ContradictionShown(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was signed and does not fit.

    Attributes:
        contradiction: what it is called here: the beginning of its digest.
        signer: who signed it.
        log: the chain, or the origin of the log, that it is about.
        kind: of the proof; empty where there is none.
        says: the two things that exclude each other; or why there is no proof.
        relationship: with whom.
        settled: the reason why what followed on it was lifted; empty while it was not.
        response: what the agreement and its layers say is done about it (31).
    """

    contradiction: str
    signer: str
    log: str
    kind: Kind | None
    says: str
    relationship: str = ""
    settled: str = ""
    response: tuple[Response, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether there is a proof of it, that can be exported."""
        return self.kind is not None


class SettleContradiction(msgspec.Struct, frozen=True, kw_only=True):
    """Lift what followed on a contradiction, with a reason."""

    contradiction: str
    reason: str
    actor: Actor


class ContradictionExported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    contradiction: ContradictionShown
    path: str
    size: int


class Held(msgspec.Struct, frozen=True):
    """Something that is kept, with its proof where there is one."""

    shown: ContradictionShown
    proof: bytes = b""

    def freezes(self, peer: str) -> bool:
        """Whether it is a proof of (10) to (13) against that party, which nobody has settled."""
        shown = self.shown
        stands = bool(self.proof) and not shown.settled
        return stands and shown.signer == peer and shown.kind != "acknowledged-and-lost"


async def list_contradictions(house: House, _: ListContradictions) -> list[ContradictionShown]:
    """Everything that is kept, by log."""
    return [each.shown async for each in held(house)]


async def export_contradiction(house: House, request: ExportContradiction) -> ContradictionExported:
    """Write the proof.

    Raises:
        Misuse: there is none of that name, or no proof of it, or the file exists.
    """
    return export_one(house, request, [each async for each in held(house)])


def export_one(house: House, request: ExportContradiction, kept: list[Held]) -> ContradictionExported:
    """Write the proof of the only one of those kept that the request names; errors as ``export_contradiction``."""
    found = [each for each in kept if each.shown.contradiction.startswith(request.contradiction)]
    if len(found) != 1:
        known = f"{len(found)} contradictions begin with" if found else "there is no contradiction"
        raise Misuse(
            f"{known} {request.contradiction!r}; 'comity ledger contradictions' lists them",
            code="unknown-contradiction",
        )
    (one,) = found
    if not one.proof:
        raise Misuse(f"{one.shown.contradiction} cannot be proved: {one.shown.says}", code="no-proof")
    with house.files.whole(request.path) as sink:
        sink.write(one.proof)
    return ContradictionExported(contradiction=one.shown, path=request.path, size=len(one.proof))


async def held(house: House, relationship: str = "") -> AsyncIterator[Held]:
    """What is kept of the exchange, in one relationship or in all."""
    async for key, value in _rows(house, relationship):
        yield await _held(house, key, value)


async def response_of(house: House, row: AgreementRow) -> dict[Response, str]:
    """What is done in a relationship about two histories, each with the clause that says so (31)."""
    running = await house.library.load(row)
    texts: tuple[Agreement | Layer, ...] = (running.agreement, *running.layers)
    found: dict[Response, str] = {}
    for text in texts:
        if text.response is not None and not (isinstance(text, Layer) and text.header.party not in (None, house.party)):
            for each in text.response.two_histories:
                found.setdefault(each, f"{text.id}:{text.response.clause}")
    return found


async def check_frozen(house: House, rows: Iterable[AgreementRow]) -> None:
    """Whether information may leave under some agreements, whatever the other party of each signed (32).

    Raises:
        Refused: ``frozen``: it is proved to have signed two histories, the agreement says that nothing is given then,
            and nobody has lifted it.
    """
    for row in rows:
        clause = (await response_of(house, row)).get("freeze")
        if clause is None:
            continue
        async for each in held(house, row.relationship):
            if each.freezes(row.peer):
                raise Refused(
                    f"{row.peer!r} signed two histories ({each.shown.contradiction}), and nothing leaves under "
                    f"{row.agreement!r} until that is settled; 'comity ledger contradictions' shows it",
                    code="frozen",
                    place=clause,
                )


async def settle_contradiction(house: House, request: SettleContradiction) -> ContradictionShown:
    """Lift what followed on a contradiction (33).

    Raises:
        Misuse: there is none of that name, it was lifted before, or there is no reason.
        Refused: the actor may not.
    """
    rows = [each async for each in _rows(house, "")]
    found = [value for _, value in rows if sha256(value).hexdigest().startswith(request.contradiction)]
    keys = [key for key, value in rows if value in found]
    if len(found) != 1:
        raise Misuse(
            f"there is not one contradiction {request.contradiction!r}; 'comity ledger contradictions' lists them",
            code="unknown-contradiction",
        )
    relationship = _relationship_of(keys[0])
    body = ContradictionSettled(
        relationship=relationship,
        contradiction=sha256(found[0]).digest(),
        reason=request.reason,
        by=ROOT if request.actor.handle == ROOT else (await house.person(request.actor.handle)).person,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def say(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))

    await house.sequencer.submit(say)
    return (await _held(house, keys[0], found[0])).shown


async def _rows(house: House, relationship: str) -> AsyncIterator[tuple[str, bytes]]:
    first, end = (f"{relationship}/", f"{relationship}0") if relationship else ("", None)
    while rows := await house.store.scan(CONFLICT, first, end, limit=CONFLICTS_KEPT):
        for row in rows:
            yield row
        first = rows[-1][0] + "\0"


def _relationship_of(key: str) -> str:
    """What a chain, or a key that begins with one, begins with: the agreement and the parties."""
    return "/".join(key.split("/")[:2])


async def _held(house: House, key: str, value: bytes) -> Held:
    found = await _proved(house, key, value)
    relationship = _relationship_of(key)
    row = await house.row(AgreementRow, relationship)
    settled = await house.row(
        ContradictionSettledRow, contradiction_settled_key(relationship, sha256(value).digest())[1]
    )
    shown = msgspec.structs.replace(
        found.shown,
        relationship=relationship,
        settled="" if settled is None else settled.reason,
        response=() if row is None else tuple(await response_of(house, row)),
    )
    return Held(shown, found.proof)


async def _proved(house: House, key: str, value: bytes) -> Held:
    chain, _, number = key.rpartition("/")[0].rpartition("/")
    if value.startswith(WHOLE):  # of a feed, whose words are elsewhere
        return await _whole(house, chain, value)
    if value.startswith(b'{"is"'):
        peer = await house.peer_in(chain.rpartition("/")[0])
        return settle(value, peer, [await _card(house, peer)], chain, [_read.decode(value)])
    signer = chain.rpartition("/")[2]
    cards = [await _card(house, signer)]
    if value.startswith(b"{"):
        shown = [each async for each in _records(house, chain, int(number), value)]
    else:
        shown = [each async for each in _states(house, chain, value, cards)]
    return settle(value, signer, cards, chain, shown)


async def _whole(house: House, chain: str, proof: bytes) -> Held:
    """A proof, unless its signer has revoked the key since (8)."""
    name, party = sha256(proof).hexdigest()[:ID_DIGITS], await house.peer_in(_relationship_of(chain))
    try:
        told = verify_contradiction(proof, (), [await _card(house, party)])
    except Rejected as error:
        return Held(
            ContradictionShown(contradiction=name, signer=party, log=origin(chain), kind=None, says=error.sentence)
        )
    shown = ContradictionShown(contradiction=name, signer=told.signer, log=told.log, kind=told.kind, says=told.says)
    return Held(shown, proof)


def settle(value: bytes, signer: str, cards: list[bytes], log: str, candidates: list[Shows]) -> Held:
    """What is kept, with the first of the candidates that is a proof."""
    name = sha256(value).hexdigest()[:ID_DIGITS]
    for shows in candidates:
        with suppress(Rejected):
            proof = prove(shows, signer, cards)
            told = verify_contradiction(proof, ())
            return Held(
                ContradictionShown(contradiction=name, signer=signer, log=log, kind=told.kind, says=told.says), proof
            )
    says = "the signed word that would complete the proof is not here"
    return Held(ContradictionShown(contradiction=name, signer=signer, log=log, kind=None, says=says))


async def _card(house: House, party: str) -> bytes:
    """The newest card of a party, which names its keys of before too."""
    return await house.card() if party == house.party else (await house.need(PeerRow, party, "peer")).card


async def _records(house: House, chain: str, sequence: int, envelope: bytes) -> AsyncIterator[Shows]:
    """The record beside those that stand, or wait, at its place and beside it."""
    for entry in await house.store.chain(chain, max(0, sequence - 1), 3):
        if entry.sequence > sequence:
            yield TwoRecords(envelope, entry.envelope)
        else:
            yield TwoRecords(entry.envelope, envelope)
    waiting = await house.side(WAITING, waiting_key(chain, sequence))
    kept = None if waiting is None else await house.store.find(waiting)
    if kept is not None:
        yield TwoRecords(kept.envelope, envelope)


async def _states(house: House, chain: str, note: bytes, cards: list[bytes]) -> AsyncIterator[Shows]:
    """The checkpoint beside the newest one of the same log, if that covers as much: our copy has the path."""
    if chain.rpartition("/")[2] == house.party:
        newest: bytes | None = house.exchange.checkpoint(chain)
    else:
        newest = await house.side(THEIR_CHECKPOINT, chain)
    if not newest or read_head(newest).size < read_head(note).size:
        return
    keys = [key for card in cards for key in log_keys(chain, known_card(card).had("log"))]
    yield await _against_newer(house, chain, note, newest, keys)


async def _against_newer(house: House, chain: str, note: bytes, newest: bytes, keys: list[VerifierKey]) -> TwoHistories:
    """A state of a log against a newer one, which our copy agrees with."""
    old, new = read_head(note).size, read_head(newest).size
    tiles = {(tile.level, tile.index): tile for tile in edge_tiles(old)}
    values = await house.store.get(TILE, [tile_key(chain, tile) for tile in tiles.values()])
    kept = dict(zip(tiles, values, strict=True))
    root = Frontier.peaked(old, lambda level, index: kept.get((level, index)) or b"").root()
    path = await house.ledgers.consistency(chain, old, new)
    return TwoHistories(origin(chain), Noted(only(note, keys)), Noted(only(newest, keys)), root, path)
