"""What a house lost comes back in a file, for whom no network leads to (``spec/backup.md`` steps 55 to 59)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.exchanging.parcel import read_parcel, write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.looking.views import ShowInbox, show_inbox
from comity.flows.maintaining import giving_back
from comity.flows.maintaining.catching_up import CatchingUpShown
from comity.flows.maintaining.giving_back import (
    ASKED,
    GIVEN,
    AskBack,
    Asking,
    BackShown,
    GiveBack,
    Given,
    TakeBack,
    ask_back,
    give_back,
    take_back,
)
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.record import dsse
from comity.record.contexts import GIVE_BACK, GIVEN_BACK, POUCH
from comity.record.encoding import decode, encode
from comity.record.statement import chain_id
from comity.register.rows import CopyRow
from comity.stores.memory_disk import Crashed, Fault, WritePoint
from comity.stores.restoration import read_note, write_note
from courier.keys import Key
from flows.test_catching_up import (
    Change,
    _altered,
    _cut,
    _fewer,
    _no_checkpoint,
    _other_salts,
    _salts,
    _skipped,
    _swapped,
    backup_of,
    disk_of,
    lose,
    sound,
)
from flows.test_pouch import LARGE, carry
from world import RELATIONSHIP, SeededEntropy, World, new_house

JP, KR = chain_id(RELATIONSHIP, "jp"), chain_id(RELATIONSHIP, "kr")


async def ask(world: World, party: str = "jp", name: str = "asked") -> Path:
    path = world.folder / name
    path.unlink(missing_ok=True)
    await ask_back(world.house(party), AskBack(relationship=RELATIONSHIP, path=str(path)))
    return path


async def give(world: World, asked: Path, party: str = "kr", name: str = "back") -> tuple[Path, BackShown]:
    path = world.folder / name
    path.unlink(missing_ok=True)
    return path, await give_back(world.house(party), GiveBack(asked=str(asked), path=str(path)))


async def take(world: World, path: Path, party: str = "jp") -> CatchingUpShown:
    return await take_back(world.house(party), TakeBack(path=str(path)))


async def carried(world: World, party: str = "jp") -> CatchingUpShown:
    """Asked, answered, taken."""
    path, shown = await give(world, await ask(world, party), "kr" if party == "jp" else "jp")
    assert shown.whole
    return await take(world, path, party)


async def given_large(world: World, content: bytes) -> str:
    """Give a document that is too large for a parcel, by pouch; the item."""
    asked = await world.ask(path=world.document(content, f"{len(content)}.bin"))
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    await carry(world.jp, world.kr, world.folder / f"there {asked.item}")
    await carry(world.kr, world.jp, world.folder / f"back {asked.item}")
    return asked.item


def lying(monkeypatch: pytest.MonkeyPatch, house: House, lie: Change) -> None:
    """Let a house give back something else than it has."""
    earnest = house.give_back

    async def liar(peer: str, relationship: str, author: str, start: int) -> bytes:
        return write_parcel(lie(read_parcel(await earnest(peer, relationship, author, start))))

    monkeypatch.setattr(house, "give_back", liar)


async def test_a_giver_that_lost_its_day_gets_it_back_in_a_file_and_goes_on_giving(world: World) -> None:  # (55, 58)
    backup = backup_of(world.jp)
    given = await world.given()
    jp = await lose(world, "jp", backup)
    assert jp.sequencer.head(JP).size < world.kr.sequencer.head(JP).size
    path, shown = await give(world, await ask(world))
    assert (shown.peer, shown.whole, shown.records > 2) == ("jp", True, True)
    with pytest.raises(Unavailable):
        await jp.pack(RELATIONSHIP)  # nothing is signed before it was taken
    assert (await take(world, path)).restored is None
    with pytest.raises(Misuse) as done:
        await take(world, path)
    assert done.value.code == "not-restored"
    await world.exchange()
    await sound(world)
    again = await world.given(path=world.document(b"the next one", "next.txt"))
    await world.exchange()
    await sound(world)
    items = {line.item for line in (await show_inbox(world.kr, ShowInbox())).received}
    assert items == {given.item, again.item}


async def test_a_receiver_gets_what_came_with_its_large_payload(world: World) -> None:  # (56)
    backup = backup_of(world.kr)
    item = await given_large(world, LARGE)
    kr = await lose(world, "kr", backup)
    for digest in await kr.blobs.all():
        await kr.blobs.delete(digest)
    path, shown = await give(world, await ask(world, "kr"), "jp")
    assert shown.payloads == 1
    assert (await take(world, path, "kr")).restored is None
    await world.exchange()
    await sound(world)
    target = world.folder / "opened"
    opening = Open(item=item, purpose="air defence", path=str(target), actor=Actor("kim"))
    assert (await open_item(kr, opening)).outcome == "permit"
    assert target.read_bytes() == LARGE


@pytest.mark.parametrize("parts", [3, 5])
async def test_more_than_one_file_holds_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:  # (56)
    backup = backup_of(world.kr)
    for number in range(2):
        await given_large(world, LARGE + bytes([number]))
    kr = await lose(world, "kr", backup)
    for digest in await kr.blobs.all():
        await kr.blobs.delete(digest)
    monkeypatch.setattr(giving_back, "PARTS_MAX", parts)
    rounds, size = 0, -1
    while kr.restored is not None:
        rounds += 1
        assert rounds < 40
        path, shown = await give(world, await ask(world, "kr"), "jp")
        assert len(list_of(path)[1].pages) + shown.payloads <= parts
        if shown.whole:
            assert (await take(world, path, "kr")).restored is None
            continue
        with pytest.raises(Unavailable) as more:
            await take(world, path, "kr")
        assert more.value.code == "more-to-come"
        assert RELATIONSHIP in kr.not_given_back
        before, size = size, kr.sequencer.head(JP).size + kr.sequencer.head(KR).size
        assert size > before
    assert rounds > 1
    await world.exchange()
    await sound(world)


async def test_an_answer_of_an_earlier_day_does_not_count(world: World) -> None:  # (57)
    """Whoever kept the answer to an earlier restore would have it sign what follows a second time."""
    backup = backup_of(world.jp)
    await world.given()
    await lose(world, "jp", backup)
    old, _ = await give(world, await ask(world), name="old")
    assert (await take(world, old)).restored is None
    await world.exchange()
    await world.given(path=world.document(b"since then", "since.txt"))
    jp = await lose(world, "jp", backup)
    jp.entropy = SeededEntropy("another start")
    for asked_again in (False, True):
        if asked_again:
            await ask(world)
        with pytest.raises(Rejected) as refused:
            await take(world, old)
        assert refused.value.code == "other-asking"
    with pytest.raises(Unavailable):
        await jp.pack(RELATIONSHIP)
    assert (await carried(world)).restored is None
    await world.exchange()
    await sound(world)


async def test_one_asking_is_enough_for_a_restore(world: World) -> None:  # (55, 58)
    backup = backup_of(world.jp)
    await world.given()
    jp = await lose(world, "jp", backup)
    first, _ = await give(world, await ask(world), name="first")
    noted = jp.restored
    await ask(world)
    assert jp.restored == noted
    assert noted is not None
    path = world.folder / "restored"  # what it stands in; a note of before the asking is read as it was written
    write_note(path, noted)
    assert read_note(path) == noted
    assert noted.asked.encode() in path.read_bytes()
    write_note(path, msgspec.structs.replace(noted, asked=""))
    assert b"asked" not in path.read_bytes()
    assert read_note(path) == msgspec.structs.replace(noted, asked="")
    assert (await take(world, first)).restored is None


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (_fewer, "holds some back"),
        (_cut, "holds some back"),
        (_no_checkpoint, "gives back"),
        (_salts, "two histories"),
        (_altered, ""),
        (_swapped, ""),
        (_skipped, "ask once more"),
    ],
)
async def test_a_peer_that_lies_in_a_file_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch, lie: Change, says: str
) -> None:  # (58)
    backup = backup_of(world.jp)
    await world.given()
    jp = await lose(world, "jp", backup)
    with monkeypatch.context() as patch:
        lying(patch, world.kr, lie)
        path, _ = await give(world, await ask(world))
    with pytest.raises(ComityError) as refused:
        await take(world, path)
    assert says in str(refused.value)
    assert jp.restored is not None
    with pytest.raises(Unavailable):
        await jp.pack(RELATIONSHIP)
    if lie in (_salts, _no_checkpoint):  # its word was taken for the salts: only a fresh start shows which are right
        await lose(world, "jp", backup)
    assert (await carried(world)).restored is None
    await world.exchange()
    await sound(world)


async def test_a_peer_that_has_rewritten_its_own_ledger_is_not_cosigned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # (48, 58)
    backup, since = backup_of(world.jp), world.kr.sequencer.head(KR).size
    await world.given()
    await world.given(path=world.document(b"another", "another.txt"))
    await lose(world, "jp", backup)
    lying(monkeypatch, world.kr, _other_salts(world, since))
    path, _ = await give(world, await ask(world))
    with pytest.raises(Rejected, match="two histories"):
        await take(world, path)


async def test_a_house_that_was_brought_back_itself_gives_what_it_has_of_others(world: World) -> None:  # (43)
    backups = {party: backup_of(world.house(party)) for party in ("jp", "kr")}
    await lose(world, "jp", backups["jp"])
    await lose(world, "kr", backups["kr"])
    path, _ = await give(world, await ask(world))
    assert {page.author for page in list_of(path)[1].pages} == {"jp"}
    with pytest.raises(Rejected) as refused:  # a checkpoint over what it gives, it does not sign yet
        await take(world, path)
    assert refused.value.code == "withheld"


@pytest.mark.parametrize("fault", Fault)
async def test_whatever_fails_while_it_is_taken_the_same_file_goes_on(
    world: World, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:  # (58) (62)
    backup = backup_of(world.kr)
    given = await world.given()
    monkeypatch.setattr("comity.flows.maintaining.catching_up.RECORDS_AT_ONCE", 2)
    struck = 0
    for allowed in range(100):
        await lose(world, "kr", backup)
        disk, left = disk_of(world.kr), allowed
        path, _ = await give(world, await ask(world, "kr"), "jp")

        def strike(_: WritePoint) -> Fault | None:
            nonlocal left
            left -= 1
            return fault if left == -1 else None

        disk.faults = strike
        with suppress(ComityError, Crashed):
            await take(world, path, "kr")
        disk.faults = lambda _: None
        if left >= 0:
            break
        struck += 1
        if fault in (Fault.CRASH_LOST, Fault.CRASH_KEPT, Fault.CRASH_TORN):
            await world.kr.sequencer.close()
            world.kr = await new_house("kr", world.folder, world.clock, disk)
        if world.kr.restored is not None:
            assert (await take(world, path, "kr")).restored is None
        assert (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "held"
        assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()
    assert struck >= 4
    await world.exchange()
    await sound(world)


# ---- the files ------------------------------------------------------------------------------------------------------


def list_of(path: Path) -> tuple[bytes, Given]:
    """The list of what is given back, and what follows it."""
    data = path.read_bytes().removeprefix(GIVEN)
    length = int.from_bytes(data[:4], "big")
    return data[4 + length :], decode(dsse.read(data[4 : 4 + length], GIVEN_BACK).payload, Given)


def written(house: House, magic: bytes, payload_type: str, listed: object, rest: bytes = b"") -> bytes:
    key = house.keys.transport
    envelope = dsse.sign(payload_type, encode(listed), [(key.public, key.sign)])
    return magic + struct.pack(">I", len(envelope)) + envelope + rest


async def both(world: World) -> tuple[Path, Path]:
    backup = backup_of(world.jp)
    await world.given()
    await lose(world, "jp", backup)
    asked = await ask(world)
    return asked, (await give(world, asked))[0]


CHANGES: dict[str, Callable[[Given], Given]] = {
    "other-receiver": lambda given: msgspec.structs.replace(given, receiver="us"),
    "unknown-peer": lambda given: msgspec.structs.replace(given, sender="us"),
    "other-asking": lambda given: msgspec.structs.replace(given, asking=bytes(32)),
    "truncated": lambda given: msgspec.structs.replace(given, pages=(*given.pages, given.pages[0])),
    "trailing": lambda given: msgspec.structs.replace(given, pages=given.pages[:-1]),
    "altered": lambda given: msgspec.structs.replace(given, pages=given.pages[::-1]),
    "malformed": lambda given: msgspec.structs.replace(given, pages=()),
}


@pytest.mark.parametrize("code", CHANGES)
async def test_a_list_that_is_signed_and_wrong(world: World, code: str) -> None:  # (57)
    _, path = await both(world)
    rest, given = list_of(path)
    path.write_bytes(written(world.kr, GIVEN, GIVEN_BACK, CHANGES[code](given), rest))
    with pytest.raises((Rejected, Misuse, Refused)) as refused:
        await take(world, path)
    assert refused.value.code == code
    too_many = msgspec.structs.replace(given, pages=given.pages * (giving_back.PARTS_MAX // len(given.pages) + 1))
    path.write_bytes(written(world.kr, GIVEN, GIVEN_BACK, too_many, rest))
    with pytest.raises(Rejected):
        await take(world, path)


async def test_what_somebody_else_signed_or_changed_on_the_way(world: World) -> None:  # (57)
    asked, path = await both(world)
    whole, (rest, given) = path.read_bytes(), list_of(path)
    stranger = Key("stranger")
    forged = dsse.sign(GIVEN_BACK, encode(given), [(stranger.public, stranger.sign)])
    for data in (
        whole[:-1],
        whole + b"\0",
        whole[:-9] + bytes(9),
        whole[:40],
        b"",
        GIVEN + struct.pack(">I", 2**31),
        GIVEN + struct.pack(">I", len(forged)) + forged + rest,
        written(world.kr, GIVEN, POUCH, given, rest),
        written(world.kr, b"comity-pouch/1\n", GIVEN_BACK, given, rest),
        asked.read_bytes(),
    ):
        path.write_bytes(data)
        with pytest.raises(Rejected):
            await take(world, path)
    path.write_bytes(whole)
    assert (await take(world, path)).restored is None


async def test_what_is_asked_is_read_as_strictly(world: World) -> None:  # (55, 56)
    asked, _ = await both(world)
    whole = asked.read_bytes()
    length = int.from_bytes(whole[len(ASKED) :][:4], "big")
    listed = decode(dsse.read(whole[len(ASKED) + 4 :][:length], GIVE_BACK).payload, Asking)
    jp, kr = world.jp, world.kr
    for data, error in (
        (whole + b"\0", Rejected),
        (whole[:-1], Rejected),
        (written(kr, ASKED, GIVE_BACK, listed), Rejected),
        (written(jp, ASKED, GIVE_BACK, msgspec.structs.replace(listed, receiver="us")), Misuse),
        (written(jp, ASKED, GIVE_BACK, msgspec.structs.replace(listed, sender="us")), Refused),
        (written(jp, ASKED, GIVE_BACK, msgspec.structs.replace(listed, relationship="jp-us-2007/jp.us")), ComityError),
    ):
        asked.write_bytes(data)
        with pytest.raises(error):
            await give(world, asked)
        assert not (world.folder / "back").exists()
    with pytest.raises(Misuse) as refused:
        await ask_back(kr, AskBack(relationship=RELATIONSHIP, path=str(world.folder / "kr")))
    assert refused.value.code == "not-restored"


async def test_what_was_given_before_what_is_here_is_asked_for_again(world: World) -> None:
    """A file that begins later than the house stands leaves a gap; nothing is taken over it."""
    backup = backup_of(world.jp)
    await world.given()
    await lose(world, "jp", backup)
    asked = await ask(world)
    whole = asked.read_bytes()
    length = int.from_bytes(whole[len(ASKED) :][:4], "big")
    listed = decode(dsse.read(whole[len(ASKED) + 4 :][:length], GIVE_BACK).payload, Asking)
    later = msgspec.structs.replace(listed, own=listed.own + 1)
    asked.write_bytes(written(world.jp, ASKED, GIVE_BACK, later))
    path, _ = await give(world, asked)
    with pytest.raises(Rejected, match="ask once more"):
        await take(world, path)
