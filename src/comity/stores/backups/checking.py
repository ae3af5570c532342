"""Reading whole backups again, to find out whether they can be brought back (``spec/backup.md`` step 18)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.errors import Rejected
from comity.stores.backups.repository import Repository
from comity.stores.backups.taking import Progress, listed_blobs


class BackupShown(msgspec.Struct, frozen=True, kw_only=True):
    """One backup: its number, the instant whose state it has, and what is in it."""

    number: int
    at: datetime
    entries: int
    chains: dict[str, int]


class BackupsChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and what is wrong.

    Attributes:
        backups: how many backups.
        pieces: objects and payloads read to their end, each once.
        bytes_read: of them.
        findings: what is missing or damaged, each with the backups that need it; empty when all can be brought back.
    """

    backups: int
    pieces: int
    bytes_read: int
    findings: tuple[str, ...]


def show_backups(repository: Repository) -> list[BackupShown]:
    """Every whole backup, oldest first."""
    listed = [repository.read_backup(number) for number in repository.numbers()]
    return [
        BackupShown(
            number=each.number,
            at=each.at,
            entries=each.tables[0].entries,
            chains={chain: stand.size for chain, stand in each.tables[0].heads.items()},
        )
        for each in listed
    ]


def check_backups(repository: Repository, progress: Progress) -> BackupsChecked:
    """Read every piece of every backup.

    Raises:
        Rejected: a list itself is damaged.
    """
    objects: dict[str, list[str]] = {}
    blobs: dict[bytes, list[str]] = {}
    findings: list[str] = []
    current = repository.read_current()
    wanted = [(f"backup {number}", repository.read_backup(number)) for number in repository.numbers()]
    needed = [(whose, listed.objects()) for whose, listed in wanted]
    if current is not None:
        needed.append(("the newest copy keys and private keys", current.objects()))
    for whose, names in needed:
        for name in names:
            objects.setdefault(name, []).append(whose)
    for whose, listed in wanted:
        try:
            for digest in listed_blobs(repository, listed):
                blobs.setdefault(digest, []).append(whose)
        except Rejected:
            pass  # it is found below
    done, read, total = 0, 0, len(objects) + len(blobs)
    for kind, pieces in (("objects", objects), ("blobs", blobs)):
        for piece, needing in pieces.items():
            try:
                read += repository.check_blob(piece) if isinstance(piece, bytes) else len(repository.get(piece))
            except Rejected as error:
                name = piece.hex() if isinstance(piece, bytes) else piece
                findings.append(f"{kind}/{name[:2]}/{name[2:]}: {error.sentence} (needed by {', '.join(needing)})")
            done += 1
            progress("reading", done, total)
    return BackupsChecked(backups=len(wanted), pieces=total, bytes_read=read, findings=tuple(findings))
