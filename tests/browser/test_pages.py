"""Every page can be used by everybody: axe-core finds nothing, at any width, in every language, in light and dark."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from browser.stage import LANGUAGES, Stage, shoot, violations

PAGES_MAX = 60
SUBJECT = re.compile(r"\b[a-z]+-[a-z2-7]{16}\b|\b[0-9a-f]{8,64}\b|(?<=/)[0-9]+\b|jp-kr-2016(?:/jp\.kr)?")
"""What differs between pages of one sort: ids, numbers, relationships."""
NO_PAGES = ("/content", "/file", "/access.", "/download", "/label")


def everywhere(page: Page) -> Iterator[str]:
    """One page of each sort that can be reached by links, from where somebody begins; one looks at it as it comes."""
    seen, waiting = {"/"}, deque(["/"])
    while waiting and len(seen) <= PAGES_MAX:
        path = waiting.popleft()
        page.goto(path)
        yield path
        for link in page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)"):
            parts = urlsplit(link)
            sort = SUBJECT.sub("…", parts.path)
            if parts.netloc == urlsplit(page.url).netloc and sort not in seen and not any(p in sort for p in NO_PAGES):
                seen.add(sort)
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))


@pytest.mark.parametrize(("handle", "language"), [("ito", "en"), ("lee", "ko"), ("sato", "ja"), ("ueda", "en")])
def test_every_page_can_be_used_by_everybody(stage: Stage, handle: str, language: str) -> None:
    asked: list[str] = []
    page = stage.at(handle, language)
    page.on("request", lambda request: asked.append(request.url))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    found: list[str] = []
    for path in everywhere(page):
        found += violations(page)
        shoot(page, f"{language}-{handle}{path.replace('/', '_').partition('?')[0]}")
    assert not found, "\n".join(found)
    house = urlsplit(page.url).netloc
    assert [url for url in asked if urlsplit(url).netloc not in (house, "")] == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_holds_in_both_schemes(stage: Stage, scheme: str) -> None:
    page = stage.at("ito")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
    found: list[str] = []
    for path in ("/", "/register", "/duties", "/agreements", "/ledger", "/people"):
        page.goto(path)
        found += violations(page)
        shoot(page, f"{scheme}{path.replace('/', '_')}")
    page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/", "/register", "/give", "/duties", "/agreements", "/visits", "/people", "/ledger"])
def test_a_narrow_screen_scrolls_in_one_direction_only(stage: Stage, path: str) -> None:
    width = 320  # which is also what 1,280 pixels are at a zoom of 400 %
    page = stage.at("ito", width=width)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shoot(page, f"{width}{path.replace('/', '_')}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sign_in_page_can_be_used_by_everybody(stage: Stage, language: str) -> None:
    context = stage._chromium.new_context(base_url=stage.sign_in("kim").address, locale=language)
    page = context.new_page()
    for path in ("/sign-in", "/sign-in/code", "/custody", "/glossary"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert violations(page) == []
        shoot(page, f"{language}-nobody{path.replace('/', '_')}")
    context.close()


def test_the_first_page_weighs_little(stage: Stage) -> None:
    """Everything that a browser fetches which was never here before, as it comes over the wire."""
    known = stage.sign_in("ito")
    context = stage._chromium.new_context(base_url=known.address)
    page = context.new_page()
    weights: list[int] = []
    page.on("response", lambda response: weights.append(len(response.body())))
    page.goto("/sign-in", wait_until="networkidle")
    signing_in = sum(weights)
    page.locator("#handle").fill("ito")
    page.locator("#password").fill(known.password)
    page.locator('form[action="/sign-in"] button').click()
    page.wait_for_load_state("networkidle")
    context.close()
    assert 10_000 < signing_in < 100_000
    assert sum(weights) < 150_000  # with the page of the day
