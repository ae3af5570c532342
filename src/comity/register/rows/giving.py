"""The rows about people, peers, items and what was given, and their keys (``spec/register.md`` steps 1 and 2)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.consents import Manner, Onward
from comity.register.rows.base import Key, Row


class ChainRow(Row, frozen=True, kw_only=True):
    """The newest instant at which records of a chain took effect. Key: chain.

    ``seen`` is how many records of the other party their author had seen by then, as he says.
    """

    table: ClassVar[str] = "chain"
    at: datetime
    seen: int = 0


class Clearing(msgspec.Struct, frozen=True, kw_only=True):
    """How a clearance was come to: by which record, who decided and who signed, on what basis (Articles 7.3, 7.4)."""

    record: bytes
    basis: str
    decided_by: str
    signed_by: str
    all_information: bool


class PersonRow(Row, frozen=True, kw_only=True):
    """A person of this house. Key: person id. ``last`` is the newest record about the person.

    Attributes:
        firm: a contractor's site; the person is then no government employee.
        site: the facility where the person is posted: authorised to handle information there (Article 6(e)).
        briefed: what the person was told and acknowledged: agreement ids, categories, and ``duties``.
        stopped: the clearance was withdrawn and none was granted since; nothing new may reach the person.
        removed: the person has left; the history stays.
        clearing: how the clearance was come to (Articles 7.3, 7.4).
    """

    table: ClassVar[str] = "person"
    person: str
    function: str
    body: str
    employer: Literal["government", "contractor"]
    nationality: str
    serves: str
    roles: tuple[str, ...]
    custody: Literal["strict", "served"]
    recipient: str
    signing_key: bytes
    last: bytes
    firm: str | None = None
    clearance: str | None = None
    clearance_until: datetime | None = None
    topics: tuple[str, ...] = ()
    site: str | None = None
    briefed: tuple[str, ...] = ()
    stopped: bool = False
    removed: bool = False
    clearing: Clearing | None = None


class SigningKeyRow(Row, frozen=True, kw_only=True):
    """Whose a person's signing key is: one key, one person. Key: the raw public key in hex."""

    table: ClassVar[str] = "signing-key"
    person: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What shows that a site meets one condition of a checklist (Article 16), and until when.

    Attributes:
        condition: clause id of the condition.
        record: the record that says so.
        evidence: what it is, in words.
        until: when it ends; None while the site's approval lasts.
        borne_out: the register of this house that bears it out besides, person by person or site by site; or empty.
    """

    condition: str
    record: bytes
    evidence: str
    until: datetime | None = None
    borne_out: str = ""


class FacilityRow(Row, frozen=True, kw_only=True):
    """A site of this house, of a contractor of it, or a system. Key: facility id.

    Attributes:
        conditions: evidenced when the site was registered, all by ``evidence``.
        nature: whose it is, or that it is a system.
        parent: the site of the firm whose sub-contractor this one's is; its conditions are asked too.
        evidenced: conditions evidenced one by one, by clause id in ascending order.
        withdrawn: conditions that were withdrawn since the registration.
        officer: person id of the named responsible officer, and by what ``authority`` (Articles 10, 16(j)).
        inspected: when it was last inspected; ``inspection_due`` is when the next inspection is due.
        inspection: the record of the last inspection; None before the first.
        under: relationships whose agreements ask for the inspections.
        last: the newest record about the site.
    """

    table: ClassVar[str] = "facility"
    facility: str
    mark: str
    until: datetime
    conditions: tuple[str, ...]
    evidence: str
    nature: Literal["government", "contractor", "system"] = "government"
    parent: str | None = None
    evidenced: tuple[Evidence, ...] = ()
    withdrawn: tuple[str, ...] = ()
    officer: str | None = None
    authority: str = ""
    inspected: datetime | None = None
    inspection_due: datetime | None = None
    inspection: bytes | None = None
    under: tuple[str, ...] = ()
    last: bytes = b""


class PeerRow(Row, frozen=True, kw_only=True):
    """Another party. Key: party id."""

    table: ClassVar[str] = "peer"
    party: str
    card: bytes
    fingerprint: bytes
    compared_by: tuple[str, str]


class AgreementRow(Row, frozen=True, kw_only=True):
    """An agreement this house runs with a peer. Key: relationship id.

    ``version`` is what its text calls itself, ``agreed`` the version that both parties have acknowledged last. From
    ``superseded`` on, an amendment that both have signed applies instead of this text.
    """

    table: ClassVar[str] = "agreement"
    agreement: str
    relationship: str
    peer: str
    digest: bytes
    text: bytes
    history: bytes
    layers: tuple[bytes, ...] = ()
    acknowledged: tuple[str, ...] = ()
    version: str = ""
    agreed: str = ""
    superseded: datetime | None = None


class DirectoryRow(Row, frozen=True, kw_only=True):
    """A function of either party that can receive or sign. Key: ``relationship/party/pseudonym``.

    ``receives`` is false for somebody to whom nothing new may go, though he still signs for what he holds.
    """

    table: ClassVar[str] = "directory"
    party: str
    pseudonym: str
    function: str
    body: str
    employer: Literal["government", "contractor"]
    nationality: str
    serves: str
    roles: tuple[str, ...]
    custody: Literal["strict", "served"]
    recipient: str
    signing_key: bytes
    firm: str | None = None
    withdrawn: bool = False
    receives: bool = True

    @property
    def reachable(self) -> bool:
        """Whether something new may go to this function."""
        return self.receives and not self.withdrawn


class ItemRow(Row, frozen=True, kw_only=True):
    """One piece of information. Key: item id.

    ``provided`` is the purpose it came to us for, None for our own; ``consignments`` are the newest that carried it,
    ``copies`` how many copies they all made; ``rights`` are the patents, copyright or trade secrets in it (6.d).
    """

    table: ClassVar[str] = "item"
    item: str
    label: Label
    alternative: Label | None = None
    form: str
    topic: str
    subject: str
    size: int
    content: bytes
    originator: str
    registered: datetime
    relationship: str = "domestic"
    provided: str | None = None
    contains: tuple[str, ...] = ()
    consignments: tuple[bytes, ...] = ()
    copies: int = 0
    rights: str = ""


class Approval(msgspec.Struct, frozen=True):
    """One answer of a release authority."""

    record: bytes
    by: str
    granted: bool
    reason: str
    attests: tuple[str, ...] = ()


class RequestRow(Row, frozen=True, kw_only=True):
    """A request to give, to show or to pass on an item, or to let a feed cross. Key: request id.

    ``consignment`` is the record that carried it out; of a feed ``item`` is its name. ``manner`` is how something is
    to be shown; ``copy`` and ``onward`` which copy is to be passed on, and to whom.
    """

    table: ClassVar[str] = "request"
    request: str
    record: bytes
    item: str
    relationship: str
    recipients: tuple[str, ...]
    purpose: str
    by: str
    at: datetime
    approvals: tuple[Approval, ...] = ()
    consignment: bytes | None = None
    act: Literal["give", "show", "pass-on", "feed"] = "give"
    manner: Manner | None = None
    copy: int | None = None
    onward: Onward | None = None

    @property
    def last(self) -> bytes:
        """The newest record about the request: an answer, or the request itself."""
        return self.approvals[-1].record if self.approvals else self.record


class ItemRequestRow(Row, frozen=True, kw_only=True):
    """Index of the requests about an item, and who made each. Key: ``item/request``."""

    table: ClassVar[str] = "item-request"
    by: str


class AskedRow(Row, frozen=True, kw_only=True):
    """A request for the assurance of Article 7.5, ours or theirs. Key: ``relationship/request``."""

    table: ClassVar[str] = "asked"
    request: str
    record: bytes
    author: str
    item: str
    label: Label
    form: str
    topic: str
    purpose: str
    recipients: tuple[str, ...]
    at: datetime
    answered: tuple[str, ...] = ()
    consignment: bytes | None = None
    act: Literal["give", "show", "feed"] = "give"


class AssuranceRow(Row, frozen=True, kw_only=True):
    """The answer about one recipient. Key: ``relationship/request/recipient``; a later answer replaces it."""

    table: ClassVar[str] = "assurance"
    record: bytes
    item: str
    recipient: str
    conditions: tuple[str, ...]
    by: str
    at: datetime
    reason: str = ""


class ConsignmentRow(Row, frozen=True, kw_only=True):
    """Something given. Key: record id in hex. ``mark`` is the receiver's own, None where he chooses between several."""

    table: ClassVar[str] = "consignment"
    record: bytes
    request: str
    relationship: str
    author: str
    sequence: int
    item: str
    purpose: str
    payload: bytes
    size: int
    copies: tuple[int, ...]
    at: datetime
    receipt: bytes | None = None
    received: datetime | None = None
    returned: str | None = None
    form: str = ""
    mark: str | None = None


