"""XML that is signed: parsed without following anything, verified, and signed (``spec/doors.md`` steps 8 and 9).

Rules of this file:

- The shape of the signature is settled before the library sees it: one signature, one reference, to the whole document.
- What is handed on was parsed from the bytes whose digest was verified.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from comity.doors.passing import DOCUMENT_BYTES_MAX
from comity.errors import Misuse, Rejected

DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ELEMENTS_MAX = 10_000
DEPTH_MAX = 32
RSA_BITS_MIN = 2048
TRUSTED_MAX = 100
"""Most certificates that are trusted at once."""

_SIGNATURE = f"{{{DS}}}Signature"
_DECLARED = re.compile(r"<\?xml[^>]*\bencoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
_FORBIDDEN = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_KEY_PARTS = frozenset({f"{{{DS}}}KeyName", f"{{{DS}}}KeyValue", f"{{{DS}}}X509Data"})
_ENVELOPED = SignatureConstructionMethod.enveloped.value
_CANONICAL = frozenset(
    each.value
    for each in (
        CanonicalizationMethod.CANONICAL_XML_1_0,
        CanonicalizationMethod.CANONICAL_XML_1_1,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
)
"""Without comments: what stands in a comment is nothing to anybody."""
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)


_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
    )


def parse(document: bytes) -> etree._Element:
    """The root of a document, with nothing fetched, expanded or guessed (8).

    Raises:
        Rejected: ``too-large``, ``bad-xml``.
    """
    if len(document) > DOCUMENT_BYTES_MAX:
        raise Rejected(f"a document of {len(document)} bytes; at most {DOCUMENT_BYTES_MAX} are taken", code="too-large")
    try:
        text = document.decode()
    except UnicodeDecodeError:
        raise _bad("the document is not UTF-8") from None
    if _DECLARED.match(text.removeprefix("\ufeff")):
        raise _bad("the document says that it is not UTF-8")
    if _FORBIDDEN.search(text):
        raise _bad("the document has a document type, which is not taken")
    try:
        root = etree.fromstring(document, _parser())
    except (etree.XMLSyntaxError, ValueError):
        raise _bad("the document is not well-formed XML") from None
    if any(isinstance(each, etree._ProcessingInstruction) for each in _beside(root)):
        raise _bad("the document has processing instructions")
    for number, depth in enumerate(_depths(root)):
        if number >= ELEMENTS_MAX or depth > DEPTH_MAX:
            raise Rejected(f"more than {ELEMENTS_MAX} elements, or more than {DEPTH_MAX} deep", code="too-large")
    return root


def _beside(root: etree._Element) -> Iterator[etree._Element]:
    """What stands before and after the root: comments, or what a signature of the whole document would be over."""
    yield from root.itersiblings(preceding=True)
    yield from root.itersiblings()


def _depths(root: etree._Element) -> Iterator[int]:
    """How deep each node stands."""
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "end":
            depth -= 1
        else:
            if event == "pi":
                raise _bad("the document has processing instructions")
            depth += event == "start"
            yield depth


def certificates(trusted: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Certificates that were read from a user's files.

    Raises:
        Misuse: ``bad-certificate``, ``no-certificate``.
    """
    if not 0 < len(trusted) <= TRUSTED_MAX:
        raise Misuse(f"name the certificates by which alerts are signed, 1 to {TRUSTED_MAX}", code="no-certificate")
    return tuple(_certificate(each) for each in trusted)


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise Misuse("not a certificate in PEM", code="bad-certificate") from None
    if isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN
    ):
        return certificate
    raise Misuse(
        f"a certificate of an RSA key of {RSA_BITS_MIN} bits or more, or of ECDSA, is needed", code="bad-certificate"
    )


