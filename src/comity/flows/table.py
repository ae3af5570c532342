"""The table of flows: everything a surface can ask of a house, by name.

The command line, the local socket and the console call the same functions; none of them has a way around.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec

from comity.flows import (
    agreements,
    answering,
    chronicles,
    collecting,
    consent_register,
    consenting,
    decisions,
    deriving,
    descent,
    duties,
    evidence,
    explaining,
    founding,
    giving,
    marks,
    opening,
    passing_on,
    people,
    pouch,
    rebuilding,
    views,
)
from comity.flows.house import House


class Flow(msgspec.Struct, frozen=True):
    """One thing a user does.

    Attributes:
        name: such as ``person.enrol``.
        request: what it takes.
        response: what it returns (a type msgspec can decode).
        run: the function.
    """

    name: str
    request: type[msgspec.Struct]
    response: Any
    run: Callable[[House, Any], Awaitable[Any]]


def _flow(name: str, run: Callable[[House, Any], Awaitable[Any]]) -> Flow:
    hints = get_type_hints(run)
    taken = [hint for argument, hint in hints.items() if argument not in ("house", "return")]
    return Flow(name, taken[0], hints["return"], run)


_RUN: dict[str, Callable[[House, Any], Awaitable[Any]]] = {
    "card.issue": founding.issue_card,
    "card.show": founding.show_card,
    "peer.add": founding.add_peer,
    "peer.list": founding.list_peers,
    "agreement.adopt": agreements.adopt_agreement,
    "agreement.acknowledge": agreements.acknowledge_agreement,
    "agreement.list": agreements.list_agreements,
    "agreement.status": agreements.ask_status,
    "agreement.timeline": chronicles.show_timeline,
    "person.enrol": people.enrol_person,
    "person.list": people.list_people,
    "clearance.grant": people.grant_clearance,
    "clearance.withdraw": people.withdraw_clearance,
    "list.change": people.change_list,
    "facility.register": people.register_facility,
    "facility.list": people.list_facilities,
    "directory.list": people.list_directory,
    "give.preview": giving.preview,
    "give": giving.give,
    "approve": answering.approve,
    "assure": answering.assure,
    "mark": marks.mark_item,
    "derive": deriving.derive,
    "lineage": descent.show_lineage,
    "open": opening.open_item,
    "open.confirm": opening.confirm,
    "consent.ask": consenting.ask_consent,
    "consent.answer": consenting.answer_consent,
    "consent.grant": consenting.grant_consent,
    "consent.withdraw": consenting.withdraw_consent,
    "consent.list": consent_register.list_consents,
    "pass-on.ask": passing_on.ask_pass_on,
    "pass-on.seal": passing_on.seal_pass_on,
    "pass-on.confirm": passing_on.confirm_pass_on,
    "pass-on.receipt": passing_on.receipt_pass_on,
    "pass-on.list": passing_on.list_passed_on,
    "inbox": views.show_inbox,
    "outbox": views.show_outbox,
    "register": views.show_register,
    "why": explaining.why,
    "decision.show": decisions.ask_decision,
    "duties.list": duties.list_duties,
    "evidence.export": evidence.export_evidence,
    "ledger.verify": rebuilding.verify_ledger,
    "ledger.rebuild": rebuilding.rebuild,
    "ledger.collect": collecting.collect,
    "pouch.export": pouch.export_pouch,
    "pouch.import": pouch.import_pouch,
}

FLOWS: dict[str, Flow] = {name: _flow(name, run) for name, run in _RUN.items()}
"""Every flow by its name."""
