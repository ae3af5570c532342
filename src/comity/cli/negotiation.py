"""``comity negotiation``: a text that two houses negotiate, initial, approve at home and sign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli.comparing import language_option, tell_difference
from comity.cli.files import read_file, write_new_file
from comity.cli.instants import told_instant
from comity.cli.options import Desk, Verbs, acting, ask_first, final, housed
from comity.cli.output import Output
from comity.cli.session import fresh_name
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.negotiating import (
    ApproveDraft,
    ChannelShown,
    InitialDraft,
    NameDelegates,
    OpenChannel,
    OpenNegotiation,
    PostponeSignature,
    ProposeDraft,
    SignDraft,
    TellEntry,
    WithdrawNegotiation,
)
from comity.flows.agreeing.negotiations import (
    DraftRead,
    DraftShown,
    HappenedShown,
    ListNegotiations,
    NegotiationShown,
    ReadDraft,
    ShowNegotiation,
)

if TYPE_CHECKING:
    from comity.agreement.model import Agreement, Layer

TEXT_BYTES_MAX = 1024 * 1024
"""Longest text of a draft, and of a note."""
STYLES = {"signed": "good", "withdrawn": "bad"}
DID = {
    "draft": "proposed {}",
    "initials": "initialled {}",
    "approval": "approved {} at home",
    "signature": "signed {}",
    "exchange": "knows of both signatures",
    "postponement": "put the signature off",
    "withdrawal": "withdrew",
    "entry-note": "gave its note for entry into force",
}
"""What a side did with a draft, in words."""
named = click.argument("negotiation", metavar="NEGOTIATION")
looking = click.option("--as", "actor", required=True, metavar="HANDLE", help="Who looks: one who takes part.")
delegated = click.option(
    "--delegate", "delegates", multiple=True, metavar="HANDLE", help="Who takes part besides you; repeat it."
)


@click.group(cls=Verbs)
def negotiation() -> None:
    """Negotiate a text with another house: a new agreement, an amendment, an arrangement (Articles 5 and 21).

    Only those who are named take part, and only they learn that there is a negotiation. What you sign with pen and ink
    is what counts; here it is said that you did. Nobody is bound before both have signed and each knows of it.
    """


@negotiation.command()
@click.option("--with", "peer", required=True, metavar="PARTY", help="Party id of a house whose card you have.")
@housed
def channel(desk: Desk, peer: str) -> None:
    """Open the channel with another house, so that what it says there is taken up here.

    Example:
      comity negotiation channel --with kr
    """

    def tell(out: Output, shown: ChannelShown) -> None:
        out.line(("opened ", "good"), f"the channel {shown.relationship}")
        out.next(
            ("comity negotiation open --help", "begin"), (f"comity pouch export {shown.relationship} --out FILE", "")
        )

    desk.show(desk.call("negotiation.channel", OpenChannel(peer)), tell)


@negotiation.command("open")
@click.option("--with", "peer", required=True, metavar="PARTY", help="With whom.")
@click.option("--title", required=True, metavar="TEXT", help="What it is called.")
@click.option(
    "--about",
    type=click.Choice(["agreement", "amendment", "exchange-of-notes", "arrangement"]),
    default="agreement",
    show_default=True,
    help="What is negotiated.",
)
@click.option("--on", metavar="RELATIONSHIP", help="The running agreement that it is about; of a new one, none.")
@delegated
@acting
@housed
def open_command(
    desk: Desk,
    peer: str,
    title: str,
    about: Any,
    on: str | None,
    delegates: tuple[str, ...],
    actor: str,
    key: Path | None,
) -> None:
    """Open a negotiation, and say who takes part for this side; an agreement authority signs it.

    Example:
      comity negotiation open --with kr --title "Protection of information" --delegate sato --as oda
    """
    request = OpenNegotiation(
        peer=peer,
        about=about,
        title=title,
        on=on,
        delegates=delegates,
        actor=Actor(actor),
        negotiation=fresh_name("g", key),
    )
    _act(desk, "negotiation.open", request, key, "opened ")


@negotiation.command()
@named
@delegated
@acting
@housed
def delegates(desk: Desk, negotiation: str, delegates: tuple[str, ...], actor: str, key: Path | None) -> None:
    """Say who takes part for this side besides you, instead of those named before.

    Example:
      comity negotiation delegates g-7k3m… --delegate han --as mun
    """
    request = NameDelegates(negotiation=negotiation, delegates=delegates, actor=Actor(actor))
    _act(desk, "negotiation.delegates", request, key, "named the delegates of ")


@negotiation.command()
@named
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "since", metavar="DAY", help="The day from which it is to apply; else once both have signed.")
@click.option("--note", default="", metavar="TEXT", help="What there is to say about it.")
@acting
@housed
def propose(
    desk: Desk, negotiation: str, file: Path, since: str | None, note: str, actor: str, key: Path | None
) -> None:
    """Propose a draft: it is checked, and sealed to the delegates of both sides.

    Example:
      comity negotiation propose g-7k3m… draft.toml --note "with your wording of Article 6" --as sato
    """
    try:
        text = read_file(file, TEXT_BYTES_MAX).decode()
    except UnicodeDecodeError:
        raise Misuse(f"{str(file)!r} is no text in UTF-8", code="not-text") from None
    request = ProposeDraft(
        negotiation=negotiation, text=text, name=file.name, since=since, note=note, actor=Actor(actor)
    )
    _act(desk, "negotiation.propose", request, key, "proposed a draft in ")


@negotiation.command()
@named
@click.argument("draft", required=False)
@click.option("--out", "path", type=click.Path(path_type=Path), help="A new file for the text; else it is printed.")
@acting
@housed
def read(desk: Desk, negotiation: str, draft: str | None, path: Path | None, actor: str, key: Path | None) -> None:
    """Read a draft; the newest where none is named.

    Example:
      comity negotiation read g-7k3m… kr-2 --out kr-2.toml --as sato
    """
    found, text = _read(desk, negotiation, draft, actor, key)
    if path is not None:
        write_new_file(path, text.encode())

    def tell(out: Output, _: object) -> None:
        if path is None:
            for line in text.splitlines():
                out.line(line)
            return
        out.line(("read ", "good"), f"{found.draft} into {path}")
        out.next(
            (f"comity agreement explain {path}", "as a readable text"),
            (f"comity negotiation initial {negotiation} {found.draft} --as {actor}", "if this is what was negotiated"),
        )

    desk.show({"draft": found.draft, "digest": found.digest, "text": text}, tell)


@negotiation.command("diff")
@named
@click.argument("first", required=False)
@click.argument("second", required=False)
@click.option("--all", "everything", is_flag=True, help="Also the parameters in which they do not differ.")
@language_option
@acting
@housed
def diff_command(
    desk: Desk,
    negotiation: str,
    first: str | None,
    second: str | None,
    everything: bool,
    language: Any,
    actor: str,
    key: Path | None,
) -> None:
    """Compare two drafts; the newest with the one before it, or with the text that runs, where none is named.

    Example:
      comity negotiation diff g-7k3m… jp-1 kr-2 --as sato
    """
    from comity.explanation.difference import difference

    shown = desk.call("negotiation.show", ShowNegotiation(negotiation, Actor(actor)))
    readable = [each.draft for each in shown.drafts if each.readable]
    if first is not None and second is None:
        first, second = None, first
    second = second or (readable[-1] if readable else None)
    before = readable[: readable.index(second)] if second in readable else []
    first = first or (before[-1] if before else None)
    newer, text = _read(desk, negotiation, second, actor, key)
    if first is not None:
        older, earlier = _read(desk, negotiation, first, actor, key)
        compared = difference(_parsed(older, earlier), _parsed(newer, text), language)
    elif newer.base:
        compared = difference(_parsed(newer, newer.base, layered=False), _parsed(newer, text), language)
    else:
        raise Misuse("there is nothing to compare it with yet", code="unknown-draft")
    desk.show(compared, lambda out, found: tell_difference(out, found, everything=everything))


@negotiation.command()
@named
@click.argument("draft")
@acting
@housed
def initial(desk: Desk, negotiation: str, draft: str, actor: str, key: Path | None) -> None:
    """Put this side's initials under a draft: this is the text that was negotiated. It is read and checked first.

    Example:
      comity negotiation initial g-7k3m… kr-2 --as sato
    """
    if key is not None:  # the node cannot read it for whoever keeps his own key
        _read(desk, negotiation, draft, actor, key)
    request = InitialDraft(negotiation=negotiation, draft=draft, actor=Actor(actor))
    _act(desk, "negotiation.initial", request, key, "initialled in ")


@negotiation.command()
@named
@click.option("--body", required=True, metavar="NAME", help="Who approved it at home; this stays in the house.")
@click.option("--act", required=True, metavar="TEXT", help="By which act; this stays in the house.")
@click.option("--day", required=True, metavar="DAY", help="On which day, 2026-11-21; this is told.")
@acting
@housed
def approve(desk: Desk, negotiation: str, body: str, act: str, day: str, actor: str, key: Path | None) -> None:
    """Record that the initialled text was approved at home, and tell the other side that it was.

    Example:
      comity negotiation approve g-7k3m… --body Cabinet --act "decision 17" --day 2026-11-20 --as oda
    """
    request = ApproveDraft(negotiation=negotiation, body=body, act=act, day=day, actor=Actor(actor))
    _act(desk, "negotiation.approve", request, key, "approved in ")


@negotiation.command()
@named
@final
@acting
@housed
def sign(desk: Desk, negotiation: str, yes: bool, actor: str, key: Path | None) -> None:
    """Say that this side has signed the approved text. It binds once both have signed and each knows of it.

    Example:
      comity negotiation sign g-7k3m… --as oda
    """
    ask_first(f"The text of {negotiation} is signed for this side.", yes=yes)
    request = SignDraft(negotiation=negotiation, actor=Actor(actor))
    _act(desk, "negotiation.sign", request, key, "signed in ")


@negotiation.command()
@named
@click.option("--reason", required=True, metavar="TEXT", help="Why; the other side is told.")
@click.option("--until", metavar="DAY", help="Until which day, where one is known.")
@acting
@housed
def postpone(desk: Desk, negotiation: str, reason: str, until: str | None, actor: str, key: Path | None) -> None:
    """Put the signature off: no signature that is there counts, and the text stays approved.

    Example:
      comity negotiation postpone g-7k3m… --reason "the Assembly is to be heard first" --as mun
    """
    request = PostponeSignature(negotiation=negotiation, reason=reason, until=until, actor=Actor(actor))
    _act(desk, "negotiation.postpone", request, key, "put off the signature in ")


@negotiation.command()
@named
@click.option("--reason", required=True, metavar="TEXT", help="Why; the other side is told.")
@final
@acting
@housed
def withdraw(desk: Desk, negotiation: str, reason: str, yes: bool, actor: str, key: Path | None) -> None:
    """Withdraw from a negotiation: nothing that was initialled, approved or signed counts any more.

    Example:
      comity negotiation withdraw g-7k3m… --reason "no majority for it" --as mun
    """
    ask_first(f"The negotiation {negotiation} ends for both sides.", yes=yes)
    request = WithdrawNegotiation(negotiation=negotiation, reason=reason, actor=Actor(actor))
    _act(desk, "negotiation.withdraw", request, key, "withdrew from ")


@negotiation.command()
@named
@click.option("--note", required=True, metavar="ID", help="The note's reference.")
@click.option("--day", required=True, metavar="DAY", help="The day on which it was given.")
@click.option("--channel", default="diplomatic", show_default=True, metavar="NAME", help="Through which channel.")
@click.option("--document", type=click.Path(path_type=Path), help="The note itself: its digest is told.")
@acting
@housed
def entry(
    desk: Desk,
    negotiation: str,
    note: str,
    day: str,
    channel: str,
    document: Path | None,
    actor: str,
    key: Path | None,
) -> None:
    """Say that this side gave its note for entry into force; when it enters follows from the text's own rule.

    Example:
      comity negotiation entry g-7k3m… --note "NV 7/2016" --day 2016-11-23 --as oda
    """
    from hashlib import sha256

    digest = sha256(read_file(document, TEXT_BYTES_MAX)).digest() if document is not None else None
    request = TellEntry(
        negotiation=negotiation, channel=channel, note=note, day=day, document=digest, actor=Actor(actor)
    )
    _act(desk, "negotiation.entry", request, key, "noted for entry into force in ")


@negotiation.command()
@named
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="A new file.")
@acting
@housed
def history(desk: Desk, negotiation: str, path: Path, actor: str, key: Path | None) -> None:
    """Write down how a signed text came about, as the beginning of its history file.

    Example:
      comity negotiation history g-7k3m… --out new.history.toml --as oda
    """
    from comity.agreement.recounted import Told, recounted
    from comity.timezones import time_zones

    shown: NegotiationShown = desk.call("negotiation.show", ShowNegotiation(negotiation, Actor(actor)))
    found, text = _read(desk, negotiation, shown.draft or None, actor, key)
    agreement, _ = _parsed(found, text)
    told = [Told(each.did, each.party, each.at, each.day, _words(each)) for each in shown.happened]
    written = recounted(agreement, told, shown.signed, time_zones())
    write_new_file(path, written.encode())

    def tell(out: Output, _: object) -> None:
        out.line(("written ", "good"), str(path))
        out.next((f"comity agreement check FILE --history {path}", "with the text beside it"))

    desk.show({"file": str(path), "history": written}, tell)


@negotiation.command("list")
@looking
@housed
def list_command(desk: Desk, actor: str) -> None:
    """List the negotiations in which you take part.

    Example:
      comity negotiation list --as oda
    """
    desk.show(desk.call("negotiation.list", ListNegotiations(Actor(actor))), _tell_list)


@negotiation.command()
@named
@looking
@housed
def show(desk: Desk, negotiation: str, actor: str) -> None:
    """Show a negotiation: its drafts, and what each side has done.

    Example:
      comity negotiation show g-7k3m… --as oda
    """
    shown: NegotiationShown = desk.call("negotiation.show", ShowNegotiation(negotiation, Actor(actor)))
    desk.show(shown, lambda out, found: _tell(out, found, desk, actor))


def _act(desk: Desk, flow: str, request: Any, key: Path | None, did: str) -> None:
    shown = desk.act(flow, request, key)

    def tell(out: Output, found: NegotiationShown) -> None:
        out.line((did, "good"), found.negotiation)
        _tell(out, found, desk, request.actor.handle)

    desk.show(shown, tell)


def _read(desk: Desk, negotiation: str, draft: str | None, actor: str, key: Path | None) -> tuple[DraftRead, str]:
    """A draft and its text; opened here for whoever keeps his own key."""
    request = ReadDraft(negotiation=negotiation, draft=draft, actor=Actor(actor))
    found: DraftRead = desk.call("negotiation.read", request)
    if found.text is not None:
        return found, found.text
    if key is None:
        raise Misuse(f"{actor!r} keeps his own keys; name them with --key", code="no-key")
    from comity.cli.person_keys import read_person_keys
    from comity.seal.age import Sealed, open_header
    from comity.seal.items import unpack
    from comity.seal.payload import open_payload_bytes

    sealed = Sealed.split(found.sealed)
    file_key = open_header(sealed.header, read_person_keys(key).identities)
    return found, unpack(open_payload_bytes(file_key, sealed.payload), found.binding).content.decode()


def _parsed(found: DraftRead, text: str, *, layered: bool = True) -> tuple[Agreement, tuple[Layer, ...]]:
    from comity.agreement.load import parse_agreement, parse_layer

    name = f"{found.draft}.toml"
    if found.about not in ("exchange-of-notes", "arrangement"):
        return parse_agreement(text, name), ()
    base = parse_agreement(found.base, "the running agreement")
    return base, (parse_layer(text, name, base),) if layered else ()


def _tell_list(out: Output, found: list[NegotiationShown]) -> None:
    if not found:
        out.line("you take part in no negotiation")
        return
    out.table(
        ("negotiation", "with", "about", "title", ""),
        [(each.negotiation, each.peer, each.about, each.title, _state(each)) for each in found],
    )


def _state(shown: NegotiationShown) -> str:
    if shown.state == "approved" and shown.postponed:
        return "approved, signature put off"
    if shown.state == "approved" and shown.signed:
        return "signed by one side" if len(shown.signed) == 1 else "signed by both; it binds once each knows"
    return shown.state


def _tell(out: Output, shown: NegotiationShown, desk: Desk, actor: str) -> None:
    style: Any = STYLES.get(shown.state, "warn")
    out.line((shown.negotiation, "strong"), f"  {shown.about}: {shown.title}  ", (_state(shown), style))
    people = [f"{each.name} ({each.party})" for each in shown.delegates]
    out.fields(
        [
            ("with", shown.peer),
            ("on", shown.on),
            ("take part", ", ".join(people)),
            ("text", shown.draft),
            ("approved by", ", ".join(shown.approved)),
            ("signed by", ", ".join(shown.signed)),
            ("applies from", told_instant(shown.applies) if shown.applies else ""),
            *[("note for entry", f"{party}, {day}") for party, day in sorted(shown.entered.items())],
        ]
    )
    for draft in shown.drafts:
        _tell_draft(out, draft)
    for each in shown.happened:
        if each.did != "draft":
            _tell_happened(out, each)
    out.next(*_ahead(shown, desk.session.party, actor), *desk.sending())


def _tell_draft(out: Output, draft: DraftShown) -> None:
    out.line((draft.draft, "strong"), f"  {draft.agreement}, version {draft.version}", indent=2)
    out.fields(
        [
            ("digest", draft.digest),
            ("proposed", told_instant(draft.at)),
            ("is to apply", f"from {told_instant(draft.applies)}" if draft.applies else ""),
            ("initialled by", ", ".join(draft.initialled)),
            ("note", draft.note),
            ("", "" if draft.readable else "proposed before you took part; it is not sealed to you"),
        ],
        indent=4,
    )


def _tell_happened(out: Output, each: HappenedShown) -> None:
    day = f" ({each.day})" if each.day else ""
    out.text(f"{told_instant(each.at)}  {_words(each)}{day}", indent=2)


def _words(each: HappenedShown) -> str:
    what = f"{each.party} {DID[each.did].format(each.draft)}"
    return f"{what}: {each.says}" if each.says else what


def _ahead(shown: NegotiationShown, party: str, actor: str) -> list[tuple[str, str]]:
    """What this side can do next."""
    start = "comity negotiation"
    if shown.waits:
        return [(f"{start} delegates {shown.negotiation} --delegate HANDLE --as {actor}", "say who takes part here")]
    if shown.state == "negotiated":
        theirs = [each.draft for each in shown.drafts if each.party != party]
        reading = (
            [(f"{start} read {shown.negotiation} {theirs[-1]} --as {actor}", "what they propose")] if theirs else []
        )
        return [*reading, (f"{start} propose {shown.negotiation} FILE --as {actor}", "a draft of yours")]
    if shown.state == "initialled" and party not in shown.approved:
        return [(f"{start} approve {shown.negotiation} --help", "once it is approved at home")]
    if shown.state == "approved" and party not in shown.signed:
        return [(f"{start} sign {shown.negotiation} --as {actor}", "once it is signed with pen and ink")]
    if shown.state == "signed":
        return [
            (f"{start} read {shown.negotiation} {shown.draft} --out FILE --as {actor}", "the signed text"),
            (f"comity agreement adopt FILE --with {shown.peer}", "run it, from its day on"),
        ]
    return []
