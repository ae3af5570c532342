"""The certificate that a card pins."""

from __future__ import annotations

import ssl
from hashlib import sha256

import pytest
from cryptography import x509

from comity.errors import Rejected, Unavailable
from comity.node.tls import make_certificate, server_context
from courier.keys import NOW


def test_the_digest_is_of_the_der_certificate_and_the_files_serve(tmp_path) -> None:
    made = make_certificate("jp", NOW)
    parsed = x509.load_pem_x509_certificate(made.chain)
    assert sha256(ssl.PEM_cert_to_DER_cert(made.chain.decode())).digest() == made.digest
    assert parsed.not_valid_before_utc < NOW < parsed.not_valid_after_utc
    (tmp_path / "c").write_bytes(made.chain)
    (tmp_path / "k").write_bytes(made.key)
    assert server_context(tmp_path / "c", tmp_path / "k").minimum_version == ssl.TLSVersion.TLSv1_3


def test_a_key_of_another_certificate_is_refused(tmp_path) -> None:
    (tmp_path / "c").write_bytes(make_certificate("jp", NOW).chain)
    (tmp_path / "k").write_bytes(make_certificate("jp", NOW).key)
    with pytest.raises(Rejected, match="not a certificate and its key"):
        server_context(tmp_path / "c", tmp_path / "k")
    with pytest.raises(Unavailable, match="cannot be read"):
        server_context(tmp_path / "missing", tmp_path / "k")
