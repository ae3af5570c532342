"""How a text came about, told from its negotiation (``spec/lifecycle.md`` step 18)."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

import pytest

from agreement.histories import ZONES
from comity.agreement.load import parse_agreement
from comity.agreement.load_history import parse_history
from comity.agreement.recounted import Told, recounted
from comity.agreement.term import Chronicle
from comity.errors import Rejected

TEXT = resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(
    TEXT.replace('signed = "2016-11-23"\n', "").replace('in-force = "2016-11-23"\n', ""), "text"
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


STORY = [
    Told("draft", "jp", at("2016-11-01T01:00"), "", "jp proposed jp-1"),
    Told("initials", "jp", at("2016-11-14T01:00"), "", "jp initialled jp-1"),
    Told("approval", "kr", at("2016-11-22T09:00"), "2016-11-22", "kr approved jp-1 at home"),
    Told("postponement", "kr", at("2016-11-22T10:00"), "", "the Assembly is to be heard first"),
    Told("signature", "jp", at("2016-11-22T16:00"), "", "jp signed jp-1"),
    Told("entry-note", "kr", at("2016-11-23T02:00"), "2016-11-23", "kr gave its note"),
    Told("signature", "kr", at("2016-11-23T01:00"), "", "kr signed jp-1"),
    Told("exchange", "jp", at("2016-11-23T01:01"), "", "jp knows of both signatures"),
    Told("entry-note", "jp", at("2016-11-24T02:00"), "2016-11-24", "jp gave its note"),
]


def test_what_was_signed_enters_into_force_by_its_own_rule() -> None:
    history = parse_history(recounted(AGREEMENT, STORY, ["jp", "kr"], ZONES), "told", AGREEMENT, ZONES)
    kinds = [dated.event.kind for dated in history.events]
    assert kinds == ["draft", "draft", "approval", "signature-called-off", "signature", "entry-note", "entry-note"]
    assert history.events[4].event.when == "2016-11-23"  # the later of two signatures, on the day in Seoul
    chronicle = Chronicle(AGREEMENT, history, ZONES)
    assert not chronicle.status(at("2016-11-23T05:00")).in_force
    assert chronicle.status(at("2016-11-24T05:00")).in_force  # on the later of the two notes


@pytest.mark.parametrize("ending", ["postponement", "withdrawal"])
def test_what_was_not_signed_is_told_as_called_off(ending: str) -> None:
    told = [*STORY[:3], Told(ending, "kr", at("2016-11-22T10:00"), "", "no")]  # type: ignore[arg-type]  # a move
    chronicle = Chronicle(
        AGREEMENT, parse_history(recounted(AGREEMENT, told, [], ZONES), "told", AGREEMENT, ZONES), ZONES
    )
    status = chronicle.status(at("2016-12-01T00:00"))
    assert {reading.phase for reading in status.readings} == {"not-signed"}


def test_a_note_before_the_signature_is_a_contradiction_there_too() -> None:
    told = [*STORY[:3], Told("entry-note", "kr", at("2016-11-23T02:00"), "2016-11-23", "kr gave its note")]
    text = recounted(AGREEMENT, told, [], ZONES)
    with pytest.raises(Rejected, match="entry-note"):
        parse_history(text, "told", AGREEMENT, ZONES) and Chronicle(
            AGREEMENT, parse_history(text, "told", AGREEMENT, ZONES), ZONES
        )
