"""What the story's people in Seoul make from what they were given, and what they report of it, signed."""

from __future__ import annotations

from comity.marking.label import Label
from comity.record.bodies import Body, CopyMade, ItemRegistered
from comity.record.bodies.incidents import (
    CopyNamed,
    IncidentClosed,
    IncidentReported,
    IncidentWidened,
    InvestigationEnded,
    InvestigationOpened,
    SuspensionLifted,
)
from comity.record.bodies.lineage import Ancestor, Derived
from comity.record.person_act import unsigned
from comity.register.rows.incidents import IncidentRow
from register.hands import digest as header
from register.hands import given
from register.story import RELATIONSHIP, Story, digest, listed, person, signed

SECOND, THIRD = "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"
OWN = Label(policy="kr", mark=SECOND, originator="jp")
NOTE = "이 번역문은 타방 당사자의 군사비밀정보를 포함함"


def received() -> Story:
    """Copy 1 of ``i-1`` with ``n-kim``, copy 2 with ``n-other``; ``n-rei`` is a security officer in Seoul."""
    story = given(holders=("n-kim", "n-other"))
    story.say("kr", listed("rei", ("security-officer",)))
    story.say("jp", listed("abe", ("security-officer",), nationality="jp", serves="jp"))
    story.say("kr", signed(person("kim", ("reader",), nationality="kr", serves="kr"), "root", "kr"))
    return story


def registered(item: str = "i-2", contains: tuple[str, ...] = ("i-1",), **changes: object) -> Body:
    fields: dict[str, object] = {
        "item": item,
        "label": OWN,
        "form": "electronic",
        "topic": "missiles",
        "subject": "defence",
        "size": 8,
        "content": bytes(32),
        "by": "p-kim",
        "originator": "jp",
        "contains": contains,
        **changes,
    }
    return ItemRegistered(**fields)


def derived(
    item: str = "i-2",
    *ancestors: tuple[str, int],
    signer: str = "n-kim",
    party: str = "kr",
    key: str = "",
    **changes: object,
) -> Body:
    fields: dict[str, object] = {
        "item": item,
        "relation": "translation",
        "ancestors": tuple(Ancestor(each, copy, bytes(32)) for each, copy in ancestors or (("i-1", 1),)),
        "label": OWN,
        "form": "electronic",
        "topic": "missiles",
        "subject": "defence",
        "purpose": "air defence",
        "agreement": digest(),
        "payload": bytes(32),
        "size": 512,
        "content": bytes(32),
        "copies": (CopyMade(1, "n-kim", header(21)), CopyMade(2, "n-other", header(22))),
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    if fields["relation"] == "translation":
        fields = {"language": "ko", "note": NOTE, **fields}
    return signed(Derived(**fields), signer, party, key)


def translated() -> Story:
    """``i-2``, a translation of ``i-1``, with copies at ``n-kim`` and ``n-other``."""
    story = received()
    story.say("kr", registered())
    story.say("kr", derived())
    return story


def incident(story: Story) -> IncidentRow | None:
    row = story.row("jp", "incident", f"{RELATIONSHIP}/x-1")
    assert row == story.row("kr", "incident", f"{RELATIONSHIP}/x-1")
    assert row is None or isinstance(row, IncidentRow)
    return row


def reported(signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "incident": "x-1",
        "what": "lost",
        "items": ("i-1",),
        "copies": (CopyNamed("i-1", 1),),
        "circumstances": "not in its safe",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(IncidentReported(**fields), signer, party, key)


def widened(signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "incident": "x-1",
        "part": 1,
        "items": ("i-2",),
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(IncidentWidened(**fields), signer, party, key)


def investigated(story: Story, **changes: object) -> Body:
    return _follows(InvestigationOpened, story, {"note": "the security branch", **changes})


def ended(story: Story, **changes: object) -> Body:
    return _follows(InvestigationEnded, story, {"result": "misfiled", "measures": "counted each evening", **changes})


def released(story: Story, **changes: object) -> Body:
    return _follows(SuspensionLifted, story, {"reason": "the seal was whole", **changes})


def closed(story: Story, **changes: object) -> Body:
    return _follows(IncidentClosed, story, {"false_alarm": False, "reason": "all is told", **changes})


def _follows(kind: type[Body], story: Story, fields: dict[str, object]) -> Body:
    row = incident(story)
    signer, party, key = (
        str(fields.pop(each, other)) for each, other in (("signer", "n-rei"), ("party", "kr"), ("key", ""))
    )
    given_fields: dict[str, object] = {
        "incident": "x-1",
        "by": signer,
        "after": row.last if row is not None else bytes(32),
        "signature": unsigned(),
        **fields,
    }
    return signed(kind(**given_fields), signer, party, key)
