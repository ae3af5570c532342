"""Passwords, and how long whoever guesses waits (``spec/console.md`` steps 13, 16 and 17)."""

from __future__ import annotations

import asyncio
import re
import threading
import unicodedata
from datetime import timedelta
from pathlib import Path
from random import Random
from string import ascii_letters, ascii_lowercase, digits, punctuation

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from comity.console.delays import FORGOTTEN, LINES_MAX, LONGEST_SECONDS, Delays, TooSoon
from comity.console.guessed import GUESSED, pieces
from comity.console.passwords import AT_ONCE, CHARACTERS_MIN, HASHER, WAITING_MAX, Passwords, check_password
from comity.errors import Misuse, Unavailable
from world import SeededEntropy, StandingClock

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "correct horse battery staple"


class Counting(PasswordHasher):
    """How many hashes were computed, and how many at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.computed = self.now = self.most = 0
        self.go = threading.Event()
        self.go.set()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002 - theirs
        self.computed += 1
        self.now += 1
        self.most = max(self.most, self.now)
        self.go.wait(10)
        try:
            return super().verify(hash, password)
        finally:
            self.now -= 1


def passwords(hasher: PasswordHasher = CHEAP) -> Passwords:
    return Passwords(SeededEntropy("passwords"), hasher)


async def test_a_password_is_known_by_its_hash_alone_however_it_was_typed() -> None:
    made = passwords()
    kept = await made.hash("ばびぶべぼ correct horse")
    assert "$argon2id$" in kept
    assert "correct" not in kept
    decomposed = unicodedata.normalize("NFD", "ばびぶべぼ correct horse")
    assert len(decomposed) == len("ばびぶべぼ correct horse") + 5
    assert await made.matches(decomposed, kept)
    assert not await made.matches("ばびぶべほ correct horse", kept)


async def test_unknown_people_cost_the_same_work_as_a_wrong_password() -> None:
    counting = Counting()
    made = passwords(counting)
    kept = await made.hash(GOOD)
    assert not await made.matches("another password", kept)
    before = counting.computed
    assert not await made.matches("another password", None)
    assert counting.computed == before + 1


async def test_nobody_signs_in_with_the_password_that_unknown_people_are_compared_with() -> None:
    made = passwords()
    assert not await made.matches(SeededEntropy("passwords")(16).hex(), None)


@pytest.mark.parametrize("kept", ["", "x", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$", "$argon2i$"])
async def test_a_hash_that_is_none_matches_nothing(kept: str) -> None:
    assert not await passwords().matches(GOOD, kept)


async def test_a_hash_by_other_parameters_is_outdated() -> None:
    kept = await passwords().hash(GOOD)
    assert not passwords().is_outdated(kept)
    assert passwords(HASHER).is_outdated(kept)


async def test_a_flood_is_told_to_come_again_and_takes_no_memory() -> None:
    counting = Counting()
    made = passwords(counting)
    kept = await made.hash(GOOD)
    assert await made.matches(GOOD, kept)
    counting.go.clear()
    flood = [asyncio.create_task(made.matches(GOOD, kept)) for _ in range(100)]
    while counting.now < AT_ONCE:
        await asyncio.sleep(0.01)
    counting.go.set()
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert answers.count(True) == AT_ONCE + WAITING_MAX
    assert {each.code for each in answers if isinstance(each, Unavailable)} == {"busy"}
    assert counting.most == AT_ONCE
    assert await made.matches(GOOD, kept)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short words", "too short"),
        ("ﬃﬃﬃﬃ"[:3], "too short"),
        ("w" * 201 + GOOD, "too long"),
        ("aaaabbbbcccc", "in a row"),
        ("ahahhhahhahaaahah", "few different"),
        ("a-b-c-d-b-a-d-c", "few different"),
        ("sato.sato.sato", "your handle"),
        ("comityjp-2026", "your handle"),
        ("Desk-Officer-2026!", "your handle"),
        ("SATOsatoＳＡＴＯsato!", "your handle"),
        ("passwordpasswordpassword", "repetitions"),
        ("xk7q9xk7q9xk7q9", "repetitions"),
        ("password1234", "tries first"),
        ("P@ssw0rd2026!", "tries first"),
        ("drowssap2026!", "tries first"),
        ("Tokyo2026!!!!", "tries first"),
        ("seoul.busan.2026", "tries first"),
        ("Summer2026!Seoul", "tries first"),
        ("19841203 1984-12-03", "tries first"),
        ("비밀번호비밀번호1234", "tries first"),
        ("dkssudgktpdy2026", "tries first"),
        ("ニホン・とうきょう・さくら", "tries first"),
        ("12345678901234", "in a row"),
        ("abcdefghijklmn", "in a row"),
        ("1q2w3e4r5t6y", "in a row"),
        ("qwertyuiop12", "in a row"),
        ("poiuytrewqas", "in a row"),
        ("!QAZ2wsx#EDC4rfv", "in a row"),
        ("가나다라마바사아자차카타", "in a row"),
        ("いろはにほへとちりぬるを", "in a row"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, told: str) -> None:
    with pytest.raises(Misuse, match=told) as refused:
        check_password(password, "sato", "jp", "Desk officer")
    assert (refused.value.code, refused.value.place) == ("weak-password", "password")
    assert "take " in refused.value.sentence or told == "too long"


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "비밀번호는 아무도 모르는 문장",
        "富士山より高い鯨が二頭いる",
        "a! sato's whale sings",
        "Tokyo whales weigh 2026",
        "kjv7-w2mq-x94d",
        "73 9201 84 6509",
    ],
)
def test_words_in_every_script_are_a_password(password: str) -> None:
    check_password(password, "sato", "jp")


SPEC = Path(__file__).parents[2] / "spec"
WORDS = sorted({word.lower() for each in SPEC.glob("*.md") for word in re.findall("[A-Za-z]{4,}", each.read_text())})


@pytest.mark.parametrize("between", [" ", "-", ""])
def test_four_words_at_random_are_a_password(between: str) -> None:
    chance = Random(between)
    for _ in range(300):
        check_password(between.join(chance.sample(WORDS, 4)), "sato", "jp", "comity")


@pytest.mark.parametrize("alphabet", [ascii_lowercase, ascii_letters + digits, ascii_letters + digits + punctuation])
def test_sixteen_characters_at_random_are_a_password(alphabet: str) -> None:
    chance = Random(alphabet)
    for _ in range(300):
        check_password("".join(chance.choices(alphabet, k=16)), "sato", "jp")


@given(st.text(min_size=CHARACTERS_MIN, max_size=60), st.text(max_size=20))
def test_whatever_is_typed_is_taken_apart_into_all_of_it(password: str, own: str) -> None:
    """And whoever puts a plain word before it, or says it twice, has gained little."""
    shown = unicodedata.normalize("NFKC", password)
    parts = pieces(shown, (own,))
    worth = sum(part.worth for part in parts)
    assert sum(part.size for part in parts) == len(shown)
    assert worth <= len(shown)
    assert sum(part.worth for part in pieces("password" + shown, (own,))) <= worth + GUESSED
    assert sum(part.worth for part in pieces(shown + shown, (own,))) <= worth + GUESSED


def test_whoever_guesses_waits_twice_as_long_each_time() -> None:
    clock = StandingClock()
    delays = Delays(clock, 3)
    waits = []
    for _ in range(14):
        try:
            delays.check("sato")
        except TooSoon as soon:
            waits.append(soon.seconds)
            clock.time += timedelta(seconds=soon.seconds)
            delays.check("sato")
        delays.failed("sato")
    assert waits == [1, 2, 4, 8, 16, 32, *[LONGEST_SECONDS] * 5]
    delays.check("abe")
    delays.succeeded("sato")
    delays.check("sato")


def test_who_gets_in_does_not_make_others_wait_longer() -> None:
    """Many behind one address: somebody who signs in now and then keeps nobody's old failures alive."""
    clock = StandingClock()
    delays = Delays(clock, 3)
    for _ in range(3):
        delays.failed("the proxy")
    for _ in range(3):
        clock.time += FORGOTTEN / 2
        delays.failed("the proxy")
        delays.taken_back("the proxy")
    delays.check("the proxy")


def test_failures_are_forgotten_after_a_while_and_the_table_is_bounded() -> None:
    clock = StandingClock()
    delays = Delays(clock, 1)
    delays.failed("sato")
    with pytest.raises(TooSoon):
        delays.check("sato")
    clock.time += FORGOTTEN
    delays.check("sato")
    for number in range(LINES_MAX + 5):
        delays.failed(str(number))
    assert len(delays._lines) == LINES_MAX
    delays.check("0")
