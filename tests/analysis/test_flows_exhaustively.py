"""On small models the search finds the same as every case put to ``decide`` (``spec/analysis.md`` step 19)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.texts import agreement_text, equivalence, level, library, rule
from benchmarks._exhaustive_flows import Enumeration, Universe
from comity.agreement.load import parse_agreement
from comity.analysis.flows import Flows, From
from comity.analysis.values import Values
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.model import Person

DEPTH = 4
BUDGET = 1_500
"""Cases of one run; what was not tried to the end is compared as far as it was."""
ACTS = ("give", "show", "pass-on", "open", "use-for", "hand-over", "copy", "translate", "extract", "reclassify")
OUTSIDE = "z"
MORE = ("purpose", "form", "category", "recalled", "relation", "employer", "function", "circle", "client", "days")
"""Conditions of which one agreement uses at most one, because each makes many more cases; days are those of a rule."""
DAYS = tuple(datetime(year, 1, 1, tzinfo=UTC) for year in (2019, 2020, 2030))
"""One instant for each time that the days of rules tell apart."""


@st.composite
def conditions(draw: st.DrawFn, parties: tuple[str, ...], nations: bool, more: str) -> str:
    """Some conditions of a rule; ``more`` is one beside those that are always there."""
    bodies = st.sampled_from([*parties, OUTSIDE])
    listed = st.lists(bodies, min_size=1, max_size=2, unique=True)

    def words(found: list[str]) -> str:
        return "[" + ", ".join(f'"{each}"' for each in found) + "]"

    beneficiaries = ["party", "third-party", *(["third-national"] if nations else [])]
    choices = {
        "beneficiary": st.sampled_from(beneficiaries).map(lambda each: words([each])),
        "recipient": listed.map(words),
        "serves": listed.map(words),
        "originator": listed.map(words),
        "acting": st.sampled_from(parties).map(lambda each: words([each])),
        "holder": st.sampled_from(["originator", "recipient"]).map(lambda each: f'"{each}"'),
        "other-purpose": st.sampled_from(["true", "false"]),
        "relation": st.lists(
            st.sampled_from(["original", "copy", "extract", "contains"]), min_size=1, max_size=2, unique=True
        ).map(words),
        "purpose": st.just('["war"]'),
        "form": st.sampled_from(['["oral"]', '["electronic"]']),
        "level-at-least": st.just('"HIGH"'),
        "category": st.just('["x"]'),
        "recalled": st.sampled_from(["true", "false"]),
        "employer": st.sampled_from(['"contractor"', '"party"']),
        "function": st.just('["watch"]'),
        "circle": st.just('["ring"]'),
        "client": st.just("true"),
    }
    there = [each for each in sorted(choices) if each not in MORE or each == more]
    keys = draw(st.lists(st.sampled_from(there), max_size=2, unique=True))
    return ", ".join(f"{key} = {draw(choices[key])}" for key in keys)


@st.composite
def days(draw: st.DrawFn, more: str) -> str:
    """From or until when a rule holds, where one agreement has days."""
    written = ["", *(f'\n{word} = "{day:%Y-%m-%d}T00:00Z"' for word in ("since", "until") for day in DAYS[1:])]
    return draw(st.sampled_from(written)) if more == "days" else ""


@st.composite
def texts(draw: st.DrawFn, name: str, parties: tuple[str, ...]) -> str:
    """A small agreement."""
    nations = draw(st.booleans())
    more = draw(st.sampled_from(MORE))
    high = draw(st.booleans())
    levels = "".join(level(each, "LOW", 1) + (level(each, "HIGH", 2) if high else "") for each in parties)
    levels += equivalence({each: [f"{each.upper()} LOW"] for each in parties})
    if high and draw(st.booleans()):
        levels += equivalence({each: [f"{each.upper()} HIGH"] for each in parties})
    rules = [rule("permit-0", ["give"], "permits = true", draw(st.sampled_from(["", 'beneficiary = ["party"]'])))]
    for number in range(1, draw(st.integers(2, 5))):
        acts = draw(st.lists(st.sampled_from(ACTS), min_size=1, max_size=3, unique=True))
        permits = "permits = true" + draw(days(more))
        rules.append(rule(f"permit-{number}", acts, permits, draw(conditions(parties, nations, more))))
    effects = ['consent = "originator"', 'consent = "every-party"', "forbids = true", 'requires = ["clearance"]']
    for number in range(draw(st.integers(0, 4))):
        acts = draw(st.lists(st.sampled_from(ACTS), min_size=1, max_size=4, unique=True))
        when, unless = draw(conditions(parties, nations, more)), draw(conditions(parties, nations, more))
        rules.append(rule(f"rule-{number}", acts, draw(st.sampled_from(effects)) + draw(days(more)), when, unless))
    if not high:
        rules = [each.replace('level-at-least = "HIGH"', 'level-at-least = "LOW"') for each in rules]
    body = f'[[body]]\nid = "{OUTSIDE}"\nname = {{ en = "z" }}\ncircles = ["ring"]\nclient-of = ["{parties[0]}"]\n'
    route = f'[route]\nclause = "rules"\nvia = ["{parties[-1]}"]\n' if len(parties) > 2 and draw(st.booleans()) else ""
    return agreement_text(*rules, body, route, name=name, parties=parties, nations=nations, levels=levels)


@st.composite
def models(draw: st.DrawFn) -> list[Compiled]:
    """One or two agreements with a party in common."""
    first = draw(texts("one", draw(st.sampled_from([("a", "b"), ("a", "b", "c")]))))
    found = [first]
    if draw(st.booleans()):
        found.append(draw(texts("two", ("b", "c"))))
    return [
        compile_agreement(parse_agreement(text, f"{number}.toml"), [], tzdata="x") for number, text in enumerate(found)
    ]


def universe(agreements: list[Compiled], written: set[str], values: Values) -> Universe:
    """Every value that is named, and another one of each."""
    nations = sorted({nation for each in agreements for nation in each.nations})
    return Universe(
        bodies=(*values.bodies[:-1], "elsewhere"),
        purposes=(*values.purposes[:-2], "given", "another"),
        subjects=values.subjects[:1],
        nations=(*nations, "foreign") if nations else ("foreign",),
        employers=("party", "contractor") if "employer" in written else ("party",),
        functions=("", "watch") if "function" in written else ("",),
        forms=("oral", "electronic", "visual") if "form" in written else ("visual",),
        categories=((), ("x",)) if "category" in written else ((),),
        flags=((False, False), (True, False)) if "recalled" in written else ((False, False),),
        moments=DAYS if "days" in written else DAYS[-1:],
        vias=((), *sorted({each.via for each in agreements if each.via})),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(models())
def test_the_search_finds_what_every_case_finds(agreements: list[Compiled]) -> None:
    flows = Flows(agreements)
    for originator in flows.originators:
        for number in range(len(agreements)):
            searched = From(flows, originator, number)
            if originator in {"a", OUTSIDE} and searched.beginnings:
                check(searched, agreements, agreements[number])


@pytest.mark.parametrize(("names", "originator"), [(("tisa-2014",), "jp"), (("jp-us-2007", "us-kr-1987"), "us")])
def test_of_the_library_as_well(names: tuple[str, ...], originator: str) -> None:
    agreements = [compile_agreement(parse_agreement(library(name), f"{name}.toml"), [], tzdata="x") for name in names]
    flows = Flows(agreements)
    for number, under in enumerate(agreements):
        check(From(flows, originator, number), agreements, under, budget=40_000)


def check(searched: From, agreements: list[Compiled], under: Compiled, budget: int = BUDGET) -> None:
    """Both suppositions reach the same, and what is said to be proven no case refutes, as far as cases were tried."""
    written = {
        name
        for each in agreements
        for each_rule in each.agreement.rules
        for when in (each_rule.when, each_rule.unless)
        if when is not None
        for name in when.__struct_fields__
        if getattr(when, name) is not None
    }
    if any(each_rule.since or each_rule.until for each in agreements for each_rule in each.agreement.rules):
        written.add("days")
    flows, originator = searched.flows, searched.ground.originator
    world = universe(agreements, written, flows.values)
    named = {flows.values.same: "given", flows.values.other: "another"}
    here = {flows.values.other_body: "elsewhere", flows.values.other_nation: "foreign"}
    brute = Enumeration(agreements, originator, world, budget)
    inside = {*under.parties, originator}
    nations = {*under.nations, originator} if under.nations else set(world.nations)

    def at_home(person: Person) -> bool:
        return person.party in inside and person.serves in inside and person.nationality in nations

    for search, consents, own in (
        (searched.nothing, lambda by, _: by != originator, at_home),
        (searched.everything, lambda _by, _for: True, lambda _: True),
    ):
        mine = {
            (here.get(each.body, each.body), each.level, named.get(each.purpose, each.purpose)): search.length(step)
            for each, step in search.arrivals.items()
        }
        found = brute.run(under.id, consents, own, DEPTH)
        assert found.arrivals == {key: length for key, length in mine.items() if length <= found.depth}
    breaches = searched.breaches()[0]
    reached = {here.get(body, body) for breach in breaches for body in (breach.body, *breach.others)}
    for third in {*world.bodies, *(world.nations if under.nations else ())} - inside - nations:
        found = brute.run(
            under.id,
            lambda by, beneficiary, third=third: by != originator or beneficiary != third,  # type: ignore[misc]  # mypy knows no default of a lambda
            lambda person, third=third: third not in {person.party, person.serves, person.nationality},  # type: ignore[misc]  # the same
            DEPTH,
        )
        assert third in reached or third not in found.gained
        assert third in found.gained or third not in reached or not found.whole
