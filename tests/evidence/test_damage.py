"""Every byte of a file is under a signature, and a changed one is named for what it is."""

from __future__ import annotations

import asyncio
import random
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import world as whole_world
from comity.errors import Rejected
from comity.evidence.grounds import check_cards
from comity.evidence.model import Shown, Withheld, read_evidence, write_evidence
from comity.evidence.verify import check_outer
from comity.record import dsse
from comity.record.dsse import Envelope
from comity.record.encoding import encode
from comity.record.statement import peek
from evidence.made import ALL_GROUPS, Made, contents, told
from world import World

PARTS = 4
"""Into how many tests the bytes of the small file are parted, so that they can run beside each other."""
SMALL_AGREEMENT = """
[agreement]
format = 1
id = "jp-kr-2016"
version = "1"
kind = "security-of-information"
legal-force = "treaty"
authentic = "none"
title = { en = "A small agreement" }
[[party]]
id = "jp"
kind = "state"
name = { en = "J" }
timezone = "Asia/Tokyo"
languages = ["en"]
nations = ["jp"]
[[party]]
id = "kr"
kind = "state"
name = { en = "K" }
timezone = "Asia/Seoul"
languages = ["en"]
nations = ["kr"]
[scope]
clause = "1"
[[level]]
party = "jp"
mark = "極秘"
rank = 2
english = "SECRET"
clause = "1"
[[level]]
party = "kr"
mark = "군사 Ⅱ급 비밀"
rank = 2
english = "SECRET"
clause = "1"
[[equivalence]]
clause = "1"
marks = { jp = ["極秘"], kr = ["군사 Ⅱ급 비밀"] }
[[clause]]
id = "1"
heading = { en = "All" }
says = "Everything."
provenance = "P"
source = "ours"
[[rule]]
id = "all"
clause = "1"
acts = ["give", "export-evidence"]
permits = true
[[checklist]]
id = "a"
clause = "1"
bound-to = "item-and-recipient"
attested-by = "recipient"
conditions = ["1"]
[[rule]]
id = "a"
clause = "1"
acts = ["give"]
checklist = "a"
[term]
clause = "1"
entry = "later-of-notices"
timezone = "Asia/Seoul"
duration = "P1Y"
renewal = "automatic"
survival = "protection-continues"
"""
SMALL_HISTORY = """
[history]
format = 1
agreement = "jp-kr-2016"
title = "H"
[[event]]
id = "s"
when = "2016-11-23T10:00"
zone = "Asia/Seoul"
kind = "signature"
by = ["jp", "kr"]
says = "s"
[[event]]
id = "k"
when = "2016-11-23"
zone = "Asia/Seoul"
kind = "entry-note"
by = ["kr"]
says = "k"
[[event]]
id = "j"
when = "2016-11-23"
zone = "Asia/Seoul"
kind = "entry-note"
by = ["jp"]
says = "j"
"""
TEXTS = {"jp-kr-2016.toml": SMALL_AGREEMENT, "jp-kr-2016.history.toml": SMALL_HISTORY}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real file, as small as one can be: two houses under a small agreement, all that may be withheld withheld."""
    original = whole_world.library
    whole_world.library = lambda name: TEXTS.get(name) or original(name)
    try:
        return asyncio.run(_small(tmp_path_factory.mktemp("small")))
    finally:
        whole_world.library = original


async def _small(folder: Path) -> bytes:
    made = Made(await World.make(folder))
    made.item = (await made.world.given()).item
    await made.export("small", withhold=ALL_GROUPS)
    await made.world.close()
    return made.others["small"]


def flipped(data: bytes, positions: Iterator[int], seed: int) -> Iterator[tuple[int, bytes]]:
    """``data`` with one bit of one byte changed, for each position."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for position in positions:
        bit = 1 << chance.randrange(8)
        changed[position] ^= bit
        yield position, bytes(changed)
        changed[position] ^= bit


