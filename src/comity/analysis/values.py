"""The values that agreements name, one more for whatever none of them names, and one combination of them.

Rules of this file (``spec/analysis.md`` step 12):

- What no rule, scope, ladder or party names, no rule can tell from anything else that none names: one stand-in is
  enough. Of purposes there are two, because a rule can ask whether two purposes are the same.
- A ``Profile`` is one combination, with an item and a person. It knows nothing of facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import get_args

from msgspec import Struct

from comity.agreement.equivalence import ladder
from comity.agreement.model import Agreement, Layer, When
from comity.agreement.vocabulary import Act, Employer, Form, Relation
from comity.decision.compiled import Compiled

FORMS: tuple[Form, ...] = get_args(Form)
RELATIONS: tuple[Relation, ...] = get_args(Relation)
EMPLOYERS: tuple[Employer, ...] = get_args(Employer)


class Profile(Struct, frozen=True, kw_only=True):
    """One combination of values: an act with an item, for one person.

    Attributes:
        act: what is done.
        acting: the party whose side acts.
        originator, policy, mark, categories: the label.
        form, subject, relation, recalled, suspected: of the item.
        provided: the purpose it was provided for.
        purpose: the purpose it is done for.
        party, serves, nationality, employer, office, function: of the person.
    """

    act: Act
    acting: str
    originator: str
    policy: str
    mark: str
    form: Form
    subject: str
    provided: str
    purpose: str
    party: str
    serves: str
    nationality: str
    categories: tuple[str, ...] = ()
    relation: Relation = "original"
    recalled: bool = False
    suspected: bool = False
    employer: Employer = "party"
    office: str = ""
    function: str = ""


class Values:
    """What the agreements of a set name, with a stand-in for everything else.

    Attributes:
        parties: ids of all parties, ascending.
        bodies: parties, then bodies that are named, then ``other_body``.
        nations: states whose nationals are a party's own people, then ``other_nation``.
        subjects, purposes, offices, functions: what is named, then what stands for the rest.
        categories: what is named.
        registries: the offices of registries.
        same, other: the two purposes that no text names.
    """

    def __init__(self, agreements: Iterable[Compiled]) -> None:
        texts = [(each, list(conditions_in(each))) for each in agreements]
        files = [each.agreement for each, _ in texts]
        named = [when for _, found in texts for when in found]
        self.parties = _ascending(party.id for file in files for party in file.parties)
        self.registries = _ascending(each.office for file in files for each in file.registries)
        bodies = _ascending(
            chain(
                (body.id for file in files for body in file.bodies),
                *((*(w.originator or ()), *(w.recipient or ()), *(w.serves or ())) for w in named),
            )
        )
        states = _ascending(nation for file in files for party in file.parties for nation in party.nations)
        self.other_body = _unlike("another-body", (*self.parties, *bodies))
        self.other_nation = _unlike("another-state", (*states, *self.parties, *bodies))
        self.bodies = (*self.parties, *(each for each in bodies if each not in self.parties), self.other_body)
        self.nations = (*states, self.other_nation)
        purposes = _ascending(chain(*((*(f.scope.purposes or ()),) for f in files), *(w.purpose or () for w in named)))
        self.same = _unlike("the-purpose-it-was-given-for", purposes)
        self.other = _unlike("another-purpose", purposes)
        self.purposes = (*purposes, self.same, self.other)
        subjects = _ascending(chain(*((*(f.scope.subjects or ()),) for f in files), *(w.subject or () for w in named)))
        self.subjects = (*subjects, _unlike("another-subject", subjects))
        self.categories = _ascending(
            chain(*((*(f.scope.categories or ()),) for f in files), *(w.category or () for w in named))
        )
        offices = _ascending(chain(self.registries, *(w.body or () for w in named)))
        self.offices = (*offices, _unlike("another-office", offices))
        functions = _ascending(chain(*(w.function or () for w in named)))
        self.functions = (*functions, _unlike("another-function", functions))
        self.clearances = {
            party: _ascending(
                level.mark for each, _ in texts for level in ladder(each.agreement, party) if party in each.parties
            )
            for party in self.parties
        }


def texts_of(compiled: Compiled) -> tuple[Agreement | Layer, ...]:
    """An agreement with its layers."""
    return (compiled.agreement, *compiled.layers)


def conditions_in(compiled: Compiled) -> Iterator[When]:
    """Every ``when`` and ``unless`` of its rules."""
    for text in texts_of(compiled):
        for rule in text.rules:
            yield from (each for each in (rule.when, rule.unless) if each is not None)


def _ascending(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _unlike(word: str, known: Iterable[str]) -> str:
    """``word``, made unlike every known one."""
    taken = set(known)
    while word in taken:
        word = f"yet-{word}"
    return word
