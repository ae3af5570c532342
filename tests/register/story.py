"""Two registers, ``jp`` and ``kr``, stepped by real records: the story of one item from enrolment to opening.

``Register.judge`` steps a record the strict way: the facts are only those that ``reads`` named, the step is made twice,
and neither the facts nor the record change.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement, Layer
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies import Body
from comity.record.card import Card, RegistryKey, fingerprint, write_card
from comity.record.encoding import encode
from comity.record.person_act import sign_act, unsigned
from comity.record.statement import DOMESTIC, NOTHING, SUITE, VERSION, Record, SeenCheckpoint, Statement, write
from comity.register.rows import DirectoryRow, Row
from comity.register.rows import Key as RowKey
from comity.register.step import reads, reads_more, step
from comity.register.verdict import Changes, Context, Verdict
from record.made import Key

RELATIONSHIP = "jp-kr-2016/jp.kr"
START = datetime(2026, 11, 21, tzinfo=UTC)
YEAR = timedelta(days=365)
KEYS = {
    name: Key(20 + number)
    for number, name in enumerate(
        (
            "jp root",
            "kr root",
            "jp",
            "kr",
            "jp log",
            "kr log",
            "ito",
            "sato",
            "abe",
            "oda",
            "rei",
            "lee",
            "kim",
            "other",
            "nao",
        )
    )
}
LABEL = Label(policy="jp", mark="極秘", originator="jp")
ALTERNATIVE = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp")
CONDITIONS = ("7.5.a", "7.5.b", "7.5.c")


@cache
def agreement() -> Agreement:
    return parse_agreement(
        resources.files("comity.agreements").joinpath("jp-kr-2016.toml").read_text(encoding="utf-8"), "jp-kr-2016.toml"
    )


def no_layer(_: bytes) -> Layer:
    raise AssertionError("no layer stands on the agreement of this story")


def digest() -> bytes:
    return bytes.fromhex(agreement().digest)


class Only(Mapping[RowKey, Row | None]):
    """Facts that fail on any key that was not asked for."""

    def __init__(self, facts: dict[RowKey, Row | None]) -> None:
        self._facts = facts

    def __getitem__(self, key: RowKey) -> Row | None:
        assert key in self._facts, f"the step looks at {key}, which reads() does not name"
        return self._facts[key]

    def __contains__(self, key: object) -> bool:
        return key in self._facts

    def __iter__(self) -> Iterator[RowKey]:
        raise AssertionError("the step looks at all facts")

    def __len__(self) -> int:
        raise AssertionError("the step counts its facts")


class Register:
    """The rows of one party."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.rows: dict[RowKey, Row | None] = {}

    def context(self, now: datetime) -> Context:
        """What its rules may ask besides rows."""
        return Context(self.party, KEYS[f"{self.party} root"].public, now, lambda _: agreement(), no_layer, ZoneInfo)

    def judge(self, record: Record, now: datetime) -> Verdict:
        context = self.context(now)
        facts = {key: self.rows.get(key) for key in reads(context, record)}
        while more := reads_more(context, Only(facts), record):
            facts |= {key: self.rows.get(key) for key in more}
        before = copy.deepcopy((facts, record))
        verdict = step(context, Only(facts), record)
        assert step(context, Only(facts), record) == verdict
        assert (facts, record) == before
        return verdict

    def take(self, record: Record, now: datetime) -> Verdict:
        verdict = self.judge(record, now)
        if isinstance(verdict, Changes):
            self.rows.update({put.key: put.row for put in verdict.puts})
            self.rows = {key: row for key, row in self.rows.items() if row is not None}
        return verdict


