"""Append records and decisions to the journal, and read them back."""

from __future__ import annotations

import json
import logging
from array import array
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.append import adopt_records, append_batch, as_batch, recorded_ms
from freqtrade_mem0.journal.connection import Connection
from freqtrade_mem0.records.base import Mode, Record, from_ms, to_ms
from freqtrade_mem0.records.codec import decode, decode_decision
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.journal.append import Entry

logger = logging.getLogger(__name__)

FILE_NAME = "journal.sqlite"

PAGE_ROWS = 1_000
"""Rows that are read at once."""

FEW_ROWS = 10_000
"""So many rows of the journal are walked through sooner than the scope's index is."""

_Row = tuple[int, str, str, str]
"""`seq`, id, kind and JSON of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which records or decisions to read; None is "any".

    Parameters
    ----------
    user_id, strategy, run_id, pair
        Equal to this.
    modes
        One of these.
    kind
        Kind of record ("trade", ...); without meaning for decisions.
    """

    user_id: str | None = None
    strategy: str | None = None
    modes: Collection[Mode] | None = None
    run_id: str | None = None
    pair: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A decision and, once the trade is closed, its outcome."""

    decision: Decision
    trade: TradeRecord | None


class Journal:
    """The journal in one folder. Safe for several threads, processes and instances at once.

    Every method raises `JournalError` where the file can not be used.
    """

    def __init__(self, folder: Path) -> None:
        self.connection = Connection(folder / FILE_NAME)
        self._unreadable: set[int] = set()

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.connection.path

    def open(self) -> None:
        """Open the file, making it where it is missing."""
        with self.connection.read():
            pass

    def append(self, entries: Iterable[Entry]) -> int:
        """Append `entries` in one transaction; return how many records were new or corrected.

        A record that says the same as the current one with its id is skipped; one that says
        something else becomes the current one and the old row stays, marked.
        """
        batch = as_batch(entries)
        with self.connection.write() as sqlite:
            return append_batch(sqlite, batch)

    def adopt(self, records: Sequence[Record]) -> int:
        """Take up records that came from Mem0, in one transaction; return how many were news.

        Of what is known under an id, what was recorded last counts, wherever it came from: an
        older version that is still in Mem0 changes nothing, and what was taken back here stays
        taken back. Adopted records are not delivered again.
        """
        with self.connection.write() as sqlite:
            return adopt_records(sqlite, records)

    def records(
        self,
        scope: Scope | None = None,
        *,
        after_seq: int = 0,
        limit: int | None = None,
        left_out: Callable[[str], None] | None = None,
    ) -> Iterator[tuple[int, Record]]:
        """Yield `(seq, record)` of current records in order of arrival, read a page at a time.

        What is corrected meanwhile may come twice: as it was, and later as it is.

        Parameters
        ----------
        scope
            Which ones.
        after_seq
            Only those that arrived after this one: a reader that remembers the last `seq` it saw
            reads what other processes added since.
        limit
            The newest so many only.
        left_out
            Takes the ids of records that can not be read; they are logged, once.
        """
        scope = scope or Scope()
        if limit is None:
            pages = self._pages(scope, after_seq)
        else:
            pages = iter([self._newest(scope, after_seq, limit)])
        for seq, record_id, kind, body in chain.from_iterable(pages):
            try:
                record = decode(kind, body)
            except RecordError as error:
                # Of a newer version, say. One row must not keep a bot from all others.
                self._warn_unreadable(seq, error)
                if left_out is not None:
                    left_out(record_id)
            else:
                yield seq, record

    def last_seq(self) -> int:
        """Return the number of the row that arrived last, 0 where there is none."""
        with self.connection.read() as sqlite:
            row = sqlite.execute("SELECT max(seq) FROM records").fetchone()
        return row[0] or 0

    def record(self, record_id: str) -> Record | None:
        """Return the current record with this id, or None."""
        with self.connection.read() as sqlite:
            row = sqlite.execute(
                "SELECT kind, body FROM records WHERE id = ? AND is_current = 1", [record_id]
            ).fetchone()
        return None if row is None else decode(*row)

    def is_current(self, record_id: str) -> bool:
        """Return whether something counts under this id: noted, and not taken back."""
        with self.connection.read() as sqlite:
            row = sqlite.execute(
                "SELECT 1 FROM records WHERE id = ? AND is_current = 1", [record_id]
            ).fetchone()
        return row is not None

    def ids(self, scope: Scope) -> set[str]:
        """Return the ids of current records, without reading what they say."""
        where, values = _where(scope, records=True)
        query = f"SELECT id FROM records WHERE is_current = 1 AND {where}"  # noqa: S608 - as above
        with self.connection.read() as sqlite:
            return {each for (each,) in sqlite.execute(query, values)}

    def ledger(
        self, scope: Scope | None = None, *, only_opened: bool = True, limit: int | None = None
    ) -> Iterator[LedgerLine]:
        """Yield decisions with their outcome, by market time.

        Parameters
        ----------
        scope
            Which ones.
        only_opened
            Leave out decisions whose entry order was never filled.
        limit
            The newest so many only.
        """
        where, values = _where(scope or Scope(), records=False)
        if only_opened:
            where += " AND d.trade_id IS NOT NULL"
        newest = "" if limit is None else "ORDER BY d.decided_ms DESC, d.seq DESC LIMIT ?"
        query = f"""
            SELECT * FROM (
                SELECT d.body AS decision, d.trade_id, d.open_ms, r.body, d.decided_ms, d.seq
                FROM decisions d LEFT JOIN records r ON r.id = d.trade_id AND r.is_current = 1
                WHERE {where} {newest}
            ) ORDER BY decided_ms, seq
        """  # noqa: S608 - as above
        bound = [*values, *([] if limit is None else [limit])]
        with self.connection.read() as sqlite:
            rows = sqlite.execute(query, bound).fetchall()
        for body, trade_id, open_ms, trade_body, *_ in rows:
            yield _ledger_line(body, trade_id, open_ms, trade_body)

    def loose_decisions(self, scope: Scope, since: datetime) -> list[Decision]:
        """Return decisions since a moment that a bot still has to tie to a record, oldest first.

        These are the ones whose entry order was not filled yet, and those of trades that are not
        recorded, or recorded without their decision.
        """
        where, values = _where(scope, records=False)
        query = f"""
            SELECT d.body, d.trade_id, d.open_ms
            FROM decisions d LEFT JOIN records r ON r.id = d.trade_id AND r.is_current = 1
            WHERE {where} AND d.decided_ms >= ?
            AND (d.trade_id IS NULL OR json_extract(r.body, '$.decision_id') IS NULL)
            ORDER BY d.decided_ms, d.seq
        """  # noqa: S608 - as above
        with self.connection.read() as sqlite:
            rows = sqlite.execute(query, [*values, to_ms(since)]).fetchall()
        return [
            _ledger_line(body, trade_id, open_ms, None).decision for body, trade_id, open_ms in rows
        ]

    def run_ids(self, beginning: str) -> list[str]:
        """Return the ids of runs and bots that begin with this, sorted."""
        with self.connection.read() as sqlite:
            rows = sqlite.execute(
                "SELECT run_id FROM records UNION SELECT run_id FROM decisions ORDER BY run_id"
            ).fetchall()
        return [run_id for (run_id,) in rows if run_id.startswith(beginning)]

    def counts(self, user_id: str | None = None) -> dict[tuple[str, str, str], int]:
        """Count current records, of one owner or of all, by `(kind, category, mode)`."""
        with self.connection.read() as sqlite:
            rows = sqlite.execute(
                "SELECT kind, category, mode, count(*) FROM records"
                " WHERE is_current = 1 AND (?1 IS NULL OR user_id = ?1)"
                " GROUP BY kind, category, mode ORDER BY kind, category, mode",
                [user_id],
            ).fetchall()
        return {(kind, category, mode): count for kind, category, mode, count in rows}

    def recorded_ms(self, ids: Collection[str]) -> dict[str, int]:
        """Return when the newest version under each id was recorded, in epoch milliseconds.

        Only of the ids that were ever noted, also if taken back since.
        """
        with self.connection.read() as sqlite:
            return recorded_ms(sqlite, ids)

    def check(self) -> str:
        """Return SQLite's word on the file's integrity: "ok", or what is wrong."""
        with self.connection.read() as sqlite:
            word: str = sqlite.execute("PRAGMA integrity_check").fetchone()[0]
        return word

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self.connection.close()

    def _newest(self, scope: Scope, after_seq: int, limit: int) -> list[_Row]:
        where, values = _where(scope, records=True)
        query = f"""
            SELECT seq, id, kind, body FROM records
            WHERE is_current = 1 AND seq > ? AND {where} ORDER BY seq DESC LIMIT ?
        """  # noqa: S608 - `where` is made of fixed column names, values are bound
        with self.connection.read() as sqlite:
            return sqlite.execute(query, [after_seq, *values, limit]).fetchall()[::-1]

    def _pages(self, scope: Scope, after_seq: int) -> Iterator[list[_Row]]:
        """Yield the rows of a scope in order of arrival, a page at a time."""
        last = self.last_seq()
        if scope.user_id is not None and last - after_seq > FEW_ROWS:
            # Of a scope in a large journal: what an index lists, instead of walking all of it.
            seqs = self._listed(scope, after_seq, last)
            for first in range(0, len(seqs), PAGE_ROWS):
                yield self._rows_in(scope, seqs[first : first + PAGE_ROWS])
            after_seq = last
        where, values = _where(scope, records=True)
        # SQLite would take the scope's index, read all it lists, and sort it for every page.
        query = f"""
            SELECT seq, id, kind, body FROM records NOT INDEXED
            WHERE seq > ? AND is_current = 1 AND {where} ORDER BY seq LIMIT {PAGE_ROWS}
        """  # noqa: S608 - as above
        while True:
            with self.connection.read() as sqlite:
                rows: list[_Row] = sqlite.execute(query, [after_seq, *values]).fetchall()
            if not rows:
                return
            yield rows
            after_seq = rows[-1][0]
            if len(rows) < PAGE_ROWS:
                return

    def _listed(self, scope: Scope, after_seq: int, last: int) -> array[int]:
        """Return the rows of a scope, where possible by its index alone; some may count no more."""
        where, values = _where(scope, records=True)
        # The plus keeps SQLite from walking the table after all.
        query = f"SELECT seq FROM records WHERE {where} AND +seq > ? AND +seq <= ?"  # noqa: S608
        with self.connection.read() as sqlite:
            rows = sqlite.execute(query, [*values, after_seq, last])
            return array("q", sorted(seq for (seq,) in rows))

    def _rows_in(self, scope: Scope, seqs: array[int]) -> list[_Row]:
        where, values = _where(scope, records=True)
        query = f"""
            SELECT seq, records.id, kind, body FROM json_each(?) AS listed
            CROSS JOIN records NOT INDEXED ON seq = listed.value
            WHERE is_current = 1 AND {where} ORDER BY seq
        """  # noqa: S608 - as above
        with self.connection.read() as sqlite:
            return sqlite.execute(query, [json.dumps(seqs.tolist()), *values]).fetchall()

    def _warn_unreadable(self, seq: int, error: RecordError) -> None:
        if seq not in self._unreadable:
            self._unreadable.add(seq)
            logger.warning("Row %d of %s is left out. %s", seq, self.path, error)


def _where(scope: Scope, *, records: bool) -> tuple[str, list[Any]]:
    terms, values = ["1"], []
    columns = {
        "user_id": scope.user_id,
        "strategy": scope.strategy,
        "run_id": scope.run_id,
        "pair": scope.pair,
    }
    if records:
        columns["kind"] = scope.kind
    prefix = "" if records else "d."
    for column, value in columns.items():
        if value is not None:
            terms.append(f"{prefix}{column} = ?")
            values.append(value)
    if scope.modes is not None:
        terms.append(f"{prefix}mode IN ({', '.join('?' * len(scope.modes))})")
        values.extend(sorted(scope.modes))
    return " AND ".join(terms), values


def _ledger_line(
    body: str, trade_id: str | None, open_ms: int | None, trade_body: str | None
) -> LedgerLine:
    decision = replace(
        decode_decision(body),
        trade_id=trade_id,
        open_date=None if open_ms is None else from_ms(open_ms),
    )
    trade = None if trade_body is None else decode(TradeRecord.kind, trade_body)
    return LedgerLine(decision=decision, trade=trade if isinstance(trade, TradeRecord) else None)
