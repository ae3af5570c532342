"""People at two real nodes, each with a real browser, and what one looks at there."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from comity.cli.demonstration.browsing import BrowsingPlay, SignIn

HERE = Path(__file__).parent
AXE = HERE / "node_modules/axe-core/axe.min.js"
SCREENS = HERE.parents[1] / "build/screens"
PATIENCE_MILLISECONDS = 60_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LANGUAGES = ("en", "ja", "ko")
expect.set_options(timeout=PATIENCE_MILLISECONDS)


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
            page.locator('form[action="/sign-in"] button').click()
            expect(page.locator("nav a").first).to_be_visible()
            page.close()
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/")
        button = page.locator(f".languages button[value={language}]")
        if button.get_attribute("aria-pressed") != "true":
            button.click()
        return page


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
