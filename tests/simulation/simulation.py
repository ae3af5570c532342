"""One world: founding, steps, and coming to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from comity.errors import ComityError, InternalError, Misuse, Refused
from comity.flows.exchanging.parcel import read_parcel
from comity.flows.giving.release import advance
from comity.flows.house import House
from comity.flows.maintaining.rebuilding import LedgerVerified, Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.pouch import ImportPouch, import_pouch
from comity.record.statement import chain_id
from comity.register.rows import RequestRow
from comity.stores.memory_disk import Crashed
from world import RELATIONSHIP, TODAY

from . import cast
from .acts import ACTS, CHANGING_KEYS, Asked, hand_over, outcome, records_named, send
from .bringing_back import BringingBack
from .clock import WorldTime
from .feed_texts import NAMES
from .feed_witness import held_on, state_on
from .feeding import FEEDING, FeedsOfWorld, approve_release, ask_release, connect
from .invariants import Invariants
from .loop import run_in
from .lying import Liar, accusations
from .markers import OURS, SECRET
from .negotiating import CHANNEL
from .network import Message, Network
from .node import Node
from .smallness import small
from .texts import read_texts_once
from .weather import CALM, Weather, draw_weather
from .witness import Acknowledgement, Slip, Witness

TURNS = (0, 1, 1, 2, 3, 5, 8, 15, 40, 120)
"""Turns of the event loop that a step may take: what is not done by then goes on beside the next steps."""
TURNS_MAX = 20_000
"""Turns after which something that does not end is taken for stuck."""
ROUNDS_MAX = 40
"""Exchanges after which two healthy houses must have told each other everything."""
STARTS_MAX = 3
"""Tries after which a house that does not start on a healthy disk never will."""
PIECE_BYTES = 64 * 1024
MOMENT = 0.001
"""Seconds that pass at a time while somebody is waited for."""
FEED_SECONDS = 30.0
"""How long a channel stays open before it is looked whether everything has crossed: longer than keys are awaited."""
T = TypeVar("T")


class Inline(ThreadPoolExecutor):
    """An executor that does the work at once, so that no thread decides what comes first."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the future carries it, as that of a thread would
            future.set_exception(error)
        return future


