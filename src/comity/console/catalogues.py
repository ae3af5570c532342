"""The catalogues of words: what the console says, by its English text, in each other language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

from babel.messages.pofile import read_po

Code = Literal["en", "ja", "ko"]
CODES: tuple[Code, ...] = ("en", "ja", "ko")
CONTEXT = "\x04"
"""What stands between the context of a message and its text, as gettext has it."""


@cache
def catalogue(code: Code, of: str = "") -> Mapping[str, tuple[str, ...]]:
    """Every message of a language by its English text (after its context, where it has one), in each plural form.

    Args:
        code: which language.
        of: whose words: ``flows``, ``agreements``; the console's own without.

    Raises:
        FileNotFoundError: the package lacks it.
    """
    if code == "en":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    name = f"{of}.{code}.po" if of else f"{code}.po"
    with resources.files("comity.console").joinpath("locale", name).open("rb") as file:
        for message in read_po(file, locale=code):
            if not message.id or message.fuzzy:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            if forms and all(forms):
                found[f"{message.context}{CONTEXT}{key}" if message.context else key] = forms
    return found
