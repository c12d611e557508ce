"""Deletes rows of a journal that nobody reads any more, and gives their space back to the disk.

Of each record the last version stays, whether it counts or was retracted, and each older version
with a later `recorded_at`, which sync and imports compare. Of the ledger each line that became a
trade stays, and each that a bot may still tie to a fill. Row numbers never change and are never
given again.

It works in small transactions with pauses between them, so that a bot that writes to the same file
waits for milliseconds. A kill at any instant leaves a sound file; the next run does the rest.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain import Table, note_gone
from freqtrade_mem0.journal.in_use import is_in_use
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import read_mark, write_mark
from freqtrade_mem0.records.base import Mode, to_ms
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.sqlite_files.space import can_shrink, give_back, pragma, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

MARK = "compacted"
"""The mark that counts the rows deleted from each table since the file was made."""

LEAST_KEEP_DAYS = 31
"""A bot that starts looks for entry orders that are up to thirty days old."""

_ROWS_PER_LOOK = 2_000
_ROWS_PER_WRITE = 50

_BESIDE = {
    "records": (("evidence", "seq"), ("packed", "number")),
    "decisions": (("packed", "number"),),
}
"""By table, tables that have rows with its numbers, and their column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What compaction did, or would do.

    Parameters
    ----------
    records
        Versions of records that were replaced by later ones.
    decisions
        Lines of the ledger that never became a trade.
    bytes_before, bytes_after
        Size of the file with its write-ahead log.
    bytes_free
        Free space inside the file in the end; new rows use it.
    was_in_use
        Whether another process had the file open.
    can_shrink
        Whether the file can give space back to the disk. A file of an earlier version has to be
        vacuumed once before, which needs exclusive use and 2.5 times its size on the disk.
    """

    records: int
    decisions: int
    bytes_before: int
    bytes_after: int
    bytes_free: int
    was_in_use: bool
    can_shrink: bool


class _Waste(NamedTuple):
    """Rows of a table that nobody reads; `chosen` is a condition on `each` with named values."""

    table: Table
    chosen: str
    values: dict[str, object]


_REPLACED = """
    each.is_current = 0
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = each.seq)
    AND EXISTS (
        SELECT 1 FROM evidence AS own JOIN evidence AS later ON later.id = own.id
        WHERE own.seq = each.seq AND later.seq > own.seq AND later.recorded_ms >= own.recorded_ms
    )
"""
_NEVER_FILLED = "each.trade_id IS NULL AND each.mode IN (:dry_run, :live) AND decided_ms < :before"
_OF_RUNS_THAT_ENDED = """
    each.trade_id IS NULL AND each.mode = :backtest AND EXISTS (
        SELECT 1 FROM records AS whole WHERE whole.user_id = each.user_id
        AND whole.strategy = each.strategy AND whole.mode = each.mode AND whole.kind = :kind
        AND whole.run_id = each.run_id AND whole.is_current = 1
    )
