"""``node.toml`` is read strictly: what is not known is told with its line."""

from __future__ import annotations

import pytest

from comity.errors import Rejected, Unavailable
from comity.node.quota import Quotas
from comity.node.settings import (
    AlarmSettings,
    LedgersSettings,
    Listen,
    MetricsSettings,
    ReadersSettings,
    Settings,
    TimestampSettings,
    WitnessFolder,
    parse_settings,
    read_settings,
    write_settings,
)
from comity.node.sources import Source, Sources

FULL = """\
party = "jp"

[listen]
address = "0.0.0.0"
port = 8443
public = ["https://comity.example:8443"]

[quotas]
requests-per-second = 9

[alarm]
url = "https://duty-desk.example/comity?from=jp"
secret = "alarm-secret"

[readers]
address = "10.0.0.5"
port = 8444

[metrics]
address = "::1"
port = 9464

[ledgers]
address = "127.0.0.1"
port = 8446

[events]
address = "10.0.0.5"
port = 8445

[[events.source]]
token = "fps-5.token"
feeds = ["air-picture", "alerts"]

[witness]
folder = "w1"

[timestamps]
url = "https://stamps.example/tsr"
certificate = "authority.pem"
minutes = 5
"""


def test_all_of_it() -> None:
    settings = parse_settings(FULL, "node.toml")
    assert settings == Settings(
        party="jp",
        listen=Listen(address="0.0.0.0", port=8443, public=("https://comity.example:8443",)),
        quotas=Quotas(requests_per_second=9),
        alarm=AlarmSettings(url="https://duty-desk.example/comity?from=jp", secret="alarm-secret"),
        witness=WitnessFolder(folder="w1"),
        ledgers=LedgersSettings(port=8446),
        readers=ReadersSettings(address="10.0.0.5", port=8444),
        metrics=MetricsSettings(address="::1", port=9464),
        events=Sources(
            address="10.0.0.5", port=8445, source=(Source(token="fps-5.token", feeds=("air-picture", "alerts")),)
        ),
        timestamps=TimestampSettings(url="https://stamps.example/tsr", certificate="authority.pem", minutes=5),
    )
    assert write_settings(settings) == FULL


def test_only_the_party_is_required() -> None:
    assert parse_settings('party = "jp"', "node.toml") == Settings(party="jp")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "node.toml:1: object missing required field `party`"),
        ('party = "jp"\n\n[listen]\nprot = 1\n', "node.toml:4: 'listen.prot' is not a setting"),
        ('party = "jp"\n[lisen]\nport = 1\n', "node.toml:2: 'lisen' is not a setting"),
        ('party = "jp"\n[listen]\nport = "1"\n', "node.toml:3: 'listen.port': expected `int`, got `str`"),
        ('party = "jp"\n[listen]\nport = 65536\n', "node.toml:3: 'listen.port': expected `int` <= 65535"),
        ('party = "jp"\n[listen]\npublic = ["http://a"]\n', "node.toml:3: 'listen.public"),
        ('party = "JP"\n', "node.toml:1: 'party'"),
        ('party = "jp"\n[quotas]\nrequests-in-flight = 0\n', "node.toml:3: 'quotas.requests-in-flight'"),
        ('party = "jp"\n[quotas]\nrequests-in-flight = true\n', "node.toml:3: 'quotas.requests-in-flight'"),
        ('party = "jp"\n[quotas]\nbody-bytes-in-flight = 1000\n', "node.toml:3: 'quotas.body-bytes-in-flight'"),
        ('party = "jp"\nparty = "kr"\n', "node.toml: not TOML"),
        ('party = "jp"\n[alarm]\nurl = "http://desk.example/"\n', "node.toml:3: 'alarm.url'"),
        ('party = "jp"\n[alarm]\nurl = "http://127.0.0.1.example/"\n', "node.toml:3: 'alarm.url'"),
        ('party = "jp"\n[alarm]\nurl = "https://name@desk.example/"\n', "node.toml:3: 'alarm.url'"),
        ('party = "jp"\n[alarm]\nsecret = "s"\n', "node.toml:2: 'alarm'"),
        ('party = "jp"\n[metrics]\naddress = "0.0.0.0"\nport = 9464\n', "node.toml:3: 'metrics.address'"),
        ('party = "jp"\n[readers]\naddress = "10.0.0.5"\n', "node.toml:2: 'readers'"),
        ('party = "jp"\n[events]\nport = 1\n', "node.toml:2: 'events'"),
        ('party = "jp"\n[events]\nport = 1\nsource = []\n', "node.toml:4: 'events.source'"),
        ('party = "jp"\n[events]\nport = 1\n[[events.source]]\nfeeds = ["a"]\n', "node.toml:4: 'events.source"),
        ("party = jp\n", "node.toml: not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        parse_settings(text, "node.toml")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "url", ["https://desk.example", "https://desk.example:8443/a?b=c", "http://127.0.0.1:9000/", "http://[::1]/a"]
)
def test_an_alarm_goes_over_tls_or_stays_on_this_machine(url: str) -> None:
    settings = parse_settings(f'party = "jp"\n[alarm]\nurl = "{url}"\n', "node.toml")
    assert settings.alarm == AlarmSettings(url=url)
    assert parse_settings(write_settings(settings), "node.toml") == settings


def test_a_file_that_is_not_there_or_not_text(tmp_path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        read_settings(tmp_path / "node.toml")
    (tmp_path / "node.toml").write_bytes(b"party = '\xff'")
    with pytest.raises(Rejected, match="UTF-8"):
        read_settings(tmp_path / "node.toml")
