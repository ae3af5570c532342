"""``comity sign``: what a page asks of somebody who keeps his own key, told from the bytes and signed with it.

It needs no house: the bytes say all that is signed. Whatever is not an act of a person is refused, so that a page
cannot get a signature for anything else (``spec/acts.md`` step 6).
"""

from __future__ import annotations

import binascii
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import click

from comity.cli.files import read_file
from comity.cli.options import Verb, ask_first, final, spoken
from comity.cli.output import Output
from comity.errors import Rejected

STANDARD = "-"
MESSAGE_BYTES_MAX = 2**21
"""Longest text that is read: an act is a record's body."""


@click.command(cls=Verb)
@click.argument("file", default=STANDARD)
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Your own keys; see keygen --person.")
@final
@spoken
def sign(out: Output, file: str, key: Path, *, yes: bool) -> None:
    """Sign what a page of the console asks you to sign, with the key that you keep yourself.

    Paste the text of the page, or name a FILE with it. What it says is shown before it is signed; the line that is
    written goes into the page.

    Example:
      comity sign --key kim.keys to-sign.txt
    """
    from comity.cli.person_keys import read_person_keys
    from comity.record.person_act import act_said

    written = sys.stdin.buffer.read(MESSAGE_BYTES_MAX) if file == STANDARD else read_file(Path(file), MESSAGE_BYTES_MAX)
    try:
        message = b64decode(b"".join(written.split()), validate=True)
    except binascii.Error:
        raise Rejected("this is not the text of a page; copy all of it", code="no-act", place=file) from None
    said = act_said(message)
    told = Output(as_json=False, stream=sys.stderr)
    told.line((said.kind, "strong"), f"  {said.relationship}, for {said.party}")
    told.fields([(name, str(what)) for name, what in said.body.items()])
    told.fields([("sha-256", sha256(message).hexdigest())])
    if file != STANDARD:
        ask_first("This is signed in your name.", yes=yes)
    signature = b64encode(read_person_keys(key).sign_act(message)).decode()
    out.show({"signature": signature}, lambda lines, _: lines.line(signature))
