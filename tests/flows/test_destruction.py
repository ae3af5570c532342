"""Destruction, return, recall and what is left, from the holder to both registers (``spec/ending.md`` 20 to 37)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.certificates import CertificateShown, ShowCertificate, show_certificate
from comity.flows.ending.destruction import Destroy, Destruction, WitnessDestruction, destroy, witness
from comity.flows.ending.recalls import (
    EndPurpose,
    LiftRecall,
    Recall,
    RecallShown,
    ShowRecall,
    end_purpose,
    lift,
    recall,
    show_recall,
)
from comity.flows.ending.returning import SendBack, TakeBack, send_back, take_back
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.losing import FindCopy, LoseCopy, find_again, lose_copy
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows import CopyRow
from comity.register.rows.ending import HoldingRow
from comity.seal.keys import generate_identity
from world import RELATIONSHIP, ROOT, TODAY, SeededEntropy, World

EXAMPLE = "jp-kr-arrangement.example.toml"
KIM, LEE, ABE, ITO = Actor("kim"), Actor("lee"), Actor("abe"), Actor("ito")


@pytest.fixture
async def arranged(tmp_path: Path) -> AsyncIterator[World]:
    """Both sides run the example arrangement; ``lee`` is cleared, so that he may stand by."""
    world = await World.make(tmp_path, layers=(EXAMPLE,))
    await clear(world, "lee")
    yield world
    await world.close()


async def second(world: World) -> str:
    """``yun`` reads beside ``kim``; returns his pseudonym."""
    await world.person("kr", "yun")
    await clear(world, "yun")
    await change_list(world.kr, ChangeList(topic="missiles", handle="yun", listed=True, actor=ROOT))
    await world.exchange()
    return await world.pseudonym("yun")


async def clear(world: World, handle: str) -> None:
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle=handle, mark="군사 Ⅱ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await world.exchange()


async def destroyed(world: World, item: str, **changes: object) -> Destruction:
    request = {
        "item": item,
        "copy": 1,
        "method": "erase-key",
        "reason": "no longer needed",
        "actor": KIM,
        **changes,
    }
    return await destroy(world.kr, Destroy(**request))


async def copy_of(house: House, item: str, number: int = 1) -> CopyRow:
    return await house.need(CopyRow, f"{RELATIONSHIP}/{item}/{number:06d}", "copy")


async def key_of(house: House, item: str, number: int = 1) -> bytes | None:
    return await house.side(HEADER, (await copy_of(house, item, number)).header.hex())


async def owed(world: World, party: str, item: str, obligation: str) -> list[bool]:
    """Of each duty by that obligation whether it is discharged, oldest first."""
    found = (await list_duties(world.house(party), ListDuties(item=item))).duties
    mine = [each for each in found if each.obligation == obligation]
    return [each.discharged is not None for each in sorted(mine, key=lambda each: each.at)]


async def shown(world: World, party: str, certificate: CertificateShown) -> CertificateShown:
    return await show_certificate(world.house(party), ShowCertificate(certificate=certificate.certificate))


# ---- destruction ----------------------------------------------------------------------------------------------------


async def test_a_destroyed_copy_has_a_certificate_and_no_key_on_either_side(world: World) -> None:
    given = await world.given()
    assert await key_of(world.kr, given.item) is not None
    assert await key_of(world.jp, given.item) is not None
    told = await destroyed(world, given.item)
    assert told.outcome == "permit"
    assert told.certificate is not None
    assert (told.certificate.state, told.certificate.needed, told.certificate.by.function) == (
        "complete",
        0,
        "kim's desk",
    )
    assert "attested" in told.certificate.attested
    await world.exchange()
    for party in ("jp", "kr"):
        house = world.house(party)
        copy = await copy_of(house, given.item)
        assert (copy.state, copy.certificate) == ("destroyed", told.certificate.certificate)
        assert await key_of(house, given.item) is None
        assert await house.erasing.is_erased(copy.header)
        assert (await house.need(HoldingRow, f"{RELATIONSHIP}/{given.item}", "holding")).gone
        assert await shown(world, party, told.certificate) == told.certificate
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=KIM)
    with pytest.raises(Refused) as caught:
        await open_item(world.kr, asked)
    assert caught.value.code == "not-holder"


async def test_each_copy_has_a_certificate_of_its_own(world: World) -> None:
    yun = await second(world)
    given = await world.given(recipients=(await world.pseudonym("kim"), yun))
    numbers = {(await copy_of(world.kr, given.item, number)).holder: number for number in (1, 2)}
    mine, other = numbers[await world.pseudonym("kim")], numbers[yun]
    with pytest.raises(Refused) as caught:
        await destroyed(world, given.item, copy=other)
    assert caught.value.code == "not-holder"
    with pytest.raises(Refused) as unknown:
        await destroyed(world, given.item, copy=9)
    assert unknown.value.sentence == caught.value.sentence.replace(f"copy {other}", "copy 9")  # as if it were not there
    with pytest.raises(Refused) as keeper:
        await destroyed(world, given.item, copy=mine, actor=LEE)  # not even the registry, without its holder
    assert keeper.value.code == "not-holder"
    told = await destroyed(world, given.item, copy=mine)
    assert told.certificate is not None
    assert (await copy_of(world.kr, given.item, other)).state == "held"
    with pytest.raises(Refused) as twice:
        await destroyed(world, given.item, copy=mine)
    assert twice.value.code == "copy-state"
    with pytest.raises(Refused) as gone:
        await send_back(world.kr, SendBack(item=given.item, copy=mine, reason="late", actor=KIM))
    assert gone.value.code == "copy-state"


async def test_what_is_ours_is_not_destroyed_by_the_agreement(world: World) -> None:
    given = await world.given()
    with pytest.raises(Refused) as caught:
        await destroy(
            world.jp,
            Destroy(item=given.item, copy=1, method="shred", reason="ours", actor=Actor("sato")),
        )
    assert caught.value.code == "not-holder"


async def test_a_witness_closes_what_he_waits_for_and_completes_it(arranged: World) -> None:  # (31) (32)
    given = await arranged.given()
    told = await destroyed(arranged, given.item)
    assert told.outcome == "needs-consent"
    assert told.certificate is not None
    assert (told.certificate.state, told.certificate.needed) == ("waiting", 1)
    assert await key_of(arranged.kr, given.item) is not None
    asked = Open(item=given.item, purpose="air defence", path=str(arranged.folder / "opened"), actor=KIM)
    with pytest.raises(Refused) as closed:
        await open_item(arranged.kr, asked)
    assert closed.value.code == "copy-closed"
    with pytest.raises(Refused) as again:
        await destroyed(arranged, given.item)
    assert again.value.code == "copy-closed"
    certificate = told.certificate.certificate
    await arranged.person("kr", "oh", roles=("registry",))  # keeps the register, and is not cleared
    for actor, code in ((KIM, "own-certificate"), (Actor("oh"), "not-cleared")):
        with pytest.raises(Refused) as caught:
            await witness(arranged.kr, WitnessDestruction(certificate=certificate, actor=actor))
        assert caught.value.code == code
    for handle in ("choi", "park"):  # on no list for it, or not cleared: there is no such thing for them
        with pytest.raises(Misuse) as unseen:
            await witness(arranged.kr, WitnessDestruction(certificate=certificate, actor=Actor(handle)))
        assert unseen.value.code == "unknown-certificate"
    done = await witness(arranged.kr, WitnessDestruction(certificate=certificate, actor=LEE))
    assert (done.state, [each.function for each in done.witnesses]) == ("complete", ["lee's desk"])
    assert await key_of(arranged.kr, given.item) is None
    with pytest.raises(Misuse) as complete:
        await witness(arranged.kr, WitnessDestruction(certificate=certificate, actor=LEE))
    assert complete.value.code == "already-complete"
    await arranged.exchange()
    assert await shown(arranged, "jp", done) == done
    assert await key_of(arranged.jp, given.item) is None


TWO_WITNESSES = """
[layer]
format = 1
id = "kr-witnesses"
version = "1"
kind = "domestic"
on = "jp-kr-2016"
party = "kr"
title = { en = "Two witnesses" }

