"""CAP 1.2 alerts: signed XML into messages, and messages into signed XML (``spec/doors.md`` steps 8 to 12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from cryptography import x509
from lxml import etree
from msgspec import Struct, field

from comity.doors.alert import ALERT, AREA, CAP, INFO, PAIRS, RESOURCE, SCOPES, WHERE, Element, Group
from comity.doors.passing import Numbered, Passed, Setting, read_json, refusal, written
from comity.doors.signed_xml import XSI, certificates, signed, signing, verified
from comity.errors import Misuse, Rejected
from comity.feed.schema import Refused

OPEN_MAX = 1024
"""Most senders of whom an alert is kept until its last part has come."""
PARTS_MAX = 1000
"""Most messages of one alert."""
IDENTITY = ("identifier", "sender", "sent")
"""What the messages of one alert have in common."""

Fields = dict[str, Any]
_SCOPE_OF = {prefix: scope for scope, prefix in SCOPES.items()}


def read(document: bytes, setting: Setting) -> Iterator[Passed]:
    """The messages of one signed alert, or why it is refused as a whole.

    Raises:
        Misuse: no certificate is trusted, or one is not in order.
    """
    trusted = certificates(setting.trusted)
    try:
        root, signer = verified(document, trusted, setting.now())
        yield from list(_messages(root, signer))
    except Rejected as error:
        yield refusal(error)


# ---- XML into messages -----------------------------------------------------------------------------------------------


class Parsed(Struct, frozen=True):
    """One group of elements: its fields, and the groups within it, by name."""

    fields: Fields
    groups: Mapping[str, tuple[Parsed, ...]]


def _messages(root: etree._Element, signer: x509.Certificate) -> Iterator[bytes]:
    if root.tag != f"{{{CAP}}}alert":
        raise Rejected(f"the root is {root.tag[:80]!r}, not an alert of CAP 1.2", code="not-cap")
    if [name for name in root.attrib if not str(name).startswith(f"{{{XSI}}}")]:
        raise _no("alert", "has attributes")
    alert = _parse(root, ALERT)
    scope = alert.fields.pop("scope")
    if (needed := WHERE.get(scope)) is not None and needed not in alert.fields:
        raise _no("scope", f"is {scope!r}, and there is no {needed!r}")
    prefix = SCOPES[scope]
    infos = alert.groups["info"]
    identity = {name: alert.fields[name] for name in IDENTITY}
    for place, info in enumerate(infos, 1):
        for name in ("area", "resource"):
            for number, part in enumerate(info.groups[name], 1):
                yield msgspec.json.encode(
                    {"type": f"{prefix}-{name}", **identity, "info": place, name: number, **part.fields}
                )
    common = {**alert.fields, "signer": signer.subject.rfc4514_string()[:1000], "infos": len(infos)}
    for place, info in enumerate(infos, 1):
        yield msgspec.json.encode({"type": f"{prefix}-alert", **common, "info": place, **info.fields})
    if not infos:
        yield msgspec.json.encode({"type": f"{prefix}-alert", **common, "info": 0})


def _parse(node: etree._Element, group: Group) -> Parsed:
    """The elements of one group, in the order of the standard (10)."""
    order = [each.name for each in group.elements] + [each.name for each in group.groups]
    found: dict[str, list[etree._Element]] = {name: [] for name in order}
    if (node.text or "").strip():
        raise _no(group.name, "has text beside its elements")
    latest = 0
    for child in node:
        if (child.tail or "").strip():
            raise _no(group.name, "has text beside its elements")
        if not isinstance(child.tag, str):
            continue  # a comment: the signature leaves it out, and so do we
        name = child.tag.removeprefix(f"{{{CAP}}}")
        if name not in found or not child.tag.startswith(f"{{{CAP}}}"):
            raise _no(group.name, f"has no {child.tag[:80]!r}")
        if order.index(name) < latest:
            raise _no(name, f"stands too late in {group.name!r}")
        latest = order.index(name)
        if child.attrib:
            raise _no(name, "has attributes")
        found[name].append(child)
    fields = {each.name: _value(each, found[each.name]) for each in group.elements if found[each.name]}
    for each in group.elements:
        if each.needed and each.name not in fields:
            raise _no(each.name, f"is missing in {group.name!r}")
    return Parsed(fields, {each.name: tuple(_parse(node, each) for node in found[each.name]) for each in group.groups})


def _value(element: Element, nodes: Sequence[etree._Element]) -> object:
    if len(nodes) > 1 and not element.many:
        raise _no(element.name, "is there twice")
    values = [_pair(element, node) if element.name in PAIRS else _said(element, node) for node in nodes]
    if not element.many:
        return values[0]
    return " ".join(map(str, values)) if element.words else msgspec.json.encode(values).decode()


def _said(element: Element, node: etree._Element) -> object:
    if len(node):
        raise _no(element.name, "holds elements")
    try:
        return element.form.read(node.text or "")
    except ValueError:
        raise _no(element.name, f"says {(node.text or '')[:80]!r}, which the standard does not allow") from None


def _pair(element: Element, node: etree._Element) -> object:
    names = [each.tag for each in node]
    if names != [f"{{{CAP}}}valueName", f"{{{CAP}}}value"] or any(each.attrib for each in node):
        raise _no(element.name, "is not a valueName and a value")
    if any((text or "").strip() for text in (node.text, node[0].tail, node[1].tail)):
        raise _no(element.name, "has text beside its elements")
    return [_said(element, each) for each in node]


def _no(name: str, sentence: str) -> Rejected:
    return Rejected(f"{name!r} {sentence}", code="not-cap")


# ---- messages into XML -----------------------------------------------------------------------------------------------


class Part(Struct, frozen=True):
    """What one message says: of which alert it is a part, which part, and its fields."""

    alert: tuple[str, ...]
    sender: str
    kind: str
    info: int
    place: int
    fields: Fields


class Open(Struct):
    """An alert that is being put together: its infos by place, and their areas and resources by place."""

    alert: tuple[str, ...]
    infos: dict[int, Fields] = field(default_factory=dict)
    parts: dict[tuple[str, int], dict[int, Fields]] = field(default_factory=dict)
    count: int = 0

    def take(self, part: Part) -> bool:
        """Put a message to the others; whether it was the last of its alert.

        Raises:
            Rejected: ``too-large``.
        """
        self.count += 1
        if self.count > PARTS_MAX:
            raise Rejected(f"an alert of more than {PARTS_MAX} messages", code="too-large")
        if part.kind == "alert":
            self.infos[part.info] = part.fields
            return part.info >= part.place
        self.parts.setdefault((part.kind, part.info), {})[part.place] = part.fields
        return False


class Alerts:
    """Alerts of messages, each signed, as soon as their last info has come or their sender goes on to another (12).

    Args:
        setting: key and certificate.

    Raises:
        Misuse: there is no key or certificate to sign with, or they do not fit.
    """

    def __init__(self, setting: Setting) -> None:
        if not setting.key or not setting.certificate:
            raise Misuse("an alert is signed: name a private key and its certificate", code="no-key")
        signing(setting.key, setting.certificate)
        self._setting = setting
        self._waiting: dict[str, Open] = {}

    def take(self, number: int, message: bytes) -> Iterator[Passed]:
        """The alerts that are whole with this message."""
        del number
        waiting = self._waiting
        try:
            part = _part(message)
            if (there := waiting.get(part.sender)) is not None and there.alert != part.alert:
                yield from _written(waiting.pop(part.sender), self._setting)
            if waiting.setdefault(part.sender, Open(part.alert)).take(part):
                yield from _written(waiting.pop(part.sender), self._setting)
            elif len(waiting) > OPEN_MAX:
                yield from _written(waiting.pop(next(iter(waiting))), self._setting)
        except Rejected as error:
            yield refusal(error)

    def end(self) -> Iterator[Passed]:
        """Alerts of which not everything has come."""
        for each in self._waiting.values():
            yield from _written(each, self._setting)
        self._waiting.clear()


def write(messages: Iterable[Numbered], setting: Setting) -> Iterator[Passed]:
    """The alerts of some messages.

    Raises:
        Misuse: as ``Alerts``.
    """
    return written(Alerts(setting), messages)


def _part(message: bytes) -> Part:
    """What one message says.

    Raises:
        Rejected: ``malformed``, ``unknown-type``, ``incomplete``.
    """
    said = read_json(message)
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise Rejected("a message is a JSON object with a 'type'", code="malformed")
    prefix, _, kind = said.pop("type").partition("-")
    number = {"alert": "infos", "area": "area", "resource": "resource"}.get(kind)
    if prefix not in _SCOPE_OF or number is None:
        raise Rejected(f"no part of an alert is of the type {prefix[:40] + '-' + kind[:40]!r}", code="unknown-type")
    for name in (*IDENTITY, "info", number):
        if not isinstance(said.get(name), str if name in IDENTITY else int):
            raise Rejected(f"an alert can not be put together without {name!r}, which did not cross", code="incomplete")
    alert = (prefix, *(said[name] for name in IDENTITY))
    return Part(alert, said["sender"], kind, said.pop("info"), said.pop(number), said)


def _written(found: Open, setting: Setting) -> Iterator[Passed]:
    if not found.infos:
        yield Refused("incomplete", "areas and resources of an alert whose own message did not cross")
        return
    try:
        first = found.infos[min(found.infos)]
        scope = _SCOPE_OF[found.alert[0]]
        if (needed := WHERE.get(scope)) is not None and needed not in first:
            raise _missing(needed)
        root = etree.Element(f"{{{CAP}}}alert", nsmap={None: CAP})
        _put(root, ALERT, {**first, "scope": scope})
        for place, said in sorted(found.infos.items()):
            if place:
                info = etree.SubElement(root, f"{{{CAP}}}info")
                _put(info, INFO, said)
                yield from _put_parts(info, found, place)
        yield signed(root, setting.key, setting.certificate)
    except Rejected as error:
        yield refusal(error)


def _put_parts(info: etree._Element, found: Open, place: int) -> Iterator[Refused]:
    """Resources and areas of an info; what is not whole is left out, and said."""
    for group in (RESOURCE, AREA):
        for _, said in sorted(found.parts.get((group.name, place), {}).items()):
            node = etree.Element(f"{{{CAP}}}{group.name}")
            try:
                _put(node, group, said)
            except Rejected as error:
                yield refusal(error)
            else:
                info.append(node)


def _put(node: etree._Element, group: Group, said: Fields) -> None:
    for element in group.elements:
        if element.name in said:
            _put_values(node, element, said[element.name])
        elif element.needed:
            raise _missing(element.name)


def _put_values(node: etree._Element, element: Element, value: object) -> None:
    try:
        for each in _values(element, value):
            made = etree.SubElement(node, f"{{{CAP}}}{element.name}")
            if element.name in PAIRS:
                pair: Any = each
                for name, text in zip(("valueName", "value"), pair, strict=True):
                    etree.SubElement(made, f"{{{CAP}}}{name}").text = element.form.write(text)
            else:
                made.text = element.form.write(each)
    except (ValueError, TypeError):
        raise Rejected(f"{element.name!r} is not what an alert may say", code="bad-field") from None


def _values(element: Element, value: object) -> Sequence[object]:
    if not element.many:
        return [value]
    if not isinstance(value, str):
        raise TypeError
    if element.words:
        return value.split(" ")
    try:
        found = read_json(value.encode())
    except Rejected:
        raise ValueError from None
    if not isinstance(found, list) or not found:
        raise ValueError
    return found


def _missing(name: str) -> Rejected:
    return Rejected(f"an alert needs {name!r}, which did not cross", code="incomplete")
