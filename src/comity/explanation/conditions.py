"""How a condition and an effect of a rule are said: the patterns that words are put into, in three languages.

A condition stands after "when"; in Japanese before 場合, in Korean before 경우, so that each pattern ends as those
want it. Where Korean has two forms of a particle (을/를) both are written; ``voice.py`` keeps the one that fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comity.agreement import vocabulary as words
from comity.explanation.phrases import Phrase

CONDITIONS: Mapping[str, Phrase] = {
    "form": ("the item's form is {x}", "形式が{x}である", "형식이 {x}인"),
    "level": ("the originator marked the item {x}", "提供元の表示が{x}である", "원제공자의 표시가 {x}인"),
    "level_at_least": ("the item's level is {x} or above", "秘密区分が{x}以上である", "비밀등급이 {x} 이상인"),
    "category": ("the item's label carries {x}", "標識に{x}を含む", "표지에 {x}을/를 포함하는"),
    "subject": ("the item's subject is {x}", "主題が{x}である", "주제가 {x}인"),
    "purpose": ("the purpose is {x}", "目的が{x}である", "목적이 {x}인"),
    "originator": ("the item comes from {x}", "{x}を提供元とする", "{x}을/를 원제공자로 하는"),
    "acting": ("the side that acts is {x}", "行う側が{x}である", "행위하는 측이 {x}인"),
    "holder": ("{x}", "{x}", "{x}"),
    "relation": ("the item is {x}", "{x}である", "{x}인"),
    "recipient": ("the recipient belongs to {x}", "受領者が{x}に属する", "접수자가 {x}에 속하는"),
    "serves": ("the recipient serves {x}", "受領者が{x}のために勤務する", "접수자가 {x}을/를 위하여 근무하는"),
    "beneficiary": ("whoever gains by it is {x}", "利益を受ける者が{x}である", "이익을 받는 자가 {x}인"),
    "employer": ("{x}", "{x}", "{x}"),
    "body": (
        "the recipient's office or firm is {x}",
        "受領者の部署又は企業が{x}である",
        "접수자의 부서 또는 기업이 {x}인",
    ),
    "function": ("the recipient's function is {x}", "受領者の職務が{x}である", "접수자의 직무가 {x}인"),
    "circle": (
        "those who gain share the circle {x}",
        "利益を受ける者が{x}に共に属する",
        "이익을 받는 자가 {x}에 함께 속하는",
    ),
}
"""Conditions that name words; ``{x}`` is one of them, or a list."""

WHETHER: Mapping[tuple[str, bool], Phrase] = {
    ("other_purpose", True): (
        "the purpose is another than it was provided for",
        "提供された目的と異なる目的による",
        "제공된 목적과 다른 목적에 의한",
    ),
    ("other_purpose", False): (
        "the purpose is the one it was provided for",
        "提供された目的による",
        "제공된 목적에 의한",
    ),
    ("recalled", True): ("the item has been asked back", "返還又は破棄を求められている", "반환 또는 파기를 요구받은"),
    ("recalled", False): (
        "the item has not been asked back",
        "返還又は破棄を求められていない",
        "반환 또는 파기를 요구받지 않은",
    ),
    ("suspected", True): ("an open incident touches the item", "調査中の事案に関わる", "조사 중인 사안에 관련된"),
    ("suspected", False): (
        "no open incident touches the item",
        "調査中の事案に関わらない",
        "조사 중인 사안에 관련되지 않은",
    ),
    ("client", True): (
        "those who gain are served by the side that acts",
        "利益を受ける者が行う側の支援先である",
        "이익을 받는 자가 행위하는 측의 지원 대상인",
    ),
    ("client", False): (
        "not all who gain are served by the side that acts",
        "利益を受ける者に行う側の支援先でないものがある",
        "이익을 받는 자 중에 행위하는 측의 지원 대상이 아닌 자가 있는",
    ),
}
"""Conditions that are true or false."""

WORDS_OF: Mapping[str, Any] = {
    "form": words.Form,
    "holder": words.Holder,
    "relation": words.Relation,
    "beneficiary": words.Beneficiary,
    "employer": words.Employer,
}
"""The closed lists from which conditions take their words."""
NAMED = frozenset({"originator", "acting", "recipient", "serves"})
"""Conditions whose words are ids of parties and bodies."""

EFFECTS: Mapping[str, Phrase] = {
    "permits": ("{Acts} {is} allowed", "{acts}を認める", "{acts}을/를 허용한다"),
    "forbids": (
        "{Acts} {is} forbidden, whatever anybody consents to,",
        "いかなる同意があっても、{acts}を禁止する",
        "어떠한 동의가 있더라도 {acts}을/를 금지한다",
    ),
    "requires": (
        "For {acts}, each person concerned must have {x}",
        "{acts}には、関係する各人が{x}を備えることを要する",
        "{acts}에는 관계되는 각 사람이 {x}을/를 갖추어야 한다",
    ),
    "checklist": (
        "Before {acts}, {who} attests {bound} what is listed under “{list}” ({x})",
        "{acts}の前に、{who}は、「{list}」の各条件({x})を{bound}証明する",
        "{acts}에 앞서 {who}은/는 ‘{list}’의 각 조건({x})을 {bound} 증명한다",
    ),
    "consent": (
        "{Acts} {needs} the prior written consent of {x}{item}",
        "{acts}には、{x}の{item}書面による事前の同意を要する",
        "{acts}에는 {x}의 {item}서면에 의한 사전 동의가 필요하다",
    ),
    "approvals": (
        "{Acts} {needs} the approval of {x}{by} besides whoever asks",
        "{acts}には、求めた者以外の{by}{x}の承認を要する",
        "{acts}에는 요청한 자 외에 {by}{x}의 승인이 필요하다",
    ),
    "witnesses": (
        "{Acts} {needs} {x} to witness it, besides whoever asks,",
        "{acts}には、求めた者以外の{x}の立会いを要する",
        "{acts}에는 요청한 자 외에 {x}의 입회가 필요하다",
    ),
    "methods": (
        "{Acts} {is} done by {x}, and in no other way,",
        "{acts}は、{x}のいずれかによってのみ行う",
        "{acts}은/는 {x} 중 하나의 방법으로만 한다",
    ),
    "copies": (
        "For {acts}, the recipient makes at most {x} of an item",
        "{acts}について、受領側が作成する写しは一件につき{x}を限度とする",
        "{acts}에 관하여 접수 측이 작성하는 사본은 한 건당 {x}을/를 한도로 한다",
    ),
    "registries": (
        "{Acts} {goes} from one registry only to the one above it or below it",
        "{acts}は、登録機関の間で、直近上位又は直近下位のものに対してのみ行う",
        "{acts}은/는 등록기관 사이에서 바로 위 또는 바로 아래의 기관에 대하여만 한다",
    ),
}
"""What a rule does, as a sentence without its end; ``{x}`` is what its effect names."""

ENDS: Phrase = (".", "。", ".")
WHEN: Phrase = (" when {all}", "{all}場合、", "{all} 경우 ")
UNLESS: Phrase = (", unless {all}", "ただし、{all}場合を除く。", "다만, {all} 경우는 제외한다.")
ALL: Phrase = (" and ", "場合であって、", " 경우로서 ")
"""Between conditions that all have to hold."""
LIMITED: Phrase = (", where {all}", "({all}場合に限る)", "({all} 경우에 한한다)")
SINCE: Phrase = (" It holds from {x} on.", "{x}から適用する。", " {x}부터 적용한다.")
UNTIL: Phrase = (" It holds until {x}.", "{x}まで適用する。", " {x}까지 적용한다.")
UNCHECKED: Phrase = ("Unchecked: only warns.", "未確認:警告のみ。", "미확인: 경고만 한다.")
PEOPLE: Phrase = ("{n} other {people}", "{n}人", "{n}명")
OTHERS: Phrase = ("every other party", "他の全ての当事者", "다른 모든 당사자")
OF_THIS_ITEM: Phrase = (", given for this very item,", "この情報に限った", "해당 정보에 한한 ")
APPROVED_BY: Phrase = (" {x},", "{x}", "{x} ")
NO_LATER: Phrase = ("within {x}", "{x}以内", "{x} 이내")
COPIES: Phrase = ("{n} {copies}", "{n}部", "{n}부")
AHEAD: Phrase = ("{x} ahead", "{x}前", "{x} 전")
TWO_HISTORIES: Phrase = (
    "when the other party is proved to have signed two histories",
    "相手方が二つの履歴に署名したことが証明された場合",
    "상대방이 두 개의 이력에 서명한 것이 증명된 경우",
)
AND_ABOVE: Phrase = ("{x} and above", "{x}以上", "{x} 이상")
