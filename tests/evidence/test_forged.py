"""A dishonest exporter: he holds every key of his own house and rewrites whatever nobody else signed or cosigned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.agreement.load import parse_agreement, parse_layer
from comity.decision import model as decision
from comity.decision.compiled import compile_agreement
from comity.decision.decide import decide
from comity.errors import Rejected
from comity.evidence.model import Shown, Text, Withheld
from comity.flows.house import file_digest
from comity.ledger.note import Note, cosign
from comity.record import bodies
from comity.record.bodies import Body
from comity.record.card import read_card, write_card
from comity.record.encoding import encode
from comity.record.person_act import sign_act
from comity.record.statement import DOMESTIC
from evidence.made import ZONES, Forger, Made, changing, codes, told
from world import library

Said = list[tuple[datetime, Body]]


@pytest.fixture
def forger(made: Made) -> Forger:
    return Forger(made, made.others["jp-all"])


def refused(data: bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        told(data)
    return caught.value


def person(said: Said, role: str) -> str:
    return next(body.person for _, body in said if isinstance(body, bodies.PersonEnrolled) and role in body.roles)


def permit(said: Said) -> bodies.Decided:
    return next(
        body for _, body in said if isinstance(body, bodies.Decided) and (body.act, body.outcome) == ("give", "permit")
    )


def case_of(body: bodies.Decided) -> decision.Case:
    return msgspec.json.decode(body.case, type=decision.Case)


def decided_again(forger: Forger, body: bodies.Decided, case: decision.Case) -> bodies.Decided:
    """The decision that the rules really give for another case."""
    agreement = parse_agreement(library("jp-kr-2016.toml"), "a")
    layer = parse_layer(library("house.toml"), "l", agreement)
    outcome = decide(compile_agreement(agreement, [layer], tzdata=ZONES.version), case)
    return msgspec.structs.replace(
        body,
        outcome=str(type(outcome).__struct_config__.tag),
        case=msgspec.Raw(encode(case)),
        decision=msgspec.Raw(encode(outcome)),
    )


def replaced(said: Said, old: Body, new: Body) -> Said:
    return [(at, new if body is old else body) for at, body in said]


def test_an_honest_rewriting_loses_the_anchor(forger: Forger) -> None:
    """(25): the same words under new signatures are not what the witnessed consignment commits to."""
    error = refused(forger.signed(forger.rewritten(forger.domestic())))
    assert (error.code, error.place) == (
        "missing-record",
        "the anchor of the consignment (record 5 of jp-kr-2016/jp.kr/jp)",
    )
    error = refused(forger.signed(forger.rewritten(forger.domestic(), anchors=())))
    assert error.code == "decision-not-shown"


def test_the_rewriting_itself_is_sound(forger: Forger) -> None:
    """What the tests below change is what is refused: all else about a rewritten chain verifies."""
    said = [(at, body) for at, body in forger.domestic() if not isinstance(body, bodies.Decided) or body.act != "give"]
    hidden = Withheld(len(said), bytes(32), "permits", ())
    evidence = forger.rewritten(said, anchors=())
    chain = msgspec.structs.replace(evidence.chains[2], records=(*evidence.chains[2].records, hidden))
    verified = told(forger.signed(evidence, chains=(*evidence.chains[:2], chain)))
    assert {each.code for each in verified.open} == {"decision-not-shown"}
    assert not [each for each in verified.lines if each.ground == "anchored"]


def test_a_decision_that_does_not_come_out_again(forger: Forger) -> None:
    """(23)"""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    cut = msgspec.structs.replace(case, facts=msgspec.structs.replace(case.facts, attestations=()))
    error = refused(
        forger.signed(
            forger.rewritten(replaced(said, old, msgspec.structs.replace(old, case=msgspec.Raw(encode(cut)))))
        )
    )
    assert error.code == "replay"
    assert "'needs-consent'" in error.sentence


@pytest.mark.parametrize("field", ["act", "item", "outcome", "agreement"])
def test_a_decision_recorded_under_other_words_than_its_case(forger: Forger, field: str) -> None:
    """(23)"""
    said = forger.domestic()
    old = permit(said)
    other = {"act": "open", "item": "i-other", "outcome": "forbidden", "agreement": bytes(32)}[field]
    error = refused(
        forger.signed(forger.rewritten(replaced(said, old, msgspec.structs.replace(old, **{field: other}))))
    )
    assert error.code in {"other-case", "other-item"}


def test_an_approval_that_nobody_gave(forger: Forger) -> None:
    """(24): the decision counts an approval of which there is no record."""
    said = [(at, body) for at, body in forger.domestic() if not isinstance(body, bodies.Approved)]
    error = refused(forger.signed(forger.rewritten(said)))
    assert (error.code, error.place) == ("missing-approval", "the decision (record 6 of domestic/jp)")


def test_a_refusal_counted_as_an_approval(forger: Forger) -> None:
    """(24)"""
    said = forger.domestic()
    abe = person(said, "release-authority")
    said = changing(bodies.Approved, lambda body: forger.act(msgspec.structs.replace(body, granted=False), abe))(said)
    assert refused(forger.signed(forger.rewritten(said))).code == "no-approval"


def test_an_approval_by_the_requester(forger: Forger) -> None:
    """(18) without the role; (24) with a role that somebody lent him."""
    said = forger.domestic()
    sato = person(said, "officer")
    root = forger.house.keys.root()

    def by_sato(body: Any) -> Body:
        return forger.act(msgspec.structs.replace(body, by=sato), sato)

    without = changing(bodies.Approved, by_sato)(said)
    assert refused(forger.signed(forger.rewritten(without))).code == "no-role"

    def promoted(body: Any) -> Body:
        if body.person != sato:
            return body
        changed = msgspec.structs.replace(body, roles=("officer", "release-authority"))
        return sign_act(changed, DOMESTIC, "jp", "root", root.public, root.sign)

    lent = changing(bodies.PersonEnrolled, promoted)(without)
    assert refused(forger.signed(forger.rewritten(lent))).code == "missing-approval"  # the decision counts another's
    alone = [(at, body) for at, body in lent if not isinstance(body, bodies.Decided) or body.act != "give"]
    assert refused(forger.signed(forger.rewritten(alone, anchors=()))).code == "own-request"


def test_a_decision_made_honestly_on_an_approval_by_the_requester(forger: Forger) -> None:
    """(23): made again, it is no permit; and one that is none anchors nothing."""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    own = decision.Approval(request=case.request, by=case.requester)
    changed = decided_again(
        forger, old, msgspec.structs.replace(case, facts=msgspec.structs.replace(case.facts, approvals=(own,)))
    )
    assert changed.outcome == "needs-consent"
    assert refused(forger.signed(forger.rewritten(replaced(said, old, changed)))).code == "missing-approval"


def test_a_persons_signature_by_another_key(forger: Forger) -> None:
    """(18)"""
    said = forger.domestic()
    abe, sato = person(said, "release-authority"), person(said, "officer")
    key = forger.house.keys.person(sato)

    def by_another(body: Any) -> Body:
        return sign_act(body, DOMESTIC, "jp", abe, key.public, key.sign)

    error = refused(forger.signed(forger.rewritten(changing(bodies.Approved, by_another)(said))))
    assert error.code == "unknown-key"
    assert error.place.startswith("the person's signature in the approval")


def test_somebody_who_enrolled_himself(forger: Forger) -> None:
    """(18)"""
    said = forger.domestic()
    abe = person(said, "release-authority")
    itself = changing(bodies.PersonEnrolled, lambda body: forger.act(body, abe) if body.person == abe else body)(said)
    error = refused(forger.signed(forger.rewritten(itself)))
    assert error.code == "key-not-shown"


@pytest.mark.parametrize(
    ("place", "kind", "code"),
    [
        (0, "consignment/1", "nothing-given"),
        (0, "acknowledgement/1", "not-acknowledged"),
        (0, "assurance-request/1", "missing-request"),
        (1, "acknowledgement/1", "not-acknowledged"),
        (1, "assurance/1", "missing-assurance"),
        (1, "directory/1", "key-not-shown"),
        (1, "receipt/1", "not-received"),
        (2, "agreement/1", "other-text"),
        (2, "person/1", "key-not-shown"),
        (2, "release-request/1", "missing-request"),
        (2, "approval/1", "missing-approval"),
        (2, "decision/1", "missing-record"),
    ],
)
def test_a_record_that_is_left_out(forger: Forger, place: int, kind: str, code: str) -> None:
    """(16): what is needed is shown, or said to be withheld, or missed."""
    assert refused(forger.without(place, kind)).code == code


def test_a_consignment_without_its_anchor(forger: Forger) -> None:
    """(25)"""
    assert refused(forger.signed(anchors=())).code == "decision-not-shown"


@pytest.mark.parametrize(
    ("field", "code"), [("salt", "wrong-basis"), ("decision", "missing-record"), ("record", "missing-record")]
)
def test_a_wrong_anchor(forger: Forger, field: str, code: str) -> None:
    """(25)"""
    anchor = forger.evidence.anchors[0]
    changed = msgspec.structs.replace(anchor, **{field: bytes(32)})
    assert refused(forger.signed(anchors=(changed,))).code == code


def test_an_anchor_to_another_decision(forger: Forger) -> None:
    """(25)"""
    other = forger.evidence.decision
    anchor = msgspec.structs.replace(forger.evidence.anchors[0], decision=other)
    assert refused(forger.signed(anchors=(anchor,))).code == "wrong-basis"


def test_swapped_checkpoints(forger: Forger) -> None:
    """(11)"""
    own, theirs, domestic = forger.evidence.chains
    swapped = (
        msgspec.structs.replace(own, checkpoint=theirs.checkpoint),
        msgspec.structs.replace(theirs, checkpoint=own.checkpoint),
        domestic,
    )
    error = refused(forger.signed(chains=swapped))
    assert error.place == "the checkpoint of jp-kr-2016/jp.kr/jp"


def test_a_checkpoint_over_other_records(forger: Forger) -> None:
    """(11) (15): the exporter's own log key signs another tree, which the other party never cosigned."""
    own = forger.evidence.chains[0]
    records = [each for each in own.records if isinstance(each, Shown)]
    other = forger.proved(own.name, [each.envelope for each in records])
    error = refused(forger.signed(chains=forger.chain(0, msgspec.structs.replace(own, checkpoint=other.checkpoint))))
    assert error.code in {"bad-size", "beyond-checkpoint", "not-included"}
    assert error.place.startswith("the inclusion proof")


