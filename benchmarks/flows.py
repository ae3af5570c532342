"""How far one party's information gets, and whether without its consent, over growing sets of agreements.

Each agreement is of two parties, every tenth of three with a route; most ask the originator's consent for third
parties, and they differ in levels, subjects, forms and in whether contractors are asked about. An answer is whole:
every party reached, with steps that were decided again, and the proof or the counter-examples. On two plain agreements
what is reached is compared with every case tried one by one.
"""

from __future__ import annotations

import random
from time import perf_counter

from benchmarks._exhaustive_flows import Enumeration, Universe
from comity.agreement.load import parse_agreement
from comity.analysis.flows import Answer, Flows, From
from comity.decision.compiled import Compiled, compile_agreement

SIZES = ((10, 8), (25, 16), (50, 30))
"""Agreements and parties."""
AIMS: dict[int, object] = {50: "at most 30 s"}
DEPTH = 3
"""Steps that are tried one by one; with one more there would be millions of cases."""
SEED = 3

HEAD = """
[agreement]
format = 1
id = "{name}"
version = "1"
kind = "test"
legal-force = "treaty"
authentic = "none"
title = {{ en = "{name}" }}
[scope]
clause = "scope"
{scope}
[term]
clause = "term"
entry = "on-signature"
timezone = "UTC"
{route}
"""
PARTY = """
[[party]]
id = "{name}"
kind = "state"
name = {{ en = "{name}" }}
timezone = "UTC"
nations = ["{name}"]
"""
LEVEL = """
[[level]]
party = "{party}"
mark = "{party} {english}"
rank = {rank}
english = "{english}"
clause = "levels"
"""
EQUIVALENCE = """
[[equivalence]]
clause = "levels"
marks = {{ {marks} }}
"""
RULE = """
[[rule]]
id = "{name}"
clause = "rules"
acts = {acts}
{when}{effect}
"""
ACCESS = ["open", "use-for", "copy", "translate", "extract"]
LEVELS = ("RESTRICTED", "CONFIDENTIAL", "SECRET")


def agreement(name: str, parties: tuple[str, ...], chance: random.Random | None = None) -> Compiled:
    """An agreement of some parties, by chance different from others; without chance a plain one of one level."""
    levels = LEVELS[chance.randrange(2) :] if chance else LEVELS[-1:]

    def sometimes(share: float) -> bool:
        return chance is not None and chance.random() < share

    text = HEAD.format(
        name=name,
        scope='subjects = ["missiles", "fleet"]' if sometimes(0.3) else "",
        route=f'[route]\nclause = "rules"\nvia = ["{parties[1]}"]' if len(parties) > 2 else "",
    )
    text += "".join(PARTY.format(name=each) for each in parties)
    text += "".join(
        LEVEL.format(party=each, english=english, rank=rank)
        for each in parties
        for rank, english in enumerate(levels, start=1)
    )
    for english in levels:
        marks = ", ".join(f'{each} = ["{each} {english}"]' for each in parties)
        text += EQUIVALENCE.format(marks=marks)
    text += "".join(
        f'[[clause]]\nid = "{each}"\nheading = {{ en = "x" }}\nsays = "x"\nprovenance = "P"\n'
        for each in ("scope", "term", "levels", "rules")
    )

    def rule(name: str, acts: list[str], effect: str, when: str = "") -> str:
        written = "[" + ", ".join(f'"{act}"' for act in acts) + "]"
        return RULE.format(name=name, acts=written, effect=effect, when=f"when = {{ {when} }}\n" if when else "")

    text += rule("give", ["give", "show"], "permits = true", 'beneficiary = ["party"]')
    text += rule("use", ACCESS, "permits = true")
    text += rule("on", ["pass-on"], "permits = true")
    text += rule("mark", ["reclassify"], "permits = true", 'holder = "originator"')
    others = ["pass-on", *ACCESS]
    if not sometimes(0.2):
        text += rule("third", others, 'consent = "originator"', 'beneficiary = ["third-party", "third-national"]')
    text += rule("other", others, 'consent = "originator"', "other-purpose = true")
    text += rule("cleared", others, 'requires = ["clearance", "need-to-know"]')
    if sometimes(0.5):
        text += rule("contractors", ["open", "pass-on"], 'consent = "originator"', 'employer = "contractor"')
    if sometimes(0.3):
        text += rule("oral", ["copy", "translate"], "forbids = true", 'form = ["oral", "visual"]')
    return compile_agreement(parse_agreement(text, name), [], tzdata="x")


def agreements(count: int, parties: int) -> list[Compiled]:
    """A connected set: every party stands in one at least."""
    chance = random.Random(SEED)
    names = [f"p{number:02}" for number in range(parties)]
    sets = [(name, chance.choice(names[:number])) for number, name in enumerate(names) if number]
    while len(sets) < count:
        sets.append(tuple(chance.sample(names, 3 if len(sets) % 10 == 9 else 2)))
    return [agreement(f"a{number:02}", each, chance) for number, each in enumerate(sets)]


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures: seconds for one party's answer at each size, how it grows, and every case tried one by one."""
    rows = [exhaustively()]
    smaller = 0.0
    for count, parties in SIZES[:2] if quick else SIZES:
        flows = Flows(agreements(count, parties))
        seconds, answer = timed(flows, "p00")
        rows.append(
            {
                "name": f"flows from one party, {count} agreements, {parties} parties ({told(answer)})",
                "ours": seconds,
                "peer": smaller or None,
                "peer_name": "ours at the size before",
                "unit": "s",
                "ratio": seconds / smaller if smaller else None,
                "aim": AIMS.get(count),
            }
        )
        smaller = seconds
    return rows


def exhaustively() -> dict[str, object]:
    """The same answer, as far as two steps, by trying every case; checked to be the same."""
    made = [agreement("one", ("a", "b")), agreement("two", ("b", "c"))]
    universe = Universe(
        bodies=("a", "b", "c", "elsewhere"),
        purposes=("given", "another"),
        nations=("a", "b", "c", "foreign"),
    )
    start = perf_counter()
    found = Enumeration(made, "a", universe, 10**9).run("one", lambda _by, _for: True, lambda _: True, DEPTH)
    peer = perf_counter() - start
    start = perf_counter()
    flows = Flows(made)
    search = From(flows, "a", 0).everything
    ours = perf_counter() - start
    values = flows.values
    words = {values.other_body: "elsewhere", values.same: "given", values.other: "another"}
    mine = {
        (words.get(each.body, each.body), each.level, words.get(each.purpose, each.purpose)): search.length(step)
        for each, step in search.arrivals.items()
    }
    if found.arrivals != {key: length for key, length in mine.items() if length <= DEPTH}:
        raise ValueError("the search and every case tried one by one do not find the same")
    return {
        "name": f"everything that is reached, 2 agreements, 3 parties (the peer: in {DEPTH} steps)",
        "ours": ours,
        "peer": peer,
        "peer_name": "every case tried",
        "unit": "s",
        "ratio": peer / ours,
        "aim": 10,
    }


def timed(flows: Flows, originator: str) -> tuple[float, Answer]:
    """How long an answer takes that nothing was asked before."""
    start = perf_counter()
    answer = flows.answer(originator)
    return perf_counter() - start, answer


def told(answer: Answer) -> str:
    """What came out, so that nobody measures an empty search."""
    reached = len({each.body for each in answer.reaches})
    return f"{reached} bodies, {answer.holdings} holdings, {len(answer.breaches)} counter-examples"
