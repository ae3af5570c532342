"""Who may ask what of flows that take no actor (``spec/console.md`` step 9)."""

from __future__ import annotations

import pytest

from comity.console.rights import WITHOUT_ACTOR, check_right, in_the_name_of, takes_actor
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.looking.views import ShowInbox
from comity.flows.table import FLOWS
from comity.register.roles import ADMINISTRATOR, ROLES

FROM_THE_NODE = {"node.status"}
"""Flows about the process, which stand in no table of the house."""


def test_the_table_names_flows_that_there_are_and_that_take_no_actor() -> None:
    named = set(WITHOUT_ACTOR) - FROM_THE_NODE
    assert named <= FLOWS.keys()
    assert [name for name in named if takes_actor(FLOWS[name].request)] == []


@pytest.mark.parametrize(
    "flow", ["rebuild", "peer.add", "card.issue", "keys.revoke", "pouch.import", "agreement.adopt"]
)
def test_what_changes_the_house_itself_stays_with_its_command_line(flow: str) -> None:
    with pytest.raises(Refused, match="command line"):
        check_right(flow, FLOWS[flow].request, ROLES)


@pytest.mark.parametrize("flow", sorted(FLOWS.keys() & WITHOUT_ACTOR.keys()))
def test_nobody_without_a_role_asks_anything(flow: str) -> None:
    with pytest.raises(Refused):
        check_right(flow, FLOWS[flow].request, ())


@pytest.mark.parametrize("flow", ["cost.list", "facility.persons", "dispute.list", "directory.list"])
def test_an_administrator_sees_no_books(flow: str) -> None:
    with pytest.raises(Refused, match="none of these roles"):
        check_right(flow, FLOWS[flow].request, (ADMINISTRATOR,))


def test_nothing_is_asked_in_another_name_or_in_nobodys() -> None:
    me = Actor("kim")
    assert in_the_name_of(me, ShowInbox(actor=me))
    assert not in_the_name_of(me, ShowInbox(actor=Actor("lee")))
    assert not in_the_name_of(me, ShowInbox(actor=Actor("root")))
    assert not in_the_name_of(me, ShowInbox())
