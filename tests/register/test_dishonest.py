"""What a party that runs a program of its own cannot make the other one's register say.

Each record here is well formed, signed by the keys it names, and stands in its author's chain: nothing but a rule stops
it.
"""

from __future__ import annotations

from comity.record.bodies import Body
from comity.register.rows.consents import PassedOnRow
from comity.register.verdict import Changes, Verdict
from register.consenting import passed_on, person_of_seoul, standing
from register.consenting import received as held_in_seoul
from register.families import derived, registered
from register.families import received as given_to_two
from register.story import KEYS, Story, listed


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
