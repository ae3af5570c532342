"""The Python interface: a small typed surface over what the command line uses (``import comity``).

Three things cover most uses::

    agreement = comity.Agreement.load("jp-kr-2016")
    agreement.status("2020-11-23T12:00+09:00").reading("kr").phase         # 'notice-suspended'
    agreement.decide(case)                                                 # Permit | NeedsConsent | Forbidden | NoBasis

    node = comity.Node.create("folder", party="jp", name="Ministry of Defence", port=7443)
    with node.running():
        node.ask(comity.Give(path="report.pdf", ...))
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from comity.agreement import model
from comity.agreement.coverage import Coverage, read_coverage
from comity.agreement.history import History, history_from_header, history_of
from comity.agreement.load import FILE_CHARACTERS_MAX, check_time_zones, parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.agreement.nearest import nearest
from comity.agreement.term import Chronicle, Status
from comity.decision.casebook import Standing as StandingWord
from comity.decision.casebook import parse_casebook
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.decide import decide
from comity.decision.model import Acknowledgement, Case, Outcome, Standing
from comity.decision.trial import Line, stands_as, try_casebook, unnoticed
from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.keeping.library import readings
from comity.foresight.consequences import Consequences, foresee
from comity.foresight.supposition import Ground, suppose
from comity.foresight.written import Written, read_supposition
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, NeedsChoice, translate
from comity.timezones import time_zones

if TYPE_CHECKING:
    from comity.feed.reading import Event

FILE_BYTES_MAX = 4 * FILE_CHARACTERS_MAX
"""Longest agreement, layer or history file read: the most characters, in the longest encoding."""
STOP_SECONDS = 15.0
"""How long a node may take to finish what is under way."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a casebook (``spec/casebook.md``).

    Attributes:
        agreement: the agreement's id.
        digest: its digest.
        layers: ids of the layers that were tried with it.
        title: what the casebook says of itself.
        lines: its cases and events, in order.
        unnoticed: what could be deleted without any case coming out otherwise; None where that was not asked.
    """

    agreement: str
    digest: str
    layers: tuple[str, ...]
    title: str
    lines: tuple[Line, ...]
    unnoticed: tuple[str, ...] | None = None

    @property
    def agrees(self) -> bool:
        """Whether every case came out as expected."""
        return all(line.agrees for line in self.lines)


class Agreement:
    """An agreement ready to be asked: its file, layers and history, parsed, checked and compiled.

    Attributes:
        file: the checked agreement file.
        layers: implementing arrangement, domestic layer and house rules, checked.
        history: what happened to the agreement, as its reader believes.
    """

    def __init__(self, file: model.Agreement, layers: Sequence[model.Layer], history: History) -> None:
        self.file = file
        self.layers = tuple(layers)
        self.history = history

    @classmethod
    def load(
        cls, source: str | Path, *, history: str | Path | None = None, layers: Sequence[str | Path] = ()
    ) -> Agreement:
        """Read an agreement from a file, or from the library by its name.

        Args:
            source: a path, or a name such as ``jp-kr-2016``.
            history: a history file or library name; the file ``NAME.history.toml`` beside the agreement unless given,
                and what the agreement's own header says where there is none.
            layers: layer files or library names, such as ``house``.

        Raises:
            Rejected: a file has a mistake; file, line and key are named.
            Misuse: there is no such file.
        """
        zones = time_zones()
        text, name = read_text(source)
        file = parse_agreement(text, name)
        check_time_zones(file, text, name, zones.zones)
        known = history or history_of_source(source)
        if known is None:
            told = history_of(history_from_header(file), file, zones)
        else:
            told = parse_history(*read_text(known), file, zones)
        return cls(file, [parse_layer(*read_text(layer), file) for layer in layers], told)

    @property
    def id(self) -> str:
        """The agreement's id."""
        return self.file.id

    @property
    def digest(self) -> str:
        """The digest both parties acknowledge, 64 hexadecimal digits."""
        return self.file.digest

    @cached_property
    def chronicle(self) -> Chronicle:
        """The history run through the term of the agreement."""
        return Chronicle(self.file, self.history, time_zones())

    @cached_property
    def compiled(self) -> Compiled:
        """The rules of the agreement and its layers, made ready to decide by."""
        return compile_agreement(self.file, self.layers, tzdata=time_zones().version)

    def status(self, at: datetime | str) -> Status:
        """How the agreement stands at an instant, by every party's reading (Article 21 of the 2016 agreement).

        Args:
            at: an aware datetime, or ISO 8601 with a zone.

        Raises:
            Misuse: the instant has no zone.
        """
        if isinstance(at, str):
            try:
                at = datetime.fromisoformat(at)
            except ValueError:
                raise Misuse(
                    f"{at!r} is not an instant; write one as in '2020-11-23T12:00+09:00'", code="bad-instant"
                ) from None
        return self.chronicle.status(at)

    def standing(self, at: datetime, acknowledged_by: Sequence[str]) -> Standing:
        """The same as a decision takes it, with the parties that acknowledged the digest."""
        return Standing(
            agreement=self.id,
            readings=readings(self.status(at)),
            acknowledgements=tuple(Acknowledgement(party, self.digest) for party in acknowledged_by),
        )

    def what_if(self, what: Written, at: datetime) -> Consequences:
        """What would follow from what is supposed, asked at an instant (``spec/what-if.md``).

        Raises:
            Misuse: nothing is supposed.
            Rejected: a file has a mistake, or what is supposed cannot follow what stands before it.
        """
        ground, zones = Ground(self.file, self.layers, self.compiled, self.chronicle), time_zones()
        supposition = read_supposition(what, ground, zones)
        return foresee(suppose(ground, supposition, at, zones), supposition)

    def translate(self, label: Label, to: str) -> MarkedLabel | NeedsChoice:
        """A label as party ``to`` marks it (Article 4.2); the originator's label is never changed.

        Raises:
            Refused: the mark is above the ceiling, or has no equivalent.
        """
        return translate(self.file, label, to, self.layers)

    def decide(self, case: Case) -> Outcome:
        """May this be done? The same answer, byte for byte, on every machine (``spec/decision.md``)."""
        return decide(self.compiled, case)

    def try_cases(self, casebook: str | Path, *, beside: Sequence[Agreement] = (), thorough: bool = False) -> Trial:
        """Decide a table of cases, each with what is expected of it; nothing is recorded (``spec/casebook.md``).

        Args:
            casebook: the file with the cases.
            beside: other agreements that its cases name; those not given are read from beside it, or from the library.
            thorough: also find what could be deleted from the agreement without any case coming out otherwise.

        Raises:
            Rejected: the casebook has a mistake; file, line and key are named.
            Misuse: there is no such file, or no agreement that a case names.
        """
        zones = time_zones()
        cases = parse_casebook(*read_text(casebook), self.file, self.layers, zones)
        known = {each.id: each for each in (self, *beside)}
        for name in sorted({name for posed in cases.posed for name in posed.beside} - known.keys()):
            path = Path(casebook).with_name(f"{name}.toml")
            known[name] = Agreement.load(path if path.is_file() else name)

        def stands(agreement: str, word: StandingWord, case: Case) -> Standing:
            if word == "history":
                return known[agreement].standing(case.at, ())
            return stands_as(known[agreement].file, word)

        def again(text: model.Agreement) -> Compiled:
            return compile_agreement(text, self.layers, tzdata=zones.version)

        others = [each.compiled for each in known.values() if each is not self]
        lines = try_casebook(self.compiled, cases, stands, others)
        idle = unnoticed(self.compiled, cases, stands, again, others) if thorough else None
        return Trial(
            agreement=self.id,
            digest=self.digest,
            layers=tuple(layer.id for layer in self.layers),
            title=cases.title,
            lines=lines,
            unnoticed=idle,
        )


