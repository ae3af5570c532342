"""``comity agreement``: check, read and ask about agreement files; run one with a peer.

``check``, ``show``, ``status`` and ``timeline`` work on a file or a name of the library, without any house. With the
name of a relationship (``jp-kr-2016/jp.kr``) they speak of the agreement that runs there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from comity.agreement.term import Status
from comity.cli.analysing import lint
from comity.cli.comparing import diff
from comity.cli.coverage import covered, tell_coverage
from comity.cli.drafting import new, schema_command
from comity.cli.end_notes import notice, tell_what_follows
from comity.cli.explaining import explain
from comity.cli.instants import read_instant, told_instant
from comity.cli.layers import layer
from comity.cli.options import Desk, Verbs, acting, housed, is_relationship
from comity.cli.output import FINDINGS, Output, visible
from comity.cli.reaching import flows
from comity.cli.trying import library, try_
from comity.cli.what_if import what_if
from comity.errors import Misuse
from comity.timezones import time_zones

if TYPE_CHECKING:
    from comity.api import Agreement
    from comity.flows.agreeing.agreements import AgreementShown, VersionShown
    from comity.flows.agreeing.end_notes import EndNotesShown

HOUSE_RULES = ("house",)
"""Layers of the library that every agreement is run with: two people for each release."""

LEGEND = (
    "* marks where the agreement stood otherwise from then on ('now'). P is read in the text itself, S in a secondary "
    "source, K is not checked."
)
"""What the signs of a timeline mean."""

history_option = click.option(
    "--history", metavar="FILE", help="What happened to it: a file or a library name; else the one beside it."
)


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement file that passed every check, and how much is in it."""

    agreement: str
    title: str
    digest: str
    clauses: int
    unchecked: int
    levels: int
    rules: int
    obligations: int
    layers: tuple[str, ...]
    events: int
    hypothetical: str | None


@click.group(cls=Verbs)
def agreement() -> None:
    """Check and read agreement files, ask how one stands on any date, and run one with another party.

    An agreement is named by a file, by a library name such as jp-kr-2016, or, where it runs, by its relationship such
    as jp-kr-2016/jp.kr.
    """


agreement.add_command(notice)
agreement.add_command(lint)
agreement.add_command(flows)
agreement.add_command(schema_command)
agreement.add_command(new)
agreement.add_command(diff)
agreement.add_command(what_if)
agreement.add_command(explain)
agreement.add_command(try_)
agreement.add_command(library)
agreement.add_command(layer)


@agreement.command()
@click.argument("file")
@history_option
@click.option("--layer", "layers", multiple=True, metavar="FILE", help="A layer that stands on it; repeat it.")
@housed
def check(desk: Desk, file: str, history: str | None, layers: tuple[str, ...]) -> None:
    """Check an agreement file; a mistake is told with its line, its key and what was expected.

    Example:
      comity agreement check mine.toml
    """
    loaded = _load(file, history, layers)
    checked = Checked(
        agreement=loaded.id,
        title=loaded.file.header.title.en,
        digest=loaded.digest,
        clauses=len(loaded.file.clauses),
        unchecked=sum(clause.provenance == "K" for clause in loaded.file.clauses),
        levels=len(loaded.file.levels),
        rules=len(loaded.file.rules),
        obligations=len(loaded.file.obligations),
        layers=tuple(layer.id for layer in loaded.layers),
        events=len(loaded.history.events),
        hypothetical=loaded.history.hypothetical,
    )
    desk.show(checked, _tell_checked)


@agreement.command()
@click.argument("name")
@click.option("--clause", metavar="ID", help="Only this clause, such as 6.a, or an article, such as 6.")
@housed
def show(desk: Desk, name: str, clause: str | None) -> None:
    """Read an agreement: its clauses in our own words, its levels and what corresponds.

    Example:
      comity agreement show jp-kr-2016 --clause 6
    """
    loaded = _load(name, None)
    file = loaded.file
    if clause is not None:
        from comity.agreement.nearest import nearest

        kept = tuple(each for each in file.clauses if clause in {each.id, each.article})
        if not kept:
            known = nearest(clause, [each.id for each in file.clauses])
            raise Misuse(f"{file.id!r} has no clause {clause!r}{known}", code="unknown-clause")
        desk.show(kept, lambda out, _: _tell_clauses(out, loaded, kept))
        return
    desk.show(file, lambda out, _: _tell_agreement(out, loaded))


