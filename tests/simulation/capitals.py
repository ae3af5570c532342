"""Three capitals, one of them the hub, and a third party that witnesses: a wider world, with fewer acts.

Tokyo and Washington, Washington and Seoul each run two texts between them, so that every house has two relationships or
four. People give, consent, and hand on what they were given; roads drop, repeat and mix up; houses, and the witness,
die in the middle of writes and come back; whole roads are down for a while.

What is seen here is judged by the same functions (``invariants.py``) as far as they ask for no more than journals,
marks and what left; at rest the chains of each relationship are alike, all are witnessed, by the third party too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Literal

from comity.errors import ComityError, InternalError, Misuse, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.consenting.granting import AnswerConsent, answer_consent
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.parcel import read_parcel, write_parcel
from comity.flows.exchanging.witnessing import read_head
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.release import Give, give
from comity.flows.handling.handing_on import HandOn, hand_on
from comity.flows.house import House
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.maintaining.rotating import RotateKey, rotate_key
from comity.flows.vouching.cosigning import Post, Posted, submit, vouched
from comity.flows.vouching.witnesses import AddWitness, add_witness, witnesses
from comity.ledger.note import KeyType, VerifierKey
from comity.record.contexts import origin
from comity.record.statement import DOMESTIC, chain_id, peek
from comity.register.rows import ItemRow
from comity.register.rows.consents import ConsentAskedRow
from comity.stores.memory import MemoryHighWaterMark, MemoryStore
from comity.stores.memory_disk import Crashed, Fault, MemoryDisk, WritePoint, no_faults
from comity.witness.witness import Cosigner, Witness
from ledger.reference import Key
from trilateral import APPROVES, ASKS, FIRST, HOLDS, NEXT_YEAR, PURPOSE, SECOND, SECRET, Trilateral
from world import TODAY, new_house

from .acts import outcome, records_named
from .clock import WorldTime
from .invariants import AT_EACH_STEP, Broken, Fresh, Invariants
from .loop import Life, run_in
from .simulation import MOMENT, TURNS_MAX, Inline, tell_unless_crashed
from .two_faced import CHAIN, LIAR, TwoFaced, accused
from .weather import Weather, draw_weather
from .witness import Acknowledgement, Departure, Slip
from .witness import Witness as Seen

HUB = "us"
NAME, ADDRESS = "witness.example/third", "https://third.example"
UNDER_WAY_MAX = 40
ROUNDS_MAX = 30
Doing = Callable[["Capitals", House], Awaitable[object]]


class Capital:
    """A house, and what survives it."""

    def __init__(self, party: str, disk: MemoryDisk) -> None:
        self.party, self.disk = party, disk
        self.house: House | None = None
        self.life = Life()
        self.crashes = disk.crashes
        self.down_until = 0

    @property
    def dead(self) -> bool:
        return self.disk.crashes != self.crashes


class Third:
    """The third party: a witness on a disk of its own, which may die while it answers."""

    def __init__(self, clock: Any) -> None:
        self.now = clock.now
        key = Key(31)
        self.cosigner = Cosigner(key.verifier(NAME, KeyType.COSIGNATURE_V1), key)
        self.disk, self._clock = MemoryDisk(), clock
        self.witness: Witness | None = None

    async def open(self) -> Witness:
        if self.witness is None:
            made = Witness(MemoryStore(self.disk), MemoryHighWaterMark(self.disk), [self.cosigner], self._clock)
            await made.start()
            self.witness = made
        return self.witness

    async def post(self, _url: str, body: bytes) -> Posted:
        try:
            answer = await (await self.open()).add_checkpoint(body)
        except Crashed:
            self.witness = None
            raise Unavailable("it does not answer", code="witness-unreachable") from None
        return Posted(answer.status, answer.content_type, answer.body)


class Capitals:
    """The world of a seed. Its attributes are named as those of ``Simulation``, for whoever looks at both."""

    def __init__(self, seed: int, folder: Path, *, liar: Literal["", "two-faced", "blind"] = "") -> None:
        self.two_faced = TwoFaced(self, blind=liar == "blind") if liar else None
        self.seed, self.folder, self.random = seed, folder, Random(seed)
        self.time, self.witness, self.steps = WorldTime(TODAY), Seen(), 0
        self.weather: Weather = draw_weather(self.random)
        self.nodes: dict[str, Capital] = {}
        self.asked: list[Any] = []
        self.made: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.road: list[tuple[str, str, str, bytes, bool]] = []
        self.apart: dict[str, int] = {}

    async def found(self) -> None:
        """Three houses that know one another, in calm weather; each names the third party for all its ledgers."""
        asyncio.get_running_loop().set_default_executor(Inline())
        asyncio.get_running_loop().set_exception_handler(tell_unless_crashed)
        self.world = await Trilateral.make(self.folder)
        self.third = Third(self.world.clock)
        third = await self.third.open()
        for party, house in self.world.houses.items():
            owns = [chain for chain in house.sequencer.heads() if chain.endswith(f"/{party}")]
            keys = (self.third.cosigner.key.text,)
            await add_witness(house, AddWitness(name="third", keys=keys, url=ADDRESS, ledgers=tuple(owns)))
            for chain in owns:
                await third.follow(VerifierKey(origin(chain), KeyType.ED25519, house.keys.log.public))
            self.nodes[party] = Capital(party, house.store._disk)
            await house.close()
        for node in self.nodes.values():
            assert await self._open(node)
        self.invariants = Invariants(self)
        for node in self.nodes.values():
            node.disk.faults, node.disk.tear = self._fault, self._torn
        self.third.disk.faults = self._fault
        self.witness.tell(f"seed {self.seed}: {self.weather}")
        self.check()

    def _fault(self, point: WritePoint) -> Fault | None:
        for fault, share in self.weather.disk:
            if share and self.random.random() < share:
                self.witness.fault(f"{fault.name.lower().replace('_', '-')} at {point}")
                return fault
        return None

    def _torn(self, content: bytes) -> bytes:
        return content[: self.random.randrange(len(content) + 1)]

    async def _open(self, node: Capital) -> bool:
        node.crashes = node.disk.crashes
        try:
            life = f" {self.steps} {self.random.random()}"
            opening = new_house(node.party, self.folder, self.world.clock, node.disk, life=life)
            node.house = await node.life.bear(opening)
        except (ComityError, Crashed):
            await self._bury(node)
            return False
        self.world.houses[node.party] = node.house
        return True

    async def _bury(self, node: Capital) -> None:
        node.house, node.crashes = None, node.disk.crashes
        life, node.life = node.life, Life()
        await life.end()
        node.down_until = self.steps + self.random.choice((0, 1, 8))

    # ---- steps -----------------------------------------------------------------------------------------------------

    async def step(self) -> None:
        self.steps += 1
        self.world.clock.time += timedelta(seconds=self.random.choice((0, 1, 60)))
        if self.random.random() < 0.02:
            relationship = self.random.choice(list(self.world.between))
            self.witness.fault("road down")
            self.apart[relationship] = self.steps + 30
        for node in self.nodes.values():
            if node.house is not None and self.random.random() < self.weather.crash:
                self.witness.fault("crash")
                node.disk.crash(unsynced_kept=self.random.random() >= self.weather.power)
                await self._bury(node)
            if node.house is None and self.steps >= node.down_until:
                await self._open(node)
        if self.random.random() < self.weather.crash:
            self.witness.fault("witness crash")
            self.third.disk.crash(unsynced_kept=self.random.random() >= self.weather.power)
            self.third.witness = None
        await self._together(self.random.choice((1, 1, 2, 3)))
        self.check()

    async def _together(self, count: int) -> None:
        """Some things happen at once, in any houses."""
        tasks = []
        for _ in range(count):
            node = self.random.choice(list(self.nodes.values()))
            if node.house is not None:
                kind = self.random.choices(list(ACTS), weights=[weight for _, weight in ACTS.values()])[0]
                house = node.house
                tasks.append(node.life.bear(self.judged(house, kind, lambda h=house, k=kind: ACTS[k][0](self, h))))
        if self.road and self.random.random() >= self.weather.wait:
            tasks += self._arrive(self.road.pop(self.random.randrange(len(self.road))))
        await self._ended(tasks)

    def _arrive(self, message: tuple[str, str, str, bytes, bool]) -> list[asyncio.Task[None]]:
        sender, receiver, relationship, body, answer = message
        node = self.nodes[receiver]
        if node.house is None or self.apart.get(relationship, 0) > self.steps:
            return []
        house = node.house

        async def take() -> object:
            if answer:
                return await house.take_reply(relationship, body)
            reply = await house.take_parcel(sender, relationship, body)
            self._post(house, sender, read_parcel(reply), answer=True)
            return None

        return [node.life.bear(self.judged(house, "answer" if answer else "parcel", take))]

    async def _ended(self, tasks: list[asyncio.Task[Any]]) -> None:
        for _ in range(TURNS_MAX):
            for node in self.nodes.values():
                if node.dead:
                    await self._bury(node)
            if all(task.done() for task in tasks):
                return
            await asyncio.sleep(MOMENT)
        raise AssertionError("something does not end")

    async def judged(self, house: House, kind: str, act: Callable[[], Awaitable[object]]) -> None:
        try:
            result = await act()
        except ComityError as error:
            said = error.code
            if isinstance(error, InternalError):
                self.witness.news.troubles.append(Slip(f"{kind} in {house.party}", repr(error)))
        except (Crashed, asyncio.CancelledError):
            said = "crashed"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            said = "trouble"
            self.witness.news.troubles.append(Slip(f"{kind} in {house.party}", repr(error)))
        else:
            said = outcome(result)
            heads = {each: head for each, head in house.sequencer.heads().items() if each.endswith(f"/{house.party}")}
            done = Acknowledgement(house.party, kind, records_named(result), heads)
            self.witness.news.acknowledgements.append(done)
        self.witness.acts[f"{kind}: {said}"] += 1
        self.witness.tell(f"{self.steps} {house.party} {kind}: {said}")

    def _post(self, house: House, receiver: str, parcel: Any, *, answer: bool) -> None:
        node, weather = self.nodes[house.party], self.weather
        self.witness.news.departures.append(Departure(house.party, parcel, dict(node.disk.sizes)))
        copies = 0 if self._happens("drop", weather.drop) else 2 if self._happens("repeat", weather.repeat) else 1
        self.road += [(house.party, receiver, parcel.relationship, write_parcel(parcel), answer)] * copies
        del self.road[:-UNDER_WAY_MAX]

    def _happens(self, kind: str, share: float) -> bool:
        if share and self.random.random() < share:
            self.witness.fault(f"network {kind}")
            return True
        return False

    def relationship_of(self, party: str, among: tuple[str, ...] = ()) -> tuple[str, str]:
        """One of a party's relationships, with the other party of it."""
        found = [(each, pair) for each, pair in self.world.between.items() if party in pair]
        name, pair = self.random.choice([each for each in found if not among or each[0] in among])
        return name, pair[pair[0] == party]

    # ---- what must hold --------------------------------------------------------------------------------------------

    def check(self) -> None:
        """The invariants of each step, as far as they ask for journals, marks and what left."""
        seen, news = self.invariants, self.witness.taken()
        fresh = [
            Fresh(node, entry, peek(entry.envelope))
            for party, node in self.nodes.items()
            for entry in node.disk.database.entries[len(seen.journalled[party]) :]
        ]
        self._raise((number, held.__name__, held(seen, news, fresh)) for number, held in AT_EACH_STEP.items())

    def _raise(self, judged: Iterator[tuple[int, str, Iterator[str]]]) -> None:
        findings = []
        for number, name, says in judged:
            self.invariants.counts[number] += 1
            findings += [(number, name, each) for each in says]
        if findings:
            raise Broken(findings, self)

    async def rest(self) -> None:
        """All is well again, everybody tells everybody the rest, and the third party sees it."""
        self.apart.clear()
        for node in self.nodes.values():
            node.disk.faults = no_faults
        self.third.disk.faults = no_faults
        for node in self.nodes.values():
            if node.house is None:
                assert await self._open(node), f"{node.party} does not start"
        if self.two_faced is not None:
            self.two_faced.active = False
        before: object = None
        for _ in range(ROUNDS_MAX):
            await self.world.exchange(rounds=1)
            told = [
                (dict(node.disk.database.heads), node.disk.database.rows.get(COSIGNED, {}).copy())
                for node in self.nodes.values()
            ]
            if told == before:
                break
            before = told
        for node in self.nodes.values():
            (third,) = await witnesses(node.house)
            for ledger in third.ledgers:
                with suppress(Rejected) if self._has_two_trees(ledger) else nullcontext():
                    while await submit(node.house, third, ledger, self.poster(node.party), patient=False):
                        pass
        await self.look()

    async def look(self) -> None:
        """Look at three houses that have nothing left to say."""
        self.check()
        verified = {
            party: [await verify_ledger(node.house, VerifyLedger()), await rebuild(node.house, Rebuild())]
            for party, node in self.nodes.items()
        }
        logs = {log.origin: log for log in await (await self.third.open()).logs()}
        third = {
            party: {chain: await vouched(node.house, chain) for chain in self._own(node)}
            for party, node in self.nodes.items()
        }
        self._raise(
            iter(
                (
                    (15, "chains_are_the_same", self._differences()),
                    (16, "everything_is_witnessed", self._unwitnessed(logs, third)),
                    (22, "verification_finds_nothing", _findings(verified)),
                    (34, "honest_houses_are_not_accused", iter(await accused(self))),
                    (35, "lies_are_proved", iter(await self.two_faced.unproved() if self.two_faced else ())),
                )
            )
        )

    async def close(self) -> None:
        for node in self.nodes.values():
            await node.house.close()

    def _has_two_trees(self, chain: str) -> bool:
        return self.two_faced is not None and chain == CHAIN

    def poster(self, party: str) -> Post:
        """The way of a house to the third party, and what stands on it."""
        if self.two_faced is None or party != LIAR:
            return self.third.post
        return partial(self.two_faced.post, self.third)

    def _own(self, node: Capital) -> list[str]:
        return [chain for chain in node.disk.database.heads if chain.endswith(f"/{node.party}")]

    def _differences(self) -> Iterator[str]:
        for relationship, pair in self.world.between.items():
            for author in pair:
                chain = chain_id(relationship, author)
                one, other = (self.nodes[party].disk.database for party in pair)
                mine, theirs = (
                    [(n, each.envelope, each.salt) for n, each in sorted(database.chains.get(chain, {}).items())]
                    for database in (one, other)
                )
                if mine != theirs or one.heads.get(chain) != other.heads.get(chain):
                    yield f"{chain} has {len(mine)} records in {pair[0]} and {len(theirs)} in {pair[1]}, or others"

    def _unwitnessed(self, logs: dict[str, Any], third: dict[str, dict[str, Any]]) -> Iterator[str]:
        for party, node in self.nodes.items():
            for chain in self._own(node):
                size = node.disk.database.heads[chain].size
                if self._has_two_trees(chain):
                    continue
                note = node.disk.database.rows.get(COSIGNED, {}).get(chain)
                if not chain.startswith(DOMESTIC) and (note is None or read_head(note).size != size):
                    yield f"{chain} has {size} records, and the other party has not cosigned them all"
                log = logs[origin(chain)]
                if (
                    log.size != size
                    or log.contradictions
                    or max((v.size for v in third[party][chain]), default=0) != size
                ):
                    yield f"{chain} has {size} records; the third party has {log.size}"


