"""The rules for custody: accepted on both sides, or rejected on both sides (``spec/custody.md``)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from comity.record.bodies import Body, CopyMade
from comity.record.bodies.custody import DoubleEnvelope
from comity.register.rows import CopyRow
from comity.register.rows.custody import RECIPIENT_NUMBERS_FROM, LinkRow
from comity.register.rows.duties import DutiesRow
from comity.register.verdict import Changes, Rejection
from register.hands import (
    carried,
    copy,
    digest,
    found,
    given,
    handed_over,
    lost,
    reproduced,
    sent_back,
    taken_back,
    taken_over,
)
from register.story import RELATIONSHIP, Story, consigned, listed, returned, told

Make = Callable[[Story], Body]
ENVELOPE = DoubleEnvelope(
    inner_mark="極秘",
    inner_address="Air defence desk",
    outer_recipient="Ministry of National Defense, Seoul",
    outer_sender="Ministry of Defense, Tokyo",
    register_number="2026/117",
)


def held() -> Story:
    return given()


def handed() -> Story:
    story = given()
    story.say("kr", handed_over(story))
    return story


def missing() -> Story:
    story = given()
    story.say("kr", lost(story))
    return story


def on_its_way() -> Story:
    return given("documentary")


def sealed_and_sent() -> Story:
    return given(receipted=False)


def lost_on_its_way() -> Story:
    story = given("documentary")
    story.say("jp", lost(story, "n-oda", "jp"))
    return story


ACCEPTED: list[tuple[Callable[[], Story], str, Make, str]] = [
    (held, "kr", reproduced, "held"),
    (held, "kr", lambda story: reproduced(story, "n-kim", "n-other", "n-kim"), "held"),
    (held, "kr", handed_over, "in transit"),
    (held, "kr", lambda story: handed_over(story, "n-rei"), "in transit"),
    (held, "kr", lost, "lost"),
    (held, "kr", lambda story: lost(story, "n-other"), "lost"),
    (handed, "kr", taken_over, "held"),
    (handed, "kr", lambda story: carried(story, "n-lee", "kr"), "in transit"),
    (handed, "kr", lambda story: lost(story, "n-lee"), "lost"),
    (missing, "kr", found, "held"),
    (missing, "kr", lambda story: found(story, "n-rei"), "held"),
    (on_its_way, "kr", lambda story: taken_over(story, "n-kim"), "held"),
    (on_its_way, "jp", carried, "in transit"),
    (on_its_way, "jp", lambda story: carried(story, packing=ENVELOPE), "in transit"),
    (on_its_way, "kr", lambda story: carried(story, "n-lee", "kr"), "in transit"),
    (on_its_way, "jp", lambda story: lost(story, "n-oda", "jp"), "lost"),
    (on_its_way, "kr", lost, "lost"),
    (lost_on_its_way, "kr", lambda story: taken_over(story, "n-kim"), "held"),
    (lost_on_its_way, "kr", found, "in transit"),
]

REFUSED: list[tuple[Callable[[], Story], str, Make, str]] = [
    # whose copy it is
    (held, "jp", lambda story: handed_over(story, "n-oda", "n-oda", "jp"), "not-keeper"),
    (held, "jp", lambda story: reproduced(story, "n-oda", "n-oda", party="jp"), "not-keeper"),
    (handed, "jp", lambda story: taken_over(story, "n-oda", "jp"), "not-keeper"),
    (missing, "jp", lambda story: found(story, "n-oda", "jp"), "not-keeper"),
    (held, "jp", lambda story: lost(story, "n-oda", "jp"), "copy-state"),
    (handed, "jp", lambda story: lost(story, "n-oda", "jp"), "copy-state"),
    (handed, "jp", carried, "copy-state"),
    (sealed_and_sent, "jp", carried, "copy-state"),
    (sealed_and_sent, "jp", lambda story: lost(story, "n-oda", "jp"), "copy-state"),
    (held, "kr", lambda story: handed_over(story, copy=2), "unknown-copy"),
    # who signs
    (held, "kr", lambda story: handed_over(story, "n-other", "n-lee"), "not-holder"),
    (held, "kr", lambda story: handed_over(story, "n-kim", key="other"), "unknown-key"),
    (held, "kr", lambda story: handed_over(story, "n-nobody", key="kim"), "unknown-directory"),
    (held, "kr", lambda story: reproduced(story, "n-other"), "not-holder"),
    (held, "kr", lambda story: reproduced(story, "n-rei"), "not-holder"),
    (missing, "kr", lambda story: found(story, "n-other"), "not-holder"),
    (held, "kr", lambda story: lost(story, "n-oda", key="oda"), "unknown-directory"),
    # a forged chain
    (held, "kr", lambda story: handed_over(story, after=bytes(32)), "stale-act"),
    (held, "kr", lambda story: lost(story, after=bytes(32)), "stale-act"),
    (handed, "kr", lambda story: taken_over(story, "n-lee"), "not-taker"),
    (handed, "kr", lambda story: taken_over(story, "n-kim"), "not-taker"),
    (handed, "kr", lambda story: taken_over(story, "n-other", key="kim"), "unknown-key"),
    (handed, "kr", lambda story: taken_over(story, after=story.said["consignment/1"].id), "stale-act"),
    (handed, "kr", lambda story: carried(story, "n-lee", "kr", after=story.said["consignment/1"].id), "stale-act"),
    (on_its_way, "kr", lambda story: taken_over(story, "n-kim", after=story.said["receipt/1"].id), "stale-act"),
    (on_its_way, "jp", lambda story: carried(story, after=bytes(32)), "stale-act"),
    (on_its_way, "kr", lambda story: carried(story, "n-kim", "kr"), "same-hands"),
    # in which state
    (held, "kr", lambda story: handed_over(story, taker="n-kim"), "same-hands"),
    (held, "kr", lambda story: handed_over(story, taker="n-oda"), "unknown-holder"),
    (held, "kr", lambda story: taken_over(story, "n-kim"), "copy-state"),
    (held, "kr", lambda story: carried(story, "n-lee", "kr"), "copy-state"),
    (held, "kr", found, "copy-state"),
    (handed, "kr", handed_over, "copy-state"),
    (handed, "kr", reproduced, "copy-state"),
    (missing, "kr", reproduced, "copy-state"),
    (missing, "kr", handed_over, "copy-state"),
    (missing, "kr", lost, "copy-state"),
    (on_its_way, "kr", handed_over, "copy-state"),
    # reproduction
    (held, "kr", lambda story: reproduced(story, first=2), "copy-number"),
    (held, "kr", lambda story: reproduced(story, first=1_002), "copy-number"),
    (held, "kr", lambda story: reproduced(story, "n-kim", "n-nobody"), "unknown-holder"),
    (held, "kr", lambda story: reproduced(story, "n-kim", "n-oda"), "unknown-holder"),
    (held, "kr", lambda story: reproduced(story, marks=("군사 Ⅱ급 비밀",)), "wrong-mark"),
    (held, "kr", lambda story: reproduced(story, marks=()), "wrong-mark"),
    (
        held,
        "kr",
        lambda story: reproduced(
            story, copies=(CopyMade(1_001, "n-kim", digest(1)), CopyMade(1_001, "n-kim", digest(2)))
        ),
        "copy-number",
    ),
]


@pytest.mark.parametrize(("until", "author", "make", "state"), ACCEPTED)
def test_accepted_alike_by_both(until: Callable[[], Story], author: str, make: Make, state: str) -> None:
    story = until()
    assert isinstance(story.try_(author, make(story)), Changes)
    story.say(author, make(story))
    assert copy(story).state == state
    assert copies(story, "jp") == copies(story, "kr")


@pytest.mark.parametrize(("until", "author", "make", "code"), REFUSED)
def test_refused_alike_by_both(until: Callable[[], Story], author: str, make: Make, code: str) -> None:  # (4)
    story = until()
    verdict = story.try_(author, make(story))
    assert isinstance(verdict, Rejection)
    assert verdict.code == code


def copies(story: Story, party: str) -> dict[str, object]:
    rows = story.registers[party].rows
    return {key: row for (_, key), row in rows.items() if isinstance(row, CopyRow | LinkRow)}


def chain(story: Story, number: int = 1, party: str = "jp") -> list[str]:
    """The kinds of the links of a copy's chain of custody, in order."""
    rows = sorted(story.registers[party].rows.items())
    place = f"{RELATIONSHIP}/i-1/{number:06d}/"
    return [row.kind for (_, key), row in rows if isinstance(row, LinkRow) and key.startswith(place)]