def test_a_cosignature_made_by_oneself(forger: Forger) -> None:
    """(11): the exporter's witness key is not the other party's; under its name it fails."""
    own = forger.evidence.chains[0]
    note = Note.parse(own.checkpoint)
    alone = Note(note.text, note.signatures[:1])
    forged = cosign(note.text, "comity/kr/witness", forger.house.keys.witness, 1)
    unknown = Note(note.text, (*alone.signatures, forged))
    verified = told(forger.signed(chains=forger.chain(0, msgspec.structs.replace(own, checkpoint=unknown.encode()))))
    assert verified.chains[0].witness == ""
    altered = msgspec.structs.replace(forged, key_id=note.signatures[1].key_id)
    claimed = Note(note.text, (*alone.signatures, altered))
    error = refused(forger.signed(chains=forger.chain(0, msgspec.structs.replace(own, checkpoint=claimed.encode()))))
    assert (error.code, error.place) == ("bad-signature", "the checkpoint of jp-kr-2016/jp.kr/jp")


def test_without_a_cosignature_the_story_is_only_attested(forger: Forger) -> None:
    """(11) (30)"""
    own = forger.evidence.chains[0]
    note = Note.parse(own.checkpoint)
    alone = Note(note.text, note.signatures[:1]).encode()
    verified = told(forger.signed(chains=forger.chain(0, msgspec.structs.replace(own, checkpoint=alone))))
    of_jp = [each for each in verified.lines if each.party == "jp"]
    assert {each.status for each in of_jp} == {"attested"}
    assert not [each for each in verified.lines if each.ground == "anchored"]
    assert next(each for each in verified.lines if each.code == "receipt/1").status == "proved"


