"""The certificates of a house's TLS server with their keys, as files (``spec/keys.md`` steps 41, 48 and 49).

The first is ``tls/certificate.pem`` with ``tls/key.pem``; one that followed has the start of its digest in both names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

from comity.errors import Rejected
from comity.seal.certificate import Certificate, digest_of
from comity.stores.durable import make_folders, replace_file
from comity.stores.key_files import remove

TLS = "tls"
"""Where they lie in a data folder."""
_CERTIFICATE, _KEY = "certificate", "key"


def key_of(certificate: Path) -> Path:
    """The file of a certificate's key."""
    return certificate.with_name(_KEY + certificate.name.removeprefix(_CERTIFICATE))


def certificate_files(folder: Path) -> list[Path]:
    """The certificates whose keys are here too, the first one first."""
    found = ((folder / TLS).glob(f"{_CERTIFICATE}{more}.pem") for more in ("", "-*"))
    return [path for each in found for path in sorted(each) if key_of(path).exists()]


def certificates(folder: Path) -> dict[bytes, Path]:
    """The same, by their digests.

    Raises:
        Rejected: one is no certificate.
    """
    return {_digest(path): path for path in certificate_files(folder)}


def keep_certificate(folder: Path, made: Certificate, sealed: Callable[[bytes], bytes]) -> None:
    """Put a certificate beside those there are, durably, its key first."""
    name = f"-{made.digest.hex()[:16]}" if (folder / TLS / f"{_CERTIFICATE}.pem").exists() else ""
    make_folders([folder / TLS])
    path = folder / TLS / f"{_CERTIFICATE}{name}.pem"
    replace_file(key_of(path), sealed(made.key))
    replace_file(path, made.chain)


def destroy_certificate(folder: Path, digest: bytes) -> None:
    """(49) Destroy a certificate that is shown no more, with its key; nothing where it is gone already."""
    path = certificates(folder).get(digest)
    if path is not None:
        remove(key_of(path))
        remove(path)


def _digest(path: Path) -> bytes:
    try:
        return digest_of(PEM_cert_to_DER_cert(path.read_text("ascii")))
    except ValueError:
        raise Rejected("not a certificate in PEM", code="bad-certificate", place=str(path)) from None
