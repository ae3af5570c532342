"""Inputs made to exhaust: each decoder refuses each of them, in little time and memory (``spec/limits.md`` step 1).

    python -m tests.fuzz.hostile

It is a program of its own, so that a bound on memory can be set for it alone.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

MEMORY_BYTES_MAX = 2**31
SECONDS_MAX = 2.0
REFUSAL_CHARACTERS_MAX = 2000
MANY = 20_000

INPUTS: dict[str, bytes] = {
    "lists in lists": b"[" * MANY + b"]" * MANY,
    "lists without end": b"[" * (50 * MANY),
    "objects in objects": b'{"a":' * MANY + b"1" + b"}" * MANY,
    "a JSON number": b'{"a":' + b"9" * (10 * MANY) + b"}",
    "a JSON text of escapes": b'{"a":"' + b"\\u0041" * MANY + b'"}',
    "one key many times": b"{" + b'"a":1,' * MANY + b'"a":1}',
    "TOML lists": b"a=" + b"[" * MANY,
    "TOML lists that end": b"a=" + b"[" * 600 + b"]" * 600,
    "a TOML key of many parts": b"a." * MANY + b"a=1",
    "a TOML key of quoted parts": b'"a" . ' * MANY + b"a=1",
    "a TOML table of many parts": b"[" + b"a." * MANY + b"a]",
    "TOML tables in tables": b"a=" + b"{a=" * MANY + b"1" + b"}" * MANY,
    "TOML parts in tables": b"a=" + b"{a.a.a.a.a.a.a.a=" * 200 + b"1" + b"}" * 200,
    "a TOML number": b"a=" + b"9" * MANY,
    "many TOML tables": b"".join(b"[[a.b%d]]\n" % number for number in range(MANY)),
    "XML in XML": b"<a>" * MANY + b"</a>" * MANY,
    "XML entities": b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    "an XML file from elsewhere": b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>',
    "many XML attributes": b"<a " + b" ".join(b'a%d=""' % number for number in range(MANY)) + b"/>",
    "lines": b"a\n" * (20 * MANY),
    "one long line": b"a" * (50 * MANY),
    "digits": b"9" * (50 * MANY),
    "spaces": b" " * (50 * MANY),
    "zeros": bytes(50 * MANY),
    "signature lines": b"a\n0\nAAAA\n\n" + "— a AAAAAAAA\n".encode() * MANY,
    "age stanzas": b"age-encryption.org/v1\n" + b"-> X25519 aaaa\n" * MANY,
    "age arguments": b"age-encryption.org/v1\n-> X25519 " + b"a " * (10 * MANY),
    "an age stanza's body": b"age-encryption.org/v1\n-> X25519 aaaa\n" + (b"A" * 64 + b"\n") * MANY,
    "age armour": b"-----BEGIN AGE ENCRYPTED FILE-----\n" + (b"A" * 64 + b"\n") * MANY,
    "a gzip bomb's beginning": bytes.fromhex("1f8b0800000000000003") + bytes(MANY),
}


def main() -> int:
    """Try all; 1 where something was taken, was no refusal of ours, or took too long."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from comity.errors import ComityError, InternalError
    from fuzz.decoders import DECODERS

    found = 0
    for name, decoder in sorted(DECODERS.items()):
        for what, data in INPUTS.items():
            began = time.process_time()
            try:
                decoder.read(data)
                told = "" if (name, what) in TAKEN else "was taken"
            except InternalError as error:
                told = repr(error)
            except ComityError as error:
                told = "" if len(str(error)) < REFUSAL_CHARACTERS_MAX else "was refused at length"
            except BaseException as error:  # noqa: BLE001 - exhaustion of any kind is what is looked for
                told = f"{type(error).__name__}: {str(error)[:100]}"
            if time.process_time() - began > SECONDS_MAX:
                told = f"took {time.process_time() - began:.1f} s; {told}"
            if told:
                found += 1
                print(f"{name}: {what}: {told}")
    print(f"decoders: {len(DECODERS)}, inputs: {len(INPUTS)}, findings: {found}")
    return int(found > 0)


TAKEN = {("door-json", "a JSON text of escapes"), ("door-xml", "many XML attributes")}
"""What is no attack on a decoder but an input of it."""

if __name__ == "__main__":
    sys.exit(main())