def test_another_agreement_text(forger: Forger) -> None:
    """(17) (21)"""
    evidence = forger.evidence
    longer = Text("agreement", evidence.texts[0].content + b"# more\n")
    assert refused(forger.signed(texts=(longer, *evidence.texts[1:]))).code == "other-text"
    assert refused(forger.signed(texts=evidence.texts[1:])).code == "missing-text"
    twice = (*evidence.texts, evidence.texts[0])
    assert refused(forger.signed(texts=twice)).code == "other-text"


def test_another_agreement_adopted_under_the_digest_that_both_acknowledged(forger: Forger) -> None:
    """(17) (21)"""
    weaker = library("jp-kr-2016.toml").replace('clause = "7.5"\nacts = ["give"]', 'clause = "7.5"\nacts = ["show"]', 1)
    content = weaker.encode()
    assert content != library("jp-kr-2016.toml").encode()
    texts = (Text("agreement", content), *forger.evidence.texts[1:])

    def adopting(body: Any) -> Body:
        return msgspec.structs.replace(body, text=file_digest(content))

    said = changing(bodies.AgreementAdopted, adopting)(forger.domestic())
    assert refused(forger.signed(forger.rewritten(said, texts=texts))).code == "other-digest"

    digest = bytes.fromhex(parse_agreement(weaker, "weaker").digest)
    under = changing(bodies.AgreementAdopted, lambda body: msgspec.structs.replace(adopting(body), digest=digest))(said)
    error = refused(forger.signed(forger.rewritten(under, texts=texts)))
    assert (error.code, error.place) == ("other-digest", "the consignment (record 5 of jp-kr-2016/jp.kr/jp)")