@pytest.mark.parametrize("part", range(PARTS))
def test_no_byte_of_a_file_can_be_changed(small: bytes, part: int) -> None:
    """(1) (2) (8) (9): every single byte. What refuses first is what this looks at: reading, cards, outer signature."""
    assert told(small).lines
    for position, changed in flipped(small, iter(range(part, len(small), PARTS)), part):
        try:
            unsigned = read_evidence(changed)
            check_outer(unsigned, check_cards(unsigned.evidence)[0])
        except Rejected:
            continue
        pytest.fail(f"byte {position} can be changed")


def test_a_changed_byte_is_refused_with_the_name_of_its_part(made: Made) -> None:
    """(7)"""
    data = made.jp
    places = set()
    for position, changed in flipped(data, iter(range(0, len(data), 397)), 1):
        with pytest.raises(Rejected) as caught:
            told(changed)
        assert caught.value.place, position
        places.add(caught.value.place)
    assert {"the agreement text", "the history text"} <= places
    assert any("record" in place for place in places)


def altered(made: Made, alter: msgspec.Struct) -> Rejected:
    """What is said of contents that were changed after they were signed."""
    signed = read_evidence(made.jp).envelope
    data = encode(Envelope(encode(alter), signed.payloadType, signed.signatures))
    with pytest.raises(Rejected) as caught:
        told(data)
    return caught.value