def _findings(verified: dict[str, list[Any]]) -> Iterator[str]:
    for party, runs in verified.items():
        for run in runs:
            for finding in run.findings:
                yield f"{party}: {finding.place}: {finding.says}"


# ---- what people and nodes do --------------------------------------------------------------------------------------


async def _give(sim: Capitals, house: House) -> object:
    relationship, receiver = sim.relationship_of(house.party)
    path = sim.folder / "document"
    path.write_bytes(sim.random.randbytes(sim.random.choice((1, 500, 9000))))
    recipient = await sim.world.pseudonym(receiver, HOLDS[receiver], relationship)
    request = Give(
        path=str(path),
        relationship=relationship,
        mark=SECRET[house.party],
        topic="test-site",
        recipients=(recipient,),
        purpose=PURPOSE,
        actor=Actor(ASKS[house.party]),
    )
    given = await give(house, request)
    sim.requests.append((house.party, given.request))
    return given


async def _approve(sim: Capitals, house: House) -> object:
    asked = [request for party, request in sim.requests if party == house.party]
    if not asked:
        raise Misuse("nothing was asked yet")
    request = sim.random.choice(asked[-6:])
    return await approve(house, Approve(request=request, reason="seen", actor=Actor(APPROVES[house.party])))


async def _ask_consent(sim: Capitals, house: House) -> object:
    """The hub asks an originator whether the third capital may have something, too."""
    items = [row async for _, row in house.rows(ItemRow) if row.originator != house.party]
    if house.party != HUB or not items:
        raise Misuse("nothing to ask for")
    item = sim.random.choice(items[-6:])
    request = AskConsent(
        item=item.item,
        acts=("give",),
        beneficiary="kr" if item.originator == "jp" else "jp",
        beneficiary_kind="party",
        purpose=PURPOSE,
        reason="they are concerned",
        until=NEXT_YEAR,
        actor=Actor(ASKS[HUB]),
    )
    return await ask_consent(house, request)


