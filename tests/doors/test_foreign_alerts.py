"""Signed alerts to and from xmlsec, another implementation of XML signatures, both ways (``spec/doors.md`` step 9)."""

from __future__ import annotations

from typing import Any

import pytest
import xmlsec
from lxml import etree

from comity.doors import recording
from comity.doors.passing import Setting
from doors.alerts import SETTING, WHOLE, passed, sealed, xml
from doors.keys import CENTRE, elliptic, modular

KEYS = {"elliptic": elliptic(CENTRE), "rsa": modular(2048)}
METHODS = {"elliptic": xmlsec.Transform.ECDSA_SHA256, "rsa": xmlsec.Transform.RSA_SHA512}


def verify(document: bytes, certificate: bytes) -> None:
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM)
    context.verify(xmlsec.tree.find_node(etree.fromstring(document), xmlsec.Node.SIGNATURE))


def sign(document: bytes, kind: str, canonical: Any) -> bytes:
    key, certificate = KEYS[kind]
    root = etree.fromstring(document)
    signature = xmlsec.template.create(root, canonical, METHODS[kind], ns="ds")
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(certificate, xmlsec.KeyFormat.PEM)
    context.sign(signature)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made


def test_what_we_sign_they_verify() -> None:
    verify(sealed(xml(WHOLE)), elliptic(CENTRE)[1])
    verify(recording.launch_alert(), recording.launch_certificate())
    with pytest.raises(xmlsec.Error):
        verify(sealed(xml(WHOLE)).replace(b">Actual<", b">Test<"), elliptic(CENTRE)[1])


@pytest.mark.parametrize("canonical", [xmlsec.Transform.EXCL_C14N, xmlsec.Transform.C14N, xmlsec.Transform.C14N11])
@pytest.mark.parametrize("kind", ["elliptic", "rsa"])
def test_what_they_sign_we_read(kind: str, canonical: Any) -> None:
    setting = Setting(now=SETTING.now, trusted=(KEYS[kind][1],))
    messages = passed(sign(xml(WHOLE), kind, canonical), setting)
    signer = {each.pop("signer", None) for each in messages}
    assert signer <= {None, "CN=Warning centre", "CN=Warning centre (RSA)"}
    ours = passed(sealed(xml(WHOLE)))
    for each in ours:
        each.pop("signer", None)
    assert messages == ours
