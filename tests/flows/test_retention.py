"""How long what is kept, and the end of it (``spec/keys.md`` steps 71, 72 and 75 to 80)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.keeping.periods import Periods
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.maintaining.retention import (
    ApplyRetention,
    RetentionApplied,
    RetentionShown,
    ShowRetention,
    apply_retention,
    show_retention,
)
from comity.flows.people.forgetting import ForgetName, forget_name
from comity.flows.people.leaving import RemovePerson, remove_person
from comity.record.bodies.retention import Erased
from comity.record.encoding import decode
from comity.record.statement import peek
from world import ROOT, World

LEE = Actor("lee")


def layer(of: str, length: str, party: str = "kr", provenance: str = "P") -> str:
    """A domestic layer that says how long something is kept."""
    return f"""
[layer]
format = 1
id = "{party}-retention"
version = "1"
kind = "domestic"
on = "jp-kr-2016"
party = "{party}"
title = {{ en = "How long what is kept" }}

[[clause]]
id = "kept"
heading = {{ en = "Kept" }}
says = "What is kept how long."
provenance = "{provenance}"
source = "invented for a test"

[[interval]]
of = "{of}"
clause = "kept"
length = "{length}"
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


async def destroyed(world: World) -> str:
    """An item whose only copy was destroyed, as both know."""
    given = await world.given()
    done = await destroy(
        world.kr,
        Destroy(item=given.item, copy=1, method="erase-key", reason="no longer needed", actor=Actor("kim")),
    )
    assert done.outcome == "permit"
    await world.exchange()
    return given.item


async def shown(world: World, party: str = "kr") -> RetentionShown:
    return await show_retention(world.house(party), ShowRetention())


async def applied(world: World, actor: Actor = LEE) -> RetentionApplied:
    return await apply_retention(world.kr, ApplyRetention(actor=actor))


async def whole(world: World) -> None:
    """Both houses verify and are rebuilt without a finding."""
    for house in (world.jp, world.kr):
        assert not (await verify_ledger(house, VerifyLedger())).findings
        assert not (await rebuild(house, Rebuild())).findings


async def test_without_a_setting_payloads_and_titles_stay_and_names_go_at_once(world: World) -> None:  # (75)
    await destroyed(world)
    world.clock.time += timedelta(days=4_000)
    told = await shown(world)
    assert told.due == told.needed == ()
    assert told.older_backups is None
    kept = {each.kind: each.kept for each in told.classes}
    assert (kept["names"], kept["titles"], kept["payloads"]) == ("at-once", "for-ever", "for-ever")
    assert set(kept) >= {"records", "register", "headers", "unclaimed", "sessions", "backups"}
    done = await applied(world)
    assert done.erased == done.records == ()
    await remove_person(world.kr, RemovePerson(handle="park", reason="left", actor=ROOT))
    assert not [each for each in (await shown(world)).classes if each.here and each.kind == "names"]


async def test_a_payload_is_erased_when_its_time_is_over_and_all_still_verifies(world: World) -> None:  # (76 to 79)
    world.kr.periods = Periods(payloads="P30D", titles="P30D")
    item = await destroyed(world)
    held = await world.given()
    assert (await shown(world)).due == ()
    world.clock.time += timedelta(days=32)
    due = (await shown(world)).due
    assert [(each.what, each.subject, each.because) for each in due] == [
        ("payloads", item, "[retention] payloads = 'P30D'")
    ]
    assert len(await world.kr.blobs.all()) == 2
    done = await applied(world)
    assert done.erased == due
    assert len(await world.kr.blobs.all()) == 1
    entry = await world.kr.store.find(bytes.fromhex(done.records[0]))
    assert entry is not None
    said = decode(bytes(peek(entry.envelope).body), Erased)
    assert (said.what, said.subjects) == ("payloads", (item,))
    again = await shown(world)
    assert again.due == ()
    assert again.older_backups is not None
    assert (await applied(world)).records == ()
    await world.exchange()
    await whole(world)
    assert held.item != item


