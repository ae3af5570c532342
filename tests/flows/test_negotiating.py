"""Negotiations between two houses: who may know of one, and how a text becomes an agreement (``spec/lifecycle.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import (
    AcknowledgeAgreement,
    ListAgreements,
    ListVersions,
    acknowledge_agreement,
    list_agreements,
    list_versions,
)
from comity.flows.agreeing.negotiating import (
    ApproveDraft,
    InitialDraft,
    NameDelegates,
    OpenChannel,
    OpenNegotiation,
    PostponeSignature,
    ProposeDraft,
    SignDraft,
    TellEntry,
    WithdrawNegotiation,
    approve_draft,
    initial_draft,
    name_delegates,
    open_channel,
    open_negotiation,
    postpone_signature,
    propose_draft,
    sign_draft,
    tell_entry,
    withdraw_negotiation,
)
from comity.flows.agreeing.negotiations import (
    ListNegotiations,
    ReadDraft,
    ShowNegotiation,
    list_negotiations,
    read_draft,
    show_negotiation,
)
from comity.flows.maintaining.collecting import Collect, collect
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.directory import ListDirectory, list_directory
from comity.flows.people.leaving import RemovePerson, remove_person
from flows.talking import CHANNEL, HEADS, OTHER, RUNNING, SECOND, TEXT, Table, amended, enrol, without_agreement
from world import ROOT, World, adopt, library

HISTORY = "jp-kr-2016.history.toml"


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """Two houses without an agreement, at one table."""
    world = await without_agreement(tmp_path)
    await enrol(world)
    yield await Table.open(world)
    await world.close()


async def test_two_houses_without_an_agreement_come_to_one(table: Table) -> None:
    await table.agreed()
    for party in ("jp", "kr"):
        seen = await table.seen(party)
        assert (seen.state, seen.draft, seen.signed) == ("signed", "jp-1", ("jp", "kr"))
        await adopt(table.house(party), OTHER[party], HISTORY)
        await acknowledge_agreement(table.house(party), AcknowledgeAgreement(relationship=RUNNING, actor=ROOT))
        (version,) = await list_versions(table.house(party), ListVersions(RUNNING))
        assert (version.version, version.signed) == ("2016-11-23", True)
    assert not (await verify_ledger(table.house("kr"), VerifyLedger())).findings


async def test_a_text_crosses_sealed_and_lies_sealed_in_both_houses(table: Table) -> None:
    await table.propose(note="as discussed in Seoul")
    await table.carry()
    sentence = b"No release to any government"
    assert sentence in TEXT.encode()
    for party in ("jp", "kr"):
        house = table.house(party)
        for digest in await house.blobs.all():
            async with house.blobs.open(digest) as blob:
                assert sentence not in blob.read()
        read = await read_draft(house, ReadDraft(negotiation=table.negotiation, actor=Actor(SECOND[party])))
        assert read.text == TEXT
        assert (await collect(house, Collect())).payloads == 0  # nobody takes it for an orphan
        await read_draft(house, ReadDraft(negotiation=table.negotiation, actor=Actor(HEADS[party])))


# ---- who may know of it --------------------------------------------------------------------------------------------


def requests(negotiation: str, handle: str) -> dict[Any, msgspec.Struct]:
    """Everything that can be asked about one negotiation."""
    actor = Actor(handle)
    return {
        show_negotiation: ShowNegotiation(negotiation, actor),
        read_draft: ReadDraft(negotiation=negotiation, actor=actor),
        name_delegates: NameDelegates(negotiation=negotiation, actor=actor),
        propose_draft: ProposeDraft(negotiation=negotiation, text="", name="draft.toml", actor=actor),
        initial_draft: InitialDraft(negotiation=negotiation, draft="jp-1", actor=actor),
        approve_draft: ApproveDraft(negotiation=negotiation, body="B", act="A", day="2026-11-21", actor=actor),
        sign_draft: SignDraft(negotiation=negotiation, actor=actor),
        postpone_signature: PostponeSignature(negotiation=negotiation, reason="later", actor=actor),
        withdraw_negotiation: WithdrawNegotiation(negotiation=negotiation, reason="no", actor=actor),
        tell_entry: TellEntry(negotiation=negotiation, channel="c", note="n", day="2026-11-21", actor=actor),
    }


@pytest.mark.parametrize("handle", ["ito", "yun", "root"])
async def test_who_is_on_no_list_is_told_what_he_is_told_of_one_that_is_not_there(table: Table, handle: str) -> None:
    await table.world.person("jp", "yun", roles=("agreement-authority",))  # even so
    await table.propose()
    heard = []
    for negotiation in (table.negotiation, "g-aaaaaaaaaaaaaaaa"):
        told = []
        for ask, request in requests(negotiation, handle).items():
            with pytest.raises(Misuse) as refused:
                await ask(table.house("jp"), request)
            told.append((refused.value.sentence.replace(negotiation, "…"), refused.value.code, refused.value.place))
        heard.append(told)
    assert heard[0] == heard[1]
    nothing = ("there is no negotiation '…'", "unknown-negotiation", "")
    no_role = (f"'{handle}' does not have the role 'agreement-authority'", "no-role", "")
    assert set(heard[0]) == ({nothing, no_role} if handle == "ito" else {nothing})
    assert await list_negotiations(table.house("jp"), ListNegotiations(Actor(handle))) == []
    assert await list_directory(table.house("jp"), ListDirectory()) == []


async def test_who_has_not_the_role_opens_and_signs_nothing(table: Table) -> None:
    opening = OpenNegotiation(peer="kr", about="agreement", title="T", actor=Actor("sato"))
    for ask, request in (
        (open_negotiation, opening),
        (sign_draft, SignDraft(negotiation=table.negotiation, actor=Actor("sato"))),
    ):
        with pytest.raises(Misuse, match="'sato' does not have the role 'agreement-authority'"):
            await ask(table.house("jp"), request)  # type: ignore[operator]  # each with its own


async def test_who_is_taken_off_the_list_or_leaves_is_nobody_again(table: Table) -> None:
    kr = table.house("kr")
    assert (await table.seen("kr", "han")).title == "Protection of information"
    await name_delegates(kr, NameDelegates(negotiation=table.negotiation, actor=Actor("mun")))
    with pytest.raises(Misuse, match="there is no negotiation"):
        await table.seen("kr", "han")
    await remove_person(table.house("jp"), RemovePerson(handle="sato", reason="moved", actor=ROOT))
    with pytest.raises(Misuse, match="there is nobody called 'sato'"):
        await table.seen("jp", "sato")


async def test_who_joins_later_reads_what_is_proposed_from_then_on(table: Table) -> None:
    await table.propose()
    await table.world.person("jp", "yun", roles=("officer",))
    delegates = NameDelegates(negotiation=table.negotiation, actor=Actor("oda"), delegates=("sato", "yun"))
    await name_delegates(table.house("jp"), delegates)
    with pytest.raises(Misuse) as refused:
        await read_draft(table.house("jp"), ReadDraft(negotiation=table.negotiation, actor=Actor("yun")))
    assert refused.value.code == "not-sealed-to-you"
    await table.propose()
    read = await read_draft(table.house("jp"), ReadDraft(negotiation=table.negotiation, actor=Actor("yun")))
    assert (read.draft, read.text) == ("jp-2", TEXT)


async def test_the_side_that_was_asked_hears_of_it_through_its_agreement_authorities_alone(tmp_path: Path) -> None:
    world = await without_agreement(tmp_path)
    await enrol(world)
    request = OpenNegotiation(peer="kr", about="agreement", title="T", actor=Actor("oda"))
    opened = await open_negotiation(world.jp, request)
    await open_channel(world.kr, OpenChannel("jp"))
    table = Table(world, opened.negotiation)
    await table.carry()
    assert (await table.seen("kr")).waits
    for handle in ("han", "lee"):
        with pytest.raises(Misuse, match="there is no negotiation"):
            await table.seen("kr", handle)
    await world.close()


# ---- drafts --------------------------------------------------------------------------------------------------------


async def test_drafts_go_to_and_fro_until_both_have_initialled_one(table: Table) -> None:
    await table.propose()
    await table.carry()
    await table.propose("kr", text=amended(), note="on loans")
    await table.carry()
    await table.initial("jp-1", "jp")
    await table.initial("kr-1", "kr")
    assert (await table.seen()).state == "negotiated"
    await table.initial("kr-1", "jp")
    seen = await table.seen("kr")
    assert (seen.state, seen.draft) == ("initialled", "kr-1")
    assert [(each.draft, each.version, each.note) for each in seen.drafts] == [
        ("jp-1", "2016-11-23", ""),
        ("kr-1", "2026-11-21", "on loans"),
    ]


async def test_a_text_with_a_mistake_is_no_draft(table: Table) -> None:
    with pytest.raises(Rejected, match=r"draft\.toml"):
        await table.propose(text="[agreement]\nformat = 1\n")
    with pytest.raises(Rejected) as refused:
        await table.propose(text=TEXT + "#" * 1024 * 1024)
    assert refused.value.code == "too-large"
    with pytest.raises(Misuse) as unknown:
        await initial_draft(
            table.house("jp"), InitialDraft(negotiation=table.negotiation, draft="kr-7", actor=Actor("oda"))
        )
    assert unknown.value.code == "unknown-draft"
    with pytest.raises(Misuse) as none:
        await read_draft(table.house("jp"), ReadDraft(negotiation=table.negotiation, actor=Actor("oda")))
    assert none.value.code == "unknown-draft"


@pytest.mark.parametrize(("day", "code"), [("2026-02-30", "bad-day"), ("tomorrow", "bad-day"), ("2026-11-01", "past")])
async def test_a_day_that_is_none_or_has_begun_is_no_day_to_apply_from(table: Table, day: str, code: str) -> None:
    with pytest.raises(Misuse) as refused:
        await table.propose(since=day)
    assert refused.value.code == code


async def test_initials_are_not_put_under_a_text_that_was_altered(table: Table) -> None:
    await table.propose()
    await table.carry()
    kr = table.house("kr")
    (draft,) = (await show_negotiation(kr, ShowNegotiation(table.negotiation, Actor("mun")))).drafts
    (payload,) = await kr.blobs.all()
    await kr.blobs.delete(payload)
    with pytest.raises(ComityError) as gone:
        await initial_draft(kr, InitialDraft(negotiation=table.negotiation, draft=draft.draft, actor=Actor("mun")))
    assert gone.value.code == "missing-blob"


# ---- signature -----------------------------------------------------------------------------------------------------


async def test_initialled_approved_and_fell_on_the_day_of_signing(table: Table) -> None:
    """29 June 2012: less than an hour before. Nothing is half signed, and nothing can be given."""
    await table.propose()
    await table.carry()
    await table.initial("jp-1")
    await table.approve()
    await table.sign("jp")
    await table.carry()
    reason = "the Assembly is to be heard first"
    await postpone_signature(
        table.house("kr"), PostponeSignature(negotiation=table.negotiation, reason=reason, actor=Actor("mun"))
    )
    await table.carry()
    for party in ("jp", "kr"):
        seen = await table.seen(party)
        assert (seen.state, seen.signed, seen.postponed) == ("approved", (), True)
        assert seen.happened[-1].says == reason
        with pytest.raises(Misuse) as refused:
            await adopt(table.house(party), OTHER[party], HISTORY)
        assert refused.value.code == "not-signed"
        assert await list_agreements(table.house(party), ListAgreements()) == []
    request = TellEntry(
        negotiation=table.negotiation, channel="diplomatic", note="NV 1", day="2026-11-21", actor=Actor("oda")
    )
    with pytest.raises(Misuse) as early:
        await tell_entry(table.house("jp"), request)
    assert early.value.code == "no-such-step"


async def test_both_sign_at_the_same_moment(table: Table) -> None:
    await table.propose()
    await table.carry()
    await table.initial("jp-1")
    await table.approve()
    for party in ("jp", "kr"):
        assert (await table.sign(party)).state == "approved"
    await table.carry()
    assert (await table.seen("jp")).state == (await table.seen("kr")).state == "signed"


@pytest.mark.parametrize("first", ["jp", "kr"])
async def test_a_signature_and_a_withdrawal_that_cross_end_alike_on_both_sides(table: Table, first: str) -> None:
    await table.propose()
    await table.carry()
    await table.initial("jp-1")
    await table.approve()
    await table.sign("jp")
    await table.hand_over("jp")
    await table.sign("kr")
    await withdraw_negotiation(
        table.house("jp"),
        WithdrawNegotiation(negotiation=table.negotiation, reason="the Diet is against it", actor=Actor("oda")),
    )
    await table.hand_over(first)
    await table.carry()
    assert (await table.seen("jp")).state == (await table.seen("kr")).state == "withdrawn"


async def test_what_is_signed_is_not_withdrawn(table: Table) -> None:
    await table.agreed()
    for party in ("jp", "kr"):
        with pytest.raises(Misuse, match="nothing takes that back"):
            await withdraw_negotiation(
                table.house(party),
                WithdrawNegotiation(negotiation=table.negotiation, reason="no", actor=Actor(HEADS[party])),
            )


async def test_the_notes_for_entry_are_records_of_both(table: Table) -> None:
    await table.agreed()
    for party in ("jp", "kr"):
        request = TellEntry(
            negotiation=table.negotiation,
            channel="diplomatic",
            note=f"NV {party}",
            day="2026-11-21",
            actor=Actor(HEADS[party]),
            document=sha256(b"note verbale").digest(),
        )
        await tell_entry(table.house(party), request)
    await table.carry()
    assert (await table.seen("jp")).entered == (await table.seen("kr")).entered == dict.fromkeys(OTHER, "2026-11-21")


async def test_approval_at_home_is_told_once_and_not_by_whom(table: Table) -> None:
    await table.propose()
    await table.carry()
    with pytest.raises(Misuse, match="no text that both sides have initialled"):
        await table.approve("jp")
    await table.initial("jp-1")
    await table.approve("jp")
    with pytest.raises(Misuse, match="the approval of 'jp' is there already"):
        await table.approve("jp")
    entries = await table.house("kr").store.chain(f"{CHANNEL}/jp", 0, 100)
    assert not any(b"Cabinet" in entry.envelope or b"decision 17" in entry.envelope for entry in entries)
    with pytest.raises(Misuse):
        await table.sign("jp")  # Seoul has not approved


# ---- amendments ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def amending(world: World) -> Table:
    """The agreement of 2016 runs, and its amendment is negotiated."""
    await enrol(world)
    return await Table.open(world, "amendment", RUNNING)


async def run(table: Table, party: str, text: str) -> None:
    await adopt(table.house(party), OTHER[party], HISTORY, text=text)
    await acknowledge_agreement(table.house(party), AcknowledgeAgreement(relationship=RUNNING, actor=ROOT))


async def test_an_amendment_by_both_replaces_the_text_and_the_old_one_is_kept(amending: Table) -> None:
    world = amending.world
    given = await world.given()
    await amending.agreed(text=amended())
    refused = await world.ask(path=world.document(b"another", "second.txt"))
    assert refused.outcome != "permit"  # from that instant the text before it permits nothing new
    for party in ("jp", "kr"):
        (running,) = await list_agreements(amending.house(party), ListAgreements())
        assert (running.version, running.superseded is not None) == ("2016-11-23", True)
        await run(amending, party, amended())
    await world.exchange()
    for party in ("jp", "kr"):
        (running,) = await list_agreements(amending.house(party), ListAgreements())
        assert (running.version, running.acknowledged, running.superseded) == ("2026-11-21", ("jp", "kr"), None)
        versions = await list_versions(amending.house(party), ListVersions(RUNNING))
        assert [(each.version, each.signed) for each in versions] == [("2016-11-23", False), ("2026-11-21", True)]
    again = await world.given(path=world.document(b"another", "third.txt"))
    assert given.item != again.item


async def test_an_amendment_that_one_side_did_not_sign_is_refused(amending: Table) -> None:
    await amending.propose(text=amended())
    await amending.carry()
    await amending.initial("jp-1")
    await amending.approve()
    await amending.sign("jp")
    await amending.carry()
    for party in ("jp", "kr"):
        with pytest.raises(Misuse) as refused:
            await run(amending, party, amended())
        assert refused.value.code == "not-signed"
        with pytest.raises(Misuse) as other:
            await run(amending, party, amended("2030-01-01"))
        assert other.value.code == "not-signed"
    assert (await amending.world.given()).outcome == "permit"  # the text that runs goes on running


async def test_an_amendment_applies_from_its_day(amending: Table) -> None:
    await amending.agreed(text=amended(), since="2026-12-24")
    assert (await amending.world.given()).outcome == "permit"
    with pytest.raises(Misuse) as refused:
        await run(amending, "jp", amended())
    assert refused.value.code == "not-yet"
    amending.world.clock.time += timedelta(days=40)
    await run(amending, "jp", amended())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (TEXT, "same-version"),
        (amended().replace('id = "jp-kr-2016"', 'id = "jp-kr-2026"', 1), "other-agreement"),
    ],
)
async def test_what_is_no_amendment(amending: Table, text: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        await amending.propose(text=text)
    assert refused.value.code == code


async def test_a_domestic_layer_is_no_arrangement_and_an_arrangement_is(world: World) -> None:
    await enrol(world)
    table = await Table.open(world, "arrangement", RUNNING)
    with pytest.raises(Rejected) as refused:
        await table.propose(text=library("jp-domestic.example.toml"))
    assert refused.value.code == "not-arrangement"
    await table.agreed(text=library("jp-kr-arrangement.example.toml"))
    assert (await table.seen("kr")).state == "signed"


async def test_a_channel_is_opened_with_a_peer_and_once(table: Table) -> None:
    with pytest.raises(Misuse) as again:
        await open_channel(table.house("jp"), OpenChannel("kr"))
    assert again.value.code == "channel-exists"
    with pytest.raises(ComityError) as stranger:
        await open_channel(table.house("jp"), OpenChannel("us"))
    assert stranger.value.code == "unknown-peer"


async def test_a_house_that_has_not_opened_the_channel_takes_nothing(tmp_path: Path) -> None:
    world = await without_agreement(tmp_path)
    await enrol(world)
    request = OpenNegotiation(peer="kr", about="agreement", title="T", actor=Actor("oda"))
    await open_negotiation(world.jp, request)
    with pytest.raises(Refused) as refused:
        await Table(world, "g").hand_over("jp")
    assert refused.value.code == "unknown-relationship"
    await world.close()
