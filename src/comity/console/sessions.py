"""Sessions: who is signed in at which browser (``spec/console.md`` steps 5 to 8).

They are held in memory alone, under the digest of what the browser holds: a restart signs everybody out, and whoever
reads the disk, a backup or a dump of the table finds nothing that signs him in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from comity.console.catalogues import Code
from comity.ports import Clock, Entropy

LONGEST = timedelta(hours=12)
"""A session ends after this, whatever is done in it: a day's work."""
SESSIONS_MAX = 10_000
"""Most sessions at once; above it the one that did nothing for longest ends."""
SESSIONS_OF_ONE_MAX = 20
"""Most of one person: whoever signs in again and again ends his own, and nobody else's."""
TOLD_MAX = 5
REMEMBERED = timedelta(hours=24)
"""How long it is remembered whose an ended session was, so that a form that comes with it is kept for him."""


@dataclass
class Session:
    """One browser of one person.

    Attributes:
        handle: whose.
        person: his person id.
        token: what every form of the session carries.
        began: when he signed in.
        used: when he last asked for a page.
        proved: when he last showed that it is he.
        how: by what: ``password``, ``passkey``, ``code`` or ``organisation``.
        language: in which language, where he chose one.
        roles: those that he had when he signed in.
        limited: it leads to his own account and nowhere else (steps 11 and 12).
        told: what the next page tells him once.
    """

    handle: str
    person: str
    token: str
    began: datetime
    used: datetime
    proved: datetime
    how: str
    language: Code | None = None
    roles: tuple[str, ...] | None = None
    limited: bool = False
    told: list[str] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        """Have the next page say something, once."""
        self.told = [*self.told, sentence][-TOLD_MAX:]

    def hear(self) -> list[str]:
        """What the next page is to say; it is said once."""
        told, self.told = self.told, []
        return told


@dataclass(frozen=True)
class Former:
    """A session that has ended.

    Attributes:
        person: whose it was: a person id.
        token: what every form of it carried.
        at: when, whether or not anybody noticed.
    """

    person: str
    token: str
    at: datetime


class Sessions:
    """Every session of the console.

    Attributes:
        ended: called with each session that is over.

    Args:
        clock: wall-clock time.
        entropy: makes what browsers hold.
        idle: how long a session lasts in which nothing is done.
    """

    def __init__(self, clock: Clock, entropy: Entropy, idle: timedelta) -> None:
        self._clock = clock
        self._entropy = entropy
        self._idle = idle
        self._held: dict[bytes, Session] = {}
        self._former: dict[bytes, Former] = {}
        self.ended: list[Callable[[Session], None]] = []

    def begin(
        self,
        handle: str,
        person: str,
        how: str,
        language: Code | None = None,
        *,
        roles: tuple[str, ...] | None = None,
        limited: bool = False,
    ) -> tuple[str, Session]:
        """A new session, and what the browser is to hold; whatever it held before is worth nothing for it."""
        now = self._clock.now()
        self._sweep()
        his = [key for key, each in self._held.items() if each.person == person]
        if len(his) >= SESSIONS_OF_ONE_MAX or len(self._held) >= SESSIONS_MAX:
            among = his if len(his) >= SESSIONS_OF_ONE_MAX else self._held
            self._end(min(among, key=lambda key: self._held[key].used))
        secret = self._entropy(32).hex()
        session = Session(handle, person, self._entropy(32).hex(), now, now, now, how, language, roles, limited)
        self._held[_digest(secret)] = session
        return secret, session

    def of(self, secret: str | None, *, by_itself: bool = False) -> Session | None:
        """The session of a browser, if it has one that lasts; it was used now, unless a page asks ``by_itself``."""
        if not secret:
            return None
        key, now = _digest(secret), self._clock.now()
        session = self._held.get(key)
        if session is None:
            return None
        if now > self._until(session):
            self._end(key)
            return None
        if not by_itself:
            session.used = max(now, session.used)
        return session

    def lasts(self, session: Session) -> bool:
        """Whether a session is not over; something of it is under way now."""
        self._sweep()
        if not any(each is session for each in self._held.values()):
            return False
        session.used = max(self._clock.now(), session.used)
        return True

    def end(self, secret: str | None) -> None:
        """End the session of a browser."""
        if secret:
            self._end(_digest(secret))

    def end_all(self, person: str, but: Session | None = None) -> int:
        """End every session of a person, but the one given; how many there were."""
        self._sweep()
        gone = [key for key, each in self._held.items() if each.person == person and each is not but]
        for key in gone:
            self._end(key)
        return len(gone)

    def of_person(self, person: str) -> list[Session]:
        """Every session of a person."""
        self._sweep()
        return [each for each in self._held.values() if each.person == person]

    def former(self, secret: str | None) -> Former | None:
        """Whose session it was that a browser held and that has ended in the last day."""
        found = self._former.get(_digest(secret)) if secret else None
        return found if found is not None and self._clock.now() - found.at <= REMEMBERED else None

    def _until(self, session: Session) -> datetime:
        """Until when a session lasts if nothing more is done in it."""
        return min(session.used + self._idle, session.began + LONGEST)

    def _sweep(self) -> None:
        """End what has lasted too long, though its browser never came again."""
        now = self._clock.now()
        for key in [key for key, each in self._held.items() if now > self._until(each)]:
            self._end(key)

    def _end(self, key: bytes) -> None:
        session = self._held.pop(key, None)
        if session is not None:
            if len(self._former) >= SESSIONS_MAX:
                del self._former[next(iter(self._former))]
            self._former[key] = Former(session.person, session.token, min(self._clock.now(), self._until(session)))
            for tell in self.ended:
                tell(session)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
