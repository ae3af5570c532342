"""The layers of the library, and the intervals that layers write (``spec/agreement.md`` step 7)."""

from __future__ import annotations

from importlib import resources

import pytest

from comity.agreement.intervals import interval
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Layer
from comity.errors import Rejected

LIBRARY = resources.files("comity.agreements")
TEXT = LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(TEXT, "jp-kr-2016.toml")
EXAMPLES = ("jp-kr-arrangement.example", "jp-domestic.example", "kr-domestic.example")


def layer(name: str) -> Layer:
    return parse_layer(LIBRARY.joinpath(f"{name}.toml").read_text(encoding="utf-8"), name, AGREEMENT)


ARRANGEMENT, JAPAN, KOREA = map(layer, EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_invented_layer_says_so_wherever_it_can_be_cited(name: str) -> None:
    read = layer(name)
    assert name == read.id
    assert "EXAMPLE" in read.header.title.en
    assert "invented" in read.header.title.en
    assert all(clause.heading.en.startswith("Example:") for clause in read.clauses)
    assert {clause.source for clause in read.clauses} == {"invented for Comity"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_clause_of_a_layer_but_its_title_is_cited_by_something(name: str) -> None:
    read = layer(name)
    rows = (*read.rules, *read.obligations, *read.deadlines, *read.preferences, *read.intervals)
    unused = {clause.id for clause in read.clauses} - {row.clause for row in rows}
    assert unused == ({"1"} if read is ARRANGEMENT or name == ARRANGEMENT.id else set())


def test_the_arrangement_has_the_numbers_that_the_agreement_lacks() -> None:
    lacking = {each.id for each in AGREEMENT.obligations if each.within is None or each.within.islower()}
    assert {each.obligation for each in ARRANGEMENT.deadlines} <= lacking


class TestIntervals:
    def test_without_a_text_there_is_no_number(self) -> None:
        assert interval(AGREEMENT, [], "visit-lead", "jp") is None

    def test_what_is_found_cites_the_layer(self) -> None:
        found = interval(AGREEMENT, [ARRANGEMENT], "visit-lead", "kr")
        assert found is not None
        assert (found.length, found.instrument, found.clause, found.provenance) == (
            "P21D",
            "jp-kr-arrangement.example",
            "5.1",
            "P",
        )

    def test_the_strictest_holds_and_a_domestic_layer_binds_its_own_party(self) -> None:
        for party, length in (("kr", "P6M"), ("jp", "P1Y")):
            for layers in ([ARRANGEMENT, KOREA], [KOREA, ARRANGEMENT]):
                found = interval(AGREEMENT, layers, "inventory", party)
                assert found is not None
                assert found.length == length

    def test_of_leads_the_longest_is_the_strictest(self) -> None:
        longer = self.with_interval('of = "visit-lead"\nclause = "1"\nlength = "P2M"')
        found = interval(AGREEMENT, [ARRANGEMENT, longer], "visit-lead", "kr")
        assert found is not None
        assert found.length == "P2M"

    def test_one_on_an_unchecked_clause_gives_way(self) -> None:
        unchecked = parse_agreement(TEXT + '\n[[interval]]\nof = "inventory"\nclause = "14"\nlength = "P1M"\n', "x")
        found = interval(unchecked, [], "inventory", "jp")
        assert found is not None
        assert found.provenance == "K"
        found = interval(unchecked, [ARRANGEMENT], "inventory", "jp")
        assert found is not None
        assert (found.length, found.provenance) == ("P1Y", "P")

    def with_interval(self, row: str, agreed: str = "") -> Layer:
        text = LIBRARY.joinpath("kr-domestic.example.toml").read_text(encoding="utf-8")
        text = text[: text.index("[[interval]]")]
        return parse_layer(f"{text}\n[[interval]]\n{row}\n", "x", parse_agreement(TEXT + agreed, "x"))

    @pytest.mark.parametrize(
        ("of", "agreed", "looser"),
        [
            ("visit-lead", "P20D", "P19D"),
            ("inventory", "P1Y", "P13M"),
            ("keep-names", "P5Y", "P4Y"),
            ("erase-payloads", "P1Y", "P13M"),
        ],
    )
    def test_a_layer_never_loosens_an_agreed_one(self, of: str, agreed: str, looser: str) -> None:
        own = f'\n[[interval]]\nof = "{of}"\nclause = "8"\nlength = "{agreed}"\n'
        with pytest.raises(Rejected, match=f"'{looser}' is looser than the '{agreed}' of 'jp-kr-2016'") as raised:
            self.with_interval(f'of = "{of}"\nclause = "1"\nlength = "{looser}"', own)
        assert raised.value.code == "looser-interval"
        assert self.with_interval(f'of = "{of}"\nclause = "1"\nlength = "{agreed}"', own).intervals

    def test_one_kind_is_written_once_and_in_days_months_or_years(self) -> None:
        row = 'of = "inventory"\nclause = "1"\nlength = "{}"'
        for text, code in (
            (row.format("P1Y") + "\n[[interval]]\n" + row.format("P2Y"), "duplicate-id"),
            (row.format("PT24H"), "bad-duration"),
            (row.format("P1Y").replace("inventory", "inventories"), "unknown-word"),
            (row.format("P1Y").replace('"1"', '"8"'), "cites-agreement"),
        ):
            with pytest.raises(Rejected) as raised:
                self.with_interval(text)
            assert raised.value.code == code
