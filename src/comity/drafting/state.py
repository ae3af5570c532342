"""The template `state`: an agreement between states on the protection of what they give each other.

Its clauses are those that such agreements have in common, in our own words and in the usual order. What the answers
leave open (a number, a consent) is not written: a number that nobody gave is never invented.
"""

from __future__ import annotations

from comity.agreement.digest import Written
from comity.drafting.answers import Scope, StateAnswers, StateRules, crossing, rank
from comity.drafting.rows import Rows
from comity.drafting.term import term_clauses, term_rows
from comity.explanation.voice import length_in

ACCESS = ("open", "use-for", "copy", "translate", "extract")
"""The acts by which a person gets at what an item says."""
GAINING = ("give", "show", "pass-on", *ACCESS, "visit", "inspect", "export-evidence")
"""The acts by which somebody may gain."""
HANDLING = ("give", "show", "pass-on", *ACCESS)
"""The acts that hand an item to somebody, or give him what it says."""
OUTSIDE: Written = {"beneficiary": ["third-party", "third-national"]}


def state_draft(answers: StateAnswers, opening: tuple[str, ...]) -> str:
    """The text of a draft agreement between states."""
    rows = Rows(*opening)
    named, levels = answers.agreement, answers.levels
    rows.agreement(named, kind="security-of-information", legal_force="treaty")
    for party in answers.parties:
        rows.party(party, kind="state", nations=[party.id])
    rows.add("[scope]", clause="2.a", **scope_keys(answers.scope))
    rows.section("levels")
    may_cross = crossing(levels)
    for party in answers.parties:
        for word in levels.english:
            for index, mark in enumerate(party.marks.get(word, ())):
                rows.add(
                    "[[level]]",
                    party=party.id,
                    mark=mark,
                    rank=rank(levels.english, word),
                    english=word,
                    clause="4.1",
                    ladder=None if index == 0 else f"beside-{index}",
                    crosses=None if word in may_cross else False,
                )
    for word in may_cross:
        marks: dict[str, Written] = {
            party.id: list(party.marks[word]) for party in answers.parties if word in party.marks
        }
        if len(marks) > 1:
            rows.add("[[equivalence]]", clause="4.2", marks=marks)
    rows.add("[marking]", clause="4.2", providing_name=True, own_equivalent=True, rights_clause="5.d")
    rows.section("clauses")
    _clauses(rows, answers)
    rows.section("rules")
    _rules(rows, answers)
    rows.section("duties")
    _duties(rows, answers)
    rows.section("term")
    zone = answers.parties[0].timezone
    term_rows(rows, answers.term, zone, "18", entry="later-of-notices", channel="diplomatic")
    return rows.text()


def scope_keys(scope: Scope) -> dict[str, Written]:
    """What `[scope]` lists."""
    lists = {"subjects": scope.subjects, "purposes": scope.purposes, "forms": scope.forms}
    return {key: list(each) for key, each in lists.items() if each}