[[clause]]
id = "1"
heading = { en = "Two witnesses" }
says = "Two other people see each destruction."
provenance = "P"
source = "written for this test"

[[rule]]
id = "two-witnesses"
clause = "1"
acts = ["destroy"]
witnesses = 2
"""


async def test_the_most_witnesses_that_any_layer_asks_for_must_sign(tmp_path: Path) -> None:
    """The arrangement asks one, the domestic layer two; and each signs once."""
    world = await World.make(tmp_path, layers=(EXAMPLE, TWO_WITNESSES))
    await clear(world, "lee")
    given = await world.given()
    told = await destroyed(world, given.item)
    assert told.certificate is not None
    assert told.certificate.needed == 2
    certificate = told.certificate.certificate
    one = await witness(world.kr, WitnessDestruction(certificate=certificate, actor=LEE))
    assert one.state == "waiting"
    with pytest.raises(Refused) as caught:
        await witness(world.kr, WitnessDestruction(certificate=certificate, actor=LEE))
    assert caught.value.code == "already-signed"
    two = await witness(world.kr, WitnessDestruction(certificate=certificate, actor=Actor("hong")))
    assert two.state == "complete"
    await world.exchange()
    assert (await copy_of(world.jp, given.item)).state == "destroyed"
    await world.close()


async def test_a_witness_who_saw_nothing_voids_the_certificate(arranged: World) -> None:  # (33)
    given = await arranged.given()
    told = await destroyed(arranged, given.item)
    assert told.certificate is not None
    void = await witness(
        arranged.kr,
        WitnessDestruction(
            certificate=told.certificate.certificate, actor=LEE, seen=False, reason="the shredder was off"
        ),
    )
    assert void.state == "void"
    assert void.void is not None
    assert "the shredder was off" in void.void
    asked = Open(item=given.item, purpose="air defence", path=str(arranged.folder / "opened"), actor=KIM)
    assert (await open_item(arranged.kr, asked)).outcome == "permit"
    again = await destroyed(arranged, given.item)
    assert again.certificate is not None
    with pytest.raises(Misuse):
        await witness(arranged.kr, WitnessDestruction(certificate=told.certificate.certificate, actor=LEE))
    await arranged.exchange()
    assert (await copy_of(arranged.jp, given.item)).certificate == again.certificate.certificate


@pytest.mark.parametrize(
    ("form", "method", "outcome"),
    [
        ("documentary", "shred", "needs-consent"),
        ("documentary", "erase-key", "forbidden"),
        ("magnetic", "degauss", "needs-consent"),
        ("magnetic", "shred", "forbidden"),
        ("equipment", "crush", "needs-consent"),
        ("equipment", "burn", "forbidden"),
        ("electronic", "overwrite", "needs-consent"),
        ("electronic", "pulp", "forbidden"),
    ],
)
async def test_the_arrangement_says_how_each_form_is_destroyed(
    arranged: World, form: str, method: str, outcome: str
) -> None:
    from comity.flows.handling.handing_over import TakeOver, take_over

    given = await arranged.given(form=form)
    if form != "electronic":
        await take_over(arranged.kr, TakeOver(item=given.item, copy=1, actor=KIM))
    told = await destroyed(arranged, given.item, method=method)
    assert told.outcome == outcome
    assert (told.certificate is None) == (outcome == "forbidden")
    assert (await copy_of(arranged.kr, given.item)).state == "held"


async def test_from_a_level_up_it_is_returned_and_not_destroyed(arranged: World) -> None:
    given = await arranged.given(mark="特定秘密")
    told = await destroyed(arranged, given.item)
    assert told.outcome == "forbidden"
    assert [(each.instrument, each.clause) for each in told.decision.reasons if each.effect == "forbids"] == [
        ("jp-kr-arrangement.example", "4.4")
    ]
    sent = await send_back(arranged.kr, SendBack(item=given.item, copy=1, reason="it is to go back", actor=KIM))
    assert sent.outcome == "permit"


async def test_in_a_crisis_it_is_destroyed_at_once_and_told_when_it_can_be(arranged: World) -> None:  # (35) (36)
    given = await arranged.given(mark="特定秘密")
    told = await destroyed(arranged, given.item, crisis=True, reason="the gate is breached")
    assert told.outcome == "permit"
    assert told.certificate is not None
    assert (told.certificate.state, told.certificate.crisis) == ("complete", True)
    assert await owed(arranged, "kr", given.item, "a-crisis") == [False]
    await arranged.exchange()
    for party in ("jp", "kr"):
        assert await owed(arranged, party, given.item, "a-crisis") == [True]
        assert (await shown(arranged, party, told.certificate)).heard is not None


async def test_a_crisis_lifts_only_what_a_rule_lets_it(tmp_path: Path) -> None:  # (35)
    world = await World.make(tmp_path, layers=(TWO_WITNESSES,))
    given = await world.given()
    with pytest.raises(Refused) as caught:
        await destroyed(world, given.item, crisis=True)
    assert caught.value.code == "no-crisis-rule"
    assert (await copy_of(world.kr, given.item)).at_hand
    await world.close()


async def test_a_holder_with_his_own_key_signs_one_decision(world: World) -> None:
    """He is asked for his signature after the decision; it is found again, and not made anew, when he comes back."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    await world.person(
        "kr",
        "han",
        custody="strict",
        recipient=str(generate_identity(SeededEntropy("han")).recipient),
        signing_key=key.public_key().public_bytes_raw(),
    )
    await clear(world, "han")
    await change_list(world.kr, ChangeList(topic="missiles", handle="han", listed=True, actor=ROOT))
    await world.exchange()
    given = await world.given(recipients=(await world.pseudonym("han"),))
    certificate = world.kr.new_name("t")
    with pytest.raises(NeedsSignature) as asked:
        await destroyed(world, given.item, actor=Actor("han"), certificate=certificate)
    told = await destroyed(
        world, given.item, actor=Actor("han", (key.sign(asked.value.message),)), certificate=certificate
    )
    assert told.certificate is not None
    assert (await copy_of(world.kr, given.item)).state == "destroyed"
    other = await world.given(
        recipients=(await world.pseudonym("han"),), path=world.document(b"another", "another.txt")
    )
    request = SendBack(item=other.item, copy=1, reason="done", actor=Actor("han"))
    with pytest.raises(NeedsSignature) as again:
        await send_back(world.kr, request)
    signed = SendBack(item=other.item, copy=1, reason="done", actor=Actor("han", (key.sign(again.value.message),)))
    assert (await send_back(world.kr, signed)).record


