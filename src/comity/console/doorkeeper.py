"""The doorkeeper: lets in whoever shows that it is he, and lets wait whoever guesses.

It is ``spec/console.md`` steps 16 and 17.
"""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from typing import NoReturn

import msgspec

from comity.console.access import Access, Note
from comity.console.accounts import Account, Accounts
from comity.console.challenges import Challenges
from comity.console.delays import Delays, TooSoon
from comity.console.passkeys import holder, read_answer, signed
from comity.console.passwords import Passwords
from comity.console.shelves import Shelf
from comity.errors import ComityError, Misuse, Refused
from comity.ports import Clock, Entropy, Store

HANDLE_FREE, ADDRESS_FREE = 3, 30
"""How many tries may fail before anybody waits."""
HANDLE_CHARACTERS_MAX = 200
SIGN_IN = "sign-in"


class Trying(msgspec.Struct, frozen=True, kw_only=True):
    """From where somebody tries.

    Attributes:
        address: of his machine, or of the proxy before the console.
        known: what this browser was given when somebody signed in with it before; empty where nobody has.
        browser: what his browser holds; challenges are bound to it.
        origin: the address by which his browser calls the console.
    """

    address: str
    known: str
    browser: str
    origin: str


class _Key(msgspec.Struct, frozen=True):
    key: bytes


