"""Which remembered trades are like an entry: of one market, one action, one situation."""

from __future__ import annotations

from statistics import pstdev
from typing import TYPE_CHECKING

from freqtrade_mem0.records.told import Told
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.records.memory import Scalar


def matches_action(trade: TradeRecord, action_type: str) -> bool:
    """Return whether a trade has this side, or was told with this action."""
    name = action_type.strip().lower()
    told = str((trade.told or Told()).metadata.get("action", "")).lower()
    return mission.SIDES.get(name) == trade.side if name in mission.SIDES else told == name


def nearest(
    trades: Sequence[TradeRecord], situation: Mapping[str, Scalar], limit: int
) -> list[TradeRecord]:
    """Return the trades in situations nearest to this one, the nearest first.

    A text or truth value of the situation must be the same in the trade's; numbers may differ, and
    their differences are measured in their spread over all trades. A trade that lacks one of the
    values is left out.
    """
    numbers = {
        name: value
        for name, value in situation.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    same = {name: value for name, value in situation.items() if name not in numbers}
    found = []
    for trade in trades:
        at_entry = _situation(trade)
        if all(at_entry.get(name) == value for name, value in same.items()):
            values = [at_entry.get(name) for name in numbers]
            if all(isinstance(value, int | float) for value in values):
                found.append((trade, [float(value) for value in values if value is not None]))
    spreads = [pstdev(column) for column in zip(*(values for _, values in found), strict=True)]

    def distance(values: Sequence[float]) -> float:
        compared = zip(values, numbers.values(), spreads, strict=True)
        return sum(((one - two) / (spread or 1.0)) ** 2 for one, two, spread in compared)

    found.sort(key=lambda each: (distance(each[1]), -each[0].known_at.timestamp()))
    return [trade for trade, _ in found[:limit]]


def _situation(trade: TradeRecord) -> dict[str, Scalar]:
    """Return a trade's situation at entry; of a told one, what was told of the market."""
    told = (trade.told or Told()).metadata
    prefixes = ("market_conditions.", "market_context.")
    said = {
        key.removeprefix(prefix): value
        for key, value in told.items()
        for prefix in prefixes
        if key.startswith(prefix)
    }
    return {**said, **trade.situation}
