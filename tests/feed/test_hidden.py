"""With entropy fixed, nothing hidden changes a byte, a size or a batch of what crosses (``spec/feed.md`` step 9)."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.feed.release import Posture
from feed.examples import NUMBERS, TEXTS, messages, written
from feed.stage import Stage

HIDDEN: dict[Posture, tuple[str, ...]] = {
    "normal": ("height", "sensor", "method", "quality"),
    "crisis": ("method", "quality"),
}
OTHER = st.fixed_dictionaries(
    {"height": NUMBERS, "sensor": TEXTS, "method": TEXTS, "quality": st.integers(-(2**53) + 1, 2**53 - 1)}
)


async def frames(posture: Posture, requests: list[list[dict[str, object]]]) -> list[bytes]:
    """Everything that would go to the recipient."""
    stage = Stage()
    stage.ruler.now = replace(stage.ruler.now, posture=posture)
    stage.clock.pass_by(10 * 365 * 86_400)  # after every instant that is drawn
    async with stage.publisher() as publisher:
        for request in requests:
            await publisher.publish([written(message) for message in request])
        stage.clock.pass_by(61)
        await publisher.publish([])
        for _ in range(400):
            if not publisher.held:
                break
            publisher._wake.set()
            await asyncio.sleep(0.005)
        assert not publisher.held
        return [publisher.under_way[index].frame for index in range(publisher.size)]


@settings(max_examples=30)
@given(
    st.sampled_from(["normal", "crisis"]),
    st.lists(st.lists(st.tuples(messages(), OTHER), min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_nothing_hidden_changes_what_crosses(
    posture: Posture, requests: list[list[tuple[dict[str, object], dict[str, object]]]]
) -> None:
    one = [[message for message, _ in request] for request in requests]
    two = [
        [message | {name: other[name] for name in HIDDEN[posture]} for message, other in request]
        for request in requests
    ]
    crossed = asyncio.run(frames(posture, one))
    assert crossed
    assert crossed == asyncio.run(frames(posture, two))
