"""The keys of a house as things to be listed, locked and kept: for the verbs of ``comity keys`` (``spec/keys.md``).

A node's work goes through the port; this is the one other module that knows that the keys are files.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from comity.errors import Misuse
from comity.ports import KeyFacts
from comity.stores.key_facts import key_facts


class KeysShown(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a house.

    Attributes:
        keys: each with what can be told without opening it.
        open: the names of those that lie open on the disk.
    """

    keys: list[KeyFacts]
    open: list[str]


def list_keys(folder: Path) -> KeysShown:
    """(10) Every key of the house in ``folder``.

    Raises:
        ComityError: as ``stores.key_facts.key_facts``.
    """
    found = key_facts(folder)
    return KeysShown(keys=found, open=[each.name for each in found if each.here and not each.locked])


def show_key(folder: Path, name: str) -> KeyFacts:
    """(10) One of them.

    Raises:
        Misuse: there is none of that name.
    """
    found = {each.name: each for each in key_facts(folder)}
    if name not in found:
        raise Misuse(f"there is no key {name!r} here; there are {', '.join(found)}", code="unknown-key")
    return found[name]
