"""``comity person``, ``clearance``, ``list``, ``directory``: who may do and read what."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from comity.cli.instants import read_instant, read_period, told_instant
from comity.cli.options import Desk, Verb, Verbs, acting, as_actor, ask_first, final, housed, seeing
from comity.cli.output import Output
from comity.cli.session import fresh_name
from comity.flows.actors import Actor
from comity.flows.people.clearances import ChangeList, GrantClearance, WithdrawClearance
from comity.flows.people.directory import DirectoryShown, ListDirectory
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.forgetting import ForgetName
from comity.flows.people.leaving import ChangePerson, RemovePerson
from comity.flows.people.new_keys import RotatePersonKey
from comity.flows.people.person_views import ListClearances, ListPeople, PersonShown
from comity.register.roles import ROLES


@click.group(cls=Verbs)
def person() -> None:
    """Enrol people: who they are, whom they serve, what they may do.

    Rank or post opens nothing by itself. A name stays in this house; the other party sees a pseudonym and a function.
    """


@person.command()
@click.argument("handle")
@click.option("--name", required=True, help="The person's name; it stays in this house.")
@click.option("--function", required=True, help="The function held, as the other party will see it.")
@click.option("--body", required=True, help="The office or firm.")
@click.option("--nationality", required=True, metavar="ID", help="Id of the state, such as kr.")
@click.option(
    "--serves", metavar="ID", help="Whom the person serves, when that is not this party (an embedded officer)."
)
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="What the person may do; repeat it.")
@click.option("--site", metavar="FACILITY", help="A contractor's site; the person is then no government employee.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    help="Public keys of a person who keeps the secret ones (strict custody); see keygen --person.",
)
@acting
@housed
def add(
    desk: Desk,
    handle: str,
    name: str,
    function: str,
    body: str,
    nationality: str,
    serves: str | None,
    roles: tuple[str, ...],
    site: str | None,
    keys: Path | None,
    actor: str,
    key: Path | None,
) -> None:
    r"""Enrol a person; a second signer (a security officer, or root) does it.

    HANDLE is a short word by which this house calls the person. What the roles are for:

    \b
      security-officer     enrols, clears, keeps lists and sites, investigates losses
      officer              asks that something be given or shown
      release-authority    approves what somebody else asked for; levels, recalls, consents
      assurance-officer    assures the other party about a recipient here
      registry             keeps the register: marks, musters, takes back what returns
      agreement-authority  speaks for this side: agreement, laws, visits, disputes, notes
      reader               receives and reads; opens nothing by itself
      auditor              verifies and exports evidence; releases nothing
      administrator        keeps the node running; sees and approves nothing

    Example:
      comity person add kim --name "Kim Min-ji" --function "Air defence desk" \
        --body "Ministry of National Defense" --nationality kr --role reader --as root
    """
    recipient, signing_key, custody = None, None, "served"
    if keys is not None:
        from comity.cli.person_keys import read_public_keys

        recipient, signing_key = read_public_keys(keys)
        custody = "strict"
    request = EnrolPerson(
        handle=handle,
        name=name,
        function=function,
        body=body,
        nationality=nationality,
        serves=serves or desk.session.party,
        roles=roles or ("reader",),
        employer="contractor" if site else "government",
        firm=site,
        custody=_custody(custody),
        recipient=recipient,
        signing_key=signing_key,
        actor=Actor(actor),
        person=fresh_name("p", key),
    )
    desk.show(desk.act("person.enrol", request, key), _tell_enrolled)


@person.command()
@click.argument("handle")
@click.option("--handle", "new_handle", metavar="HANDLE", help="What this house calls the person from now on.")
@click.option("--name", help="The person's name; it stays in this house.")
@click.option("--function", help="The function held, as the other party will see it.")
@click.option("--body", help="The office or firm.")
@click.option("--nationality", metavar="ID", help="Id of the state, such as kr.")
@click.option("--serves", metavar="ID", help="Whom the person serves.")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="All roles from now on; repeat it.")
@click.option("--site", metavar="FACILITY", help="A contractor's site.")
@click.option("--government", is_flag=True, help="No contractor's any more.")
@click.option("--keys", type=click.Path(path_type=Path), help="New public keys of somebody who keeps the secret ones.")
@acting
@housed
def change(
    desk: Desk,
    handle: str,
    new_handle: str | None,
    name: str | None,
    function: str | None,
    body: str | None,
    nationality: str | None,
    serves: str | None,
    roles: tuple[str, ...],
    site: str | None,
    keys: Path | None,
    actor: str,
    key: Path | None,
    *,
    government: bool,
) -> None:
    r"""Correct or change what is recorded about a person; what is not given stays.

    Example:
      comity person change kim --function "Air defence desk, second section" --as root
    """
    recipient, signing_key = None, None
    if keys is not None:
        from comity.cli.person_keys import read_public_keys

        recipient, signing_key = read_public_keys(keys)
    if government and site:
        raise click.UsageError("a person is a contractor's at a site, or --government")
    request = ChangePerson(
        handle=handle,
        actor=Actor(actor),
        new_handle=new_handle,
        name=name,
        function=function,
        body=body,
        nationality=nationality,
        serves=serves,
        roles=roles or None,
        firm="" if government else site,
        recipient=recipient,
        signing_key=signing_key,
    )
    desk.show(desk.act("person.change", request, key), _tell_person)


@person.command()
@click.argument("handle")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded.")
@final
@acting
@housed
def remove(desk: Desk, handle: str, reason: str, actor: str, key: Path | None, *, yes: bool) -> None:
    """Remove a person who has left: nothing is open to him, his name is erased, what he did stays recorded.

    Example:
      comity person remove kim --reason "left the office" --as root
    """
    ask_first(f"{handle} is removed, and the name is erased.", yes=yes)
    request = RemovePerson(handle=handle, reason=reason, actor=Actor(actor))
    desk.show(desk.act("person.remove", request, key), _tell_person)


@person.command()
@click.argument("handle")
@final
@acting
@housed
def forget(desk: Desk, handle: str, actor: str, key: Path | None, *, yes: bool) -> None:
    """Erase the name and the handle of somebody who stays: from then on he is called by his identifier.

    Records never held them, so nothing is recorded. 'comity person change' gives him another handle.

    Example:
      comity person forget kim --as lee --yes
    """
    ask_first(f"What this house calls {handle}, and the name, are erased.", yes=yes)
    desk.show(desk.act("person.forget", ForgetName(handle=handle, actor=Actor(actor)), key), _tell_person)


@person.command()
@click.argument("handle")
@acting
@housed
def rotate(desk: Desk, handle: str, actor: str, key: Path | None) -> None:
    """Replace the signing key that the node keeps for a person, and tell every party. What he signed before stands.

    Example:
      comity person rotate kim --as lee
    """
    request = RotatePersonKey(handle=handle, actor=Actor(actor))
    desk.show(desk.act("person.rotate", request, key), _tell_person)


@person.command("list")
@seeing
@housed
def list_people(desk: Desk, actor: str | None) -> None:
    """List the people of this house.

    Example:
      comity person list
    """
    desk.show(desk.call("person.list", ListPeople(as_actor(actor))), _tell_people)


@click.group(cls=Verbs)
def clearance() -> None:
    """Grant and withdraw clearances, by the marks of your own ladder."""


@clearance.command()
@click.argument("handle")
@click.option("--mark", required=True, help="Up to which mark, exactly as on your ladder.")
@click.option("--until", required=True, metavar="DAY", help="Its last day (UTC), or an instant with its offset.")
@click.option("--basis", required=True, metavar="TEXT", help="What it rests on, such as the vetting's file number.")
@click.option(
    "--all-information",
    is_flag=True,
    help="Assure that it rests on all available information about trustworthiness and reliability.",
)
@click.option("--decided-by", default="", metavar="WHO", help="Who decided, a handle or a board; else whoever signs.")
@acting
@housed
def grant(
    desk: Desk,
    handle: str,
    mark: str,
    until: str,
    basis: str,
    decided_by: str,
    actor: str,
    key: Path | None,
    *,
    all_information: bool,
) -> None:
    r"""Grant a clearance; nobody grants his own.

    Example:
      comity clearance grant kim --mark "군사 Ⅱ급 비밀" --until 2027-11-22 --basis "vetting 81/2026" \
        --all-information --as root
    """
    request = GrantClearance(
        handle=handle,
        mark=mark,
        until=read_instant(until, "UTC", end=True).at,
        basis=basis,
        actor=Actor(actor),
        all_information=all_information,
        decided_by=decided_by,
    )
    desk.show(desk.act("clearance.grant", request, key), _tell_person)


@clearance.command()
@click.argument("handle")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is recorded.")
@acting
@housed
def withdraw(desk: Desk, handle: str, reason: str, actor: str, key: Path | None) -> None:
    """Withdraw a clearance at once, and with it what it opened; the copies to be handed over are listed.

    Example:
      comity clearance withdraw kim --reason "left the office" --as root
    """
    request = WithdrawClearance(handle=handle, reason=reason, actor=Actor(actor))
    shown: PersonShown = desk.act("clearance.withdraw", request, key)
    desk.show(shown, lambda out, told: _tell_withdrawn(out, told, desk))


@clearance.command("list")
@click.option("--expiring", metavar="PERIOD", help="Only those that end within a period, such as P30D.")
@seeing
@housed
def list_clearances(desk: Desk, expiring: str | None, actor: str | None) -> None:
    """List clearances, the one that ends first at the top, and who has copies in hand without one.

    Example:
      comity clearance list --expiring P30D
    """
    before = read_period(expiring) if expiring is not None else None
    desk.show(desk.call("clearance.list", ListClearances(before, as_actor(actor))), _tell_clearances)


@click.group("list", cls=Verbs)
def need_to_know() -> None:
    """Keep the need-to-know lists: who needs what a topic holds. Without it no clearance opens anything."""


def _change(desk: Desk, topic: str, handle: str, actor: str, key: Path | None, *, listed: bool) -> None:
    request = ChangeList(topic=topic, handle=handle, listed=listed, actor=Actor(actor))
    desk.show(desk.act("list.change", request, key), _tell_person)


@need_to_know.command("add")
@click.argument("topic")
@click.argument("handle")
@acting
@housed
def list_add(desk: Desk, topic: str, handle: str, actor: str, key: Path | None) -> None:
    """Put a person on the list of a topic.

    Example:
      comity list add missiles kim --as root
    """
    _change(desk, topic, handle, actor, key, listed=True)


@need_to_know.command("remove")
@click.argument("topic")
@click.argument("handle")
@acting
@housed
def list_remove(desk: Desk, topic: str, handle: str, actor: str, key: Path | None) -> None:
    """Take a person off the list of a topic.

    Example:
      comity list remove missiles kim --as root
    """
    _change(desk, topic, handle, actor, key, listed=False)


@click.command(cls=Verb)
@housed
def directory(desk: Desk) -> None:
    """See the functions of all parties that can receive and sign; names of people do not cross.

    Example:
      comity directory
    """
    desk.show(desk.call("directory.list", ListDirectory()), _tell_directory)


def _custody(word: str) -> Literal["strict", "served"]:
    return "strict" if word == "strict" else "served"


def _tell_enrolled(out: Output, shown: PersonShown) -> None:
    _tell_person(out, shown)
    out.next(
        (f"comity clearance grant {shown.handle} --help", "what the person may read"),
        (f"comity list add TOPIC {shown.handle} --as root", "and needs to know"),
    )


def _tell_person(out: Output, shown: PersonShown) -> None:
    employer = f"contractor at {shown.firm}" if shown.employer == "contractor" else "government"
    cleared = "none"
    if shown.clearance is not None and shown.clearance_until is not None:
        cleared = f"{shown.clearance}, until {told_instant(shown.clearance_until)}"
    out.line((shown.handle, "strong"), f"  {shown.function}, {shown.body}", "  has left" if shown.removed else "")
    out.fields(
        [
            ("roles", ", ".join(shown.roles)),
            ("clearance", cleared),
            ("decided by", shown.decided_by if shown.decided_by != shown.signed_by else ""),
            ("needs to know", ", ".join(shown.topics) or "nothing yet"),
            ("briefed on", ", ".join(shown.briefed)),
            ("posted at", shown.site or ""),
            ("employer", employer),
            ("nationality", shown.nationality),
            ("serves", shown.serves),
            ("keys", "kept by the person" if shown.custody == "strict" else "kept by the node"),
            *[(f"in {relationship}", name) for relationship, name in shown.pseudonyms.items()],
        ]
    )


def _tell_withdrawn(out: Output, shown: PersonShown, desk: Desk) -> None:
    _tell_person(out, shown)
    _tell_in_hand(out, shown)
    if sending := desk.sending():
        out.next(*sending)


def _tell_in_hand(out: Output, shown: PersonShown) -> None:
    for each in shown.to_hand_over:
        out.line(
            ("to be handed over  ", "warn"),
            f"copy {each.number} of {each.item}, {each.label.mark}, {each.state}",
            indent=2,
        )


def _tell_clearances(out: Output, people: list[PersonShown]) -> None:
    if not people:
        out.line("no clearance")
    for each in people:
        if each.clearance is not None and each.clearance_until is not None:
            out.line((each.handle, "strong"), f"  {each.clearance}, until {told_instant(each.clearance_until)}")
            out.fields(
                [("basis", each.clearance_basis), ("decided by", each.decided_by), ("signed by", each.signed_by)]
            )
        else:
            out.line((each.handle, "strong"), "  no clearance")
        _tell_in_hand(out, each)


def _tell_people(out: Output, people: list[PersonShown]) -> None:
    if not people:
        out.line("nobody is enrolled yet")
        out.next(("comity person add --help", "enrol somebody"))
    for each in people:
        _tell_person(out, each)


def _tell_directory(out: Output, entries: list[DirectoryShown]) -> None:
    if not entries:
        out.line("no function is listed yet; functions cross once an agreement runs on both sides")
        return
    for relationship in dict.fromkeys(each.relationship for each in entries):
        out.line((relationship, "strong"))
        out.table(
            ("party", "pseudonym", "function", "body", "roles", "remarks"),
            [
                (each.party, each.pseudonym, each.function, each.body, ", ".join(each.roles), _remarks(each))
                for each in entries
                if each.relationship == relationship
            ],
        )


def _remarks(entry: DirectoryShown) -> str:
    remarks = [
        "withdrawn" if entry.withdrawn else "" if entry.receives else "receives nothing more",
        f"contractor at {entry.firm}" if entry.employer == "contractor" else "",
        f"serves {entry.serves}" if entry.serves != entry.party else "",
        f"national of {entry.nationality}" if entry.nationality != entry.party else "",
        "own keys" if entry.custody == "strict" else "",
    ]
    return ", ".join(filter(None, remarks))
