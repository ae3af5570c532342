"""The certificate that a card pins."""

from __future__ import annotations

import ssl
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509

from comity.errors import Rejected, Unavailable
from comity.node.tls import changing_context, server_context
from comity.seal.certificate import make_certificate
from courier.keys import NOW


def test_the_digest_is_of_the_der_certificate_and_the_files_serve(tmp_path: Path) -> None:
    made = make_certificate("jp", NOW)
    parsed = x509.load_pem_x509_certificate(made.chain)
    assert sha256(ssl.PEM_cert_to_DER_cert(made.chain.decode())).digest() == made.digest
    assert parsed.not_valid_before_utc < NOW < parsed.not_valid_after_utc
    (tmp_path / "c").write_bytes(made.chain)
    (tmp_path / "k").write_bytes(made.key)
    assert server_context(tmp_path / "c", tmp_path / "k").minimum_version == ssl.TLSVersion.TLSv1_3


def shown(context: ssl.SSLContext) -> bytes:
    """The digest of the certificate that a client gets, which names no server, as peers do."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    one, other = client.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)
    for end in (one, other, one, other):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return sha256(one.getpeercert(binary_form=True) or b"").digest()


def test_each_new_connection_gets_the_certificate_of_its_instant(tmp_path: Path) -> None:  # (48)
    made = [make_certificate("jp", NOW) for _ in range(2)]
    (tmp_path / "c").write_bytes(made[0].chain)
    (tmp_path / "d").write_bytes(made[1].chain)
    here = {each.digest: (tmp_path / name, each.key) for each, name in zip(made, "cd", strict=True)}
    asked: list[bytes] = []

    def context(digest: bytes) -> ssl.SSLContext:
        asked.append(digest)
        if digest not in here:
            raise Unavailable("it is not here", code="no-certificate")
        return server_context(*here[digest])

    now = [made[0].digest]
    tls = changing_context(lambda: now[0], context)
    for each in (0, 1, 1, 0):
        now[0] = made[each].digest
        assert shown(tls) == made[each].digest
    assert asked == [each.digest for each in made]  # each is read once
    now[0] = bytes(32)
    with pytest.raises(ssl.SSLError):
        shown(tls)
    with pytest.raises(Unavailable, match="it is not here"):  # at a start it is told whoever starts it
        changing_context(lambda: now[0], context)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(make_certificate("jp", NOW).chain)
    (tmp_path / "k").write_bytes(make_certificate("jp", NOW).key)
    with pytest.raises(Rejected, match="not a certificate and its key"):
        server_context(tmp_path / "c", tmp_path / "k")
    with pytest.raises(Unavailable, match="cannot be read"):
        server_context(tmp_path / "missing", tmp_path / "k")
