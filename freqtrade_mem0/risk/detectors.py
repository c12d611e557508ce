"""Risk events that a sequence of closed trades completes; each detector holds one idea.

They see the trades of one strategy that are evidence, in market order (`watch` sees to that), and
nothing else: no clock, no price. So the same trades give the same events, in a backtest and in a
bot that was restarted ten times.
"""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from freqtrade_mem0.risk.drift import PageHinkley
from freqtrade_mem0.risk.events import EVENT_OF_EXIT, STOP_LOSS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade

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
    """Notes one kind of event, in a bounded memory that can be put down and taken up again."""

    def closed(self, trade: ClosedTrade) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""

    def state(self) -> dict[str, Any]:
        """Return what later findings depend on, for JSON, which keeps every digit of a float."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` of the same kind of detector."""


class LosingStreak:
    """So many losing trades in a row; noted once, when the streak reaches its length.

    What this does not show: that something is wrong. A strategy that wins half of its trades has
    five losses in a row about once in sixty trades.
    """

    __slots__ = ("_losses",)

    def __init__(self) -> None:
        self._losses: list[float] = []
        """The first `STREAK_LENGTH` of the losses in a row."""

    def closed(self, trade: ClosedTrade) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        if not trade.profit_ratio < 0.0:
            self._losses.clear()
            return None
        if len(self._losses) == STREAK_LENGTH:
            return None  # the same streak goes on
        self._losses.append(trade.profit_ratio)
        if len(self._losses) < STREAK_LENGTH:
            return None
        lost = sum(self._losses)
        text = f"{STREAK_LENGTH} losing trades in a row, {lost:+.2%} together"
        return Finding("losing_streak", text, lost)

    def state(self) -> dict[str, Any]:
        """Return the losses of the streak under way."""
        return {"losses": list(self._losses)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._losses = list(state["losses"])


class _Stop(NamedTuple):
    known_at: datetime
    profit_ratio: float
    pair: str


class StopLossCluster:
    """Several stop-losses within a day of market time, over all pairs.

    A stop-loss belongs to one cluster alone: the next one takes as many again.
    """

    __slots__ = ("_stops",)

    def __init__(self) -> None:
        self._stops: deque[_Stop] = deque()

    def closed(self, trade: ClosedTrade) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        if EVENT_OF_EXIT.get(trade.exit_reason) != STOP_LOSS:
            return None
        self._stops.append(_Stop(trade.known_at, trade.profit_ratio, trade.pair))
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

    def state(self) -> dict[str, Any]:
        """Return the stop-losses that belong to no cluster yet."""
        return {
            "stops": [
                [stop.known_at.isoformat(), stop.profit_ratio, stop.pair] for stop in self._stops
            ]
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._stops = deque(
            _Stop(datetime.fromisoformat(moment), ratio, pair)
            for moment, ratio, pair in state["stops"]
        )


class Drawdown:
    r"""The strategy's equal-stake equity has fallen far below its peak.

    Equity is the running sum of profit ratios, as if every trade had the same stake: our own sizing
    does not show in it. A spread is the root mean square :math:`\sqrt{\sum r^2 / n}` of the ratios
    so far. Before there can be another event, half of the deepest fall must be recovered; the peak
    then counts from there.

    What this does not show: the account's drawdown. Open trades and stakes are left out, and a
    random walk of 100 trades ends 10 spreads below its peak about every third time.
    """

    __slots__ = ("_deepest", "_equity", "_n", "_peak", "_squares")

    def __init__(self) -> None:
        self._equity = self._peak = self._squares = 0.0
        self._n = 0
        self._deepest: float | None = None
        """The deepest fall since the last event; None where the next one may be noted."""

    def closed(self, trade: ClosedTrade) -> Finding | None:
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

    def state(self) -> dict[str, Any]:
        """Return the equity, its peak and spread, and the fall under way."""
        return {
            "n": self._n,
            "equity": self._equity,
            "peak": self._peak,
            "squares": self._squares,
            "deepest": self._deepest,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._n, self._deepest = int(state["n"]), state["deepest"]
        self._equity, self._peak = state["equity"], state["peak"]
        self._squares = state["squares"]


class WinRateDegradation:
    """The strategy loses more of its trades than it did: `PageHinkley` over losses (1) and others.

    What this does not show: less profit. Fewer, larger wins can make up for more losses.
    """

    __slots__ = ("_drift",)

    def __init__(self) -> None:
        self._drift = PageHinkley()

    def closed(self, trade: ClosedTrade) -> Finding | None:
        """Return what the next trade in market order completes, if anything."""
        drift = self._drift
        if not drift.update(1.0 if trade.profit_ratio < 0.0 else 0.0):
            return None
        text = (
            f"{drift.after:.0%} of the last {drift.n_after} trades lost, {drift.before:.0%} of "
            "those before"
        )
        return Finding("win_rate_degradation", text, 0.0)

    def state(self) -> dict[str, Any]:
        """Return the test's sums."""
        return self._drift.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`."""
        self._drift.restore(state)


def all_detectors() -> dict[str, Detector]:
    """Return one of each by the event it notes, at the beginning of their sequence."""
    return {
        "losing_streak": LosingStreak(),
        "stop_loss_cluster": StopLossCluster(),
        "drawdown": Drawdown(),
        "win_rate_degradation": WinRateDegradation(),
    }
