"""The journal file's format, version by version.

Every version ever released can be opened: `migrate` brings a file up step by step, all steps and
the version number in one transaction. A file from a newer release is refused, untouched.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.evidence_anew import fill_evidence

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

logger = logging.getLogger(__name__)

APPLICATION_ID = 0x4D656D30
"""SQLite application id of our files ("Mem0"): it tells journals from other databases."""

_VERSION_1 = (
    """
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival; never re-used
        id TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        is_current INTEGER NOT NULL,            -- 0: corrected by a later row with the same id
        kind TEXT NOT NULL,
        category TEXT NOT NULL,
        user_id TEXT NOT NULL,
        strategy TEXT NOT NULL,
        mode TEXT NOT NULL,
        run_id TEXT NOT NULL,
        pair TEXT NOT NULL,
        known_ms INTEGER NOT NULL,
        recorded_ms INTEGER NOT NULL,
        body TEXT NOT NULL                      -- the record's JSON, see records/codec.py
    ) STRICT
    """,
    "CREATE UNIQUE INDEX records_current ON records (id) WHERE is_current = 1",
    "CREATE INDEX records_scope ON records (user_id, strategy, mode, kind, known_ms)",
    """
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY REFERENCES records (seq),
        attempts INTEGER NOT NULL DEFAULT 0,
        is_dead INTEGER NOT NULL DEFAULT 0,     -- 1: refused for good; kept, listed, not sent
        error TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    """
    CREATE TABLE decisions (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        user_id TEXT NOT NULL,
        strategy TEXT NOT NULL,
        mode TEXT NOT NULL,
        run_id TEXT NOT NULL,
        pair TEXT NOT NULL,
        side TEXT NOT NULL,
        decided_ms INTEGER NOT NULL,
        trade_id TEXT,                          -- set when the first entry order is filled
        open_ms INTEGER,
        body TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX decisions_scope ON decisions (user_id, strategy, mode, run_id, decided_ms)",
    "CREATE INDEX decisions_trade ON decisions (trade_id)",
)

_VERSION_2 = (
    """
    CREATE TABLE seen (                         -- which of Freqtrade's databases has which trade
        database TEXT NOT NULL,
        record_id TEXT NOT NULL,
        PRIMARY KEY (database, record_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_VERSION_3 = (
    """
    CREATE TABLE marks (                        -- how far work is that several processes share
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL                     -- JSON
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX records_id ON records (id)",  # also of what was corrected or taken back
)

_VERSION_4 = (
    "DROP INDEX records_scope",
    # The run before the time: what one bot did lately is one stretch, however much others did.
    "CREATE INDEX records_scope ON records (user_id, strategy, mode, kind, run_id, known_ms)",
)

_VERSION_5 = (
    """
    CREATE TABLE adopted (                      -- rows that came from Mem0, not from this machine
        seq INTEGER PRIMARY KEY
    ) STRICT
    """,
    """
    CREATE TABLE set_aside (                    -- what came from outside and can not be taken
        source TEXT NOT NULL,
        id TEXT NOT NULL,
        why TEXT NOT NULL,
        since_ms INTEGER NOT NULL,
        PRIMARY KEY (source, id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE revoked (                      -- writers whose records are no evidence here
        user_id TEXT NOT NULL,
        strategy TEXT NOT NULL,                 -- '' for every strategy
        run_id TEXT NOT NULL,
        since_ms INTEGER NOT NULL,              -- records known from then on
        revoked_ms INTEGER NOT NULL,
        PRIMARY KEY (user_id, strategy, run_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_VERSION_6 = (
    """
    CREATE TABLE forgotten (                    -- scopes that were forgotten, see forgotten.py
        scope BLOB PRIMARY KEY,                 -- a hash of their names
        until_ms INTEGER NOT NULL,
        is_done INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE chain (                        -- what was written, as hashes; see chain.py
        n INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        row INTEGER NOT NULL,
        digest BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE chain_roots (                  -- the chain's links at the end of each day
        id INTEGER PRIMARY KEY,
        day TEXT NOT NULL,
        last_n INTEGER NOT NULL,
        root BLOB NOT NULL,
        record_seq INTEGER NOT NULL             -- the last row of records that is in the chain
    ) STRICT
    """,
    """
    CREATE TABLE chain_gone (                   -- deletions: their items, and which rows
        n INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        why TEXT NOT NULL,
        rows TEXT NOT NULL                      -- JSON: [[first, last], ...]
    ) STRICT
    """,
    """
    CREATE TABLE aged (                         -- records whose memories are not hot any more
        seq INTEGER PRIMARY KEY,
        state TEXT NOT NULL                     -- journal/aged.py says which
    ) STRICT
    """,
    """
    CREATE TABLE asked (                        -- how often memories were given as an answer
        id TEXT PRIMARY KEY,
        n INTEGER NOT NULL,
        last_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE told (                         -- what a dry run said would be pruned
        seq INTEGER PRIMARY KEY
    ) STRICT
    """,
    """
    CREATE TABLE words (                        -- texts that many rows of evidence share
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        word TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE scopes (                       -- what the rows of a run and kind have in common
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL,
        strategy TEXT NOT NULL,
        mode TEXT NOT NULL,
        run_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        category TEXT NOT NULL,
        UNIQUE (user_id, strategy, mode, run_id, kind, category)
    ) STRICT
    """,
    """
    CREATE TABLE evidence (                     -- what stakes are computed from, see its package
        seq INTEGER PRIMARY KEY,                -- of the record
        id ANY NOT NULL,                        -- 16 bytes of a UUID, or text
        scope INTEGER NOT NULL,                 -- scopes.number
        pair INTEGER NOT NULL,                  -- words.number
        known_ms INTEGER NOT NULL,
        recorded_ms INTEGER NOT NULL,
        is_current INTEGER NOT NULL,
        is_archived INTEGER NOT NULL DEFAULT 0, -- 1: its row of records is gone, see bodies
        said BLOB NOT NULL,                     -- the first 16 bytes of the content hash
        checksum INTEGER NOT NULL,              -- CRC-32 of the row, without seq and is_current
        facts BLOB                              -- NULL: the record could not be read
    ) STRICT
    """,
    "CREATE INDEX evidence_id ON evidence (id)",
    "CREATE INDEX evidence_scope ON evidence (scope, known_ms)",
    """
    CREATE TABLE dictionaries (                 -- of zstd; kept as long as the file
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        number INTEGER NOT NULL UNIQUE,         -- as in the compressed bodies
        about TEXT NOT NULL,                    -- the table whose bodies it was trained on
        ratio REAL NOT NULL,                    -- of compressed to plain bytes in the beginning
        body BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE packed (                       -- compressed bodies, whose rows have ''
        number INTEGER PRIMARY KEY,             -- seq of a record, or -seq of a decision
        body BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE blocks (                       -- bodies of archived records
        first INTEGER PRIMARY KEY,              -- the lowest number in it
        last INTEGER NOT NULL,                  -- and the highest one
        bodies BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE old_decisions (                -- archived decisions: their numbers
        seq INTEGER PRIMARY KEY,                -- as in decisions
        id ANY NOT NULL,                        -- as in evidence, as all of these
        scope INTEGER NOT NULL,
        pair INTEGER NOT NULL,
        decided_ms INTEGER NOT NULL,
        open_ms INTEGER,
        trade_id ANY,
        checksum INTEGER NOT NULL,
        facts BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX old_decisions_scope ON old_decisions (scope, decided_ms)",
)

_STEPS: tuple[tuple[str, ...], ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
)
"""`_STEPS[n]` are the statements that bring a file from version `n` to `n + 1`."""

VERSION = len(_STEPS)

_FILLS: dict[int, Callable[[sqlite3.Connection], None]] = {6: fill_evidence}
"""What fills new tables from old ones, by the version that has them first."""

_MIGRATION_TIMEOUT_S = 1_200
"""How long a process waits for another one that migrates: with a million records a minute or two,
on a slow machine longer."""


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `ConfigError` for a file that is no journal, or that a newer version wrote.

    It is called before anything is changed in the file.
    """
    # Tables first: another process that is making the file commits them together with its id.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application_id = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if application_id != APPLICATION_ID and tables > 0:
        raise ConfigError(
            f"{path} is an SQLite file, but not a journal of freqtrade_mem0; it is left untouched. "
            "Set 'mem0.path' to a folder of its own."
        )
    if version > VERSION:
        raise ConfigError(
            f"{path} has journal format {version}; this version of freqtrade_mem0 reads up to "
            f"{VERSION}. Upgrade freqtrade_mem0, or point 'mem0.path' elsewhere."
        )


def refuse_old(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `JournalError` for a journal that has to be migrated, which needs write rights."""
    version = _pragma(connection, "user_version")
    if version < VERSION:
        raise JournalError(
            f"{path} has journal format {version} and can only be read here. Run 'freqtrade-mem0 "
            f"stats' once where it may be written to; that brings it to format {VERSION}."
        )


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a journal, or an empty file, to format `VERSION`."""
    if _pragma(connection, "user_version") == VERSION:
        return
    _begin_patiently(connection)
    try:
        # Another process may have migrated while this one waited for the lock.
        version = _pragma(connection, "user_version")
        if 0 < version < VERSION:
            logger.info(
                "%s is brought from journal format %d to %d, once. With a million records this "
                "takes some minutes; other processes can read meanwhile, and write afterwards.",
                path,
                version,
                VERSION,
            )
        for number, step in enumerate(_STEPS[version:], version + 1):
            for statement in step:
                connection.execute(statement)
            if version > 0 and number in _FILLS:
                _FILLS[number](connection)
            if step is _VERSION_6:
                chain.begin(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _begin_patiently(connection: sqlite3.Connection) -> None:
    """Begin a writing transaction; wait for another process that migrates."""
    timeout_ms = _pragma(connection, "busy_timeout")
    connection.execute(f"PRAGMA busy_timeout = {_MIGRATION_TIMEOUT_S * 1_000}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
