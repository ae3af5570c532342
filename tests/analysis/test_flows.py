"""How far information gets: counter-examples, proofs, what is refused (``spec/analysis.md`` steps 14 to 20)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from analysis.test_flows_exhaustively import models
from analysis.texts import ALL_ACTS, agreement_text, equivalence, level, library, rule
from comity.agreement.load import parse_agreement
from comity.analysis.flows import Answer, Breach, Flows
from comity.analysis.kinds import Chosen
from comity.analysis.telling import Passage, Path
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.decide import decide
from comity.decision.model import Item, Permit
from comity.errors import Misuse

INSIDE = 'beneficiary = ["party"]'
GIVE = rule("give", ["give"], "permits = true", INSIDE)
PASS_ON = rule("on", ["pass-on"], "permits = true")
ASKED = rule("asked", ALL_ACTS, 'consent = "originator"', 'beneficiary = ["third-party", "third-national"]')
USE = rule("use", ["open", "hand-over", "copy", "translate", "extract"], "permits = true", INSIDE)


def compiled(text: str, file: str = "small.toml") -> Compiled:
    return compile_agreement(parse_agreement(text, file), [], tzdata="x")


def answer(*texts: str, of: str = "a", chosen: Chosen = Chosen()) -> Answer:  # noqa: B008 - it is frozen
    agreements = [compiled(text) for text in texts]
    found = Flows(agreements).answer(of, chosen)
    for path in paths(found):
        replay(path, agreements)
    return found


def paths(found: Answer) -> Iterator[Path]:
    for each in (*found.breaches, *found.reaches):
        yield each.path


def line(item: Item) -> list[Item]:
    return [item, *(each for above in item.lineage for each in line(above))]


def replay(path: Path, agreements: list[Compiled]) -> None:
    """Every step is a permit by ``decide`` itself, and what is held after one step is what the next is about."""
    known = {each.id: each for each in agreements}
    before: Passage | None = None
    for number, passage in enumerate(path, start=1):
        item = passage.case.item
        beside = [known[name] for name in {each.agreement for each in line(item)} - {item.agreement}]
        assert isinstance(decide(known[item.agreement], passage.case, beside), Permit)
        assert (passage.number, passage.by) == (number, passage.case.acting)
        if before is None:
            assert item.lineage == ()
        else:
            assert passage.by == before.body
            assert (item.lineage[0] if before.made else replaced(item, before)) == before.case.item
        before = passage


def replaced(item: Item, before: Passage) -> Item:
    """The item as it was marked before."""
    from msgspec.structs import replace

    return replace(item, label=before.case.item.label)


def steps(breach: Breach) -> list[str]:
    return [f"{each.by} {each.act} {each.body}" for each in breach.path]


# ---- counter-examples and proofs ------------------------------------------------------------------------------------


UNTIL, SINCE = 'until = "2028-01-01T00:00Z"', 'since = "2028-01-01T00:00Z"'


def dated(act: str, days: str) -> str:
    return rule(act, [act], f"permits = true\n{days}", 'beneficiary = ["party"]' if act == "give" else 'acting = ["b"]')


@pytest.mark.parametrize(
    ("rules", "proven"),
    [
        pytest.param((GIVE, PASS_ON, f"{ASKED}{SINCE}\n"), False, id="consent is asked from a day on"),
        pytest.param((GIVE, PASS_ON, f"{ASKED}{UNTIL}\n"), False, id="consent is asked until a day"),
        pytest.param((GIVE, dated("pass-on", UNTIL)), False, id="a permit that ends"),
        pytest.param((dated("give", UNTIL), dated("pass-on", SINCE)), False, id="one after another"),
        pytest.param((dated("give", SINCE), dated("pass-on", UNTIL)), True, id="never one after another"),
    ],
)
def test_rules_with_days_are_followed_through_all_their_times(rules: tuple[str, ...], proven: bool) -> None:
    found = answer(agreement_text(*rules))
    assert found.proven == proven
    for each in found.breaches:
        instants = [passage.case.at for passage in each.path]
        assert instants == sorted(instants)
        assert all(passage.after or passage.before for passage in each.path)


def test_what_may_be_passed_on_unasked_reaches_a_third_party() -> None:
    found = answer(agreement_text(GIVE, PASS_ON))
    (breach,) = found.breaches
    assert not found.proven
    assert steps(breach) == ["a give b", "b pass-on another-body"]
    assert (breach.got, breach.consents) == ("party", False)
    assert not [each for passage in breach.path for each in passage.case.facts.consents if each.by == "a" != passage.by]


def test_nothing_reaches_a_third_party_where_the_originator_is_asked() -> None:
    found = answer(agreement_text(GIVE, PASS_ON, ASKED))
    assert found.proven
    assert [(each.body, each.consent) for each in found.reaches] == [("another-body", True)] * 2 + [("b", False)] * 2


def test_who_serves_two_organisations_hands_over() -> None:
    people = rule("people", ["hand-over"], "permits = true")
    (breach,) = answer(agreement_text(GIVE, people)).breaches
    assert steps(breach) == ["a give b", "b hand-over another-body"]
    assert breach.got == "serves"
    assert (breach.path[1].person.party, breach.path[1].person.serves) == ("b", "another-body")


def test_a_national_of_a_third_state_is_one() -> None:
    only_parties = rule("give", ["give"], "permits = true", 'beneficiary = ["party"]')
    opened = rule("open", ["open"], "permits = true", 'serves = ["a", "b"], recipient = ["a", "b"]')
    (breach,) = answer(agreement_text(only_parties, opened, nations=True)).breaches
    assert (breach.body, breach.got) == ("another-state", "nation")
    assert answer(agreement_text(only_parties, opened)).proven


def test_consent_to_something_else_is_none_to_a_third_party() -> None:
    """The originator consents that the mark is taken away; whoever gets it then is not asked about."""
    classified = rule("classified", ["pass-on"], "forbids = true", 'level-at-least = "SECRET"')
    anew = rule("anew", ["reclassify"], "permits = true", INSIDE)
    asked = rule("asked", ["reclassify"], 'consent = "originator"')
    found = answer(agreement_text(GIVE, PASS_ON, classified, anew, asked))
    (breach,) = found.breaches
    assert steps(breach) == ["a give b", "b reclassify b", "b pass-on another-body"]
    assert breach.consents
    assert [(each.by, each.beneficiary) for each in breach.path[1].consents] == [("a", "b")]
    assert {each.beneficiary for each in breach.path[1].case.facts.consents if each.by == "a"} >= {"b"}
    assert not {each.beneficiary for each in breach.path[2].case.facts.consents if each.by == "a"} & {breach.body}
    assert answer(agreement_text(GIVE, PASS_ON, classified, anew, asked, ASKED.replace('"asked"', '"all"'))).proven


# ---- what is made, and hubs -----------------------------------------------------------------------------------------


HUB = agreement_text(
    GIVE,
    USE,
    name="hub",
    parties=("b", "c"),
    levels=level("b", "HIDDEN", 1) + level("c", "HIDDEN", 1) + equivalence({"b": ["B HIDDEN"], "c": ["C HIDDEN"]}),
)
ANYBODY = rule("anybody", ["give"], "permits = true")


@pytest.mark.parametrize(("act", "made"), [("translate", "translation"), ("extract", "extract"), ("copy", "copy")])
def test_what_is_made_at_a_hub_carries_what_it_came_from(act: str, made: str) -> None:
    """It is given on there under other marks, unless the first agreement has something to say about that."""
    makes = rule("make", [act], "permits = true", INSIDE)

    def at_c(found: Answer) -> list[tuple[bool, list[str], str, str, tuple[tuple[str, str], ...]]]:
        return [
            (each.consent, [one.act for one in each.path], each.path[1].made, each.path[1].made_under, each.marks)
            for each in found.reaches
            if (each.body, each.level, each.purpose) == ("c", "HIDDEN", "the-purpose-it-was-given-for")
        ]

    free = answer(agreement_text(ANYBODY, makes), HUB)
    assert "c" in {body for each in free.breaches for body in (each.body, *each.others)}
    assert at_c(free) == [(False, ["give", act, "give"], made, "hub", (("c", "C HIDDEN"),))]
    asked = answer(agreement_text(ANYBODY, makes, ASKED), HUB)
    assert asked.proven
    assert at_c(asked) == [(True, ["give", act, "give"], made, "hub", (("c", "C HIDDEN"),))]
    closed = answer(agreement_text(GIVE, makes), HUB)
    assert closed.proven
    assert {each.body for each in closed.reaches} == {"b"}


def test_a_mark_goes_down_by_an_extract_only() -> None:
    levels = "".join(level(each, "LOW", 1) + level(each, "HIGH", 2) for each in ("a", "b"))
    levels += equivalence({"a": ["A LOW"], "b": ["B LOW"]}) + equivalence({"a": ["A HIGH"], "b": ["B HIGH"]})

    def levels_at_b(made: str) -> set[str]:
        text = agreement_text(GIVE, rule("make", [made], "permits = true", INSIDE), levels=levels)
        return {each.level for each in answer(text, chosen=Chosen(mark="A HIGH")).reaches if each.body == "b"}

    assert levels_at_b("extract") == {"HIGH", "LOW"}
    assert levels_at_b("translate") == {"HIGH"}
    assert levels_at_b("copy") == {"HIGH"}


def test_whoever_may_mark_anew_may_take_the_mark_away() -> None:
    classified = rule("classified", ["pass-on"], "forbids = true", 'level-at-least = "SECRET"')
    anew = rule("anew", ["reclassify"], "permits = true", INSIDE)
    (breach,) = answer(agreement_text(GIVE, PASS_ON, classified, anew)).breaches
    assert [each.act for each in breach.path] == ["give", "reclassify", "pass-on"]
    assert [(each.mark, each.marked) for each in breach.path] == [("A SECRET", "A SECRET"), ("A SECRET", ""), ("", "")]
    held = rule("anew", ["reclassify"], "permits = true", 'holder = "originator"')
    assert answer(agreement_text(GIVE, PASS_ON, classified, held)).proven


def test_what_comes_from_a_body_that_is_no_party_needs_that_body() -> None:
    """A radar of z's that stands in a: its information is held by both parties, and z is asked."""
    of_z = rule("of-z", ["give", "pass-on"], 'consent = "originator"', 'originator = ["z"]')
    body = '[[body]]\nid = "z"\nname = { en = "z" }\n'
    give = rule("give", ["give"], "permits = true", INSIDE)
    found = answer(agreement_text(give, of_z, body), of="z")
    assert found.proven
    assert {(each.body, each.consent) for each in found.reaches} == {("a", True), ("b", True)}


