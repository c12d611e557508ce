"""A trade ends by its stop-loss."""

from freqtrade_mem0.risk.event_type import EventType

EVENT = EventType(
    when="a trade ends by its stop-loss, also on the exchange and in part; not by a trailing stop",
    concerns="the pair",
    exit_reasons=("stop_loss", "stoploss_on_exchange"),
)
