"""Signing in and out, showing again that it is you, and what was kept meanwhile (``spec/console.md`` steps 11 on)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from starlette.responses import RedirectResponse, Response

from comity.answers import status_of
from comity.console import cookies
from comity.console.accounts import Account
from comity.console.doorkeeper import Trying, check_same
from comity.console.languages import N_
from comity.console.organisations import Login
from comity.console.passkeys import asked_to_sign, host_of
from comity.console.visit import Entry, Form, Visit, own_path
from comity.console.words import ROLES
from comity.errors import TOLD, ComityError, Misuse, Refused, Unavailable
from comity.register.rows import PersonRow

How = Literal["password", "passkey", "code", "organisation"]
HOW = {
    "password": N_("with a password"),
    "passkey": N_("with a passkey"),
    "code": N_("with a code"),
    "organisation": N_("through the organisation"),
    "token": N_("with a token"),
}
SIGN_IN, PROVE = "sign-in", "prove"
CLEARED = '"cache", "storage"'
"""What a browser forgets of the console when somebody signs out; by its cookies it is known to him again (17)."""


async def sign_in(visit: Visit) -> Response:
    """Sign in with a password; or see by what one can."""
    after = visit.form.get("next") or visit.query.get("next")
    if visit.request.method != "POST":
        signed = visit.session is not None and not visit.session.limited
        return RedirectResponse(own_path(after), 303) if signed else _asked(visit, after)
    handle = visit.form.get("handle")
    try:
        account = await visit.desk.doorkeeper.by_password(handle, typed(visit.form, "password"), trying(visit))
    except TOLD as error:
        return _asked(visit, after, handle, error)
    return await enter(visit, account, "password", after)


async def by_passkey(visit: Visit) -> Response:
    """Sign in with a passkey."""
    if visit.request.method != "POST":
        return await sign_in(visit)
    after = visit.form.get("next")
    try:
        account = await visit.desk.doorkeeper.by_passkey(visit.form.get("answer"), SIGN_IN, trying(visit))
    except TOLD as error:
        return _asked(visit, after, "", error)
    return await enter(visit, account, "passkey", after)


async def by_code(visit: Visit) -> Response:
    """Come in with a code, to set by what one signs in."""
    handle = visit.form.get("handle")
    mistake: ComityError | None = None
    if visit.request.method == "POST":
        try:
            account = await visit.desk.doorkeeper.by_code(handle, visit.form.get("code"), trying(visit))
        except TOLD as error:
            mistake = error
        else:
            return await enter(visit, account, "code", "/account")
    return _shown(visit, "sign_in/code.html", mistake, handle=handle)


async def to_organisation(visit: Visit) -> Response:
    """Go to the organisation's own login."""
    purpose = PROVE if visit.request.url.path.startswith("/prove") else SIGN_IN
    browser, fresh = browser_of(visit)
    after = own_path(visit.query.get("next"))
    answer = RedirectResponse(await _login(visit).start(purpose, after, browser, origin(visit)), 303)
    return holding(visit, answer, fresh)


async def from_organisation(visit: Visit) -> Response:
    """Take what came through another site's page, and go on from a page of ours."""
    brought = {name: visit.query.get(name) for name in ("code", "state", "error") if name in visit.query}
    return visit.show("sign_in/back.html", brought=brought)


async def at_organisation(visit: Visit) -> Response:
    """Sign in, or show again who one is, by what the organisation says."""
    login, desk = _login(visit), visit.desk
    brought = dict(visit.query.fields)
    known = await login.finish(brought, cookies.held(desk, visit.request, cookies.BROWSER), origin(visit))
    if known.purpose == SIGN_IN:
        return await enter(visit, await desk.doorkeeper.by_organisation(known.handle), "organisation", known.after)
    if visit.session is None:
        return visit.to("/sign-in", next=known.after)
    account = await desk.doorkeeper.by_organisation(known.handle, PROVE)
    if known.shown is None or not desk.is_recent(known.shown):
        raise Refused(f"{login.name} did not ask who you are just now; use another way", code="not-asked-there")
    return _proved(visit, account, known.after)


