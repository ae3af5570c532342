"""``comity console``: who can sign in to the web pages of a running node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, ask_first, housed
from comity.cli.output import Output
from comity.errors import Misuse, Unavailable

if TYPE_CHECKING:
    import msgspec

    from comity.node.accounts import AccountShown, CodeMade, SessionsEnded


@click.group(cls=Verbs)
def console() -> None:
    """Say who can sign in to the web pages of the node that runs here; 'comity node status' says where they are."""


@console.command()
@click.argument("handle")
@housed
def invite(desk: Desk, handle: str) -> None:
    """Make a code by which a person signs in for the first time, or again when he lost by what he did.

    The code works once, within 24 hours. With it he sets a password or a passkey. It is shown this once.

    Example:
      comity console invite sato
    """
    from comity.node.accounts import CodeMade, InviteToConsole

    desk.show(_ask(desk, "console.invite", InviteToConsole(handle), CodeMade), _tell_code)


@console.command("list")
@housed
def list_accounts(desk: Desk) -> None:
    """List who can sign in, by what, and who is signed in now.

    Example:
      comity console list
    """
    from comity.node.accounts import AccountShown, ListAccounts

    desk.show(_ask(desk, "console.accounts", ListAccounts(), list[AccountShown]), _tell_accounts)


@console.command("end-sessions")
@click.argument("handle")
@housed
def end_sessions(desk: Desk, handle: str) -> None:
    """Sign a person out everywhere; he can sign in again.

    Example:
      comity console end-sessions sato
    """
    from comity.node.accounts import EndSessions, SessionsEnded

    desk.show(_ask(desk, "console.end-sessions", EndSessions(handle), SessionsEnded), _tell_ended)


@console.command()
@click.argument("handle")
@click.option("--yes", is_flag=True, help="Do not ask.")
@housed
def remove(desk: Desk, handle: str, *, yes: bool) -> None:
    """Take a person's account away, with its sessions and tokens; the person stays in the house.

    Example:
      comity console remove sato --yes
    """
    from comity.node.accounts import RemoveAccount, SessionsEnded

    ask_first(f"{handle} will not be able to sign in, and the tokens of his programs end.", yes=yes)
    desk.show(_ask(desk, "console.remove", RemoveAccount(handle), SessionsEnded), _tell_ended)


def _ask(desk: Desk, flow: str, request: msgspec.Struct, response: Any) -> Any:
    """What a flow about the console answers.

    Raises:
        Unavailable: no node runs here: accounts are kept by the one that does.
        Misuse: its settings serve no console.
    """
    from comity.node.client import call

    desk.session.check()
    try:
        return call(desk.session.folder, flow, request, response)
    except Unavailable as error:
        if error.code != "no-node":
            raise
        raise Unavailable(
            "the console is a running node's, and none runs here; start it: comity node run", code="no-node"
        ) from None
    except Misuse as error:
        if error.code != "unknown-flow":
            raise
        raise Misuse(
            "this node serves no console: node.toml says serve = false under [console]", code="no-console"
        ) from None


def _tell_code(out: Output, made: CodeMade) -> None:
    out.line((f"a code for {made.handle!r}", "good"), f", until {told_instant(made.until)}, for one use:")
    out.line((made.code, "strong"), indent=2)
    out.fields([("used at", f"{made.console}/sign-in/code")], indent=2)


def _tell_accounts(out: Output, found: list[AccountShown]) -> None:
    if not found:
        out.text("nobody can sign in yet; make a code: comity console invite HANDLE")
    for each in found:
        out.line((each.handle, "strong"), f"  {', '.join(each.roles)}", indent=0)
        out.fields(
            [
                ("signs in by", ", ".join(each.by) or "nothing yet"),
                ("code unused", f"until {told_instant(each.code_until)}" if each.code_until else ""),
                ("waits for", "a security officer's word" if each.waiting else ""),
                ("last used", told_instant(each.used) if each.used else "not yet"),
                ("sessions", str(each.sessions) if each.sessions else ""),
            ],
            indent=4,
        )


def _tell_ended(out: Output, ended: SessionsEnded) -> None:
    what = "one session" if ended.sessions == 1 else f"{ended.sessions} sessions"
    out.line(("done: ", "good"), f"{what} of {ended.handle!r} ended")
