"""``comity inbox``, ``outbox`` and ``register``: what passed, what waits, and every copy with its fate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.decisions import functions, named
from comity.cli.family import RELATIONS
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verb, Verbs, acting, as_actor, housed, seeing
from comity.cli.output import Output, article, size
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import ReasonTold
from comity.flows.giving.marks import MarkingShown, MarkItem
from comity.flows.looking.views import (
    ChainLine,
    CopyLine,
    Inbox,
    MadeLine,
    Outbox,
    PassageLine,
    RegisterLine,
    RequestLine,
    ShowInbox,
    ShownLine,
    ShowOutbox,
    ShowRegister,
)
from comity.marking.banner import written
from comity.marking.label import Label

if TYPE_CHECKING:
    from comity.flows.maintaining.digests import Finding

Known = Mapping[str, str]
"""Functions by pseudonym."""
CALLS_NAMED = 3
"""Of so many calls it is said what to type; the others say their ids."""
_ANSWERS: Mapping[str, str] = {
    "consent": "or 'comity consent refuse'",
    "visit": "or 'comity visit refuse'",
    "recall": "which copies, and what is still to be done",
    "incident": "all that is known of it",
    "dispute": "what they say, and what to answer",
    "negotiation": "how far it is, and what waits for you",
    "note": "what follows from it; then tell it in your history",
    "amendment": "run the text that both have signed",
    "feed": "what crosses under which posture",
}
"""What a call's command is for, by its kind."""


