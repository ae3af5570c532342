"""The API (``spec/api.md``)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from comity.console.api.verbs import READING, verbs
from comity.console.spool import FILES_OF_ONE_MAX
from comity.console.tokens import Tokens
from comity.flows.table import FLOWS
from comity.register.rows import ItemRow
from console.browser import Browser, Page, browser
from world import RELATIONSHIP, World

FROM_ELSEWHERE = {"node.status"}
"""Verbs that the node adds to those of the house."""


class Program:
    """A program with somebody's token."""

    def __init__(self, at: Browser, token: str) -> None:
        self.at = at
        self.token = token

    async def ask(self, verb: str, body: object = None, **headers: str) -> tuple[int, Any]:
        page = await self.send(verb, json.dumps({} if body is None else body).encode(), **headers)
        return page.status, json.loads(page.body)

    async def put(self, content: bytes) -> str:
        """Send a file; how it is named."""
        page = await self.send("files?name=report.txt", content, content_type="application/octet-stream")
        assert page.status == 201, page.text
        return str(json.loads(page.body)["file"])

    async def send(self, verb: str, body: bytes, method: str = "POST", **headers: str) -> Page:
        given = {"content-type": "application/json", "authorization": f"Bearer {self.token}", "origin": "-", **headers}
        return await self.at.send(method, f"/api/v1/{verb}", body, given)


async def program(at: Browser, handle: str, *scopes: str) -> Program:
    desk = at.desk
    tokens = Tokens(desk.house, desk.store, verbs(desk.flows), clock=desk.clock, entropy=desk.entropy)
    person = await desk.house.person(handle)
    secret, _ = await tokens.make(person.person, "for a test", scopes or ("read", "act"), 30)
    return Program(at, secret)


@pytest.fixture
async def at(world: World) -> Browser:
    return await browser(world.jp)


async def test_a_verb_answers_what_its_flow_answers(at: Browser) -> None:
    ito = await program(at, "ito")
    status, people = await ito.ask("person.list")
    assert (status, {each["handle"] for each in people} >= {"sato", "abe", "ito"}) == (200, True)


async def test_whoever_acts_is_whose_token_it_is(at: Browser) -> None:
    sato = await program(at, "sato")
    for body in ({"actor": {"handle": "ito"}}, {"actor": None}, {"actor": {"handle": "sato"}}):
        status, told = await sato.ask("inbox", body)
        assert (status, told["code"]) == (400, "malformed")


@pytest.mark.parametrize("token", ["", "x", "comity-aaaaaaaaaaaaaaaa-" + "0" * 64, "comity--", "\u00e9"])
async def test_a_stranger_is_told_only_that_a_token_is_wanted(at: Browser, token: str) -> None:
    page = await Program(at, token).send("inbox", b"{}")
    told = json.loads(page.body)
    assert (page.status, told["code"], page.headers["content-type"]) == (
        401,
        "unknown-token",
        "application/problem+json",
    )
    assert page.headers["www-authenticate"].startswith("Bearer")


async def test_a_cookie_signs_in_to_no_verb(at: Browser) -> None:
    await at.sign_in("ito")
    page = await at.send("POST", "/api/v1/person.list", b"{}", {"content-type": "application/json"})
    assert page.status == 401


@pytest.mark.parametrize(
    ("scopes", "verb", "allowed"),
    [
        (("read",), "inbox", True),
        (("read",), "approve", False),
        (("act",), "approve", False),  # what asks for a fresh sign-in is named
        (("approve",), "approve", True),
        (("inbox",), "outbox", False),
    ],
)
async def test_a_token_is_for_its_scopes(at: Browser, scopes: tuple[str, ...], verb: str, allowed: bool) -> None:
    asked = {"approve": {"request": "r-aaaaaaaaaaaaaaaa"}}.get(verb, {})
    _status, told = await (await program(at, "abe", *scopes)).ask(verb, asked)
    assert (told.get("code") == "outside-scope") is not allowed


async def test_a_token_gives_no_role(at: Browser) -> None:
    _status, told = await (await program(at, "sato")).ask("cost.list", {})
    assert told["code"] == "no-role"


