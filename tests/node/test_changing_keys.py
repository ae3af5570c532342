"""Two real processes whose keys change while they exchange (``spec/keys.md`` steps 41 to 51)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from comity.flows.agreeing.founding import CardShown, ShowCard
from comity.flows.maintaining.rotating import KeysChanged, ListOwnKeys, RevokeKey, RotateKey
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from comity.record.card import SIGNING
from node.processes import Node, pair, until
from node.test_run import ROOT, acknowledge, adopt


def told(node: Node) -> bool:
    """Whether the other side has the newest card, and everything else."""
    return node.ask("keys.card", ListOwnKeys(), KeysChanged).untold == ()


def enrol(node: Node, handle: str) -> None:
    request = EnrolPerson(
        handle=handle,
        name=handle.title(),
        function=f"{handle}'s desk",
        body="a ministry",
        nationality=node.party,
        serves=node.party,
        actor=ROOT,
    )
    node.ask("person.enrol", request, PersonShown)


def test_exchange_goes_on_through_every_change_of_keys(tmp_path: Path) -> None:
    with pair(tmp_path) as (jp, kr):
        for node, peer in ((jp, "kr"), (kr, "jp")):
            adopt(node, peer)
            acknowledge(node)
        until(lambda: jp.acknowledged() == kr.acknowledged() == ("jp", "kr"))
        for number, purpose in enumerate(SIGNING):
            for node in (jp, kr) if purpose != "transport" else (jp,):  # of an overlap the key before would be taken
                node.ask("keys.rotate", RotateKey(purpose=purpose), KeysChanged)
                enrol(node, f"person{number}")
            until(lambda: told(jp) and told(kr))
        jp.end()
        jp.start()
        enrol(jp, "another")
        until(lambda: told(jp) and not any(road.failures for road in jp.status().roads))

        # (51) A lost transport key: what this node sends is not taken before the other side has the new card.
        request = RevokeKey(purpose="transport", since=datetime.now(UTC))
        assert kr.ask("keys.revoke", request, KeysChanged).untold
        until(lambda: any(road.failures for road in kr.status().roads))
        assert "exchange cards again" in kr.status().roads[0].last_error
        assert not told(kr)
        kr.card = kr.ask("card.show", ShowCard(), CardShown)
        jp.know(kr)
        until(lambda: told(kr))
