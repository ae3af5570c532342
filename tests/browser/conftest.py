"""Two real nodes with people, and a real browser for each of them.

The houses are those of ``comity demo --console``. Screenshots of every page that a test looks at are kept in
``build/screens``, by language, so that somebody can look at them afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from browser.stage import AXE, SCREENS, Stage
from comity.cli.demonstration.browsing import BrowsingPlay

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
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
    with ThreadPoolExecutor(1) as elsewhere:  # the browser keeps a loop of its own on this thread
        elsewhere.submit(play.set_up).result()
    with play.jp.node.running(folder / "jp.log"), play.kr.node.running(folder / "kr.log"):
        play.prepare()
        yield Stage(play, chromium)