async def _consent(sim: Capitals, house: House) -> object:
    asked = [row async for _, row in house.rows(ConsentAskedRow) if row.author != house.party and row.consent is None]
    if not asked:
        raise Misuse("nobody asked")
    request = AnswerConsent(
        request=sim.random.choice(asked).request, granted=True, reason="agreed", actor=Actor(APPROVES[house.party])
    )
    return await answer_consent(house, request)


async def _hand_on(sim: Capitals, house: House) -> object:
    items = [row async for _, row in house.rows(ItemRow) if row.originator != house.party]
    if house.party != HUB or not items:
        raise Misuse("nothing to hand on")
    item = sim.random.choice(items[-6:])
    relationship, receiver = (SECOND, "kr") if item.originator == "jp" else (FIRST, "jp")
    request = HandOn(
        item=item.item,
        relationship=relationship,
        recipients=(await sim.world.pseudonym(receiver, HOLDS[receiver], relationship),),
        purpose=PURPOSE,
        actor=Actor(ASKS[HUB]),
    )
    given = await hand_on(house, request)
    sim.requests.append((house.party, given.request))
    return given


async def _hand_over(sim: Capitals, house: House) -> object:
    relationship, receiver = sim.relationship_of(house.party)
    sim._post(house, receiver, await house.exchange.pack(relationship, receiver), answer=False)
    return None


