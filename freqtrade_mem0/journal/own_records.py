"""Reads a bot's own trades and risk events from the journal."""

from __future__ import annotations

import json
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import decode_decision, hash_of
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Origin

_PAGE = 1_000
"""Rows read at a time. Other threads that read the journal wait for one page, not for all."""

_FROM_HERE = "NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = records.seq)"
"""Recorded, or confirmed, on this machine: what Mem0 says of a bot's own past is not enough."""

_OWN = "user_id = ? AND strategy = ? AND mode = ? AND kind = ? AND run_id = ?"
"""The first columns of the index of scopes. The next one is the time, so that a bot's trades are
one stretch of it."""


class Outcome(NamedTuple):
    """The part of a trade's record that reconciliation compares, for many trades at once."""

    profit_ratio: float
    known_ms: int
    lacks_entry: bool
    """Whether the ledger has the decision that opened the trade, and the record does not."""
    is_adopted: bool
    """Whether it came from Mem0, and was not confirmed by the bot's trade database."""


class OwnRecords:
    """Reads what one bot recorded.

    Every method raises `JournalError` if the file can not be used. Records of a newer version,
    and changed ones, are left out without a warning: whoever reads all records warns of them.
    """

    def __init__(self, journal: Journal, origin: Origin) -> None:
        self._journal = journal
        self._origin = origin

    def trade(self, record_id: str) -> TradeRecord | None:
        """Return the bot's current trade with an id, of whichever strategy the bot ran."""
        own = self._origin
        row = self._journal.connection.row(
            "SELECT id, body, content_hash FROM records WHERE id = ? AND is_current = 1"
            " AND kind = ? AND user_id = ? AND mode = ? AND run_id = ?",
            [record_id, TradeRecord.kind, own.user_id, own.mode, own.run_id],
        )
        return None if row is None else sound(TradeRecord, *row)

    def entry(self, record_id: str) -> EntryContext | None:
        """Return what was known when a trade was opened; None if no decision is tied to it."""
        row = self._journal.connection.row(
            "SELECT body FROM decisions WHERE trade_id = ? AND user_id = ? AND run_id = ?",
            [record_id, self._origin.user_id, self._origin.run_id],
        )
        if row is None:
            return None
        try:
            decision = decode_decision(row[0])
        except RecordError:
            return None
        return EntryContext(decision_id=decision.id, situation=decision.situation)

    def newest(self, n: int) -> list[TradeRecord]:
        """Return the newest trades of the bot's strategy in market order, at most `n`."""
        rows = self._journal.connection.rows(
            f"SELECT id, body, content_hash FROM records WHERE {_OWN}"  # noqa: S608
            f" AND is_current = 1 AND {_FROM_HERE} ORDER BY known_ms DESC, seq DESC LIMIT ?",
            [*self._key(TradeRecord.kind), n],
        )
        return _in_order(rows)

    def trades(self, since: datetime | None = None) -> Iterator[TradeRecord]:
        """Yield the trades of the bot's strategy in market order: all, or those known `since`."""
        pages = chain.from_iterable(self._pages(TradeRecord.kind, since))
        # One millisecond may hold several that differ in their microseconds.
        for _, same in groupby(pages, key=lambda row: row[0]):
            yield from _in_order(row[2:] for row in same)

    def events(self, since: datetime | None = None) -> Iterator[RiskEvent]:
        """Yield the risk events of the bot's strategy, as `trades`."""
        for _, _, *row in chain.from_iterable(self._pages(RiskEvent.kind, since)):
            event = sound(RiskEvent, *row)
            if event is not None:
                yield event

    def last_seq(self) -> int:
        """Return the number of the row that arrived last, as `Journal.last_seq`."""
        return self._journal.last_seq()

    def has_changed_behind(self, moment: datetime, after_seq: int) -> bool:
        """Return whether trades up to a moment may have changed since the row `after_seq`.

        A later row changes them if it is a trade that became known up to then, or any retraction.
        """
        own = self._origin
        # The plus keeps SQLite from an index in which all of the owner's rows are.
        row = self._journal.connection.row(
            "SELECT 1 FROM records WHERE seq > ? AND +user_id = ? AND mode = ? AND run_id = ?"  # noqa: S608
            f" AND (kind = ? OR (kind = ? AND known_ms <= ?)) AND {_FROM_HERE} LIMIT 1",
            [
                *(after_seq, own.user_id, own.mode, own.run_id),
                *(Retraction.kind, TradeRecord.kind, to_ms(moment)),
            ],
        )
        return row is not None

    def outcomes(self, ids: Collection[str]) -> dict[str, Outcome]:
        """Return the outcomes of those of some trades that are recorded, by id."""
        rows = self._journal.connection.rows(
            "SELECT r.id, json_extract(r.body, '$.profit_ratio'), r.known_ms,"
            " json_extract(r.body, '$.decision_id') IS NULL"
            " AND EXISTS (SELECT 1 FROM decisions AS d WHERE d.trade_id = r.id),"
            " EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = r.seq), r.body, r.content_hash"
            " FROM json_each(?) AS asked CROSS JOIN records AS r"
            " ON r.id = asked.value AND r.is_current = 1"
            # What can not be read, or was changed, counts as not recorded, and is recorded again.
            " AND iif(json_valid(r.body), json_type(r.body, '$.profit_ratio') = 'real', 0)",
            [json.dumps(list(ids))],
        )
        return {
            record_id: Outcome(float(ratio), known_ms, bool(lacks_entry), bool(is_adopted))
            for record_id, ratio, known_ms, lacks_entry, is_adopted, body, content_hash in rows
            if hash_of(body, TradeRecord.added_later) == content_hash
        }

    def unseen(self, ids: Collection[str], database: str) -> list[str]:
        """Return which trades were never seen in a database of Freqtrade's."""
        rows = self._journal.connection.rows(
            "SELECT asked.value FROM json_each(?) AS asked WHERE NOT EXISTS ("
            "SELECT 1 FROM seen WHERE database = ? AND record_id = asked.value)",
            [json.dumps(list(ids)), database],
        )
        return [record_id for (record_id,) in rows]

    def seen_in(self, database: str, since: datetime) -> Iterator[str]:
        """Yield the ids of current trades known since a moment that were seen in a database."""
        last = ""
        while True:
            rows = self._journal.connection.rows(
                "SELECT s.record_id, r.known_ms FROM seen AS s LEFT JOIN records AS r"
                " ON r.id = s.record_id AND r.is_current = 1"
                " WHERE s.database = ? AND s.record_id > ? ORDER BY s.record_id LIMIT ?",
                [database, last, _PAGE],
            )
            for record_id, known_ms in rows:
                if known_ms is not None and known_ms >= to_ms(since):
                    yield record_id
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def _pages(self, kind: str, since: datetime | None) -> Iterator[list[tuple[Any, ...]]]:
        """Yield pages of `(known_ms, seq, id, body, content_hash)` in that order."""
        place = (-(1 << 62) if since is None else to_ms(since), -1)
        while True:
            rows = self._journal.connection.rows(
                f"SELECT known_ms, seq, id, body, content_hash FROM records WHERE {_OWN}"  # noqa: S608
                f" AND is_current = 1 AND {_FROM_HERE} AND (known_ms, seq) > (?, ?)"
                " ORDER BY known_ms, seq LIMIT ?",
                [*self._key(kind), *place, _PAGE],
            )
            yield rows
            if len(rows) < _PAGE:
                return
            place = rows[-1][:2]

    def _key(self, kind: str) -> list[str]:
        own = self._origin
        return [own.user_id, own.strategy, own.mode, kind, own.run_id]


def _in_order(rows: Iterable[Sequence[str]]) -> list[TradeRecord]:
    trades = [sound(TradeRecord, *row) for row in rows]
    return sorted(filter(None, trades), key=attrgetter("known_at", "id"))
