"""Visits, as flows do them; and what a dishonest peer's records about them come to (``spec/visits.md``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from articles.visiting import AUTHORITY, DAY, ENDS, HOST, STARTS, asked, permitted, radar_hall, representative
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import ChangeList, change_list
from comity.flows.people.permitting import PermitVisit, RefuseVisit, permit_visit, refuse_visit
from comity.flows.people.places import RegisterFacility, register_facility
from comity.flows.people.visit_views import ListVisits, ShowVisit, VisitShown, list_visits, show_visit
from comity.flows.people.visits import AskVisit, EndVisit, MakeFinding, end_visit, make_finding
from comity.flows.people.visits import ask_visit as ask
from comity.record.bodies import Body
from comity.record.bodies.visits import FindingClosed, FindingMade, Permission, VisitAnswered, VisitEnded
from comity.record.person_act import unsigned
from comity.register.rows.visits import VisitRow, visit_key
from comity.seal.keys import generate_identity
from flows.parcels import parcel_with, record_of, verdicts
from flows.test_opening import KEY
from flows.test_showing import approved, assured, done
from flows.test_showing import ask as ask_show
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World


async def test_the_level_is_on_the_hosts_ladder(world: World) -> None:  # (1)
    assert (await asked(world, mark="군사 Ⅲ급 비밀")).mark == "秘"  # one Japanese mark corresponds
    with pytest.raises(Misuse) as raised:  # two do: one of them is named
        await asked(world, mark="군사 Ⅱ급 비밀")
    assert raised.value.code == "which-mark"
    assert (await asked(world, mark="特定秘密")).mark == "特定秘密"
    with pytest.raises(Rejected) as unknown:
        await asked(world, mark="비밀")
    assert unknown.value.code == "unknown-mark"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"visitors": ("nobody",)}, "unknown-person"),
        ({"ends": STARTS - DAY}, "dates"),
        ({"mark": "機密"}, "above-ceiling"),
        ({"actor": Actor("root")}, "root-act"),
        ({"visit": "v-short"}, "bad-name"),
    ],
)
async def test_a_request_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    with pytest.raises((Misuse, Refused)) as raised:
        await asked(world, **changes)
    assert raised.value.code == code


async def test_a_visit_that_is_not_there(world: World) -> None:
    about = {"relationship": RELATIONSHIP, "visit": "v-none"}
    for act in (
        permit_visit(world.jp, PermitVisit(**about, actor=HOST)),
        refuse_visit(world.jp, RefuseVisit(**about, reason="no", actor=HOST)),
        end_visit(world.kr, EndVisit(**about, report="none", actor=AUTHORITY)),
        make_finding(world.kr, MakeFinding(**about, says="none", wanted="", actor=AUTHORITY)),
        show_visit(world.kr, ShowVisit(**about)),
    ):
        with pytest.raises(Misuse) as raised:
            await act
        assert raised.value.code == "unknown-visit"


async def test_whoever_does_not_go_on_a_visit_hears_of_none(world: World) -> None:
    """Of what was shown during one, whoever goes sees what he may see; others have no visit and no item."""
    await radar_hall(world)
    visit = (await permitted(world, await asked(world))).visit.visit
    world.clock.time = STARTS + timedelta(hours=9)
    told = await ask_show(world, title="the new hall")
    await assured(world, told.request)
    await approved(world, told.request)
    item = (await done(world, told.request, visit=visit)).item
    named = {"relationship": RELATIONSHIP, "visit": visit}
    for actor in (None, AUTHORITY, Actor("kim")):
        (line,) = await list_visits(world.kr, ListVisits(actor=actor))
        assert [each.item for each in line.shown] == [item]
    await change_list(world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
    assert (await show_visit(world.kr, ShowVisit(**named, actor=Actor("kim")))).shown == ()
    assert await list_visits(world.kr, ListVisits(actor=Actor("choi"))) == []
    ghost = {**named, "visit": "v-aaaaaaaaaaaaaaaa"}
    for request in (named, ghost):
        for act in (
            show_visit(world.kr, ShowVisit(**request, actor=Actor("choi"))),
            end_visit(world.kr, EndVisit(**request, report="over", actor=Actor("choi"))),
            make_finding(world.kr, MakeFinding(**request, says="dust", wanted="", actor=Actor("choi"))),
        ):
            with pytest.raises(Misuse) as raised:
                await act
            assert raised.value.code == "unknown-visit"
            assert raised.value.sentence == f"there is no visit {request['visit']!r}"


async def test_a_permission_is_taken_back_and_a_visit_ends(world: World) -> None:  # (4) (7)
    await radar_hall(world)
    visit = (await permitted(world, await asked(world, recurring=True))).visit
    assert (visit.state, visit.recurring) == ("permitted", True)
    back = await refuse_visit(
        world.jp, RefuseVisit(relationship=RELATIONSHIP, visit=visit.visit, reason="an exercise", actor=HOST)
    )
    assert (back.state, back.reason) == ("refused", "an exercise")
    await world.exchange()
    assert (await permitted(world, visit)).visit.state == "permitted"
    ended = await end_visit(
        world.kr, EndVisit(relationship=RELATIONSHIP, visit=visit.visit, report="not needed", actor=Actor("kim"))
    )
    assert (ended.state, ended.report) == ("ended", "not needed")
    await world.exchange()
    with pytest.raises(Misuse) as raised:
        await permitted(world, visit)
    assert raised.value.code == "visit-ended"


async def test_the_calendar_has_both_sides(world: World) -> None:
    await radar_hall(world)
    await asked(world)
    await asked(world, starts=STARTS + 100 * DAY, ends=ENDS + 100 * DAY)

    async def begins(**limits: object) -> list[timedelta]:
        found = await list_visits(world.jp, ListVisits(**limits))  # type: ignore[arg-type]  # by name
        return [each.starts - STARTS for each in found]

    assert await begins() == [0 * DAY, 100 * DAY]
    assert await begins(first=ENDS + DAY) == [100 * DAY]
    assert await begins(last=STARTS + DAY, open=True) == [0 * DAY]
    assert await begins(relationship="jp-us/jp.us") == []
    assert {each.side for each in await list_visits(world.kr, ListVisits())} == {"visitor"}
    assert {each.side for each in await list_visits(world.jp, ListVisits())} == {"host"}


async def test_tokyo_visits_seoul_likewise(world: World) -> None:
    await world.both_ways()
    await register_facility(
        world.kr,
        RegisterFacility(
            facility="osan",
            mark="군사 Ⅱ급 비밀",
            until=TODAY + 365 * DAY,
            conditions=(),
            evidence="order 2",
            actor=ROOT,
        ),
    )
    visit = await ask(
        world.jp,
        AskVisit(
            relationship=RELATIONSHIP,
            facility="osan",
            topic="missiles",
            scope="the command post",
            purpose="joint exercise",
            mark="極秘",  # in their own words; on the host's ladder there is one mark for it
            visitors=("mori",),
            starts=STARTS,
            ends=ENDS,
            actor=Actor("ito"),
        ),
    )
    await world.exchange()
    assert visit.mark == "군사 Ⅱ급 비밀"
    request = PermitVisit(relationship=RELATIONSHIP, visit=visit.visit, actor=AUTHORITY, told="Base security")
    assert (await permit_visit(world.kr, request)).outcome == "permit"


async def test_all_of_it_can_be_made_again_from_the_journal(world: World) -> None:
    await radar_hall(world)
    await representative(world)
    visit = (await permitted(world, await asked(world, visitors=("han",), security=True))).visit
    world.clock.time = STARTS + DAY
    await make_finding(
        world.kr,
        MakeFinding(relationship=RELATIONSHIP, visit=visit.visit, says="none", wanted="", actor=Actor("han")),
    )
    await world.exchange()
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


# ---- a dishonest peer -----------------------------------------------------------------------------------------------


async def _own_answer(world: World, visit: VisitShown, by: str) -> Body:
    """Seoul permits its own visit."""
    row = await world.jp.need(VisitRow, visit_key(RELATIONSHIP, visit.visit)[1], "visit")
    permits = Permission("yokota", "ourselves", "missiles", "all", "極秘", row.visitors, row.starts, row.ends)
    return VisitAnswered(
        visit=visit.visit,
        permits=permits,
        reason="",
        basis=bytes(32),
        by=by,
        after=row.last,
        signature=unsigned(),
    )


async def _closed_by_visitor(_: World, visit: VisitShown, by: str) -> Body:
    return FindingClosed(
        visit=visit.visit, finding="f-1", evidence="done", by=by, after=bytes(32), signature=unsigned()
    )


async def _found_without_a_visit(_: World, visit: VisitShown, by: str) -> Body:
    return FindingMade(visit=visit.visit, finding="f-1", says="much", wanted="", by=by, signature=unsigned())


async def _ended_on_another_record(_: World, visit: VisitShown, by: str) -> Body:
    return VisitEnded(visit=visit.visit, report="", by=by, after=bytes(32), signature=unsigned())


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_own_answer, "not-host"),
        (_closed_by_visitor, "not-host"),
        (_found_without_a_visit, "not-security"),
        (_ended_on_another_record, "stale-act"),
    ],
)
async def test_a_forged_record_comes_back_rejected(world: World, make: Callable[..., object], code: str) -> None:
    """Seoul's node signs what its own register would not take; Tokyo's does not take it either, and says so."""
    await radar_hall(world)
    visit = await asked(world)
    by = await world.pseudonym("lee")
    body = await make(world, visit, by)  # type: ignore[misc]  # each is a coroutine
    signed = await world.kr.sign(body, RELATIONSHIP, AUTHORITY, by)
    forged = record_of(world.kr, signed)
    await world.jp.exchange.unpack("kr", await parcel_with(world.kr, forged))
    assert await verdicts(world.jp, forged) == [("rejected", code, True)]
    assert (await show_visit(world.jp, ShowVisit(relationship=RELATIONSHIP, visit=visit.visit))).state == "asked"


async def test_an_authority_who_keeps_his_own_key_permits_a_visit_with_one_signature(world: World) -> None:
    await radar_hall(world)
    own = {"recipient": str(generate_identity(SeededEntropy("oka")).recipient)}
    public = KEY.public_key().public_bytes_raw()
    await world.person("jp", "oka", roles=("security-officer",), custody="strict", signing_key=public, **own)
    await world.exchange()
    visit = await asked(world)

    def request(*signatures: bytes, mark: str = "極秘") -> PermitVisit:
        return PermitVisit(
            relationship=RELATIONSHIP, visit=visit.visit, mark=mark, told="Base", actor=Actor("oka", signatures)
        )

    with pytest.raises(NeedsSignature) as first:
        await permit_visit(world.jp, request())
    signature = KEY.sign(first.value.message)
    with pytest.raises(NeedsSignature) as other:  # a lower level is another question, and decided by itself
        await permit_visit(world.jp, request(signature, mark="秘"))
    assert other.value.message != first.value.message
    told = await permit_visit(world.jp, request(signature))
    assert (told.outcome, told.visit.state) == ("permit", "permitted")