async def sign_out(visit: Visit) -> Response:
    """End the session of this browser."""
    desk = visit.desk
    if visit.session is not None:
        desk.sessions.end(cookies.held(desk, visit.request))
        desk.held.end(visit.session.person)
    answer = RedirectResponse("/sign-in", 303)
    cookies.give(desk, visit.request, answer, "")
    answer.headers["clear-site-data"] = CLEARED
    return answer


async def prove(visit: Visit) -> Response:
    """Show once more that it is you, with the password; or see by what one can."""
    after = visit.form.get("next") or visit.query.get("next")
    mistake: ComityError | None = None
    if visit.request.method == "POST":
        handle = visit.signed_in.handle
        try:
            account = await visit.desk.doorkeeper.by_password(
                handle, typed(visit.form, "password"), trying(visit), PROVE
            )
        except TOLD as error:
            mistake = error
        else:
            return _proved(visit, account, after)
    return await _prove_asked(visit, after, mistake)


async def prove_by_passkey(visit: Visit) -> Response:
    """The same with a passkey."""
    if visit.request.method != "POST":
        return await prove(visit)
    after = visit.form.get("next")
    try:
        answer = visit.form.get("answer")
        account = await visit.desk.doorkeeper.by_passkey(answer, _proving(visit), trying(visit), PROVE)
        check_same(account, visit.signed_in.person)
    except TOLD as error:
        return await _prove_asked(visit, after, error)
    return _proved(visit, account, after)


async def held_form(visit: Visit) -> Response:
    """(21) See what was kept, and send it."""
    kept = visit.desk.held.of(visit.signed_in.person, visit.request.path_params["held"])
    if kept is None:
        raise Misuse("nothing is kept here for you any more; type it again", code="unknown-path")
    return visit.show("sign_in/held.html", kept=kept, held=visit.request.path_params["held"])


async def forget_held(visit: Visit) -> Response:
    """Throw away what was kept."""
    visit.desk.held.drop(visit.signed_in.person, visit.request.path_params["held"])
    return visit.to("/", visit.words("What you had typed is thrown away."))


async def enter(visit: Visit, account: Account, how: How, after: str) -> Response:
    """(6) Begin a session for somebody who has shown that it is he."""
    desk = visit.desk
    person = await desk.house.need(PersonRow, account.person, "person")
    desk.sessions.end(cookies.held(desk, visit.request))
    limited = how == "code" or account.waiting is not None
    if account.waiting is not None:
        for each in desk.sessions.of_person(account.person):
            each.limited = True
    handle = await desk.house.handle(account.person)
    secret, _ = desk.sessions.begin(handle, account.person, how, account.language, roles=person.roles, limited=limited)
    answer = RedirectResponse("/account" if limited else own_path(after), 303)
    cookies.give(desk, visit.request, answer, secret)
    if how != "code":
        mark = await desk.doorkeeper.mark(handle)
        cookies.give(desk, visit.request, answer, mark, cookies.KNOWN, lasts=cookies.YEAR)
    return answer


def trying(visit: Visit) -> Trying:
    """From where somebody tries."""
    desk, request = visit.desk, visit.request
    return Trying(
        address=request.client.host if request.client is not None else "",
        known=cookies.held(desk, request, cookies.KNOWN),
        browser=cookies.held(desk, request, cookies.BROWSER),
        origin=origin(visit),
    )


def origin(visit: Visit) -> str:
    """The address by which this browser calls the console."""
    return cookies.origin_of(visit.desk, visit.request.headers.get("host", ""))


def how(visit: Visit, word: str) -> str:
    """By what somebody signed in, in words."""
    return visit.words(HOW[word]) if word in HOW else word


def role_names(visit: Visit, roles: Sequence[str]) -> list[str]:
    """Roles in words, without what each is for."""
    return [visit.words(ROLES[role]).partition(":")[0] for role in roles]


def typed(form: Form, name: str) -> str:
    """A field as it was typed, with the spaces around it."""
    return next((value for key, value in reversed(form.fields) if key == name), "")


