"""Evidence, and keys that were replaced or revoked before a file was made or after (``spec/evidence.md`` 31 to 33)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.evidence.model import Chain, Shown
from comity.evidence.story import Verified
from comity.evidence.verify import verify
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.maintaining.rotating import RevokeKey, RotateKey, revoke_key, rotate_key
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import KeyType, VerifierKey
from comity.record import dsse
from comity.record.card import SIGNING, Card, FormerKey, Purpose, read_card, write_card
from comity.record.contexts import RECORD, origin, witness_name
from comity.record.dsse import key_id
from comity.record.statement import peek
from courier.keys import Key
from evidence.made import ZONES, Forger, Made, contents
from world import World

HOUR = timedelta(hours=1)


@pytest.fixture
async def fresh(tmp_path: Path) -> Made:
    """A document that was given, opened and witnessed; nothing was exported yet."""
    made = Made(await World.make(tmp_path))
    made.item = (await made.world.given()).item
    await made.open_it()
    await made.world.exchange()
    return made


async def exported(made: Made, name: str, party: str = "jp") -> bytes:
    await made.export(name, party)
    return made.others[name]


def told(data: bytes, *newer: bytes) -> Verified:
    return verify(data, (), ZONES, newer)


def refused(data: bytes, *newer: bytes) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        told(data, *newer)
    return caught.value.code, caught.value.place


def noted(verified: Verified) -> set[str]:
    return {each.place for each in verified.open if each.code == "revoked-key"}


async def test_old_files_verify_with_new_cards_and_new_files_with_old_ones(fresh: Made) -> None:
    files = [await exported(fresh, "before"), await exported(fresh, "before-kr", "kr")]
    old = [await house.card() for house in (fresh.world.jp, fresh.world.kr)]
    for purpose in SIGNING:
        for house in (fresh.world.jp, fresh.world.kr):
            await rotate_key(house, RotateKey(purpose=purpose))
        await fresh.world.exchange()
        files += [await exported(fresh, f"after-{purpose}"), await exported(fresh, f"after-{purpose}-kr", "kr")]
    await fresh.world.exchange()
    new = [await house.card() for house in (fresh.world.jp, fresh.world.kr)]
    for data in files:
        for newer in ((), old, new):
            verified = told(data, *newer)
            assert verified.chains[0].witness
            assert not noted(verified)


async def test_what_stood_before_a_revocation_stands(fresh: Made) -> None:  # (31)
    before = await exported(fresh, "before")
    since = fresh.world.clock.now() + HOUR
    fresh.world.clock.time += 2 * HOUR
    await revoke_key(fresh.world.jp, RevokeKey(purpose="record", since=since))
    await fresh.world.exchange()
    card = await fresh.world.jp.card()
    verified = told(before, card)
    assert {line.code for line in verified.lines if line.status == "proved"} >= {"consignment/1", "receipt/1"}
    assert "the outer signature" in noted(verified)  # (33)
    assert all("domestic" in place for place in noted(verified) - {"the outer signature"})
    after = await exported(fresh, "after")
    shown = [peek(each.envelope).type for each in contents(after).chains[0].records if isinstance(each, Shown)]
    assert shown[-1] == "key-rotation/1"
    assert not noted(told(after))


async def test_what_was_witnessed_only_after_the_instant_is_forged(fresh: Made) -> None:  # (31)
    before = await exported(fresh, "before")
    theirs = await exported(fresh, "theirs", "kr")
    since = fresh.world.clock.now() - HOUR  # it was stolen before all that
    await revoke_key(fresh.world.jp, RevokeKey(purpose="record", since=since))
    code, place = refused(before, card := await fresh.world.jp.card())
    assert (code, place.partition(" (")[0]) == ("revoked-key", "the acknowledgement")
    assert refused(theirs, card)[0] == "revoked-key"
    assert told(before)  # nobody who has no newer card can know it
    await fresh.world.exchange()
    for name, party in (("again", "jp"), ("again-kr", "kr")):  # with the change of keys, Tokyo stands by it
        verified = told(await exported(fresh, name, party), card)
        assert not noted(verified)
        assert {line.code for line in verified.lines if line.status == "proved"} >= {"consignment/1", "receipt/1"}


async def test_a_file_made_right_after_a_revocation_verifies(fresh: Made) -> None:  # (31)
    await revoke_key(fresh.world.jp, RevokeKey(purpose="record", since=fresh.world.clock.now() - HOUR))
    verified = told(await exported(fresh, "at-once"))
    assert verified.chains[0].witness == ""  # nobody cosigned the change of keys yet
    await fresh.world.exchange()
    assert told(await exported(fresh, "later")).chains[0].witness == "kr"


async def test_without_the_change_of_keys_nothing_stands_by_what_a_revoked_key_signed(fresh: Made) -> None:  # (31)
    await revoke_key(fresh.world.jp, RevokeKey(purpose="record", since=fresh.world.clock.now() - HOUR))
    await fresh.world.exchange()
    forger = Forger(fresh, await exported(fresh, "after"))
    assert refused(forger.without(0, "key-rotation/1"))[0] == "revoked-key"
    assert "domestic" in " ".join(noted(told(forger.without(2, "own-keys/1"))))


async def test_that_a_record_of_the_other_party_was_there_before_is_the_exporters_word(fresh: Made) -> None:  # (31)
    theirs = await exported(fresh, "theirs", "kr")
    fresh.world.clock.time += HOUR
    await revoke_key(fresh.world.jp, RevokeKey(purpose="record", since=fresh.world.clock.now()))
    verified = told(theirs, await fresh.world.jp.card())
    assert {place.partition(" (")[0] for place in noted(verified)} >= {"the consignment", "the acknowledgement"}


@pytest.mark.parametrize("earlier", [False, True])
async def test_a_checkpoint_of_a_revoked_key_counts_as_far_as_it_was_witnessed(
    fresh: Made, earlier: bool
) -> None:  # (32)
    before = await exported(fresh, "before")
    fresh.world.clock.time += HOUR
    since = fresh.world.clock.now() - (2 * HOUR if earlier else timedelta())
    await revoke_key(fresh.world.jp, RevokeKey(purpose="log", since=since))
    card = await fresh.world.jp.card()
    if earlier:
        assert refused(before, card) == ("revoked-key", "the checkpoint of jp-kr-2016/jp.kr/jp")
    else:
        assert told(before, card).chains[0].witness == "kr"
    await fresh.world.exchange()
    assert told(await exported(fresh, "after"), card).chains[0].witness == "kr"


async def test_a_cosignature_of_a_revoked_key_counts_for_nothing(fresh: Made) -> None:  # (32)
    before = await exported(fresh, "before")
    await revoke_key(fresh.world.kr, RevokeKey(purpose="witness", since=fresh.world.clock.now()))
    verified = told(before, await fresh.world.kr.card())
    assert verified.chains[0].witness == ""
    await fresh.world.exchange()
    await rotate_key(fresh.world.jp, RotateKey(purpose="transport"))
    await fresh.world.exchange()
    assert told(await exported(fresh, "after")).chains[0].witness == "kr"


async def test_a_newer_card_is_of_one_of_the_two_under_the_same_root(fresh: Made) -> None:
    data = await exported(fresh, "file")
    card = read_card(await fresh.world.jp.card())
    root = Key("other")
    third = msgspec.structs.replace(card, party="us", root=root.public)
    for other in (third, msgspec.structs.replace(card, root=root.public)):
        assert refused(data, write_card(other, root.sign))[0] == "other-card"
    stranger = FormerKey(purpose="log", key=read_card(await fresh.world.kr.card()).log, until=card.issued)
    both = msgspec.structs.replace(card, former=(stranger,))
    assert refused(data, write_card(both, fresh.world.jp.keys.root().sign))[0] == "key-reuse"


# ---- random histories of keys, against a model ---------------------------------------------------------------------

PARTY = st.sampled_from(["jp", "kr"])
PURPOSE = st.sampled_from(SIGNING)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), PARTY, PURPOSE),
        st.tuples(st.just("revoke"), PARTY, PURPOSE, st.integers(0, 5)),
        st.tuples(st.just("export"), PARTY),
        st.tuples(st.just("exchange")),
        st.tuples(st.just("wait"), st.integers(1, 40 * 24)),
    ),
    min_size=3,
    max_size=9,
)


class History:
    """Two houses whose keys change, and every file that was exported on the way."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.files: list[tuple[str, bytes]] = []

    async def step(self, action: str, *given: object) -> None:
        world = self.made.world
        match action, *given:
            case "rotate", party, purpose:
                await rotate_key(world.house(str(party)), RotateKey(purpose=cast("Purpose", purpose)))
            case "revoke", party, purpose, int(hours):
                since = world.clock.now() - hours * HOUR
                house, kind = world.house(str(party)), cast("Purpose", purpose)
                present = read_card(await house.card()).present(kind)[0]  # by name: it may follow a revoked one
                await revoke_key(house, RevokeKey(purpose=kind, since=since, key=present.hex()))
            case "export", party:
                data = await exported(self.made, f"file-{len(self.files)}", str(party))
                self.files.append((str(party), data))
            case ("exchange",):
                await world.exchange()
            case "wait", int(hours):
                world.clock.time += hours * HOUR


