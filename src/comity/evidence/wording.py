"""Sentences for people: what a line of the story says, how far it is proved, and on whose word it rests.

Rules of this file:

- A sentence belongs to a code, in a table; ``{party}`` is who said it, ``{0}``, ``{1}`` … are the line's parameters.
- A sentence of an attested line says "says" or names a statement; it never makes one party's word sound like more.
- A sentence is lowercase, without a full stop, and names no person but by pseudonym or id.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.evidence.model import Group
from comity.evidence.story import Ground, Line

LINES: Mapping[str, str] = {
    "agreement/1": "{party} runs {0} under the digest {1:.16}…",
    "person/1": "{party} has {0} as {1} ({2})",
    "item/1": "{party} registered item {0}, marked {1}",
    "release-request/1": "{0} asked {party} that {1} be given to {2}, for {3!r}",
    "approval/1": "{0} {1} request {2} at {party}: {3!r}",
    "marking/1": "{0} marked {1} as {2} at {party}",
    "decision/1": "{party} decided on {0!r} of {1}: {2}",
    "acknowledgement/1": "{party} acknowledged the text of {0} with the digest {1:.16}…",
    "directory/1": "{party} lists {0} as {1} ({2})",
    "assurance-request/1": "{party} asked to be assured about {1} before handing {0} over, for {2!r}",
    "assurance/1": "{0} at {party} {1} the assurance about {2} {3!r}",
    "consignment/1": "{party} gave {0}, marked {1}, for {4!r}, to {3}{marked}",
    "receipt/1": "{party} received {0} whole, as copy {1}",
    "opening/1": "{party} says that {0} opened copy {1}, for {2!r}",
    "unopenable/1": "{party} says that copy {0} does not open ({1}): {2}",
    "verdict/1": "{party} returned record {0:.16}… ({1}): {2}",
    "reproduction/1": "{party} says that {0} made copy {2} from copy {1}, marked {3}",
    "hand-over/1": "{party} says that {0} handed copy {1} over to {2}",
    "carriage/1": "{party} says that {0} carried copy {1}",
    "take-over/1": "{0} at {party} signed for copy {1}: {2!r}",
    "copy-lost/1": "{party} says that copy {1} is lost, as {0} reported: {2!r}",
    "copy-found/1": "{party} says that copy {1} is there again, as {0} reported: {2!r}",
    "derivation/1": "{party} says that {0} made {2} as {1} of {3}",
    "reclassification/1": "{0} at {party} marked {1} as {2}: {3!r}",
    "level-change/1": "{0} at {party} gave notice that {1} is marked {2}: {3!r}",
    "re-marking/1": "{party} says that it marked {0} as {1}, copies {2}",
    "purpose-ended/1": "{party} says that {0} needs {1} no more: {2!r}",
    "recall/1": "{0} at {party} recalled {1} ({2}): {3!r}",
    "recall-lifted/1": "{0} at {party} recalls {1} no more: {2!r}",
    "return/1": "{party} says that {0} sent copy {1} back: {2!r}",
    "return-receipt/1": "{0} at {party} signed for copy {1}, which came back",
    "destruction/1": "{party} says that {0} destroyed copy {1} ({2}): {3!r}",
    "destruction-witness/1": "{party} says that {0} {2} the destruction of copy {1}: {3!r}",
    "consent-wanted/1": "somebody of {party} wanted consent to {0} with {1}, for {2}, for {3!r}",
    "consent-request/1": "{party} asked for consent to {0} with {1}, for {2}, for {3!r}",
    "consent/1": "{0} at {party} {1} to {2}, for {3}, for {4!r}",
    "shown/1": "{party} says that {0} showed {1} ({2}) to {3}, for {4!r}",
    "pass-on/1": "{party} says that {0} passed copy {1} on to {2}, for {3!r}",
    "pass-on-receipt/1": "{party} says that {0} has the receipt for copy {1}: {2!r}",
    "outlay/1": "{party} noted what it spent on {0}",
    "key-rotation/1": "{party} signs with other keys from here on, and stands by what it said before",
    "own-keys/1": "{party} signs with other keys from here on, and stands by what it said before",
    "same-agreement": "both parties acknowledged the same text of {0}, digest {1:.16}…",
    "basis": "{0} of {party} commits to decision {1:.16}…, so that it was not made up afterwards",
}
"""The sentence of every line, by its code."""

GROUNDS: Mapping[Ground, str] = {
    "both-parties": "signed by both parties",
    "witnessed": "signed, and cosigned by the other party",
    "replayed": "decided again here, the same byte for byte",
    "anchored": "fixed by a commitment in a cosigned record",
    "one-party": "signed by one party alone",
}
"""What carries a line, in a few words."""

GROUPS: Mapping[Group, str] = {
    "items": "the item's registration",
    "people": "who the people of the house are, and their keys",
    "requests": "who asked for the release",
    "approvals": "who approved it, and why",
    "permits": "the decision that permitted it",
    "access": "decisions about who may open it",
    "other-decisions": "other decisions about it",
    "markings": "who chose its mark",
    "directory": "the functions that received or signed",
    "assurances": "what was assured about the recipients",
    "openings": "who opened it",
}
"""What a group of withheld records is about; ``comity evidence export --withhold`` takes these words."""


def line_wording(line: Line) -> str:
    """One sentence about what was said or done."""
    marked = f", marked there {line.parameters[2]}" if line.code == "consignment/1" and line.parameters[2] else ""
    return LINES[line.code].format(*line.parameters, party=line.party, marked=marked).removesuffix(" ''")


def ground_wording(line: Line) -> str:
    """What carries the line and, where it is attested, on whose word it rests that it is true."""
    said = GROUNDS[line.ground]
    return f"{said}; that it is so is the word of {line.word_of}" if line.word_of else said
