"""A casebook tried on an agreement: what was expected of each case, what comes out, and what nothing would notice.

Rules of this file (``spec/casebook.md``):

- A case agrees when its outcome is the one expected, and when everything agrees that was written of it besides:
  what it rests on, what warns, what it obliges to. Those are compared as sets, whole.
- Nothing is recorded, and nobody is asked: a trial is arithmetic.
- What could be deleted from the agreement without any case coming out otherwise is what no case shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.model import Agreement
from comity.decision import model
from comity.decision.casebook import Casebook, Happening, Posed
from comity.decision.casebook import Standing as Word
from comity.decision.compiled import Compiled
from comity.decision.decide import decide

Stands = Callable[[str, Word, model.Case], model.Standing]
"""How an agreement, by its id, stands at the instant of a case; the acknowledgements are the trial's own."""


class Line(Struct, frozen=True, kw_only=True):
    """One case and what came of it.

    Attributes:
        case: its id.
        says: what its writer said of it.
        act: what was asked; the event, where something happens.
        expected: the outcome expected; ``duties`` for an event.
        found: the outcome found.
        agrees: everything that was expected came out.
        rests_on: the clauses that the outcome rests on, or codes where no clause is cited.
        warns: likewise, what warns.
        duties: ids of the obligations it opens.
        differs: what came out otherwise, one sentence each.
    """

    case: str
    says: str
    act: str
    expected: str
    found: str
    agrees: bool
    rests_on: tuple[str, ...]
    warns: tuple[str, ...]
    duties: tuple[str, ...]
    differs: tuple[str, ...] = ()


def try_casebook(
    compiled: Compiled, casebook: Casebook, stands: Stands, beside: Sequence[Compiled] = ()
) -> tuple[Line, ...]:
    """Every case and every event, in the order of the casebook.

    Args:
        compiled: the agreement with the layers that are tried.
        casebook: checked against it.
        stands: how agreements stand.
        beside: other agreements, for what was provided under them.

    Raises:
        Misuse: an item has too many ancestors.
    """
    cases = (_tried(compiled, posed, stands, beside) for posed in casebook.posed)
    return (*cases, *(_happened(compiled, each) for each in casebook.happenings))


def unnoticed(
    compiled: Compiled,
    casebook: Casebook,
    stands: Stands,
    again: Callable[[Agreement], Compiled],
    beside: Sequence[Compiled] = (),
) -> tuple[str, ...]:
    """What could be deleted from the agreement, one thing at a time, with every case coming out as expected.

    Args:
        compiled: the agreement, on which all cases agree.
        casebook: the cases.
        stands: how agreements stand.
        again: compiles a text that lacks something, with the same layers.
        beside: other agreements.

    Returns:
        Names such as ``rule third-party``, ``checklist assurance``, ``obligation o-17`` and ``[route]``.
    """
    found = []
    for name, text in without_each(compiled.agreement):
        lines = try_casebook(again(text), casebook, stands, beside)
        if all(line.agrees for line in lines):
            found.append(name)
    return tuple(found)


def without_each(agreement: Agreement) -> Iterator[tuple[str, Agreement]]:
    """The agreement without each thing that does something, by the name of what is gone.

    The digest stays: whoever acknowledged the agreement has acknowledged what is tried.
    """
    rules = agreement.rules
    for rule in rules:
        yield f"rule {rule.id}", replace(agreement, rules=tuple(each for each in rules if each is not rule))
    for checklist in agreement.checklists:
        lists = tuple(each for each in agreement.checklists if each is not checklist)
        asking = tuple(each for each in rules if each.checklist != checklist.id)
        yield f"checklist {checklist.id}", replace(agreement, checklists=lists, rules=asking)
        for condition in checklist.conditions if len(checklist.conditions) > 1 else ():
            shorter = replace(checklist, conditions=tuple(each for each in checklist.conditions if each != condition))
            lists = tuple(shorter if each is checklist else each for each in agreement.checklists)
            yield f"condition {condition} of checklist {checklist.id}", replace(agreement, checklists=lists)
    for obligation in agreement.obligations:
        kept = tuple(each for each in agreement.obligations if each is not obligation)
        yield f"obligation {obligation.id}", replace(agreement, obligations=kept)
    if agreement.route is not None:
        yield "[route]", replace(agreement, route=None)
    for basis in agreement.protection_bases:
        bases = tuple(each for each in agreement.protection_bases if each is not basis)
        yield f"protection-basis {basis.agreement}", replace(agreement, protection_bases=bases)
    for key in ("subjects", "categories", "purposes", "forms"):
        if getattr(agreement.scope, key) is not None:
            yield f"scope.{key}", replace(agreement, scope=replace(agreement.scope, **{key: None}))


