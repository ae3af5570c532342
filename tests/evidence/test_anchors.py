"""Anchors, and evidence read when Ed25519 is trusted no more (``spec/evidence.md`` steps 40 to 45)."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from comity.errors import Misuse, Rejected
from comity.evidence.anchored import Distrust, verify_distrusting
from comity.evidence.anchors import Anchor, AnchoredCard, AnchoredHead, anchor_fingerprint, make_anchor, open_anchor
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.flows.house import House
from comity.flows.maintaining.anchoring import AnchorLedgers, anchor_ledgers
from comity.flows.maintaining.rotating import RotateKey, rotate_key
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.note import Note
from comity.record.card import read_card
from comity.record.encoding import decode, encode
from comity.seal.anchor_key import AnchorKey
from evidence.made import ZONES, Made, contents
from world import RELATIONSHIP, TODAY, World

KEYS = {party: MLDSA65PrivateKey.from_seed_bytes(sha256(party.encode()).digest()) for party in ("jp", "kr", "thief")}
FINGERPRINTS = tuple(anchor_fingerprint(party, KEYS[party].public_key().public_bytes_raw()) for party in ("jp", "kr"))
DAY = timedelta(days=1)


def heads_in(data: bytes) -> tuple[AnchoredHead, ...]:
    found = []
    for chain in contents(data).chains:
        head = Checkpoint.parse(Note.parse(chain.checkpoint).text).head
        found.append(AnchoredHead(chain.name, head.size, head.root))
    return tuple(found)


def cards_in(data: bytes, party: str) -> tuple[bytes, ...]:
    return tuple(each for each in contents(data).cards if read_card(each).party == party)


async def anchored(house: House, *files: bytes, key: str = "") -> bytes:
    """An anchor of a house, with the states that evidence files hang on."""
    heads = tuple(dict.fromkeys(head for data in files for head in heads_in(data)))
    cards = tuple(dict.fromkeys(card for data in files for card in cards_in(data, house.party)))
    made = await anchor_ledgers(house, AnchorLedgers(heads=heads, cards=cards))
    signer = KEYS[key or house.party]
    return made.sign(signer.public_key().public_bytes_raw(), signer.sign)


@pytest.fixture
async def fresh(tmp_path: Path) -> Made:
    made = Made(await World.make(tmp_path))
    made.item = (await made.world.given()).item
    await made.world.exchange()
    return made


async def exported(made: Made, party: str = "jp") -> bytes:
    await made.export(party, party)
    return made.others[party]


def told(data: bytes, *anchors: bytes, after: timedelta = DAY, trusted: tuple[bytes, ...] = FINGERPRINTS) -> Verified:
    return verify_distrusting(data, (), ZONES, (), None, Distrust(TODAY + after, anchors, trusted))


def refused(
    data: bytes, *anchors: bytes, after: timedelta = DAY, trusted: tuple[bytes, ...] = FINGERPRINTS
) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        told(data, *anchors, after=after, trusted=trusted)
    return caught.value.code, caught.value.place


async def test_old_files_of_both_sides_verify_through_anchors_made_years_later(fresh: Made) -> None:  # (43, 44)
    files = [await exported(fresh), await exported(fresh, "kr")]
    await fresh.world.person("jp", "mori")  # and the ledgers go on, and keys change
    await fresh.world.exchange()
    await rotate_key(fresh.world.jp, RotateKey(purpose="record"))
    await fresh.world.exchange()
    fresh.world.clock.time += 600 * DAY
    anchors = [await anchored(house, *files) for house in (fresh.world.jp, fresh.world.kr)]
    for data in files:
        verified = told(data, *anchors, after=601 * DAY)
        assert {line.code for line in verified.lines if line.status == "proved"} >= {"consignment/1", "receipt/1"}
        assert verified.open[-1].code == "distrusted"


async def test_what_is_not_anchored_by_both_counts_for_nothing(fresh: Made) -> None:  # (43)
    data = await exported(fresh)
    jp, kr = [await anchored(house, data) for house in (fresh.world.jp, fresh.world.kr)]
    assert refused(data) == ("not-anchored", "card 1")
    assert refused(data, jp) == ("not-anchored", "card 2")
    assert refused(data, kr) == ("not-anchored", "card 1")
    assert told(data, jp, kr)


async def test_a_ledger_that_grew_before_it_was_anchored_needs_its_older_state_in_it(fresh: Made) -> None:  # (41)
    data = await exported(fresh)
    await fresh.world.person("jp", "mori")
    await fresh.world.exchange()
    without = [await anchored(house) for house in (fresh.world.jp, fresh.world.kr)]
    assert refused(data, *without) == ("not-anchored", f"the checkpoint of {RELATIONSHIP}/jp")
    assert told(data, *[await anchored(house, data) for house in (fresh.world.jp, fresh.world.kr)])


async def test_what_was_signed_after_the_instant_is_in_no_anchor(fresh: Made) -> None:  # (43)
    """A file that verifies as ever, made with every Ed25519 key of Tokyo, and with a history that goes on."""
    data = await exported(fresh)
    anchors = [await anchored(house, data) for house in (fresh.world.jp, fresh.world.kr)]
    assert told(data, *anchors)
    await fresh.open_it()
    await fresh.world.exchange()
    await fresh.export("later")
    later = fresh.others["later"]
    assert verify(later, (), ZONES)
    assert refused(later, *anchors) == ("not-anchored", f"the checkpoint of {RELATIONSHIP}/kr")


async def test_a_record_beyond_its_checkpoint_stands_by_ed25519_alone(fresh: Made) -> None:  # (43)
    await fresh.open_it()  # and nobody has cosigned that yet
    data = await exported(fresh, "kr")
    anchors = [await anchored(house, data) for house in (fresh.world.jp, fresh.world.kr)]
    code, place = refused(data, *anchors)
    assert (code, place[:7]) == ("not-anchored", "record ")


async def test_an_anchor_is_the_partys_own_and_was_made_before(fresh: Made) -> None:  # (42, 43)
    data = await exported(fresh)
    jp, kr = [await anchored(house, data) for house in (fresh.world.jp, fresh.world.kr)]
    assert refused(data, jp, kr, after=-DAY) == ("late-anchor", "anchor 1")
    thief = await anchored(fresh.world.jp, data, key="thief")
    assert refused(data, thief, kr) == ("unknown-fingerprint", "anchor 1")
    assert refused(data, jp, kr, trusted=FINGERPRINTS[:1]) == ("unknown-fingerprint", "anchor 2")
    third = make_anchor("us", TODAY, [AnchoredCard(bytes(32))], bytes)
    signer = KEYS["jp"]
    other = third.sign(signer.public_key().public_bytes_raw(), signer.sign)
    assert refused(data, other) == ("other-party", "anchor 1")


async def test_no_byte_of_an_anchor_can_be_changed(fresh: Made) -> None:  # (42)
    data = await anchored(fresh.world.jp)
    assert open_anchor(data).party == "jp"
    parsed = decode(data, Anchor)
    entry = parsed.entries[0]
    changes = [
        {"signature": bytes(3309)},
        {"key": KEYS["kr"].public_key().public_bytes_raw()},
        {"statement": msgspec.structs.replace(parsed.statement, party="kr")},
        {"statement": msgspec.structs.replace(parsed.statement, at=TODAY - DAY)},
        {"entries": (msgspec.structs.replace(entry, salt=bytes(32)),)},
        {"entries": (msgspec.structs.replace(entry, index=1),)},
        {"entries": (msgspec.structs.replace(entry, path=entry.path[:-1]),)},
        {"entries": (msgspec.structs.replace(entry, what=AnchoredHead("x/y", 1, bytes(32))),)},
    ]
    for change in changes:
        with pytest.raises(Rejected):
            open_anchor(encode(msgspec.structs.replace(parsed, **change)))
    for bad, code in (
        (data + b" ", "malformed"),
        (data[:-1], "malformed"),
        (b"x" * (4 * 1024 * 1024 + 1), "too-large"),
    ):
        with pytest.raises(Rejected) as caught:
            open_anchor(bad)
        assert caught.value.code in (code, "not-canonical")
    fewer = open_anchor(encode(msgspec.structs.replace(parsed, entries=parsed.entries[1:])))
    assert len(fewer.heads) + len(fewer.cards) == len(parsed.entries) - 1  # what a reader need not see is left out


async def test_a_house_anchors_no_history_that_it_never_had(fresh: Made) -> None:  # (41)
    head = fresh.world.jp.sequencer.head(f"{RELATIONSHIP}/kr")
    for size, root in ((head.size, bytes(32)), (head.size + 1, head.root), (1, head.root)):
        request = AnchorLedgers(heads=(AnchoredHead(f"{RELATIONSHIP}/kr", size, root),))
        with pytest.raises(Rejected) as caught:
            await anchor_ledgers(fresh.world.jp, request)
        assert caught.value.code == "other-history"
    with pytest.raises(Rejected) as caught:
        await anchor_ledgers(fresh.world.jp, AnchorLedgers(cards=(await fresh.world.kr.card(),)))
    assert caught.value.code == "other-card"
    with pytest.raises(Misuse) as wrong:
        await anchor_ledgers(fresh.world.jp, AnchorLedgers(relationship="other/jp.kr"))
    assert wrong.value.code == "unknown-relationship"


def test_an_anchor_key_is_read_back_and_nothing_else_is() -> None:  # (40)
    key = AnchorKey.generate()
    again = AnchorKey.read(key.file(), "here")
    assert again.public == key.public
    ed25519 = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"-----BEGIN PRIVATE KEY-----\n", ed25519):
        with pytest.raises(Rejected) as caught:
            AnchorKey.read(content, "here")
        assert caught.value.code == "bad-key-file"