@agreement.command()
@click.argument("name")
@click.option("--at", metavar="INSTANT", help="2020-11-23, 2020-11-23T12:00, or with an offset; now when not given.")
@history_option
@housed
def status(desk: Desk, name: str, at: str | None, history: str | None) -> None:
    """Say how an agreement stands on an instant, by each party's reading.

    Example:
      comity agreement status jp-kr-2016 --at 2020-11-23
    """
    if is_relationship(name):
        from comity.flows.agreeing.agreements import AskStatus
        from comity.flows.agreeing.end_notes import ListEndNotes

        now: Status = desk.call("agreement.status", AskStatus(relationship=name))
        typed = None if at is None else read_instant(at, now.timezone)
        told = now if typed is None else desk.call("agreement.status", AskStatus(relationship=name, at=typed.at))
        notes: EndNotesShown = desk.call("agreement.notice.list", ListEndNotes(relationship=name))

        def tell(out: Output, _: object) -> None:
            _tell_status(out, told, typed.read_as if typed else None)
            tell_what_follows(out, notes)

        desk.show(told, tell)
        return
    loaded = _load(name, history)
    typed = None if at is None else read_instant(at, loaded.file.term.timezone)
    found = loaded.status(typed.at if typed else datetime.now(UTC))
    desk.show(found, lambda out, _: _tell_status(out, found, typed.read_as if typed else None))


@agreement.command()
@click.argument("name")
@click.option("--until", metavar="INSTANT", help="The last instant shown; now when not given.")
@history_option
@click.option("--svg", type=click.Path(path_type=Path), help="Also write a drawing to this new file.")
@housed
def timeline(desk: Desk, name: str, until: str | None, history: str | None, svg: Path | None) -> None:
    """Tell what happened to an agreement, with sources, and what was so afterwards by each party's reading.

    Example:
      comity agreement timeline jp-kr-2016 --svg gsomia.svg
    """
    from comity.agreement.timeline import drawing, lines
    from comity.agreement.timeline import timeline as rows_of

    if is_relationship(name):
        from comity.flows.agreeing.agreements import AskStatus
        from comity.flows.agreeing.chronicles import ShowTimeline

        last = None
        if until is not None:
            zone = desk.call("agreement.status", AskStatus(relationship=name)).timezone
            last = read_instant(until, zone, end=True).at
        rows = desk.call("agreement.timeline", ShowTimeline(relationship=name, until=last))
        title = name
    else:
        loaded = _load(name, history)
        title = loaded.file.header.title.en
        zone = loaded.file.term.timezone
        rows = rows_of(loaded.chronicle, datetime.now(UTC) if until is None else read_instant(until, zone, end=True).at)
    if svg is not None:
        from comity.cli.files import write_new_file

        write_new_file(svg, drawing(rows, title).encode())

    def tell(out: Output, _: object) -> None:
        if not rows:
            out.line("nothing is told of it up to then")
            return
        for line in lines(rows):
            out.line(line)
        out.gap()
        out.text(LEGEND, style="dim")

    desk.show(rows, tell)


@agreement.command()
@click.argument("name")
@click.option("--with", "peer", required=True, metavar="PARTY", help="Party id of the other party.")
@history_option
@click.option(
    "--layer", "layers", multiple=True, metavar="FILE", help="An implementing arrangement or domestic layer; repeat it."
)
@housed
def adopt(desk: Desk, name: str, peer: str, history: str | None, layers: tuple[str, ...]) -> None:
    """Run an agreement with another party. The house rule of two people for each release comes with it.

    Nothing crosses before both parties have acknowledged the digest of the same text. Without a history file beside the
    agreement, its own days of signature and entry into force are its history.

    Example:
      comity agreement adopt jp-kr-2016 --with kr
    """
    from comity.agreement.history import written_from_header
    from comity.agreement.load import parse_agreement
    from comity.api import history_of_source, read_text
    from comity.flows.agreeing.agreements import AdoptAgreement

    stacked = [read_text(layer) for layer in (*HOUSE_RULES, *layers)]
    text = read_text(name)
    told_in = history or history_of_source(name)
    told = read_text(told_in) if told_in else (written_from_header(parse_agreement(*text)), text[1])
    request = AdoptAgreement(
        peer=peer,
        text=text[0],
        history=told[0],
        layers=tuple(layer for layer, _ in stacked),
        names=(text[1], told[1], *(file for _, file in stacked)),
    )
    desk.show(desk.call("agreement.adopt", request), _tell_adopted)


