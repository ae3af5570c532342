"""What crossed: assurances, consignments, receipts, openings (``spec/evidence.md`` steps 20 to 22)."""

from __future__ import annotations

import msgspec

from comity.agreement.conditions import about_act, about_item, assured_conditions
from comity.agreement.equivalence import equivalents
from comity.agreement.model import Agreement
from comity.errors import Refused, Rejected
from comity.evidence.chains import Stood
from comity.evidence.custody import check_hands, hands_before
from comity.evidence.exhibits import Exhibits
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.ending import Reclassified


def check_crossing(exhibits: Exhibits) -> None:
    """Check what the crossing records, and the item's registration, say of one another (20 to 22).

    Raises:
        Rejected: one of them is about something else, or contradicts another, and was not returned for it.
    """
    if not any(exhibits.of(bodies.Consigned)):
        place = exhibits.relationship
        raise Rejected(f"nothing shows that item {exhibits.item!r} was given", code="nothing-given", place=place)
    for stood in exhibits.every():
        item = getattr(stood.body, "item", None) or exhibits.item
        _is(item == exhibits.item, stood, "other-item", f"it is about item {item!r}")
        with exhibits.judged(stood):
            _check(exhibits, stood)


def _check(exhibits: Exhibits, stood: Stood) -> None:
    match stood.body:
        case bodies.ItemRegistered() as registered:
            _check_registered(exhibits, stood, registered)
        case bodies.Assured() as assured:
            _check_assured(exhibits, stood, assured)
        case bodies.Consigned() as consigned:
            _check_consigned(exhibits, stood, consigned)
        case bodies.Received() as received:
            _check_received(exhibits, stood, received)
        case bodies.Opened() | bodies.Unopenable() as opened:
            _check_opened(exhibits, stood, opened)
        case bodies.Returned() as returned:
            _check_returned(exhibits, stood, returned)
        case _:
            check_hands(exhibits, stood)


def _check_assured(exhibits: Exhibits, stood: Stood, assured: bodies.Assured) -> None:
    """(20) An assurance answers the other party's request, about the same item and one of its recipients."""
    asked = [body for _, body in exhibits.of(bodies.AssuranceAsked, exhibits.other(stood.author))]
    for body in asked:
        if body.request == assured.request:
            _is(assured.recipient in body.recipients, stood, "other-recipient", "nobody asked about this recipient")
            return
    exhibits.missing("assurances", "missing-request", stood.place, "the request that it answers is not shown")


def _check_consigned(exhibits: Exhibits, stood: Stood, consigned: bodies.Consigned) -> None:
    """(21) Under the acknowledged text, with the marks it gives, and with the assurances it asks for."""
    agreement = exhibits.by_digest(consigned.agreement, stood.place).agreement
    receiver = exhibits.other(stood.author)
    for party in (stood.author, receiver):
        said = [body for _, body in exhibits.of(bodies.Acknowledged, party) if body.digest == consigned.agreement]
        _is(bool(said), stood, "not-acknowledged", f"no acknowledgement of this text by {party!r} is shown")
    _check_marks(agreement, stood, consigned, receiver)
    numbers = {copy.number for copy in consigned.copies}
    _is(len(numbers) == len(consigned.copies), stood, "copy-number", "two copies have one number")
    asked = [body for _, body in exhibits.of(bodies.AssuranceAsked, stood.author) if body.request == consigned.request]
    if not asked:
        says = "the request for assurance before it is not shown"
        exhibits.missing("assurances", "missing-request", stood.place, says)
    for body in asked:
        _is(body.label == consigned.label, stood, "other-label", "assurance was asked for another label")
        for field in ("item", "form", "topic", "purpose"):
            same = getattr(body, field) == getattr(consigned, field)
            _is(same, stood, "other-terms", f"assurance was asked for another {field}")
        holders = {copy.holder for copy in consigned.copies}
        _is(holders <= set(body.recipients), stood, "other-recipient", "assurance was not asked for each holder")
    _check_assurances(exhibits, agreement, stood, consigned)


def _check_marks(agreement: Agreement, stood: Stood, consigned: bodies.Consigned, receiver: str) -> None:
    label = consigned.label
    try:
        found = equivalents(agreement, label.policy, label.mark, receiver)
    except (Refused, Rejected) as error:
        raise Rejected(f"its label cannot cross: {error}", code="wrong-mark", place=stood.place) from None
    marks = (found.preferred,) if found.preferred else found.marks
    expected = msgspec.structs.replace(label, policy=receiver, mark=marks[0]) if found.preferred else None
    says = f"{label.mark!r} crosses as {' or '.join(map(repr, marks))}, and as nothing else"
    _is(consigned.alternative == expected, stood, "wrong-mark", says)