def test_another_history(forger: Forger) -> None:
    """(24): under the hypothetical history the agreement had lapsed; the recorded state is not what it gives."""
    content = library("jp-kr-2016.hypothetical.history.toml").encode()
    texts = tuple(Text("history", content) if text.role == "history" else text for text in forger.evidence.texts)
    said = changing(bodies.AgreementAdopted, lambda body: msgspec.structs.replace(body, history=file_digest(content)))(
        forger.domestic()
    )
    assert refused(forger.signed(forger.rewritten(said, texts=texts))).code == "other-standing"


def test_without_its_layer_the_decision_is_another(forger: Forger) -> None:
    """(23)"""
    texts = tuple(text for text in forger.evidence.texts if text.role != "layer")
    said = changing(bodies.AgreementAdopted, lambda body: msgspec.structs.replace(body, layers=()))(forger.domestic())
    assert refused(forger.signed(forger.rewritten(said, texts=texts))).code == "replay"


def test_an_export_that_was_not_permitted(forger: Forger) -> None:
    """(26)"""
    record = next(each.record for each in told(forger.signed()).lines if each.code == "decision/1")
    assert refused(forger.signed(decision=bytes.fromhex(record))).code == "no-permit"
    assert refused(forger.signed(decision=bytes(32))).code == "missing-record"
    at = forger.evidence.at.replace(year=2025)
    assert refused(forger.signed(at=at)).code == "no-permit"


def test_another_item_or_relationship(forger: Forger) -> None:
    """(19)"""
    assert refused(forger.signed(item="i-another")).code == "other-item"
    assert refused(forger.signed(relationship="jp-kr-2016/kr.jp")).code == "wrong-chain"


