"""Where a command finds the house: in the node that runs on the folder, or in the folder itself.

There is one writer. While a node holds the folder, every call goes through its local socket; when none does, this
process takes the lock, opens the house as the node would, runs the flow and lets go (``node.asking``). A process that
can do neither is told who holds the folder.
"""

from __future__ import annotations

import os
import re
import socket
from base64 import b32encode
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec

from comity.cli.passphrases import unlocking
from comity.errors import ComityError, Misuse, Unavailable
from comity.flows.actors import Actor, NeedsSignature

IDENTIFIER = re.compile(r"\b[np]-[a-z2-7]{16}\b")
"""How a person is called in records: in the house (``p-``) and in a relationship (``n-``)."""

ACT_SIGNATURES_MAX = 64
"""Most signatures that one act may ask of a person: more is a node that asks for something else each time."""


def fresh_name(prefix: str, key: Path | None) -> str | None:
    """A name for what is about to be made, where a person signs with his own ``key`` and must know it; else none."""
    return f"{prefix}-{b32encode(os.urandom(10)).decode().lower()}" if key else None


class Session:
    """Calls to the house in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passphrase = cache(partial(unlocking, folder))

    def call(self, flow: str, request: msgspec.Struct) -> Any:
        """(2) The response of a flow.

        Raises:
            ComityError: whatever the flow raised.
            Misuse: there is no house in the folder.
            Unavailable: somebody else holds the folder.
        """
        from comity.node.asking import ask

        self.check()
        return ask(self.folder, flow, request, self.passphrase)

    def look(self, flow: str, request: msgspec.Struct) -> Any:
        """``call`` for what is public: where no node runs, it is read with the keys left locked.

        Raises:
            ComityError: as ``call``.
        """
        if self.runs:
            return self.call(flow, request)
        from comity.node.looking import look

        self.check()
        return look(self.folder, flow, request)

    def act(self, flow: str, request: Any, key: Path | None) -> Any:
        """(6) ``call`` for an act of a person; when his key is in strict custody, signed with the one in ``key``.

        What the act says in his name is asked one by one, and signed once each.

        Raises:
            NeedsSignature: his key is in strict custody, and none was given.
            Misuse: the one given is not his.
        """
        signed: dict[bytes, bytes] = {}
        while True:
            actor = Actor(request.actor.handle, tuple(signed.values()))
            try:
                return self.call(flow, msgspec.structs.replace(request, actor=actor))
            except NeedsSignature as needed:
                if key is not None and needed.message in signed:
                    raise Misuse(
                        f"the keys in {str(key)!r} are not those of {actor.handle!r}", code="other-key"
                    ) from None
                if key is None or len(signed) == ACT_SIGNATURES_MAX:
                    raise
                from comity.cli.person_keys import read_person_keys

                signed[needed.message] = read_person_keys(key).sign_act(needed.message)
            except ComityError as error:
                raise self._naming(error) from None

    def _naming(self, error: ComityError) -> ComityError:
        """(5) An error about a person of this house, with the handle instead of the identifier records use."""
        from comity.flows.people.person_views import ListPeople

        sentence = error.sentence
        if not IDENTIFIER.search(sentence):
            return error
        for person in self.call("person.list", ListPeople()):
            for name in (person.person, *person.pseudonyms.values()):
                sentence = sentence.replace(name, person.handle)
        return type(error)(sentence, code=error.code, place=error.place)

    @property
    def party(self) -> str:
        """Party id of the house in the folder."""
        from comity.node.settings import FILE, read_settings

        self.check()
        return read_settings(self.folder / FILE).party

    @property
    def runs(self) -> bool:
        """Whether a node runs on the folder now."""
        from comity.node.client import socket_path

        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.connect(str(socket_path(self.folder)))
        except (OSError, Unavailable):
            return False
        return True

    def relationship(self, named: str | None) -> str:
        """The relationship that was named, or the only one there is.

        Raises:
            Misuse: there is none of that name, or none was named and there is not exactly one.
        """
        from comity.agreement.nearest import nearest
        from comity.flows.agreeing.agreements import ListAgreements

        found = [str(each.relationship) for each in self.call("agreement.list", ListAgreements())]
        if named is not None and named not in found:
            raise Misuse(f"no agreement runs here as {named!r}{nearest(named, found)}", code="unknown-relationship")
        if named is not None:
            return named
        if not found:
            raise Misuse(
                "no agreement runs here yet; adopt one: comity agreement adopt NAME --with PARTY", code="no-agreement"
            )
        if len(found) > 1:
            raise Misuse(
                f"several agreements run here ({', '.join(found)}); name one with --relationship",
                code="which-relationship",
            )
        return found[0]

    def check(self, *, witness: bool = False) -> None:
        """Make sure that there is a house in the folder; or, where that will do, a witness.

        Raises:
            Misuse: there is none.
        """
        from comity.node.settings import FILE

        if not (self.folder / FILE).is_file() and not (witness and (self.folder / "witness.toml").is_file()):
            raise Misuse(f"there is no house in {str(self.folder)!r}", code="no-house")
