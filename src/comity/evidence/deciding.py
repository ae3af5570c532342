"""Decisions made again, and the facts they were made on against the records shown (``spec/evidence.md`` 23 to 26)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from comity.decision import model as decision
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.decide import decide
from comity.decision.replay import read_case
from comity.errors import Misuse, Rejected
from comity.evidence.chains import Stood, at_place
from comity.evidence.crossing import labels_of
from comity.evidence.exhibits import Edition, Exhibits, Open
from comity.evidence.model import EXPORT, Anchor, Evidence
from comity.record import bodies
from comity.record.contexts import BASIS
from comity.record.encoding import encode

Ready = dict[tuple[int, str], Compiled]
"""Compiled texts, by the place of their adoption and the version of the time zones decided by."""


class Replayed(msgspec.Struct, frozen=True):
    """A recorded decision, read.

    Attributes:
        stood: its record.
        body: what that says.
        case: what it was decided on.
        outcome: what came out.
        again: it was made again here, and came out the same byte for byte.
        borne: every fact of its case is borne out by a record or a text in the file.
    """

    stood: Stood
    body: bodies.Decided
    case: decision.Case
    outcome: decision.Outcome
    again: bool
    borne: bool = False


def check_decisions(evidence: Evidence, exhibits: Exhibits) -> dict[bytes, Replayed]:
    """Make every decision shown again (23), check its facts (24), and what anchors it (25).

    Returns:
        By record id.

    Raises:
        Rejected: a decision does not come out the same, or rests on what the records do not say.
    """
    found: dict[bytes, Replayed] = {}
    compiled: Ready = {}
    for stood, body in exhibits.of(bodies.Decided):
        replayed = _replay(exhibits, stood, body, compiled)
        before = len(exhibits.open)
        _check_standing(exhibits, replayed)
        if body.act == "give":
            _check_giving(exhibits, replayed)
        borne = body.act == "give" and len(exhibits.open) == before
        found[stood.record.id] = msgspec.structs.replace(replayed, borne=borne)
    _check_approvals(exhibits)
    _check_anchors(evidence.anchors, exhibits, found)
    _check_export(evidence, found)
    return found


def _replay(exhibits: Exhibits, stood: Stood, body: bodies.Decided, compiled: Ready) -> Replayed:
    """(23) The same case, under the same texts, by the same rules, gives the same bytes."""
    edition = exhibits.edition(stood)
    try:
        outcome = msgspec.json.decode(body.decision, type=decision.Outcome)
        case = read_case(bytes(body.case), outcome.inputs.rule_version)
    except Rejected as error:
        raise at_place(error, stood.place) from None
    except (msgspec.DecodeError, ValueError, RecursionError, Misuse) as error:
        raise Rejected(f"it holds no decision: {error}", code="malformed", place=stood.place) from None
    said = (body.act, body.item, body.relationship, body.outcome, body.agreement.hex(), stood.author, stood.at)
    word = str(type(outcome).__struct_config__.tag)
    meant = (case.act, case.item.id, exhibits.relationship, word, edition.agreement.digest, case.acting, case.at)
    if said != meant or case.item.id != exhibits.item:
        raise Rejected("the case is another one than the record names", code="other-case", place=stood.place)
    inputs = outcome.inputs
    if inputs.rule_version != decision.RULE_VERSION:
        says = f"it was decided by version {inputs.rule_version!r} of the rules and cannot be made again here"
        exhibits.open.append(Open("other-rules", stood.place, says))
        return Replayed(stood, body, case, outcome, again=False)
    ready = (edition.adopted.index, inputs.tzdata)
    try:
        if ready not in compiled:
            compiled[ready] = compile_agreement(edition.agreement, edition.layers, tzdata=inputs.tzdata)
        again = decide(compiled[ready], case)
    except Misuse as error:
        raise Rejected(f"it cannot be made again: {error}", code="replay", place=stood.place) from None
    if encode(again) != bytes(body.decision):
        came = str(type(again).__struct_config__.tag)
        raise Rejected(
            f"made again from its case it is {came!r} and not, byte for byte, the recorded {word!r}",
            code="replay",
            place=stood.place,
        )
    return Replayed(stood, body, case, outcome, again=True)


def _check_standing(exhibits: Exhibits, replayed: Replayed) -> None:
    """(24) The state of the agreement is what the history gives, and the acknowledgements are shown."""
    stood, edition = replayed.stood, exhibits.edition(replayed.stood)
    for standing in replayed.case.facts.standings:
        if standing.agreement == edition.agreement.id and standing.readings != _readings(edition, replayed):
            if replayed.outcome.inputs.tzdata != edition.chronicle.zones.version:
                says = f"time zones of {replayed.outcome.inputs.tzdata} gave another state of the agreement than here"
                exhibits.open.append(Open("other-zones", stood.place, says))
            else:
                raise _no(stood, "other-standing", "the history gives another state of the agreement at that instant")
        for said in standing.acknowledgements:
            shown = exhibits.of(bodies.Acknowledged, said.party)
            if not any(body.digest.hex() == said.digest for _, body in shown):
                raise _no(stood, "not-acknowledged", f"no acknowledgement by {said.party!r} is shown")


def _readings(edition: Edition, replayed: Replayed) -> tuple[decision.Reading, ...]:
    status = edition.chronicle.status(replayed.case.at)
    contested = tuple(point.point for point in status.contested)
    return tuple(
        decision.Reading(party=each.party, in_force=each.in_force, protection=each.protection, contested=contested)
        for each in status.readings
    )


def _check_giving(exhibits: Exhibits, replayed: Replayed) -> None:
    """(24) Request, approvals, recipients and assurances of a giving are those of the records."""
    stood, case = replayed.stood, replayed.case
    request = _request(exhibits, stood, case.request)
    if request is not None:
        body = request[1]
        named = {person.pseudonym for person in case.recipients}
        if (body.item, body.by, body.purpose) != (case.item.id, case.requester, case.purpose) or not (
            named <= set(body.recipients)
        ):
            raise _no(stood, "other-request", f"it decides about something else than {request[0].place} asked for")
    elif replayed.body.outcome == "permit":
        exhibits.missing("requests", "missing-request", stood.place, "the request that it answers is not shown")
    for approval in case.facts.approvals:
        answer = _answer(exhibits, stood, case.request, approval.by)
        if answer is None:
            says = f"the approval by {approval.by!r} is not shown"
            exhibits.missing("approvals", "missing-approval", stood.place, says)
        elif not answer[1].granted or approval.by == case.requester or approval.request != case.request:
            raise _no(stood, "no-approval", f"it counts {answer[0].place} as an approval, which it is not")
    _check_recipients(exhibits, replayed)
    _check_attestations(exhibits, replayed)
    _check_item(exhibits, replayed)
    facts = case.facts
    for what, given in (("consent", facts.consents), ("site", facts.facilities)):
        if given:
            says = f"it rests on a {what} of which no record is shown"
            exhibits.open.append(Open("fact-not-shown", stood.place, says))


def _request(exhibits: Exhibits, before: Stood, request: str) -> tuple[Stood, bodies.ReleaseRequested] | None:
    return exhibits.last(bodies.ReleaseRequested, before, lambda body: body.request == request)


def _answer(exhibits: Exhibits, before: Stood, request: str, by: str = "") -> tuple[Stood, bodies.Approved] | None:
    """The newest answer to a request, by anybody or by one person."""
    return exhibits.last(bodies.Approved, before, lambda body: body.request == request and by in {"", body.by})


def _check_recipients(exhibits: Exhibits, replayed: Replayed) -> None:
    for person in replayed.case.recipients:
        listed = [body for _, body in exhibits.of(bodies.Listed, person.party) if body.pseudonym == person.pseudonym]
        if not listed:
            says = f"the directory entry of {person.pseudonym!r} is not shown"
            exhibits.missing("directory", "missing-entry", replayed.stood.place, says)
        elif not any(_is_listed(person, body) for body in listed):
            raise _no(replayed.stood, "other-person", f"{person.pseudonym!r} stands otherwise in the directory")


def _is_listed(person: decision.Person, entry: bodies.Listed) -> bool:
    return person == decision.Person(
        pseudonym=entry.pseudonym,
        party=person.party,
        serves=entry.serves,
        nationality=entry.nationality,
        employer="party" if entry.employer == "government" else "contractor",
        body=entry.body,
        function=entry.function,
        site=entry.firm or "",
    )


def _check_attestations(exhibits: Exhibits, replayed: Replayed) -> None:
    for attestation in replayed.case.facts.attestations:
        found = exhibits.get(_record_id(attestation.evidence), bodies.Assured)
        if found is None:
            says = "an assurance that it rests on is not shown"
            exhibits.missing("assurances", "missing-assurance", replayed.stood.place, says)
            continue
        assurance, body = found
        if (
            assurance.author != attestation.by
            or body.request != replayed.case.request
            or attestation.item not in {"", body.item}
            or not set(attestation.conditions) <= set(body.conditions)
            or attestation.about not in _subjects(replayed.case, attestation, body)
        ):
            raise _no(replayed.stood, "other-assurance", f"{assurance.place} does not say what it takes it to say")


def _subjects(case: decision.Case, attestation: decision.Attestation, body: bodies.Assured) -> set[str]:
    """What an assurance can be about: its recipient or, where it is not bound to one, his site, the item, its party."""
    if attestation.item:
        return {body.recipient}
    sites = {person.site for person in case.recipients if person.pseudonym == body.recipient}
    return {body.recipient, body.item, attestation.by, *sites}


def _record_id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _check_item(exhibits: Exhibits, replayed: Replayed) -> None:
    item = replayed.case.item
    for stood, body in exhibits.of(bodies.ItemRegistered, replayed.stood.author):
        own = (body.form, body.subject, (body.topic,), set(body.contains), replayed.case.purpose)
        ancestors = {ancestor.id for ancestor in item.lineage}
        same = (item.form, item.subject, item.need_to_know, ancestors, item.purpose) == own
        if not same or item.label not in labels_of(exhibits, stood, body):
            raise _no(replayed.stood, "other-item", "the item it decides about is registered otherwise")


def _check_approvals(exhibits: Exhibits) -> None:
    """(24) Nobody approves what he asked for himself; answers to one request follow on one another without a gap."""
    for stood, body in exhibits.of(bodies.Approved):
        request = _request(exhibits, stood, body.request)
        if request is None:
            exhibits.missing("requests", "missing-request", stood.place, "the request that it answers is not shown")
        elif request[1].by == body.by:
            raise _no(stood, "own-request", f"{body.by!r} approved what he had asked for himself")
        before = _answer(exhibits, stood, body.request)
        expected = before or request
        if expected is not None and body.after != expected[0].record.id:
            says = "another answer to the same request comes between, and is not shown"
            exhibits.missing("approvals", "missing-approval", stood.place, says)


def _check_anchors(anchors: Iterable[Anchor], exhibits: Exhibits, decisions: dict[bytes, Replayed]) -> None:
    """(25) A salt opens the commitment of a crossing record to the decision that permitted it."""
    anchored: dict[bytes, Replayed] = {}
    for anchor in anchors:
        stood, replayed = exhibits.records.get(anchor.record), decisions.get(anchor.decision)
        place = f"the anchor of {stood.place}" if stood is not None else "an anchor"
        if stood is None or replayed is None or not isinstance(stood.body, bodies.Consigned | bodies.Opened):
            raise Rejected("it joins records that are not shown", code="missing-record", place=place)
        if sha256(BASIS + anchor.salt + anchor.decision).digest() != stood.body.basis:
            raise Rejected(f"its salt does not open the basis of {stood.place}", code="wrong-basis", place=place)
        act = "give" if isinstance(stood.body, bodies.Consigned) else "open"
        if (replayed.case.act, replayed.body.outcome, replayed.stood.author) != (act, "permit", stood.author):
            raise Rejected(
                f"it rests on {replayed.stood.place}, which does not permit it", code="no-permit", place=place
            )
        if isinstance(stood.body, bodies.Consigned):
            _check_carried_out(stood, stood.body, replayed)
        anchored[anchor.record] = replayed
    for stood, _ in exhibits.of(bodies.Consigned, exhibits.exporter.name):
        if stood.record.id not in anchored:
            says = "the decision that permitted it is not shown; it is only committed to"
            exhibits.missing("permits", "decision-not-shown", stood.place, says)
    for stood, _ in exhibits.of(bodies.Consigned, exhibits.peer.name):
        says = f"the decision that permitted it stands in the house of {stood.author!r}; it is only committed to"
        exhibits.open.append(Open("decision-elsewhere", stood.place, says))


def _check_carried_out(stood: Stood, consigned: bodies.Consigned, replayed: Replayed) -> None:
    case = replayed.case
    given = (consigned.request, consigned.label, consigned.form, consigned.purpose)
    holders = {copy.holder for copy in consigned.copies}
    if (case.request, case.item.label, case.item.form, case.purpose) != given or holders != {
        person.pseudonym for person in case.recipients
    }:
        raise _no(stood, "other-decision", f"it carries out something else than {replayed.stood.place} permitted")
    if replayed.stood.at > stood.at:
        raise _no(stood, "other-decision", "it is earlier than the decision that permitted it")


def _check_export(evidence: Evidence, decisions: dict[bytes, Replayed]) -> None:
    """(26) The export itself was decided, permitted and recorded."""
    permit = decisions.get(evidence.decision)
    place = "the decision to export"
    if permit is None:
        raise Rejected("it is not shown", code="missing-record", place=place)
    if (permit.body.act, permit.body.outcome, permit.stood.at) != (EXPORT, "permit", evidence.at):
        raise Rejected(f"{permit.stood.place} does not permit this export", code="no-permit", place=place)


def _no(stood: Stood, code: str, sentence: str) -> Rejected:
    return Rejected(sentence, code=code, place=stood.place)
