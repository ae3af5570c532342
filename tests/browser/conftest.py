"""Two real nodes with people, and a real browser for each of them.

The houses are those of ``comity demo --console``. Screenshots of every page that a test looks at are kept in
``build/screens``, by language, so that somebody can look at them afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from comity.cli.demonstration.browsing import BrowsingPlay, SignIn

HERE = Path(__file__).parent
AXE = HERE / "node_modules/axe-core/axe.min.js"
SCREENS = HERE.parents[1] / "build/screens"
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MILLISECONDS = 20_000
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""The browser talks to nobody but the nodes."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LANGUAGES = ("en", "ja", "ko")
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These share two nodes: one worker runs them all."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


def needed(what: str) -> None:
    """No browser test is skipped in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here", pytrace=False)
    pytest.skip(f"{what} is not here: the Debian package chromium, and 'make interop' for axe-core")


class Stage:
    """Both houses, and whoever is at them."""

    def __init__(self, play: BrowsingPlay, chromium: Browser) -> None:
        self.play = play
        self._chromium = chromium
        self._signed: dict[tuple[str, str, bool], BrowserContext] = {}

    def sign_in(self, handle: str) -> SignIn:
        return next(each for each in self.play.sign_ins if each.role.handle == handle)

    def at(self, handle: str, language: str = "en", *, scripts: bool = True, width: int = 1280) -> Page:
        """A page of somebody who has signed in with his password, as he would."""
        known = self.sign_in(handle)
        key = (handle, language, scripts)
        context = self._signed.get(key)
        if context is None:
            context = self._signed[key] = self._chromium.new_context(
                base_url=known.address, locale=language, java_script_enabled=scripts, accept_downloads=True
            )
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            page = context.new_page()
            page.goto("/sign-in")
            page.locator("#handle").fill(handle)
            page.locator("#password").fill(known.password)
            page.locator("main form button:not([hidden])").first.click()
            expect(page).not_to_have_url("**/sign-in")
            page.close()
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/")
        button = page.locator(f".languages button[value={language}]")
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        return page


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if not Path(CHROMIUM).exists():
        needed("Chromium")
    if not AXE.exists():
        needed("axe-core")
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ALONE))
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def stage(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    shutil.rmtree(SCREENS, ignore_errors=True)
    SCREENS.mkdir(parents=True)
    folder = tmp_path_factory.mktemp("houses")
    document = folder / "report.txt"
    document.write_text("Radar at Kyogamisaki: azimuth 310, elevation 4, every 90 seconds.\n", encoding="utf-8")
    play = BrowsingPlay(document, folder)
    play.set_up()
    with play.jp.node.running(folder / "jp.log"), play.kr.node.running(folder / "kr.log"):
        play.prepare()
        yield Stage(play, chromium)


def shoot(page: Page, name: str) -> None:
    """Keep what the page looks like."""
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it stands."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{page.url}: {each['id']}: {each['help']}: {node['html'][:160]}"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]
