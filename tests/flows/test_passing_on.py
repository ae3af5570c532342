"""Passing on: nothing without consent, nothing without a second person, and one file for the courier (6(a))."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from io import BytesIO
from typing import Any, TypeVar, cast

import pytest

from comity.errors import ComityError
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.consenting.granting import WithdrawConsent, withdraw_consent
from comity.flows.consenting.passed_on import ListPassedOn, ReceiptPassOn, list_passed_on, receipt_pass_on
from comity.flows.consenting.passing_on import ConfirmPassOn, PassOnTold, confirm_pass_on
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.exchanging.parcel import HEADER_BYTES_MAX
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.maintaining.collecting import Collect, collect
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import ChangeList, change_list
from comity.register.rows import CopyRow, RequestRow
from comity.seal.age import open_header, read_header, seal_header
from comity.seal.items import unpack_payload
from comity.seal.keys import generate_identity
from comity.seal.manifest import Manifest
from comity.seal.x25519 import X25519Identity
from flows.consenting import UNTIL, US, answer, ask, ask_on, grant, passed_on, path, seal, staffed
from flows.test_opening import KEY, strict_reader
from world import RELATIONSHIP, ROOT, SeededEntropy, World

T = TypeVar("T")


async def refused(code: str, doing: Any) -> ComityError:
    with pytest.raises(ComityError) as raised:
        await doing
    assert raised.value.code == code, raised.value
    return raised.value


async def ready(world: World) -> str:
    """An item in Kim's hands that the United States may have."""
    await staffed(world)
    item = (await world.given()).item
    await answer(world, (await ask(world, item)).request, conditions=("on paper only",))
    return item


async def state(world: World, party: str, item: str, number: int = 1) -> str:
    return (await world.house(party).need(CopyRow, f"{RELATIONSHIP}/{item}/{number:06d}", "copy")).state


def read_by(identity: Any, sealed: bytes, binding: Any) -> tuple[Manifest, bytes]:
    header, payload = read_header(cast("Any", BytesIO(sealed)))
    content = BytesIO()
    manifest = unpack_payload(open_header(header, [identity]), payload, content, binding)
    return manifest, content.getvalue()


async def test_without_consent_nothing_is_written(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    told = await ask_on(world, item)
    assert (told.request, told.outcome) == ("", "needs-consent")
    (missing,) = [each for each in told.decision.reasons if each.code == "consent-missing"]
    assert (missing.clause, missing.effect) == ("6.a", "needs")
    assert [row async for _, row in world.kr.rows(RequestRow)] == []
    assert await state(world, "kr", item) == "held"
    assert not (await list_passed_on(world.kr, ListPassedOn()))


async def test_with_consent_and_approval_the_next_body_reads_it(world: World) -> None:
    item = await ready(world)
    asked = await ask_on(world, item)
    assert (asked.outcome, asked.conditions) == ("needs-consent", ("on paper only",))
    told = await seal(world, asked.request)
    assert (told.outcome, told.record) == ("needs-consent", None)
    assert not path(world, "courier.age").exists()
    await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
    told = await seal(world, asked.request)
    await world.exchange()
    assert told.consents == asked.consents
    sealed = path(world, "courier.age").read_bytes()
    from comity.flows.giving.sealed import sealed_content

    copy = await world.kr.need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")
    binding = (await sealed_content(world.kr, RELATIONSHIP, copy)).binding
    manifest, content = read_by(US, sealed, binding)
    assert (content, manifest.file_name) == (b"a report", "report.txt")
    with pytest.raises(ComityError):
        read_by(X25519Identity.generate(SeededEntropy("nobody")), sealed, binding)
    for party in ("jp", "kr"):
        assert await state(world, party, item) == "passed on"
        (line,) = await list_passed_on(world.house(party), ListPassedOn())
        assert (line.beneficiary, line.consents, line.ours) == ("us", told.consents, party == "kr")
        assert not (await verify_ledger(world.house(party), VerifyLedger())).findings


async def test_what_was_passed_on_opens_here_no_more(world: World) -> None:
    item = await ready(world)
    await passed_on(world, item)
    reading = Open(item=item, purpose="air defence", path=str(path(world, "read")), actor=Actor("kim"))
    await refused("not-holder", open_item(world.kr, reading))
    await refused("not-holder", ask_on(world, item))


async def test_the_couriers_file_can_be_made_again(world: World) -> None:
    item = await ready(world)
    told = await passed_on(world, item)
    path(world, "courier.age").unlink()
    await collect(world.kr, Collect())
    again = await seal(world, told.request, "again.age")
    assert (again.record, again.decision) == (told.record, None)
    header, _ = read_header(cast("Any", BytesIO(path(world, "again.age").read_bytes())))
    open_header(header, [US])
    assert len(await list_passed_on(world.jp, ListPassedOn())) == 1


async def test_a_consent_that_ended_or_was_withdrawn_after_the_request_stops_it(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    given = await grant(world)
    asked = await ask_on(world, item)
    await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
    await withdraw_consent(world.jp, WithdrawConsent(consent=given.consent, reason="over", actor=Actor("abe")))
    await world.exchange()
    assert (await seal(world, asked.request)).outcome == "needs-consent"
    await grant(world, until=world.clock.time + timedelta(hours=1))
    world.clock.time += timedelta(hours=2)
    assert (await seal(world, asked.request)).outcome == "needs-consent"
    assert not path(world, "courier.age").exists()
    await grant(world)
    assert (await seal(world, asked.request)).outcome == "permit"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"purpose": "training"}, "needs-consent"),
        ({"beneficiary": "au"}, "needs-consent"),
        ({"beneficiary": "acme", "beneficiary_kind": "firm", "nationality": "us"}, "needs-consent"),
    ],
)
async def test_a_consent_is_for_one_body_and_one_purpose(world: World, changes: dict[str, str], outcome: str) -> None:
    item = await ready(world)
    told = await ask_on(world, item, **changes)
    assert (told.request, told.outcome) == ("", outcome)


