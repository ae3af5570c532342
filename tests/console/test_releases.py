"""Answering in a browser: approvals by a second person, assurances, marks (``spec/contents.md`` steps 12 and 13)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.release import Given
from console.browser import Browser, Page, browser
from console.test_every_page import mistakes_of
from world import RELATIONSHIP, World


async def asked(world: World, **changes: object) -> Given:
    found = await world.ask(**changes)
    await world.exchange()
    return found


async def assured(world: World) -> Given:
    found = await asked(world)
    await assure(world.kr, Assure(request=found.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    return found


async def at(world: World, handle: str, path: str) -> Browser:
    there = await browser(world.house("kr" if handle in ("lee", "kim") else "jp"), handle)
    await there.get(path)
    return there


def form_of(page: Page, **fields: str) -> Sequence[tuple[str, str]]:
    kept = [(name, value) for name, value in page.form("/answer").fields if name not in fields]
    return [*kept, *fields.items()]


async def test_an_approver_sees_everything_and_says_why(world: World) -> None:
    given = await assured(world)
    abe = await at(world, "abe", f"/releases/{given.request}/answer")
    assert "1 condition" in abe.page.text or "conditions hold" in abe.page.text
    page = await abe.submit("/answer", answer="grant")
    assert (page.status, "Why: this must not be empty" in page.text) == (422, True)
    page = await abe.submit("/answer", answer="", reason="needed")
    assert (page.status, "Your answer: this must not be empty" in page.text) == (422, True)
    page = await abe.submit("/answer", answer="perhaps", reason="needed")
    assert page.status == 422
    page = await abe.submit("/answer", answer=["grant", "refuse"], reason="needed")
    assert (page.status, "choose one of those listed" in page.text) == (422, True)
    page = await abe.submit("/answer", answer="grant", reason="needed <script>x</script> 필요")
    assert "it was sent" in page.text
    assert "needed <script>x</script> 필요" in page.text
    assert "<script>x" not in page.html


async def test_a_refusal_is_recorded_with_its_reason_and_nothing_leaves(world: World) -> None:
    given = await assured(world)
    abe = await at(world, "abe", f"/releases/{given.request}/answer")
    page = await abe.submit("/answer", answer="refuse", reason="not now")
    assert "Refused: it does not leave on this request." in page.text
    assert "refused , abe" in page.text
    assert "not now" in page.text
    sato = await at(world, "sato", f"/releases/{given.request}")
    assert "not now" in sato.page.text
    await world.exchange()
    kim = await at(world, "kim", f"/items/{given.item}/open")
    assert "unknown-item" in kim.page.text


async def test_nobody_approves_his_own(world: World) -> None:
    """(13)"""
    await world.person("jp", "endo", roles=("officer", "release-authority"))
    given = await asked(world, actor=Actor("endo"))
    endo = await at(world, "endo", f"/releases/{given.request}")
    assert "/answer" not in endo.page.html
    page = await endo.get(f"/releases/{given.request}/answer")
    assert (page.status, "own-request" in page.text) == (403, True)
    page = await endo.get("/releases")
    assert "No request waits for your approval." in page.text
    abe = await browser(world.jp, "abe")
    await abe.get(f"/releases/{given.request}/answer")
    token = dict(form_of(abe.page))
    session = endo.desk.sessions.of(next(iter(endo.cookies.values())))
    assert session is not None
    forged = [*((n, v) for n, v in form_of(abe.page, answer="grant", reason="mine") if n != "token")]
    page = await endo.post(f"/releases/{given.request}/answer", [*forged, ("token", session.token)])
    assert (page.status, "own-request" in page.text, bool(token)) == (403, True, True)


async def test_only_a_release_authority_answers(world: World) -> None:
    given = await asked(world)
    ito = await at(world, "ito", f"/releases/{given.request}/answer")
    assert (ito.page.status, "no-role" in ito.page.text) == (403, True)
    await world.person("jp", "kato", roles=("officer",))
    kato = await at(world, "kato", f"/releases/{given.request}")
    nowhere = await kato.get("/releases/r-aaaaaaaaaaaaaaaa")
    there = await kato.get(f"/releases/{given.request}")
    assert there.status == nowhere.status
    assert there.text.replace(given.request, "…") == nowhere.text.replace("r-aaaaaaaaaaaaaaaa", "…")


async def test_two_who_approve_at_once_do_it_once_and_the_second_is_told(world: World) -> None:
    """(13)"""
    given = await assured(world)
    await world.person("jp", "baba", roles=("release-authority",))
    abe = await at(world, "abe", f"/releases/{given.request}/answer")
    baba = await Browser(abe.desk, abe.app).sign_in("baba")
    await baba.get(f"/releases/{given.request}/answer")
    kind = {"content-type": "application/x-www-form-urlencoded"}
    bodies = [urlencode(form_of(each.page, answer="grant", reason="both")).encode() for each in (abe, baba)]
    pages = await asyncio.gather(
        *(
            each.send("POST", f"/releases/{given.request}/answer", body, kind)
            for each, body in zip((abe, baba), bodies, strict=True)
        )
    )
    first, second = sorted(each.status for each in pages)
    assert (first, second >= 400) == (303, True)
    shown = await abe.get(f"/releases/{given.request}")
    assert shown.text.count("approved ,") == 1
    await world.exchange()
    told = await abe.get(f"/items/{given.item}")
    assert told.status == 200


async def test_a_form_that_is_over_says_who_did_what_meanwhile(world: World) -> None:
    """(13)"""
    given = await assured(world)
    await world.person("jp", "baba", roles=("release-authority",))
    abe = await at(world, "abe", f"/releases/{given.request}/answer")
    await approve(world.jp, Approve(request=given.request, reason="mine first", actor=Actor("baba")))
    page = await abe.submit("/answer", answer="refuse", reason="too late <b>")
    assert page.status == 409
    assert "This has changed since you opened the form" in page.text
    assert "baba" in page.text
    assert "mine first" in page.text
    assert "<b>" not in page.html
    assert "too late <b>" in page.text or "too late &lt;b&gt;" in page.html
    shown = await abe.get(f"/releases/{given.request}")
    assert "too late" not in shown.text


async def test_an_approval_wants_a_fresh_sign_in(world: World) -> None:
    given = await assured(world)
    abe = await at(world, "abe", f"/releases/{given.request}/answer")
    world.clock.time += timedelta(minutes=6)
    body = urlencode(form_of(abe.page, answer="grant", reason="x")).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    sent = await abe.send("POST", f"/releases/{given.request}/answer", body, kind)
    assert (sent.status, sent.headers["location"].startswith("/prove")) == (303, True)
    shown = await abe.get(f"/releases/{given.request}")
    assert "Answers so far" not in shown.text


async def test_an_assurance_is_given_or_refused_with_a_reason(world: World) -> None:
    recipients = (await world.pseudonym("kim"), await world.pseudonym("park"))
    given = await asked(world, recipients=recipients)
    path = f"/assurances/{RELATIONSHIP}/{given.request}"
    lee = await at(world, "lee", path)
    assert "the register bears it out: Article 7.5.a, Article 7.5.b, and Article 7.5.c" in lee.page.text
    assert "holds no valid clearance" in lee.page.text
    page = await lee.submit("/assurances/", recipient=recipients[1], answer="grant")
    assert (page.status, "holds no valid clearance; nothing can be assured" in page.text) == (400, True)
    page = await lee.submit("/assurances/", recipient=recipients[1], answer="refuse")
    assert (page.status, "say why the assurance is refused" in page.text) == (400, True)
    page = await lee.submit("/assurances/", recipient=recipients[1], answer="refuse", reason="not cleared")
    assert "the other party is told why" in page.text
    stale = await lee.get(path)
    assert "not cleared" in stale.text
    await assure(
        world.kr,
        Assure(request=given.request, relationship=RELATIONSHIP, recipient=recipients[0], actor=Actor("lee")),
    )
    page = await lee.submit("/assurances/", recipient=recipients[0], answer="grant")
    assert (page.status, "This has changed since you opened the form" in page.text) == (409, True)
    await world.exchange()
    sato = await at(world, "sato", f"/releases/{given.request}")
    assert "not cleared" in sato.page.text


async def test_an_assurance_is_not_there_for_anybody_else(world: World) -> None:
    given = await asked(world)
    kim = await at(world, "kim", f"/assurances/{RELATIONSHIP}/{given.request}")
    nowhere = await kim.get(f"/assurances/{RELATIONSHIP}/r-aaaaaaaaaaaaaaaa")
    there = await kim.get(f"/assurances/{RELATIONSHIP}/{given.request}")
    assert there.text.replace(given.request, "…") == nowhere.text.replace("r-aaaaaaaaaaaaaaaa", "…")


async def test_whoever_has_nothing_to_do_with_releases_is_told_what_they_are(world: World) -> None:
    kim = await at(world, "kim", "/releases")
    assert "you have none of these roles" in kim.page.text


async def test_what_arrived_is_marked_where_several_marks_correspond(world: World) -> None:
    await world.both_ways()
    given = await world.given_back(mark="군사 Ⅱ급 비밀")
    mori = await at(world, "mori", f"/items/{given.item}/open")
    page = await mori.submit("/open")
    assert page.status in (400, 403)
    assert not mori.desk.spool._held
    ito = await at(world, "ito", f"/items/{given.item}/mark")
    assert ("mark", "極秘") in ito.page.form("/mark").fields
    page = await ito.submit("/mark", mark="機密")
    assert (page.status, "choose one of those listed" in page.text) == (422, True)
    page = await ito.submit("/mark", mark="極秘")
    assert "It bears 極秘 here now" in page.text
    mori = await at(world, "mori", f"/items/{given.item}/open")
    page = await mori.submit("/open")
    assert "another report" in page.text
    assert "極秘 (SECRET)" in page.text
    page = await mori.get(f"/items/{given.item}/mark")
    assert page.status == 403


async def test_the_pages_are_there_in_every_language(world: World) -> None:
    given = await assured(world)
    for language in ("en", "ja", "ko"):
        for handle, path in (
            ("abe", "/releases"),
            ("abe", f"/releases/{given.request}"),
            ("abe", f"/releases/{given.request}/answer"),
            ("sato", f"/releases/{given.request}"),
            ("sato", "/give"),
        ):
            there = await browser(world.jp, handle, language)
            page = await there.get(path)
            assert page.status == 200
            assert mistakes_of(page) == []
            assert f'<html lang="{language}"' in page.html
