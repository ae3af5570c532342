"""``comity facility`` and ``comity briefing``: sites, who answers for them, who is posted there, what shows what."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verbs, acting, housed
from comity.cli.output import Output
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.looking.obliged import Cited
from comity.flows.people.places import (
    EvidenceCondition,
    GiveBriefing,
    InspectFacility,
    NameOfficer,
    Nature,
    PostPerson,
    RegisterFacility,
)
from comity.flows.people.site_registers import (
    AskPersons,
    FacilityShown,
    ListFacilities,
    PersonsShown,
    ShowFacility,
    Warned,
)
from comity.record.bodies.places import DUTIES, BorneOut


@click.group(cls=Verbs)
def facility() -> None:
    """Keep the sites: up to which mark, who answers for them, who is posted there, what shows that they protect."""


@facility.command()
@click.argument("name")
@click.option("--mark", required=True, help="The highest mark the site may hold.")
@click.option("--until", required=True, metavar="DAY", help="The last day of the approval (UTC).")
@click.option(
    "--kind", "nature", type=click.Choice(get_args(Nature)), help="Whose it is, or a system; else as it was before."
)
@click.option("--under", "parent", metavar="FACILITY", help="The firm's site whose sub-contractor this one is.")
@click.option(
    "--condition", "conditions", multiple=True, metavar="CLAUSE", help="A condition evidenced there; repeat it."
)
@click.option("--evidence", required=True, metavar="TEXT", help="Where the evidence is.")
@acting
@housed
def add(
    desk: Desk,
    name: str,
    mark: str,
    until: str,
    nature: Nature | None,
    parent: str | None,
    conditions: tuple[str, ...],
    evidence: str,
    actor: str,
    key: Path | None,
) -> None:
    r"""Register a site or a system, or change its approval.

    Example:
      comity facility add hanbit-works --kind contractor --mark "군사 Ⅱ급 비밀" --until 2027-11-22 \
        --condition 16.a --condition 16.b --evidence "inspection 12/2026" --as root
    """
    request = RegisterFacility(
        facility=name,
        mark=mark,
        until=read_instant(until, "UTC", end=True).at,
        conditions=conditions,
        evidence=evidence,
        actor=Actor(actor),
        nature=nature,
        parent=parent,
    )
    shown: FacilityShown = desk.act("facility.register", request, key)
    desk.show(shown, _tell_registered)


@facility.command()
@click.argument("name")
@click.argument("person", required=False)
@click.option(
    "--authority", default="", metavar="TEXT", help="What makes the person qualified, and by whose authority."
)
@click.option("--nobody", is_flag=True, help="Relieve whoever answers for it now.")
@acting
@housed
def officer(
    desk: Desk, name: str, person: str | None, authority: str, actor: str, key: Path | None, *, nobody: bool
) -> None:
    r"""Name who answers for a site; he must be cleared for what it may hold.

    Example:
      comity facility officer air-staff kim --authority "security course 2026, order 12 of the ministry" --as root
    """
    if (person is None) != nobody:
        raise click.UsageError("name a person, or --nobody")
    if person is not None and not authority:
        sentence = "say what makes the person qualified, and by whose authority: --authority TEXT"
        raise Misuse(sentence, code="no-authority")
    request = NameOfficer(facility=name, handle=person, authority=authority, actor=Actor(actor))
    desk.show(desk.act("facility.officer", request, key), tell_facility)


@facility.command()
@click.argument("name")
@click.argument("clause")
@click.option("--evidence", default="", metavar="TEXT", help="What shows that the condition is met.")
@click.option("--until", metavar="DAY", help="The last day of the evidence (UTC); then the condition is missing again.")
@click.option(
    "--borne-out-by",
    "borne_out",
    type=click.Choice([each for each in get_args(BorneOut) if each]),
    help="A register of this house that has to bear it out besides, person by person.",
)
@click.option("--withdraw", is_flag=True, help="The condition is no longer met.")
@acting
@housed
def condition(
    desk: Desk,
    name: str,
    clause: str,
    evidence: str,
    until: str | None,
    borne_out: BorneOut | None,
    actor: str,
    key: Path | None,
    *,
    withdraw: bool,
) -> None:
    """Say what shows that a contractor's site meets one condition, or that it no longer does.

    Example:
      comity facility condition hanbit-works 16.g --evidence "inspected on 12 May" --borne-out-by inspections --as root
    """
    request = EvidenceCondition(
        facility=name,
        condition=clause,
        evidence=evidence,
        actor=Actor(actor),
        until=read_instant(until, "UTC", end=True).at if until else None,
        met=not withdraw,
        borne_out=borne_out or "",
    )
    desk.show(desk.act("facility.condition", request, key), tell_facility)


@facility.command()
@click.argument("name")
@click.option("--findings", required=True, metavar="TEXT", help="What was found.")
@click.option("--next", "due", metavar="DAY", help="By which day the next one is due (UTC), if a text does not say.")
@acting
@housed
def inspect(desk: Desk, name: str, findings: str, due: str | None, actor: str, key: Path | None) -> None:
    """Record an inspection of a site; nobody inspects a site that he answers for.

    Example:
      comity facility inspect hanbit-works --findings "two locks replaced" --next 2027-05-01 --as root
    """
    request = InspectFacility(
        facility=name,
        findings=findings,
        actor=Actor(actor),
        due=read_instant(due, "UTC", end=True).at if due else None,
    )
    desk.show(desk.act("facility.inspect", request, key), tell_facility)


def _post(desk: Desk, person: str, facility: str, actor: str, key: Path | None, *, posted: bool) -> None:
    request = PostPerson(handle=person, facility=facility, actor=Actor(actor), posted=posted)
    desk.show(desk.act("facility.post", request, key), _tell_persons)


@facility.command()
@click.argument("person")
@click.option("--at", "facility", required=True, metavar="FACILITY", help="Where.")
@acting
@housed
def post(desk: Desk, person: str, facility: str, actor: str, key: Path | None) -> None:
    """Authorise a cleared person at a site: put him on its register.

    Example:
      comity facility post kim --at air-staff --as root
    """
    _post(desk, person, facility, actor, key, posted=True)


@facility.command()
@click.argument("person")
@click.option("--at", "facility", required=True, metavar="FACILITY", help="Where.")
@acting
@housed
def unpost(desk: Desk, person: str, facility: str, actor: str, key: Path | None) -> None:
    """End a person's authorisation at a site; the register still says when he had it.

    Example:
      comity facility unpost kim --at air-staff --as root
    """
    _post(desk, person, facility, actor, key, posted=False)


@facility.command()
@click.argument("name")
@click.option("--at", "day", metavar="DAY", help="As it stood on a day or at an instant (UTC); now unless given.")
@housed
def persons(desk: Desk, name: str, day: str | None) -> None:
    """Print the register of persons of a site, as it stood on any day.

    Example:
      comity facility persons air-staff --at 2026-12-31
    """
    at = read_instant(day, "UTC", end=True).at if day else None
    desk.show(desk.call("facility.persons", AskPersons(facility=name, at=at)), _tell_persons)


@facility.command()
@click.argument("name")
@housed
def show(desk: Desk, name: str) -> None:
    """Show a site: its officer, each condition with what shows it, its inspections.

    Example:
      comity facility show hanbit-works
    """
    desk.show(desk.call("facility.show", ShowFacility(name)), tell_facility)


@facility.command("list")
@housed
def list_sites(desk: Desk) -> None:
    """List the sites and systems of this house, and what is not as it should be there.

    Example:
      comity facility list
    """
    desk.show(desk.call("facility.list", ListFacilities()), _tell_facilities)


@click.group(cls=Verbs)
def briefing() -> None:
    """Brief people on what handling information asks of them."""


@briefing.command()
@click.argument("person")
@click.option("--on", required=True, metavar="WHAT", help=f"An agreement's id, a category, or {DUTIES!r}.")
@click.option("--material", required=True, metavar="TEXT", help="What the person was told, or given to read.")
@click.option("--by", "--as", "given_by", required=True, metavar="HANDLE", help="Who briefed him: an officer, or root.")
@click.option("--key", type=click.Path(path_type=Path), help="The person's own keys, in strict custody.")
@housed
def give(desk: Desk, person: str, on: str, material: str, given_by: str, key: Path | None) -> None:
    """Record a briefing; the person acknowledges it with his own signature.

    Example:
      comity briefing give kim --on duties --material "security instruction 4 of 2026" --by root
    """
    request = GiveBriefing(on=on, material=material, given_by=given_by, actor=Actor(person))
    briefed: tuple[str, ...] = desk.act("briefing.give", request, key)
    desk.show(briefed, lambda out, on_all: out.line((person, "strong"), f"  briefed on {', '.join(on_all)}"))


# ---- telling --------------------------------------------------------------------------------------------------------


def tell_cites(cites: tuple[Cited, ...]) -> str:
    """The clauses that something rests on."""
    return ", ".join(f"Article {each.clause} of {each.instrument} [{each.provenance}]" for each in cites)


def _tell_registered(out: Output, shown: FacilityShown) -> None:
    tell_facility(out, shown)
    following = [(f"comity facility post HANDLE --at {shown.facility} --as HANDLE", "who may handle it there")]
    if shown.nature != "system" and shown.officer is None:
        naming = f"comity facility officer {shown.facility} HANDLE --authority TEXT --as HANDLE"
        following.insert(0, (naming, "who answers for it"))
    if shown.nature == "contractor":
        following.append((f"comity facility show {shown.facility}", "each condition, and what shows it"))
    out.next(*following)


def tell_facility(out: Output, shown: FacilityShown) -> None:
    """A site, with each condition that is asked of it."""
    _tell_site(out, shown)
    if shown.conditions:
        out.table(
            ("condition", "state", "evidence", "until", "borne out by"),
            [
                (
                    f"{each.condition} {each.heading}",
                    each.state,
                    each.evidence,
                    f"{each.until:%Y-%m-%d}" if each.until else "",
                    each.borne_out,
                )
                for each in shown.conditions
            ],
        )
    for inspection in shown.inspections:
        due = f", the next by {inspection.due:%Y-%m-%d}" if inspection.due else ""
        out.line(f"{told_instant(inspection.at)}  inspected by {inspection.by}{due}", indent=2)
        out.text(inspection.findings, indent=4)


def _tell_site(out: Output, shown: FacilityShown) -> None:
    met = sum(each.state == "met" for each in shown.conditions)
    out.line((shown.facility, "strong"), f"  {shown.nature}")
    out.fields(
        [
            ("up to", f"{shown.mark}, until {told_instant(shown.until)}"),
            ("sub-contractor of", shown.parent or ""),
            ("answers for it", f"{shown.officer}: {shown.authority}" if shown.officer else ""),
            ("posted", f"{shown.posted}" if shown.nature != "system" else ""),
            ("conditions", f"{met} of {len(shown.conditions)} met" if shown.conditions else ""),
            ("inspected", told_instant(shown.inspected) if shown.inspected else ""),
            ("next inspection", f"by {told_instant(shown.inspection_due)}" if shown.inspection_due else ""),
        ]
    )
    _tell_warnings(out, shown.warnings)


def _tell_warnings(out: Output, warnings: tuple[Warned, ...]) -> None:
    for each in warnings:
        cites = f"  {tell_cites(each.cites)}" if each.cites else ""
        out.line(("warning  ", "warn"), f"{each.sentence}{cites}", indent=2)


def _tell_facilities(out: Output, facilities: list[FacilityShown]) -> None:
    if not facilities:
        out.line("no site is registered")
        out.next(("comity facility add --help", "register one"))
    for each in facilities:
        _tell_site(out, each)


def _tell_persons(out: Output, shown: PersonsShown) -> None:
    out.line((f"register of persons of {shown.facility}", "strong"), f"  as it stood at {told_instant(shown.at)}")
    out.fields(
        [
            ("kept under", tell_cites(shown.under)),
            ("up to", f"{shown.mark}, until {told_instant(shown.until)}"),
            ("answers for it", shown.officer or "nobody is named"),
        ]
    )
    _tell_warnings(out, shown.warnings)
    if not shown.persons:
        out.line("nobody is posted there", indent=2)
        return
    out.table(
        ("person", "function", "cleared to", "until", "needs to know", "briefed on", "since"),
        [
            (
                each.handle,
                each.function + (" (contractor)" if each.employer == "contractor" else ""),
                (each.clearance or "none") if each.cleared else f"{each.clearance or 'none'} (not cleared)",
                f"{each.clearance_until:%Y-%m-%d}" if each.clearance_until else "",
                ", ".join(each.topics),
                ", ".join(each.briefed),
                f"{each.since:%Y-%m-%d}",
            )
            for each in shown.persons
        ],
    )