def test_another_purpose_is_asked_about() -> None:
    other = rule("other", ["give", "pass-on"], 'consent = "originator"', "other-purpose = true")
    to_b = rule("to-b", ["pass-on"], "permits = true", INSIDE)
    found = answer(agreement_text(GIVE, to_b, other))
    assert [(each.body, each.purpose, each.consent) for each in found.reaches] == [
        ("b", "another-purpose", True),
        ("b", "the-purpose-it-was-given-for", False),
    ]


# ---- the library ----------------------------------------------------------------------------------------------------


def test_three_parties_of_the_library_are_never_reached_past() -> None:
    names = ("jp-kr-2016", "tisa-2014", "jp-us-2007", "us-kr-1987")
    flows = Flows([compiled(library(name), f"{name}.toml") for name in names])
    agreements = [lens.compiled for lens in flows.lenses]
    for originator in ("jp", "kr", "us"):
        found = flows.answer(originator)
        assert found.proven
        assert {each.body for each in found.reaches} == {"jp", "kr", "us", "another-body"} - {originator}
        for path in paths(found):
            replay(path, agreements)


def test_what_one_agreement_guards_a_hub_cannot_give_away() -> None:
    """Without the clause on third parties of 2016, what Japan gives to Seoul reaches Washington."""
    text = library("jp-kr-2016")
    start = text.index('[[rule]]\nid = "third-party"')
    without = text[:start] + text[text.index("[[", start + 2) :]
    found = answer(without, library("us-kr-1987"), of="jp", chosen=Chosen(mark="極秘"))
    assert "us" in {body for each in found.breaches for body in (each.body, *each.others)}


