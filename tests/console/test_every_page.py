"""Every page that anybody can reach by links: it is there, says what it is for, and leads nowhere else.

People of every role walk through a house in which something of everything has happened.
"""

from __future__ import annotations

import re
from collections import deque
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from console.browser import Page, browser, outside_addresses
from world import World

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
PAGES_MAX = 150
POLICY = "content-security-policy"
DOWNLOADS = ("/content", "/evidence", "/download")


class Shape(HTMLParser):
    """Whether elements are closed in order, and ids stand once; headings and labels as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "label" and "for" in given:
            self.labelled.add(given["for"])
        if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "submit", "button"):
            self.fields.append({**given, "inside": "yes" if "label" in self.open else ""})
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            self.references += given.get(name, "").split()
        if "style" in given or any(name.startswith("on") for name in given):
            self.wrong.append(f"<{tag}> has a style or a script in it")
        if tag == "script" and not given.get("src"):
            self.wrong.append("a script in the page")
        if (tag not in VOID and not (self.open and "svg" in self.open and tag not in ("a", "bdi"))) or tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> where <{self.open[-1] if self.open else ''}> is open")
            while self.open and self.open[-1] != tag:
                self.open.pop()
        if self.open:
            self.open.pop()


def mistakes_of(page: Page) -> list[str]:
    """What is wrong with a page, in sentences."""
    shape = Shape()
    shape.feed(page.html)
    wrong = list(shape.wrong)
    if shape.headings.count(1) != 1:
        wrong.append(f"{shape.headings.count(1)} headings of the first rank")
    steps = zip(shape.headings, shape.headings[1:], strict=False)
    wrong += [f"a heading h{second} after h{first}" for first, second in steps if second > first + 1]
    wrong += [f"id {each!r} stands twice" for each in set(shape.ids) if shape.ids.count(each) > 1]
    wrong += [f"nothing has the id {each!r}" for each in shape.references if each not in shape.ids]
    for field in shape.fields:
        named = field.get("id") in shape.labelled or field["inside"] or field.get("aria-label")
        if not named and not field.get("aria-labelledby"):
            wrong.append(f"the field {field.get('name')!r} has no label")
    if 'class="lead"></p>' in page.html:
        wrong.append("it does not say what it is for")
    wrong += [f"it leads to {address}" for address in outside_addresses(page.html)]
    if re.search(
        r"\{\{|\{%|%\(\w+\)s|\bNone\b", re.sub(r"<(?:bdi|code|textarea)[^>]*>.*?</", "", page.html, flags=re.DOTALL)
    ):
        wrong.append("something of a template stands on it")
    return wrong


async def busy(world: World) -> None:
    """Something of everything happens."""
    await world.given(title="Radar sites of the north")
    await world.ask(title="A second report")
    await world.exchange()


@pytest.mark.parametrize(
    ("party", "handle"),
    [
        ("jp", "sato"),
        ("jp", "abe"),
        ("jp", "ito"),
        ("jp", "mori"),
        ("jp", "keeper"),
        ("kr", "kim"),
        ("kr", "lee"),
        ("kr", "park"),
    ],
)
async def test_every_page_that_is_linked_is_there_and_well_formed(world: World, party: str, handle: str) -> None:
    await world.person("jp", "keeper", roles=("administrator",))
    await world.person("jp", "mori", roles=("auditor",))
    await busy(world)
    at = await browser(getattr(world, party), handle)
    seen: dict[str, str] = {"/": ""}
    waiting = deque(["/"])
    wrong: list[str] = []
    looked = 0
    while waiting and looked < PAGES_MAX:
        path = waiting.popleft()
        page = await at.get(path)
        looked += 1
        if page.status != 200:
            wrong.append(
                f"{path} (from {seen[path]}): {page.status} {page.text[page.text.find('This was not done') :][:160]}"
            )
            continue
        if not page.headers["content-type"].startswith("text/html"):
            continue
        wrong += [f"{path}: {each}" for each in mistakes_of(page)]
        if page.headers["cache-control"] != "no-store" or "default-src 'none'" not in page.headers[POLICY]:
            wrong.append(f"{path}: a browser may keep it, or fetch from elsewhere for it")
        for link in page.read.links:
            target = urlsplit(urljoin(page.path, link))
            where = target.path + (f"?{target.query}" if target.query else "")
            if where not in seen and where.startswith("/") and not any(word in where for word in DOWNLOADS):
                seen[where] = path
                waiting.append(where)
    assert not wrong, "\n".join(wrong)
