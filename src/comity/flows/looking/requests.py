"""Requests of this house as whoever answers them has to see them: who asks, what, for whom, and what is missing.

``spec/contents.md`` steps 12 and 13.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.decision import model as decision
from comity.decision.wording.words import AS_TYPED
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.cases import answer, giving_case, new_item
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.giving.answering import assurable
from comity.flows.giving.release import PREPARED
from comity.flows.house import House
from comity.flows.looking.views import AskedLine, RequestLine, asked_line, request_line
from comity.marking.label import Label
from comity.register.roles import ASSURANCE_OFFICER, RELEASE_AUTHORITY
from comity.register.rows import AskedRow, AssuranceRow, ConsignmentRow, DirectoryRow, ItemRow, RequestRow


class ShowRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request of this house, with all that its approver has to see."""

    request: str
    actor: Actor
    language: str = AS_TYPED


class ShowAsked(msgspec.Struct, frozen=True, kw_only=True):
    """One request for assurances, of either side, with the answers that were given."""

    relationship: str
    request: str
    actor: Actor
    language: str = AS_TYPED


class AnswerTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a release authority said of it, and why; ``attests`` are conditions by clause."""

    said: Said | None
    granted: bool
    reason: str
    attests: tuple[str, ...]


class AssuranceTold(msgspec.Struct, frozen=True, kw_only=True):
    """What the other party said of one recipient: conditions by clause, or why not; None while it has said nothing."""

    recipient: str
    conditions: tuple[str, ...] | None
    reason: str
    at: datetime | None


class RequestShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request.

    Attributes:
        line: who asks what, for whom.
        answers: what release authorities said, in order.
        assurances: what the other party said of each recipient.
        form, topic, subject: of the item.
        size: of its content, in bytes.
        alternative: the mark that it will have there.
        sealed: whether it is sealed, and waits here.
        outcome: what the agreement says of it as things stand; None of what is carried out, and of other acts.
        sent: when it was given.
        received: when the other party received it, as it says.
        returned: the code with which it sent it back.
        last: record id, in hex, of the newest record about it; an answer follows on that.
        newest: who said that.
        by: person id of whoever made it.
        mine: whether that is whoever asks.
    """

    line: RequestLine
    answers: tuple[AnswerTold, ...]
    assurances: tuple[AssuranceTold, ...]
    form: str
    topic: str
    subject: str
    size: int
    alternative: Label | None
    sealed: bool
    outcome: decision.Outcome | None
    sent: datetime | None
    received: datetime | None
    returned: str | None
    last: str
    newest: Said | None
    by: str
    mine: bool


class AboutTold(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of this house about whom an assurance is asked.

    Attributes:
        recipient: his pseudonym there.
        function, body: as the directory has him.
        conditions: what would be assured of him, by clause.
        against: what the register has against it; empty where it bears it out.
    """

    recipient: str
    function: str
    body: str
    conditions: tuple[str, ...]
    against: str


class AskedShown(msgspec.Struct, frozen=True, kw_only=True):
    """A request for assurances: about whom, what was answered, and who said the last of it."""

    relationship: str
    line: AskedLine
    about: tuple[AboutTold, ...]
    assurances: tuple[AssuranceTold, ...]
    last: str
    newest: Said | None


async def show_request(house: House, request: ShowRequest) -> RequestShown:
    """One request, for whoever made it, answers such, or sees the whole register.

    Raises:
        Misuse: there is none for whoever asks.
    """
    sight = Sight(house, await viewer(house, request.actor))
    row = await house.row(RequestRow, request.request)
    if row is None or not (sight.has(RELEASE_AUTHORITY) or sight.is_himself(row.by)):
        raise Misuse(f"there is no request {request.request!r}", code="unknown-request")
    item = await house.row(ItemRow, row.item)
    given = await house.row(ConsignmentRow, row.consignment.hex()) if row.consignment is not None else None
    answers = [
        AnswerTold(
            said=await said_in(house, each.record), granted=each.granted, reason=each.reason, attests=each.attests
        )
        for each in row.approvals
    ]
    return RequestShown(
        line=await request_line(house, row, request.language),
        answers=tuple(answers),
        assurances=tuple([await _assurance(house, row.relationship, row.request, each) for each in row.recipients]),
        form=item.form if item is not None else "",
        topic=item.topic if item is not None else "",
        subject=item.subject if item is not None else "",
        size=item.size if item is not None else 0,
        alternative=item.alternative if item is not None else None,
        sealed=await house.side(PREPARED, row.request) is not None,
        outcome=await _outcome(house, row, item),
        sent=given.at if given is not None else None,
        received=given.received if given is not None else None,
        returned=given.returned if given is not None else None,
        last=row.last.hex(),
        newest=await said_in(house, row.last),
        by=row.by,
        mine=sight.person is not None and sight.person.person == row.by,
    )


async def show_asked(house: House, request: ShowAsked) -> AskedShown:
    """One request for assurances of the other party, for assurance officers and whoever sees the whole register.

    Raises:
        Misuse: there is none for whoever asks.
    """
    sight = Sight(house, await viewer(house, request.actor))
    row = await house.row(AskedRow, f"{request.relationship}/{request.request}")
    if row is None or row.author == house.party or not sight.has(ASSURANCE_OFFICER):
        raise Misuse(f"there is no request for assurance {request.request!r}", code="unknown-asked")
    told = [await _assurance(house, request.relationship, row.request, each) for each in row.recipients]
    answers = [await house.row(AssuranceRow, f"{request.relationship}/{row.request}/{each}") for each in row.recipients]
    given = [each for each in answers if each is not None]
    last = max(given, key=lambda each: each.at).record if given else row.record
    return AskedShown(
        relationship=request.relationship,
        line=await asked_line(house, request.relationship, row, request.language),
        about=tuple([await _about(house, request.relationship, row, each) for each in row.recipients]),
        assurances=tuple(told),
        last=last.hex(),
        newest=await said_in(house, last),
    )


async def _about(house: House, relationship: str, row: AskedRow, recipient: str) -> AboutTold:
    agreement = (await house.library.load(await house.agreement_row(relationship))).agreement
    entry = await house.row(DirectoryRow, f"{relationship}/{house.party}/{recipient}")
    conditions: tuple[str, ...] = ()
    against = ""
    try:
        conditions = await assurable(house, agreement, relationship, recipient, row.label, row.topic)
    except (Misuse, Rejected) as error:
        against = error.sentence
    return AboutTold(
        recipient=recipient,
        function=entry.function if entry is not None else "",
        body=entry.body if entry is not None else "",
        conditions=conditions,
        against=against,
    )


async def _assurance(house: House, relationship: str, request: str, recipient: str) -> AssuranceTold:
    found = await house.row(AssuranceRow, f"{relationship}/{request}/{recipient}")
    if found is None:
        return AssuranceTold(recipient=recipient, conditions=None, reason="", at=None)
    return AssuranceTold(recipient=recipient, conditions=found.conditions, reason=found.reason, at=found.at)


async def _outcome(house: House, row: RequestRow, item: ItemRow | None) -> decision.Outcome | None:
    """What the agreement says of a giving as things stand; it is decided again, and recorded, when it goes."""
    if row.consignment is not None or row.act != "give" or item is None:
        return None
    work = house.sequencer.look()
    agreement = await house.agreement_row(row.relationship)
    running = await house.library.load(agreement)
    purpose = item.provided or row.purpose
    wanted = new_item(item.item, agreement.agreement, item.label, item.form, item.subject, item.topic, purpose)
    return answer(running, await giving_case(house, work, agreement, running, row, wanted))