@pytest.mark.parametrize(
    ("mark", "reached"),
    [
        ("TLP:RED", set()),
        ("TLP:AMBER+STRICT", set()),
        ("TLP:AMBER", {"utility"}),
        ("TLP:GREEN", {"team-gamma", "utility"}),
        ("TLP:CLEAR", {"team-gamma", "utility", "hospital", "newspaper", "another-body"}),
    ],
)
def test_each_colour_goes_as_far_as_it_says(mark: str, reached: set[str]) -> None:
    """To the receiving organisation's clients, to the community, to everybody: and nobody else unasked."""
    found = answer(library("csirt-tlp.example"), of="alpha", chosen=Chosen(mark=mark))
    assert {body for each in found.breaches for body in (each.body, *each.others)} == reached


def test_what_stands_against_a_step_on_an_unchecked_clause_only_is_told() -> None:
    found = answer(library("nato-style.example"), of="member", chosen=Chosen(mark="NATO SECRET"))
    assert [each.body for each in found.breaches] == ["partner"]
    assert found.breaches[0].path[-1].warned == (("nato-style.example", "originator"),)


# ---- every path is decided again ------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(models())
def test_every_path_that_is_told_replays(agreements: list[Compiled]) -> None:
    flows = Flows(agreements)
    for originator in flows.originators:
        found = flows.answer(originator)
        assert found.proven == (not found.breaches)
        for path in paths(found):
            replay(path, agreements)


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_nobody_of_that_name() -> None:
    with pytest.raises(Misuse, match="'zz'; there are a, b") as raised:
        answer(agreement_text(GIVE), of="zz")
    assert raised.value.code == "unknown-party"