def conditions_of(agreement: Agreement, act: str) -> frozenset[str]:
    """The clauses that must be assured about each item and recipient before ``act``."""
    wanted = {rule.checklist for rule in agreement.rules if act in rule.acts and rule.checklist}
    return frozenset(
        condition
        for checklist in agreement.checklists
        if checklist.id in wanted and checklist.bound_to == "item-and-recipient"
        for condition in checklist.conditions
    )


def _check_assurances(exhibits: Exhibits, agreement: Agreement, stood: Stood, consigned: bodies.Consigned) -> None:
    label = consigned.label
    item = about_item(
        form=consigned.form,
        mark=label.mark,
        subject=consigned.subject,
        originator=label.originator,
        categories=label.categories,
    )
    needed = assured_conditions(agreement, "give", about_act(item, stood.author))
    if not needed:
        return
    shown = [exhibits.get(record, bodies.Assured) for record in consigned.assurances]
    if None in shown or not shown:
        says = "an assurance that it names is not shown"
        exhibits.missing("assurances", "missing-assurance", stood.place, says)
        return
    given = [found for found in shown if found is not None]
    for assurance, body in given:
        _is(
            assurance.author != stood.author and body.request == consigned.request,
            stood,
            "other-assurance",
            f"it rests on {assurance.place}, which is no answer to its request",
        )
    for copy in consigned.copies:
        assured = {each for _, body in given if body.recipient == copy.holder for each in body.conditions}
        missing = ", ".join(sorted(needed - assured))
        _is(not missing, stood, "no-assurance", f"copy {copy.number} went out without an assurance about {missing}")


def _check_registered(exhibits: Exhibits, stood: Stood, registered: bodies.ItemRegistered) -> None:
    for given, consigned in exhibits.of(bodies.Consigned, stood.author):
        for field in ("form", "topic", "subject", "originator"):
            same = getattr(registered, field) == getattr(consigned, field)
            _is(same, given, "other-item", f"its {field} is another than the item was registered with")
        same = consigned.label in labels_of(exhibits, stood, registered)
        _is(same, given, "other-item", "its label is another than the item was registered or marked with")


def labels_of(exhibits: Exhibits, stood: Stood, registered: bodies.ItemRegistered) -> list[Label]:
    """The labels that an item has had: as it was registered, and under each mark its originator gave it since."""
    marks = [body.mark for _, body in exhibits.of(Reclassified, stood.author)]
    return [registered.label, *(msgspec.structs.replace(registered.label, mark=mark) for mark in marks)]


def _answered(exhibits: Exhibits, stood: Stood, consignment: bytes) -> bodies.Consigned:
    """(22) The consignment that a receiver's record answers."""
    found = exhibits.get(consignment, bodies.Consigned)
    if found is None:
        raise Rejected("it answers a consignment that is not shown", code="missing-record", place=stood.place)
    _is(found[0].author != stood.author, stood, "not-receiver", f"{stood.author!r} gave it and cannot answer it")
    return found[1]


def _check_received(exhibits: Exhibits, stood: Stood, received: bodies.Received) -> None:
    consigned = _answered(exhibits, stood, received.consignment)
    numbers = sorted(copy.number for copy in consigned.copies)
    _is(sorted(received.copies) == numbers, stood, "copies-differ", "it names other copies than were given")
    again = exhibits.last(bodies.Received, stood, lambda body: body.consignment == received.consignment)
    _is(again is None, stood, "already-received", "the consignment was receipted before")


def _check_opened(exhibits: Exhibits, stood: Stood, opened: bodies.Opened | bodies.Unopenable) -> None:
    """(22) A copy that was given and receipted, or made here, opened by whoever held it then."""
    _answered(exhibits, stood, opened.consignment)
    copy = hands_before(exhibits, stood).get(opened.copy)
    _is(copy is not None, stood, "other-copy", f"copy {opened.copy} was neither given nor made")
    if isinstance(opened, bodies.Opened) and copy is not None:
        holder = copy.holder
        _is(opened.holder == holder, stood, "not-holder", f"{opened.holder!r} is not the holder, {holder!r} is")
    receipt = exhibits.last(bodies.Received, stood, lambda each: each.consignment == opened.consignment)
    _is(receipt is not None, stood, "not-received", "no receipt of the consignment comes before it")


def _check_returned(exhibits: Exhibits, stood: Stood, returned: bodies.Returned) -> None:
    about = exhibits.records.get(returned.record)
    if about is None:
        says = "it returns a record that is not shown, and nothing is said to be withheld"
        _is(bool(exhibits.withheld), stood, "missing-record", says)
    else:
        _is(about.author != stood.author, stood, "own-record", "it returns a record of its own author")


def _is(condition: bool, stood: Stood, code: str, sentence: str) -> None:
    if not condition:
        raise Rejected(sentence, code=code, place=stood.place)
