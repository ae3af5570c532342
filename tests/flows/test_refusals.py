"""Each refusal of the demonstration at the level of flows, with the article that it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import Why, why
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.release import Give, Given, preview
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from comity.flows.people.places import RegisterFacility, register_facility
from comity.register.rows import ConsignmentRow, DecisionRow, ItemRow, RequestRow
from openings import asked_to_open
from world import RELATIONSHIP, ROOT, TODAY, StandingClock, World


async def opened(world: World, item: str, reader: str, purpose: str = "air defence") -> OpenedItem:
    target = world.folder / f"{reader} {purpose}"
    told = await asked_to_open(world.kr, Open(item=item, purpose=purpose, path=str(target), actor=Actor(reader)))
    assert target.exists() == (told.opening is not None)
    return told


def clauses(reasons: Iterable[decision.Reason]) -> set[str]:
    """The articles of everything that is against it."""
    return {reason.clause for reason in reasons if reason.effect not in {"holds", "notes", "warns"}}


async def check_refused(world: World, told: OpenedItem, clause: str) -> None:
    """It was refused under that article, the refusal is recorded, and the record explains itself."""
    assert told.outcome in {"forbidden", "needs-consent"}
    assert clause in clauses(told.decision.reasons)
    assert told.opening is None
    row = [row async for _, row in world.kr.rows(DecisionRow) if row.record.hex() == told.decision_record]
    assert [each.outcome for each in row] == [told.outcome]
    (again,) = await why(world.kr, Why(of=told.decision_record))
    assert again.replayed


async def test_a_decision_is_told_in_the_language_of_whoever_asks(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "park")
    means = {}
    for language in ("en", "ja", "ko"):
        (again,) = await why(world.kr, Why(of=told.decision_record, language=language))
        (need,) = [each for each in again.told.reasons if each.effect == "needs" and each.step == 13]
        assert need.about in need.says
        means[language] = again.told.means
    assert means == {
        "en": "not yet: somebody has to act first",
        "ja": "まだ認められません:先に他の者の行為が必要です",
        "ko": "아직 허용되지 않습니다: 먼저 다른 사람의 행위가 필요합니다",
    }
    with pytest.raises(Misuse, match="no sentences in 'fr'"):
        await why(world.kr, Why(of=told.decision_record, language="fr"))


# ---- readers --------------------------------------------------------------------------------------------------------


async def test_the_right_reader_opens(world: World) -> None:
    given = await world.given()
    assert (await opened(world, given.item, "kim")).outcome == "permit"


@pytest.mark.parametrize(
    ("reader", "clause"),
    [("park", "7.2"), ("choi", "7.2"), ("smith", "6.a"), ("hong", "16.a")],
    ids=["no clearance", "no need-to-know", "embedded third-country officer", "contractor without the conditions"],
)
async def test_a_reader_is_refused(world: World, reader: str, clause: str) -> None:
    given = await world.given()
    await check_refused(world, await opened(world, given.item, reader), clause)


async def test_another_purpose_needs_the_originators_consent(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "kim", "a trade fair")
    await check_refused(world, told, "6.c")


async def test_a_clearance_that_was_withdrawn_or_ended_opens_nothing(world: World) -> None:
    given = await world.given()
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="choi",
            mark="군사 Ⅱ급 비밀",
            until=TODAY + timedelta(hours=1),
            basis="vetted",
            actor=ROOT,
            all_information=True,
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="choi", listed=True, actor=ROOT))
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    await check_refused(world, await opened(world, given.item, "kim"), "7.2")
    world.clock.time += timedelta(hours=2)
    await check_refused(world, await opened(world, given.item, "choi"), "7.2")


async def test_high_clearance_does_not_help_who_serves_a_third_country(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "smith")
    assert "6.a" in clauses(told.decision.reasons)
    assert "7.2" not in clauses(told.decision.reasons)  # he is cleared and on the list: that is not the point


# ---- giving ---------------------------------------------------------------------------------------------------------


async def nothing_left(world: World, given: Given) -> None:
    """A refused give registers nothing, seals nothing, and is recorded."""
    assert given.consignment is None
    assert [row async for _, row in world.jp.rows(ItemRow)] == []
    assert await world.jp.blobs.all() == []
    assert [row.outcome async for _, row in world.jp.rows(DecisionRow)] == [given.outcome]


async def test_an_embedded_third_country_officer_is_given_nothing_whoever_approves(world: World) -> None:
    pseudonym = await world.pseudonym("smith")
    asked = await world.ask(recipients=(pseudonym,))
    assert "6.a" in clauses(asked.decision.reasons)
    await world.exchange()
    await assure(
        world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=pseudonym, actor=Actor("lee"))
    )
    await world.exchange()
    approved = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert approved.given is None or approved.given.consignment is None
    again = await preview(world.jp, await asking(world, recipients=(pseudonym,)))
    assert again.outcome == "needs-consent"
    assert "6.a" in clauses(again.decision.reasons)
    assert [row async for _, row in world.jp.rows(ConsignmentRow)] == []


async def test_giving_to_a_contractor_asks_for_every_condition_of_article_16(world: World) -> None:
    given = await world.ask(recipients=(await world.pseudonym("hong"),))
    assert {f"16.{letter}" for letter in "abcdefghijklmno"} <= clauses(given.decision.reasons)
    assert given.consignment is None


async def asking(world: World, **changes: object) -> Give:
    fields: dict[str, object] = {
        "path": world.document(),
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": (await world.pseudonym("kim"),),
        "purpose": "air defence",
        "actor": Actor("sato"),
        **changes,
    }
    return Give(**fields)


async def test_a_contractor_with_evidence_for_every_condition_is_assured(world: World) -> None:
    pseudonym = await world.pseudonym("hong")
    asked = await world.ask(recipients=(pseudonym,))
    await world.exchange()
    request = Assure(request=asked.request, relationship=RELATIONSHIP, recipient=pseudonym, actor=Actor("lee"))
    with pytest.raises(Misuse) as caught:
        await assure(world.kr, request)
    assert caught.value.code == "contractor-conditions"
    assert "16.o" in str(caught.value)
    row = await world.kr.agreement_row(RELATIONSHIP)
    checklists = world.kr.library.agreement(row.digest).checklists
    (conditions,) = [checklist.conditions for checklist in checklists if checklist.bound_to == "site"]
    for held in (conditions[:-1], conditions):
        await register_facility(
            world.kr,
            RegisterFacility(
                facility="hanbit-works",
                mark="군사 Ⅱ급 비밀",
                until=TODAY + timedelta(days=90),
                conditions=held,
                evidence="inspected",
                actor=Actor("lee"),
            ),
        )
        if held != conditions:
            with pytest.raises(Misuse):
                await assure(world.kr, request)
    assert set(conditions) < set((await assure(world.kr, request)).conditions)


@pytest.mark.parametrize(("handle", "code"), [("park", "no-clearance"), ("choi", "no-need-to-know")])
async def test_nobody_can_assure_what_the_register_contradicts(world: World, handle: str, code: str) -> None:
    pseudonym = await world.pseudonym(handle)
    asked = await world.ask(recipients=(pseudonym,))
    await world.exchange()
    with pytest.raises(Misuse) as caught:
        await assure(
            world.kr,
            Assure(request=asked.request, relationship=RELATIONSHIP, recipient=pseudonym, actor=Actor("lee")),
        )
    assert caught.value.code == code


async def test_nobody_is_assured_above_his_clearance(world: World) -> None:
    await world.person("kr", "yoon")
    until = TODAY + timedelta(days=90)
    lower = GrantClearance(
        handle="yoon", mark="군사 Ⅲ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
    )
    await grant_clearance(world.kr, lower)
    await change_list(world.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    await world.exchange()
    pseudonym = await world.pseudonym("yoon")
    for mark, code in (("極秘", "clearance-too-low"), ("秘", "")):
        asked = await world.ask(recipients=(pseudonym,), mark=mark)
        await world.exchange()
        request = Assure(request=asked.request, relationship=RELATIONSHIP, recipient=pseudonym, actor=Actor("lee"))
        if code:
            with pytest.raises(Misuse) as caught:
                await assure(world.kr, request)
            assert caught.value.code == code
        else:
            assert (await assure(world.kr, request)).conditions


async def test_nothing_goes_without_the_assurance_of_7_5(world: World) -> None:
    asked = await world.ask()
    assert "7.5" in " ".join(clauses(asked.decision.reasons))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    await world.exchange()
    assert [row async for _, row in world.jp.rows(ConsignmentRow)] == []
    await assure(
        world.kr,
        Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee"), refuse="not needed there"),
    )
    await world.exchange()
    assert [row async for _, row in world.jp.rows(ConsignmentRow)] == []
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    for house in (world.jp, world.kr):
        assert [row.item async for _, row in house.rows(ConsignmentRow)] == [asked.item]


async def test_nothing_goes_without_a_second_person(world: World) -> None:
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    assert [row async for _, row in world.jp.rows(ConsignmentRow)] == []
    for actor, code in (("sato", "no-role"), ("ito", "no-role")):
        with pytest.raises(Misuse) as caught:
            await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor(actor)))
        assert caught.value.code == code
    refusal = Approve(request=asked.request, reason="not now", actor=Actor("abe"), granted=False)
    assert (await approve(world.jp, refusal)).given is None
    assert [row async for _, row in world.jp.rows(ConsignmentRow)] == []


async def test_who_asks_cannot_approve_though_he_is_a_release_authority(world: World) -> None:
    await world.person("jp", "oda", roles=("officer", "release-authority"))
    asked = await world.ask(actor=Actor("oda"))
    with pytest.raises(Misuse) as caught:
        await approve(world.jp, Approve(request=asked.request, reason="mine", actor=Actor("oda")))
    assert caught.value.code == "own-request"
    row = await world.jp.need(RequestRow, asked.request, "request")
    assert row.approvals == ()


async def test_above_the_ceiling_nothing_is_given(world: World) -> None:
    given = await world.ask(mark="機密")
    assert given.outcome == "forbidden"
    assert any(clause.startswith("4") for clause in clauses(given.decision.reasons))
    await nothing_left(world, given)


async def test_an_unknown_mark_is_told_with_the_nearest_one(world: World) -> None:
    for mark in ("機蜜", "II"):
        with pytest.raises((Rejected, Misuse, Refused)) as caught:
            await world.ask(mark=mark)
        assert repr(mark) in str(caught.value)
    assert [row async for _, row in world.jp.rows(ItemRow)] == []


async def test_an_empty_set_of_recipients_is_nobody_not_everybody(world: World) -> None:
    """Refused before anything is registered, sealed or signed."""
    try:
        given = await world.ask(recipients=())
    except (Misuse, Refused, Rejected):
        pass
    else:
        assert given.outcome in {"forbidden", "no-basis"}
        assert given.consignment is None
    assert [row async for _, row in world.jp.rows(ItemRow)] == []
    assert await world.jp.blobs.all() == []


async def test_somebody_of_a_third_country_is_in_no_directory(world: World) -> None:
    """A third country's body cannot even be named; and who serves one is refused under 6(a)."""
    try:
        given = await world.ask(recipients=("n-pentagon",))
    except (Misuse, Refused):
        pass
    else:
        assert given.outcome in {"forbidden", "no-basis"}
    assert [row async for _, row in world.jp.rows(ItemRow)] == []


