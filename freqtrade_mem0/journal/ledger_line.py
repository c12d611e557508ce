"""A line of the ledger: a decision, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.codec import decode_decision
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.trade import TradeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A decision and, once the trade is closed, its outcome."""

    decision: Decision
    trade: TradeRecord | None


def ledger_line(
    body: str,
    trade_id: str | None,
    open_ms: int | None,
    trade_body: str | None,
    trade_hash: str | None,
) -> LedgerLine:
    """Return a line from its rows; raise `RecordError` where the decision can not be read."""
    decision = replace(
        decode_decision(body),
        trade_id=trade_id,
        open_date=None if open_ms is None else from_ms(open_ms),
    )
    trade = None
    if trade_id is not None and trade_body is not None and trade_hash is not None:
        trade = sound(TradeRecord, trade_id, trade_body, trade_hash)
    return LedgerLine(decision=decision, trade=trade)
