"""A line of the ledger: a decision, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.codec import decode_decision
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.trade import TradeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A decision and, once the trade is closed, its outcome."""

    decision: Decision
    trade: TradeRecord | None


def decision_of(body: str, trade_id: str | None, open_ms: int | None) -> Decision:
    """Return the decision in a row; raise `RecordError` where it can not be read."""
    return replace(
        decode_decision(body),
        trade_id=trade_id,
        open_date=None if open_ms is None else from_ms(open_ms),
    )
