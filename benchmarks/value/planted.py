"""Simulated strategies whose edge is known: none, one by situation, or one by volatility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAIRS = ("BTC", "ETH", "BNB", "LTC", "ADA", "XRP", "LINK", "XMR", "MATIC", "DOGE")
_VOLATILITY, _TREND = ("calm", "normal", "volatile"), ("downtrend", "sideways", "uptrend")
_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A simulated strategy.

    Parameters
    ----------
    by
        Which column decides the edge; "volatility": it grows with its logarithm; "": none does.
    edge
        Mean of a good trade in units of its standard deviation, a bad trade's is the negative; by
        volatility, what one standard deviation of its logarithm adds.
    momentum
        Mean momentum in the trade's direction, below 0 for a contrarian.
    both_sides
        Short trades, too.
    correlation
        Between trades that close on the same day.
    n_trades
        Rows; three a day, open for 18 hours on average.
    """

    by: str = ""
    edge: float = 0.0
    momentum: float = 0.0
    both_sides: bool = True
    correlation: float = 0.0
    n_trades: int = 400


def planted(world: World, seed: int) -> pd.DataFrame:
    """Return a table in entry order, with `edge`, the true mean.

    Half of the values of the deciding column are good. Regimes last five days and are shared by
    most pairs; what trades win and lose grows with volatility, as in real tables.
    """
    rng = np.random.default_rng(seed)
    n = world.n_trades
    open_h = np.floor(np.cumsum(rng.exponential(8.0, n))).astype(np.int64) + 1
    close_h = open_h + rng.geometric(1 / 18.0, n)
    market = _lasting(rng, int(open_h[-1] // 24) + 1)[open_h // 24]
    regime = np.where(rng.random(n) < 0.6, market, rng.integers(0, 9, n))
    log_volatility = 0.4 * (regime // 3 - 1) + 0.3 * rng.standard_normal(n)
    is_short = world.both_sides & (rng.random(n) < 0.5)
    table = pd.DataFrame(
        {
            "pair": np.array([f"{pair}/USDT" for pair in _PAIRS])[rng.integers(0, 10, n)],
            "side": np.where(is_short, "short", "long"),
            "enter_tag": rng.choice(["a", "b", "c", "d"], n),
            "volatility_regime": np.array(_VOLATILITY)[regime // 3],
            "trend_regime": np.array(_TREND)[regime % 3],
            "volatility": 0.01 * np.exp(log_volatility),
            "momentum": np.where(is_short, -1, 1) * (world.momentum + rng.standard_normal(n)),
            "open_ms": open_h * _MS_PER_HOUR,
            "close_ms": close_h * _MS_PER_HOUR,
        }
    )
    good = np.zeros(n)
    if world.by == "volatility":
        good = log_volatility / log_volatility.std()
    elif world.by:
        values = rng.permutation(table[world.by].unique())
        half = len(values) // 2  # where one value is left over, it has no edge
        good += table[world.by].isin(values[:half])
        good -= table[world.by].isin(values[-half:])
    spread = 0.03 * np.exp(log_volatility)
    shared = rng.standard_normal(int(close_h.max() // 24) + 1)[close_h // 24]
    luck = np.sqrt(world.correlation) * shared
    luck += np.sqrt(1 - world.correlation) * rng.standard_t(5, n) / np.sqrt(5 / 3)
    table["edge"] = world.edge * spread * good
    table["profit_ratio"] = table["edge"] + spread * luck
    return table


def _lasting(rng: np.random.Generator, n_days: int) -> NDArray[np.int64]:
    """Return a regime for each day; one lasts five days on average."""
    drawn, changes = rng.integers(0, 9, n_days), rng.random(n_days) < 0.2
    changes[0] = True
    since = np.maximum.accumulate(np.where(changes, np.arange(n_days), 0))
    return np.asarray(drawn[since], dtype=np.int64)


def share_of_oracle(table: pd.DataFrame, multipliers: NDArray[np.float64]) -> float:
    """Return which part of the oracle's improvement a policy makes from the 300th trade on.

    The improvement is the true edge times the multiplier's distance from one; nothing of the
    trades' luck is in it. The oracle bets 1.75 on good and 0.25 on bad trades.
    """
    edge = table["edge"].to_numpy(dtype=np.float64)[300:]
    made = ((multipliers[300:] - 1.0) * edge).sum()
    return float(made / (0.75 * np.abs(edge)).sum())
