r"""Whether a checkpoint counts as witnessed: k of n witnesses, and groups of groups (tlog-policy; spec 110-118).

Rules of this file:

- A policy is a value that was checked when it was made: names are defined once and before their use, so nothing goes in
  circles, and each name is a member of one group at most, so that a witness counts in one way only.
- A witness is the name in its verifier keys, however many it has and by whatever algorithms: it counts once.
- What is met is asked of verified cosignatures, never of the lines of a note.

>>> quorum = parse_policy(b"quorum none\n")
>>> quorum.met(())
True
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from comity.errors import Rejected
from comity.ledger.canonical import read_decimal
from comity.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from comity.ledger.note import COSIGNATURES, KeyType, Verified, VerifierKey

POLICY_BYTES_MAX = 256 * 1024
LOGS_MAX = 32
"""tlog-policy asks for at least 32 of each."""
WITNESSES_MAX = 256
GROUPS_MAX = 256
NONE = "none"
"""The quorum that asks for no cosignature."""

_OCTETS = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_ARGUMENTS = {"log": (1, 2), "witness": (2, 3), "group": (3, None), "quorum": (1, 1)}
"""Fewest and most words behind each keyword."""


class LogLine(msgspec.Struct, frozen=True):
    """A log whose checkpoints may count, and where it is reached; empty where it is not said."""

    key: VerifierKey
    url: str = ""


class WitnessLine(msgspec.Struct, frozen=True):
    """A witness under the name that this policy gives it, and where checkpoints are submitted to it."""

    name: str
    key: VerifierKey
    url: str = ""


class Group(msgspec.Struct, frozen=True):
    """Met when ``threshold`` of the members are, of which keys of one witness are one; or when every member is."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy whose parts fit together.

    Names are text in which each octet that is no UTF-8 stands as a lone surrogate; they are never shown as such.

    Attributes:
        logs: in the order of the file.
        witnesses: likewise.
        groups: each after its members.
        quorum: name of a witness or a group, or ``none``.
    """

    logs: tuple[LogLine, ...] = ()
    witnesses: tuple[WitnessLine, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    def __post_init__(self) -> None:
        for lines, most in ((self.logs, LOGS_MAX), (self.witnesses, WITNESSES_MAX), (self.groups, GROUPS_MAX)):
            if len(lines) > most:
                raise _bad(f"it has more than {most} lines of one kind")
        _check_keys([line.key for line in self.logs], frozenset({KeyType.ED25519}), "log")
        _check_keys([line.key for line in self.witnesses], COSIGNATURES, "witness")
        whose = _whose(self.witnesses)
        defined: set[str] = set()
        members: set[str] = set()
        grouped: set[str] = set()
        named: tuple[WitnessLine | Group, ...] = (*self.witnesses, *self.groups)
        for line in named:
            if isinstance(line, Group):
                counted = {whose.get(member, member) for member in line.members}
                if not 1 <= line.threshold <= len(counted) and line.threshold != len(line.members):
                    raise _bad(f"group {line.name!r} asks for {line.threshold} of {_many(line.members, counted)}")
                for member in line.members:
                    if member not in defined or member in members:  # (115)
                        said = "is in a group already" if member in members else "is not defined before it"
                        raise _bad(f"member {member!r} of group {line.name!r} {said}")
                    if whose.get(member) in grouped:  # (119)
                        raise _bad(f"member {member!r} of group {line.name!r} is a key of a witness in another group")
                    members.add(member)
                grouped |= counted
            if line.name in defined or line.name == NONE:
                raise _bad(f"the name {line.name!r} is taken")
            defined.add(line.name)
        if self.quorum != NONE and self.quorum not in defined:
            raise _bad(f"the quorum {self.quorum!r} is not defined before it")

    def met(self, cosignatures: Iterable[Verified]) -> bool:
        """Whether these verified cosignatures meet the quorum (117)."""
        keys = {verified.key for verified in cosignatures}
        met = {NONE} | {line.name for line in self.witnesses if line.key in keys}
        whose = _whose(self.witnesses)
        for group in self.groups:
            here = met.intersection(group.members)
            if len(here) == len(group.members) or len({whose.get(each, each) for each in here}) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def open(self, note: bytes, origin: str) -> SignedCheckpoint:
        """The checkpoint of the log ``origin`` in ``note``, its log's and witnesses' signatures verified (52-55).

        Whether it counts is another question: ``met(signed.witnesses)``.

        Raises:
            Rejected: ``unknown-log``: the policy names no such log; or what ``open_checkpoint`` raises.
        """
        logs = [line.key for line in self.logs if line.key.name == origin]
        if not logs:
            raise Rejected(f"the policy names no log {origin[:80]!r}", code="unknown-log")
        return open_checkpoint(note, origin, logs, [line.key for line in self.witnesses])

    def encode(self) -> bytes:
        """The policy as a file (118)."""
        lines = [" ".join(filter(None, ("log", line.key.text, line.url))) for line in self.logs]
        lines += [" ".join(filter(None, ("witness", line.name, line.key.text, line.url))) for line in self.witnesses]
        for group in self.groups:
            words = {len(group.members): "all", 1: "any"}
            threshold = words.get(group.threshold, str(group.threshold))
            lines.append(" ".join(("group", group.name, threshold, *group.members)))
        return "\n".join([*lines, f"quorum {self.quorum}", ""]).encode("utf-8", "surrogateescape")


def parse_policy(data: bytes) -> Policy:
    """Read a policy file strictly (110-116).

    Raises:
        Rejected: ``bad-policy``, with the line as its place, or what reading a verifier key raises.
    """
    if len(data) > POLICY_BYTES_MAX or not _OCTETS.fullmatch(data) or (data and not data.endswith(b"\n")):
        raise _bad(f"it has more than {POLICY_BYTES_MAX} bytes, a control character, or a last line without its end")
    logs: list[LogLine] = []
    witnesses: list[WitnessLine] = []
    groups: list[Group] = []
    quorum: list[str] = []
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = re.split("[ \t]+", line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            continue
        keyword, *rest = words
        try:
            least, most = _ARGUMENTS.get(keyword, (1, 0))
            if len(rest) < least or (most is not None and len(rest) > most):
                raise _bad("not a line 'log', 'witness', 'group' or 'quorum' with what belongs to it")
            if keyword == "log":  # (111)
                logs.append(LogLine(VerifierKey.parse(rest[0]), *rest[1:]))
            elif keyword == "witness":  # (112)
                witnesses.append(WitnessLine(rest[0], VerifierKey.parse(rest[1]), *rest[2:]))
            elif keyword == "group":  # (113)
                groups.append(_read_group(_whose(witnesses), *rest))
            else:
                quorum.append(rest[0])
            _check_order(logs, witnesses, groups, quorum)
        except Rejected as error:
            raise Rejected(error.sentence, code=error.code, place=f"line {number}") from None
        except UnicodeEncodeError:
            raise Rejected("the name in a verifier key is not UTF-8", code="bad-name", place=f"line {number}") from None
    if len(quorum) != 1:  # (114)
        raise _bad("it has no line 'quorum'")
    return Policy(logs=tuple(logs), witnesses=tuple(witnesses), groups=tuple(groups), quorum=quorum[0])


def _whose(witnesses: Iterable[WitnessLine]) -> dict[str, str]:
    """The witness of each key, by the name of its line; with a space, so that it is the name of no line (119)."""
    return {line.name: f"{line.key.name} " for line in witnesses}


def _read_group(whose: dict[str, str], name: str, threshold: str, *members: str) -> Group:
    words = {"all": len(members), "any": 1}
    needed = words[threshold] if threshold in words else read_decimal(threshold, "threshold")
    counted = {whose.get(member, member) for member in members}
    if threshold not in words and needed > len(counted):  # (119)
        raise _bad(f"group {name!r} asks for {needed} of {_many(members, counted)}")
    return Group(name, needed, members)


def _many(members: tuple[str, ...], counted: set[str]) -> str:
    """How many there are to ask of."""
    if len(members) == len(counted):
        return f"{len(members)} members"
    return f"{len(counted)}: keys of one witness count once; 'all' asks for each of them"


def _check_order(logs: list[LogLine], witnesses: list[WitnessLine], groups: list[Group], quorum: list[str]) -> None:
    """Everything that was read so far makes a policy: what is wrong is told of the line on which it first is."""
    if len(quorum) > 1:
        raise _bad("there is a second line 'quorum'")
    named = quorum[0] if quorum else NONE
    Policy(logs=tuple(logs), witnesses=tuple(witnesses), groups=tuple(groups), quorum=named)


def _check_keys(keys: list[VerifierKey], types: frozenset[KeyType], what: str) -> None:
    if any(key.type not in types for key in keys):
        raise _bad(f"the key of a {what} is of another type")
    if len({key.public for key in keys}) != len(keys):  # (116)
        raise _bad(f"two keys of a {what} are the same")


def _bad(reason: str) -> Rejected:
    return Rejected(f"not a policy: {reason}", code="bad-policy")
