"""What would follow, in a house (spec/what-if.md steps 9 to 12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from articles.visiting import asked as visit_asked
from articles.visiting import radar_hall
from comity.agreement.writing import table
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AskStatus, ask_status
from comity.flows.consenting.granting import GrantConsent, grant_consent
from comity.flows.foreseeing.supposing import SupposedHouse
from comity.flows.foreseeing.what_if import AskWhatIf, WhatIf, what_if
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.foresight.supposition import Ground, SupposedAct
from comity.foresight.written import Written, WrittenFile
from comity.marking.label import Label
from comity.register.rows.feeding import FeedReleaseRow
from comity.stores.memory_disk import MemoryDisk, WritePoint
from flows.consenting import UNTIL
from world import RELATIONSHIP, TODAY, World, adopt, library

NOTICE = Written(acts=(SupposedAct("notice", "2026-11-21"),), by="kr")
LEVELS = """
[clearances]
format = 1
on = "jp-kr-2016"

[[clearance]]
party = "kr"
mark = "군사 Ⅱ급 비밀"
becomes = "군사 Ⅲ급 비밀"
"""


async def ask(house: House, what: Written = NOTICE, actor: str | None = None, **more: Any) -> WhatIf:
    who = None if actor is None else Actor(actor)
    return await what_if(house, AskWhatIf(relationship=RELATIONSHIP, supposing=what, actor=who, **more))


async def grant(world: World, consent: str, acts: tuple[str, ...], **changes: object) -> None:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "consent": consent,
        "acts": acts,
        "beneficiaries": ("us",),
        "purpose": "air defence",
        "topic": "missiles",
        "reason": "an exercise",
        "until": UNTIL + timedelta(days=900),
        "actor": Actor("abe"),
        **changes,
    }
    await grant_consent(world.jp, GrantConsent(**fields))  # type: ignore[arg-type]  # by name
    await world.exchange()


# ------------------------------------------------------------------------------------------------ what is listed


async def test_requests_that_wait_would_not_go_and_say_why(world: World) -> None:
    """(9) (10)"""
    waiting = await world.ask()
    found = await ask(world.jp)
    assert found.here is not None
    assert found.here.looked_at == found.follows.stops
    (request,) = found.here.requests
    assert (request.request, request.act, request.by) == (waiting.request, "give", "sato")
    assert (request.outcome, request.then) == ("needs-consent", "no-basis")
    (reason,) = request.reasons
    assert (reason.step, reason.clause) == (2, "21.1")
    told = await ask(world.jp, language="ko")
    assert told.here is not None
    assert told.here.requests[0].reasons[0].says.endswith("측의 해석에 따르면 약정은 효력이 없습니다")


async def test_copies_are_counted_on_both_sides_and_stay_open_to_their_holders(world: World) -> None:
    """(10) What was given stays protected (21.4): nobody loses what he holds by an end."""
    await world.given()
    there, here = (await ask(world.jp)).here, (await ask(world.kr)).here
    assert there is not None
    assert here is not None
    assert (there.held_here, there.held_there) == (0, 1)
    assert (here.held_here, here.held_there) == (1, 0)
    assert here.readers == there.readers == ()


async def test_what_a_clearance_would_be_worth_shuts_its_holder_out(world: World) -> None:
    """(2) (10)"""
    given = await world.given()
    found = await ask(world.kr, Written(clearances=WrittenFile(LEVELS, "levels.toml")))
    assert found.here is not None
    (reader,) = found.here.readers
    assert (reader.handle, reader.item, reader.copy, reader.then) == ("kim", given.item, 1, "needs-consent")
    assert [(each.step, each.clause) for each in reader.reasons] == [(13, "7.2")]
    assert {(each.handle, each.then) for each in found.here.people} == {
        (handle, "군사 Ⅲ급 비밀") for handle in ("kim", "choi", "hong", "smith")
    }
    assert (await ask(world.jp, Written(clearances=WrittenFile(LEVELS, "levels.toml")))).here.people == ()  # type: ignore[union-attr]  # it has one


async def test_another_text_crosses_nothing_before_both_have_acknowledged_it(world: World) -> None:
    """(9) The acknowledgements of the text that runs are none of another one."""
    await world.ask()
    text = library("jp-kr-2016.toml").replace("No release to any government", "No release or loan to any government")
    found = await ask(world.jp, Written(amend=WrittenFile(text, "amended.toml")))
    assert found.here is not None
    (request,) = found.here.requests
    assert {each.says for each in request.reasons} == {
        "jp has not acknowledged this text of the agreement",
        "kr has not acknowledged this text of the agreement",
    }


async def test_consents_visits_and_duties_have_their_fates(world: World) -> None:
    """(10)"""
    await world.given()
    await world.ask(path=world.document(b"second", "second.txt"))
    await grant(world, "c-aaaaaaaaaaaaaaaa", ("pass-on",))
    await grant(world, "c-bbbbbbbbbbbbbbbb", ("pass-on",), until=TODAY + timedelta(days=9))
    await radar_hall(world)
    soon = await visit_asked(world)
    late = await visit_asked(world, starts=TODAY + timedelta(days=360), ends=TODAY + timedelta(days=380))
    found = (await ask(world.jp)).here
    assert found is not None
    assert {each.consent: each.fate for each in found.consents} == {
        "c-aaaaaaaaaaaaaaaa": "goes-on",
        "c-bbbbbbbbbbbbbbbb": "over-before",
    }
    assert {each.visit: each.fate for each in found.visits} == {soon.visit: "over-before", late.visit: "cut-short"}
    duties = {each.obligation: each.fate for each in found.duties}
    assert duties["o-21.4"] == duties["o-6f"] == "survives"
    assert duties["o-7.5"] == "opens-no-more"


async def test_a_feed_stops_with_the_agreement(world: World) -> None:
    """(10) (11) A release as its record leaves it; who neither releases nor reads it hears nothing of it."""
    kim = await world.pseudonym("kim")
    row = FeedReleaseRow(
        release="fr-aaaaaaaaaaaaaaaa",
        record=bytes(32),
        publisher="jp",
        feed="air-picture",
        label=Label(policy="jp", mark="極秘", originator="jp"),
        alternative=None,
        topic="missiles",
        subject="defence",
        purpose="air defence",
        until=TODAY + timedelta(days=900),
        host="jp",
        recipients=(kim,),
        agreement=bytes(32),
        types=(),
        postures=(),
        at=TODAY,
    )
    short = replace(row, release="fr-bbbbbbbbbbbbbbbb", feed="exercise", until=TODAY + timedelta(days=9))
    over = replace(row, release="fr-cccccccccccccccc", until=TODAY - timedelta(days=9))

    async def put(work: Work) -> None:
        for each in (row, short, over):
            work.rows[FeedReleaseRow.table, f"{RELATIONSHIP}/{each.release}"] = each

    for house in (world.jp, world.kr):
        await house.sequencer.submit(put)
    for house, actor, seen in (
        (world.jp, None, 2),
        (world.jp, "abe", 2),
        (world.jp, "sato", 0),
        (world.kr, "kim", 2),
        (world.kr, "choi", 0),
    ):
        found = (await ask(house, actor=actor)).here
        assert found is not None
        assert len(found.feeds) == seen
    found = (await ask(world.jp)).here
    assert found is not None
    assert {each.feed: each.fate for each in found.feeds} == {"air-picture": "stops", "exercise": "over-before"}


async def test_an_agreement_that_borrows_its_protection_stops_with_it(world: World) -> None:
    """(10)"""
    basis = '\n[[protection-basis]]\nclause = "1"\nagreement = "jp-kr-2016"\nbetween = ["jp", "kr"]\n'
    text = library("jp-kr-2016.toml").replace('"jp-kr-2016"', '"jp-kr-borrowing"') + basis
    told = library("jp-kr-2016.history.toml").replace('"jp-kr-2016"', '"jp-kr-borrowing"')
    await adopt(world.jp, "kr", told, text=text)
    found = (await ask(world.jp)).here
    assert found is not None
    (borrower,) = found.borrowers
    assert (borrower.relationship, borrower.clause) == ("jp-kr-borrowing/jp.kr", "1")
    calm = (await ask(world.jp, Written(clearances=WrittenFile(LEVELS, "levels.toml")))).here
    assert calm is not None
    assert calm.borrowers == ()


async def test_a_consent_that_names_a_mark_that_is_gone_is_told(world: World) -> None:
    """(10)"""
    await grant(world, "c-aaaaaaaaaaaaaaaa", ("pass-on",), marks=("特定秘密",))
    running = await world.jp.library.load(await world.jp.agreement_row(RELATIONSHIP))
    kept = [level for level in running.agreement.levels if level.mark != "特定秘密"]
    rows = [
        {
            **row,
            "marks": {party: [mark for mark in marks if mark != "特定秘密"] for party, marks in row["marks"].items()},
        }
        for row in msgspec.to_builtins(running.agreement.equivalences)
    ]
    tables = [table("[clearances]", {"format": 1, "on": "jp-kr-2016"})]
    tables += [table("[[level]]", row) for row in msgspec.to_builtins(kept)]
    tables += [table("[[equivalence]]", row) for row in rows]
    found = await ask(world.jp, Written(clearances=WrittenFile("\n".join(tables), "levels.toml")))
    assert found.here is not None
    assert [each.fate for each in found.here.consents] == ["mark-gone"]


# ------------------------------------------------------------------------------------------------ who sees what


async def test_a_reader_is_told_only_what_he_may_see(world: World) -> None:
    """(11)"""
    await world.ask()
    await world.given(path=world.document(b"second", "second.txt"))
    lee = (await ask(world.kr, actor="lee")).here
    kim = (await ask(world.kr, actor="kim")).here
    choi = (await ask(world.kr, actor="choi")).here
    for each in (lee, kim, choi):
        assert each is not None
    assert (lee.held_here, kim.held_here, choi.held_here) == (1, 1, 0)  # type: ignore[union-attr]  # checked above
    worth_less = Written(clearances=WrittenFile(LEVELS, "levels.toml"))
    for actor, readers, people in (("lee", 1, 4), ("kim", 1, 1), ("choi", 0, 1), ("park", 0, 0)):
        here = (await ask(world.kr, worth_less, actor)).here
        assert here is not None
        assert (len(here.readers), len(here.people)) == (readers, people)
    for actor, requests in (("abe", 1), ("sato", 1), ("ito", 1)):
        here = (await ask(world.jp, actor=actor)).here
        assert here is not None
        assert len(here.requests) == requests
    with pytest.raises(Misuse, match="nobody called 'nobody'"):
        await ask(world.jp, actor="nobody")
    with pytest.raises(Refused):
        await what_if(world.jp, AskWhatIf(relationship="jp-us-2007/jp.us", supposing=NOTICE))


# ------------------------------------------------------------------------------------------------ nothing is changed


async def test_nothing_is_changed_by_asking(tmp_path: Path) -> None:
    """(12) No write reaches the disk, no file is touched, and every answer about the house is as before."""
    written: list[WritePoint] = []

    def plan(point: WritePoint) -> None:
        written.append(point)

    world = await World.make(tmp_path, disks={"jp": MemoryDisk(plan), "kr": MemoryDisk(plan)})
    await world.given()
    await world.ask(path=world.document(b"second", "second.txt"))
    files = _files(tmp_path)
    heads = await world.jp.store.heads()
    before = await ask_status(world.jp, AskStatus(relationship=RELATIONSHIP, at=TODAY))
    written.clear()
    text = library("jp-kr-2016.toml").replace("No release to any government", "No release or loan to any government")
    for house in (world.jp, world.kr):
        for what in (
            NOTICE,
            Written(acts=(SupposedAct("end-by-consent", "2026-12-01"),)),
            Written(amend=WrittenFile(text, "amended.toml")),
            Written(laws=(WrittenFile(library("jp-domestic.example.toml"), "law.toml"),)),
            Written(clearances=WrittenFile(LEVELS, "levels.toml")),
        ):
            await ask(house, what)
        with pytest.raises(Rejected):
            await ask(house, Written(acts=(SupposedAct("suspension", "2026-12-01"),)))
    assert written == []
    assert _files(tmp_path) == files
    assert await world.jp.store.heads() == heads
    assert await ask_status(world.jp, AskStatus(relationship=RELATIONSHIP, at=TODAY)) == before
    assert (await world.ask(path=world.document(b"third", "third.txt"))).outcome == "needs-consent"
    assert written != []  # the plan does see writes
    await world.close()


def _files(folder: Path) -> dict[str, str]:
    return {str(each): sha256(each.read_bytes()).hexdigest() for each in folder.rglob("*") if each.is_file()}


async def test_a_supposed_house_has_no_way_to_say_anything(world: World) -> None:
    """(9)"""
    running = await world.jp.library.load(await world.jp.agreement_row(RELATIONSHIP))
    ground = Ground(running.agreement, running.layers, running.compiled, running.chronicle)
    supposed = SupposedHouse(world.jp, RELATIONSHIP, ground, TODAY)
    assert supposed.now() == TODAY
    submit: Callable[[], Any] = lambda: supposed.sequencer.submit  # noqa: E731 - what must not be there
    with pytest.raises(AttributeError):
        submit()
