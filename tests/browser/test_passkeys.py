"""A passkey in a real browser: made, used to sign in and to show again who one is, by the script of the page alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from browser.stage import Stage, shoot


def with_authenticator(page: Page) -> None:
    """A key of the machine that asks for a finger, which is always the right one."""
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    line.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_somebody_signs_in_with_a_finger(stage: Stage) -> None:
    page = stage.at("yoon")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    with_authenticator(page)
    page.goto("/account")
    form = page.locator("form[data-passkey=make]")
    form.locator("#name").fill("this laptop")
    form.locator("button").click()
    expect(page.get_by_role("heading", name="this laptop")).to_be_visible()
    shoot(page, "en-account-with-a-passkey")

    page.locator("form[action='/sign-out'] button").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    shoot(page, "en-sign-in")
    page.locator("form[data-passkey=sign] button").click()
    expect(page.locator("nav a").first).to_be_visible()
    page.goto("/account")
    expect(page.locator("table")).to_contain_text("with a passkey")

    page.goto("/prove?next=/tokens")
    shoot(page, "en-prove")
    page.locator("form[data-passkey=sign] button").click()
    expect(page).to_have_url(re.compile("/tokens$"))
    assert [each for each in said if not each.startswith("Clear-Site-Data")] == []  # which it tells when one signs out


def test_a_browser_that_makes_no_passkey_says_so_and_the_page_goes_on(stage: Stage) -> None:
    page = stage.at("seo")
    line = page.context.new_cdp_session(page)
    line.send("WebAuthn.enable")  # and no authenticator: the browser refuses
    page.goto("/account")
    form = page.locator("form[data-passkey=make]")
    form.locator("#name").fill("nothing")
    page.evaluate("() => { navigator.credentials.create = () => Promise.reject(new Error('no')); }")
    form.locator("button").click()
    expect(page.locator("[data-passkey-failed]")).to_be_visible()
    expect(page.locator("#password")).to_be_visible()
    for path in ("/accounts", "/access", "/tokens"):
        page.goto(path)
        shoot(page, f"en{path.replace('/', '-')}")
