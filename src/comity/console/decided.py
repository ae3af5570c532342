"""Decisions on pages: an outcome in the reader's language, with functions before the pseudonyms it names."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.console.places import agreements
from comity.console.rights import OFFICES
from comity.console.visit import Visit
from comity.decision import model as decision
from comity.decision.wording.articles import is_number
from comity.decision.wording.words import CHECKLISTS
from comity.flows.agreeing.texts import ShowTexts, TextsShown
from comity.flows.deciding.explaining import OutcomeTold, ReasonTold, tell, titles_of
from comity.flows.people.directory import DirectoryShown, ListDirectory


async def directory(visit: Visit) -> list[DirectoryShown]:
    """Every function of every party, for whoever may read the directory; nobody, for anybody else."""
    if not visit.has(*OFFICES):
        return []
    listed: list[DirectoryShown] = await visit.ask("directory.list", ListDirectory())
    return listed


async def functions(visit: Visit) -> dict[str, str]:
    """Functions by pseudonym, so that a page can say who is meant."""
    return {each.pseudonym: each.function for each in await directory(visit)}


def named(sentence: str, known: Mapping[str, str]) -> str:
    """A sentence in which each pseudonym that is known has its function before it."""
    for pseudonym, function in known.items():
        if pseudonym in sentence:
            sentence = sentence.replace(pseudonym, f"{function} ({pseudonym})")
    return sentence


async def _titles(visit: Visit, outcome: decision.Outcome) -> dict[str, str]:
    """What the checklists and the clauses without a number of an outcome are called in the texts that run here."""
    of = {
        each.instrument
        for each in outcome.reasons
        if each.code in CHECKLISTS or (each.clause and not is_number(each.clause))
    }
    found: dict[str, str] = {}
    for each in await agreements(visit) if of else ():
        texts: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=each.relationship))
        instruments: tuple[Agreement | Layer, ...] = (texts.agreement, *texts.layers)
        found = titles_of((one for one in instruments if one.id in of), visit.words.code) | found
    return found


async def told_outcome(visit: Visit, outcome: decision.Outcome) -> OutcomeTold:
    """An outcome in the reader's language."""
    told = tell(outcome, visit.words.code, await _titles(visit, outcome))
    return with_functions(told, await functions(visit))


def with_functions(told: OutcomeTold, known: Mapping[str, str]) -> OutcomeTold:
    """An outcome with functions before the pseudonyms that are known."""
    reasons: tuple[ReasonTold, ...] = tuple(
        msgspec.structs.replace(each, says=named(each.says, known)) for each in told.reasons
    )
    return msgspec.structs.replace(told, reasons=reasons, missing=tuple(named(each, known) for each in told.missing))