def stands(party: str, data: bytes, cards: dict[str, Card]) -> bool:
    """The model: whether nothing in a file hangs on what a revoked key signed, but for what was there before."""
    parsed = contents(data)
    other = {"jp": "kr", "kr": "jp"}[party]
    return all(
        chain_stands(parsed.chains[place], cards[author], cards[witness])
        for place, author, witness in ((0, party, other), (1, other, party))
    )


def chain_stands(chain: Chain, author: Card, witness: Card) -> bool:
    name = origin(chain.name)
    logs = [VerifierKey(name, KeyType.ED25519, key) for key in author.had("log")]
    witnesses = [
        VerifierKey(witness_name(witness.party), KeyType.COSIGNATURE_V1, key) for key in witness.unrevoked("witness")
    ]
    opened = open_checkpoint(chain.checkpoint, name, logs, witnesses)
    seen = min((each.time for each in opened.witnesses if each.time is not None), default=None)
    size = opened.checkpoint.head.size

    def there_before(since: datetime | None, index: int) -> bool:
        return since is None or (seen is not None and index < size and seen <= since.timestamp())

    log_revoked = author.revoked("log")
    if not any(there_before(log_revoked.get(each.key.public), 0) for each in opened.log):
        return False
    by_id = {key_id(key): since for key, since in author.revoked("record").items()}
    signed = {
        each.index: by_id.get(dsse.read(each.envelope, RECORD).signatures[0].keyid)
        for each in chain.records
        if isinstance(each, Shown)
    }
    changes = [
        each.index
        for each in chain.records
        if isinstance(each, Shown) and each.index < size and signed[each.index] is None
        if peek(each.envelope).type == "key-rotation/1"
    ]
    return all(index < max(changes, default=0) or there_before(since, index) for index, since in signed.items())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_whatever_becomes_of_keys_a_file_stands_as_far_as_the_model_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    async def run() -> None:
        made = Made(await World.make(tmp_path_factory.mktemp("keys")))
        made.item = (await made.world.given()).item
        await made.world.exchange()
        history = History(made)
        for step in steps:
            await history.step(str(step[0]), *step[1:])
        await made.world.exchange()
        new = len(history.files)
        for party in ("jp", "kr"):
            await history.step("export", party)
        envelopes = [await house.card() for house in (made.world.jp, made.world.kr)]
        cards = {card.party: card for card in map(read_card, envelopes)}
        for house, peer in ((made.world.jp, "kr"), (made.world.kr, "jp")):
            assert await house.peer_card(peer) == cards[peer]
            assert not (await verify_ledger(house, VerifyLedger())).findings
        for number, (party, data) in enumerate(history.files):
            expected = stands(party, data, cards)
            assert expected or number < new  # what is made after it was all told, stands
            if expected:
                assert told(data, *envelopes).exporter == party
            else:
                assert refused(data, *envelopes)[0] == "revoked-key"
        await made.world.close()

    asyncio.run(run())
