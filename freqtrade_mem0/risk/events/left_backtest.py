"""A bot is no longer what its backtest said."""

from __future__ import annotations

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a figure of a bot (win rate, profit a trade, trades a day, holding time, drawdown)"
    " is outside the band of its backtest at one of the ages at which that is looked at;"
    " once",
    concerns="all pairs",
    is_drift=True,
)