# ---- return ---------------------------------------------------------------------------------------------------------


async def test_a_copy_goes_back_without_its_key_and_is_signed_for(arranged: World) -> None:
    given = await arranged.given()
    sent = await send_back(arranged.kr, SendBack(item=given.item, copy=1, reason="done with it", actor=KIM))
    assert (sent.outcome, sent.to) == ("permit", "jp")
    assert await key_of(arranged.kr, given.item) is None
    with pytest.raises(Refused) as caught:
        await send_back(arranged.kr, SendBack(item=given.item, copy=1, reason="again", actor=KIM))
    assert caught.value.code == "copy-state"
    with pytest.raises(Refused) as under_way:
        await destroyed(arranged, given.item)
    assert under_way.value.code == "copy-state"
    with pytest.raises(Refused) as early:
        await take_back(arranged.jp, TakeBack(item=given.item, copy=1, actor=ITO))
    assert early.value.code == "not-returned"
    await arranged.exchange()
    assert [await owed(arranged, "jp", given.item, each) for each in ("o-12", "a-return-receipt")] == [
        [True, False],
        [False],
    ]
    with pytest.raises(Refused) as here:
        await take_back(arranged.kr, TakeBack(item=given.item, copy=1, actor=LEE))
    assert here.value.code == "not-holder"
    with pytest.raises(Misuse) as role:
        await take_back(arranged.jp, TakeBack(item=given.item, copy=1, actor=ABE))
    assert role.value.code == "no-role"
    await take_back(arranged.jp, TakeBack(item=given.item, copy=1, actor=ITO))
    await arranged.exchange()
    for party in ("jp", "kr"):
        house = arranged.house(party)
        assert (await copy_of(house, given.item)).state == "returned"
        assert await key_of(house, given.item) is None
        assert await owed(arranged, party, given.item, "a-return-receipt") == [True]
    with pytest.raises(Refused):
        await take_back(arranged.jp, TakeBack(item=given.item, copy=1, actor=ITO))


