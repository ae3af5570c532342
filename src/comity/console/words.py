"""Words of the register on pages: states of copies, kinship of items, roles, acts; each is shown in every language."""

from __future__ import annotations

from collections.abc import Mapping

from comity.console.languages import N_

STATES: Mapping[str, str] = {
    "held": N_("held"),
    "in transit": N_("in transit"),
    "returned": N_("returned"),
    "destroyed": N_("destroyed"),
    "lost": N_("lost"),
    "passed on": N_("passed on"),
}
"""States of a copy."""
KIN: Mapping[str, str] = {
    "itself": N_("what it is about"),
    "made from it": N_("made from it"),
    "it was made from": N_("what it was made from"),
}
"""How an affected item hangs together with what was lost or compromised."""
RELATIONS: Mapping[str, str] = {
    "original": N_("original"),
    "copy": N_("copy"),
    "translation": N_("translation"),
    "extract": N_("extract"),
    "contains": N_("contains it"),
}
"""How an item came from its ancestors."""
ACTS: Mapping[str, str] = {
    "give": N_("give"),
    "show": N_("show"),
    "pass-on": N_("pass on"),
    "open": N_("open"),
    "use-for": N_("use for another purpose"),
    "copy": N_("copy"),
    "translate": N_("translate"),
    "extract": N_("extract"),
    "reclassify": N_("change the level"),
    "return": N_("return"),
    "destroy": N_("destroy"),
    "visit": N_("visit"),
    "inspect": N_("inspect"),
    "export-evidence": N_("export evidence"),
    "hand-over": N_("hand over"),
    "feed": N_("publish in a feed"),
}
"""Acts of the agreements."""
BODIES: Mapping[str, str] = {
    "party": N_("a party of the agreement"),
    "government": N_("a government"),
    "person": N_("a person"),
    "firm": N_("a firm"),
    "institution": N_("an institution"),
    "organisation": N_("an organisation"),
    "body": N_("another body"),
}
"""What kind of body gains."""
ROLES: Mapping[str, str] = {
    "security-officer": N_("security officer: enrols, clears, keeps lists and sites, investigates losses"),
    "release-authority": N_("release authority: approves what somebody else asked for; levels, recalls, consents"),
    "assurance-officer": N_("assurance officer: assures the other party about a recipient here"),
    "agreement-authority": N_("agreement authority: speaks for this side"),
    "officer": N_("officer: asks that something be given or shown"),
    "registry": N_("registry: keeps the register, counts, takes back what returns"),
    "reader": N_("reader: receives and reads"),
    "auditor": N_("auditor: verifies and exports evidence; releases nothing"),
    "administrator": N_("administrator: keeps the node running; sees and approves nothing"),
}
"""What the roles are for."""
RECORDS: Mapping[str, str] = {
    "consignment/1": N_("given"),
    "receipt/1": N_("receipt of the other node"),
    "reproduction/1": N_("copied"),
    "derivation/1": N_("made from what was received"),
    "hand-over/1": N_("handed over"),
    "carriage/1": N_("taken by a carrier"),
    "take-over/1": N_("signed for"),
    "copy-lost/1": N_("said to be lost"),
    "copy-found/1": N_("found again"),
    "return/1": N_("sent back"),
    "return-receipt/1": N_("signed for on its return"),
    "destruction/1": N_("certified as destroyed"),
    "destruction-witness/1": N_("its destruction witnessed"),
    "pass-on/1": N_("passed on"),
    "pass-on-receipt/1": N_("receipt of the next body"),
    "opening/1": N_("opened"),
    "opened/1": N_("opened"),
}
"""Links of a chain of custody, by the type of the record."""
METHODS: Mapping[str, str] = {
    "burn": N_("burnt"),
    "shred": N_("shredded"),
    "pulp": N_("pulped"),
    "disintegrate": N_("disintegrated"),
    "melt": N_("melted"),
    "crush": N_("crushed"),
    "dismantle": N_("dismantled"),
    "alter": N_("altered beyond recognition"),
    "overwrite": N_("overwritten"),
    "degauss": N_("degaussed"),
    "erase-key": N_("its key erased"),
}
"""How a copy is destroyed."""
