"""What a decision would have made by candles: until its stop, its target or its due date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from freqtrade_mem0.records.kinds.agent_decision import AgentDecision


class Candle(NamedTuple):
    """A candle; `date` is when it opened, aware UTC."""

    date: datetime
    open: float
    high: float
    low: float
    close: float


def candles_between(frame: Any, since: datetime, until: datetime) -> list[Candle]:
    """Return those candles of one of Freqtrade's dataframes that opened in a span of time."""
    part = frame[(frame["date"] >= since) & (frame["date"] <= until)]
    prices = (part[name].astype(float) for name in Candle._fields[1:])
    return [
        Candle(date.to_pydatetime(), *row) for date, *row in zip(part["date"], *prices, strict=True)
    ]


def candle_outcome(
    decision: AgentDecision, candles: Sequence[Candle], length: timedelta, now: datetime
) -> tuple[float, datetime] | None:
    """Return the profit ratio of a decision without costs, and when it became known.

    The entry is at the price that the agent said, where the market was there when it decided, else
    at the last price before. Where one candle reaches stop and target, the stop counts. None while
    there are no candles up to the due date.

    Parameters
    ----------
    decision
        With a side.
    candles
        Of its pair, oldest first.
    length
        Of a candle.
    now
        Aware UTC; candles that close later are not used.
    """
    due, decided_at = decision.due_at, decision.known_at
    if due is None or due > now:
        return None
    before = [each for each in candles if each.date <= decided_at and each.date + length <= now]
    path = [each for each in candles if decided_at < each.date and each.date + length <= due]
    if not before or decided_at - before[-1].date >= 2 * length:
        return None
    last = [*before, *path][-1]
    if due - last.date >= 2 * length:
        return None
    entry = _entry(decision, before[-1], length)
    if entry <= 0.0:
        return None
    rate, at = _touched(decision, entry, path) or (last.close, last)
    direction = 1.0 if decision.side == "long" else -1.0
    return direction * (rate / entry - 1.0), at.date + length


def _entry(decision: AgentDecision, candle: Candle, length: timedelta) -> float:
    """Return the entry price, from the candle in which the decision was made, or that before it."""
    said = decision.rate
    if said is not None and candle.low <= said <= candle.high:
        return said
    has_closed = candle.date + length <= decision.known_at
    return candle.close if has_closed else candle.open


def _touched(
    decision: AgentDecision, entry: float, path: Sequence[Candle]
) -> tuple[float, Candle] | None:
    """Return the price and the candle at which a stop or a target was reached first, or None."""
    sign = 1.0 if decision.side == "long" else -1.0  # a short is a long at negative prices
    stop, target = decision.stop_rate, decision.target_rate
    floor = sign * stop if stop is not None and sign * stop < sign * entry else None
    ceiling = sign * target if target is not None and sign * target > sign * entry else None
    for each in path:
        low, high = sorted((sign * each.low, sign * each.high))
        if floor is not None and low <= floor:
            return sign * min(floor, sign * each.open), each
        if ceiling is not None and high >= ceiling:
            return sign * ceiling, each
    return None
