"""A new journal out of what can still be read of a damaged one, which is kept.

Nothing is deleted. What is lost comes back from Mem0 (sync and `rebuild`) and, for a bot's trades,
from Freqtrade's database.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.journal.compact import MARK as COMPACTED
from freqtrade_mem0.journal.identity import IDENTITY_MARK
from freqtrade_mem0.journal.in_use import is_in_use
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.pages import Value, read_pages
from freqtrade_mem0.journal.schema import refuse_foreign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.pages import Pages, Row

SIDE_FILES = ("", "-wal", "-shm")
"""What SQLite keeps beside a file, and the file itself."""

_TEXT, _WHOLE = (str,), (int,)
_SHAPES: dict[str, tuple[tuple[type, ...], ...]] = {
    "records": (
        (type(None),),
        *[_TEXT] * 2,
        _WHOLE,
        *[_TEXT] * 7,
        *[_WHOLE] * 2,
        _TEXT,
    ),
    "decisions": (
        (type(None),),
        *[_TEXT] * 7,
        _WHOLE,
        (str, type(None)),
        (int, type(None)),
        _TEXT,
    ),
    "outbox": ((type(None),), _WHOLE, _WHOLE, _TEXT),
}
"""Types of the columns of the tables with row ids, as they stand in a page."""

_IS_CURRENT, _TRADE_ID, _ROOT_PAGE = 3, 9, 3
"""Columns of records, of decisions, and of SQLite's own list of tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What was saved.

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


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was found in the pages of a damaged journal; rows by their row id."""

    rows: dict[str, dict[int, tuple[Value, ...]]] = field(
        default_factory=lambda: {table: {} for table in _SHAPES}
    )
    seen: set[tuple[str, str]] = field(default_factory=set)
    marks: dict[str, str] = field(default_factory=dict)
    last_seq: dict[str, int] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    n_broken_frames: int = 0


def salvage(path: Path, now: datetime) -> Salvaged | None:
    """Put a new journal in the place of a damaged one; return None where it is not damaged.

    To be called where nothing of this process has the file open. A kill at any instant leaves the
    damaged file, under its own name or beside it.

    Parameters
    ----------
    path
        The journal's file.
    now
        Aware UTC wall time, for the name under which the damaged file is kept.

    Raises
    ------
    ConfigError
        It is another program's file, or a newer version's.
    JournalError
        A bot uses it, nothing can be read in it, or its folder can not be written to.
    """
    try:
        _refuse_while_in_use(path)
        with TemporaryDirectory(dir=path.parent, prefix=".salvage-") as folder:
            copied = type(path)(folder) / FILE_NAME
            _copy(path, copied)
            sqlite_can = _is_intact(copied, path)
            found = _find(path)
            # SQLite would drop, without a word, what its log holds behind a damaged page.
            if sqlite_can and found.n_broken_frames == 0:
                return None
            if not found.rows["records"] and not found.rows["decisions"]:
                raise JournalError(
                    f"Nothing that looks like a journal can be read in {path}; it is left as it "
                    "is. Move it away: a bot's trades come back from Freqtrade's database, and "
                    "'freqtrade-mem0 rebuild' brings back what Mem0 has."
                )
            fresh = type(path)(folder) / "new"
            n_queued = _write(fresh, found)
            kept = _keep(path, now)
            _replace(path, fresh / FILE_NAME)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(
            f"{path} can not be salvaged: {error}. Nothing is lost by trying; check the disk and "
            "the rights of its folder, and try again."
        ) from error
    return _summary(kept, found, n_queued)


def _refuse_while_in_use(path: Path) -> None:
    if is_in_use(path):
        raise JournalError(
            f"{path} is in use. Stop the bots and commands that use this memory, and try again."
        )


def _copy(path: Path, target: Path) -> None:
    for suffix in ("", "-wal"):  # the third file is made from these
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copyfile(source, target.with_name(target.name + suffix))


def _is_intact(copied: Path, path: Path) -> bool:
    """Tell whether SQLite can use a file, and every row of it makes sense."""
    try:
        with closing(sqlite3.connect(copied)) as sqlite:
            refuse_foreign(sqlite, path)
            words = sqlite.execute("PRAGMA integrity_check").fetchall()
            tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master")}
            nonsense = [
                sqlite.execute(f"SELECT 1 FROM {table} WHERE NOT json_valid(body)").fetchone()  # noqa: S608
                for table in ("records", "decisions")
                if table in tables
            ]
    except sqlite3.DatabaseError:
        return False
    return words == [("ok",)] and not any(nonsense)


def _find(path: Path) -> _Found:
    """Read all pages; of a row that stands in several of them, the newest form counts."""
    log = path.with_name(path.name + "-wal")
    found = _Found()
    with path.open("rb") as file:
        size = path.stat().st_size
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        pages = read_pages(content, log.read_bytes() if log.exists() else b"")
        found.n_broken_frames = pages.n_broken_frames
        roots: dict[str, int] = {}
        for row in pages.rows():
            _sort(row, found, roots)
        for table in _SHAPES:
            whole = _whole_table(pages, table, roots)
            if whole is not None:
                found.rows[table] = whole  # and nothing that pages thrown away remember
                found.complete.add(table)
    return found


def _sort(row: Row, found: _Found, roots: dict[str, int]) -> None:
    values = row.values
    if row.rowid is None:
        if len(values) == 2 and all(isinstance(each, str) for each in values):  # noqa: PLR2004
            _sort_pair(str(values[0]), str(values[1]), found)
        return
    table = next((name for name in _SHAPES if _fits(name, row)), None)
    if table is not None:
        known = found.rows[table].get(row.rowid)
        found.rows[table][row.rowid] = values if known is None else _newer(table, known, values)
        return
    match values:
        case (("records" | "decisions") as name, int(last)):
            found.last_seq[name] = max(last, found.last_seq.get(name, 0))
        case ("table", str(name), str(), int(), str()):
            roots[name] = int(str(values[_ROOT_PAGE]))
        case _:
            pass


def _sort_pair(first: str, second: str, found: _Found) -> None:
    if _plain(second) is not None:
        found.marks[first] = second
    elif _is_id(second):
        found.seen.add((first, second))


def _fits(table: str, row: Row) -> bool:
    """Tell whether a row is one of a table, and whole."""
    shape, values = _SHAPES[table], row.values
    if len(values) != len(shape) or row.rowid is None or row.rowid < 1:
        return False
    if not all(isinstance(each, types) for each, types in zip(values, shape, strict=True)):
        return False
    if table == "outbox":
        return True
    body = _plain(str(values[-1]))
    return body is not None and body.get("id") == values[1]


def _newer(table: str, one: tuple[Value, ...], other: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return which of two forms of a row is the newer one."""
    if table == "records":  # a superseded record does not become current again
        return one if one[_IS_CURRENT] == 0 else other
    if table == "decisions":  # an opened decision stays so
        return one if one[_TRADE_ID] is not None else other
    return other


