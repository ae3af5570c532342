"""Held forms: what somebody sent when his session had ended, kept until he has signed in again.

A form lies in memory alone, under an id that nobody guesses, for the person whose session it came with. He is shown it
and asked whether to send it now; for anybody else it is not there. Of files nothing is kept. It is ``spec/console.md``
step 21.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from comity.ports import Clock, Entropy

LASTS = timedelta(minutes=10)
FORMS_MAX = 100
FORMS_OF_ONE_MAX = 5
BYTES_MAX = 8 * 2**20


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One form.

    Attributes:
        person: the person id of whoever sent it.
        path: where he sent it.
        fields: what he typed, without the token of the session that ended.
        until: when it is thrown away.
    """

    person: str
    path: str
    fields: tuple[tuple[str, str], ...]
    until: datetime

    @property
    def size(self) -> int:
        """Bytes of what was typed."""
        return sum(len(name.encode()) + len(value.encode()) for name, value in self.fields)


class HeldForms:
    """Every form that waits for its person; above a bound the oldest goes.

    Args:
        clock: wall-clock time.
        entropy: makes ids.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._held: OrderedDict[str, Held] = OrderedDict()

    def keep(self, person: str, path: str, fields: Sequence[tuple[str, str]]) -> str:
        """Keep a form for its person; under which id."""
        held = Held(person=person, path=path, fields=tuple(fields), until=self._clock.now() + LASTS)
        identifier = self._entropy(16).hex()
        self._held[identifier] = held
        his = [key for key, each in self._held.items() if each.person == person]
        for key in his[:-FORMS_OF_ONE_MAX]:
            del self._held[key]
        self._sweep()
        return identifier

    def of(self, person: str, identifier: str) -> Held | None:
        """A form of a person; None where there is none such of his."""
        self._sweep()
        held = self._held.get(identifier)
        return held if held is not None and held.person == person else None

    def drop(self, person: str, identifier: str) -> None:
        """Throw a form of a person away."""
        if self.of(person, identifier) is not None:
            del self._held[identifier]

    def end(self, person: str) -> None:
        """Throw away all that is kept for a person."""
        for key in [key for key, each in self._held.items() if each.person == person]:
            del self._held[key]

    def _sweep(self) -> None:
        now = self._clock.now()
        total = sum(each.size for each in self._held.values())
        for key, each in list(self._held.items()):
            if each.until <= now or total > BYTES_MAX or len(self._held) > FORMS_MAX:
                total -= each.size
                del self._held[key]