class PassageRow(Row, frozen=True, kw_only=True):
    """Index of what passed. Key: ``relationship/author/sequence``, so that a scan lists one direction in order."""

    table: ClassVar[str] = "passage"
    consignment: bytes


CopyState = Literal["in transit", "held", "passed on", "returned", "destroyed", "lost"]


class Carrier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest carrier of one side on the way that a copy is on, and his receipt."""

    party: str
    by: str
    record: bytes


class CopyRow(Row, frozen=True, kw_only=True):
    """A numbered copy. Key: ``relationship/item/number``. One state at a time; "returned" also when never taken.

    ``last`` is the newest record about it: what somebody who does something with it names, and its consignment or its
    making at first. ``holder`` signed for it, ``taker`` is to sign. While the thing is on its way, or lost there,
    ``sent`` is the record that sent it off: its consignment, a hand-over, or a return, which has no taker; and
    ``carriers`` has the newest carrier of each side, in the order in which it comes into their hands. ``made_from`` is
    the copy it was reproduced from (Article 14), ``found`` the record by which it turned up after it was lost.
    ``certificate`` is that of its destruction; while it waits for its witnesses the copy is held, and nothing can be
    done with it.
    """

    table: ClassVar[str] = "copy"
    item: str
    number: int
    holder: str
    state: CopyState
    consignment: bytes
    header: bytes
    openings: tuple[bytes, ...] = ()
    trouble: str | None = None
    last: bytes
    taker: str | None = None
    made_from: int | None = None
    found: bytes | None = None
    certificate: str | None = None
    sent: bytes | None = None
    carriers: tuple[Carrier, ...] = ()

    @property
    def at_hand(self) -> bool:
        """Whether its holder can do something with it: it is held, and not being destroyed."""
        return self.state == "held" and self.certificate is None

    @property
    def custodian(self) -> str | None:
        """Who has it on its way, once a carrier has signed."""
        return self.carriers[-1].by if self.carriers else None

    @property
    def going_back(self) -> bool:
        """Whether it is on its way back to whoever gave it, or lost there."""
        return self.sent is not None and self.taker is None

    def carrier(self, party: str) -> Carrier | None:
        """The newest carrier of a side on this way."""
        return next((each for each in self.carriers if each.party == party), None)


class DecisionRow(Row, frozen=True, kw_only=True):
    """A decision taken in this house. Key: ``item/at/sequence/record``: a scan gives an item's in order."""

    table: ClassVar[str] = "decision"
    record: bytes
    act: str
    item: str
    outcome: str
    at: datetime