@agreement.command()
@click.argument("relationship", required=False)
@acting
@housed
def acknowledge(desk: Desk, relationship: str | None, actor: str, key: Path | None) -> None:
    """Accept the digest of an agreement that runs here as your working model, and say so to the other party.

    Example:
      comity agreement acknowledge --as root
    """
    from comity.flows.actors import Actor
    from comity.flows.agreeing.agreements import AcknowledgeAgreement

    request = AcknowledgeAgreement(relationship=desk.session.relationship(relationship), actor=Actor(actor))
    desk.show(desk.act("agreement.acknowledge", request, key), lambda out, shown: _tell_acknowledged(out, shown, desk))


@agreement.command()
@click.argument("relationship", required=False)
@housed
def versions(desk: Desk, relationship: str | None) -> None:
    """List the texts by which this house has decided under an agreement, each from its instant on.

    Example:
      comity agreement versions
    """
    from comity.flows.agreeing.agreements import ListVersions

    request = ListVersions(relationship=desk.session.relationship(relationship))
    desk.show(desk.call("agreement.versions", request), _tell_versions)


@agreement.command()
@click.argument("name", default="jp-kr-2016")
@click.option("--clause", metavar="ID", help="Only this clause, such as 6.a, or an article, such as 6.")
@housed
def coverage(desk: Desk, name: str, clause: str | None) -> int:
    """Say for each clause what the system does, the command, and the test that shows it.

    The table is written when the tests run and pass. Ends with code 6 when a clause has no row, or when the agreement
    here has another digest than the one that the tests ran on.

    Example:
      comity agreement coverage jp-kr-2016 --clause 6
    """
    from comity.agreement.nearest import nearest
    from comity.api import coverage_of

    if is_relationship(name):
        from comity.flows.agreeing.agreements import ReadAgreement

        running = desk.call("agreement.read", ReadAgreement(relationship=name))
        text, digest, clauses = running.agreement, running.digest, running.clauses
        table = coverage_of(text)
    else:
        file = _load(name, None).file
        text, digest, clauses = file.id, file.digest, file.clauses
        table = coverage_of(text, name)
    kept = tuple(each for each in clauses if clause in {None, each.id, each.article})
    if not kept:
        known = nearest(clause or "", [each.id for each in clauses])
        raise Misuse(f"{text!r} has no clause {clause!r}{known}", code="unknown-clause")
    shown = covered(text, digest, kept, table)
    desk.show(shown, tell_coverage)
    return 0 if shown.same and not shown.missing else FINDINGS


@agreement.command("list")
@housed
def list_(desk: Desk) -> None:
    """List the agreements that run here, and who has acknowledged each.

    Example:
      comity agreement list
    """
    from comity.flows.agreeing.agreements import ListAgreements

    desk.show(desk.call("agreement.list", ListAgreements()), _tell_running)


def _load(name: str, history: str | None, layers: tuple[str, ...] = ()) -> Agreement:
    from comity.api import Agreement

    return Agreement.load(name, history=history, layers=layers)


def _tell_checked(out: Output, checked: Checked) -> None:
    out.line(("in order: ", "good"), (checked.agreement, "strong"))
    unchecked = f", {checked.unchecked} of them not checked against the text (K)" if checked.unchecked else ""
    out.fields(
        [
            ("title", checked.title),
            ("digest", checked.digest),
            ("clauses", f"{checked.clauses}{unchecked}"),
            ("levels", str(checked.levels)),
            ("rules", str(checked.rules)),
            ("obligations", str(checked.obligations)),
            ("layers", ", ".join(checked.layers)),
            ("history", f"{checked.events} events"),
            ("hypothetical", checked.hypothetical or ""),
        ]
    )
    out.next((f"comity agreement status {checked.agreement} --at INSTANT", "how it stands"))