def test_a_copy_that_was_copied_is_counted_from_1001_and_says_from_which() -> None:  # (7)
    story = given()
    story.say("kr", reproduced(story, "n-kim", "n-other", "n-lee"))
    assert (copy(story, 1_001).holder, copy(story, 1_002).holder) == ("n-other", "n-lee")
    assert copy(story, 1_002).made_from == 1
    assert copy(story, 1_001).consignment == copy(story).consignment
    again = reproduced(story, "n-other", "n-kim", first=1_003, copy=1_001)
    story.say("kr", again)
    assert copy(story, 1_003).made_from == 1_001
    assert chain(story, 1_003) == ["reproduction/1"]
    assert copy(story).last == story.said["consignment/1"].id  # nothing became of the copy that was copied


def test_whoever_gives_numbers_below_1001() -> None:  # (7)
    story = told("assured")
    for number, code in ((RECIPIENT_NUMBERS_FROM, "copy-number"), (RECIPIENT_NUMBERS_FROM - 1, "")):
        copies_made = (CopyMade(number, "n-kim", digest(number)),)
        assert story.try_("jp", consigned(story, copies=copies_made)).code == code


def test_the_chain_names_every_change_of_hands_in_order() -> None:  # (2)
    story = given("documentary")
    story.say("jp", carried(story, packing=ENVELOPE))
    story.say("kr", carried(story, "n-lee", "kr"))
    story.say("kr", taken_over(story, "n-kim"))
    story.say("kr", handed_over(story))
    story.say("kr", taken_over(story))
    expected = ["carriage/1", "carriage/1", "take-over/1", "hand-over/1", "take-over/1"]
    assert chain(story) == chain(story, party="kr") == expected


