"""A liar between the houses: what one of them sends is changed, repeated, kept back, or told in two ways.

The liar has every key of that house. The house itself and its people know nothing of it, so that they act as anybody
does, and so that what they do can be compared with what was made of it. Both are told of here as *the liar*.

- A *meddler* changes bytes, repeats what was sent before, keeps records, checkpoints and payloads back, and tells wrong
  numbers; it signs nothing. Once it ends, all is as if it had not been.
- A *double-dealer* does that, too, and signs: another record in the place of one, another root, a smaller tree.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from comity.errors import Rejected
from comity.evidence.contradiction import verify_contradiction
from comity.flows.exchanging.parcel import Parcel, Sent, read_parcel, write_parcel
from comity.flows.house import House
from comity.flows.table import FLOWS
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.note import Note, cosign
from comity.ledger.tree import TreeHead
from comity.record import bodies
from comity.record.card import fingerprint
from comity.record.contexts import origin, witness_name
from comity.record.encoding import decode
from comity.record.statement import chain_id, peek, write

from .network import Message

if TYPE_CHECKING:
    from .simulation import Simulation

LIES = 0.5
"""Share of what the liar sends that is not what its house gave it."""
REMEMBERED = 30
"""Messages that may be repeated."""
replaced = msgspec.structs.replace


class Liar:
    """What lies for one house.

    Attributes:
        party: for which.
        signs: whether it signs what its house did not.
        active: it lies at all, at the moment.
    """

    def __init__(self, sim: Simulation, party: str, *, signs: bool) -> None:
        self._sim = sim
        self._random = sim.random
        self.party = party
        self.signs = signs
        self.active = False
        self._sent: list[Message] = []
        self._frames: list[bytes] = []

    def message(self, message: Message) -> list[Message]:
        """What goes on the road in the place of a message."""
        if not self.active or message.sender != self.party:
            return [message]
        self._sent = [*self._sent[1 - REMEMBERED :], message]
        if self._random.random() >= LIES:
            return [message]
        if message.kind in ("parcel", "answer") and self._random.random() < 0.7:
            return self._parcel(message)
        kind = self._random.choice(("change", "repeat", "keep back", "swap"))
        self._sim.witness.fault(f"liar {kind} {message.kind}")
        if kind == "change":
            return [changed(message, body=self._spoilt(message.body))]
        if kind == "repeat":
            return [message, self._random.choice(self._sent)]
        if kind == "swap":
            other = self._random.choice(self._sent)
            return [changed(message, body=other.body) if other.kind == message.kind else other]
        return []

    def frame(self, data: bytes) -> list[bytes]:
        """What goes over a channel in the place of a frame, or a word back."""
        if not self.active:
            return [data]
        self._frames = [*self._frames[1 - REMEMBERED :], data]
        if self._random.random() >= LIES / 16:
            return [data]
        kind = self._random.choice(("change", "repeat", "keep back", "swap"))
        self._sim.witness.fault(f"liar {kind} frame")
        return {
            "change": [self._spoilt(data)],
            "repeat": [data, self._random.choice(self._frames)],
            "swap": [self._random.choice(self._frames)],
            "keep back": [],
        }[kind]

    def _spoilt(self, data: bytes) -> bytes:
        if not data:
            return b"\0"
        place = self._random.randrange(len(data))
        return data[:place] + bytes([data[place] ^ (1 << self._random.randrange(8))]) + data[place + 1 :]

    # ---- parcels ---------------------------------------------------------------------------------------------------

    def _parcel(self, message: Message) -> list[Message]:
        try:
            parcel = read_parcel(message.body)
        except Rejected:
            return [message]
        lies = [self._withheld, self._headless, self._misnumbered, self._spoilt_part, self._miscounted]
        if self.signs:
            lies += [self._forged_record, self._forged_root, self._lost]
        lie = self._random.choice(lies)
        said = lie(parcel)
        if said == parcel:
            return [message]
        self._sim.witness.fault(f"liar {lie.__name__.strip('_').replace('_', ' ')}")
        return [changed(message, body=write_parcel(said))]

    def _withheld(self, parcel: Parcel) -> Parcel:
        """The last records are kept back, and the checkpoint over them."""
        kept = parcel.entries[: self._random.randrange(len(parcel.entries) + 1)]
        return replaced(parcel, entries=kept, checkpoint=b"")

    def _headless(self, parcel: Parcel) -> Parcel:
        """No word of what stands, here or there; no header, no payload."""
        part = self._random.choice(("checkpoint", "cosigned", "headers", "blobs"))
        return replaced(parcel, **{part: type(getattr(parcel, part))()})

    def _misnumbered(self, parcel: Parcel) -> Parcel:
        return replaced(parcel, start=max(0, parcel.start + self._random.choice((-1, 1, 3))))

    def _miscounted(self, parcel: Parcel) -> Parcel:
        """It has less, or more, of what the other said than it has."""
        return replaced(parcel, have=self._random.randint(0, parcel.have + 2))

    def _spoilt_part(self, parcel: Parcel) -> Parcel:
        """One part is damaged, and the whole reads well."""
        part = self._random.choice(("entries", "checkpoint", "cosigned", "headers", "blobs"))
        value = getattr(parcel, part)
        if not value:
            return parcel
        if isinstance(value, bytes):
            return replaced(parcel, **{part: self._spoilt(value)})
        index = self._random.randrange(len(value))
        old = value[index]
        new = replaced(old, envelope=self._spoilt(old.envelope)) if isinstance(old, Sent) else self._spoilt(old)
        return replaced(parcel, **{part: (*value[:index], new, *value[index + 1 :])})

    # ---- what is signed --------------------------------------------------------------------------------------------

    def _forged_record(self, parcel: Parcel) -> Parcel:
        """Another record in the place of the last one, a moment younger; nothing is said of the tree."""
        if not parcel.entries:
            return parcel
        last = peek(parcel.entries[-1].envelope)
        body = decode(bytes(last.body), bodies.BODIES[last.type])
        signer = self._house.keys.record
        other = write(replaced(last, at=last.at + timedelta(microseconds=1)), body, [(signer.public, signer.sign)])
        forged = Sent(other.envelope, parcel.entries[-1].salt)
        return replaced(parcel, entries=(*parcel.entries[:-1], forged), checkpoint=b"")

    def _forged_root(self, parcel: Parcel) -> Parcel:
        """The tree is as large as it is, and another one."""
        chain = chain_id(parcel.relationship, self.party)
        size = parcel.start + len(parcel.entries)
        if not size:
            return parcel
        note = sign_checkpoint(Checkpoint(origin(chain), TreeHead(size, bytes(32))), self._house.keys.log)
        return replaced(parcel, checkpoint=note.encode())

    def _lost(self, parcel: Parcel) -> Parcel:
        """It cosigns another tree than the one it was shown."""
        if not parcel.cosigned:
            return parcel
        shown = Note.parse(parcel.cosigned)
        stated = Checkpoint.parse(shown.text)
        text = Checkpoint(stated.origin, TreeHead(stated.head.size, bytes(32))).text
        time = int(self._house.now().timestamp())
        line = cosign(text, witness_name(self.party), self._house.keys.witness, time)
        return replaced(parcel, cosigned=Note(text, (*shown.signatures[:1], line)).encode())

    @property
    def _house(self) -> House:
        house = self._sim.nodes[self.party].house
        assert house is not None
        return house


async def accusations(sim: Simulation, house: House) -> tuple[list[str], list[str]]:
    """Whom a house holds something against, and whom the proofs that it exports convict before a stranger.

    The stranger has compared the fingerprints of both parties, and knows nothing else.
    """
    listing, exporting = FLOWS["ledger.contradictions"], FLOWS["evidence.contradiction"]
    trusted = [fingerprint(party, node.keys.root_public) for party, node in sim.nodes.items()]
    accused, proved = [], []
    for each in await listing.run(house, listing.request()):
        if each.kind is None:
            continue
        accused.append(each.signer)
        path = sim.folder / f"proof-{sim.number()}"
        await exporting.run(house, exporting.request(contradiction=each.contradiction, path=str(path)))
        told = verify_contradiction(path.read_bytes(), trusted)
        proved += [told.signer] if told.trusted else []
        path.unlink()
    return accused, proved
