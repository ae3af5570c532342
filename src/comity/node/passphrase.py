"""Where the passphrase of a house's keys comes from when nobody sits at a terminal (``spec/keys.md`` step 5)."""

from __future__ import annotations

import os
from pathlib import Path

from comity.errors import Misuse, Unavailable
from comity.stores.key_files import read_private

FILE_VARIABLE = "COMITY_PASSPHRASE_FILE"
"""Environment variable that names the file with the passphrase."""
VARIABLE = "COMITY_PASSPHRASE"
"""Environment variable that is the passphrase: every process of the same user can read it."""
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what ``LoadCredential=`` and ``LoadCredentialEncrypted=`` name."""
CREDENTIAL = "comity-passphrase"


def at_hand(file: Path | None = None) -> str | None:
    """(5) The passphrase from a file, the environment or a credential of the service; None where there is none.

    Raises:
        Unavailable: the file that is named cannot be read.
        Rejected: others can read it.
        Misuse: it is empty.
    """
    named = file or (Path(each) if (each := os.environ.get(FILE_VARIABLE)) else None)
    if named is not None:
        return first_line(named)
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    credential = Path(os.environ.get(CREDENTIALS_VARIABLE) or os.devnull) / CREDENTIAL
    return first_line(credential) if credential.is_file() else None


def required() -> str:
    """(5) The same, where it must be there.

    Raises:
        Unavailable: there is none; and as ``at_hand``.
    """
    found = at_hand()
    if found is None:
        raise Unavailable(
            f"the keys are locked, and no passphrase is at hand; name a file with {FILE_VARIABLE} or with "
            "'comity node run --passphrase-file', or type it at a terminal",
            code="keys-locked",
        )
    return found


def first_line(path: Path) -> str:
    """The first line of a file that only its owner may read: a passphrase or a PIN.

    Raises:
        Unavailable: it cannot be read.
        Rejected: others can read it.
        Misuse: it is empty, or no text.
    """
    content = read_private(path)
    try:
        line = content.decode().split("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise Misuse(f"what is in {str(path)!r} is not text in UTF-8", code="bad-passphrase") from None
    if not line:
        raise Misuse(f"the first line of {str(path)!r} is empty; what is secret belongs there", code="bad-passphrase")
    return line
