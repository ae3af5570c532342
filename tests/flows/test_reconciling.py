"""Reconciliation of two registers: the same, on its way, returned, held, unexplained (``spec/inventory.md``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.exchanging.tallies import (
    Answer,
    Buckets,
    Copies,
    CopyLines,
    Differing,
    ItemCopies,
    ItemLines,
    Items,
    Question,
    Sum,
    Sums,
    read_answer,
    read_question,
    write,
)
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.looking.reconciling import (
    AnswerByFile,
    AskByFile,
    ReadAnswer,
    Reconcile,
    Reconciliation,
    answer_by_file,
    ask_by_file,
    read_by_file,
    reconcile,
)
from comity.register.rows import CopyRow
from comity.register.rows.inventory import FindingRow, TallyItemRow, tally_item_key
from comity.register.tally import NOTHING, part_of
from tallies import check_tally
from world import RELATIONSHIP, World


def connect(world: World, count: list[str] | None = None) -> None:
    """Questions of either house reach the other; what was asked is kept in ``count``."""

    def road(asker: House, asked: House) -> Callable[[str, str, bytes], Awaitable[bytes]]:
        async def ask(peer: str, relationship: str, question: bytes) -> bytes:
            assert peer == asked.party
            if count is not None:
                count.append(type(read_question(question).asks).__name__)
            return await asked.answer_question(asker.party, relationship, question)

        return ask

    world.jp.ask_peer = road(world.jp, world.kr)
    world.kr.ask_peer = road(world.kr, world.jp)


async def compared(world: World, house: House | None = None, **changes: object) -> Reconciliation:
    house = house or world.jp
    return await reconcile(house, Reconcile(peer="kr" if house is world.jp else "jp", **changes))


async def open_it(world: World, item: str, name: str = "read.txt") -> None:
    request = Open(item=item, purpose="air defence", path=str(world.folder / name), actor=Actor("kim"))
    assert (await open_item(world.kr, request)).outcome == "permit"


async def alter(house: House, item: str, number: int = 1, **changes: object) -> None:
    """Change a copy row behind the records' back, together with the sums over it, as an older program might have."""
    key = CopyRow.table, f"{RELATIONSHIP}/{item}/{number:06d}"

    async def change(work: Work) -> None:
        from comity.register.tally import TALLIES
        from comity.register.verdict import Put

        row = await work.row(CopyRow, key[1])
        assert row is not None
        record = await a_record(house)
        named = [key]
        facts = await work.facts([*named, *TALLIES.beside(work.context, record, named)])
        puts = [Put(key, msgspec.structs.replace(row, **changes))]
        for put in (*puts, *TALLIES.apply(work.context, facts, record, puts)):
            work.rows[put.key] = put.row

    await house.sequencer.submit(change)


async def a_record(house: House) -> object:
    from comity.record.statement import read_kept, understand

    entry = (await house.store.chain(f"{RELATIONSHIP}/jp", 0, 1))[0]
    return understand(read_kept(entry.envelope, entry.record))


# ---- the same, and what explains a difference ------------------------------------------------------------------------


async def test_registers_that_agree_cost_one_question(world: World) -> None:  # (12)
    for number in range(5):
        await world.given(path=world.document(bytes([number]), f"{number}.txt"))
    asked: list[str] = []
    connect(world, asked)
    told = await compared(world)
    assert (told.items, told.copies, told.differences, told.unexplained) == (5, 5, (), 0)
    assert asked == ["Buckets"]
    assert told.ours[0] == told.ours[1]
    assert told.theirs[0] == told.theirs[1]
    await check_tally(world.jp, world.kr, relationship=RELATIONSHIP)


async def test_one_difference_is_found_from_the_top_down(world: World) -> None:  # (12)
    given = await world.given()
    await open_it(world, given.item)
    asked: list[str] = []
    connect(world, asked)
    told = await compared(world)
    assert asked == ["Buckets", "Parts", "Items", "Copies"]
    (difference,) = told.differences
    assert (difference.item, difference.copy) == (given.item, 1)