class Story:
    """Both registers, and a clock that a record moves."""

    def __init__(self) -> None:
        self.registers = {party: Register(party) for party in ("jp", "kr")}
        self.now = START
        self.said: dict[str, Record] = {}
        self._next: dict[str, tuple[int, bytes]] = {}

    def write(self, author: str, body: Body, at: datetime | None = None, seen: SeenCheckpoint | None = None) -> Record:
        """A record at the end of its chain, not stepped yet."""
        relationship = RELATIONSHIP if body.crosses else DOMESTIC
        sequence, previous = self._next.get(f"{relationship}/{author}", (0, NOTHING))
        statement = Statement(
            version=VERSION,
            suite=SUITE,
            relationship=relationship,
            author=author,
            sequence=sequence,
            previous=previous,
            at=at or self.now,
            seen=seen,
            type=body.kind,
            body=msgspec.Raw(encode(body)),
        )
        return write(statement, body, [(KEYS[author].public, KEYS[author].sign)])

    def try_(self, author: str, body: Body, at: datetime | None = None) -> Verdict:
        """The verdict at home, and the same abroad where it crosses; its author has heard all that was said."""
        other = "kr" if author == "jp" else "jp"
        heard, _ = self._next.get(f"{RELATIONSHIP}/{other}", (0, NOTHING))
        seen = SeenCheckpoint(heard, bytes(32)) if body.crosses and heard else None
        record = self.write(author, body, at, seen)
        home = self.registers[author].judge(record, self.now)
        if body.crosses:
            abroad = self.registers[other].judge(record, self.now)
            assert (abroad.word, abroad.code) == (home.word, home.code)
        return home

    def say(self, author: str, body: Body) -> Record:
        """A record that both registers accept."""
        self.now += timedelta(seconds=1)
        record = self.write(author, body)
        for party, register in self.registers.items():
            if party == author or body.crosses:
                verdict = register.take(record, self.now)
                assert isinstance(verdict, Changes), (party, verdict)
        statement = record.statement
        self._next[statement.chain] = (statement.sequence + 1, record.id)
        self.said[body.kind] = record
        return record

    def at_once(self, *said: tuple[str, Body]) -> list[Record]:
        """Each party says its part before it hears of the other's; then each hears it, in the order of its author."""
        records: list[tuple[str, Record]] = []
        for author, body in said:
            self.now += timedelta(seconds=1)
            record = self.write(author, body)
            verdict = self.registers[author].take(record, self.now)
            assert isinstance(verdict, Changes), (author, body, verdict)
            self._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
            records.append((author, record))
        for author, record in records:
            other = "kr" if author == "jp" else "jp"
            verdict = self.registers[other].take(record, self.now)
            assert isinstance(verdict, Changes), (other, record.body, verdict)
        return [record for _, record in records]

    def rows(self, party: str, *kinds: type[Row]) -> dict[RowKey, Row | None]:
        """The rows of some kinds."""
        return {key: row for key, row in self.registers[party].rows.items() if isinstance(row, kinds)}

    def row(self, party: str, table: str, key: str) -> Row | None:
        return self.registers[party].rows.get((table, key))

    def last(self, table: str, key: str) -> bytes:
        """What ``after`` must name."""
        return getattr(self.row("jp", table, key), "last", bytes(32))

    def newest_answer(self, request: str, recipient: str) -> bytes:
        """What ``after`` of an assurance must name."""
        answer = self.row("jp", "assurance", f"{request}/{recipient}") or self.row("jp", "asked", request)
        return getattr(answer, "record", bytes(32))


def signed(body: Body, signer: str, party: str = "jp", key: str = "") -> Body:
    """``body`` signed by a person (``p-NAME`` at home, ``n-NAME`` across) or by ``root``."""
    relationship = RELATIONSHIP if body.crosses else DOMESTIC
    used = KEYS[key or (f"{party} root" if signer == "root" else signer.partition("-")[2])]
    return sign_act(body, relationship, party, signer, used.public, used.sign)


def person(name: str, roles: tuple[str, ...], signer: str = "root", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "person": f"p-{name}",
        "function": "desk",
        "body": "Ministry of Defence",
        "employer": "government",
        "nationality": "jp",
        "serves": "jp",
        "roles": roles,
        "custody": "served",
        "recipient": "age1…",
        "signing_key": KEYS[name].public,
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.PersonEnrolled(**fields), signer, key=key)


def card(of: str, /, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "version": 1,
        "party": of,
        "name": of,
        "root": KEYS[f"{of} root"].public,
        "node_sign": (KEYS[of].public,),
        "log": KEYS[f"{of} log"].public,
        "witness": bytes([1]) * 32,
        "transport": bytes([2]) * 32,
        "certificate": bytes(32),
        "addresses": (),
        "registry": (RegistryKey(1, "age1…"),),
        "suites": ("ed25519",),
        "records": (1,),
        "issued": START,
        "until": START + YEAR,
        **changes,
    }
    made = Card(**fields)
    root = next(key for key in KEYS.values() if key.public == made.root)
    return write_card(made, root.sign)


def peer(of: str, /, **changes: object) -> Body:
    fields: dict[str, object] = {
        "party": of,
        "card": card(of),
        "fingerprint": fingerprint(of, KEYS[f"{of} root"].public),
        "compared_by": ("one", "two"),
        **changes,
    }
    return bodies.PeerAdded(**fields)


def adopted(other: str, **changes: object) -> Body:
    fields: dict[str, object] = {
        "agreement": "jp-kr-2016",
        "relationship": RELATIONSHIP,
        "peer": other,
        "digest": digest(),
        "text": bytes(32),
        "history": bytes(32),
        **changes,
    }
    return bodies.AgreementAdopted(**fields)