def _clauses(rows: Rows, answers: StateAnswers) -> None:
    rules = answers.rules
    consent = "without the originator's prior written consent"
    third = consent if rules.third_party == "consent" else "at all"
    other = consent if rules.other_use == "consent" else "at all"
    rows.clause("1", ("Purpose", "目的", "목적"), "The parties protect what they give each other under these terms.")
    rows.clause("2", ("Definitions", "定義", "정의"), "What the words of this agreement mean.")
    rows.clause(
        "2.a",
        ("Classified information", "秘密情報", "비밀정보"),
        "Information that bears a level and is given by one party to another, in whatever form this agreement covers.",
    )
    rows.clause(
        "2.b",
        ("Originator", "提供元", "원제공자"),
        "The party from which an item comes. The role belongs to the item, not to the party.",
    )
    rows.clause(
        "3",
        ("Competent authorities", "権限のある当局", "권한 있는 당국"),
        "Each party tells the other which authorities are competent, and of any change.",
    )
    rows.clause(
        "4", ("Levels and marks", "秘密区分及び表示", "비밀등급 및 표시"), "Which levels cross, and how they read."
    )
    rows.clause(
        "4.1",
        ("Levels", "秘密区分", "비밀등급"),
        "The levels of each party, and the highest that may be exchanged.",
    )
    rows.clause(
        "4.2",
        ("What corresponds", "対応関係", "대응 관계"),
        "The recipient marks what it receives with the name of the giver and with its own equivalent level.",
    )
    rows.clause(
        "4.3",
        ("What is made from it", "派生文書", "파생 문서"),
        "What is made from received information is marked as what it was made from.",
    )
    rows.clause("5", ("Principles", "原則", "원칙"), "What the recipient does and does not do.")
    rows.clause("5.a", ("Third parties", "第三者", "제3자"), f"Nothing goes to a third party {third}.")
    rows.clause(
        "5.b", ("Other purposes", "目的外使用", "목적 외 사용"), f"Nothing is used for another purpose {other}."
    )
    rows.clause(
        "5.c",
        ("Equal protection", "同等の保護", "동등한 보호"),
        "The recipient protects what it received as it protects its own of the equivalent level.",
    )
    rows.clause("5.d", ("Rights", "知的財産権", "지식재산권"), "Intellectual property is respected.")
    rows.clause("6", ("Access", "接近", "접근"), "Who may have access, and what is assured before.")
    clearance = "every level" if rules.clearance_from is None else f"{rules.clearance_from} and above"
    rows.clause(
        "6.1",
        ("Need and clearance", "必要性及び資格", "필요성 및 인가"),
        f"Access is for those whose duties need it and, for {clearance}, who are cleared; rank alone gives none.",
    )
    rows.clause(
        "6.2",
        ("Assurance before giving", "提供前の保証", "제공 전의 보증"),
        "Before it is given anything the recipient assures the originator of clearance, need and protection.",
    )
    rows.clause(
        "6.2.a", ("Assured: clearance", "資格の保証", "인가의 보증"), "Whoever receives it is cleared as needed."
    )
    rows.clause(
        "6.2.b", ("Assured: need", "必要性の保証", "필요성의 보증"), "Whoever receives it needs it for his duties."
    )
    rows.clause(
        "6.2.c", ("Assured: protection", "保護の保証", "보호의 보증"), "It will be protected as the fifth article says."
    )
    rows.clause(
        "7", ("Transmission", "送付", "전달"), _with("It passes between the parties against a receipt", rules.receipts)
    )
    rows.clause(
        "8",
        ("Copies and translations", "複製及び翻訳", "복제 및 번역"),
        "Copies and translations bear the marks of the original and stand under the same control"
        + (f"; from {rules.copy_consent_from} the originator consents in writing." if rules.copy_consent_from else "."),
    )
    rows.clause("9", ("Return and destruction", "返還及び破棄", "반환 및 파기"), _ending(rules))
    rows.clause(
        "10",
        ("Change of level", "秘密区分の変更", "비밀등급의 변경"),
        "The originator tells any change of level; the recipient marks accordingly.",
    )
    rows.clause(
        "11",
        ("Loss and compromise", "紛失及び漏えい", "분실 및 훼손"),
        "Of any loss or compromise, or a possible one, the recipient tells the originator, investigates, and reports.",
    )
    rows.clause(
        "12",
        ("Visits", "訪問", "방문"),
        "A visit to a site is permitted by the authority of the party on whose territory it lies"
        + (f" and asked for {length_in(rules.visit_lead, 'en')} before it begins." if rules.visit_lead else "."),
    )
    rows.clause(
        "13",
        ("Inspection", "検査", "점검"),
        "The parties let each other's security representatives see how it is protected, by consultation.",
    )
    _contractor_clauses(rows, rules)
    rows.clause(
        "15",
        ("Registers", "登録簿", "명부"),
        _with("Each party keeps registers of persons, sites and copies; copies are counted again", rules.inventory),
    )
    rows.clause("16", ("Laws", "法令", "법령"), "Each party tells the other its laws on protection, and their changes.")
    rows.clause(
        "17",
        ("Disputes", "紛争", "분쟁"),
        "Settled only by consultation between the parties; meanwhile what was provided stays protected.",
    )
    term_clauses(rows, answers.term, "18", entry="later-of-notices")


def _with(says: str, length: str | None) -> str:
    return f"{says}, within {length_in(length, 'en')}." if length else f"{says}."


