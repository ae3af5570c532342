"""The accounts of the house, and who asked for which page (``spec/console.md`` steps 10 to 12, 22 and 23)."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Literal

import msgspec
from starlette.responses import Response, StreamingResponse

from comity.answers import status_of
from comity.console.access import Note
from comity.console.accounts import Invited, check_keeper
from comity.console.contents import disposition
from comity.console.pages.sign_in import how, role_names
from comity.console.visit import Entry, Visit, needed
from comity.errors import TOLD, ComityError, Refused
from comity.register.roles import ADMINISTRATOR, AUDITOR, SECURITY_OFFICER
from comity.register.rows import PersonRow

PAGE_NOTES = 100
FORMULA = frozenset("=+-@\t\r")
"""With what a cell begins that a spreadsheet would compute."""
COLUMNS = ("at", "who", "did", "path", "method", "status", "how", "code")


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A note, as whoever looks may see it."""

    at: str
    who: str
    did: str
    path: str
    method: str
    status: int
    how: str
    code: str


async def accounts(visit: Visit) -> Response:
    """Everybody who has an account."""
    check_keeper(visit.person)
    return await _page(visit)


async def invite(visit: Visit) -> Response:
    """Make a code for somebody; it is on the page that answers, and nowhere afterwards."""
    check_keeper(visit.person)
    visit.check_fresh()
    try:
        handle = needed(visit.form, "handle", "a code is for somebody; type his handle")
        invited = await visit.desk.accounts.invite(handle, visit.person)
    except TOLD as error:
        return await _page(visit, error)
    return await _page(visit, invited=invited)


async def vouch(visit: Visit) -> Response:
    """Say that whoever came in with an administrator's code is the person that it was for."""
    visit.check_fresh()
    person = visit.form.get("person")
    try:
        await visit.desk.accounts.vouch(person, visit.form.get("number"), visit.person)
    except TOLD as error:
        return await _page(visit, error)
    for each in visit.desk.sessions.of_person(person):
        each.limited = False
    return visit.to("/accounts", visit.words("The account leads on from now."))


async def end_sessions(visit: Visit) -> Response:
    """Sign somebody out everywhere."""
    check_keeper(visit.person)
    ended = visit.desk.sessions.end_all(visit.form.get("person"))
    told = visit.words.count("%(num)s session is ended.", "%(num)s sessions are ended.", ended)
    return visit.to("/accounts", told) if visit.desk.sessions.lasts(visit.signed_in) else visit.to("/sign-in")


async def remove(visit: Visit) -> Response:
    """Take somebody's account away; the person stays."""
    check_keeper(visit.person)
    visit.check_fresh()
    try:
        await visit.desk.remove_account(visit.form.get("person"))
    except TOLD as error:
        return await _page(visit, error)
    told = visit.words("The account is taken away, with its sessions and tokens.")
    return visit.to("/accounts", told) if visit.desk.sessions.lasts(visit.signed_in) else visit.to("/sign-in")


async def access(visit: Visit) -> Response:
    """(23) Who asked for which page, the newest first."""
    _check_looks(visit)
    before = visit.query.get("before")
    found = await visit.desk.access.page(before, PAGE_NOTES + 1)
    names: dict[str, str] = {}
    shown = [(note.at, await _noted(visit, note, names)) for _, note in found[:PAGE_NOTES]]
    return visit.show(
        "accounts/access.html",
        notes=shown,
        older=found[PAGE_NOTES - 1][0] if len(found) > PAGE_NOTES else "",
        how=partial(how, visit),
        days=visit.desk.settings.access_days,
        kinds_only=visit.has(ADMINISTRATOR),
    )


async def access_csv(visit: Visit) -> Response:
    """All of it as CSV."""
    return await _download(visit, "csv")


async def access_json(visit: Visit) -> Response:
    """All of it as JSON."""
    return await _download(visit, "json")


async def _download(visit: Visit, form: Literal["csv", "json"]) -> Response:
    _check_looks(visit)
    names: dict[str, str] = {}

    async def lines() -> AsyncIterator[bytes]:
        yield b"[" if form == "json" else (",".join(COLUMNS) + "\r\n").encode()
        first = True
        async for note in visit.desk.access.all():
            noted = await _noted(visit, note, names)
            if form == "json":
                yield (b"\n" if first else b",\n") + msgspec.json.encode(noted)
            else:
                yield _csv_line(noted)
            first = False
        if form == "json":
            yield b"\n]\n"

    kind = "application/json" if form == "json" else "text/csv; charset=utf-8"
    name = disposition(f"access-{visit.desk.house.party}.{form}")
    return StreamingResponse(lines(), headers={"content-type": kind, "content-disposition": name})


def _csv_line(noted: Noted) -> bytes:
    cells = [str(getattr(noted, name)) for name in COLUMNS]
    line = io.StringIO()
    csv.writer(line).writerow([f"'{each}" if each[:1] in FORMULA else each for each in cells])
    return line.getvalue().encode()


async def _noted(visit: Visit, note: Note, names: dict[str, str]) -> Noted:
    """(23) A note; to an administrator a page by its kind alone."""
    if note.person and note.person not in names:
        names[note.person] = await visit.desk.house.handle(note.person)
    return Noted(
        at=note.at.isoformat(timespec="milliseconds"),
        who=names.get(note.person, ""),
        did=note.did,
        path="" if visit.has(ADMINISTRATOR) else note.path,
        method=note.method,
        status=note.status,
        how=note.how,
        code=note.code,
    )


def _check_looks(visit: Visit) -> None:
    if not visit.has(AUDITOR, ADMINISTRATOR):
        raise Refused("who asked for which page is for auditors and administrators", code="no-role")


async def _page(visit: Visit, mistake: ComityError | None = None, invited: Invited | None = None) -> Response:
    desk = visit.desk
    found = []
    for each in await desk.accounts.sweep():
        row = await desk.house.need(PersonRow, each.person, "person")
        sessions = len(desk.sessions.of_person(each.person))
        found.append((await desk.house.handle(each.person), role_names(visit, row.roles), each, sessions))
    return visit.show(
        "accounts/accounts.html",
        200 if mistake is None else status_of(mistake),
        mistakes={} if mistake is None else {mistake.place: visit.words.told(mistake.sentence, mistake.code)},
        accounts=sorted(found, key=lambda each: each[0]),
        invited=invited,
        handle=visit.form.get("handle"),
        vouches=visit.has(SECURITY_OFFICER),
        now=desk.clock.now(),
        own=visit.signed_in.person,
        passwords=desk.settings.passwords,
    )


ROUTES = (
    Entry("/accounts", accounts),
    Entry("/accounts/invite", invite, ("POST",)),
    Entry("/accounts/vouch", vouch, ("POST",), kept=False),
    Entry("/accounts/end-sessions", end_sessions, ("POST",)),
    Entry("/accounts/remove", remove, ("POST",)),
    Entry("/access", access),
    Entry("/access.csv", access_csv),
    Entry("/access.json", access_json),
)