def test_the_carriers_of_each_side_follow_on_their_own() -> None:  # (10)
    story = given("documentary")
    story.say("jp", listed("ito", ("reader",), nationality="jp", serves="jp"))
    sent_off = story.said["consignment/1"].id
    story.say("jp", carried(story))
    assert story.try_("jp", carried(story)).code == "same-hands"
    assert story.try_("jp", carried(story, "n-ito", after=sent_off)).code == "stale-act"
    assert story.try_("kr", carried(story, "n-lee", "kr", after=story.said["carriage/1"].id)).code == "stale-act"
    story.say("jp", carried(story, "n-ito"))
    story.say("kr", carried(story, "n-lee", "kr", after=sent_off))
    assert story.try_("kr", carried(story, "n-rei", "kr", after=sent_off)).code == "stale-act"
    assert [each.by for each in copy(story).carriers] == ["n-ito", "n-lee"]
    assert copy(story).custodian == "n-lee"


def test_what_has_gone_over_to_the_other_side_is_carried_by_it() -> None:  # (10)
    story = given("documentary")
    story.say("jp", carried(story))
    story.say("kr", carried(story, "n-lee", "kr"))
    home = story.registers["jp"].judge(story.write("jp", carried(story, "n-nao")), story.now)
    assert isinstance(home, Rejection)
    assert home.code == "gone-over"


def test_on_its_way_back_it_goes_from_the_keepers_carriers_to_the_givers() -> None:  # (10)
    story = given("documentary")
    story.say("kr", taken_over(story, "n-kim"))
    story.say("kr", sent_back(story))
    assert copy(story).going_back
    story.say("jp", carried(story))
    story.say("kr", lost(story))
    story.say("kr", found(story))
    assert (copy(story).state, copy(story).custodian) == ("in transit", None)
    story.say("kr", carried(story, "n-lee", "kr"))
    story.say("jp", carried(story))
    assert [each.by for each in copy(story).carriers] == ["n-lee", "n-oda"]
    home = story.registers["kr"].judge(story.write("kr", carried(story, "n-rei", "kr")), story.now)
    assert isinstance(home, Rejection)
    assert home.code == "gone-over"
    story.say("jp", taken_back(story))
    assert (copy(story).state, copy(story).sent, copy(story).carriers) == ("returned", None, ())


def test_what_was_handed_over_cannot_be_handed_over_again_by_an_old_signature() -> None:
    story = given()
    first = handed_over(story)
    story.say("kr", first)
    story.say("kr", taken_over(story))
    story.say("kr", handed_over(story, "n-other", "n-kim"))
    story.say("kr", taken_over(story, "n-kim"))
    assert story.try_("kr", first).code == "stale-act"


def test_a_receipt_says_that_the_record_arrived_and_not_the_thing() -> None:  # (11)
    story = given("equipment", ("n-kim", "n-other"))
    assert {copy(story, number).state for number in (1, 2)} == {"in transit"}
    assert open_deeds(story) == {"give-receipt"}
    story.say("kr", taken_over(story, "n-kim"))
    assert open_deeds(story) == {"give-receipt"}
    story.say("kr", taken_over(story, "n-other", copy=2))
    assert open_deeds(story) == set()


def test_a_thing_lost_on_its_way_is_still_owed_a_receipt_until_it_arrives() -> None:  # (15)
    story = given("documentary", ("n-kim", "n-other"))
    story.say("kr", lost(story))
    story.say("kr", taken_over(story, "n-other", copy=2))
    assert open_deeds(story) == {"give-receipt"}
    story.say("kr", taken_over(story, "n-kim"))
    assert open_deeds(story) == set()


@pytest.mark.parametrize("way", ["given", "handed over"])
def test_what_was_lost_and_found_on_its_way_is_receipted_when_it_arrives(way: str) -> None:  # (14, 15)
    story = given("documentary") if way == "given" else handed()
    story.say("kr", lost(story))
    story.say("kr", found(story))
    assert open_deeds(story) == {"give-receipt"}
    story.say("kr", taken_over(story, "n-kim" if way == "given" else "n-other"))
    assert open_deeds(story) == set()


