"""Reads the ledger: decisions, archived ones included, and what became of them."""

from __future__ import annotations

import json
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal import ledger_order
from freqtrade_mem0.journal.evidence.ids import stored_id
from freqtrade_mem0.journal.evidence.read import in_scope
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.ledger_line import LedgerLine, decision_of
from freqtrade_mem0.journal.numbers_in_json import STAKES_KEY, decided_in, part_from
from freqtrade_mem0.journal.old_decisions import SELECT, old_decision
from freqtrade_mem0.journal.paging import of_seqs
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import decode_numbers
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.journal.evidence.read import EvidenceReader
    from freqtrade_mem0.records.decision import Decision

Stake = tuple[str, str, float, float, bool]
"""See `Ledger.stakes`."""

_LINES_AT_ONCE = 500
_LONGEST_MS = 7 * 86_400_000
"""Between a decision and the opening of its trade; bots cancel entry orders long before."""

_DECISIONS = """
    SELECT decided_ms, seq, iif(body <> '', body, body_of(-seq, '')), trade_id, open_ms
    FROM decisions AS d WHERE
"""
"""`d` as in `SELECT`, so that conditions fit both."""


class Ledger:
    """Reads the decisions of one journal.

    `unreadable` is called with the number of each row that can not be read, negative, and why.
    """

    def __init__(
        self,
        connection: Connection,
        evidence: EvidenceReader,
        unreadable: Callable[[int, RecordError], None],
    ) -> None:
        self._connection = connection
        self._evidence = evidence
        self._unreadable = unreadable

    def lines(
        self, scope: Scope, *, only_opened: bool, limit: int | None, with_trades: bool = True
    ) -> Iterator[LedgerLine]:
        """Yield decisions with their outcome by market time; see `Journal.ledger`."""
        seqs = (
            ledger_order.all_seqs(self._connection, scope, only_opened=only_opened)
            if limit is None
            else ledger_order.newest_seqs(self._connection, scope, limit, only_opened=only_opened)
        )
        return self._lines(seqs, with_trades=with_trades)

    def named(self, scope: Scope, beginnings: Sequence[str]) -> Iterator[LedgerLine]:
        """Yield decisions as `lines` does, whose id or whose trade's id begins so."""
        seqs = ledger_order.named_seqs(self._connection, scope, beginnings, only_opened=False)
        return self._lines(seqs)

    def _lines(self, seqs: Sequence[int], *, with_trades: bool = True) -> Iterator[LedgerLine]:
        for start in range(0, len(seqs), _LINES_AT_ONCE):
            some = self._decisions(seqs[start : start + _LINES_AT_ONCE])
            trades = self._trades(
                [
                    each.trade_id
                    for each in some
                    if each.trade_id is not None and (with_trades or not each.situation)
                ]
            )
            for decision in some:
                trade = trades.get(decision.trade_id or "")
                if trade is not None and not decision.situation:
                    # An archived decision was made in the situation of its trade.
                    decision = replace(decision, situation=trade.situation)  # noqa: PLW2901
                yield LedgerLine(decision=decision, trade=trade)

    def in_order_of_arrival(self, scope: Scope) -> Iterator[Decision]:
        """Yield all decisions, archived ones too, a page at a time."""
        where, values = scope.where(with_kind=False)
        chosen, numbers = in_scope(replace(scope, kind=None), prefix="d.", moment="decided_ms")
        pages = self._by_seq(f"{_DECISIONS} {where} AND seq > ?", values)
        old_pages = self._by_seq(f"{SELECT} {chosen} AND d.seq > ?", numbers)
        found = merge(
            (((place[1], each) for place, each in self._readable(pages))),
            (((place[1], each) for place, each in self._readable_old(old_pages))),
            key=itemgetter(0),
        )
        return (decision for _, decision in found)

    def _by_seq(self, query: str, values: list[Any]) -> Iterator[Any]:
        at, seq = (1 if query.startswith(_DECISIONS) else 0), 0
        while rows := self._connection.rows(
            f"{query} ORDER BY seq LIMIT ?", [*values, seq, _LINES_AT_ONCE]
        ):
            yield from rows
            seq = rows[-1][at]

    def stakes(self, scope: Scope, trade_ids: Sequence[str]) -> Iterator[Stake]:
        """Yield what was decided about the stakes of trades, in no order; archived ones are left.

        Of each the trade's id, the decision's id, proposed and decided stake, and whether that was
        applied.
        """
        where, values = scope.where(prefix="d.", with_kind=False)
        found = part_from("d.body", STAKES_KEY)
        query = (
            f"SELECT d.seq, d.id, d.trade_id, iif(d.body LIKE '{{%}}', {found}, '')"  # noqa: S608 - values are bound
            " FROM json_each(?) AS n CROSS JOIN decisions AS d ON d.trade_id = n.value"
            f" WHERE {where}"
        )
        rows = self._connection.rows(query, [json.dumps(list(trade_ids)), *values])
        others = {}
        for seq, decision_id, trade_id, text in rows:
            known = decided_in(text)
            if known is None:
                others[seq] = trade_id
            else:
                yield trade_id, decision_id, known.proposed, known.stake, known.applied == 1.0
        yield from self._whole_stakes(others)

    def _whole_stakes(self, trade_ids: Mapping[int, str]) -> Iterator[Stake]:
        """Yield the same of decisions by their row numbers, from their whole JSON."""
        query = (
            "SELECT seq, body_of(-seq, body) FROM decisions"
            " WHERE seq IN (SELECT value FROM json_each(?))"
        )
        for seq, body in self._connection.rows(query, [json.dumps(list(trade_ids))]):
            try:
                each = decode_numbers(body)
            except RecordError as error:
                self._unreadable(-seq, error)
            else:
                stakes = each["proposed_stake"], each["stake"], each["applied"]
                yield trade_ids[seq], each["id"], *stakes

    def old_stakes(self, scope: Scope) -> Iterator[Stake]:
        """Yield the same of all archived decisions of a scope that became trades."""
        chosen, values = in_scope(replace(scope, kind=None), prefix="d.", moment="decided_ms")
        pages = self._by_seq(f"{SELECT} {chosen} AND d.trade_id IS NOT NULL AND d.seq > ?", values)
        for _, old in self._readable_old(pages):
            yield old.trade_id or "", old.id, old.proposed_stake, old.stake, old.applied

    def still_open(self, scope: Scope, newest: int) -> list[Decision]:
        """Return decisions whose trade has not closed; see `Journal.still_open`."""
        where, values = scope.where(with_kind=False)
        rows = self._connection.rows(
            "SELECT d.seq, d.trade_id FROM decisions AS d"  # noqa: S608 - values are bound
            f" WHERE {where} AND d.trade_id IS NOT NULL ORDER BY decided_ms DESC LIMIT ?",
            [*values, newest],
        )
        ids = [stored_id(trade_id) for _, trade_id in rows]
        query = f"SELECT id FROM evidence WHERE is_current = 1 AND id IN ({_marks(ids)})"  # noqa: S608
        closed = {each for (each,) in self._connection.rows(query, ids)}
        left = [row[0] for row, own in zip(rows, ids, strict=True) if own not in closed]
        query = f"{_DECISIONS} d.seq IN ({_marks(left)})"
        found = sorted(self._readable(self._connection.rows(query, left)), key=itemgetter(0))
        return [decision for _, decision in found]

    def of(self, wanted: str) -> tuple[Decision | None, TradeRecord | None]:
        """Return a decision and its trade by the id of either; see `Journal.decision_and_trade`."""
        trade = self._trades([wanted]).get(wanted)
        asked = wanted if trade is None else trade.decision_id or ""
        rows = self._connection.rows(
            f"{_DECISIONS} d.id = ? OR d.trade_id = ? ORDER BY d.seq DESC LIMIT 1", [asked, wanted]
        )
        found = [each for _, each in self._readable(rows)]
        if not found and trade is not None and trade.decision_id is not None:
            found = self._archived(trade, trade.decision_id)
        decision = found[0] if found else None
        if trade is None and decision is not None and decision.trade_id is not None:
            trade = self._trades([decision.trade_id]).get(decision.trade_id)
        return decision, trade

    def _archived(self, trade: TradeRecord, decision_id: str) -> list[Decision]:
        """Return the archived decision of a trade, which was made shortly before its opening."""
        own = trade.origin
        scope = Scope().in_run(own)
        chosen, values = in_scope(scope, prefix="d.")
        opened_ms = to_ms(trade.open_date)
        query = f"{SELECT} {chosen} AND d.decided_ms BETWEEN ? AND ? AND d.id = ?"
        bounds = [opened_ms - _LONGEST_MS, opened_ms + _LONGEST_MS, stored_id(decision_id)]
        rows = self._connection.rows(query, [*values, *bounds])
        return [
            replace(each, situation=each.situation or trade.situation)
            for _, each in self._readable_old(rows)
        ]

    def loose(self, scope: Scope, since: datetime) -> list[Decision]:
        """Return decisions that a bot still has to tie to a record; see `Journal`."""
        where, values = scope.where(with_kind=False)
        query = f"{_DECISIONS} {where} AND decided_ms >= ? ORDER BY decided_ms, seq"
        rows = self._connection.rows(query, [*values, to_ms(since)])
        trade_ids = [trade_id for *_, trade_id, _ in rows if trade_id is not None]
        tied = {
            item.id
            for _, item in self._evidence.of_ids(trade_ids)
            if isinstance(item, TradeEvidence) and item.decision_id is not None
        }
        return [each for _, each in self._readable(row for row in rows if row[3] not in tied)]

    def _decisions(self, seqs: Sequence[int]) -> list[Decision]:
        values = [json.dumps(seqs)]
        of_seqs = "d.seq IN (SELECT value FROM json_each(?))"
        rows = self._connection.rows(f"{_DECISIONS} {of_seqs}", values)
        old = self._connection.rows(f"{SELECT} {of_seqs}", values) if len(rows) < len(seqs) else []
        found = [*self._readable(rows), *self._readable_old(old)]
        return [decision for _, decision in sorted(found, key=itemgetter(0))]

    def _readable(self, rows: Iterable[Any]) -> Iterator[tuple[tuple[int, int], Decision]]:
        for decided_ms, seq, *row in rows:
            try:
                yield (decided_ms, seq), decision_of(*row)
            except RecordError as error:
                self._unreadable(-seq, error)

    def _readable_old(self, rows: Iterable[Any]) -> Iterator[tuple[tuple[int, int], Decision]]:
        words: Mapping[int, str] = {}
        for row in rows:
            words = words or self._evidence.words
            try:
                yield (row[4], row[0]), old_decision(row, words)
            except RecordError as error:
                self._unreadable(-row[0], error)

    def _trades(self, ids: Sequence[str]) -> dict[str, TradeRecord]:
        """Return trades by id, those whose body is gone as far as their evidence goes."""
        known = {
            seq: item for seq, item in self._evidence.of_ids(ids) if isinstance(item, TradeEvidence)
        }
        found: dict[str, TradeRecord] = {}
        for seq, record_id, _, body, content_hash in of_seqs(self._connection, list(known)):
            trade = sound(TradeRecord, record_id, body, content_hash) if body else None
            trade = trade if body else known[seq].as_record()
            if trade is not None:
                found[record_id] = trade
        return found


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
