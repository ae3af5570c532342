"""Explaining: a recorded decision told again in plain words, after deciding it anew (``spec/decision.md``).

A decision that does not come out the same when it is made again from its recorded case is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.decision import model as decision
from comity.decision.counterfactual import what_would_change
from comity.decision.wording import NO_TITLES, duty_wording, missing_wording, outcome_wording, sentence
from comity.decision.wording.articles import is_number
from comity.decision.wording.words import AS_TYPED
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.cases import answer, outcome_word
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.picking import TriedTold, tried_told
from comity.flows.deciding.recorded import Recorded, recorded
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.house import House
from comity.record import bodies
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import AgreementRow, DecisionRow
from comity.register.rows.negotiation import VersionRow

ITEM = re.compile("[iv]-[a-z2-7]{16}")
"""An item's id, or a visit's, as a house makes them."""
DIGITS_MIN = 8
"""Fewest digits of a record id by which one is looked for."""
RECORD_DIGITS = 64


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the decisions about an item, or one decision by the first digits of its record id; as ``actor`` may see."""

    of: str
    actor: Actor | None = None
    language: str = AS_TYPED


class ReasonTold(msgspec.Struct, frozen=True, kw_only=True):
    """A reason in words; ``heading`` is that of its clause, where the clause has a name instead of a number."""

    step: int
    effect: str
    clause: str
    instrument: str
    provenance: str
    about: str
    says: str
    heading: str = ""


