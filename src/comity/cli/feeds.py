"""``comity feed`` and ``comity posture``: what crosses as it comes, who has said so, and how it is stopped."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.decisions import functions, named, tell_outcome
from comity.cli.files import read_file
from comity.cli.following import follow, readers
from comity.cli.giving import recipients_of
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verbs, acting, as_actor, housed, relationship, seeing
from comity.cli.output import REFUSED, Output, Style
from comity.cli.publishing import prove, publish, schema, verify
from comity.cli.session import fresh_name
from comity.errors import Misuse, Rejected
from comity.feed.release import POSTURES, Posture
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import tell
from comity.flows.feeding.ending import EndFeed, FeedEndShown
from comity.flows.feeding.listing import FeedLine, FeedShown, ListFeeds, ShowFeed
from comity.flows.feeding.originators import FeedMarkShown, ListTold, MarkFeed, ToldLine
from comity.flows.feeding.postures import DeclarePosture, PosturesShown, ShowPostures
from comity.flows.feeding.releasing import TEXT_BYTES_MAX, FeedAsked, ReleaseFeed
from comity.flows.giving.release import POSSIBLE
from comity.marking.banner import written

_STYLES: dict[str, Style] = {"stands": "good", "stopped": "bad", "ended": "bad", "expired": "dim", "followed": "dim"}
_WHY = {
    "ended": "it was ended",
    "expired": "its time is over",
    "returned": "the other party's register did not accept it",
    "other-text": "the agreement has another text by now",
    "no-recipients": "nobody is left to whom it may go",
    "not-in-force": "the agreement is not in force by every reading",
    "consent-missing": "its originator's consent is missing, or has ended",
    "restored-database": "what is kept of it here was restored from a copy; 'comity node status' says what to do",
    "two-histories": "the other party has another history of it; 'comity node status' says what to do",
    "internal": "publishing failed; the node's log says why",
    "level-changed": "its originator marks it otherwise now; another release under that level is needed",
}
"""Why nothing crosses, where a code says it; another code is one of a decision's reasons."""


@click.group(cls=Verbs)
def feed() -> None:
    """Let messages cross as they come, under a standing release; end it at once.

    Nobody approves each message. A standing release says beforehand what may cross, to whom, how exactly and until
    when; two people make it, and one of either side ends it.
    """


for verb in (follow, readers, publish, schema, prove, verify):
    feed.add_command(verb)


@feed.command()
@click.argument("schema", type=click.Path(path_type=Path))
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--to", "recipients", multiple=True, metavar="WHO", help="A recipient's function or pseudonym; repeat it."
)
@click.option("--preview", is_flag=True, help="Only ask whether it may cross; nothing is recorded but the question.")
@relationship
@acting
@housed
def release(
    desk: Desk,
    schema: Path,
    release: Path,
    recipients: tuple[str, ...],
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    preview: bool,
) -> int:
    r"""Ask that a feed be released to people of the other party.

    SCHEMA says what messages there are and how each field is marked; RELEASE which fields cross, rounded to what, under
    which posture, until when ('spec/feed.md' has both). It is released once everybody who must has approved.

    Example:
      comity feed release air-picture.toml to-seoul.toml --to "Warning desk" --as sato --preview
    """
    chosen = desk.session.relationship(relationship)
    request = ReleaseFeed(
        schema=_text(schema),
        terms=_text(release),
        names=(schema.name, release.name),
        relationship=chosen,
        recipients=recipients_of(desk, chosen, recipients),
        actor=Actor(actor),
        request=fresh_name("r", key),
    )
    asked: FeedAsked = desk.act("feed.preview" if preview else "feed.release", request, key)
    known = functions(desk)
    desk.show(asked, lambda out, _: _tell_asked(out, asked, known, desk, preview=preview))
    return 0 if asked.outcome in POSSIBLE else REFUSED


