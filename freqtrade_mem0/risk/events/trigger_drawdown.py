"""Trigger: the sum of profit ratios fell further than it does in the history."""

from __future__ import annotations

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="the sum of profit ratios is further below its highest than about once a year in"
    " the history; once in an excursion",
    concerns="all pairs",
    is_drift=True,
)
