"""What the servers of a node show under TLS, and when (``spec/keys.md`` step 48)."""

from __future__ import annotations

import logging
import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from comity.errors import ComityError, Rejected, Unavailable

_log = logging.getLogger("comity.node")


def server_context(chain: Path, key: Path | bytes) -> ssl.SSLContext:
    """TLS 1.3 and nothing older, with our certificate.

    Args:
        chain: the certificate.
        key: its private key, PEM: a file, or what was in one that was locked.

    Raises:
        Unavailable: a file cannot be read.
        Rejected: the files are not a certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        if isinstance(key, Path):
            context.load_cert_chain(chain, key)
        else:
            _load(context, chain, key)
    except ssl.SSLError as error:
        raise Rejected(f"not a certificate and its key: {error}", code="bad-certificate", place=str(chain)) from None
    except OSError as error:
        raise Unavailable(f"cannot be read: {error.strerror}", code="no-certificate", place=str(chain)) from None
    return context


def changing_context(shown: Callable[[], bytes], made: Callable[[bytes], ssl.SSLContext]) -> ssl.SSLContext:
    """A context that gives each new connection the certificate of its instant; connections that are there keep theirs.

    Args:
        shown: the digest of the certificate that is to be shown now.
        made: the context of a certificate, by its digest; called once for each.

    Raises:
        ComityError: what ``made`` says of the certificate of now.
    """
    known: dict[bytes, ssl.SSLContext] = {}

    def present() -> ssl.SSLContext:
        digest = shown()
        if digest not in known:
            known[digest] = made(digest)
        return known[digest]

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
        try:
            connection.context = present()
        except ComityError as error:
            _log.error("no certificate to show: %s", error)
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None

    context = present()
    context.sni_callback = choose  # OpenSSL asks at each handshake, whether or not the client has named a server
    return context


def _load(context: ssl.SSLContext, chain: Path, key: bytes) -> None:
    """Give OpenSSL, which reads keys from files only, a key that lies open in memory alone."""
    password = os.urandom(32).hex().encode()
    try:
        private = serialization.load_pem_private_key(key, None)
    except ValueError as error:
        raise ssl.SSLError(str(error)) from None
    encrypted = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    with tempfile.NamedTemporaryFile(dir=chain.parent, prefix="key-", suffix=".partial") as file:
        file.write(encrypted)
        file.flush()
        context.load_cert_chain(chain, file.name, password)
