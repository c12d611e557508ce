"""Risk events that a sequence of closed trades completes; each detector holds one idea.

They see the trades of one strategy that are evidence, in market order (`watch` sees to that), and
nothing else: no clock, no price. So the same trades give the same events, in a backtest and in a
bot that was restarted ten times.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from freqtrade_mem0.risk.drift import PageHinkley
from freqtrade_mem0.risk.events import EVENT_OF_EXIT, STOP_LOSS

if TYPE_CHECKING:
    from freqtrade_mem0.records.trade import TradeRecord

STREAK_LENGTH = 5
"""Losing trades in a row that make a losing streak."""

CLUSTER_SIZE = 3
"""Stop-losses that make a cluster."""

CLUSTER_SPAN = timedelta(hours=24)
"""Market time within which they are one."""

DRAWDOWN_SPREADS = 10.0
"""Fall below the peak that is a drawdown, in spreads of the strategy's profit ratios."""


class Finding(NamedTuple):
    """What a trade completes.

    `impact` is a sum of profit ratios, 0.0 where it can not be said.
    """

    event_type: str
    text: str
    impact: float


class Detector(Protocol):
    """Notes one kind of event."""

    def closed(self, trade: TradeRecord) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""


class LosingStreak:
    """So many losing trades in a row; noted once, when the streak reaches its length.

    What this does not show: that something is wrong. A strategy that wins half of its trades has
    five losses in a row about once in sixty trades.
    """

    def __init__(self) -> None:
        self._losses: list[float] = []

    def closed(self, trade: TradeRecord) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        self._losses = [*self._losses, trade.profit_ratio] if trade.profit_ratio < 0.0 else []
        if len(self._losses) != STREAK_LENGTH:
            return None
        lost = sum(self._losses)
        text = f"{STREAK_LENGTH} losing trades in a row, {lost:+.2%} together"
        return Finding("losing_streak", text, lost)


class StopLossCluster:
    """Several stop-losses within a day of market time, over all pairs.

    A stop-loss belongs to one cluster alone: the next one takes as many again.
    """

    def __init__(self) -> None:
        self._stops: deque[TradeRecord] = deque()

    def closed(self, trade: TradeRecord) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        if EVENT_OF_EXIT.get(trade.exit_reason) != STOP_LOSS:
            return None
        self._stops.append(trade)
        while trade.known_at - self._stops[0].known_at > CLUSTER_SPAN:
            self._stops.popleft()
        if len(self._stops) < CLUSTER_SIZE:
            return None
        lost = sum(stop.profit_ratio for stop in self._stops)
        pairs = ", ".join(sorted({stop.pair for stop in self._stops}))
        self._stops.clear()
        hours = CLUSTER_SPAN.total_seconds() / 3_600.0
        text = f"{CLUSTER_SIZE} stop-losses within {hours:g} h ({pairs}), {lost:+.2%} together"
        return Finding("stop_loss_cluster", text, lost)


class Drawdown:
    r"""The strategy's equal-stake equity has fallen far below its peak.

    Equity is the running sum of profit ratios, as if every trade had the same stake: our own sizing
    does not show in it. A spread is the root mean square :math:`\sqrt{\sum r^2 / n}` of the ratios
    so far. Before there can be another event, half of the deepest fall must be recovered; the peak
    then counts from there.

    What this does not show: the account's drawdown. Open trades and stakes are left out, and a
    random walk of 100 trades ends 10 spreads below its peak about every third time.
    """

    def __init__(self) -> None:
        self._equity = self._peak = self._squares = 0.0
        self._n = 0
        self._deepest: float | None = None
        """The deepest fall since the last event; None where the next one may be noted."""

    def closed(self, trade: TradeRecord) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        self._n += 1
        self._equity += trade.profit_ratio
        self._squares += trade.profit_ratio * trade.profit_ratio
        self._peak = max(self._peak, self._equity)
        fall = self._peak - self._equity
        if self._deepest is not None:
            self._deepest = max(self._deepest, fall)
            if fall <= self._deepest / 2.0:
                self._deepest, self._peak = None, self._equity
            return None
        spread = math.sqrt(self._squares / self._n)
        if not fall > DRAWDOWN_SPREADS * spread:
            return None
        self._deepest = fall
        text = (
            f"equal-stake equity is {-fall:+.2%} below its peak, {fall / spread:.1f} times the "
            f"strategy's usual {spread:.2%} a trade"
        )
        return Finding("drawdown", text, -fall)


class WinRateDegradation:
    """The strategy loses more of its trades than it did: `PageHinkley` over losses (1) and others.

    What this does not show: less profit. Fewer, larger wins can make up for more losses.
    """

    def __init__(self) -> None:
        self._drift = PageHinkley()

    def closed(self, trade: TradeRecord) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        drift = self._drift
        if not drift.update(1.0 if trade.profit_ratio < 0.0 else 0.0):
            return None
        text = (
            f"{drift.after:.0%} of the last {drift.n_after} trades lost, {drift.before:.0%} of "
            "those before"
        )
        return Finding("win_rate_degradation", text, 0.0)


def all_detectors() -> list[Detector]:
    """Return one of each, at the beginning of their sequence."""
    return [LosingStreak(), StopLossCluster(), Drawdown(), WinRateDegradation()]
