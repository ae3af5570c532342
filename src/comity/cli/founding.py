"""``comity init``: a data folder with its settings, keys, certificate and card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from comity.agreement.model import IDENTIFIER_PATTERN
from comity.cli.options import FOLDER_VARIABLE, Verb, home, spoken
from comity.cli.output import Output
from comity.cli.passphrases import choosing
from comity.cli.tokens import token_home, token_options
from comity.errors import Misuse, Rejected

if TYPE_CHECKING:
    from comity.node.settings import Settings

OPEN_MEANS = "whoever reads this disk, or a copy of it, has them."
"""What is said of keys that are not locked."""


class HouseMade(msgspec.Struct, frozen=True, kw_only=True):
    """What ``comity init`` made; ``root_key`` is to be carried away, ``fingerprint`` to be compared by two people."""

    folder: str
    party: str
    name: str
    addresses: tuple[str, ...]
    fingerprint: str
    root_key: str
    locked: bool = False


@click.command(cls=Verb)
@click.argument("party")
@click.option("--name", required=True, help="The party's name for people.")
@click.option("--address", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8443, show_default=True, help="The port.")
@click.option(
    "--public", multiple=True, metavar="URL", help="Where peers reach the node, when that is not the address above."
)
@click.option("--pouch-only", is_flag=True, help="The card names no address: everything is carried by hand.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="Lock the keys with the first line of this file; else a terminal is asked.",
)
@click.option(
    "--on-token",
    multiple=True,
    type=click.Choice(["root", "record", "log", "witness", "transport"]),
    help="This key is born on the token that --module and --token name; repeat it.",
)
@token_options
@click.option("--no-passphrase", is_flag=True, help="Leave the keys open on the disk, and do not ask.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help=f"The data folder; else ${FOLDER_VARIABLE}, else ~/.comity."
)
@spoken
def init(
    out: Output,
    party: str,
    name: str,
    address: str,
    port: int,
    public: tuple[str, ...],
    passphrase_file: Path | None,
    on_token: tuple[str, ...],
    module: Path | None,
    label: str | None,
    pin_file: Path | None,
    folder: Path | None,
    *,
    pouch_only: bool,
    no_passphrase: bool,
) -> None:
    """Make a data folder: settings, keys, TLS certificate, and a card signed by the root key.

    PARTY is the id by which agreements name you, such as jp.

    Example:
      comity init jp --name "Government of Japan" --port 8443
    """
    import asyncio

    from comity.node.run import found

    chosen = (folder or click.get_current_context().find_root().params.get("folder") or home()).absolute()
    if pouch_only and public:
        raise click.UsageError("--pouch-only and --public exclude each other")
    if no_passphrase and passphrase_file:
        raise click.UsageError("--no-passphrase and --passphrase-file exclude each other")
    addresses = () if pouch_only else public or (f"https://{_host(address)}:{port}",)
    settings = settings_of(party, name, address, port, addresses)
    if not chosen.parent.is_dir():
        raise Misuse(f"there is no folder {str(chosen.parent)!r} to make it in", code="no-folder")
    if bool(on_token) != (module is not None and label is not None):
        raise click.UsageError("--on-token goes with --module and --token")
    home_token = token_home(module, label, pin_file) if module is not None and label is not None else None
    passphrase = "" if no_passphrase else choosing("Passphrase for the keys (empty: they lie open)", passphrase_file)
    card = asyncio.run(found(chosen, settings, name, passphrase, home_token, on_token))
    made = HouseMade(
        folder=str(chosen),
        party=party,
        name=name,
        addresses=addresses,
        fingerprint=card.fingerprint,
        root_key=str(chosen / "root" / ("root.token" if "root" in on_token else "root.key")),
        locked=bool(passphrase),
    )
    out.show(made, _tell)


def settings_of(party: str, name: str, address: str, port: int, addresses: tuple[str, ...]) -> Settings:
    """The settings of a new house.

    Raises:
        Misuse: the party id, the name or an address cannot be.
    """
    from comity.node.settings import FILE, Listen, Settings, parse_settings, write_settings
    from comity.record.encoding import NAME_CHARACTERS_MAX, decode, encode

    if not re.fullmatch(IDENTIFIER_PATTERN, party):
        raise Misuse(
            f"{party!r} cannot be a party id: lowercase letters and digits, joined by '-' or '.'", code="bad-party"
        )
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX:
        raise Misuse(f"a name has 1 to {NAME_CHARACTERS_MAX} characters, not {len(name)}", code="bad-name")
    settings = Settings(party=party, listen=Listen(address=address, port=port, public=addresses))
    try:
        decode(encode(name), str)
        parse_settings(write_settings(settings), FILE)
    except Rejected as error:
        raise Misuse(error.sentence, code=error.code) from None
    return settings


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _tell(out: Output, made: HouseMade) -> None:
    out.line(("made the house of ", "strong"), (made.party, "strong"), f" ({made.name})")
    out.fields(
        [
            ("folder", made.folder),
            ("reached at", ", ".join(made.addresses) or "by pouch only"),
            ("fingerprint", made.fingerprint),
            ("root key", made.root_key),
            ("keys", "locked" if made.locked else "open"),
        ]
    )
    out.gap()
    out.text(
        "The root key certifies all others. Use it now for what follows, then carry it away from this machine "
        "(a second copy in a safe); the house runs without it.",
        style="warn",
    )
    if not made.locked:
        out.text(f"The keys lie open: {OPEN_MEANS} 'comity keys lock' seals them to a passphrase.", style="warn")
    out.next(
        ("comity peer card --out " + made.party + ".card", "your card, for the other party"),
        ("comity person add HANDLE --help", "enrol the first people"),
        ("comity node run", "listen"),
    )