async def _submit_all(sim: Capitals, house: House) -> bool:
    """The node submits what the third party has not cosigned."""
    (third,) = await witnesses(house)
    return any([await submit(house, third, ledger, sim.poster(house.party), patient=False) for ledger in third.ledgers])


async def _verify(sim: Capitals, house: House) -> object:
    verified = await verify_ledger(house, VerifyLedger())
    sim.witness.news.findings += [
        Slip(f"verify in {house.party}: {each.place}", each.says) for each in verified.findings
    ]
    return verified


async def _rotate(sim: Capitals, house: House) -> object:
    return await rotate_key(house, RotateKey(purpose=sim.random.choice(("record", "witness", "transport", "registry"))))


ACTS: dict[str, tuple[Doing, float]] = {
    "give": (_give, 12),
    "approve": (_approve, 12),
    "ask consent": (_ask_consent, 6),
    "consent": (_consent, 6),
    "hand on": (_hand_on, 6),
    "hand over": (_hand_over, 40),
    "submit": (_submit_all, 10),
    "verify": (_verify, 1),
    "rotate key": (_rotate, 0.7),
}


def in_capitals(seed: int, steps: int, *, liar: Literal["", "two-faced", "blind"] = "") -> Capitals:
    """Run the three capitals of a seed, and bring them to rest; where one shows the third party another tree, too.

    Raises:
        Broken: an invariant does not hold.
    """

    async def run(capitals: Capitals) -> Capitals:
        await capitals.found()
        for _ in range(steps):
            await capitals.step()
        await capitals.rest()
        await capitals.close()
        return capitals

    with TemporaryDirectory(prefix="comity-capitals-") as folder:
        capitals = Capitals(seed, Path(folder), liar=liar)
        main: Coroutine[Any, Any, Capitals] = run(capitals)
        return run_in(capitals.time, main)
