"""Negotiations: what is accepted, what is not, and what becomes of acts that cross (``spec/lifecycle.md``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from comity.record.bodies import Body
from comity.record.bodies import negotiation as said
from comity.register.rows import AgreementRow
from comity.register.rows.negotiation import VersionRow
from comity.register.verdict import Changes, Rejection
from register.story import adopted, asked, listed
from register.talks import CHANNEL, RUNNING, TEXT, Talks, opened

AMENDED = bytes([7]) * 32


@pytest.fixture
def talks() -> Talks:
    talks = Talks()
    talks.open()
    return talks


def code(talks: Talks, party: str, body: Body) -> str:
    verdict = talks.try_(party, body)
    assert isinstance(verdict, Rejection), verdict
    return verdict.code


def test_from_the_first_draft_to_a_signature_that_both_know_of(talks: Talks) -> None:
    assert talks.state() == "negotiated"
    talks.initial()
    assert talks.state() == "initialled"
    talks.approve()
    assert talks.state() == "approved"
    talks.sign()
    for party in ("jp", "kr"):
        assert talks.state(party) == "signed"
        talks.say(party, talks.act(party, said.EntryTold, channel="diplomatic", note="NV 7", day="2026-11-21"))
    talks.hear()
    assert talks.row("jp") == talks.row("kr")
    assert talks.row().standing.entered == {"jp": "2026-11-21", "kr": "2026-11-21"}


def test_both_sign_at_once(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    for party in ("jp", "kr"):
        talks.say(party, talks.on_text(party, said.AgreementSigned))
    talks.hear()
    assert talks.state("jp") == talks.state("kr") == "approved"
    for party in ("jp", "kr"):
        talks.say(party, talks.exchanged(party))
    talks.hear()
    assert talks.state("jp") == talks.state("kr") == "signed"


@pytest.mark.parametrize("first", ["jp", "kr"])
def test_a_withdrawal_and_a_signature_that_cross_leave_nothing_signed_on_either_side(talks: Talks, first: str) -> None:
    talks.initial()
    talks.approve()
    talks.say("jp", talks.on_text("jp", said.AgreementSigned))
    talks.hear()
    talks.say("kr", talks.on_text("kr", said.AgreementSigned))  # kr knows of both: it is bound if jp is
    talks.say("jp", talks.act("jp", said.NegotiationWithdrawn, reason="the Diet is against it"))
    assert talks.state("kr") == "approved"
    talks.hear(first)
    talks.hear()
    assert talks.state("jp") == talks.state("kr") == "withdrawn"
    assert code(talks, "jp", talks.exchanged("jp")) == "unknown-signature"


def test_what_both_have_signed_nobody_takes_back(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    talks.sign()
    for party in ("jp", "kr"):
        withdrawal = talks.act(party, said.NegotiationWithdrawn, reason="on second thoughts")
        verdict = talks.try_(party, withdrawal)
        assert isinstance(verdict, Rejection)
        assert "nothing takes that back" in verdict.sentence


def test_who_has_met_the_others_signature_waits_for_nothing_but_that_the_other_knows(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    talks.say("jp", talks.on_text("jp", said.AgreementSigned))
    talks.hear()
    talks.say("kr", talks.on_text("kr", said.AgreementSigned))
    postponed = talks.act("kr", said.SignaturePostponed, reason="not today")
    assert code(talks, "kr", postponed) == "no-such-step"


def test_a_signature_put_off_an_hour_before_leaves_no_half_signed_agreement(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    talks.say("jp", talks.on_text("jp", said.AgreementSigned))
    talks.hear()
    talks.say("kr", talks.act("kr", said.SignaturePostponed, reason="the Assembly is to be heard first"))
    talks.hear()
    for party in ("jp", "kr"):
        now = talks.row(party).standing
        assert (now.state, now.signatures, now.postponed) == ("approved", {}, True)
    adoption = adopted("kr", negotiation="x-1", digest=TEXT)
    assert code(talks, "jp", adoption) == "not-signed"


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_a_channel_is_that_of_the_two_and_opened_once(talks: Talks) -> None:
    assert code(talks, "jp", said.ChannelOpened(relationship=CHANNEL, peer="kr")) == "channel-exists"
    assert code(talks, "jp", said.ChannelOpened(relationship="talks/kr.us", peer="kr")) == "other-peer"
    assert code(talks, "jp", said.ChannelOpened(relationship="talks/jp.us", peer="us")) == "unknown-peer"


def test_an_agreement_is_not_called_as_channels_are(talks: Talks) -> None:
    assert code(talks, "jp", adopted("kr", relationship="talks/jp.kr")) == "reserved-name"


def test_what_rests_on_an_agreement_is_not_said_in_a_channel(talks: Talks) -> None:
    verdict = talks.try_("jp", asked(), CHANNEL)
    assert isinstance(verdict, Rejection)
    assert verdict.code == "not-in-channel"


def test_in_the_directory_of_a_channel_each_names_its_own(talks: Talks) -> None:
    talks.say("jp", listed("ito", ("officer",), nationality="jp", serves="jp", withdrawn=True))
    assert code(talks, "jp", listed("lee", ("officer",))) == "pseudonym-taken"


OPENINGS: list[tuple[dict[str, object], str]] = [
    ({}, "negotiation-exists"),
    ({"negotiation": "x-2", "by": "n-abe"}, "no-role"),
    ({"negotiation": "x-2", "delegates": ("n-abe",)}, "no-delegate"),
    ({"negotiation": "x-2", "about": "amendment"}, "which-agreement"),
    ({"negotiation": "x-2", "on": RUNNING}, "which-agreement"),
    ({"negotiation": "x-2", "about": "amendment", "on": "jp-us-2007/jp.us"}, "other-relationship"),
    ({"negotiation": "x-2", "about": "amendment", "on": RUNNING}, "not-acknowledged"),
]


@pytest.mark.parametrize(("changes", "expected"), OPENINGS)
def test_what_opens_no_negotiation(talks: Talks, changes: dict[str, object], expected: str) -> None:
    assert code(talks, "jp", opened(**changes)) == expected


def test_no_negotiation_without_a_channel() -> None:
    talks = Talks()
    for register in talks.registers.values():
        del register.rows["channel", CHANNEL]
    assert code(talks, "jp", opened()) == "unknown-channel"


REFUSED: dict[str, tuple[Callable[[Talks], Body], str]] = {
    "somebody who does not take part": (lambda talks: talks.draft("jp", "n-kim"), "unknown-directory"),
    "a delegate of the other side": (
        lambda talks: talks.act("jp", said.DelegationNamed, "n-lee", delegates=("n-lee",)),
        "unknown-directory",
    ),
    "one who names himself out": (
        lambda talks: talks.act("jp", said.DelegationNamed, delegates=("n-abe",)),
        "no-delegate",
    ),
    "one without the role": (
        lambda talks: talks.act("jp", said.DelegationNamed, "n-abe", delegates=("n-abe",)),
        "no-role",
    ),
    "a draft under another name": (lambda talks: talks.draft("jp", draft="jp-2"), "draft-name"),
    "the other's name for a draft": (lambda talks: talks.draft("jp", draft="kr-1"), "draft-name"),
    "initials under nothing": (
        lambda talks: talks.act("jp", said.Initialled, draft="jp-1", digest=TEXT),
        "no-such-step",
    ),
    "a stale act": (lambda talks: talks.draft("jp", after=bytes(32)), "stale-act"),
    "another negotiation": (lambda talks: talks.draft("jp", negotiation="x-9"), "unknown-negotiation"),
    "a withdrawal by one without the role": (
        lambda talks: talks.act("jp", said.NegotiationWithdrawn, "n-abe", reason="no"),
        "no-role",
    ),
    "a name that is not the signer's": (lambda talks: talks.draft("jp", by="n-abe"), "other-signer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_before_the_initials(talks: Talks, case: str) -> None:
    body, expected = REFUSED[case]
    assert code(talks, "jp", body(talks)) == expected


AFTER: dict[str, tuple[Callable[[Talks], Body], str]] = {
    "another digest": (lambda talks: talks.on_text("jp", said.ApprovalTold, digest=bytes(32)), "other-digest"),
    "another draft": (lambda talks: talks.on_text("jp", said.ApprovalTold, draft="jp-7"), "no-such-step"),
    "no approval at home": (lambda talks: talks.on_text("jp", said.ApprovalTold), "not-approved-here"),
    "a day that is none": (lambda talks: talks.on_text("jp", said.ApprovalTold, day="2026-02-30"), "bad-day"),
    "a day ahead": (lambda talks: talks.on_text("jp", said.ApprovalTold, day="2026-12-24"), "day-ahead"),
    "a signature before the approvals": (lambda talks: talks.on_text("jp", said.AgreementSigned), "no-such-step"),
    "a signature by one without the role": (
        lambda talks: talks.on_text("jp", said.AgreementSigned, "n-abe"),
        "no-role",
    ),
    "a postponement of nothing": (
        lambda talks: talks.act("jp", said.SignaturePostponed, reason="later"),
        "no-such-step",
    ),
    "an entry of nothing": (
        lambda talks: talks.act("jp", said.EntryTold, channel="diplomatic", note="NV 7", day="2026-11-21"),
        "no-such-step",
    ),
    "an exchange of nothing": (lambda talks: talks.exchanged("jp"), "unknown-signature"),
    "approval at home on a day that is none": (lambda talks: talks.at_home("jp", day="2026-13-01"), "bad-day"),
    "approval at home on a day ahead": (lambda talks: talks.at_home("jp", day="2026-12-24"), "day-ahead"),
    "approval at home of another draft": (lambda talks: talks.at_home("jp", draft="jp-2"), "no-such-step"),
    "approval at home of another negotiation": (
        lambda talks: talks.at_home("jp", negotiation="x-9"),
        "unknown-negotiation",
    ),
    "approval at home in another's name": (lambda talks: talks.at_home("jp", by="p-oda"), "other-signer"),
}


@pytest.mark.parametrize("case", AFTER)
def test_what_is_refused_after_the_initials(talks: Talks, case: str) -> None:
    talks.initial()
    body, expected = AFTER[case]
    assert code(talks, "jp", body(talks)) == expected


def test_who_does_not_take_part_any_more_does_nothing_more(talks: Talks) -> None:
    talks.say("kr", talks.act("kr", said.DelegationNamed, delegates=("n-lee",)))
    assert code(talks, "kr", talks.draft("kr", "n-kim")) == "no-delegate"
    talks.say("kr", talks.draft("kr"))


def test_an_act_is_not_said_twice_nor_by_another_key(talks: Talks) -> None:
    draft = talks.draft("jp")
    talks.say("jp", draft)
    assert code(talks, "jp", draft) == "stale-act"  # replayed
    forged = msgspec.structs.replace(talks.draft("jp"), note="otherwise")
    assert code(talks, "jp", forged) == "bad-signature"
    initials = talks.on_text("jp", said.Initialled)
    assert code(talks, "kr", initials) in {"unknown-directory", "bad-signature"}  # the other side says it as its own


def test_the_other_side_refuses_what_its_author_could_not_say(talks: Talks) -> None:
    talks.initial()
    record = talks.write("jp", talks.on_text("jp", said.AgreementSigned))  # its own register was not asked
    verdict = talks.registers["kr"].judge(record, talks.now)
    assert isinstance(verdict, Rejection)
    assert verdict.code == "no-such-step"


def test_a_note_for_entry_follows_on_the_signature(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    talks.sign()
    early = talks.act("jp", said.EntryTold, channel="diplomatic", note="NV 7", day="2026-11-19")
    assert code(talks, "jp", early) == "day-before"
    talks.say("jp", talks.act("jp", said.EntryTold, channel="diplomatic", note="NV 7", day="2026-11-21"))
    again = talks.act("jp", said.EntryTold, channel="diplomatic", note="NV 8", day="2026-11-21")
    assert code(talks, "jp", again) == "no-such-step"


def test_a_side_says_so_much_and_no_more(talks: Talks) -> None:
    talks.initial()
    talks.approve()
    for _ in range(253):
        talks.say("jp", talks.act("jp", said.SignaturePostponed, reason="later"))
    assert code(talks, "jp", talks.act("jp", said.SignaturePostponed, reason="later")) == "too-many-acts"


# ---- amendments ----------------------------------------------------------------------------------------------------


def amending(*, signed: bool = True, **changes: object) -> Talks:
    """An agreement runs; its amendment is negotiated, and signed by both or by Tokyo alone."""
    talks = Talks()
    talks.run()
    talks.open("amendment", RUNNING)
    talks.say("jp", talks.draft("jp", **{"version": "2026-11-21", "digest": AMENDED, **changes}))
    talks.hear()
    for party in ("kr", "jp"):
        talks.say(party, talks.on_text(party, said.Initialled))
    talks.hear()
    talks.approve()
    if signed:
        talks.sign()
    else:
        talks.say("jp", talks.on_text("jp", said.AgreementSigned))
        talks.hear()
    return talks


def running(talks: Talks, party: str = "jp") -> AgreementRow:
    row = talks.registers[party].rows["agreement", RUNNING]
    assert isinstance(row, AgreementRow)
    return row


def test_an_amendment_that_one_side_did_not_sign_runs_nowhere() -> None:
    talks = amending(signed=False)
    for party, other in (("jp", "kr"), ("kr", "jp")):
        for named in ({}, {"negotiation": "x-1"}):
            body = adopted(other, digest=AMENDED, version="2026-11-21", **named)
            assert code(talks, party, body) == "not-signed"
    assert running(talks).superseded is None


def test_an_amendment_that_both_signed_replaces_the_text_and_the_old_one_is_kept() -> None:
    talks = amending()
    for party, other in (("jp", "kr"), ("kr", "jp")):
        assert running(talks, party).superseded is not None
        talks.say(party, adopted(other, digest=AMENDED, version="2026-11-21", negotiation="x-1"))
        row = running(talks, party)
        assert (row.digest, row.version, row.superseded, row.acknowledged) == (AMENDED, "2026-11-21", None, ())
        kept = [each for each in talks.registers[party].rows.values() if isinstance(each, VersionRow)]
        assert [(each.version, each.negotiation) for each in kept] == [("2016-11-23", None), ("2026-11-21", "x-1")]


def test_an_amendment_runs_from_its_day_and_not_before() -> None:
    talks = amending(since=Talks().now + timedelta(days=30))
    body = adopted("kr", digest=AMENDED, version="2026-11-21", negotiation="x-1")
    assert code(talks, "jp", body) == "not-yet"
    same = adopted("kr", version="2016-11-23", history=bytes([3]) * 32)
    talks.say("jp", same)  # the text that runs goes on running, told by another history
    superseded = running(talks).superseded
    assert superseded is not None
    talks.now = superseded
    assert isinstance(talks.try_("jp", body), Changes)


def test_another_text_of_the_same_version_needs_no_signature_but_acknowledgement_anew() -> None:
    talks = Talks()
    talks.run()
    talks.say("jp", adopted("kr", version="2016-11-23", digest=AMENDED))
    assert running(talks).acknowledged == ()
    assert code(talks, "jp", adopted("kr", version="2017-01-01", digest=AMENDED)) == "not-signed"


def test_the_text_signed_is_the_one_that_runs() -> None:
    talks = amending()
    body = adopted("kr", digest=bytes([9]) * 32, version="2026-11-21", negotiation="x-1")
    assert code(talks, "jp", body) == "not-signed"
    assert code(talks, "jp", adopted("kr", digest=AMENDED, version="2026-11-21", negotiation="x-2")) == (
        "unknown-negotiation"
    )


def test_a_text_of_another_agreement_amends_nothing() -> None:
    talks = Talks()
    talks.run()
    talks.open("amendment", RUNNING)
    assert code(talks, "jp", talks.draft("jp", agreement="jp-us-2007")) == "other-agreement"
