"""The templates of the console, once for each language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from shlex import quote
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from comity.console.called import called, called_whole
from comity.console.catalogues import CODES, Code
from comity.console.languages import NAMES, Language
from comity.console.menu import menu
from comity.console.visit import Visit


class Templates:
    """What renders pages."""

    def __init__(self) -> None:
        self._environments: dict[tuple[Code, str], Environment] = {}

    def render(self, template: str, visit: Visit, context: Mapping[str, object]) -> str:
        """A template with what a handler gives it, for whoever asks."""
        words = visit.words
        session = visit.session
        return (
            self._environment(words)
            .get_template(template)
            .render(
                visit=visit,
                words=words,
                person=visit.person if session else None,
                told=session.hear() if session and not visit.partial else [],
                token=session.token if session else "",
                path=visit.request.url.path,
                **context,
            )
        )

    def _environment(self, words: Language) -> Environment:
        key = (words.code, str(words.zone))
        found = self._environments.get(key)
        if found is None:
            found = self._environments[key] = _environment(words)
        return found


def _environment(words: Language) -> Environment:
    made = Environment(
        loader=PackageLoader("comity.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        gettext=words.message,
        ngettext=words.form,
        pgettext=words.in_context,
        newstyle=True,
    )
    made.filters |= {
        "date": words.date,
        "instant": lambda at: _instant(words, at),
        "number": words.number,
        "size": words.size,
        "listed": words.listed,
        "told": words.told,
        "since": words.since,
        "article": words.article,
        "called": lambda named: called(words, named),
        "called_whole": lambda named: called_whole(words, named),
        "name": name,
        "shell": quote,
    }
    made.globals |= {
        "languages": [(code, NAMES[code]) for code in CODES],
        "asset": asset,
        "csrf": _token_field,
        "menu": _menu,
    }
    return made


@pass_context
def _menu(context: Context) -> Iterator[tuple[str, str]]:
    """The menu of who is signed in, in his language."""
    for place in menu(context["person"].roles):
        yield place.path, context["words"].message(place.label)


@pass_context
def _token_field(context: Context) -> Markup:
    """What shows that a form came from a page of the session it is sent in."""
    return Markup('<input type="hidden" name="token" value="{}">').format(context["token"])


def name(text: object) -> Markup:
    """What people wrote themselves, kept apart from the direction of the words around it."""
    return Markup("<bdi>{}</bdi>").format(text)


def _instant(words: Language, at: date) -> Markup:
    shown = words.instant(at) if isinstance(at, datetime) else words.date(at)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)


class Static(NamedTuple):
    """A file that the node serves with the pages: twelve digits of its SHA-256, and its bytes."""

    digest: str
    data: bytes


@cache
def statics() -> Mapping[str, Static]:
    """Every such file, by its name."""
    files = resources.files("comity.console").joinpath("static").iterdir()
    contents = {file.name: file.read_bytes() for file in files if file.is_file()}
    return {name: Static(sha256(data).hexdigest()[:12], data) for name, data in contents.items()}


def asset(file: str) -> str:
    """The address of a file that the node serves with the pages; it changes with what is in the file."""
    return f"/static/{statics()[file].digest}/{file}"