def _tell_agreement(out: Output, loaded: Agreement) -> None:
    file = loaded.file
    out.line((file.id, "strong"))
    out.fields(
        [
            ("title", file.header.title.en),
            ("digest", loaded.digest),
            ("legal force", file.header.legal_force),
            ("authentic text", file.header.authentic),
            ("parties", ", ".join(f"{party.name.en} ({party.id})" for party in file.parties)),
            ("time zone", file.term.timezone),
        ]
    )
    out.gap()
    out.line(("levels", "strong"))
    out.table(
        ("party", "mark", "means", "clause", ""),
        [
            (
                level.party,
                level.mark,
                level.english,
                level.clause,
                "" if level.crosses else "above the ceiling: never crosses",
            )
            for level in file.levels
        ],
    )
    out.gap()
    out.line(("what corresponds", "strong"))
    for row in file.equivalences:
        marks = "  =  ".join(f"{party}: {' or '.join(each)}" for party, each in row.marks.items())
        out.line(f"{marks}  ", (f"Article {row.clause}", "dim"), indent=2)
    out.gap()
    _tell_clauses(out, loaded, file.clauses)


def _tell_clauses(out: Output, loaded: Agreement, clauses: Any) -> None:
    for clause in clauses:
        out.line((f"Article {clause.id}", "strong"), f"  {clause.heading.en} ", (f"[{clause.provenance}]", "dim"))
        out.text(clause.says, indent=2)
    out.gap()
    out.text(
        f"In our own words; the authentic text prevails: {loaded.file.header.authentic}. P read in the text, S in a "
        "secondary source, K not checked: a K rule warns and never refuses.",
        style="dim",
    )


def _tell_status(out: Output, told: Status, read_as: str | None) -> None:
    zone = time_zones().zone(told.timezone)

    def local(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M} {told.timezone}"

    instant = read_as or local(told.at)
    out.line((told.agreement, "strong"), f" at {instant}")
    if told.hypothetical:
        out.text(f"HYPOTHETICAL: {told.hypothetical}", indent=2, style="warn")
    for reading in told.readings:
        known = {"said": "as it said", "reported": "as others reported", "text": "by the text"}[reading.known]
        out.gap()
        out.line(
            (reading.party, "strong"),
            ": ",
            (reading.phase.replace("-", " "), "good" if reading.in_force else "bad"),
            (f", {known}", "dim"),
        )
        out.fields(
            [
                ("in force", "yes" if reading.in_force else "no"),
                ("protection", "continues" if reading.protection else "none"),
                ("since", local(reading.since) if reading.since else ""),
                *[("can end", ending.says) for ending in reading.endings],
                *[
                    (
                        "ahead",
                        f"{local(ahead.at)}  {ahead.what.replace('-', ' ')} {ahead.counting}".rstrip(),
                    )
                    for ahead in reading.ahead[:3]
                ],
                ("rests on", ", ".join((*reading.events, *(f"Article {clause}" for clause in reading.clauses)))),
            ]
        )
    if told.contested:
        out.gap()
        out.line(("contested", "warn"))
        for point in told.contested:
            out.text(visible(point.says), indent=2)
    if told.unsettled:
        out.fields([("not known to the hour", ", ".join(told.unsettled))])
    out.next((f"comity agreement timeline {told.agreement}", "how it came to this"))


def _tell_adopted(out: Output, adopted: AgreementShown) -> None:
    _tell_running(out, [adopted])
    out.next(("comity agreement acknowledge --as root", "accept this text; nothing crosses before both parties did"))


def _tell_acknowledged(out: Output, shown: AgreementShown, desk: Desk) -> None:
    _tell_running(out, [shown])
    out.next(("comity give FILE --help", "once the other party has acknowledged it too"), *desk.sending())


def _tell_versions(out: Output, found: list[VersionShown]) -> None:
    rows = [
        (told_instant(each.since), each.version, each.digest[:16], "signed by both" if each.signed else "")
        for each in found
    ]
    out.table(("since", "version", "digest", ""), rows)


def _tell_running(out: Output, running: list[AgreementShown]) -> None:
    if not running:
        out.line("no agreement runs here yet")
        out.next(("comity agreement adopt jp-kr-2016 --with PARTY", "run one"))
    for each in running:
        out.line((each.relationship, "strong"))
        out.fields(
            [
                ("title", each.title),
                ("with", each.peer),
                ("version", each.version),
                ("digest", each.digest),
                ("layers", ", ".join(each.layers)),
                ("acknowledged by", ", ".join(each.acknowledged) or "nobody yet"),
                ("hypothetical", each.hypothetical or ""),
                ("amended", f"from {told_instant(each.superseded)} on" if each.superseded else ""),
            ]
        )
