"""Notes about the end of an agreement: what records say of them (Article 21(3); ``spec/term.md`` steps 11 to 13)."""

from __future__ import annotations

from typing import ClassVar

from comity.agreement.lifecycle import Step
from comity.record.bodies.base import Body, PersonSignature
from comity.record.bodies.notices import Day, Said
from comity.record.encoding import Digest, Identifier, Words


class EndNoteTold(Body, frozen=True, kw_only=True):
    """A party has given written notice of the end through the diplomatic channel, or suspended or withdrawn it.

    The note itself is what counts; the record says that it was given, through which channel, under which id and on
    which day. ``document`` is the digest of its text. ``after`` is the newest note of the same party, or zeros for the
    first.
    """

    kind: ClassVar[str] = "end-note/1"
    crosses: ClassVar[bool] = True
    notice: Identifier
    step: Step
    note: Said
    day: Day
    by: Identifier
    after: Digest
    signature: PersonSignature
    channel: Words = ""
    document: Digest | None = None
