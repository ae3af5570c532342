"""What whoever guesses a password tries first, and how much of one is something else (``spec/console.md`` step 13).

A password is taken apart into what is guessed as one: a plain word, a date, neighbours in a row, what stood in it
before; and into single characters. Each of the first counts two (one, where it is known of whoever it belongs to), each
of the others one, and what merely stands between words nothing:

    Tokyo 2026 !!!!        2 + 2 + 2 = 6
    correct horse battery  7 + 5 + 7 = 19

Of all ways to take it apart the one that counts least is what it is worth, as whoever guesses would find it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise
from typing import Literal, NamedTuple

Kind = Literal["own", "plain", "row", "other"]

ENGLISH = """
    password passwort passcode passphrase secret login logon signin welcome letmein changeme default admin administrator
    root guest user test testing demo temp temporary access account server system computer internet windows microsoft
    google apple samsung galaxy android iphone hello goodbye please thankyou iloveyou love lover baby angel princess
    prince queen king master hunter killer batman superman starwars pokemon dragon monkey tiger lion eagle wolf horse
    flower sunshine moonlight rainbow cheese chocolate cookie banana pepper coffee soccer football baseball basketball
    hockey tennis golf computer mustang ferrari porsche corvette harley shadow ghost freedom liberty trust trustno1
    whatever nothing something forever summer winter spring autumn fall season january february march april may june
    july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday
    wednesday thursday friday saturday sunday today tomorrow yesterday morning night number one two three four five six
    seven eight nine ten zero first second black white red blue green yellow orange purple silver gold golden diamond
    crystal money dollar bank office home house family mother father brother sister friend michael jordan jennifer
    daniel david thomas robert charlie andrew ashley jessica matthew joshua anthony george william william john james
    abc abcd xyz qwerty qwertz azerty asdf zxcv qaz wsx edc keyboard mouse jesus christ heaven blessed lucky star stars
    sun moon earth world peace power magic phoenix genesis matrix thunder lightning fire water snow ocean mountain
    river forest garden peanut ginger maggie buster tigger harry potter hogwarts disney mickey snoopy barbie pikachu
    naruto sakura pass word new old my the our your this that and for you me dog cat fish bird bear
    ministry minister defence military army navy airforce force forces marine soldier officer captain colonel
    general admiral commander command security safety intelligence information classified confidential restricted
    topsecret agreement alliance nato allied embassy government state foreign affairs attache liaison exchange register
    registry release authority custodian radar missile submarine destroyer aegis fighter
"""
PLACES = """
    japan nippon nihon tokyo osaka kyoto nagoya yokohama sapporo fukuoka kobe hiroshima nagasaki sendai okinawa naha
    yokosuka sasebo kure maizuru misawa ichigaya kasumigaseki fuji fujisan korea southkorea hanguk daehanminguk seoul
    busan pusan incheon daegu daejeon gwangju ulsan suwon sejong jeju yongsan pyeongtaek gangnam hanguk america usa
    washington hawaii guam pentagon australia canberra sydney philippines manila newzealand canada ottawa britain
    england london france paris germany berlin italy rome spain madrid india delhi china beijing taiwan russia moscow
    asia pacific europe indopacific nihonkai
"""
JAPANESE = """
    pasuwado himitsu anshin anzen arigato ohayo konnichiwa konbanwa sayonara aishiteru daisuki watashi anata tomodachi
    kazoku haha chichi okasan otosan neko inu sakura hana yuki tsuki hoshi sora umi yama kawa haru natsu aki fuyu
    ichi ni san shi go roku nana hachi kyu ju satou sato suzuki takahashi tanaka watanabe ito yamamoto nakamura
    kobayashi kato yoshida yamada sasaki yamaguchi matsumoto inoue kimura hayashi shimizu taro hanako ichiro reiwa
    heisei showa boueisho jieitai doraemon totoro gundam
    ぱすわーど ひみつ ありがとう おはよう こんにちは さようなら あいしてる あいしてます だいすき ともだち かぞく
    さくら はなこ たろう ねこ いぬ にほん にっぽん とうきょう おおさか きょうと かんこく そうる ふじさん
    どらえもん 日本国 東京都 大阪府 防衛省 自衛隊 外務省 大韓民国 富士山 愛してる 秘密 令和 平成 昭和
