"""One's own account: by what one signs in, and where; tokens (``spec/console.md`` steps 10 to 15, and 24)."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from comity.answers import status_of
from comity.console import cookies
from comity.console.accounts import NAME_CHARACTERS_MAX, PASSKEYS_MAX, Account
from comity.console.languages import N_
from comity.console.pages.sign_in import browser_of, holding, how, origin, passkey_place, role_names, typed
from comity.console.passkeys import asked_to_make, made, read_answer
from comity.console.passwords import check_password
from comity.console.tokens import ACT, FRESH, LONGEST, READ
from comity.console.visit import Entry, Visit, needed
from comity.errors import TOLD, ComityError, Misuse, Unavailable
from comity.register.roles import ADMINISTRATOR, AUDITOR, SECURITY_OFFICER

MAKE = "passkey"
SCOPES = {
    READ: N_("everything that only looks"),
    ACT: N_("everything that does something, but for the acts below"),
}


async def account(visit: Visit) -> Response:
    """One's own account."""
    return await _page(visit)


async def set_password(visit: Visit) -> Response:
    """Set a password, or another one."""
    desk, own = visit.desk, await _own(visit)
    password = typed(visit.form, "password")
    try:
        if not desk.settings.passwords:
            raise Misuse("this house takes no passwords; add a passkey", code="no-passwords")
        check_password(password, visit.signed_in.handle, desk.house.party, visit.person.function, visit.person.body)
        if password != typed(visit.form, "again"):
            raise Misuse("the two passwords are not the same; type both again", code="not-the-same", place="again")
        if desk.settable.take(own.person):
            raise Unavailable("you set a password again and again; wait a minute before the next", code="too-soon")
        changed = await desk.accounts.set_password(own.person, await desk.passwords.hash(password))
    except TOLD as error:
        return await _page(visit, error)
    told = visit.words("Your password is set. You are signed out everywhere else.")
    if visit.form.get("tokens") and await desk.tokens.revoke_all(own.person):
        told = visit.words("Your password is set. You are signed out everywhere else, and your tokens are ended.")
    return _changed(visit, changed, told)


async def drop_password(visit: Visit) -> Response:
    """Sign in without a password from now on."""
    own = await _own(visit)
    try:
        changed = await visit.desk.accounts.set_password(own.person, None)
    except TOLD as error:
        return await _page(visit, error)
    return _changed(visit, changed, visit.words("Your password is taken away. You are signed out everywhere else."))


async def add_passkey(visit: Visit) -> Response:
    """Add a passkey that the browser has made."""
    desk, own = visit.desk, await _own(visit)
    try:
        name = needed(visit.form, "name", "a passkey has a name, so that you know which it is")
        if len(name) > NAME_CHARACTERS_MAX:
            raise Misuse(f"a name has at most {NAME_CHARACTERS_MAX} characters", code="bad-name", place="name")
        answer = visit.form.get("answer")
        _, challenge = read_answer(answer)
        browser = cookies.held(desk, visit.request, cookies.BROWSER)
        desk.doorkeeper.challenges.check(challenge, _making(visit), browser)
        passkey = made(answer, challenge, origin(visit), name, desk.clock.now())
        desk.doorkeeper.challenges.spend(challenge)
        changed = await desk.accounts.add_passkey(own.person, passkey)
    except TOLD as error:
        return await _page(visit, error)
    return _changed(visit, changed, visit.words("The passkey is added. You are signed out everywhere else."))


async def remove_passkey(visit: Visit) -> Response:
    """Sign in without a passkey from now on."""
    own = await _own(visit)
    try:
        changed = await visit.desk.accounts.remove_passkey(own.person, _key(visit.form.get("passkey")))
    except TOLD as error:
        return await _page(visit, error)
    return _changed(visit, changed, visit.words("The passkey is removed. You are signed out everywhere else."))


async def sign_out_elsewhere(visit: Visit) -> Response:
    """End every other session of one's own."""
    ended = visit.desk.sessions.end_all(visit.signed_in.person, but=visit.signed_in)
    told = visit.words.count("%(num)s other session is ended.", "%(num)s other sessions are ended.", ended)
    return visit.to("/account", told)


