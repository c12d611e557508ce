"""Makes a new journal of the rows that SQLite can still read in a damaged one, which is kept.

Lost records come back from Mem0 (sync and `rebuild`) and, for a bot's trades, from Freqtrade's
database. Lost decisions do not.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.journal.chain import note_gone
from freqtrade_mem0.journal.chain_archived import lost_bodies
from freqtrade_mem0.journal.chain_salvage import carry_over
from freqtrade_mem0.journal.compact import MARK as COMPACTED
from freqtrade_mem0.journal.evidence_anew import fill_evidence
from freqtrade_mem0.journal.exchange import SIDE_FILES, exchange
from freqtrade_mem0.journal.identity import IDENTITY_MARK
from freqtrade_mem0.journal.in_use import is_in_use
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.readable import ReadableJournal
from freqtrade_mem0.journal.salvage_archived import carry_archive_over
from freqtrade_mem0.journal.schema import refuse_foreign
from freqtrade_mem0.journal.verify import is_sound, verify
from freqtrade_mem0.sqlite_files.cipher_pages import mend
from freqtrade_mem0.sqlite_files.connecting import connect
from freqtrade_mem0.sqlite_files.opening import PLAIN_AMONG_ENCRYPTED, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from freqtrade_mem0.journal.readable import Row

_NUMBERED = ("decisions", "outbox", "records")
"""Tables whose rows have numbers."""

_VOUCHING = ("pulled", "compared", "risk", IDENTITY_MARK)
"""Beginnings of the names of marks that are not copied. They say which rows were dealt with: as
some of these are lost, sync, reconciliation and the risk detectors must go through everything
again. The new journal also needs an identity of its own."""

_CHAIN = ("chain", "chain_roots", "chain_gone")

_INSERTS = {
    # Of two current rows with one id, which only damage can leave, the later one counts.
    "records": "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "decisions": "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "outbox": "INSERT INTO outbox SELECT ?1, ?2, ?3, ?4"
    " WHERE EXISTS (SELECT 1 FROM records WHERE seq = ?1)",
    "adopted": "INSERT OR IGNORE INTO adopted VALUES (?)",
    "revoked": "INSERT OR IGNORE INTO revoked VALUES (?, ?, ?, ?, ?)",
    "forgotten": "INSERT OR IGNORE INTO forgotten VALUES (?, ?, ?)",
    "seen": "INSERT OR IGNORE INTO seen VALUES (?, ?)",
    "marks": "INSERT OR IGNORE INTO marks VALUES (?, ?)",
    "aged": "INSERT OR IGNORE INTO aged VALUES (?, ?)",
    "asked": "INSERT OR IGNORE INTO asked VALUES (?, ?, ?)",
    "told": "INSERT OR IGNORE INTO told VALUES (?)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What was saved, and what was lost.

    Parameters
    ----------
    kept
        Where the damaged file is now.
    saved
        Rows in the new journal, by table.
    lost_records
        Rows of records that could not be read.
    complete
        Tables of which every row was read.
    n_queued
        Records that wait for Mem0 again, as it could not be read which of them it has.
    """

    kept: Path
    saved: Mapping[str, int]
    lost_records: int
    complete: tuple[str, ...]
    n_queued: int


def salvage(path: Path, now: datetime) -> Salvaged | None:
    """Put a new journal in the place of a damaged one; return None if it is not damaged.

    Nothing of this process may have the file open. A kill at any instant leaves the damaged file,
    under its own name or under the dated one.

    Parameters
    ----------
    path
        The journal's file.
    now
        Aware UTC wall time, for the name under which the damaged file is kept.

    Raises
    ------
    ConfigError
        Another program, or a newer version of this one, wrote the file.
    JournalError
        A bot uses it, no row of it can be read, or its folder can not be written to.
    """
    try:
        if is_in_use(path):
            raise JournalError(
                f"{path} is in use. Stop the bots and commands that use this memory, and try again."
            )
        if KEYRING.data_key(path) is not None and is_plain(path):
            raise JournalError(f"{path} can not be used: {PLAIN_AMONG_ENCRYPTED}.")
        with TemporaryDirectory(dir=path.parent, prefix=".salvage-") as folder:
            copied = Path(folder) / FILE_NAME
            _copy(path, copied)
            if _is_intact(copied, path):
                return None
            data_key = KEYRING.data_key(copied)
            if data_key is not None:
                mend(copied, data_key)  # what is left of a damaged page can be read then
            fresh = Journal(Path(folder) / "new")
            done = _rescue(copied, fresh, kept=_dated(path, now))
            if not done.saved["records"] and not done.saved["decisions"]:
                raise JournalError(
                    f"SQLite can read no row of a journal in {path}; the file is left as it is. "
                    "Move it away: a bot's trades come back from Freqtrade's database, and "
                    "'freqtrade-mem0 rebuild' brings back what Mem0 has."
                )
            exchange(path, fresh.path, done.kept)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path} can not be salvaged: {error}. The file is left as it is; check the disk and "
            "the rights of its folder, and try again."
        ) from error
    return done


