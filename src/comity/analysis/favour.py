"""The facts most favourable to a case: whatever people can say or hold is said and held.

Rules of this file (``spec/analysis.md`` step 13):

- No fact turns a permit into anything else (``spec/decision.md``, "Properties"). So what these facts do not permit, no
  facts permit; and what they permit is permitted in some world.
- Two things cannot all be held at once, and are chosen: which mark a clearance goes up to, and by which method an act
  is done. Who consents is left to whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from comity.agreement.equivalence import ladder
from comity.agreement.model import Agreement, Checklist, Layer
from comity.decision.compiled import Compiled
from comity.decision.model import (
    Approval,
    Attestation,
    Case,
    Consent,
    Facility,
    Facts,
    Item,
    Person,
    Reading,
    Standing,
    Witness,
)

AT = datetime(9000, 1, 1, tzinfo=UTC)
"""The instant of a case where no rule has days; the agreements are taken to be in force."""
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for all instants before the first at which a rule begins or ends."""
EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When nothing has ended yet."""
PERSON, SITE, LIST, REQUEST, REQUESTER, OFFICE = "person", "site", "list", "request", "requester", "originating-office"
OTHERS_MAX = 9
"""As many people as a rule can ask to approve or to witness."""

Consents = Callable[[str, str], bool]
"""Whether a party (first) consents to what lets a body gain (second)."""


def nobody_consents(_by: str, _beneficiary: str) -> bool:
    """No consent is given."""
    return False


def items_of(case: Case) -> tuple[Item, ...]:
    """The item of a case and all it came from, each once."""
    found: dict[str, Item] = {}
    waiting = [case.item]
    while waiting:
        item = waiting.pop()
        if item.id not in found:
            found[item.id] = item
            waiting += item.lineage
    return tuple(found.values())


def favourable(case: Case, agreements: Iterable[Compiled], consents: Consents = nobody_consents) -> Facts:
    """Everything that can be said in favour of ``case``; ``consents`` says who consents."""
    known = {each.id: each for each in agreements}
    items = items_of(case)
    under = [(known[item.agreement], item) for item in items if item.agreement in known]
    texts = {each.id: each for each, _ in under}
    return Facts(
        standings=standings(texts.values()),
        attestations=tuple(
            attested
            for compiled, item in under
            for person in case.recipients
            for checklist in checklists(compiled)
            for attested in attestations(compiled, checklist, item, person)
        ),
        approvals=approvals(case.request),
        witnesses=tuple(Witness(request=case.request, by=f"witness-{n}") for n in range(OTHERS_MAX)),
        facilities=tuple(
            each
            for compiled in texts.values()
            for person in case.recipients
            for each in facilities(compiled, person.party, person.site)
        ),
        consents=tuple(_consents(case, items, texts.values(), consents)),
    )


def standings(agreements: Iterable[Compiled]) -> tuple[Standing, ...]:
    """In force and acknowledged, by the reading of every party; so are those from which protection is borrowed."""
    known = {each.id: each for each in agreements}
    borrowed = {
        basis.agreement: tuple(Reading(party=each, in_force=True, protection=True) for each in sorted(basis.between))
        for compiled in known.values()
        for basis in compiled.bases
        if basis.agreement not in known
    }
    return (
        *(
            Standing(agreement=each.id, readings=each.calm, acknowledgements=each.all_acknowledge)
            for each in known.values()
        ),
        *(Standing(agreement=name, readings=each, acknowledgements=()) for name, each in borrowed.items()),
    )


def approvals(request: str) -> tuple[Approval, ...]:
    """As many people as can be asked for, of the office in which the item originated."""
    return tuple(Approval(request=request, by=f"approver-{n}", office=OFFICE) for n in range(OTHERS_MAX))


def checklists(compiled: Compiled) -> Iterator[Checklist]:
    """The checklists of an agreement and of its layers."""
    texts: tuple[Agreement | Layer, ...] = (compiled.agreement, *compiled.layers)
    for text in texts:
        yield from text.checklists


def attestations(compiled: Compiled, checklist: Checklist, item: Item, person: Person) -> Iterator[Attestation]:
    """Every condition of a checklist, attested by whoever may, about what it is bound to."""
    about = {"item-and-recipient": person.pseudonym, "site": person.site, "party": person.party}
    by: Sequence[str] = compiled.party_ids
    if checklist.attested_by == "recipient":
        by = (person.party,)
    elif checklist.attested_by == "originator":
        by = (item.label.originator,)
    for each in by:
        yield Attestation(
            checklist=checklist.id,
            conditions=checklist.conditions,
            about=about.get(checklist.bound_to, item.id),
            by=each,
            item=item.id if checklist.bound_to == "item-and-recipient" else "",
        )


def facilities(compiled: Compiled, party: str, site: str) -> Iterator[Facility]:
    """The site, approved for every mark of its party."""
    if party in compiled.parties:
        for level in ladder(compiled.agreement, party):
            yield Facility(site=site, party=party, mark=level.mark, until=EVER)


def gaining(case: Case) -> tuple[str, ...]:
    """Whoever could be said to gain by an act: for whom its recipients stand, whom they serve, whose nationals."""
    return tuple(
        sorted({each for person in case.recipients for each in (person.party, person.serves, person.nationality)})
    )


def _consents(case: Case, items: Sequence[Item], texts: Iterable[Compiled], consents: Consents) -> Iterator[Consent]:
    givers = {item.label.originator for item in items}
    givers.update(party for each in texts for party in each.party_ids)
    for by in sorted(givers):
        for beneficiary in gaining(case):
            if consents(by, beneficiary):
                for item in items:
                    yield Consent(
                        by=by,
                        item=item.id,
                        act=case.act,
                        beneficiary=beneficiary,
                        purpose=case.purpose,
                        until=EVER,
                    )
