"""The ``comity`` command: its verbs, its help, and what becomes of an error.

A verb is imported when it is used. The table below is all that ``comity --help`` needs.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, shell_complete

from comity import __version__
from comity.cli.output import EXIT_CODES, STOPPED, USAGE, Output, tell_error
from comity.errors import ComityError, InternalError, Misuse
from comity.node.memory import dump_no_core

COMPLETION_VARIABLE = "_COMITY_COMPLETE"
"""Environment variable by which a shell asks what could come next."""
TRACE_VARIABLE = "COMITY_TRACE"
"""Environment variable; when it is set, a defect shows where in the program it happened."""


class Verb(NamedTuple):
    """A verb of the command line: where its command is, and what it does in a few words."""

    module: str
    command: str
    does: str


SECTIONS: dict[str, dict[str, Verb]] = {
    "The house": {
        "init": Verb("founding", "init", "Make a data folder: keys, certificate, card."),
        "peer": Verb("peers", "peer", "Show your card, add another party by its card."),
        "person": Verb("people", "person", "Enrol people and say what they may do."),
        "clearance": Verb("people", "clearance", "Grant and withdraw clearances."),
        "list": Verb("people", "need_to_know", "Keep the need-to-know lists."),
        "facility": Verb("places", "facility", "Keep the sites: approval, officers, people, conditions."),
        "briefing": Verb("places", "briefing", "Brief people on their duties."),
        "directory": Verb("people", "directory", "See the functions that can receive and sign."),
        "node": Verb("node", "node", "Run the node, and see how the exchange goes."),
        "console": Verb("console", "console", "Say who can sign in to the pages of the node."),
        "keys": Verb("keys", "keys", "Lock, list and replace the private keys."),
    },
    "The agreement": {
        "agreement": Verb("agreements", "agreement", "Check, read, adopt and acknowledge; status on any date."),
        "negotiation": Verb("negotiation", "negotiation", "Negotiate, initial and sign a text, among those named."),
    },
    "One document": {
        "give": Verb("giving", "give", "Ask that a file be given, or only whether it may."),
        "show": Verb("showing", "show", "Show something by word or sight; no copy is made."),
        "approve": Verb("answering", "approve", "Approve a release that somebody else asked for."),
        "assure": Verb("answering", "assure", "Assure the other party about a recipient."),
        "outbox": Verb("boxes", "outbox", "What waits, what was given, what arrived there."),
        "inbox": Verb("boxes", "inbox", "What came, and what is asked of you."),
        "open": Verb("opening", "open_command", "Open an item for a purpose."),
        "use": Verb("using", "use", "Ask whether an item may be used for a purpose."),
        "why": Verb("why", "why", "A decision with its articles, in plain words."),
        "pouch": Verb("pouch", "pouch", "The exchange as one file, carried by hand."),
    },
    "What follows": {
        "copy": Verb("custody", "copy", "Numbered copies: make, list, label, trace, lose and find."),
        "hand-over": Verb("custody", "hand_over", "Hand a copy over to somebody else of your house."),
        "take-over": Verb("custody", "take_over", "Sign for a copy that was sent to you."),
        "translate": Verb("deriving", "translate", "Register a translation of an item that came."),
        "extract": Verb("deriving", "extract", "Register an extract of an item that came."),
        "contain": Verb("deriving", "contain", "Register a document of yours that contains what came."),
        "lineage": Verb("deriving", "lineage", "What an item came from, and what was made from it."),
        "reclassify": Verb("levels", "reclassify", "Change the level of an item of yours."),
        "levels": Verb("levels", "levels", "How a level has changed, and who has re-marked."),
        "purpose-ended": Verb("recalls", "purpose_ended", "Say that an item is no longer needed."),
        "recall": Verb("recalls", "recall", "Ask for what you gave; see who has answered."),
        "return": Verb("recalls", "return_command", "Send a copy back; sign for one that came back."),
        "destroy": Verb("destroying", "destroy", "Destroy a copy, witness it, show its certificate."),
        "incident": Verb("incidents", "incident", "Report a loss or compromise, and see it to its end."),
    },
    "Between parties": {
        "visit": Verb("visits", "visit", "Ask for visits, permit them, follow them up."),
        "authority": Verb("notices", "authority", "Which authorities are competent, from when."),
        "law": Verb("notices", "law", "Laws that bear on protection: tell, ask, answer."),
        "dispute": Verb("disputes", "dispute", "Consult about an item, a duty or a reading."),
        "deposit": Verb("deposits", "deposit", "Commit to a file now, reveal it later."),
        "consent": Verb("consents", "consent", "Ask, grant, refuse and withdraw an originator's consent."),
        "hand-on": Verb("handing_on", "hand_on", "Hand what came from one party on to another, by consent."),
        "pass-on": Verb("passing_on", "pass_on", "Pass a copy on outside the parties, by consent."),
    },
    "As it happens": {
        "feed": Verb("feeds", "feed", "Release a feed of messages, publish, prove, end it."),
        "posture": Verb("feeds", "posture", "Declare jointly how much is shared."),
    },
    "The books": {
        "register": Verb("boxes", "register", "Every item, its copies and their fate."),
        "item": Verb("item", "item", "One item's whole story."),
        "given": Verb("item", "given", "Where everything is that you gave."),
        "reviews": Verb("levels", "reviews", "Which of your items are to be reviewed."),
        "duties": Verb("duties", "duties", "What is owed, by whom, until when."),
        "muster": Verb("inventory", "muster", "Count the copies that are here."),
        "reconcile": Verb("inventory", "reconcile", "Compare your register with another party's."),
        "cost": Verb("notices", "cost", "What this side spends; it stays in this house."),
        "ledger": Verb("ledger", "ledger", "Verify and show the ledgers; collect what nothing names."),
        "rebuild": Verb("ledger", "rebuild", "Make the register anew from the journal."),
        "fsck": Verb("fsck", "fsck", "Check everything in the data folder, beside its node."),
        "retention": Verb("retention", "retention", "How long what is kept, and erase what is due."),
        "backup": Verb("backups", "backup", "Keep the data folder elsewhere, only what is new."),
        "restore": Verb("backups", "restore", "Bring a node back from a backup."),
        "catch-up": Verb("catching_up", "catch_up", "How far a node that was brought back has come."),
        "evidence": Verb("evidence", "evidence", "One item's story in one file, verified offline."),
        "witness": Verb("witness", "witness", "Cosign the ledgers of others, as a third party."),
    },
    "Any file": {
        "seal": Verb("sealing", "seal", "Encrypt a file to age recipients."),
        "unseal": Verb("sealing", "unseal", "Decrypt an age file."),
        "keygen": Verb("keygen", "keygen", "Make an age identity, or a person's keys."),
        "sign": Verb("signing", "sign", "Sign what a page asks of you, with your own key."),
    },
    "This program": {
        "demo": Verb("demo", "demo", "Watch the agreement of 2016 run between two nodes."),
        "completion": Verb("completion", "completion", "Shell completion for bash, zsh and fish."),
    },
}
VERBS = {name: verb for section in SECTIONS.values() for name, verb in section.items()}


class Root(click.Group):
    """(29) The command itself; its verbs are loaded by name."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Every verb, in the order of the table."""
        return list(VERBS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The verb called ``name``."""
        if name not in VERBS:
            return None
        module = importlib.import_module(f"comity.cli.{VERBS[name].module}")
        command: click.Command = getattr(module, VERBS[name].command)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was typed.

        Raises:
            UsageError: there is none of that name; the nearest is named.
        """
        from comity.agreement.nearest import nearest

        if arguments[0] not in VERBS and not arguments[0].startswith("-"):
            raise click.UsageError(f"there is no verb {arguments[0]!r}{nearest(arguments[0], VERBS)}", context)
        return super().resolve_command(context, arguments)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, from the table alone; a shell waits for this."""
        verbs = [CompletionItem(name, help=verb.does) for name, verb in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *(super().shell_complete(ctx, incomplete) if incomplete.startswith("-") else ())]

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by section, from the table alone."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, verb.does) for name, verb in verbs.items()], col_max=12)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Exit codes and a first example."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in EXIT_CODES.items()], col_max=12)
        with formatter.section("Begin with"):
            formatter.write_dl(
                [
                    ("comity demo", "see everything once"),
                    ("comity agreement status jp-kr-2016 --at 2020-11-23", "needs no node"),
                    ("comity init --help", "found your own house"),
                    ("comity VERB --help", "each has an example"),
                ],
                col_max=52,
            )


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="comity", message="%(prog)s %(version)s")
@click.option("--folder", type=click.Path(path_type=Path), help="The data folder; else $COMITY_HOME, else ~/.comity.")
def root(folder: Path | None) -> None:
    """Run an information-security agreement between parties who do not fully trust one another.

    The agreement is a file. Each party runs a node. What crosses is decided by the agreement, marked as it says,
    sealed to the people it allows, receipted, registered on both sides, and written to ledgers that the parties
    witness for one another.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is that of ``spec/command-line.md``."""
    dump_no_core()
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        return shell_complete(root, {}, "comity", COMPLETION_VARIABLE, instruction)
    try:
        # click's own ``main`` would exit the process by itself where a reader of our output has gone
        with root.make_context("comity", given) as context:
            code = root.invoke(context)
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except ComityError as error:
        return tell_error(error, as_json=as_json, stream=sys.stderr)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return USAGE
    except click.ClickException as error:
        return _usage(error, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("\ncomity: stopped\n")
        return STOPPED
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as error:  # noqa: BLE001 - a defect of ours is told in a sentence too, and has its exit code
        return _defect(error, as_json=as_json)


def _usage(error: click.ClickException, *, as_json: bool) -> int:
    """Say that the command line is not understood."""
    sentence = " ".join(error.format_message().split())
    if as_json:
        from comity.answers import write_error

        sys.stderr.write(
            write_error(Misuse(sentence[:1].lower() + sentence[1:].rstrip("."), code="usage")).decode() + "\n"
        )
        return USAGE
    out = Output(as_json=False, stream=sys.stderr)
    out.line(("comity: ", "bad"), sentence[:1].lower() + sentence[1:].rstrip("."))
    context = getattr(error, "ctx", None)
    if context is not None:
        out.line(("  try: ", "dim"), f"{context.command_path} --help")
    return USAGE


def _defect(error: Exception, *, as_json: bool) -> int:
    """(30) Say that the program is at fault; the trace is for whoever mends it."""
    import traceback

    if os.environ.get(TRACE_VARIABLE):
        traceback.print_exception(error)
    told = InternalError(f"a defect of Comity: {type(error).__name__}: {error}", code="internal")
    return tell_error(told, as_json=as_json, stream=sys.stderr)


def _pipe_closed() -> int:
    """The reader of our output has gone (``comity register | head``): nothing more to say, and no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
