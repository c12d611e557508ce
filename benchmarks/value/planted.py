"""Worlds with a planted edge: what a memory should find, with the answer known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.table import MS_PER_DAY, n_open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PAIRS = ("BTC", "ETH", "BNB", "LTC", "ADA", "XRP", "LINK", "XMR", "MATIC", "DOGE")
REGIMES = tuple(
    (volatility, trend)
    for volatility in ("calm", "normal", "volatile")
    for trend in ("downtrend", "sideways", "uptrend")
)
KINDS = ("pair", "enter_tag", "trend_regime", "regime", "side")
"""What decides the edge."""

_MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A simulated strategy.

    Parameters
    ----------
    kind
        Which column decides the edge, one of `KINDS`.
    edge
        Mean of a good trade in units of its standard deviation; a bad trade's is the negative.
    spread
        Standard deviation of a trade's profit ratio in normal volatility.
    correlation
        Between trades that are open at the same time.
    trades_per_day
        Over all pairs.
    mean_hold_h
        Hours, geometric.
    n_trades
        Rows.
    """

    kind: str
    edge: float = 0.3
    spread: float = 0.03
    correlation: float = 0.3
    trades_per_day: float = 3.0
    mean_hold_h: float = 18.0
    n_trades: int = 400


def planted(world: World, seed: int) -> pd.DataFrame:
    """Return a table with `edge` (true mean profit ratio) and `oracle` (1 good, -1 bad).

    Half of the values of the deciding column are good. Regimes last some days and are shared by
    most pairs, volatility regimes scale what trades win and lose, as in real tables.
    """
    rng = np.random.default_rng(seed)
    n = world.n_trades
    gaps = rng.exponential(24.0 / world.trades_per_day, n)
    open_h = np.floor(np.cumsum(gaps)).astype(np.int64) + 1
    hold_h = rng.geometric(1 / world.mean_hold_h, n)
    n_days = int(open_h[-1] // 24) + 2
    market = _regime_path(rng, n_days)[open_h // 24]
    own = rng.integers(0, len(REGIMES), n)
    regime = np.where(rng.random(n) < 0.6, market, own)
    volatility = np.array([v for v, _ in REGIMES])[regime]
    trend = np.array([t for _, t in REGIMES])[regime]
    scale = np.array([0.6, 1.0, 1.6])[regime // 3]
    table = pd.DataFrame(
        {
            "pair": np.array([f"{p}/USDT" for p in PAIRS])[rng.integers(0, len(PAIRS), n)],
            "side": np.where(rng.random(n) < 0.5, "long", "short"),
            "enter_tag": rng.choice(["a", "b", "c", "d"], n),
            "volatility_regime": volatility,
            "trend_regime": trend,
            "regime": np.char.add(np.char.add(volatility, " "), trend),
            "volatility": 0.01 * scale * np.exp(0.2 * rng.standard_normal(n)),
            "open_ms": open_h * _MS_PER_HOUR,
            "close_ms": (open_h + hold_h) * _MS_PER_HOUR,
        }
    )
    values = np.sort(table[world.kind].unique())
    good = rng.permutation(values)[: len(values) // 2]
    table["oracle"] = np.where(table[world.kind].isin(good), 1.0, -1.0)
    if len(values) % 2:  # the odd one out has no edge, so that the average trade has none
        neutral = rng.permutation(np.setdiff1d(values, good))[0]
        table.loc[table[world.kind] == neutral, "oracle"] = 0.0
    spread = world.spread * scale
    table["edge"] = world.edge * spread * table["oracle"]
    # Trades that close on the same day share a part of their luck.
    shared = rng.standard_normal(int(table["close_ms"].max() // MS_PER_DAY) + 1)
    luck = np.sqrt(world.correlation) * shared[table["close_ms"] // MS_PER_DAY] + np.sqrt(
        1 - world.correlation
    ) * rng.standard_t(5, n) / np.sqrt(5 / 3)
    table["profit_ratio"] = table["edge"] + spread * luck
    table["n_open"] = n_open(table["open_ms"].to_numpy(), table["close_ms"].to_numpy())
    return table


def _regime_path(rng: np.random.Generator, n_days: int) -> NDArray[np.int64]:
    """Return the market's regime of each day; one lasts five days on average."""
    path = np.empty(n_days, dtype=np.int64)
    path[0] = rng.integers(0, len(REGIMES))
    for day in range(1, n_days):
        path[day] = rng.integers(0, len(REGIMES)) if rng.random() < 0.2 else path[day - 1]
    return path


def share_of_oracle(
    tables: Sequence[pd.DataFrame],
    multipliers: Sequence[NDArray[np.float64]],
    *,
    first: int = 300,
    last: int = 350,
    reach: float = 0.75,
) -> float:
    """Return which part of the oracle's improvement a policy makes around the 300th trade.

    The improvement is the true edge times the multiplier's distance from one; nothing of the
    trades' luck is in it. The oracle bets `1 + reach` on good and `1 - reach` on bad trades.
    """
    made = possible = 0.0
    for table, chosen in zip(tables, multipliers, strict=True):
        edge = table["edge"].to_numpy(dtype=np.float64)[first:last]
        made += float(((chosen[first:last] - 1.0) * edge).sum())
        possible += float((reach * table["oracle"].to_numpy()[first:last] * edge).sum())
    return made / possible
