"""Acts of the story's people about consent, passing on and showing, signed.

In Tokyo ``abe`` is release authority and ``sato`` an officer; in Seoul ``kim`` holds copy 1, ``rei`` keeps the registry
and ``other`` is release authority.
"""

from __future__ import annotations

from datetime import timedelta

from comity.record import bodies
from comity.record.bodies import Body
from comity.record.bodies.consents import (
    ConsentAsked,
    ConsentDropped,
    Consented,
    ConsentUnwanted,
    ConsentWanted,
    ConsentWithdrawn,
    Onward,
    PassedOn,
    PassOnReceipted,
    Shown,
)
from comity.record.person_act import unsigned
from comity.register.rows import CopyRow
from register.hands import given
from register.story import (
    ALTERNATIVE,
    KEYS,
    LABEL,
    RELATIONSHIP,
    START,
    Story,
    digest,
    listed,
    signed,
)

UNTIL = START + timedelta(days=90)
TERMS = {
    "request": "r-c",
    "item": "i-1",
    "acts": ("pass-on",),
    "beneficiaries": ("us",),
    "beneficiary_kind": "government",
    "purpose": "air defence",
    "reason": "an exercise",
    "until": UNTIL,
}
ONWARD = Onward(beneficiary="us", beneficiary_kind="government", nationality="us", recipient="age1…")


def received() -> Story:
    """Copy 1 of item i-1 is in Kim's hands in Seoul; both sides have people who may answer."""
    story = given()
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    story.say("kr", listed("other", ("release-authority",)))
    for name, roles in (("rei", ("registry",)), ("kim", ("reader",)), ("other", ("release-authority",))):
        story.say("kr", person_of_seoul(name, roles))
    return story


def person_of_seoul(name: str, roles: tuple[str, ...]) -> Body:
    body = bodies.PersonEnrolled(
        person=f"p-{name}",
        function="desk",
        body="Ministry of National Defense",
        employer="government",
        nationality="kr",
        serves="kr",
        roles=roles,
        custody="served",
        recipient="age1…",
        signing_key=KEYS[name].public,
        signature=unsigned(),
    )
    return signed(body, "root", "kr")


def wanted(signer: str = "p-rei", key: str = "", **changes: object) -> Body:
    fields = {**TERMS, "relationship": RELATIONSHIP, "by": signer, "signature": unsigned(), **changes}
    return signed(ConsentWanted(**fields), signer, "kr", key)


def asked(story: Story, **changes: object) -> Body:
    return ConsentAsked(**{**TERMS, "origin": story.said["consignment/1"].id, "label": LABEL, **changes})


def unwanted(signer: str = "p-rei", key: str = "", **changes: object) -> Body:
    fields = {"request": "r-c", "reason": "cancelled", "by": signer, "signature": unsigned(), **changes}
    return signed(ConsentUnwanted(**fields), signer, "kr", key)


def asking(**changes: object) -> Story:
    """Seoul has asked Tokyo."""
    story = received()
    story.say("kr", wanted(**changes))
    story.say("kr", asked(story, **changes))
    return story


def dropping() -> Story:
    """Seoul has asked, and then dropped it."""
    story = asking()
    story.say("kr", unwanted())
    story.say("kr", ConsentDropped(request="r-c", reason="cancelled"))
    return story


def answered(signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "consent": "c-1",
        "request": "r-c",
        "granted": True,
        "item": "i-1",
        "acts": ("pass-on",),
        "beneficiaries": ("us",),
        "purpose": "air defence",
        "until": UNTIL,
        "reason": "agreed",
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(Consented(**fields), signer, party, key)


def standing(signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    return answered(signer, party, key, **{"request": None, "item": None, "topic": "missiles", **changes})


def withdrawn(signer: str = "n-abe", party: str = "jp", key: str = "", **changes: object) -> Body:
    fields = {"consent": "c-1", "reason": "over", "by": signer, "signature": unsigned(), **changes}
    return signed(ConsentWithdrawn(**fields), signer, party, key)


def copy_of(story: Story, party: str = "jp", number: int = 1) -> CopyRow:
    row = story.row(party, "copy", f"{RELATIONSHIP}/i-1/{number:06d}")
    assert isinstance(row, CopyRow)
    return row


def pass_requested(signer: str = "p-kim", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-p",
        "item": "i-1",
        "relationship": RELATIONSHIP,
        "recipients": ("us",),
        "purpose": "air defence",
        "by": signer,
        "act": "pass-on",
        "copy": 1,
        "onward": ONWARD,
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.ReleaseRequested(**fields), signer, "kr", key)


def approved(story: Story, signer: str = "p-other", party: str = "kr", request: str = "r-p", **changes: object) -> Body:
    row = story.row(party, "request", request)
    fields = {
        "request": request,
        "granted": True,
        "reason": "needed",
        "by": signer,
        "after": getattr(row, "last", bytes(32)),
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.Approved(**fields), signer, party)


def allowed(**changes: object) -> Story:
    """Tokyo has consented that the United States gain, and Seoul has approved."""
    story = asking()
    story.say("jp", answered(**changes))
    story.say("kr", pass_requested())
    story.say("kr", approved(story))
    return story


def passed_on(story: Story, signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-p",
        "item": "i-1",
        "copy": 1,
        "beneficiary": "us",
        "beneficiary_kind": "government",
        "nationality": "us",
        "purpose": "air defence",
        "consents": ("c-1",),
        "header": bytes([9]) * 32,
        "sealed_to": bytes(32),
        "basis": bytes(32),
        "by": signer,
        "after": copy_of(story).last,
        "signature": unsigned(),
        **changes,
    }
    return signed(PassedOn(**fields), signer, party, key)


def receipted(story: Story, signer: str = "n-kim", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "item": "i-1",
        "copy": 1,
        "receipt": "no. 14/2026",
        "by": signer,
        "after": story.said["pass-on/1"].id,
        "signature": unsigned(),
        **changes,
    }
    return signed(PassOnReceipted(**fields), signer, party, key)


def shown(story: Story, signer: str = "n-sato", party: str = "jp", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "item": "i-1",
        "label": LABEL,
        "alternative": ALTERNATIVE,
        "form": "electronic",
        "topic": "missiles",
        "subject": "defence",
        "purpose": "air defence",
        "originator": "jp",
        "agreement": digest(),
        "size": 8,
        "content": bytes(32),
        "manner": "oral",
        "to": ("n-kim",),
        "at": story.now,
        "assurances": (story.said["assurance/1"].id,) if "assurance/1" in story.said else (),
        "basis": bytes(32),
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    return signed(Shown(**fields), signer, party, key)


def later(story: Story, days: int) -> Story:
    story.now += timedelta(days=days)
    return story
