"""Two houses that act at once, over a line that loses, repeats and delays, come to the same (``spec/lifecycle.md``)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.agreeing.negotiating import (
    PostponeSignature,
    WithdrawNegotiation,
    postpone_signature,
    withdraw_negotiation,
)
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.register.rows.negotiation import NegotiationRow
from flows.talking import CHANNEL, HEADS, OTHER, TEXT, Table, amended, enrol, without_agreement

STEPS = 22


async def act(table: Table, party: str, chance: random.Random) -> None:
    """Something that this side may try, whether or not it can follow now."""
    seen = await table.seen(party)
    head = Actor(HEADS[party])
    match chance.choice(("draft", "initials", "approve", "approve", "sign", "sign", "sign", "postpone", "withdraw")):
        case "draft" if not seen.drafts or chance.random() < 0.2:
            await table.propose(party, text=chance.choice((TEXT, amended())))
        case "initials" if seen.drafts:
            await table.initial_here(chance.choice(seen.drafts).draft, party)
        case "approve":
            await table.approve_here(party)
        case "sign":
            await table.sign(party)
        case "postpone":
            request = PostponeSignature(negotiation=table.negotiation, reason="later", actor=head)
            await postpone_signature(table.house(party), request)
        case "withdraw" if chance.random() < 0.3:
            ending = WithdrawNegotiation(negotiation=table.negotiation, reason="no", actor=head)
            await withdraw_negotiation(table.house(party), ending)


async def row(table: Table, party: str) -> NegotiationRow:
    return await table.house(party).need(NegotiationRow, f"{CHANNEL}/{table.negotiation}", "negotiation")


@pytest.mark.parametrize("seed", range(24))
async def test_both_come_to_the_same_and_nothing_signed_is_undone(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    world = await without_agreement(tmp_path)
    await enrol(world)
    table = await Table.open(world)
    await table.propose()
    await table.carry()
    if seed % 3:
        await table.initial("jp-1")
        await table.approve()
    signed = False
    kept: list[tuple[str, bytes]] = []
    for _ in range(STEPS):
        party = chance.choice(("jp", "kr"))
        try:
            if chance.random() < 0.6:
                await act(table, party, chance)
            else:
                parcel = write_parcel(await table.house(party).pack(CHANNEL))
                kept.append((party, parcel))
                if chance.random() < 0.7:  # else it is lost on the way
                    sender, late = chance.choice(kept[-3:])  # or comes again, or later
                    await table.house(OTHER[sender]).take_parcel(sender, CHANNEL, late)
        except ComityError:
            pass  # what cannot follow is refused, and changes nothing
        signed = signed or any([(await row(table, each)).standing.state == "signed" for each in ("jp", "kr")])
    await table.carry()
    jp, kr = await row(table, "jp"), await row(table, "kr")
    assert jp == kr
    assert not signed or jp.standing.state == "signed"
    for party in ("jp", "kr"):
        for author in ("jp", "kr"):
            entries = await table.house(party).store.chain(f"{CHANNEL}/{author}", 0, 1000)
            assert {entry.verdict for entry in entries} == {"changes"}  # neither rejects what the other could say
        assert not (await verify_ledger(table.house(party), VerifyLedger())).findings
    await world.close()
