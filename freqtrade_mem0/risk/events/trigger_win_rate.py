"""Trigger: a larger share of trades loses than in the history."""

from __future__ import annotations

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a cumulative sum of lost trades beyond their share in the history exceeds its"
    " threshold; once in an excursion",
    concerns="all pairs",
    is_drift=True,
)
