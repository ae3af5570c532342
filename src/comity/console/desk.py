"""The desk: the house as the console reaches it, and what all its pages share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Protocol

import msgspec
from argon2 import PasswordHasher

from comity.agreement.model import Agreement
from comity.console.access import Access
from comity.console.accounts import Accounts
from comity.console.doorkeeper import Doorkeeper
from comity.console.held import HeldForms
from comity.console.once import Once
from comity.console.organisations import Login
from comity.console.pace import Pace
from comity.console.passwords import HASHER, Passwords
from comity.console.running import Running, Verification
from comity.console.sessions import Session, Sessions
from comity.console.settings import ConsoleSettings
from comity.console.spool import Spool
from comity.console.tokens import Tokens
from comity.console.views import Views
from comity.flows.feeding.reading import Readers
from comity.flows.house import House
from comity.ports import Clock, Entropy, Store
from comity.register.rows import AgreementRow

PASSWORDS_PER_SECOND, PASSWORDS_AT_ONCE = 1 / 60, 10


class AnyFlow(Protocol):
    """What is needed of an entry of ``flows.table.FLOWS``."""

    @property
    def request(self) -> type[msgspec.Struct]:
        """Type of the request."""
        ...

    @property
    def run(self) -> Callable[[Any, Any], Awaitable[Any]]:
        """Takes the house and the request."""
        ...


async def nothing_after(_flow: str) -> None:
    """What follows on a flow where nothing does."""


class Desk:
    """One house with its flows, and whoever is signed in.

    Attributes:
        origins: every address under which browsers reach the console.
        sessions: whoever is signed in.
        once: the forms that were sent.
        accounts: whoever can sign in.
        doorkeeper: who lets them in.
        passwords: makes what is kept of a password.
        settable: how often one person may set his: each costs the work by which others sign in.
        access: who asked for which page.
        held: forms that came with a session that had ended.
        organisation: the organisation's own login, where there is one.
        views: feeds that are read before browsers; None where none come here.
        spool: files that came through browsers, and what is open before them.
        tokens: by which programs ask in somebody's name.
        running: what goes on after its page was answered.
        verification: the newest of the ledgers; another one is begun only when it is over.

    Args:
        house: whose console it is.
        flows: what can be asked of it, by name.
        store: where accounts are kept, apart from the register: no record names them.
        spool: where files from browsers lie; what is in it ends with its session.
        settings: the ``[console]`` table.
        clock: wall-clock time.
        entropy: makes secrets.
        here: the addresses under which the node itself serves the console.
        after: called with the name of every flow that succeeded.
        hasher: how passwords are kept.
        organisation: the organisation's own login, where the settings name one.
        readers: by which feeds are read here, where any come.
    """

    def __init__(
        self,
        house: House,
        flows: Mapping[str, AnyFlow],
        store: Store,
        *,
        spool: Spool,
        settings: ConsoleSettings,
        clock: Clock,
        entropy: Entropy,
        here: tuple[str, ...],
        after: Callable[[str], Awaitable[None]] = nothing_after,
        hasher: PasswordHasher = HASHER,
        organisation: Login | None = None,
        readers: Readers | None = None,
    ) -> None:
        self.house = house
        self.flows = flows
        self.store = store
        self.settings = settings
        self.clock = clock
        self.entropy = entropy
        self.origins = (*here, *settings.public)
        self.sessions = Sessions(clock, entropy, timedelta(minutes=settings.idle_minutes))
        self.once = Once()
        self.sessions.ended.append(spool.end)
        self.spool = spool
        self.views = None if readers is None else Views(readers, clock)
        if self.views is not None:
            self.sessions.ended.append(self.views.end_of)
        self.tokens = Tokens(house, store, flows, clock=clock, entropy=entropy)
        self.accounts = Accounts(house, store, clock=clock, entropy=entropy, passwords=settings.passwords)
        self.passwords = Passwords(entropy, hasher)
        self.settable = Pace(clock, PASSWORDS_PER_SECOND, PASSWORDS_AT_ONCE)
        self.access = Access(store, clock, settings.access_days)
        self.held = HeldForms(clock, entropy)
        self.organisation = organisation
        self.doorkeeper = Doorkeeper(
            self.accounts,
            self.passwords,
            self.access,
            store,
            taken=settings.passwords,
            clock=clock,
            entropy=entropy,
        )
        self.running = Running()
        self.verification: Verification | None = None
        self._after = after

    async def ask(self, flow: str, request: msgspec.Struct) -> Any:
        """What a flow answers.

        Raises:
            ComityError: whatever the flow raised.
        """
        answer = await self.flows[flow].run(self.house, request)
        await self._after(flow)
        return answer

    async def remove_account(self, person: str) -> int:
        """Take somebody's account away, and before it whatever it let in; how many sessions ended.

        Raises:
            Misuse: there is none.
        """
        ended = self.sessions.end_all(person)
        await self.tokens.revoke_all(person)
        await self.accounts.remove(person)
        return ended + self.sessions.end_all(person)  # whoever came in until then

    def is_fresh(self, session: Session) -> bool:
        """Whether somebody has shown within ``fresh-minutes`` that it is he (``spec/console.md`` step 7)."""
        return self.is_recent(session.proved)

    def is_recent(self, shown: datetime) -> bool:
        """Whether an instant is not longer ago than that."""
        return self.clock.now() - shown <= timedelta(minutes=self.settings.fresh_minutes)

    async def close(self) -> None:
        """End what is read and what goes on, and write what waits to be written."""
        await self.running.close()
        if self.views is not None:
            await self.views.close()
        await self.access.close()

    async def agreements(self) -> list[Agreement]:
        """Every agreement that runs here, in the order of their relationships."""
        return [(await self.house.library.load(row)).agreement async for _key, row in self.house.rows(AgreementRow)]

    async def zone(self) -> tzinfo:
        """The zone that the house shows instants in: the one that its agreements give its party."""
        for agreement in await self.agreements():
            for party in agreement.parties:
                if party.id == self.house.party:
                    return self.house.zones.zone(party.timezone)
        return UTC
