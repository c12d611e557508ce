"""Strategies with nothing to find: random entries on real candles, random holding times, fees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.datasets import pairs_in, spot_candles
from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPlan:
    """How random entries are drawn.

    Parameters
    ----------
    fee
        Per fill, ratio. Zero is the strict test: with a fee, every trade has a loss to learn.
    shorts
        Sides are drawn, too; otherwise all trades are long and share the market's drift.
    mean_wait_h, mean_hold_h
        Mean time without and with a position, hours, geometric.
    start, end
        UTC dates.
    """

    fee: float = 0.001
    shorts: bool = False
    mean_wait_h: float = 60.0
    mean_hold_h: float = 24.0
    start: str = "2018-01-01"
    end: str = "2021-01-01"


class RandomEntries:
    """Draw trade tables by seed.

    Parameters
    ----------
    folder
        Spot candles, 1h.
    features
        Situations by `pair` and `open_date`, as `cached_situations` makes them.
    """

    def __init__(self, folder: Path, features: pd.DataFrame) -> None:
        self._opens: dict[str, pd.Series[float]] = {}
        for pair in pairs_in(folder, "1h"):
            candles = spot_candles(folder, pair, "1h")
            dates = candles["date"].astype("datetime64[ms, UTC]").astype("int64")
            self._opens[pair] = pd.Series(candles["open"].to_numpy(), index=dates)
        moments = features["open_date"].astype("datetime64[ms, UTC]").astype("int64")
        plain = features.assign(open_ms=moments)
        self._features = plain.set_index(["pair", "open_ms"]).sort_index()

    def table(self, plan: RandomPlan, seed: int) -> pd.DataFrame:
        """Return one table of trades, in entry order."""
        rng = np.random.default_rng(seed)
        start, end = (pd.Timestamp(d, tz="UTC").value // 1_000_000 for d in (plan.start, plan.end))
        parts = []
        for pair, opens in self._opens.items():
            # Situations need some days of candles.
            first = max(start, int(opens.index[0]) + 20 * MS_PER_DAY)
            candles = opens[(opens.index >= first) & (opens.index < end)]
            n = int(len(candles) / (plan.mean_wait_h + plan.mean_hold_h) * 1.5) + 10
            wait = rng.geometric(1 / plan.mean_wait_h, n)
            hold = rng.geometric(1 / plan.mean_hold_h, n)
            exits = np.cumsum(wait + hold)
            entries = exits - hold
            inside = exits < len(candles)
            entries, exits = entries[inside], exits[inside]
            side = np.where(rng.random(len(entries)) < 0.5, -1.0, 1.0)
            side = side if plan.shorts else np.abs(side)
            prices, moments = candles.to_numpy(), candles.index.to_numpy()
            paid, got = prices[entries], prices[exits]
            # Freqtrade's accounting: fees on both fills, profit relative to what was put in.
            long = got * (1 - plan.fee) / (paid * (1 + plan.fee)) - 1
            short = 1 - got * (1 + plan.fee) / (paid * (1 - plan.fee))
            parts.append(
                pd.DataFrame(
                    {
                        "pair": pair,
                        "side": np.where(side > 0, "long", "short"),
                        "enter_tag": rng.choice(["a", "b", "c"], len(entries)),
                        "profit_ratio": np.where(side > 0, long, short),
                        "open_ms": moments[entries],
                        "close_ms": moments[exits],
                    }
                )
            )
        table = pd.concat(parts).sort_values(["open_ms", "pair"], ignore_index=True)
        keys = pd.MultiIndex.from_frame(table[["pair", "open_ms"]])
        found = self._features.reindex(keys).reset_index(drop=True)
        return pd.concat([table, found], axis=1)
