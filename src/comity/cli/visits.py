"""``comity visit``: asked for by one authority, permitted by the other, followed up (Articles 8, 18)."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, named, tell_outcome
from comity.cli.giving import recipients_of
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verbs, acting, as_actor, housed, relationship, seeing
from comity.cli.output import DONE, REFUSED, Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.people.permitting import PermitVisit, RefuseVisit, VisitPermitted
from comity.flows.people.person_views import ListPeople
from comity.flows.people.visit_views import ListVisits, ShowVisit, VisitShown
from comity.flows.people.visits import AskVisit, CloseFinding, EndVisit, MakeFinding


@click.group(cls=Verbs)
def visit() -> None:
    """Ask for visits to sites of the other party, permit those to yours, follow them up."""


@visit.command()
@click.option("--facility", required=True, help="The site, as the host calls it.")
@click.option("--topic", required=True, help="What it is about: the need-to-know list of what is to be shown.")
@click.option("--scope", required=True, metavar="TEXT", help="What the visit is to cover.")
@click.option("--purpose", required=True, metavar="TEXT", help="The official purpose that needs it.")
@click.option("--level", "mark", required=True, metavar="MARK", help="The highest level, on either ladder.")
@click.option("--person", "visitors", multiple=True, required=True, metavar="WHO", help="Who visits; repeat it.")
@click.option("--from", "starts", required=True, metavar="WHEN", help="A day or an instant (UTC).")
@click.option("--to", "ends", required=True, metavar="WHEN", help="The last day, or an instant (UTC).")
@click.option("--recurring", is_flag=True, help="Any number of times in between.")
@click.option("--security", is_flag=True, help="By security representatives.")
@click.option("--subject", default="defence", show_default=True, help="What it is about, a word of the agreement.")
@relationship
@acting
@housed
def ask(
    desk: Desk,
    facility: str,
    topic: str,
    scope: str,
    purpose: str,
    mark: str,
    visitors: tuple[str, ...],
    starts: str,
    ends: str,
    subject: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    recurring: bool,
    security: bool,
) -> None:
    r"""Ask that people of this house may visit a site of the other party; what it wants assured of them is assured.

    Example:
      comity visit ask --facility yokota --topic missiles --scope "the radar hall" --purpose "joint exercise" \
        --level 秘 --person kim --from 2027-01-11 --to 2027-01-12 --as lee
    """
    request = AskVisit(
        relationship=desk.session.relationship(relationship),
        facility=facility,
        topic=topic,
        scope=scope,
        purpose=purpose,
        mark=mark,
        visitors=_people(desk, desk.session.relationship(relationship), visitors),
        starts=read_instant(starts, "UTC").at,
        ends=read_instant(ends, "UTC", end=True).at,
        actor=Actor(actor),
        recurring=recurring,
        security=security,
        subject=subject,
        visit=fresh_name("v", key),
    )
    shown: VisitShown = desk.act("visit.ask", request, key)
    known = functions(desk)
    waiting = (f"comity visit show {shown.visit}", "whether it was permitted")
    desk.show(shown, lambda out, _: _tell_with_next(out, shown, known, [waiting, *desk.sending()]))


@visit.command()
@click.argument("visit")
@click.option("--site", metavar="FACILITY", help="Your facility, where it is called otherwise in the request.")
@click.option("--told", metavar="FUNCTION", help="Who at the site was told; else whoever answers for it.")
@click.option("--topic", help="Narrower than asked for.")
@click.option("--scope", metavar="TEXT", help="Narrower than asked for.")
@click.option("--level", "mark", metavar="MARK", help="Lower than asked for.")
@click.option("--person", "visitors", multiple=True, metavar="WHO", help="Only these of those who asked; repeat it.")
@click.option("--from", "starts", metavar="WHEN", help="Later than asked for (UTC).")
@click.option("--to", "ends", metavar="WHEN", help="Earlier than asked for (UTC).")
@click.option("--condition", "conditions", multiple=True, metavar="CLAUSE", help="A layer's condition that is met.")
@relationship
@acting
@housed
def approve(
    desk: Desk,
    visit: str,
    site: str | None,
    told: str | None,
    topic: str | None,
    scope: str | None,
    mark: str | None,
    visitors: tuple[str, ...],
    starts: str | None,
    ends: str | None,
    conditions: tuple[str, ...],
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> int:
    """Permit a visit to a site of yours, as asked for or less; the site is told topic, scope and highest level.

    Example:
      comity visit approve v-2m4p… --level 秘 --as ito
    """
    chosen = desk.session.relationship(relationship)
    request = PermitVisit(
        relationship=chosen,
        visit=visit,
        actor=Actor(actor),
        site=site,
        told=told,
        topic=topic,
        scope=scope,
        mark=mark,
        visitors=recipients_of(desk, chosen, visitors) or None,
        starts=read_instant(starts, "UTC").at if starts else None,
        ends=read_instant(ends, "UTC", end=True).at if ends else None,
        conditions=conditions,
    )
    permitted: VisitPermitted = desk.act("visit.permit", request, key)
    known = functions(desk)
    desk.show(permitted, lambda out, _: _tell_permitted(out, permitted, known, desk))
    return DONE if permitted.outcome == "permit" else REFUSED


@visit.command()
@click.argument("visit")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the other party is told.")
@relationship
@acting
@housed
def refuse(desk: Desk, visit: str, reason: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """Refuse a visit to a site of yours, or take its permission back.

    Example:
      comity visit refuse v-2m4p… --reason "the hall is closed in January" --as ito
    """
    request = RefuseVisit(
        relationship=desk.session.relationship(relationship), visit=visit, reason=reason, actor=Actor(actor)
    )
    _act(desk, "visit.refuse", request, key)


@visit.command()
@click.argument("visit")
@click.option("--report", required=True, metavar="TEXT", help="What came of it.")
@relationship
@acting
@housed
def end(desk: Desk, visit: str, report: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """Say that a visit of your people is over, or will not take place.

    Example:
      comity visit end v-2m4p… --report "seen as planned; nothing was taken along" --as kim
    """
    request = EndVisit(
        relationship=desk.session.relationship(relationship), visit=visit, report=report, actor=Actor(actor)
    )
    _act(desk, "visit.end", request, key)


@visit.command()
@click.argument("visit")
@click.option("--says", required=True, metavar="TEXT", help="What was found.")
@click.option("--wanted", default="", metavar="TEXT", help="What should be done about it.")
@relationship
@acting
@housed
def finding(
    desk: Desk, visit: str, says: str, wanted: str, relationship: str | None, actor: str, key: Path | None
) -> None:
    """Record what a security representative of yours found during a visit.

    Example:
      comity visit finding v-2m4p… --says "no log of who enters the hall" --wanted "keep one" --as han
    """
    request = MakeFinding(
        relationship=desk.session.relationship(relationship),
        visit=visit,
        says=says,
        wanted=wanted,
        actor=Actor(actor),
        finding=fresh_name("f", key),
    )
    _act(desk, "visit.finding", request, key)


@visit.command("close")
@click.argument("visit")
@click.argument("finding")
@click.option("--evidence", required=True, metavar="TEXT", help="What shows that it was followed up.")
@relationship
@acting
@housed
def close_finding(
    desk: Desk, visit: str, finding: str, evidence: str, relationship: str | None, actor: str, key: Path | None
) -> None:
    """Close a finding of the other party's representatives.

    Example:
      comity visit close v-2m4p… f-7k3m… --evidence "a log is kept since 1 February" --as ito
    """
    request = CloseFinding(
        relationship=desk.session.relationship(relationship),
        visit=visit,
        finding=finding,
        evidence=evidence,
        actor=Actor(actor),
    )
    _act(desk, "visit.close-finding", request, key)


@visit.command()
@click.argument("visit")
@relationship
@seeing
@housed
def show(desk: Desk, visit: str, relationship: str | None, actor: str | None) -> None:
    """Show a visit: what is permitted, what was shown, what was found.

    Example:
      comity visit show v-2m4p…
    """
    request = ShowVisit(relationship=desk.session.relationship(relationship), visit=visit, actor=as_actor(actor))
    shown: VisitShown = desk.call("visit.show", request)
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_with_next(out, shown, known, _answers([shown])))


@visit.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only what is asked for or permitted, and not over.")
@seeing
@housed
def list_visits(desk: Desk, actor: str | None, *, only_open: bool) -> None:
    """List visits of both sides.

    Example:
      comity visit list --open
    """
    found: list[VisitShown] = desk.call("visit.list", ListVisits(open=only_open, actor=as_actor(actor)))
    known = functions(desk)
    desk.show(found, lambda out, _: _tell_visits(out, found, known))


@visit.command()
@click.option("--from", "first", metavar="DAY", help="From which day on (UTC).")
@click.option("--to", "last", metavar="DAY", help="Up to which day (UTC).")
@seeing
@housed
def calendar(desk: Desk, first: str | None, last: str | None, actor: str | None) -> None:
    """Show who comes and who goes, day by day.

    Example:
      comity visit calendar --from 2027-01-01 --to 2027-01-31
    """
    request = ListVisits(
        first=read_instant(first, "UTC").at if first else None,
        last=read_instant(last, "UTC", end=True).at if last else None,
        open=True,
        actor=as_actor(actor),
    )
    found: list[VisitShown] = desk.call("visit.list", request)
    known = functions(desk)
    desk.show(found, lambda out, _: _tell_calendar(out, found, known))


def _people(desk: Desk, relationship: str, visitors: tuple[str, ...]) -> tuple[str, ...]:
    """Pseudonyms of people of this house, named by handle, function or pseudonym.

    Raises:
        Misuse: nobody is called so, or several are.
    """
    handles = {each.handle: each.pseudonyms.get(relationship, "") for each in desk.call("person.list", ListPeople())}
    return tuple(handles.get(each) or recipients_of(desk, relationship, (each,), here=True)[0] for each in visitors)


def _act(desk: Desk, flow: str, request: object, key: Path | None) -> None:
    shown: VisitShown = desk.act(flow, request, key)
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_with_next(out, shown, known, desk.sending()))


# ---- telling --------------------------------------------------------------------------------------------------------


def _tell_with_next(out: Output, shown: VisitShown, known: dict[str, str], following: list[tuple[str, str]]) -> None:
    _tell_visit(out, shown, known)
    if following:
        out.next(*following)


def _tell_permitted(out: Output, permitted: VisitPermitted, known: dict[str, str], desk: Desk) -> None:
    tell_outcome(out, tell(permitted.decision), known, full=False)
    out.gap()
    if permitted.outcome != "permit":
        out.text("The visit is not permitted. That it was asked is recorded in this house.")
        out.next((f"comity why {permitted.decision_record[:16]}", "the whole decision"))
        return
    name = permitted.visit.visit
    showing = (f"comity show done REQUEST --visit {name} --as HANDLE", "what is shown during it")
    _tell_with_next(out, permitted.visit, known, [showing, *desk.sending()])


def _tell_visit(out: Output, shown: VisitShown, known: dict[str, str]) -> None:
    kind = ("security visit" if shown.security else "visit") + (", recurring" if shown.recurring else "")
    out.line((shown.visit, "strong"), f"  {kind}, {shown.state}")
    out.fields(
        [
            ("we are", "the visitor" if shown.side == "visitor" else "the host"),
            ("site", shown.facility),
            ("topic", shown.topic),
            ("scope", shown.scope),
            ("purpose", shown.purpose),
            ("highest level", shown.mark),
            ("persons", named(", ".join(shown.visitors), known)),
            ("from", told_instant(shown.starts)),
            ("to", told_instant(shown.ends)),
            ("assured", ", ".join(shown.conditions)),
            ("asked by", named(shown.by, known)),
            ("site was told", shown.told),
            ("refused", shown.reason),
            ("report", shown.report),
        ]
    )
    for each in shown.shown:
        told = f"{each.item}  {each.mark}, {each.manner}, to {named(', '.join(each.to), known)}"
        out.line(("shown    ", "dim"), f"{told_instant(each.at)}  {told}", indent=2)
    for found in shown.findings:
        state = f"closed {told_instant(found.closed_at)}" if found.closed_at else "open"
        out.line(("finding  ", "warn" if found.closed_at is None else "dim"), f"{found.finding}  {state}", indent=2)
        out.fields([("says", found.says), ("wanted", found.wanted), ("evidence", found.evidence)], indent=4)


def _tell_visits(out: Output, found: list[VisitShown], known: dict[str, str]) -> None:
    if not found:
        out.line("no visit")
        out.next(("comity visit ask --help", "ask for one"))
    for each in found:
        _tell_visit(out, each, known)
    if answers := _answers(found):
        out.next(*answers)


def _answers(found: list[VisitShown]) -> list[tuple[str, str]]:
    """What to type about the first visit that is asked for here."""
    waiting = [each.visit for each in found if each.side == "host" and each.state == "asked"]
    return [
        command
        for each in waiting[:1]
        for command in (
            (f"comity visit approve {each} --as HANDLE", "permit it, as asked for or less"),
            (f"comity visit refuse {each} --reason WHY --as HANDLE", "or refuse it"),
        )
    ]


def _tell_calendar(out: Output, found: list[VisitShown], known: dict[str, str]) -> None:
    if not found:
        out.line("nobody comes, and nobody goes")
        return
    out.table(
        ("from", "to", "visit", "we are", "site", "level", "state", "persons"),
        [
            (
                f"{each.starts:%Y-%m-%d}",
                f"{each.ends:%Y-%m-%d}",
                each.visit,
                each.side,
                each.facility,
                each.mark,
                each.state + (", recurring" if each.recurring else ""),
                ", ".join(known.get(person, person) for person in each.visitors),
            )
            for each in found
        ],
    )
