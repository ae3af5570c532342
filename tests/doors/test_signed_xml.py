"""Signatures and what attackers make of them (``spec/doors.md`` steps 8 and 9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from comity.doors.passing import DOCUMENT_BYTES_MAX, Setting
from comity.doors.signed_xml import DEPTH_MAX, ELEMENTS_MAX, signed
from doors.alerts import HEAD, INFO, SETTING, code, passed, sealed, xml
from doors.keys import CENTRE, NOW, certified, elliptic, modular

ALERT = xml(HEAD + INFO)
GOOD = sealed(ALERT)
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
BEFORE, AFTER = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
FALSE = HEAD.replace("<status>Actual", "<status>Test").replace("a-1", "a-9")
"""What an attacker would like to be read."""


def signature(document: bytes = GOOD) -> str:
    text = document.decode()
    return text[text.index("<ds:Signature ") : text.rindex("</ds:Signature>") + len("</ds:Signature>")]


def with_(
    method: SignatureConstructionMethod = SignatureConstructionMethod.enveloped, name: str = CENTRE
) -> Callable[..., bytes]:
    """A signer that does otherwise than ours."""

    def make(document: bytes, **arguments: object) -> bytes:
        key, certificate = elliptic(name)
        signer = Lenient(method=method, **{"signature_algorithm": SignatureMethod.ECDSA_SHA256, **arguments})
        root = signer.sign(etree.fromstring(document), key=key, cert=certificate.decode())
        made: bytes = etree.tostring(root)
        return made

    return make


class Lenient(XMLSigner):  # type: ignore[misc]  # the library's types are not looked at
    """Signs with methods that nobody should use any more."""

    def check_deprecated_methods(self) -> None:
        pass


def test_an_alert_that_is_signed_is_read() -> None:
    assert [each["type"] for each in passed(GOOD)] == ["public-area", "public-resource", "public-alert"]


@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa_is_taken(bits: int) -> None:
    key, certificate = modular(bits)
    document = signed(etree.fromstring(ALERT), key, certificate)
    assert passed(document, Setting(now=SETTING.now, trusted=(elliptic(CENTRE)[1], certificate)))


@pytest.mark.parametrize("method", [SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512])
def test_longer_digests_are_taken(method: SignatureMethod) -> None:
    assert passed(with_()(ALERT, signature_algorithm=method, digest_algorithm=DigestAlgorithm.SHA512))


@pytest.mark.parametrize(
    "arguments",
    [
        {"signature_algorithm": SignatureMethod.ECDSA_SHA1},
        {"digest_algorithm": DigestAlgorithm.SHA1},
        {"signature_algorithm": SignatureMethod.ECDSA_SHA224},
        {"digest_algorithm": DigestAlgorithm.SHA224},
        {"c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS},
        {"c14n_algorithm": CanonicalizationMethod.CANONICAL_XML_1_1_WITH_COMMENTS},
    ],
)
def test_weak_methods_and_comments_are_not(arguments: dict[str, object]) -> None:
    form = "signature-form" if "c14n_algorithm" in arguments else "bad-signature"
    assert code(with_()(ALERT, **arguments)) == form


def test_what_is_not_signed_is_refused() -> None:
    assert code(ALERT) == "unsigned"
    assert code(GOOD.replace(signature().encode(), b"")) == "unsigned"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<status>Actual", "<status>Test"),
        ("<headline>STORM", "<headline>CALM"),
        ("<note>n &amp; m</note>", ""),
        ("</event>", "</event><responseType>None</responseType>"),
        ("<info>", "<info> "),
        ("<polygon>38.47", "<polygon>38.48"),
    ],
)
def test_a_changed_alert_is_refused(old: str, new: str) -> None:
    assert old.encode() in GOOD
    assert code(GOOD.replace(old.encode(), new.encode(), 1)) == "bad-signature"


@pytest.mark.parametrize("part", ["DigestValue", "SignatureValue"])
def test_a_changed_signature_is_refused(part: str) -> None:
    before, found, after = GOOD.partition(f"<ds:{part}>".encode())
    other = b"B" if after[:1] == b"A" else b"A"
    assert code(before + found + other + after[1:]) == "bad-signature"
    for rubbish in (b"", b"!!!!", b"AAAA", "é".encode()):
        assert code(before + found + rubbish + after[after.index(b"<") :]) in {"bad-signature", "bad-xml"}


def test_somebody_elses_signature_is_refused() -> None:
    assert code(sealed(ALERT, "somebody else")) == "unknown-signer"


def test_the_certificate_within_does_not_say_whose_the_signature_is() -> None:
    held = signature().partition("<ds:KeyInfo>")[2].partition("</ds:KeyInfo>")[0]
    forged = sealed(ALERT, "somebody else")
    theirs = signature(forged).partition("<ds:KeyInfo>")[2].partition("</ds:KeyInfo>")[0]
    assert code(forged.replace(theirs.encode(), held.encode())) == "bad-signature"
    assert code(forged.replace(theirs.encode(), (theirs + held).encode())) == "bad-signature"
    bare = forged.replace(f"<ds:KeyInfo>{theirs}</ds:KeyInfo>".encode(), b"")
    assert code(bare) == "bad-signature"


def test_a_signature_that_says_nothing_of_its_key_is_tried_with_the_only_certificate() -> None:
    start, end = GOOD.index(b"<ds:KeyInfo>"), GOOD.index(b"</ds:KeyInfo>") + len(b"</ds:KeyInfo>")
    bare = GOOD[:start] + GOOD[end:]
    assert passed(bare) == passed(GOOD)
    assert (
        code(bare, Setting(now=SETTING.now, trusted=(elliptic(CENTRE)[1], elliptic("somebody else")[1])))
        == "unknown-signer"
    )


def test_a_certificate_holds_only_in_its_time() -> None:
    key, certificate = certified(ec.generate_private_key(ec.SECP256R1()), "short", until=2027)
    document = signed(etree.fromstring(ALERT), key, certificate)
    held = {at: Setting(now=partial(datetime.replace, at), trusted=(certificate,)) for at in (NOW, BEFORE, AFTER)}
    assert passed(document, held[NOW])
    assert code(document, held[BEFORE]) == code(document, held[AFTER]) == "unknown-signer"


# ---- wrapping: a true signature beside something that it does not cover ----------------------------------------------


def wrapped(outer: str) -> bytes:
    return xml(outer)


INSIDE = GOOD.decode().partition("?>")[2].strip()
MOVED = [
    FALSE + INSIDE,  # the true alert, whole, after a false one's head
    FALSE + f"<info>{INSIDE}</info>",
    FALSE + signature(),  # the true signature below a false head
    FALSE + signature() + INSIDE,
    FALSE + signature() + signature(),
    signature() + FALSE,
    FALSE + signature().replace("</ds:Signature>", f"<ds:Object>{INSIDE}</ds:Object></ds:Signature>"),
    FALSE + signature().replace("</ds:KeyInfo>", f"{INSIDE}</ds:KeyInfo>"),
    FALSE + signature().replace('URI=""', 'URI="#true"') + INSIDE.replace("<alert ", '<alert Id="true" '),
    FALSE + signature().replace('URI=""', 'URI="#xpointer(/)"'),
    FALSE + signature().replace(' URI=""', ""),
    FALSE + signature().replace('URI=""', 'URI="file:///etc/passwd"'),
    FALSE + signature().replace('URI=""', 'URI="http://127.0.0.1:1/alert.xml"'),
]


@pytest.mark.parametrize("outer", MOVED)
def test_a_signature_counts_for_what_it_covers_and_where_it_stands(outer: str) -> None:
    assert code(wrapped(outer)) in {"bad-signature", "signature-form"}


def moved(text: str) -> bytes:
    """The true alert with its signature in another place, which changes nothing that was signed."""
    assert text.count("SIGNATURE") >= 1
    return xml(text.replace("SIGNATURE", signature()))


@pytest.mark.parametrize(
    "text",
    [
        "SIGNATURE" + HEAD + INFO,
        HEAD + "SIGNATURE" + INFO,
        HEAD + INFO.replace("</info>", "SIGNATURE</info>"),
        HEAD + INFO + "SIGNATURESIGNATURE",
    ],
)
def test_a_signature_is_the_only_one_and_the_last_child(text: str) -> None:
    assert code(moved(text)) == "signature-form"
    assert passed(moved(HEAD + INFO + "SIGNATURE")) == passed(GOOD)


@pytest.mark.parametrize("outer", [f"<x>{INSIDE}</x>", f'<alerts xmlns="urn:x">{INSIDE}</alerts>'])
def test_an_alert_within_something_else_is_no_document(outer: str) -> None:
    assert code(outer.encode()) in {"signature-form", "not-cap"}


def test_a_signature_of_one_part_alone_is_refused() -> None:
    document = xml(HEAD + INFO.replace("<info>", '<info Id="part">'))
    signer = XMLSigner(signature_algorithm=SignatureMethod.ECDSA_SHA256)
    key, certificate = elliptic(CENTRE)
    made = signer.sign(etree.fromstring(document), key=key, cert=certificate.decode(), reference_uri="#part")
    assert code(etree.tostring(made)) == "signature-form"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116"),
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2000/09/xmldsig#base64"),
        ("</ds:Transforms>", f"<ds:Transform Algorithm='{EXCLUSIVE}'/></ds:Transforms>"),
        ("<ds:Reference ", '<ds:Reference URI=""/><ds:Reference '),
        ("<ds:Transforms>", "<ds:Transforms><ds:Transform Algorithm='http://www.w3.org/2000/09/xmldsig#base64'/>"),
        ("<ds:KeyInfo>", "<ds:KeyInfo><ds:RetrievalMethod URI='file:///etc/passwd'/>"),
        ("<ds:SignedInfo>", "<ds:SignedInfo Id='x'><ds:Other/>"),
        ("<ds:SignatureValue>", "<ds:SignatureValue/><ds:SignatureValue>"),
        ("<ds:DigestValue>", "<ds:DigestValue/><ds:DigestValue>"),
        ("<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>"),
    ],
)
def test_a_signature_of_another_form_is_refused(old: str, new: str) -> None:
    assert old.encode() in GOOD
    assert code(GOOD.replace(old.encode(), new.encode(), 1)) == "signature-form"


def test_an_enveloping_signature_is_refused() -> None:
    assert code(with_(SignatureConstructionMethod.enveloping)(ALERT)) == "signature-form"


def test_a_signature_by_what_everybody_knows_is_refused() -> None:
    assert code(GOOD.replace(b"ecdsa-sha256", b"hmac-sha256", 1)) == "bad-signature"


# ---- XML that does what it should not --------------------------------------------------------------------------------

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<",
        b"<alert>",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b'<?xml version="1.0" encoding="UTF-16"?><alert/>',
        b'<?xml version="1.0" encoding="utf-7"?><alert/>',
        f'<!DOCTYPE alert [<!ENTITY l0 "ha">{LAUGHS}]><alert>&l9;</alert>'.encode(),
        b'<!DOCTYPE alert SYSTEM "http://127.0.0.1:1/x.dtd"><alert/>',
        b'<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert>&x;</alert>',
        b"<!doctype alert><alert/>",
        b"<!DOCTYPE alert><alert/>",
        b"<alert>&x;</alert>",
        b"<alert><?do it?></alert>",
        b"<alert>\x00</alert>",
    ],
)
def test_xml_that_is_more_than_elements_and_text_is_refused(document: bytes) -> None:
    assert code(document) == "bad-xml"


def test_nothing_is_included() -> None:
    asked = HEAD.replace(
        "n &amp; m", '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
    )
    assert code(sealed(xml(asked))) == "not-cap"


@pytest.mark.parametrize(
    "document",
    [
        b"<a>" * (DEPTH_MAX + 1) + b"</a>" * (DEPTH_MAX + 1),
        b"<a>" + b"<a/>" * ELEMENTS_MAX + b"</a>",
        b"<a>" + b"<!---->" * ELEMENTS_MAX + b"</a>",
        b"<a>" + b" " * DOCUMENT_BYTES_MAX + b"</a>",
    ],
)
def test_xml_that_is_too_large_is_refused(document: bytes) -> None:
    assert code(document) == "too-large"


def test_beside_the_alert_there_is_nothing_but_comments() -> None:
    # a signature of the whole document is over what stands beside its root too, if it is not a comment
    alert = GOOD.partition(b"?>")[2].strip()
    assert code(b'<?xml-stylesheet href="alert.xsl"?>' + alert) == "bad-xml"
    assert code(alert + b"<?do it?>") == "bad-xml"
    assert passed(b"<!-- a -->" + alert + b"<!-- b -->") == passed(GOOD)