def acknowledged(party: str, signer: str = "root", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {"agreement": "jp-kr-2016", "digest": digest(), "signature": unsigned(), **changes}
    return signed(bodies.Acknowledged(**fields), signer, party, key)


def listed(name: str, roles: tuple[str, ...], **changes: object) -> Body:
    fields: dict[str, object] = {
        "pseudonym": f"n-{name}",
        "function": "desk",
        "body": "Ministry of National Defense",
        "employer": "government",
        "nationality": "kr",
        "serves": "kr",
        "roles": roles,
        "custody": "served",
        "recipient": "age1…",
        "signing_key": KEYS[name].public,
        **changes,
    }
    return bodies.Listed(**fields)


def borrowed(story: Story, name: str, key: str, of: str = "kr") -> None:
    """The other party's directory has a pseudonym of ``of``'s, with another key: as if its rule had not refused it."""
    other = "jp" if of == "kr" else "kr"
    row = story.row(of, "directory", f"{RELATIONSHIP}/{of}/n-{name}")
    assert isinstance(row, DirectoryRow)
    taken = msgspec.structs.replace(row, party=other, signing_key=KEYS[key].public)
    for register in story.registers.values():
        register.rows["directory", f"{RELATIONSHIP}/{other}/n-{name}"] = taken


def item(**changes: object) -> Body:
    fields: dict[str, object] = {
        "item": "i-1",
        "label": LABEL,
        "form": "electronic",
        "topic": "missiles",
        "subject": "defence",
        "size": 8,
        "content": bytes(32),
        "by": "p-sato",
        "originator": "jp",
        **changes,
    }
    return bodies.ItemRegistered(**fields)


def requested(signer: str = "p-sato", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "item": "i-1",
        "relationship": RELATIONSHIP,
        "recipients": ("n-kim",),
        "purpose": "air defence",
        "by": "p-sato",
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.ReleaseRequested(**fields), signer, key=key)


def approved(story: Story, signer: str = "p-abe", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "granted": True,
        "reason": "needed",
        "by": signer,
        "after": story.last("request", "r-1"),
        "signature": unsigned(),
        **changes,
    }
    return signed(bodies.Approved(**fields), signer, key=key)


def asked(**changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "item": "i-1",
        "label": LABEL,
        "form": "electronic",
        "topic": "missiles",
        "purpose": "air defence",
        "recipients": ("n-kim",),
        **changes,
    }
    return bodies.AssuranceAsked(**fields)


def assured(story: Story, signer: str = "n-lee", party: str = "kr", key: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "request": "r-1",
        "item": "i-1",
        "recipient": "n-kim",
        "conditions": CONDITIONS,
        "by": signer,
        "signature": unsigned(),
        **changes,
    }
    fields.setdefault("after", story.newest_answer(f"{RELATIONSHIP}/{fields['request']}", str(fields["recipient"])))
    return signed(bodies.Assured(**fields), signer, party, key)


def consigned(story: Story, **changes: object) -> Body:
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
        "payload": bytes(32),
        "size": 512,
        "content": bytes(32),
        "copies": (bodies.CopyMade(1, "n-kim", bytes(32)),),
        "assurances": (story.said["assurance/1"].id,) if "assurance/1" in story.said else (),
        "basis": bytes(32),
        **changes,
    }
    return bodies.Consigned(**fields)


def received(story: Story, **changes: object) -> Body:
    fields: dict[str, object] = {
        "consignment": story.said["consignment/1"].id,
        "item": "i-1",
        "copies": (1,),
        **changes,
    }
    return bodies.Received(**fields)


def opened(story: Story, signer: str = "", **changes: object) -> Body:
    fields: dict[str, object] = {
        "consignment": story.said["consignment/1"].id,
        "item": "i-1",
        "copy": 1,
        "holder": "n-kim",
        "purpose": "air defence",
        "basis": bytes(32),
        **changes,
    }
    body = bodies.Opened(**fields)
    return signed(body, signer, "kr") if signer else body


def unopenable(story: Story, **changes: object) -> Body:
    fields: dict[str, object] = {
        "consignment": story.said["consignment/1"].id,
        "item": "i-1",
        "copy": 1,
        "code": "other-label",
        "reason": "it holds something else",
        **changes,
    }
    return bodies.Unopenable(**fields)


def returned(story: Story, **changes: object) -> Body:
    fields: dict[str, object] = {
        "record": story.said["consignment/1"].id,
        "code": "no-item",
        "reason": "",
        "item": "i-1",
        "copies": (1,),
        **changes,
    }
    return bodies.Returned(**fields)


POINTS = ("founded", "peered", "asked", "assured", "given", "received")
"""How far a story is told."""


def told(until: str) -> Story:
    """A story up to a point; every record on the way is accepted by whoever holds it."""
    story = Story()
    story.say("jp", person("ito", ("security-officer",)))
    story.say("jp", person("sato", ("officer",), "p-ito"))
    story.say("jp", person("abe", ("release-authority",), "p-ito"))
    story.say("jp", person("oda", ("release-authority", "officer"), "p-ito"))
    story.say("jp", person("rei", ("registry",), "p-ito"))
    if until == "founded":
        return story
    for party, other in (("jp", "kr"), ("kr", "jp")):
        story.say(party, peer(other))
        story.say(party, adopted(other))
    story.say("kr", listed("lee", ("assurance-officer", "agreement-authority")))
    story.say("kr", listed("kim", ("reader",)))
    story.say("jp", acknowledged("jp"))
    story.say("kr", acknowledged("kr", "n-lee"))
    if until == "peered":
        return story
    story.say("jp", item())
    story.say("jp", requested())
    story.say("jp", asked())
    if until == "asked":
        return story
    story.say("kr", assured(story))
    story.say("jp", approved(story))
    if until == "assured":
        return story
    story.say("jp", consigned(story))
    if until == "given":
        return story
    story.say("kr", received(story))
    return story
