"""Equivalence as a relation: ``spec/agreement.md`` step 5."""

from __future__ import annotations

from importlib import resources

import pytest

from comity.agreement.equivalence import equivalents, level_of
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement
from comity.errors import Refused, Rejected

TEXT = resources.files("comity").joinpath("agreements", "jp-kr-2016.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(TEXT, "jp-kr-2016.toml")


def changed(old: str, new: str) -> Agreement:
    assert old in TEXT
    return parse_agreement(TEXT.replace(old, new), "x")


@pytest.mark.parametrize(
    ("party", "mark", "to", "marks"),
    [
        ("jp", "極秘", "kr", ("군사 Ⅱ급 비밀",)),
        ("jp", "特定秘密", "kr", ("군사 Ⅱ급 비밀",)),
        ("jp", "秘", "kr", ("군사 Ⅲ급 비밀",)),
        ("kr", "군사 Ⅱ급 비밀", "jp", ("極秘", "特定秘密")),
        ("kr", "군사 Ⅲ급 비밀", "jp", ("秘",)),
        ("jp", "極秘", "jp", ("極秘",)),
    ],
)
def test_the_table_of_article_4_2(party: str, mark: str, to: str, marks: tuple[str, ...]) -> None:
    found = equivalents(AGREEMENT, party, mark, to)
    assert found.marks == marks
    assert found.preferred == (marks[0] if len(marks) == 1 else None)


@pytest.mark.parametrize(("party", "mark"), [("jp", "機密"), ("kr", "군사 Ⅰ급 비밀")])
def test_what_stands_above_the_ceiling_is_refused_by_name(party: str, mark: str) -> None:
    with pytest.raises(Refused, match="above the ceiling") as raised:
        equivalents(AGREEMENT, party, mark, "kr")
    assert (raised.value.code, raised.value.place) == ("above-ceiling", "4.1")


def test_a_mark_that_only_looks_alike_is_told_apart() -> None:
    with pytest.raises(Rejected, match=r"written with 'Ⅱ' \(U\+2161\), not 'II'") as raised:
        level_of(AGREEMENT, "kr", "군사 II급 비밀")
    assert raised.value.code == "unknown-mark"


def test_a_mark_of_the_other_party_is_not_ones_own() -> None:
    with pytest.raises(Rejected, match="'極秘' is not a mark of 'kr'"):
        level_of(AGREEMENT, "kr", "極秘")


def test_without_a_row_there_is_no_equivalent() -> None:
    without = changed('\n[[equivalence]]\nclause = "4.2"\nmarks = { jp = ["秘"], kr = ["군사 Ⅲ급 비밀"] }\n', "\n")
    with pytest.raises(Refused) as raised:
        equivalents(without, "jp", "秘", "kr")
    assert raised.value.code == "no-equivalent"


def test_the_way_back_takes_what_the_file_or_a_layer_prefers() -> None:
    row = 'marks = { jp = ["極秘", "特定秘密"], kr = ["군사 Ⅱ급 비밀"] }'
    preferring = changed(row, row + '\npreferred = { jp = "極秘" }')
    assert equivalents(preferring, "kr", "군사 Ⅱ급 비밀", "jp").preferred == "極秘"
    layer = parse_layer(
        '[layer]\nformat = 1\nid = "law"\nversion = "1"\nkind = "domestic"\ntitle = { en = "x" }\non = "jp-kr-2016"\n'
        'party = "jp"\n[[clause]]\nid = "a"\nheading = { en = "x" }\nsays = "x"\nprovenance = "P"\n'
        '[[preference]]\nclause = "a"\nparty = "jp"\namong = ["特定秘密", "極秘"]\nmark = "特定秘密"\n',
        "law.toml",
        preferring,
    )
    assert equivalents(preferring, "kr", "군사 Ⅱ급 비밀", "jp", [layer]).preferred == "特定秘密"


def test_a_row_with_an_origin_holds_one_way_and_never_lowers() -> None:
    row = 'marks = { jp = ["秘"], kr = ["군사 Ⅲ급 비밀"] }'
    raising = changed(row, 'marks = { jp = ["秘"], kr = ["군사 Ⅱ급 비밀"] }\norigin = "jp"')
    assert equivalents(raising, "jp", "秘", "kr").marks == ("군사 Ⅱ급 비밀",)
    assert equivalents(raising, "kr", "군사 Ⅱ급 비밀", "jp").marks == ("極秘", "特定秘密")
    with pytest.raises(Rejected) as raised:
        changed(row, 'marks = { jp = ["秘"], kr = ["군사 Ⅱ급 비밀"] }\norigin = "kr"')
    assert raised.value.code in {"lower-rank", "mark-twice"}


def test_a_ladder_shared_by_all_corresponds_to_itself() -> None:
    shared = changed(
        '[[equivalence]]\nclause = "4.2"\nmarks = { jp = ["秘"]',
        '[[level]]\nparty = "all"\nmark = "LIMITED"\nrank = 4\nenglish = "LIMITED"\nclause = "4.1"\n'
        '[[equivalence]]\nclause = "4.2"\nmarks = { jp = ["秘"]',
    )
    assert equivalents(shared, "jp", "LIMITED", "kr").marks == ("LIMITED",)
