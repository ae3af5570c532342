"""Give and Open by keyboard alone, and without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.stage import Stage, shoot
from comity.cli.demonstration.scenes import MARK, PURPOSE, TOPIC

TABS_MAX = 120


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as somebody without a mouse does; it can be seen that it has it."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {selector} has the focus"
            return
    raise AssertionError(f"no key leads to {selector}")


def test_give_by_keyboard_alone(stage: Stage) -> None:
    page = stage.at("sato")
    tab_to(page, "a.skip")
    tab_to(page, "nav a[href='/give']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/give**")
    tab_to(page, "#mark")
    while page.locator("#mark").input_value() != MARK:
        page.keyboard.press("ArrowDown")
    expect(page.locator("#mark")).to_have_value(MARK)
    tab_to(page, "#topic")
    page.keyboard.type(TOPIC)
    tab_to(page, "#purpose")
    page.keyboard.type(PURPOSE)
    tab_to(page, f"[name=recipients][value='{stage.play.kr.people['kim']}']")
    page.keyboard.press("Space")
    tab_to(page, "#title")
    page.keyboard.type("By keyboard alone")
    tab_to(page, "#file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(stage.play.file)
    expect(page.locator("#file-part input[name=spool]")).to_have_count(1)
    tab_to(page, "#giving button")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    tab_to(page, "button[formaction='/give/ask']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/releases/r-[a-z2-7]{16}"))
    expect(page.locator("main")).to_contain_text("By keyboard alone")


def test_open_by_keyboard_alone(stage: Stage) -> None:
    page = stage.at("kim")
    tab_to(page, "nav a[href='/register']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/register")
    tab_to(page, "main table a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/**")
    tab_to(page, "a[href$='/open']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/open")
    tab_to(page, "#purpose")
    page.keyboard.press("Control+A")
    page.keyboard.type(PURPOSE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/opened/**")
    expect(page.locator("main")).to_contain_text("Radar at ")


def test_give_and_open_without_scripts(stage: Stage, tmp_path: Path) -> None:
    page = stage.at("sato", "ko", scripts=False)
    page.goto("/give")
    page.locator("#mark").select_option(MARK)
    page.locator("#topic").fill(TOPIC)
    page.locator("#purpose").fill(PURPOSE)
    page.locator(f"[name=recipients][value='{stage.play.kr.people['kim']}']").check()
    document = tmp_path / "without.txt"
    document.write_text("Without scripts.", encoding="utf-8")
    page.locator("#file").set_input_files(document)
    page.locator("#giving button").first.click()
    expect(page.locator(".decision").first).to_be_visible()
    page.locator("button[formaction='/give/ask']").click()
    expect(page).to_have_url(re.compile(r"/releases/r-[a-z2-7]{16}"))
    shoot(page, "without-scripts-asked")
    page = stage.at("kim", "ja", scripts=False)
    page.goto("/register")
    page.locator("main table a").last.click()
    page.locator("a[href$='/open']").click()
    page.locator("#purpose").fill(PURPOSE)
    page.locator("main form.form button").last.click()
    expect(page.locator("main")).to_contain_text("Radar at Kyogamisaki")


@pytest.mark.parametrize(
    "path", ["/", "/register", "/agreements", "/ledger", "/visits", "/duties", "/feeds", "/people"]
)
def test_every_page_is_all_there_without_scripts(stage: Stage, path: str) -> None:
    with_scripts = stage.at("ito")
    without = stage.at("ito", scripts=False)
    for page in (with_scripts, without):
        page.goto(path)
    assert without.locator("main").inner_text() == with_scripts.locator("main").inner_text()