def stands_as(agreement: Agreement, word: Word) -> model.Standing:
    """How an agreement stands that is in force, has ended, or is neither; ``history`` is the caller's to say."""
    force = word == "in-force"
    protected = force or (word == "ended" and agreement.term.survival == "protection-continues")
    readings = tuple(model.Reading(party=party.id, in_force=force, protection=protected) for party in agreement.parties)
    return model.Standing(agreement=agreement.id, readings=readings, acknowledgements=())


# ---- one case -------------------------------------------------------------------------------------------------------


def _tried(compiled: Compiled, posed: Posed, stands: Stands, beside: Sequence[Compiled]) -> Line:
    told = posed.told
    standing = _acknowledged(stands(compiled.id, posed.standing, posed.case), compiled, posed.acknowledged)
    texts = {each.id: each for each in beside}
    others = tuple(
        _acknowledged(stands(name, word, posed.case), texts[name], texts[name].party_ids)
        for name, word in sorted(posed.beside.items())
    )
    facts = replace(posed.case.facts, standings=(standing, *others))
    outcome = decide(compiled, replace(posed.case, facts=facts), beside)
    found = str(type(outcome).__struct_config__.tag)
    against = [each for each in outcome.reasons if each.effect in {"needs", "lacks", "forbids"}]
    permitting = [each for each in outcome.reasons if each.code == "permitted"]
    resting = against or permitting
    warning = [each for each in outcome.reasons if each.effect == "warns"]
    duties = tuple(dict.fromkeys(duty.obligation for duty in outcome.duties))
    differs = [] if found == told.expect else [f"{told.expect} was expected, and it is {found}"]
    differs += _differs("rests on", told.because, resting, compiled.id)
    differs += _differs("warns of", told.warns, warning, compiled.id)
    if told.duties is not None and set(told.duties) != set(duties):
        differs.append(f"opens {_listed(duties)}, not {_listed(told.duties)}")
    return Line(
        case=told.id,
        says=told.says,
        act=told.act,
        expected=told.expect,
        found=found,
        agrees=not differs,
        rests_on=tuple(dict.fromkeys(name_of(each, compiled.id) for each in resting)),
        warns=tuple(dict.fromkeys(name_of(each, compiled.id) for each in warning)),
        duties=duties,
        differs=tuple(differs),
    )


def _acknowledged(standing: model.Standing, compiled: Compiled, parties: Sequence[str]) -> model.Standing:
    said = tuple(model.Acknowledgement(party, compiled.digest) for party in parties)
    return replace(standing, acknowledgements=said)


def _happened(compiled: Compiled, happening: Happening) -> Line:
    told = happening.told
    duties = tuple(dict.fromkeys(duty.obligation for duty in compiled.duties_on(told.on, happening.item)))
    agrees = set(duties) == set(told.duties)
    return Line(
        case=told.id,
        says=told.says,
        act=told.on,
        expected="duties",
        found="duties" if duties else "nothing",
        agrees=agrees,
        rests_on=tuple(dict.fromkeys(duty.clause for duty in compiled.duties_on(told.on, happening.item))),
        warns=(),
        duties=duties,
        differs=() if agrees else (f"opens {_listed(duties)}, not {_listed(told.duties)}",),
    )


def name_of(reason: model.Reason, agreement: str) -> str:
    """How a casebook names a reason: by its clause, a layer's with its id before; by its code where none is cited."""
    if not reason.clause:
        return reason.code
    return reason.clause if reason.instrument == agreement else f"{reason.instrument}:{reason.clause}"


def _differs(
    verb: str, expected: Sequence[str] | None, reasons: Sequence[model.Reason], agreement: str
) -> Iterator[str]:
    """What was named and is not there, and what is there and was not named."""
    if expected is None:
        return
    missing = [name for name in expected if not any(_is(name, each, agreement) for each in reasons)]
    surplus = [each for each in reasons if not any(_is(name, each, agreement) for name in expected)]
    if missing:
        yield f"it was expected that it {verb} {_listed(missing)}"
    if surplus:
        shown = dict.fromkeys(_both(each, agreement) for each in surplus)
        yield f"{verb} {_listed(tuple(shown))}, which was not expected"


def _is(name: str, reason: model.Reason, agreement: str) -> bool:
    """Whether a name means a reason: a clause, a code, or both (``6.a consent-missing``)."""
    return name in {name_of(reason, agreement), reason.code, _both(reason, agreement)}


def _both(reason: model.Reason, agreement: str) -> str:
    return f"{name_of(reason, agreement)} {reason.code}" if reason.clause else reason.code


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