class Node:
    """A party's node: its data folder, and the process on it when one runs."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @classmethod
    def create(
        cls, folder: str | Path, *, party: str, name: str, address: str = "127.0.0.1", port: int, passphrase: str = ""
    ) -> Node:
        """Make the folder of a new party: keys, certificate, settings and card.

        ``passphrase`` locks the keys; whatever opens the house later finds it in the environment (``spec/keys.md`` step
        5). Without one the keys lie open on the disk.

        Raises:
            Misuse: there is a node in the folder already.
        """
        from comity.node.run import found
        from comity.node.settings import Listen, Settings

        listen = Listen(address=address, port=port, public=(f"https://{address}:{port}",))
        asyncio.run(found(Path(folder), Settings(party=party, listen=listen), name, passphrase))
        return cls(folder)

    @contextmanager
    def running(self, log: str | Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """The node as a process of its own, for as long as the context lasts.

        Args:
            log: a file for what it warns of; it goes where this process's own errors go, unless one is named.

        Raises:
            Unavailable: it did not start.
        """
        command = [sys.executable, "-m", "comity", "--folder", str(self.folder), "node", "run", "--json"]
        with ExitStack() as stack:
            errors = None if log is None else stack.enter_context(Path(log).open("ab"))
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)  # noqa: S603 - our own interpreter
            )
            try:
                assert process.stdout is not None
                if not process.stdout.readline():
                    raise Unavailable(f"the node in {str(self.folder)!r} did not start", code="no-node")
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def ask(self, request: msgspec.Struct, flow: str | None = None) -> Any:
        """Do what a request of ``comity.flows`` says; returns what that flow returns.

        The running node is asked; where none runs, the folder is opened for as long as it takes.

        Args:
            request: what to do.
            flow: name of the flow, for a request that several take: a ``Give`` can be asked as ``give.preview``.

        Raises:
            ComityError: one sentence that says what was wrong, where, and what to do.
        """
        from comity.flows.table import FLOWS
        from comity.node.asking import ask

        if flow is not None:
            return ask(self.folder, flow, request)
        for entry in FLOWS.values():
            if entry.request is type(request) and not entry.name.endswith(".preview"):
                return ask(self.folder, entry.name, request)
        raise Misuse(f"{type(request).__name__} is not something a node can be asked", code="unknown-flow")

    def follow(
        self,
        feed: str,
        *,
        purpose: str,
        actor: str,
        relationship: str = "",
        types: Sequence[str] = (),
        sources: Sequence[str] = (),
        area: tuple[float, float, float, float] | None = None,
        where: Mapping[str, str] | None = None,
        mark: str = "",
        after: int | None = None,
        stale: float | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Read a feed that comes to this party, as it comes; its node runs.

        ::

            async for event in node.follow("air-picture", purpose="air defence", actor="kim"):
                if isinstance(event, comity.Message):
                    print(event.number, event.view)

        Args:
            feed: its name.
            purpose: what for; it is decided as opening an item is.
            actor: who reads.
            relationship: under which agreement, where several bring a feed of that name.
            types: which types of message; all, unless they are named.
            sources: of which sources; likewise.
            area: south, west, north and east, in degrees.
            where: fields with the value that they must have.
            mark: no field marked above it.
            after: the number of the last message that one has; what is in the store comes first then.
            stale: after how many seconds of silence a source is told of; what is usual of it, unless it is said.

        Raises:
            Misuse: no such feed comes here, or an area or a number is none.
            Refused: the actor may not read it, for this purpose.
            Unavailable: no node runs on the folder, or it stopped.
        """
        from comity.feed.filters import Filters, area_of
        from comity.flows.actors import Actor
        from comity.flows.feeding.reading import Follow
        from comity.node.following import follow

        filters = Filters(
            types=tuple(types),
            sources=tuple(sources),
            area=area_of(area) if area is not None else None,
            where=where or {},
            mark=mark,
        )
        request = Follow(
            feed=feed,
            purpose=purpose,
            actor=Actor(actor),
            relationship=relationship,
            filters=filters,
            after=after,
            stale=stale,
        )
        return follow(self.folder, request)


