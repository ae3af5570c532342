"""What the ledger's page draws: our ledger and theirs, and at once whether both sides agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from comity.console.languages import Language
from comity.console.pictures import ledgers
from comity.console.pictures.drawing import Names
from comity.flows.looking.ledgers import LedgerPair
from comity.flows.vouching.contradictions import ContradictionShown

What = Literal["written", "delivered", "witnessed"]


def verdict_of(pair: LedgerPair, contradictions: Sequence[ContradictionShown]) -> ledgers.Verdict:
    """Whether both sides agree, something is on its way, or somebody signed what cannot be true."""
    if any(each.relationship == pair.relationship and not each.settled for each in contradictions):
        return "contradiction"
    waiting = pair.ours.size - (pair.ours.witnessed or 0)
    coming = (pair.announced or 0) - pair.theirs.size
    return "waiting" if waiting > 0 or coming > 0 else "agree"


def verdict_words(pair: LedgerPair, verdict: ledgers.Verdict, words: Language) -> str:
    """The same as a sentence."""
    if verdict == "contradiction":
        return words.say("Something that was signed does not fit: see the contradictions below")
    if verdict == "agree":
        return words.say("Both sides agree: each has cosigned everything that the other wrote")
    tail = pair.ours.size - (pair.ours.witnessed or 0)
    if tail <= 0:
        return words.say("Records of theirs are on their way; up to there both sides agree")
    return words.count(
        "%(num)s record of ours is not witnessed yet; up to there both sides agree",
        "%(num)s records of ours are not witnessed yet; up to there both sides agree",
        tail,
    )


def draw_ledgers(
    pair: LedgerPair, called: dict[str, str], ours: str, verdict: ledgers.Verdict, words: Language
) -> Markup:
    """The picture of a pair."""
    mine: dict[What, int] = {"written": pair.ours.size}
    if pair.ours.delivered is not None:
        mine["delivered"] = min(pair.ours.delivered, pair.ours.size)
    if pair.ours.witnessed:
        mine["witnessed"] = pair.ours.witnessed
    other: dict[What, int] = {"written": max(pair.announced or 0, pair.theirs.size), "delivered": pair.theirs.size}
    if pair.announced is not None and pair.theirs.size >= pair.announced:
        other["witnessed"] = pair.announced
    title = words.say(
        "Ledgers of %(ours)s and of %(theirs)s under %(relationship)s",
        ours=called.get(ours, ours),
        theirs=called.get(pair.peer, pair.peer),
        relationship=pair.relationship,
    )
    tell: dict[What, str] = {
        "written": words.say("written"),
        "delivered": words.say("delivered"),
        "witnessed": words.say("cosigned"),
    }
    sentence = verdict_words(pair, verdict, words)
    return ledgers.ledgers(
        ledgers.Ledger(called.get(ours, ours), _checkpoints(mine, tell, words)),
        ledgers.Ledger(called.get(pair.peer, pair.peer), _checkpoints(other, tell, words)),
        verdict,
        ledgers.Words(
            names=Names(
                key=f"ledgers-{pair.relationship.replace('/', '-').replace('.', '-')}",
                title=title,
                description=f"{sentence}.",
                table=words.say("The same as a table"),
            ),
            verdict=sentence,
            witnessed=words.say("cosigned by the other party"),
            delivered=words.say("delivered, not cosigned yet"),
            tail=words.say("not delivered yet"),
            columns=(words.say("Ledger of"), words.say("Records"), words.say("What is so")),
        ),
    )


def _checkpoints(sizes: dict[What, int], tell: dict[What, str], words: Language) -> tuple[ledgers.Checkpoint, ...]:
    """One checkpoint for each size, the largest first."""
    found = []
    for size in sorted(set(sizes.values()), reverse=True):
        what = tuple(each for each, reached in sizes.items() if reached == size)
        records = words.count("%(num)s record", "%(num)s records", size)
        found.append(ledgers.Checkpoint(size, what, f"{records}: {words.listed([tell[each] for each in what])}"))
    return tuple(found)
