"""Which keys sign a chain, and what is a change of them (``spec/keys.md`` steps 40, 44 to 46)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from comity.errors import Rejected
from comity.record.bodies.keys import KeysRenewed, KeysRotated
from comity.record.card import Card, FormerKey, read_card, write_card
from comity.register.keys import ChainKeys, Rotation
from comity.register.rows import PeerRow
from comity.register.rows.keys import ChainKeysRow
from comity.register.verdict import Rejection
from courier.keys import NOW, Key, card
from register.story import KEYS, RELATIONSHIP, START, Story, told
from register.story import card as made

ROOT = Key("jp root")
ONE, TWO, THREE = (Key(f"jp record {number}").public for number in range(3))
FIRST = msgspec.structs.replace(card("jp"), node_sign=(ONE,))


def after(before: Card, key: bytes, *revoked: bytes, days: int = 1) -> Card:
    """The card that follows on ``before`` with another node-sign key."""
    former = (FormerKey(purpose="record", key=before.node_sign[0], until=NOW), *before.former)
    return msgspec.structs.replace(
        before,
        node_sign=(key,),
        issued=before.issued + timedelta(days=days),
        former=tuple(msgspec.structs.replace(each, revoked=NOW) if each.key in revoked else each for each in former),
    )


SECOND = after(FIRST, TWO)
THIRD = after(SECOND, THREE)
WITHOUT_ONE = after(FIRST, TWO, ONE)


def row(changed: Card, sequence: int) -> ChainKeysRow:
    return ChainKeysRow(keys=changed.node_sign, sequence=sequence, issued=changed.issued)


@pytest.mark.parametrize(
    ("newest", "chain", "came", "sequence", "keys"),
    [
        (FIRST, None, (), 5, {ONE}),
        (SECOND, None, (), 5, {ONE, TWO}),  # this chain has not said so yet
        (SECOND, row(SECOND, 5), (), 5, {TWO}),
        (SECOND, row(SECOND, 5), (), 4, {ONE, TWO}),
        (FIRST, None, (Rotation(5, SECOND),), 4, {ONE, TWO}),
        (FIRST, None, (Rotation(5, SECOND),), 6, {TWO}),
        (THIRD, row(SECOND, 5), (), 6, {TWO, THREE}),  # the third was heard of elsewhere
        (FIRST, None, (Rotation(5, SECOND), Rotation(8, THIRD)), 7, {TWO, THREE}),
        (FIRST, None, (Rotation(5, SECOND), Rotation(8, THIRD)), 8, {THREE}),
        (WITHOUT_ONE, None, (), 5, {TWO}),  # revoked elsewhere, and nothing here stands by it
        (WITHOUT_ONE, None, (Rotation(5, WITHOUT_ONE),), 4, {ONE, TWO}),
        (WITHOUT_ONE, None, (Rotation(5, WITHOUT_ONE),), 5, {TWO}),
        (WITHOUT_ONE, row(WITHOUT_ONE, 5), (), 9, {TWO}),
        (WITHOUT_ONE, row(FIRST, 2), (), 3, {TWO}),  # a change that brought a key which was revoked later
    ],
)
def test_which_keys_sign_goes_by_the_place(  # (45, 46)
    newest: Card, chain: ChainKeysRow | None, came: tuple[Rotation, ...], sequence: int, keys: set[bytes]
) -> None:
    assert set(ChainKeys(newest, chain, came).at(sequence)) == keys


def test_an_older_card_brings_no_key_back() -> None:  # (44, 46)
    changed = ChainKeys(SECOND, row(SECOND, 5))
    for keys, late in ((changed, Rotation(9, FIRST)), (changed.changed(Rotation(7, THIRD)), Rotation(9, SECOND))):
        with pytest.raises(Rejected) as caught:
            keys.changed(late)
        assert caught.value.code == "older-card"
    assert changed.changed(Rotation(3, FIRST)).at(3)  # one that is sent again, from before


def test_no_former_key_comes_back() -> None:  # (40)
    for purpose in ("record", "witness"):
        again = FormerKey(purpose=purpose, key=TWO, until=NOW)
        with pytest.raises(Rejected) as caught:
            read_card(write_card(msgspec.structs.replace(SECOND, former=(again,)), ROOT.sign))
        assert caught.value.code == "key-reuse"


@pytest.mark.parametrize("field", ["until", "revoked"])
def test_instants_on_a_card_are_in_utc(field: str) -> None:
    given = {"purpose": "log", "key": ONE, "until": NOW, field: NOW.replace(tzinfo=None)}
    with pytest.raises(Rejected) as caught:
        FormerKey(**given)
    assert caught.value.code == "not-utc"


def test_a_card_without_former_keys_is_written_as_it_always_was() -> None:
    assert b"former" not in write_card(FIRST, ROOT.sign)
    assert read_card(write_card(THIRD, ROOT.sign)) == THIRD


def test_what_is_taken_of_a_card() -> None:  # (47)
    until = NOW + timedelta(days=30)
    former = (
        FormerKey(purpose="log", key=ONE, until=until),
        FormerKey(purpose="log", key=TWO, until=until, revoked=NOW),
        FormerKey(purpose="witness", key=THREE, until=until),
    )
    read = msgspec.structs.replace(card("jp"), former=former)
    assert read.taken("log", until) == (read.log, ONE)
    assert read.taken("log", until + timedelta(microseconds=1)) == (read.log,)
    assert read.had("log") == (read.log, ONE, TWO)
    assert read.unrevoked("log") == (read.log, ONE)


@pytest.fixture
def story() -> Story:
    return told("peered")


def rotated(story: Story, key: str = "other", **changes: object) -> KeysRotated:
    fields = {"node_sign": (KEYS[key].public,), "issued": story.now, **changes}
    return KeysRotated(card=made(str(fields.pop("party", "jp")), **fields))


def test_the_newest_card_is_the_peers_from_the_record_on(story: Story) -> None:  # (43, 44)
    record = story.say("jp", said := rotated(story))
    taken = story.row("kr", PeerRow.table, "jp")
    assert isinstance(taken, PeerRow)
    assert taken.card == said.card
    for party in ("jp", "kr"):
        kept = story.row(party, ChainKeysRow.table, f"{RELATIONSHIP}/jp")
        assert isinstance(kept, ChainKeysRow)
        assert (kept.keys, kept.sequence) == ((KEYS["other"].public,), record.statement.sequence)


def test_an_older_card_does_not_take_the_place_of_a_newer_one_of_another_chain(story: Story) -> None:  # (43)
    newest = story.row("kr", PeerRow.table, "jp")
    assert isinstance(newest, PeerRow)
    story.say("jp", rotated(story, issued=START - timedelta(days=1)))
    assert story.row("kr", PeerRow.table, "jp") == newest


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"party": "kr", "root": KEYS["kr root"].public}, "other-card"),
        ({"root": KEYS["nao"].public}, "other-card"),
        ({"issued": START - timedelta(days=1)}, "older-card"),
    ],
)
def test_a_card_that_is_not_the_next_one_of_its_author_is_rejected(  # (44)
    story: Story, changes: dict[str, object], code: str
) -> None:
    story.say("jp", rotated(story))
    verdict = story.try_("jp", rotated(story, "nao" if "root" not in changes else "other", **changes))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code


def test_the_house_says_the_same_of_its_own_chain(story: Story) -> None:  # (42, 44)
    story.say("jp", KeysRenewed(card=rotated(story).card))
    kept = story.row("jp", ChainKeysRow.table, "domestic/jp")
    assert isinstance(kept, ChainKeysRow)
    verdict = story.try_("jp", KeysRenewed(card=made("kr")))
    assert isinstance(verdict, Rejection)
    assert verdict.code == "other-card"
