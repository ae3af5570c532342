"""``comity keygen``: an age identity, or the keys of a person who keeps them."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from comity.cli.files import read_file, write_new_file
from comity.cli.options import Verb
from comity.cli.passphrases import ask
from comity.errors import Misuse


@click.command(cls=Verb)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new file; else standard output.")
@click.option("--x25519", is_flag=True, help="An identity without the post-quantum half, for older programs.")
@click.option("--person", is_flag=True, help="The keys of a person in strict custody: to sign with and to open with.")
@click.option("-p", "--passphrase", is_flag=True, help="Seal the file to a passphrase, asked for on the terminal.")
@click.option(
    "-y", "--public", type=click.Path(path_type=Path), help="Print the public half of this file instead of making one."
)
def keygen(output: Path | None, public: Path | None, *, x25519: bool, person: bool, passphrase: bool) -> None:
    """Make an age identity (ML-KEM-768 with X25519), or the keys of a person who keeps them off the node.

    Example:
      comity keygen -o key.txt
      comity keygen --person -p -o kim.keys
      comity keygen -y kim.keys -o kim.public
    """
    if public is not None and (x25519 or person or passphrase):
        raise click.UsageError("-y prints the public half of a file; it makes nothing")
    if x25519 and person:
        raise click.UsageError("a person's keys are hybrid; --x25519 and --person exclude each other")
    text = _public(public) if public is not None else _made(person=person, x25519=x25519)
    kept = _locked(text) if passphrase else text
    if output is None:
        if public is None and not passphrase and sys.stdout.isatty():
            raise Misuse("secret keys would stand on a terminal; name a file with -o", code="secret-to-terminal")
        sys.stdout.write(kept)
        return
    write_new_file(output, kept.encode())
    if public is None:
        sys.stderr.write("".join(line + "\n" for line in text.splitlines() if line.startswith(("# public", "# signs"))))


def _made(*, person: bool, x25519: bool) -> str:
    from comity.seal.keys import generate_identity, key_file
    from comity.seal.x25519 import X25519Identity

    created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if person:
        from comity.cli.person_keys import make_person_keys

        return make_person_keys(created, os.urandom)
    identity = X25519Identity.generate(os.urandom) if x25519 else generate_identity(os.urandom)
    return key_file(identity, created)


def _locked(text: str) -> str:
    from comity.seal.keys import locked_key_file
    from comity.seal.passphrase import PassphraseRecipient

    recipient = PassphraseRecipient(ask("Passphrase for the keys", twice=True))
    return locked_key_file(text, recipient, os.urandom).decode()


def _public(path: Path) -> str:
    from comity.cli.person_keys import SIGNING_KEY, opened_text, public_half
    from comity.errors import Rejected
    from comity.seal.hybrid import HybridIdentity
    from comity.seal.keys import KEY_FILE_BYTES_MAX, parse_identities
    from comity.seal.x25519 import X25519Identity

    data = read_file(path, KEY_FILE_BYTES_MAX)
    try:
        text = opened_text(data, str(path))
        if SIGNING_KEY.search(text):
            return public_half(text)
        found = parse_identities(text)
    except Rejected as error:
        raise type(error)(error.sentence, code=error.code, place=f"{path} {error.place}".strip()) from None
    return "".join(f"{each.recipient}\n" for each in found if isinstance(each, HybridIdentity | X25519Identity))
