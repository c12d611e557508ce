"""Follows the closed trades of a journal in columns; reads each of them once."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from cachetools import LRUCache

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.many import in_parts
from freqtrade_mem0.journal.numbers_in_json import Decided, Paid
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.columns.amounts import COLUMNS, amounts_of, decided_again, old_stakes
from freqtrade_mem0.views.columns.kept import AmountsFile, put_amounts
from freqtrade_mem0.views.columns.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from freqtrade_mem0.journal.evidence.many import Part
    from freqtrade_mem0.journal.journal import Journal

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_KEPT = 64
_PAGE = 5_000
_SMALL = 20_000
"""News of at most so many rows are read while a page waits; more are read beside it."""
_IDS_AT_ONCE = 500
_TRADES = "scope IN (SELECT number FROM scopes WHERE kind = ?)"


class TradeBook:
    """The closed trades of a journal, of every user; safe to share between threads.

    Parameters
    ----------
    journal
        Read by its own connection; nothing is written into it.
    keeps
        Whether the amounts are kept in a file beside the journal, for the next start.
    """

    def __init__(self, journal: Journal, *, keeps: bool = False) -> None:
        self._journal = journal
        self._file = AmountsFile(journal) if keeps else None
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._is_closed = threading.Event()
        self._kept: LRUCache[Hashable, Any] = LRUCache(_MOST_KEPT)
        self._start_over()
        self._n_rows = 0
        """Rows to read in all, of the reading that is going on."""

    def table(self) -> Table | None:
        """Return the trades as they are now; None while many of them are still being read.

        The table is for reading, under `lock`. `JournalError`: the journal can not be used.
        """
        if not self._journal.path.exists():
            return Table()
        if not self._reading.acquire(blocking=False):
            return self._table if self._is_whole else None
        is_kept = False
        try:
            n_behind = self._n_behind()
            if n_behind > _SMALL:
                self._n_rows = self._table.n + n_behind
                threading.Thread(
                    target=self._read_beside, name="freqtrade-mem0-book", daemon=True
                ).start()
                is_kept = True  # the thread releases it
                return None
            if n_behind >= 0:
                self._read()
        finally:
            if not is_kept:
                self._reading.release()
        return self._table

    def kept(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what `compute` returns under `lock`: once, until a row changes.

        While the amounts of all trades are read, a figure is computed again for each twentieth of
        them: pages that look each second would hold up the reading. For figures of pages, not for
        columns: several results are kept.
        """
        with self._lock:
            dated = key, int(20.0 * self.share_with_amounts)
            if dated not in self._kept:
                self._kept[dated] = compute()
            return cast("T", self._kept[dated])

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock while rows change."""
        with self._lock:
            self._kept.clear()
            yield

    def _setting(self) -> AbstractContextManager[object]:
        """Hold the lock while amounts are set; see `kept`."""
        return self._changing() if self._has_amounts else self._lock

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop reading, and wait for it."""
        self._is_closed.set()
        if self._reading.acquire(timeout=timeout_s):
            self._reading.release()

    @property
    def lock(self) -> threading.Lock:
        """Held while rows are added and while a page computes."""
        return self._lock

    @property
    def share_read(self) -> float:
        """How much of the trades has been read, in [0, 1]."""
        return 1.0 if self._is_whole else min(self._table.n / max(self._n_rows, 1), 1.0)

    @property
    def share_with_amounts(self) -> float:
        """Of how many of the trades stakes and profits were read, in [0, 1]."""
        return 1.0 if self._has_amounts else min(self._amounts_seq / max(self._seq, 1), 0.99)

    @property
    def words(self) -> Mapping[int, str]:
        """Texts by their numbers."""
        return self._journal.evidence.words if self._journal.path.exists() else {}

    def ids(self, seqs: Sequence[int]) -> dict[int, str]:
        """Return the ids of trades by their rows in the journal."""
        query = "SELECT seq, id FROM evidence WHERE seq IN (SELECT value FROM json_each(?))"
        found = self._journal.connection.rows(query, [json.dumps(list(seqs))])
        return {seq: id_of(stored) for seq, stored in found}

    def scopes(self) -> list[tuple[int, str, str, str, str]]:
        """Return number, user, strategy, mode and run of each scope of trades."""
        if not self._journal.path.exists():
            return []
        query = "SELECT number, user_id, strategy, mode, run_id FROM scopes WHERE kind = ?"
        return self._journal.connection.rows(query, [TradeRecord.kind])

    def _start_over(self) -> None:
        self._table = Table()
        self._is_whole = False
        self._n_opened = -1
        self._n = 0
        """How much of the journal's chain has been taken account of."""
        self._seq = self._amounts_seq = 0
        """The last rows of which the trades, and what they won, were read."""
        self._amounts_n = 0
        """With how much of the chain the latter were read."""
        self._has_amounts = False

    def _n_behind(self) -> int:
        """Return how many rows may have to be read; -1 where nothing has changed."""
        connection = self._journal.connection
        (n, seq) = connection.row(
            "SELECT (SELECT coalesce(max(n), 0) FROM chain),"
            " (SELECT coalesce(max(seq), 0) FROM evidence)"
        )
        if connection.n_opened != self._n_opened or n < self._n:
            with self._changing():
                self._start_over()
            self._n_opened = connection.n_opened
        if n == self._n and self._is_whole:
            return -1
        return int(seq) - self._seq

    def _read_beside(self) -> None:
        try:
            self._read()
        except Mem0Error as error:
            logger.warning("The trades for the dashboard can not be read: %s", error)
        except Exception:
            logger.exception("The trades for the dashboard can not be read.")
        finally:
            self._reading.release()

    def _read(self) -> None:
        connection = self._journal.connection
        (end,) = connection.row("SELECT coalesce(max(n), 0) FROM chain")
        is_first = not self._is_whole
        is_smaller = not is_first and self._may_be_smaller(end)
        query = f"""
            SELECT {COLUMNS} FROM evidence NOT INDEXED
            WHERE seq > ? AND is_current = 1 AND {_TRADES} ORDER BY seq LIMIT {_PAGE}
        """  # noqa: S608 - fixed names
        while rows := self._page(query, self._seq):
            self._add(rows)
            self._seq = rows[-1][0]
            if not is_first:
                self._take_out_corrected([row[1] for row in rows])
        if is_smaller:
            self._look_which_are_there()
        if self._is_closed.is_set():
            return
        self._n, self._is_whole = end, True
        self._read_amounts(query, end, is_first=is_first)

    def _read_amounts(self, query: str, end: int, *, is_first: bool) -> None:
        if is_first and self._file is not None:
            with self._changing():
                self._amounts_seq, self._amounts_n = self._file.restore(self._table)
        known_seq, connection = self._amounts_seq, self._journal.connection
        while rows := self._page(query, self._amounts_seq):
            self._add_amounts(rows)
            self._amounts_seq = rows[-1][0]
        if self._is_closed.is_set():
            return
        if known_seq:
            for rows in decided_again(connection, (self._amounts_n, end), known_seq):
                self._add_amounts(rows)
        else:
            for page in old_stakes(connection):
                self._set(Decided._fields, page)
        self._has_amounts, self._amounts_n = True, end
        if self._file is not None:
            self._file.write(self._table, self._lock, end, self._amounts_seq)

    def _page(self, query: str, after_seq: int) -> list[Any]:
        if self._is_closed.is_set():
            return []
        return self._journal.connection.rows(query, [after_seq, TradeRecord.kind])

    def _may_be_smaller(self, end: int) -> bool:
        """Return whether records were taken back or deleted since."""
        query = """
            SELECT EXISTS (
                SELECT 1 FROM chain LEFT JOIN records AS r ON r.seq = chain.row AND chain.kind = ?
                WHERE n > ? AND n <= ? AND (chain.kind = ? OR r.kind = ?)
            )
        """
        values = [chain.RECORD, self._n, end, chain.RECORDS_GONE, Retraction.kind]
        (found,) = self._journal.connection.row(query, values)
        return bool(found)

    def _add(self, rows: list[Any]) -> None:
        parts = list(in_parts([row[-1] for row in rows], self.words))
        with self._changing():
            for part in parts:
                some = [rows[each] for each in part.places.tolist()]
                place = self._table.grow(len(some))
                for column, name in enumerate(("seq", "", "scope", "pair", "known_ms")):
                    if name:
                        self._table.put(name, place, [row[column] for row in some])
                self._fill(place, part)
            self._table.sort_last(rows[0][0])  # rows are looked up by their numbers

    def _add_amounts(self, rows: list[Any]) -> None:
        won, decided = amounts_of(self._journal.connection, rows, self.words)
        self._set(Paid._fields, won)
        self._set(Decided._fields, decided)

    def _fill(self, place: slice, part: Part) -> None:
        table = self._table
        table["ratio"][place], table["counts"][place] = part.ratio, part.counts
        table["open_s"][place] = np.clip(part.open_ms // 1_000, 0, (1 << 32) - 1)
        for name, texts in part.texts.items():
            table.put(name, place, texts)
        for named, is_number in ((part.numbers, True), (part.words, False)):
            for name, values in named.items():
                column = table.feature(name, is_number=is_number)
                if column is not None:
                    table.put(column, place, values)

    def _set(self, names: Sequence[str], found: list[tuple[int, Any]]) -> None:
        """Set values of trades by their rows in the journal; rows that are not there are left."""
        if not found:
            return
        values = np.array([each for _, each in found])
        wanted = np.array([seq for seq, _ in found])
        with self._setting():
            put_amounts(self._table, wanted, dict(zip(names, values.T, strict=True)))

    def _take_out_corrected(self, ids: list[Any]) -> None:
        for first in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[first : first + _IDS_AT_ONCE]
            query = (
                "SELECT seq FROM evidence WHERE is_current = 0"  # noqa: S608 - values are bound
                f" AND id IN ({', '.join('?' * len(some))})"
            )
            gone = [seq for (seq,) in self._journal.connection.rows(query, some)]
            with self._changing():
                self._table["is_there"][np.isin(self._table["seq"], gone)] = False

    def _look_which_are_there(self) -> None:
        query = f"SELECT seq FROM evidence WHERE is_current = 1 AND {_TRADES}"  # noqa: S608
        rows = self._journal.connection.rows(query, [TradeRecord.kind])
        there = np.fromiter((seq for (seq,) in rows), dtype=np.int64, count=len(rows))
        with self._changing():
            self._table["is_there"][:] = np.isin(self._table["seq"], there)
