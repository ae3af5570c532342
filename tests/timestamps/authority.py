"""An authority that stamps: ``openssl ts`` with a certificate of its own, made in the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")
CONFIG = """
[ca]
default_ca = one
[one]
dir = .
new_certs_dir = .
database = index.txt
serial = serial
default_md = sha256
policy = any
email_in_dn = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = authority
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[other]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = tsa1
[tsa1]
dir = .
serial = tsa-serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """One authority: a root, and a certificate for stamping under it."""

    def __init__(self, folder: Path, name: str = "a", purpose: str = "stamping", dates: tuple[str, ...] = ()) -> None:
        if OPENSSL is None:
            pytest.skip("there is no openssl on this machine")
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "openssl.cnf").write_text(CONFIG)
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa-serial").write_text("01\n")
        key = ("-newkey", "rsa:2048", "-nodes")
        self.run(
            *("req", "-x509", "-new", *key, "-keyout", "root.key", "-out", "root.pem"),
            *("-days", "3650", "-config", "openssl.cnf", "-extensions", "root", "-subj", f"/CN=root {name}"),
        )
        self.run("req", "-new", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-config", "openssl.cnf")
        self.run(
            *("ca", "-batch", "-notext", "-config", "openssl.cnf", "-keyfile", "root.key", "-cert", "root.pem"),
            *("-in", "tsa.csr", "-out", "tsa.pem", "-extensions", purpose, *(dates or ("-days", "3650"))),
        )
        self.root = (self.folder / "root.pem").read_bytes()

    def run(self, *words: str) -> bytes:
        assert OPENSSL is not None
        done = subprocess.run([OPENSSL, *words], cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def stamp(self, request: bytes) -> bytes:
        """The answer to a request."""
        (self.folder / "query").write_bytes(request)
        self.run(
            *("ts", "-reply", "-queryfile", "query", "-config", "openssl.cnf", "-section", "tsa1"),
            *("-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply"),
        )
        return (self.folder / "reply").read_bytes()
