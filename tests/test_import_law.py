"""The import law: which room may know of which, and what the pure rooms may never touch.

The rooms, from the ground up::

    errors                                                  knows nothing
    agreement < marking < decision < record < register      pure: each knows those before it
    analysis                                                pure, over the decision: what follows before anybody acts
    explanation                                             pure, over the agreement: what it says, told to people
    drafting                                                pure, over both: a new agreement from a template
    foresight                                               pure, over the decision: what follows if something changes
    feed                                                    pure, over the ledger: messages in real time, cut and sealed
    ledger                                                  pure, apart from the others
    evidence                                                pure, over them all
    ports                                                   contracts, in the types of the pure rooms
    seal                                                    encryption, over the pure rooms
    flows                                                   the only place that joins the core to the ports
    stores                                                  adapters behind the ports; a row is bytes to them
    courier                                                 the road to a peer, behind its port
    timestamps                                              what an authority says about time
    timezones                                               reads the tzdata package for the pure rooms
    doors                                                   what other systems say as messages of a feed, and back
    answers                                                 how an error is told to the other side of a door
    node, cli                                               surfaces over flows; node.run alone composes adapters
    console                                                 the pages of a browser, over flows, composed by the node
    api                                                     the Python interface, over flows and node
    comity itself, __main__                                 the public names, and the command

The files are read, not imported, so that a late import inside a function is held to the same law.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HARMLESS = words("""
    __future__ abc base64 binascii bisect calendar collections contextlib copy dataclasses datetime decimal difflib enum
    fractions functools graphlib hashlib heapq hmac itertools json math operator re string struct textwrap tomllib types
    typing unicodedata zoneinfo
""")
"""The part of the standard library that reaches nothing outside its arguments: all that a pure room may import."""
WORLD = words("""
    http logging multiprocessing os random secrets select shelve smtplib socket socketserver sqlite3 ssl subprocess time
    urllib uuid
""")
"""What even the rooms that handle files and tasks get through a port."""
EVERYTHING = frozenset(sys.stdlib_module_names)

WORLDLY_CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__", "ZoneInfo"})
"""Calls by bare name that reach outside; ``ZoneInfo(name)`` reads the operating system's zones, unversioned."""


@dataclass(frozen=True)
class Law:
    """What one room may import: other rooms, packages, and modules of the standard library."""

    rooms: frozenset[str]
    packages: frozenset[str]
    standard: frozenset[str] = EVERYTHING
    pure: bool = False


def law(rooms: Iterable[str], packages: str, standard: frozenset[str] = EVERYTHING) -> Law:
    return Law(frozenset(rooms), words(packages), standard)


def pure(rooms: Iterable[str], packages: str = "msgspec cryptography") -> Law:
    return Law(frozenset(rooms), words(packages), HARMLESS, pure=True)


LADDER = ("agreement", "marking", "decision", "record", "register")
CORE = ("errors", *LADDER, "ledger")
ADAPTERS = ("stores", "courier")
INSIDE = (
    *(*CORE, "analysis", "evidence", "feed", "foresight", "ports", "seal", "flows"),
    *("timestamps", "timezones", "witness"),
)

