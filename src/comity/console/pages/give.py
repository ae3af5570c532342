"""Giving: one form, what the agreement says of it while it is filled in, and the asking (``spec/contents.md``)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from comity.answers import status_of
from comity.console.banners import banner_of
from comity.console.fields import Typed, read_typed
from comity.console.pages.give_sheet import CUSTODY, EMPLOYERS, Sheet, asked, look_at, make_sheet, wish_of
from comity.console.signing import fresh, read_signatures, shown_message
from comity.console.spool import Spooled
from comity.console.uploads import ToSpool, is_upload, read_fields, read_upload
from comity.console.visit import TOKEN, Entry, Form, Visit, check_token, read_form
from comity.errors import TOLD, ComityError, InternalError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.agreeing.agreements import AgreementShown, ListAgreements
from comity.flows.giving.release import POSSIBLE, Give, Given
from comity.flows.house import FRESH_NAME
from comity.flows.looking.requests import ShowRequest
from comity.marking.label import Label
from comity.register.roles import OFFICER

UPLOADED = "uploaded"
"""What stands with a file in the spool that is to be given."""
PATIENCE_SECONDS = 2.0
"""How long a page waits for the sealing; a longer one is told about."""


@dataclass
class Sealing:
    """A request that is being sealed and asked, by the file that it is about.

    Attributes:
        request: its id.
        form: what was typed, in case it comes to nothing.
        task: what does it.
    """

    request: str
    form: Form
    task: asyncio.Task[Given]


async def page(visit: Visit) -> Response:
    """The empty form; first the choice of an agreement, where there are several."""
    _check_officer(visit)
    running: list[AgreementShown] = await visit.ask("agreement.list", ListAgreements())
    chosen = visit.query.get("to")
    if not chosen and len(running) == 1:
        chosen = running[0].relationship
    if not chosen:
        return visit.show("give/whom.html", running=running)
    sheet = await make_sheet(visit, chosen)
    typed = read_typed(sheet.fields, visit.query, visit.words, blank=True)
    return await show_form(visit, sheet, typed, _chosen(visit, visit.query))


async def look(visit: Visit) -> Response:
    """*Look*: the file is put into the spool, and what the agreement says is decided and recorded."""
    _check_officer(visit)
    try:
        file, mistake = await _take(visit)
    except SignedOut as error:
        return visit.to("/sign-in", next=visit.hold(error.form))
    form = visit.form
    sheet = await make_sheet(visit, form.get("to"))
    typed = read_typed(sheet.fields, form, visit.words)
    if mistake is not None:
        return await show_form(
            visit, sheet, typed, file, {"file": visit.words.told(mistake.sentence)}, status_of(mistake)
        )
    if typed.mistakes or file is None:
        return await show_form(visit, sheet, typed, file, _mistakes(visit, typed, file), 422)
    given = await asked(visit, "give.preview", wish_of(visit, sheet, typed, file))
    return await show_form(visit, sheet, typed, file, given=given, status=200 if isinstance(given, Given) else 422)


async def take_file(visit: Visit) -> Response:
    """The file by itself, as a script sends it when it is chosen."""
    _check_officer(visit)
    file, mistake = await _take(visit)
    found = {} if mistake is None else {"file": visit.words.told(mistake.sentence)}
    return visit.show("give/file.html", file=file, found=found, most=visit.desk.settings.upload_bytes)


async def look_live(visit: Visit) -> Response:
    """(9) What the agreement says of what is typed so far; nothing of it is recorded."""
    _check_officer(visit)
    sheet = await make_sheet(visit, visit.form.get("to"))
    typed = read_typed(sheet.fields, visit.form, visit.words)
    looked = await look_at(visit, sheet, typed, _chosen(visit, visit.form))
    return visit.show("give/live.html", looked=looked, sheet=sheet, custody=CUSTODY, employers=EMPLOYERS)


async def ask(visit: Visit) -> Response:
    """(11) *Ask for release*."""
    _check_officer(visit)
    form = visit.form
    sheet = await make_sheet(visit, form.get("to"))
    typed = read_typed(sheet.fields, form, visit.words)
    if not FRESH_NAME.fullmatch(typed.fresh):
        raise Misuse("this form does not say which request it is; open the page again", code="empty-field")
    request = f"r-{typed.fresh}"
    asked_already = await _is_asked(visit, request)
    before = sealing_of(visit, request)
    if asked_already or (before is not None and is_sealing(before)):
        return visit.to(f"/releases/{request}", visit.words("This was asked already; it is done once."))
    file = _chosen(visit, form)
    if form.get("file"):
        chosen = {"file": visit.words("This file is not here yet: press Look, so that it comes and is decided about.")}
        return await show_form(visit, sheet, typed, file, chosen, 422)
    if typed.mistakes or file is None:
        return await show_form(visit, sheet, typed, file, _mistakes(visit, typed, file), 422)
    wish = wish_of(visit, sheet, typed, file, Actor(visit.actor.handle, read_signatures(form, visit.words)))
    task = visit.desk.running.begin(_give(visit, file, wish), "giving")
    if before is not None:
        before.about = UPLOADED
    file.about = Sealing(request, form, task)
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    return visit.to(f"/releases/{request}") if not task.done() else await show_outcome(visit, file)


async def _give(visit: Visit, file: Spooled, wish: Give) -> Given:
    """Seal and ask; the file is needed no longer where that was done."""
    given: Given = await visit.ask("give", wish)
    if given.outcome in POSSIBLE:
        visit.desk.spool.drop(file)
        visit.signed_in.tell(visit.words("It is sealed and asked for; nothing has left yet."))
    return given


class SignedOut(Misuse):
    """A session that ended while its file was coming; ``form`` is what was typed before it."""

    def __init__(self, form: Form) -> None:
        super().__init__("you were signed out while the file was coming; choose it again", code="signed-out")
        self.form = form


async def show_outcome(visit: Visit, file: Spooled) -> Response:
    """What came of an asking that is over: the page of the request, or the form again with everything in it.

    Nothing changes by it: it is shown as often as somebody looks, until he asks again.
    """
    sealing = file.about
    if not isinstance(sealing, Sealing):
        raise InternalError("of a file that is not being given an outcome was shown")
    visit.form = sealing.form
    given: Given | ComityError
    try:
        given = sealing.task.result()
    except NeedsSignature as needed:
        return await _sign(visit, file, needed)
    except TOLD as error:
        given = error
    if isinstance(given, Given) and given.outcome in POSSIBLE:
        return visit.to(f"/releases/{given.request}")
    sheet = await make_sheet(visit, sealing.form.get("to"))
    typed = read_typed(sheet.fields, sealing.form, visit.words)
    status = 403 if isinstance(given, Given) else status_of(given)
    return await show_form(visit, sheet, typed, file, given=given, status=status)


async def _sign(visit: Visit, file: Spooled, needed: NeedsSignature) -> Response:
    """What an officer who keeps his own key is to sign."""
    kept = [(name, value) for name, value in visit.form.fields if name not in {TOKEN, "signature", "asked"}]
    message = shown_message(needed.message, visit.form, "")
    return visit.show("give/sign.html", message=message, kept=kept, file=file)


async def drop_file(visit: Visit) -> Response:
    """Throw the file away that was chosen."""
    if (file := _chosen(visit, visit.form)) is not None:
        visit.desk.spool.drop(file)
    return visit.to("/give", visit.words("The file was thrown away."), to=visit.form.get("to"))


async def late(visit: Visit) -> Response:
    """A form whose session had ended: what was typed is kept, and the file is to be chosen again."""
    if is_upload(visit.request):
        form = await read_fields(visit.request, visit.desk.settings.upload_bytes)
    else:
        form = await read_form(visit.request)
    if visit.former is not None:
        check_token(visit.former, form)
    return visit.to("/sign-in", next=visit.hold(form))


def is_sealing(file: Spooled) -> bool:
    """Whether a file is being sealed just now."""
    return isinstance(file.about, Sealing) and not file.about.task.done()


def sealing_of(visit: Visit, request: str) -> Spooled | None:
    """The file of a request of this session that is being sealed, or was and came to nothing."""
    for each in visit.desk.spool.of_owner(visit.signed_in):
        if isinstance(each.about, Sealing) and each.about.request == request:
            return each
    return None


async def show_form(
    visit: Visit,
    sheet: Sheet,
    typed: Typed,
    file: Spooled | None,
    mistakes: Mapping[str, object] | None = None,
    status: int = 200,
    *,
    given: Given | ComityError | None = None,
) -> Response:
    """The form with what was typed and chosen, and what was decided about it."""
    found: dict[str, object] = dict(mistakes or {})
    if isinstance(given, ComityError):
        place = given.place if given.place in {each.name for each in sheet.fields} else _place_of(given)
        found[place] = visit.words.told(given.sentence)
        given = None
    looked = await look_at(visit, sheet, typed, file, given)
    label = Label(policy=visit.desk.house.party, mark=typed.text("mark"), originator=visit.desk.house.party)
    return visit.show(
        "give/form.html",
        status,
        banner=await banner_of(visit, [(label, None)] if label.mark else []),
        sheet=sheet,
        typed=typed,
        file=file,
        found=found,
        looked=looked,
        custody=CUSTODY,
        employers=EMPLOYERS,
        fresh=typed.fresh if FRESH_NAME.fullmatch(typed.fresh) else fresh(visit.desk.entropy),
        most=visit.desk.settings.upload_bytes,
        own_key=visit.person.custody == "strict",
    )


def _place_of(error: ComityError) -> str:
    return {"unknown-mark": "mark", "unknown-recipient": "recipients", "no-file": "file"}.get(error.code, "")


def _mistakes(visit: Visit, typed: Typed, file: Spooled | None) -> dict[str, object]:
    missing = {} if file is not None else {"file": visit.words("File: choose one; it is not here, or not any more")}
    return {**missing, **typed.mistakes}


async def _take(visit: Visit) -> tuple[Spooled | None, ComityError | None]:
    """(8) The fields and the file of a form; the file that was chosen before, where it has none."""
    desk = visit.desk
    if not is_upload(visit.request):
        visit.form = await read_form(visit.request)
        check_token(visit.signed_in, visit.form)
        return _chosen(visit, visit.form), None
    to = ToSpool(visit.signed_in, desk.sessions, desk.spool)
    try:
        upload = await read_upload(visit.request, to, desk.settings.upload_bytes)
    except (Misuse, Rejected, Unavailable) as error:
        if to.form is None:
            raise
        if error.code == "signed-out":
            raise SignedOut(to.form) from None
        visit.form = to.form
        return _chosen(visit, to.form), error
    visit.form = upload.form
    before = _chosen(visit, upload.form)
    if upload.file is None:
        return before, None
    if before is not None:
        desk.spool.drop(before)
    upload.file.about = UPLOADED
    return upload.file, None


def _chosen(visit: Visit, form: Form) -> Spooled | None:
    """The file that lies in the spool for a form: one that is to be given and is not being sealed."""
    found = visit.desk.spool.of(visit.signed_in, form.get("spool"))
    if found is None or is_sealing(found) or not (found.about == UPLOADED or isinstance(found.about, Sealing)):
        return None
    visit.desk.spool.keep(found)
    return found


async def _is_asked(visit: Visit, request: str) -> bool:
    try:
        await visit.ask("request.show", ShowRequest(request=request, actor=visit.actor))
    except Misuse:
        return False
    return True


def _check_officer(visit: Visit) -> None:
    if not visit.has(OFFICER):
        raise Refused("an officer asks for releases, and you have not that role", code="no-role")


ROUTES = (
    Entry("/give", page),
    Entry("/give", look, methods=("POST",), raw=True, late=late),
    Entry("/give/file", take_file, methods=("POST",), raw=True, kept=False),
    Entry("/give/live", look_live, methods=("POST",), kept=False, live=True),
    Entry("/give/ask", ask, methods=("POST",), fresh=True),
    Entry("/give/drop", drop_file, methods=("POST",)),
)