def read_text(source: str | Path) -> tuple[str, str]:
    """Text and name of a file, or of a library entry such as ``jp-kr-2016``.

    Raises:
        Misuse: there is neither, or the file cannot be read.
        Rejected: the file is too long, or not text in UTF-8.
    """
    path = Path(source)
    if not path.is_file():
        entry = _entry(source)
        if entry is None:
            raise Misuse(
                f"there is no file {str(source)!r}, nor has the library an entry of that name"
                + nearest(str(source), library()),
                code="no-agreement",
            )
        return entry.read_text(encoding="utf-8"), f"{source}.toml"
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Misuse(f"cannot read {str(source)!r}: {error.strerror}", code="unreadable-file") from None
    if len(data) > FILE_BYTES_MAX:
        raise Rejected(f"more than {FILE_BYTES_MAX} bytes", code="too-long", place=str(source))
    try:
        return data.decode(), str(source)
    except UnicodeDecodeError:
        raise Rejected("not text in UTF-8", code="not-text", place=str(source)) from None


def library() -> list[str]:
    """The names of the library: agreements, their histories, layers."""
    entries = resources.files("comity.agreements").iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml"))


def agreements_of_library() -> list[str]:
    """The names of the agreements in the library, without their histories and layers."""
    return [name for name in library() if "agreement" in tomllib.loads(read_text(name)[0])]


def history_of_source(source: str | Path) -> str | Path | None:
    """Where the history of an agreement is: beside its file, or beside its entry in the library; None if nowhere."""
    path = Path(source)
    if path.is_file():
        beside = path.with_name(f"{path.name.removesuffix('.toml')}.history.toml")
        return beside if beside.is_file() else None
    return f"{source}.history" if _entry(f"{source}.history") is not None else None


def coverage_of(agreement: str, source: str | Path = "") -> Coverage:
    """Which test shows what becomes of each clause of an agreement, by its id.

    Args:
        agreement: the agreement's id, such as ``jp-kr-2016``.
        source: the file it was read from; a table beside it (``NAME.coverage.json``) comes before the library's.

    Raises:
        Misuse: nobody has written such a table.
        Rejected: it is no such table, or of another agreement.
    """
    beside = Path(source).with_name(f"{Path(source).name.removesuffix('.toml')}.coverage.json") if source else None
    entry = resources.files("comity.agreements").joinpath(f"{agreement}.coverage.json")
    known = re.fullmatch(model.IDENTIFIER_PATTERN, agreement) is not None
    if beside is not None and Path(source).is_file() and beside.is_file():
        text, name = read_text(beside)
    elif known and entry.is_file():
        text, name = entry.read_text(encoding="utf-8"), entry.name
    else:
        raise Misuse(f"no table says which tests show the clauses of {agreement!r}", code="no-coverage")
    coverage = read_coverage(text, name)
    if coverage.agreement != agreement:
        raise Rejected(f"it speaks of {coverage.agreement!r}, not of {agreement!r}", code="other-agreement", place=name)
    return coverage


def _entry(name: str | Path) -> Traversable | None:
    entry = resources.files("comity.agreements").joinpath(f"{name}.toml")
    return entry if re.fullmatch(model.IDENTIFIER_PATTERN, str(name)) and entry.is_file() else None
