"""What is decided, from which facts, and what comes out: frozen types that write to the same bytes everywhere.

Rules of this file:

- A `Case` holds everything a decision rests on besides the compiled agreement. It carries no name of a person: only
  pseudonyms, functions and bodies.
- A `Decision` is one of `Permit`, `NeedsConsent`, `Forbidden` and `NoBasis`, never a bool. Refusal wins; without a
  rule that permits there is no basis.
- Nothing here is guessed: an empty tuple means none, never "all".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from comity.agreement.vocabulary import Act, Deed, Employer, Form, Provenance, Relation, Role
from comity.errors import Misuse
from comity.marking.label import Label

RULE_VERSION = "3"
"""The version of ``spec/decision.md`` that these decisions follow; a change of any outcome or reason changes it."""

Effect = Literal["holds", "notes", "warns", "needs", "lacks", "forbids"]
"""What a reason does: a condition holds; a fact is noted; an unchecked (K) rule would have refused; somebody's act is
missing; nothing in the agreement permits; the agreement or a layer forbids."""


def _check_utc(place: str, instant: datetime | None) -> None:
    """One instant has one written form: an aware ``datetime`` whose zone is ``datetime.UTC``."""
    if instant is not None and instant.tzinfo is not UTC:
        raise Misuse(
            f"{instant!r} is not in UTC; convert it with astimezone(datetime.UTC)", code="not-utc", place=place
        )


class Item(Struct, frozen=True, kw_only=True):
    """One piece of information, or an ancestor of one.

    Attributes:
        id: the item's id.
        agreement: id of the agreement under which it was provided, or is to be.
        label: as its originator wrote it; `label.originator` is whose consent counts.
        form: the form in which it exists.
        subject: what it is about, a word of the agreement's scope.
        purpose: the purpose it was (or will be) provided for.
        need_to_know: ids of the lists of people who need it; on one of them is enough.
        relation: how it came from its ancestors.
        lineage: all it came from, each with its own; their conditions hold too.
        recalled: its originator has recalled it, and the recall stands.
        suspected: an incident that touches it is open.
        office: the office in which it originated, as far as the side that acts knows; empty when it does not.
    """

    id: str
    agreement: str
    label: Label
    form: Form
    subject: str
    purpose: str
    need_to_know: tuple[str, ...] = ()
    relation: Relation = "original"
    lineage: tuple[Item, ...] = ()
    recalled: bool = False
    suspected: bool = False
    office: str = ""


class Clearance(Struct, frozen=True):
    """A personnel clearance up to `mark` on the ladder of the person's party; it ends at `until` (aware, UTC)."""

    mark: str
    until: datetime

    def __post_init__(self) -> None:
        _check_utc("clearance.until", self.until)


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who is to receive, open or handle an item.

    Attributes:
        pseudonym: the name by which this relationship knows the person.
        party: id of the party (or third body) in whose ranks the person stands.
        serves: id of the party or body the person serves; an embedded officer serves another than `party`.
        nationality: id of the state; empty when unknown, which counts as another state's wherever it matters.
        employer: the party itself or a contractor.
        body: the office or firm.
        function: the function held there; never opens anything by itself.
        site: id of the site where the person handles the item; empty when none is known.
        clearance: the personnel clearance, if any.
        need_to_know: ids of the lists the person is on.
        briefed: agreement ids and categories the person has been briefed on.
    """

    pseudonym: str
    party: str
    serves: str
    nationality: str
    employer: Employer
    body: str = ""
    function: str = ""
    site: str = ""
    clearance: Clearance | None = None
    need_to_know: tuple[str, ...] = ()
    briefed: tuple[str, ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """How one party reads the state of the agreement at the instant; `contested` names what it reads otherwise."""

    party: str
    in_force: bool
    protection: bool
    contested: tuple[str, ...] = ()


class Acknowledgement(Struct, frozen=True):
    """A party's statement that the file with this digest is its working model of the agreement."""

    party: str
    digest: str


class Standing(Struct, frozen=True, kw_only=True):
    """Where one agreement stands at the instant of the case, by every party's reading."""

    agreement: str
    readings: tuple[Reading, ...]
    acknowledgements: tuple[Acknowledgement, ...]


class Attestation(Struct, frozen=True, kw_only=True):
    """Conditions of a checklist that somebody attests.

    Attributes:
        checklist: the checklist's id, such as the assurance of Article 7.5 or the contractor conditions of 16.
        conditions: clause ids attested.
        about: what is attested: the recipient's pseudonym, the item's, site's or party's id, as the checklist says.
        item: the item's id for a checklist bound to an item and a recipient, else empty.
        by: party that attests.
        until: when it ends (aware, UTC); none when it has no end.
        evidence: id of the record that shows it.
    """

    checklist: str
    conditions: tuple[str, ...]
    about: str
    by: str
    item: str = ""
    until: datetime | None = None
    evidence: str = ""

    def __post_init__(self) -> None:
        _check_utc("attestation.until", self.until)


