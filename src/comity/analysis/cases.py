"""One combination of values as the decision asks it: an item, a person, a case.

Rules of this file (``spec/analysis.md`` steps 12 and 13):

- People stand on every list, are briefed on everything and cleared up to a mark; what facts can be said of them besides
  is said in ``favour``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from comity.analysis.favour import AT, EVER, LIST, OFFICE, PERSON, REQUEST, REQUESTER, SITE
from comity.analysis.values import Profile
from comity.decision.compiled import Compiled
from comity.decision.model import Case, Clearance, Item, Person
from comity.marking.label import Label

Road = tuple[tuple[str, ...], str, datetime]
"""The parties by way of which something travels, the office from which it goes, and when."""
DIRECT: Road = ((), "", AT)


def item_of(profile: Profile, agreement: str, name: str = "item") -> Item:
    """The item of a combination, under an agreement."""
    return Item(
        id=name,
        agreement=agreement,
        label=Label(
            policy=profile.policy, mark=profile.mark, categories=profile.categories, originator=profile.originator
        ),
        form=profile.form,
        subject=profile.subject,
        purpose=profile.provided,
        need_to_know=(LIST,),
        relation=profile.relation,
        recalled=profile.recalled,
        suspected=profile.suspected,
        office=OFFICE,
    )


def person_of(profile: Profile, clearance: str, agreements: Iterable[Compiled], name: str = PERSON) -> Person:
    """The person of a combination, on every list, briefed on everything, cleared up to a mark."""
    briefed = {*(each.id for each in agreements), *profile.categories}
    return Person(
        pseudonym=name,
        party=profile.party,
        serves=profile.serves,
        nationality=profile.nationality,
        employer=profile.employer,
        body=profile.office,
        function=profile.function,
        site=SITE,
        clearance=Clearance(clearance, EVER) if clearance else None,
        need_to_know=(LIST,),
        briefed=tuple(sorted(briefed)),
    )


def case_of(profile: Profile, item: Item, person: Person, road: Road, method: str = "") -> Case:
    """The case of a combination, without facts. Of what is copied there will be one copy."""
    via, office, at = road
    return Case(
        request=REQUEST,
        act=profile.act,
        item=item,
        purpose=profile.purpose,
        requester=REQUESTER,
        acting=profile.acting,
        recipients=(person,),
        at=at,
        via=via,
        method=method,
        copies=int(profile.act == "copy"),
        office=office,
    )
