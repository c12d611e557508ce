"""Made-up histories of closed trades: noise of several kinds, and noise with planted effects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.patterns.trade import PatternTrade
from freqtrade_mem0.records.base import from_ms
from tests.support.samples import ORIGIN, a_trade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

    Floats = NDArray[np.float64]

START_MS = 1_577_836_800_000
"""2020-01-01."""
HOUR_MS = 3_600_000
MONTH_MS = 30 * 24 * HOUR_MS
SPREAD = 0.02
"""Standard deviation of a trade's profit ratio."""

NOISE: Mapping[str, Mapping[str, float | str]] = {
    "normal": {},
    "heavy tails": {"shape": "tails"},
    "win rate 0.5": {"shape": "wins", "win_rate": 0.5},
    "win rate 0.6": {"shape": "wins", "win_rate": 0.6},
    "win rate 0.7": {"shape": "wins", "win_rate": 0.7},
    "drift": {"drift": 1.0},
    "good and bad times": {"wave": 0.5},
    "volatile times": {"spread_by_regime": 2.0},
    "clumps": {"clump": 4},
    "clumps of longs and shorts": {"clump": 5, "opposed": 1.0},
    "always several open": {"hold_hours": 60.0},
    "clumps in strong moves": {"clump": 8, "moves": 0.5},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How a history without effects is made.

    Parameters
    ----------
    n, months
        Trades, over so many months of 30 days.
    shape
        "normal", "tails" (Student's t, 3 degrees of freedom), or "wins" (gains and losses that
        balance, `win_rate` of them gains).
    drift, wave
        By how many standard deviations the mean rises over the history, and swings in 8 months.
    spread_by_regime
        How many times wider results are in volatile than in normal times, and narrower in calm.
    clump
        Trades that are opened within an hour and share half of their variance; `opposed`: shorts
        lose what longs gain by it.
    moves
        Clumps are of all sizes up to `clump`, and results better by so much for each doubling.
    hold_hours
        Mean holding time.
    """

    n: int = 800
    months: int = 24
    shape: str = "normal"
    win_rate: float = 0.5
    drift: float = 0.0
    wave: float = 0.0
    spread_by_regime: float = 1.0
    clump: int = 1
    opposed: float = 0.0
    moves: float = 0.0
    hold_hours: float = 4.0

    def history(
        self,
        seed: int,
        planted: Mapping[tuple[str, str], float] | None = None,
        n_values: int = 10,
    ) -> list[PatternTrade]:
        """Return a history.

        Parameters
        ----------
        seed
            Of the random numbers.
        planted
            By feature and value, by how many standard deviations its trades are better.
        n_values
            Pairs, and tags.
        """
        rng, n = np.random.default_rng(seed), self.n
        sizes = np.full(-(-n // self.clump), self.clump)
        if self.moves:
            sizes = rng.integers(1, self.clump + 1, n)
            sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), n)) + 1]
        starts = np.sort(rng.uniform(0.0, self.months * MONTH_MS * 0.99, len(sizes)))
        opened = np.repeat(starts, sizes)[:n]
        if self.clump > 1:
            opened = opened + rng.uniform(0.0, HOUR_MS, n)
        closed = opened + (rng.exponential(self.hold_hours, n) + 0.1) * HOUR_MS
        when = opened / (self.months * MONTH_MS)
        # Regimes of the market last for some weeks.
        calm = rng.integers(0, 3, 100)[(when * rng.integers(10, 40)).astype(int)]
        trend = rng.integers(0, 3, 100)[(when * 60).astype(int)]
        is_short = rng.integers(0, 2, n)
        result = self._results(rng)
        if self.clump > 1:
            shock = np.repeat(rng.normal(size=len(starts)), sizes)[:n]
            sign = 1.0 - 2.0 * is_short if self.opposed else 1.0
            result = np.sqrt(0.5) * (result + sign * shock)
        result += self.moves * np.log2(np.repeat(sizes, sizes)[:n])
        result *= self.spread_by_regime ** (calm - 1.0)
        result += self.drift * when + self.wave * np.sin(when * self.months / 8.0 * 2.0 * np.pi)
        columns = {
            "pair": [f"P{value}/USDT" for value in rng.integers(0, n_values, n)],
            "side": ["short" if value else "long" for value in is_short],
            "enter_tag": [f"tag{value}" for value in rng.integers(0, n_values, n)],
            "volatility_regime": [("calm", "normal", "volatile")[value] for value in calm],
            "trend_regime": [("downtrend", "sideways", "uptrend")[value] for value in trend],
        }
        for (feature, value), size in (planted or {}).items():
            result += size * np.array([each == value for each in columns[feature]])
        numbers = rng.normal(size=(n, 4))
        by_signal = rng.random(n) < 1 / 3
        trades = [
            PatternTrade(
                id=f"{number:06}",
                known_ms=START_MS + int(closed[number]),
                open_ms=START_MS + int(opened[number]),
                close_ms=START_MS + int(closed[number]),
                ratio=float(result[number]) * SPREAD,
                pair=columns["pair"][number],
                side=columns["side"][number],
                enter_tag=columns["enter_tag"][number],
                exit_reason="exit_signal"
                if by_signal[number]
                else "roi"
                if result[number] > 0.0
                else "stop_loss",
                situation={
                    "volatility_regime": columns["volatility_regime"][number],
                    "trend_regime": columns["trend_regime"][number],
                    **dict(
                        zip(
                            ("momentum", "range_position", "rsi", "volume_ratio"),
                            numbers[number].tolist(),
                            strict=True,
                        )
                    ),
                },
            )
            for number in range(n)
        ]
        return sorted(trades, key=lambda trade: (trade.known_ms, trade.id))

    def _results(self, rng: Generator) -> Floats:
        if self.shape == "tails":
            tails: Floats = rng.standard_t(3, self.n) / np.sqrt(3.0)
            return tails
        if self.shape == "wins":
            gain = np.sqrt((1.0 - self.win_rate) / self.win_rate)
            is_gain = rng.random(self.n) < self.win_rate
            results: Floats = np.where(is_gain, gain, -1.0 / gain) * rng.uniform(0.5, 1.5, self.n)
            return results
        return rng.normal(size=self.n)


def month_ends(n: int) -> Sequence[int]:
    """Return the ends of the first months of a history."""
    return [START_MS + month * MONTH_MS for month in range(1, n + 1)]


def records(trades: Sequence[PatternTrade], origin: Origin = ORIGIN) -> list[TradeRecord]:
    """Return a history as records of a bot or backtest."""
    return [
        replace(
            a_trade(number, profit_ratio=each.ratio, pair=each.pair, origin=origin),
            known_at=from_ms(each.known_ms),
            open_date=from_ms(each.open_ms),
            close_date=from_ms(each.close_ms),
            side=each.side,
            enter_tag=each.enter_tag,
            exit_reason=each.exit_reason,
            situation=each.situation,
        )
        for number, each in enumerate(trades)
    ]
