"""Liquidation: the exchange closed a leveraged position."""

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a trade is liquidated",
    concerns="the pair",
    severity=0.5,
    exit_reasons=("liquidation",),
)