LAWS: dict[str, Law] = {
    "errors": pure(()),
    **{room: pure(("errors", *LADDER[:place])) for place, room in enumerate(LADDER)},
    "agreement": pure(("errors",), "msgspec cryptography rfc8785"),
    "analysis": pure(("errors", "agreement", "marking", "decision")),
    "explanation": pure(("errors", "agreement")),
    "drafting": pure(("errors", "agreement", "explanation")),
    "foresight": pure(("errors", "agreement", "marking", "decision")),
    "ledger": pure(("errors",)),
    "feed": pure(("errors", "agreement", "ledger")),
    "evidence": pure(CORE),
    "ports": law(CORE, "msgspec", EVERYTHING - WORLD),
    "seal": law(CORE, "msgspec cryptography shamir_mnemonic", EVERYTHING - WORLD | {"os"}),
    "flows": law((*CORE, "evidence", "feed", "foresight", "ports", "seal"), "msgspec cryptography", EVERYTHING - WORLD),
    "stores": law(("errors", "ports", "seal"), "msgspec apsw cryptography pkcs11"),
    "courier": law((*CORE, "ports", "answers"), "msgspec cryptography aiohttp"),
    "timezones": law(CORE, "tzdata"),
    "witness": law(("errors", "ledger", "ports"), "msgspec", EVERYTHING - WORLD),
    "timestamps": law(("errors",), "msgspec cryptography rfc3161_client", EVERYTHING - WORLD),
    "answers": law(("errors", "flows"), "msgspec"),
    "console": law(
        (*set(INSIDE) - {"timestamps", "witness"}, "analysis", "explanation", "answers"),
        "msgspec cryptography starlette python_multipart jinja2 markupsafe babel argon2 webauthn joserfc",
    ),
    "doors": law(("errors", "feed"), "msgspec cryptography lxml signxml asterix", EVERYTHING - WORLD),
    "node": law((*INSIDE, "answers"), "msgspec cryptography aiohttp starlette uvicorn uvloop httptools"),
    "api": law((*INSIDE, "node"), "msgspec"),
    "cli": law(
        (*INSIDE, "answers", "console", "doors", "drafting", "explanation", "node", "api", "comity"),
        "msgspec cryptography aiohttp click rich segno typst",
    ),
    "comity": law((*INSIDE, "node", "api"), "msgspec"),
    "__main__": law(("cli",), ""),
}
GRANTS = {
    "comity.node.run": frozenset(ADAPTERS),  # the one module that knows which adapter stands behind which port
    "comity.node.checking": frozenset({"stores"}),  # a data folder as files, all of them read again
    "comity.node.accounts": frozenset({"console"}),  # who signs in to it
    "comity.node.backups": frozenset({"stores"}),  # a data folder as files, kept elsewhere and brought back
    "comity.node.events": frozenset({"doors"}),  # events come and go over HTTP: the one door that is a server's
    "comity.node.ceremony": frozenset({"stores"}),  # the root key carried away
    "comity.node.custodians": frozenset({"stores"}),  # and shared out
    "comity.node.following": frozenset({"courier"}),  # a server's certificate is pinned the same way
    "comity.node.keys": frozenset({"stores"}),  # keys as files, to be listed and locked
    "comity.node.pages": frozenset({"console"}),  # the application, when the first browser asks
    "comity.node.settings": frozenset({"console"}),  # its table among the others
    "comity.node.looking": frozenset({"stores"}),  # a data folder as it is, beside whoever works in it
    "comity.node.passphrase": frozenset({"stores"}),  # a file with a passphrase is read as strictly as a key
    "comity.node.secrets": frozenset({"stores"}),  # and the same for every other secret
    "comity.node.witnessing": frozenset({"stores"}),  # and the same for a witness, which is no house
}
"""Rooms that one module may import beyond its own room's, and why."""
WIRE = frozenset({"comity.courier.paths", "comity.courier.signature"})
"""The pure part of the courier, which the serving end shares: it must read as the sending end wrote."""


def law_of(module: str) -> Law:
    rules = LAWS[room_of(module)]
    if module in WIRE:
        return replace(
            rules, rooms=rules.rooms | {"courier"}, packages=words("msgspec cryptography"), standard=HARMLESS, pure=True
        )
    return replace(rules, rooms=rules.rooms | {room_of(module)} | GRANTS.get(module, frozenset()))


