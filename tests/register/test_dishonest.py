"""What a party that runs a program of its own cannot make the other one's register say.

Each record here is well formed, signed by the keys it names, and stands in its author's chain: nothing but a rule stops
it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from comity.marking.label import Label
from comity.record.bodies import Assured, Body, CopyMade
from comity.record.bodies.house import FacilityRegistered
from comity.record.bodies.notices import DisputeOpened, LawAsked
from comity.record.person_act import unsigned
from comity.record.statement import Record, SeenCheckpoint
from comity.register.rows import AskedRow
from comity.register.rows.consents import PassedOnRow
from comity.register.rows.duties import DutiesRow
from comity.register.verdict import Changes, Rejection, Verdict
from register.consenting import answered, asked, asking, passed_on, person_of_seoul, shown, standing, wanted
from register.consenting import received as held_in_seoul
from register.families import derived, registered, reported, translated
from register.families import received as given_to_two
from register.hands import reproduced
from register.story import (
    ALTERNATIVE,
    CONDITIONS,
    LABEL,
    RELATIONSHIP,
    START,
    YEAR,
    Story,
    borrowed,
    consigned,
    item,
    listed,
    signed,
)
from register.story import asked as assurance_asked
from register.test_ending import destroyed, ended, notified, reclassified, remarked


def abroad(story: Story, author: str, body: Body) -> Verdict:
    """What the other party makes of a record that its author's own house might never write."""
    record = story.write(author, body)
    return story.registers["kr" if author == "jp" else "jp"].judge(record, story.now)


def test_nobody_goes_by_a_name_of_the_other_party() -> None:  # register.md (6)
    """Were a copy in the name of somebody in Tokyo, he would see the item, cleared or not."""
    story = given_to_two()
    for key in ("oda", "other"):
        assert story.try_("kr", listed(key, ("reader",), pseudonym="n-oda")).code == "pseudonym-taken"
    assert story.try_("jp", listed("sato", ("reader",), pseudonym="n-kim")).code == "pseudonym-taken"
    assert isinstance(story.try_("kr", listed("kim", (), withdrawn=True)), Changes)


# ---- consent, and passing on ---------------------------------------------------------------------------------------


def test_the_provider_cannot_pass_on_what_the_recipient_holds() -> None:  # consent.md (12)
    """Tokyo goes by the holder's pseudonym, with a key of its own, and has Seoul's consent to a pattern."""
    story = held_in_seoul()
    story.say("kr", standing("n-other", "kr"))
    borrowed(story, "kim", "sato")
    assert abroad(story, "jp", passed_on(story, "n-kim", "jp", key="sato")).code == "not-holder"


def made_from_missiles(topic: str, consented: str) -> Story:
    """Seoul makes something from an item about missiles and files it under a topic; Tokyo has consented to another."""
    story = given_to_two()
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    story.say("kr", listed("other", ("release-authority",)))
    story.say("kr", person_of_seoul("other", ("release-authority",)))
    story.say("kr", registered(topic=topic))
    story.say("kr", derived(topic=topic))
    story.say("jp", standing(topic=consented))
    return story


def test_a_pattern_is_not_widened_by_what_its_maker_calls_what_he_made() -> None:  # consent.md (6)
    story = made_from_missiles("weather", "weather")
    body = passed_on(story, item="i-2", after=story.said["derivation/1"].id)
    assert abroad(story, "kr", body).code == "other-consent"


def test_a_pattern_about_everything_it_was_made_from_is_about_it() -> None:  # consent.md (6)
    story = made_from_missiles("weather", "missiles")
    body = passed_on(story, item="i-2", after=story.said["derivation/1"].id)
    verdict = abroad(story, "kr", body)
    assert isinstance(verdict, Changes), verdict
    assert any(isinstance(put.row, PassedOnRow) for put in verdict.puts)


@pytest.mark.parametrize(
    "label",
    [
        replace(LABEL, mark="秘"),
        replace(LABEL, mark=""),
        replace(LABEL, categories=("nothing to speak of",)),
        replace(LABEL, releasable_to=("us",)),
        ALTERNATIVE,
    ],
    ids=["lower", "declassified", "categories", "releasable", "own ladder"],
)
def test_a_consent_is_not_asked_under_another_label(label: Label) -> None:  # consent.md (3)
    """Whoever answers decides about what the question shows him."""
    story = held_in_seoul()
    story.say("kr", wanted())
    assert abroad(story, "kr", asked(story, label=label)).code == "other-label"


