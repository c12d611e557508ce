"""Runs to compare: made of plain numbers, every one of which can be set."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.trades import ClosedTrade, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2024, 1, 1, tzinfo=UTC)
BALANCE = 1_000.0
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
REGIMES = ("calm uptrend", "volatile sideways")


def a_trade(day: float = 0.0, ratio: float = 0.01, **changes: Any) -> ClosedTrade:
    """Return a trade that closes at noon so many days after `START`, after two hours."""
    closed = START + timedelta(days=day, hours=12)
    multiplier = changes.get("multiplier", 1.0)
    stake = 100.0 * multiplier
    trade = ClosedTrade(
        pair="BTC/USDT",
        side="long",
        enter_tag="dip",
        exit_reason="roi",
        open_date=closed - timedelta(hours=2),
        close_date=closed,
        stake_quote=stake,
        leverage=1.0,
        profit_ratio=ratio,
        profit_quote=stake * ratio,
        exposure_quote_days=stake / 12.0,
        turnover_quote=2.0 * stake,
        fees_quote=0.002 * stake,
    )
    return replace(trade, **changes)


def a_run(trades: Sequence[ClosedTrade], days: int = 120) -> Run:
    """Return a run of so many days from `START`."""
    return Run(
        trades=tuple(sorted(trades, key=lambda trade: trade.open_date)),
        start=START,
        end=START + timedelta(days=days),
        starting_balance=BALANCE,
        stake_currency="USDT",
        timeframe="5m",
        metrics={"total_trades": float(len(trades)), "profit_factor": None},
        seconds=1.0,
    )


def two_runs(
    seed: int = 1, *, days: int = 120, per_day: int = 3, skill: float = 0.0, edge: float = 0.0
) -> tuple[Run, Run]:
    """Return a run without and one with memory, of the same trades.

    Parameters
    ----------
    seed
        Of profits and multipliers.
    days, per_day
        How many trades.
    skill
        How far multipliers go with the profits to come; 0 is none.
    edge
        Mean profit ratio.
    """
    rng = np.random.default_rng(seed)
    plain, sized = [], []
    for day in range(days):
        for number in range(per_day):
            ratio = edge + 0.02 * float(rng.standard_normal())
            luck = skill * ratio / 0.02 + 0.5 * float(rng.standard_normal())
            multiplier = float(np.clip(1.0 + 0.5 * luck, 0.25, 1.75))
            which = {
                "pair": PAIRS[number % len(PAIRS)],
                "open_date": START + timedelta(days=day, hours=number),
                "close_date": START + timedelta(days=day, hours=number + 3),
            }
            known = {"regime": REGIMES[day % 2], "forecast_ratio": (multiplier - 1.0) / 50.0}
            plain.append(a_trade(day, ratio, **which))
            sized.append(a_trade(day, ratio, multiplier=multiplier, **which, **known))
    return a_run(plain, days), a_run(sized, days)
