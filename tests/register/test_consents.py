"""Rules for consent, passing on and showing: accepted once, refused for each reason, alike on both sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from comity.record.bodies import Body
from comity.record.bodies.consents import ConsentDropped
from comity.register.consents import CONSENTS_LIVE_MAX
from comity.register.rows import AgreementRow, CopyRow, ItemRow, RequestRow
from comity.register.rows.consents import (
    ConsentAskedRow,
    ConsentListRow,
    ConsentRow,
    PassedOnRow,
    ShownRow,
    consent_lists_of,
    item_consents_key,
)
from comity.register.verdict import Changes, Rejection
from register.consenting import (
    ONWARD,
    UNTIL,
    allowed,
    answered,
    approved,
    asked,
    asking,
    copy_of,
    dropping,
    later,
    pass_requested,
    passed_on,
    receipted,
    received,
    shown,
    standing,
    unwanted,
    wanted,
    withdrawn,
)
from register.story import (
    LABEL,
    RELATIONSHIP,
    START,
    Story,
    assured,
    item,
    listed,
    requested,
    returned,
    told,
)
from register.story import approved as approved_in_tokyo
from register.story import asked as assurance_asked

Make = Callable[[Story], Body]
DAY = timedelta(days=1)
OTHERS = replace(LABEL, originator="us")


def granted(**changes: object) -> Story:
    story = asking()
    story.say("jp", answered(**changes))
    return story


def done() -> Story:
    story = allowed()
    story.say("kr", passed_on(story))
    return story


def lapsing() -> Story:
    return later(asking(answer_by=START + 12 * DAY), 13)


def withdrawing() -> Story:
    story = granted()
    story.say("jp", withdrawn())
    return story


def _receipt_of_nothing(story: Story) -> Body:
    story.said["pass-on/1"] = story.said["receipt/1"]
    return receipted(story)


REFUSED: list[tuple[str, Callable[[], Story], str, Make, str]] = [
    # asking
    ("asked twice", asking, "kr", asked, "request-exists"),
    ("another act than there is", received, "kr", lambda s: asked(s, acts=("sell",)), "unknown-act"),
    ("not given by whom it asks", received, "jp", asked, "not-given"),
    ("no record shows it came", received, "kr", lambda s: asked(s, origin=bytes(32)), "not-given"),
    ("another item than was given", received, "kr", lambda s: asked(s, item="i-2"), "not-given"),
    ("under another's label", received, "kr", lambda s: asked(s, label=OTHERS), "not-originator"),
    ("a body that is no party", received, "kr", lambda s: asked(s, beneficiary_kind="party"), "beneficiary-kind"),
    ("a party that is none outside", received, "kr", lambda s: asked(s, beneficiaries=("kr",)), "beneficiary-kind"),
    ("over before it is asked", received, "kr", lambda s: asked(s, until=START), "ended-before-asked"),
    ("to be answered before", received, "kr", lambda s: asked(s, answer_by=START), "ended-before-asked"),
    # answering
    ("own request", asking, "kr", lambda _: answered("n-other", "kr"), "own-request"),
    ("no request", received, "jp", lambda _: answered(), "unknown-consent-asked"),
    ("second answer", granted, "jp", lambda _: answered(consent="c-2"), "already-answered"),
    ("second answer, a refusal", granted, "jp", lambda _: answered(consent="c-2", granted=False), "already-answered"),
    ("the same consent", granted, "jp", lambda _: answered(), "consent-exists"),
    ("a grant after lapse", lapsing, "jp", lambda _: answered(until=UNTIL), "lapsed"),
    ("a grant after its end", lambda: later(asking(), 91), "jp", lambda _: answered(until=UNTIL + 30 * DAY), "lapsed"),
    ("another item", asking, "jp", lambda _: answered(item="i-2"), "other-terms"),
    ("another purpose", asking, "jp", lambda _: answered(purpose="training"), "other-terms"),
    ("more acts", asking, "jp", lambda _: answered(acts=("open", "pass-on")), "other-terms"),
    ("more bodies", asking, "jp", lambda _: answered(beneficiaries=("au", "us")), "other-terms"),
    ("more time", asking, "jp", lambda _: answered(until=UNTIL + DAY), "other-terms"),
    ("no end", asking, "jp", lambda _: answered(until=None), "ended-before-given"),
    ("ended", asking, "jp", lambda _: answered(until=START), "ended-before-given"),
    ("not entitled", asking, "jp", lambda _: answered("n-sato"), "no-role"),
    ("nobody", asking, "jp", lambda _: answered("n-ito"), "unknown-directory"),
    ("another key", asking, "jp", lambda _: answered(key="sato"), "unknown-key"),
    ("by somebody else", asking, "jp", lambda _: answered(by="n-sato"), "other-signer"),
    # dropping
    ("dropped twice", dropping, "kr", lambda _: ConsentDropped(request="r-c", reason="again"), "dropped"),
    ("another's request", asking, "jp", lambda _: ConsentDropped(request="r-c", reason=""), "not-yours"),
    ("dropping nothing", asking, "kr", lambda _: ConsentDropped(request="r-x", reason=""), "unknown-consent-asked"),
    # unasked
    ("another's item", received, "kr", lambda _: standing("n-other", "kr", item="i-1", topic=None), "not-originator"),
    ("about nothing", received, "jp", lambda _: standing(topic=None), "scope"),
    ("about both", received, "jp", lambda _: standing(item="i-1"), "scope"),
    ("no mark of the agreement", received, "jp", lambda _: standing(marks=("極密",)), "unknown-mark"),
    ("a refusal of nothing", received, "jp", lambda _: standing(granted=False, until=None), "nothing-asked"),
    ("no act", received, "jp", lambda _: standing(acts=("sell",)), "unknown-act"),
    # withdrawing
    ("no such consent", received, "jp", lambda _: withdrawn(), "unknown-consent"),
    ("another's consent", granted, "kr", lambda _: withdrawn("n-other", "kr"), "not-yours"),
    ("twice", withdrawing, "jp", lambda _: withdrawn(), "already-withdrawn"),
    ("ended already", lambda: later(granted(), 91), "jp", lambda _: withdrawn(), "lapsed"),
    ("withdrawn without role", granted, "jp", lambda _: withdrawn("n-sato"), "no-role"),
    ("withdrawn with another's key", granted, "jp", lambda _: withdrawn(key="sato"), "unknown-key"),
    # passing on
    ("not the holder", allowed, "kr", lambda s: passed_on(s, "n-other"), "not-holder"),
    ("no such copy", allowed, "kr", lambda s: passed_on(s, copy=2), "unknown-copy"),
    ("stale", allowed, "kr", lambda s: passed_on(s, after=bytes(32)), "stale-act"),
    ("no consent named", allowed, "kr", lambda s: passed_on(s, consents=()), "no-consent"),
    ("a body that the consent does not name", allowed, "kr", lambda s: passed_on(s, nationality="au"), "no-consent"),
    ("an unknown consent", allowed, "kr", lambda s: passed_on(s, consents=("c-9",)), "unknown-consent"),
    ("another purpose than the consent's", allowed, "kr", lambda s: passed_on(s, purpose="war"), "other-consent"),
    ("to a party", allowed, "kr", lambda s: passed_on(s, beneficiary="jp"), "no-third-party"),
    ("passed on already", done, "kr", passed_on, "copy-state"),
    ("after the end of the consent", lambda: later(allowed(), 91), "kr", passed_on, "lapsed"),
    # its receipt
    ("receipt of nothing", allowed, "kr", _receipt_of_nothing, "unknown-passed-on"),
    ("receipt by somebody else", done, "kr", lambda s: receipted(s, "n-other"), "no-role"),
    ("a stale receipt", done, "kr", lambda s: receipted(s, after=bytes(32)), "stale-act"),
]


@pytest.mark.parametrize(
    ("story", "author", "make", "code"), [each[1:] for each in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_is_refused(story: Callable[[], Story], author: str, make: Make, code: str) -> None:
    told_story = story()
    verdict = told_story.try_(author, make(told_story))
    assert isinstance(verdict, Rejection), verdict
    assert verdict.code == code


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: wanted(item="i-9"), "unknown-item"),
        (lambda: wanted("p-kim"), "no-role"),
        (lambda: wanted(key="kim"), "unknown-key"),
        (lambda: wanted(by="p-kim"), "unknown-key"),
        (lambda: wanted(relationship="jp-kr-2016/jp.us"), "unknown-agreement"),
    ],
)
def test_who_may_want_a_consent(make: Callable[[], Body], code: str) -> None:
    assert received().try_("kr", make()).code == code


def test_what_is_dropped_across_was_dropped_at_home_by_somebody_entitled() -> None:
    story = asking()
    record = story.write("kr", ConsentDropped(request="r-c", reason="cancelled"))
    assert story.registers["kr"].judge(record, story.now).code == "still-wanted"
    assert story.try_("kr", unwanted("p-kim")).code == "no-role"
    assert story.try_("kr", unwanted(request="r-x")).code == "unknown-consent-wanted"
    story.say("kr", unwanted())
    assert story.try_("kr", unwanted()).code == "dropped"


def test_what_is_dropped_is_answered_no_more_and_what_is_answered_not_dropped() -> None:
    """In the house that knows of the other's record; what it says all the same is refused there, once it is known."""
    story = dropping()
    record = story.write("jp", answered())
    assert story.registers["jp"].judge(record, story.now).code == "dropped"
    story = granted()
    story.say("kr", unwanted())
    record = story.write("kr", ConsentDropped(request="r-c", reason="late"))
    assert story.registers["kr"].judge(record, story.now).code == "already-answered"


