"""Reconciling: the registers of two parties are compared, and each difference is explained (Article 6(f)).

A difference is explained by a record that one side has and the other has not, or that had no effect there. Both
registers move while they are compared; so what nothing explains is asked about again, and only then a finding. It is
recorded that they were compared, and what was found.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.exchanging.tallies import (
    ANSWER_BYTES_MAX,
    Answer,
    Buckets,
    Copies,
    Differing,
    DifferingLines,
    ItemLine,
    Items,
    Parts,
    Question,
    read_answer,
    read_question,
    write,
)
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.flows.looking.comparing import Asked, Carried, There, Unlike, compare
from comity.flows.looking.findings import overseer
from comity.record import dsse
from comity.record.bodies.inventory import Disagreement, Reconciled
from comity.record.contexts import RECONCILIATION
from comity.record.encoding import (
    NAME_CHARACTERS_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Relationship,
    decode,
    encode,
    instant,
)
from comity.record.statement import DOMESTIC, chain_id
from comity.register.rows import AgreementRow, DirectoryRow, ReturnedRow
from comity.register.rows.inventory import TallyItemRow
from comity.register.tally import NOTHING, CopyLine, item_sum

MAGIC = b"comity-reconciliation/1\n"
TRIES = 3
"""How often registers are compared until what is unexplained is called so: both may move meanwhile."""
FINDINGS_MAX = 64
"""Most unexplained differences that one record names."""
Because = Literal[
    "on its way there", "held there", "returned", "on its way here", "held here", "answered", "nothing explains it"
]
"""Why two lines differ (14)."""
UNEXPLAINED: Because = "nothing explains it"


class Reconcile(msgspec.Struct, frozen=True, kw_only=True):
    """Compare this register with a peer's. ``relationship`` where there are several; ``recount`` adds up anew first."""

    peer: str
    relationship: str | None = None
    recount: bool = False
    actor: Actor | None = None


class AskByFile(msgspec.Struct, frozen=True, kw_only=True):
    """Write the question to a file that somebody carries to the peer."""

    peer: str
    path: str
    relationship: str | None = None


class AnswerByFile(msgspec.Struct, frozen=True, kw_only=True):
    """Answer a question that somebody carried here, in another file."""

    path: str
    out: str


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Compare this register with the answer that somebody brought back."""

    path: str
    actor: Actor | None = None


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The head of a question or an answer in a file, signed by its sender's transport key (13)."""

    sender: Identifier
    receiver: Identifier
    relationship: Relationship
    at: Instant
    digest: Digest
    size: Count

    def __post_init__(self) -> None:
        instant(self.at)


class LetterTold(msgspec.Struct, frozen=True, kw_only=True):
    """A question or an answer that was written to a file."""

    path: str
    sender: str
    receiver: str
    relationship: str
    size: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not the same on both sides, and why.

    Attributes:
        item: item id.
        copy: number of the copy; None for the marks of the item.
        here: what this register says, in words; empty where it says nothing.
        there: the same of the other.
        because: why (14).
        record: the record that explains it, in hex; empty where nothing does.
        by: the party whose record it is.
        sequence: its number in its chain; None where it is not here.
        says: more about it, where there is more.
    """

    item: str
    copy: int | None
    here: str
    there: str
    because: Because
    record: str = ""
    by: str = ""
    sequence: int | None = None
    says: str = ""


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing two registers.

    Attributes:
        reconciliation: its name in the records.
        relationship: of what.
        peer: with whom.
        at: when the other side answered.
        ours: records of our chain, and how many of them they had.
        theirs: records of their chain, and how many of them we had.
        items: items that passed, as this register has them.
        copies: their copies.
        differences: every difference, with its reason; the unexplained ones last.
        unexplained: how many nothing explains.
        complete: whether these are all.
        recounted: items whose kept sum is not that of their copies; None where nobody counted anew.
    """

    reconciliation: str
    relationship: str
    peer: str
    at: datetime
    ours: tuple[int, int]
    theirs: tuple[int, int]
    items: int
    copies: int
    differences: tuple[Difference, ...]
    unexplained: int
    complete: bool
    recounted: tuple[str, ...] | None = None