async def test_a_firm_needs_consent_for_itself_and_its_state(world: World) -> None:
    item = await ready(world)
    acme = {"beneficiary": "acme", "beneficiary_kind": "firm", "nationality": "us"}
    asked = await ask(world, item, **acme)
    assert asked.beneficiaries == ("acme", "us")
    await answer(world, asked.request)
    told = await passed_on(world, item, **acme)
    assert told.record is not None


async def test_who_asked_does_not_approve_and_a_wrong_role_neither(world: World) -> None:
    item = await ready(world)
    await world.person("kr", "seo", roles=("release-authority",))
    asked = await ask_on(world, item)
    for handle, code in (("kim", "no-role"), ("lee", "no-role")):
        await refused(code, approve(world.kr, Approve(request=asked.request, reason="mine", actor=Actor(handle))))


async def test_what_is_refused(world: World) -> None:
    item = await ready(world)
    await refused("unknown-item", ask_on(world, "i-aaaaaaaaaaaaaaaa"))
    await refused("not-holder", ask_on(world, item, copy=2))
    await refused("not-holder", ask_on(world, item, actor=Actor("lee")))
    await refused("unknown-item", ask_on(world, item, actor=Actor("choi")))
    await refused("no-third-party", ask_on(world, item, beneficiary="jp"))
    await refused("recipient", ask_on(world, item, recipient="age1nothing"))
    asked = await ask_on(world, item)
    await refused("unknown-request", seal(world, asked.request, handle="lee"))
    await refused("unknown-request", seal(world, "r-aaaaaaaaaaaaaaaa"))
    await world.both_ways()
    own = (await world.given_back()).item
    await refused("own-item", ask_on(world, own, actor=Actor("lee")))


async def test_the_receipt_ends_the_duty_to_give_one(world: World) -> None:
    item = await ready(world)
    before = await _owed(world)
    await passed_on(world, item)
    assert len(await _owed(world)) > len(before)
    receipt = ReceiptPassOn(item=item, copy=1, receipt="no. 14/2026, signed in Honolulu", actor=Actor("lee"))
    await receipt_pass_on(world.kr, receipt)
    await world.exchange()
    assert await _owed(world) == before
    (line,) = await list_passed_on(world.jp, ListPassedOn())
    assert line.receipt == "no. 14/2026, signed in Honolulu"
    await refused("already-received", receipt_pass_on(world.kr, receipt))


async def _owed(world: World) -> list[tuple[str, str]]:
    duties = await list_duties(world.kr, ListDuties())
    return sorted((each.obligation, each.subject) for each in duties.duties if each.obligation == "o-12")


