"""Whatever another side calls its people, things and reasons stays text on every page, in every language.

Both houses are hostile: every string that crosses, and every one that somebody types, closes what it stands in, opens
elements, asks for templates to be run and turns the direction of what follows it.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from articles.visiting import radar_hall
from comity.errors import ComityError
from comity.flows.agreeing.founding import IssueCard, add_peer, issue_card
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.people.clearances import ChangeList, change_list
from console.browser import Browser, browser, outside_addresses
from console.test_every_page import DOWNLOADS, VOID
from console.test_feed import looked, reader, release_of
from console.test_incidents import report
from console.test_requests import ask as ask_consent
from console.test_visits import ask as ask_visit
from feeds import FeedWorld, track
from world import ROOT, World, library, peer_of

TURNED = "\u0627\u0628\u062c"
"""Letters that are written from right to left; what merely turns the direction no record takes (below)."""
SCHEME = re.compile(r"\s*(?:javascript|data|vbscript):", re.IGNORECASE)
OVERRIDES = ("\u202e", "\u2066")
"""What a message of a feed may hold."""
PAGES_MAX = 100
ALONE = frozenset({"bdi", "code", "textarea", "option", "title", "pre", "th", "td", "dt", "dd", "text", "h1"})
"""Elements at whose end a direction ends, and in which a name stands alone or is named by the page."""


def hostile(what: str, turned: str = TURNED) -> str:
    """A name that says what it is of, and does what it can."""
    return f"xss{what} \"'><xss onxss=1>&lt;xss>{{{{6007*2}}}}{{% xss %}}%(a)s%s</bdi></p>{turned}-->]]>"


class Looked(HTMLParser):
    """What of a page somebody else has made: elements, attributes; what he turned, and in what."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.within: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "xss" in tag or any("xss" in name for name, _ in attrs):
            self.wrong.append(f"<{tag} {dict(attrs)}>")
        for name, value in attrs:
            if name in ("href", "src", "action") and SCHEME.match(value or ""):
                self.wrong.append(f"{name}={value}")
        if tag not in VOID:
            self.within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.within and self.within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(each in data for each in (TURNED, *OVERRIDES)) and not ALONE & set(self.within):
            self.wrong.append(f"{'/'.join(self.within[-3:])} turns what follows: {data.strip()[:100]!r}")


def made_by_others(html: str) -> Iterator[str]:
    yield from Looked(html).wrong
    yield from outside_addresses(html)
    if "12014" in html:
        yield "a template was run"


async def look_everywhere(
    at: Browser, seen: set[str], first: tuple[str, ...] = ("/", "/visits?month=2027-01")
) -> list[str]:
    """Every page that is linked; what is wrong on it, and which strings of others stood on it."""
    waiting, known, wrong = deque(first), set(first), []
    for _ in range(PAGES_MAX):
        if not waiting:
            break
        page = await at.get(waiting.popleft())
        if page.status != 200 or not page.headers["content-type"].startswith("text/html"):
            wrong += [f"{page.path}: {page.status}"] * (page.status >= 500)
            continue
        wrong += [f"{page.path}: {each}" for each in made_by_others(page.html)]
        seen.update(re.findall("xss([a-z-]+) &", page.html))
        for link in page.read.links:
            target = urlsplit(urljoin(page.path, link))
            where = target.path + (f"?{target.query}" if target.query else "")
            if where not in known and not any(word in where for word in (*DOWNLOADS, "month=")):
                known.add(where)
                waiting.append(where)
    return wrong


class Hostile(World):
    """A world in which nobody has an honest name."""

    async def person(self, party: str, handle: str, **changes: object) -> None:
        named = {"function": hostile("function"), "body": hostile("body")}
        await super().person(party, handle, **{**named, **changes})


async def meet(first: object, second: object) -> None:
    """Exchange cards with hostile names on them."""
    cards = [
        await issue_card(house, IssueCard(name=hostile("card"), certificate=bytes([number]) * 32))
        for number, house in enumerate((first, second))
    ]
    for house, card in ((first, cards[1]), (second, cards[0])):
        await add_peer(house, peer_of(card))


def said(text: str) -> str:
    """An agreement whose own words are hostile, in every language."""
    text = re.sub(r'^says = "', lambda _: f"says = {json.dumps(hostile('says', ''))[:-1]} ", text, flags=re.MULTILINE)
    for name in ("en", "ja", "ko"):
        text = re.sub(rf'\b{name} = "', lambda _, name=name: f"{name} = {json.dumps(hostile('text', ''))[:-1]} ", text)
    return text