async def test_what_they_said_and_has_not_come_yet_is_on_its_way_here(world: World) -> None:  # (14)
    given = await world.given()
    await open_it(world, given.item)
    connect(world)
    (difference,) = (await compared(world)).differences
    assert (difference.because, difference.by, difference.sequence) == ("on its way here", "kr", None)
    assert "held, kim's desk" in difference.here
    await world.exchange()
    assert (await compared(world)).differences == ()


async def test_what_we_said_and_they_do_not_have_yet_is_on_its_way_there(world: World) -> None:  # (14)
    given = await world.given()
    await open_it(world, given.item)
    connect(world)
    told = await compared(world, world.kr)
    (difference,) = told.differences
    assert (difference.because, difference.by) == ("on its way there", "kr")
    assert difference.sequence == told.ours[1]
    assert told.ours[0] == told.ours[1] + 1
    assert told.unexplained == 0


async def test_what_they_hold_for_its_time_is_held_there(world: World) -> None:  # (14)
    ahead = timedelta(hours=1)
    asked = await world.ask()
    await world.exchange()
    from comity.flows.giving.answering import Approve, Assure, approve, assure

    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    late = StandingAhead(world, ahead)
    with late:
        await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    await world.exchange()
    connect(world)
    (there,) = (await compared(world)).differences
    assert (there.because, there.here, there.there) == ("held there", "in transit, kim's desk", "")
    (here,) = (await compared(world, world.kr)).differences
    assert (here.because, here.here) == ("held here", "")


class StandingAhead:
    """Inside it the clock of the giving house is ahead of the other's."""

    def __init__(self, world: World, ahead: timedelta) -> None:
        self.world, self.ahead = world, ahead

    def __enter__(self) -> None:
        self.before = self.world.clock.time
        self.world.clock.time += self.ahead

    def __exit__(self, *_: object) -> None:
        self.world.clock.time = self.before


async def test_what_nothing_explains_is_a_finding(world: World) -> None:  # (14) (15)
    given = await world.given()
    other = await world.given(path=world.document(b"another", "other.txt"))
    await alter(world.kr, given.item, state="lost")
    asked: list[str] = []
    connect(world, asked)
    told = await compared(world)
    assert [(each.item, each.because) for each in told.differences] == [(given.item, "nothing explains it")]
    assert told.unexplained == 1
    assert asked.count("Buckets") == 3  # asked again, for registers move
    (finding,) = [row async for _, row in world.jp.rows(FindingRow)]
    assert (finding.source, finding.item, finding.copy) == (told.reconciliation, given.item, 1)
    assert (finding.here, finding.there) == ("held, kim's desk", "lost, kim's desk")
    assert other.item != given.item


async def test_where_both_read_alike_the_record_tells_them_apart(world: World) -> None:
    given = await world.given()
    await alter(world.kr, given.item, last=b"x" * 32)
    connect(world)
    (difference,) = (await compared(world)).differences
    assert difference.there == f"held, kim's desk, since {(b'x' * 32).hex()[:16]}…"


async def test_a_consignment_that_came_back_is_no_difference(world: World) -> None:  # (7)
    asked = await world.ask()
    await world.exchange()
    from comity.flows.giving.answering import Approve, Assure, approve, assure

    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    parcel_before = world.kr.sequencer.head(f"{RELATIONSHIP}/kr").size

    async def forget(work: Work) -> None:
        from comity.register.rows import AskedRow

        work.rows[AskedRow.table, f"{RELATIONSHIP}/{asked.request}"] = None

    await world.kr.sequencer.submit(forget)
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    connect(world)
    assert [each.because for each in (await compared(world)).differences] == ["on its way there"]
    await world.exchange(rounds=1)
    assert world.kr.sequencer.head(f"{RELATIONSHIP}/kr").size > parcel_before
    await world.exchange()
    states = [row.state async for _, row in world.jp.rows(CopyRow)]
    assert states == ["returned"]
    assert (await compared(world)).differences == ()
    await check_tally(world.jp, world.kr, relationship=RELATIONSHIP)


# ---- who may ask, and what is answered -------------------------------------------------------------------------------