async def test_titles_of_what_ended_are_erased_and_the_others_stay(world: World) -> None:
    world.jp.periods = Periods(titles="at-once")
    item, held = await destroyed(world), (await world.given()).item
    before = await world.jp.side("item-title", item)
    assert before
    assert [each.needed for each in (await shown(world, "jp")).needed] in ([], [""])
    done = await apply_retention(world.jp, ApplyRetention(actor=Actor("ito")))
    assert [each.subject for each in done.erased] == [item]
    assert await world.jp.side("item-title", item) is None
    assert await world.jp.side("item-title", held) is not None
    await whole(world)


async def test_what_a_layer_asks_binds_what_the_house_sets(tmp_path: Path) -> None:  # (76)
    world = await World.make(tmp_path, layers=(layer("keep-payloads", "P1Y"), layer("erase-titles", "P10D", "jp")))
    world.kr.periods = Periods(payloads="at-once")
    item = await destroyed(world)
    assert (await shown(world)).due == ()
    world.clock.time += timedelta(days=20)
    assert (await shown(world)).due == ()
    (title,) = (await shown(world, "jp")).due
    assert (title.what, title.subject, title.because) == ("titles", item, "jp-retention:kept")
    world.clock.time += timedelta(days=400)
    (payload,) = (await shown(world)).due
    assert (payload.what, payload.because) == ("payloads", "kr-retention:kept")
    row = next(each for each in (await shown(world)).classes if each.kind == "payloads")
    assert row.rests_on == ("[retention] payloads", "kr-retention:kept: at least P1Y")
    await world.close()


async def test_a_clause_that_was_not_checked_binds_nobody(tmp_path: Path) -> None:
    world = await World.make(tmp_path, layers=(layer("keep-payloads", "P1Y", provenance="K"),))
    world.kr.periods = Periods(payloads="at-once")
    await destroyed(world)
    told = await shown(world)
    assert len(told.due) == 1
    row = next(each for each in told.classes if each.kind == "payloads")
    assert row.rests_on[1].endswith("not checked")
    await world.close()


async def test_a_name_is_kept_as_long_as_a_layer_asks_and_then_erased(tmp_path: Path) -> None:  # (71, 72)
    world = await World.make(tmp_path, layers=(layer("keep-names", "P5Y"),))
    with pytest.raises(Misuse) as caught:
        await forget_name(world.kr, ForgetName(handle="park", actor=ROOT))
    assert (caught.value.code, caught.value.place) == ("kept-name", "kr-retention:kept")
    left = await remove_person(world.kr, RemovePerson(handle="park", reason="left", actor=ROOT))
    assert left.handle == left.person
    kept = await world.kr.side("person-name", left.person)
    assert kept is not None
    assert await world.kr.side("handle", "park") is None
    assert (await shown(world)).due == ()
    world.clock.time += timedelta(days=6 * 365)
    assert [each.subject for each in (await shown(world)).due] == [left.person]
    done = await applied(world, ROOT)
    assert [each.because for each in done.erased] == ["kr-retention:kept"]
    assert await world.kr.side("person-name", left.person) is None
    await whole(world)
    await world.close()


async def test_what_is_owed_or_suspected_is_not_erased(world: World) -> None:  # (78)
    world.kr.periods = Periods(payloads="at-once")
    item = await destroyed(world)
    await report_incident(
        world.kr,
        ReportIncident(items=(item,), what="suspected", circumstances="a copy may have been made", actor=LEE),
    )
    told = await shown(world)
    assert told.due == ()
    assert [(each.subject, bool(each.needed)) for each in told.needed] == [(item, True)]
    done = await applied(world)
    assert done.erased == ()
    assert len(await world.kr.blobs.all()) == 1


async def test_evidence_of_what_was_erased_is_still_given(world: World) -> None:  # (74)
    world.kr.periods = Periods(payloads="at-once", titles="at-once")
    item = await destroyed(world)
    assert (await applied(world)).erased
    path = world.folder / "item.evidence"
    await export_evidence(world.kr, ExportEvidence(item=item, path=str(path), actor=LEE))
    assert path.stat().st_size


async def test_only_a_security_officer_or_root_erases(world: World) -> None:
    with pytest.raises(Misuse) as caught:
        await applied(world, Actor("kim"))
    assert caught.value.code == "no-role"
