"""All keys of a house in one archive, opened: what is sealed to the recovery key (``spec/keys.md`` steps 16 and 18).

It is a tar file of the files as they would lie open in a data folder, so that ``age -d`` and ``tar x`` are enough.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from comity.errors import Misuse, Rejected
from comity.stores.durable import make_folders, replace_file
from comity.stores.key_files import KEY_FILE_BYTES_MAX, read_private
from comity.stores.key_lock import Lock, is_sealed
from comity.stores.secrets import KEYS, LOCK, ROOT, TABLE, Secrets
from comity.stores.tls_keys import TLS, certificate_files

BUNDLE_BYTES_MAX = 64 * 1024 * 1024
"""Largest bundle taken: some ten thousand people in served custody."""
RECOVERY = "recovery.public"
"""What is noted of the recovery key, among the keys."""
_NAME = re.compile(
    r"(?:keys/(?:[a-z][a-z0-9-]*\.(?:key|token|secret|public)|(?:registry|people)/[a-z0-9][a-z0-9.-]*\.(?:key|age|public))"
    r"|root/root\.(?:key|token)|tls/(?:key|certificate)(?:-[0-9a-f]{16})?\.pem)"
)


def pack(folder: Path, lock: Lock | None) -> bytes:
    """(16) The bundle of the keys in ``folder``; the root key is in it where it is here."""
    files: dict[str, bytes] = {}
    for path in (each.path for each in Secrets(folder) if TABLE[each.kind].bundled):
        content = read_private(path)
        if is_sealed(content) and lock is not None:
            content = lock.open(content, str(path))
        files[str(path.relative_to(folder))] = content
    for path in (*(folder / KEYS).rglob("*.public"), *certificate_files(folder)):
        if path.name != RECOVERY:
            files[str(path.relative_to(folder))] = path.read_bytes()
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, BytesIO(content))
    return archive.getvalue()


def unpack(bundle: bytes) -> dict[str, bytes]:
    """(18) The files of a bundle, by where they belong in a data folder.

    Raises:
        Rejected: it is not a bundle, or holds what no bundle holds: whoever knows the recovery key's public half can
            have made it.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=BytesIO(bundle), mode="r:") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isreg() else None
                if file is None or not _NAME.fullmatch(entry.name) or entry.name in files:
                    raise Rejected(f"{entry.name[:60]!r} does not belong among keys", code="bad-bundle")
                if entry.size > KEY_FILE_BYTES_MAX:
                    raise Rejected(f"{entry.name[:60]!r} is too long for a key", code="bad-bundle")
                files[entry.name] = file.read()
    except (tarfile.TarError, EOFError, ValueError):
        raise Rejected("not a bundle of keys", code="bad-bundle") from None
    if not {"keys/root.public", "keys/pairwise.secret"} <= set(files):
        raise Rejected("not a whole bundle of keys: what every house has is missing", code="bad-bundle")
    return files


def is_secret(name: str) -> bool:
    """Whether a file of a bundle is what a lock seals."""
    return not name.endswith(".public") and not name.startswith(f"{TLS}/certificate")


def put_back(folder: Path, files: Mapping[str, bytes]) -> None:
    """(18) Put the keys of a bundle where they belong; ``keys/`` comes into being last, in one rename.

    Raises:
        Misuse: there are keys already.
    """
    if (folder / KEYS).exists():
        raise Misuse(f"there are keys in {str(folder)!r} already; nothing was changed", code="keys-exist")
    aside = folder / f"{KEYS}.recovering"
    make_folders([aside, aside / "registry", aside / "people", folder / ROOT, folder / TLS])
    for path in aside.rglob("*.*"):
        path.unlink()  # of a recovery that was cut short
    (folder / ROOT / LOCK).unlink(missing_ok=True)
    for name, content in files.items():
        path = Path(name)
        replace_file((aside / path.relative_to(KEYS)) if path.parts[0] == KEYS else folder / path, content)
    aside.rename(folder / KEYS)
