"""A working day at two real nodes, in a real browser: Tokyo in Japanese, Seoul in Korean, auditors in English.

Given, assured, approved by a second person, received, opened, refused, a consent asked for and answered, a loss, a
recall, a count of the copies, the agreement on another day, and evidence for a stranger. Each step stands on the last.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.stage import Stage, shoot
from comity.cli.demonstration.scenes import MARK, PURPOSE, TOPIC
from comity.evidence.verify import verify
from comity.timezones import time_zones

CONTENT = "Radar at Wajima: azimuth 270, elevation 3, every 60 seconds."
ITEM = re.compile(r"/items/(i-[a-z2-7]{16})")


class Day:
    """What one step leaves for the next."""

    request: str
    item: str


@pytest.fixture(scope="module")
def day() -> Day:
    return Day()


def send(page: Page, **fields: str) -> None:
    """Fill in the one form of the page and send it; twice, where it asks to look twice."""
    for name, value in fields.items():
        fill(page, name, value)
    form(page).locator("button:not(.quiet)").last.click()
    sure = page.locator("button[name=sure]")
    if sure.count():
        sure.click()


def form(page: Page) -> Locator:
    return page.locator("main form.form").last


def fill(page: Page, name: str, value: str) -> None:
    field = page.locator(f'main [name="{name}"]')
    kind = field.first.evaluate("each => each.type || each.tagName")
    if kind in ("checkbox", "radio"):
        page.locator(f'main [name="{name}"][value="{value}"]').check()
    elif kind == "select-one":
        field.select_option(value)
    else:
        field.fill(value)


def told(page: Page) -> Locator:
    """What the page says was done."""
    expect(page.locator(".mistakes")).to_have_count(0)
    return page.locator(".told").first


def until_there(page: Page, path: str, what: str) -> None:
    """Open a page again until something is there: it comes from another node."""
    for _ in range(100):
        page.goto(path)
        if page.locator(what).count():
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{what} does not come to {path}")


def test_sato_gives_a_file(stage: Stage, day: Day, tmp_path: Path) -> None:
    page = stage.at("sato", "ja")
    page.goto("/give")
    if page.locator("#giving").count() == 0:
        page.locator("main a[href^='/give?to=']").first.click()
    page.locator("#mark").select_option(MARK)
    fill(page, "topic", TOPIC)
    fill(page, "purpose", PURPOSE)
    fill(page, "recipients", stage.play.kr.people["kim"])
    fill(page, "title", "能登のレーダー")
    live = page.locator("#live .decision")
    expect(live).to_be_visible()  # as one types
    expect(page.locator("#said")).not_to_be_empty()  # and a line of it is said aloud
    document = tmp_path / "wajima.txt"
    document.write_text(CONTENT, encoding="utf-8")
    page.locator("#file").set_input_files(document)
    expect(page.locator("#file-part input[name=spool]")).to_have_count(1)
    expect(page.locator("#live")).to_contain_text("군사 Ⅱ급 비밀")  # as it will be marked there
    expect(page.locator("#live .note")).to_have_count(0)  # nothing is missing any more
    shoot(page, "day-01-give")
    page.locator("#giving button").nth(0).click()  # look: decided, and recorded
    expect(page.locator(".decision").first).to_be_visible()
    page.locator("button[formaction='/give/ask']").click()
    expect(page).to_have_url(re.compile(r"/releases/r-[a-z2-7]{16}"))
    day.request = page.url.rpartition("/")[2]
    shoot(page, "day-02-asked")


def test_nobody_approves_his_own(stage: Stage, day: Day) -> None:
    page = stage.at("sato", "ja")
    page.goto(f"/releases/{day.request}")
    assert page.locator(f"a[href='/releases/{day.request}/answer']").count() == 0


def test_lee_assures(stage: Stage, day: Day) -> None:
    page = stage.at("lee", "ko")
    address = f"/assurances/jp-kr-2016/jp.kr/{day.request}"
    until_there(page, "/", f"a[href='{address}']")
    shoot(page, "day-03-seoul-today")
    page.goto(address)
    expect(page.locator("main")).to_contain_text(PURPOSE)
    page.locator("#answer").select_option(index=1)
    shoot(page, "day-04-assure")
    form(page).locator("button").last.click()
    expect(told(page)).to_be_visible()


def test_abe_approves(stage: Stage, day: Day) -> None:
    page = stage.at("abe", "ja")
    page.goto(f"/releases/{day.request}/answer")
    expect(page.locator("main")).to_contain_text("能登のレーダー")
    page.locator("#answer").select_option(index=0 if page.locator("#answer option").count() == 2 else 1)
    fill(page, "reason", "共同の防空に資する。")
    shoot(page, "day-05-approve")
    form(page).locator("button").last.click()
    expect(told(page)).to_be_visible()
    until_there(page, f"/releases/{day.request}", "#progress:not([data-hx-get])")  # received
    shoot(page, "day-06-sent")
    found = ITEM.search(page.content())
    assert found is not None
    day.item = found[1]


def test_kim_opens_it(stage: Stage, day: Day) -> None:
    page = stage.at("kim", "ko")
    until_there(page, "/register", f"a[href='/items/{day.item}']")
    page.goto(f"/items/{day.item}/open")
    fill(page, "purpose", PURPOSE)
    form(page).locator("button").last.click()
    expect(page.locator("main")).to_contain_text(CONTENT)
    assert page.locator(".banner").count() == 2
    expect(page.locator(".banner").first).to_contain_text("군사 Ⅱ급 비밀")
    shoot(page, "day-07-opened")


def test_kim_is_refused_for_another_purpose(stage: Stage, day: Day) -> None:
    page = stage.at("kim", "ko")
    page.goto(f"/items/{day.item}/open")
    fill(page, "purpose", "a press briefing")
    form(page).locator("button").last.click()
    expect(page.locator(".decision").first).to_be_visible()
    expect(page.locator(".decision").first).to_contain_text("제6조(c)")
    assert CONTENT not in page.content()
    shoot(page, "day-08-refused")


def test_park_hears_that_there_is_no_such_item(stage: Stage, day: Day) -> None:
    page = stage.at("park", "ko")
    assert page.goto(f"/items/{day.item}").status == 404  # type: ignore[union-attr]  # a page was asked
    page.goto("/register")
    assert day.item not in page.content()


def test_a_consent_is_asked_for_and_given(stage: Stage, day: Day) -> None:
    page = stage.at("lee", "ko")
    page.goto(f"/requests/ask?item={day.item}")
    if page.locator(".mistakes").count():
        pytest.fail(page.locator(".mistakes").inner_text())
    expect(page.locator("#item")).to_have_value(day.item)
    fill(page, "acts", "use-for")
    send(
        page,
        beneficiary="kr",
        kind="party",
        purpose="a joint exercise",
        reason="연합 훈련에 쓰려고 합니다.",
        until="2027-03-31",
    )
    expect(told(page)).to_be_visible()
    shoot(page, "day-09-consent-asked")
    page = stage.at("abe", "ja")
    until_there(page, "/requests", "a[href$='/grant']")
    shoot(page, "day-10-consents")
    page.locator("a[href$='/grant']").first.click()
    send(page, reason="共同訓練は協定の目的に適う。")
    expect(told(page)).to_be_visible()
    shoot(page, "day-11-consent-given")


def test_a_loss_is_reported_and_drawn(stage: Stage, day: Day) -> None:
    page = stage.at("han", "ko")
    page.goto(f"/incidents/report?item={day.item}")
    expect(page.locator("#items")).to_have_value(day.item)
    page.locator("#what").select_option(index=1)
    send(page, circumstances="서류 가방이 열차에 남겨졌다.")
    expect(told(page)).to_be_visible()
    shoot(page, "day-12-incident")
    page = stage.at("ito", "ja")
    until_there(page, "/incidents", "a[href^='/incidents/n-'], a[href^='/incidents/']:not([href$='report'])")
    page.locator("main table a[href^='/incidents/']").first.click()
    expect(page.locator("figure svg")).to_be_visible()
    shoot(page, "day-13-affected")


def test_what_was_given_is_recalled(stage: Stage, day: Day) -> None:
    page = stage.at("abe", "ja")
    page.goto(f"/copies/{day.item}/recall/ask")
    send(page, reason="紛失の報告を受けたため。")
    expect(told(page)).to_be_visible()
    page = stage.at("lee", "ko")
    until_there(page, f"/items/{day.item}", ".note")
    shoot(page, "day-14-recalled")


def test_the_copies_are_counted(stage: Stage) -> None:
    page = stage.at("lee", "ko")
    page.goto("/muster/begin")
    send(page)
    expect(told(page)).to_be_visible()
    shoot(page, "day-15-muster")


def test_the_agreement_on_another_day(stage: Stage) -> None:
    page = stage.at("yoon", "en")
    page.goto("/agreements")
    page.locator("main .card a").first.click()
    page.locator("input[type=date]").first.fill("2020-11-23")
    page.locator("main form[method=get] button").first.click()
    expect(page.locator("main")).to_contain_text("23 November 2020")
    expect(page.locator("main")).to_contain_text("notice")
    shoot(page, "day-16-another-day")


def test_a_stranger_verifies_what_the_auditor_exports(stage: Stage, day: Day) -> None:
    page = stage.at("mori", "en")
    page.goto("/ledger")
    shoot(page, "day-17-ledger")
    page.locator("form[action='/ledger/evidence'] select").select_option(day.item)
    page.locator("form[action='/ledger/evidence'] button").click()
    expect(told(page)).to_be_visible()
    with page.expect_download() as coming:
        page.locator("main a[href^='/ledger/file/']").first.click()
    data = Path(coming.value.path()).read_bytes()
    trusted = [bytes.fromhex(house.card().fingerprint) for house in (stage.play.jp, stage.play.kr)]
    assert verify(data, trusted, time_zones()).item == day.item


def test_nothing_that_was_opened_lies_on_a_disk(stage: Stage) -> None:
    for house in (stage.play.jp, stage.play.kr):
        for file in house.node.folder.rglob("*"):
            if file.is_file():
                assert CONTENT.encode() not in file.read_bytes(), file