# ---- the purpose has ended, and recall ------------------------------------------------------------------------------


async def test_what_is_no_longer_needed_is_owed_until_the_last_copy_is_gone(world: World) -> None:  # (20) (28)
    yun = await second(world)
    given = await world.given(recipients=(await world.pseudonym("kim"), yun))
    numbers = {(await copy_of(world.kr, given.item, number)).holder: number for number in (1, 2)}
    kims, yuns = numbers[await world.pseudonym("kim")], numbers[yun]
    with pytest.raises(Misuse) as role:
        await end_purpose(world.kr, EndPurpose(item=given.item, reason="over", actor=KIM))
    assert role.value.code == "no-role"
    with pytest.raises(Misuse) as own:
        await end_purpose(world.jp, EndPurpose(item=given.item, reason="over", actor=ITO))
    assert own.value.code == "own-item"
    (ended,) = await end_purpose(world.kr, EndPurpose(item=given.item, reason="over", actor=LEE))
    assert (ended.unanswered, [each.number for each in ended.reached]) == (2, [1, 2])
    await destroyed(world, given.item, copy=kims)
    await send_back(world.kr, SendBack(item=given.item, copy=yuns, reason="over", actor=Actor("yun")))
    await world.exchange()
    for party in ("jp", "kr"):
        assert await owed(world, party, given.item, "o-6h") == [False]
    await take_back(world.jp, TakeBack(item=given.item, copy=yuns, actor=ITO))
    await world.exchange()
    for party in ("jp", "kr"):
        assert await owed(world, party, given.item, "o-6h") == [True]
    with pytest.raises(Misuse) as nothing:
        await end_purpose(world.kr, EndPurpose(item=given.item, reason="over", actor=LEE))
    assert nothing.value.code == "nothing-left"