def verified(
    document: bytes, trusted: Sequence[x509.Certificate], at: datetime
) -> tuple[etree._Element, x509.Certificate]:
    """What a document says under a trusted signature, and whose that is (9).

    Raises:
        Rejected: ``too-large``, ``bad-xml``, ``unsigned``, ``signature-form``, ``bad-signature``, ``unknown-signer``.
    """
    root = parse(document)
    signature = _signature_of(root)
    signer = _signer(signature, trusted)
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise Rejected(
            f"the certificate of {signer.subject.rfc4514_string()!r} is not valid now", code="unknown-signer"
        )
    configuration = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=at,
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        found = XMLVerifier().verify(root, x509_cert=signer, parser=_parser(), expect_config=configuration)
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        raise Rejected("the signature does not fit the document and the certificate", code="bad-signature") from None
    assert not isinstance(found, list)  # one reference was asked for
    read = parse(found.signed_data)
    # Cannot be by the form of the signature; asked of what is handed on all the same, for nothing else counts.
    if next(read.iter(_SIGNATURE), None) is not None or read.tag != root.tag:
        raise Rejected("what was signed is not the document", code="bad-signature")
    return read, signer


def _signature_of(root: etree._Element) -> etree._Element:
    """The one signature, of the one shape that is taken (9)."""
    signatures = list(root.iter(_SIGNATURE))
    if not signatures:
        raise Rejected("the document is not signed", code="unsigned")
    signature = signatures[0]
    last = [each for each in root if isinstance(each.tag, str)][-1]
    if len(signatures) > 1 or signature is not last:
        raise _not("it is not the one signature, as the last child of the root")
    info, _, *key = _parts(signature, ("SignedInfo", "SignatureValue"), ("SignedInfo", "SignatureValue", "KeyInfo"))
    if key and not {each.tag for each in key[0]} <= _KEY_PARTS:
        raise _not("it says of its key more than a name, a value and a certificate")
    method, _, reference = _parts(info, ("CanonicalizationMethod", "SignatureMethod", "Reference"))
    transforms, _, _ = _parts(reference, ("Transforms", "DigestMethod", "DigestValue"))
    applied = [each.get("Algorithm") for each in transforms]
    if reference.attrib.get("URI") != "" or applied[:1] != [_ENVELOPED] or len(applied) > 2:
        raise _not("its reference is not to the whole document with the signature left out")
    if {method.get("Algorithm"), *applied[1:]} - _CANONICAL:
        raise _not("it is made by a canonicalisation or a transform that is not taken")
    return signature


def _parts(parent: etree._Element, *shapes: tuple[str, ...]) -> list[etree._Element]:
    """The children of an element, whose names are those of one of the shapes, in order."""
    children = [each for each in parent if isinstance(each.tag, str)]
    names = tuple(each.tag.removeprefix(f"{{{DS}}}") for each in children)
    if names not in shapes:
        raise _not(f"{parent.tag.rpartition('}')[2]!r} has other parts than it should")
    return children


def _signer(signature: etree._Element, trusted: Sequence[x509.Certificate]) -> x509.Certificate:
    """Which of the trusted certificates the signature says it was made by; the only one where it says nothing."""
    held = [each.text or "" for each in signature.iter(f"{{{DS}}}X509Certificate")]
    if not held and len(trusted) == 1:
        return trusted[0]
    for text in held:
        try:
            der = base64.b64decode("".join(text.split()), validate=True)
        except binascii.Error:
            continue
        for each in trusted:
            if each.public_bytes(Encoding.DER) == der:
                return each
    raise Rejected("the document is signed by nobody whose certificate was given beforehand", code="unknown-signer")


def _not(sentence: str) -> Rejected:
    return Rejected(f"the signature is not of the form that is taken: {sentence}", code="signature-form")


def _bad(sentence: str) -> Rejected:
    return Rejected(sentence, code="bad-xml")


def signing(key: bytes, certificate: bytes) -> tuple[_PrivateKey, x509.Certificate]:
    """What is signed with, from a user's files.

    Raises:
        Misuse: ``bad-key``, ``bad-certificate``: they are not in PEM, too weak, or not of one another.
    """
    held = _certificate(certificate)
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Misuse("not a private key in PEM, without a password", code="bad-key") from None
    if private.public_key() != held.public_key() or not isinstance(
        private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    ):
        raise Misuse("the private key is not that of the certificate", code="bad-key")
    return private, held


def signed(root: etree._Element, key: bytes, certificate: bytes) -> bytes:
    """A document with its signature, in UTF-8 (12).

    Raises:
        Misuse: as ``signing``.
    """
    private, held = signing(key, certificate)
    elliptic = isinstance(private, ec.EllipticCurvePrivateKey)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    document: bytes = etree.tostring(
        signer.sign(root, key=private, cert=[held]), xml_declaration=True, encoding="UTF-8"
    )
    return document