@pytest.mark.parametrize("first", ["jp", "kr"])
def test_an_answer_and_a_dropping_that_cross_on_the_way_both_stand(first: str) -> None:
    story = asking()
    story.say("kr", unwanted())
    records = {
        "jp": story.write("jp", answered()),
        "kr": story.write("kr", ConsentDropped(request="r-c", reason="cancelled")),
    }
    for party, register in story.registers.items():
        for author in (party, "kr" if party == "jp" else "jp"):  # one's own first
            assert isinstance(register.take(records[author], story.now), Changes)
    rows = [story.row(party, "consent-asked", f"{RELATIONSHIP}/r-c") for party in ("jp", "kr")]
    assert rows[0] == rows[1]
    assert isinstance(rows[0], ConsentAskedRow)
    assert (rows[0].consent, rows[0].dropped is None) == ("c-1", False)
    again = story.write(first, answered(consent="c-2") if first == "jp" else ConsentDropped(request="r-c", reason="x"))
    assert isinstance(story.registers[first].judge(again, story.now), Rejection)


def test_a_wish_is_made_once_and_asked_as_it_was_signed() -> None:
    story = received()
    story.say("kr", wanted())
    assert story.try_("kr", wanted()).code == "request-exists"
    record = story.write("kr", asked(story, purpose="something else"))
    assert story.registers["kr"].judge(record, story.now).code == "other-terms"
    record = story.write("kr", asked(story, request="r-unsigned"))
    assert story.registers["kr"].judge(record, story.now).code == "unknown-consent-wanted"


