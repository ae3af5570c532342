"""What everything else rests on: two cards, and the texts of the agreement (``spec/evidence.md`` steps 8, 10, 17)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from comity.agreement.calendar import TimeZones
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.load_history import parse_history
from comity.agreement.model import Agreement, Layer
from comity.agreement.term import Chronicle
from comity.errors import Rejected
from comity.evidence.chains import Party
from comity.evidence.exhibits import Edition, Exhibits
from comity.evidence.model import Evidence, Text
from comity.record import bodies
from comity.record.card import SIGNING, Card, Purpose, fingerprint, fingerprint_text, read_card


class Fingerprint(msgspec.Struct, frozen=True):
    """What the signatures of a party hang on.

    Attributes:
        party: party id.
        text: the fingerprint as people read it aloud.
        trusted: it is one of those that the caller trusts; otherwise somebody must compare it.
    """

    party: str
    text: str
    trusted: bool


def check_cards(evidence: Evidence, newer: Sequence[bytes] = ()) -> tuple[Party, Party]:
    """The keys of the two parties, from cards that their own roots signed (8).

    Args:
        evidence: with the cards that were known when it was made.
        newer: cards of the same parties that came to the verifier since.

    Raises:
        Rejected: a card is damaged, or they are not those of two parties with keys of their own.
    """
    cards: dict[str, list[Card]] = {}
    for number, envelope in enumerate(evidence.cards, start=1):
        card = read_card(envelope, f"card {number}")
        cards.setdefault(card.party, []).append(card)
    if len(cards) != 2 or next(iter(cards)) != evidence.exporter:
        raise Rejected(
            f"they are those of {', '.join(map(repr, cards))}; expected {evidence.exporter!r}, then one other party",
            code="other-card",
            place="the cards",
        )
    for number, envelope in enumerate(newer, start=1):
        card = read_card(envelope, place := f"newer card {number}")
        if card.party not in cards:
            raise Rejected(
                f"{card.party!r} is neither of {', '.join(map(repr, cards))}", code="other-card", place=place
            )
        cards[card.party].append(card)
    exporter, peer = map(_party, cards.values())
    if exporter.keys() & peer.keys():
        raise Rejected("one key for both parties: one of them speaks for both", code="key-reuse", place="the cards")
    return exporter, peer


def _party(cards: list[Card]) -> Party:
    party, root = cards[0].party, cards[0].root
    if any(card.root != root for card in cards):
        raise Rejected("two cards under different root keys", code="other-card", place=f"the cards of {party!r}")
    by_age = sorted(cards, key=lambda card: card.issued)

    def had(purpose: Purpose) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(key for card in reversed(by_age) for key in card.had(purpose)))

    return Party(
        name=party,
        root=root,
        record=had("record"),
        log=had("log"),
        witness=had("witness"),
        revoked={key: since for card in by_age for each in SIGNING for key, since in card.revoked(each).items()},
    )


def check_fingerprints(parties: tuple[Party, Party], trusted: Sequence[bytes]) -> tuple[Fingerprint, ...]:
    """The fingerprints of both parties (10); with any trusted ones given, both must be among them.

    Raises:
        Rejected: a fingerprint is not one of ``trusted``.
    """
    found = []
    for party in parties:
        digest = fingerprint(party.name, party.root)
        if trusted and digest not in trusted:
            raise Rejected(
                f"{party.name!r} has the fingerprint {fingerprint_text(digest)}, which is none of those trusted here",
                code="unknown-fingerprint",
                place=f"the card of {party.name!r}",
            )
        found.append(Fingerprint(party.name, fingerprint_text(digest), digest in trusted))
    return tuple(found)


def read_editions(evidence: Evidence, exhibits: Exhibits, zones: TimeZones) -> tuple[Edition, ...]:
    """The texts by adoption, each matched to its digest, then parsed (17).

    Raises:
        Rejected: a text is not one that an adoption names, one is missing, or it has a mistake.
    """
    adoptions = list(exhibits.of(bodies.AgreementAdopted))
    named: dict[str, set[bytes]] = {"agreement": set(), "layer": set(), "history": set()}
    for _, body in adoptions:
        named["agreement"].add(body.text)
        named["history"].add(body.history)
        named["layer"].update(body.layers)
    texts: dict[bytes, str] = {}
    for text in evidence.texts:
        digest = sha256(text.content).digest()
        if digest not in named[text.role] or digest in texts:
            raise Rejected(
                f"its digest {digest.hex()[:16]}… is not one that {exhibits.exporter.name!r} adopted",
                code="other-text",
                place=f"the {text.role} text",
            )
        texts[digest] = _decoded(text)
    for role, digests in named.items():
        if not digests <= texts.keys():
            raise Rejected("a text that was adopted is not in the file", code="missing-text", place=f"the {role} text")
    agreements: dict[bytes, Agreement] = {}
    editions = []
    for stood, body in adoptions:
        if body.text not in agreements:
            agreements[body.text] = parse_agreement(texts[body.text], "the agreement text")
        agreement = agreements[body.text]
        if (agreement.digest, agreement.id) != (body.digest.hex(), body.agreement):
            raise Rejected(
                "the text has another digest than it was adopted with", code="other-digest", place=stood.place
            )
        _check_relationship(agreement, body, exhibits, stood.place)
        layers: tuple[Layer, ...] = tuple(
            parse_layer(texts[digest], f"the text of layer {number}", agreement)
            for number, digest in enumerate(body.layers, start=1)
        )
        history = parse_history(texts[body.history], "the history text", agreement, zones)
        editions.append(Edition(stood, agreement, layers, Chronicle(agreement, history, zones)))
    if not editions:
        raise Rejected("no adoption of an agreement is shown", code="no-agreement", place=exhibits.domestic.name)
    return tuple(editions)


def _decoded(text: Text) -> str:
    try:
        return text.content.decode()
    except UnicodeDecodeError as error:
        says = f"it is not UTF-8 at byte {error.start}"
        raise Rejected(says, code="malformed", place=f"the {text.role} text") from None


def _check_relationship(agreement: Agreement, body: bodies.AgreementAdopted, exhibits: Exhibits, place: str) -> None:
    parties = (exhibits.exporter.name, exhibits.peer.name)
    relationship = f"{agreement.id}/{'.'.join(sorted(parties))}"
    known = {party.id for party in agreement.parties}
    if not set(parties) <= known or body.peer != exhibits.peer.name or body.relationship != relationship:
        raise Rejected(f"{' and '.join(parties)} are not the parties it is about", code="other-parties", place=place)
    if exhibits.relationship != relationship:
        raise Rejected(
            f"the file is about the relationship {exhibits.relationship!r}, not {relationship!r}",
            code="other-relationship",
            place=place,
        )