def _ending(rules: StateRules) -> str:
    says = "What is no longer needed for its purpose is returned or destroyed beyond recovery."
    if rules.destroy_consent_from:
        says += f" From {rules.destroy_consent_from} it is destroyed with the originator's consent only."
    if rules.witness_from:
        says += f" From {rules.witness_from} a second person witnesses it."
    return says


def _contractor_clauses(rows: Rows, rules: StateRules) -> None:
    heading = ("Contractors", "契約者", "계약자")
    if rules.contractors == "forbidden":
        rows.clause("14", heading, "Nothing goes to contractors.")
        return
    again = f", and again within {length_in(rules.inspection, 'en')}" if rules.inspection else ""
    rows.clause("14", heading, f"Before anything goes to a contractor the recipient secures these conditions{again}.")
    rows.clause("14.a", ("Able to protect", "保護能力", "보호 능력"), "The firm and its premises can protect it.")
    rows.clause("14.b", ("Persons cleared", "資格の保有", "인가의 보유"), "Everyone who needs it is cleared.")
    rows.clause("14.c", ("Told of duties", "義務の告知", "의무의 고지"), "Each person is told of his or her duties.")
    rows.clause("14.d", ("Site inspected", "施設の検査", "시설의 점검"), "The site was inspected.")
    rows.clause("14.e", ("Register", "登録簿", "명부"), "A register of persons is kept at each site.")


def _rules(rows: Rows, answers: StateAnswers) -> None:
    rules = answers.rules
    parties: Written = [party.id for party in answers.parties]
    rows.rule("give", "4.1", ["give", "show"], when={"recipient": parties}, permits=True)
    if rules.third_party == "consent":
        rows.rule("pass-on", "5.a", ["pass-on"], permits=True)
    rows.rule("access", "6.1", ACCESS, permits=True)
    rows.rule("reclassify", "10", ["reclassify"], when={"holder": "originator"}, permits=True)
    rows.rule("return-or-destroy", "9", ["return", "destroy"], when={"holder": "recipient"}, permits=True)
    rows.rule("visit", "12", ["visit"], permits=True)
    rows.rule("inspect", "13", ["inspect"], permits=True)
    rows.rule("export-evidence", "15", ["export-evidence"], permits=True)
    if rules.third_party == "consent":
        rows.rule("third-party", "5.a", GAINING, when=OUTSIDE, consent="originator")
    else:
        rows.rule("third-party", "5.a", GAINING, when=OUTSIDE, forbids=True)
    effect: dict[str, Written] = {"consent": "originator"} if rules.other_use == "consent" else {"forbids": True}
    rows.rule("other-use", "5.b", HANDLING, when={"other-purpose": True}, **effect)
    assured: Written = ["6.2.a", "6.2.b", "6.2.c"]
    rows.add(
        "[[checklist]]",
        id="assurance",
        clause="6.2",
        bound_to="item-and-recipient",
        attested_by="recipient",
        conditions=assured,
    )
    rows.rule("assurance-before-giving", "6.2", ["give"], checklist="assurance")
    rows.rule("need-to-know", "6.1", ACCESS, requires=["need-to-know"])
    cleared: dict[str, Written] = (
        {} if rules.clearance_from is None else {"when": {"level-at-least": rules.clearance_from}}
    )
    rows.rule("clearance", "6.1", ACCESS, **cleared, requires=["clearance"])
    rows.add("[[checklist]]", id="visit", clause="12", bound_to="item", attested_by="either", conditions=["12"])
    rows.rule("visit-permission", "12", ["visit"], checklist="visit")
    if rules.contractors == "forbidden":
        rows.rule("contractors", "14", HANDLING, when={"employer": "contractor"}, forbids=True)
    else:
        conditions: Written = [f"14.{letter}" for letter in "abcde"]
        rows.add(
            "[[checklist]]",
            id="contractor",
            clause="14",
            bound_to="site",
            attested_by="recipient",
            conditions=conditions,
        )
        rows.rule("contractors", "14", HANDLING, when={"employer": "contractor"}, checklist="contractor")
    if rules.copy_consent_from:
        at_least: Written = {"level-at-least": rules.copy_consent_from, "holder": "recipient"}
        rows.rule("copy-consent", "8", ["copy", "translate", "extract"], when=at_least, consent="originator")
    if rules.destroy_consent_from:
        at_least = {"level-at-least": rules.destroy_consent_from, "holder": "recipient"}
        crisis: Written | None = {"purpose": ["crisis"]} if _crisis(answers) else None
        rows.rule("destroy-consent", "9", ["destroy"], when=at_least, unless=crisis, consent="originator")
    if rules.witness_from:
        rows.rule("destroy-witness", "9", ["destroy"], when={"level-at-least": rules.witness_from}, witnesses=1)


