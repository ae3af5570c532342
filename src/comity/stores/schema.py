"""The tables of the SQLite store and how they grow (``spec/store.md`` steps 20 to 23).

Rules of this file:

- ``MIGRATIONS[n]`` takes a database from version ``n`` to ``n + 1``; making a new one is the way from 0.
- A script that was ever released is never edited; a change is a new script at the end.
- Each script runs in one transaction together with its version number: a crash leaves the old version, whole.
- A database of a newer version is refused: an old program must not guess what a new one meant.
"""

from __future__ import annotations

import apsw

from comity.errors import Rejected

APPLICATION_ID = 0x434F4D59
"""``COMY`` in the file header (PRAGMA application_id), so that a foreign database is not mistaken for ours."""

MIGRATIONS = (
    """
    CREATE TABLE journal (
        position INTEGER PRIMARY KEY,
        chain    TEXT    NOT NULL,
        sequence INTEGER NOT NULL,
        record   BLOB    NOT NULL,
        envelope BLOB    NOT NULL,
        salt     BLOB    NOT NULL,
        verdict  TEXT    NOT NULL,
        reason   TEXT    NOT NULL,
        extends  INTEGER NOT NULL,
        rules    INTEGER NOT NULL,
        at       INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX journal_by_chain ON journal (chain, sequence) WHERE extends;
    CREATE INDEX journal_by_record ON journal (record);
    CREATE TABLE heads (
        chain TEXT    NOT NULL PRIMARY KEY,
        size  INTEGER NOT NULL,
        last  BLOB    NOT NULL,
        root  BLOB    NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE rows (
        "table" TEXT NOT NULL,
        key     TEXT NOT NULL,
        value   BLOB NOT NULL,
        PRIMARY KEY ("table", key)
    ) STRICT, WITHOUT ROWID;
    """,
    # Rows are hundreds of bytes and tiles thousands: in the tree of the keys they make it deep, and each comparison on
    # the way down reads what it compares with (spec/store.md step 17).
    """
    ALTER TABLE rows RENAME TO rows_by_key;
    CREATE TABLE rows (
        "table" TEXT NOT NULL,
        key     TEXT NOT NULL,
        value   BLOB NOT NULL,
        PRIMARY KEY ("table", key)
    ) STRICT;
    INSERT INTO rows ("table", key, value) SELECT "table", key, value FROM rows_by_key ORDER BY "table", key;
    DROP TABLE rows_by_key;
    """,
    # What can be erased stands on pages of its own, behind room that fills the page of the row (spec/store.md step 18).
    # The old pages are freed whole, and so overwritten.
    """
    ALTER TABLE rows RENAME TO rows_without_room;
    CREATE TABLE rows (
        "table" TEXT NOT NULL,
        key     TEXT NOT NULL,
        room    BLOB NOT NULL DEFAULT x'',
        value   BLOB NOT NULL,
        PRIMARY KEY ("table", key)
    ) STRICT;
    INSERT INTO rows ("table", key, room, value)
        SELECT "table", key,
            CASE WHEN "table" IN ('header', 'item-title', 'person-name', 'prepared') THEN zeroblob(4096) ELSE x'' END,
            value
        FROM rows_without_room ORDER BY "table", key;
    DROP TABLE rows_without_room;
    """,
)

ERASABLE = ("header", "item-title", "person-name", "prepared")
"""Tables of which nothing is left on the disk once a row is deleted (``spec/store.md`` step 18)."""
ROOM_BYTES = 4096
"""How much stands before a value that can be erased: as much as a page of a house's store holds of a row, and more."""
SET_ROW = f"""
    INSERT INTO rows ("table", key, room, value)
        VALUES (?1, ?2, CASE WHEN ?1 IN {ERASABLE} THEN zeroblob({ROOM_BYTES}) ELSE x'' END, ?3)
        ON CONFLICT ("table", key) DO UPDATE SET value = excluded.value
"""  # noqa: S608 - constants
"""Writes table, key and value of a row; in its place where it is there, so that its index stays as it is."""


def check_version(connection: apsw.Connection) -> int:
    """The version of a database that this program may open; 0 for one that is still empty (step 21).

    Raises:
        Rejected: the file is another program's database, or a newer Comity wrote it; it was not touched.
    """
    version = int(connection.execute("PRAGMA user_version").get)
    application = connection.execute("PRAGMA application_id").get
    empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").get
    if application != APPLICATION_ID and not (application == version == 0 and empty):
        raise Rejected("this SQLite file is not a Comity database; name another folder", code="foreign-database")
    if version > len(MIGRATIONS):
        raise Rejected(
            f"the database has version {version} and this Comity knows {len(MIGRATIONS)}; run the newer Comity",
            code="newer-database",
        )
    return version


def migrate(connection: apsw.Connection) -> None:
    """Bring a database to the newest version (steps 20 and 22).

    Raises:
        Rejected: as ``check_version``.
    """
    for number in range(check_version(connection), len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(MIGRATIONS[number])
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
