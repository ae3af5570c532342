"""The closed words of an agreement file: what a lawyer may write, and nothing else.

Rules of this file:

- A word is here when something in the code gives it meaning. ``spec/agreement.md`` says what each one means.
- Words are added at the end of their list and never renamed: a file that was agreed keeps its digest and its meaning.
- Nothing here is special to a country, a ministry or a treaty.
"""

from __future__ import annotations

from typing import Literal

Provenance = Literal["P", "S", "K"]
"""How far a clause has been checked: P read in the primary text, S in a secondary source, K not yet checked."""

Form = Literal["oral", "visual", "electronic", "magnetic", "documentary", "equipment", "technology"]
"""The form in which information is provided."""

Act = Literal[
    "give",
    "show",
    "pass-on",
    "open",
    "use-for",
    "copy",
    "translate",
    "extract",
    "reclassify",
    "return",
    "destroy",
    "visit",
    "inspect",
    "export-evidence",
    "hand-over",
    "feed",
]
"""What somebody wants to do with an item. Showing leaves no copy behind; giving does."""

GIVING_ACTS: frozenset[Act] = frozenset({"give", "show", "visit", "feed"})
"""Acts by which something new is provided; they need the agreement in force under every reading."""

ONWARD_ACTS: frozenset[Act] = frozenset({"show", "pass-on"})
"""Acts of a holder by which what was received gets to people who did not have it."""

ACCESS_ACTS: frozenset[Act] = frozenset({"open", "use-for", "copy", "translate", "extract"})
"""Acts by which a person gets at what an item says; the categories of its label bite on them."""

Requirement = Literal["clearance", "need-to-know", "briefing", "facility"]
"""What a rule may ask of the person who receives, opens or handles an item."""

Beneficiary = Literal["party", "third-party", "third-national"]
"""Who gains by an act: somebody of the parties, somebody of or serving another body, a national of another state."""

Employer = Literal["party", "contractor"]
"""Who employs a person: the party itself (a government, where the party is a state) or a firm working for it."""

Holder = Literal["originator", "recipient"]
"""Whether the side that acts is the one the item comes from, or one that was given it."""

Relation = Literal["original", "copy", "translation", "extract", "contains"]
"""How an item came from its ancestors."""

Consenter = Literal["originator", "every-party", "named"]
"""Whose prior written consent a rule asks for; `named` are the parties that the rule itself names."""

BoundTo = Literal["item-and-recipient", "item", "site", "party"]
"""What one attestation of a checklist speaks about; it counts for nothing else."""

Approver = Literal["originating-office"]
"""Whose approval counts, where not anybody's does: somebody's of the office in which the item originated."""

Attester = Literal["recipient", "originator", "either"]
"""Whose word counts on a checklist: the recipient's party's, the originator's, or that of any party."""

Role = Literal["originator", "recipient", "both", "visiting-authority", "host-authority", "carrier", "either"]
"""Who owes an obligation, or to whom it is owed. Roles belong to an item, not to a party."""

Event = Literal[
    "always",
    "designation-changed",
    "law-changed",
    "law-requested",
    "received",
    "derivative-made",
    "pass-on-wanted",
    "other-use-wanted",
    "level-changed",
    "level-change-notified",
    "purpose-ended",
    "hand-over-wanted",
    "visit-wanted",
    "visit-permitted",
    "hands-changed",
    "contractor-release-wanted",
    "inspection-due",
    "loss-suspected",
    "investigation-ended",
    "end-wanted",
    "agreement-ended",
    "recalled",
    "returned",
    "destroyed-in-crisis",
    "passed-on",
    "consent-wanted",
    "clearance-ended",
    "visit-asked",
    "visit-ended",
    "finding-made",
    "contractor-inspected",
    "review-due",
    "dispute-opened",
    "loss-on-third-ground",
    "destroyed",
]
"""What opens a duty."""

EVENTS_OF_ACT: dict[Act, tuple[Event, ...]] = {
    "give": ("received", "hands-changed"),
    "pass-on": ("received", "hands-changed", "passed-on"),
    "copy": ("derivative-made",),
    "translate": ("derivative-made",),
    "extract": ("derivative-made",),
    "reclassify": ("level-changed",),
    "return": ("hands-changed", "returned"),
    "destroy": ("destroyed",),
    "visit": ("visit-permitted",),
}
"""The events that an act brings about; other events come about otherwise (a loss, a change of law)."""

Deed = Literal[
    "notify",
    "mark",
    "ask-consent",
    "keep-register",
    "keep-inventory",
    "re-mark",
    "return-or-destroy",
    "assure",
    "request-visit",
    "brief-site",
    "give-receipt",
    "meet-checklist",
    "inspect-site",
    "investigate",
    "report",
    "protect",
    "give-notice",
    "answer-recall",
    "return-receipt",
    "answer-request",
    "end-access",
    "answer-visit",
    "report-visit",
    "close-finding",
    "review-level",
    "consult",
    "name-officer",
]
"""What discharges a duty."""

Method = Literal[
    "burn",
    "shred",
    "pulp",
    "disintegrate",
    "melt",
    "crush",
    "dismantle",
    "alter",
    "overwrite",
    "degauss",
    "erase-key",
]
"""How something is destroyed: papers, media, equipment, and what is sealed to a key."""

Within = Literal["immediately", "promptly", "as-appropriate", "before", "at-receipt", "at-creation", "continuous"]
"""A limit of time that carries no number. A number is written as an ISO 8601 duration; none is ever invented."""

Measured = Literal[
    "visit-lead",
    "inspection",
    "inventory",
    "recurring-visit",
    "keep-names",
    "erase-names",
    "keep-titles",
    "erase-titles",
    "keep-payloads",
    "erase-payloads",
]
"""What an interval measures: how long before it begins a visit is asked for; after what time a contractor's site is
inspected again, or copies are counted again; how long a recurring visit may be permitted for; how long something is
kept."""
RETAINED: tuple[Measured, ...] = (
    "keep-names",
    "erase-names",
    "keep-titles",
    "erase-titles",
    "keep-payloads",
    "erase-payloads",
)
"""How long what can be erased is kept at least, and when it is gone at the latest: names of people from the day they
left, titles and sealed payloads of items from the end of the last copy."""

Response = Literal["alarm", "freeze", "consult"]
"""What a side does when it holds the proof that the other signed two histories: it is told; nothing more is given; the
parties consult."""

Entry = Literal["later-of-notices", "on-signature", "deposit-plus", "notices-plus"]
WAITING_ENTRIES: frozenset[Entry] = frozenset({"deposit-plus", "notices-plus"})
"""Entries into force that come a time after the last act."""
EntryDay = Literal["first-of-month"]
Renewal = Literal["automatic", "by-consent", "none"]
NoticeForm = Literal["written", "any"]
Channel = Literal["diplomatic", "any"]
Counting = Literal["before-anniversary", "before-last-day", "both-days-count"]
Survival = Literal["protection-continues", "none"]

LegalForce = Literal["treaty", "arrangement", "contract", "none"]
LayerKind = Literal["arrangement", "domestic", "house"]
PartyKind = Literal["state", "organisation", "command"]
Language = Literal["en", "ja", "ko"]
