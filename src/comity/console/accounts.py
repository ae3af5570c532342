"""Accounts: who may sign in, and by what (``spec/console.md`` steps 10 to 12, 15).

An account is of a person of the house and lies under his person id in the console's own store; no record names it.
Whatever changes one reads, decides and writes in turn.
"""

from __future__ import annotations

import asyncio
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

import msgspec

from comity.console.catalogues import Code
from comity.console.passkeys import Passkey
from comity.console.shelves import Shelf
from comity.errors import Misuse, Refused, Rejected
from comity.flows.house import House
from comity.ports import Clock, Entropy, Store
from comity.register.roles import ADMINISTRATOR, SECURITY_OFFICER
from comity.register.rows import PersonRow

CODE_HOURS = 24
PASSKEYS_MAX = 10
NAME_CHARACTERS_MAX = 60
_CODE_BYTES, _PER_GROUP = 13, 4
"""Twenty characters of base32: 100 bits, in groups that are read aloud."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was made for somebody and not used yet.

    Attributes:
        digest: the SHA-256 of the code.
        until: from when on it is worth nothing.
        by: the person id of whoever made it; empty for the command line.
        vouched: whether whoever uses it needs no security officer's word (step 12).
    """

    digest: bytes
    until: datetime
    by: str
    vouched: bool


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An account that leads nowhere until a security officer has vouched for its person (step 12).

    Attributes:
        number: six digits that the person is shown, and the officer types.
        by: the person id of whoever made the code.
    """

    number: str
    by: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody signs in.

    Attributes:
        person: his person id.
        made: when the first code was made.
        hashed: what is kept of his password, where he has one.
        passkeys: those he has.
        language: in which he reads, where he chose one.
        invitation: a code that he has not used yet.
        waiting: why it leads nowhere, where it does not.
        used: when he last signed in.
        code_used: when and by whose code he last came in without a password or a passkey.
    """

    person: str
    made: datetime
    hashed: str | None = None
    passkeys: tuple[Passkey, ...] = ()
    language: Code | None = None
    invitation: Invitation | None = None
    waiting: Waiting | None = None
    used: datetime | None = None
    code_used: tuple[datetime, str] | None = None

    def can_sign_in(self, *, passwords: bool) -> bool:
        """Whether he has a way to sign in; ``passwords``: whether those are taken."""
        return bool(self.passkeys) or (passwords and self.hashed is not None)

    def passkey(self, key: bytes) -> Passkey | None:
        """His passkey of a credential id."""
        return next((each for each in self.passkeys if each.key == key), None)


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """A code, told once.

    Attributes:
        handle: for whom.
        code: as it is read aloud.
        until: from when on it is worth nothing.
        vouched: whether it needs no security officer's word after it was used.
    """

    handle: str
    code: str
    until: datetime
    vouched: bool