def test_a_consent_is_asked_under_the_label_that_its_asker_could_know() -> None:  # consent.md (3)
    """Two notices are on their way to Seoul: what it asks meanwhile names the mark before them, or either."""
    story = held_in_seoul()
    for change, mark in (("l-1", "秘"), ("l-2", "極秘"), ("l-3", "")):
        story.say("jp", reclassified(story, change=change, mark=mark))
        story.say("jp", notified(story, change=change, mark=mark))
    story.say("kr", wanted())
    for mark in ("極秘", "秘", ""):
        assert isinstance(abroad(story, "kr", asked(story, label=replace(LABEL, mark=mark))), Changes)
    story.say("kr", remarked(story, change="l-3", mark="", copies=(1,)))
    assert abroad(story, "kr", asked(story, label=LABEL)).code == "other-label"


def test_an_answer_about_one_item_is_about_no_pattern_besides() -> None:  # consent.md (5)
    story = asking()
    for wider in ({"topic": "missiles"}, {"subject": "defence"}, {"marks": ("極秘",)}):
        assert story.try_("jp", answered(**wider)).code == "scope"


# ---- levels, and what is made ----------------------------------------------------------------------------------------


def raised(proved: bool) -> Story:
    """An item was lowered to 秘 and raised again; whether Seoul has marked it again."""
    story = given_to_two()
    story.say("jp", listed("abe", ("release-authority",), nationality="jp", serves="jp"))
    for change, mark in (("l-0", "秘"), ("l-1", "極秘")):
        story.say("jp", reclassified(story, change=change, mark=mark))
        story.say("jp", notified(story, change=change, mark=mark))
    if proved:
        story.say("kr", remarked(story, mark=ALTERNATIVE.mark))
    story.say("kr", registered(label=LOW))
    return story


LOW = replace(ALTERNATIVE, mark="군사 Ⅲ급 비밀")


def test_a_mark_that_was_proved_is_not_undercut_by_an_older_one() -> None:  # ending.md (16)
    story = raised(proved=True)
    assert abroad(story, "kr", derived(label=LOW)).code == "lower-mark"
    assert abroad(story, "kr", reproduced(story, marks=("秘", LOW.mark))).code == "wrong-mark"


def test_nor_is_one_whose_notice_was_seen() -> None:  # ending.md (16)
    """What has to be stamped waits for a person; whoever cites the notice goes by it none the less."""
    story = raised(proved=False)
    low = derived(label=LOW)
    assert isinstance(abroad(story, "kr", low), Changes)
    notice = story.said["level-change/1"].statement.sequence
    record = story.write("kr", low, seen=SeenCheckpoint(notice + 1, bytes(32)))
    assert story.registers["jp"].judge(record, story.now).code == "lower-mark"


def test_nothing_is_made_from_a_copy_that_is_being_destroyed() -> None:  # lineage.md (5)
    story = given_to_two()
    story.say("kr", registered())
    story.say("kr", destroyed(story, witnesses=1))
    assert abroad(story, "kr", derived()).code == "copy-closed"


def test_what_was_made_is_not_given_as_something_new() -> None:  # register.md (6)
    """Seoul made it from Tokyo's information, and gives it to Tokyo as its own, two levels lower."""
    story = translated()
    story.say("kr", listed("rei", ("officer",)))
    story.say("jp", listed("oda", ("assurance-officer", "reader"), nationality="jp", serves="jp"))
    label = Label(policy="kr", mark="군사 Ⅲ급 비밀", originator="kr")
    asked_for = assurance_asked(request="r-9", item="i-2", label=label, recipients=("n-oda",))
    story.now += timedelta(seconds=1)
    said_abroad(story, "kr", asked_for)
    request = story.row("jp", "asked", f"{RELATIONSHIP}/r-9")
    assert isinstance(request, AskedRow)
    fields = {"request": "r-9", "item": "i-2", "recipient": "n-oda", "conditions": CONDITIONS, "by": "n-oda"}
    answer = signed(Assured(**fields, after=request.record, signature=unsigned()), "n-oda")
    assurance = said_abroad(story, "jp", answer)
    body = consigned(
        story,
        request="r-9",
        item="i-2",
        label=label,
        alternative=Label(policy="jp", mark="秘", originator="kr"),
        originator="kr",
        copies=(CopyMade(3, "n-oda", bytes(32)),),
        assurances=(assurance.id,),
    )
    assert abroad(story, "kr", body).code == "derived"


