"""Worlds for the tests of the articles: two houses that run the agreement of 2016, or a mutation of its text.

``--write-coverage`` writes the table of ``comity agreement coverage`` when every article test ran and passed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from comity.agreement import load, load_history
from world import World

MakeWorld = Callable[..., Awaitable[World]]
PASSED = pytest.StashKey[dict[str, set[str]]]()
"""By file and function, how its runs ended."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-coverage", action="store_true", help="write the table of comity agreement coverage")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "article(*clauses, does, command, rests_on): see tests/clauses.py")
    config.stash[PASSED] = {}
    config.pluginmanager.register(Outcomes(config), "outcomes")


class Outcomes:
    """What became of each test, also of those that another process ran."""

    def __init__(self, config: pytest.Config) -> None:
        self.seen = config.stash[PASSED]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.seen.setdefault(report.nodeid.partition("[")[0], set()).add(report.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if not config.getoption("--write-coverage", default=False) or hasattr(config, "workerinput"):
        return
    from articles.marked import TABLE, marked, table
    from comity.agreement.coverage import write_coverage

    seen = config.stash[PASSED]
    failing = sorted({each.name for each in marked() if seen.get(each.name) != {"passed"}})
    if failing:
        raise pytest.UsageError("no table is written: these did not run, or did not pass: " + ", ".join(failing))
    TABLE.write_text(write_coverage(table()), encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Every world reads the same few texts; each is parsed once in a process."""
    read: Any = lru_cache(maxsize=256)(load.read_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "read_file", read)
        patch.setattr(load_history, "read_file", read)
        yield


@pytest.fixture
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """``await make_world(layers=…, history=…)``: a world of the test's own wishes, under the text under test."""
    made: list[World] = []

    async def make(**wishes: Any) -> World:
        folder = tmp_path / f"world-{len(made)}"
        folder.mkdir()
        made.append(await World.make(folder, **wishes))
        return made[-1]

    yield make
    for world in made:
        await world.close()


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Two houses that have acknowledged the agreement; nothing has been given yet."""
    return await make_world()