class ReturnedRow(Row, frozen=True, kw_only=True):
    """A record that one side rejected. Key: id of the rejected record in hex."""

    table: ClassVar[str] = "returned"
    record: bytes
    verdict: bytes
    code: str
    reason: str


def chain_key(chain: str) -> Key:
    """Key of a chain's row."""
    return ChainRow.table, chain


def directory_key(relationship: str, party: str, pseudonym: str) -> Key:
    """Key of a directory row."""
    return DirectoryRow.table, f"{relationship}/{party}/{pseudonym}"


def copy_key(relationship: str, item: str, number: int) -> Key:
    """Key of a copy row."""
    return CopyRow.table, f"{relationship}/{item}/{number:06d}"


def passage_key(relationship: str, author: str, sequence: int) -> Key:
    """Key of a row in the index of what passed."""
    return PassageRow.table, f"{relationship}/{author}/{sequence:012d}"


def item_request_key(item: str, request: str) -> Key:
    """Key in the index of the requests about an item."""
    return ItemRequestRow.table, f"{item}/{request}"


def asked_key(relationship: str, request: str) -> Key:
    """Key of a row about a request for assurance."""
    return AskedRow.table, f"{relationship}/{request}"


def assurance_key(relationship: str, request: str, recipient: str) -> Key:
    """Key of an assurance row."""
    return AssuranceRow.table, f"{relationship}/{request}/{recipient}"
