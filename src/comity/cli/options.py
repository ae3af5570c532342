"""Options that many verbs share, and the two kinds of command: with a house, and without."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from comity.cli.output import Output, visible
from comity.cli.session import Session
from comity.flows.actors import Actor

FOLDER_VARIABLE = "COMITY_HOME"
"""Environment variable that names the data folder."""
Command = Callable[..., Any]


class Verb(click.Command):
    """A command whose help ends with its example: what follows ``Example:`` in its docstring, line by line.

    An option that takes one value is given once: of two the first would be passed over in silence.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The same, of a line on which nothing contradicts itself."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            for each in given:
                once = isinstance(each, click.Option) and not (each.multiple or each.is_flag or each.count)
                if once and given.count(each) > 1:
                    raise click.UsageError(f"{each.opts[0]} is given twice; name one", ctx)
        return super().parse_args(ctx, args)

    def format_help_text(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does, then its example as it is to be typed."""
        text, _, example = inspect.cleandoc(self.help or "").replace("\\b", "\b").partition("\n\nExample:\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text)
        with formatter.section("Example"):
            for line in textwrap.dedent(example).splitlines():
                formatter.write(" " * formatter.current_indent + line + "\n")


class Verbs(click.Group):
    """A group of such commands."""

    command_class = Verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with the whole first sentence of its help."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=200)) for name, each in found if each])


class Desk:
    """What a command with a house works with: where it speaks, and whom it calls."""

    def __init__(self, out: Output, session: Session) -> None:
        self.out = out
        self.session = session
        self.call = session.call
        self.act = session.act
        self.show = out.show

    def sending(self) -> list[tuple[str, str]]:
        """What to type so that the other party hears of it, where no node runs that tells it."""
        told = "or 'comity pouch export', so that the other party hears of it"
        return [] if self.session.runs else [("comity node run", told)]


def ask_first(sentence: str, *, yes: bool) -> None:
    """(31) Before what nothing takes back: say what becomes of what, and ask. Only whoever sits at a terminal is asked.

    Raises:
        Abort: he does not want it.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    click.confirm(f"{visible(sentence)} Nothing takes that back. Go on?", abort=True, err=True)


def home() -> Path:
    """(1) The data folder where none is named."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path.home() / ".comity")


def spoken(command: Command) -> Command:
    """A command that needs no house: it is given the ``Output`` first."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    @functools.wraps(command)
    def run(*, as_json: bool, **given: Any) -> Any:
        return command(Output(as_json=as_json), **given)

    return run


def housed(command: Command) -> Command:
    """A command on the house in a data folder: it is given a ``Desk`` first."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    @click.option(
        "--folder",
        type=click.Path(path_type=Path),
        help=f"The data folder; else ${FOLDER_VARIABLE}, else ~/.comity.",
    )
    @functools.wraps(command)
    def run(*, as_json: bool, folder: Path | None, **given: Any) -> Any:
        context = click.get_current_context()
        chosen = folder or context.find_root().params.get("folder") or home()
        return command(Desk(Output(as_json=as_json), Session(chosen.absolute())), **given)

    return run


def acting(command: Command) -> Command:
    """A command by which a person acts."""
    command = click.option(
        "--key",
        type=click.Path(path_type=Path),
        help="The person's own keys, when they are kept off the node (strict custody).",
    )(command)
    return click.option(
        "--as", "actor", required=True, metavar="HANDLE", help="Who does it: a handle, or root for the root key."
    )(command)


def final(command: Command) -> Command:
    """A command that nothing takes back; see ``ask_first``."""
    return click.option("--yes", is_flag=True, help="It was thought over: do not ask first. Only a terminal is asked.")(
        command
    )


seeing = click.option(
    "--as", "actor", metavar="HANDLE", help="As this person may see it; the whole house where nobody is named."
)


def as_actor(handle: str | None) -> Actor | None:
    """Who looks; None for the house itself."""
    return None if handle is None else Actor(handle)


relationship = click.option(
    "--relationship", metavar="NAME", help="Which agreement with whom; not needed while there is only one."
)


def is_relationship(name: str) -> bool:
    """(4) Whether ``name`` is that of an agreement that runs; a file comes before it."""
    return "/" in name and not name.endswith(".toml") and not Path(name).exists()