def sources() -> dict[str, str]:
    """Every module of the package and its text, by dotted name."""
    found = {}
    for path in sorted((SOURCE / "comity").rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def room_of(module: str) -> str:
    return [*module.split("."), "comity"][1]


def imports(source: str, modules: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported; ``from package import name`` names the module where it is one."""
    known = set(modules)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for name in node.names:
                inner = f"{base}.{name.name}"
                yield node.lineno, inner if inner in known else base


def breaches(module: str, source: str, modules: Iterable[str] = ()) -> list[str]:
    """What in the text of ``module`` breaks the law, a sentence each."""
    room = room_of(module)
    if room not in LAWS:
        return [f"{module}: there is no law for room {room!r}; say in {Path(__file__).name} what it may import"]
    rules = law_of(module)
    found = []
    for line, name in imports(source, modules):
        top = name.split(".")[0]
        if name.startswith("."):
            found.append(f"{module}:{line} imports {name!r}: name modules in full")
        elif top == "comity":
            if room_of(name) not in rules.rooms and not (room == "node" and name in WIRE):
                found.append(f"{module}:{line} imports {name}: {room} may import {', '.join(sorted(rules.rooms))}")
        elif top in EVERYTHING:
            if top not in rules.standard:
                found.append(
                    f"{module}:{line} imports {top}: what {room} needs of it comes as an argument or by a port"
                )
        elif top not in rules.packages:
            found.append(f"{module}:{line} imports {top}: {room} may use {', '.join(sorted(rules.packages)) or 'none'}")
    return found + [f"{module}:{line} calls {call}: pass it in" for line, call in worldly_calls(source, rules)]


def worldly_calls(source: str, rules: Law) -> Iterator[tuple[int, str]]:
    """Calls that read a clock, a file or a terminal, in rooms that get those from outside."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if rules.pure and name in WORLDLY_CALLS:
                yield node.lineno, f"{name}()"
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="datetime" | "date" as kind) | ast.Attribute(attr="datetime" | "date" as kind),
                    attr="now" | "utcnow" | "today" as name,
                )
            ) if rules.standard is not EVERYTHING:
                yield node.lineno, f"{kind}.{name}()"
            case ast.Attribute(value=ast.Name(id="os"), attr="urandom" | "environ" | "getenv" as name) if (
                rules.standard is not EVERYTHING
            ):
                yield node.lineno, f"os.{name}"


