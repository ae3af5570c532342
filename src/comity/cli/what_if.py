"""``comity agreement what-if``: what would follow from an act, another text, a new law or other clearances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from comity.cli.instants import read_instant, told_period
from comity.cli.options import Desk, Verb, as_actor, housed, is_relationship, seeing
from comity.cli.output import Output, article, visible
from comity.errors import Misuse
from comity.timezones import time_zones

if TYPE_CHECKING:
    from comity.flows.deciding.explaining import ReasonTold
    from comity.flows.foreseeing.affected import Affected
    from comity.flows.foreseeing.what_if import WhatIf
    from comity.foresight.consequences import ActLine, Consequences
    from comity.foresight.obligations import DutyLine, Told
    from comity.foresight.supposition import SupposedAct
    from comity.foresight.turns import Turn
    from comity.foresight.written import WrittenFile

STEPS = {
    "notice": "notice",
    "suspend": "suspension",
    "reactivate": "reactivation",
    "withdraw": "withdrawal",
    "terminate": "end-by-consent",
}
"""The act that each option supposes."""
WHATS = {
    "end-wanted": "gives notice of the end to",
    "law-changed": "tells the change of law to",
    "acknowledgement": "acknowledges the other text to",
    "suspension": "tells the suspension to",
    "reactivation": "tells that the notice runs again to",
    "withdrawal": "tells the withdrawal to",
}
"""What somebody does who tells another something."""
FATES = {
    "opens": "opens",
    "opens-no-more": "opens no more",
    "ends": "ends with the agreement",
    "added": "is new",
    "removed": "is gone",
    "changed": "is another one",
    "survives": "survives",
    "as-before": "as before",
}
"""What becomes of an obligation, or of the duties that one lays."""
CONSENT_FATES = {
    "ends": "of no use any more",
    "in-part": "in part of no use any more",
    "mark-gone": "names a mark that is no more",
    "over-before": "over before",
    "goes-on": "goes on",
}
KINDS = {
    "requests": "requests that wait",
    "readers": "readers shut out",
    "people": "clearances worth less",
    "consents": "consents that hold",
    "waiting": "consents asked",
    "visits": "visits not over",
    "feeds": "feeds touched",
    "duties": "open duties",
}
"""What is listed of a register, and what each list is called."""
FEED_FATES = {"stops": "stops", "over-before": "is over before", "mark-gone": "has a mark that is no more"}
VISIT_FATES = {"does-not-begin": "does not begin", "cut-short": "is cut short", "over-before": "is over before"}


def _supposing(command: Any) -> Any:
    days = [
        ("--notice", "A written notice of the end is given on this day, 2026-12-01."),
        ("--suspend", "The effect of a notice is suspended on this day."),
        ("--reactivate", "A suspended notice runs again from this day."),
        ("--withdraw", "A notice is withdrawn on this day."),
        ("--terminate", "All parties end it by consent on this day."),
    ]
    for option in (
        click.option("--clearances", metavar="FILE", help="The levels, or what clearances are worth, are others."),
        click.option("--law", "laws", multiple=True, metavar="FILE", help="A domestic layer is added; repeat it."),
        click.option("--amend", metavar="FILE", help="The agreement reads as in this file."),
        click.option("--by", default="", metavar="PARTY", help="The party that acts; else your own."),
        *[click.option(name, metavar="DAY", help=says) for name, says in reversed(days)],
    ):
        command = option(command)
    return command


@click.command("what-if", cls=Verb)
@click.argument("name")
@_supposing
@click.option("--at", metavar="INSTANT", help="When it is asked; nothing later is known. Now when not given.")
@click.option("--history", metavar="FILE", help="What happened to it; else the one beside it.")
@click.option("--layer", "layers", multiple=True, metavar="FILE", help="A layer that stands on it; repeat it.")
@seeing
@housed
def what_if(
    desk: Desk,
    name: str,
    by: str,
    amend: str | None,
    laws: tuple[str, ...],
    clearances: str | None,
    at: str | None,
    history: str | None,
    layers: tuple[str, ...],
    actor: str | None,
    **days: str | None,
) -> None:
    """Say what would follow: what stops when, which duties open or survive, and whom to tell.

    Nothing is changed by asking. With the name of a relationship the register of this house is asked besides.

    Example:
      comity agreement what-if jp-kr-2016 --notice 2026-12-01
    """
    from comity.api import Agreement
    from comity.flows.foreseeing.what_if import AskWhatIf, WhatIf
    from comity.foresight.written import Written

    what = Written(
        acts=tuple(_acts(days)),
        by=by,
        amend=_file(amend),
        laws=tuple(file for law in laws if (file := _file(law))),
        clearances=_file(clearances),
    )
    if is_relationship(name):
        if history or layers:
            raise Misuse("--history and --layer are for files; what runs here has its own", code="usage")
        from comity.flows.agreeing.agreements import AskStatus

        zone = desk.call("agreement.status", AskStatus(relationship=name)).timezone
        asked = None if at is None else read_instant(at, zone).at
        request = AskWhatIf(relationship=name, supposing=what, at=asked, actor=as_actor(actor))
        desk.show(desk.call("agreement.what-if", request), _tell)
        return
    if actor:
        raise Misuse("--as is for what runs here; name its relationship, such as jp-kr-2016/jp.kr", code="usage")
    loaded = Agreement.load(name, history=history, layers=layers)
    asked = datetime.now(UTC) if at is None else read_instant(at, loaded.file.term.timezone).at
    desk.show(WhatIf(follows=loaded.what_if(what, asked)), _tell)


def _acts(days: dict[str, str | None]) -> Iterable[SupposedAct]:
    from comity.foresight.supposition import SupposedAct

    for option, step in STEPS.items():
        day = days[option]
        if day is not None:
            yield SupposedAct(step, day)  # type: ignore[arg-type]  # one of the words of STEPS


def _file(name: str | None) -> WrittenFile | None:
    from comity.api import read_text
    from comity.foresight.written import WrittenFile

    return None if name is None else WrittenFile(*read_text(name))


# ---- what it looks like -------------------------------------------------------------------------------------------


def _tell(out: Output, shown: WhatIf) -> None:
    told = shown.follows
    local = _Local(told.timezone)
    out.line((told.agreement, "strong"), f" as on {local.said(told.at)} {told.timezone}")
    out.text("nothing is changed by asking", indent=2, style="dim")
    if told.before.hypothetical:
        out.text(f"HYPOTHETICAL: {told.before.hypothetical}", indent=2, style="warn")
    _part(out, "supposed", map(visible, told.supposed))
    _part(out, "what happens when", [f"{local.said(turn.at)}  {_turn(turn, told)}" for turn in told.turns])
    _part(out, "what would happen anyway", [f"{local.said(turn.at)}  {_turn(turn, told)}" for turn in told.otherwise])
    _tell_contested(out, told)
    _tell_acts(out, told, local)
    _tell_texts(out, told)
    _tell_duties(out, told)
    _part(out, "whom to tell", map(_telling, told.told), none="nobody, by any clause")
    if shown.here is not None:
        _tell_here(out, shown.here, local)
    out.next((f"comity agreement status {told.agreement}", "how it stands, and how it can end"))


class _Local:
    """Instants in the zone of the agreement."""

    def __init__(self, zone: str) -> None:
        self._zone = time_zones().zone(zone)

    def said(self, at: datetime) -> str:
        """To the minute."""
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"


def _part(out: Output, heading: str, lines: Iterable[str], none: str = "") -> None:
    found = list(lines) or ([none] if none else [])
    if not found:
        return
    out.gap()
    out.line((heading, "strong"))
    for line in found:
        out.text(line, indent=2)


def _turn(turn: Turn, told: Consequences) -> str:
    """The phase, and on which courses: by every reading, or by whose, and how they count."""
    phase = turn.phase.replace("-", " ")
    if turn.every:
        return f"{phase}, by every reading"
    counted: dict[str, list[str]] = {}
    for course in turn.courses:
        counted.setdefault(course.party, []).append(course.counting)
    together: dict[str, list[str]] = {}
    for party, rules in counted.items():
        some = "" if len(rules) == len(told.countings) else f", counted {', '.join(rules)}"
        together.setdefault(some, []).append(party)
    said = [
        f"as {' and '.join(parties)} read{'s' if len(parties) == 1 else ''} it{some}"
        for some, parties in together.items()
    ]
    return f"{phase}, {'; '.join(said)}"


def _tell_contested(out: Output, told: Consequences) -> None:
    _part(out, "contested then", [visible(point.says) for point in told.then.contested])


def _tell_acts(out: Output, told: Consequences, local: _Local) -> None:
    out.gap()
    out.line(("what may be done", "strong"))
    stopping: dict[datetime, list[ActLine]] = {}
    for act in told.acts:
        if act.stops is not None:
            stopping.setdefault(act.stops, []).append(act)
    for at, acts in stopping.items():
        names = ", ".join(act.act for act in acts)
        out.line((local.said(at), "warn"), f"  stops: {names}", indent=2)
        needs = {
            "force": "needs force under every reading",
            "protection": "nothing is protected after the end",
        }[acts[0].needs]
        out.text(f"{needs}; {article(acts[0].clause)}", indent=4, style="dim")
    going = [act for act in told.acts if act.stops is None and act.permitted_then]
    if going:
        clauses = dict.fromkeys(article(act.clause) for act in going if act.clause)
        because = f" ({', '.join(clauses)})" if clauses else ""
        out.text(f"goes on: {', '.join(act.act for act in going)}{because}", indent=2)
    for act in told.acts:
        if act.permitted != act.permitted_then:
            out.line(
                (act.act, "warn"), ": a rule permits it" if act.permitted_then else ": no rule permits it", indent=2
            )


def _tell_texts(out: Output, told: Consequences) -> None:
    """What another text, or another layer, changes in rules and marks."""
    became: dict[tuple[str, str, str, str], list[str]] = {}
    for act in told.acts:
        for rule in act.rules:
            if rule.became != "as-before":
                line = (
                    rule.became,
                    rule.rule,
                    rule.asks,
                    f"{article(rule.clause)} of {rule.instrument} [{rule.provenance}]",
                )
                became.setdefault(line, []).append(act.act)
    lines = [
        f"{how}: {rule} ({', '.join(acts)}): {visible(asks)}; {place}"
        for (how, rule, asks, place), acts in became.items()
    ]
    _part(out, "rules", lines)
    marks = [
        f"{each.mark} of {each.party} to {each.to}: {' or '.join(each.before) or 'does not cross'} → "
        f"{' or '.join(each.after) or 'does not cross'}"
        for each in told.marks
    ]
    _part(out, "marks", marks)


def _tell_duties(out: Output, told: Consequences) -> None:
    out.gap()
    out.line(("duties", "strong"))
    for fate in ("opens", "added", "changed", "removed", "opens-no-more", "ends"):
        for each in told.duties:
            if each.fate == fate:
                out.text(f"{FATES[fate]}: {_duty(each)}", indent=2)
    surviving = [each for each in told.duties if each.fate == "survives"]
    if surviving:
        clauses = dict.fromkeys(article(each.because or each.clause) for each in surviving)
        names = ", ".join(each.obligation for each in surviving)
        out.text(f"survive, by {', '.join(clauses)}: {names}", indent=2)
    if all(each.fate == "as-before" for each in told.duties):
        out.text("all as before", indent=2)
    returning = any(each.on == "agreement-ended" and each.deed == "return-or-destroy" for each in told.duties)
    if surviving and not returning:
        out.text("no duty to return or destroy opens by the end itself", indent=2, style="dim")


def _duty(each: DutyLine) -> str:
    known = "K, unchecked" if each.provenance == "K" else each.provenance
    because = f", by {article(each.because)}" if each.because else ""
    limit = f", {told_period(each.within)}" if each.within else ""
    return (
        f"{each.obligation}: {each.deed.replace('-', ' ')} on {each.on.replace('-', ' ')} ({each.who}{limit}); "
        f"{article(each.clause)} of {each.instrument} [{known}]{because}"
    )


def _telling(each: Told) -> str:
    how = [
        word for word in (each.form, f"{each.channel} channel" if each.channel else "") if word and "any" not in word
    ]
    limit = [told_period(each.within)] if each.within else []
    by = f"; {article(each.clause)} of {each.instrument}" if each.clause else ""
    said = f"; {each.says}" if each.says else ""
    manner = f" ({', '.join([*how, *limit])})" if how or limit else ""
    return f"{each.who} {WHATS.get(each.what, each.what)} {', '.join(each.whom)}{manner}{by}{said}"


def _tell_here(out: Output, here: Affected, local: _Local) -> None:
    out.gap()
    out.line((f"in the register of {here.party}, as on {local.said(here.looked_at)}", "strong"))
    counts = [("copies held here", str(here.held_here)), ("copies held there", str(here.held_there))]
    counts += [(word, str(len(getattr(here, name)))) for name, word in KINDS.items()]
    out.fields([(word, count) for word, count in counts if count != "0"] or [("touched", "nothing")])
    for request in here.requests:
        out.text(
            f"request {request.request} to {request.act} {request.item}: {request.outcome} → {request.then}", indent=2
        )
        _tell_reasons(out, request.reasons)
    for reader in here.readers:
        out.text(
            f"{visible(reader.handle)} could not open copy {reader.copy} of {reader.item}: {reader.then}", indent=2
        )
        _tell_reasons(out, reader.reasons)
    for person in here.people:
        out.text(f"{visible(person.handle)}: {person.clearance} → {person.then or 'nothing'}", indent=2)
    for consent in here.consents:
        about = consent.item or "a pattern"
        says = f"consent {consent.consent} to {', '.join(consent.acts)} {about}: {CONSENT_FATES[consent.fate]}"
        out.text(says, indent=2)
    for asked in here.waiting:
        state = "the act stops" if asked.stops else "goes on waiting"
        out.text(f"consent asked, {asked.request}, to {', '.join(asked.acts)} {asked.item}: {state}", indent=2)
    for visit in here.visits:
        out.text(f"visit {visit.visit} ({visit.side}): {VISIT_FATES[visit.fate]}", indent=2)
    for feed in here.feeds:
        out.text(f"feed {feed.feed} of {feed.publisher}: {FEED_FATES[feed.fate]}", indent=2)
    _tell_open(out, here)
    for each in here.borrowers:
        warns = " (unchecked: it only warns)" if each.unchecked else ""
        place = f"{article(each.clause)} of {each.instrument}{warns}"
        out.text(f"{each.relationship} borrows its protection from this one; giving stops there too; {place}", indent=2)
    if here.more:
        out.text("there are more than are told here", indent=2, style="dim")


def _tell_open(out: Output, here: Affected) -> None:
    for each in here.duties:
        if not each.standing:
            out.text(
                f"duty of {each.who}, {each.says} ({article(each.clause)}), about {each.subject}: {FATES[each.fate]}",
                indent=2,
            )
    standing = Counter(each.fate for each in here.duties if each.standing)
    for fate, count in standing.items():
        out.text(f"standing, {count} {'duty' if count == 1 else 'duties'}: {FATES[fate]}", indent=2)


def _tell_reasons(out: Output, reasons: Sequence[ReasonTold]) -> None:
    for each in reasons:
        place = f"; {article(each.clause)} of {each.instrument}" if each.clause else ""
        out.text(f"{visible(each.says)}{place}", indent=4, style="dim")
