"""Opening: a purpose, a decision, and the content in the page under its banner (``spec/contents.md`` 14 to 20)."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from starlette.responses import Response

from comity.agreement.model import EVERY_PARTY
from comity.answers import status_of
from comity.console.banners import banner_of, own_label
from comity.console.called import called_whole
from comity.console.contents import GUESSES, HEAD_BYTES, Shape, answered, may_be_text, shape_of, shown_text
from comity.console.decided import told_outcome
from comity.console.fields import Field, Typed, read_typed
from comity.console.guard import READING
from comity.console.spool import LIFE, Spooled
from comity.console.uploads import safe_name
from comity.console.visit import Entry, Visit
from comity.errors import ComityError, Misuse, Refused, Rejected
from comity.flows.giving.opening import Open, OpenedItem, StillOpen
from comity.flows.looking.item_story import ItemStory, ShowItem
from comity.marking.banner import BannerLine
from comity.marking.label import Label

ENCODINGS = {"shift_jis": "Shift_JIS", "euc_kr": "EUC-KR"}
"""What a reader can have a text read as, as it is called everywhere."""


class Lying(msgspec.Struct, frozen=True, kw_only=True):
    """What was opened, and lies open.

    Attributes:
        item: item id.
        title: what whoever opened it calls it.
        labels: its originator's label, and the own mark for it.
        purpose: what for.
        marking: the lines that stand on it.
        copy: number of the copy.
        conditions: of the consent that it rests on.
        record: the record of the opening, in hex; empty in strict custody, where the reader's own key makes it.
        until: when it is thrown away.
        shape: what it is, without its text: every part of it that a browser asks for is answered by it.
    """

    item: str
    title: str
    labels: tuple[Label, Label | None]
    purpose: str
    marking: tuple[BannerLine, ...]
    copy: int
    conditions: tuple[str, ...]
    record: str
    until: datetime
    shape: Shape


async def ask(visit: Visit) -> Response:
    """(14) The purpose; or, sent, what was decided."""
    story: ItemStory = await visit.ask("item", ShowItem(item=_item(visit), actor=visit.actor))
    purpose = Field(
        name="purpose",
        label=visit.words("What you open it for"),
        hint=visit.words("It came for a purpose, and serves no other one without its originator's consent."),
        value=story.provided or "",
    )
    if visit.request.method in READING:
        return await _asked(visit, story, purpose, read_typed([purpose], visit.query, visit.words, blank=True))
    typed = read_typed([purpose], visit.form, visit.words)
    if typed.mistakes:
        return await _asked(visit, story, purpose, typed, mistakes=typed.mistakes, status=422)
    if not await _is_lowest(visit, story.label, story.alternative):
        visit.check_fresh()
    try:
        lying = await _open(visit, story, typed.text("purpose"))
    except (Misuse, Refused, Rejected) as error:
        mistakes = {"": visit.words.told(error.sentence, error.code)}
        return await _asked(visit, story, purpose, typed, mistakes=mistakes, status=status_of(error))
    if isinstance(lying, OpenedItem):
        return await _asked(visit, story, purpose, typed, refused=lying, status=403)
    return visit.to(f"/opened/{lying.id}")


async def _is_lowest(visit: Visit, label: Label, alternative: Label | None) -> bool:
    """Whether a mark is the lowest of every ladder that has it: then nobody signs in afresh (``console.md`` step 7)."""
    own = own_label(visit, label, alternative)
    ladders = [
        {each.mark: each.rank for each in agreement.levels if each.party in (own.policy, EVERY_PARTY)}
        for agreement in await visit.desk.agreements()
    ]
    known = [ladder for ladder in ladders if own.mark in ladder]
    return not own.mark or (bool(known) and all(ladder[own.mark] == min(ladder.values()) for ladder in known))


async def _open(visit: Visit, story: ItemStory, purpose: str) -> Spooled | OpenedItem:
    """What lies open now; or what was decided, where it does not."""
    with visit.desk.spool.room(visit.signed_in, f"{story.item}.age") as lies:
        opened: OpenedItem = await visit.ask(
            "open", Open(item=story.item, purpose=purpose, path=lies.path, actor=visit.actor)
        )
        if opened.outcome != "permit":
            return opened
        shape = Shape("other")
        if opened.opening:
            lies.name = safe_name(opened.file_name)
            lies.given = opened.file_name
            shape = msgspec.structs.replace(shape_of(await _head(visit, lies), lies.size), text="")
        lies.about = Lying(
            item=story.item,
            title=story.title or opened.file_name or called_whole(visit.words, story),
            labels=(story.label, story.alternative),
            purpose=purpose,
            marking=opened.banner.lines if opened.banner is not None else (),
            copy=opened.copy,
            conditions=opened.conditions,
            record=opened.opening or "",
            until=visit.desk.clock.now() + LIFE,
            shape=shape,
        )
        return lies


async def _asked(
    visit: Visit,
    story: ItemStory,
    purpose: Field,
    typed: Typed,
    *,
    mistakes: object = None,
    refused: OpenedItem | None = None,
    status: int = 200,
) -> Response:
    outcome = await told_outcome(visit, refused.decision) if refused is not None else None
    return visit.show(
        "opening/ask.html",
        status,
        story=story,
        purpose=purpose,
        typed=typed,
        mistakes_found=mistakes or {},
        outcome=outcome,
        record=refused.decision_record if refused is not None else "",
        relationship=story.places[0].relationship if story.places else "",
        banner=await banner_of(visit, [(story.label, story.alternative)]),
    )


async def show(visit: Visit) -> Response:
    """What lies open, in the page where it can be shown there."""
    lies, lying = _lying(visit)
    if (refused := await _refused(visit, lies, lying)) is not None:
        return refused
    chosen = visit.query.get("as")
    head = await _head(visit, lies)
    shape = shape_of(head, lies.size, chosen) if lying.record else Shape("other")
    return visit.show(
        "opening/opened.html",
        lies=lies,
        lying=lying,
        shape=shape,
        text=shown_text(shape.text),
        encodings=ENCODINGS if _is_legible(shape, head, lies.size, chosen) else {},
        chosen=chosen if chosen in GUESSES else "",
        holder=visit.person.function,
        body=visit.person.body,
        banner=await banner_of(visit, [lying.labels]),
    )


def _is_legible(shape: Shape, head: bytes, size: int, chosen: str) -> bool:
    """Whether its reader may choose how its bytes are read: nobody can tell for certain."""
    return (shape.kind == "other" and may_be_text(head, size)) or (shape.kind == "text" and chosen in GUESSES)


async def content(visit: Visit) -> Response:
    """(18) What lies open, for the page that shows it."""
    return await _answered(visit, save=False)


async def save(visit: Visit) -> Response:
    """(18) What lies open, to be saved; in strict custody the sealed copy."""
    return await _answered(visit, save=True)


async def close(visit: Visit) -> Response:
    """Throw away what lies open."""
    lies, lying = _lying(visit)
    visit.desk.spool.drop(lies)
    return visit.to(f"/items/{lying.item}", visit.words("Closed: nothing of it is kept by the console."))


async def _answered(visit: Visit, *, save: bool) -> Response:
    lies, lying = _lying(visit)
    if (refused := await _refused(visit, lies, lying)) is not None:
        return refused
    return answered(visit.desk.spool, lies, lying.shape, visit.request.headers.get("range", ""), save=save)


async def _head(visit: Visit, lies: Spooled) -> bytes:
    def begin() -> bytes:
        with visit.desk.spool.read(lies) as source:
            return source.read(HEAD_BYTES)

    return await asyncio.to_thread(begin)


def _lying(visit: Visit) -> tuple[Spooled, Lying]:
    """(4) (15) What this session opened.

    Raises:
        Misuse: it opened no such thing, or that was thrown away.
    """
    spool = visit.desk.spool
    lies = spool.of(visit.signed_in, visit.request.path_params["opened"])
    lying = lies.about if lies is not None else None
    if lies is not None and isinstance(lying, Lying) and visit.desk.clock.now() < lying.until:
        return lies, lying
    raise Misuse(
        "there is no such page: what is opened lies open for fifteen minutes, for whoever opened it; open it again",
        code="unknown-path",
    )


async def _refused(visit: Visit, lies: Spooled, lying: Lying) -> Response | None:
    """(15) Decide again; None where it may still lie open.

    Raises:
        ComityError: as ``open`` would raise it; it lies open no more.
    """
    try:
        again: OpenedItem = await visit.ask(
            "open.still", StillOpen(item=lying.item, purpose=lying.purpose, actor=visit.actor)
        )
    except ComityError:
        visit.desk.spool.drop(lies)
        raise
    if again.outcome == "permit":
        return None
    visit.desk.spool.drop(lies)
    return visit.show(
        "opening/refused.html",
        403,
        lying=lying,
        outcome=await told_outcome(visit, again.decision),
        record=again.decision_record,
        banner=await banner_of(visit, [lying.labels]),
    )


def _item(visit: Visit) -> str:
    return str(visit.request.path_params["item"])


ROUTES = (
    Entry("/items/{item}/open", ask, methods=("GET", "POST")),
    Entry("/opened/{opened}", show),
    Entry("/opened/{opened}/content", content),
    Entry("/opened/{opened}/file", save),
    Entry("/opened/{opened}/close", close, methods=("POST",)),
)