class Doorkeeper:
    """Compares what somebody shows with his account.

    Args:
        accounts: everybody's.
        passwords: compares them.
        access: what is noted.
        store: the console's own; the key by which browsers are known lies in it.
        taken: whether passwords are taken at all.
        clock: wall-clock time.
        entropy: makes secrets.

    Attributes:
        challenges: what passkeys answer over.
    """

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        access: Access,
        store: Store,
        *,
        taken: bool,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._access = access
        self._keys = Shelf(store, "key", _Key)
        self._taken = taken
        self._clock = clock
        self._entropy = entropy
        self._handles = Delays(clock, HANDLE_FREE)
        self._addresses = Delays(clock, ADDRESS_FREE)
        self._making = asyncio.Lock()
        self.challenges = Challenges(clock, entropy)

    async def by_password(self, handle: str, password: str, trying: Trying, did: str = SIGN_IN) -> Account:
        """Whoever has this handle and this password.

        Raises:
            TooSoon: it was not looked at.
            Refused: nobody has; why, is told to nobody.
            Unavailable: too many sign in at once.
        """
        counted = await self._count(did, "password", handle, trying)
        account = await self._accounts.of_handle(handle) if self._taken else None
        same = await self._passwords.matches(password, account.hashed if account is not None else None)
        if account is None or account.hashed is None or not same:
            self._refuse(did, account, "password", "wrong-sign-in")
        self._forget(counted)
        if self._passwords.is_outdated(account.hashed):
            account = await self._accounts.set_password(account.person, await self._passwords.hash(password))
        return await self._in(did, account, "password")

    async def by_code(self, handle: str, code: str, trying: Trying) -> Account:
        """Whoever has this handle and was given this code; it is taken.

        Raises:
            TooSoon: it was not looked at.
            Rejected: it is not his, has ended, or was taken.
        """
        counted = await self._count(SIGN_IN, "code", handle, trying)
        try:
            account = await self._accounts.redeem(handle, code)
        except ComityError as error:
            found = await self._accounts.of_handle(handle)
            self._note(SIGN_IN, found, "code", error.code)
            raise
        self._forget(counted)
        self._note(SIGN_IN, account, "code")
        return account

    async def by_passkey(self, answer: str, purpose: str, trying: Trying, did: str = SIGN_IN) -> Account:
        """Whoever has the passkey that answered over a challenge for ``purpose``.

        Raises:
            Refused: nobody here has it.
            Rejected: it is no answer, or one over something else.
            Misuse: its counter went back.
            Unavailable: the address has no host that passkeys are for.
        """
        account: Account | None = None
        try:
            said, challenge = read_answer(answer)
            person, key = holder(said)
            account = await self._accounts.of(person)
            passkey = account.passkey(key) if account is not None else None
            if account is None or passkey is None:
                raise Refused("this passkey is of nobody here; sign in by something else", code="unknown-passkey")
            self.challenges.check(challenge, purpose, trying.browser)
            used = signed(answer, passkey, challenge, trying.origin, self._clock.now())
            self.challenges.spend(challenge)
        except ComityError as error:
            self._note(did, account, "passkey", error.code)
            raise
        self._note(did, account, "passkey")
        return await self._accounts.signed_in(account.person, used)

    async def by_organisation(self, handle: str, did: str = SIGN_IN) -> Account:
        """Whoever has this handle, which the organisation has said.

        Raises:
            Refused: nobody with an account has it.
        """
        account = await self._accounts.of_handle(handle)
        if account is None:
            self._note(did, None, "organisation", "unknown-person-there")
            raise Refused(
                "your organisation knows you, and this house has no account for the name that it gave; ask its "
                "administrator",
                code="unknown-person-there",
            )
        return await self._in(did, account, "organisation")

    async def mark(self, handle: str) -> str:
        """What a browser is given in which somebody signed in; it is known by it from then on (step 17)."""
        number = self._entropy(16).hex()
        return f"{number}.{await self._marked(number, handle)}"

    async def _count(self, did: str, how: str, handle: str, trying: Trying) -> list[tuple[Delays, str]]:
        """Count a try as failed before it is made, so that many at once are not all free.

        Raises:
            TooSoon: it comes too soon, and is not counted.
        """
        handle = handle[:HANDLE_CHARACTERS_MAX]
        number, _, mark = trying.known.partition(".")
        if mark and hmac.compare_digest(mark.encode(), (await self._marked(number, handle)).encode()):
            counted = [(self._handles, f"browser {number}")]
        else:
            counted = [(self._handles, f"handle {handle}"), (self._addresses, trying.address)]
        try:
            for delays, key in counted:
                delays.check(key)
        except TooSoon as soon:
            account = await self._accounts.of_handle(handle)
            if account is None or not self._access.mark_seen(account.person, f"{did} {how} {soon.code}"):
                self._note(did, account, how, soon.code)
            raise
        for delays, key in counted:
            delays.failed(key)
        return counted

    def _forget(self, counted: list[tuple[Delays, str]]) -> None:
        for delays, key in counted:
            if delays is self._handles:
                delays.succeeded(key)
            else:  # whoever has an account there does not make guesses free for everybody else
                delays.taken_back(key)

    async def _in(self, did: str, account: Account, how: str) -> Account:
        self._note(did, account, how)
        return await self._accounts.signed_in(account.person)

    def _refuse(self, did: str, account: Account | None, how: str, code: str) -> NoReturn:
        self._note(did, account, how, code)
        raise Refused("nobody here has this handle with this password", code=code)

    def _note(self, did: str, account: Account | None, how: str, code: str = "") -> None:
        person = account.person if account is not None else ""
        status = 403 if code else 200
        self._access.note(
            Note(at=self._clock.now(), person=person, did=did, method="POST", status=status, how=how, code=code)
        )

    async def _marked(self, number: str, handle: str) -> str:
        async with self._making:
            kept = await self._keys.get("known-browsers")
            if kept is None:
                kept = _Key(self._entropy(32))
                await self._keys.put("known-browsers", kept)
        said = sha256(f"{number}\0{handle}".encode()).digest()
        return hmac.digest(kept.key, said, "sha256").hex()


def check_same(account: Account, person: str) -> None:
    """Check that whoever has shown that it is he, is the one who is signed in.

    Raises:
        Misuse: it is somebody else.
    """
    if account.person != person:
        raise Misuse("that is somebody else; sign out first, to change who is signed in", code="other-person")