def test_what_was_sent_back_was_not_given() -> None:
    story = told("given")
    story.say("kr", returned(story))
    record = story.write("kr", asked(story))
    assert story.registers["jp"].judge(record, story.now).code == "not-given"


def test_a_request_and_its_answer() -> None:
    story = asking()
    for party in ("jp", "kr"):
        row = story.row(party, "consent-asked", f"{RELATIONSHIP}/r-c")
        assert isinstance(row, ConsentAskedRow)
        assert (row.author, row.consent, row.lapsed(story.now)) == ("kr", None, False)
    assert story.row("jp", "consent-wanted", "r-c") is None
    story.say("jp", answered(conditions=("on paper only",), until=UNTIL - DAY))
    for party in ("jp", "kr"):
        row = story.row(party, "consent-asked", f"{RELATIONSHIP}/r-c")
        consent = story.row(party, "consent", f"{RELATIONSHIP}/c-1")
        assert isinstance(row, ConsentAskedRow)
        assert isinstance(consent, ConsentRow)
        assert (row.consent, consent.author, consent.conditions) == ("c-1", "jp", ("on paper only",))
        assert consent.holds(story.now)
        assert consent.holds(UNTIL - DAY - timedelta(microseconds=1))
        assert not consent.holds(UNTIL - DAY)


