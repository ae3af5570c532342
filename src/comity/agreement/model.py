"""What was agreed, as frozen types: the agreement file and the layers that stand on it.

Rules of this file:

- Each type is one table of the TOML file; ``spec/agreement.md`` describes the tables in the same order.
- `AgreementFile` and `LayerFile` are what was written. `Agreement` and `Layer` are the same, checked, with their
  digest; only `load.py` makes them, so a checked agreement cannot exist without its checks.
- A rule, an obligation, an equivalence names its clause; a clause carries the provenance. A rule on an unchecked (K)
  clause warns and never refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, field

from comity.agreement import vocabulary as words

FORMAT_VERSION = 1
"""The version of the agreement file that this code reads and writes (``spec/agreement.md``, step 2)."""

WITHIN_PATTERN = rf"^({'|'.join(get_args(words.Within))}|P([1-9][0-9]{{0,3}}[YMD]|T[1-9][0-9]{{0,3}}H))(?!\n)$"
Within = Annotated[str, Meta(pattern=WITHIN_PATTERN)]
"""A word for a limit without a number (`vocabulary.Within`), or a duration."""

IDENTIFIER_PATTERN = r"^[a-z0-9]+([.-][a-z0-9]+)*(?!\n)$"
Identifier = Annotated[str, Meta(pattern=IDENTIFIER_PATTERN, max_length=80)]
"""Lowercase ASCII letters and digits, joined by hyphens or full stops."""

Line = Annotated[str, Meta(min_length=1, max_length=2000)]
"""Text for people, not empty, at most 2,000 characters."""

PERIOD_PATTERN = r"^P[1-9][0-9]{0,3}[YMD](?!\n)$"
Period = Annotated[str, Meta(pattern=PERIOD_PATTERN)]
"""An ISO 8601 duration of one number of years, months or days: `P1Y`, `P6M`, `P90D`."""

DURATION_PATTERN = r"^P([1-9][0-9]{0,3}[YMD]|T[1-9][0-9]{0,3}H)(?!\n)$"
Duration = Annotated[str, Meta(pattern=DURATION_PATTERN)]
"""A period, or a number of hours: `P90D`, `PT24H`."""

DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$"
Day = Annotated[str, Meta(pattern=DAY_PATTERN)]
"""A calendar day, `2016-11-23`."""

MOMENT_PATTERN = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})(?!\n)$"
Moment = Annotated[str, Meta(pattern=MOMENT_PATTERN)]
"""A minute with its offset from UTC, as in `2027-03-01T09:00+10:00`: the same instant everywhere."""

ZONE_PATTERN = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*(?!\n)$"
ZoneName = Annotated[str, Meta(pattern=ZONE_PATTERN, max_length=64)]
"""The shape of an IANA time zone name; `load.check_time_zones` knows which names there are."""

Names = Annotated[tuple[str, ...], Meta(min_length=1)]
"""A list with at least one name. Where a list would be empty, its key is not written."""

RankNumber = Annotated[int, Meta(ge=1, le=99)]
EVERY_PARTY = "all"
"""The word that stands for all parties where a ladder is shared; no party may have it as its id."""


class Table(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", omit_defaults=True):
    """A table of the file. Unknown keys are refused: a misspelt rule must not vanish."""


class Text(Table, frozen=True):
    """A text for people in the languages Comity speaks; English always, the others where they are known."""

    en: Line
    ja: str = ""
    ko: str = ""

    def in_language(self, language: str) -> str:
        """The text in `language` (`"en"`, `"ja"`, `"ko"`), in English where there is none."""
        return {"ja": self.ja, "ko": self.ko}.get(language) or self.en


class Header(Table, frozen=True):
    """`[agreement]`: which agreement this is.

    `version` names the text (the day of the instrument, or a number): an amendment or an exchange of notes makes a
    new version. `authentic` says where the text that prevails can be read.
    """

    format: int
    id: Identifier
    version: Line
    kind: Line
    title: Text
    legal_force: words.LegalForce
    authentic: Line
    signed: Day | None = None
    in_force: Day | None = None


class Party(Table, frozen=True):
    """`[[party]]`: a state, an organisation or a multinational command.

    `nations` are the states whose nationals are this party's own people (its own id, for a state). Empty, with every
    other party's, means that nationality plays no part.
    """

    id: Identifier
    kind: words.PartyKind
    name: Text
    timezone: ZoneName
    languages: Annotated[tuple[words.Language, ...], Meta(min_length=1)] = ("en",)
    nations: tuple[str, ...] = ()


class Body(Table, frozen=True):
    """`[[body]]`: somebody other than a party whom a rule names: an originating body, a third country.

    `circles` are the circles it belongs to, such as a community that shares among itself; `client_of` are the parties
    that serve it.
    """

    id: Identifier
    name: Text
    circles: Annotated[tuple[Identifier, ...], Meta(min_length=1)] | None = None
    client_of: Names | None = None


class Registry(Table, frozen=True):
    """`[[registry]]`: an office through which copies go, in a tree: from one only to that above it or one below.

    `office` is the body under which its people are enrolled; `under` is the registry above it, and `serves` are the
    offices to which it hands copies, and which hand them back.
    """

    id: Identifier
    clause: str
    party: str
    office: Line
    under: Identifier | None = None
    serves: Names | None = None


class CompetentAuthority(Table, frozen=True):
    """`[[authority]]`: a body a party has designated, from a day on (Article 2(d) of the 2016 agreement)."""

    party: str
    name: Text
    valid_from: Day
    notified_by: Line
    provenance: words.Provenance
    source: Line


class Clause(Table, frozen=True):
    """`[[clause]]`: one paragraph of the text: a heading, what it says in our own words, and how well we know it."""

    id: Identifier
    heading: Text
    says: Line
    provenance: words.Provenance
    source: str = ""

    @property
    def article(self) -> str:
        """The first part of the id: `"6"` for `"6.a"`."""
        return self.id.partition(".")[0]


class Level(Table, frozen=True):
    """`[[level]]`: a classification of one party, or of all (`party = "all"`), in its own script.

    `rank` orders the levels of the whole agreement, 1 the lowest, and one English word names one rank. `crosses =
    false` puts a level above the ceiling: it is known, and can never cross. Two levels of one party share a rank only
    when they are on different `ladder`s.
    """

    party: str
    mark: Line
    rank: RankNumber
    english: Line
    clause: str
    ladder: str = "main"
    crosses: bool = True
    provenance: words.Provenance | None = None
    source: str = ""


class Equivalence(Table, frozen=True):
    """`[[equivalence]]`: marks that correspond, by party. A relation: several marks of one party may stand in a row.

    `origin` limits the row to items marked by that party, for texts that translate one way only. `preferred` says
    which mark of a party to propose where the row offers it several; without it a person chooses.
    """

    clause: str
    marks: Annotated[Mapping[str, Names], Meta(min_length=2)]
    origin: str | None = None
    preferred: Mapping[str, str] | None = None


class Scope(Table, frozen=True):
    """`[scope]`: what the agreement covers. A list that is not written does not limit."""

    clause: str
    subjects: Annotated[tuple[Identifier, ...], Meta(min_length=1)] | None = None
    categories: Names | None = None
    purposes: Annotated[tuple[Identifier, ...], Meta(min_length=1)] | None = None
    forms: Annotated[tuple[words.Form, ...], Meta(min_length=1)] | None = None
    purposes_clause: str | None = None
    forms_clause: str | None = None


class Route(Table, frozen=True):
    """`[route]`: by way of which parties information must pass, in order; no table means directly."""

    clause: str
    via: Annotated[tuple[str, ...], Meta(min_length=1)]


class ProtectionBasis(Table, frozen=True):
    """`[[protection-basis]]`: another agreement from which this one borrows its protection."""

    clause: str
    agreement: Identifier
    between: Annotated[tuple[str, ...], Meta(min_length=2)]


class Marking(Table, frozen=True):
    """`[marking]`: how a recipient marks what it was given.

    `clause` asks for the providing party's name and the recipient's own equivalent mark; `identification` is the
    extra mark put on where needed; `translation_note` stands on a translation, in the language of translation.
    `rights_clause` asks that intellectual property is respected: rights that were named when an item was given stand
    on it.
    """

    clause: str
    providing_name: bool
    own_equivalent: bool
    identification: Text | None = None
    identification_clause: str | None = None
    derivative: Text | None = None
    derivative_clause: str | None = None
    translation_note: Text | None = None
    translation_clause: str | None = None
    rights_clause: str | None = None


class When(Table, frozen=True):
    """Conditions of a rule: every key that is written must hold; a list holds when one of its words does.

    Of the item: `form`, `level` (marks as the originator wrote them), `level_at_least` (a mark or an English level
    word: that rank and all above), `category`, `subject`, `originator`, `relation`, `recalled`, `suspected`. Of the
    act: `purpose`, `other_purpose` (another than it was provided for), `acting` (the party whose side acts), `holder`.
    Of each recipient: `recipient` (the party), `serves`, `beneficiary`, `employer`, `body`, `function`, and of the
    bodies outside the parties that gain: `circle` (they share one of these), `client` (all are served by who acts).
    """

    form: Annotated[tuple[words.Form, ...], Meta(min_length=1)] | None = None
    level: Names | None = None
    level_at_least: str | None = None
    category: Names | None = None
    subject: Names | None = None
    purpose: Names | None = None
    other_purpose: bool | None = None
    originator: Names | None = None
    acting: Names | None = None
    holder: words.Holder | None = None
    relation: Annotated[tuple[words.Relation, ...], Meta(min_length=1)] | None = None
    recipient: Names | None = None
    serves: Names | None = None
    beneficiary: Annotated[tuple[words.Beneficiary, ...], Meta(min_length=1)] | None = None
    employer: words.Employer | None = None
    body: Names | None = None
    function: Names | None = None
    recalled: bool | None = None
    suspected: bool | None = None
    circle: Names | None = None
    client: bool | None = None


class Rule(Table, frozen=True):
    """`[[rule]]`: for these acts, when this holds (and `unless` does not), one effect.

    Exactly one of `permits`, `forbids`, `requires`, `checklist`, `consent`, `approvals`, `witnesses`, `methods`,
    `copies` and `registries` is written. `provenance` stands in for the clause's own where the rule is better or less
    well known than the clause as a whole, and then `source` says why. With `consent`, `per_item` asks for one that was
    given for this very item, and `consent_of` names those whose consent is `named`; with `approvals`, `approved_by`
    says whose count. `since` is the first instant at which it holds, `until` the first at which it no longer does.
    """

    id: Identifier
    clause: str
    acts: Annotated[tuple[words.Act, ...], Meta(min_length=1)]
    when: When | None = None
    unless: When | None = None
    permits: Literal[True] | None = None
    forbids: Literal[True] | None = None
    requires: Annotated[tuple[words.Requirement, ...], Meta(min_length=1)] | None = None
    checklist: Identifier | None = None
    consent: words.Consenter | None = None
    approvals: Annotated[int, Meta(ge=1, le=9)] | None = None
    provenance: words.Provenance | None = None
    source: str = ""
    witnesses: Annotated[int, Meta(ge=1, le=9)] | None = None
    methods: Annotated[tuple[words.Method, ...], Meta(min_length=1)] | None = None
    copies: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    registries: Literal[True] | None = None
    per_item: Literal[True] | None = None
    approved_by: words.Approver | None = None
    consent_of: Names | None = None
    since: Moment | None = None
    until: Moment | None = None


class Checklist(Table, frozen=True):
    """`[[checklist]]`: conditions, each a clause, that somebody attests with evidence before an act."""

    id: Identifier
    clause: str
    bound_to: words.BoundTo
    attested_by: words.Attester
    conditions: Names


class Obligation(Table, frozen=True):
    """`[[obligation]]`: a duty that an event opens and a deed discharges.

    `within` is a word without a number or an ISO 8601 duration; where the text gives none it is not written. `when`
    limits it to some items, by what an item is: `form`, `level`, `level_at_least`, `category`, `subject`, `originator`.
    """

    id: Identifier
    clause: str
    on: words.Event
    who: words.Role
    act: words.Deed
    evidence: Line
    to: words.Role | None = None
    channel: words.Channel | None = None
    within: Within | None = None
    provenance: words.Provenance | None = None
    source: str = ""
    when: When | None = None


class Notice(Table, frozen=True):
    """`[term.notice]`: how a party ends the agreement, and from which day the period counts.

    `counting_disputed` lists the other rules by which the text can be read: the last day is then given under each, and
    nothing new is provided on a day that only some of them call in force.
    """

    clause: str
    period: Period
    form: words.NoticeForm
    channel: words.Channel
    counting: words.Counting
    counting_disputed: tuple[words.Counting, ...] = ()


class Response(Table, frozen=True):
    """`[response]`: what a side does when it holds the proof that the other party signed two histories."""

    clause: str
    two_histories: Annotated[tuple[words.Response, ...], Meta(min_length=1)]


class Term(Table, frozen=True):
    """`[term]`: when the agreement enters into force, how long it lasts, how it is renewed and ended."""

    clause: str
    entry: words.Entry
    timezone: ZoneName
    entry_clause: str | None = None
    entry_plus: Period | None = None
    duration: Period | None = None
    renewal: words.Renewal = "none"
    notice: Notice | None = None
    survival: words.Survival = "none"
    survival_clause: str | None = None
    entry_day: words.EntryDay | None = None


class AgreementFile(Table, frozen=True):
    """An agreement as written."""

    header: Header = field(name="agreement")
    parties: Annotated[tuple[Party, ...], Meta(min_length=2)] = field(name="party")
    clauses: Annotated[tuple[Clause, ...], Meta(min_length=1)] = field(name="clause")
    levels: Annotated[tuple[Level, ...], Meta(min_length=1)] = field(name="level")
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1)] = field(name="rule")
    term: Term
    scope: Scope
    bodies: tuple[Body, ...] = field(name="body", default=())
    authorities: tuple[CompetentAuthority, ...] = field(name="authority", default=())
    equivalences: tuple[Equivalence, ...] = field(name="equivalence", default=())
    checklists: tuple[Checklist, ...] = field(name="checklist", default=())
    obligations: tuple[Obligation, ...] = field(name="obligation", default=())
    protection_bases: tuple[ProtectionBasis, ...] = field(name="protection-basis", default=())
    route: Route | None = None
    marking: Marking | None = None
    intervals: tuple[Interval, ...] = field(name="interval", default=())
    registries: tuple[Registry, ...] = field(name="registry", default=())
    response: Response | None = None


class Agreement(AgreementFile, frozen=True, kw_only=True):
    """An agreement that passed every check of ``spec/agreement.md``. `digest` is 64 lowercase hexadecimal digits."""

    digest: str

    @property
    def id(self) -> str:
        """The agreement's id, such as `"jp-kr-2016"`."""
        return self.header.id


