"""The template `arrangement`: the numbers and stricter rules of an implementing arrangement under an agreement.

It is a layer: it permits nothing, cites its own clauses, and is never looser than what it stands on.
"""

from __future__ import annotations

from msgspec.structs import replace

from comity.agreement.model import Agreement
from comity.drafting.answers import ArrangementAnswers
from comity.drafting.rows import Rows, texts
from comity.drafting.state import ACCESS, HANDLING
from comity.explanation.voice import Voice, length_in


def arrangement_draft(answers: ArrangementAnswers, agreement: Agreement, opening: tuple[str, ...]) -> str:
    """The text of a draft arrangement that stands on `agreement`."""
    rows = Rows(*opening)
    named, rules = answers.layer, answers.rules
    rows.add(
        "[layer]",
        format=1,
        id=named.id,
        version=named.version,
        kind="arrangement",
        on=agreement.id,
        title=texts(named.title),
    )
    rows.clause(
        "1", ("What this is", "性格", "성격"), f"It adds to {agreement.id}, permits nothing, and loosens nothing."
    )
    _limits(rows, answers, agreement)
    for number, of, heading, length, says in (
        (
            "3.1",
            "visit-lead",
            ("Visits", "訪問", "방문"),
            rules.visit_lead,
            "A visit is asked for {x} before it begins.",
        ),
        (
            "3.2",
            "recurring-visit",
            ("Recurring visits", "反復訪問", "반복 방문"),
            rules.recurring_visit,
            "A recurring visit is permitted for {x} at most.",
        ),
        (
            "3.3",
            "inspection",
            ("Inspections", "検査", "점검"),
            rules.inspection,
            "A contractor's site is inspected again within {x}.",
        ),
        (
            "3.4",
            "inventory",
            ("Inventory", "点検", "재고 조사"),
            rules.inventory,
            "Copies are counted again within {x}.",
        ),
    ):
        if length:
            rows.clause(number, heading, says.format(x=length_in(length, "en")))
            rows.add("[[interval]]", of=of, clause=number, length=length)
    if rules.witness_from:
        others = "one other person" if rules.witnesses == 1 else f"{rules.witnesses} other people"
        rows.clause("4", ("Witnesses", "立会い", "입회"), f"From {rules.witness_from}, {others} witness a destruction.")
        at_least = {"level-at-least": rules.witness_from}
        rows.rule("witnesses", "4", ["destroy"], when={**at_least}, witnesses=rules.witnesses)
    if rules.approvals_from:
        others = "one other person approves" if rules.approvals == 1 else f"{rules.approvals} other people approve"
        rows.clause("5", ("Approvals", "承認", "승인"), f"From {rules.approvals_from}, {others} each release.")
        at_least = {"level-at-least": rules.approvals_from}
        rows.rule("approvals", "5", ["give", "show", "pass-on"], when={**at_least}, approvals=rules.approvals)
    if rules.methods:
        rows.clause(
            "6", ("Methods", "破棄の方法", "파기 방법"), f"Destroyed by these alone: {', '.join(rules.methods)}."
        )
        rows.rule("methods", "6", ["destroy"], methods=list(rules.methods))
    if rules.suspend_on_incident:
        rows.clause(
            "7",
            ("Nothing meanwhile", "調査中の停止", "조사 중 정지"),
            "While an incident is open, what it touches is neither opened, used, made more of, shown nor passed on.",
        )
        rows.rule("suspended", "7", [*ACCESS, "show", "pass-on"], when={"suspected": True}, forbids=True)
    if rules.stop_on_recall:
        rows.clause("8", ("Recall", "回収", "회수"), "Nothing more is given, shown or made of what is asked back.")
        acts = [act for act in HANDLING if act not in {"open", "use-for"}]
        rows.rule("recalled", "8", acts, when={"recalled": True}, forbids=True)
    return rows.text()


def _limits(rows: Rows, answers: ArrangementAnswers, agreement: Agreement) -> None:
    duties = {duty.id: duty for duty in agreement.obligations}
    headings = {clause.id: clause.heading for clause in agreement.clauses}
    voice = Voice("en", agreement)
    for number, limit in enumerate(answers.limits, start=1):
        duty = duties[limit.obligation]
        heading, clause = headings[duty.clause], f"2.{number}"
        says = voice.obligation(agreement, replace(duty, within=limit.within)).text
        rows.clause(clause, (heading.en, heading.ja or heading.en, heading.ko or heading.en), says)
        rows.add("[[deadline]]", obligation=duty.id, clause=clause, within=limit.within)