@feed.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@seeing
@housed
def list_releases(desk: Desk, actor: str | None, *, everything: bool) -> None:
    """List the standing releases, ours and the other parties', and how each stands.

    Example:
      comity feed list --all
    """
    found: list[FeedLine] = desk.call("feed.list", ListFeeds(actor=as_actor(actor), all=everything))
    desk.show(found, lambda out, _: _tell_list(out, found))


@feed.command()
@click.argument("release")
@seeing
@housed
def show(desk: Desk, release: str, actor: str | None) -> None:
    """Show a standing release, or the newest of a feed: what crosses under which posture, and what was before.

    A feed's level is that of its newest release: 'comity feed release' with another mark follows it at once.

    Example:
      comity feed show r-4xq7…
      comity feed show air-picture
    """
    shown: FeedShown = desk.call("feed.show", ShowFeed(release=release, actor=as_actor(actor)))
    known = functions(desk)
    desk.show(shown, lambda out, _: _tell_shown(out, shown, known))


@feed.command()
@click.argument("release")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@relationship
@acting
@housed
def end(desk: Desk, release: str, reason: str, relationship: str | None, actor: str, key: Path | None) -> None:
    """End a standing release, yours or the other party's; from then on nothing crosses under it.

    One person is enough: a release authority, a security officer, or an officer who may see it.

    Example:
      comity feed end r-4xq7… --reason "the exercise is over" --as abe
    """
    request = EndFeed(release=release, relationship=relationship, reason=reason, actor=Actor(actor))
    ended: FeedEndShown = desk.act("feed.end", request, key)
    desk.show(ended, lambda out, _: _tell_end(out, ended, desk))


@feed.command()
@seeing
@housed
def elsewhere(desk: Desk, actor: str | None) -> None:
    """List what other parties publish of what is ours: to whom, on whose ground, until when.

    Example:
      comity feed elsewhere
    """
    found: list[ToldLine] = desk.call("feed.elsewhere", ListTold(actor=as_actor(actor)))
    desk.show(found, lambda out, _: _tell_elsewhere(out, found))