def test_a_hand_over_opens_the_duty_of_a_receipt_and_the_taker_discharges_it() -> None:  # (15)
    story = given()
    assert open_deeds(story) == set()
    story.say("kr", handed_over(story))
    assert open_deeds(story) == {"give-receipt"}
    story.say("kr", taken_over(story))
    assert open_deeds(story) == set()


def test_copies_are_marked_as_they_are_made() -> None:  # (15)
    story = given()
    story.say("kr", reproduced(story))
    assert open_deeds(story) == set()
    made = [duty.event for row in duties(story, "kr") for duty in row.duties if duty.event == "derivative-made"]
    assert made == ["derivative-made"]


def duties(story: Story, party: str) -> list[DutiesRow]:
    return [row for row in story.registers[party].rows.values() if isinstance(row, DutiesRow)]


def open_deeds(story: Story) -> set[str]:
    found_open = [
        {duty.deed for row in duties(story, party) for duty in row.duties if duty.open and duty.deed in DEEDS}
        for party in ("jp", "kr")
    ]
    assert found_open[0] == found_open[1]
    return found_open[0]


DEEDS = ("give-receipt", "mark")


def test_what_comes_back_undelivered_is_on_its_way_to_nobody() -> None:
    story = given("documentary", receipted=False)
    story.say("jp", carried(story))
    story.say("kr", returned(story))
    assert copy(story).state == "returned"
    assert (copy(story).taker, copy(story).sent, copy(story).carriers) == (None, None, ())


def test_who_has_left_takes_nothing_and_his_registry_hands_over_for_him() -> None:
    story = given()
    story.say("kr", listed("kim", ("reader",), withdrawn=True))
    assert story.try_("kr", handed_over(story)).code == "no-role"
    assert story.try_("kr", handed_over(story, "n-rei", "n-kim")).code == "same-hands"
    story.say("kr", handed_over(story, "n-rei"))
    assert copy(story).taker == "n-other"


# ---- what both may say at once --------------------------------------------------------------------------------------


def at_once(*makes: tuple[str, Make], form: str = "documentary") -> Story:
    story = given(form)
    story.at_once(*((author, make(story)) for author, make in makes))
    assert copies(story, "jp") == copies(story, "kr")
    return story


def test_a_thing_that_arrives_while_its_sender_has_it_carried_is_held() -> None:  # (12)
    story = at_once(("jp", carried), ("kr", lambda story: taken_over(story, "n-kim")))
    assert copy(story).state == "held"
    assert set(chain(story)) == {"carriage/1", "take-over/1"}


def test_a_thing_that_arrives_while_its_sender_believes_it_lost_is_held() -> None:  # (13)
    story = at_once(("jp", lambda story: lost(story, "n-oda", "jp")), ("kr", lambda story: taken_over(story, "n-kim")))
    assert copy(story).state == "held"


def test_both_say_at_once_that_it_is_lost() -> None:  # (13)
    story = at_once(("jp", lambda story: lost(story, "n-oda", "jp")), ("kr", lost))
    assert copy(story).state == "lost"


def test_carriers_of_both_sides_sign_at_once_and_both_know_who_has_it_last() -> None:  # (10)
    story = at_once(
        ("jp", carried),
        ("kr", lambda story: carried(story, "n-lee", "kr")),
    )
    assert [each.by for each in copy(story).carriers] == ["n-oda", "n-lee"]


def test_it_is_carried_on_while_the_other_side_believes_it_lost() -> None:  # (12)
    story = at_once(("jp", carried), ("kr", lost))
    assert (copy(story).state, copy(story).custodian) == ("lost", "n-oda")


def test_what_its_sender_says_too_late_changes_nothing_even_after_the_next_hand_over() -> None:  # (12)
    story = given("documentary")
    late = story.write("jp", carried(story))
    assert isinstance(story.registers["jp"].take(late, story.now), Changes)
    for make in (lambda: taken_over(story, "n-kim"), lambda: handed_over(story)):
        record = story.write("kr", make())
        assert isinstance(story.registers["kr"].take(record, story.now), Changes)
        story._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
        verdict = story.registers["jp"].take(record, story.now)
        assert isinstance(verdict, Changes), verdict
    assert isinstance(story.registers["kr"].take(late, story.now), Changes)
    assert copies(story, "jp") == copies(story, "kr")
    assert copy(story).taker == "n-other"


def test_a_giver_that_knows_better_cannot_carry_what_is_held() -> None:  # (12)
    story = given("documentary")
    story.say("kr", taken_over(story, "n-kim"))
    home = story.registers["jp"].judge(story.write("jp", carried(story, after=copy(story).last)), story.now)
    assert isinstance(home, Rejection)
    assert home.code == "copy-state"