async def test_a_lost_copy_is_not_accounted_for(world: World) -> None:  # (2)
    """It may be found again: the duty waits, and its discharge comes with the found copy's end."""
    given = await world.given()
    await end_purpose(world.kr, EndPurpose(item=given.item, reason="over", actor=LEE))
    await lose_copy(world.kr, LoseCopy(item=given.item, copy=1, circumstances="not in the safe", actor=KIM))
    with pytest.raises(Refused) as caught:
        await destroyed(world, given.item)
    assert caught.value.code == "copy-state"
    await world.exchange()
    assert await owed(world, "jp", given.item, "o-6h") == [False]
    (told,) = await show_recall(world.jp, ShowRecall(item=given.item))
    assert (told.unanswered, told.reached[0].state) == (1, "lost")
    await find_again(world.kr, FindCopy(item=given.item, copy=1, circumstances="behind the safe", actor=KIM))
    await destroyed(world, given.item)
    await world.exchange()
    assert await owed(world, "jp", given.item, "o-6h") == [True]


async def recalled(world: World, item: str, **changes: object) -> RecallShown:
    request = {"item": item, "asks": "either", "reason": "sent by mistake", "actor": ABE, **changes}
    (told,) = await recall(world.jp, Recall(**request))
    return told


async def test_a_recall_reaches_every_copy_and_child_and_silence_stays_silence(arranged: World) -> None:  # (24) (25)
    yun = await second(arranged)
    given = await arranged.given(recipients=(await arranged.pseudonym("kim"), yun))
    numbers = {(await copy_of(arranged.kr, given.item, number)).holder: number for number in (1, 2)}
    kims = numbers[await arranged.pseudonym("kim")]
    child = await derive(
        arranged.kr,
        Derive(
            relation="translation",
            ancestors=(given.item,),
            path=arranged.document(b"translated", "translated"),
            purpose="air defence",
            language="ko",
            actor=KIM,
        ),
    )
    await arranged.exchange()
    answer_by = arranged.clock.time + timedelta(days=5)
    told = await recalled(arranged, given.item, answer_by=answer_by)
    assert (told.clause, told.delivered, told.unanswered) == ("jp-kr-arrangement.example:4.1", False, 3)
    await arranged.exchange()
    (told,) = await show_recall(arranged.jp, ShowRecall(item=given.item))
    assert (told.delivered, told.overdue) == (True, False)
    assert [(each.item, each.number, each.answered) for each in told.reached] == [
        (given.item, 1, None),
        (given.item, 2, None),
        (child.item, 1, None),
    ]
    (owing,) = [
        each
        for each in (await list_duties(arranged.kr, ListDuties(item=given.item))).duties
        if each.obligation == "a-recall"
    ]
    assert (owing.who, owing.due) == ("kr", answer_by)  # the arrangement's thirty days end later
    await send_back(arranged.kr, SendBack(item=given.item, copy=kims, reason="recalled", actor=KIM))
    await arranged.exchange()
    await take_back(arranged.jp, TakeBack(item=given.item, copy=kims, actor=ITO))
    arranged.clock.time += timedelta(days=9)
    await arranged.exchange()
    (told,) = await show_recall(arranged.jp, ShowRecall(item=given.item))
    answered = [(each.item, each.number) for each in told.reached if each.answered is not None]
    assert (answered, told.unanswered, told.overdue) == ([(given.item, kims)], 2, True)
    assert await owed(arranged, "jp", given.item, "a-recall") == [False]
    gone = await destroyed(arranged, given.item, copy=3 - kims, actor=Actor("yun"))
    assert gone.certificate is not None
    await witness(arranged.kr, WitnessDestruction(certificate=gone.certificate.certificate, actor=LEE))
    await arranged.exchange()
    assert await owed(arranged, "jp", given.item, "a-recall") == [False]  # what was made from it is still there
    last = await destroyed(arranged, child.item)
    assert last.certificate is not None
    await witness(arranged.kr, WitnessDestruction(certificate=last.certificate.certificate, actor=LEE))
    await arranged.exchange()
    for party in ("jp", "kr"):
        assert await owed(arranged, party, given.item, "a-recall") == [True]
        (told,) = await show_recall(arranged.house(party), ShowRecall(item=given.item))
        assert (told.unanswered, told.overdue) == (0, False)


