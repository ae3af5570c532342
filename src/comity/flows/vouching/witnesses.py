"""Naming third-party witnesses and the policy of each ledger (``spec/witness.md`` steps 30, 31, 36, 38 and 41)."""

from __future__ import annotations

import hmac
import re
from base64 import b32encode

import msgspec

from comity.errors import Misuse, Rejected
from comity.flows.exchanging.witnessing import log_keys, witness_key
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.ledger.note import COSIGNATURES, VerifierKey
from comity.ledger.policy import NONE, LogLine, Policy, WitnessLine, parse_policy
from comity.record.statement import DOMESTIC, chain_id

WITNESS = "witness"
"""Side table: a third-party witness, by the name this house gives it."""
POLICY = "policy"
"""Side table: the policy of a ledger as it was given, by chain."""
WITNESSES_MAX = 12
"""A note has room for 32 signatures: two by each of them, the log's own and the other party's."""
SECRET_BYTES = 20
_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", re.ASCII)
_URL = re.compile(
    r"(?:https://[^/?#@\s]+|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?)(?:/[^?#\s]*)?", re.ASCII
)


class NamedWitness(msgspec.Struct, frozen=True, kw_only=True):
    """A third party that is asked to witness ledgers of this house.

    Attributes:
        name: what this house calls it.
        keys: its verifier keys, all of one key name.
        url: where it takes checkpoints; ``/add-checkpoint`` follows.
        ledgers: chains that it witnesses.
        secret: opens the checkpoints and tiles of these ledgers to it.
    """

    name: str
    keys: tuple[str, ...]
    url: str
    ledgers: tuple[str, ...]
    secret: str

    def __repr__(self) -> str:
        return f"NamedWitness({self.name!r})"

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Its keys, read."""
        return tuple(map(VerifierKey.parse, self.keys))


class AddWitness(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a third party to witness ledgers of this house; of one that is known, the ledgers are added."""

    name: str
    keys: tuple[str, ...]
    url: str
    ledgers: tuple[str, ...]


class RemoveWitness(msgspec.Struct, frozen=True):
    """Ask a third party no more."""

    name: str


class ListWitnesses(msgspec.Struct, frozen=True):
    """List the third parties that witness ledgers of this house."""


class SetPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Say whose cosignatures make a checkpoint of a ledger count as witnessed; empty takes the policy away."""

    ledger: str
    content: bytes


class ShowPolicy(msgspec.Struct, frozen=True):
    """Show the policy of a ledger as a file."""

    ledger: str


class PolicyShown(msgspec.Struct, frozen=True, kw_only=True):
    """The policy by which checkpoints of a ledger count as witnessed.

    Attributes:
        ledger: which.
        content: the file, a text.
        given: whether somebody gave it; else it says what holds without one.
    """

    ledger: str
    content: str
    given: bool


async def add_witness(house: House, request: AddWitness) -> list[NamedWitness]:
    """Name a third party (30).

    Raises:
        Misuse: the name, the address or a ledger cannot be, or the keys are not those of one witness.
        Rejected: a key is not written as one.
    """
    if _NAME.fullmatch(request.name) is None or len(request.name) > 64 or request.name == NONE:
        raise Misuse(
            f"{request.name[:80]!r} is no name for a witness: lowercase letters and digits, joined by '-' or '.'",
            code="bad-name",
        )
    if _URL.fullmatch(request.url) is None:  # (31)
        raise Misuse(f"{request.url[:200]!r} is not an https address (http on this machine only)", code="bad-address")
    keys = tuple(map(VerifierKey.parse, request.keys))
    types = [key.type for key in keys]
    if len({key.name for key in keys}) != 1 or not COSIGNATURES.issuperset(types) or len(set(types)) < len(types):
        raise Misuse("a witness has one key name, and a key of type 04, of type 06 or both", code="bad-witness-key")
    if not request.ledgers:
        raise Misuse("name the ledgers that it is to witness; 'comity ledger show' lists them", code="no-ledger")
    for ledger in request.ledgers:
        await check_own(house, ledger)
    named = {each.name: each for each in await witnesses(house)}
    for other in named.values():
        if other.name != request.name and {key.public for key in other.verifiers()} & {key.public for key in keys}:
            raise Misuse(f"this key is that of {other.name!r}", code="key-reuse")
    known = named.get(request.name)
    if known is None and len(named) >= WITNESSES_MAX:
        raise Misuse(f"a house has at most {WITNESSES_MAX} witnesses", code="too-many-witnesses")
    if known is not None and (known.keys, known.url) != (request.keys, request.url):
        raise Misuse(f"{request.name!r} is another witness; remove it first, or take another name", code="name-taken")
    made = NamedWitness(
        name=request.name,
        keys=tuple(key.text for key in keys),
        url=request.url.rstrip("/"),
        ledgers=tuple(dict.fromkeys((*(known.ledgers if known else ()), *request.ledgers))),
        secret=known.secret if known else b32encode(house.entropy(SECRET_BYTES)).decode().lower(),
    )
    await put_side(house, WITNESS, made.name, msgspec.json.encode(made))
    return await witnesses(house)


async def remove_witness(house: House, request: RemoveWitness) -> list[NamedWitness]:
    """Ask a third party no more; what it cosigned stays (38).

    Raises:
        Misuse: there is none of that name.
    """
    if await house.side(WITNESS, request.name) is None:
        raise Misuse(f"there is no witness {request.name!r}", code="unknown-witness")
    await put_side(house, WITNESS, request.name, None)
    return await witnesses(house)


async def list_witnesses(house: House, _: ListWitnesses) -> list[NamedWitness]:
    """Every third party, with the secret of its address (41)."""
    return await witnesses(house)


async def witnesses(house: House) -> list[NamedWitness]:
    """Every third party, by name."""
    found = await house.store.scan(WITNESS, limit=WITNESSES_MAX)
    return [msgspec.json.decode(value, type=NamedWitness) for _, value in found]


async def reader(house: House, secret: str) -> NamedWitness | None:
    """Whom a secret lets read checkpoints and tiles (41)."""
    given, found = secret.encode("utf-8", "replace"), None
    for each in await witnesses(house):  # every one is compared, so that time tells nothing
        if hmac.compare_digest(each.secret.encode(), given):
            found = each
    return found


async def set_policy(house: House, request: SetPolicy) -> PolicyShown:
    """Give a ledger its policy (36).

    Raises:
        Misuse: it is no ledger of this house, or the policy names another log.
        Rejected: it is not a policy, or not in UTF-8.
    """
    await check_own(house, request.ledger)
    if request.content:
        policy = parse_policy(request.content)
        try:
            request.content.decode()
        except UnicodeDecodeError:
            raise Rejected("a policy is kept as a text in UTF-8, and this is none", code="bad-policy") from None
        ours = own_log_keys(house, request.ledger)
        if any(line.key not in ours for line in policy.logs):
            raise Misuse("the policy names a log that is not this ledger", code="other-log")
    await put_side(house, POLICY, request.ledger, request.content or None)
    return await show_policy(house, ShowPolicy(request.ledger))


async def show_policy(house: House, request: ShowPolicy) -> PolicyShown:
    """The policy of a ledger, with the keys of its log (36).

    Raises:
        Misuse: it is no ledger of this house.
    """
    await check_own(house, request.ledger)
    given = await given_policy(house, request.ledger)
    policy = given or await _default(house, request.ledger)
    logs = tuple(map(LogLine, own_log_keys(house, request.ledger)))
    shown = msgspec.structs.replace(policy, logs=logs)
    return PolicyShown(ledger=request.ledger, content=shown.encode().decode(), given=given is not None)


async def given_policy(house: House, ledger: str) -> Policy | None:
    """The policy that a ledger was given."""
    content = await house.side(POLICY, ledger)
    return None if content is None else parse_policy(content)


def own_log_keys(house: House, ledger: str) -> list[VerifierKey]:
    """The keys that this ledger's checkpoints are, or were, signed with."""
    card = house.own_card
    return log_keys(ledger, (house.keys.log.public,) if card is None else card.had("log"))


async def check_own(house: House, ledger: str) -> None:
    """A ledger of this house, by its chain.

    Raises:
        Misuse: it is none.
    """
    relationship, _, author = ledger.rpartition("/")
    own = {chain_id(DOMESTIC, house.party), *(chain_id(each, house.party) for each, _ in await house.correspondence())}
    if ledger not in own or author != house.party or not relationship:
        sentence = f"{ledger[:200]!r} is no ledger that this house writes; 'comity ledger show' lists them"
        raise Misuse(sentence, code="no-ledger")


async def _default(house: House, ledger: str) -> Policy:
    """What holds where no policy was given: the other party's cosignature; the third parties are named beside it."""
    relationship = ledger.rpartition("/")[0]
    lines: list[WitnessLine] = []
    quorum = NONE
    if relationship != DOMESTIC:
        peer = await house.peer_in(relationship)
        card = await house.peer_card(peer)
        lines.append(WitnessLine(peer, witness_key(peer, card.present("witness")[0])))
        quorum = peer
    for each in await witnesses(house):
        if ledger in each.ledgers:
            for number, key in enumerate(each.verifiers()):
                name = each.name if not number else f"{each.name}/{number + 1}"
                lines.append(WitnessLine(name if name != quorum else f"witness/{name}", key, each.url))
    return Policy(witnesses=tuple(lines), quorum=quorum)


async def put_side(house: House, table: str, key: str, value: bytes | None) -> None:
    """Write one value of side data."""

    async def put(work: Work) -> None:
        work.put_side(table, key, value)

    await house.sequencer.submit(put)
