"""``comity seal`` and ``comity unseal``: any file, any age recipient or identity, no house needed.

They read standard input and write standard output as ``age`` does, and every file opens with the ordinary ``age``
program. A named output appears whole or not at all; nothing binary is written to a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from comity.cli.files import read_file
from comity.cli.options import Verb
from comity.cli.output import working
from comity.cli.passphrases import ask
from comity.errors import Misuse, Rejected

if TYPE_CHECKING:
    from comity.seal.recipients import Identity, Recipient
    from comity.seal.streams import Sink, Source

STANDARD = "-"
"""The name that stands for standard input or standard output."""
LONG_BYTES = 16 * 1024 * 1024
"""From this size on, a progress bar is worth looking at: about a tenth of a second."""
TERMINAL_BYTES_MAX = 1024 * 1024
"""Longest text that is unsealed onto a terminal."""


@click.command(cls=Verb)
@click.argument("file", default=STANDARD)
@click.option("-r", "--recipient", "named", multiple=True, metavar="RECIPIENT", help="age1pq1… or age1…; repeat it.")
@click.option(
    "-R", "--recipients-file", "files", multiple=True, metavar="FILE", help="Recipients, one a line; repeat it."
)
@click.option("-i", "--identity", "identities", multiple=True, metavar="FILE", help="Seal to the owner of an identity.")
@click.option("-p", "--passphrase", is_flag=True, help="Seal to a passphrase, asked for on the terminal.")
@click.option("-a", "--armor", is_flag=True, help="Write text, not bytes.")
@click.option("-o", "--output", default=STANDARD, metavar="FILE", help="Where to; else standard output.")
def seal(
    file: str,
    named: tuple[str, ...],
    files: tuple[str, ...],
    identities: tuple[str, ...],
    output: str,
    *,
    passphrase: bool,
    armor: bool,
) -> None:
    """Encrypt a file, or standard input, to age recipients or to a passphrase.

    Example:
      comity seal -r age1pq1… -o report.pdf.age report.pdf
      tar c folder | comity seal -R recipients.txt > folder.tar.age
    """
    from comity.seal.age import seal_stream
    from comity.seal.armor import armored

    recipients = recipients_of(named, files, identities, passphrase=passphrase)
    if not recipients:
        raise click.UsageError("nobody to seal to: give -r RECIPIENT, -R FILE, -i FILE or -p")
    with ExitStack() as stack:
        source = stack.enter_context(_source(file, "sealing"))
        sink = stack.enter_context(_sealed_sink(output, text=armor))
        if armor:
            sink = stack.enter_context(armored(sink))
        seal_stream(source, sink, recipients, os.urandom)


@click.command(cls=Verb)
@click.argument("file", default=STANDARD)
@click.option("-i", "--identity", "identities", multiple=True, metavar="FILE", help="A file of identities; repeat it.")
@click.option("-p", "--passphrase", is_flag=True, help="The file is sealed to a passphrase; ask for it.")
@click.option("-o", "--output", default=STANDARD, metavar="FILE", help="Where to; else standard output.")
def unseal(file: str, identities: tuple[str, ...], output: str, *, passphrase: bool) -> None:
    """Decrypt an age file, or standard input, with identities or with a passphrase.

    A file named with -o appears only when everything authenticated. Standard output gets each part once that part has
    authenticated: look at the exit code before you believe the end.

    Example:
      comity unseal -i key.txt -o report.pdf report.pdf.age
    """
    from comity.seal.age import open_stream
    from comity.seal.armor import detected
    from comity.seal.passphrase import PassphraseIdentity

    if passphrase == bool(identities):
        raise click.UsageError("give the identities with -i FILE, or -p for a passphrase")
    by = [PassphraseIdentity(ask("Passphrase"))] if passphrase else identities_of(identities)
    with ExitStack() as stack:
        source = stack.enter_context(_source(file, "unsealing"))
        sink = stack.enter_context(_plain_sink(output))
        with _telling("standard input" if file == STANDARD else file):
            open_stream(detected(source), sink, by)


def recipients_of(
    named: tuple[str, ...], files: tuple[str, ...], identities: tuple[str, ...], *, passphrase: bool
) -> list[Recipient]:
    """Everybody named on the command line, and a passphrase, asked for on the terminal, where it is wanted."""
    from comity.seal.hybrid import HybridIdentity
    from comity.seal.keys import KEY_FILE_BYTES_MAX, parse_recipient, parse_recipients
    from comity.seal.x25519 import X25519Identity

    found: list[Recipient] = [parse_recipient(text) for text in named]
    for file in files:
        with _telling(file):
            found += parse_recipients(read_file(Path(file), KEY_FILE_BYTES_MAX).decode(errors="replace"))
    for identity in identities_of(identities):
        assert isinstance(identity, HybridIdentity | X25519Identity)
        found.append(identity.recipient)
    if passphrase:
        found.append(_passphrase_recipient())
    return found


def identities_of(files: tuple[str, ...]) -> list[Identity]:
    """The identities in files named on the command line."""
    from comity.seal.keys import KEY_FILE_BYTES_MAX, read_key_file

    found: list[Identity] = []
    for file in files:
        with _telling(file):
            found += read_key_file(read_file(Path(file), KEY_FILE_BYTES_MAX), partial(ask, f"Passphrase of {file}"))
    return found


def _passphrase_recipient() -> Recipient:
    from comity.seal.passphrase import PassphraseRecipient

    return PassphraseRecipient(ask("Passphrase", twice=True))


@contextmanager
def _telling(file: str) -> Iterator[None]:
    """What is wrong with the data, told with the name of its file."""
    try:
        yield
    except Rejected as error:
        place = f"{file}, {error.place}" if error.place else file
        raise type(error)(error.sentence, code=error.code, place=place) from None


class _Counted:
    """A source that says how much of it was read."""

    def __init__(self, source: Source, more: Callable[[int], None]) -> None:
        self._source = source
        self._more = more

    def readinto(self, buffer: memoryview, /) -> int | None:
        count = self._source.readinto(buffer)
        self._more(count or 0)
        return count


@contextmanager
def _source(file: str, doing: str) -> Iterator[Source]:
    """Where the bytes come from, with a progress bar for a long file."""
    if file == STANDARD:
        yield cast("Source", sys.stdin.buffer)
        return
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError as error:
        raise Misuse(f"cannot read {file!r}: {error.strerror}", code="unreadable-file") from None
    with os.fdopen(descriptor, "rb", buffering=0) as source:
        total = os.fstat(descriptor).st_size
        with working(doing, total, quiet=total < LONG_BYTES) as more:
            yield _Counted(source, more)


@contextmanager
def _file_sink(path: str) -> Iterator[Sink]:
    """(12) A file that appears whole or not at all."""
    from comity.seal.files import whole_file

    try:
        with whole_file(Path(path)) as sink:
            yield sink
    except OSError as error:
        raise Misuse(f"cannot write {path!r}: {error.strerror}", code="unwritable-file") from None


@contextmanager
def _sealed_sink(output: str, *, text: bool) -> Iterator[Sink]:
    """(27) Where a sealed file goes."""
    if output != STANDARD:
        with _file_sink(output) as sink:
            yield sink
        return
    if sys.stdout.isatty() and not text:
        raise Misuse(
            "a sealed file is not text, and standard output is a terminal; name a file with -o, or write text with -a",
            code="binary-to-terminal",
        )
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _plain_sink(output: str) -> Iterator[Sink]:
    """(27) Where a content goes."""
    if output != STANDARD:
        with _file_sink(output) as sink:
            yield sink
    elif sys.stdout.isatty():
        shown = _Shown()
        yield shown
        shown.finish()
    else:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()


class _Shown:
    """A sink that shows a short text on a terminal once all of it has authenticated, and refuses anything else."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: memoryview | bytes, /) -> int:
        self._data += data
        if len(self._data) > TERMINAL_BYTES_MAX:
            raise Misuse(
                f"more than {TERMINAL_BYTES_MAX} bytes for a terminal; name a file with -o", code="long-to-terminal"
            )
        return len(data)

    def finish(self) -> None:
        try:
            text = self._data.decode()
        except UnicodeDecodeError:
            text = "\0"
        if not all(each.isprintable() or each in "\n\t\u3000" for each in text):
            raise Misuse(
                "the content is not plain text, and standard output is a terminal; name a file with -o",
                code="binary-to-terminal",
            )
        sys.stdout.write(text)
