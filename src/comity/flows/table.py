"""The table of flows: everything a surface can ask of a house, by name.

The command line, the local socket and the console call the same functions; none of them has a way around.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints

import msgspec

from comity.flows import calls, pouch
from comity.flows.agreeing import (
    agreements,
    chronicles,
    deposits,
    disputes,
    end_notes,
    founding,
    layers,
    negotiating,
    negotiations,
    notices,
    outlays,
    texts,
)
from comity.flows.consenting import consent_register, consent_requests, granting, passed_on, passing_on, showing
from comity.flows.deciding import decisions, explaining
from comity.flows.deriving import derivation, descent
from comity.flows.ending import certificates, destruction, level_books, levels, recalls, returning
from comity.flows.feeding import ending, listing, originators, postures, readings, releasing
from comity.flows.finding import pages, releases, today
from comity.flows.foreseeing import what_if
from comity.flows.giving import answering, marks, opening, release, using
from comity.flows.handling import copies, copying, handing_on, handing_over, losing
from comity.flows.house import House
from comity.flows.incidents import investigating, reporting
from comity.flows.looking import (
    called,
    duties,
    evidence,
    findings,
    foreseen,
    given,
    happenings,
    item_story,
    ledgers,
    muster,
    reconciling,
    requests,
    views,
)
from comity.flows.maintaining import (
    anchoring,
    catching_up,
    collecting,
    compromised,
    epochs,
    giving_back,
    rebuilding,
    retention,
    rotating,
)
from comity.flows.people import (
    clearances,
    directory,
    enrolment,
    forgetting,
    leaving,
    new_keys,
    permitting,
    person_views,
    places,
    site_registers,
    visit_views,
    visits,
)
from comity.flows.vouching import contradictions, proving, witnesses


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
    "agreement.read": agreements.read_agreement,
    "agreement.notice": end_notes.tell_end_note,
    "agreement.notice.list": end_notes.list_end_notes,
    "agreement.notice.preview": end_notes.preview_end_note,
    "agreement.texts": texts.show_texts,
    "agreement.timeline": chronicles.show_timeline,
    "agreement.versions": agreements.list_versions,
    "agreement.layer.tell": layers.tell_layer,
    "agreement.layer.list": layers.list_layers,
    "negotiation.channel": negotiating.open_channel,
    "negotiation.open": negotiating.open_negotiation,
    "negotiation.delegates": negotiating.name_delegates,
    "negotiation.propose": negotiating.propose_draft,
    "negotiation.initial": negotiating.initial_draft,
    "negotiation.approve": negotiating.approve_draft,
    "negotiation.sign": negotiating.sign_draft,
    "negotiation.postpone": negotiating.postpone_signature,
    "negotiation.withdraw": negotiating.withdraw_negotiation,
    "negotiation.entry": negotiating.tell_entry,
    "negotiation.list": negotiations.list_negotiations,
    "negotiation.show": negotiations.show_negotiation,
    "negotiation.read": negotiations.read_draft,
    "agreement.what-if": what_if.what_if,
    "person.enrol": enrolment.enrol_person,
    "person.list": person_views.list_people,
    "clearance.grant": clearances.grant_clearance,
    "clearance.withdraw": clearances.withdraw_clearance,
    "clearance.list": person_views.list_clearances,
    "list.change": clearances.change_list,
    "person.change": leaving.change_person,
    "person.remove": leaving.remove_person,
    "person.forget": forgetting.forget_name,
    "person.rotate": new_keys.rotate_person_key,
    "facility.register": places.register_facility,
    "facility.list": site_registers.list_facilities,
    "facility.show": site_registers.show_facility,
    "facility.officer": places.name_officer,
    "facility.condition": places.evidence_condition,
    "facility.inspect": places.inspect_facility,
    "facility.post": places.post_person,
    "facility.persons": site_registers.show_persons,
    "briefing.give": places.give_briefing,
    "visit.ask": visits.ask_visit,
    "visit.permit": permitting.permit_visit,
    "visit.refuse": permitting.refuse_visit,
    "visit.end": visits.end_visit,
    "visit.finding": visits.make_finding,
    "visit.close-finding": visits.close_finding,
    "visit.list": visit_views.list_visits,
    "visit.show": visit_views.show_visit,
    "directory.list": directory.list_directory,
    "give.preview": release.preview,
    "give": release.give,
    "give.look": release.look,
    "request.list": releases.list_requests,
    "request.show": requests.show_request,
    "hand-on": handing_on.hand_on,
    "approve": answering.approve,
    "assure": answering.assure,
    "assurance.show": requests.show_asked,
    "mark": marks.mark_item,
    "copy": copying.make_copies,
    "copy.list": copies.list_copies,
    "copy.show": copies.show_copy,
    "copy.label": copies.label_copy,
    "copy.scan": copies.scan_copy,
    "copy.lost": losing.lose_copy,
    "copy.found": losing.find_again,
    "copy.carry": handing_over.carry,
    "hand-over": handing_over.hand_over,
    "take-over": handing_over.take_over,
    "derive": derivation.derive,
    "lineage": descent.show_lineage,
    "incident.report": reporting.report_incident,
    "incident.investigate": investigating.investigate,
    "incident.result": investigating.tell_result,
    "incident.release": investigating.release_items,
    "incident.close": investigating.close_incident,
    "incident.list": investigating.list_incidents,
    "incident.show": investigating.show_incident,
    "open": opening.open_item,
    "open.confirm": opening.confirm,
    "open.still": opening.still_open,
    "feed.preview": releasing.preview_feed,
    "feed.release": releasing.release_feed,
    "feed.list": listing.list_feeds,
    "feed.show": listing.show_feed,
    "feed.end": ending.end_feed,
    "feed.readers": readings.list_readings,
    "feed.elsewhere": originators.list_told,
    "feed.mark": originators.mark_feed,
    "posture.declare": postures.declare_posture,
    "posture.show": postures.show_postures,
    "consent.ask": consent_requests.ask_consent,
    "consent.ask-feed": consent_requests.ask_feed_consent,
    "consent.drop": consent_requests.drop_consent,
    "consent.answer": granting.answer_consent,
    "consent.grant": granting.grant_consent,
    "consent.withdraw": granting.withdraw_consent,
    "consent.list": consent_register.list_consents,
    "pass-on.ask": passing_on.ask_pass_on,
    "pass-on.seal": passing_on.seal_pass_on,
    "pass-on.confirm": passing_on.confirm_pass_on,
    "pass-on.receipt": passed_on.receipt_pass_on,
    "pass-on.list": passed_on.list_passed_on,
    "use": using.use_item,
    "show.ask": showing.ask_show,
    "show.done": showing.done_show,
    "show.compare": showing.compare_shown,
    "inbox": calls.show_whole_inbox,
    "outbox": views.show_outbox,
    "register": views.show_register,
    "register.page": pages.read_page,
    "register.facets": pages.show_facets,
    "register.index": pages.show_index,
    "today": today.show_today,
    "item": item_story.show_item,
    "item.called": called.name_items,
    "given": given.show_given,
    "why": explaining.why,
    "decision.show": decisions.ask_decision,
    "authority.designate": notices.designate,
    "authority.end": notices.end_designation,
    "authority.list": notices.list_designations,
    "law.notify": notices.notify_law,
    "law.ask": notices.ask_laws,
    "law.answer": notices.answer_laws,
    "law.list": notices.list_laws,
    "dispute.open": disputes.open_dispute,
    "dispute.answer": disputes.answer_dispute,
    "dispute.settle": disputes.settle_dispute,
    "dispute.list": disputes.list_disputes,
    "dispute.show": disputes.show_dispute,
    "deposit.make": deposits.make_deposit,
    "deposit.check": deposits.check_deposit,
    "deposit.reveal": deposits.reveal_deposit,
    "deposit.list": deposits.list_deposits,
    "cost.note": outlays.note_outlay,
    "cost.list": outlays.list_outlays,
    "duties.list": duties.list_duties,
    "duties.foresee": foreseen.foresee_duties,
    "muster.begin": muster.begin,
    "muster.count": muster.count,
    "muster.sign": muster.sign,
    "muster.drop": muster.drop,
    "muster.show": findings.show,
    "muster.explain": findings.explain,
    "reconcile": reconciling.reconcile,
    "reconcile.ask": reconciling.ask_by_file,
    "reconcile.answer": reconciling.answer_by_file,
    "reconcile.read": reconciling.read_by_file,
    "events.list": happenings.list_events,
    "evidence.export": evidence.export_evidence,
    "evidence.contradiction": contradictions.export_contradiction,
    "ledger.show": ledgers.show_ledgers,
    "ledger.contradictions": contradictions.list_contradictions,
    "ledger.settle": contradictions.settle_contradiction,
    "ledger.witness.add": witnesses.add_witness,
    "ledger.witness.remove": witnesses.remove_witness,
    "ledger.witness.list": witnesses.list_witnesses,
    "ledger.prove": proving.prove_record,
    "ledger.policy": witnesses.show_policy,
    "ledger.policy.set": witnesses.set_policy,
    "keys.card": rotating.list_own_keys,
    "keys.rotate": rotating.rotate_key,
    "keys.revoke": rotating.revoke_key,
    "keys.compromised": compromised.key_compromised,
    "keys.destroy-epoch": epochs.destroy_epoch,
    "catch-up": catching_up.catch_up,
    "catch-up.without": catching_up.go_on_without,
    "catch-up.ask": giving_back.ask_back,
    "catch-up.take": giving_back.take_back,
    "ledger.anchor": anchoring.anchor_ledgers,
    "ledger.verify": rebuilding.verify_ledger,
    "rebuild": rebuilding.rebuild,
    "ledger.collect": collecting.collect,
    "retention.show": retention.show_retention,
    "retention.apply": retention.apply_retention,
    "pouch.export": pouch.export_pouch,
    "pouch.import": pouch.import_pouch,
    "pouch.give-back": giving_back.give_back,
    "level.change": levels.reclassify,
    "level.show": level_books.show_levels,
    "level.reviews": level_books.list_reviews,
    "purpose.end": recalls.end_purpose,
    "recall": recalls.recall,
    "recall.lift": recalls.lift,
    "recall.show": recalls.show_recall,
    "return": returning.send_back,
    "return.receive": returning.take_back,
    "destroy": destruction.destroy,
    "destroy.witness": destruction.witness,
    "destroy.certificate": certificates.show_certificate,
}

FLOWS: dict[str, Flow] = {name: _flow(name, run) for name, run in _RUN.items()}
"""Every flow by its name."""