def test_a_refusal_answers_and_holds_nothing() -> None:
    story = asking()
    story.say("jp", answered(granted=False, until=None, reason="not now"))
    consent = story.row("kr", "consent", f"{RELATIONSHIP}/c-1")
    assert isinstance(consent, ConsentRow)
    assert not consent.holds(story.now)
    assert story.row("kr", *item_consents_key(RELATIONSHIP, "i-1")) is None
    assert story.try_("jp", withdrawn()).code == "lapsed"


def test_a_consent_is_listed_under_what_it_speaks_of_and_leaves_with_its_withdrawal() -> None:
    story = granted()
    story.say("jp", standing(consent="c-2", topic=None, marks=("極秘", "秘")))
    keys = consent_lists_of(RELATIONSHIP, "i-1", "missiles", "defence", LABEL.mark)
    assert len(keys) == len(set(keys)) == 8

    def listed_ids(party: str) -> set[str]:
        rows = [story.row(party, *key) for key in keys]
        return {entry.consent for row in rows if isinstance(row, ConsentListRow) for entry in row.consents}

    for party in ("jp", "kr"):
        assert listed_ids(party) == {"c-1", "c-2"}
    story.say("jp", withdrawn())
    story.say("jp", withdrawn(consent="c-2"))
    for party in ("jp", "kr"):
        assert listed_ids(party) == set()
        assert not [key for key in story.registers[party].rows if key[0] == "consent-list"]
        row = story.row(party, "consent", f"{RELATIONSHIP}/c-1")
        assert isinstance(row, ConsentRow)
        assert row.withdrawn == story.said["consent-withdrawal/1"].statement.at - timedelta(seconds=1)
        assert not row.holds(story.now)


def test_ended_consents_leave_the_list_and_live_ones_have_a_bound() -> None:
    story = received()
    for number in range(CONSENTS_LIVE_MAX):
        story.say("jp", standing(consent=f"c-{number}", until=story.now + DAY))
    assert story.try_("jp", standing(consent="c-more")).code == "too-many-consents"
    later(story, 2)
    story.say("jp", standing(consent="c-more"))
    rows = [row for key, row in story.registers["kr"].rows.items() if key[0] == "consent-list"]
    assert [entry.consent for row in rows if isinstance(row, ConsentListRow) for entry in row.consents] == ["c-more"]


@pytest.mark.parametrize(
    ("pattern", "speaks"),
    [
        ({"topic": "missiles"}, True),
        ({"topic": "radar"}, False),
        ({"topic": None, "subject": "defence"}, True),
        ({"topic": "missiles", "subject": "police"}, False),
        ({"topic": "missiles", "marks": ("極秘",)}, True),
        ({"topic": "missiles", "marks": ("秘",)}, False),
        ({"topic": None, "marks": ("秘", "極秘")}, True),
    ],
)
def test_a_pattern_speaks_of_what_it_names(pattern: dict[str, object], speaks: bool) -> None:
    story = received()
    story.say("jp", standing(**pattern))
    row = story.row("kr", "consent", f"{RELATIONSHIP}/c-1")
    assert isinstance(row, ConsentRow)
    assert row.speaks_of("i-1", "missiles", "defence", "極秘") is speaks
    keys = consent_lists_of(RELATIONSHIP, "i-1", "missiles", "defence", "極秘")
    assert any(story.row("kr", *key) is not None for key in keys) is speaks


