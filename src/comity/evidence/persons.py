"""Who signed: a person's own signature, against the record that says whose key it is (``spec/evidence.md`` step 18)."""

from __future__ import annotations

from typing import Any

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import Stood, at_place
from comity.evidence.exhibits import Exhibits
from comity.record import bodies
from comity.record.bodies import PersonSignature, consents, custody, ending, lineage, notices
from comity.record.person_act import check_act
from comity.register.roles import (
    AGREEMENT_AUTHORITY,
    ASSURANCE_OFFICER,
    REGISTRY,
    RELEASE_AUTHORITY,
    ROOT,
    SECURITY_OFFICER,
)


class Act(msgspec.Struct, frozen=True):
    """Who may sign a record of some type.

    Attributes:
        role: the role the signer must have; empty when anybody listed may.
        by: the field of the body that names the signer too; empty when there is none.
        root: the party's root key may sign as well.
    """

    role: str = ""
    by: str = ""
    root: bool = False


_HANDLED: tuple[type[bodies.Body], ...] = (
    custody.Reproduced,
    custody.HandedOver,
    custody.Carried,
    custody.TakenOver,
    custody.CopyLost,
    custody.CopyFound,
    lineage.Derived,
    ending.LevelChanged,
    ending.Remarked,
    ending.PurposeEnded,
    ending.Recalled,
    ending.RecallLifted,
    ending.SentBack,
    ending.TakenBack,
    ending.Destroyed,
    ending.DestructionWitnessed,
    consents.Consented,
    consents.Shown,
    consents.PassedOn,
    consents.PassOnReceipted,
)

ACTS: dict[type[bodies.Body], Act] = {
    bodies.PersonEnrolled: Act(SECURITY_OFFICER, root=True),
    bodies.ReleaseRequested: Act(by="by"),
    bodies.Approved: Act(RELEASE_AUTHORITY, "by"),
    bodies.Marked: Act(REGISTRY, "by"),
    bodies.Acknowledged: Act(AGREEMENT_AUTHORITY, root=True),
    bodies.Assured: Act(ASSURANCE_OFFICER, "by"),
    bodies.Opened: Act(by="holder"),
    ending.Reclassified: Act(by="by", root=True),
    consents.ConsentWanted: Act(by="by"),
    notices.OutlayNoted: Act(by="by"),
    **{body: Act(by="by") for body in _HANDLED},
}
"""Every type of record that carries a person's signature; which roles handling asks for, the register says."""


def check_persons(exhibits: Exhibits) -> None:
    """Verify every person's signature (18).

    Raises:
        Rejected: a signature does not verify, or the signer may not sign such a record.
    """
    for stood in exhibits.every():
        act = ACTS.get(type(stood.body))
        signature: PersonSignature | None = getattr(stood.body, "signature", None)
        if act is not None and signature is not None:  # an opening in served custody may carry none
            with exhibits.judged(stood):
                _check_person(exhibits, stood, act, signature)


def _check_person(exhibits: Exhibits, stood: Stood, act: Act, signature: PersonSignature) -> None:
    body: Any = stood.body
    key = _key(exhibits, stood, act, signature)
    try:
        signer = check_act(body, stood.record.statement.relationship, stood.author, key)
    except Rejected as error:
        raise at_place(error, f"the person's signature in {stood.place}") from None
    if act.by and getattr(body, act.by) != signer:
        raise _no(stood, "other-signer", f"it names {getattr(body, act.by)!r}, but {signer!r} signed it")
    if isinstance(body, bodies.PersonEnrolled) and body.person == signer:
        raise _no(stood, "self-enrolment", f"{signer!r} enrolled a key of his own")


def _key(exhibits: Exhibits, stood: Stood, act: Act, signature: PersonSignature) -> bytes:
    """The key that the signer had when he signed; the one he names, noted as an open question, if none is shown."""
    name = signature.signer
    if name == ROOT:
        if not act.root:
            raise _no(stood, "no-role", "the party's root key signed what only a person may")
        return exhibits.party(stood.author).root
    crosses = type(stood.body).crosses
    known: tuple[Stood, bodies.PersonEnrolled | bodies.Listed] | None
    if crosses:
        known = exhibits.last(bodies.Listed, stood, lambda entry: entry.pseudonym == name)
    else:
        known = exhibits.last(bodies.PersonEnrolled, stood, lambda entry: entry.person == name)
    if known is None:
        says = f"whose key {name!r} signed with, and in which role, is not shown"
        exhibits.missing("directory" if crosses else "people", "key-not-shown", stood.place, says)
        return signature.key
    entry = known[1]
    if (act.role and act.role not in entry.roles) or (isinstance(entry, bodies.Listed) and entry.withdrawn):
        raise _no(stood, "no-role", f"{name!r} did not have the role {act.role!r} when this was signed")
    return entry.signing_key


def _no(stood: Stood, code: str, sentence: str) -> Rejected:
    return Rejected(sentence, code=code, place=stood.place)
