"""What is erased is nowhere on the disk, and what stays verifies and is rebuilt (``spec/keys.md`` steps 70 to 74)."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from comity.flows.people.forgetting import ForgetName, forget_name
from comity.flows.people.leaving import ChangePerson, RemovePerson, change_person, remove_person
from comity.node.run import found, opened
from comity.node.settings import Settings

ROOT = Actor("root")
NAMES = (b"Zacharias Quittenbaum", b"zquittenbaum", b"Quittenbaum-Xylander")


def person(handle: str = "zquittenbaum", name: str = "Zacharias Quittenbaum", **changes: object) -> EnrolPerson:
    fields: dict[str, object] = {
        "handle": handle,
        "name": name,
        "function": "a desk",
        "body": "a ministry",
        "nationality": "jp",
        "serves": "jp",
        "actor": ROOT,
        **changes,
    }
    return EnrolPerson(**fields)


def holding(folder: Path) -> list[str]:
    """The files below a data folder that hold one of the names."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(name in path.read_bytes() for name in NAMES)]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await found(tmp_path / "jp", Settings(party="jp"), "Japan")
    async with opened(tmp_path / "jp") as house:
        await enrol_person(house, person())
        await change_person(house, ChangePerson(handle="zquittenbaum", name="Quittenbaum-Xylander", actor=ROOT))
        for number in range(40):  # so that what is erased lies between other rows
            await enrol_person(house, person(f"other{number}", "somebody else"))
    assert holding(tmp_path / "jp")
    return tmp_path / "jp"


async def test_a_removed_persons_name_is_nowhere_on_the_disk(folder: Path) -> None:  # (71, 73)
    async with opened(folder) as house:
        await remove_person(house, RemovePerson(handle="zquittenbaum", reason="he left", actor=ROOT))
        assert not (await verify_ledger(house, VerifyLedger())).findings
        assert not (await rebuild(house, Rebuild())).findings
    assert holding(folder) == []


async def test_a_name_is_forgotten_while_its_person_stays(folder: Path) -> None:  # (72, 73)
    async with opened(folder) as house:
        row = await house.person("zquittenbaum")
        entries = len(await house.store.journal(0, 1000))
        told = await forget_name(house, ForgetName(handle="zquittenbaum", actor=ROOT))
        assert told.handle == told.person == row.person
        assert await house.person(row.person) == row
        assert len(await house.store.journal(0, 1000)) == entries
        assert not (await verify_ledger(house, VerifyLedger())).findings
        assert not (await rebuild(house, Rebuild())).findings
        with pytest.raises(Misuse) as caught:
            await forget_name(house, ForgetName(handle="zquittenbaum", actor=ROOT))
        assert caught.value.code == "unknown-person"
        with pytest.raises(Misuse) as caught:
            await forget_name(house, ForgetName(handle=row.person, actor=ROOT))
        assert caught.value.code == "no-name"
        with pytest.raises(Misuse) as caught:
            await forget_name(house, ForgetName(handle="other1", actor=Actor("other2")))
        assert caught.value.code == "no-role"
    assert holding(folder) == []
    async with opened(folder) as house:
        assert await house.handle(row.person) == row.person
        named = await change_person(house, ChangePerson(handle=row.person, new_handle="again", actor=ROOT))
        assert named.handle == "again"
