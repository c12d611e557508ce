"""Trigger: entries meet another volatility than in the history."""

from __future__ import annotations

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a cumulative sum of how far the volatility at entries is above, or below, that of"
    " the pair in the history exceeds its threshold; once in an excursion",
    concerns="all pairs",
    is_drift=True,
)
