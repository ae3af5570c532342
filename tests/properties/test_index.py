"""The index is what would be made of the register anew, whatever was done, and however it heard of it.

``spec/index.md`` steps 4 to 6.
"""

from __future__ import annotations

from pathlib import Path

from indexed import Beside, differences
from properties.secrets_kept import BESIDE, SECRETS, common


async def test_after_each_act_it_is_what_would_be_made_anew(tmp_path: Path) -> None:  # (4) (5) (6)
    told = await common(tmp_path)
    houses = (told.world.jp, told.world.kr)
    beside = [Beside(house) for house in houses]
    for name, act in [("the beginning", None), *SECRETS.items(), *BESIDE.items()]:
        if act is not None:
            await act(told)
        for house, other in zip(houses, beside, strict=True):
            assert await differences(house) == {}, f"{house.party} after {name}"
            assert await other.differences() == {}, f"{house.party} after {name}, from the journal"
            await told.world.exchange()
    await told.world.close()
