"""The terms of a standing release: as they were written here, or as its publisher told them (``spec/feed.md`` 1, 3, 4).

The publisher has the texts, by their digests; the recipient has what the record of the release says, which is all of
the schema that it ever learns.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from comity.agreement.equivalence import ladder
from comity.agreement.model import Agreement
from comity.errors import Rejected, Unavailable
from comity.feed.release import POSTURES, Crossing, Release, parse_release
from comity.feed.schema import Field, MessageType, Schema, parse_schema
from comity.flows.keeping.work import Work
from comity.record.bodies.feeding import Crossed, ReleasedField, ReleasedType, Rounded, UnderPosture
from comity.register.rows.feeding import FeedReleaseRow

FEED_TEXT = "feed-text"
"""Side table: schemas and releases as they were written here, by the SHA-256 of their bytes, in hex."""


class Terms(Struct, frozen=True):
    """What messages there are, and what of them crosses."""

    schema: Schema
    release: Release


def read_terms(schema: str, schema_file: str, release: str, release_file: str, agreement: Agreement, by: str) -> Terms:
    """The terms written in two texts, checked against each other and the publisher's ladder.

    Raises:
        Rejected: one of them breaks a rule of steps 1 or 3; ``place`` is the file and line.
    """
    read = parse_schema(schema, schema_file)
    ranks = {level.mark: level.rank for level in ladder(agreement, by)}
    return Terms(read, parse_release(release, release_file, read, ranks))


async def kept_terms(work: Work, schema: bytes, terms: bytes, agreement: Agreement) -> Terms:
    """The terms of a release of this house, by the digests of their texts.

    Raises:
        Unavailable: a text is not here.
        Rejected: what stands under a digest is another text.
    """
    texts = [await _text(work, each) for each in (schema, terms)]
    return read_terms(texts[0], "schema", texts[1], "release", agreement, work.context.party)


async def _text(work: Work, digest: bytes) -> str:
    value = await work.side_value(FEED_TEXT, digest.hex())
    if value is None:
        raise Unavailable(f"the text with digest {digest.hex()[:16]}… is not here", code="unknown-text")
    if sha256(value).digest() != digest:
        raise Rejected(f"the text kept under {digest.hex()[:16]}… was altered", code="altered-text")
    return value.decode()


def told_types(terms: Terms) -> tuple[ReleasedType, ...]:
    """What the recipient learns of the schema: the fields that cross under some posture, in the order of the schema."""
    found: list[ReleasedType] = []
    for name, kind in terms.schema.types.items():
        crossings = [terms.release.postures[each].get(name) for each in POSTURES]
        crosses = {field for each in crossings if each is not None for field in each.fields}
        if not crosses:
            continue
        fields = tuple(
            ReleasedField(name=each, kind=said.kind, mark=said.mark or "", optional=said.optional, role=said.role or "")
            for each, said in kind.fields.items()
            if each in crosses
        )
        time, source = (each if each in crosses else None for each in (kind.time, kind.source))
        found.append(ReleasedType(type=name, fields=fields, time=time, source=source))
    return tuple(found)


def told_postures(terms: Terms) -> tuple[UnderPosture, ...]:
    """What crosses under each posture, as the recipient is told."""
    return tuple(
        UnderPosture(
            posture=posture,
            types=tuple(
                Crossed(
                    type=name,
                    fields=crossing.fields,
                    rounded=tuple(Rounded(field, step) for field, step in sorted(crossing.round.items())),
                    delay=crossing.delay,
                    rate=crossing.rate,
                )
                for name, crossing in terms.release.postures[posture].items()
            ),
        )
        for posture in POSTURES
    )


def heard_terms(row: FeedReleaseRow) -> Terms:
    """The terms as the record of a release told them: nothing is in the schema that does not cross.

    Where the time or the source of a type does not cross, its ``time`` or ``source`` is empty.
    """
    types = {
        each.type: MessageType(
            each.type,
            each.time or "",
            each.source or "",
            {field.name: Field(field.kind, field.mark, field.optional, field.role or None) for field in each.fields},
        )
        for each in row.types
    }
    postures = {
        under.posture: {
            crossed.type: Crossing(
                crossed.fields, {each.field: each.step for each in crossed.rounded}, crossed.delay, crossed.rate
            )
            for crossed in under.types
        }
        for under in row.postures
    }
    name = f"{row.release}-as-told"
    schema = Schema(name, row.record.hex(), types)
    release = Release(
        row.feed,
        row.record.hex(),
        schema.digest,
        row.label.mark,
        row.topic,
        row.purpose,
        row.until,
        postures,
        row.subject,
        row.label.originator,
        row.host,
    )
    return Terms(schema, release)
