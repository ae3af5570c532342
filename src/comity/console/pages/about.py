"""In which language the pages are, and who can read what is kept here."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from comity.console.cookies import origin_of
from comity.console.languages import LANGUAGE_COOKIE, known_code
from comity.console.visit import Entry, Visit, own_path

YEAR_SECONDS = 31_536_000


async def choose_language(visit: Visit) -> Response:
    """Show the pages in a language from now on, in this browser."""
    code = known_code(visit.form.get("language"))
    answer = RedirectResponse(own_path(visit.form.get("next")), 303)
    if code is not None:
        if visit.session is not None:
            visit.session.language = code
            await visit.desk.accounts.keep_language(visit.session.person, code)
        secure = origin_of(visit.desk, visit.request.headers.get("host", "")).startswith("https:")
        answer.set_cookie(LANGUAGE_COOKIE, code, max_age=YEAR_SECONDS, secure=secure, samesite="strict", httponly=True)
    return answer


async def custody(visit: Visit) -> Response:
    """What strict and served custody mean, and what an administrator sees."""
    return visit.show("about/custody.html")


ROUTES = (
    Entry("/language", choose_language, methods=("POST",), open=True),
    Entry("/custody", custody, open=True),
)
