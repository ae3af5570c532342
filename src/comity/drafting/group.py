"""The template `group`: organisations that share information among themselves under marks that all use.

It fits teams that answer incidents, hospitals that share a study, firms with one contractor. Who may have what outside
the group follows from each mark.
"""

from __future__ import annotations

from collections.abc import Iterable

from comity.agreement.digest import Written
from comity.drafting.answers import GroupAnswers, Mark, Onward
from comity.drafting.rows import Rows
from comity.drafting.state import ACCESS, HANDLING, scope_keys
from comity.drafting.term import term_clauses, term_rows

ENTRY, CHANNEL = "on-signature", "any"
"""How a group begins and tells, unless the answers say otherwise."""
GAINING = (*HANDLING, "export-evidence")
"""The acts by which somebody outside may gain; a group has no sites to visit."""
_ONWARD: dict[Onward, str] = {
    "never": "does not leave the group",
    "consent": "leaves the group with the originator's prior written consent",
    "free": "may leave the group",
}


def group_draft(answers: GroupAnswers, opening: tuple[str, ...]) -> str:
    """The text of a draft agreement of a group."""
    rows = Rows(*opening)
    named = answers.agreement
    rows.agreement(named, kind="information-sharing", legal_force="contract")
    for member in answers.members:
        rows.party(member, kind="organisation")
    rows.add("[scope]", clause="2", **scope_keys(answers.scope))
    rows.section("levels")
    for index, mark in enumerate(answers.marks):
        number = len(answers.marks) - index
        rows.add("[[level]]", party="all", mark=mark.mark, rank=number, english=mark.mark, clause="3")
    rows.add("[marking]", clause="3", providing_name=True, own_equivalent=False)
    rows.section("clauses")
    _clauses(rows, answers)
    rows.section("rules")
    _rules(rows, answers)
    rows.section("duties")
    _duties(rows, answers)
    rows.section("term")
    term_rows(rows, answers.term, answers.members[0].timezone, "12", entry=ENTRY, channel=CHANNEL)
    return rows.text()


def _clauses(rows: Rows, answers: GroupAnswers) -> None:
    rows.clause("1", ("Purpose", "目的", "목적"), "The members share information and protect what they receive.")
    rows.clause("2", ("Scope", "対象", "적용 범위"), "What is shared under these terms.")
    rows.clause(
        "3", ("Marks", "表示", "표시"), "Every item bears one of the marks that all members use, and its giver's name."
    )
    onward = {mark.onward for mark in answers.marks}
    says = "; ".join(f"what bears some of the marks {_ONWARD[each]}" for each in _ONWARD if each in onward)
    rows.clause(
        "4", ("Outside the group", "グループ外", "그룹 외부"), f"{says[:1].upper()}{says[1:]}. Each mark says which."
    )
    other = "with the originator's prior written consent" if answers.rules.other_use == "consent" else "never"
    rows.clause(
        "5", ("Purposes", "目的外使用", "목적 외 사용"), f"Used for another purpose than it was given for {other}."
    )
    rows.clause(
        "6",
        ("Access", "閲覧", "열람"),
        "Within a member, those have it who need it for their work, where the mark asks that.",
    )
    rows.clause(
        "7", ("Release", "提供の承認", "제공의 승인"), "Where the mark asks that, other people approve each release."
    )
    rows.clause(
        "8",
        ("End of use", "使用の終了", "사용의 종료"),
        "What is no longer needed is returned or destroyed; the originator tells of a change of mark.",
    )
    rows.clause(
        "9",
        ("Incidents", "事故", "사고"),
        "Of any loss or leak, or a possible one, the member tells the originator, investigates, and reports.",
    )
    rows.clause(
        "10",
        ("Contacts and copies", "連絡先及び目録", "연락처 및 목록"),
        "Members name contacts and know their copies.",
    )
    rows.clause("11", ("Disputes", "紛争", "분쟁"), "Settled by consultation between the members.")
    term_clauses(rows, answers.term, "12", entry=ENTRY)


def _marks(marks: Iterable[Mark], onward: Onward) -> list[Written]:
    return [mark.mark for mark in marks if mark.onward == onward]


def _rules(rows: Rows, answers: GroupAnswers) -> None:
    members: Written = [member.id for member in answers.members]
    outside: Written = ["third-party"]
    rows.rule("give", "2", ["give", "show"], when={"recipient": members}, permits=True)
    if any(mark.onward != "never" for mark in answers.marks):
        rows.rule("pass-on", "4", ["pass-on"], permits=True)
        rows.rule("show-outside", "4", ["show"], when={"beneficiary": outside}, permits=True)
    rows.rule("access", "6", ACCESS, permits=True)
    rows.rule("reclassify", "8", ["reclassify"], when={"holder": "originator"}, permits=True)
    rows.rule("return-or-destroy", "8", ["return", "destroy"], when={"holder": "recipient"}, permits=True)
    rows.rule("export-evidence", "10", ["export-evidence"], permits=True)
    if never := _marks(answers.marks, "never"):
        rows.rule("never-outside", "4", GAINING, when={"beneficiary": outside, "level": never}, forbids=True)
    if asked := _marks(answers.marks, "consent"):
        rows.rule(
            "outside-by-consent", "4", GAINING, when={"beneficiary": outside, "level": asked}, consent="originator"
        )
    effect: dict[str, Written] = {"consent": "originator"}
    if answers.rules.other_use == "forbidden":
        effect = {"forbids": True}
    rows.rule("other-use", "5", HANDLING, when={"other-purpose": True}, **effect)
    if needed := [mark.mark for mark in answers.marks if mark.need_to_know]:
        rows.rule("need-to-know", "6", ACCESS, when={"level": [*needed]}, requires=["need-to-know"])
    if answers.rules.briefing:
        rows.rule("briefing", "6", ACCESS, requires=["briefing"])
    for number in sorted({mark.approvals for mark in answers.marks} - {0}):
        marks: list[Written] = [mark.mark for mark in answers.marks if mark.approvals == number]
        rows.rule(f"approvals-{number}", "7", ["give", "show", "pass-on"], when={"level": marks}, approvals=number)


def _duties(rows: Rows, answers: GroupAnswers) -> None:
    loss = answers.rules.loss
    rows.duties(
        (
            (
                "end-of-use",
                "8",
                "purpose-ended",
                "recipient",
                "return-or-destroy",
                "originator",
                "as-appropriate",
                "the record",
            ),
            ("tell-mark", "8", "level-changed", "originator", "notify", "recipient", "promptly", "the notice"),
            (
                "re-mark",
                "8",
                "level-change-notified",
                "recipient",
                "re-mark",
                "originator",
                None,
                "the record of re-marking",
            ),
            ("tell-incident", "9", "loss-suspected", "recipient", "notify", "originator", loss, "the notice"),
            (
                "investigate",
                "9",
                "loss-suspected",
                "recipient",
                "investigate",
                None,
                None,
                "the investigation as opened",
            ),
            ("report-incident", "9", "investigation-ended", "recipient", "report", "originator", None, "the result"),
            ("contacts", "10", "designation-changed", "both", "notify", "both", None, "the notice"),
            ("inventory", "10", "always", "both", "keep-inventory", None, "continuous", "the inventory"),
            ("consult", "11", "dispute-opened", "both", "consult", "both", None, "the position, or the settlement"),
            ("notice", "12.2", "end-wanted", "either", "give-notice", "both", "before", "the notice"),
        )
    )
    if answers.term.survival == "protection-continues":
        rows.survival("12.3")
    if answers.rules.inventory:
        rows.add("[[interval]]", of="inventory", clause="10", length=answers.rules.inventory)
