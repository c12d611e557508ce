"""What a bot asks the journal about its own trades: one, the newest, all in market order."""

from __future__ import annotations

import json
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import decode, decode_decision
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Origin, Record

_PAGE = 1_000
"""Rows read at a time: other threads that read the journal wait for no more than these."""

_OWN = "user_id = ? AND strategy = ? AND mode = ? AND kind = ? AND run_id = ?"
"""As the index of scopes begins; by time it goes on: a bot's trades are one stretch of it."""

_ORDER = attrgetter("known_at", "id")


class Outcome(NamedTuple):
    """What is compared of many trades at once.

    Parameters
    ----------
    profit_ratio, known_ms
        Of the record.
    lacks_entry
        Whether the ledger knows the decision that opened it, and the record does not.
    """

    profit_ratio: float
    known_ms: int
    lacks_entry: bool


class OwnRecords:
    """Reads what one bot recorded.

    Every method raises `JournalError` where the file can not be used.

    Parameters
    ----------
    journal
        Shared by all processes of this memory.
    origin
        The bot's.
    """

    def __init__(self, journal: Journal, origin: Origin) -> None:
        self._journal = journal
        self._origin = origin

    def trade(self, record_id: str) -> TradeRecord | None:
        """Return the bot's trade that counts under an id, of whichever strategy it ran."""
        try:
            record = self._journal.record(record_id)
        except RecordError:
            return None  # of a newer version: whoever reads all of them warns of it
        if not isinstance(record, TradeRecord):
            return None
        own, asked = self._origin, record.origin
        same = (own.user_id, own.mode, own.run_id) == (asked.user_id, asked.mode, asked.run_id)
        return record if same else None

    def entry(self, record_id: str) -> EntryContext | None:
        """Return what was known when a trade was opened; None where no decision is tied to it."""
        with self._journal.connection.read() as sqlite:
            row = sqlite.execute(
                "SELECT body FROM decisions WHERE trade_id = ? AND user_id = ? AND run_id = ?",
                [record_id, self._origin.user_id, self._origin.run_id],
            ).fetchone()
        if row is None:
            return None
        try:
            decision = decode_decision(row[0])
        except RecordError:
            return None  # of a newer version, too
        return EntryContext(decision_id=decision.id, situation=decision.situation)

    def newest(self, n: int) -> list[TradeRecord]:
        """Return the newest trades of the bot's strategy in market order, at most `n`."""
        with self._journal.connection.read() as sqlite:
            rows = sqlite.execute(
                f"SELECT kind, body FROM records WHERE {_OWN} AND is_current = 1"  # noqa: S608
                " ORDER BY known_ms DESC, seq DESC LIMIT ?",
                [*self._key(TradeRecord.kind), n],
            ).fetchall()
        records = [record for row in rows if isinstance(record := _readable(*row), TradeRecord)]
        return sorted(records, key=_ORDER)

    def trades(self, since: datetime | None = None) -> Iterator[TradeRecord]:
        """Yield the trades of the bot's strategy in market order, page by page.

        Parameters
        ----------
        since
            Aware UTC; those that became known at or after it. None for all.
        """
        pages = chain.from_iterable(self._pages(TradeRecord.kind, since))
        # One millisecond may hold several that differ in their microseconds.
        for _, same in groupby(pages, key=lambda row: row[0]):
            records = [_readable(TradeRecord.kind, body) for _, _, body in same]
            yield from sorted(
                (record for record in records if isinstance(record, TradeRecord)), key=_ORDER
            )

    def events(self, since: datetime | None = None) -> Iterator[RiskEvent]:
        """Yield the risk events of the bot's strategy, as `trades`."""
        for _, _, body in chain.from_iterable(self._pages(RiskEvent.kind, since)):
            record = _readable(RiskEvent.kind, body)
            if isinstance(record, RiskEvent):
                yield record

    def last_seq(self) -> int:
        """Return the `seq` of the newest row; 0 where there is none."""
        with self._journal.connection.read() as sqlite:
            seq: int = sqlite.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0]
        return seq

    def has_changed_behind(self, moment: datetime, after_seq: int) -> bool:
        """Return whether the trades up to a moment are others than they were.

        Parameters
        ----------
        moment
            Aware UTC market time.
        after_seq
            How far the journal was read then. A trade that came later and became known before, or
            anything that was taken back, may have changed them.
        """
        own = self._origin
        with self._journal.connection.read() as sqlite:
            row = sqlite.execute(
                # The plus keeps SQLite from an index in which all of the owner's rows are.
                "SELECT 1 FROM records WHERE seq > ? AND +user_id = ? AND mode = ? AND run_id = ?"
                " AND (kind = ? OR (kind = ? AND known_ms <= ?)) LIMIT 1",
                [
                    *(after_seq, own.user_id, own.mode, own.run_id),
                    *(Retraction.kind, TradeRecord.kind, to_ms(moment)),
                ],
            ).fetchone()
        return row is not None

    def outcomes(self, ids: Collection[str]) -> dict[str, Outcome]:
        """Return what is current of some trades; those that are not recorded are left out."""
        with self._journal.connection.read() as sqlite:
            rows = sqlite.execute(
                "SELECT r.id, json_extract(r.body, '$.profit_ratio'), r.known_ms,"
                " json_extract(r.body, '$.decision_id') IS NULL"
                " AND EXISTS (SELECT 1 FROM decisions AS d WHERE d.trade_id = r.id)"
                " FROM json_each(?) AS asked CROSS JOIN records AS r"
                " ON r.id = asked.value AND r.is_current = 1",
                [json.dumps(list(ids))],
            ).fetchall()
        return {
            record_id: Outcome(float(ratio), known_ms, bool(lacks_entry))
            for record_id, ratio, known_ms, lacks_entry in rows
        }

    def unseen(self, ids: Collection[str], database: str) -> list[str]:
        """Return which trades were never noted as standing in a database of Freqtrade's."""
        with self._journal.connection.read() as sqlite:
            rows = sqlite.execute(
                "SELECT asked.value FROM json_each(?) AS asked WHERE NOT EXISTS ("
                "SELECT 1 FROM seen WHERE database = ? AND record_id = asked.value)",
                [json.dumps(list(ids)), database],
            ).fetchall()
        return [record_id for (record_id,) in rows]

    def seen_in(self, database: str, since: datetime) -> Iterator[str]:
        """Yield ids of trades that were seen in a database and still count, in any order.

        Parameters
        ----------
        database
            Its identity.
        since
            Aware UTC; those that became known before are left out.
        """
        last = ""
        while True:
            with self._journal.connection.read() as sqlite:
                rows = sqlite.execute(
                    "SELECT s.record_id, r.known_ms FROM seen AS s LEFT JOIN records AS r"
                    " ON r.id = s.record_id AND r.is_current = 1"
                    " WHERE s.database = ? AND s.record_id > ? ORDER BY s.record_id LIMIT ?",
                    [database, last, _PAGE],
                ).fetchall()
            for record_id, known_ms in rows:
                if known_ms is not None and known_ms >= to_ms(since):
                    yield record_id
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def _pages(self, kind: str, since: datetime | None) -> Iterator[list[tuple[int, int, str]]]:
        """Yield pages of `(known_ms, seq, body)` in that order."""
        place = (-(1 << 62) if since is None else to_ms(since), -1)
        while True:
            with self._journal.connection.read() as sqlite:
                rows = self._page(sqlite, kind, place)
            yield rows
            if len(rows) < _PAGE:
                return
            place = rows[-1][:2]

    def _page(
        self, sqlite: sqlite3.Connection, kind: str, after: tuple[int, int]
    ) -> list[tuple[int, int, str]]:
        return sqlite.execute(
            f"SELECT known_ms, seq, body FROM records WHERE {_OWN} AND (known_ms, seq) > (?, ?)"  # noqa: S608
            " AND is_current = 1 ORDER BY known_ms, seq LIMIT ?",
            [*self._key(kind), *after, _PAGE],
        ).fetchall()

    def _key(self, kind: str) -> list[str]:
        own = self._origin
        return [own.user_id, own.strategy, own.mode, kind, own.run_id]


def _readable(kind: str, body: str) -> Record | None:
    """Return a record; None where a newer version wrote it: that must hold nothing up."""
    try:
        return decode(kind, body)
    except RecordError:
        return None
