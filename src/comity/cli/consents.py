"""``comity consent``: ask the originator, answer, grant unasked, withdraw, and see what was said and what was not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import get_args

import click

from comity.agreement.vocabulary import Act
from comity.cli.instants import read_instant, told_instant
from comity.cli.options import Desk, Verbs, acting, housed, relationship
from comity.cli.output import Output, Style, article
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import AskedShown, ConsentLine, ConsentsShown, ListConsents
from comity.flows.consenting.consent_requests import AskConsent, AskedForConsent, AskFeedConsent, DropConsent
from comity.flows.consenting.granting import AnswerConsent, ConsentShown, GrantConsent, WithdrawConsent
from comity.record.bodies.consents import BeneficiaryKind
from comity.register.rows.consents import ConsentRow

KINDS: tuple[str, ...] = get_args(BeneficiaryKind)
ACTS: tuple[str, ...] = get_args(Act)
_STYLES: dict[str, Style] = {
    "granted": "good",
    "holds": "good",
    "silent": "warn",
    "lapsed": "warn",
    "ended": "dim",
    "withdrawn": "bad",
    "dropped": "dim",
    "refused": "bad",
}


@click.group(cls=Verbs)
def consent() -> None:
    """Ask, grant and withdraw an originator's consent (Articles 6(a), 6(c)).

    What came from another party goes to nobody else, and serves no other purpose, without its prior written consent.
    Silence is shown as silence: it is no consent, and no refusal.
    """


@consent.command()
@click.argument("item", required=False)
@click.option("--feed", metavar="NAME", help="Of a feed of another party's information, instead of an item.")
@click.option("--mark", metavar="MARK", help="With --feed: your mark, under which it is to be published.")
@click.option("--topic", metavar="TOPIC", help="With --feed: its need-to-know list.")
@click.option(
    "--act", "acts", multiple=True, type=click.Choice(ACTS), help="What is to be done with the item; repeat it."
)
@click.option("--purpose", required=True, help="What for; the consent is good for these very words.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@click.option("--for", "beneficiary", required=True, metavar="BODY", help="Id of the body that gains, such as us.")
@click.option(
    "--kind", type=click.Choice(KINDS), default="government", show_default=True, help="What kind of body it is."
)
@click.option("--nationality", default="", metavar="STATE", help="The state it belongs to, where it is not one.")
@click.option("--until", required=True, metavar="DAY", help="How long the consent is wanted for.")
@click.option("--answer-by", metavar="DAY", help="When the request lapses unanswered.")
@relationship
@acting
@housed
def ask(
    desk: Desk,
    item: str | None,
    feed: str | None,
    mark: str | None,
    topic: str | None,
    acts: tuple[Act, ...],
    purpose: str,
    reason: str,
    beneficiary: str,
    kind: BeneficiaryKind,
    nationality: str,
    until: str,
    answer_by: str | None,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    r"""Ask the originator of an item, or of what a feed is to carry, for its consent.

    It learns what it needs to decide: the item, the acts, who gains, what for, why and until when. Which person asks,
    and whom else you ask, stays here.

    Example:
      comity consent ask i-7k3m… --act pass-on --for us --purpose "air defence" \
        --until 2027-06-30 --reason "joint exercise" --as lee
      comity consent ask --feed launches --mark 極秘 --topic missiles --for kr --purpose missile-warning \
        --until 2027-06-30 --reason "the three share it" --relationship warning-data-2023/jp.us --as sato
    """
    if (item is None) == (feed is None):
        raise Misuse("name an item, or a feed with --feed", code="which-item")
    if feed is not None:
        if acts or nationality or not (mark and topic):
            raise Misuse("of a feed say --mark and --topic; what is asked is that it be published", code="which-terms")
        about_feed = AskFeedConsent(
            feed=feed,
            mark=mark,
            topic=topic,
            beneficiary=beneficiary,
            purpose=purpose,
            reason=reason,
            until=_end(until),
            relationship=desk.session.relationship(relationship),
            actor=Actor(actor),
            answer_by=_end(answer_by) if answer_by else None,
            request=fresh_name("r", key),
        )
        asked: AskedForConsent = desk.act("consent.ask-feed", about_feed, key)
        desk.show(asked, lambda out, _: _tell_asked(out, asked, desk, "feed"))
        return
    if not acts or mark or topic:
        raise Misuse(
            "of an item say what is to be done with it, with --act; --mark and --topic are for feeds",
            code="which-terms",
        )
    assert item is not None  # one of the two was named
    request = AskConsent(
        item=item,
        acts=acts,
        beneficiary=beneficiary,
        beneficiary_kind="party" if beneficiary == desk.session.party else kind,
        nationality=nationality,
        purpose=purpose,
        reason=reason,
        until=_end(until),
        answer_by=_end(answer_by) if answer_by else None,
        actor=Actor(actor),
        relationship=relationship,
        request=fresh_name("r", key),
    )
    told: AskedForConsent = desk.act("consent.ask", request, key)
    desk.show(told, lambda out, _: _tell_asked(out, told, desk, "item"))


@consent.command()
@click.argument("request", required=False)
@click.option("--standing", is_flag=True, help="Consent unasked: to --item, or to every item of a pattern.")
@click.option("--item", help="The one item, for a consent unasked.")
@click.option("--topic", help="Every item of this need-to-know list.")
@click.option("--subject", help="Every item about this subject, a word of the agreement.")
@click.option("--mark", "marks", multiple=True, help="Every item under this mark of yours; repeat it.")
@click.option("--act", "acts", multiple=True, type=click.Choice(ACTS), help="What may be done; repeat it.")
@click.option("--for", "beneficiaries", multiple=True, metavar="BODY", help="Id of a body that may gain; repeat it.")
@click.option("--purpose", help="What for, in the very words in which it will be used.")
@click.option("--until", metavar="DAY", help="Until when; of a request, as long as was asked for unless given.")
@click.option("--condition", "conditions", multiple=True, metavar="TEXT", help="On what condition; repeat it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@relationship
@acting
@housed
def grant(
    desk: Desk,
    request: str | None,
    item: str | None,
    topic: str | None,
    subject: str | None,
    marks: tuple[str, ...],
    acts: tuple[Act, ...],
    beneficiaries: tuple[str, ...],
    purpose: str | None,
    until: str | None,
    conditions: tuple[str, ...],
    reason: str,
    relationship: str | None,
    actor: str,
    key: Path | None,
    *,
    standing: bool,
) -> None:
    r"""Grant what was asked, or consent unasked with --standing; a release authority signs it.

    REQUEST is shown by 'comity consent list'.

    Example:
      comity consent grant r-4xq7… --until 2027-03-31 --condition "on paper only" \
        --reason "agreed by the staffs" --as abe
      comity consent grant --standing --topic missiles --act pass-on --for us \
        --purpose "air defence" --until 2027-12-31 --reason "trilateral" --as abe
    """
    if standing == (request is not None):
        raise Misuse("name a request, or say --standing to consent unasked", code="which-request")
    given = Actor(actor)
    if request is not None:
        if acts or beneficiaries or purpose or item or topic or subject or marks:
            raise Misuse("a request says itself what it is about; answer it as it was asked", code="which-request")
        answered = AnswerConsent(
            request=request,
            granted=True,
            reason=reason,
            actor=given,
            until=_end(until) if until else None,
            conditions=conditions,
            consent=fresh_name("c", key),
        )
        shown: ConsentShown = desk.act("consent.answer", answered, key)
    else:
        if not (acts and beneficiaries and purpose and until):
            raise Misuse("a standing consent needs --act, --for, --purpose and --until", code="which-terms")
        granted = GrantConsent(
            relationship=desk.session.relationship(relationship),
            acts=acts,
            beneficiaries=beneficiaries,
            purpose=purpose,
            until=_end(until),
            reason=reason,
            actor=given,
            item=item,
            topic=topic,
            subject=subject,
            marks=marks,
            conditions=conditions,
            consent=fresh_name("c", key),
        )
        shown = desk.act("consent.grant", granted, key)
    desk.show(shown, lambda out, _: _tell_consent(out, "granted ", shown, desk))


@consent.command()
@click.argument("request")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@acting
@housed
def refuse(desk: Desk, request: str, reason: str, actor: str, key: Path | None) -> None:
    """Refuse what was asked; a release authority signs it.

    Example:
      comity consent refuse r-4xq7… --reason "not while the exercise lasts" --as abe
    """
    answered = AnswerConsent(
        request=request, granted=False, reason=reason, actor=Actor(actor), consent=fresh_name("c", key)
    )
    shown: ConsentShown = desk.act("consent.answer", answered, key)
    desk.show(shown, lambda out, _: _tell_consent(out, "refused ", shown, desk))


@consent.command()
@click.argument("request")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@acting
@housed
def drop(desk: Desk, request: str, reason: str, actor: str, key: Path | None) -> None:
    """Drop a request of your own that nobody has answered: nothing is waited for any more.

    Example:
      comity consent drop r-4xq7… --reason "the exercise was cancelled" --as lee
    """
    asked = DropConsent(request=request, reason=reason, actor=Actor(actor))
    dropped: AskedForConsent = desk.act("consent.drop", asked, key)
    desk.show(dropped, lambda out, _: _tell_dropped(out, dropped, desk))


@consent.command()
@click.argument("consent")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded and crosses.")
@acting
@housed
def withdraw(desk: Desk, consent: str, reason: str, actor: str, key: Path | None) -> None:
    """Take a consent back, from now on; what was done under it stays as it was.

    Example:
      comity consent withdraw c-2m4p… --reason "the exercise is over" --as abe
    """
    asked = WithdrawConsent(consent=consent, reason=reason, actor=Actor(actor))
    shown: ConsentShown = desk.act("consent.withdraw", asked, key)
    desk.show(shown, lambda out, _: _tell_consent(out, "withdrew ", shown, desk))


@consent.command("list")
@relationship
@click.option("--as", "actor", metavar="HANDLE", help="As this person may see them; else as the house.")
@housed
def list_command(desk: Desk, relationship: str | None, actor: str | None) -> None:
    """See what was asked and what was answered, what holds, what ended, and what is met with silence.

    Example:
      comity consent list
    """
    request = ListConsents(relationship=relationship, actor=Actor(actor) if actor else None)
    desk.show(desk.call("consent.list", request), _tell_consents)


def _end(day: str) -> datetime:
    """(9) A day means until it is over."""
    return read_instant(day, "UTC", end=True).at


def _about(row: ConsentRow | ConsentLine) -> str:
    if row.item is not None:
        return row.item
    parts = [("topic", row.topic), ("subject", row.subject), ("mark", ", ".join(row.marks))]
    return "every item of " + ", ".join(f"{name} {value}" for name, value in parts if value)


def _tell_asked(out: Output, asked: AskedForConsent, desk: Desk, what: str) -> None:
    out.line(("asked ", "good"), asked.originator, f" for its consent: {asked.request}")
    out.fields(
        [
            (what, asked.item),
            ("acts", ", ".join(asked.acts)),
            ("for", ", ".join(asked.beneficiaries)),
            ("needed by", ", ".join(map(article, asked.clauses))),
        ]
    )
    out.text("Until it answers nothing of this may be done; silence is no consent.")
    out.next(("comity consent list", "whether it has answered"), *desk.sending())


def _tell_dropped(out: Output, dropped: AskedForConsent, desk: Desk) -> None:
    out.line(("dropped ", "warn"), dropped.request)
    out.fields([("item", dropped.item), ("acts", ", ".join(dropped.acts)), ("for", ", ".join(dropped.beneficiaries))])
    out.next(("comity consent list", "what else is asked"), *desk.sending())


def _tell_consent(out: Output, word: str, shown: ConsentShown, desk: Desk) -> None:
    row = shown.row
    out.line((word, "good" if word.startswith("granted") else "warn"), shown.consent)
    out.fields(
        [
            ("about", _about(row)),
            ("acts", ", ".join(row.acts)),
            ("for", ", ".join(row.beneficiaries)),
            ("purpose", row.purpose),
            ("until", told_instant(row.until) if row.until else ""),
            *(("condition", each) for each in row.conditions),
            ("withdrawn", told_instant(row.withdrawn) if row.withdrawn else ""),
        ]
    )
    out.next(("comity consent list", "what holds, and what is asked"), *desk.sending())


def _tell_consents(out: Output, shown: ConsentsShown) -> None:
    for title, ours in (("asked of us", False), ("asked by us", True)):
        out.line((title, "strong"))
        found = [each for each in shown.asked if each.ours == ours]
        if not found:
            out.line("nothing", indent=2)
        for each in found:
            _tell_request(out, each)
        out.gap()
    for title, ours in (("consents of ours", True), ("consents given to us", False)):
        out.line((title, "strong"))
        lines = [each for each in shown.consents if each.ours == ours]
        if not lines:
            out.line("nothing", indent=2)
        for line in lines:
            _tell_line(out, line)
        if ours:
            out.gap()
    waiting = next((each for each in shown.asked if not each.ours and each.answer == "silent"), None)
    if waiting is not None:
        out.next(
            (f"comity consent grant {waiting.request} --reason WHY --as HANDLE", "a release authority answers"),
            (f"comity consent refuse {waiting.request} --reason WHY --as HANDLE", "or refuses"),
        )


def _tell_request(out: Output, asked: AskedShown) -> None:
    days = f"{asked.days} day{'' if asked.days == 1 else 's'} ago" if asked.days else "today"
    said = {
        "silent": f"asked {days}, no answer",
        "lapsed": f"asked {days}, lapsed without an answer",
    }.get(asked.answer, asked.answer)
    out.line((asked.request, "strong"), "  ", (said, _STYLES[asked.answer]), indent=2)
    out.fields(
        [
            ("item" if asked.topic is None else "feed", f"{asked.item} ({asked.mark})"),
            ("topic", asked.topic or ""),
            ("acts", ", ".join(asked.acts)),
            ("for", f"{', '.join(asked.beneficiaries)} ({asked.beneficiary_kind})"),
            ("purpose", asked.purpose),
            ("reason", asked.reason),
            ("asked by", f"{asked.by}, {told_instant(asked.at)}"),
            ("until", told_instant(asked.until)),
            ("answer by", told_instant(asked.answer_by) if asked.answer_by else ""),
            ("answer", asked.consent or ""),
        ],
        indent=4,
    )


def _tell_line(out: Output, line: ConsentLine) -> None:
    out.line((line.consent, "strong"), "  ", (line.standing, _STYLES[line.standing]), indent=2)
    out.fields(
        [
            ("about", _about(line)),
            ("acts", ", ".join(line.acts)),
            ("for", ", ".join(line.beneficiaries)),
            ("purpose", line.purpose),
            ("until", told_instant(line.until) if line.until else ""),
            *(("condition", each) for each in line.conditions),
            ("reason", line.reason),
            (
                "withdrawn",
                f"{told_instant(line.withdrawn)}: {line.withdrawal_reason}" if line.withdrawn is not None else "",
            ),
        ],
        indent=4,
    )
