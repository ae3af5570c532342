"""Parcels that a dishonest or broken peer could make: really signed, wrong in one place."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from comity.flows.exchanging.parcel import Parcel, Sent
from comity.flows.house import House
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import JournalEntry
from comity.record import bodies, dsse
from comity.record.bodies import Body
from comity.record.contexts import RECORD, origin
from comity.record.encoding import encode
from comity.record.statement import SUITE, VERSION, Record, Statement, chain_id, read_frame, write
from comity.register.rows import TABLES
from world import RELATIONSHIP

replace = msgspec.structs.replace
JP, KR = chain_id(RELATIONSHIP, "jp"), chain_id(RELATIONSHIP, "kr")


def listed(house: House, pseudonym: str = "n-new", function: str = "a desk") -> bodies.Listed:
    """A harmless record: one more function in the directory."""
    return bodies.Listed(
        pseudonym=pseudonym,
        function=function,
        body="a ministry",
        employer="government",
        nationality=house.party,
        serves=house.party,
        roles=("reader",),
        custody="served",
        recipient="age1",
        signing_key=bytes(32),
    )


def record_of(house: House, body: Body | bytes, **changes: object) -> Record:
    """A record that ``house`` signs without its sequencer: at the end of its chain unless told otherwise."""
    head = house.sequencer.head(chain_id(RELATIONSHIP, house.party))
    fields: dict[str, object] = {
        "version": VERSION,
        "suite": SUITE,
        "relationship": RELATIONSHIP,
        "author": house.party,
        "sequence": head.size,
        "previous": head.last,
        "at": house.now(),
        "seen": house.sequencer.seen.get(RELATIONSHIP),
        "type": "feed/1" if isinstance(body, bytes) else body.kind,
        "body": msgspec.Raw(body if isinstance(body, bytes) else encode(body)),
        **changes,
    }
    statement = Statement(**fields)
    known = listed(house) if isinstance(body, bytes) else body
    key = house.keys.record
    if isinstance(body, bytes):
        return read_frame(dsse.sign(RECORD, encode(statement), [(key.public, key.sign)]), [key.public])
    return write(statement, known, [(key.public, key.sign)])


def after(record: Record, **changes: object) -> dict[str, object]:
    """Where the record after ``record`` stands."""
    return {"sequence": record.statement.sequence + 1, "previous": record.id, **changes}


async def parcel_with(house: House, *records: Record, **changes: object) -> Parcel:
    """What ``house`` would hand over, with ``records`` in the place of its own, and no checkpoint over them."""
    parcel = await house.pack(records[0].statement.relationship if records else RELATIONSHIP)
    entries = tuple(Sent(record.envelope, number.to_bytes(32, "big")) for number, record in enumerate(records))
    start = records[0].statement.sequence if records else parcel.start
    return replace(parcel, start=start, entries=entries, checkpoint=b"", **changes)


def signed_head(house: House, head: TreeHead) -> bytes:
    """A checkpoint of the house's crossing chain that states ``head``."""
    chain = chain_id(RELATIONSHIP, house.party)
    return sign_checkpoint(Checkpoint(origin(chain), head), house.keys.log).encode()


async def head_with(house: House, *extra: Sent) -> TreeHead:
    """The true head of the crossing chain with ``extra`` at its end."""
    entries = await house.store.chain(chain_id(RELATIONSHIP, house.party), 0, 10_000)
    leaves = [record_leaf(entry.salt, entry.envelope).data for entry in (*entries, *extra)]
    return Frontier().append(leaves)[0].head()


async def everything(house: House) -> tuple[list[JournalEntry], dict[str, list[tuple[str, bytes]]]]:
    """The whole store but for what every exchange may renew."""
    tables = (*TABLES, "header", "waiting", "held", "conflict", "cosigned", "their-checkpoint", "peer-has", "tile")
    return await house.store.journal(0, 10_000), {
        table: await house.store.scan(table, limit=10_000) for table in tables
    }


async def verdicts(house: House, record: Record) -> list[tuple[str, str, bool]]:
    """Every verdict on a record in the journal, in order, and whether its entry extends the chain."""
    return [
        (entry.verdict, entry.reason, entry.extends)
        for entry in await house.store.journal(0, 10_000)
        if entry.record == record.id
    ]


def later(at: datetime, **by: float) -> datetime:
    """An instant later than ``at``."""
    return at + timedelta(**by)