def said_abroad(story: Story, author: str, body: Body) -> Record:
    """A record that the register in Tokyo takes; what that in Seoul makes of it does not matter."""
    record = story.write(author, body)
    assert isinstance(story.registers["jp"].take(record, story.now), Changes)
    story._next[record.statement.chain] = (record.statement.sequence + 1, record.id)
    return record


# ---- what did not come to whoever speaks of it ---------------------------------------------------------------------


@pytest.mark.parametrize("registered_there", [True, False])
def test_of_what_did_not_come_to_somebody_he_hears_what_is_heard_of_nothing(registered_there: bool) -> None:
    """Tokyo has ``i-9``, or has not; Seoul guesses its name and says that it was lost, or that it has shown it."""
    story = held_in_seoul()
    if registered_there:
        story.say("jp", item(item="i-9"))
    shows = shown(story, "n-kim", "kr", item="i-9", to=("n-other",))
    for body in (reported(items=("i-9",), copies=()), shows):
        verdict = abroad(story, "kr", body)
        assert isinstance(verdict, Rejection)
        assert verdict.code == "not-received"
        assert verdict.sentence == "item 'i-9' did not come to 'kr' in this relationship"


@pytest.mark.parametrize("label", [replace(LABEL, mark="秘"), replace(LABEL, categories=("x",)), ALTERNATIVE])
def test_what_is_shown_on_has_the_label_under_which_it_came(label: Label) -> None:  # consent.md (16)
    story = held_in_seoul()
    assert abroad(story, "kr", shown(story, "n-kim", "kr", label=label, to=("n-other",))).code == "other-label"
    assert isinstance(abroad(story, "kr", shown(story, "n-kim", "kr", to=("n-other",))), Changes)


# ---- duties ----------------------------------------------------------------------------------------------------------


def test_nothing_goes_by_a_name_under_which_something_else_is_owed() -> None:  # duties.md (3)
    """Tokyo asks for laws: what Seoul owes is neither answered by another notice of that name, nor used up by it."""
    story = given_to_two()
    story.say("jp", listed("abe", ("agreement-authority",), nationality="jp", serves="jp"))
    ask = LawAsked(request="q-1", matter="protection", by="n-abe", signature=unsigned())
    story.say("jp", signed(ask, "n-abe"))
    story.say("kr", listed("rei", ("registry",)))
    for body in (reported(incident="q-1"), ended(story, "n-rei", ended="q-1")):
        assert abroad(story, "kr", body).code == "subject-taken"
    story.say("kr", ended(story, "n-rei"))
    assert abroad(story, "kr", ended(story, "n-rei")).code == "subject-taken"
    assert isinstance(abroad(story, "kr", ended(story, "n-rei", ended="e-2")), Changes)


def test_what_one_side_owes_by_its_own_texts_is_nothing_to_dispute() -> None:  # notices.md (4)
    """Seoul has registered a contractor's site: that it is to be inspected only Seoul can see."""
    story = given_to_two()
    story.say("jp", listed("abe", ("agreement-authority",), nationality="jp", serves="jp"))
    site = FacilityRegistered(
        facility="hanbit",
        mark="군사 Ⅱ급 비밀",
        until=START + YEAR,
        conditions=(),
        evidence="a visit",
        nature="contractor",
        under=(RELATIONSHIP,),
        signature=unsigned(),
    )
    story.say("kr", signed(site, "root", "kr"))
    row = story.row("kr", "duty", f"{RELATIONSHIP}/hanbit/first")
    assert isinstance(row, DutiesRow)
    guess = DisputeOpened(
        dispute="x-9",
        about="duty",
        subject="hanbit/first",
        obligation=row.duties[0].obligation,
        question="is it inspected?",
        position="it is not",
        by="n-abe",
        signature=unsigned(),
    )
    verdict = abroad(story, "jp", signed(guess, "n-abe"))
    assert isinstance(verdict, Rejection)
    unknown = abroad(story, "jp", signed(replace(guess, subject="hanbat/first"), "n-abe"))
    assert isinstance(unknown, Rejection)
    assert verdict.code == unknown.code == "unknown-duty"
    assert verdict.sentence.replace("hanbit", "hanbat") == unknown.sentence