"""


def compact(
    path: Path,
    now: datetime,
    *,
    keep_days: float = 90.0,
    dry_run: bool = False,
    alone: bool | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Compacted:
    """Compact a journal. Without `alone`, nothing of this process may have the file open.

    Parameters
    ----------
    path
        The journal's file.
    now
        Aware UTC wall time.
    keep_days
        How many days a bot's decision is kept whose order was never filled, >= 31. Those of
        backtests are deleted if their run has ended and no other process uses the file, as that
        process may be repeating the run.
    dry_run
        Only count.
    alone
        Whether no other process uses the file; None looks.
    pause
        Waits for some seconds.

    Raises
    ------
    ConfigError
        `keep_days` is too short, or the file is no journal.
    JournalError
        The file can not be used, or stays locked.
    """
    if keep_days < LEAST_KEEP_DAYS:
        raise ConfigError(
            f"--keep-days must be at least {LEAST_KEEP_DAYS}, it is {keep_days:g}: younger "
            "decisions may still be tied to a fill by a bot that starts."
        )
    try:
        was_in_use = is_in_use(path) if alone is None else not alone
    except OSError as error:
        raise JournalError(f"{path} can not be opened for writing: {error.strerror}.") from error
    before = size(path)
    journal = Journal(path.parent)
    writes = BriefWrites(journal, pause)
    try:
        counts = take_out(writes, now, keep_days=keep_days, alone=not was_in_use, dry_run=dry_run)
        if not dry_run:
            shrink(writes, alone=not was_in_use)
        with journal.connection.read() as sqlite:
            free = pragma(sqlite, "freelist_count") * pragma(sqlite, "page_size")
            shrinks = can_shrink(sqlite)
    finally:
        journal.close()
    return Compacted(
        records=counts["records"],
        decisions=counts["decisions"],
        bytes_before=before,
        bytes_after=size(path),
        bytes_free=free,
        was_in_use=was_in_use,
        can_shrink=shrinks,
    )


def take_out(
    writes: BriefWrites, now: datetime, *, keep_days: float, alone: bool, dry_run: bool
) -> dict[str, int]:
    """Delete rows that nobody reads any more, or only count them; return how many by table.

    See `compact` for the parameters; `alone` is whether no other process uses the file.
    """
    counts = {"records": 0, "decisions": 0}
    for waste in _wastes(to_ms(now - timedelta(days=keep_days)), alone=alone):
        for seqs in _waste_rows(writes.journal, waste):
            if writes.has_to_stop():
                return counts
            counts[waste.table] += len(seqs) if dry_run else _delete(writes, waste, seqs)
    return counts


def _wastes(before_ms: int, *, alone: bool) -> Iterator[_Waste]:
    yield _Waste("records", _REPLACED, {})
    modes: dict[str, object] = {"dry_run": Mode.DRY_RUN, "live": Mode.LIVE, "before": before_ms}
    yield _Waste("decisions", _NEVER_FILLED, modes)
    if alone:
        runs: dict[str, object] = {"backtest": Mode.BACKTEST, "kind": BacktestRecord.kind}
        yield _Waste("decisions", _OF_RUNS_THAT_ENDED, runs)


def _waste_rows(journal: Journal, waste: _Waste) -> Iterator[list[int]]:
    """Yield the numbers of rows to delete in small parts; no reading stays open between them."""
    with journal.connection.read() as sqlite:
        (last,) = sqlite.execute(f"SELECT coalesce(max(seq), 0) FROM {waste.table}").fetchone()  # noqa: S608
    query = f"""
        SELECT each.seq FROM {waste.table} AS each NOT INDEXED
        WHERE each.seq > :first AND each.seq <= :last AND {waste.chosen} ORDER BY each.seq
    """  # noqa: S608 - texts of this module
    for first in range(0, last, _ROWS_PER_LOOK):
        bound = {**waste.values, "first": first, "last": min(first + _ROWS_PER_LOOK, last)}
        with journal.connection.read() as sqlite:
            seqs = [seq for (seq,) in sqlite.execute(query, bound)]
        for start in range(0, len(seqs), _ROWS_PER_WRITE):
            yield seqs[start : start + _ROWS_PER_WRITE]


def _delete(writes: BriefWrites, waste: _Waste, seqs: list[int]) -> int:
    """Delete those rows that are still waste, in one transaction; return how many were."""
    statement = f"""
        DELETE FROM {waste.table} AS each WHERE each.seq = :seq AND {waste.chosen} RETURNING seq
    """  # noqa: S608 - as above
    with writes.one() as sqlite:
        done = [
            each
            for seq in seqs
            for (each,) in sqlite.execute(statement, {**waste.values, "seq": seq}).fetchall()
        ]
        note_gone(sqlite, waste.table, done, "compacted")
        for name, number in _BESIDE[waste.table]:
            sqlite.executemany(
                f"DELETE FROM {name} WHERE {number} = ?2"  # noqa: S608 - as above
                f" AND NOT EXISTS (SELECT 1 FROM {waste.table} WHERE seq = ?1)",
                [(seq, seq if waste.table == "records" else -seq) for seq in seqs],
            )
        mark = read_mark(sqlite, MARK)
        mark[waste.table] = mark.get(waste.table, 0) + len(done)
        write_mark(sqlite, MARK, mark)
    return len(done)


def shrink(writes: BriefWrites, *, alone: bool) -> None:
    """Give free pages back to the disk."""
    give_back(
        writes.journal.path,
        writes.journal.connection.read,
        alone=alone,
        pause=writes.pause,
        has_to_stop=writes.has_to_stop,
    )