def test_a_text_that_is_to_be_acknowledged_anew_hinders_no_question() -> None:
    """What was given under the text before is still another's, and its originator is still asked."""
    story = received()
    for register in story.registers.values():
        row = register.rows["agreement", RELATIONSHIP]
        assert isinstance(row, AgreementRow)
        register.rows["agreement", RELATIONSHIP] = replace(row, acknowledged=())
    story.say("kr", wanted())
    story.say("kr", asked(story))
    story.say("jp", answered())
    story.say("kr", pass_requested())
    story.say("kr", approved(story))
    story.say("kr", passed_on(story))


# ---- passing on ------------------------------------------------------------------------------------------------------


def test_passing_on_is_registered_on_both_sides() -> None:
    story = done()
    for party in ("jp", "kr"):
        row = story.row(party, "passed-on", f"{RELATIONSHIP}/i-1/000001")
        assert isinstance(row, PassedOnRow)
        assert (row.beneficiary, row.consents, row.receipt) == ("us", ("c-1",), None)
        assert copy_of(story, party).state == "passed on"
    request = story.row("kr", "request", "r-p")
    assert isinstance(request, RequestRow)
    assert request.consignment == story.said["pass-on/1"].id
    story.say("kr", receipted(story, "n-rei"))
    row = story.row("jp", "passed-on", f"{RELATIONSHIP}/i-1/000001")
    assert isinstance(row, PassedOnRow)
    assert row.receipt == "no. 14/2026"
    assert story.try_("kr", receipted(story)).code == "already-received"


def test_a_pattern_lets_pass_on_too() -> None:
    story = received()
    story.say("jp", standing(marks=("極秘",)))
    story.say("kr", pass_requested())
    story.say("kr", approved(story))
    assert isinstance(story.try_("kr", passed_on(story)), Changes)


def test_a_firm_and_its_state_must_both_be_allowed_to_gain() -> None:
    acme = {"beneficiary": "acme", "beneficiary_kind": "firm", "nationality": "us"}
    story = received()
    story.say("jp", standing(beneficiaries=("acme",)))
    story.say("kr", pass_requested(recipients=("acme",), onward=type(ONWARD)(recipient="age1…", **acme)))
    story.say("kr", approved(story))
    assert story.try_("kr", passed_on(story, **acme)).code == "no-consent"
    story.say("jp", standing(consent="c-2", beneficiaries=("us",)))
    assert isinstance(story.try_("kr", passed_on(story, consents=("c-1", "c-2"), **acme)), Changes)


def test_a_withdrawal_that_could_not_be_known_undoes_nothing() -> None:
    """Tokyo withdraws while the record of passing on is on its way: what was done under the consent stays."""
    story = allowed()
    record = story.write("kr", passed_on(story))
    ours = story.write("jp", withdrawn())
    assert isinstance(story.registers["jp"].take(ours, story.now), Changes)
    later(story, 1)
    assert isinstance(story.registers["jp"].judge(record, story.now), Changes)
    assert isinstance(story.registers["kr"].take(ours, story.now), Changes)
    known = story.write("kr", passed_on(story))
    assert story.registers["kr"].judge(known, story.now).code == "lapsed"


