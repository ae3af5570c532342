"""Labels (spec/marking.md, steps 1 and 2)."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.marking.label import LABEL_NAMES_MAX, MARK_CHARACTERS_MAX, Label

DECOMPOSED = unicodedata.normalize("NFD", "군사 Ⅱ급 비밀")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mark": " 極秘"}, "label-text"),
        ({"mark": "極秘\n"}, "label-text"),
        ({"mark": "極\u200b秘"}, "label-text"),
        ({"mark": DECOMPOSED}, "not-nfc"),
        ({"mark": "か\u3099"}, "not-nfc"),
        ({"mark": "秘" * (MARK_CHARACTERS_MAX + 1)}, "label-too-long"),
        ({"policy": ""}, "label-text"),
        ({"originator": "jp\x00"}, "label-text"),
        ({"categories": ("B", "A")}, "label-order"),
        ({"categories": ("A", "A")}, "label-order"),
        ({"releasable_to": ("kr", "jp")}, "label-order"),
        ({"releasable_to": ("",)}, "label-text"),
        ({"categories": tuple(f"{n:03}" for n in range(LABEL_NAMES_MAX + 1))}, "label-too-long"),
    ],
)
def test_what_no_label_may_hold_is_refused_at_its_field(changes: dict[str, Any], code: str) -> None:
    written: dict[str, Any] = {"policy": "jp", "mark": "極秘", "originator": "jp"}
    with pytest.raises(Rejected) as caught:
        Label(**(written | changes))
    assert caught.value.code == code
    assert caught.value.place == next(iter(changes))


def test_a_label_read_from_bytes_is_checked_as_well() -> None:
    text = msgspec.json.encode({"policy": "jp", "mark": DECOMPOSED, "originator": "jp"})
    with pytest.raises(Rejected, match="normal form C"):
        msgspec.json.decode(text, type=Label)


def test_the_numeral_is_one_character_and_two_letters_are_another_mark() -> None:
    numeral = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="kr")
    letters = Label(policy="kr", mark="군사 II급 비밀", originator="kr")
    assert numeral != letters


@given(st.text(max_size=40))
def test_a_mark_is_kept_exactly_or_refused(text: str) -> None:
    try:
        label = Label(policy="jp", mark=text, originator="jp")
    except Rejected:
        return
    assert label.mark == text == unicodedata.normalize("NFC", text)
    assert msgspec.json.decode(msgspec.json.encode(label), type=Label) == label
