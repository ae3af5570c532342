"""Article 12: what travels by hand is packed, receipted at every change of hands, and receipted at its end."""

from __future__ import annotations

import pytest

from clauses import article
from comity.flows.actors import Actor
from comity.flows.handling.copies import LabelCopy, ShowCopy, label_copy, show_copy
from comity.flows.handling.handing_over import Carry, TakeOver, carry, take_over
from comity.flows.looking.duties import DutyShown, ListDuties, list_duties
from comity.record.bodies.custody import DoubleEnvelope, Enclosure, Packing
from comity.register.rows import CopyRow
from world import RELATIONSHIP, World

ENVELOPES = DoubleEnvelope(
    inner_mark="極秘",
    inner_address="Air defence desk, Seoul",
    outer_recipient="Ministry of National Defense, Seoul",
    outer_sender="Ministry of Defense, Tokyo",
    register_number="2026/117",
)
CRATE = Enclosure(means="crate", seal="88-12", concealed=True, control="two armed escorts")


async def sent(world: World, form: str) -> tuple[str, str]:
    """Something on its way: its item, and the reference on its label."""
    for party, handle in (("jp", "oda"), ("kr", "bae")):
        await world.person(party, handle, function="Courier")
    item = (await world.given(form=form)).item
    return item, (await label_copy(world.jp, LabelCopy(item=item, copy=1))).reference


async def receipts_due(world: World, item: str) -> list[DutyShown]:
    shown = await list_duties(world.kr, ListDuties(item=item))
    return [each for each in shown.duties if each.deed == "give-receipt" and each.discharged is None]


@article(
    "12",
    does="a receipt is signed at every change of hands and by the final recipient, and goes back to the sender",
    command="comity take-over",
    rests_on=("o-12",),
)
@pytest.mark.parametrize(("form", "packing"), [("documentary", ENVELOPES), ("equipment", CRATE)])
async def test_every_change_of_hands_is_receipted(world: World, form: str, packing: Packing) -> None:
    item, reference = await sent(world, form)
    first = await carry(world.jp, Carry(item=reference, actor=Actor("oda"), packing=packing))
    assert first.amiss == ()
    await world.exchange()
    await carry(world.kr, Carry(item=reference, actor=Actor("bae")))
    copy = await world.kr.need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")
    assert copy.state == "in transit"  # the record has arrived, and its receipt was given; the thing has not
    (due,) = await receipts_due(world, item)
    assert (due.clause, due.provenance) == ("12", "K")
    await take_over(world.kr, TakeOver(item=item, copy=1, actor=Actor("kim")))
    assert await receipts_due(world, item) == []
    await world.exchange()
    chain = (await show_copy(world.jp, ShowCopy(item=item, copy=1))).chain
    assert [link.kind for link in chain if link.by] == ["carriage/1", "carriage/1", "take-over/1"]
    assert chain[-1].answers


@article(
    "12",
    does="the packing is recorded as the carrier saw it; what is amiss warns him, as the details are unchecked",
    command="comity copy carry",
    rests_on=("o-12",),
)
@pytest.mark.parametrize(
    ("form", "packing"),
    [
        ("documentary", None),
        ("documentary", CRATE),
        ("equipment", ENVELOPES),
        ("equipment", Enclosure(means="vehicle", seal="", concealed=True, control="two armed escorts")),
    ],
)
async def test_what_is_amiss_with_the_packing_warns(world: World, form: str, packing: Packing | None) -> None:
    item, reference = await sent(world, form)
    signed = await carry(world.jp, Carry(item=reference, actor=Actor("oda"), packing=packing))
    assert signed.amiss
    assert {(each.clause, each.instrument, each.provenance) for each in signed.amiss} == {("12", "jp-kr-2016", "K")}
    chain = (await show_copy(world.jp, ShowCopy(item=item, copy=1))).chain
    assert [link.packing for link in chain if link.kind == "carriage/1"] == [packing]
