"""Alerts for tests: their XML as text, signed by a key of the tests."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from comity.doors.cap import read
from comity.doors.passing import Setting
from comity.doors.signed_xml import signed
from comity.feed.schema import Refused
from doors.keys import CENTRE, NOW, elliptic

CAP = "urn:oasis:names:tc:emergency:cap:1.2"

HEAD = """<identifier>a-1</identifier><sender>centre@example.org</sender><sent>2026-11-20T10:02:00+09:00</sent>\
<status>Actual</status><msgType>Update</msgType><source>post 7</source><scope>Public</scope><code>first</code>\
<code>second, "with" marks</code><note>n &amp; m</note>\
<references>c@example.org,a-0,2026-11-20T09:00:00+09:00</references>\
<incidents>north "old coast"</incidents>"""
RESOURCE = """<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><size>5120</size>\
<uri>https://example.org/map.png</uri><derefUri>iVBORw0KGgo=</derefUri>\
<digest>0123456789abcdef0123456789ABCDEF01234567</digest></resource>"""
AREA = """<area><areaDesc>Coast</areaDesc><polygon>38.47,-120.14 38.34,-119.95 38.52,-119.74 38.47,-120.14</polygon>\
<polygon>1,1 1,2 2,2 1,1</polygon><circle>32.9525,-115.5527 0</circle>\
<geocode><valueName>SAME</valueName><value>006109</value></geocode><altitude>100.5</altitude><ceiling>2000</ceiling></area>"""
INFO = f"""<info><language>en-US</language><category>Met</category><category>Safety</category><event>Storm</event>\
<responseType>Shelter</responseType><responseType>Monitor</responseType><urgency>Immediate</urgency><severity>Severe</severity>\
<certainty>Likely</certainty><audience>all</audience><eventCode><valueName>SAME</valueName><value>SVR</value></eventCode>\
<effective>2026-11-20T10:00:00+09:00</effective><onset>2026-11-20T01:10:00-00:00</onset><expires>2026-11-20T02:00:00+00:00</expires>\
<senderName>Centre</senderName><headline>STORM</headline><description>Line one
line two</description><instruction>Go in</instruction><web>https://example.org/</web><contact>desk</contact>\
<parameter><valueName>HSAS</valueName><value>ORANGE</value></parameter>{RESOURCE}{AREA}</info>"""
SECOND = """<info><language>fr-CA</language><category>Met</category><event>Orage</event><urgency>Unknown</urgency>\
<severity>Unknown</severity><certainty>Unknown</certainty></info>"""
WHOLE = HEAD + INFO + SECOND
"""Every element of the standard but those of the other scopes."""


def xml(inner: str) -> bytes:
    return f'<alert xmlns="{CAP}">{inner}</alert>'.encode()


def sealed(document: bytes, name: str = CENTRE) -> bytes:
    return signed(etree.fromstring(document), *elliptic(name))


SETTING = Setting(
    now=lambda: NOW, trusted=(elliptic(CENTRE)[1],), key=elliptic(CENTRE)[0], certificate=elliptic(CENTRE)[1]
)


def passed(document: bytes, setting: Setting = SETTING) -> list[dict[str, Any]]:
    found = list(read(document, setting))
    assert all(isinstance(each, bytes) for each in found), found
    return [json.loads(each) for each in found if isinstance(each, bytes)]


def code(document: bytes, setting: Setting = SETTING) -> str:
    """The code by which a document is refused, which is all that becomes of it."""
    (found,) = read(document, setting)
    assert isinstance(found, Refused), found
    return found.code