# ---- what a user does ------------------------------------------------------------------------------------------------


async def reconcile(house: House, request: Reconcile) -> Reconciliation:
    """Compare this house's register with a peer's, over the wire.

    Raises:
        Unavailable: the peer is not reached; it can be asked by file.
        Rejected: what it answers is not what it was asked.
        Refused: the actor does not answer for the register.
    """
    await overseer(house, request.actor)
    row = await _agreement(house, request.peer, request.relationship)
    wrong = await _recount(house, row.relationship) if request.recount else None
    answers: list[Answer] = []

    async def ask(asks: Buckets | Parts | Items | Copies) -> Answer:
        question = _question(house, row, asks)
        answer = read_answer(await house.ask_peer(row.peer, row.relationship, write(question)))
        _check_address(house, row, answer)
        answers.append(answer)
        return answer

    for tried in range(1, TRIES + 1):
        found, complete = await compare(house.tallies, Asked(ask), row.relationship)
        differences = [await _difference(house, row, each, answers[-1]) for each in found]
        if tried == TRIES or not any(each.because == UNEXPLAINED for each in differences):
            break
    return await _conclude(house, row, answers[-1], differences, complete=complete, wrong=wrong)


async def ask_by_file(house: House, request: AskByFile) -> LetterTold:
    """(13) Write a question that carries the sums of everything; the file appears whole or not at all."""
    row = await _agreement(house, request.peer, request.relationship)
    sums = tuple([each async for each in house.tallies.parts(row.relationship)])
    body = write(_question(house, row, Differing(sums)))
    return await _send(house, row.peer, row.relationship, body, request.path)


async def answer_by_file(house: House, request: AnswerByFile) -> LetterTold:
    """Answer a question that was carried here with everything that differs.

    Raises:
        Rejected: the file is not what it must be, or not by a peer.
        Misuse: it is for another party, is no question, or too much differs for a file.
    """
    letter, body = await _receive(house, request.path)
    question = read_question(body, bytes_max=ANSWER_BYTES_MAX)
    if question.relationship != letter.relationship:
        raise Rejected("a question about another relationship than its letter", code="altered", place=request.path)
    answer = await house.tallies.answer(letter.sender, question)
    return await _send(house, letter.sender, letter.relationship, write(answer), request.out)


async def read_by_file(house: House, request: ReadAnswer) -> Reconciliation:
    """Compare this register with an answer that was brought back.

    Raises:
        Rejected: the file is not what it must be, not by a peer, or answers something else.
    """
    await overseer(house, request.actor)
    letter, body = await _receive(house, request.path)
    row = await house.agreement_row(letter.relationship, letter.sender)
    answer = read_answer(body)
    _check_address(house, row, answer)
    if not isinstance(answer.says, DifferingLines):
        raise Rejected("the answer to another question", code="other-answer", place=request.path)
    there: There = Carried(answer.says)
    found, complete = await compare(house.tallies, there, row.relationship)
    differences = [await _difference(house, row, each, answer) for each in found]
    return await _conclude(house, row, answer, differences, complete=complete, wrong=None)


# ---- explaining ------------------------------------------------------------------------------------------------------


async def _difference(house: House, row: AgreementRow, unlike: Unlike, answer: Answer) -> Difference:
    """A difference in words, and why it is one (14)."""
    ours, theirs = _newest(unlike)
    because, record, says = await _because(house, row, ours, theirs, answer)
    entry = await house.store.find(record) if record is not None else None
    by = "" if record is None else entry.chain.rpartition("/")[2] if entry is not None else row.peer
    return Difference(
        item=unlike.item,
        copy=unlike.copy,
        here=await _words(house, row, unlike.here, unlike.there),
        there=await _words(house, row, unlike.there, unlike.here),
        because=because,
        record=record.hex() if record is not None else "",
        by=by,
        sequence=entry.sequence if entry is not None else None,
        says=says,
    )