def test_every_module_keeps_the_law() -> None:
    modules = sources()
    found = [breach for module, source in modules.items() for breach in breaches(module, source, modules)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_room_of_the_law_exists() -> None:
    assert {room_of(module) for module in sources()} == set(LAWS)
    assert set(GRANTS) | WIRE <= set(sources())


def cycle(modules: dict[str, str]) -> list[str]:
    """A ring of modules that import one another, empty when there is none."""
    graph = {
        module: {name for _, name in imports(source, modules) if name in modules and name != module}
        for module, source in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others() -> None:
    assert cycle(sources()) == []


def rooms_within(room: str, modules: dict[str, str]) -> dict[str, str]:
    """A room's own rooms, each with all that its modules import, as if it were one module."""
    inside = {module: ".".join(module.split(".")[:3]) for module in modules if room_of(module) == room}
    merged: dict[str, str] = {}
    for module, part in inside.items():
        named = {inside.get(name, name) for _, name in imports(modules[module], modules)} - {part}
        merged[part] = merged.get(part, "") + "".join(f"import {name}\n" for name in sorted(named))
    return merged


@pytest.mark.parametrize("room", ["flows", "record", "register"])
def test_no_room_within_a_room_imports_itself_through_others(room: str) -> None:
    assert cycle(rooms_within(room, sources())) == []


def test_a_planted_cycle_of_rooms_is_found() -> None:
    planted = {
        "comity.flows.giving.opening": "import comity.flows.deciding.cases",
        "comity.flows.deciding.once": "import comity.flows.giving.release",
        "comity.flows.deciding.cases": "",
        "comity.flows.giving.release": "",
    }
    assert cycle(planted) == []
    assert set(cycle(rooms_within("flows", planted))) == {"comity.flows.deciding", "comity.flows.giving"}


def test_a_planted_cycle_is_found() -> None:
    late = "def late():\n    from comity.agreement import a\n"
    planted = {"comity.agreement.a": "import comity.agreement.b", "comity.agreement.b": late}
    assert set(cycle(planted)) == {"comity.agreement.a", "comity.agreement.b"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("comity.errors", "import comity.agreement.model"),
        ("comity.agreement.load", "from comity.marking.label import Label"),
        ("comity.marking.banner", "from comity.decision import model"),
        ("comity.decision.decide", "from comity.record import statement"),
        ("comity.record.bodies", "from comity.register.rows import ItemRow"),
        ("comity.register.step", "from comity.flows import give"),
        ("comity.register.step", "from comity.ledger.tree import leaf_hash"),
        ("comity.ledger.tree", "from comity.record.statement import Record"),
        ("comity.ledger.tree", "from comity.ports import Store"),
        ("comity.evidence.verify", "from comity.flows import give"),
        ("comity.evidence.verify", "from comity.seal.commitment import commitment"),
        ("comity.record.dsse", "from comity.evidence import model"),
        ("comity.record.statement", "import rfc8785"),
        ("comity.marking.banner", "import lxml.etree"),
        ("comity.agreement.load", "from pathlib import Path"),
        ("comity.agreement.load", "text = open('file').read()"),
        ("comity.agreement.term", "def now():\n    import time\n    return time.time()"),
        ("comity.agreement.term", "from datetime import datetime, UTC\nat = datetime.now(UTC)"),
        ("comity.agreement.term", "import datetime\nday = datetime.date.today()"),
        ("comity.agreement.term", "from datetime import date\nday = date.today()"),
        ("comity.agreement.term", "from zoneinfo import ZoneInfo\nzone = ZoneInfo('Asia/Seoul')"),
        ("comity.record.statement", "from os import urandom"),
        ("comity.record.statement", "from secrets import token_bytes"),
        ("comity.decision.decide", "import random"),
        ("comity.decision.decide", "import logging"),
        ("comity.decision.decide", "print('permit')"),
        ("comity.decision.decide", "import importlib\nimportlib.import_module('socket')"),
        ("comity.decision.decide", "__import__('socket')"),
        ("comity.register.step", "import asyncio"),
        ("comity.register.step", "import subprocess"),
        ("comity.register.step", "import sqlite3"),
        ("comity.register.step", "import io"),
        ("comity.register.step", "from . import rows"),
        ("comity.seal.age", "from comity.flows import give"),
        ("comity.seal.age", "from comity.stores import memory"),
        ("comity.seal.age", "import socket"),
        ("comity.seal.age", "import os\nseed = os.urandom(32)"),
        ("comity.flows.give", "from comity.stores.sqlite import SqliteStore"),
        ("comity.flows.give", "from comity.courier import http"),
        ("comity.flows.give", "def late():\n    import aiohttp"),
        ("comity.flows.give", "import apsw"),
        ("comity.flows.give", "import click"),
        ("comity.flows.give", "from datetime import UTC, datetime\nat = datetime.now(tz=UTC)"),
        ("comity.stores.sqlite", "from comity.flows import give"),
        ("comity.stores.sqlite", "from comity.register.rows import ItemRow"),
        ("comity.stores.sqlite", "from comity.courier import http"),
        ("comity.courier.http", "from comity.node import routes"),
        ("comity.courier.paths", "import aiohttp"),
        ("comity.courier.signature", "import time"),
        ("comity.node.routes", "from comity.stores.sqlite import SqliteStore"),
        ("comity.node.routes", "from comity.courier import http"),
        ("comity.node.routes", "from comity.cli import output"),
        ("comity.doors.cap", "from comity.flows import give"),
        ("comity.doors.cap", "from urllib.request import urlopen"),
        ("comity.doors.asterix", "from datetime import UTC, datetime\nat = datetime.now(UTC)"),
        ("comity.feed.schema", "from comity.doors import table"),
        ("comity.cli.give", "from comity.stores.sqlite import SqliteStore"),
        ("comity.kitchen", "import msgspec"),
    ],
)
def test_a_planted_breach_is_found(module: str, source: str) -> None:
    assert len(breaches(module, source, sources())) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("comity.agreement.load", "import tomllib\nfrom zoneinfo import ZoneInfo"),
        ("comity.agreement.digest", "import rfc8785"),
        ("comity.register.step", "from comity.agreement.model import Agreement"),
        ("comity.register.step", "def f(context):\n    return context.now"),
        ("comity.flows.give", "at = clock.now()"),
        ("comity.node.run", "from comity.stores import sqlite\nfrom comity.courier import http"),
        ("comity.node.routes", "from comity.courier import paths, signature"),
        ("comity.cli.demo", "from comity import Node"),
    ],
)
def test_what_the_law_allows_is_left_alone(module: str, source: str) -> None:
    assert breaches(module, source, sources()) == []
