"""Trigger: profits are lower than in the history."""

from __future__ import annotations

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a cumulative sum of how far profit ratios are below the mean of the history"
    " exceeds its threshold; once in an excursion",
    concerns="all pairs",
    is_drift=True,
)
