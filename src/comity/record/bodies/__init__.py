"""What a record can say (``spec/record.md`` step 6).

Two families. *House* records stand in a party's domestic chain and never cross; *crossing* records stand in the chain
of one relationship, and both parties hold them. Persons appear by identifier only: in the house by their person id,
across by the pseudonym of that relationship. Names of people live in erasable side data, never here.

``after`` names the record that such an act follows on, so that a person's signed act cannot be recorded a second time
after it was undone.

A type is never changed once released. It grows by fields with defaults at its end, or becomes ``NAME/2``.
"""

from comity.record.bodies import (
    consents,
    contradictions,
    custody,
    ending,
    feeding,
    incidents,
    inventory,
    keys,
    lineage,
    negotiation,
    notices,
    places,
    restoring,
    retention,
    routes,
    term,
    visits,
)
from comity.record.bodies.base import Body, Digests, Identifiers, Names, Numbers, PersonSignature, Recipients
from comity.record.bodies.giving import (
    Acknowledged,
    AssuranceAsked,
    Assured,
    Consigned,
    CopyMade,
    Listed,
    Opened,
    Received,
    Returned,
    Unopenable,
)
from comity.record.bodies.house import (
    AgreementAdopted,
    Approved,
    ClearanceGranted,
    ClearanceWithdrawn,
    Decided,
    FacilityRegistered,
    ItemRegistered,
    Marked,
    NeedToKnow,
    PeerAdded,
    PersonEnrolled,
    ReleaseRequested,
    Tried,
)

__all__ = [
    "BODIES",
    "Acknowledged",
    "AgreementAdopted",
    "Approved",
    "AssuranceAsked",
    "Assured",
    "Body",
    "ClearanceGranted",
    "ClearanceWithdrawn",
    "Consigned",
    "CopyMade",
    "Decided",
    "Digests",
    "FacilityRegistered",
    "Identifiers",
    "ItemRegistered",
    "Listed",
    "Marked",
    "Names",
    "NeedToKnow",
    "Numbers",
    "Opened",
    "PeerAdded",
    "PersonEnrolled",
    "PersonSignature",
    "Received",
    "Recipients",
    "ReleaseRequested",
    "Returned",
    "Tried",
    "Unopenable",
    "consents",
    "contradictions",
    "custody",
    "ending",
    "feeding",
    "incidents",
    "inventory",
    "keys",
    "lineage",
    "negotiation",
    "notices",
    "places",
    "restoring",
    "retention",
    "routes",
    "term",
    "visits",
]

BODIES: dict[str, type[Body]] = {body.kind: body for body in Body.__subclasses__()}
"""Every record type this version knows, by its name."""