@feed.command()
@click.argument("release")
@click.option("--to", "--mark", "mark", required=True, metavar="MARK", help="The new mark, on your own ladder.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@acting
@housed
def reclassify(desk: Desk, release: str, mark: str, reason: str, actor: str, key: Path | None) -> None:
    """Say that you mark otherwise what another party publishes of your information.

    Nothing crosses from when its publisher hears of it, until it is released under the mark that corresponds. By a
    release authority. RELEASE is shown by 'comity feed elsewhere'. The level of a feed of your own is that of its
    newest release; that of an item changes with 'comity reclassify'.

    Example:
      comity feed reclassify r-4xq7… --to "TOP SECRET" --reason "the source is endangered" --as brown
    """
    request = MarkFeed(release=release, mark=mark, reason=reason, actor=Actor(actor))
    marked: FeedMarkShown = desk.act("feed.mark", request, key)
    desk.show(marked, lambda out, _: _tell_marked(out, marked, desk))


def _tell_marked(out: Output, marked: FeedMarkShown, desk: Desk) -> None:
    out.line(("marked ", "warn"), f"{marked.feed}, published by {marked.publisher}: ", (marked.mark, "strong"))
    out.text("Nothing of it crosses once its publisher hears of this, until it is released under this level.", indent=2)
    out.next(("comity feed elsewhere", "what is published of yours"), *desk.sending())


def _tell_elsewhere(out: Output, found: list[ToldLine]) -> None:
    if not found:
        out.line("nobody has told of a feed of what is ours")
    for each in found:
        row = each.row
        state: tuple[str, Style] = ("over", "dim") if each.over else ("published", "good")
        out.line((row.feed, "strong"), f"  {each.publisher} to {row.to}  ", state)
        out.fields(
            [
                ("release", row.release),
                ("mark", written(row.label)),
                ("yours since", each.mark),
                ("topic", row.topic),
                ("purpose", row.purpose),
                ("host", row.host),
                ("by consent", ", ".join(row.consents)),
                ("until", told_instant(row.until)),
                ("over", f"{told_instant(row.over)}: {row.reason}" if row.over else ""),
            ]
        )


@click.group(cls=Verbs)
def posture() -> None:
    """Declare a posture jointly with the other party: more is shared when both have said so.

    What holds is the lowest that both have declared; it falls back by itself when a declaration ends.
    """


@posture.command()
@click.argument("posture", type=click.Choice(POSTURES))
@click.option("--until", metavar="INSTANT", help="When it ends by itself; whatever is above 'normal' has an end.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@relationship
@acting
@housed
def declare(
    desk: Desk,
    posture: Posture,
    until: str | None,
    reason: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    """Declare this party's posture; a release authority signs it.

    Example:
      comity posture declare crisis --until 2026-11-22T00:00Z --reason "a launch is expected" --as abe
    """
    request = DeclarePosture(
        posture=posture,
        relationship=desk.session.relationship(relationship),
        reason=reason,
        actor=Actor(actor),
        until=None if until is None else read_instant(until, "UTC", end=True).at,
    )
    shown: PosturesShown = desk.act("posture.declare", request, key)
    desk.show(shown, lambda out, _: _tell_postures(out, shown, desk.sending()))


@posture.command("show")
@relationship
@housed
def show_declared(desk: Desk, relationship: str | None) -> None:
    """Show what both parties have declared, and what holds.

    Example:
      comity posture show
    """
    request = ShowPostures(relationship=desk.session.relationship(relationship))
    shown: PosturesShown = desk.call("posture.show", request)
    desk.show(shown, lambda out, _: _tell_postures(out, shown, []))


def _text(path: Path) -> str:
    try:
        return read_file(path, TEXT_BYTES_MAX).decode()
    except UnicodeDecodeError:
        raise Rejected("not a text in UTF-8", code="not-utf-8", place=str(path)) from None
    except Rejected as error:
        raise Misuse(f"{path.name!r} is {error.sentence}", code="too-long") from None


def _tell_asked(out: Output, asked: FeedAsked, known: dict[str, str], desk: Desk, *, preview: bool) -> None:
    tell_outcome(out, tell(asked.decision), known, full=preview)
    out.gap()
    if asked.outcome not in POSSIBLE:
        out.text("Nothing crosses, and nothing was sent. The refusal is recorded in this house.")
        out.next((f"comity why {asked.decision_record[:16]}", "the whole decision"))
        return
    out.fields(
        [
            ("feed", asked.feed),
            ("request", "" if preview else asked.request),
            ("marked there", asked.alternative.mark if asked.alternative else "chosen by the other party"),
            ("until", asked.until),
            ("never crosses", ", ".join(asked.never)),
            ("released", "" if preview else asked.release[:16] if asked.release else "not yet"),
        ]
    )
    if preview:
        out.text("Nothing was released or sent: this was a question.", indent=2)
        return
    if asked.release is None:
        out.next(
            (f"comity approve {asked.request} --reason WHY --as HANDLE", "somebody else, with the role"),
            *desk.sending(),
        )
        return
    out.next(
        (f"comity feed show {asked.request}", "what crosses under which posture"),
        (f"comity feed end {asked.request} --reason WHY --as HANDLE", "stop it"),
        *desk.sending(),
    )


def _tell_list(out: Output, found: list[FeedLine]) -> None:
    if not found:
        out.line("no feed is released")
    for each in found:
        _tell_line(out, each)


def _tell_line(out: Output, line: FeedLine) -> None:
    whose = "ours" if line.ours else f"from {line.publisher}"
    out.line((line.feed, "strong"), f"  {whose}, {line.relationship}  ", (line.state, _STYLES[line.state]))
    out.fields(_fields(line), indent=2)


def _fields(line: FeedLine) -> list[tuple[str, str]]:
    three = {line.label.originator, line.host} != {line.publisher}
    return [
        ("release", line.release),
        ("mark", written(line.alternative if line.alternative and not line.ours else line.label)),
        ("topic", line.topic),
        ("purpose", line.purpose),
        ("originator", line.label.originator if three else ""),
        ("host", line.host if three else ""),
        ("publisher", line.publisher if three else ""),
        ("posture", line.posture if line.state == "stands" else ""),
        ("stopped", _WHY.get(line.why, line.why.replace("-", " ")) if line.state == "stopped" else ""),
        ("followed by", line.followed_by),
        *((f"ended by {each.party}", f"{told_instant(each.at)}: {each.reason}") for each in line.ends),
        ("since", told_instant(line.since)),
        ("until", told_instant(line.until)),
        ("turns", told_instant(line.turns) if line.turns is not None and line.turns != line.until else ""),
        ("there", f"{line.has[1]} messages in {line.has[0]} batches" if line.has else ""),
    ]


def _tell_shown(out: Output, shown: FeedShown, known: dict[str, str]) -> None:
    line = shown.line
    out.line((line.feed, "strong"), "  ", (line.state, _STYLES[line.state]))
    out.fields([*_fields(line), ("to", named(", ".join(line.recipients), known))], indent=2)
    _tell_word(out, shown)
    before: object = None
    for under in shown.postures:
        if under.types == before:
            continue
        before = under.types
        out.gap()
        out.line(("under ", "dim"), (under.posture, "strong"))
        if not under.types:
            out.line("nothing crosses", indent=2)
        for crossed in under.types:
            steps = {each.field: each.step for each in crossed.rounded}
            fields = ", ".join(f"{each} (to {steps[each]})" if each in steps else each for each in crossed.fields)
            out.fields(
                [
                    (crossed.type, fields),
                    ("delay", f"{crossed.delay} s" if crossed.delay else ""),
                    ("at most", f"{crossed.rate} a second" if crossed.rate is not None else ""),
                ],
                indent=2,
            )
    _tell_history(out, shown)


def _tell_word(out: Output, shown: FeedShown) -> None:
    """Of a third party's information: on whose word its consent rests."""
    originator, publisher = shown.line.label.originator, shown.line.publisher
    if shown.word == "originator":
        out.fields([(f"consent of {originator}", ", ".join(shown.consents))], indent=2)
    elif shown.word == "publisher":
        ask = f"{originator} itself can be asked under {', '.join(shown.asked_in)}"
        none = f"this house has no dealings with {originator} under this agreement"
        told = f"That {originator} consents rests on the word of {publisher} alone; {ask if shown.asked_in else none}."
        out.text(told, indent=2)


def _tell_history(out: Output, shown: FeedShown) -> None:
    """Every release of the feed, where there was more than one."""
    if len(shown.history) < 2:
        return
    out.gap()
    out.line(("history", "dim"))
    for each in shown.history:
        ends = "".join(f", ended by {end.party} {told_instant(end.at)}: {end.reason}" for end in each.ends)
        until = f", until {told_instant(each.since)}" if each.state == "followed" else ""
        mark = written(each.alternative if each.alternative and not each.ours else each.label)
        here: tuple[str, Style] = (each.release, "strong" if each.release == shown.line.release else "dim")
        state: tuple[str, Style] = (each.state, _STYLES[each.state])
        out.line(f"from {told_instant(each.at)}  ", here, f"  {mark}  ", state, f"{until}{ends}", indent=2)


def _tell_end(out: Output, ended: FeedEndShown, desk: Desk) -> None:
    out.line(("ended ", "warn"), f"{ended.feed} of {ended.relationship}")
    out.fields([("release", ended.release), ("from", ended.at)])
    out.next(("comity feed list --all", "how each stands"), *desk.sending())


def _tell_postures(out: Output, shown: PosturesShown, sending: list[tuple[str, str]]) -> None:
    out.line(("holds  ", "dim"), (shown.holds, "strong"), f"  {shown.relationship}")
    for each in shown.declared:
        said = f"{each.posture}, until {told_instant(each.until)}" if each.until else each.posture
        state = "ended" if each.ended else "declared" if each.at else "nothing declared"
        out.line((each.party, "strong"), f"  {said}  ", (state, "dim"), indent=2)
        if each.reason:
            out.text(each.reason, indent=4)
    if sending:
        out.next(*sending)
