"""The library: every agreement file that comes with Comity is shown by cases that would come out otherwise without it.

Beside this file stands, for each agreement, ``NAME.cases.toml``: what is expected of gives, openings, refusals, copies,
translations, destructions and passing on. Nothing of the file may be deleted without one of them noticing: no rule, no
checklist or condition of one, no duty, no route, no borrowed protection, no list of the scope. The agreement of 2016
has tests of its own for that (``tests/articles``).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec
import pytest

from agreements.without import without_thing
from comity.agreement.model import Agreement as Text
from comity.agreement.model import Rule
from comity.api import Agreement, agreements_of_library, library

FOLDER = Path(__file__).parent
TRANSCRIPTS = FOLDER.parent / "transcripts"
NAMES = [name for name in agreements_of_library() if name != "jp-kr-2016"]
CASES_MIN = 12

APART = {
    "at-fi-2017": {
        "rule top-secret-copies": {"copy-top-secret", "translate-top-secret"},
        "rule top-secret-destruction": {"destroy-top-secret"},
        "rule cleared": {"open-secret-without-clearance", "open-top-secret-too-high"},
    },
    "combined-command.example": {
        "rule nations": {"to-somebody-in-its-ranks-who-serves-the-ally", "opened-by-whoever-serves-the-ally"},
        "rule two-of-the-command": {"of-the-command"},
    },
    "csirt-tlp.example": {
        "rule red": {"red-to-anybody", "red-with-permission"},
        "rule red-stays-with-whom-it-was-given": {"copy-red", "extract-from-red", "hand-red-over"},
        "rule amber-strict": {"strict-to-a-client"},
        "rule amber": {"amber-to-another-team-s-client", "amber-to-the-community"},
        "rule green": {"green-to-the-press"},
    },
    "eu-style.example": {
        "rule assessed-before": {"release-before-an-assessment", "release-to-who-assessed-himself"},
        "rule decided-where-it-originated": {"release-decided-elsewhere", "release-decided-by-who-asks"},
        "rule assured-in-writing": {"release-without-assurance", "release-half-assured"},
        "rule authorised-destruction": {"destroy-secret"},
    },
    "hospital-cohort.example": {
        "rule ethics-approval-before-giving": {"give-before-the-ethics-approval", "give-when-the-approval-has-ended"},
        "rule pseudonymised": {"give-what-nobody-attested-pseudonymised", "give-with-its-key"},
        "rule not-sent-back": {"send-back"},
        "rule nobody-else": {"pass-on-with-consent", "give-to-somebody-of-the-sponsor"},
        "rule withdrawn": {"open-what-was-withdrawn", "use-a-table-made-from-it"},
        "scope.purposes": {"use-for-something-else"},
    },
    "jp-us-2007": {"rule qualified-persons": {"open-by-somebody-on-no-list", "open-by-somebody-cleared-too-low"}},
    "nato-style.example": {
        "rule through-registries": {
            "give-past-the-sub-registry",
            "give-to-a-desk",
            "hand-over-to-whom-it-does-not-serve",
            "hand-over-from-desk-to-desk",
        },
        "rule two-persons": {"destroy-cosmic-alone"},
    },
    "tisa-2014": {
        "[route]": {"tokyo-to-seoul-directly", "seoul-to-tokyo-directly"},
        "rule approval-of-the-item": {
            "washington-to-seoul-of-a-japanese-item",
            "washington-to-seoul-with-an-approval-for-all-of-its-kind",
            "a-radar-of-the-united-states-in-japan",
        },
        "protection-basis us-kr-1987": {"without-the-agreement-of-1987"},
        "protection-basis jp-us-2007": {"without-the-agreement-of-2007"},
        "scope.purposes": {"for-another-purpose", "used-for-another-purpose"},
        "scope.forms": {"equipment"},
    },
    "us-kr-1987": {"rule as-ones-own": {"open-without-clearance", "open-without-need", "open-top-secret"}},
    "warning-data-2023": {
        "rule feed": {"tokyo-to-seoul", "seoul-to-tokyo", "washington-to-seoul", "at-the-lower-level"},
        "rule read": {"read-in-seoul"},
        "scope.purposes": {"for-another-purpose", "used-for-another-purpose"},
        "scope.forms": {"on-paper"},
    },
}
"""What sets each agreement apart, and cases that turn red without it."""


def cases_of(name: str) -> Path:
    return FOLDER / f"{name}.cases.toml"


@cache
def loaded(name: str) -> Agreement:
    return Agreement.load(name)


def test_every_agreement_of_the_library_has_its_cases() -> None:
    assert sorted(APART) == sorted(NAMES)
    books = {path.name.removesuffix(".cases.toml") for path in FOLDER.glob("*.cases.toml")}
    assert set(NAMES) <= books <= set(library())


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_come_out_as_expected_and_nothing_could_be_deleted_unnoticed(name: str) -> None:
    trial = loaded(name).try_cases(cases_of(name), thorough=True)
    assert [line.differs for line in trial.lines if not line.agrees] == []
    assert trial.unnoticed == ()
    assert sum(line.expected != "duties" for line in trial.lines) >= CASES_MIN
    acts = {line.act for line in trial.lines}
    assert {"give", "open", "pass-on", "destroy"} <= acts
    assert {"permit", "needs-consent"} <= {line.found for line in trial.lines}
    assert {"no-basis", "forbidden"} & {line.found for line in trial.lines}


@pytest.mark.parametrize("name", NAMES)
def test_two_houses_use_it_and_meet_what_sets_it_apart(name: str) -> None:
    """Its transcript gives, opens and is refused, by a clause of a rule that no other agreement has so."""
    text = (TRANSCRIPTS / f"library-{name.removesuffix('.example')}.txt").read_text(encoding="utf-8")
    assert f"comity agreement adopt {name} --with" in text
    assert {"give", "open"} <= set(re.findall(r"\$ comity ([a-z-]+) ", text))
    assert "[exit 3]" in text
    said = {f"{clause} of {name}" for clause in clauses_apart(name)}
    assert [each for each in said if each in " ".join(text.split())]


def clauses_apart(name: str) -> set[str]:
    text = loaded(name).file
    apart = {what.removeprefix("rule ") for what in APART[name]}
    others = [text.scope] if any(what.startswith("scope.") for what in apart) else []
    cited = {rule.clause for rule in text.rules if rule.id in apart} | {each.clause for each in others}
    return cited | {each.clause for each in text.protection_bases}


@pytest.mark.parametrize("name", [name for name in library() if cases_of(name).exists() and name not in NAMES])
def test_a_layer_of_the_library_comes_out_as_expected(name: str) -> None:
    agreement = next(each for each in NAMES if f'agreement = "{each}"' in cases_of(name).read_text(encoding="utf-8"))
    trial = Agreement.load(agreement, layers=[name]).try_cases(cases_of(name))
    assert [line.differs for line in trial.lines if not line.agrees] == []
    without = loaded(agreement).try_cases(cases_of(name).with_name(f"{agreement}.cases.toml"))
    assert without.agrees


@pytest.mark.parametrize(("name", "what"), [(name, what) for name, each in APART.items() for what in each])
def test_without_what_sets_it_apart_its_cases_turn_red(name: str, what: str, tmp_path: Path) -> None:
    shorter = tmp_path / f"{name}.toml"
    shorter.write_text(without_thing(name, what), encoding="utf-8")
    trial = Agreement.load(shorter).try_cases(cases_of(name))
    red = {line.case for line in trial.lines if not line.agrees}
    assert APART[name][what] <= red


def provenance_of(text: Text, rule: Rule) -> str:
    return rule.provenance or next(clause.provenance for clause in text.clauses if clause.id == rule.clause)


def with_rules(name: str, rules: tuple[Rule, ...]) -> Agreement:
    """An agreement of the library as if it had other rules; whoever has acknowledged it has acknowledged these."""
    whole = loaded(name)
    return Agreement(msgspec.structs.replace(whole.file, rules=rules), (), whole.history)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_checked_never_refuses_and_never_permits(name: str) -> None:
    """Without all rules on K clauses every outcome is the same, and no K clause is what one rests on."""
    text = loaded(name).file
    checked = tuple(rule for rule in text.rules if provenance_of(text, rule) != "K")
    full = loaded(name).try_cases(cases_of(name)).lines
    shorter = with_rules(name, checked).try_cases(cases_of(name)).lines
    assert [(line.case, line.found) for line in full] == [(line.case, line.found) for line in shorter]
    unchecked = {clause.id for clause in text.clauses if clause.provenance == "K"}
    assert [line.case for line in full if line.expected != "duties" and unchecked & set(line.rests_on)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_checked_clause_says_where_it_was_read(name: str) -> None:
    text = loaded(name).file
    assert [clause.id for clause in text.clauses if clause.provenance in {"P", "S"} and not clause.source] == []


@pytest.mark.parametrize("name", NAMES)
def test_without_rules_nothing_has_a_basis(name: str) -> None:
    lines = with_rules(name, ()).try_cases(cases_of(name)).lines
    found = {line.found for line in lines if line.expected != "duties"}
    assert "no-basis" in found
    assert found <= {"no-basis", "forbidden"}