def _whole_table(
    pages: Pages, table: str, roots: Mapping[str, int]
) -> dict[int, tuple[Value, ...]] | None:
    """Return all rows of a table; None where any of it can not be read."""
    rows = pages.tree(roots[table]) if table in roots else None
    if rows is None or not all(_fits(table, row) for row in rows):
        return None
    return {row.rowid: row.values for row in rows if row.rowid is not None}


def _write(folder: Path, found: _Found) -> int:
    """Write what was found into a new journal; return how many records wait as nobody knows."""
    journal = Journal(folder)
    try:
        with journal.connection.write() as sqlite:
            _insert(sqlite, "records", _one_current(found.rows["records"]))
            by_id = {values[1]: seq for seq, values in sorted(found.rows["decisions"].items())}
            decisions = found.rows["decisions"]
            _insert(sqlite, "decisions", {seq: decisions[seq] for seq in by_id.values()})
            waiting = {
                seq: values
                for seq, values in found.rows["outbox"].items()
                if seq in found.rows["records"]
            }
            _insert(sqlite, "outbox", waiting)
            sqlite.executemany("INSERT INTO seen VALUES (?, ?)", sorted(found.seen))
            sqlite.executemany("INSERT INTO marks VALUES (?, ?)", _marks(found))
            for table, last in found.last_seq.items():
                # Whoever follows the journal must not meet a number a second time.
                sqlite.execute(
                    "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", [last, table]
                )
            n_queued = 0
            if "outbox" not in found.complete:
                n_queued = sqlite.execute(
                    "INSERT OR IGNORE INTO outbox (seq) SELECT seq FROM records"
                    " WHERE is_current = 1"
                ).rowcount
        word = journal.check()
        if word != "ok":
            raise JournalError(f"The new journal in {folder} is not in order: {word}.")
        with journal.connection.read() as sqlite:
            sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        journal.close()
    return n_queued