class LayerHeader(Table, frozen=True):
    """`[layer]`: an implementing arrangement, one party's domestic layer, or a rule of the house that runs Comity.

    `on` names the agreement it stands on; without it the layer fits any (a house rule). `party` is the party whose
    domestic layer it is.
    """

    format: int
    id: Identifier
    version: Line
    kind: words.LayerKind
    title: Text
    on: Identifier | None = None
    party: str | None = None


class Deadline(Table, frozen=True):
    """`[[deadline]]`: a number for an obligation that has none, or a shorter one than it has."""

    obligation: str
    clause: str
    within: Duration


class Interval(Table, frozen=True):
    """`[[interval]]`: how long ahead something is asked for, or within what time it is done again.

    `level_at_least` limits an `inventory` to those who have items of that level or above.
    """

    of: words.Measured
    clause: str
    length: Period
    provenance: words.Provenance | None = None
    source: str = ""
    level_at_least: str | None = None


class Preference(Table, frozen=True):
    """`[[preference]]`: which of several equivalent marks the party puts on what it receives."""

    clause: str
    party: str
    among: Annotated[tuple[str, ...], Meta(min_length=2)]
    mark: str


class LayerFile(Table, frozen=True):
    """A layer as written: its own clauses, and rules that only refuse or ask more."""

    header: LayerHeader = field(name="layer")
    clauses: Annotated[tuple[Clause, ...], Meta(min_length=1)] = field(name="clause")
    rules: tuple[Rule, ...] = field(name="rule", default=())
    checklists: tuple[Checklist, ...] = field(name="checklist", default=())
    obligations: tuple[Obligation, ...] = field(name="obligation", default=())
    deadlines: tuple[Deadline, ...] = field(name="deadline", default=())
    preferences: tuple[Preference, ...] = field(name="preference", default=())
    intervals: tuple[Interval, ...] = field(name="interval", default=())
    response: Response | None = None


class Layer(LayerFile, frozen=True, kw_only=True):
    """A layer that passed every check of ``spec/agreement.md``. `digest` is 64 lowercase hexadecimal digits."""

    digest: str

    @property
    def id(self) -> str:
        """The layer's id, such as `"comity-house"`."""
        return self.header.id
