"""Duties in plain words: what each deed is, on each event, and what to type so that it is done.

One table. A deed on an event that has no line of its own reads as the deed alone; a text that adds events and deeds in
other combinations is still readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from comity.agreement.vocabulary import Deed, Event
from comity.register.rows.duties import DutiesRow, Duty

LOOKING = (
    "comity consent list",
    "comity person list",
    "comity register",
    "comity clearance list",
    "comity agreement notice",
)
"""Commands that nobody signs."""


class Words(NamedTuple):
    """What is to be done, and the command for it; ``{item}``, ``{subject}`` … stand for what is known."""

    says: str
    command: str


WORDS: Mapping[tuple[Deed, Event] | Deed, Words] = {
    "notify": Words("tell the other side in writing", ""),
    ("notify", "designation-changed"): Words(
        "tell the other side which authority is competent",
        "comity authority designate NAME --since DAY --note ID",
    ),
    ("notify", "law-changed"): Words(
        "tell the other side of the change of law",
        "comity law notify TITLE --in-force DAY --says TEXT --note ID",
    ),
    ("notify", "law-requested"): Words(
        "tell the other side its laws on protection, as it asked",
        "comity law answer {subject} --says TEXT --note ID",
    ),
    ("notify", "level-changed"): Words("tell the recipient in writing of the change of level", ""),
    ("notify", "loss-suspected"): Words(
        "tell the originator of the loss or compromise, actual or possible",
        "comity incident report --item {item} --what WHAT --circumstances TEXT",
    ),
    "mark": Words("put the provider's name and our own equivalent mark on it", "comity inbox mark {item} MARK"),
    ("mark", "derivative-made"): Words(
        "mark what was made from it with its level, and that it contains the other side's information", ""
    ),
    "ask-consent": Words(
        "ask the originator's written consent, and wait for it",
        "comity consent list",
    ),
    ("ask-consent", "pass-on-wanted"): Words(
        "ask the originator before it is passed on, and wait for the answer",
        "comity consent list",
    ),
    ("ask-consent", "other-use-wanted"): Words(
        "ask the originator before it is used for anything else, and wait for the answer",
        "comity consent list",
    ),
    "keep-register": Words("keep the register of persons who are cleared and authorised", "comity person list"),
    "name-officer": Words(
        "name a qualified officer at each facility, with responsibility and authority",
        "comity facility officer SITE HANDLE",
    ),
    "keep-inventory": Words("know what there is, where it is, and who has it", "comity muster begin"),
    "re-mark": Words("re-mark every copy and everything made from it", "comity inbox mark {item} MARK"),
    "return-or-destroy": Words(
        "return or destroy it, now that its purpose has ended", "comity return {item} --copy N --reason WHY"
    ),
    "assure": Words(
        "assure the originator about each recipient before anything is handed over", "comity assure {last}"
    ),
    "request-visit": Words("ask the host authority for permission for the visit", "comity visit ask --facility SITE"),
    "brief-site": Words(
        "tell the site about the visit: topic, scope and the highest level that may be shown",
        "comity visit approve {subject}",
    ),
    "give-receipt": Words("sign for it, and send the receipt back to the sender", "comity take-over {item}"),
    "meet-checklist": Words(
        "secure every condition for the contractor's site before release",
        "comity assure {last}",
    ),
    "inspect-site": Words("inspect the site", "comity facility inspect {first} --findings TEXT"),
    "investigate": Words("open an investigation", "comity incident investigate {subject} --note TEXT"),
    "report": Words(
        "send the result, and the measures against recurrence",
        "comity incident result {subject} --result TEXT --measures TEXT",
    ),
    "protect": Words("go on protecting what was provided, for as long as it is kept", "comity register"),
    "answer-recall": Words(
        "return or destroy every copy of what is recalled, and of what was made from it",
        "comity return {item} --copy N --reason WHY",
    ),
    "return-receipt": Words("sign for what was returned", "comity return receive {item} --copy N"),
    "answer-request": Words("grant or refuse what was asked", "comity consent grant {last} --reason WHY"),
    "end-access": Words("end the access of a person whose clearance has ended", "comity clearance list"),
    "answer-visit": Words("permit or refuse the visit", "comity visit approve {subject}"),
    "report-visit": Words(
        "record what was shown during the visit, and what was found", "comity visit end {subject} --report TEXT"
    ),
    "close-finding": Words("mend what was found, and say so", "comity visit close {first} {last} --evidence TEXT"),
    "review-level": Words(
        "review the level, and keep or change it",
        "comity reclassify {item} --to MARK --reason WHY --review DAY",
    ),
    "consult": Words("take a position, and consult", "comity dispute answer {subject} --says TEXT"),
    "give-notice": Words("give written notice to the other side", "comity agreement notice"),
}
"""By deed and event, or by deed alone."""

RECEIPTS: Mapping[str, str] = {
    "hand-over/1": "comity take-over {item} --copy {copy}",
    "return/1": "comity return receive {item} --copy {copy}",
    "pass-on/1": "comity pass-on receipt {item} --copy {copy} --receipt TEXT",
}
"""How a receipt is given, by the type of the record by which one copy changed hands."""


def _words(duty: Duty) -> Words:
    return WORDS.get((duty.deed, duty.event)) or WORDS[duty.deed]


def plain_words(duty: Duty) -> str:
    """What is to be done."""
    return _words(duty).says


def next_command(row: DutiesRow, duty: Duty, opened_by: str = "", copy: int | None = None) -> str:
    """What to type so that it is done; empty where no one command does it.

    Args:
        row: what the duty is about.
        duty: which one.
        opened_by: the type of the record that opened it, where that makes a difference.
        copy: the copy that record is about.
    """
    known = {
        "copy": copy,
        "item": duty.item or row.subject,
        "subject": row.subject,
        "first": row.subject.partition("/")[0],
        "last": row.subject.rpartition("/")[2],
        "agreement": row.relationship.partition("/")[0],
    }
    receipt = RECEIPTS.get(opened_by) if duty.deed == "give-receipt" else None
    command = (receipt or _words(duty).command).format_map(known)
    return f"{command} --as HANDLE" if command and not command.startswith(LOOKING) else command