async def test_preview_says_the_same_and_leaves_only_the_question(world: World) -> None:
    await nothing_left(world, await preview(world.jp, await asking(world, mark="機密")))


# ---- enrolment ------------------------------------------------------------------------------------------------------


async def test_nobody_enrols_himself_or_decides_about_his_own_access(world: World) -> None:
    enrol = EnrolPerson(
        handle="me",
        name="Me",
        function="desk",
        body="ministry",
        nationality="jp",
        serves="jp",
        actor=Actor("sato"),
    )
    with pytest.raises(Misuse) as caught:
        await enrol_person(world.jp, enrol)
    assert caught.value.code == "no-role"
    with pytest.raises(Misuse) as caught:
        await grant_clearance(
            world.jp,
            GrantClearance(
                handle="ito",
                mark="極秘",
                until=TODAY + timedelta(days=9),
                basis="I know me",
                actor=Actor("ito"),
                all_information=True,
            ),
        )
    assert caught.value.code == "own-clearance"


# ---- the course of the agreement ------------------------------------------------------------------------------------


async def world_at(folder: Path, at: datetime, history: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """Both houses, founded on a day of the past and running an agreement by a history."""
    monkeypatch.setattr(StandingClock.__init__, "__defaults__", (at,))
    return await World.make(folder, history)


async def test_in_november_2020_giving_works_while_its_ending_is_contested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2020, 11, 23, 3, tzinfo=UTC)
    world = await world_at(tmp_path, at, "jp-kr-2016.history.toml", monkeypatch)
    row = await world.jp.agreement_row(RELATIONSHIP)
    status = (await world.jp.library.load(row)).chronicle.status(at)
    assert status.contested
    given = await world.given()
    assert given.outcome == "permit"
    assert given.consignment is not None
    await world.close()


async def test_after_the_lapse_nothing_is_given_and_what_was_given_stays_protected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = datetime(2019, 11, 20, 3, tzinfo=UTC)
    world = await world_at(tmp_path, before, "jp-kr-2016.hypothetical.history.toml", monkeypatch)
    given = await world.given()
    assert given.consignment is not None
    world.clock.time = datetime(2019, 11, 25, tzinfo=UTC)
    refused = await world.ask(path=world.document(b"later", "later"))
    assert refused.outcome in {"forbidden", "no-basis"}
    assert any(clause.startswith("21") for clause in clauses(refused.decision.reasons))
    assert refused.consignment is None
    await check_refused(world, await opened(world, given.item, "park"), "7.2")  # 21.4: protection goes on
    assert (await opened(world, given.item, "kim")).outcome == "permit"
    await world.close()
