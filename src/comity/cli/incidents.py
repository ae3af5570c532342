"""``comity incident``: a loss or compromise, reported in one command, and what follows on it (Article 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from comity.cli.decisions import functions, named
from comity.cli.family import tell_family
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, housed
from comity.cli.output import Output, article
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.incidents.investigating import (
    CloseIncident,
    IncidentChanged,
    IncidentLine,
    IncidentWhole,
    Investigate,
    ListIncidents,
    ReleaseItems,
    ShowIncident,
    TellResult,
)
from comity.flows.incidents.reporting import IncidentTold, ReportIncident, Suspended
from comity.record.bodies.incidents import What


@click.group(cls=Verbs)
def incident() -> None:
    """Report a loss or compromise, investigate it, tell the result, close it."""


@incident.command()
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@click.option("--item", "more", multiple=True, metavar="ITEM", help="What; the same as ITEM before the options.")
@click.option("--copy", "copies", multiple=True, type=int, metavar="NUMBER", help="Which copy of it; repeat it.")
@click.option(
    "--what",
    type=click.Choice(get_args(What)),
    required=True,
    help="A copy was lost, what it says became known, or either is possible.",
)
@click.option("--circumstances", required=True, help="What happened, as far as it is known; the originator reads it.")
@click.option("--ground", metavar="ID", help="The third party on whose ground it happened; else it was your own.")
@acting
@housed
def report(
    desk: Desk,
    items: tuple[str, ...],
    more: tuple[str, ...],
    copies: tuple[int, ...],
    what: What,
    circumstances: str,
    ground: str | None,
    actor: str,
    key: Path | None,
) -> None:
    r"""Report a loss or compromise, actual or possible, to everybody whose information it is.

    Every copy, everything made from it and every holder is found; each originator is told at once, of what concerns
    him; a lost copy is marked lost.

    Example:
      comity incident report i-7k3m… --copy 1 --what lost \
        --circumstances "not in the safe on Monday morning" --as kim
    """
    if not (items or more):
        raise click.UsageError("missing argument 'ITEM'", click.get_current_context())
    request = ReportIncident(
        items=(*items, *more),
        copies=copies,
        what=what,
        circumstances=circumstances,
        ground=ground,
        actor=Actor(actor),
        incident=fresh_name("x", key),
    )
    told: IncidentTold = desk.act("incident.report", request, key)
    desk.show(told, lambda out, told: _tell_report(out, told, desk))


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--note", required=True, help="Who investigates what; the originator reads it.")
@acting
@housed
def investigate(desk: Desk, incident_id: str, note: str, actor: str, key: Path | None) -> None:
    """Open the investigation.

    Example:
      comity incident investigate x-5fq2… --note "security branch, with the registry" --as lee
    """
    changed = desk.act("incident.investigate", Investigate(incident=incident_id, note=note, actor=Actor(actor)), key)
    follow = f'comity incident result {incident_id} --result "…" --measures "…" --as HANDLE'
    desk.show(changed, lambda out, told: _tell_changed(out, told, desk, follow))


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--result", default="", help="What the investigation found.")
@click.option("--measures", default="", help="What is done so that it does not happen again.")
@acting
@housed
def result(desk: Desk, incident_id: str, result: str, measures: str, actor: str, key: Path | None) -> None:
    r"""Tell the result and the measures against recurrence; one of them now and the other later, if need be.

    Example:
      comity incident result x-5fq2… --result "misfiled, nobody saw it" \
        --measures "the safe is counted every evening" --as lee
    """
    request = TellResult(incident=incident_id, result=result, measures=measures, actor=Actor(actor))
    changed: IncidentChanged = desk.act("incident.result", request, key)
    follow = f'comity incident close {incident_id} --reason "…" --as HANDLE'
    if not changed.stage.startswith("result and"):
        follow = f'comity incident result {incident_id} --{"measures" if result else "result"} "…" --as HANDLE'
    desk.show(changed, lambda out, told: _tell_changed(out, told, desk, follow))


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--reason", required=True, help="Why it may be opened again.")
@acting
@housed
def release(desk: Desk, incident_id: str, reason: str, actor: str, key: Path | None) -> None:
    """Let what it concerns be opened again, where an arrangement or a layer suspended that.

    Example:
      comity incident release x-5fq2… --reason "the seal was whole" --as lee
    """
    request = ReleaseItems(incident=incident_id, reason=reason, actor=Actor(actor))
    changed = desk.act("incident.release", request, key)
    follow = f"comity incident show {incident_id}"
    desk.show(changed, lambda out, told: _tell_changed(out, told, desk, follow))


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--reason", required=True, help="Why it is over.")
@click.option("--false-alarm", is_flag=True, help="There was nothing; else result and measures must be told first.")
@acting
@housed
def close(desk: Desk, incident_id: str, reason: str, actor: str, key: Path | None, *, false_alarm: bool) -> None:
    """Close an incident; what was suspended is released with it.

    Example:
      comity incident close x-5fq2… --reason "found in the copying room" --false-alarm --as lee
    """
    request = CloseIncident(incident=incident_id, reason=reason, false_alarm=false_alarm, actor=Actor(actor))
    changed = desk.act("incident.close", request, key)
    follow = f"comity incident show {incident_id}"
    desk.show(changed, lambda out, told: _tell_changed(out, told, desk, follow))


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@click.option("--as", "actor", metavar="HANDLE", help="Who looks; without it, the house itself.")
@housed
def list_command(desk: Desk, actor: str | None, *, everything: bool) -> None:
    """See the incidents, yours and the other parties', and how far each has come.

    Example:
      comity incident list --all
    """
    request = ListIncidents(actor=Actor(actor) if actor else None, everything=everything)
    desk.show(desk.call("incident.list", request), _tell_list)


@incident.command()
@click.argument("incident_id", metavar="INCIDENT")
@click.option("--as", "actor", metavar="HANDLE", help="Who looks; without it, the house itself.")
@housed
def show(desk: Desk, incident_id: str, actor: str | None) -> None:
    """See one incident with everything it affects: families, copies, holders, as they are now.

    Example:
      comity incident show x-5fq2…
    """
    known = functions(desk)
    request = ShowIncident(incident=incident_id, actor=Actor(actor) if actor else None)
    desk.show(desk.call("incident.show", request), lambda out, whole: _tell_whole(out, whole, known))


def _tell_report(out: Output, told: IncidentTold, desk: Desk) -> None:
    out.line(("reported ", "good"), told.incident)
    out.fields(
        [
            ("what", told.what),
            *(("marked lost", f"copy {_numbers(numbers)} of {item}") for item, numbers in told.lost.items()),
            *(
                (
                    "told",
                    f"{relationship}, recorded as {record[:16]}"
                    + (", as a possible compromise" if relationship in told.possible else ""),
                )
                for relationship, record in told.told.items()
            ),
            ("affected", _counted(told)),
        ]
    )
    _tell_suspended(out, told.suspended)
    out.next(
        (f"comity incident show {told.incident}", "everything it affects"),
        (f'comity incident investigate {told.incident} --note "…" --as HANDLE', "a security officer"),
        *desk.sending(),
    )


def _counted(told: IncidentTold) -> str:
    counts = ((told.items, "item", "items"), (told.copies, "copy", "copies"), (told.holders, "holder", "holders"))
    return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _tell_suspended(out: Output, suspended: Sequence[Suspended]) -> None:
    for each in suspended:
        by = f"{article(each.clause)} of {each.instrument}"
        out.text(f"Opening what it concerns is suspended until it is released ({by}).", indent=2)


def _tell_changed(out: Output, changed: IncidentChanged, desk: Desk, follow: str) -> None:
    out.line((changed.incident, "strong"), "  ", (changed.stage, "good"))
    out.fields([("told", f"{relationship}, {record[:16]}") for relationship, record in changed.records.items()])
    out.next((follow, "what follows"), *desk.sending())


def _tell_list(out: Output, lines: Sequence[IncidentLine]) -> None:
    out.line(("incidents", "strong"))
    if not lines:
        out.line("nothing", indent=2)
    for line in lines:
        out.line((line.incident, "strong"), f"  {line.what}, {line.stage}", indent=2)
        out.fields(_said(line), indent=4)
    if lines:
        out.next((f"comity incident show {lines[0].incident}", "everything it affects"))


def _said(line: IncidentLine) -> list[tuple[str, str]]:
    copies = ", ".join(f"copy {number} of {item}" for item, number in line.copies)
    return [
        ("reported by", f"{line.author} ({line.relationship}), {told_instant(line.at)}"),
        ("items", ", ".join(line.items)),
        ("copies", copies),
        ("circumstances", line.circumstances),
        ("on the ground of", line.ground),
        ("investigated", _when(line.investigated, line.investigation)),
        ("by the provider", "" if line.followed is None else told_instant(line.followed)),
        ("result", line.result),
        ("measures", line.measures),
        ("report whole", "" if line.reported is None else told_instant(line.reported)),
        ("released", _when(line.released, line.release)),
        ("closed", _when(line.closed, line.reason)),
    ]


def _when(at: datetime | None, why: str) -> str:
    return "" if at is None else f"{told_instant(at)}{': ' if why else ''}{why}"


def _tell_whole(out: Output, whole: IncidentWhole, known: Mapping[str, str]) -> None:
    for line in whole.lines:
        out.line((line.incident, "strong"), f"  {line.what}, {line.stage}")
        out.fields(_said(line))
    _tell_suspended(out, whole.suspended)
    for family in whole.families:
        out.gap()
        tell_family(out, family)
    out.gap()
    out.line(("copies affected", "strong"))
    if not whole.copies:
        out.line("nothing", indent=2)
        return
    out.table(
        ("item", "copy", "state", "holder", "relationship", "which is"),
        [
            (each.item, str(each.number), each.state, named(each.holder, known), each.relationship, each.kin)
            for each in whole.copies
        ],
    )
    if whole.more:
        out.text(f"{whole.more} more are not shown", indent=2)
