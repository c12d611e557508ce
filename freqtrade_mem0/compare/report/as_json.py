"""A comparison as plain values for programs. The names are part of the interface."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR

if TYPE_CHECKING:
    from freqtrade_mem0.compare.comparison import Comparison
    from freqtrade_mem0.compare.statistics.deflated import Deflated
    from freqtrade_mem0.compare.trades import ClosedTrade


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison, without the trades of both runs; figures that do not exist are None."""
    c = comparison
    said = verdict(c)
    before, after = daily(c.without), daily(c.remembered)
    days = [before.first + timedelta(days=number) for number in range(len(before.returns))]
    result = {
        "strategy": c.strategy,
        "finding": said.finding,
        "verdict": said.sentence,
        "start": c.without.start,
        "end": c.without.end,
        "days": len(days),
        "timeframe": c.without.timeframe,
        "stake_currency": c.without.stake_currency,
        "starting_balance": c.without.starting_balance,
        "freqtrade": {"without": c.without.metrics, "with_memory": c.remembered.metrics},
        "figures": {"without": c.figures_without, "with_memory": c.figures_with},
        "common_trades": c.n_common,
        "trades_only_without": [_entry(trade) for trade in c.only_without],
        "trades_only_with_memory": [_entry(trade) for trade in c.only_with],
        "broke": {"without": c.broke_without, "with_memory": c.broke_with},
        "changed_stakes": c.n_changed,
        "exposure_ratio": c.exposure_ratio,
        "difference": {
            "annual_mean_return": c.mean_return,
            "annual_mean_return_at_equal_exposure": c.mean_return_equal_exposure,
            "sharpe": c.sharpe_difference,
        },
        "random_sizing": c.shifts,
        "timing": c.timing,
        "multiplier_spread": {"real": c.spread, "on_noise": c.remembered.spread_on_noise},
        "account": c.remembered.account,
        "stresses": c.stresses,
        "trials": None if c.deflated is None else _trials(c.deflated),
        "p_holm": c.p_holm,
        "p_benjamini_hochberg": c.p_bh,
        "strategies_compared": c.n_strategies,
        "periods": c.periods,
        "pairs": c.pairs,
        "regimes": c.regimes,
        "enter_tags": c.tags,
        "calibration": c.calibration,
        "forecast_is_ratio": c.forecast_is_ratio,
        "daily": {
            "date": days,
            "return_without": before.returns.tolist(),
            "return_with_memory": after.returns.tolist(),
        },
        "seconds": {"without": c.without.seconds, "with_memory": c.remembered.seconds},
    }
    plain: dict[str, Any] = _plain(result)
    return plain


def _trials(d: Deflated) -> dict[str, Any]:
    """Return the judgement by the number of tries; Sharpe ratios are annual."""
    year = math.sqrt(DAYS_PER_YEAR)
    return {
        "settings_tried": d.n_tried,
        "sharpe_of_gain": d.sharpe * year,
        "best_by_chance": d.by_chance * year,
        "deflated_sharpe_ratio": d.probability,
    }


def _entry(trade: ClosedTrade) -> dict[str, Any]:
    return {
        "pair": trade.pair,
        "side": trade.side,
        "enter_tag": trade.enter_tag,
        "open_date": trade.open_date,
        "profit_ratio": trade.profit_ratio,
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