def test_nothing_fits_what_was_fixed() -> None:
    with pytest.raises(Misuse, match="fits") as raised:
        answer(agreement_text(GIVE), chosen=Chosen(mark="B SECRET"))
    assert raised.value.code == "nothing-to-follow"


def test_too_many_kinds_of_people_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.analysis.persons.PEOPLE_MAX", 8)
    with pytest.raises(Misuse, match="9 kinds of people") as raised:
        answer(agreement_text(GIVE))
    assert raised.value.code == "too-many-people"


def test_too_many_holdings_are_refused_and_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.analysis.search.HOLDINGS_MAX", 2)
    with pytest.raises(Misuse, match="more than 2 kinds of holdings") as raised:
        answer(agreement_text(GIVE, PASS_ON, USE))
    assert raised.value.code == "too-many-holdings"


def test_too_many_sorts_of_categories_are_refused() -> None:
    def listed(*words: str) -> str:
        return f"category = {list(words)!r}".replace("'", '"')

    names = [f"c{number}" for number in range(12)]
    together = rule("together", ["open"], "permits = true", listed(*names))
    assert not answer(agreement_text(GIVE, together)).proven
    each = [rule(f"rule-{name}", ["open"], "permits = true", listed(name)) for name in names]
    with pytest.raises(Misuse, match="12 sorts of categories") as raised:
        answer(agreement_text(GIVE, *each))
    assert raised.value.code == "too-many-categories"


@pytest.mark.parametrize("act", ["extract", "translate"])
def test_an_extract_is_marked_down_after_it_was_given_on(act: str) -> None:
    """What the hub may not give at its low mark it gives at the high one; who receives it there marks it down."""

    def levels(parties: tuple[str, str], low: str, high: str) -> str:
        return "".join(
            "".join(level(each, english, rank, mark=f"{each.upper()} {rank}") for each in parties)
            + equivalence({each: [f"{each.upper()} {rank}"] for each in parties})
            for rank, english in ((1, low), (2, high))
        )

    body = '[[body]]\nid = "c"\nname = { en = "c" }\n'
    free = rule("free", ["give"], "permits = true")
    by_b = rule("by-b", ["copy", act], "permits = true", 'recipient = ["b"], serves = ["b"]')
    by_c = rule("by-c", ["open", "reclassify"], "permits = true", 'recipient = ["c"]')
    low = rule("low", ["give"], "forbids = true", 'level = ["B 1"]')
    first = agreement_text(free, by_b, by_c, body, levels=levels(("a", "b"), "LOW", "HIGH"))
    ladders = levels(("b", "c"), "LOWER", "HIGHER")
    second = agreement_text(free, by_b, by_c, low, name="hub", parties=("b", "c"), levels=ladders)
    found = answer(first, second, chosen=Chosen(mark="A 2"))
    ways = [[one.act for one in each.path] for each in found.reaches if (each.body, each.level) == ("c", "LOWER")]
    assert ways == ([["give", "extract", "give", "reclassify", "open"]] * 2 if act == "extract" else [])
