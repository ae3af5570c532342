"""Cases under the agreement of 2016 that are permitted, from which each test takes one thing away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from msgspec.structs import replace

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer
from comity.decision.compiled import Compiled, compile_agreement
from comity.decision.decide import decide
from comity.decision.model import (
    Acknowledgement,
    Approval,
    Attestation,
    Case,
    Clearance,
    Consent,
    Facility,
    Facts,
    Item,
    Outcome,
    Person,
    Reading,
    Reason,
    Standing,
)
from comity.marking.label import Label

LIBRARY = resources.files("comity").joinpath("agreements")
TEXT = LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(TEXT, "jp-kr-2016.toml")
HOUSE = parse_layer(LIBRARY.joinpath("house.toml").read_text(encoding="utf-8"), "house.toml", AGREEMENT)
TZDATA = "2026.1"
COMPILED = compile_agreement(AGREEMENT, [HOUSE], tzdata=TZDATA)

AT = datetime(2020, 11, 23, 3, 0, tzinfo=UTC)
NEXT_YEAR = AT + timedelta(days=365)
FIFTEEN = tuple(f"16.{letter}" for letter in "abcdefghijklmno")


def standing(
    *, force: tuple[str, ...] = ("jp", "kr"), protection: tuple[str, ...] = ("jp", "kr"), digest: str = AGREEMENT.digest
) -> Standing:
    readings = tuple(
        Reading(party=party, in_force=party in force, protection=party in protection) for party in ("jp", "kr")
    )
    return Standing(
        agreement="jp-kr-2016",
        readings=readings,
        acknowledgements=(Acknowledgement("jp", digest), Acknowledgement("kr", digest)),
    )


ITEM = Item(
    id="item-1",
    agreement="jp-kr-2016",
    label=Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="kr"),
    form="documentary",
    subject="defence",
    purpose="missile-warning",
    need_to_know=("list-1",),
)
SATO = Person(
    pseudonym="sato",
    party="jp",
    serves="jp",
    nationality="jp",
    employer="party",
    body="jp-mod",
    function="analyst",
    site="ichigaya",
    clearance=Clearance("極秘", NEXT_YEAR),
    need_to_know=("list-1",),
)
ASSURANCE = Attestation(
    checklist="assurance", conditions=("7.5.a", "7.5.b", "7.5.c"), about="sato", item="item-1", by="jp", until=NEXT_YEAR
)
CONTRACTOR = Attestation(checklist="contractor", conditions=FIFTEEN, about="kobe", by="jp", until=NEXT_YEAR)
APPROVAL = Approval(request="request-1", by="lee")
ICHIGAYA = Facility(site="ichigaya", party="jp", mark="極秘", until=NEXT_YEAR)

GIVE = Case(
    request="request-1",
    act="give",
    item=ITEM,
    purpose="missile-warning",
    requester="kim",
    acting="kr",
    recipients=(SATO,),
    at=AT,
    facts=Facts(standings=(standing(),), attestations=(ASSURANCE,), approvals=(APPROVAL,), facilities=(ICHIGAYA,)),
)
OPEN = replace(GIVE, act="open", acting="jp", requester="sato")


def consent(**changes: Any) -> Consent:
    wanted = {"by": "kr", "item": "item-1", "act": "open", "beneficiary": "us", "purpose": "missile-warning"}
    return Consent(**{**wanted, "until": NEXT_YEAR, **changes})


def with_item(case: Case, **changes: Any) -> Case:
    return replace(case, item=replace(case.item, **changes))


def with_person(case: Case, **changes: Any) -> Case:
    return replace(case, recipients=tuple(replace(person, **changes) for person in case.recipients))


def with_facts(case: Case, **changes: Any) -> Case:
    return replace(case, facts=replace(case.facts, **changes))


def asked(case: Case, compiled: Compiled = COMPILED, beside: tuple[Compiled, ...] = ()) -> Outcome:
    return decide(compiled, case, beside)


def against(decision: Outcome) -> list[Reason]:
    """The reasons that do not simply hold."""
    return [reason for reason in decision.reasons if reason.effect != "holds"]


def cited(decision: Outcome) -> list[tuple[int, str, str, str]]:
    """Step, code, clause and effect of what speaks against; a warning about the site aside."""
    return [(each.step, each.code, each.clause, each.effect) for each in against(decision) if each.step != 16]


def changed(old: str, new: str) -> Agreement:
    assert old in TEXT
    return parse_agreement(TEXT.replace(old, new), "changed.toml")


def layer(body: str, *, kind: str = "domestic", agreement: Agreement = AGREEMENT) -> Layer:
    """A layer with one clause, ``a``."""
    party = 'party = "jp"\n' if kind == "domestic" else ""
    head = f'[layer]\nformat = 1\nid = "law"\nversion = "1"\nkind = "{kind}"\ntitle = {{ en = "x" }}\n{party}'
    clause = '[[clause]]\nid = "a"\nheading = { en = "x" }\nsays = "x"\nprovenance = "P"\n'
    return parse_layer(head + f'on = "{agreement.id}"\n' + clause + body, "law.toml", agreement)