def tell_unless_crashed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a task of a dead house still had to say is lost with it."""
    if not isinstance(context.get("exception"), Crashed):
        loop.default_exception_handler(context)


class Simulation:
    """A world of one seed.

    Attributes:
        asked: every request anybody made, with its content.
        feeds: what people and machines remember of feeds.
        made: content of everything that somebody wanted to make of what he received, by item.
        certificates: party and id of each certificate of destruction.
        showings: party, request and recipient of each request to show something.
        passing: party, request and holder of each request to pass a copy on.
        verified, rebuilt: what each house says of itself at rest, and after its register was rebuilt there.
        tables: the register's rows of each house at rest, before they were rebuilt.
        liars: what lies for houses, if anything does.
        bringing_back: what loses disks and brings houses back, if anything does.
        acts: what people do, and how often.
        accused: who signed what excludes itself, by the house that keeps it.
        proved: the same, as a stranger reads it out of the proofs that the house exports.
        restless: what kept the houses from coming to rest.
        carried_late: requests that could have been carried out, but were only when somebody asked.
    """

    def __init__(self, seed: int, folder: Path, weather: Weather | None = None) -> None:
        self.seed = seed
        self.folder = folder
        self.random = Random(seed)
        self.time = WorldTime(TODAY)
        self.witness = Witness()
        self.network = Network(self.random, self.witness)
        self.nodes = {party: Node(party, folder, self.random, self.time, self.witness) for party in cast.PARTIES}
        self.weather = weather or draw_weather(self.random)
        self.pseudonyms: dict[tuple[str, str], str] = {}
        self.asked: list[Asked] = []
        self.feeds = FeedsOfWorld()
        self.made: dict[str, bytes] = {}
        self.certificates: list[tuple[str, str]] = []
        self.showings: list[tuple[str, str, str]] = []
        self.passing: list[tuple[str, str, str]] = []
        self.verified: dict[str, LedgerVerified] = {}
        self.rebuilt: dict[str, LedgerVerified] = {}
        self.tables: dict[str, dict[str, dict[str, bytes]]] = {}
        self.acts = dict(ACTS)
        self.liars: list[Liar] = []
        self.bringing_back: BringingBack | None = None
        self.accused: dict[str, list[str]] = {}
        self.proved: dict[str, list[str]] = {}
        self.restless: list[str] = []
        self.carried_late: list[str] = []
        self.invariants = Invariants(self)
        self.steps = 0
        self._numbers = 0

    def lie_for(self, party: str, *, signs: bool) -> None:
        """From founding until rest something lies for a house; ``signs`` with its keys."""
        liar = Liar(self, party, signs=signs)
        self.liars.append(liar)
        self.network.through.append(liar.message)

    def bring_back(self) -> None:
        """From founding until rest houses lose their disks now and then."""
        self.bringing_back = BringingBack(self)
        self.acts = {kind: act for kind, act in self.acts.items() if kind not in FEEDING}
        self.weather = replace(self.weather, gap=0)  # the peer holds nothing beyond what it lacks

    def is_lie(self, says: str) -> bool:
        """Whether a finding is that somebody signed two histories, where somebody does."""
        return says.startswith("two histories were signed") and any(liar.signs for liar in self.liars)

    def number(self) -> int:
        """A number that was not given out before."""
        self._numbers += 1
        return self._numbers

    # ---- founding ------------------------------------------------------------------------------------------------

    async def found(self) -> None:
        """Two houses in calm weather that know each other; then the weather breaks."""
        asyncio.get_running_loop().set_default_executor(Inline())
        asyncio.get_running_loop().set_exception_handler(tell_unless_crashed)
        read_texts_once()
        houses: dict[str, House] = {}
        for party, node in self.nodes.items():
            await node.open()
            assert node.house is not None
            houses[party] = node.house
        await cast.found(houses, self.time.now)
        for party, house in houses.items():
            for who in (*cast.ROLES, *cast.READERS):
                person = await house.person(cast.handle(party, who))
                self.pseudonyms[party, who] = house.pseudonym(RELATIONSHIP, person.person)
        await self.exchange_until_quiet()
        for house in houses.values():
            await ask_release(self, house)
            await approve_release(self, house)
        await self.exchange_until_quiet()
        self.network.weather = self.weather
        for node in self.nodes.values():
            node.weather = self.weather
        for liar in self.liars:
            liar.active = True
        if self.bringing_back is not None:
            self.bringing_back.begin()
        self.witness.tell(f"seed {self.seed}: {self.weather}")
        self.invariants.check()

    # ---- steps ---------------------------------------------------------------------------------------------------

    async def step(self) -> None:
        """Something happens; then every cheap invariant is looked at."""
        self.steps += 1
        self._time_passes()
        for node in self.nodes.values():
            await self._fate(node)
        if self.bringing_back is not None:
            await self.bringing_back.step()
        message = self.network.take() if self.random.random() < 0.5 else None
        if message is not None:
            self._arrive(message)
        else:
            self._somebody_acts()
        await self._turns(self.random.choice(TURNS))
        self.invariants.check()

    def _time_passes(self) -> None:
        draw = self.random.random()
        if draw < 0.003:
            self.time.move(timedelta(days=self.random.choice((1, 25, 25))))
        elif draw < 0.7:
            self.time.move(timedelta(milliseconds=self.random.choice((1, 10, 1000, 30_000))))
        for node in self.nodes.values():
            if self.random.random() < self.weather.clock / 4:
                kind = self.random.choice(("step back", "step ahead", "stall", "right"))
                self.witness.fault(f"clock {kind}")
                node.clock.heal()
                if kind == "stall":
                    node.clock.stall()
                elif kind != "right":
                    seconds = self.random.choice((1, 60, 600, 86_400))
                    node.clock.off = timedelta(seconds=-seconds if kind == "step back" else seconds)

    async def _fate(self, node: Node) -> None:
        if node.full:
            node.full = self.random.random() < 0.9
        elif self.random.random() < self.weather.full:
            self.witness.fault("disk full")
            node.full = True
        if node.dead:
            await self._bury(node)
        elif node.house is not None and self.random.random() < self.weather.crash:
            self.witness.fault("crash")
            await node.crash(unsynced_kept=self.random.random() >= self.weather.power)
            self._stay_down(node)
        if node.house is None and self.steps >= node.down_until and not await node.open():
            self.witness.tell(f"{self.steps} {node.party} does not start")

    async def _bury(self, node: Node) -> None:
        await node.bury()
        self._stay_down(node)

    def _stay_down(self, node: Node) -> None:
        node.down_until = self.steps + self.random.choice((0, 0, 1, 5))
        if self.random.random() < self.weather.outage / 10:
            self.witness.fault("down for a day")
            self.time.move(timedelta(days=1))
            node.down_until = self.steps + 50

    def _somebody_acts(self) -> None:
        party = self.random.choice(cast.PARTIES)
        kind = self.random.choices(list(self.acts), weights=[weight for _, weight in self.acts.values()])[0]
        node = self.nodes[party]
        if node.house is None:
            return
        task = node.run(self._do(node.house, kind))
        if self.random.random() < self.weather.cancelled:
            self.witness.fault("caller gone")
            asyncio.get_running_loop().call_soon(task.cancel)

    async def _do(self, house: House, kind: str) -> None:
        said = await self.judged(house, kind, lambda: self.acts[kind][0](self, house))
        self.witness.acts[f"{kind}: {said}"] += 1
        self.witness.tell(f"{self.steps} {house.party} {kind}: {said}")

    async def judged(self, house: House, kind: str, act: Callable[[], Any]) -> str:
        """Do something; a refusal is an answer, any other error is trouble."""
        try:
            result = await act()
        except ComityError as error:
            self.witness.searched(f"error of {kind} in {house.party}", str(error).encode(), (SECRET,))
            if kind in ("parcel", "payload"):  # the peer is told this error
                self.witness.searched(f"answer to {kind} from {house.party}", str(error).encode(), (OURS,))
            if isinstance(error, InternalError):
                self.witness.news.troubles.append(Slip(f"{kind} in {house.party}", repr(error)))
            return error.code
        except asyncio.CancelledError:
            return "cancelled"
        except Crashed:
            return "crashed"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the simulation looks for
            self.witness.news.troubles.append(Slip(f"{kind} in {house.party}", repr(error)))
            return "trouble"
        own = [chain for chain in house.sequencer.heads() if chain.endswith(f"/{house.party}")]
        heads = {chain: house.sequencer.head(chain) for chain in own}
        self.witness.news.acknowledgements.append(
            Acknowledgement(house.party, kind, records_named(result), dict(heads))
        )
        return outcome(result)

    # ---- the road ------------------------------------------------------------------------------------------------

    def _arrive(self, message: Message) -> None:
        node = self.nodes[message.receiver]
        if node.house is None:
            self.witness.tell(f"{self.steps} {message.kind} for {message.receiver} finds nobody")
            if message.kind in ("pouch", "answer"):
                return
            self.network.post(message)
            return
        node.run(self._take(node.house, message))

    async def _take(self, house: House, message: Message) -> None:
        said = await self.judged(house, message.kind, lambda: self._taken(house, message))
        self.witness.acts[f"{message.kind}: {said}"] += 1
        self.witness.tell(f"{self.steps} {house.party} takes {message.kind}: {said}")

    async def _taken(self, house: House, message: Message) -> None:
        if message.kind == "payload":
            received = await house.blob_received(message.sender, message.relationship, message.digest)
            while received < len(message.body):
                piece = message.body[received : received + PIECE_BYTES]
                received = await house.blob_append(
                    message.sender, message.relationship, message.digest, received, message.size, piece
                )
        elif message.kind == "pouch":
            path = self.folder / f"carried-{self.number()}"
            path.write_bytes(message.body)
            await import_pouch(house, ImportPouch(path=str(path)))
            path.unlink()
        elif message.kind == "parcel":
            reply = await house.take_parcel(message.sender, message.relationship, message.body)
            send(self, house, read_parcel(reply), "answer")
        else:
            await house.take_reply(message.relationship, message.body)

    # ---- turns and rest ------------------------------------------------------------------------------------------

    async def _turns(self, turns: int) -> None:
        for _ in range(turns):
            if not any(node.busy for node in self.nodes.values()):
                return
            await asyncio.sleep(0)
            for node in self.nodes.values():
                if node.dead:
                    await self._bury(node)

    async def quiet(self) -> None:
        """Until everybody has an answer, a moment each time; whoever waits for a timer gets it."""
        for _ in range(TURNS_MAX):
            if not any(node.busy for node in self.nodes.values()):
                return
            await asyncio.sleep(MOMENT)
            for node in self.nodes.values():
                if node.dead:
                    await self._bury(node)

    async def _feeds_rest(self) -> None:
        """The feeds go over calm roads until everything that may cross has crossed and is known to have."""
        for _ in range(ROUNDS_MAX):
            for party, node in self.nodes.items():
                connect(self, node, self.nodes[cast.PEER[party]])
            await asyncio.sleep(FEED_SECONDS)
            self.network.under_way.clear()
            await self.exchange_until_quiet()
            restless = [each for party in cast.PARTIES for each in self._feed_restless(party)]
            if not restless:
                break
        else:
            self.restless += restless
        for node in self.nodes.values():
            await node.calm_down()

    def _feed_restless(self, party: str) -> Iterator[str]:
        """What of a feed is logged and not acknowledged, or waits although it would cross by itself."""
        name, publisher, recipient = NAMES[party], self.nodes[party], self.nodes[cast.PEER[party]]
        state, theirs = (state_on(node, name) for node in (publisher, recipient))
        if not state.size == state.acknowledged == theirs.size:
            yield f"of {state.size} batches of {name} {theirs.size} came, {state.acknowledged} are acknowledged"
        if held_on(publisher, name):
            yield f"messages of {name} wait for ever"

    async def rest(self) -> None:
        """Everything is healed; the houses finish and tell each other the rest; every invariant is looked at."""
        self.network.weather = CALM
        for liar in self.liars:
            liar.active = False
        self.time.move(timedelta(days=2))  # beyond what any clock showed
        for node in self.nodes.values():
            node.heal()
        await self.revive()
        await self.quiet()
        self.restless += [f"something in {node.party} does not end" for node in self.nodes.values() if node.busy]
        if self.bringing_back is not None:
            await self.bringing_back.rest()
        await self._feeds_rest()
        self.network.under_way.clear()
        await self.exchange_until_quiet()
        for party, node in self.nodes.items():
            assert node.house is not None
            await self._look_closely(party, node, node.house)
        self.invariants.check()
        self.invariants.check_at_rest()
        for node in self.nodes.values():
            assert node.house is not None
            await node.house.close()

    async def _look_closely(self, party: str, node: Node, house: House) -> None:
        self.verified[party] = await verify_ledger(house, VerifyLedger())
        self.accused[party], self.proved[party] = await accusations(self, house)
        async for _, row in house.rows(RequestRow):
            try:
                given = await house.sequencer.submit(lambda work, row=row: advance(house, work, row.request))
            except (Misuse, Refused):  # what keeps it waiting is told to whoever asks
                continue
            if given is not None and given.consignment is not None:
                self.carried_late.append(row.request)
        self.tables[party] = {table: dict(rows) for table, rows in node.disk.database.rows.items()}
        self.rebuilt[party] = await rebuild(house, Rebuild())

    async def revive(self) -> None:
        """Start every house that is down.

        Raises:
            AssertionError: one does not start on a disk that is well.
        """
        for node in self.nodes.values():
            if node.dead:
                await node.bury()
            for _ in range(STARTS_MAX):
                if node.house is None:
                    await node.open()
            assert node.house is not None, f"{node.party} does not start"

    async def exchange_until_quiet(self) -> None:
        """Let the houses tell each other everything; whoever dies over it is started again."""
        for _ in range(ROUNDS_MAX):
            before = self._told()
            for party in cast.PARTIES:
                await self._exchange_from(party)
            if self._told() == before:
                return
        self.restless.append(f"after {ROUNDS_MAX} exchanges there is still something new")

    async def _exchange_from(self, party: str) -> None:
        house = self.nodes[party].house
        assert house is not None
        for place in (RELATIONSHIP, CHANNEL):
            await self.judged(house, "hand over", lambda house=house, place=place: hand_over(self, house, place))
            while self.network.under_way:
                await self.revive()
                self._arrive(self.network.under_way.pop(0))
                await self.quiet()
            await self.revive()
            house = self.nodes[party].house
            assert house is not None

    def _told(self) -> list[object]:
        """Where all chains are, and what is known of them on the other side."""
        tables = ("cosigned", "peer-has", "waiting")
        return [
            (
                [node.disk.database.heads.get(chain_id(place, author)) for place in (RELATIONSHIP, CHANNEL)],
                len(node.disk.database.entries),
                [sorted(node.disk.database.rows.get(table, {}).items()) for table in tables],
            )
            for node in self.nodes.values()
            for author in cast.PARTIES
        ]


def run_world(simulation: Simulation, run: Callable[[Simulation], Coroutine[Any, Any, T]]) -> T:
    """Run something in the time of a world, with feeds whose limits are soon met."""
    with small():
        return run_in(simulation.time, run(simulation))


def simulate(
    seed: int,
    steps: int,
    weather: Weather | None = None,
    *,
    liar: Literal["", "meddler", "double-dealer"] = "",
    keys_change: bool = False,
    brought_back: bool = False,
) -> Simulation:
    """Run the world of a seed, in the weather that the seed draws or another one, and bring it to rest.

    With a ``liar`` one of the houses is lied for; keys are replaced and revoked where ``keys_change``; where
    ``brought_back`` houses lose their disks and are brought back from backups, and there are no feeds.

    Raises:
        Broken: an invariant does not hold; it names which, where, and after which step.
    """

    async def run(simulation: Simulation) -> Simulation:
        await simulation.found()
        for _ in range(steps):
            await simulation.step()
        await simulation.rest()
        return simulation

    with TemporaryDirectory(prefix="comity-simulation-") as folder:
        simulation = Simulation(seed, Path(folder), weather)
        simulation.acts |= CHANGING_KEYS if keys_change else {}
        if brought_back:
            simulation.bring_back()
        if liar:
            simulation.lie_for(cast.PARTIES[seed % 2], signs=liar == "double-dealer")
        return run_world(simulation, run)