async def test_the_list_is_for_who_may_see_the_item(world: World) -> None:
    item = await ready(world)
    await passed_on(world, item)
    assert len(await list_passed_on(world.kr, ListPassedOn(actor=Actor("kim")))) == 1
    assert await list_passed_on(world.kr, ListPassedOn(actor=Actor("choi"))) == []


async def test_until_is_the_first_instant_outside(world: World) -> None:
    item = await ready(world)
    world.clock.time = UNTIL - timedelta(milliseconds=200)
    assert (await ask_on(world, item)).request
    world.clock.time = UNTIL
    assert not (await ask_on(world, item)).request


async def test_what_was_made_from_it_is_passed_on_by_a_consent_to_it(world: World) -> None:
    item = await ready(world)
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
    await world.exchange()
    assert not (await ask_on(world, made.item)).request  # the consent was to what it was made from
    asked = await ask(world, made.item)
    assert asked.originator == "jp"
    await answer(world, asked.request)
    told = await passed_on(world, made.item)
    assert told.record is not None
    for party in ("jp", "kr"):
        assert await state(world, party, made.item) == "passed on"
        assert await state(world, party, item) == "held"
        assert not (await verify_ledger(world.house(party), VerifyLedger())).findings


@pytest.mark.parametrize(("consented", "goes"), [("weather", False), ("missiles", True)])
async def test_a_pattern_is_not_widened_by_what_its_maker_calls_what_he_made(
    world: World, consented: str, goes: bool
) -> None:
    """Kim files an extract about missiles under a topic of his own; what is consented to about that is not it."""
    await staffed(world)
    item = (await world.given()).item
    await change_list(world.kr, ChangeList(topic="weather", handle="kim", listed=True, actor=ROOT))
    await grant(world, topic=consented)
    made = await derive(
        world.kr,
        Derive(
            path=world.document(b"an extract", "extract.txt"),
            relation="extract",
            ancestors=(item,),
            purpose="air defence",
            actor=Actor("kim"),
            topic="weather",
        ),
    )
    await world.exchange()
    assert bool((await ask_on(world, made.item)).request) is goes
    if goes:
        assert (await passed_on(world, made.item)).record is not None
        assert await state(world, "jp", made.item) == "passed on"


async def test_the_level_of_today_decides_which_pattern_speaks_of_it(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    await grant(world, topic=None, marks=("秘",))
    assert not (await ask_on(world, item)).request
    change = Reclassify(item=item, mark="秘", reason="no longer so secret", actor=Actor("abe"))
    assert (await reclassify(world.jp, change)).change
    await world.exchange()
    assert (await ask_on(world, item)).request
    assert (await passed_on(world, item)).record is not None


async def signed(doing: Callable[[Actor], Awaitable[T]]) -> T:
    """What Han does, signed with his key once he is asked for it."""
    try:
        return await doing(Actor("han"))
    except NeedsSignature as asked:
        return await doing(Actor("han", (KEY.sign(asked.message),)))


async def test_who_keeps_his_own_key_wraps_it_himself_and_for_nobody_else(world: World) -> None:
    await staffed(world)
    item = (await world.given(recipients=(await strict_reader(world),))).item
    await answer(world, (await ask(world, item)).request)
    request = "r-" + "a" * 16
    await signed(lambda han: ask_on(world, item, actor=han, request=request))
    await approve(world.kr, Approve(request=request, reason="needed", actor=Actor("baek")))
    told = await seal(world, request, handle="han")
    assert (told.outcome, told.by_holder, told.record) == ("permit", True, None)
    own, _ = read_header(cast("Any", BytesIO(path(world, "courier.age").read_bytes())))
    file_key = open_header(own, [generate_identity(SeededEntropy("han"))])
    classic = X25519Identity.generate(SeededEntropy("classic")).recipient
    headers = {
        "not-age": b"nothing of the kind",
        "too-large": bytes(HEADER_BYTES_MAX + 1),
        "other-kind": seal_header(file_key, [classic], SeededEntropy("y")),
        "": seal_header(file_key, [US.recipient], SeededEntropy("z")),
    }
    for code, header in headers.items():
        fields = {"request": request, "header": header, "decision_record": told.decision_record}

        def doing(han: Actor, fields: Any = fields) -> Awaitable[PassOnTold]:
            return confirm_pass_on(world.kr, ConfirmPassOn(**fields, actor=han))

        if code:
            await refused(code, signed(doing))
        else:
            assert (await signed(doing)).record is not None
    await world.exchange()
    assert await state(world, "jp", item) == "passed on"
