"""Whether the checkpoints in a file count by a policy that its reader brings (``spec/evidence.md`` step 34)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import Party, at_place
from comity.evidence.model import Chain
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import KeyType, VerifierKey
from comity.ledger.policy import Policy
from comity.record.contexts import origin


class Cosigned(msgspec.Struct, frozen=True):
    """A witness of the policy, by its name there, and when it cosigned by its own clock."""

    witness: str
    at: datetime


class PolicyTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy makes of the checkpoint of one chain.

    Attributes:
        chain: ``RELATIONSHIP/AUTHOR``.
        size: records that the checkpoint covers.
        cosigned: witnesses of the policy that cosigned it.
        met: whether they suffice.
    """

    chain: str
    size: int
    cosigned: tuple[Cosigned, ...]
    met: bool


def judge(chains: Sequence[tuple[Chain, Party]], policy: Policy) -> tuple[PolicyTold, ...]:
    """What ``policy`` says of each chain that has a checkpoint (34).

    Raises:
        Rejected: a cosignature by a key of the policy does not verify, or its time is on no calendar.
    """
    return tuple(_judged(chain, author, policy) for chain, author in chains if chain.checkpoint)


def _judged(chain: Chain, author: Party, policy: Policy) -> PolicyTold:
    place, name = f"the checkpoint of {chain.name}", origin(chain.name)
    logs = [VerifierKey(name, KeyType.ED25519, key) for key in author.log]
    names = {line.key: _shown(line.name) for line in policy.witnesses}
    try:
        signed = open_checkpoint(chain.checkpoint, name, logs, names)
        times = [datetime.fromtimestamp(each.time or 0, UTC) for each in signed.witnesses]
    except Rejected as error:
        raise at_place(error, place) from None
    except (OverflowError, ValueError, OSError):
        raise Rejected("a cosignature states a time that is on no calendar", code="bad-time", place=place) from None
    cosigned = zip(signed.witnesses, times, strict=True)
    return PolicyTold(
        chain=chain.name,
        size=signed.checkpoint.head.size,
        cosigned=tuple(Cosigned(names[each.key], at) for each, at in cosigned),
        met=policy.met(signed.witnesses),
    )


def _shown(name: str) -> str:
    """A name of the policy as text: octets that are none are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