async def test_where_nothing_obliges_a_recall_is_asked_all_the_same_and_said_so(world: World) -> None:  # (24)
    given = await world.given()
    told = await recalled(world, given.item)
    assert (told.clause, told.unanswered) == ("", 1)
    await world.exchange()
    (there,) = await show_recall(world.kr, ShowRecall(item=given.item))
    assert (there.by, there.asks, there.reason) == ("jp", "either", "sent by mistake")
    found = await list_duties(world.kr, ListDuties(item=given.item))
    assert [each for each in found.duties if each.event == "recalled"] == []


async def test_a_recall_is_made_once_and_lifted_once(arranged: World) -> None:  # (27)
    given = await arranged.given()
    with pytest.raises(Misuse) as none:
        await lift(arranged.jp, LiftRecall(item=given.item, reason="never mind", actor=ABE))
    assert none.value.code == "not-recalled"
    with pytest.raises(Misuse) as silent:
        await show_recall(arranged.jp, ShowRecall(item=given.item))
    assert silent.value.code == "not-recalled"
    await recalled(arranged, given.item)
    with pytest.raises(Misuse) as twice:
        await recalled(arranged, given.item)
    assert twice.value.code == "already-recalled"
    await arranged.exchange()
    (told,) = await lift(arranged.jp, LiftRecall(item=given.item, reason="it was right after all", actor=ABE))
    assert told.lifted is not None
    await arranged.exchange()
    assert await owed(arranged, "kr", given.item, "a-recall") == [True]
    await recalled(arranged, given.item)
    await arranged.exchange()
    assert await owed(arranged, "kr", given.item, "a-recall") == [True, False]


