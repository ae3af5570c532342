"""``node.toml``: the settings of one node, read strictly.

    party = "jp"

    [listen]
    address = "0.0.0.0"
    port = 8443
    public = ["https://comity.example:8443"]

    [quotas]
    requests-per-second = 500

    [alarm]
    url = "https://duty-desk.example/comity"
    secret = "alarm-secret"

    [readers]
    address = "10.0.0.5"
    port = 8444

    [metrics]
    port = 9464

    [console]
    port = 8480

    [witness]
    folder = "w1"

    [ledgers]
    port = 8446

    [keys]
    work-factor = 19

    [retention]
    names = "P5Y"
    titles = "P1Y"
    payloads = "at-once"

    [[webhook]]
    url = "https://archive.example/comity"
    secret = "webhook-secret"
    kinds = ["consignment/1", "receipt/1"]

    [timestamps]
    url = "https://stamps.example/tsr"
    certificate = "authority.pem"

    [events]
    address = "10.0.0.5"
    port = 8445

    [[events.source]]
    token = "fps-5.token"
    feeds = ["air-picture"]

Only ``party`` is required. A key that is not known is an error that names its line: a misspelt quota that silently
kept its default would be worse than none.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path as FilePath
from typing import Annotated, TypeVar

import msgspec

from comity.agreement import toml
from comity.agreement.lines import Lines, Path
from comity.agreement.model import Identifier
from comity.console.settings import ConsoleSettings
from comity.errors import Rejected, Unavailable
from comity.flows.keeping.periods import Periods
from comity.node.quota import Quotas
from comity.node.sources import Port, Sources
from comity.seal.passphrase import WORK_FACTOR, WORK_FACTOR_MAX

S = TypeVar("S", bound=msgspec.Struct)

FILE = "node.toml"
"""Name of the settings file in the data folder."""
SETTINGS_BYTES_MAX = 1_048_576
"""Longest settings file read; one with a hundred sources has some 10,000."""
WORK_FACTOR_MIN = 17
"""128 MiB for each guess: less is for tests alone."""
_ADDRESS = r"\Ahttps://[^/?#@\s]+\Z"
_HERE = r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?(?:/[^\s#]*)?"
_ALARM = rf"\A(?:https://[^/?#@\s]+(?:/[^\s#]*)?|{_HERE})\Z"
"""HTTPS, or plain HTTP on this machine alone."""
_POINTER = re.compile(r" - at `\$\.?(.*)`\Z")
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[listen]`` table.

    Attributes:
        address: the interface to listen on.
        port: the port; 0 takes a free one.
        public: the addresses under which peers reach this node, as its card says them.
    """

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Port = 0
    public: Annotated[tuple[Annotated[str, msgspec.Meta(pattern=_ADDRESS)], ...], msgspec.Meta(max_length=8)] = ()


class AlarmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[alarm]`` table of ``node.toml``.

    Attributes:
        url: where what became overdue is told.
        secret: a file whose bytes are the key of the signature; beside ``node.toml`` unless its path is absolute.
    """

    url: Annotated[str, msgspec.Meta(pattern=_ALARM, max_length=2_000)]
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)] | None = None


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """A ``[[webhook]]`` table: an address that is told what happens (``spec/api.md`` step 10).

    Attributes:
        url: where it is told.
        secret: a file whose bytes are the key of the signature; beside ``node.toml`` unless its path is absolute.
        kinds: kinds of records that are told, such as ``consignment/1``; all, where none is named.
    """

    url: Annotated[str, msgspec.Meta(pattern=_ALARM, max_length=2_000)]
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    kinds: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=100)], ...], msgspec.Meta(max_length=100)] = ()

    @property
    def what(self) -> tuple[str, frozenset[str]]:
        """What is told where: no two tables tell the same."""
        return self.url, frozenset(self.kinds)


class TimestampSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[timestamps]`` table: an authority that stamps this house's ledgers (``spec/timestamps.md``).

    Attributes:
        url: where it is asked.
        certificate: a file with the certificates it is believed by, in PEM; beside ``node.toml`` unless its path is
            absolute.
        minutes: how long a ledger that grows is not stamped again.
    """

    url: Annotated[str, msgspec.Meta(pattern=_ALARM, max_length=2_000)]
    certificate: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=525_600)] = 60


class ReadersSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[readers]`` table: where people of this house read feeds over the network; nowhere, without it.

    Attributes:
        address: the interface to listen on.
        port: the port; 0 takes a free one.
    """

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Port


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[metrics]`` table: where a collector on this machine reads the metrics; nowhere, without it.

    Attributes:
        address: a loopback address: how much crosses, and when, is nobody else's to know.
        port: the port; 0 takes a free one.
    """

    address: Annotated[str, msgspec.Meta(pattern=r"\A(?:127\.0\.0\.1|::1)\Z")] = "127.0.0.1"
    port: Port


class KeysSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[keys]`` table.

    Attributes:
        work_factor: base-two logarithm of the cost of scrypt, for the lock of the keys (``spec/keys.md`` step 14).
    """

    work_factor: Annotated[int, msgspec.Meta(ge=WORK_FACTOR_MIN, le=WORK_FACTOR_MAX)] = WORK_FACTOR


class LedgersSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[ledgers]`` table: where witnesses of this house's ledgers read their hashes; nowhere, without it.

    Attributes:
        address: the interface to listen on; plain HTTP where it is this machine's own, else the node's TLS.
        port: the port; 0 takes a free one.
    """

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=253)] = "127.0.0.1"
    port: Port


class WitnessFolder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[witness]`` table: a witness that this node serves beside itself (``spec/witness.md`` step 4).

    Attributes:
        folder: its folder, made by ``comity witness init``; beside ``node.toml`` unless its path is absolute.
    """

    folder: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """All of ``node.toml``."""

    party: Identifier
    listen: Listen = Listen()
    quotas: Quotas = Quotas()
    alarm: AlarmSettings | None = None
    readers: ReadersSettings | None = None
    metrics: MetricsSettings | None = None
    keys: KeysSettings = KeysSettings()
    events: Sources | None = None
    witness: WitnessFolder | None = None
    ledgers: LedgersSettings | None = None
    console: ConsoleSettings = ConsoleSettings()
    webhook: Annotated[tuple[WebhookSettings, ...], msgspec.Meta(max_length=8)] = ()
    timestamps: TimestampSettings | None = None
    retention: Periods = Periods()


def read_settings(path: FilePath) -> Settings:
    """The settings in the file at ``path``.

    Raises:
        Unavailable: it cannot be read.
        Rejected: it is not TOML, has a key that is not known, a value that cannot be, or a webhook twice; the place is
            ``file:line``.
    """
    return parse_settings(_text(path), str(path))


def parse_settings(text: str, file: str) -> Settings:
    """The settings in ``text``; ``file`` is the name that errors give.

    Raises:
        Rejected: as ``read_settings``.
    """
    settings = _parse(text, file, Settings)
    told = [each.what for each in settings.webhook]
    for place, what in enumerate(told):
        if what in told[:place]:
            line = Lines(text).of(("webhook", place))
            raise Rejected(
                f"another [[webhook]] tells {what[0]!r} the same kinds", code="bad-settings", place=f"{file}:{line}"
            )
    return settings


def read_file(path: FilePath, kind: type[S]) -> S:
    """Settings of another kind, read as strictly.

    Raises:
        Unavailable, Rejected: as ``read_settings``.
    """
    return _parse(_text(path), str(path), kind)


def _text(path: FilePath) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(SETTINGS_BYTES_MAX + 1)
        text = data.decode()
    except OSError as error:
        raise Unavailable(f"cannot be read: {error.strerror}", code="no-settings", place=str(path)) from None
    except UnicodeDecodeError:
        raise Rejected("not text in UTF-8", code="bad-settings", place=str(path)) from None
    if len(data) > SETTINGS_BYTES_MAX:
        raise Rejected(f"more than {SETTINGS_BYTES_MAX} bytes", code="bad-settings", place=str(path))
    return text


def _parse(text: str, file: str, kind: type[S]) -> S:
    try:
        written = toml.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Rejected(f"not TOML: {error}", code="bad-settings", place=file) from None
    try:
        return msgspec.convert(written, kind, strict=True)
    except msgspec.ValidationError as error:
        key, told = _mistake(str(error))
        raise Rejected(told, code="bad-settings", place=f"{file}:{Lines(text).of(key)}") from None


def _mistake(said: str) -> tuple[Path, str]:
    """Where the mistake is that the decoder speaks of, and a sentence about it."""
    where = _POINTER.search(said)
    key: Path = tuple(int(index) if index else name for name, index in _STEP.findall(where[1])) if where else ()
    sentence = said[: where.start()] if where else said
    unknown = _UNKNOWN.fullmatch(sentence)
    if unknown:
        key = (*key, unknown[1])
        return key, f"{'.'.join(map(str, key))!r} is not a setting"
    sentence = sentence[:1].lower() + sentence[1:]
    return key, f"{'.'.join(map(str, key))!r}: {sentence}" if key else sentence


def write_settings(settings: Settings) -> str:
    """A new ``node.toml`` that says what differs from the defaults."""
    lines = [f"party = {quoted(settings.party)}", ""]
    listen = settings.listen
    lines += ["[listen]", f"address = {quoted(listen.address)}", f"port = {listen.port}"]
    lines += [f"public = [{', '.join(map(quoted, listen.public))}]"]
    changed = {name: getattr(settings.quotas, name) for name in Quotas.__struct_fields__}
    changed = {name: value for name, value in changed.items() if value != getattr(Quotas(), name)}
    if changed:
        lines += ["", "[quotas]", *(f"{name.replace('_', '-')} = {value}" for name, value in changed.items())]
    if settings.alarm is not None:
        lines += ["", "[alarm]", f"url = {quoted(settings.alarm.url)}"]
        if settings.alarm.secret is not None:
            lines.append(f"secret = {quoted(settings.alarm.secret)}")
    for name, table in (
        ("readers", settings.readers),
        ("metrics", settings.metrics),
        ("ledgers", settings.ledgers),
    ):
        if table is not None:
            lines += ["", f"[{name}]", f"address = {quoted(table.address)}", f"port = {table.port}"]
    if settings.events is not None:
        lines += settings.events.lines()
    lines += _console_lines(settings.console)
    if settings.keys != KeysSettings():
        lines += ["", "[keys]", f"work-factor = {settings.keys.work_factor}"]
    if settings.retention != Periods():
        kept = {name: getattr(settings.retention, name) for name in Periods.__struct_fields__}
        lines += ["", "[retention]", *(f"{name} = {quoted(length)}" for name, length in kept.items())]
    if settings.witness is not None:
        lines += ["", "[witness]", f"folder = {quoted(settings.witness.folder)}"]
    for each in settings.webhook:
        lines += ["", "[[webhook]]", f"url = {quoted(each.url)}", f"secret = {quoted(each.secret)}"]
        if each.kinds:
            lines.append(f"kinds = [{', '.join(map(quoted, each.kinds))}]")
    if settings.timestamps is not None:
        asked = settings.timestamps
        lines += ["", "[timestamps]", f"url = {quoted(asked.url)}", f"certificate = {quoted(asked.certificate)}"]
        lines.append(f"minutes = {asked.minutes}")
    return "\n".join([*lines, ""])


def _console_lines(console: ConsoleSettings) -> list[str]:
    """What of the ``[console]`` table differs from the defaults."""
    defaults = ConsoleSettings()
    lines = []
    for name in ConsoleSettings.__struct_fields__:
        value = getattr(console, name)
        if name != "organisation" and value != getattr(defaults, name):
            written = msgspec.json.encode(value).decode()
            lines.append(f"{name.replace('_', '-')} = {written}")
    if lines:
        lines = ["", "[console]", *lines]
    if console.organisation is not None:
        lines += ["", "[console.organisation]"]
        asked = console.organisation
        lines += [f"{name} = {quoted(getattr(asked, name))}" for name in type(asked).__struct_fields__]
    return lines


def quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are all TOML's too."""
    return msgspec.json.encode(text).decode()