def passkey_place(visit: Visit) -> tuple[str, str]:
    """The host of passkeys here, or why there are none."""
    try:
        return host_of(origin(visit)), ""
    except Unavailable as error:
        return "", error.sentence


def _asked(visit: Visit, after: str, handle: str = "", mistake: ComityError | None = None) -> Response:
    browser, fresh = browser_of(visit)
    host, why_not = passkey_place(visit)
    challenge = visit.desk.doorkeeper.challenges.make(SIGN_IN, browser)
    answer = _shown(
        visit,
        "sign_in/sign_in.html",
        mistake,
        after=own_path(after),
        handle=handle,
        options=asked_to_sign(host, challenge) if host else "",
        why_not=why_not,
        passwords=visit.desk.settings.passwords,
        organisation=visit.desk.organisation,
    )
    return holding(visit, answer, fresh)


async def _prove_asked(visit: Visit, after: str, mistake: ComityError | None = None) -> Response:
    browser, fresh = browser_of(visit)
    host, _ = passkey_place(visit)
    account = await visit.desk.accounts.of(visit.signed_in.person)
    challenge = visit.desk.doorkeeper.challenges.make(_proving(visit), browser)
    answer = _shown(
        visit,
        "sign_in/prove.html",
        mistake,
        after=own_path(after),
        options=asked_to_sign(host, challenge) if host and account is not None and account.passkeys else "",
        passwords=visit.desk.settings.passwords and account is not None and account.hashed is not None,
        organisation=visit.desk.organisation,
    )
    return holding(visit, answer, fresh)


def _proved(visit: Visit, account: Account, after: str) -> Response:
    check_same(account, visit.signed_in.person)
    visit.signed_in.proved = visit.desk.clock.now()
    return RedirectResponse(own_path(after), 303)


def _proving(visit: Visit) -> str:
    return f"{PROVE} {visit.signed_in.person}"


def _login(visit: Visit) -> Login:
    login = visit.desk.organisation
    if login is None:
        raise Misuse("this house has no organisation's login; its settings name none", code="unknown-path")
    return login


def _shown(visit: Visit, template: str, mistake: ComityError | None, **context: object) -> Response:
    """A page with what was wrong with what was typed on it."""
    mistakes = {} if mistake is None else {mistake.place: visit.words.told(mistake.sentence, mistake.code)}
    answer = visit.show(template, 200 if mistake is None else status_of(mistake), mistakes=mistakes, **context)
    seconds = getattr(mistake, "seconds", None)
    if seconds is not None:
        answer.headers["retry-after"] = str(seconds)
    return answer


def browser_of(visit: Visit) -> tuple[str, str]:
    """What this browser holds that challenges are bound to; and the same where it is new."""
    had = cookies.held(visit.desk, visit.request, cookies.BROWSER)
    fresh = "" if had else visit.desk.entropy(16).hex()
    return had or fresh, fresh


def holding(visit: Visit, answer: Response, fresh: str) -> Response:
    """An answer that has a new browser hold that."""
    if fresh:  # lax: it comes along with what an organisation's login sends back, and lets nobody do anything
        cookies.give(visit.desk, visit.request, answer, fresh, cookies.BROWSER, same_site="lax")
    return answer


ROUTES = (
    Entry("/sign-in", sign_in, ("GET", "POST"), open=True),
    Entry("/sign-in/passkey", by_passkey, ("GET", "POST"), open=True),
    Entry("/sign-in/code", by_code, ("GET", "POST"), open=True),
    Entry("/sign-in/organisation", to_organisation, open=True),
    Entry("/sign-in/organisation/back", from_organisation, open=True),
    Entry("/sign-in/organisation/done", at_organisation, open=True),
    Entry("/sign-out", sign_out, ("POST",), open=True),
    Entry("/prove", prove, ("GET", "POST"), early=True, kept=False),
    Entry("/prove/passkey", prove_by_passkey, ("GET", "POST"), early=True, kept=False),
    Entry("/prove/organisation", to_organisation, early=True),
    Entry("/held/{held}", held_form),
    Entry("/held/{held}/forget", forget_held, ("POST",)),
)