def _newest(unlike: Unlike) -> tuple[bytes | None, bytes | None]:
    """The newest record of either line, as far as they differ."""
    here, there = unlike.here, unlike.there
    if isinstance(here, CopyLine) and isinstance(there, CopyLine) and here.last == there.last:
        return _some(here.opening), _some(there.opening)
    return (None if here is None else here.last), (None if there is None else there.last)


def _some(record: bytes) -> bytes | None:
    return None if record == NOTHING else record


async def _because(
    house: House, row: AgreementRow, ours: bytes | None, theirs: bytes | None, answer: Answer
) -> tuple[Because, bytes | None, str]:
    own, other = chain_id(row.relationship, house.party), chain_id(row.relationship, row.peer)
    mine = await house.store.find(ours) if ours is not None else None
    waits_here = answer.size > house.sequencer.head(other).size
    if mine is not None and mine.chain == own:
        if mine.sequence >= answer.have:
            return "on its way there", ours, ""
        if ours in answer.held:
            return "held there", ours, ""
    for record in (ours, theirs):
        returned = await house.row(ReturnedRow, record.hex()) if record is not None else None
        if returned is not None:
            return "returned", record, f"{returned.code}: {returned.reason}"
    if theirs is not None:
        entry = await house.store.find(theirs)
        if entry is None and waits_here:
            return "on its way here", theirs, ""
        if entry is not None and entry.verdict == "held":
            return "held here", theirs, entry.reason
    if mine is not None and mine.chain == own and ours != theirs and waits_here:
        return "answered", ours, ""
    return UNEXPLAINED, None, ""


async def _words(
    house: House, row: AgreementRow, line: ItemLine | CopyLine | None, other: ItemLine | CopyLine | None
) -> str:
    """A line in words; where both would read alike, with the record that it names last."""
    if line is None:
        return ""
    if isinstance(line, ItemLine):
        return line.mark + (f" = {line.marked}" if line.marked else "")
    function = ""
    for party in (house.party, row.peer):
        entry = await house.row(DirectoryRow, f"{row.relationship}/{party}/{line.holder}")
        function = function or ("" if entry is None else entry.function)
    said = f"{line.state}, {function or line.holder}"
    if isinstance(other, CopyLine) and (other.state, other.holder) == (line.state, line.holder):
        newest = line.last if other.last != line.last else line.opening
        said += f", since {newest.hex()[:16]}…"
    return said


# ---- concluding ------------------------------------------------------------------------------------------------------


async def _conclude(
    house: House,
    row: AgreementRow,
    answer: Answer,
    differences: list[Difference],
    *,
    complete: bool,
    wrong: tuple[str, ...] | None,
) -> Reconciliation:
    """Record that the registers were compared, and what was not explained (15)."""
    differences.sort(key=lambda each: each.because == UNEXPLAINED)
    unexplained = [each for each in differences if each.because == UNEXPLAINED]
    sums = [each async for each in house.tallies.buckets(row.relationship)]
    own, other = chain_id(row.relationship, house.party), chain_id(row.relationship, row.peer)
    told = Reconciliation(
        reconciliation=house.new_name("c"),
        relationship=row.relationship,
        peer=row.peer,
        at=answer.at,
        ours=(house.sequencer.head(own).size, answer.have),
        theirs=(answer.size, house.sequencer.head(other).size),
        items=sum(each.items for each in sums),
        copies=sum(each.copies for each in sums),
        differences=tuple(differences),
        unexplained=len(unexplained),
        complete=complete,
        recounted=wrong,
    )
    named = tuple(
        Disagreement(
            item=each.item,
            copy=each.copy,
            here=(each.here or "nothing")[:NAME_CHARACTERS_MAX],
            there=(each.there or "nothing")[:NAME_CHARACTERS_MAX],
        )
        for each in unexplained[:FINDINGS_MAX]
    )
    body = Reconciled(
        reconciliation=told.reconciliation,
        between=row.relationship,
        peer=row.peer,
        ours=told.ours,
        theirs=told.theirs,
        items=told.items,
        copies=told.copies,
        explained=len(differences) - len(unexplained),
        findings=named,
        more=len(unexplained) - len(named),
    )

    async def say(work: Work) -> None:
        await work.say(Draft(DOMESTIC, body))

    await house.sequencer.submit(say)
    return told


