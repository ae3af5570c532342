"""What a key ceremony does: the root key carried away, two parties' first contact, the protocol signed.

What is asked and in what order is the command line's matter (``cli/ceremony.py``); the steps are ``spec/keys.md`` 25
to 31.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from comity.errors import Misuse
from comity.flows.agreeing.founding import AddPeer, CardShown, ShowCard, add_peer, show_card
from comity.node.keys import Passphrase
from comity.node.run import opened
from comity.record.card import Card, fingerprint, read_card
from comity.record.ceremony import FileNoted, Protocol, write_protocol
from comity.seal.shares import spoken
from comity.stores.durable import disk_errors, make_folders, sync_folder, write_synced
from comity.stores.folder import DataFolder
from comity.stores.key_files import read_private, remove
from comity.stores.key_lock import root_files
from comity.stores.secrets import LOCK, ROOT


def noted(path: Path) -> FileNoted:
    """A file by its name and digest."""
    return FileNoted(path.name, sha256(path.read_bytes()).digest())


def words_of(card: Card) -> str:
    """(27) The fingerprint of a card in words."""
    return spoken(fingerprint(card.party, card.root))


def same_fingerprint(card: Card, typed: str) -> bool:
    """(27) Whether what somebody typed is the card's fingerprint, in words or in hexadecimal digits."""
    plain = " ".join(typed.lower().split())
    return plain == words_of(card) or plain.replace(" ", "") == fingerprint(card.party, card.root).hex()


def copy_root(folder: Path, mediums: Sequence[Path]) -> None:
    """(29) Copy the root key, with its lock, to each medium, and read it back from there.

    Raises:
        Misuse: a medium is not there, or holds a root key already; the root key is away.
        Unavailable: a disk failed.
    """
    files = [path for path in (*root_files(folder), folder / ROOT / LOCK) if path.exists()]
    if not root_files(folder):
        raise Misuse("the root key is away already", code="root-offline")
    for medium in mediums:
        place = medium / ROOT
        if not medium.is_dir() or place.exists():
            raise Misuse(f"{str(medium)!r} is no folder, or has a root key already", code="bad-medium")
        with disk_errors(f"writing the root key to {str(medium)!r}"):
            make_folders([place])
            for path in files:
                content = read_private(path)
                write_synced(place / path.name, content)
                if read_private(place / path.name) != content:
                    raise Misuse(f"{str(medium)!r} does not give back what was written", code="bad-medium")
            sync_folder(place)


def remove_root(folder: Path) -> None:
    """(29) Take the root key away from the data folder."""
    with closing(DataFolder.open(folder, "comity keys ceremony")):
        for path in (*root_files(folder), folder / ROOT / LOCK):
            remove(path)


def own_card(folder: Path, passphrase: Passphrase) -> CardShown:
    """This party's card."""

    async def show() -> CardShown:
        async with opened(folder, "comity keys ceremony", passphrase) as house:
            return await show_card(house, ShowCard())

    return asyncio.run(show())


def sign_founding(folder: Path, protocol: Protocol, passphrase: Passphrase) -> bytes:
    """(30) The protocol of a founding, signed by the root key, which is still here."""

    async def sign() -> bytes:
        async with opened(folder, "comity keys ceremony", passphrase) as house:
            root = house.keys.root()
            return write_protocol(protocol, root.public, root.sign)

    return asyncio.run(sign())


def meet(
    folder: Path, request: AddPeer, protocol: Callable[[], Protocol], passphrase: Passphrase
) -> tuple[bytes, Protocol]:
    """(28) (30) Add the other party, and sign the protocol of it with the key that signs records.

    Raises:
        ComityError: as ``flows.agreeing.founding.add_peer``; then nothing was added.
    """

    async def add() -> tuple[bytes, Protocol]:
        async with opened(folder, "comity keys ceremony", passphrase) as house:
            await add_peer(house, request)
            made = protocol()
            key = house.keys.record
            return write_protocol(made, key.public, key.sign), made

    return asyncio.run(add())


def read_peer(envelope: bytes, place: str) -> Card:
    """The card that the other party sent, signed by its own root key; whether to trust it is what is asked next.

    Raises:
        Rejected: it is no card.
    """
    return read_card(envelope, place)
