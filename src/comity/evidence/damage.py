"""Which part of a file cannot be read, when it cannot be read at all (``spec/evidence.md`` step 7).

Nothing here is trusted or returned as content: it only finds words for a place. What can be read is named by verifying
it part by part (``verify.py``).
"""

from __future__ import annotations

import re
from base64 import b64decode
from itertools import takewhile
from typing import Any

import msgspec

from comity.evidence.model import Evidence
from comity.record.dsse import Envelope
from comity.record.encoding import encode

CONTENTS = "its contents"
"""What is named when nothing closer is known."""
OUTER = "the outer envelope"
"""What is around the contents."""
_OPENING = b'{"payload":"'
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")
_KEY = re.compile(rb'"(\w+)":')
_CHAIN = re.compile(rb'"name":"([\w./-]{1,200})","checkpoint"')
_RECORD = re.compile(rb'"index":([0-9]{1,16})')
_ROLE = re.compile(rb'"role":"([a-z]{1,20})"')
_AT_BYTE = re.compile(r"\(byte ([0-9]+)\)")
_AT_PATH = re.compile(r"at `\$\.([^`]+)`")
_STEP = re.compile(r"(\w+)|\[([0-9]+)\]")
_OF_RECORD = {"path": "the inclusion proof", "salt": "the salt", "envelope": "the envelope", "leaf": "the leaf"}


def unreadable_part(data: bytes) -> str:
    """What the first byte that cannot be read belongs to: ``the salt of record 7 of jp-kr-2016/jp.kr/kr``."""
    if not data.startswith(_OPENING):
        return OUTER
    text = data[len(_OPENING) :]
    run = _BASE64.match(text)
    whole = run[0] if run else b""
    rest = text[len(whole) :].lstrip(b"=")
    if not rest.startswith(b'","payloadType":"') or (len(text) - len(rest)) & 3:
        return _before(b64decode(whole[: len(whole) & ~3]))
    try:
        contents = msgspec.json.decode(data, type=Envelope).payload
    except (msgspec.DecodeError, ValueError, RecursionError):
        return OUTER
    try:
        contents.decode()
        msgspec.json.decode(contents)
        again = encode(msgspec.json.decode(contents, type=Evidence))
    except UnicodeDecodeError as error:
        return _before(contents[: error.start + 1])
    except msgspec.ValidationError as error:
        return _at_path(contents, _AT_PATH.search(str(error)))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        at = _AT_BYTE.search(str(error))
        return _before(contents[: int(at[1]) + 1]) if at else CONTENTS
    if again == contents:
        return OUTER
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(contents, again, strict=False)))
    return _before(contents[: same + 1])


def _before(contents: bytes) -> str:
    """What stands at the end of ``contents``, by the keys before it."""
    keys = [key.decode() for key in _KEY.findall(contents)]
    if not keys:
        return CONTENTS
    chains, roles = _CHAIN.findall(contents), _ROLE.findall(contents)
    if not chains:
        return _text(roles[-1].decode()) if roles and keys[-1] == "content" else _field(keys[-1])
    if "stamps" in keys:
        return "a time-stamp"
    if "anchors" in keys:
        return "an anchor"
    records = _RECORD.findall(contents, contents.rindex(chains[-1]))
    return _part(keys[-1], chains[-1].decode(), int(records[-1]) if records else None)


def _at_path(contents: bytes, path: re.Match[str] | None) -> str:
    """What stands at a path such as ``chains[1].records[3].salt``."""
    raw: Any = msgspec.json.decode(contents)
    chain, record, field = "", None, ""
    steps = _STEP.findall(path[1] if path else "")
    try:
        for key, index in steps:
            raw = raw[key or int(index)]
            if index and field == "texts":
                return _text(str(raw["role"]))
            if index and field == "chains":
                chain = str(raw["name"])
            if index and field == "records":
                record = int(raw["index"])
            field = key or field
    except (KeyError, IndexError, TypeError, ValueError):
        return CONTENTS
    return _part(field, chain, record) if chain else _field(steps[0][0] if steps else "")


def _part(field: str, chain: str, record: int | None) -> str:
    if record is None:
        return f"the checkpoint of {chain}" if field == "checkpoint" else f"the chain {chain}"
    of = f"record {record} of {chain}"
    return f"{_OF_RECORD[field]} of {of}" if field in _OF_RECORD else of


def _text(role: str) -> str:
    return f"the {role} text"


def _field(field: str) -> str:
    return {"": CONTENTS, "cards": "a card", "anchors": "an anchor", "stamps": "a time-stamp"}.get(
        field, f"{field!r} in its contents"
    )