async def tokens(visit: Visit) -> Response:
    """The tokens by which one's programs ask in one's name; make one."""
    desk, session = visit.desk, visit.signed_in
    mistakes: dict[str, object] = {}
    status, written, form = 200, "", visit.form
    if visit.request.method == "POST":
        visit.check_fresh()
        try:
            days = form.get("days")
            written, _ = await desk.tokens.make(
                session.person,
                form.get("name"),
                (*form.all("scopes"), *form.get("more").split()),
                int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            )
        except TOLD as error:
            mistakes, status = {error.place: visit.words.told(error.sentence, error.code)}, status_of(error)
    return visit.show(
        "account/tokens.html",
        status,
        mistakes=mistakes,
        written=written,
        tokens=await desk.tokens.of_person(session.person),
        now=desk.clock.now(),
        groups=[(scope, visit.words(text)) for scope, text in SCOPES.items()],
        fresh=sorted(FRESH & set(desk.flows)),
        typed=form,
        longest=LONGEST.days,
    )


async def revoke_token(visit: Visit) -> Response:
    """End a token."""
    await visit.desk.tokens.revoke(visit.signed_in.person, visit.form.get("token-number"))
    return visit.to("/tokens", visit.words("The token is worth nothing any more."))


async def _own(visit: Visit) -> Account:
    """(15) One's own account, which one may change now.

    Raises:
        Stale: whoever could show that it is he has not done so lately.
        Misuse: there is none, since somebody took it away.
    """
    own = await visit.desk.accounts.of(visit.signed_in.person)
    if own is None:
        raise Misuse("you have no account any more; ask your administrator for a code", code="no-account")
    if own.can_sign_in(passwords=visit.desk.settings.passwords):
        visit.check_fresh()
    return own


def _changed(visit: Visit, own: Account, told: str) -> Response:
    """(15) After a change of how he signs in, nobody else stays signed in as he."""
    session = visit.signed_in
    visit.desk.sessions.end_all(session.person, but=session)
    session.limited = own.waiting is not None
    return visit.to("/account", told)


async def _page(visit: Visit, mistake: ComityError | None = None) -> Response:
    desk, session = visit.desk, visit.signed_in
    own = await desk.accounts.of(session.person)
    host, why_not = passkey_place(visit)
    options, (browser, fresh) = "", browser_of(visit)
    if own is not None and host and len(own.passkeys) < PASSKEYS_MAX:
        challenge = desk.doorkeeper.challenges.make(_making(visit), browser)
        options = asked_to_make(own.person, session.handle, desk.house.party, host, challenge, own.passkeys)
    code_by = ""
    if own is not None and own.code_used is not None and own.code_used[1]:
        code_by = await desk.house.handle(own.code_used[1])
    answer = visit.show(
        "account/account.html",
        200 if mistake is None else status_of(mistake),
        mistakes={} if mistake is None else {mistake.place: visit.words.told(mistake.sentence, mistake.code)},
        own=own,
        tokens=await desk.tokens.of_person(session.person),
        typed=visit.form,
        roles=role_names(visit, visit.person.roles),
        can_sign_in=own is not None and own.can_sign_in(passwords=desk.settings.passwords),
        code_by=code_by,
        sessions=sorted(desk.sessions.of_person(session.person), key=lambda each: each.began, reverse=True),
        how=partial(how, visit),
        passwords=desk.settings.passwords,
        options=options,
        why_not=why_not,
        keeps_accounts=visit.has(ADMINISTRATOR, SECURITY_OFFICER),
        sees_access=visit.has(ADMINISTRATOR, AUDITOR),
    )
    return holding(visit, answer, fresh)


def _making(visit: Visit) -> str:
    return f"{MAKE} {visit.signed_in.person}"


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


ROUTES = (
    Entry("/account", account, early=True),
    Entry("/account/password", set_password, ("POST",), early=True, kept=False),
    Entry("/account/password/remove", drop_password, ("POST",), early=True, kept=False),
    Entry("/account/passkeys", add_passkey, ("POST",), early=True, kept=False),
    Entry("/account/passkeys/remove", remove_passkey, ("POST",), early=True, kept=False),
    Entry("/account/sign-out-elsewhere", sign_out_elsewhere, ("POST",), early=True),
    Entry("/tokens", tokens, ("GET", "POST")),
    Entry("/tokens/revoke", revoke_token, ("POST",)),
)
