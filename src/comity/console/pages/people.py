"""People: who there is, what each may read until when, and what each needs to know (Articles 6(e), 7).

Sites and systems are in ``sites.py``. What is changed about people is signed by somebody else than the person.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, cast

from starlette.responses import Response

from comity.console.acts import Act, Done, Ready
from comity.console.decided import directory
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages import persons
from comity.console.pages.persons import about_person, handle_of, people_seen, person_seen, ready_reason, told_of
from comity.console.signing import new_name
from comity.console.visit import Entry, Visit
from comity.console.words import ROLES
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.forgetting import ForgetName
from comity.flows.people.leaving import ChangePerson, RemovePerson
from comity.flows.people.new_keys import RotatePersonKey
from comity.flows.people.person_views import ListClearances, PersonShown
from comity.register.roles import SECURITY_OFFICER

SOON = timedelta(days=90)
"""A clearance that ends within this is shown before all others."""
LISTED_MAX = 500
SIGNING_KEY_BYTES = 32


async def listed(visit: Visit) -> Response:
    """The people of this house, those first whose clearance ends soon."""
    now = visit.desk.clock.now()
    people = await people_seen(visit)
    cleared: list[PersonShown] = await visit.ask("clearance.list", ListClearances(before=now + SOON, actor=visit.actor))
    topics: dict[str, list[PersonShown]] = {}
    for each in people:
        for topic in each.topics:
            topics.setdefault(topic, []).append(each)
    return visit.show(
        "people/list.html",
        people=people[:LISTED_MAX],
        more=max(0, len(people) - LISTED_MAX),
        ending=cleared[:LISTED_MAX],
        topics=sorted(topics.items()),
        now=now,
        roles=ROLES,
        may_enrol=visit.has(SECURITY_OFFICER),
    )


async def functions_listed(visit: Visit) -> Response:
    """The functions of all parties that can receive and sign."""
    return visit.show("people/directory.html", entries=await directory(visit), roles=ROLES)


async def one(visit: Visit) -> Response:
    """One person, and what can be changed about him."""
    person = await person_seen(visit)
    return visit.show(
        "people/one.html",
        each=person,
        now=visit.desk.clock.now(),
        roles=ROLES,
        may_change=visit.has(SECURITY_OFFICER) and not person.removed,
        himself=person.handle == visit.actor.handle,
    )


# ---- enrolling ------------------------------------------------------------------------------------------------------


def _fields(visit: Visit, person: PersonShown | None = None) -> tuple[Field, ...]:
    """What is recorded about a person; as it is, where he is known."""
    say = visit.words
    party = visit.desk.house.party
    return (
        Field(
            name="function",
            label=say("Function"),
            hint=say("The function held, as the other party will see it."),
            value=person.function if person else "",
        ),
        Field(name="body", label=say("Office or firm"), value=person.body if person else ""),
        Field(
            name="nationality",
            label=say("Nationality"),
            hint=say("Identifier of the state, such as kr."),
            value=person.nationality if person else party,
        ),
        Field(name="serves", label=say("Whom the person serves"), value=person.serves if person else party),
        Field(
            name="roles",
            label=say("Roles"),
            kind="many",
            options=tuple((role, say(told)) for role, told in ROLES.items()),
            value="\n".join(person.roles) if person else "reader",
        ),
        Field(
            name="firm",
            label=say("A contractor's site"),
            hint=say("Its identifier; the person is then no government employee."),
            needed=False,
            value=(person.firm or "") if person else "",
        ),
    )


def _key_fields(visit: Visit) -> tuple[Field, ...]:
    say = visit.words
    return (
        Field(
            name="recipient",
            label=say("Public key to open with"),
            kind="area",
            hint=say("The age recipient of somebody who keeps his own keys; 'comity keygen --person' prints it."),
            needed=False,
        ),
        Field(
            name="signing_key",
            label=say("Public key to sign with"),
            hint=say("64 hexadecimal digits, as 'comity keygen --person' prints it after 'signs as'."),
            needed=False,
        ),
    )


def _keys(visit: Visit, typed: Typed) -> tuple[str | None, bytes | None]:
    """The public keys that were typed.

    Raises:
        Misuse: the one to sign with is none.
    """
    recipient = "".join(typed.text("recipient").split()) or None
    written = typed.text("signing_key")
    if not written:
        return recipient, None
    try:
        key = bytes.fromhex(written)
    except ValueError:
        key = b""
    if len(key) != SIGNING_KEY_BYTES:
        raise Misuse(
            visit.words("a public key to sign with is 64 hexadecimal digits"), code="bad-key", place="signing_key"
        )
    return recipient, key


async def _ready_enrol(visit: Visit) -> Ready:
    say = visit.words
    return Ready(
        back="/people",
        fields=(
            Field(name="handle", label=say("Handle"), hint=say("A short word by which this house calls the person.")),
            Field(name="name", label=say("Name"), hint=say("It stays in this house, and can be erased.")),
            *_fields(visit),
            Field(
                name="custody",
                label=say("Who keeps his keys"),
                kind="choice",
                options=(
                    ("served", say("this node, which opens and signs for him while he is signed in")),
                    ("strict", say("he himself, on his own machine or token")),
                ),
                value="served",
            ),
            *_key_fields(visit),
        ),
    )


def _enrol(visit: Visit, typed: Typed, actor: Actor) -> EnrolPerson:
    recipient, key = _keys(visit, typed)
    firm = typed.maybe("firm")
    return EnrolPerson(
        handle=typed.text("handle"),
        name=typed.text("name"),
        function=typed.text("function"),
        body=typed.text("body"),
        nationality=typed.text("nationality"),
        serves=typed.text("serves"),
        actor=actor,
        roles=typed.several("roles"),
        employer="contractor" if firm else "government",
        firm=firm,
        custody=cast("Literal['strict', 'served']", typed.text("custody")),
        recipient=recipient,
        signing_key=key,
        person=new_name("p", visit.person.custody, typed.fresh),
    )


ENROL = Act(
    path="/people/enrol",
    flow="person.enrol",
    title=N_("Enrol a person"),
    lead=N_("Make somebody a person of this house; you sign it as the second one."),
    button=N_("Enrol"),
    ready=_ready_enrol,
    request=_enrol,
    done=told_of(N_("Enrolled: %(handle)s. Grant a clearance and put him on the lists he needs.")),
    follows=(
        N_("Every other party is told of the function, never of the name."),
        N_("Without a clearance and a list nothing is open to the person."),
    ),
    command="comity person add HANDLE --name NAME … --as {handle} --key FILE",
)


# ---- changing -------------------------------------------------------------------------------------------------------


async def _ready_change(visit: Visit) -> Ready:
    say, person = visit.words, await person_seen(visit)
    fields = (
        Field(name="new_handle", label=say("New handle"), needed=False),
        Field(name="name", label=say("New name"), hint=say("It stays in this house."), needed=False),
        *_fields(visit, person),
    )
    return await about_person(visit, *fields, *(_key_fields(visit) if person.custody == "strict" else ()))


def _change(visit: Visit, typed: Typed, actor: Actor) -> ChangePerson:
    recipient, key = _keys(visit, typed)
    return ChangePerson(
        handle=handle_of(visit),
        actor=actor,
        new_handle=typed.maybe("new_handle"),
        name=typed.maybe("name"),
        function=typed.text("function"),
        body=typed.text("body"),
        nationality=typed.text("nationality"),
        serves=typed.text("serves"),
        roles=typed.several("roles"),
        firm=typed.text("firm"),
        recipient=recipient,
        signing_key=key,
    )


CHANGE = Act(
    path="/people/{person}/change",
    flow="person.change",
    title=N_("Change a person's entry"),
    lead=N_("Correct or change what is recorded about a person; every directory is told what it may know of it."),
    button=N_("Change it"),
    ready=_ready_change,
    request=_change,
    done=told_of(N_("Changed: %(handle)s.")),
    command="comity person change HANDLE … --as {handle} --key FILE",
)


async def _ready_nothing(visit: Visit) -> Ready:
    return await about_person(visit)


REMOVE = Act(
    path="/people/{person}/leave",
    flow="person.remove",
    title=N_("The person has left"),
    lead=N_("Remove somebody who has left: nothing is open to him any more; what he did stays recorded."),
    button=N_("Remove the person"),
    ready=ready_reason,
    request=lambda visit, typed, actor: RemovePerson(handle=handle_of(visit), reason=typed.text("reason"), actor=actor),
    done=lambda visit, _told: Done(path="/people", told=visit.words("Removed. The handle is erased.")),
    follows=(
        N_("The handle is erased at once, and the name with it, unless a rule has it kept for a time."),
        N_("Every other party is told that the function receives nothing more."),
    ),
    final=True,
    command="comity person remove HANDLE --reason TEXT --as {handle} --key FILE",
)
FORGET = Act(
    path="/people/{person}/forget",
    flow="person.forget",
    title=N_("Forget the name"),
    lead=N_("Erase the name and the handle of somebody who stays; from then on an identifier stands for him."),
    button=N_("Erase the name"),
    ready=_ready_nothing,
    request=lambda visit, _typed, actor: ForgetName(handle=handle_of(visit), actor=actor),
    done=lambda visit, person: Done(path=f"/people/{person.person}", told=visit.words("The name is erased.")),
    follows=(N_("Records never held it, so nothing is recorded; nobody here can say the name again."),),
    final=True,
    command="comity person forget HANDLE --as {handle} --key FILE",
)
ROTATE = Act(
    path="/people/{person}/key",
    flow="person.rotate",
    title=N_("Give a new signing key"),
    lead=N_("Replace the signing key that the node keeps for a person; what he signed before stands."),
    button=N_("Replace it"),
    ready=_ready_nothing,
    request=lambda visit, _typed, actor: RotatePersonKey(handle=handle_of(visit), actor=actor),
    done=told_of(N_("A new signing key is in use: %(handle)s.")),
    follows=(N_("Every other party is told of the new key, and the old one is destroyed."),),
    final=True,
    command="comity person rotate HANDLE --as {handle} --key FILE",
)


ROUTES = (
    Entry("/people", listed),
    Entry("/people/directory", functions_listed),
    ENROL.entry,
    *persons.ROUTES,
    Entry("/people/{person}", one),
    *(each.entry for each in (CHANGE, REMOVE, FORGET, ROTATE)),
)
