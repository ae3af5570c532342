"""People and acts about consent in the world of two houses.

In Seoul ``baek`` is release authority beside the world's people; ``US`` is an age identity of somebody outside.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from comity.flows.actors import Actor
from comity.flows.consenting.consent_requests import AskConsent, AskedForConsent, ask_consent
from comity.flows.consenting.granting import AnswerConsent, ConsentShown, GrantConsent, answer_consent, grant_consent
from comity.flows.consenting.passing_on import AskPassOn, PassOnTold, SealPassOn, ask_pass_on, seal_pass_on
from comity.flows.giving.answering import Approve, approve
from comity.seal.hybrid import HybridIdentity
from world import RELATIONSHIP, TODAY, SeededEntropy, World

US = HybridIdentity.generate(SeededEntropy("us"))
UNTIL = TODAY + timedelta(days=90)


async def staffed(world: World) -> World:
    """Seoul has a release authority too."""
    await world.person("kr", "baek", roles=("release-authority",))
    await world.exchange()
    return world


async def ask(world: World, item: str, **changes: object) -> AskedForConsent:
    """Lee asks Tokyo for a consent; Tokyo hears of it."""
    fields: dict[str, object] = {
        "item": item,
        "acts": ("pass-on",),
        "beneficiary": "us",
        "beneficiary_kind": "government",
        "purpose": "air defence",
        "reason": "an exercise",
        "until": UNTIL,
        "actor": Actor("lee"),
        **changes,
    }
    asked = await ask_consent(world.kr, AskConsent(**fields))
    await world.exchange()
    return asked


async def ask_other_use(world: World, item: str, **changes: object) -> AskedForConsent:
    return await ask(
        world,
        item,
        **{
            "acts": ("open", "use-for"),
            "beneficiary": "kr",
            "beneficiary_kind": "party",
            "purpose": "training",
            **changes,
        },
    )


async def answer(world: World, request: str, **changes: object) -> ConsentShown:
    """Abe answers; Seoul hears of it."""
    fields: dict[str, object] = {
        "request": request,
        "granted": True,
        "reason": "agreed",
        "actor": Actor("abe"),
        **changes,
    }
    shown = await answer_consent(world.jp, AnswerConsent(**fields))
    await world.exchange()
    return shown


async def grant(world: World, **changes: object) -> ConsentShown:
    """Abe consents unasked that the United States gain by what is on the list; Seoul hears of it."""
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "acts": ("pass-on",),
        "beneficiaries": ("us",),
        "purpose": "air defence",
        "until": UNTIL,
        "reason": "trilateral",
        "actor": Actor("abe"),
        "topic": "missiles",
        **changes,
    }
    shown = await grant_consent(world.jp, GrantConsent(**fields))
    await world.exchange()
    return shown


async def ask_on(world: World, item: str, **changes: object) -> PassOnTold:
    """Kim asks to pass copy 1 on."""
    fields: dict[str, object] = {
        "item": item,
        "copy": 1,
        "beneficiary": "us",
        "beneficiary_kind": "government",
        "recipient": str(US.recipient),
        "purpose": "air defence",
        "actor": Actor("kim"),
        **changes,
    }
    return await ask_pass_on(world.kr, AskPassOn(**fields))


async def seal(world: World, request: str, name: str = "courier.age", handle: str = "kim") -> PassOnTold:
    return await seal_pass_on(world.kr, SealPassOn(request=request, path=str(path(world, name)), actor=Actor(handle)))


async def passed_on(world: World, item: str, name: str = "courier.age", **changes: object) -> PassOnTold:
    """Asked, approved, sealed; Tokyo hears of it."""
    asked = await ask_on(world, item, **changes)
    await approve(world.kr, Approve(request=asked.request, reason="needed", actor=Actor("baek")))
    told = await seal(world, asked.request, name)
    await world.exchange()
    return told


def path(world: World, name: str) -> Path:
    return world.folder / name
