"""The ledgers: how far each is witnessed, whether both sides agree, verify now, proofs and evidence to take away."""

from __future__ import annotations

import asyncio

from markupsafe import Markup
from starlette.responses import Response

from comity.answers import status_of
from comity.console import contents
from comity.console.acts import Act, Done, Ready, cell
from comity.console.decided import told_outcome
from comity.console.fields import Field, read_typed
from comity.console.languages import N_
from comity.console.pages.agreement_drawn import party_names
from comity.console.pages.ledger_drawn import draw_ledgers, verdict_of
from comity.console.picking import item_field
from comity.console.rights import KEEPERS, OVERSIGHT, check_right
from comity.console.running import Verification
from comity.console.spool import Spooled
from comity.console.visit import Entry, Visit, needed
from comity.errors import TOLD, ComityError, Misuse, Refused
from comity.flows.agreeing.agreements import ListAgreements
from comity.flows.agreeing.texts import ShowTexts
from comity.flows.looking.evidence import EvidenceExported, ExportEvidence
from comity.flows.looking.ledgers import LedgersShown, ShowLedgers
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger, hears
from comity.flows.vouching.contradictions import (
    ContradictionExported,
    ExportContradiction,
    ListContradictions,
    SettleContradiction,
)
from comity.flows.vouching.proving import ProveRecord
from comity.flows.vouching.witnesses import ListWitnesses
from comity.register.roles import AGREEMENT_AUTHORITY

AT_ONCE_SECONDS = 1.0
"""How long a form waits for a verification: a small ledger's is done before the page is shown."""
RESPONSES = {
    "alarm": N_("it is told"),
    "freeze": N_("nothing more is given until it is settled"),
    "consult": N_("a consultation is asked for"),
}
"""What follows on two histories."""


async def show(visit: Visit) -> Response:
    """Every ledger here: how far it is witnessed, and what may be done with it."""
    return await _page(visit)


async def _page(visit: Visit, status: int = 200, **more: object) -> Response:
    shown: LedgersShown = await visit.ask("ledger.show", ShowLedgers(actor=visit.actor))
    keeper = visit.has(*OVERSIGHT, *KEEPERS)
    deals = keeper or visit.has(AGREEMENT_AUTHORITY)
    contradictions = await visit.ask("ledger.contradictions", ListContradictions()) if deals else []
    called = await _called(visit)
    item, more_of_it = await item_field(visit, visit.words("Which item the file tells of."))
    verdicts = {pair.relationship: verdict_of(pair, contradictions) for pair in shown.pairs}
    context: dict[str, object] = {
        "shown": shown,
        "called": called,
        "verdicts": verdicts,
        "pictures": {
            pair.relationship: draw_ledgers(
                pair, called, visit.desk.house.party, verdicts[pair.relationship], visit.words
            )
            for pair in shown.pairs
        },
        "contradictions": contradictions,
        "responses": RESPONSES,
        "witnesses": await visit.ask("ledger.witness.list", ListWitnesses()) if keeper else [],
        "keeper": keeper,
        "deals": deals,
        "proves": visit.has(*OVERSIGHT),
        "settles": visit.has(AGREEMENT_AUTHORITY),
        "verification": visit.desk.verification,
        "mistakes": {},
        "typed": {},
        "item": item,
        "item_typed": read_typed([item], visit.form if visit.form.fields else visit.query, visit.words, blank=True),
        **more_of_it,
        "outcome": None,
        "exported": None,
        "made": _made(visit),
        **more,
    }
    return visit.show("ledger/one.html", status, **context)


async def _called(visit: Visit) -> dict[str, str]:
    """What parties are called, by the agreements that run here."""
    found: dict[str, str] = {}
    for each in await visit.ask("agreement.list", ListAgreements()):
        texts = await visit.ask("agreement.texts", ShowTexts(relationship=each.relationship))
        found |= party_names(texts.agreement, visit.words.code)
    return found


async def verify(visit: Visit) -> Response:
    """Check every record, link, leaf, checkpoint and row against one another; the page says how far it is."""
    check_right("ledger.verify", VerifyLedger, visit.person.roles)
    known = visit.desk.verification
    if known is None or known.task.done():
        known = visit.desk.verification = _begun(visit)
    await asyncio.wait({known.task}, timeout=AT_ONCE_SECONDS)
    return visit.to("/ledger/verification")


def _begun(visit: Visit) -> Verification:
    """A verification that tells how far it is."""

    async def verified() -> LedgerVerified:
        hears.set(made.hear)
        try:
            found: LedgerVerified = await visit.ask("ledger.verify", VerifyLedger())
        finally:
            made.ended = desk.house.now()
        return found

    desk = visit.desk
    made = Verification(desk.house.now(), visit.signed_in.handle, desk.running.begin(verified(), "verification"))
    return made


async def show_verification(visit: Visit) -> Response:
    """What the newest verification found, or that it still runs."""
    check_right("ledger.verify", VerifyLedger, visit.person.roles)
    known = visit.desk.verification
    failed = known.failed if known is not None else None
    if failed is not None and not isinstance(failed, TOLD):
        raise failed
    template = "ledger/progress.html" if visit.partial else "ledger/verification.html"
    return visit.show(template, verification=known, failed=failed)