def _one_current(rows: Mapping[int, tuple[Value, ...]]) -> dict[int, tuple[Value, ...]]:
    """Return records so that of each id only the newest row can be the current one."""
    last = {values[1]: seq for seq, values in sorted(rows.items())}
    return {
        seq: (*values[:_IS_CURRENT], values[_IS_CURRENT] * (last[values[1]] == seq), *values[4:])  # type: ignore[operator]
        for seq, values in rows.items()
    }


def _marks(found: _Found) -> list[tuple[str, str]]:
    """Return the marks, without those that vouch for rows which may be among the lost ones.

    Sync, reconciliation and the detectors of risk then go through everything again. The new journal
    must not be taken for the old one either.
    """
    vouching = ("pulled", "compared", "risk", IDENTITY_MARK)
    return [(name, value) for name, value in found.marks.items() if not name.startswith(vouching)]


def _insert(sqlite: sqlite3.Connection, table: str, rows: Mapping[int, Sequence[Value]]) -> None:
    places = ", ".join("?" * len(_SHAPES[table]))
    sqlite.executemany(
        f"INSERT INTO {table} VALUES ({places})",  # noqa: S608 - a name of ours
        [(seq, *values[1:]) for seq, values in sorted(rows.items())],
    )


def _keep(path: Path, now: datetime) -> Path:
    """Give the damaged files a second, dated name."""
    kept = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    for number in range(1, 1_000):
        if not any(kept.with_name(kept.name + suffix).exists() for suffix in SIDE_FILES):
            break
        kept = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}-{number}")
    for suffix in SIDE_FILES:
        source = path.with_name(path.name + suffix)
        if source.exists():
            _link(source, kept.with_name(kept.name + suffix))
    return kept


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _replace(path: Path, fresh: Path) -> None:
    """Put the new file into its place. The old log goes first: it must not meet the new file."""
    for suffix in SIDE_FILES[1:]:
        path.with_name(path.name + suffix).unlink(missing_ok=True)  # it has its second name
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _summary(kept: Path, found: _Found, n_queued: int) -> Salvaged:
    records = found.rows["records"]
    last = max([found.last_seq.get("records", 0), *records])
    return Salvaged(
        kept=kept,
        saved={table: len(rows) for table, rows in found.rows.items()}
        | {"seen": len(found.seen), "marks": len(_marks(found))},
        lost_records=max(last - len(records) - _taken_out(found), 0),
        complete=tuple(sorted(found.complete)),
        n_queued=n_queued,
    )


def _taken_out(found: _Found) -> int:
    """Return how many records compaction took out; none where its mark is lost."""
    mark = _plain(found.marks.get(COMPACTED, "")) or {}
    return int(mark.get("records", 0))


def _plain(text: str) -> dict[str, Any] | None:
    """Return a JSON object; None for any other text."""
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4  # noqa: PLR2004 - a UUID