def test_records_out_of_place(forger: Forger) -> None:
    """(12) (13)"""
    own, theirs, domestic = forger.evidence.chains
    backwards = msgspec.structs.replace(own, records=own.records[::-1])
    assert refused(forger.signed(chains=(backwards, theirs, domestic))).code == "wrong-place"
    twice = msgspec.structs.replace(own, records=(own.records[0], *own.records))
    assert refused(forger.signed(chains=(twice, theirs, domestic))).code == "wrong-place"
    moved = msgspec.structs.replace(own.records[-1], index=own.records[-1].index + 1)
    shifted = msgspec.structs.replace(own, records=(*own.records[:-1], moved))
    assert refused(forger.signed(chains=(shifted, theirs, domestic))).code == "wrong-place"
    assert refused(forger.signed(chains=(theirs, own, domestic))).code == "wrong-chain"
    foreign = msgspec.structs.replace(own, records=domestic.records)
    error = refused(forger.signed(chains=(foreign, theirs, domestic)))
    assert error.code == "wrong-place"


def test_a_broken_link(forger: Forger) -> None:
    """(14): neighbours that do not name one another, in a chain that nobody witnesses."""
    said = forger.domestic()
    (at, first), *rest = said
    evidence = forger.rewritten(said)
    other = forger.rewritten([(at.replace(year=2020), first), *rest])
    records = [other.chains[2].records[0], *evidence.chains[2].records[1:]]
    chain = forger.proved(evidence.chains[2].name, [each.envelope for each in records if isinstance(each, Shown)])
    error = refused(forger.signed(evidence, chains=(*evidence.chains[:2], chain)))
    assert (error.code, error.place) == ("broken-link", "the enrolment (record 1 of domestic/jp)")


def test_a_card_of_somebody_else_for_the_other_party(forger: Forger, made: Made) -> None:
    """(8) (10) (13): with another root the other party's records no longer verify; its fingerprint is another."""
    genuine = read_card(forger.evidence.cards[1])
    root = forger.house.keys.root()
    own = write_card(msgspec.structs.replace(genuine, root=root.public), root.sign)
    assert refused(forger.signed(cards=(forger.evidence.cards[0], own))).code == "key-reuse"
    swapped = forger.evidence.cards[::-1]
    assert refused(forger.signed(cards=swapped)).code == "other-card"
    assert refused(forger.signed(cards=(forger.evidence.cards[0],) * 2)).code == "other-card"


def test_a_wrong_clock_is_told_and_rejects_nothing(forger: Forger) -> None:
    """(27)"""
    said = forger.domestic()
    kept = [(at, body) for at, body in said if not isinstance(body, bodies.Decided) or body.act != "give"]
    late = [(at.replace(year=2027) if index == 1 else at, body) for index, (at, body) in enumerate(kept)]
    hidden = Withheld(len(late), bytes(32), "permits", ())
    evidence = forger.rewritten(late, anchors=())
    chain = msgspec.structs.replace(evidence.chains[2], records=(*evidence.chains[2].records, hidden))
    verified = told(forger.signed(evidence, chains=(*evidence.chains[:2], chain)))
    assert [each.code for each in verified.open] == ["decision-not-shown", "time-runs-back"]
    assert "decision/1" in codes(verified)


