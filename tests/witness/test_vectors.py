"""The requests by which torchwood tests witnesses (add-checkpoint.hurl), with the answers it expects, in their order.

The checkpoints are of a log of Sigsum; nobody here has its key.
"""

from __future__ import annotations

import pytest

from comity.ledger.note import KeyType, VerifierKey
from comity.stores.memory import MemoryHighWaterMark, MemoryStore
from comity.stores.memory_disk import MemoryDisk
from comity.witness.witness import log_id
from witness.stand import started

ORIGIN = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
PUBLIC = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"
CHECKPOINTS = {
    1: (
        "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=",
    ),
    3: (
        "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=",
        "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=",
    ),
    5: (
        "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=",
        "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=",
    ),
}
TO_3 = ("KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
WRONG = (TO_3[0], "KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABA=")
FROM_1_TO_5 = (
    TO_3[0],
    "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=",
    "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
)
TO_5 = (
    TO_3[1],
    "KgMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE=",
    "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
)


def request(old: int, proof: tuple[str, ...], size: int, change: tuple[str, str] = ("", "")) -> bytes:
    root, signature = CHECKPOINTS[size]
    note = f"{ORIGIN}\n{size}\n{root}\n\n\u2014 {ORIGIN} {signature}\n"
    return "\n".join([f"old {old}", *proof, "", note.replace(*change) if change[0] else note]).encode()


async def test_they_are_answered_as_expected() -> None:
    disk = MemoryDisk()
    witness = await started(MemoryStore(disk), MemoryHighWaterMark(disk))
    await witness.follow(VerifierKey(ORIGIN, KeyType.ED25519, bytes.fromhex(PUBLIC)))
    for body, status, begins in (
        (request(0, (), 1), 200, "\u2014 witness.example/w1 "),
        (request(1, TO_3, 3, ("6go=", "6gw=")), 403, ""),
        (request(1, TO_3, 3, ("9e562", "9e563")), 404, ""),
        (request(1, (), 3), 422, ""),
        (request(1, WRONG, 3), 422, ""),
        (request(1, TO_3, 3), 200, "\u2014 witness.example/w1 "),
        (request(1, FROM_1_TO_5, 5), 409, "3\n"),
        (request(3, TO_5, 5), 200, "\u2014 witness.example/w1 "),
        (request(0, (), 5), 409, "5\n"),
    ):
        answer = await witness.add_checkpoint(body)
        assert (answer.status, answer.body.decode().startswith(begins)) == (status, True), answer
        if status == 409:
            assert answer.content_type == "text/x.tlog.size"
    shown = await witness.checkpoint(log_id(ORIGIN))
    assert shown is not None
    assert shown.startswith(f"{ORIGIN}\n5\n".encode())


@pytest.mark.parametrize(
    "change",
    [("6go=", "6gx="), ("\n3\n", "\n03\n"), ("wl0=", "wl1="), ("\u2014", "-"), ("wl0=\n", "wl0=\nextension\n")],
)
async def test_what_is_written_otherwise_is_refused(change: tuple[str, str]) -> None:
    """Base64 with loose bits, as torchwood's own vector of a bad signature has it, zeros, another dash, a line more."""
    disk = MemoryDisk()
    witness = await started(MemoryStore(disk), MemoryHighWaterMark(disk))
    await witness.follow(VerifierKey(ORIGIN, KeyType.ED25519, bytes.fromhex(PUBLIC)))
    assert (await witness.add_checkpoint(request(0, (), 3, change))).status in {400, 403}
