"""The journal: append records and decisions, and read them back."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.append import append_batch, as_batch, known_ms, recorded_ms
from freqtrade_mem0.journal.connection import Connection
from freqtrade_mem0.journal.evidence.ids import SEQ_OF_ID, id_of, stored_id
from freqtrade_mem0.journal.evidence.read import EvidenceReader, in_scope
from freqtrade_mem0.journal.ledger import Ledger
from freqtrade_mem0.journal.paging import counts, newest, of_ids, of_seqs, pages
from freqtrade_mem0.journal.ready import made_ready
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import checked_record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.ledger import Stake
    from freqtrade_mem0.journal.ledger_line import LedgerLine
    from freqtrade_mem0.journal.ready import Ready
    from freqtrade_mem0.journal.set_aside import SetAside
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.codec import RecordT
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.trade import TradeRecord

logger = logging.getLogger(__name__)

FILE_NAME = "journal.sqlite"


class Journal:
    """The journal in one folder. Safe for several threads, processes and instances at once.

    Every method raises `JournalError` if the file can not be used.
    """

    def __init__(self, folder: Path) -> None:
        self.connection = Connection(folder / FILE_NAME)
        self.evidence = EvidenceReader(self.connection)
        self._unreadable: set[int] = set()
        self._ledger = Ledger(self.connection, self.evidence, self._warn_unreadable)

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.connection.path

    def open(self) -> None:
        """Open the file; create it if it is missing, and refuse one that can only be read."""
        self.connection.open()

    def append(self, entries: Iterable[Entry]) -> int:
        """Append `entries` in one transaction; return how many records were new or corrected.

        A record with the same content as the current one with its id is skipped; one with other
        content becomes the current one, and the old row stays, marked.
        """
        batch = as_batch(entries)
        with self.connection.write() as sqlite:
            return append_batch(sqlite, batch)

    def adopt(self, records: Iterable[Record]) -> int:
        """Take over records that came from Mem0, in one transaction; return how many were new.

        Of the versions of a record the one recorded last counts, wherever it came from: an older
        version that is still in Mem0 changes nothing, and a record that was retracted here stays
        retracted. Nothing from Mem0 replaces or retracts what this machine recorded, see `adopt`.
        Adopted records are not delivered again.
        """
        return self.adopt_ready([made_ready(each) for each in records])

    def adopt_ready(self, batch: Sequence[Ready]) -> int:
        """Take over records as `adopt`, which the caller has made ready."""
        from freqtrade_mem0.journal.adopt import adopt_records  # most processes adopt nothing

        with self.connection.write() as sqlite:
            return adopt_records(sqlite, batch)

    def put_aside(self, source: str, reasons: Mapping[str, str]) -> None:
        """Note records that came from outside and can not be taken: why, by their ids."""
        if not reasons:
            return
        from freqtrade_mem0.journal.set_aside import put_aside

        with self.connection.write() as sqlite:
            for record_id, why in reasons.items():
                put_aside(sqlite, source, record_id, why)

    def set_aside(self) -> list[SetAside]:
        """Return the records that were not taken, newest first."""
        from freqtrade_mem0.journal.set_aside import all_set_aside

        with self.connection.read() as sqlite:
            return all_set_aside(sqlite)

    def adopted(self, scope: Scope, *, after_seq: int = 0) -> set[int]:
        """Return the rows of current records that came from Mem0 and were not confirmed here."""
        where, values = in_scope(scope)
        query = (
            "SELECT seq FROM evidence WHERE is_current = 1 AND seq IN"  # noqa: S608 - as in `paging`
            f" (SELECT seq FROM adopted WHERE seq > ?) AND {where}"
        )
        return {seq for (seq,) in self.connection.rows(query, [after_seq, *values])}

    def n_adopted(self, last_seq: int) -> int:
        """Return how many rows up to `last_seq` came from Mem0 and were not confirmed here."""
        query = "SELECT count(*) FROM adopted WHERE seq <= ?"
        return sum(n for (n,) in self.connection.rows(query, [last_seq]))

    def records(
        self,
        scope: Scope | None = None,
        *,
        after_seq: int = 0,
        limit: int | None = None,
        left_out: Callable[[str], None] | None = None,
    ) -> Iterator[tuple[int, Record]]:
        """Yield `(seq, record)` of current records in order of arrival, read a page at a time.

        A record that is corrected meanwhile may come twice: as it was, and later as it is.

        Parameters
        ----------
        scope
            Which ones.
        after_seq
            Only those that arrived after this one: a reader that remembers the last `seq` it saw
            reads what other processes added since.
        limit
            Yield at most this many, the newest.
        left_out
            Is called with the id of each record that can not be read; these are logged, once.
        """
        scope = scope or Scope()
        if limit is None:
            rows = chain.from_iterable(pages(self.connection, scope, after_seq))
        else:
            rows = chain(newest(self.connection, scope, after_seq, limit))
        for seq, record_id, kind, body, content_hash in rows:
            try:
                record = checked_record(record_id, kind, body, content_hash)
            except RecordError as error:
                # A newer version wrote it, or it was changed. All other rows still count.
                self._warn_unreadable(seq, error)
                if left_out is not None:
                    left_out(record_id)
            else:
                yield seq, record

    def of_kind(
        self, record_type: type[RecordT], scope: Scope | None = None, *, limit: int | None = None
    ) -> Iterator[RecordT]:
        """Yield the current records of one kind in order of arrival, as `records`.

        >>> trades = journal.of_kind(TradeRecord, Scope(strategy="Sample"))  # doctest: +SKIP
        """
        scope = replace(scope or Scope(), kind=record_type.kind)
        for _, record in self.records(scope, limit=limit):
            if isinstance(record, record_type):
                yield record

    def last_seq(self) -> int:
        """Return the number of the row that arrived last, 0 if there is none."""
        seq: int = self.connection.row("SELECT coalesce(max(seq), 0) FROM evidence")[0]
        return seq

    def record(self, record_id: str) -> Record | None:
        """Return the current record with this id; None where there is none, or it was changed."""
        rows = self.connection.rows(SEQ_OF_ID, [stored_id(record_id)])
        found = of_seqs(self.connection, [seq for (seq,) in rows]) if rows else []
        if not found:
            return None
        seq, _, kind, body, content_hash = found[0]
        try:
            return checked_record(record_id, kind, body, content_hash)
        except RecordError as error:
            self._warn_unreadable(seq, error)
            return None

    def records_at(self, seqs: Sequence[int]) -> dict[int, Record]:
        """Return the current records in some rows, by row; without those that can not be read."""
        found = {}
        for seq, record_id, kind, body, content_hash in of_seqs(self.connection, seqs):
            try:
                found[seq] = checked_record(record_id, kind, body, content_hash)
            except RecordError as error:
                self._warn_unreadable(seq, error)
        return found

    def bodies(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the JSON of current records by id; without those whose body is gone."""
        rows = of_ids(self.connection, ids)
        return {record_id: body for _, record_id, _, body, _ in rows if body}

    def record_of(self, record_type: type[RecordT], record_id: str) -> RecordT | None:
        """Return the current record with this id, or None; also if it is of another kind."""
        record = self.record(record_id)
        return record if isinstance(record, record_type) else None

    def is_current(self, record_id: str) -> bool:
        """Return whether a record counts under this id: noted, and not retracted."""
        return self.connection.row(SEQ_OF_ID, [stored_id(record_id)]) is not None

    def ids(self, scope: Scope) -> set[str]:
        """Return the ids of current records, without reading what they say."""
        where, values = in_scope(scope)
        query = f"SELECT id FROM evidence WHERE is_current = 1 AND {where}"  # noqa: S608 - as in `paging`
        with self.connection.read() as sqlite:
            return {id_of(each) for (each,) in sqlite.execute(query, values)}

    def ledger(
        self,
        scope: Scope | None = None,
        *,
        only_opened: bool = True,
        limit: int | None = None,
        with_trades: bool = True,
    ) -> Iterator[LedgerLine]:
        """Yield decisions with their outcome, by market time.

        Parameters
        ----------
        scope
            Which ones.
        only_opened
            Leave out decisions whose entry order was never filled.
        limit
            Yield at most this many, the newest.
        with_trades
            Read the trades; else a line has its trade only where the decision was archived.
        """
        return self._ledger.lines(
            scope or Scope(), only_opened=only_opened, limit=limit, with_trades=with_trades
        )

    def ledger_of(self, scope: Scope, beginnings: Sequence[str]) -> Iterator[LedgerLine]:
        """Yield decisions as `ledger` does, whose id or trade's id begins with one of these."""
        return self._ledger.named(scope, beginnings)

    def still_open(self, scope: Scope, newest: int) -> list[Decision]:
        """Return decisions whose trade has not closed, of the newest that became one, by time."""
        return self._ledger.still_open(scope, newest)

    def decision_and_trade(self, wanted: str) -> tuple[Decision | None, TradeRecord | None]:
        """Return a decision and its trade by the whole id of either.

        None for what there is not: a trade without a decision, one that is open, or neither.
        """
        return self._ledger.of(wanted)

    def stakes(self, scope: Scope, trade_ids: Sequence[str]) -> Iterator[Stake]:
        """Yield what was decided about the stakes of trades; see `Ledger.stakes`."""
        return self._ledger.stakes(scope, trade_ids)

    def old_stakes(self, scope: Scope) -> Iterator[Stake]:
        """Yield what archived decisions said about stakes; see `Ledger.old_stakes`."""
        return self._ledger.old_stakes(scope)

    def decisions(self, scope: Scope) -> Iterator[Decision]:
        """Yield all decisions, with their trades' ids, in order of arrival, a page at a time."""
        return self._ledger.in_order_of_arrival(scope)

    def loose_decisions(self, scope: Scope, since: datetime) -> list[Decision]:
        """Return decisions since a moment that no trade is recorded with, oldest first."""
        return self._ledger.loose(scope, since)

    def run_ids(self, beginning: str) -> list[str]:
        """Return the ids of runs and bots that begin with this, sorted."""
        rows = self.connection.rows(
            "SELECT run_id FROM scopes UNION SELECT run_id FROM decisions ORDER BY run_id"
        )
        return [run_id for (run_id,) in rows if run_id.startswith(beginning)]

    def counts(
        self, user_id: str | None = None, scope: Scope | None = None
    ) -> dict[tuple[str, str, str], int]:
        """Count current records, of one owner, a scope or all, by `(kind, category, mode)`."""
        return counts(self.connection, scope or Scope(user_id=user_id))

    def recorded_ms(self, ids: Collection[str]) -> dict[str, int]:
        """Return when the newest version under each id was recorded, in epoch milliseconds.

        Only of the ids that were ever noted, also if retracted since.
        """
        with self.connection.read() as sqlite:
            return recorded_ms(sqlite, ids)

    def known_ms(self, ids: Collection[str]) -> dict[str, int]:
        """Return when what counts under each id became known, as `recorded_ms`."""
        with self.connection.read() as sqlite:
            return known_ms(sqlite, ids)

    def check(self) -> str:
        """Return what SQLite finds wrong with the file; "ok" if it is intact."""
        word: str = self.connection.row("PRAGMA integrity_check")[0]
        return word

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self.connection.close()

    def _warn_unreadable(self, seq: int, error: RecordError) -> None:
        if seq not in self._unreadable:
            self._unreadable.add(seq)
            table = "records" if seq > 0 else "decisions"
            logger.warning("Row %d of %s in %s is left out. %s", abs(seq), table, self.path, error)
