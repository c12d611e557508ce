"""Histories of trades with a known edge, for tests of drift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.drift.history import DAY_MS, DriftTrade
from freqtrade_mem0.records.base import Origin, from_ms
from tests.support.samples import ORIGIN, a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

START_DAY = 19_000


@dataclass(frozen=True)
class Process:
    """What trades are drawn from; those of a day share a part of their result.

    Volatility follows an autoregression from day to day, and `volatility` scales it.
    """

    per_day: float = 2.0
    mean: float = 0.004
    spread: float = 0.03
    hold_days: float = 0.3
    volatility: float = 1.0
    has_volatility: bool = True

    def trades(self, n_days: int, seed: int, first_day: int = 0) -> list[DriftTrade]:
        """Return the trades that are opened on some days after `START_DAY`."""
        rng = np.random.default_rng(seed)
        found: list[DriftTrade] = []
        level = 0.0
        for day in range(first_day, first_day + n_days):
            level = 0.8 * level + rng.normal(0.0, 0.15)
            common = rng.normal(0.0, 0.5 * self.spread)
            for _ in range(rng.poisson(self.per_day)):
                opened = int((START_DAY + day + rng.random()) * DAY_MS)
                held = 60_000 + int(rng.exponential(self.hold_days) * DAY_MS)
                found.append(
                    DriftTrade(
                        open_ms=opened,
                        close_ms=opened + held,
                        ratio=self.mean + common + float(rng.normal(0.0, 0.85 * self.spread)),
                        pair=f"{'AB'[len(found) % 2]}/USDT",
                        volatility=0.01 * self.volatility * math.exp(level)
                        if self.has_volatility
                        else math.nan,
                        id=f"{seed}-{len(found)}",
                    )
                )
        return found


def records(trades: list[DriftTrade], origin: Origin = ORIGIN, first: int = 0) -> list[TradeRecord]:
    """Return trades as records of a run, numbered from `first` on."""
    return [
        a_trade(
            number,
            origin=origin,
            pair=trade.pair,
            profit_ratio=trade.ratio,
            closed_at=from_ms(trade.close_ms),
            open_date=from_ms(trade.open_ms),
            situation={} if math.isnan(trade.volatility) else {"volatility": trade.volatility},
        )
        for number, trade in enumerate(trades, first)
    ]