class Approval(Struct, frozen=True, kw_only=True):
    """One person's approval of one request; the requester's own never counts. ``office`` is where he or she works."""

    request: str
    by: str
    office: str = ""


class Witness(Struct, frozen=True, kw_only=True):
    """One person's word that he saw what one request asks for being done; the requester's own never counts."""

    request: str
    by: str


class Consent(Struct, frozen=True, kw_only=True):
    """A party's prior written consent to one act with one item, for one beneficiary and one purpose, until an instant.

    `beneficiary` is whoever gains: each third body the recipient belongs to, serves or is a national of; where there is
    none, the party the recipient serves. `standing` is one that was given for more than this one item.
    """

    by: str
    item: str
    act: Act
    beneficiary: str
    purpose: str
    until: datetime
    standing: bool = False

    def __post_init__(self) -> None:
        _check_utc("consent.until", self.until)


class Facility(Struct, frozen=True, kw_only=True):
    """A site approved to hold items up to `mark` on its party's ladder, until an instant (aware, UTC)."""

    site: str
    party: str
    mark: str
    until: datetime

    def __post_init__(self) -> None:
        _check_utc("facility.until", self.until)


class Facts(Struct, frozen=True, kw_only=True):
    """What has been said and recorded, as far as it matters to a case. Order and repeats mean nothing."""

    standings: tuple[Standing, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    approvals: tuple[Approval, ...] = ()
    consents: tuple[Consent, ...] = ()
    facilities: tuple[Facility, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """A question: may this be done?

    Attributes:
        request: id of the request; approvals name it.
        act: what is to be done.
        item: with what.
        purpose: the purpose it is to be done for.
        requester: pseudonym of whoever asks.
        acting: id of the party whose side acts.
        recipients: for whom: those who receive, or the person who opens, copies or uses. None is refused.
        at: the instant (aware, UTC).
        via: parties by way of which the item travels, in order; empty means directly.
        facts: what has been said and recorded.
        method: how it is to be done, a word of the agreement file such as `"shred"`; empty when nothing is said.
        copies: how many copies of the item its recipient will have made with this act, of an act that makes copies.
        office: the office from which a copy goes to its recipient; empty when nothing changes hands, or none is known.
    """

    request: str
    act: Act
    item: Item
    purpose: str
    requester: str
    acting: str
    recipients: tuple[Person, ...]
    at: datetime
    via: tuple[str, ...] = ()
    facts: Facts = Facts()
    method: str = ""
    copies: int = 0
    office: str = ""

    def __post_init__(self) -> None:
        _check_utc("case.at", self.at)


class Reason(Struct, frozen=True, gc=False):
    """One step of the decision and what it found.

    Attributes:
        step: number of the step in ``spec/decision.md``.
        code: a stable word, such as `"clearance-missing"`; `wording.py` makes a sentence of it.
        instrument: id of the agreement or layer whose clause is cited.
        clause: the clause's id there; empty where the step itself refuses.
        provenance: how far the clause, or the rule on it, has been checked; empty without a clause.
        effect: what the reason does to the outcome.
        about: pseudonym of the person it is about, or empty.
        parameters: what the sentence needs, in the order `wording.py` documents.
    """

    step: int
    code: str
    instrument: str
    clause: str
    provenance: Provenance | Literal[""]
    effect: Effect
    about: str = ""
    parameters: tuple[str, ...] = ()


class Duty(Struct, frozen=True, gc=False):
    """An obligation that the act opens.

    `within` is a word, an ISO 8601 duration, or empty when the text has none. A number that a layer put in is cited
    in `limit_from`, as `"layer-id:clause"`.
    """

    instrument: str
    obligation: str
    clause: str
    provenance: Provenance
    who: Role
    act: Deed
    to: Role | Literal[""]
    within: str
    limit_from: str = ""


class Inputs(Struct, frozen=True, gc=False):
    """Which texts and which rules a decision was made under; digests are 64 hexadecimal digits."""

    agreement: str
    layers: tuple[str, ...]
    beside: tuple[str, ...]
    rule_version: str
    tzdata: str


class Decision(Struct, frozen=True, gc=False):
    """What comes out. The reasons are complete and in canonical order; see the four kinds below."""

    reasons: tuple[Reason, ...]
    duties: tuple[Duty, ...]
    inputs: Inputs


class Permit(Decision, frozen=True, gc=False, tag="permit", tag_field="outcome"):
    """The act may be done; the duties open with it."""


class NeedsConsent(Decision, frozen=True, gc=False, tag="needs-consent", tag_field="outcome"):
    """The act may be done once somebody named has acted: a consent, an assurance, an approval, a clearance."""


class Forbidden(Decision, frozen=True, gc=False, tag="forbidden", tag_field="outcome"):
    """The agreement or a layer forbids the act, whatever anybody consents to."""


class NoBasis(Decision, frozen=True, gc=False, tag="no-basis", tag_field="outcome"):
    """Nothing in the agreement permits the act."""


Outcome = Permit | NeedsConsent | Forbidden | NoBasis
"""The four kinds, for annotations and for decoding."""
