"""Reads a bot's own trades and risk events from the journal."""

from __future__ import annotations

import json
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.read import PAGE_ROWS
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import decode_decision
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.evidence.read import Item, Page
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

_PAGE = 1_000
"""Rows read at a time. Other threads that read the journal wait for one page, not for all."""

_BEFORE_ALL = (-(1 << 62), -1)
_KNOWN_MS = COLUMNS.split(", ").index("known_ms")


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
        """Return the bot's current trade with an id, of whichever strategy the bot ran.

        Where its body is gone, it is a record of its evidence.
        """
        own = self._origin
        for _, found in self._journal.evidence.of_ids([record_id]):
            its = found.origin
            if (its.user_id, its.mode, its.run_id) != (own.user_id, own.mode, own.run_id):
                return None
            if isinstance(found, TradeEvidence):
                return self._journal.record_of(TradeRecord, record_id) or found.as_record()
        return None

    def entry(self, record_id: str) -> EntryContext | None:
        """Return what was known when a trade was opened; None if no decision is tied to it."""
        row = self._journal.connection.row(
            "SELECT body_of(-seq, body) FROM decisions"
            " WHERE trade_id = ? AND user_id = ? AND run_id = ?",
            [record_id, self._origin.user_id, self._origin.run_id],
        )
        if row is None:
            return None
        try:
            decision = decode_decision(row[0])
        except RecordError:
            return None
        return EntryContext(decision_id=decision.id, situation=decision.situation)

    def newest(self, n: int) -> list[TradeEvidence]:
        """Return the newest trades of the bot's strategy in market order, at most `n`."""
        evidence = self._journal.evidence
        rows = evidence.recorded_here(self._origin, TradeRecord.kind, _BEFORE_ALL, newest=n)
        return _in_order(item for _, item in evidence.readable([rows]))

    def whole(self, trades: Iterable[TradeEvidence]) -> list[ClosedTrade]:
        """Return trades, in place of each its whole record where the body of it is there."""
        return [self._journal.record_of(TradeRecord, trade.id) or trade for trade in trades]

    def trades(self, since: datetime | None = None) -> Iterator[TradeEvidence]:
        """Yield the trades of the bot's strategy in market order: all, or those known `since`."""
        items = self._journal.evidence.readable(self._pages(TradeRecord.kind, since))
        trades = (item for _, item in items if isinstance(item, TradeEvidence))
        # One millisecond may hold several that differ in their microseconds.
        for _, same in groupby(trades, key=lambda trade: to_ms(trade.known_at)):
            yield from _in_order(same)

    def pages(self) -> Iterator[Page]:
        """Yield the trades of the bot's strategy in columns, page by page as they became known."""
        return self._journal.evidence.in_columns(self._pages(TradeRecord.kind, None))

    def events(self, since: datetime | None = None) -> Iterator[RiskEvent]:
        """Yield the risk events of the bot's strategy, as `trades`."""
        pages = self._pages(RiskEvent.kind, since)
        for _, event in self._journal.evidence.readable(pages):
            if isinstance(event, RiskEvent):
                yield event

    def last_seq(self) -> int:
        """Return the number of the row that arrived last, as `Journal.last_seq`."""
        return self._journal.last_seq()

    def has_changed_behind(self, moment: datetime, after_seq: int) -> bool:
        """Return whether trades up to a moment may have changed since the row `after_seq`.

        A later row changes them if it is a trade that became known up to then, or any retraction.
        """
        own = self._origin
        row = self._journal.connection.row(
            "SELECT 1 FROM evidence NOT INDEXED JOIN scopes ON scopes.number = evidence.scope"
            " WHERE seq > ? AND user_id = ? AND mode = ? AND run_id = ?"
            " AND (kind = ? OR (kind = ? AND known_ms <= ?))"
            " AND NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = evidence.seq) LIMIT 1",
            [
                *(after_seq, own.user_id, own.mode, own.run_id),
                *(Retraction.kind, TradeRecord.kind, to_ms(moment)),
            ],
        )
        return row is not None

    def outcomes(self, ids: Collection[str]) -> dict[str, Outcome]:
        """Return the outcomes of those of some trades that are recorded, by id.

        A trade whose evidence can not be read counts as not recorded, and is recorded again.
        """
        found = {
            item.id: (seq, item)
            for seq, item in self._journal.evidence.of_ids(ids)
            if isinstance(item, TradeEvidence)
        }
        seqs = [seq for seq, _ in found.values()]
        adopted = self._of(seqs, "SELECT value FROM json_each(?) WHERE value IN adopted")
        undecided = [each for each, (_, item) in found.items() if item.decision_id is None]
        in_ledger = self._of(
            undecided,
            "SELECT value FROM json_each(?) AS asked"
            " WHERE EXISTS (SELECT 1 FROM decisions AS d WHERE d.trade_id = asked.value)",
        )
        return {
            each: Outcome(
                item.profit_ratio, to_ms(item.known_at), each in in_ledger, seq in adopted
            )
            for each, (seq, item) in found.items()
        }

    def _of(self, asked: Sequence[int | str], query: str) -> set[int | str]:
        rows = self._journal.connection.rows(query, [json.dumps(asked)]) if asked else []
        return {each for (each,) in rows}

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
                "SELECT record_id FROM seen WHERE database = ? AND record_id > ?"
                " ORDER BY record_id LIMIT ?",
                [database, last, _PAGE],
            )
            known_ms = self._journal.known_ms([record_id for (record_id,) in rows])
            for (record_id,) in rows:
                if known_ms.get(record_id, -1) >= to_ms(since):
                    yield record_id
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def _pages(self, kind: str, since: datetime | None) -> Iterator[list[Any]]:
        """Yield pages of rows of evidence as they became known."""
        place = _BEFORE_ALL if since is None else (to_ms(since), -1)
        while True:
            rows = self._journal.evidence.recorded_here(self._origin, kind, place)
            yield rows
            if len(rows) < PAGE_ROWS:
                return
            place = rows[-1][_KNOWN_MS], rows[-1][0]


def _in_order(items: Iterable[Item]) -> list[TradeEvidence]:
    trades = [item for item in items if isinstance(item, TradeEvidence)]
    return sorted(trades, key=attrgetter("known_at", "id"))
