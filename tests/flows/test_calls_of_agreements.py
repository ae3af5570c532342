"""What the inbox tells of negotiations, of notes about the end and of amendments, and to whom (step 32)."""

from __future__ import annotations

from comity.flows.actors import Actor
from comity.flows.agreeing.end_notes import TellEndNote, tell_end_note
from comity.flows.agreeing.negotiating import OpenChannel, OpenNegotiation, open_channel, open_negotiation
from comity.flows.calls import show_whole_inbox
from comity.flows.looking.views import ShowInbox
from flows.talking import RUNNING, Table, amended, enrol
from flows.test_negotiating import run
from world import World


async def told(world: World, party: str, handle: str | None = None) -> list[tuple[str, str]]:
    request = ShowInbox(actor=None if handle is None else Actor(handle))
    return [(call.kind, call.says) for call in (await show_whole_inbox(world.house(party), request)).calls]


async def test_a_negotiation_tells_its_delegates_what_waits_for_their_side(world: World) -> None:
    await enrol(world)
    table = await Table.open(world, "amendment", RUNNING)
    title = "Protection of information"
    assert await told(world, "kr", "mun") == []
    await table.propose(text=amended())
    await table.carry()
    assert await told(world, "kr", "mun") == [("negotiation", f"{title}: jp-1 is proposed")]
    for handle in (None, "lee", "kim"):
        assert await told(world, "kr", handle) == []
    await table.initial("jp-1")
    assert await told(world, "jp", "oda") == [("negotiation", f"{title}: jp-1 is to be approved at home")]
    await table.approve()
    assert await told(world, "jp", "oda") == []
    await table.sign("jp")
    await table.carry()
    assert await told(world, "kr", "mun") == [("negotiation", f"{title}: jp has signed jp-1")]
    await table.sign("kr")
    await table.carry()
    ((kind, says),) = await told(world, "kr", "mun")
    assert kind == "amendment"
    assert says.startswith("an amendment that both have signed applies from 2026-11-21")
    await run(table, "kr", amended())
    assert await told(world, "kr", "mun") == []


async def test_a_note_that_the_history_here_does_not_tell_stands_in_the_inbox(world: World) -> None:
    await enrol(world)
    note = TellEndNote(relationship=RUNNING, step="notice", note="NV 1", day="2026-11-21", actor=Actor("mun"))
    await tell_end_note(world.kr, note)
    await world.exchange()
    for handle in (None, "oda", "ito"):
        assert await told(world, "jp", handle) == [
            ("note", "kr: notice of 2026-11-21 (NV 1), which your history does not tell")
        ]
    assert await told(world, "jp", "sato") == await told(world, "kr", "mun") == []


async def test_a_negotiation_that_is_asked_for_waits_for_delegates(world: World) -> None:

    await enrol(world)
    opened = OpenNegotiation(peer="kr", about="agreement", title="Mutual supply", actor=Actor("oda"))
    table = Table(world, (await open_negotiation(world.jp, opened)).negotiation)
    await open_channel(world.kr, OpenChannel("jp"))
    await table.carry()
    says = "Mutual supply: jp asks to negotiate; say who takes part here"
    assert await told(world, "kr", "mun") == [("negotiation", says)]
    assert await told(world, "kr", "lee") == []
