"""What Comity's own headings, heads and remarks are called in each language."""

from __future__ import annotations

from collections.abc import Mapping

from comity.explanation.phrases import Phrase

TITLES: Mapping[str, Phrase] = {
    "contents": ("Contents", "目次", "차례"),
    "glance": ("At a glance", "概要", "개요"),
    "parties": ("Parties", "当事者", "당사자"),
    "authorities": ("Competent authorities", "権限のある当局", "권한 있는 당국"),
    "bodies": ("Others who are named", "その他の機関", "그 밖의 기관"),
    "levels": ("Levels and what corresponds", "秘密区分及び対応関係", "비밀등급 및 대응 관계"),
    "ladder": ("Levels, the highest first", "秘密区分(上位から)", "비밀등급(상위부터)"),
    "equivalence": ("What corresponds", "対応関係", "대응 관계"),
    "marks": ("Marks on what is received", "受領した情報の表示", "접수한 정보의 표시"),
    "registries": ("Registries", "登録機関", "등록기관"),
    "rules": ("What may be done, and on what conditions", "行為及びその条件", "행위 및 그 조건"),
    "permits": ("Allowed", "認められる行為", "허용되는 행위"),
    "forbids": ("Forbidden", "禁止される行為", "금지되는 행위"),
    "consent": ("With consent", "同意", "동의"),
    "checklist": ("Attested before", "事前の証明", "사전 증명"),
    "requires": ("Who may", "行う者の要件", "행위자의 요건"),
    "others": ("With other people", "他の者の関与", "다른 자의 관여"),
    "how": ("How", "方法及び数量", "방법 및 수량"),
    "duties": ("Calendar of duties", "義務の一覧(期限順)", "의무의 일정표(기한순)"),
    "repeated": ("What is asked for ahead, or done again", "事前の申請及び反復", "사전 신청 및 반복"),
    "term": ("Term", "効力及び期間", "효력 및 기간"),
    "terms": ("The running term and those that follow", "現在及び今後の期間", "현재 및 이후의 기간"),
    "clauses": ("Clauses", "条項", "조항"),
    "layer": ("Layer {a}: {x}", "付属規則{a}:{x}", "부속 규칙 {a}: {x}"),
    "legend": ("How to read this", "凡例", "범례"),
}
HEADS: Mapping[str, Phrase] = {
    "parameter": ("what", "事項", "사항"),
    "says": ("says", "内容", "내용"),
    "rests-on": ("rests on", "根拠", "근거"),
    "id": ("id", "識別子", "식별자"),
    "name": ("name", "名称", "명칭"),
    "kind": ("kind", "種類", "종류"),
    "time-zone": ("time zone", "時間帯", "시간대"),
    "nations": ("nationals of", "国民", "국민"),
    "party": ("party", "当事者", "당사자"),
    "from": ("from", "開始日", "개시일"),
    "notified": ("notified by", "通知", "통보"),
    "rank": ("rank", "順位", "순위"),
    "english": ("English", "英語", "영어"),
    "all": ("all", "共通", "공통"),
    "crosses": ("crosses", "提供の可否", "제공 여부"),
    "until": ("until when", "期限", "기한"),
    "on": ("when", "事由", "사유"),
    "who": ("who", "義務者", "의무자"),
    "deed": ("does what", "内容", "내용"),
    "to": ("to whom", "相手方", "상대방"),
    "evidence": ("shown by", "証拠", "증거"),
    "begins": ("begins", "開始日", "개시일"),
    "last-day": ("last day for notice", "通告の最終日", "통보 최종일"),
    "renewed": ("renewed on", "更新日", "갱신일"),
    "ends": ("ends on", "終了日", "종료일"),
    "office": ("office", "部署", "부서"),
    "under": ("under", "上位", "상위"),
}
REMARKS: Mapping[str, Phrase] = {
    "prevails": (
        "A working model in our own words. The authentic text prevails: {x}.",
        "これは作業用の要約である。正文が優先する:{x}。",
        "이것은 작업용 요약이다. 정본이 우선한다: {x}.",
    ),
    "draft": ("Not signed: a draft.", "未署名の草案。", "서명되지 않은 초안."),
    "with": (
        "With layer {a}: {x} ({y}).",
        "付属規則{a}:{x}({y})。",
        "부속 규칙 {a}: {x}({y}).",
    ),
    "clauses": (
        "What a clause says is told as the file has it.",
        "条項の内容はファイルに書かれた言語のまま示す。",
        "조항의 내용은 파일에 적힌 언어 그대로 싣는다.",
    ),
    "basis": (
        "What no rule allows has no basis. Whoever refuses, wins.",
        "これらの規定が認めない行為には根拠がない。拒否する規定が優先する。",
        "이 규칙들이 허용하지 않는 행위에는 근거가 없다. 거부하는 규칙이 우선한다.",
    ),
    "one-side": (
        "Binds only acts of the side of {x}.",
        "{x}の側の行為のみを拘束する。",
        "{x} 측의 행위만을 구속한다.",
    ),
    "no-days": (
        "It is not in force yet, or its file gives no day: the days follow from that of entry into force.",
        "未発効であるか、発効日の記載がない。各期日は発効日から定まる。",
        "아직 발효하지 않았거나 발효일의 기재가 없다. 각 기일은 발효일부터 정해진다.",
    ),
    "open-ended": (
        "It has no end of its own; a notice ends it when its period is over.",
        "固有の期限はない。通告は、その期間の満了により終了の効果を生ずる。",
        "고유한 기한이 없다. 통보는 그 기간이 만료될 때 종료의 효과를 가진다.",
    ),
    "drawn": (
        "Each bar is a term; ▲ marks the last day for a notice before its end.",
        "各帯は一つの期間を、▲は満了前の通告の最終日を示す。",
        "각 막대는 하나의 기간을, ▲는 만료 전 통보의 최종일을 나타낸다.",
    ),
    "history": (
        "What has happened to it since is told by: comity agreement status {x}",
        "その後の経緯は次による:comity agreement status {x}",
        "그 후의 경과는 다음에 따른다: comity agreement status {x}",
    ),
    "never": ("never crosses", "提供しない", "제공하지 않음"),
    "yes": ("yes", "可", "가능"),
    "read-in": ("read in: {x}", "出典:{x}", "출처: {x}"),
    "origin": ("for what {x} marked", "{x}が表示したもの", "{x}이/가 표시한 것"),
    "preferred": ("proposed: {x}", "推奨:{x}", "제안: {x}"),
}
