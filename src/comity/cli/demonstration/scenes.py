"""The scenes, in order. Each one does something real and shows what came of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from comity.api import Agreement, Node
from comity.cli.demonstration.afterwards import Afterwards
from comity.cli.demonstration.cast import RELATIONSHIP, SEOUL, TOKYO, TOPIC, House, found, introduce
from comity.cli.demonstration.proof import prove
from comity.cli.demonstration.screen import Screen
from comity.decision.model import Case
from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import ListAgreements
from comity.flows.deciding.cases import outcome_word
from comity.flows.deciding.decisions import AskDecision
from comity.flows.deciding.explaining import DecisionTold, OutcomeTold, Why, tell
from comity.flows.giving.answering import Approve, Assure
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.release import Give, Given
from comity.flows.looking.views import ShowInbox, ShowOutbox
from comity.flows.maintaining.rebuilding import LedgerVerified, VerifyLedger
from comity.flows.people.directory import ListDirectory
from comity.flows.pouch import ExportPouch, ImportPouch

T = TypeVar("T")
MARK = "極秘"
PURPOSE = "air defence of the Republic of Korea"
PATIENCE_SECONDS = 30.0
"""How long the demonstration waits for something to cross before it says that it did not."""
SEOUL_TIME = timezone(timedelta(hours=9), "KST")


class Play:
    """The demonstration on one file."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self.screen = Screen()
        self.jp: House
        self.kr: House

    def run(self) -> None:
        """All scenes."""
        self.set_up()
        with self.jp.node.running(), self.kr.node.running():
            self.agree()
            given = self.give()
            self.open(given)
            self.refuse(given)
            self.screen.scene("7  What happens to it afterwards, and what Tokyo sees of it")
            Afterwards(self.jp, self.kr, self.folder, self.screen, wait).play(given.item, PURPOSE)
        self.other_days(given)
        self.by_pouch()
        self.tamper()
        prove(self.jp, self.kr, given, self.folder, self.screen)

    # ---- the two sides --------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Two houses that do not fully trust one another."""
        self.screen.scene("1  Two nodes, one agreement")
        self.jp, self.kr = found(self.folder)
        introduce(self.jp, self.kr)
        for house, where in ((self.jp, "Tokyo"), (self.kr, "Seoul")):
            print_of = house.card().fingerprint
            self.screen.fact(f"{where}'s fingerprint", print_of[:39])
            self.screen.fact("", print_of[40:])
        self.screen.say("Two people on each side compared the other's fingerprint in full; only then is a peer added.")
        self.screen.say(
            "The keys lie open, for these houses live for minutes; 'comity init' locks them with a passphrase."
        )

    def agree(self) -> None:
        """Both adopt the agreement file and acknowledge its digest; the directory crosses."""
        shown = [house.adopt(peer) for house, peer in ((self.jp, "kr"), (self.kr, "jp"))]
        self.jp.enrol(TOKYO, MARK)
        self.kr.enrol(SEOUL, "군사 Ⅱ급 비밀")
        for house in (self.jp, self.kr):
            house.acknowledge()
            self.screen.names |= house.names
        self.screen.fact("agreement", f"{shown[0].title}")
        self.screen.fact("digest", shown[0].digest)
        wait(lambda: self._acknowledged(self.jp) and self._acknowledged(self.kr), "the acknowledgements to cross")
        wait(lambda: len(self._directory()) == len(SEOUL), "Seoul's directory to cross")
        self.screen.say("Both parties acknowledged this digest. Names stay at home; functions cross under pseudonyms.")

    def _acknowledged(self, house: House) -> bool:
        return all(len(each.acknowledged) == 2 for each in house.ask(ListAgreements()))

    def _directory(self) -> list[Any]:
        return [entry for entry in self.jp.ask(ListDirectory()) if entry.party == "kr"]

    # ---- one document ---------------------------------------------------------------------------------------------

    def request(self, **changes: Any) -> Give:
        """Sato's request to give the file to Kim, with changes."""
        asked: dict[str, Any] = {
            "path": str(self.file),
            "relationship": RELATIONSHIP,
            "mark": MARK,
            "topic": TOPIC,
            "recipients": (self.kr.people["kim"],),
            "purpose": PURPOSE,
            "actor": Actor("sato"),
            **changes,
        }
        return Give(**asked)

    def give(self) -> Given:
        """Ask, assure, approve; the item goes when nothing is missing any more."""
        screen = self.screen
        screen.scene(f"2  May {self.file.name} go to Seoul?")
        asked: Given = self.jp.ask(self.request())
        screen.names[asked.item] = self.file.name
        screen.decision(self.why(self.jp, asked.decision_record))
        screen.fact("mark here", MARK)
        screen.fact("mark there", asked.alternative.mark if asked.alternative else "")
        screen.scene("3  The assurance of Article 7.5, and a second person's approval")
        wait(lambda: self.kr.ask(ShowInbox()).asked, "the request for assurance to cross")
        assured = self.kr.ask(Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
        screen.say(f"Seoul, registry officer Lee, assures {', '.join(assured.conditions)} for item and recipient.")
        wait(lambda: self._assured(asked.request), "the assurance to cross")
        try:
            self.jp.ask(Approve(request=asked.request, reason="my own", actor=Actor("sato")))
        except ComityError as error:
            screen.say(f"Tokyo, Sato tries to approve his own request: {error}.")
        approved = self.jp.ask(Approve(request=asked.request, reason="release is in our interest", actor=Actor("abe")))
        given = approved.given
        assert isinstance(given, Given)
        screen.say("Tokyo, release authority Abe, approves. Nothing is missing: decided again, and given.")
        screen.decision(self.why(self.jp, given.decision_record))
        screen.scene("4  Sealed, sent, receipted, registered on both sides")
        line = wait(lambda: self._receipted(given), "the receipt to come back")
        screen.fact("content", f"{self.file.stat().st_size:,} bytes")
        screen.fact("sealed", f"{given.size:,} bytes, age v1, ML-KEM-768 with X25519, padded")
        screen.fact("consignment", given.consignment or "")
        screen.fact("receipt", f"after {(line.received - line.at).total_seconds() * 1000:.0f} ms, signed by Seoul")
        for chain in wait(self._witnessed, "the cosignature to come back"):
            tail = chain.size - chain.witnessed
            screen.fact("ledger", f"{chain.chain}: {counted(chain.size)}, {chain.witnessed} witnessed, {tail} not yet")
        return given

    def _assured(self, request: str) -> bool:
        return any(line.request == request and line.assured for line in self.jp.ask(ShowOutbox()).waiting)

    def _receipted(self, given: Given) -> Any:
        lines = self.jp.ask(ShowOutbox()).given
        return next((line for line in lines if line.consignment == given.consignment and line.received), None)

    def _witnessed(self) -> list[Any]:
        chains = [chain for chain in self.jp.ask(ShowOutbox()).chains if chain.witnessed is not None]
        return chains if all(chain.witnessed for chain in chains) else []

    def open(self, given: Given) -> None:
        """The right person opens it, for a stated purpose."""
        self.screen.scene("5  The right person opens it, for a stated purpose")
        target = self.folder / f"opened-{self.file.name}"
        opened: OpenedItem = self.kr.ask(Open(item=given.item, purpose=PURPOSE, path=str(target), actor=Actor("kim")))
        assert opened.banner is not None
        self.screen.banner(opened.banner.text())
        same = sha256(target.read_bytes()).digest() == sha256(self.file.read_bytes()).digest()
        self.screen.fact("content", f"{opened.size:,} bytes, {'the same as in Tokyo' if same else 'NOT THE SAME'}")
        self.screen.fact("opening", f"{opened.opening}, recorded before the file appeared")

    # ---- refusals -------------------------------------------------------------------------------------------------

    def refuse(self, given: Given) -> None:
        """Everything that must be refused is, with its article, and recorded."""
        self.screen.scene("6  Refused, each with its article, each recorded")
        openings = (
            ("park", PURPOSE, "Park opens it: on the list, but without a clearance"),
            ("choi", PURPOSE, "General Choi opens it: cleared, but not on the need-to-know list"),
            ("kim", "a press briefing", "Kim opens it for another purpose"),
        )
        for handle, purpose, what in openings:
            target = str(self.folder / f"{handle}-must-not-have.txt")
            record = self.tried(Open(item=given.item, purpose=purpose, path=target, actor=Actor(handle)))
            assert not Path(target).exists()
            self.screen.refusal(what, self.why(self.kr, record))
        self.screen.say("Park and Choi heard that there is no such item. Why, the books tell those who keep them.")
        people = self.kr.people
        gives: tuple[tuple[dict[str, Any], str], ...] = (
            ({}, "Sato gives a second document: nobody has assured or approved anything yet"),
            ({"recipients": (people["hong"],)}, "to Hong, a contractor's engineer: the conditions of Article 16"),
            ({"recipients": (people["jones"],)}, "to Jones, liaison office of a third country"),
            (
                {"recipients": (people["smith"],)},
                "to Smith, cleared, embedded in a Korean staff, serving a third country",
            ),
            ({"mark": "機密"}, "marked 機密, above the ceiling: never mapped down"),
            ({"recipients": ()}, "to nobody: an empty list is never everyone"),
        )
        for changes, what in gives:
            tried_give: Given = self.jp.ask(self.request(**changes), "give.preview")
            self.screen.refusal(what, self.why(self.jp, tried_give.decision_record))

    def tried(self, request: Open) -> str:
        """The record of a refused opening; whoever may not know of the item hears that there is none."""
        try:
            return str(self.kr.ask(request).decision_record)
        except Misuse as nothing:
            if nothing.code != "unknown-item":
                raise
        decided: list[DecisionTold] = self.kr.ask(Why(of=request.item))
        return decided[-1].record

    # ---- other days -----------------------------------------------------------------------------------------------

    def other_days(self, given: Given) -> None:
        """The same question on days when the agreement itself was in question."""
        self.screen.scene("8  The same question, on other days")
        case = self.jp.ask(AskDecision(record=given.decision_record)).case
        assert isinstance(case, Case)
        real = Agreement.load("jp-kr-2016", layers=("house",))
        hypothetical = Agreement.load("jp-kr-2016", history="jp-kr-2016.hypothetical.history", layers=("house",))
        self._on(real, case, datetime(2020, 11, 23, 12, 0, tzinfo=SEOUL_TIME), "23 November 2020, Seoul noon")
        self.screen.say("How the agreement could be ended was contested that day; that it was in force was not.")
        self.screen.say(f"HYPOTHETICAL: {hypothetical.history.hypothetical}")
        self._on(
            hypothetical,
            case,
            datetime(2019, 11, 23, 0, 1, tzinfo=SEOUL_TIME),
            "23 November 2019, one minute past midnight",
        )

    def _on(self, agreement: Agreement, case: Case, at: datetime, when: str) -> None:
        asked = at.astimezone(tz=case.at.tzinfo)
        standing = agreement.standing(asked, acknowledged_by=("jp", "kr"))
        then = msgspec.structs.replace(case, at=asked, facts=msgspec.structs.replace(case.facts, standings=(standing,)))
        outcome = agreement.decide(then)
        told = tell(outcome)
        if outcome_word(outcome) == "permit":
            self.screen.say(f"{when}: {told.outcome.upper()}")
        else:
            self.screen.refusal(when, told)

    # ---- pouch ----------------------------------------------------------------------------------------------------

    def by_pouch(self) -> None:
        """The same exchange with both nodes stopped and no network, carried by hand."""
        self.screen.scene("9  The same by pouch: both nodes are stopped, files are carried")
        asked: Given = self.jp.ask(self.request())
        self._carry(self.jp, self.kr, "1-request")
        self.kr.ask(Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
        self._carry(self.kr, self.jp, "2-assurance")
        given = self.jp.ask(Approve(request=asked.request, reason="as before", actor=Actor("abe"))).given
        self._carry(self.jp, self.kr, "3-document")
        self._carry(self.kr, self.jp, "4-receipt")
        line = self._receipted(given)
        self.screen.say(
            f"Item {given.item} was given and receipted ({line.copies[0].state} by Seoul), never on a wire."
        )

    def _carry(self, sender: House, receiver: House, name: str) -> None:
        path = str(self.folder / f"{name}.pouch")
        sender.ask(ExportPouch(relationship=RELATIONSHIP, path=path))
        taken = receiver.ask(ImportPouch(path=path))
        self.screen.fact(
            f"{name}.pouch", f"{taken.size:,} bytes, {counted(taken.records)}, {sender.party} → {receiver.party}"
        )

    # ---- proof ----------------------------------------------------------------------------------------------------

    def tamper(self) -> None:
        """Somebody with full access to a database changes the purpose in one record; the ledger tells."""
        self.screen.scene("10  Somebody rewrites the database in Seoul")
        clean: LedgerVerified = self.kr.ask(VerifyLedger())
        self.screen.say(f"Before: {clean.entries} journal entries and {clean.rows} rows verified, nothing found.")
        copy = self.folder / "kr-tampered"
        shutil.copytree(self.kr.node.folder, copy)
        # The attacker uses any tool at hand; the standard library's will do to forge, though never to keep data.
        with closing(sqlite3.connect(copy / "comity.sqlite")) as database:
            position, envelope = database.execute(
                "SELECT position, envelope FROM journal WHERE chain LIKE '%/jp' ORDER BY position DESC LIMIT 1"
            ).fetchone()
            forged = json.loads(envelope)
            said = b64decode(forged["payload"]).replace(PURPOSE.encode(), b"anything at all")
            forged["payload"] = b64encode(said).decode()
            envelope = json.dumps(forged, separators=(",", ":")).encode()
            database.execute("UPDATE journal SET envelope = ? WHERE position = ?", (envelope, position))
            database.commit()
        found_out: LedgerVerified = Node(copy).ask(VerifyLedger())
        self.screen.say("Then, in a copy, the purpose of a consignment is changed to 'anything at all'.")
        for finding in found_out.findings[:3]:
            self.screen.say(f"found: {finding.place}: {finding.says}")
        if not found_out.findings:
            raise Rejected("the tampered ledger was not noticed", code="demonstration")

    def why(self, house: House, record: str) -> OutcomeTold:
        """A decision in words, decided again from what was recorded."""
        decided = house.ask(Why(of=record))[0]
        assert decided.replayed
        assert isinstance(decided.told, OutcomeTold)
        return decided.told


def counted(records: int) -> str:
    """A number of records as people say it."""
    return f"{records} record{'' if records == 1 else 's'}"


def wait(look: Callable[[], T], what: str) -> T:
    """What ``look`` gives, once it gives something.

    Raises:
        Unavailable: it took too long.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found_now = look()
        if found_now:
            return found_now
        time.sleep(0.02)
    raise Unavailable(f"waited {PATIENCE_SECONDS:.0f} seconds for {what}", code="demonstration")
