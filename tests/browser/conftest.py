"""Two real nodes with people, and a real browser for each of them.

The houses are those of ``comity demo --console``. Screenshots of every page that a test looks at are kept in
``build/screens``, by language, so that somebody can look at them afterwards.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

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


def needed(what: str) -> None:
    """No browser test is skipped in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here", pytrace=False)
    pytest.skip(f"{what} is not here: the Debian package chromium, and 'make interop' for axe-core")


class Theatre:
    """Both nodes and the browser, from the first of these tests in a process to the last.

    They end before another test begins: the browser keeps a loop of its own on the thread of the tests, beside which no
    other loop runs.
    """

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._stage: Stage | None = None

    def stage(self, folder: Path) -> Stage:
        """The stage, made when it is asked for first."""
        if self._stage is None:
            self._stage = self._made(folder)
        return self._stage

    def close(self) -> None:
        """Take everything down."""
        self._stage = None
        self._closing.close()

    def _made(self, folder: Path) -> Stage:
        shutil.rmtree(SCREENS, ignore_errors=True)
        SCREENS.mkdir(parents=True)
        folder.mkdir()
        document = folder / "report.txt"
        document.write_text("Radar at Kyogamisaki: azimuth 310, elevation 4, every 90 seconds.\n", encoding="utf-8")
        play = BrowsingPlay(document, folder)
        play.set_up()
        for house in (play.jp, play.kr):
            self._closing.enter_context(house.node.running(folder / f"{house.party}.log"))
        play.prepare()
        playwright = self._closing.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ALONE))
        self._closing.callback(chromium.close)
        return Stage(play, chromium)


_THEATRE = Theatre()


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    if not Path(CHROMIUM).exists():
        needed("Chromium")
    if not AXE.exists():
        needed("axe-core")
    return _THEATRE.stage(tmp_path_factory.getbasetemp() / "houses")


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    if nextitem is None or HERE not in nextitem.path.parents:
        _THEATRE.close()
