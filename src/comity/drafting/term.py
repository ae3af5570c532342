"""How a draft enters into force, lasts and ends: the clauses and the table that every template has."""

from __future__ import annotations

from comity.agreement.digest import Written
from comity.drafting.answers import Term
from comity.drafting.rows import Rows
from comity.explanation.voice import length_in

_ENTRY = {
    "later-of-notices": "on the later of the days on which the parties tell each other that they are ready",
    "on-signature": "on signature",
    "deposit-plus": "{plus} after the last deposit",
    "notices-plus": "{plus} after the later of the days on which the parties tell each other that they are ready",
}


def term_clauses(rows: Rows, term: Term, article: str, *, entry: str) -> None:
    """The clauses of the article on the term."""
    renewal = _renewal(term)
    lasts = f"It lasts {length_in(term.duration, 'en')}" if term.duration else "It has no end of its own"
    renewed = {"automatic": ", renewed by itself for the same time again", "by-consent": ", renewed by consent"}.get(
        renewal, ""
    )
    begins = _ENTRY[term.entry or entry].format(plus=length_in(term.entry_plus, "en") if term.entry_plus else "")
    form = " in writing" if term.notice_form == "written" else ""
    rows.clause(article, ("Term", "効力及び期間", "효력 및 기간"), "When it enters into force, lasts and ends.")
    rows.clause(f"{article}.1", ("Entry into force", "発効", "발효"), f"It enters into force {begins}.")
    rows.clause(
        f"{article}.2",
        ("Duration and notice", "有効期間及び通告", "유효기간 및 통보"),
        f"{lasts}{renewed}; a party ends it by notice{form} {length_in(term.notice, 'en')} before.",
    )
    kept = "What was provided stays protected." if term.survival == "protection-continues" else "Nothing goes on."
    rows.clause(f"{article}.3", ("After the end", "終了後", "종료 후"), kept)


def term_rows(rows: Rows, term: Term, timezone: str, article: str, *, entry: str, channel: str) -> None:
    """The table of the term; ``entry`` and ``channel`` hold where the answers say nothing."""
    rows.add(
        "[term]",
        clause=article,
        entry=term.entry or entry,
        entry_clause=f"{article}.1",
        entry_plus=term.entry_plus,
        timezone=term.timezone or timezone,
        duration=term.duration,
        renewal=_renewal(term),
        survival=term.survival,
        survival_clause=f"{article}.3",
    )
    notice: dict[str, Written] = {
        "clause": f"{article}.2",
        "period": term.notice,
        "form": term.notice_form,
        "channel": term.notice_channel or channel,
        "counting": term.counting,
    }
    rows.add("[term.notice]", **notice)


def _renewal(term: Term) -> str:
    """By itself, where there is something to renew and nothing else is said."""
    return term.renewal or ("automatic" if term.duration else "none")
