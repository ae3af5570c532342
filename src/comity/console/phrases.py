"""What flows say in English, in the language of whoever reads it."""

from __future__ import annotations

from comity.console.catalogues import Code, catalogue


def phrase(text: str, code: Code) -> str | None:
    """A sentence of a flow in another language; None where it is not known there."""
    if code == "en":
        return text
    return catalogue(code).get(text, (None,))[0]