async def _recount(house: House, relationship: str) -> tuple[str, ...]:
    """Items whose kept sum is not that of their copies (16)."""
    wrong = []
    async for key, row in house.rows(TallyItemRow, f"{relationship}/"):
        item = key.rpartition("/")[2]
        lines = [line async for line in house.tallies.copies(relationship, item)]
        if (row.copies, row.digest) != (len(lines), item_sum(item, row, lines)):
            wrong.append(item)
    return tuple(wrong)


# ---- addresses and files ---------------------------------------------------------------------------------------------


async def _agreement(house: House, peer: str, relationship: str | None) -> AgreementRow:
    """The running agreement with a peer.

    Raises:
        Misuse: several run with that peer, and none was named.
        Refused: none does.
    """
    if relationship is not None:
        return await house.agreement_row(relationship, peer)
    found = [each for each, other in await house.relationships() if other == peer]
    if len(found) > 1:
        raise Misuse(
            f"several agreements run with {peer!r} ({', '.join(found)}); name one with --relationship",
            code="which-relationship",
        )
    if not found:
        raise Refused(f"no agreement runs here with {peer!r}", code="unknown-relationship")
    return await house.agreement_row(found[0], peer)


def _question(house: House, row: AgreementRow, asks: Buckets | Parts | Items | Copies | Differing) -> Question:
    return Question(
        format="comity-question/1", relationship=row.relationship, asker=house.party, asked=row.peer, asks=asks
    )


def _check_address(house: House, row: AgreementRow, answer: Answer) -> None:
    if (answer.relationship, answer.answerer, answer.asker) != (row.relationship, row.peer, house.party):
        raise Rejected("an answer about another relationship, or to somebody else", code="other-answer")


async def _send(house: House, receiver: str, relationship: str, body: bytes, path: str) -> LetterTold:
    letter = Letter(
        sender=house.party,
        receiver=receiver,
        relationship=relationship,
        at=house.now(),
        digest=sha256(body).digest(),
        size=len(body),
    )
    key = house.transport()
    envelope = dsse.sign(RECONCILIATION, encode(letter), [(key.public, key.sign)])
    with house.files.whole(path) as sink:
        sink.write(MAGIC + len(envelope).to_bytes(4, "big") + envelope + body)
        size = sink.tell()
    return LetterTold(path=path, sender=house.party, receiver=receiver, relationship=relationship, size=size)


async def _receive(house: House, path: str) -> tuple[Letter, bytes]:
    """(13) A letter and its body, verified.

    Raises:
        Rejected: ``not-a-reconciliation``, ``truncated``, ``altered``, or a signature that is not the sender's.
        Misuse: it is for another party.
    """
    with house.files.read(path) as source:
        data = source.read(len(MAGIC) + 4 + dsse.ENVELOPE_BYTES_MAX + ANSWER_BYTES_MAX + 1)
    start = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise Rejected("not a reconciliation, or cut short in its first line", code="not-a-reconciliation", place=path)
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if length > dsse.ENVELOPE_BYTES_MAX:
        raise Rejected(f"a head of {length} bytes; at most {dsse.ENVELOPE_BYTES_MAX}", code="too-large", place=path)
    envelope = dsse.read(data[start : start + length], RECONCILIATION, path)
    letter = decode(envelope.payload, Letter, path)
    if letter.receiver != house.party:
        raise Misuse(f"this is for {letter.receiver!r}, not for {house.party!r}", code="other-receiver", place=path)
    card = await house.peer_card(letter.sender)
    dsse.verify(envelope, card.taken("transport", house.now()), path)
    if house.now() >= card.until:
        raise Rejected(
            f"the card of {card.party!r} ended on {card.until:%Y-%m-%d}: exchange cards again", code="card-ended"
        )
    await house.agreement_row(letter.relationship, letter.sender)
    body = data[start + length :]
    if len(body) != letter.size:
        raise Rejected("the file is cut short, or something is behind its end", code="truncated", place=path)
    if sha256(body).digest() != letter.digest:
        raise Rejected("it is not what its sender signed: it was altered", code="altered", place=path)
    return letter, body
