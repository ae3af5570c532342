"""``spec/exchange.md`` step 51: one table, and an error comes back as what it was."""

from __future__ import annotations

import pytest

from comity.answers import ROOTS, STATUS_BY_ROOT, answer_error, read_error, status_of, write_error
from comity.errors import ComityError, InternalError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import NeedsSignature
from comity.ports import DiskFull


@pytest.mark.parametrize("kind", list(ROOTS.values()))
def test_an_error_comes_back_as_it_was(kind: type[ComityError]) -> None:
    error = kind("an unknown mark 'II'", code="unknown-mark", place="item.toml:3")
    back = read_error(write_error(error))
    assert type(back) is kind
    assert (str(back), back.code, back.place) == (str(error), error.code, error.place)


def test_a_subclass_comes_back_as_its_root_with_its_code() -> None:
    back = read_error(write_error(DiskFull("no room", code="disk-full")))
    assert type(back) is Unavailable
    assert back.code == "disk-full"


def test_a_request_for_a_signature_comes_back_with_its_bytes() -> None:
    back = read_error(write_error(NeedsSignature(b"\x00sign this")))
    assert type(back) is NeedsSignature
    assert back.message == b"\x00sign this"
    assert str(back) == str(NeedsSignature(b""))


def test_every_root_has_a_status() -> None:
    assert set(STATUS_BY_ROOT) == set(ROOTS)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Misuse("x"), 400),
        (Refused("x"), 403),
        (Rejected("x"), 422),
        (Unavailable("x"), 503),
        (InternalError("x"), 500),
        (Refused("x", code="unknown-relationship"), 404),
        (Rejected("x", code="too-large"), 413),
        (DiskFull("x", code="disk-full"), 507),
    ],
)
def test_statuses(error: ComityError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize("error", [InternalError("the key is 1234"), KeyError("the key is 1234")])
def test_our_own_defects_tell_nothing_but_the_log(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    status, body = answer_error(error, "an exchange")
    assert status == 500
    assert b"1234" not in body
    assert "1234" in caplog.text


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"error":{}}', b'{"error":{"root":"x","code":"","place":"","sentence":""}}']
)
def test_what_is_no_error_is_not_read_as_one(body: bytes) -> None:
    with pytest.raises(Rejected, match="not written as one"):
        read_error(body)