@pytest.mark.parametrize(
    "verb", ["rebuild", "peer.add", "nothing", "", "../person.list", "person.list/", "PERSON.LIST"]
)
async def test_no_other_verb_is_there(at: Browser, verb: str) -> None:
    page = await (await program(at, "ito")).send(verb, b"{}")
    assert (page.status, json.loads(page.body)["code"]) == (404, "unknown-path")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"no such field": 1}', "application/json", 400),
        (b'{"relationship": 7}', "application/json", 400),
        (b"{" * 100_000, "application/json", 400),
        (b'{"relationship": "\\ud800"}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b" " * (4 * 2**20 + 1), "application/json", 413),
    ],
)
async def test_what_is_no_request_is_refused(at: Browser, body: bytes, kind: str, status: int) -> None:
    page = await (await program(at, "ito")).send("visit.list", body, content_type=kind)
    assert (page.status, page.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "host", "status", "code"),
    [("inbox", "elsewhere.example", 422, "unknown-host"), ("/inbox", None, 404, "unknown-path")],
)
async def test_what_the_guard_refuses_is_a_problem_too(
    at: Browser, path: str, host: str | None, status: int, code: str
) -> None:
    """(6)"""
    page = await (await program(at, "ito")).send(path, b"{}", **({"host": host} if host else {}))
    assert (page.status, page.headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(page.body)["code"] == code
    assert page.headers["cache-control"] == "no-store"


async def test_another_method_is_refused(at: Browser) -> None:
    assert (await (await program(at, "ito")).send("inbox", b"{}", "GET")).status == 405


async def test_what_is_sent_is_read_and_what_is_written_is_fetched_once(world: World, at: Browser) -> None:
    sato, ito = await program(at, "sato"), await program(at, "ito")
    page = await sato.send("files?name=report.txt", b"what it says", content_type="application/octet-stream")
    sent = json.loads(page.body)
    assert (page.status, sent["name"], sent["size"]) == (201, "report.txt", 12)
    asked = {
        "path": sent["file"],
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": [await world.pseudonym("kim")],
        "purpose": "air defence of the Republic of Korea",
    }
    status, given = await sato.ask("give", asked)
    assert (status, given["outcome"]) == (200, "needs-consent")
    status, told = await ito.ask("give.preview", asked)
    assert told["code"] == "unknown-file"  # another token's
    await world.exchange()
    page = await ito.send("evidence.export", json.dumps({"item": (await world.given()).item}).encode())
    assert page.status == 200, page.text
    named = page.headers["comity-file"]
    assert json.loads(page.body)["path"] == named
    evidence = await ito.send(f"files/{named.removeprefix('file:')}", b"", "GET")
    assert (evidence.status, len(evidence.body) > 1000) == (200, True)
    assert (await ito.send(f"files/{named.removeprefix('file:')}", b"", "GET")).status == 404


@pytest.mark.parametrize(
    "asked", [{}, {"item": 5, "purpose": "x"}, {"item": "i-aaaaaaaaaaaaaaaa", "purpose": "x"}, {"signatures": [""]}]
)
async def test_what_is_refused_keeps_no_room(at: Browser, asked: dict[str, object]) -> None:
    """(9) No file was written."""
    sato = await program(at, "sato", "open")
    for _ in range(FILES_OF_ONE_MAX + 1):
        status, told = await sato.ask("open", asked)
    assert (status, told["code"]) != (503, "spool-full")
    assert status in (400, 404)


async def test_a_file_is_thrown_away_by_the_verb_that_takes_it(world: World, at: Browser) -> None:
    """(9) So that a program may give more than lies here at once."""
    sato = await program(at, "sato", "give", "give.preview")
    asked = {
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": [await world.pseudonym("kim")],
        "purpose": "air defence of the Republic of Korea",
    }
    path = await sato.put(b"what it says")
    for verb, changes, outcome in (
        ("give.preview", {}, "needs-consent"),
        ("give", {"purpose": "a museum", "relationship": "no/no"}, None),
        ("give", {}, "needs-consent"),
    ):
        _, told = await sato.ask(verb, {**asked, "path": path, **changes})
        assert told.get("outcome") == outcome
    _, told = await sato.ask("give", {**asked, "path": path})
    assert told["code"] == "unknown-file"
    path = await sato.put(b"about the tanks")
    _, told = await sato.ask("give", {**asked, "path": path, "subject": "agriculture"})
    assert told["outcome"] == "no-basis"
    for _ in range(FILES_OF_ONE_MAX - 1):
        await sato.put(b"another")
    page = await sato.send("files", b"one too many", content_type="application/octet-stream")
    assert json.loads(page.body)["code"] == "spool-full"  # what was refused lies here still, to be asked otherwise
    _, told = await sato.ask("give", {**asked, "path": path})
    assert told["outcome"] == "needs-consent"
    await sato.put(b"not one too many any more")


@pytest.mark.parametrize("content", [None, b"what the radar saw"])
async def test_a_verb_that_may_read_a_file_is_asked_with_and_without(
    world: World, at: Browser, content: bytes | None
) -> None:
    await world.person("jp", "mori", roles=("agreement-authority", "officer"))
    mori, sato = await program(at, "mori", "act"), await program(at, "sato", "show.ask")
    asked = {
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": [await world.pseudonym("kim")],
        "manner": "oral",
        "purpose": "air defence",
        "title": "what the radar saw",
    }
    status, told = await sato.ask("show.ask", {**asked, "path": await sato.put(content) if content else None})
    assert (status, told.get("outcome")) == (200, "needs-consent")
    _, made = await mori.ask(
        "deposit.make",
        {"path": await mori.put(content or b"kept here"), "relationship": RELATIONSHIP, "about": "what the radar did"},
    )
    await world.exchange()
    path = {"path": await mori.put(content)} if content else {}
    status, told = await mori.ask("deposit.reveal", {"deposit": made["deposit"], **path})
    assert (status, told["text"]) == (200, (content or b"kept here").decode())


async def test_a_file_that_is_too_large_is_refused(world: World) -> None:
    small = await program(await browser(world.jp, upload_bytes=10), "sato")
    page = await small.send("files", b"x" * 11, content_type="application/octet-stream")
    assert (page.status, json.loads(page.body)["code"]) == (413, "too-large")


@pytest.mark.parametrize("path", ["/etc/passwd", "file:../../node.toml", "file:" + "0" * 31, "file:" + "g" * 32])
async def test_a_file_is_named_as_it_was_sent_never_by_a_path_of_the_node(at: Browser, path: str) -> None:
    asked = {
        "path": path,
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": ["n-aaaaaaaaaaaaaaaa"],
        "purpose": "air defence",
    }
    status, told = await (await program(at, "sato", "give")).ask("give", asked)
    assert (status, told["code"], told["place"]) == (400, "malformed", "path")


async def test_the_same_key_does_it_once(world: World, at: Browser) -> None:
    ito = await program(at, "ito")
    first = await ito.ask("list.change", _listed("sato", "radar"), idempotency_key="a1")
    again = await ito.ask("list.change", _listed("sato", "radar"), idempotency_key="a1")
    assert first == again
    assert first[0] == 200
    size = len(await journal(world))
    await ito.ask("list.change", _listed("sato", "radar"), idempotency_key="a1")
    assert len(await journal(world)) == size
    status, told = await ito.ask("list.change", _listed("abe", "radar"), idempotency_key="a1")
    assert (status, told["code"]) == (409, "idempotency-key-used")
    status, _ = await (await program(at, "ito")).ask("list.change", _listed("sato", "radar"), idempotency_key="a1")
    assert status == 200  # the key is the person's, not the token's


async def test_two_at_once_with_one_key_do_it_once(world: World, at: Browser) -> None:
    ito = await program(at, "ito")
    size = len(await journal(world))
    told = await asyncio.gather(
        *(ito.ask("list.change", _listed("sato", "radar"), idempotency_key="b") for _ in range(4))
    )
    assert sorted(status for status, _ in told) == [200, 409, 409, 409]
    assert len(await journal(world)) == size + 1


async def test_a_key_is_free_again_where_nothing_was_done(at: Browser) -> None:
    ito = await program(at, "ito")
    status, _ = await ito.ask("list.change", _listed("nobody", "radar"), idempotency_key="c")
    assert status == 400
    status, _ = await ito.ask("list.change", _listed("sato", "radar"), idempotency_key="c")
    assert status == 200


@pytest.mark.parametrize("key", ["", "a" * 256, "two words", "\u00e9"])
async def test_a_key_that_is_none_is_refused(at: Browser, key: str) -> None:
    status, told = await (await program(at, "ito")).ask("list.change", _listed("sato", "radar"), idempotency_key=key)
    assert (status, told["code"]) == (400, "malformed-key")


async def test_what_happened_is_read_on_from_the_last_number(world: World, at: Browser) -> None:
    await world.given()
    ito = await program(at, "ito")
    seen, after = [], 0
    while True:
        status, told = await ito.ask("events.list", {"after": after, "limit": 7})
        assert status == 200
        if not told["lines"]:
            break
        seen += told["lines"]
        after = told["next"]
    assert [line["sequence"] for line in seen] == list(range(1, len(await journal(world)) + 1))
    assert {"acknowledgement/1", "consignment/1"} <= {line["kind"] for line in seen}
    assert told["next"] == after


async def test_what_happened_is_not_for_every_reader(at: Browser) -> None:
    _status, told = await (await program(at, "sato")).ask("events.list")
    assert told["code"] == "no-role"


@pytest.mark.parametrize("cursor", [{"after": -1}, {"limit": 0}, {"limit": 501}])
async def test_a_cursor_that_is_none_is_refused(at: Browser, cursor: dict[str, int]) -> None:
    _status, told = await (await program(at, "ito")).ask("events.list", cursor)
    assert told["code"] == "bad-cursor"


async def test_too_many_requests_wait(world: World, at: Browser) -> None:
    ito = await program(at, "ito")
    told = [await ito.send("card.show", b"{}") for _ in range(300)]
    late = next(page for page in told if page.status == 429)
    assert late.headers["retry-after"] == "1"
    assert told[0].status == 200


async def test_a_verb_that_reads_records_nothing(world: World, at: Browser) -> None:
    await world.given()
    item = next(iter([row.item async for _, row in world.jp.rows(ItemRow)]))
    lee = await program(at, "ito", "read")
    size = len(await journal(world))
    asked: dict[str, dict[str, object]] = {"item": {"item": item}, "why": {"of": item}, "given": {}}
    answered = set()
    for verb in sorted(READING & verbs(at.desk.flows).keys()):
        status, _ = await lee.ask(verb, asked.get(verb, {}))
        answered |= {verb} if status == 200 else set()
    assert len(answered) > 25
    assert len(await journal(world)) == size


def test_the_verbs_that_read_are_verbs() -> None:
    assert FLOWS.keys() >= READING - FROM_ELSEWHERE


def _listed(handle: str, topic: str) -> dict[str, object]:
    return {"handle": handle, "topic": topic, "listed": True}


async def journal(world: World) -> list[Any]:
    return await world.jp.store.journal(0, 10_000)
