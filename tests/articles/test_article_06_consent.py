"""Article 6(a) to 6(d): third parties, equal protection, other purposes, intellectual property."""

from __future__ import annotations

from datetime import timedelta

import pytest

from articles.test_article_04_levels import asked as previewed
from clauses import against, article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.consenting.granting import WithdrawConsent, withdraw_consent
from comity.flows.consenting.passed_on import ListPassedOn, list_passed_on
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.using import UseItem, use_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.views import ShowInbox, ShowRegister, show_inbox, show_register
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from flows.consenting import answer, ask, ask_on, ask_other_use, grant, passed_on, path, seal, staffed
from openings import asked_to_open
from world import RELATIONSHIP, ROOT, TODAY, World


async def opened(world: World, item: str, handle: str, purpose: str = "air defence") -> OpenedItem:
    name = f"{handle}-{len(list(world.folder.iterdir()))}"
    asked = Open(item=item, purpose=purpose, path=str(path(world, name)), actor=Actor(handle))
    return await asked_to_open(world.kr, asked)


async def owed(world: World, obligation: str, party: str = "kr") -> int:
    shown = await list_duties(world.house(party), ListDuties())
    return sum(each.obligation == obligation for each in shown.duties)


# ---- third parties ---------------------------------------------------------------------------------------------------


@article(
    "6",
    "6.a",
    does="passes nothing on to a body of a third country without the originator's consent, and writes nothing",
    command="comity pass-on ask",
    rests_on=("third-party",),
)
async def test_nothing_is_passed_on_without_consent(world: World) -> None:
    item = (await world.given()).item
    told = await ask_on(world, item)
    assert "jp-kr-2016:6.a" in against(told.decision)
    assert not told.request
    assert not await list_passed_on(world.kr, ListPassedOn())


