"""Webhooks: what happens is told outside as it happens, signed, and again until it is taken (``spec/api.md`` 10-12)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import Rejected, Unavailable
from comity.node.settings import Settings, WebhookSettings, parse_settings, write_settings
from comity.node.webhooks import Webhook
from world import SeededEntropy, World

SECRET = b"a secret of both ends"
URL = "https://archive.example/comity"


class Address:
    """An address that keeps what it is sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.sent: list[tuple[bytes, dict[str, str]]] = []

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        self.sent.append((body, headers))
        return self.status

    def told(self) -> list[dict[str, Any]]:
        return [event for body, _ in self.sent for event in msgspec.json.decode(body)["events"]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.make(tmp_path)
    yield world
    await world.close()


def webhook(world: World, address: Address, *kinds: str, url: str = URL) -> Webhook:
    return Webhook(world.jp, url, address.post, SECRET, kinds, SeededEntropy("pauses"))


async def all_of_it(hook: Webhook) -> None:
    while await hook.tell():
        pass


async def test_everything_that_happens_is_told_once_and_in_order(world: World) -> None:
    address = Address()
    await all_of_it(webhook(world, address))
    first = len(address.told())
    await world.given()
    await all_of_it(webhook(world, address))  # after a restart
    told = address.told()
    assert [event["sequence"] for event in told] == list(range(1, len(await world.jp.store.journal(0, 10_000)) + 1))
    assert "consignment/1" in {event["kind"] for event in told[first:]}


async def test_what_is_told_names_no_person_no_title_and_no_content(world: World) -> None:
    address = Address()
    await world.given(title="the secret title")
    await all_of_it(webhook(world, address))
    assert {key for event in address.told() for key in event} == {
        *("sequence", "kind", "chain", "record", "verdict", "at")
    }
    for body, _ in address.sent:
        assert b"secret title" not in body
        assert b"n-" not in body


async def test_whoever_knows_the_secret_can_check_it(world: World) -> None:
    address = Address()
    await all_of_it(webhook(world, address))
    for body, headers in address.sent:
        signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        assert headers["Webhook-Signature"] == f"v1,{mac}"
        assert abs(int(headers["Webhook-Timestamp"]) - world.clock.time.timestamp()) < 5


@pytest.mark.parametrize("status", [500, 404, 302, 429])
async def test_what_is_not_taken_is_told_again_under_the_same_id(world: World, status: int) -> None:
    address = Address()
    address.status = status
    hook = webhook(world, address)
    for _ in range(2):
        with pytest.raises(Unavailable, match=str(status)):
            await hook.tell()
    address.status = 200
    await hook.tell()
    assert len({headers["Webhook-Id"] for _, headers in address.sent}) == 1
    assert len({body for body, _ in address.sent}) == 1


async def test_told_again_it_is_the_same_whatever_happened_meanwhile_and_after_a_restart(world: World) -> None:
    address = Address()
    address.status = 500
    with pytest.raises(Unavailable):
        await webhook(world, address).tell()
    await world.given()
    address.status = 204
    hook = webhook(world, address)
    await hook.tell()
    (lost, lost_headers), (again, again_headers) = address.sent
    assert (again, again_headers["Webhook-Id"]) == (lost, lost_headers["Webhook-Id"])
    address.sent = address.sent[1:]
    await all_of_it(hook)
    last = len(await world.jp.store.journal(0, 10_000))
    assert [event["sequence"] for event in address.told()] == list(range(1, last + 1))


async def test_only_the_kinds_that_are_named_are_told(world: World) -> None:
    address = Address()
    await world.given()
    await all_of_it(webhook(world, address, "consignment/1"))
    assert [event["kind"] for event in address.told()] == ["consignment/1"]


async def test_another_address_is_told_from_the_beginning(world: World) -> None:
    first, second = Address(), Address()
    await all_of_it(webhook(world, first))
    await all_of_it(webhook(world, second, url="https://other.example"))
    assert second.told() == first.told()


async def test_two_of_one_address_with_other_kinds_are_told_each_by_itself(world: World) -> None:
    address = Address()
    await world.given()
    await all_of_it(webhook(world, address, "consignment/1"))
    await all_of_it(webhook(world, address, "assurance/1"))
    await all_of_it(webhook(world, address, "assurance/1", "consignment/1"))
    kinds = [event["kind"] for event in address.told()]
    assert kinds[:2] == ["consignment/1", "assurance/1"]
    assert sorted(kinds[2:]) == ["assurance/1", "consignment/1"]


def test_one_webhook_stands_in_the_settings_once() -> None:
    table = f"""\
[[webhook]]
url = "{URL}"
secret = "s"
kinds = [%s]
"""
    kinds = ('"receipt/1", "opened/1"', '"receipt/1"', '"opened/1", "receipt/1"')
    text = "\n".join(("party = 'jp'\n", *(table % each for each in kinds)))
    with pytest.raises(Rejected, match=r"another \[\[webhook\]\] tells 'https://archive.example/comity'") as caught:
        parse_settings(text, "node.toml")
    assert caught.value.place == "node.toml:13"


def test_it_is_set_in_the_settings() -> None:
    hook = WebhookSettings(url=URL, secret="webhook-secret", kinds=("consignment/1",))
    settings = Settings(party="jp", webhook=(hook,))
    assert parse_settings(write_settings(settings), "node.toml") == settings
