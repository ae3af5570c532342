"""Sentences for people: what each reason of a decision says, and what each outcome means.

Rules of this file:

- A sentence belongs to a code, in a table, so that another language is another table and no code.
- ``{0}``, ``{1}`` … are the reason's parameters, ``{rest}`` all from the second on, ``{about}`` the person.
- A sentence is whole, lowercase, without a full stop, and names no person but by pseudonym.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from comity.agreement.vocabulary import Deed, Role
from comity.decision.counterfactual import Kind, Missing
from comity.decision.model import Duty, Effect, Outcome, Reason
from comity.errors import Misuse

Word = TypeVar("Word", bound=str)

OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "Permit": "permitted",
        "NeedsConsent": "not yet: somebody has to act first",
        "Forbidden": "forbidden",
        "NoBasis": "no basis: nothing in the agreement permits it",
    }
}

EFFECTS: Mapping[str, Mapping[Effect, str]] = {
    "en": {
        "holds": "holds",
        "notes": "note",
        "warns": "warning, the clause is not checked against the text",
        "needs": "missing",
        "lacks": "no basis",
        "forbids": "forbidden",
    }
}

REASONS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "no-recipients": "nobody is named to receive it, and nobody is not everybody",
        "standing-unknown": "it is not known where the agreement stands at this instant",
        "in-force": "the agreement is in force by every party's reading",
        "not-in-force": "the agreement is not in force by the reading of {all}",
        "protected": "the information is protected",
        "not-protected": "no party reads the agreement as protecting the information at this instant",
        "contested": "{0} reads otherwise: {rest}",
        "basis-stands": "the protection that it borrows stands: {0}",
        "basis-missing": "it borrows its protection from {0}, which does not stand at this instant",
        "acknowledged": "every party has acknowledged this very text of the agreement",
        "not-acknowledged": "{0} has not acknowledged this text of the agreement",
        "another-agreement": "the item belongs to agreement {0}",
        "not-a-party": "{0} is not a party to the agreement",
        "in-scope": "the agreement covers the subject",
        "subject-outside": "the agreement does not cover the subject {0}",
        "category-unknown": "the agreement does not know the category {all}",
        "purpose-outside": "the agreement does not serve the purpose {0}",
        "form-covered": "the agreement covers information in this form",
        "form-outside": "the agreement does not cover information in the form {0}",
        "below-ceiling": "{0} is a level that may cross",
        "above-ceiling": "{0} is above the ceiling of the agreement and cannot cross",
        "unknown-mark": "{0} is not a mark of {1}",
        "declassified": "its originator has declassified it: neither level nor clearance nor approved site is asked",
        "not-classified": "it carries no mark, and only classified information is given under the agreement",
        "route-followed": "it goes by way of {all}",
        "wrong-route": "it must go by way of {all}",
        "route-ends": "from here, or to here, it goes directly",
        "not-direct": "it must go directly, not by way of {all}",
        "equivalent": "{0} corresponds to {marks} of {1}",
        "no-mark-needed": "{0} puts no mark on it",
        "no-equivalent": "{0} of {1} has no equivalent mark for {2}",
        "nothing-permits": "no rule of the agreement permits this act",
        "permitted": "the agreement permits this act",
        "permit-unchecked": "a clause that has not been checked against the text would permit this act",
        "forbidden": "rule {0} forbids it",
        "method-allowed": "{0} is one of the methods",
        "method-forbidden": "{0} is not one of the methods: {rest}",
        "copies-within": "{0} of at most {1} copies will have been made of it",
        "copies-beyond": "{0} copies of it will have been made, and {1} are the most",
        "along-the-tree": "it goes from registry to registry: {0}, {1}",
        "outside-the-tree": "it goes from registry to registry only, to the one above or below, not from {0} to {1}",
        "not-releasable": "the originator's label releases it to {all} only, and {about} stands outside",
        "consent-given": "{0} has consented that {3} gain by it, for {4}",
        "consent-missing": "{0} has not consented in writing that {3} gain by it, for {4}",
        "conditions-met": "all conditions of {0} are attested for {1}",
        "condition-missing": "a condition of {0} is not attested for {1}",
        "cleared": "{about} is cleared for {0}",
        "clearance-missing": "{about} holds no clearance",
        "clearance-unknown": "{about} holds a clearance that the agreement does not know",
        "clearance-ended": "the clearance of {about} has ended",
        "clearance-too-low": "the clearance of {about} is too low for {0}",
        "need-to-know": "{about} needs to know it",
        "need-to-know-missing": "{about} is on none of the lists of those who need to know it",
        "briefed": "{about} has been briefed",
        "briefing-missing": "{about} has not been briefed on the agreement",
        "category-missing": "{about} has not been briefed on the category {0}",
        "facility-approved": "site {1} of {0} is approved for this level",
        "facility-missing": "site {1} of {0} is not approved for this level",
        "approved": "{1} of {0} approvals by somebody other than the requester",
        "approval-missing": "{1} of {0} approvals by somebody other than the requester",
        "office-approved": "{1} of {0} approvals by somebody else of {2}, where it originated",
        "office-approval-missing": "{1} of {0} approvals by somebody else of {2}, where it originated",
        "witnessed": "{1} of {0} witnesses other than the requester",
        "witness-missing": "{1} of {0} witnesses other than the requester",
        "agreement-unknown": "its ancestor {0} came under agreement {1}, which is not at hand",
        "label-below-ancestor": "its level is below that of its ancestor {0}, {1}",
    }
}

MISSING: Mapping[str, Mapping[Kind, str]] = {
    "en": {
        "acknowledgement": "{0} acknowledges this very text of the agreement",
        "consent": "{0} consents in writing that {3} gain by it, for {4}",
        "attestation": "conditions {conditions} of {0} are attested for {1}",
        "clearance": "{about} is granted a clearance that is high enough",
        "need-to-know": "{about} is put on a list of those who need to know it",
        "briefing": "{about} is briefed on {all}",
        "facility": "site {1} of {0} is approved for this level",
        "approval": "people other than the requester approve it, {0} in all",
        "office-approval": "people of {1}, where it originated, approve it, {0} in all",
        "witness": "people other than the requester witness it, {0} in all",
        "hidden": "something about a person that the asker may not see",
    }
}
"""What would have to happen; ``{0}``, ``{1}`` … are what identifies it, ``{conditions}`` those of one checklist."""

DEEDS: Mapping[str, Mapping[Deed, str]] = {
    "en": {
        "notify": "give notice of it",
        "mark": "mark it",
        "ask-consent": "ask for consent",
        "keep-register": "keep a register",
        "keep-inventory": "keep an inventory",
        "re-mark": "mark it anew",
        "return-or-destroy": "return or destroy it",
        "assure": "give the assurance",
        "request-visit": "ask for the visit",
        "brief-site": "brief the site",
        "give-receipt": "give a receipt",
        "meet-checklist": "meet every condition of the checklist",
        "inspect-site": "inspect the site",
        "investigate": "investigate",
        "report": "report",
        "protect": "protect it",
        "give-notice": "give notice",
        "answer-recall": "answer the recall",
        "return-receipt": "receipt what came back",
        "answer-request": "answer the request",
        "end-access": "end the person's access",
        "answer-visit": "answer the request for the visit",
        "report-visit": "say what was shown",
        "close-finding": "put right what was found",
        "review-level": "review the level",
        "consult": "consult",
    }
}

ROLES: Mapping[str, Mapping[Role, str]] = {
    "en": {
        "originator": "the originator",
        "recipient": "the recipient",
        "both": "both parties",
        "visiting-authority": "the visiting authority",
        "host-authority": "the host authority",
        "carrier": "the carrier",
        "either": "either party",
    }
}


def outcome_wording(decision: Outcome, language: str = "en") -> str:
    """What the outcome means, in a few words.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return _table(OUTCOMES, language)[type(decision).__name__]