@article(
    "6.a",
    does="seals a copy to the next body with a live consent and a second person's approval, and tells the originator",
    command="comity pass-on seal",
    rests_on=("pass-on", "third-party"),
)
async def test_with_consent_the_originator_sees_where_its_copy_went(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    assert (await ask_on(world, item)).outcome == "needs-consent"
    given = await answer(world, (await ask(world, item)).request, conditions=("on paper only",))
    told = await passed_on(world, item)
    assert told.conditions == ("on paper only",)
    (line,) = await list_passed_on(world.jp, ListPassedOn())
    assert (line.beneficiary, line.consents) == ("us", (given.consent,))
    (shown,) = [each for each in await show_register(world.jp, ShowRegister()) if each.item == item]
    assert [copy.state for copy in shown.copies] == ["passed on"]
    assert any(
        (reason.code, reason.clause) == ("consent-given", "6.a") for reason in told.decision.reasons if told.decision
    )


@article(
    "6.a",
    does="opens nothing to an officer who serves or is a national of a third country until the originator consents",
    command="comity open",
    rests_on=("third-party",),
)
async def test_an_officer_of_a_third_country_needs_the_originators_consent(world: World) -> None:
    item = (await world.given()).item
    assert against((await opened(world, item, "smith")).decision) == {"jp-kr-2016:6.a"}
    await grant(world, acts=("open",))
    with pytest.raises(Refused) as raised:  # permitted; he holds no copy
        await opened(world, item, "smith")
    assert raised.value.code == "not-holder"


@article(
    "6.a",
    does="counts the wish to pass on as a question owed to the originator, answered or shown as silence",
    command="comity consent ask",
    rests_on=("o-6a",),
)
async def test_whoever_wants_to_pass_on_owes_the_question(world: World) -> None:
    item = (await world.given()).item
    asked = await ask(world, item)
    assert await owed(world, "o-6a") == 1
    world.clock.time += timedelta(days=400)  # silence answers nothing
    assert await owed(world, "o-6a") == 1
    world.clock.time -= timedelta(days=395)
    assert (await ask_on(world, item)).outcome == "needs-consent"
    await answer(world, asked.request, granted=False)
    assert await owed(world, "o-6a") == 0


@article(
    "6.a",
    does="takes a consent back from now on, and leaves what was done under it as it was",
    command="comity consent withdraw",
    rests_on=("third-party", "pass-on"),
)
async def test_a_consent_is_withdrawn_forward_only(world: World) -> None:
    await staffed(world)
    first, second = (await world.given()).item, (await world.given()).item
    given = await grant(world)
    told = await passed_on(world, first)
    await withdraw_consent(world.jp, WithdrawConsent(consent=given.consent, reason="over", actor=Actor("abe")))
    await world.exchange()
    assert not (await ask_on(world, second)).request
    assert (await seal(world, told.request, "again.age")).record == told.record
    assert len(await list_passed_on(world.jp, ListPassedOn())) == 1


# ---- equal protection ------------------------------------------------------------------------------------------------


@article(
    "6.b",
    does="gives what was received the recipient's own equal level, and hands nothing over before the recipient has "
    "assured equal protection",
    command="comity assure",
    rests_on=("equivalence", "assurance", "assurance-before-giving"),
)
async def test_protection_is_substantially_equal(world: World) -> None:
    told = await previewed(world, "極秘")
    assert told.alternative is not None
    assert told.alternative.mark == "군사 Ⅱ급 비밀"
    assert "jp-kr-2016:7.5.c" in against(told.decision)
    asked = await world.ask()
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    await world.exchange()
    assert not (await show_inbox(world.kr, ShowInbox())).received
    given = await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    assert "7.5.c" in given.conditions
    await world.exchange()
    assert (await show_inbox(world.kr, ShowInbox())).received


@article(
    "6.b",
    does="asks of a reader the clearance that the recipient's own equal level asks",
    command="comity open",
    rests_on=("equivalence", "access"),
)
async def test_a_lower_clearance_of_the_recipients_own_does_not_open_it(world: World) -> None:
    item = (await world.given()).item
    await world.person("kr", "jung")
    until = TODAY + timedelta(days=90)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="jung", mark="군사 Ⅲ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="jung", listed=True, actor=ROOT))
    told = await opened(world, item, "jung")
    assert "clearance-too-low" in {each.code for each in told.decision.reasons if each.effect == "needs"}


# ---- other purposes --------------------------------------------------------------------------------------------------


@article(
    "6.c",
    does="opens for the purpose it was supplied for, and for another only with the originator's consent",
    command="comity consent grant",
    rests_on=("other-purpose",),
)
async def test_another_purpose_needs_consent(world: World) -> None:
    item = (await world.given()).item
    assert (await opened(world, item, "kim")).outcome == "permit"
    assert against((await opened(world, item, "kim", "training")).decision) == {"jp-kr-2016:6.c"}
    asked = await ask_other_use(world, item)
    assert asked.clauses == ("6.c",)
    await answer(world, asked.request)
    assert (await opened(world, item, "kim", "training")).outcome == "permit"
    assert (await opened(world, item, "kim", "a lecture")).outcome == "needs-consent"


@article(
    "6.c",
    does="says beforehand whether something may be used for a purpose, and records what it said",
    command="comity use",
    rests_on=("use", "other-purpose"),
)
async def test_using_is_asked_for_by_its_purpose(world: World) -> None:
    item = (await world.given()).item

    async def used(purpose: str) -> str:
        return (await use_item(world.kr, UseItem(item=item, purpose=purpose, actor=Actor("kim")))).outcome

    assert await used("air defence") == "permit"
    assert await used("training") == "needs-consent"
    await answer(world, (await ask_other_use(world, item)).request)
    assert await used("training") == "permit"


@article(
    "6.c",
    does="counts the wish to use it otherwise as a question owed to the originator",
    command="comity consent list",
    rests_on=("o-6c",),
)
async def test_whoever_wants_another_use_owes_the_question(world: World) -> None:
    item = (await world.given()).item
    asked = await ask_other_use(world, item)
    assert await owed(world, "o-6c") == 1
    assert await owed(world, "o-6a") == 0
    await answer(world, asked.request)
    assert await owed(world, "o-6c") == 0


# ---- intellectual property -------------------------------------------------------------------------------------------

RIGHTS = "patent pending, ACME"


@article(
    "6.d",
    does="names the patents, copyright and trade secrets in an item at the inbox and on its banner, by the clause",
    command="comity give --rights",
    rests_on=("marking.rights",),
)
async def test_rights_stand_on_what_was_given(world: World) -> None:
    item = (await world.given(rights=RIGHTS)).item
    (line,) = (await show_inbox(world.kr, ShowInbox())).received
    assert line.rights == RIGHTS
    told = await opened(world, item, "kim")
    assert told.banner is not None
    stated = [each for each in told.banner.lines if each.kind == "rights"]
    assert {each.language for each in stated} == {"en", "ja", "ko"}
    assert all(RIGHTS in each.text and each.clause == "6.d" for each in stated)


@article("6.d", does="says nothing of rights where none were named", command="comity give")
async def test_no_rights_no_line(world: World) -> None:
    item = (await world.given()).item
    told = await opened(world, item, "kim")
    assert told.banner is not None
    assert not [each for each in told.banner.lines if each.kind == "rights"]


@article(
    "6.d",
    does="keeps the rights on what is made from what was received",
    command="comity translate",
    rests_on=("marking.rights",),
)
async def test_what_is_made_from_it_carries_the_rights_too(world: World) -> None:
    item = (await world.given(rights=RIGHTS)).item
    made = await derive(
        world.kr,
        Derive(
            path=world.document(b"the report, in Korean", "report.ko.txt"),
            relation="translation",
            ancestors=(item,),
            purpose="air defence",
            actor=Actor("kim"),
            language="ko",
        ),
    )
    banner = (await opened(world, made.item, "kim")).banner
    assert banner is not None
    assert [each.clause for each in banner.lines if each.kind == "rights" and RIGHTS in each.text] == ["6.d"] * 3