async def test_only_whoever_gave_it_recalls_it(world: World) -> None:
    given = await world.given()
    await world.person("kr", "yoon", roles=("release-authority", "registry"))
    with pytest.raises(Misuse) as caught:
        await recall(world.kr, Recall(item=given.item, asks="return", reason="ours", actor=Actor("yoon")))
    assert caught.value.code == "not-given"
    with pytest.raises(Misuse) as role:
        await recalled(world, given.item, actor=Actor("sato"))
    assert role.value.code == "no-role"
    asked = await world.ask(path=world.document(b"another", "another.txt"))
    with pytest.raises(Misuse) as kept:
        await recalled(world, asked.item)
    assert kept.value.code == "not-given"


async def test_a_reader_sees_his_own_copies_and_no_others(arranged: World) -> None:
    yun = await second(arranged)
    given = await arranged.given(recipients=(await arranged.pseudonym("kim"), yun))
    await recalled(arranged, given.item)
    await arranged.exchange()
    (told,) = await show_recall(arranged.kr, ShowRecall(item=given.item, actor=KIM))
    assert ([each.holder for each in told.reached], told.unanswered) == ([await arranged.pseudonym("kim")], 1)
    (everything,) = await show_recall(arranged.kr, ShowRecall(item=given.item, actor=LEE))
    assert everything.unanswered == 2
    with pytest.raises(Misuse) as caught:
        await show_recall(arranged.kr, ShowRecall(item=given.item, actor=Actor("choi")))
    assert caught.value.code == "unknown-item"


async def test_what_was_recalled_before_it_was_made_stays_recalled_in_what_was_made(arranged: World) -> None:
    """A translation on its way while the recall is: both registers know it, and the recall reaches it."""
    given = await arranged.given()
    await recalled(arranged, given.item)
    child = await derive(
        arranged.kr,
        Derive(
            relation="extract",
            ancestors=(given.item,),
            path=arranged.document(b"extracted", "extracted"),
            purpose="air defence",
            actor=KIM,
        ),
    )
    await arranged.exchange()
    for party in ("jp", "kr"):
        (told,) = await show_recall(arranged.house(party), ShowRecall(item=given.item))
        assert [each.item for each in told.reached] == [given.item, child.item]
    refused = await derive(
        arranged.kr,
        Derive(
            relation="extract",
            ancestors=(given.item,),
            path=arranged.document(b"again", "again"),
            purpose="air defence",
            actor=KIM,
        ),
    )
    assert [(each.outcome, refused.made) for each in refused.asked] == [("forbidden", False)]