class ConsentMissing(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that would change a decision: whose, about which item, and to what, for whom and for what purpose."""

    by: str
    item: str
    act: str
    beneficiary: str
    purpose: str


class OutcomeTold(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome in words.

    Attributes:
        outcome: ``permit``, ``needs-consent``, ``forbidden`` or ``no-basis``.
        means: the same in a few words.
        reasons: complete, in canonical order.
        changeable: whether anybody's act could turn it into a permit.
        missing: those acts, as an irreducible set; empty for a permit.
        duties: what the act obliges to.
        consents: of what is missing, the consents, for whoever goes on to ask for one.
    """

    outcome: str
    means: str
    reasons: tuple[ReasonTold, ...]
    changeable: bool
    missing: tuple[str, ...]
    duties: tuple[str, ...]
    consents: tuple[ConsentMissing, ...] = ()


class DecisionTold(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded decision in words.

    Attributes:
        record: its record id in hex.
        item: item id.
        act: what was asked.
        purpose: for which purpose.
        at: when.
        told: the outcome, its reasons, and what would change it.
        replayed: it was decided again from its recorded case and came out the same, byte for byte.
        version: of the agreement, by which it was decided; empty where its texts are not here.
        past: other texts run now.
        relationship: under which agreement, with whom.
        tried: the other agreements between the same two that were asked, with their decisions.
    """

    record: str
    item: str
    act: str
    purpose: str
    at: datetime
    told: OutcomeTold
    replayed: bool
    relationship: str = ""
    tried: tuple[TriedTold, ...] = ()
    version: str = ""
    past: bool = False


async def why(house: House, request: Why) -> list[DecisionTold]:
    """Every decision about an item in order, each decided again.

    Raises:
        Misuse: nothing was decided about it, or nothing that whoever asks may see; or there are no sentences in this
            language.
        Rejected: a recorded decision does not come out the same.
    """
    sight = Sight(house, await viewer(house, request.actor))
    told = [
        await _told(house, each, request.language)
        for each in await _decisions(house, request.of)
        if await may_see_decision(house, sight, each)
    ]
    if not told:
        raise Misuse(f"nothing was decided about {request.of!r}", code="unknown-item")
    return told


async def _decisions(house: House, of: str) -> list[Recorded]:
    """The decisions about an item in order, or those whose record ids begin so.

    Raises:
        Rejected: one that the register names is not in the journal.
    """
    if ITEM.fullmatch(of):
        return [await _registered(house, row) async for _, row in house.rows(DecisionRow, f"{of}/")]
    if len(of) < DIGITS_MIN or not set(of) <= set("0123456789abcdef"):
        return []
    if len(of) == RECORD_DIGITS:
        found = await recorded(house, bytes.fromhex(of))
        return [found] if found is not None else []
    rows = [row async for _, row in house.rows(DecisionRow) if row.record.hex().startswith(of)]
    return [await _registered(house, row) for row in rows]


async def _registered(house: House, row: DecisionRow) -> Recorded:
    found = await recorded(house, row.record)
    if found is None:
        raise Rejected(f"decision {row.record.hex()[:16]}… is not in the journal", code="missing-record")
    return found


async def may_see_decision(house: House, sight: Sight, decided: Recorded) -> bool:
    """(6) Whether a viewer may know of a decision: his own, or of an item of this house that he releases."""
    if sight.person is None or sight.everything:
        return True
    body = decided.body
    item = await sight.item(body.item)
    if item is None and await registered(house, body.item) is not None:  # else it was only asked about
        return False
    his = {sight.person.person, house.pseudonym(body.relationship, sight.person.person)}
    own = item is None or item.relationship == DOMESTIC
    return decided.case.requester in his or (own and sight.has(RELEASE_AUTHORITY))


async def _told(house: House, decided: Recorded, language: str) -> DecisionTold:
    body, case, outcome = decided.body, decided.case, decided.outcome
    row = await house.agreement_row(body.relationship)
    running = await house.library.load(row)
    if past := await _past(house, row, decided):
        running = await house.library.version(past)
    again = answer(running, case) if bytes.fromhex(running.agreement.digest) == body.agreement else None
    if again is not None and again.inputs == outcome.inputs and encode(again) != bytes(body.decision):
        raise Rejected(
            f"decision {decided.record.hex()[:16]}… comes out differently when it is made again", code="replay"
        )
    return DecisionTold(
        record=decided.record.hex(),
        item=case.item.id,
        act=case.act,
        purpose=case.purpose,
        at=decided.at,
        told=tell(outcome, language, titles_of((running.agreement, *running.layers), language)),
        replayed=again == outcome,
        relationship=body.relationship,
        tried=tuple([await _tried(house, each, language) for each in body.tried]),
        version=running.agreement.header.version if again is not None else "",
        past=past is not None,
    )


async def _past(house: House, row: AgreementRow, decided: Recorded) -> AgreementRow | None:
    """The texts that ran when something was decided, where others run now (``spec/lifecycle.md`` step 15)."""
    ran: VersionRow | None = None
    async for _, each in house.rows(VersionRow, f"{row.relationship}/"):
        if each.since <= decided.at and each.digest == decided.body.agreement:
            ran = each
    if ran is None or (ran.text, ran.layers) == (row.text, row.layers):
        return None
    texts = {name: getattr(ran, name) for name in ("digest", "text", "history", "layers")}
    return msgspec.structs.replace(row, **texts)


async def _tried(house: House, named: bodies.Tried, language: str) -> TriedTold:
    """Another agreement that was asked, from its own recorded decision.

    Raises:
        Rejected: that decision is not in the journal.
    """
    found = await recorded(house, named.decision)
    if found is None:
        raise Rejected(f"decision {named.decision.hex()[:16]}… is not in the journal", code="missing-record")
    return tried_told(named.relationship, found.outcome, named.decision, language)


def titles_of(instruments: Iterable[Agreement | Layer], language: str) -> dict[str, str]:
    """What checklists are called, by their ids, and clauses that have no number: by headings, in a language."""
    titles: dict[str, str] = {}
    for instrument in instruments:
        headings = {clause.id: clause.heading.in_language(language) for clause in instrument.clauses}
        for checklist in instrument.checklists:
            titles.setdefault(checklist.id, headings[checklist.clause])
        titles |= {f"{instrument.id}:{clause}": said for clause, said in headings.items() if not is_number(clause)}
    return titles


def tell(outcome: decision.Outcome, language: str = AS_TYPED, titles: Mapping[str, str] = NO_TITLES) -> OutcomeTold:
    """An outcome in words, for somebody who may see the facts of everybody it is about; checklists by their titles.

    Raises:
        Misuse: there are no sentences in this language.
    """
    change = what_would_change(outcome, {reason.about for reason in outcome.reasons})
    return OutcomeTold(
        outcome=outcome_word(outcome),
        means=outcome_wording(outcome, language),
        reasons=tuple(told_reason(each, language, titles) for each in outcome.reasons),
        changeable=change.possible,
        missing=missing_wording(change.missing, language, titles),
        duties=tuple(duty_wording(each, language) for each in outcome.duties),
        consents=tuple(
            ConsentMissing(**dict(zip(ConsentMissing.__struct_fields__, each.what, strict=True)))
            for each in change.missing
            if each.kind == "consent"
        ),
    )


def told_reason(reason: decision.Reason, language: str = AS_TYPED, titles: Mapping[str, str] = NO_TITLES) -> ReasonTold:
    """A reason in words.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return ReasonTold(
        step=reason.step,
        effect=reason.effect,
        clause=reason.clause,
        instrument=reason.instrument,
        provenance=reason.provenance,
        about=reason.about,
        says=sentence(reason, language, titles),
        heading=titles.get(f"{reason.instrument}:{reason.clause}", "") if language != AS_TYPED else "",
    )