def _crisis(answers: StateAnswers) -> bool:
    """Whether the purpose `crisis` can be asked: a list of purposes is closed."""
    return not answers.scope.purposes or "crisis" in answers.scope.purposes


def _duties(rows: Rows, answers: StateAnswers) -> None:
    rules = answers.rules
    rows.duties(
        (
            ("authorities", "3", "designation-changed", "both", "notify", "both", None, "id of the note"),
            ("mark", "4.2", "received", "recipient", "mark", None, "at-receipt", "the marked item"),
            (
                "mark-derivative",
                "4.3",
                "derivative-made",
                "recipient",
                "mark",
                None,
                "at-creation",
                "the link to its source",
            ),
            ("assure", "6.2", "hand-over-wanted", "recipient", "assure", "originator", "before", "the assurance"),
            (
                "receipt",
                "7",
                "hands-changed",
                "carrier",
                "give-receipt",
                "originator",
                rules.receipts,
                "the signed receipt",
            ),
            (
                "end-of-purpose",
                "9",
                "purpose-ended",
                "recipient",
                "return-or-destroy",
                "originator",
                "as-appropriate",
                "the receipt for the return, or the record of destruction",
            ),
            (
                "tell-level",
                "10",
                "level-changed",
                "originator",
                "notify",
                "recipient",
                "promptly",
                "the written notice",
            ),
            (
                "re-mark",
                "10",
                "level-change-notified",
                "recipient",
                "re-mark",
                "originator",
                None,
                "the record of re-marking",
            ),
            ("tell-loss", "11", "loss-suspected", "recipient", "notify", "originator", rules.loss, "the notice"),
            (
                "investigate",
                "11",
                "loss-suspected",
                "recipient",
                "investigate",
                None,
                None,
                "the investigation as opened",
            ),
            (
                "report-loss",
                "11",
                "investigation-ended",
                "recipient",
                "report",
                "originator",
                None,
                "the result, and the measures against recurrence",
            ),
            (
                "ask-visit",
                "12",
                "visit-wanted",
                "visiting-authority",
                "request-visit",
                "host-authority",
                None,
                "the request",
            ),
            (
                "answer-visit",
                "12",
                "visit-asked",
                "host-authority",
                "answer-visit",
                "visiting-authority",
                None,
                "the answer",
            ),
            (
                "brief-site",
                "12",
                "visit-permitted",
                "host-authority",
                "brief-site",
                None,
                None,
                "what the site was told",
            ),
            ("persons", "15", "always", "recipient", "keep-register", None, "continuous", "the register of each site"),
            ("inventory", "15", "always", "both", "keep-inventory", None, "continuous", "the inventory"),
            ("officers", "15", "always", "both", "name-officer", None, "continuous", "the named officer of each site"),
            ("tell-laws", "16", "law-changed", "both", "notify", "both", None, "id of the note"),
            ("answer-laws", "16", "law-requested", "both", "notify", "both", None, "id of the note"),
            ("consult", "17", "dispute-opened", "both", "consult", "both", None, "the position, or the settlement"),
            ("notice", "18.2", "end-wanted", "either", "give-notice", "both", "before", "the note"),
        )
    )
    if answers.term.survival == "protection-continues":
        rows.survival("18.3")
    if rules.contractors == "conditions":
        before: dict[str, Written] = {"on": "contractor-release-wanted", "who": "recipient", "act": "meet-checklist"}
        rows.duty("contractor-conditions", "14", **before, within="before", evidence="the evidence for each condition")
        rows.duty(
            "contractor-sites", "14", on="inspection-due", who="recipient", act="inspect-site", evidence="the record"
        )
    for of, clause, length in (
        ("visit-lead", "12", rules.visit_lead),
        ("inspection", "14", rules.inspection if rules.contractors == "conditions" else None),
        ("inventory", "15", rules.inventory),
    ):
        if length:
            rows.add("[[interval]]", of=of, clause=clause, length=length)