def _copy(path: Path, target: Path) -> None:
    for suffix in ("", "-wal"):  # SQLite makes the third file from these
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copyfile(source, target.with_name(target.name + suffix))


def _is_intact(copied: Path, path: Path) -> bool:
    """Return whether SQLite finds the file in order, and every row says what was written to it."""
    try:
        with closing(connect(copied)) as sqlite:
            refuse_foreign(sqlite, path)
            words = sqlite.execute("PRAGMA integrity_check").fetchall()
            tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master")}
            rows_are_sound = all(
                is_sound(table, row)
                for table in ("records", "decisions")
                if table in tables
                for row in sqlite.execute(f"SELECT * FROM {table}")  # noqa: S608 - ours
                if row[-1] != ""  # compressed; `verify` reads it
            )
        if words != [("ok",)] or not rows_are_sound:
            return False
        journal = Journal(copied.parent)  # a copy of an older format gets its evidence here
        try:
            return not verify(journal.connection).bad
        finally:
            journal.close()
    except (sqlite3.DatabaseError, JournalError):
        return False


def _rescue(copied: Path, fresh: Journal, *, kept: Path) -> Salvaged:
    """Write every row that can be read into a new journal."""
    fresh.open()
    _checkpoint(fresh)
    readable = ReadableJournal(copied, empty=fresh.path)
    try:
        n_queued = _fill(fresh, readable)
    finally:
        readable.close()
    word = fresh.check()
    if word != "ok":
        raise JournalError(f"The new journal in {fresh.path} is not in order: {word}.")
    with fresh.connection.read() as sqlite:
        saved = {
            table: sqlite.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _INSERTS
        }
    n_compacted = Marks(fresh).get(COMPACTED).get("records", 0)
    _checkpoint(fresh)
    return Salvaged(
        kept=kept,
        saved=saved,
        lost_records=max(readable.last_seq["records"] - saved["records"] - n_compacted, 0),
        complete=tuple(table for table in _NUMBERED if table not in readable.incomplete),
        n_queued=n_queued,
    )


def _fill(fresh: Journal, readable: ReadableJournal) -> int:
    """Write the rows; return how many records wait because the outbox could not be read."""
    with fresh.connection.write() as sqlite:
        for table in _INSERTS:
            rows = readable.rows(table) if table in _NUMBERED else readable.pairs(table)
            if not _insert(sqlite, table, rows):
                readable.incomplete.add(table)
        for table, last in readable.last_seq.items():
            # A reader that follows the order of arrival must not meet a number a second time.
            sqlite.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", [last, table]
            )
        carry_archive_over(sqlite, readable)
        carry_over(sqlite, *(readable.pairs(table) for table in _CHAIN))
        fill_evidence(sqlite)
        note_gone(sqlite, "records", lost_bodies(sqlite), "lost")
        for beginning in _VOUCHING:
            sqlite.execute("DELETE FROM marks WHERE name LIKE ?", [f"{beginning}%"])
        sqlite.execute("DELETE FROM marks WHERE NOT json_valid(value)")
        if "outbox" not in readable.incomplete:
            return 0
        return sqlite.execute(
            "INSERT OR IGNORE INTO outbox (seq) SELECT seq FROM records WHERE is_current = 1"
        ).rowcount


def _insert(sqlite: sqlite3.Connection, table: str, rows: Iterable[Row]) -> bool:
    """Write rows one by one; return whether the new journal took all of them."""
    takes_all = True
    for row in rows:
        try:
            sqlite.execute(_INSERTS[table], row)
        except sqlite3.IntegrityError:  # a value of a wrong type
            takes_all = False
    return takes_all


def _checkpoint(journal: Journal) -> None:
    """Close a journal with everything in the file itself, nothing in its write-ahead log."""
    with journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal.close()


def _dated(path: Path, now: datetime) -> Path:
    """Return a name for the damaged file that no file has yet."""
    dated = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    kept, number = dated, 0
    while any(kept.with_name(kept.name + suffix).exists() for suffix in SIDE_FILES):
        number += 1
        kept = dated.with_name(f"{dated.name}-{number}")
    return kept