class Boxed(Verb, Verbs):
    """A group that shows something when no verb follows."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verb below is optional."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] [COMMAND] [ARGS]...")


@click.group(cls=Boxed, invoke_without_command=True)
@seeing
@housed
def inbox(desk: Desk, actor: str | None) -> None:
    """See what came, and everything that the other party asks: assurances, consents, visits, recalls, consultations.

    Example:
      comity inbox
    """
    if click.get_current_context().invoked_subcommand is None:
        known = functions(desk)
        desk.show(
            desk.call("inbox", ShowInbox(actor=as_actor(actor))), lambda out, inbox: _tell_inbox(out, inbox, known)
        )


@inbox.command()
@click.argument("item")
@click.argument("mark")
@acting
@housed
def mark(desk: Desk, item: str, mark: str, actor: str, key: Path | None) -> None:
    """Choose your own mark for an item that came, where the agreement offers several.

    Example:
      comity inbox mark i-7k3m… 極秘 --as ito
    """
    desk.show(desk.act("mark", MarkItem(item=item, mark=mark, actor=Actor(actor)), key), _tell_marking)


@click.command(cls=Verb)
@seeing
@housed
def outbox(desk: Desk, actor: str | None) -> None:
    """See what waits and for what, what was given, and what the other party has and has witnessed.

    Example:
      comity outbox
    """
    known = functions(desk)
    shown = desk.call("outbox", ShowOutbox(actor=as_actor(actor)))
    desk.show(shown, lambda out, outbox: _tell_outbox(out, outbox, known))


@click.command(cls=Verb)
@seeing
@housed
def register(desk: Desk, actor: str | None) -> None:
    """See every item with its copies: number, holder, state, how often opened.

    Example:
      comity register --json
    """
    known = functions(desk)
    shown = desk.call("register", ShowRegister(actor=as_actor(actor)))
    desk.show(shown, lambda out, items: _tell_register(out, items, known))


def _marked(label: Label, alternative: Label | None) -> str:
    return written(label) + (f" = {written(alternative)}" if alternative else "")


def _tell_inbox(out: Output, inbox: Inbox, known: Known) -> None:
    _tell_passages(out, "received", "from", inbox.received, known)
    out.gap()
    out.line(("asked of us", "strong"))
    waiting = [each for each in inbox.asked if set(each.recipients) - set(each.answered)]
    if not (waiting or inbox.calls):
        out.line("nothing", indent=2)
    for call in inbox.calls:
        out.line((call.subject, "strong"), f"  {call.says}", indent=2)
        out.fields([("said", f"{told_instant(call.at)}, {call.relationship}")], indent=4)
    for each in waiting:
        left = [recipient for recipient in each.recipients if recipient not in each.answered]
        before = ", before it is shown" if each.act == "show" else ""
        about = f"  an assurance about {named(', '.join(left), known)}{before}"
        out.line((each.request, "strong"), about, indent=2)
        out.fields(
            [
                ("item", each.item),
                ("mark", written(each.label)),
                ("topic", each.topic),
                ("purpose", each.purpose),
                ("asked", told_instant(each.at)),
                ("halted", _stopped(each.halted)),
            ],
            indent=4,
        )
    following = [(call.next, _ANSWERS[call.kind]) for call in inbox.calls[:CALLS_NAMED]]
    waiting = [each for each in waiting if each.halted is None]
    if waiting:
        following.append((f"comity assure {waiting[0].request} --as HANDLE", "after your own checks"))
    elif inbox.received and not inbox.calls:
        last = inbox.received[-1]
        following.append((f'comity open {last.item} --purpose "{last.purpose}" --out FILE --as HANDLE', "read it"))
    if inbox.duties:
        overdue = f", {inbox.overdue} of them overdue" if inbox.overdue else ""
        following.append(("comity duties --mine", f"{inbox.duties} open{overdue}"))
    if following:
        out.next(*following)


def _tell_outbox(out: Output, outbox: Outbox, known: Known) -> None:
    out.line(("waiting", "strong"))
    if not outbox.waiting:
        out.line("nothing", indent=2)
    for each in outbox.waiting:
        _tell_request(out, each, known)
    out.gap()
    _tell_passages(out, "given", "to", outbox.given, known)
    if outbox.chains:
        out.gap()
        tell_chains(out, outbox.chains)
    pending = [each for each in outbox.waiting if not each.approved_by and each.halted is None]
    if pending:
        out.next((f"comity approve {pending[0].request} --reason WHY --as HANDLE", "somebody else, with the role"))


def _tell_request(out: Output, request: RequestLine, known: Known) -> None:
    does = {"show": f"to show ({request.manner}): ", "pass-on": f"to pass on copy {request.copy}: ", "feed": "a feed: "}
    out.line((request.request, "strong"), f"  {does.get(request.act, '')}{request.title}", indent=2)
    answered = {*request.assured, *request.assurance_refused}
    outside = request.act == "pass-on"
    unassured = [each for each in request.recipients if each not in answered and request.act in ("give", "show")]
    out.fields(
        [
            ("item", request.item if request.act != "feed" else ""),
            ("mark", written(request.label)),
            ("to", ", ".join(request.recipients) if outside else ""),
            ("purpose", request.purpose),
            ("asked by", f"{request.by}, {told_instant(request.at)}"),
            ("approved by", ", ".join(request.approved_by) or "nobody yet"),
            ("refused by", ", ".join(request.refused_by)),
            ("assured", named(", ".join(request.assured), known)),
            ("not assured", named(", ".join(unassured), known)),
            *[
                ("assurance refused", f"{named(recipient, known)}: {reason}")
                for recipient, reason in request.assurance_refused.items()
            ],
            ("halted", _stopped(request.halted)),
        ],
        indent=4,
    )


def _stopped(reason: ReasonTold | None) -> str:
    """Why it does not go, whatever anybody approves or assures."""
    return f"{reason.says}; {article(reason.clause)} of {reason.instrument}" if reason is not None else ""


def _tell_passages(out: Output, title: str, way: str, passages: Sequence[PassageLine], known: Known) -> None:
    out.line((title, "strong"))
    if not passages:
        out.line("nothing", indent=2)
    for each in passages:
        out.line((each.item, "strong"), f"  {each.title}", indent=2)
        returned = f"; sent back: {each.returned}" if each.returned else ""
        out.fields(
            [
                ("mark", _marked(each.label, each.alternative)),
                ("purpose", each.purpose),
                ("rights", each.rights),
                (way, each.relationship if way == "to" else f"{each.author} ({each.relationship})"),
                ("originator", each.originator if each.originator != each.author else ""),
                ("given", told_instant(each.at)),
                ("receipted", (told_instant(each.received) if each.received else "not yet") + returned),
                ("sealed", size(each.size)),
                *_copies(each.copies, known),
            ],
            indent=4,
        )


def tell_chains(out: Output, chains: Sequence[ChainLine]) -> None:
    """Ledgers, and how much of each somebody else vouches for; what nobody does yet is named."""
    out.line(("ledgers", "strong"))
    out.table(
        ("chain", "records", "there", "witnessed", "unwitnessed", "root"),
        [
            (
                each.chain,
                str(each.size),
                "" if each.delivered is None else str(each.delivered),
                "" if each.witnessed is None else str(each.witnessed),
                "" if each.witnessed is None else str(each.size - each.witnessed),
                each.root[:16],
            )
            for each in chains
        ],
    )
    if any(each.vouched or each.counted is not None or each.stamped_at is not None for each in chains):
        out.line()
        out.line(("what others cosigned and stamped", "strong"))
    out.fields(
        [
            (chain.chain, f"{each.size} cosigned by {each.witness}, {told_instant(each.at)}")
            for chain in chains
            for each in chain.vouched
        ]
    )
    out.fields([(each.chain, f"{each.counted} count by its policy") for each in chains if each.counted is not None])
    out.fields(
        [
            (each.chain, f"{each.stamped} records stamped, {told_instant(each.stamped_at)}")
            for each in chains
            if each.stamped_at is not None
        ]
    )


def _tell_register(out: Output, items: list[RegisterLine], known: Known) -> None:
    if not items:
        out.line("no item yet")
        out.next(("comity give FILE --help", "give one"))
    for each in items:
        out.line((each.item, "strong"), f"  {each.title}")
        out.fields(
            [
                ("mark", _marked(each.label, each.alternative)),
                ("originator", each.originator),
                ("topic", f"{each.topic} ({each.subject}, {each.form})"),
                ("came for", each.provided or ""),
                ("rights", each.rights),
                ("registered", told_instant(each.registered)),
                *_copies(each.copies, known),
                *_shown(each.shown, known),
                *_made(each.made),
            ]
        )


def _made(made: Sequence[MadeLine]) -> list[tuple[str, str]]:
    return [
        (
            "made from it",
            f"{each.item} {RELATIONS[each.relation]}"
            + (f" ({each.language})" if each.language else "")
            + "".join(f", {count} {state}" for state, count in each.copies.items()),
        )
        for each in made
    ]


def _shown(showings: Sequence[ShownLine], known: Known) -> list[tuple[str, str]]:
    return [
        (
            "shown",
            f"{each.manner}, to {named(', '.join(each.to), known)}, {told_instant(each.at)}"
            + (f", during visit {each.visit}" if each.visit else ""),
        )
        for each in showings
    ]


def _copies(copies: Sequence[CopyLine], known: Known) -> list[tuple[str, str]]:
    return [
        (
            f"copy {copy.number}",
            f"{copy.state}, {named(copy.holder, known)}, opened {copy.openings} time{'' if copy.openings == 1 else 's'}"
            + (f"; {copy.trouble}" if copy.trouble else ""),
        )
        for copy in copies
    ]


def _tell_marking(out: Output, shown: MarkingShown) -> None:
    out.line("marked ", (shown.item, "strong"))
    for line in shown.banner.lines:
        out.line(line.text, indent=2)


def tell_findings(out: Output, findings: Sequence[Finding]) -> None:
    """What is not as it must be, each with its place; or that all is."""
    if not findings:
        out.line(("all is as it must be", "good"))
        return
    out.line((f"{len(findings)} finding{'' if len(findings) == 1 else 's'}", "bad"))
    for finding in findings:
        out.line((finding.place, "strong"), indent=2)
        out.text(finding.says, indent=4)
