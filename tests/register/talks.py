"""Two registers that negotiate: ``Oda`` and ``Abe`` for Tokyo, ``Lee`` and ``Kim`` for Seoul, each heard when told.

Lee and Oda are agreement authorities. Each side hears of the other's records only by ``hear``: so acts can cross.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from comity.record.bodies import Body
from comity.record.bodies import negotiation as said
from comity.record.encoding import encode
from comity.record.person_act import sign_act, unsigned
from comity.record.statement import DOMESTIC, NOTHING, SUITE, VERSION, Record, SeenCheckpoint, Statement, write
from comity.register.rows.negotiation import NegotiationRow
from comity.register.verdict import Changes, Verdict
from register.story import KEYS, START, Register, acknowledged, adopted, listed, peer

CHANNEL = "talks/jp.kr"
RUNNING = "jp-kr-2016/jp.kr"
X = "x-1"
OTHER = {"jp": "kr", "kr": "jp"}
HEADS = {"jp": "n-oda", "kr": "n-lee"}
TEXT = sha256(b"the text").digest()


class Talks:
    """Both registers, what each has said, and how much of it the other has heard."""

    def __init__(self) -> None:
        self.registers = {party: Register(party) for party in ("jp", "kr")}
        self.now = START
        self.chains: dict[str, list[Record]] = {}
        self.heard = {"jp": 0, "kr": 0}
        for party, other in OTHER.items():
            self.say(party, peer(other))
            self.say(party, said.ChannelOpened(relationship=CHANNEL, peer=other))
        for party, head, second in (("jp", "oda", "abe"), ("kr", "lee", "kim")):
            self.say(party, listed(head, ("agreement-authority",), nationality=party, serves=party))
            self.say(party, listed(second, ("officer",), nationality=party, serves=party))
        self.hear()

    def write(self, party: str, body: Body, relationship: str | None = None, at: datetime | None = None) -> Record:
        """The next record of a party's chain; it cites what that party has heard."""
        place = relationship or (CHANNEL if body.crosses else DOMESTIC)
        chain = self.chains.setdefault(f"{place}/{party}", [])
        heard = self.heard[party] if place == CHANNEL else 0
        statement = Statement(
            version=VERSION,
            suite=SUITE,
            relationship=place,
            author=party,
            sequence=len(chain),
            previous=chain[-1].id if chain else NOTHING,
            at=at or self.now,
            seen=SeenCheckpoint(heard, bytes(32)) if heard else None,
            type=body.kind,
            body=msgspec.Raw(encode(body)),
        )
        return write(statement, body, [(KEYS[party].public, KEYS[party].sign)])

    def try_(self, party: str, body: Body, relationship: str | None = None) -> Verdict:
        """What its author's register says of a record; nothing is kept."""
        self.now += timedelta(seconds=1)
        return self.registers[party].judge(self.write(party, body, relationship), self.now)

    def say(self, party: str, body: Body, relationship: str | None = None) -> Record:
        """A record that its author's register accepts."""
        self.now += timedelta(seconds=1)
        record = self.write(party, body, relationship)
        verdict = self.registers[party].take(record, self.now)
        assert isinstance(verdict, Changes), (party, verdict)
        self.chains[record.statement.chain].append(record)
        return record

    def hear(self, *parties: str) -> list[Verdict]:
        """Each of ``parties`` (both unless named) takes up what the other has said in the channel."""
        verdicts: list[Verdict] = []
        for party in parties or ("jp", "kr"):
            chain = self.chains[f"{CHANNEL}/{OTHER[party]}"]
            verdicts += [self.registers[party].take(record, self.now) for record in chain[self.heard[party] :]]
            self.heard[party] = len(chain)
        assert all(isinstance(each, Changes) for each in verdicts), verdicts
        return verdicts

    def row(self, party: str = "jp") -> NegotiationRow:
        row = self.registers[party].rows["negotiation", f"{CHANNEL}/{X}"]
        assert isinstance(row, NegotiationRow)
        return row

    def state(self, party: str = "jp") -> str:
        return self.row(party).standing.state

    # ---- acts ---------------------------------------------------------------------------------------------------

    def open(self, about: str = "agreement", on: str | None = None) -> None:
        """Tokyo opens, Seoul names its own, and each has heard of it."""
        self.say("jp", opened(about=about, on=on))
        self.hear()
        self.say("kr", self.act("kr", said.DelegationNamed, delegates=("n-kim", "n-lee")))
        self.hear()

    def act(self, party: str, kind: type[Body], signer: str = "", **fields: object) -> Body:
        """A record of ``party`` about the negotiation, signed; by its head of delegation unless said otherwise."""
        by = signer or HEADS[party]
        given: dict[str, object] = {"negotiation": X, "by": by, "after": self.row(party).last(party), **fields}
        return signed(kind(**given, signature=unsigned()), by, party)

    def draft(self, party: str, signer: str = "", **changes: object) -> Body:
        number = sum(each.party == party for each in self.row(party).drafts) + 1
        fields: dict[str, object] = {
            "draft": f"{party}-{number}",
            "agreement": "jp-kr-2016",
            "version": "2016-11-23",
            "digest": TEXT,
            "content": bytes(32),
            "payload": bytes(32),
            "size": 512,
            "readers": ("n-lee", "n-oda"),
            "note": "",
            **changes,
        }
        return self.act(party, said.DraftProposed, signer, **fields)

    def on_text(self, party: str, kind: type[Body], signer: str = "", **changes: object) -> Body:
        """Initials, approval or signature of the newest draft."""
        row = self.row(party)
        newest = max(row.drafts, key=lambda each: each.at)
        fields: dict[str, object] = {"draft": newest.draft, "digest": newest.digest}
        if kind is said.ApprovalTold:
            fields |= {"day": "2026-11-21", "basis": bytes(32)}
        if kind is said.AgreementSigned:
            fields["theirs"] = row.standing.theirs(party)
        return self.act(party, kind, signer, **{**fields, **changes})

    def exchanged(self, party: str) -> Body:
        row = self.row(party)
        theirs = row.standing.theirs(party)
        return said.SignaturesExchanged(negotiation=X, theirs=theirs or bytes(32), after=row.last(party))

    def at_home(self, party: str, **changes: object) -> Body:
        fields: dict[str, object] = {
            "relationship": CHANNEL,
            "negotiation": X,
            "draft": self.row(party).standing.draft,
            "body": "Cabinet",
            "act": "decision 17",
            "day": "2026-11-21",
            "by": "root",
            "signature": unsigned(),
            **changes,
        }
        key = KEYS[f"{party} root"]
        return sign_act(said.ApprovedAtHome(**fields), DOMESTIC, party, "root", key.public, key.sign)

    def initial(self) -> None:
        """Tokyo proposes a draft, and both put their initials under it."""
        self.say("jp", self.draft("jp"))
        self.hear()
        for party in ("kr", "jp"):
            self.say(party, self.on_text(party, said.Initialled))
        self.hear()

    def approve(self) -> None:
        for party in ("jp", "kr"):
            self.say(party, self.at_home(party))
            self.say(party, self.on_text(party, said.ApprovalTold))
        self.hear()

    def sign(self) -> None:
        """Tokyo signs, Seoul signs what it has heard of, and Tokyo's node says that it knows."""
        for party in ("jp", "kr"):
            self.say(party, self.on_text(party, said.AgreementSigned))
            self.hear()
        self.say("jp", self.exchanged("jp"))
        self.hear()

    def run(self, version: str = "2016-11-23", digest: bytes | None = None) -> None:
        """Both run an agreement that each has acknowledged, in its own relationship."""
        changes: dict[str, object] = {"version": version} | ({} if digest is None else {"digest": digest})
        for party, other in OTHER.items():
            self.say(party, adopted(other, **changes))
        for party in OTHER:
            self.now += timedelta(seconds=1)
            given = {} if digest is None else {"digest": digest}
            record = self.write(party, acknowledged(party, **given), RUNNING)
            self.chains[record.statement.chain].append(record)
            for register in self.registers.values():
                assert isinstance(register.take(record, self.now), Changes)


def opened(**changes: object) -> Body:
    fields: dict[str, object] = {
        "negotiation": X,
        "about": "agreement",
        "title": "Protection of information",
        "delegates": ("n-abe", "n-oda"),
        "by": "n-oda",
        "signature": unsigned(),
        **changes,
    }
    return signed(said.NegotiationOpened(**fields), str(fields["by"]), "jp")


def signed(body: Body, signer: str, party: str) -> Body:
    used = KEYS[signer.partition("-")[2]]
    return sign_act(body, CHANNEL, party, signer, used.public, used.sign)
