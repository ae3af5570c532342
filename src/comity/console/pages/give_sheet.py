"""The form of a giving, as one agreement has it, and what is said of it as it is typed (``spec/contents.md`` 9, 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from comity.agreement.equivalence import ladder
from comity.agreement.vocabulary import Language
from comity.console.decided import directory, named, told_outcome
from comity.console.fields import Field, Typed
from comity.console.languages import N_
from comity.console.pages.register import FORMS
from comity.console.spool import Spooled
from comity.console.visit import Visit
from comity.errors import TOLD, ComityError, Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.texts import ShowTexts, TextsShown
from comity.flows.deciding.picking import Place
from comity.flows.giving.release import Give, Given
from comity.flows.house import FRESH_NAME
from comity.flows.people.directory import DirectoryShown
from comity.marking.banner import BannerLine, banner
from comity.marking.label import Label
from comity.marking.translation import NeedsChoice, translate

CUSTODY: Mapping[str, str] = {
    "served": N_("the other party's node keeps the key, so whoever controls that node could read it too"),
    "strict": N_("the key is on his own machine or token, and nowhere else"),
}
EMPLOYERS: Mapping[str, str] = {"government": N_("of the government"), "contractor": N_("of a contractor")}


class Sheet(msgspec.Struct, frozen=True):
    """The form as one agreement has it.

    Attributes:
        relationship: with whom, under which agreement.
        texts: the agreement.
        people: those of the other party to whom something may go.
        others: the same people as other agreements with that party call them, by relationship and pseudonym here.
        fields: what can be typed.
    """

    relationship: str
    texts: TextsShown
    people: tuple[DirectoryShown, ...]
    others: Mapping[str, Mapping[str, str]]
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """A field by its name."""
        return next(each for each in self.fields if each.name == name)


class Looked(msgspec.Struct, frozen=True):
    """What is said of something as it is typed.

    Attributes:
        missing: the labels of what is not there yet.
        given: what was decided; None while there is too little to decide about.
        outcome: the same in words.
        marking: the lines that will stand on it there.
        choice: the marks among which the other party will choose.
        people: who will be able to read it.
        wrong: what is mistyped.
    """

    missing: tuple[str, ...]
    given: Given | None = None
    outcome: object = None
    marking: tuple[BannerLine, ...] = ()
    choice: tuple[Label, ...] = ()
    people: tuple[DirectoryShown, ...] = ()
    wrong: object = None


async def make_sheet(visit: Visit, relationship: str) -> Sheet:
    """The form as the agreement of a relationship has it.

    Raises:
        Refused: no agreement runs there.
    """
    texts: TextsShown = await visit.ask("agreement.texts", ShowTexts(relationship=relationship))
    listed = await directory(visit)
    own = visit.desk.house.party
    open_to = [each for each in listed if each.party not in ("", own) and each.receives and not each.withdrawn]
    people = tuple(each for each in open_to if each.relationship == relationship)
    others: dict[str, dict[str, str]] = {}
    for other in open_to:
        same = [each for each in people if (each.party, each.function, each.body) == _who(other)]
        if other.relationship != relationship and len(same) == 1:
            others.setdefault(other.relationship, {})[same[0].pseudonym] = other.pseudonym
    return Sheet(relationship, texts, people, others, _fields(visit, texts, people))


def _who(person: DirectoryShown) -> tuple[str, str, str]:
    return person.party, person.function, person.body


def _fields(visit: Visit, texts: TextsShown, people: Sequence[DirectoryShown]) -> tuple[Field, ...]:
    words, agreement = visit.words, texts.agreement
    scope = agreement.scope
    marks = [
        (each.mark, each.mark if each.mark == each.english else f"{each.mark} ({each.english})")
        for each in ladder(agreement, visit.desk.house.party)
    ]
    empty = [("", words("Choose"))]

    def listed(name: str, label: str, known: tuple[str, ...] | None, hint: str = "", value: str = "") -> Field:
        if known is None:
            return Field(name=name, label=label, hint=hint, value=value)
        options = tuple((each, str(words.told(each).striptags())) for each in known)
        first = value if value in known else (known[0] if len(known) == 1 else "")
        return Field(name=name, label=label, kind="choice", hint=hint, options=(*empty, *options), value=first)

    forms: tuple[str, ...] = scope.forms or tuple(FORMS)
    return (
        Field(
            name="mark",
            label=words("Mark"),
            kind="choice",
            options=(*empty, *marks),
            hint=words("Your own side's, exactly as it stands on it."),
        ),
        Field(name="topic", label=words("Topic"), hint=words("Whose need-to-know list a reader must be on.")),
        listed("subject", words("Subject"), scope.subjects, words("What it is about, a word of the agreement.")),
        _categories(visit, scope.categories),
        Field(
            name="form",
            label=words("Form"),
            kind="choice",
            value="electronic",
            options=tuple((each, words(FORMS.get(each, each))) for each in forms),
        ),
        listed("purpose", words("Purpose"), scope.purposes, words("It may be used for nothing else.")),
        Field(
            name="recipients",
            label=words("Recipients"),
            kind="many",
            hint=words("Each gets a numbered copy, sealed to his own key. Nobody else can open it."),
            options=tuple((each.pseudonym, f"{each.function}, {each.body}") for each in people),
        ),
        Field(
            name="title",
            label=words("Title"),
            needed=False,
            hint=words("What this house calls it; it stays here. The file's name unless given."),
        ),
        Field(
            name="rights",
            label=words("Rights to respect"),
            needed=False,
            hint=words("Patents, copyright or trade secrets in it."),
        ),
    )


def _categories(visit: Visit, known: tuple[str, ...] | None) -> Field:
    label = visit.words("Restrictive categories")
    if known is None:
        return Field(name="categories", label=label, kind="lines", needed=False, hint=visit.words("One on each line."))
    return Field(
        name="categories", label=label, kind="many", needed=False, options=tuple((each, each) for each in known)
    )


async def look_at(visit: Visit, sheet: Sheet, typed: Typed, file: Spooled | None, given: Given | None = None) -> Looked:
    """(10) What there is to say of something as it is typed; ``given`` where it was decided already."""
    chosen = set(typed.several("recipients"))
    people = tuple(each for each in sheet.people if each.pseudonym in chosen)
    empty = [each.label for each in sheet.fields if each.needed and not typed.shown(each.name)]
    missing = tuple(empty if file is not None else [visit.words("File"), *empty])
    if given is None and not empty and not typed.mistakes:
        decided = await asked(visit, "give.look", wish_of(visit, sheet, typed, file))
        if isinstance(decided, ComityError):
            return Looked(missing, people=people, wrong=visit.words.told(decided.sentence, decided.code))
        given = decided
    if given is None:
        return Looked(missing, people=people)
    lines, choice = _marking(visit, sheet, typed)
    return Looked(missing, given, await _told(visit, given), lines, choice, people)


async def _told(visit: Visit, given: Given) -> object:
    told = await told_outcome(visit, given.decision)
    own = {visit.person.person: visit.actor.handle}
    return msgspec.structs.replace(
        told,
        reasons=tuple(msgspec.structs.replace(each, says=named(each.says, own)) for each in told.reasons),
        missing=tuple(named(each, own) for each in told.missing),
    )


def _marking(visit: Visit, sheet: Sheet, typed: Typed) -> tuple[tuple[BannerLine, ...], tuple[Label, ...]]:
    """What its readers will see on it, in their own script; or the marks among which their side chooses."""
    own, agreement = visit.desk.house.party, sheet.texts.agreement
    label = Label(policy=own, mark=typed.text("mark"), categories=_sorted(typed), originator=own)
    words = agreement.marking
    languages: tuple[Language, ...] = next(
        (each.languages for each in agreement.parties if each.id == sheet.texts.peer), ("en",)
    )
    try:
        found = translate(agreement, label, sheet.texts.peer, sheet.texts.layers)
        if isinstance(found, NeedsChoice):
            return (), found.candidates
        identify = words is not None and words.identification is not None
        rights = typed.text("rights")
        return banner(agreement, found, provider=own, languages=languages, identify=identify, rights=rights).lines, ()
    except (Misuse, Refused, Rejected):  # above the ceiling, or without an equivalent: the decision says so
        return (), ()


def _sorted(typed: Typed) -> tuple[str, ...]:
    return tuple(sorted(set(typed.several("categories"))))


def wish_of(visit: Visit, sheet: Sheet, typed: Typed, file: Spooled | None, actor: Actor | None = None) -> Give:
    """What is asked of the flow. It goes under the agreement by which it may, of those that know all its recipients."""
    recipients = typed.several("recipients")
    otherwise = [
        Place(relationship=relationship, recipients=tuple(known[each] for each in recipients))
        for relationship, known in sheet.others.items()
        if recipients and all(each in known for each in recipients)
    ]
    given = typed.fresh if FRESH_NAME.fullmatch(typed.fresh) else None
    return Give(
        path=file.path if file is not None else "",
        relationship=sheet.relationship,
        mark=typed.text("mark"),
        topic=typed.text("topic"),
        recipients=recipients,
        purpose=typed.text("purpose"),
        actor=actor or visit.actor,
        form=typed.text("form"),
        subject=typed.text("subject"),
        categories=_sorted(typed),
        title=typed.text("title") or (file.name if file is not None else ""),
        rights=typed.text("rights"),
        request=f"r-{given}" if given else None,
        item=f"i-{given}" if given else None,
        otherwise=tuple(otherwise),
    )


async def asked(visit: Visit, flow: str, wish: Give) -> Given | ComityError:
    """What was decided, or why it cannot be."""
    try:
        given: Given = await visit.ask(flow, wish)
    except TOLD as error:
        return error
    return given
