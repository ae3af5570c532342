"""What is certain of a rule where not everything is known (``spec/agreement.md`` step 6)."""

from __future__ import annotations

import pytest

from agreement.histories import packaged
from comity.agreement.conditions import about_act, about_item, assured_conditions
from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement

RULE = 'id = "assurance-before-giving"\nclause = "7.5"\nacts = ["give"]\n'
ALL = frozenset({"7.5.a", "7.5.b", "7.5.c"})


def changed(rule: str = "", checklist: str = "recipient") -> Agreement:
    text = packaged("jp-kr-2016.toml")
    assert RULE in text
    text = text.replace(RULE, RULE + rule)
    before, listed, after = text.partition('id = "assurance"\n')
    return parse_agreement(before + listed + after.replace('"recipient"', f'"{checklist}"', 1), "x")


def asked(agreement: Agreement, mark: str = "極秘", acting: str = "jp") -> frozenset[str]:
    item = about_item(form="electronic", mark=mark, subject="defence", originator="jp")
    return assured_conditions(agreement, "give", about_act(item, acting))


def test_the_assurance_of_article_7_5_is_asked_of_every_recipient() -> None:
    assert asked(changed()) == ALL


@pytest.mark.parametrize(
    ("rule", "mark", "acting", "wanted"),
    [
        ('when = { level-at-least = "SECRET" }', "極秘", "jp", ALL),
        ('when = { level-at-least = "SECRET" }', "秘", "jp", frozenset()),
        ('when = { holder = "recipient" }', "極秘", "jp", frozenset()),
        ('when = { holder = "recipient" }', "極秘", "kr", ALL),
        ('unless = { acting = ["jp"] }', "極秘", "jp", frozenset()),
        ('when = { employer = "contractor" }', "極秘", "jp", frozenset()),
        ('since = "2030-01-01T00:00Z"', "極秘", "jp", frozenset()),
        ('provenance = "K"', "極秘", "jp", frozenset()),
    ],
)
def test_only_where_it_is_certain_that_the_rule_asks_it(
    rule: str, mark: str, acting: str, wanted: frozenset[str]
) -> None:
    assert asked(changed(f"{rule}\n"), mark, acting) == wanted


@pytest.mark.parametrize("attester", ["originator", "either"])
def test_what_whoever_gives_may_attest_is_not_asked_of_who_receives(attester: str) -> None:
    assert asked(changed(checklist=attester)) == frozenset()