def test_a_fact_of_which_there_is_no_record(forger: Forger) -> None:
    """(24) (30): a consent that the exporter made up leaves the decision on his word."""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    consent = decision.Consent(
        by="kr", item=case.item.id, act="give", beneficiary="us", purpose="p", until=case.at.replace(year=2030)
    )
    site = decision.Facility(site="s", party="kr", mark="군사 Ⅱ급 비밀", until=case.at.replace(year=2030))
    facts = msgspec.structs.replace(case.facts, consents=(consent,), facilities=(site,))
    changed = decided_again(forger, old, msgspec.structs.replace(case, facts=facts))
    assert changed.outcome == "permit"
    evidence = forger.rewritten(replaced(said, old, changed), anchors=())
    hidden = Withheld(len(said), bytes(32), "permits", ())
    chain = msgspec.structs.replace(evidence.chains[2], records=(*evidence.chains[2].records, hidden))
    verified = told(forger.signed(evidence, chains=(*evidence.chains[:2], chain)))
    assert [each.code for each in verified.open] == ["fact-not-shown", "fact-not-shown", "decision-not-shown"]
    assert {each.status for each in verified.lines if each.code == "decision/1"} == {"attested"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conditions", ("7.5.a", "7.5.b", "7.5.c", "16.a")),
        ("about", "n-somebody-else"),
        ("by", "jp"),
        ("item", "i-other"),
        ("evidence", "00" * 32),
        ("evidence", "nothing"),
    ],
)
def test_an_assurance_that_says_something_else(forger: Forger, field: str, value: Any) -> None:
    """(24): the decision is made honestly on facts that the records do not bear out."""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    other = tuple(msgspec.structs.replace(each, **{field: value}) for each in case.facts.attestations)
    facts = msgspec.structs.replace(case.facts, attestations=other)
    changed = decided_again(forger, old, msgspec.structs.replace(case, facts=facts))
    error = refused(forger.signed(forger.rewritten(replaced(said, old, changed))))
    assert error.code in {"other-assurance", "missing-assurance"}


@pytest.mark.parametrize("field", ["requester", "purpose", "request"])
def test_a_decision_on_another_request(forger: Forger, field: str) -> None:
    """(24)"""
    said = forger.domestic()
    old = permit(said)
    case = msgspec.structs.replace(case_of(old), **{field: "r-other"})
    changed = decided_again(forger, old, case)
    error = refused(forger.signed(forger.rewritten(replaced(said, old, changed))))
    assert error.code in {"other-request", "missing-request", "missing-approval"}


@pytest.mark.parametrize(("field", "value"), [("form", "oral"), ("need_to_know", ("x",)), ("purpose", "other")])
def test_a_decision_on_an_item_registered_otherwise(forger: Forger, field: str, value: Any) -> None:
    """(24)"""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    other = msgspec.structs.replace(case, item=msgspec.structs.replace(case.item, **{field: value}))
    error = refused(forger.signed(forger.rewritten(replaced(said, old, decided_again(forger, old, other)))))
    assert error.code == "other-item"


def test_a_decision_on_a_recipient_who_stands_otherwise_in_the_directory(forger: Forger) -> None:
    """(24): a contractor made into an official."""
    said = forger.domestic()
    old = permit(said)
    case = case_of(old)
    person_ = msgspec.structs.replace(case.recipients[0], body="Another ministry")
    changed = decided_again(forger, old, msgspec.structs.replace(case, recipients=(person_,)))
    assert refused(forger.signed(forger.rewritten(replaced(said, old, changed)))).code == "other-person"


def test_a_party_that_changed_its_keys_shows_its_older_card_too(forger: Forger, made: Made) -> None:
    """(2) (8): records under the older keys verify by the older card; without it they do not."""
    own, theirs = forger.evidence.cards
    root = made.world.kr.keys.root()
    log, witness, transport, record = [
        Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()
        for number in range(4)
    ]
    fresh = {"log": log, "witness": witness, "transport": transport}
    newer = write_card(msgspec.structs.replace(read_card(theirs), node_sign=(record,), **fresh), root.sign)
    assert told(forger.signed(cards=(own, newer, theirs))).fingerprints == told(forger.signed()).fingerprints
    assert refused(forger.signed(cards=(own, newer))).code == "no-log-signature"
    other = forger.house.keys.log
    usurper = write_card(msgspec.structs.replace(read_card(theirs), root=other.public), other.sign)
    assert refused(forger.signed(cards=(own, theirs, usurper))).code == "other-card"