def test_passing_on_carries_out_its_own_approved_request() -> None:
    def at_home(story: Story, **changes: object) -> str:
        record = story.write("kr", passed_on(story, **changes))
        return story.registers["kr"].judge(record, story.now).code

    story = asking()
    story.say("jp", answered())
    assert at_home(story) == "unknown-request"
    story.say("kr", pass_requested())
    assert at_home(story) == "not-approved"
    story.say("kr", approved(story, granted=False))
    assert at_home(story) == "not-approved"
    story.say("kr", approved(story))
    assert at_home(story) == ""
    story.say("jp", standing(beneficiaries=("au", "us"), consent="c-2"))
    assert at_home(story, beneficiary="au", nationality="au", consents=("c-2",)) == "other-item"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signer": "p-rei"}, "not-holder"),
        ({"copy": None}, "other-act"),
        ({"onward": None}, "other-act"),
        ({"act": "give"}, "other-act"),
        ({"manner": "oral"}, "other-act"),
        ({"copy": 7}, "unknown-copy"),
        ({"key": "rei"}, "unknown-key"),
    ],
)
def test_who_asks_to_pass_on(changes: dict[str, object], code: str) -> None:
    assert received().try_("kr", pass_requested(**changes)).code == code


# ---- showing ---------------------------------------------------------------------------------------------------------


def showing(**changes: object) -> Story:
    """Tokyo has asked to show item i-1 to Kim; Seoul has assured, and Abe approved."""
    story = told("peered")
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    story.say("jp", item())
    story.say("jp", requested(act="show", manner="oral", **changes))
    story.say("jp", assurance_asked(act="show", **changes))
    story.say("kr", assured(story))
    story.say("jp", approved_in_tokyo(story))
    return story


def test_what_is_shown_stands_on_both_sides_without_a_copy() -> None:
    story = showing()
    record = story.say("jp", shown(story))
    for party in ("jp", "kr"):
        row = story.row(party, "shown", f"{RELATIONSHIP}/i-1/{record.id.hex()}")
        assert isinstance(row, ShownRow)
        assert (row.manner, row.to) == ("oral", ("n-kim",))
        assert not [row for row in story.registers[party].rows.values() if isinstance(row, CopyRow)]
    theirs = story.row("kr", "item", "i-1")
    assert isinstance(theirs, ItemRow)
    assert (theirs.relationship, theirs.provided, theirs.copies) == (RELATIONSHIP, "air defence", 0)
    request = story.row("jp", "request", "r-1")
    assert isinstance(request, RequestRow)
    assert request.consignment == record.id
    assert story.try_("jp", shown(story)).code == "already-given"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": ("n-lee",)}, "other-recipient"),
        ({"label": type(LABEL)(policy="jp", mark="秘", originator="jp")}, "wrong-mark"),
        ({"alternative": None}, "wrong-mark"),
        ({"purpose": "training"}, "other-terms"),
        ({"topic": "radar"}, "other-terms"),
        ({"assurances": ()}, "other-assurance"),
        ({"agreement": bytes(32)}, "other-digest"),
        ({"at": START + 30 * DAY}, "not-yet"),
        ({"visit": "v-1"}, "unknown-visit"),
        ({"by": "n-abe"}, "other-signer"),
        ({"request": "r-2"}, "unknown-asked"),
    ],
)
def test_a_showing_that_is_refused(changes: dict[str, object], code: str) -> None:
    story = showing()
    assert story.try_("jp", shown(story, **changes)).code == code


def test_what_was_assured_for_giving_is_not_shown_and_the_other_way_round() -> None:
    from register.story import consigned

    story = told("assured")
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    assert story.try_("jp", shown(story)).code == "other-terms"
    assert showing().try_("jp", consigned(showing())).code in {"other-terms", "no-assurance"}


def test_without_assurance_nothing_is_shown() -> None:
    story = told("peered")
    story.say("jp", listed("sato", ("officer",), nationality="jp", serves="jp"))
    story.say("jp", item())
    story.say("jp", requested(act="show", manner="oral"))
    story.say("jp", assurance_asked(act="show"))
    story.say("jp", approved_in_tokyo(story))
    assert story.try_("jp", shown(story)).code == "no-assurance"


def test_at_home_a_showing_is_the_one_that_was_approved() -> None:
    story = showing()
    record = story.write("jp", shown(story, manner="visual"))
    assert story.registers["jp"].judge(record, story.now).code == "other-terms"
