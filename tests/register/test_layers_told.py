"""A domestic layer, told to the other side: what is accepted, and what is not (``spec/lifecycle.md`` step 19)."""

from __future__ import annotations

import pytest

from comity.record.bodies import Body
from comity.record.bodies.negotiation import LayerTold
from comity.record.person_act import unsigned
from comity.register.rows.negotiation import LayerToldRow
from register.story import RELATIONSHIP, Story, listed, signed, told


@pytest.fixture
def story() -> Story:
    """Oda in Tokyo is an agreement authority, Sato is an officer."""
    story = told("peered")
    story.say("jp", listed("oda", ("agreement-authority",), nationality="jp", serves="jp"))
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    return story


def layer(story: Story, **changes: object) -> Body:
    row = story.row("jp", "layer-told", f"{RELATIONSHIP}/jp/jp-domestic")
    signer = str(changes.pop("signer", "n-oda"))
    fields: dict[str, object] = {
        "layer": "jp-domestic",
        "version": "1",
        "title": "Rules for specially designated secrets",
        "digest": bytes([1]) * 32,
        "since": "2026-11-21",
        "withdrawn": False,
        "by": signer,
        "after": row.record if isinstance(row, LayerToldRow) else bytes(32),
        "signature": unsigned(),
        **changes,
    }
    return signed(LayerTold(**fields), signer)


def test_a_layer_another_version_of_it_and_its_end_stand_in_both_registers(story: Story) -> None:
    for changes in ({}, {"version": "2", "digest": bytes([2]) * 32}, {"withdrawn": True}, {"since": "2027-01-01"}):
        story.say("jp", layer(story, **changes))
    for party in ("jp", "kr"):
        row = story.row(party, "layer-told", f"{RELATIONSHIP}/jp/jp-domestic")
        assert isinstance(row, LayerToldRow)
        assert (row.version, row.since, row.withdrawn) == ("1", "2027-01-01", False)


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (0, {"withdrawn": True}, "unknown-layer"),
        (0, {"signer": "n-sato"}, "no-role"),
        (0, {"by": "n-sato"}, "other-signer"),
        (0, {"since": "2026-02-30"}, "bad-day"),
        (0, {"after": bytes([1]) * 32}, "stale-act"),
        (1, {}, "told-already"),
        (1, {"after": bytes(32)}, "stale-act"),
        (1, {"digest": bytes([2]) * 32, "since": "2026-11-20"}, "day-before"),
    ],
)
def test_what_is_rejected(story: Story, before: int, changes: dict[str, object], expected: str) -> None:
    for _ in range(before):
        story.say("jp", layer(story))
    assert story.try_("jp", layer(story, **changes)).code == expected


def test_what_was_withdrawn_is_not_withdrawn_again(story: Story) -> None:
    story.say("jp", layer(story))
    story.say("jp", layer(story, withdrawn=True))
    assert story.try_("jp", layer(story, withdrawn=True)).code == "unknown-layer"