def other(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def kind_place(made: Made, place: int, kind: str) -> int:
    chain = contents(made.jp).chains[place].records
    return next(at for at, each in enumerate(chain) if isinstance(each, Shown) and peek(each.envelope).type == kind)


def with_record(made: Made, place: int, at: int, **changes: object) -> msgspec.Struct:
    evidence = contents(made.jp)
    chain = evidence.chains[place]
    records = list(chain.records)
    records[at] = msgspec.structs.replace(records[at], **changes)
    chains = list(evidence.chains)
    chains[place] = msgspec.structs.replace(chain, records=tuple(records))
    return msgspec.structs.replace(evidence, chains=tuple(chains))


def signature_altered(envelope: bytes) -> bytes:
    read = msgspec.json.decode(envelope, type=Envelope)
    one = read.signatures[0]
    return encode(msgspec.structs.replace(read, signatures=(msgspec.structs.replace(one, sig=other(one.sig)),)))


def test_the_signature_of_the_receipt(made: Made) -> None:
    at = kind_place(made, 1, "receipt/1")
    record = contents(made.jp).chains[1].records[at]
    assert isinstance(record, Shown)
    error = altered(made, with_record(made, 1, at, envelope=signature_altered(record.envelope)))
    assert (error.code, error.place) == ("bad-signature", f"the receipt (record {record.index} of jp-kr-2016/jp.kr/kr)")


def test_the_salt_or_the_path_of_a_record(made: Made) -> None:
    at = kind_place(made, 0, "consignment/1")
    record = contents(made.jp).chains[0].records[at]
    assert isinstance(record, Shown)
    path = (other(record.path[0]), *record.path[1:])
    for changes in ({"salt": other(record.salt)}, {"path": path}, {"path": record.path[1:]}):
        error = altered(made, with_record(made, 0, at, **changes))
        assert error.place == f"the inclusion proof of record {record.index} of jp-kr-2016/jp.kr/jp"
        assert error.code == "not-included"


def test_the_leaf_of_a_withheld_record(made: Made) -> None:
    records = contents(made.jp).chains[2].records
    at = next(at for at, each in enumerate(records) if isinstance(each, Withheld))
    error = altered(made, with_record(made, 2, at, leaf=bytes(32)))
    assert error.place == f"the inclusion proof of record {records[at].index} of domestic/jp"


def test_a_text_a_card_a_checkpoint_and_an_anchor(made: Made) -> None:
    evidence = contents(made.jp)
    text = msgspec.structs.replace(evidence.texts[0], content=evidence.texts[0].content + b"\n")
    card = signature_altered(evidence.cards[1])
    chain = evidence.chains[1]
    note = chain.checkpoint.replace(chain.checkpoint.split(b"\n")[2][:8], b"AAAAAAAA")
    chains = (evidence.chains[0], msgspec.structs.replace(chain, checkpoint=note), evidence.chains[2])
    anchor = msgspec.structs.replace(evidence.anchors[0], salt=bytes(32))
    for changes, place in (
        ({"texts": (text, *evidence.texts[1:])}, "the agreement text"),
        ({"cards": (evidence.cards[0], card)}, "card 2"),
        ({"chains": chains}, "the checkpoint of jp-kr-2016/jp.kr/kr"),
        ({"anchors": (anchor,)}, "the anchor of the consignment (record 5 of jp-kr-2016/jp.kr/jp)"),
    ):
        assert altered(made, msgspec.structs.replace(evidence, **changes)).place == place


def test_what_only_the_outer_signature_covers(made: Made) -> None:
    """(7): the order of the texts means nothing, so nothing inside is wrong with another one."""
    evidence = contents(made.jp)
    error = altered(made, msgspec.structs.replace(evidence, texts=evidence.texts[::-1]))
    assert (error.code, error.place) == ("bad-signature", "the outer signature")


def test_another_signer_of_the_file(made: Made) -> None:
    """(9): the other party, and a key of the exporter for another purpose."""
    for signer in (made.world.kr.keys.record, made.world.jp.keys.log):
        data = write_evidence(contents(made.jp), [(signer.public, signer.sign)])
        with pytest.raises(Rejected, match="not \\(or no longer\\) a key of its author") as caught:
            told(data)
        assert caught.value.place == "the outer signature"


def test_where_reading_stops_is_named(made: Made) -> None:
    """(7)"""
    payload = read_evidence(made.jp).envelope.payload
    salt = payload.index(b'"salt":"', payload.index(b"jp-kr-2016/jp.kr/kr"))
    cases = {
        payload.replace(b'"format"', b'"formal"', 1): "its contents",
        payload[: salt + 9] + b"*" + payload[salt + 10 :]: "the salt of record 0 of jp-kr-2016/jp.kr/kr",
        payload[: salt + 9] + b"\xff" + payload[salt + 10 :]: "the salt of record 0 of jp-kr-2016/jp.kr/kr",
        payload[: salt + 9] + b"\x01" + payload[salt + 10 :]: "the salt of record 0 of jp-kr-2016/jp.kr/kr",
        payload[:salt] + b" " + payload[salt:]: "the envelope of record 0 of jp-kr-2016/jp.kr/kr",
        payload[:-2] + b",]}": "an anchor",
    }
    for changed, place in cases.items():
        with pytest.raises(Rejected) as caught:
            told(encode(Envelope(changed, dsse_type(made), read_evidence(made.jp).envelope.signatures)))
        assert caught.value.place == place


def dsse_type(made: Made) -> str:
    return read_evidence(made.jp).envelope.payloadType


def test_a_broken_character_of_the_outer_text_is_named_by_what_it_encodes(made: Made) -> None:
    """(7)"""
    payload = read_evidence(made.jp).envelope.payload
    inside = payload.index(b'"content":"') + 2000
    position = len(b'{"payload":"') + inside * 4 // 3
    assert made.jp.startswith(b'{"payload":"' + b64encode(payload[:300]))
    for character in b'*\xff\x00"':
        changed = made.jp[:position] + bytes([character]) + made.jp[position + 1 :]
        with pytest.raises(Rejected) as caught:
            told(changed)
        assert caught.value.place == "the agreement text"


def test_a_file_cut_short_and_one_with_more_behind_it(made: Made) -> None:
    for changed in (made.jp[: len(made.jp) // 2], made.jp + b"\n", b" " + made.jp, made.jp[:-1]):
        with pytest.raises(Rejected) as caught:
            told(changed)
        assert caught.value.place


def test_signatures_of_the_cache_are_not_taken_for_others(made: Made) -> None:
    """A file that verified does not make a changed one verify."""
    told(made.jp)
    envelope = dsse.read(made.jp, dsse_type(made), "", len(made.jp))
    one = envelope.signatures[0]
    changed = encode(msgspec.structs.replace(envelope, signatures=(msgspec.structs.replace(one, sig=other(one.sig)),)))
    with pytest.raises(Rejected) as caught:
        told(changed)
    assert caught.value.place == "the outer signature"
