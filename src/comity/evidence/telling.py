"""What a line of the story needs besides its record: the articles it was done under, and the words of its sentence.

``spec/evidence.md`` step 29. Nothing is cited that the agreement's own tables do not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comity.agreement.model import Agreement
from comity.evidence.chains import Stood
from comity.evidence.crossing import conditions_of
from comity.evidence.deciding import Replayed
from comity.evidence.exhibits import Exhibits
from comity.record import bodies
from comity.record.bodies import consents, custody, ending, lineage

PERMITTED: Mapping[type[bodies.Body], str] = {
    custody.Reproduced: "copy",
    ending.SentBack: "return",
    ending.Destroyed: "destroy",
    ending.Reclassified: "reclassify",
    ending.LevelChanged: "reclassify",
    consents.Shown: "show",
    consents.PassedOn: "pass-on",
}
"""The act of the agreement that a record carries out, where it is one."""


def clauses_of(exhibits: Exhibits, stood: Stood, replayed: Replayed | None) -> tuple[str, ...]:
    """The articles by the agreement's own tables; nothing is cited that the file does not say."""
    agreement = exhibits.editions[-1].agreement
    match stood.body:
        case bodies.Decided():
            reasons = replayed.outcome.reasons if replayed is not None else ()
            cited = [each for each in reasons if each.clause and each.effect != "warns"]
            found = [
                each.clause if each.instrument == agreement.id else f"{each.instrument} {each.clause}" for each in cited
            ]
        case bodies.AssuranceAsked():
            wanted = conditions_of(agreement, "give")
            found = [each.clause for each in agreement.checklists if wanted & set(each.conditions)]
        case bodies.Assured(conditions=conditions):
            found = list(conditions)
        case bodies.Consigned(alternative=alternative):
            found = [*_permitting(agreement, "give"), *_equivalences(agreement, stood.body.label.mark, alternative)]
        case bodies.Received():
            found = [each.clause for each in agreement.obligations if each.act == "give-receipt"]
        case bodies.Opened():
            found = _permitting(agreement, "open")
        case custody.Carried() | custody.TakenOver():
            found = [each.clause for each in agreement.obligations if each.act == "give-receipt"]
        case bodies.Marked():
            found = [each.clause for each in agreement.obligations if (each.act, each.on) == ("mark", "received")]
        case _:
            found = _permitting(agreement, PERMITTED.get(type(stood.body), ""))
    return tuple(dict.fromkeys(found))


def _permitting(agreement: Agreement, act: str) -> list[str]:
    return [rule.clause for rule in agreement.rules if rule.permits and act in rule.acts]


def _equivalences(agreement: Agreement, mark: str, alternative: object) -> list[str]:
    rows = agreement.equivalences if alternative is not None else ()
    return [row.clause for row in rows if any(mark in marks for marks in row.marks.values())]


def parameters_of(body: bodies.Body) -> tuple[str, ...]:
    """What the sentence about a record needs (``wording.py``)."""
    said: Any = body
    match body:
        case bodies.AgreementAdopted():
            return said.agreement, said.digest.hex()
        case bodies.PersonEnrolled():
            return said.person, said.function, ", ".join(said.roles)
        case bodies.ItemRegistered():
            return said.item, said.label.mark, said.by
        case bodies.ReleaseRequested():
            return said.by, said.item, ", ".join(said.recipients), said.purpose
        case bodies.Approved():
            return said.by, "approved" if said.granted else "refused", said.request, said.reason
        case bodies.Marked():
            return said.by, said.item, said.mark
        case bodies.Decided():
            return said.act, said.item, said.outcome
        case bodies.Acknowledged():
            return said.agreement, said.digest.hex(), said.signature.signer
        case bodies.Listed():
            return said.pseudonym, said.function, ", ".join(said.roles)
        case bodies.AssuranceAsked():
            return said.item, ", ".join(said.recipients), said.purpose
        case bodies.Assured():
            return said.by, "gave" if said.conditions else "refused", said.recipient, said.reason
        case bodies.Consigned():
            marks = (said.label.mark, said.alternative.mark if said.alternative else "")
            return said.item, *marks, ", ".join(copy.holder for copy in said.copies), said.purpose
        case bodies.Received():
            return said.item, ", ".join(map(str, said.copies))
        case bodies.Opened():
            return said.holder, str(said.copy), said.purpose
        case bodies.Unopenable():
            return str(said.copy), said.code, said.reason
        case bodies.Returned():
            return said.record.hex(), said.code, said.reason
        case custody.Reproduced():
            made = ", ".join(f"{copy.number} for {copy.holder}" for copy in said.copies)
            return said.by, str(said.copy), made, " = ".join(said.marks)
        case custody.HandedOver():
            return said.by, str(said.copy), said.taker
        case custody.TakenOver():
            return said.by, str(said.copy), said.condition
        case custody.CopyLost() | custody.CopyFound():
            return said.by, str(said.copy), said.circumstances
        case ending.Destroyed():
            return said.by, str(said.copy), said.method, said.reason
        case ending.DestructionWitnessed():
            return said.by, str(said.copy), "saw" if said.seen else "did not see", said.reason
        case consents.PassedOn():
            return said.by, str(said.copy), said.beneficiary, said.purpose
        case consents.PassOnReceipted():
            return said.by, str(said.copy), said.receipt
        case ending.SentBack():
            return said.by, str(said.copy), said.reason
        case custody.Carried() | ending.TakenBack():
            return said.by, str(said.copy)
        case ending.LevelChanged() | ending.Reclassified():
            return said.by, said.item, said.mark or "nothing any more", said.reason
        case ending.Remarked():
            return said.item, said.mark or "nothing any more", ", ".join(map(str, said.copies))
        case ending.PurposeEnded() | ending.RecallLifted():
            return said.by, said.item, said.reason
        case ending.Recalled():
            return said.by, said.item, said.asks, said.reason
        case consents.ConsentAsked() | consents.ConsentWanted():
            return ", ".join(said.acts), said.item, ", ".join(said.beneficiaries), said.purpose
        case consents.Consented():
            word = "consented" if said.granted else "did not consent"
            return said.by, word, ", ".join(said.acts), ", ".join(said.beneficiaries), said.purpose
        case consents.Shown():
            return said.by, said.item, said.manner, ", ".join(said.to), said.purpose
        case lineage.Derived():
            return said.by, said.relation, said.item, ", ".join(each.item for each in said.ancestors)
        case _:
            return (str(getattr(said, "item", "")),)
