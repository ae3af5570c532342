"""The ledger's page: whether both sides agree, verify now, proofs and evidence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from comity.console.pages import ledger
from comity.errors import InternalError, Rejected
from comity.evidence.verify import verify
from comity.flows.maintaining import replaying
from comity.flows.maintaining.rebuilding import VerifyLedger, hears, verify_ledger
from comity.ledger.tlog_proof import TlogProof
from comity.ports import JournalEntry
from comity.register.rows import ItemRow
from comity.timezones import time_zones
from console.browser import Browser, browser, outside_addresses
from console.test_every_page import mistakes_of
from flows.parcels import listed, parcel_with, record_of
from world import RELATIONSHIP, World

JP = f"{RELATIONSHIP}/jp"


@pytest.fixture
async def keeper(world: World) -> Browser:
    return await browser(world.jp, "ito")


async def test_it_says_at_once_that_both_sides_agree(keeper: Browser) -> None:
    page = await keeper.get("/ledger")
    assert page.status == 200
    assert "✓ Both sides agree" in page.html
    assert 'role="img"' in page.html
    assert JP in page.text
    assert "Nothing is kept that somebody signed and that does not fit" in page.text
    assert outside_addresses(page.html) == []
    assert " style=" not in page.html


async def test_a_tail_that_nobody_cosigned_is_counted(world: World, keeper: Browser) -> None:
    await world.ask()
    page = await keeper.get("/ledger")
    assert "◐" in page.html
    assert "of ours is not witnessed yet" in page.text or "of ours are not witnessed yet" in page.text
    assert "its author can still replace it, unseen" in page.text


async def test_two_histories_are_said_and_their_proof_can_be_taken_away(world: World) -> None:
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    other = record_of(world.jp, listed(world.jp), sequence=1, previous=previous)
    with pytest.raises(Rejected):
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, other))
    at = await browser(world.kr, "lee")
    page = await at.get("/ledger")
    assert "✗" in page.html
    assert "anybody can check it" in page.text
    page = await at.submit("/ledger/contradiction")
    assert "The file is ready" in page.text
    file = next(link for link in page.read.links if link.startswith("/ledger/file/"))
    proof = await at.get(file)
    assert proof.headers["content-disposition"].endswith(".proof")
    assert proof.body.startswith(b'{"format":')


@pytest.mark.parametrize("handle", ["sato", "abe"])
async def test_whoever_does_not_see_the_register_sees_no_ledger_and_is_told_so(world: World, handle: str) -> None:
    at = await browser(world.jp, handle)
    page = await at.get("/ledger")
    assert JP not in page.text
    assert "shown to those who see the whole register" in page.text
    for path in ("/ledger/verification", f"/ledger/proof?ledger={JP}&index=0"):
        assert (await at.get(path)).status == 403
    page = await at.get("/ledger")
    token = dict(page.form("/ledger/evidence").fields)["token"]
    for path in ("/ledger/verify", "/ledger/contradiction"):
        assert (await at.post(path, [("token", token), ("contradiction", "00")])).status == 403


async def test_the_ledgers_are_verified_and_what_was_found_is_told(world: World, keeper: Browser) -> None:
    await world.given()
    page = await keeper.get("/ledger/verification")
    assert "Nothing has been verified" in page.text
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/verify")
    assert page.path == "/ledger/verification"
    while "still running" in page.text:
        await asyncio.sleep(0.05)
        page = await keeper.get("/ledger/verification")
    assert "Everything is as it must be" in page.text
    assert "rows compared" in page.text
    part = await keeper.get("/ledger/verification", hx_request="true")
    assert part.html.startswith('<div id="verification">')


async def test_while_one_verification_runs_no_other_is_begun(keeper: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE_SECONDS", 0.02)
    begun = asyncio.Event()
    go_on = asyncio.Event()
    times = 0
    flow = keeper.desk.flows["ledger.verify"]

    class Slow:
        request = flow.request

        @staticmethod
        async def run(house: object, request: object) -> object:
            nonlocal times
            times += 1
            begun.set()
            await go_on.wait()
            return await flow.run(house, request)

    keeper.desk.flows = {**keeper.desk.flows, "ledger.verify": Slow}
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/verify")
    assert "it is still running" in page.text
    assert 'data-hx-trigger="every 2s"' in page.html
    await keeper.get("/ledger")
    await keeper.submit("/ledger/verify")
    assert times == 1
    go_on.set()
    while "still running" in (page := await keeper.get("/ledger/verification")).text:
        await asyncio.sleep(0.05)
    assert "Everything is as it must be" in page.text
    go_on.clear()
    await keeper.get("/ledger")
    await keeper.submit("/ledger/verify")
    known = keeper.desk.verification
    assert known is not None
    assert not known.task.done()
    await keeper.desk.close()
    assert known.task.cancelled(), "it does not go on in a store that is closed"


@pytest.mark.parametrize("flow", ["evidence.export", "ledger.prove", "ledger.verify"])
async def test_a_defect_of_ours_is_logged_and_not_told(
    keeper: Browser, caplog: pytest.LogCaptureFixture, flow: str
) -> None:
    class Defect:
        request = keeper.desk.flows[flow].request

        @staticmethod
        async def run(_house: object, _request: object) -> object:
            raise InternalError("the invariant of ours")

    keeper.desk.flows = {**keeper.desk.flows, flow: Defect}
    await keeper.get("/ledger")
    if flow == "evidence.export":
        page = await keeper.submit("/ledger/evidence", item="i-abc")
    elif flow == "ledger.verify":
        page = await keeper.submit("/ledger/verify")
    else:
        page = await keeper.get(f"/ledger/proof?ledger={JP}&index=0")
    assert (page.status, "this page failed" in page.text) == (500, True)
    assert "the invariant of ours" not in page.text
    assert "the invariant of ours" in caplog.text


async def test_how_far_a_verification_is_stands_on_its_page(
    world: World, keeper: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.given()
    monkeypatch.setattr(ledger, "AT_ONCE_SECONDS", 0.02)
    monkeypatch.setattr(replaying, "JOURNAL_READ", 10)
    journal, go_on = world.jp.store.journal, asyncio.Event()

    async def slow(after: int, limit: int) -> list[JournalEntry]:
        if after == 20:
            await go_on.wait()
        return await journal(after, limit)

    monkeypatch.setattr(world.jp.store, "journal", slow)
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/verify")
    while "20 of" not in page.text:
        await asyncio.sleep(0.02)
        page = await keeper.get("/ledger/verification")
    entries = sum(head.size for head in (await world.jp.store.heads()).values())
    assert f"20 of {entries} entries are checked" in page.text
    assert f'<progress max="{entries}" value="20"' in page.html
    assert mistakes_of(page) == []
    go_on.set()
    while "still running" in (page := await keeper.get("/ledger/verification")).text:
        await asyncio.sleep(0.02)
    assert "Everything is as it must be" in page.text
    assert "<progress" not in page.html
    told: list[tuple[int, int]] = []
    hears.set(lambda *how: told.append(how))  # whoever else listens hears the same
    await verify_ledger(world.jp, VerifyLedger())
    assert (told[0], told[-1]) == ((0, entries), (entries, entries))


async def test_what_is_wrong_in_a_ledger_is_named(world: World, keeper: Browser) -> None:
    await world.given()
    rows = world.jp.store._disk.database.rows[ItemRow.table]  # type: ignore[attr-defined]  # what a disk does
    key = next(iter(rows))
    value = rows[key]
    rows[key] = value + b"\n"
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/verify")
    assert "is not as it must be" in page.text
    assert key in page.text
    rows[key] = value


async def test_evidence_is_decided_recorded_and_verified_by_a_stranger(world: World, keeper: Browser) -> None:
    given = await world.given()
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/evidence", item=given.item)
    assert "The file is ready" in page.text
    file = next(link for link in page.read.links if link.startswith("/ledger/file/"))
    evidence = await keeper.get(file)
    assert evidence.headers["content-disposition"].endswith(f"; filename*=UTF-8''{given.item}.evidence")
    assert len(evidence.body) == int(evidence.headers["content-length"])
    assert verify(evidence.body, (), time_zones()).item == given.item
    other = await (await browser(world.jp, "abe")).get(file)
    assert other.status == 404


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("", "must not be empty"),
        ("i-none", "there is no item"),
        ("<script>alert(1)</script>", "there is no item"),
        ("../x", "no item"),
    ],
)
async def test_an_item_that_is_none_is_said_beside_its_field(keeper: Browser, item: str, says: str) -> None:
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/evidence", item=item)
    assert 400 <= page.status < 500
    assert says in page.text
    assert 'href="#item"' in page.html
    assert "<script>alert" not in page.html
    assert not list(keeper.desk.spool._held)


async def test_another_page_may_name_the_item(keeper: Browser) -> None:
    page = await keeper.get('/ledger?item="><script>alert(1)</script>'.replace(" ", "%20"))
    assert dict(page.form("/ledger/evidence").fields)["item"] == '"><script>alert(1)</script>'
    assert "<script>alert" not in page.html


async def test_evidence_of_what_one_may_not_know_of_is_of_what_is_not_there(world: World) -> None:
    given = await world.given()
    await world.person("jp", "mori")
    at = await browser(world.jp, "mori")
    await at.get("/ledger")
    hidden = await at.submit("/ledger/evidence", item=given.item)
    await at.get("/ledger")
    none = await at.submit("/ledger/evidence", item="i-none")
    assert hidden.status == none.status
    assert hidden.text.replace(given.item, "ITEM") == none.text.replace("i-none", "ITEM")


async def test_a_record_is_proved_at_its_place(world: World, keeper: Browser) -> None:
    await keeper.get("/ledger")
    page = await keeper.submit("/ledger/proof", ledger=JP, index="0")
    assert page.headers["content-disposition"].endswith(".tlog-proof")
    assert TlogProof.parse(page.body).index == 0


@pytest.mark.parametrize("index", ["", "-1", "1000000", "x", "%D9%A3", "9" * 16])
async def test_a_place_that_is_none_is_said_beside_its_field(keeper: Browser, index: str) -> None:
    page = await keeper.get(f"/ledger/proof?ledger={JP}&index={index}")
    assert 400 <= page.status < 500
    assert 'href="#index"' in page.html
    page = await keeper.get("/ledger/proof?ledger=jp-kr-2016/jp.kr/kr&index=0")
    assert 400 <= page.status < 500


@pytest.mark.parametrize("file", ["0" * 32, "..", "%2e%2e%2fledger"])
async def test_a_file_that_is_not_there_is_refused(keeper: Browser, file: str) -> None:
    assert (await keeper.get(f"/ledger/file/{file}")).status == 404


@pytest.mark.parametrize("language", ["ja", "ko"])
async def test_it_is_there_in_every_language(world: World, language: str) -> None:
    page = await (await browser(world.jp, "ito", language)).get("/ledger")
    assert page.status == 200
    assert f'lang="{language}"' in page.html
    assert Path(page.path).name == "ledger"
