"""Somebody who keeps his own key: what he is to sign, his signature pasted, and what only his key can do."""

from __future__ import annotations

from base64 import b64decode, b64encode
from html import unescape

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.handling.copies import ListCopies, list_copies
from comity.flows.incidents.investigating import ListIncidents, list_incidents
from comity.seal.keys import generate_identity
from console.browser import Browser, browser
from flows.test_opening import KEY, strict_reader
from world import RELATIONSHIP, SeededEntropy, World


def to_sign(at: Browser) -> bytes:
    """The bytes that the page shows."""
    field = at.page.html.split('id="to-sign"')[1].split(">", 1)[1].split("</textarea>")[0]
    return b64decode(unescape(field))


def signed(at: Browser, key: Ed25519PrivateKey = KEY) -> str:
    return b64encode(key.sign(to_sign(at))).decode()


async def test_an_act_that_says_two_things_is_signed_twice(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    han = await browser(world.kr, "han")
    await han.get("/incidents/report")
    await han.submit(
        "/incidents/report", items=given.item, copies="1", what="lost", circumstances="gone <s>since</s> Monday"
    )
    page = han.page
    assert page.status == 200
    assert "You keep your own key: this is what you are to sign" in page.text
    assert "comity sign --key FILE" in page.text
    assert "comity incident report ITEM" in page.text
    assert "incident-opened/1" in page.text
    assert "<s>since" not in page.html
    assert await list_incidents(world.kr, ListIncidents()) == []
    kinds = []
    for _ in range(5):
        kinds.append(page.text.split("Kind of record")[1].split()[0])
        await han.submit("/incidents/report", signature=[*kept(han), signed(han)])
        page = han.page
        if "Kind of record" not in page.text:
            break
    assert kinds == ["incident-opened/1", "incident/1", "copy-lost/1"]
    assert "Reported. Items affected: 1" in page.text, page.text
    (line,) = await list_incidents(world.kr, ListIncidents())
    assert line.circumstances == "gone <s>since</s> Monday"


def kept(at: Browser) -> list[str]:
    """The signatures that the form has already."""
    return [value for name, value in at.page.form("/incidents/report").fields if name == "signature" and value]


async def test_a_signature_of_another_key_or_none_at_all_is_not_taken(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    han = await browser(world.kr, "han")
    await han.get(f"/copies/{given.item}/1/lost")
    await han.submit("/lost", circumstances="gone")
    other = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    await han.submit("/lost", signature=signed(han, other))
    assert "no signature of yours over these bytes" in han.page.text
    for written in ("rubbish!", b64encode(b"short").decode(), "é"):
        await han.get(f"/copies/{given.item}/1/lost")
        await han.submit("/lost", circumstances="gone")
        await han.submit("/lost", signature=written)
        assert (han.page.status, "this is no signature" in han.page.text) == (400, True)
        assert "gone" in han.page.html
    (copy,) = await list_copies(world.kr, ListCopies(item=given.item))
    assert copy.state == "held"
    await han.get(f"/copies/{given.item}/1/lost")
    await han.submit("/lost", circumstances="gone")
    await han.submit("/lost", signature=signed(han))
    assert "The copy is now: lost." in han.page.text


async def test_what_cannot_be_undone_is_looked_at_twice_and_then_signed(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    han = await browser(world.kr, "han")
    await han.get(f"/copies/{given.item}/1/return")
    await han.submit("/return", reason="done with it")
    assert "Look twice" in han.page.text
    await han.submit("/return", _button=("sure", "yes"))
    assert "Kind of record return/1" in han.page.text
    await han.submit("/return", signature=signed(han))
    assert "Sent back to JP" in han.page.text


async def test_what_was_shown_is_signed_over_the_instant_of_the_form(world: World) -> None:
    public = KEY.public_key().public_bytes_raw()
    own = {"custody": "strict", "recipient": str(generate_identity(SeededEntropy("oka")).recipient)}
    await world.person("jp", "oka", roles=("officer",), signing_key=public, **own)
    await world.exchange()
    oka = await browser(world.jp, "oka")
    await oka.get("/onward/show")
    await oka.submit(
        "/onward/show",
        relationship=RELATIONSHIP,
        recipients=await world.pseudonym("kim"),
        manner="oral",
        purpose="air defence",
        mark="極秘",
        topic="missiles",
        title="what the radar saw",
    )
    assert "Kind of record release-request/1" in oka.page.text, oka.page.text
    await oka.submit("/onward/show", signature=signed(oka))
    request = oka.page.text.split("Asked: ")[1].split(".")[0]
    await world.exchange()
    await assure(world.kr, Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=request, reason="needed", actor=Actor("abe")))
    await oka.get(f"/onward/show/{request}/done")
    await oka.submit("/done")
    assert "Kind of record shown/1" in oka.page.text
    await oka.submit("/done", signature=signed(oka))
    assert "Recorded as shown" in oka.page.text, oka.page.text


async def test_a_copy_under_his_own_key_is_handed_over_on_the_command_line(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    han = await browser(world.kr, "han")
    await han.get(f"/copies/{given.item}/1/hand-over")
    await han.submit("/hand-over", taker="kim")
    assert han.page.status == 409
    assert "This needs your own key" in han.page.text
    assert f"comity hand-over {given.item} --copy 1 --to HANDLE --as han --key FILE" in han.page.text
    (copy,) = await list_copies(world.kr, ListCopies(item=given.item))
    assert copy.state == "held"