async def test_a_stranger_hears_what_he_hears_of_nothing(world: World) -> None:  # (11)
    question = write(
        Question(format="comity-question/1", relationship=RELATIONSHIP, asker="us", asked="kr", asks=Buckets())
    )
    errors = []
    for relationship in (RELATIONSHIP, "jp-us-2007/jp.us"):
        with pytest.raises(Refused) as caught:
            await world.kr.answer_question("us", relationship, question)
        errors.append((caught.value.code, caught.value.sentence.replace(relationship, "…")))
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"asked": "jp"}, "other-receiver"),
        ({"asker": "us"}, "other-receiver"),
        ({"relationship": "jp-kr-2016/jp.us"}, "other-relationship"),
        ({"asks": Differing(())}, "only-by-file"),
    ],
)
async def test_a_question_is_from_whoever_brings_it(world: World, changes: dict[str, object], code: str) -> None:
    question = Question(format="comity-question/1", relationship=RELATIONSHIP, asker="jp", asked="kr", asks=Buckets())
    with pytest.raises((Rejected, Misuse)) as caught:
        await world.kr.answer_question("jp", RELATIONSHIP, write(msgspec.structs.replace(question, **changes)))
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1" * 9, write.__doc__.encode()])
def test_what_is_no_question_is_refused(data: bytes) -> None:  # (10)
    with pytest.raises(Rejected) as caught:
        read_question(data)
    assert caught.value.code == "malformed"


def test_another_spelling_is_refused() -> None:  # (10)
    data = write(Question(format="comity-question/1", relationship="a/b", asker="a", asked="b", asks=Buckets()))
    longer = b"\xdc\x00" + bytes([data[0] & 0x0F]) + data[1:]
    with pytest.raises(Rejected) as caught:
        read_question(longer)
    assert caught.value.code == "not-canonical"
    with pytest.raises(Rejected) as caught:
        read_question(bytes(64 * 1024 + 1))
    assert caught.value.code == "too-large"


SAYS = {
    "sums for items": Sums(()),
    "no part answered": ItemLines(0, ()),
    "more parts than were asked": ItemLines(9, ()),
    "another item": CopyLines((ItemCopies("i-other", (), more=False),)),
    "more, and nothing": CopyLines((ItemCopies("i-1", (), more=True),)),
}


@pytest.mark.parametrize("wrong", SAYS)
async def test_an_answer_must_answer_and_lead_somewhere(world: World, wrong: str) -> None:  # (12)
    given = await world.given()
    await alter(world.kr, given.item, state="lost")
    connect(world)
    honest = world.jp.ask_peer

    async def lying(peer: str, relationship: str, question: bytes) -> bytes:
        answer = read_answer(await honest(peer, relationship, question))
        asks = read_question(question).asks
        if isinstance(asks, Items | Copies) and (isinstance(asks, Copies) == isinstance(SAYS[wrong], CopyLines)):
            answer = msgspec.structs.replace(answer, says=SAYS[wrong])
        return write(answer)

    world.jp.ask_peer = lying
    with pytest.raises(Rejected) as caught:
        await compared(world)
    assert caught.value.code == "other-answer"


async def test_an_answer_is_from_the_peer_and_for_us(world: World) -> None:
    connect(world)
    honest = world.jp.ask_peer

    async def misdirected(peer: str, relationship: str, question: bytes) -> bytes:
        answer: Answer = read_answer(await honest(peer, relationship, question))
        return write(msgspec.structs.replace(answer, asker="us"))

    world.jp.ask_peer = misdirected
    with pytest.raises(Rejected) as caught:
        await compared(world)
    assert caught.value.code == "other-answer"


async def test_a_long_answer_is_asked_for_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (10)
    monkeypatch.setattr("comity.flows.exchanging.tallies.ANSWER_LINES_MAX", 2)
    kim, names = await world.pseudonym("kim"), []
    for number in range(5):
        await world.person("kr", f"r{number}")
        names.append(await reader(world, f"r{number}"))
    await world.exchange()
    given = await world.given(recipients=(kim, *names))
    for number in range(1, 7):
        await alter(world.kr, given.item, number, last=b"x" * 32)
    asked: list[str] = []
    connect(world, asked)
    told = await compared(world)
    assert sorted(each.copy or 0 for each in told.differences) == [1, 2, 3, 4, 5, 6]
    assert asked.count("Copies") == 3 * 3


