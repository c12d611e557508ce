"""Forced exit: somebody closed a trade by hand."""

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a trade ends by a forced exit",
    concerns="the pair",
    exit_reasons=("force_exit",),
)