def sentence(reason: Reason, language: str = "en") -> str:
    """What a reason says, without the clause it cites.

    Raises:
        Misuse: there are no sentences in this language.
    """
    parameters = reason.parameters
    ancestor = ""
    if reason.step == 18 and reason.code not in {"agreement-unknown", "label-below-ancestor"}:
        ancestor, parameters = f"{parameters[0]}: ", parameters[2:]
    said = _table(REASONS, language)[reason.code].format(
        *(each or "(none named)" for each in parameters),
        about=reason.about,
        all=", ".join(parameters),
        rest=", ".join(parameters[1:]),
        marks=" or ".join(parameters[2:]),
    )
    return ancestor + said


def reason_wording(reason: Reason, language: str = "en") -> str:
    """``sentence`` with the clause it cites and how far that is checked: ``"… (jp-kr-2016, 6.a, S)"``.

    Raises:
        Misuse: there are no sentences in this language.
    """
    cited = f"{reason.instrument}, {reason.clause}, {reason.provenance}" if reason.clause else reason.instrument
    return f"{sentence(reason, language)} ({cited})"


def missing_wording(missing: Sequence[Missing], language: str = "en") -> tuple[str, ...]:
    """What would have to happen, with the clauses that ask for it; the conditions of one checklist in one sentence.

    Raises:
        Misuse: there are no sentences in this language.
    """
    table = _table(MISSING, language)
    gathered: dict[tuple[str, str, tuple[str, ...]], list[Missing]] = {}
    for each in missing:
        what = each.what[:-1] if each.kind == "attestation" else each.what
        gathered.setdefault((each.kind, each.about, what), []).append(each)
    sentences = []
    for group in gathered.values():
        first = group[0]
        conditions = ", ".join(each.what[-1] for each in group if each.what)
        said = table[first.kind].format(
            *(each or "(none named)" for each in first.what),
            about=first.about,
            all=", ".join(first.what),
            conditions=conditions,
        )
        clauses = dict.fromkeys(clause for each in group for clause in each.clauses)
        if first.kind == "attestation":
            clauses = dict.fromkeys(clause.partition(":")[0] for clause in clauses)
        sentences.append(f"{said} ({', '.join(clauses)})" if clauses else said)
    return tuple(sentences)


def duty_wording(duty: Duty, language: str = "en") -> str:
    """What an act obliges to: ``"the recipient must give a receipt, at receipt (jp-kr-2016, 9.b, S)"``.

    Raises:
        Misuse: there are no sentences in this language.
    """
    roles = _table(ROLES, language)
    said = f"{roles[duty.who]} must {_table(DEEDS, language)[duty.act]}"
    if duty.to:
        said += f", to {roles[duty.to]}"
    if duty.within:
        said += f", {duty.within.replace('-', ' ') if duty.within.islower() else 'within ' + duty.within}"
    limit = f"; the limit by {duty.limit_from}" if duty.limit_from else ""
    return f"{said} ({duty.instrument}, {duty.clause}, {duty.provenance}{limit})"


def effect_wording(effect: Effect, language: str = "en") -> str:
    """The word that stands before a reason's sentence.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return _table(EFFECTS, language)[effect]


def _table(tables: Mapping[str, Mapping[Word, str]], language: str) -> Mapping[Word, str]:
    if language not in tables:
        raise Misuse(f"there are no sentences in {language!r}; known: {', '.join(tables)}", code="unknown-language")
    return tables[language]