"""
KOREAN = """
    비밀번호 패스워드 암호 비밀 안녕 안녕하세요 감사합니다 고맙습니다 사랑해 사랑해요 사랑합니다 대한민국 한국 서울
    부산 인천 대구 대전 광주 울산 세종 제주 제주도 독도 일본 도쿄 미국 우리나라 우리 가족 친구 엄마 아빠 아버지
    어머니 행복 사랑 하늘 바다 별 봄 여름 가을 겨울 월요일 화요일 수요일 목요일 금요일 토요일 일요일 국방부 외교부
    국군 육군 해군 공군 해병대 군사비밀 정보 보안 관리자 컴퓨터 김치 무궁화 아리랑 화이팅 파이팅 대박 바보
    annyeong saranghae kamsahamnida daebak kimchi arirang kimchulsu chulsoo younghee minsu jisoo kim lee park choi jung
    kang cho yoon jang lim
"""
DIGITS = """
    123 321 111 000 007 911 119 112 1004 8282 2580 1212 1313 5252 6969 4649 5963 39 147 258 369 159 753 147258369
    789456123 741852963 159753 147852369 13579 24680 2468 31415926 314159 271828 0815
"""
"""Words that everybody knows, of those who speak our languages; written by hand, not taken from any list."""

ROWS = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    "いろはにほへとちりぬるを",
    "가나다라마바사아자차카타파하",
    "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
    "ㅏㅑㅓㅕㅗㅛㅜㅠㅡㅣ",
    "一二三四五六七八九十",
    "日月火水木金土",
)
KEYS = ("1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./")
SHIFTED = str.maketrans('!@#$%^&*()_+{}:"<>?|', "1234567890-=[];',./\\")
LOOKALIKES = (str.maketrans("013457@$!", "oieastasi"), str.maketrans("013457@$!|", "oleastasll"))
"""Characters that stand for letters in passwords of whoever was told to use some."""
BETWEEN = frozenset(" -_.,/+&;:'　・·")
"""What stands between words, and is tried there."""
DATE = re.compile(
    r"(?:(?:19|20)\d\d)"
    r"|(?:(?:19|20)?\d\d)[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])[-./]?(?:0[1-9]|1[0-2])[-./]?(?:19|20)?\d\d"
    r"|(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])[-./]?(?:19|20)?\d\d"
)
GUESSED = 2
"""What anything counts that is guessed as one."""
KNOWN = 1
ROW_MIN, REPEATED_MIN = 4, 3


class Piece(NamedTuple):
    """A part of a password.

    Attributes:
        kind: ``own`` for what is known of its person, ``plain`` for words, dates and what stood before, ``row`` for
            neighbours in a row, ``other`` for a single character.
        size: how many characters it has.
        worth: what it counts.
    """

    kind: Kind
    size: int
    worth: int


def pieces(password: str, own: Iterable[str] = ()) -> list[Piece]:
    """A password, taken apart so that it counts least.

    Args:
        password: it, in NFKC.
        own: what is known of its person and house, whole and in its words.
    """
    text = _folded(password)
    known = {word for each in own for word in (_folded(each), *_words(_folded(each)))}
    best: list[tuple[int, list[Piece]]] = [(0, [])]
    ending: list[list[Piece]] = [[] for _ in range(len(text) + 1)]
    for start, piece in _found(text, {word for word in known if len(word) > 1}):
        ending[start + piece.size].append(piece)
    for end in range(1, len(text) + 1):
        ways = [
            (best[end - piece.size][0] + piece.worth, piece)
            for piece in (*ending[end], Piece("other", 1, 0 if text[end - 1] in BETWEEN else 1))
        ]
        worth, piece = min(ways, key=lambda way: way[0])
        best.append((worth, [*best[end - piece.size][1], piece]))
    return best[-1][1]


def _found(text: str, own: Set[str]) -> Iterator[tuple[int, Piece]]:
    """Whatever is guessed as one, and where it begins; what says most of it first."""
    spellings = [text, *(text.translate(each) for each in LOOKALIKES)]
    kinds: tuple[tuple[Kind, int, Set[str]], ...] = (("own", KNOWN, own), ("plain", GUESSED, PLAIN))
    for kind, worth, words in kinds:
        for size in {len(word) for word in words}:
            for start in range(len(text) - size + 1):
                if any(spelt[start : start + size] in words for spelt in spellings):
                    yield start, Piece(kind, size, worth)
    for start, end in _rows(text):
        yield from ((start, Piece("row", size, GUESSED)) for size in range(ROW_MIN, end - start + 1))
    for start in range(len(text)):
        for size in (10, 8, 6, 4):
            if start + size <= len(text) and DATE.fullmatch(text, start, start + size):
                yield start, Piece("plain", size, GUESSED)
        size = REPEATED_MIN
        while start + size <= len(text) and text.find(text[start : start + size]) < start:
            said = text[start : start + size]
            yield start, Piece("own" if any(word in said for word in own) else "plain", size, GUESSED)
            size += 1


def _rows(text: str) -> Iterator[tuple[int, int]]:
    """Each place, and how far neighbours go on from there."""
    keys = text.translate(SHIFTED)
    end = len(text)
    for start in reversed(range(len(text))):
        if start + 1 < len(text) and not _near(keys[start], keys[start + 1]):
            end = start + 1
        yield start, end


def _near(one: str, other: str) -> bool:
    return one == other or (one + other) in NEAR or (one.isalnum() and abs(ord(one) - ord(other)) == 1)


def _neighbours() -> Iterator[str]:
    """Pairs of characters that stand beside one another: on a keyboard, or where one learns to count."""
    for row in (*KEYS, *ROWS):
        yield from (one + other for one, other in pairwise(row))
    for above, below in pairwise(KEYS):
        for place, key in enumerate(below):
            yield from (key + beside for beside in above[place : place + 2])
    for place in range(9):  # at the end of a column the next one begins
        yield KEYS[3][place] + KEYS[0][place + 1]
        yield KEYS[3][place] + KEYS[1][place + 1]
        yield KEYS[0][place] + KEYS[3][place + 1]


def _folded(text: str) -> str:
    """As whoever guesses writes it: in small letters, and katakana as hiragana."""
    return "".join(_small(each) for each in unicodedata.normalize("NFKC", text))


def _small(letter: str) -> str:
    """One character for one, so that nothing grows."""
    if "ァ" <= letter <= "ヶ":
        return chr(ord(letter) - 0x60)
    small = letter.casefold()
    return small if len(small) == 1 else letter


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", text)


FIRST = "r R s e E f a q Q t T d w W c z x v g "
MIDDLE = "k o i O j p u P h hkhohly n njnpnlb m mll "
LAST = "  r R rts swsge f frfafqftfxfvfga q qtt T d w c z x v g "
"""The keys of each part of a syllable of Hangul in the order of Unicode, two characters for each (KS X 5002)."""


def typed_in_latin(hangul: str) -> str:
    """The keys that write a Korean word, as whoever types it with the wrong layout on gets it: ``dkssud`` for 안녕."""
    places = [ord(each) - ord("가") for each in hangul]
    parts = [part for at in places for part in ((FIRST, at // 588), (MIDDLE, at // 28 % 21), (LAST, at % 28))]
    return "".join(keys[2 * number : 2 * number + 2].rstrip() for keys, number in parts)


def _plain() -> Iterator[str]:
    for word in f"{ENGLISH} {PLACES} {JAPANESE} {KOREAN} {DIGITS}".split():
        yield _folded(word)
        yield _folded(word)[::-1]
        if all("가" <= each <= "힣" for each in word):
            yield typed_in_latin(word).casefold()


PLAIN = frozenset(word for word in _plain() if len(word) > GUESSED)
"""Every plain word, both ways; a shorter one counts no less than its characters."""
NEAR = frozenset(pair for each in _neighbours() for pair in (each, each[::-1]))
