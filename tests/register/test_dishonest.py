"""What a party that runs a program of its own cannot make the other one's register say.

Each record here is well formed, signed by the keys it names, and stands in its author's chain: nothing but a rule stops
it.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from comity.marking.label import Label
from comity.record.bodies import Body
from comity.register.rows.consents import PassedOnRow
from comity.register.verdict import Changes, Verdict
from register.consenting import answered, asked, asking, passed_on, person_of_seoul, standing, wanted
from register.consenting import received as held_in_seoul
from register.families import derived, registered
from register.families import received as given_to_two
from register.story import ALTERNATIVE, KEYS, LABEL, Story, listed
from register.test_ending import notified, reclassified, remarked


def abroad(story: Story, author: str, body: Body) -> Verdict:
    """What the other party makes of a record that its author's own house might never write."""
    record = story.write(author, body)
    return story.registers["kr" if author == "jp" else "jp"].judge(record, story.now)


# ---- consent, and passing on ---------------------------------------------------------------------------------------


def test_the_provider_cannot_pass_on_what_the_recipient_holds() -> None:  # consent.md (12)
    """Tokyo lists the holder's pseudonym with a key of its own, and has Seoul's consent to a pattern."""
    story = held_in_seoul()
    story.say("kr", standing("n-other", "kr"))
    story.say("jp", listed("kim", ("reader",), signing_key=KEYS["sato"].public, nationality="jp", serves="jp"))
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