async def export_item(visit: Visit) -> Response:
    """Decide whether evidence about an item may leave, record that, and lay the file ready."""
    item, _ = await item_field(visit, "")
    typed = read_typed([item], visit.form, visit.words)
    if typed.mistakes:
        return await _page(visit, 422, mistakes=typed.mistakes)
    try:
        with visit.desk.spool.room(visit.signed_in, "item.evidence") as spooled:
            request = ExportEvidence(item=typed.text("item"), path=spooled.path, actor=visit.actor)
            exported: EvidenceExported = await visit.ask("evidence.export", request)
    except TOLD as error:
        return await _page(visit, status_of(error), mistakes=_mistake(visit, error, "item"))
    if not exported.path:
        outcome = await told_outcome(visit, exported.decision)
        return await _page(visit, 403, outcome=outcome, exported=exported)
    return _laid_ready(visit, spooled, f"{exported.item}.evidence")


async def export_proof(visit: Visit) -> Response:
    """Lay the proof of a contradiction ready."""
    with visit.desk.spool.room(visit.signed_in, "contradiction.proof") as spooled:
        request = ExportContradiction(contradiction=visit.form.get("contradiction"), path=spooled.path)
        exported: ContradictionExported = await visit.ask("evidence.contradiction", request)
    return _laid_ready(visit, spooled, f"{exported.contradiction.contradiction}.proof")


def _laid_ready(visit: Visit, spooled: Spooled, name: str) -> Response:
    spooled.name = name
    told = visit.words.say("The file is ready, and is thrown away in fifteen minutes.")
    return visit.to("/ledger", told, made=spooled.id)


def _made(visit: Visit) -> Spooled | None:
    """The file that lies ready for this session."""
    return visit.desk.spool.of(visit.signed_in, visit.query.get("made"))


async def download(visit: Visit) -> Response:
    """Hand over a file that lies ready, to whoever had it made."""
    found = visit.desk.spool.of(visit.signed_in, visit.request.path_params["file"])
    if found is None:
        raise Misuse("the file is not here any more; make it again", code="unknown-path")
    visit.desk.spool.keep(found)
    return contents.download(visit.desk.spool, found)


async def prove(visit: Visit) -> Response:
    """Hand over the proof that a record stands at its place in a ledger of this house."""
    typed = {name: visit.query.get(name) for name in ("ledger", "index")}
    try:
        ledger = needed(visit.query, "ledger", "name the ledger")
        index = needed(visit.query, "index", "name the place of the record, from 0 on")
        if not (index.isascii() and index.isdigit() and len(index) <= 15):
            raise Misuse(f"{index!r} is no place in a ledger; count from 0", code="bad-index", place="index")
        proved = await visit.ask("ledger.prove", ProveRecord(ledger=ledger, index=int(index)))
    except Refused:
        raise
    except TOLD as error:
        return await _page(visit, status_of(error), typed=typed, mistakes=_mistake(visit, error, "index"))
    headers = {"content-disposition": contents.disposition(f"{proved.record[:16]}.tlog-proof")}
    return Response(proved.proof, media_type=contents.UNTYPED, headers=headers)


def _mistake(visit: Visit, error: ComityError, field: str) -> dict[str, Markup]:
    place = error.place if error.place in ("item", "ledger", "index") else field
    return {place: visit.words.told(error.sentence, error.code)}


async def _ready_settle(visit: Visit) -> Ready:
    wanted = visit.request.path_params["contradiction"]
    found = await visit.ask("ledger.contradictions", ListContradictions())
    shown = next((each for each in found if each.contradiction == wanted), None)
    if shown is None:
        raise Misuse(f"there is no contradiction {wanted!r}", code="unknown-contradiction")
    say = visit.words
    return Ready(
        back="/ledger",
        fields=(Field(name="reason", label=say("Reason"), kind="area", hint=say("It is recorded in this house.")),),
        about=((say("Signed by"), cell(shown.signer)), (say("What does not fit"), visit.words.told(shown.says))),
        seen=f"{shown.contradiction}-{'settled' if shown.settled else 'open'}",
        relationship=shown.relationship or None,
    )


SETTLE = Act(
    path="/ledger/contradictions/{contradiction}/settle",
    flow="ledger.settle",
    title=N_("Settle a contradiction"),
    lead=N_("Lift what followed on it, with the reason; the proof of it stays what it is."),
    button=N_("Settle it"),
    ready=_ready_settle,
    request=lambda visit, typed, actor: SettleContradiction(
        contradiction=visit.request.path_params["contradiction"], reason=typed.text("reason"), actor=actor
    ),
    done=lambda visit, _answer: Done(path="/ledger", told=visit.words("It is settled; what followed on it is lifted.")),
    final=True,
    command="comity ledger settle {contradiction} --reason TEXT --as {handle} --key FILE",
)

ROUTES = (
    Entry("/ledger", show),
    Entry("/ledger/verify", verify, methods=("POST",)),
    Entry("/ledger/verification", show_verification),
    Entry("/ledger/evidence", export_item, methods=("POST",)),
    Entry("/ledger/contradiction", export_proof, methods=("POST",)),
    Entry("/ledger/file/{file}", download),
    Entry("/ledger/proof", prove),
    SETTLE.entry,
)
