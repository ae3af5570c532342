"""The closed words of an agreement file as parts of a sentence, in English, Japanese and Korean.

Rules of this file:

- A phrase is one of each language, in the order of ``LANGUAGES``. Acts and deeds are nouns; conditions and events go
  before "when", 場合 and 경우; names of people and things stand alone.
- A word that has no phrase here is told as it is written: a file that uses a new word is still told whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comity.agreement import vocabulary as words

Phrase = tuple[str, str, str]
"""The same in English, Japanese and Korean."""
Phrases = Mapping[str, Phrase]

LANGUAGES: tuple[words.Language, ...] = ("en", "ja", "ko")

ACTS: Phrases = {
    "give": ("giving", "提供", "제공"),
    "show": ("showing", "提示", "제시"),
    "hand-over": ("handing over within a side", "内部での引渡し", "내부에서의 인계"),
    "pass-on": ("passing on", "当事者以外への引渡し", "당사자 외의 자에 대한 전달"),
    "open": ("opening", "閲覧", "열람"),
    "use-for": ("using", "使用", "사용"),
    "copy": ("copying", "複製", "복제"),
    "translate": ("translating", "翻訳", "번역"),
    "extract": ("extracting", "抜粋", "발췌"),
    "reclassify": ("changing the level", "秘密区分の変更", "비밀등급의 변경"),
    "return": ("returning", "返還", "반환"),
    "destroy": ("destroying", "破棄", "파기"),
    "visit": ("visiting", "訪問", "방문"),
    "inspect": ("inspecting", "検査", "점검"),
    "export-evidence": ("exporting evidence", "証跡の交付", "증적의 교부"),
    "feed": ("publishing a feed", "継続的な配信", "지속적인 제공"),
}
FORMS: Phrases = {
    "oral": ("oral", "口頭", "구두"),
    "visual": ("visual", "視覚", "시각"),
    "electronic": ("electronic", "電子", "전자"),
    "magnetic": ("magnetic", "磁気", "자기"),
    "documentary": ("documentary", "文書", "문서"),
    "equipment": ("equipment", "装備", "장비"),
    "technology": ("technology", "技術", "기술"),
}
REQUIREMENTS: Phrases = {
    "clearance": ("a clearance for the level", "その区分の秘密取扱資格", "해당 등급의 비밀취급인가"),
    "need-to-know": ("a need to know", "知る必要性", "알 필요성"),
    "briefing": (
        "a briefing on this agreement",
        "本取決めについての説明を受けていること",
        "본 약정에 관한 교육을 받은 사실",
    ),
    "facility": ("a site approved for the level", "その区分について承認された施設", "해당 등급에 대하여 승인된 시설"),
}
BENEFICIARIES: Phrases = {
    "party": ("one of the parties' own", "当事者に属する者", "당사자에 속하는 자"),
    "third-party": ("a third party", "第三者", "제3자"),
    "third-national": ("a national of a third state", "第三国の国民", "제3국 국민"),
}
EMPLOYERS: Phrases = {
    "party": (
        "the recipient works for a party itself",
        "受領者が当事者自身に雇用されている",
        "접수자가 당사자 자신에게 고용된",
    ),
    "contractor": (
        "the recipient works for a contractor",
        "受領者が契約者に雇用されている",
        "접수자가 계약자에게 고용된",
    ),
}
HOLDERS: Phrases = {
    "originator": ("the side that acts is the originator's", "行う側が提供元である", "행위하는 측이 원제공자인"),
    "recipient": ("the side that acts was given it", "行う側が受領側である", "행위하는 측이 접수 측인"),
}
RELATIONS: Phrases = {
    "original": ("an original", "原本", "원본"),
    "copy": ("a copy", "写し", "사본"),
    "translation": ("a translation", "翻訳文", "번역문"),
    "extract": ("an extract", "抜粋", "발췌본"),
    "contains": ("a document that contains another item", "他の情報を含む文書", "다른 정보를 포함하는 문서"),
}
CONSENTERS: Phrases = {
    "originator": ("the originator", "提供元", "원제공자"),
    "every-party": ("every party", "全ての当事者", "모든 당사자"),
    "named": ("each party that is named", "指定された各当事者", "지정된 각 당사자"),
}
APPROVERS: Phrases = {
    "originating-office": ("of the office in which it originated", "作成した部署の", "작성 부서의"),
}
BOUND_TO: Phrases = {
    "item-and-recipient": ("for each item and recipient", "情報及び受領者ごとに", "정보 및 접수자별로"),
    "item": ("for each item", "情報ごとに", "정보별로"),
    "site": ("for each site", "施設ごとに", "시설별로"),
    "party": ("for the recipient's party", "受領側について", "접수 측에 대하여"),
}
ATTESTERS: Phrases = {
    "recipient": ("the recipient's party", "受領側", "접수 측"),
    "originator": ("the originator", "提供元", "원제공자"),
    "either": ("a party", "いずれかの当事者", "어느 한 당사자"),
}
ROLES: Phrases = {
    "originator": ("the originator", "提供元", "원제공자"),
    "recipient": ("the recipient", "受領側", "접수 측"),
    "both": ("every party", "全ての当事者", "모든 당사자"),
    "visiting-authority": ("the visiting authority", "訪問する側の当局", "방문 측 당국"),
    "host-authority": ("the host authority", "受け入れる側の当局", "접수국 당국"),
    "carrier": ("the carrier", "運搬者", "운반자"),
    "either": ("any party", "いずれの当事者も", "어느 당사자나"),
}
EVENTS: Phrases = {
    "always": ("at all times", "常時", "상시"),
    "designation-changed": (
        "a competent authority is designated or changed",
        "権限のある当局の指定又は変更",
        "권한 있는 당국의 지정 또는 변경",
    ),
    "law-changed": ("a law that bears on protection changes", "保護に関する法令の変更", "보호에 관한 법령의 변경"),
    "law-requested": ("the other side asks for the laws", "法令についての照会", "법령에 관한 조회"),
    "received": ("something arrives", "情報の受領", "정보의 접수"),
    "derivative-made": ("something is made from what came", "受領した情報からの作成", "접수한 정보로부터의 작성"),
    "pass-on-wanted": ("it is to be passed on", "当事者以外への引渡しの希望", "당사자 외의 자에 대한 전달의 희망"),
    "other-use-wanted": ("it is to be used for another purpose", "目的外使用の希望", "목적 외 사용의 희망"),
    "level-changed": ("the originator changes its level", "秘密区分の変更", "비밀등급의 변경"),
    "level-change-notified": ("a change of level is told", "秘密区分の変更の通知", "비밀등급 변경의 통보"),
    "purpose-ended": ("it is no longer needed for its purpose", "提供目的の終了", "제공 목적의 종료"),
    "hand-over-wanted": ("it is to be handed over", "提供の前", "제공 전"),
    "visit-wanted": ("somebody wants to visit", "訪問の希望", "방문의 희망"),
    "visit-permitted": ("a visit is permitted", "訪問の許可", "방문의 허가"),
    "hands-changed": ("it changes hands", "引渡し", "인도"),
    "contractor-release-wanted": ("it is to go to a contractor", "契約者への提供の前", "계약자에 대한 제공 전"),
    "inspection-due": ("an inspection is due", "検査の時期の到来", "점검 시기의 도래"),
    "loss-suspected": (
        "it is lost or compromised, or may be",
        "紛失若しくは漏えい又はそのおそれ",
        "분실·훼손 또는 그 우려",
    ),
    "investigation-ended": ("the investigation ends", "調査の終了", "조사의 종료"),
    "end-wanted": ("a party wants to end the agreement", "終了の希望", "종료의 희망"),
    "agreement-ended": ("the agreement ends", "終了", "종료"),
    "recalled": ("it is asked back", "返還又は破棄の要求", "반환 또는 파기의 요구"),
    "returned": ("a copy is sent back", "写しの返送", "사본의 반송"),
    "destroyed": ("a copy is destroyed", "写しの破棄", "사본의 파기"),
    "destroyed-in-crisis": ("a copy is destroyed in a crisis", "緊急時の破棄", "긴급 시의 파기"),
    "passed-on": ("it was passed on by consent", "同意に基づく引渡し", "동의에 따른 전달"),
    "consent-wanted": ("consent is asked", "同意の要請", "동의의 요청"),
    "clearance-ended": ("the clearance of a holder ends", "所持者の資格の終了", "소지자의 인가 종료"),
    "visit-asked": ("a visit is asked", "訪問の申請", "방문의 신청"),
    "visit-ended": ("a visit took place", "訪問の終了", "방문의 종료"),
    "finding-made": ("something is found wanting", "不備の指摘", "미비점의 지적"),
    "contractor-inspected": ("a contractor's site was inspected", "契約者の施設の検査", "계약자 시설의 점검"),
    "review-due": ("a level is due for review", "秘密区分の見直しの時期の到来", "비밀등급 재검토 시기의 도래"),
    "dispute-opened": ("a consultation is opened", "協議の開始", "협의의 개시"),
    "loss-on-third-ground": (
        "a loss happens on a third party's ground",
        "第三者の領域における紛失又は漏えい",
        "제3자의 영역에서의 분실 또는 훼손",
    ),
}
DEEDS: Phrases = {
    "notify": ("tells", "通知する", "통보한다"),
    "mark": ("puts the marks on", "表示を付する", "표시를 한다"),
    "ask-consent": ("asks for consent", "同意を求める", "동의를 구한다"),
    "keep-register": ("keeps the register of persons", "取扱者の登録簿を保持する", "취급자 명부를 유지한다"),
    "keep-inventory": ("keeps the inventory", "目録を保持する", "목록을 유지한다"),
    "re-mark": ("puts the new marks on", "表示を改める", "표시를 변경한다"),
    "return-or-destroy": ("returns or destroys it", "返還し又は破棄する", "반환 또는 파기한다"),
    "assure": ("gives the assurance", "保証する", "보증한다"),
    "request-visit": ("asks for the visit", "訪問を申請する", "방문을 신청한다"),
    "brief-site": ("tells the site what may be shown", "施設に提示の範囲を知らせる", "시설에 제시 범위를 알린다"),
    "give-receipt": ("gives a receipt", "受領証を交付する", "수령증을 교부한다"),
    "meet-checklist": ("meets every condition", "全ての条件を満たす", "모든 조건을 충족한다"),
    "inspect-site": ("inspects the site", "施設を検査する", "시설을 점검한다"),
    "investigate": ("investigates", "調査する", "조사한다"),
    "report": ("reports result and measures", "結果及び措置を報告する", "결과 및 조치를 보고한다"),
    "protect": ("goes on protecting", "引き続き保護する", "계속 보호한다"),
    "give-notice": ("gives notice", "通告する", "통보한다"),
    "answer-recall": ("accounts for every copy", "全ての写しについて回答する", "모든 사본에 대하여 회답한다"),
    "return-receipt": ("signs for what came back", "返還の受領証を交付する", "반환 수령증을 교부한다"),
    "answer-request": ("grants or refuses", "許諾又は拒否する", "허락 또는 거부한다"),
    "end-access": ("leaves nothing in those hands", "所持を終了させる", "소지를 종료시킨다"),
    "answer-visit": ("permits or refuses the visit", "訪問を許可又は拒否する", "방문을 허가 또는 거부한다"),
    "report-visit": ("says what was shown", "提示したものを報告する", "제시한 것을 보고한다"),
    "close-finding": ("puts it right", "不備を是正する", "미비점을 시정한다"),
    "review-level": ("looks at the level again", "秘密区分を見直す", "비밀등급을 재검토한다"),
    "consult": ("consults", "協議する", "협의한다"),
    "name-officer": ("names the responsible officers", "責任者を指名する", "책임자를 지정한다"),
}
METHODS: Phrases = {
    "burn": ("burning", "焼却", "소각"),
    "shred": ("shredding", "裁断", "세단"),
    "pulp": ("pulping", "溶解", "용해"),
    "disintegrate": ("disintegrating", "粉砕", "분쇄"),
    "melt": ("melting", "溶融", "용융"),
    "crush": ("crushing", "破砕", "파쇄"),
    "dismantle": ("dismantling", "分解", "분해"),
    "alter": ("altering beyond rebuilding", "復元不能な改変", "복원 불가능한 변형"),
    "overwrite": ("overwriting", "上書き", "덮어쓰기"),
    "degauss": ("degaussing", "消磁", "자기 소거"),
    "erase-key": ("erasing the key", "鍵の消去", "키 삭제"),
}
LIMITS: Phrases = {
    "immediately": ("immediately", "直ちに", "즉시"),
    "promptly": ("promptly", "速やかに", "신속히"),
    "as-appropriate": ("as appropriate", "適当な時に", "적절한 때에"),
    "before": ("before the act", "行為の前に", "행위 전에"),
    "at-receipt": ("at receipt", "受領時に", "접수 시에"),
    "at-creation": ("at creation", "作成時に", "작성 시에"),
    "continuous": ("all the time", "継続して", "계속하여"),
    "": ("no limit in the text", "定めなし", "정함이 없음"),
}
MEASURED: Phrases = {
    "visit-lead": ("a visit is asked for", "訪問の申請の時期", "방문 신청의 시기"),
    "inspection": ("contractors' sites are inspected every", "契約者の施設の検査の間隔", "계약자 시설 점검의 주기"),
    "inventory": ("copies are counted every", "写しの点検の間隔", "사본 점검의 주기"),
    "recurring-visit": ("a recurring visit is permitted for", "反復訪問の許可の期間", "반복 방문 허가의 기간"),
    "keep-names": (
        "names of people who left are kept at least",
        "離任者の氏名の最短保存期間",
        "이임자 성명의 최소 보존 기간",
    ),
    "erase-names": (
        "names of people who left are erased after",
        "離任者の氏名の最長保存期間",
        "이임자 성명의 최대 보존 기간",
    ),
    "keep-titles": ("titles of ended items are kept at least", "件名の最短保存期間", "건명의 최소 보존 기간"),
    "erase-titles": ("titles of ended items are erased after", "件名の最長保存期間", "건명의 최대 보존 기간"),
    "keep-payloads": ("sealed payloads are kept at least", "封印データの最短保存期間", "봉인 자료의 최소 보존 기간"),
    "erase-payloads": ("sealed payloads are erased after", "封印データの最長保存期間", "봉인 자료의 최대 보존 기간"),
}
RESPONSES: Phrases = {
    "alarm": ("those who may know are told", "関係者に知らせる", "관계자에게 알린다"),
    "freeze": ("nothing more is given", "提供を停止する", "제공을 중지한다"),
    "consult": ("a consultation is asked for", "協議を求める", "협의를 요청한다"),
}
ENTRY: Phrases = {
    "later-of-notices": (
        "on the later of the parties' notices",
        "当事者による通告のうち遅い方の日",
        "당사자의 통보 중 늦은 날",
    ),
    "on-signature": ("on signature", "署名の日", "서명일"),
    "deposit-plus": ("after the last deposit, by", "最後の寄託から次の期間の後", "마지막 기탁 후 다음 기간 경과"),
    "notices-plus": (
        "after the later of the parties' notices, by",
        "当事者による通告のうち遅い方から次の期間の後",
        "당사자의 통보 중 늦은 날부터 다음 기간 경과",
    ),
}
ENTRY_DAYS: Phrases = {
    "first-of-month": ("on the first day of that month", "その月の初日", "그 달의 첫날"),
}
RENEWAL: Phrases = {
    "automatic": ("by itself, for the same time again", "同一期間ずつ自動的に更新", "동일 기간씩 자동 갱신"),
    "by-consent": ("when all parties agree", "全ての当事者の合意により更新", "모든 당사자의 합의로 갱신"),
    "none": ("none", "なし", "없음"),
}
NOTICE_FORMS: Phrases = {
    "written": ("in writing", "書面", "서면"),
    "any": ("in any form", "形式を問わない", "형식 불문"),
}
CHANNELS: Phrases = {
    "diplomatic": ("through the diplomatic channel", "外交上の経路", "외교 경로"),
    "any": ("through any channel", "経路を問わない", "경로 불문"),
}
COUNTING: Phrases = {
    "before-anniversary": ("counted back from the day of renewal", "更新日から遡って計算", "갱신일부터 역산"),
    "before-last-day": ("counted back from the last day of the term", "期間の末日から遡って計算", "기간 말일부터 역산"),
    "both-days-count": ("both end days count", "両端の日を算入", "양 끝날 산입"),
}
SURVIVAL: Phrases = {
    "protection-continues": (
        "what was provided stays protected",
        "提供された情報の保護は継続",
        "제공된 정보의 보호는 계속",
    ),
    "none": ("none", "なし", "없음"),
}
LEGAL_FORCE: Phrases = {
    "treaty": ("treaty", "条約", "조약"),
    "arrangement": ("arrangement", "取決め", "약정"),
    "contract": ("contract", "契約", "계약"),
    "none": ("none in law", "法的拘束力なし", "법적 구속력 없음"),
}
LAYER_KINDS: Phrases = {
    "arrangement": ("implementing arrangement", "実施取決め", "이행약정"),
    "domestic": ("domestic layer", "国内規則", "국내 규칙"),
    "house": ("house rule", "内部規則", "내부 규칙"),
}
PARTY_KINDS: Phrases = {
    "state": ("state", "国家", "국가"),
    "organisation": ("organisation", "機関", "기관"),
    "command": ("multinational command", "多国籍司令部", "다국적 사령부"),
}
PROVENANCE: Phrases = {
    "P": ("read in the primary text", "原文で確認", "원문에서 확인"),
    "S": ("read in a secondary source", "二次資料で確認", "2차 자료에서 확인"),
    "K": (
        "not yet checked: warns, never refuses",
        "未確認(警告のみで、拒否の根拠としない)",
        "미확인(경고만 하며 거부의 근거가 되지 않음)",
    ),
}
PHRASES: Mapping[Any, Phrases] = {
    words.Act: ACTS,
    words.Form: FORMS,
    words.Requirement: REQUIREMENTS,
    words.Beneficiary: BENEFICIARIES,
    words.Employer: EMPLOYERS,
    words.Holder: HOLDERS,
    words.Relation: RELATIONS,
    words.Consenter: CONSENTERS,
    words.Approver: APPROVERS,
    words.BoundTo: BOUND_TO,
    words.Attester: ATTESTERS,
    words.Role: ROLES,
    words.Event: EVENTS,
    words.Deed: DEEDS,
    words.Method: METHODS,
    words.Within: LIMITS,
    words.Measured: MEASURED,
    words.Response: RESPONSES,
    words.Entry: ENTRY,
    words.EntryDay: ENTRY_DAYS,
    words.Renewal: RENEWAL,
    words.NoticeForm: NOTICE_FORMS,
    words.Channel: CHANNELS,
    words.Counting: COUNTING,
    words.Survival: SURVIVAL,
    words.LegalForce: LEGAL_FORCE,
    words.LayerKind: LAYER_KINDS,
    words.PartyKind: PARTY_KINDS,
    words.Provenance: PROVENANCE,
}
"""The phrases of each closed list."""
