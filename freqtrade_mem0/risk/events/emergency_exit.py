"""Emergency exit: Freqtrade sold at market because it could not place a stop on the exchange."""

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a trade ends by an emergency exit",
    concerns="the pair",
    exit_reasons=("emergency_exit",),
)