class Accounts:
    """Every account of the console.

    Args:
        house: whose people they are of.
        store: the console's own.
        clock: wall-clock time.
        entropy: makes codes.
        passwords: whether passwords are taken at all.
    """

    def __init__(self, house: House, store: Store, *, clock: Clock, entropy: Entropy, passwords: bool) -> None:
        self._house = house
        self._shelf = Shelf(store, "account", Account)
        self._clock = clock
        self._entropy = entropy
        self._passwords = passwords
        self._turn = asyncio.Lock()

    async def of(self, person: str) -> Account | None:
        """The account of a person id; None where there is none, or its person has left."""
        account = await self._shelf.get(person)
        row = await self._house.row(PersonRow, person) if account is not None else None
        return account if row is not None and not row.removed else None

    async def of_handle(self, handle: str) -> Account | None:
        """The account of a handle; None likewise, and where nobody has the handle."""
        try:
            return await self.of((await self._house.person(handle)).person)
        except Misuse:
            return None

    async def sweep(self) -> list[Account]:
        """Take the accounts of people who have left away; every other one."""
        kept: list[Account] = []
        gone: dict[str, None] = {}
        for person, account in (await self._shelf.all()).items():
            row = await self._house.row(PersonRow, person)
            if row is None or row.removed:
                gone[person] = None
            else:
                kept.append(account)
        await self._shelf.put_all(gone)
        return kept

    async def invite(self, handle: str, by: PersonRow | None) -> Invited:
        """Make a code for a person, in the name of whoever sits before a page; of nobody at the command line.

        Raises:
            Misuse: nobody has that handle, or he has left.
            Refused: whoever asks is neither administrator nor security officer.
        """
        check_keeper(by)
        row = await self._house.person(handle)
        if row.removed:
            raise Misuse(f"{handle!r} has left this house", code="person-removed", place="handle")
        code = b32encode(self._entropy(_CODE_BYTES)).decode().lower()[: _PER_GROUP * 5]
        now = self._clock.now()
        vouched = by is None or SECURITY_OFFICER in by.roles
        until = now + timedelta(hours=CODE_HOURS)
        made = Invitation(digest=_digest(code), until=until, by="" if by is None else by.person, vouched=vouched)
        async with self._turn:
            account = await self._shelf.get(row.person) or Account(person=row.person, made=now)
            await self._put(msgspec.structs.replace(account, invitation=made))
        groups = "-".join(code[place : place + _PER_GROUP] for place in range(0, len(code), _PER_GROUP))
        return Invited(handle=await self._house.handle(row.person), code=groups, until=until, vouched=vouched)

    async def redeem(self, handle: str, code: str) -> Account:
        """Take a code; it is worth nothing afterwards.

        Raises:
            Rejected: it is not the code of that person, has ended or was used; told the same way.
        """
        typed = _digest(code.replace("-", "").replace(" ", "").lower())
        async with self._turn:
            account = await self.of_handle(handle)
            invitation = account.invitation if account is not None else None
            same = compare_digest(typed, invitation.digest if invitation is not None else bytes(32))
            now = self._clock.now()
            if account is None or invitation is None or not same or now >= invitation.until:
                raise Rejected(
                    "this is not the code of that person, or it was used or has ended; ask for a new one",
                    code="wrong-code",
                    place="code",
                )
            number = f"{int.from_bytes(self._entropy(8), 'big') % 1_000_000:06}"
            waiting = account.waiting if invitation.vouched else Waiting(number=number, by=invitation.by)
            return await self._put(
                msgspec.structs.replace(
                    account, invitation=None, waiting=waiting, used=now, code_used=(now, invitation.by)
                )
            )

    async def vouch(self, person: str, number: str, by: PersonRow) -> Account:
        """Say that whoever sits before a page of a waiting account is its person (step 12).

        Raises:
            Refused: whoever says it is no security officer, or it is himself.
            Misuse: the account waits for nobody's word.
            Rejected: the number is not the one that the person was shown.
        """
        if SECURITY_OFFICER not in by.roles or by.person == person:
            raise Refused("a security officer vouches, and for somebody else", code="no-role")

        def vouched(account: Account) -> Account:
            if account.waiting is None:
                raise Misuse("this account waits for nobody's word", code="not-waiting")
            if not compare_digest(number.replace(" ", "").encode(), account.waiting.number.encode()):
                raise Rejected(
                    "this is not the number on the page of that person; ask him for it in person",
                    code="wrong-number",
                    place="number",
                )
            return msgspec.structs.replace(account, waiting=None)

        return await self.change(person, vouched)

    async def change(self, person: str, new: Callable[[Account], Account]) -> Account:
        """Write what ``new`` makes of an account.

        Raises:
            Misuse: there is no such account; or whatever ``new`` raises.
        """
        async with self._turn:
            account = await self.of(person)
            if account is None:
                raise Misuse("there is no such account", code="no-account")
            return await self._put(new(account))

    async def set_password(self, person: str, kept: str | None) -> Account:
        """Set what is kept of a password, or take it away.

        Raises:
            Misuse: it is the last way to sign in.
        """
        return await self.change(person, lambda account: self._with_a_way(account, hashed=kept))

    async def add_passkey(self, person: str, passkey: Passkey) -> Account:
        """Add a passkey.

        Raises:
            Misuse: there are too many, or it is there already.
        """

        def added(account: Account) -> Account:
            if len(account.passkeys) >= PASSKEYS_MAX:
                raise Misuse(f"nobody has more than {PASSKEYS_MAX} passkeys; remove one first", code="too-many")
            if account.passkey(passkey.key) is not None:
                raise Misuse("this passkey is there already", code="passkey-taken")
            return msgspec.structs.replace(account, passkeys=(*account.passkeys, passkey))

        return await self.change(person, added)

    async def remove_passkey(self, person: str, key: bytes) -> Account:
        """Take a passkey away.

        Raises:
            Misuse: there is none such, or it is the last way to sign in.
        """

        def removed(account: Account) -> Account:
            if account.passkey(key) is None:
                raise Misuse("there is no such passkey of yours", code="no-passkey")
            return self._with_a_way(account, passkeys=tuple(each for each in account.passkeys if each.key != key))

        return await self.change(person, removed)

    async def keep_language(self, person: str, language: Code) -> None:
        """Keep in which language somebody reads, where he has an account."""
        account = await self.of(person)
        if account is not None and account.language != language:
            await self.change(person, lambda account: msgspec.structs.replace(account, language=language))

    async def signed_in(self, person: str, passkey: Passkey | None = None) -> Account:
        """Note that somebody signed in, and what his passkey says of itself since."""

        def used(account: Account) -> Account:
            keys = tuple(
                msgspec.structs.replace(passkey, count=max(passkey.count, each.count))
                if passkey is not None and each.key == passkey.key
                else each
                for each in account.passkeys
            )
            return msgspec.structs.replace(account, passkeys=keys, used=self._clock.now())

        return await self.change(person, used)

    async def remove(self, person: str) -> None:
        """Take an account away.

        Raises:
            Misuse: there is none.
        """
        async with self._turn:
            if await self._shelf.get(person) is None:
                raise Misuse("there is no such account", code="no-account")
            await self._shelf.put(person, None)

    def _with_a_way(self, account: Account, **changes: object) -> Account:
        changed = msgspec.structs.replace(account, **changes)
        if not changed.can_sign_in(passwords=self._passwords):
            raise Misuse(
                "this is the last way by which you sign in; add another one first", code="last-way", place="last"
            )
        return changed

    async def _put(self, account: Account) -> Account:
        await self._shelf.put(account.person, account)
        return account


def check_keeper(by: PersonRow | None) -> None:
    """Check that somebody may keep accounts.

    Raises:
        Refused: he is neither administrator nor security officer.
    """
    if by is not None and {ADMINISTRATOR, SECURITY_OFFICER}.isdisjoint(by.roles):
        raise Refused("accounts are for administrators and security officers", code="no-role")


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()