async def happen(world: World) -> None:
    """Something of everything crosses, from both sides, typed into their own pages where there is one."""
    await change_list(world.kr, ChangeList(topic=hostile("topic"), handle="kim", listed=True, actor=ROOT))
    await world.exchange()
    file = world.document(name="<xss onxss=1> xssfile &.txt")
    given = await world.given(path=file, purpose=hostile("purpose"), title=hostile("title"), topic=hostile("topic"))
    await world.ask(title=hostile("waiting"), purpose=hostile("purpose"))
    await radar_hall(world)
    await world.exchange()
    lee, kim = await browser(world.kr, "lee"), await browser(world.kr, "kim")
    ito, abe = await browser(world.jp, "ito"), await browser(world.jp, "abe")

    await ask_visit(lee, world, scope=hostile("scope"), purpose=hostile("visit"))
    visit = lee.page.path.rpartition("/")[2]
    await ask_visit(lee, world, scope=hostile("scope"), purpose=hostile("visit"))
    refused = lee.page.path.rpartition("/")[2]
    await world.exchange()
    await ito.get(f"/visits/{visit}/permit")
    await ito.submit("/permit", told=hostile("told"))
    assert "Permitted" in ito.page.text, ito.page.text
    await ito.get(f"/visits/{refused}/refuse")
    await ito.submit("/refuse", reason=hostile("no-visit"))

    await report(kim, given.item, circumstances=hostile("incident"), copies="1")
    assert kim.page.status == 200, kim.page.text
    incident = kim.page.path.rpartition("/")[2]
    await lee.get(f"/incidents/{incident}/investigate")
    await lee.submit("/investigate", note=hostile("note"))
    await lee.get(f"/incidents/{incident}/result")
    await lee.submit("/result", result=hostile("result"), measures=hostile("measures"))

    await ask_consent(lee, given.item, purpose=hostile("use"), reason=hostile("consent"))
    assert lee.page.status == 200, lee.page.text
    await world.exchange()
    (line,) = (await list_consents(world.jp, ListConsents())).asked
    await abe.get(f"/requests/{line.request}/grant")
    await abe.submit("/grant", conditions=hostile("conditions"), until="2026-12-31", reason=hostile("agreed"))
    assert "Granted" in abe.page.text, abe.page.text
    await world.exchange()


WANTED = frozenset(
    (
        "agreed",
        "body",
        "conditions",
        "consent",
        "function",
        "incident",
        "measures",
        "note",
        "purpose",
        "result",
        "says",
        "scope",
        "text",
        "title",
        "told",
        "topic",
        "use",
        "visit",
        "waiting",
    )
)
"""What has to have stood on some page: else nothing is shown by this."""
WHO = (
    ("jp", "sato", "en"),
    ("jp", "abe", "ja"),
    ("jp", "ito", "ko"),
    ("jp", "mori", "en"),
    ("kr", "kim", "ja"),
    ("kr", "lee", "en"),
)


async def test_what_another_side_calls_things_is_text_on_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("world.introduce", meet)
    world = await Hostile.make(tmp_path, text=said(library("jp-kr-2016.toml")))
    await world.person("jp", "mori", roles=("auditor",))
    await happen(world)
    seen: set[str] = set()
    wrong: list[str] = []
    for party, handle, language in WHO:
        at = await browser(world.house(party), handle, language)
        wrong += [f"{handle}, {language}: {each}" for each in await look_everywhere(at, seen)]
    await world.close()
    assert not wrong, "\n".join(wrong)
    assert seen >= WANTED, WANTED - seen


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
async def test_what_a_feed_brings_is_text_while_it_comes(tmp_path: Path, language: str) -> None:
    """A message is what its source says: it may hold what no record does."""
    feeds = await FeedWorld.make(tmp_path)
    at = await reader(feeds, "kim", language)
    path = await release_of(feeds, at)
    wrong: list[str] = []
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        await feeds.publish(track(1, track=hostile("message", "\u202e"), sensor=hostile("sensor", "\u2066")))
        page = await looked(at, f"{path}/live", "xssmessage")
        part = await at.get(f"{path}/live", hx_request="true")
        for each in (page, part, await at.get(path)):
            wrong += made_by_others(each.html)
        await at.get(f"{path}/live")
        await at.submit("/stop")
    await feeds.close()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("turned", ["\u202e", "\u2067", "\u200f", "\u200b", "\x1b", "\x00"])
async def test_what_nobody_sees_is_in_no_record(world: World, turned: str) -> None:
    """What turns directions without a letter, or is not there to the eye, comes over no line."""
    with pytest.raises(ComityError, match="people cannot see"):
        await world.person("kr", "evil", function=f"desk {turned}officer")
    with pytest.raises(ComityError, match="people cannot see"):
        await world.given(purpose=f"air {turned}defence")
