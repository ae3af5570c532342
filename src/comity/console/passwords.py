"""Passwords: what one has to be, and how it is kept (``spec/console.md`` steps 13 and 16)."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from comity.console.guessed import Kind, pieces
from comity.console.languages import N_
from comity.errors import Misuse, Unavailable
from comity.ports import Entropy

P = ParamSpec("P")
R = TypeVar("R")

CHARACTERS_MIN = 12
CHARACTERS_MAX = 200
DIFFERENT_MIN = 5
WORTH_MIN = 9
"""What has to be left of a password without what is guessed first; plain words count two each (``guessed.py``)."""
PRODUCT = "comity"
AT_ONCE = 2
"""Hashes computed at once: of 64 MiB each."""
WAITING_MAX = 16

HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
"""Three passes over 64 MiB (RFC 9106, section 4, second choice), which is 0.2 s of a processor; in one thread, not in
four, so that a flood of tries leaves the node some."""

TOO_SHORT = N_("this password is too short; take at least 12 characters, for example four or five words")
TOO_LONG = N_("this password is too long; 200 characters are enough")
TOO_PLAIN = N_("this password has too few different characters; take words that do not belong together")
IN_A_ROW = N_("this password is mostly neighbours in a row, as in 12345; take words that do not belong together")
HIS_OWN = N_(
    "this password is mostly your handle and other words of you or your house; take words that nobody connects with you"
)
GUESSED = N_(
    "this password is mostly words, dates or repetitions that whoever guesses tries first; "
    "take four or five words that do not belong together"
)
SENTENCES: dict[Kind, str] = {"own": HIS_OWN, "row": IN_A_ROW, "plain": GUESSED, "other": TOO_PLAIN}


class Passwords:
    """Makes and compares hashes of passwords, a few at once.

    Args:
        entropy: makes the password that unknown people are compared with.
        hasher: the parameters.
    """

    def __init__(self, entropy: Entropy, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._entropy = entropy
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            Unavailable: too many are being computed.
        """
        return await self._in_turn(self._hasher.hash, _normal(password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one of a hash; where there is none, the same work for nothing (step 16).

        Raises:
            Unavailable: too many are being computed.
        """
        if self._nobody is None:
            self._nobody = await self.hash(self._entropy(16).hex())
        typed = _normal(password)[: CHARACTERS_MAX + 1]  # nobody has a longer one, however many parts a letter came in
        return await self._in_turn(self._matches, typed, kept or self._nobody) and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made by other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _in_turn(self, run: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
        if self._waiting >= WAITING_MAX + AT_ONCE:
            raise Unavailable("too many people sign in at this moment; try again in a few seconds", code="busy")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(run, *given, **named)
        finally:
            self._waiting -= 1


def check_password(password: str, *own: str) -> None:
    """Check that a password is none that is guessed first.

    Args:
        password: as it was typed.
        own: what is known of whose it is: his handle, his function, his house.

    Raises:
        Misuse: it is; the sentence says what to take instead.
    """
    shown = _normal(password)
    if len(shown) < CHARACTERS_MIN:
        raise _weak(TOO_SHORT)
    if len(shown) > CHARACTERS_MAX:
        raise _weak(TOO_LONG)
    parts = pieces(shown, (PRODUCT, *own))
    if sum(part.worth for part in parts) < WORTH_MIN:
        covered = Counter[Kind]()
        for part in parts:
            covered[part.kind] += part.size if part.kind != "other" else 0
        raise _weak(SENTENCES[covered.most_common(1)[0][0]])
    if len(set(shown.casefold())) < DIFFERENT_MIN:
        raise _weak(TOO_PLAIN)


def _weak(sentence: str) -> Misuse:
    return Misuse(sentence, code="weak-password", place="password")


def _normal(text: str) -> str:
    """The same letters, however a keyboard puts them together."""
    return unicodedata.normalize("NFKC", text)
