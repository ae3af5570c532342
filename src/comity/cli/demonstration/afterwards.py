"""The scene of what happens to information after it has crossed, and of how much of it both sides see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from comity.cli.demonstration.cast import House
from comity.cli.demonstration.screen import Screen
from comity.decision.model import Outcome
from comity.flows.actors import Actor
from comity.flows.consenting.passing_on import AskPassOn, PassOnTold
from comity.flows.deciding.explaining import tell
from comity.flows.deriving.derivation import Derive, DerivedItem
from comity.flows.ending.destruction import Destroy, Destruction
from comity.flows.ending.levels import Reclassification, Reclassify
from comity.flows.incidents.reporting import IncidentTold, ReportIncident
from comity.flows.looking.duties import DutiesShown, ListDuties
from comity.flows.looking.given import GivenItem, ShowGiven

T = TypeVar("T")
Wait = Callable[[Callable[[], T], str], T]
TRANSLATED = "레이더가 본 것\n"
LOWER = "秘"
ABROAD = "age1q73he0q5yzfu3d64msd3p6rvksnrwjk3d2598mgtmlqt9wrdr37q2vrn72"
"""The age recipient of an embassy that has no Comity."""


class Afterwards:
    """What Seoul does with one item, and what Tokyo sees of it."""

    def __init__(self, jp: House, kr: House, folder: Path, screen: Screen, wait: Wait[GivenItem]) -> None:
        self.jp = jp
        self.kr = kr
        self.folder = folder
        self.screen = screen
        self.wait = wait

    def play(self, item: str, purpose: str) -> None:
        """Translate it, try to pass it on, lower it, report a doubt, destroy it."""
        kim = Actor("kim")
        path = self.folder / "translation.txt"
        path.write_text(TRANSLATED, encoding="utf-8")
        made: DerivedItem = self.kr.ask(
            Derive(path=str(path), relation="translation", ancestors=(item,), purpose=purpose, actor=kim, language="ko")
        )
        assert made.banner is not None
        self.screen.names[made.item] = "the translation"
        self.screen.say("Kim, who is cleared, translates it (Article 15). The translation carries:")
        self.screen.banner(made.banner.text())

        tried: PassOnTold = self.kr.ask(
            AskPassOn(
                item=item,
                copy=1,
                beneficiary="us",
                beneficiary_kind="government",
                recipient=ABROAD,
                purpose=purpose,
                actor=kim,
            )
        )
        assert isinstance(tried.decision, Outcome)
        self.screen.refusal("Kim passes her copy on to an embassy, without asking Tokyo", tell(tried.decision))

        lowered: Reclassification = self.jp.ask(
            Reclassify(item=item, mark=LOWER, reason="the season is over", actor=Actor("abe"))
        )
        assert lowered.change
        self._seen(item, lambda given: not given.pending and len(given.copies) > 1, "the marks to change in Seoul")
        self.screen.say(
            f"Tokyo, Abe lowers it to {LOWER} (Article 6.g). Seoul re-marked copy and translation, by record."
        )

        told: IncidentTold = self.kr.ask(
            ReportIncident(
                items=(item,), what="suspected", circumstances="the reading room stood open overnight", actor=kim
            )
        )
        self.screen.say(
            f"Kim reports that it may have been seen (Article 17): {told.copies} copies of {told.items} items are "
            "affected, Tokyo is told at once."
        )
        burnt: Destruction = self.kr.ask(
            Destroy(item=item, copy=1, method="erase-key", reason="no longer needed", actor=kim)
        )
        assert burnt.certificate is not None
        self.screen.say(f"Kim destroys her copy (Articles 6.h, 13): certificate {burnt.certificate.certificate}.")
        self._what_tokyo_sees(item)

    def _what_tokyo_sees(self, item: str) -> None:
        given = self._seen(item, lambda given: given.states.get("destroyed") == 1, "the certificate to cross")
        self.screen.say("In Tokyo, of what it gave:")
        for copy in given.copies:
            what = "the translation, " if copy.item != item else ""
            self.screen.fact(f"copy {copy.number}", f"{what}{copy.state}, {copy.function}, marked {copy.mark}")
        duties: DutiesShown = self.jp.ask(ListDuties(whose="theirs", item=item))
        for duty in duties.duties:
            if duty.discharged is not None:
                continue
            self.screen.fact(f"Article {duty.clause}", f"{duty.who} owes: {duty.says}")

    def _seen(self, item: str, enough: Callable[[GivenItem], bool], what: str) -> GivenItem:
        def look() -> GivenItem | None:
            given: GivenItem = self.jp.ask(ShowGiven(item=item))[0]
            return given if enough(given) else None

        return self.wait(look, what)  # type: ignore[arg-type]  # it waits until there is something