async def reader(world: World, handle: str) -> str:
    from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
    from world import ROOT, TODAY

    until = TODAY + timedelta(days=300)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle=handle, mark="군사 Ⅱ급 비밀", until=until, basis="vetted", all_information=True, actor=ROOT
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle=handle, listed=True, actor=ROOT))
    return await world.pseudonym(handle)


async def test_only_who_answers_for_the_register_sees_what_differs(world: World) -> None:
    connect(world)
    with pytest.raises(Refused) as caught:
        await compared(world, actor=Actor("sato"))
    assert caught.value.code == "no-role"
    assert (await compared(world, actor=Actor("ito"))).differences == ()


async def test_without_a_road_it_goes_by_file(world: World) -> None:
    with pytest.raises(Unavailable) as caught:
        await compared(world)
    assert caught.value.code == "no-road"
    with pytest.raises(Refused):
        await reconcile(world.jp, Reconcile(peer="us"))


# ---- counting anew ---------------------------------------------------------------------------------------------------


async def test_a_sum_that_is_not_that_of_its_copies_is_named(world: World) -> None:  # (16)
    given = await world.given()
    connect(world)
    assert (await compared(world, recount=True)).recounted == ()
    key = tally_item_key(RELATIONSHIP, part_of(RELATIONSHIP, given.item), given.item)
    row = await world.jp.need(TallyItemRow, key[1], "tally")

    async def damage(work: Work) -> None:
        work.rows[key] = msgspec.structs.replace(row, digest=NOTHING)

    await world.jp.sequencer.submit(damage)
    told = await compared(world, recount=True)
    assert told.recounted == (given.item,)
    assert (await compared(world)).recounted is None


# ---- by file ---------------------------------------------------------------------------------------------------------


async def by_file(world: World) -> Reconciliation:
    question, answer = world.folder / "question", world.folder / "answer"
    for path in (question, answer):
        path.unlink(missing_ok=True)
    await ask_by_file(world.jp, AskByFile(peer="kr", path=str(question)))
    await answer_by_file(world.kr, AnswerByFile(path=str(question), out=str(answer)))
    return await read_by_file(world.jp, ReadAnswer(path=str(answer)))


async def test_two_files_do_what_many_questions_do(world: World) -> None:  # (13)
    first = await world.given()
    second = await world.given(path=world.document(b"another", "other.txt"))
    assert (await by_file(world)).differences == ()
    await open_it(world, first.item)
    await alter(world.kr, second.item, state="destroyed")
    told = await by_file(world)
    connect(world)
    again = await compared(world)
    assert [(each.item, each.because) for each in told.differences] == [
        (first.item, "on its way here"),
        (second.item, "nothing explains it"),
    ]
    assert told.differences == again.differences


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda data: b"comity-pouch/1\n" + data, "not-a-reconciliation"),
        (lambda data: data[:20], "not-a-reconciliation"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data + b"x", "truncated"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "altered"),
        (lambda data: data[:24] + b"\xff\xff\xff\xff" + data[28:], "too-large"),
    ],
)
async def test_a_damaged_file_is_refused(world: World, damage: Callable[[bytes], bytes], code: str) -> None:  # (13)
    path = world.folder / "question"
    await ask_by_file(world.jp, AskByFile(peer="kr", path=str(path)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Rejected) as caught:
        await answer_by_file(world.kr, AnswerByFile(path=str(path), out=str(world.folder / "answer")))
    assert caught.value.code == code
    assert not (world.folder / "answer").exists()


async def test_a_file_is_for_whom_it_names(world: World, tmp_path: Path) -> None:  # (13)
    path = str(tmp_path / "question")
    await ask_by_file(world.jp, AskByFile(peer="kr", path=path))
    with pytest.raises(Misuse) as caught:
        await answer_by_file(world.jp, AnswerByFile(path=path, out=str(tmp_path / "answer")))
    assert caught.value.code == "other-receiver"
    with pytest.raises(Rejected) as rejected:
        await read_by_file(world.kr, ReadAnswer(path=path))
    assert rejected.value.code == "malformed"


def test_a_sum_says_its_number_and_what_it_is_of() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(Sum(7, 1, 2, NOTHING))) == [7, 1, 2, NOTHING]
