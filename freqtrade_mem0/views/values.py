"""Plain values that every view uses."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from freqtrade_mem0.words.plain import Facts, iso

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

__all__ = ["Facts", "execution_facts", "iso", "origin_facts"]


def origin_facts(origin: Origin) -> Facts:
    """Return the run or bot that something comes from."""
    return {"strategy": origin.strategy, "mode": str(origin.mode), "run_id": origin.run_id}


def execution_facts(trade: TradeRecord | None) -> Facts | None:
    """Return how a bot's trade was decided and filled; None where nothing was seen of it."""
    if trade is None or trade.execution is None:
        return None
    return asdict(trade.execution) | {"asked_at": iso(trade.execution.asked_at)}
