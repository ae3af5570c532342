"""Reading a file: ``spec/agreement.md`` steps 1 to 8. Each kind of mistake, where it stands and what is said."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
from comity.agreement.model import Agreement
from comity.errors import Rejected

LIBRARY = resources.files("comity").joinpath("agreements")
TEXT = LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
HOUSE = LIBRARY.joinpath("house.toml").read_text(encoding="utf-8")
AGREEMENT = parse_agreement(TEXT, "jp-kr-2016.toml")


def refused(text: str) -> Rejected:
    with pytest.raises(Rejected) as raised:
        parse_agreement(text, "mine.toml")
    return raised.value


def line_of(text: str, error: Rejected) -> str:
    file, _, number = error.place.rpartition(":")
    assert file == "mine.toml"
    return text.splitlines()[int(number) - 1]


RULE = 'id = "access"\nclause = "7.2"\nacts = ["open", "use-for", "copy", "translate", "extract"]\n'
KR_SECRET = 'kr = ["군사 Ⅱ급 비밀"]'
JP_LOWEST = 'rank = 1\nenglish = "CONFIDENTIAL"\nclause = "4.1"'
TWO_EFFECTS = 'consent = "originator"\napprovals = 1'
MISTAKES = [
    # (1) values
    ("rank = 2", "rank = 2.0", "float", "rank = 2.0", "2.0 with a fraction"),
    ("rank = 2", "rank = nan", "float", "rank = nan", "with a fraction"),
    ("rank = 2", "rank = 9007199254740992", "out-of-range", "rank = 900", "beyond 9007199254740991"),
    ('signed = "2016-11-23"', "signed = 2016-11-23", "bare-date", "signed = 2016", "in quotation marks"),
    ('ja = "日本国政府"', 'ja = "カ\u3099"', "not-nfc", "name = {", "write 'ガ'"),
    ("[[party]]", '[["カ\u3099"]]', "not-nfc", '[["カ\u3099"]]', "normal form C"),
    ('says = "No use', 'says = "\u202eNo use', "invisible-character", "says =", "U+202E"),
    ('says = "No use', 'says = "\\u0007No use', "invisible-character", "says =", "U+0007"),
    ('id = "jp"', 'id = "jp\\n"', "stray-space", 'id = "jp', "white space"),
    # (2) format
    ("format = 1", "format = 2", "unknown-format", "format = 2", "reads format 1"),
    ("format = 1", 'format = "1"', "unknown-format", "format =", "'format' is '1'"),
    ("format = 1", "format = true", "unknown-format", "format =", "'format' is True"),
    ("format = 1\n", "", "unknown-format", "[agreement]", "'format' is None"),
    # (3) tables and keys
    ("crosses = false", "crosse = false", "unknown-key", "crosse", "did you mean 'crosses'?"),
    ("[marking]", "[markings]", "unknown-key", "[markings]", "did you mean 'marking'?"),
    ('legal-force = "treaty"\n', "", "missing-key", "[agreement]", "'agreement' lacks the key 'legal-force'"),
    ('evidence = "the assurance"\n', "", "missing-key", "[[obligation]]", "[[obligation]] lacks the key 'evidence'"),
    ("rank = 2", 'rank = "2"', "wrong-type", "rank =", "expected a whole number"),
    ('says = "No use', 'says = ["No use"] # "', "wrong-type", "says =", "expected a text in quotation marks"),
    ("crosses = false", 'crosses = "no"', "wrong-type", "crosses", "expected true or false"),
    ('acts = ["give", "show"]', 'acts = "give"', "wrong-type", "acts =", "expected a list"),
    (KR_SECRET, 'kr = "군사 Ⅱ급 비밀"', "wrong-type", "marks =", "'kr' is '군사 Ⅱ급 비밀'; expected a list"),
    (KR_SECRET, "kr = [2]", "wrong-type", "marks =", "'kr' is 2; expected a text"),
    (KR_SECRET, KR_SECRET.replace("]", ", true]"), "wrong-type", "marks =", "'kr' is True; expected a text"),
    (
        KR_SECRET + " }",
        KR_SECRET + " }\npreferred = { jp = 1 }",
        "wrong-type",
        "preferred",
        "'jp' is 1; expected a text",
    ),
    ("[term]", "[[term]]", "wrong-type", "[[term]]", "expected a table"),
    ("permits = true", "permits = false", "unknown-word", "permits = false", "known: true"),
    ('acts = ["give", "show"]', "acts = []", "empty-list", "acts = []", "'acts' is empty"),
    (KR_SECRET, "kr = []", "empty-list", "marks =", "'kr' is empty"),
    ('en = "Government of Japan"', 'en = ""', "empty-text", "name =", "'en' is empty"),
    ("rank = 2", "rank = 0", "out-of-range", "rank = 0", "expected >= 1"),
    ('id = "jp"', 'id = "JP"', "bad-identifier", 'id = "JP"', "lowercase"),
    ('period = "P90D"', 'period = "90 days"', "bad-duration", "period", "'P90D'"),
    ('period = "P90D"', 'period = "P0D"', "bad-duration", "period", "'P0D'"),
    ('duration = "P1Y"', 'duration = "PT8760H"', "bad-duration", "duration", "years, months or days"),
    ('within = "immediately"', 'within = "PT24"', "bad-limit", "within", "immediately, promptly"),
    ('signed = "2016-11-23"', 'signed = "23 Nov"', "bad-day", "signed", "'2016-11-23'"),
    ('timezone = "Asia/Tokyo"', 'timezone = "Asia/ Tokyo"', "bad-time-zone", "timezone", "'Asia/Tokyo'"),
    ('acts = ["give", "show"]', 'acts = ["giv", "show"]', "unknown-word", "acts", "did you mean 'give'?"),
    ('requires = ["clearance", "n', 'requires = ["clearence", "n', "unknown-word", "requires", "'clearance'"),
    ('"equipment", "technology"]', '"equipement"]', "unknown-word", "forms", "did you mean 'equipment'?"),
    ('on = "received"', 'on = "receipt"', "unknown-word", "on =", "'receipt' is not a word for 'on'"),
    ('provenance = "S"', 'provenance = "Q"', "unknown-word", "provenance", "known: K, P, S"),
    ('languages = ["ja", "en"]', 'languages = ["jp", "en"]', "unknown-word", "languages", "known: en, ja, ko"),
    # (4) names
    ('id = "kr"', 'id = "jp"', "duplicate-id", 'id = "jp"', "'jp' is the id of another [[party]]"),
    ('id = "6.c"', 'id = "6.a"', "duplicate-id", 'id = "6.a"', "another [[clause]]"),
    ('id = "access"', 'id = "open"', "duplicate-id", 'id = "open"', "another [[rule]]"),
    ('id = "kr"', 'id = "all"', "reserved-id", 'id = "all"', "means all parties"),
    (RULE, RULE.replace("7.2", "7.22"), "unknown-clause", 'clause = "7.22"', "did you mean '7.2'?"),
    ('clause = "21.3"', 'clause = "21.5"', "unknown-clause", 'clause = "21.5"', "no clause '21.5'"),
    ('survival-clause = "21.4"', 'survival-clause = "22"', "unknown-clause", "survival-clause", "no clause '22'"),
    ('conditions = ["7.5.a"', 'conditions = ["7.5.x"', "unknown-clause", "conditions", "no clause '7.5.x'"),
    ('party = "kr"', 'party = "kp"', "unknown-party", 'party = "kp"', "known: all, jp, kr"),
    ("marks = { jp", "marks = { us", "unknown-party", "marks", "no party 'us'"),
    ('recipient = ["jp", "kr"]', 'recipient = ["jp", "uk"]', "unknown-party", "when", "no party or body 'uk'"),
    (KR_SECRET, 'kr = ["군사 II급 비밀"]', "unknown-mark", "marks", "written with 'Ⅱ' (U+2161), not 'II'"),
    (KR_SECRET, 'kr = ["SECRET"]', "unknown-mark", "marks", "no mark of 'kr' 'SECRET'"),
    ('checklist = "contractor"', 'checklist = "contractors"', "unknown-checklist", "checklist", "'contractor'?"),
    ('signed = "2016-11-23"', 'signed = "2016-11-31"', "bad-day", "signed", "not a day of the calendar"),
    # (5) levels and equivalence
    (KR_SECRET, 'kr = ["군사 Ⅰ급 비밀"]', "above-ceiling", "marks", "above the ceiling of '4.1'"),
    ('signed = "2016-11-23"', 'signed = "2016-11-24"', "bad-day", "in-force", "signed on '2016-11-24' only"),
    ('ladder = "specially-designated"\n', "", "same-rank", "rank = 2", "same rank on the same ladder"),
    ('mark = "秘"', 'mark = "極秘"', "duplicate-mark", "mark", "written twice"),
    ('rank = 1\nenglish = "CONF', 'rank = 2\nenglish = "CONF', "unequal-ranks", "rank", "one English word names"),
    (JP_LOWEST, JP_LOWEST + "\ncrosses = false", "ceiling-hole", "crosses", "stands above '秘'"),
    ('jp = ["秘"]', 'jp = ["秘", "極秘"]', "mark-twice", "marks", "two rows"),
    ('marks = { jp = ["秘"]', 'marks = { jp = ["極秘"]', "mark-twice", "marks", "two rows"),
    ('jp = ["極秘", "特定秘密"]', 'jp = ["極秘", "秘"]', "unequal-ranks", "marks", "different rank"),
    # (6) rules
    ('consent = "originator"', TWO_EFFECTS, "rule-effect", "[[rule]]", "consent and approvals"),
    ('consent = "originator"\n', "", "rule-effect", "[[rule]]", "'third-party' has none"),
    ("when = { other-purpose = true }", "when = {}", "empty-table", "when", "empty"),
    ("when = { other-purpose = true }", 'when = { recalled = "yes" }', "wrong-type", "when", "expected true or false"),
    (
        "when = { other-purpose = true }",
        "when = { suspect = true }",
        "unknown-key",
        "when",
        "did you mean 'suspected'?",
    ),
    ('consent = "originator"', "witnesses = 0", "out-of-range", "witnesses", "expected >= 1"),
    ('consent = "originator"', "witnesses = 10", "out-of-range", "witnesses", "expected <= 9"),
    ('consent = "originator"', 'consent = "originator"\nwitnesses = 1', "rule-effect", "[[rule]]", "and witnesses"),
    ('consent = "originator"', 'methods = ["shread"]', "unknown-word", "methods", "did you mean 'shred'?"),
    ('consent = "originator"', "methods = []", "empty-list", "methods", "'methods' is empty"),
    ('on = "loss-suspected"', 'on = "recall"', "unknown-word", "on =", "did you mean 'recalled'?"),
    ('act = "investigate"', 'act = "close-findings"', "unknown-word", "act =", "did you mean 'close-finding'?"),
    ('source = "WS13: 16(n)', 'sources = "WS13: 16(n)', "unknown-key", "sources", "'source'"),
    (
        'source = "WS13: 16(n) has contractors copy as in Article 14, so the text allows copying"\n',
        "",
        "missing-source",
        'provenance = "P"',
        "'copy' says its own provenance without its 'source'",
    ),
    # term
    ('entry = "later-of-notices"', 'entry = "deposit-plus"', "term-entry", "entry =", "entry-plus"),
    ('consent = "originator"', 'consent = "named"', "rule-effect", "consent =", "goes with it only"),
    (
        'consent = "originator"',
        'consent = "originator"\nconsent-of = ["kr"]',
        "rule-effect",
        "consent-of",
        "goes with it only",
    ),
    (
        'consent = "originator"',
        'consent = "named"\nconsent-of = ["us"]',
        "unknown-party",
        "consent-of",
        "there is no party 'us'",
    ),
    (
        "permits = true",
        'permits = true\nsince = "2027-02-29T09:00+10:00"',
        "bad-moment",
        "since",
        "no instant of the calendar",
    ),
    (
        "permits = true",
        'permits = true\nsince = "2027-03-01T09:00+10:00"\nuntil = "2027-02-28T23:00Z"',
        "bad-moment",
        "until",
        "ends before it begins",
    ),
    ("permits = true", 'permits = true\nsince = "2027-03-01"', "bad-moment", "since", "a minute with its offset"),
    ('entry = "later-of-notices"', 'entry = "notices-plus"', "term-entry", "entry =", "entry-plus"),
    (
        'entry = "later-of-notices"',
        'entry = "notices-plus"\nentry-plus = "P60D"\nentry-day = "first-of-month"',
        "term-entry",
        "entry-day",
        "by whole months",
    ),
    ('duration = "P1Y"\n', "", "missing-key", "renewal", "needs a 'duration'"),
]


@pytest.mark.parametrize(("old", "new", "code", "line", "says"), MISTAKES)
def test_each_mistake_says_its_kind_its_line_and_what_was_expected(
    old: str, new: str, code: str, line: str, says: str
) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    error = refused(text)
    assert error.code == code, str(error)
    assert line in line_of(text, error), str(error)
    assert says in str(error)


def test_a_file_that_is_not_toml_is_refused_with_its_line() -> None:
    error = refused('[agreement]\nformat = 1\nid = "x\n')
    assert (error.code, error.place) == ("not-toml", "mine.toml:3")
    assert refused("[agreement").code == "not-toml"


def test_without_its_head_a_file_is_not_read_further() -> None:
    error = refused("[agreemnt]\nformat = 1\n")
    assert (error.code, error.place) == ("missing-key", "mine.toml:1")
    assert "there is no table [agreement]" in str(error)


def test_a_file_too_long_to_be_an_agreement_is_not_read() -> None:
    assert refused("#" * 4_000_001).code == "too-long"


def test_a_time_zone_that_the_database_lacks_is_refused_with_its_line() -> None:
    text = TEXT.replace('"Asia/Tokyo"', '"Asia/Tokio"')
    with pytest.raises(Rejected, match="no time zone 'Asia/Tokio'") as raised:
        check_time_zones(parse_agreement(text, "mine.toml"), text, "mine.toml", {"Asia/Tokyo", "Asia/Seoul"})
    assert "Asia/Tokio" in line_of(text, raised.value)
    check_time_zones(AGREEMENT, TEXT, "mine.toml", {"Asia/Tokyo", "Asia/Seoul"})


class TestDigest:
    """(8)"""

    def test_comments_order_of_keys_and_space_do_not_count(self) -> None:
        lines = [line for line in TEXT.splitlines() if not line.startswith("#")]
        rewritten = "\n\n".join(lines).replace('id = "jp"\n\nkind = "state"', 'kind = "state"\nid = "jp"')
        assert rewritten != TEXT
        assert parse_agreement(rewritten, "x").digest == AGREEMENT.digest

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('provenance = "S"', 'provenance = "P"'),
            ("crosses = false", 'crosses = false\nladder = "main"'),
            ('["jp", "kr"]', '["kr", "jp"]'),
            ("No release to any", "No release to  any"),
        ],
    )
    def test_everything_written_counts_even_a_default_written_out(self, old: str, new: str) -> None:
        changed = TEXT.replace(old, new, 1)
        assert changed != TEXT
        assert parse_agreement(changed, "x").digest != AGREEMENT.digest

    def test_it_is_pinned_by_hand_for_a_small_canonical_text(self) -> None:
        import hashlib

        from comity.agreement.digest import digest_of

        written = tomllib.loads('[b]\nz = "é"\na = [1, true]\n')
        expected = hashlib.sha256('{"b":{"a":[1,true],"z":"é"}}'.encode()).hexdigest()
        assert digest_of(written) == expected


class TestJapanKorea2016:
    """The file itself, against what treaty and spec say it holds."""

    def test_it_has_all_articles_and_their_paragraphs(self) -> None:
        articles = {clause.article for clause in AGREEMENT.clauses}
        assert articles == {str(number) for number in range(1, 22)}
        ids = {clause.id for clause in AGREEMENT.clauses}
        for article, last in (("2", "e"), ("6", "h"), ("16", "o"), ("7.5", "c")):
            letters = [chr(code) for code in range(ord("a"), ord(last) + 1)]
            assert {f"{article}.{letter}" for letter in letters} <= ids
        for article, count in (("4", 3), ("7", 5), ("21", 4)):
            assert {f"{article}.{number}" for number in range(1, count + 1)} <= ids

    def test_provenance_is_as_the_sources_allow(self) -> None:
        by = {clause.id: clause.provenance for clause in AGREEMENT.clauses}
        assert {by["6.a"], by["6.c"], by["9"], by["10"], by["12"], by["15"]} == {"S"}
        assert {by["4.3"], by["5"], by["11"], by["13"], by["14"], by["19"]} == {"K"}
        others = by.keys() - {"6.a", "6.c", "9", "10", "12", "15", "4.3", "5", "11", "13", "14", "19"}
        assert {by[each] for each in others} == {"P"}
        assert all(clause.source for clause in AGREEMENT.clauses if clause.provenance != "K")

    def test_every_heading_is_in_three_languages(self) -> None:
        assert all(clause.heading.ja and clause.heading.ko for clause in AGREEMENT.clauses)
        assert AGREEMENT.clauses[0].heading.in_language("ko") == "목적"

    def test_korean_marks_use_the_roman_numeral_characters(self) -> None:
        marks = [level.mark for level in AGREEMENT.levels if level.party == "kr"]
        assert marks == ["군사 \u2160급 비밀", "군사 \u2161급 비밀", "군사 \u2162급 비밀"]

    def test_only_the_top_marks_stand_above_the_ceiling(self) -> None:
        above = [(level.party, level.mark, level.provenance) for level in AGREEMENT.levels if not level.crosses]
        assert above == [("jp", "機密", "K"), ("kr", "군사 Ⅰ급 비밀", "K")]

    def test_the_contractor_checklist_has_the_fifteen_conditions(self) -> None:
        (contractor,) = [each for each in AGREEMENT.checklists if each.id == "contractor"]
        assert contractor.conditions == tuple(f"16.{letter}" for letter in "abcdefghijklmno")

    def test_the_catalogue_of_obligations_is_complete_and_invents_no_number(self) -> None:
        clauses = {obligation.clause for obligation in AGREEMENT.obligations}
        wanted = {"2.d", "3", "4.2", "4.3", "6.a", "6.c", "6.e", "6.f", "6.g", "6.h", "7.5", "8", "12", "16", "17"}
        assert wanted | {"21.3", "21.4"} <= clauses
        assert not [each.id for each in AGREEMENT.obligations if (each.within or "").startswith("P")]
        assert len([each for each in AGREEMENT.obligations if each.clause == "17"]) == 3

    def test_copying_and_translating_ask_no_consent_of_themselves(self) -> None:
        asking = [rule for rule in AGREEMENT.rules if rule.consent and "copy" in rule.acts]
        assert {rule.clause for rule in asking} == {"6.a", "6.c"}
        assert all(rule.when for rule in asking)


HEAD = """
[layer]
format = 1
id = "jp-law"
version = "1"
kind = "domestic"
title = { en = "x" }
on = "jp-kr-2016"
party = "jp"
[[clause]]
id = "a"
heading = { en = "x" }
says = "x"
provenance = "P"
"""


def layer_error(text: str, agreement: Agreement = AGREEMENT) -> Rejected:
    with pytest.raises(Rejected) as raised:
        parse_layer(text, "mine.toml", agreement)
    return raised.value


class TestLayers:
    """(7)"""

    def test_the_house_rule_fits_any_agreement(self) -> None:
        layer = parse_layer(HOUSE, "house.toml", AGREEMENT)
        assert (layer.id, layer.header.on, layer.rules[0].approvals) == ("comity-house", None, 1)
        assert re.fullmatch("[0-9a-f]{64}", layer.digest)

    def test_a_whole_layer_is_read(self) -> None:
        text = HEAD + (
            '[[deadline]]\nobligation = "o-17-notify"\nclause = "a"\nwithin = "PT24H"\n'
            '[[preference]]\nclause = "a"\nparty = "jp"\namong = ["極秘", "特定秘密"]\nmark = "特定秘密"\n'
            '[[rule]]\nid = "r"\nclause = "a"\nacts = ["give"]\nwhen = { level-at-least = "SECRET" }\napprovals = 2\n'
        )
        layer = parse_layer(text, "x", AGREEMENT)
        assert layer.deadlines[0].within == "PT24H"

    @pytest.mark.parametrize(
        ("table", "rest", "code"),
        [
            ("rule", 'acts = ["give"]\npermits = true\n', "layer-permits"),
            ("rule", 'acts = ["give"]\nwhen = { level = ["最高"] }\nforbids = true\n', "unknown-mark"),
            ("rule", 'acts = ["give"]\nchecklist = "none"\n', "unknown-checklist"),
            ("deadline", 'obligation = "o-18"\nwithin = "P1D"\n', "unknown-obligation"),
            ("preference", 'party = "us"\namong = ["極秘", "秘"]\nmark = "秘"\n', "unknown-party"),
            ("preference", 'party = "jp"\namong = ["極秘", "秘"]\nmark = "特定秘密"\n', "unknown-mark"),
            ("preference", 'party = "jp"\namong = ["極秘", "Ⅱ"]\nmark = "極秘"\n', "unknown-mark"),
            ("checklist", 'bound-to = "site"\nattested-by = "either"\nconditions = ["a"]\n', "duplicate-id"),
            ("level", "rank = 1\n", "unknown-key"),
        ],
    )
    def test_a_layer_only_refuses_or_asks_more(self, table: str, rest: str, code: str) -> None:
        named = 'id = "contractor"\n' if table in {"rule", "checklist"} else ""
        assert layer_error(f'{HEAD}[[{table}]]\nclause = "a"\n{named}{rest}').code == code

    def test_a_layer_cites_its_own_clauses(self) -> None:
        rule = '[[rule]]\nid = "r"\nclause = "7.2"\nacts = ["give"]\nforbids = true\n'
        error = layer_error(HEAD + rule)
        assert error.code == "cites-agreement"
        assert "'7.2' is a clause of 'jp-kr-2016'; a layer cites a [[clause]] of its own" in str(error)
        assert 'clause = "7.2"' in line_of(HEAD + rule, error)
        assert layer_error(HEAD + rule.replace("7.2", "7.22")).code == "unknown-clause"
        checklist = (
            '[[checklist]]\nid = "c"\nclause = "a"\nbound-to = "site"\nattested-by = "either"\nconditions = ["16.a"]\n'
        )
        assert layer_error(HEAD + checklist).code == "cites-agreement"

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ('on = "jp-kr-2016"', 'on = "jp-us-2007"', "other-agreement"),
            ('on = "jp-kr-2016"\n', "", "missing-key"),
            ('party = "jp"\n', "", "layer-party"),
            ('kind = "domestic"', 'kind = "arrangement"', "layer-party"),
            ('party = "jp"', 'party = "us"', "unknown-party"),
            ("format = 1", "format = 9", "unknown-format"),
        ],
    )
    def test_a_layer_says_whose_it_is_and_on_what_it_stands(self, old: str, new: str, code: str) -> None:
        assert layer_error(HEAD.replace(old, new)).code == code

    def test_a_number_is_never_looser_than_the_agreed_one(self) -> None:
        timed = parse_agreement(TEXT.replace('within = "immediately"', 'within = "P2D"'), "x")
        deadline = '[[deadline]]\nobligation = "o-17-notify"\nclause = "a"\nwithin = "{}"\n'
        assert layer_error(HEAD + deadline.format("PT49H"), timed).code == "looser-deadline"
        assert parse_layer(HEAD + deadline.format("PT48H"), "x", timed)
