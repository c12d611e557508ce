"""The result of a backtest or of a hyperopt epoch, as Freqtrade reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, to_seconds
from freqtrade_mem0.records.limits import Count, Instant, LongText, Money, Name, Number
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRecord(Record):
    """The result of one backtest of one strategy. All numbers are Freqtrade's own.

    Parameters
    ----------
    timeframe
        For example "5m".
    start_date, end_date
        Aware UTC; the first and last candle that was traded on. `known_at` is `end_date`.
    pairs
        The pairs it could trade.
    n_trades
        Closed trades.
    profit_ratio, profit_abs
        Total, relative to the starting wallet and in stake currency.
    stake_currency
        For example "USDT".
    metrics
        Every single number that Freqtrade reports for the run, under Freqtrade's own names.
    config_fingerprint
        SHA-256 of the config it ran with, as the result file holds it; "" if it does not.
    versions
        What it ran on, for example {"freqtrade": "2026.9"}; empty if the file does not say.
    parameters
        Hyperopt's parameters of an epoch, as JSON; "" for a plain backtest.
    """

    kind: ClassVar[str] = "backtest"
    default_category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE

    timeframe: Name
    start_date: Instant
    end_date: Instant
    pairs: tuple[Name, ...]
    n_trades: Count
    profit_ratio: Number
    profit_abs: Money
    stake_currency: Name
    metrics: Mapping[Name, Number] = field(default_factory=dict)
    config_fingerprint: Name = ""
    versions: Mapping[Name, Name] = field(default_factory=dict)
    parameters: LongText = ""

    def sentence(self) -> str:
        """Return, for example, "Backtest of Sample on 2 pairs, 5m, ...: 31 trades, +1.23%"."""
        what = "Hyperopt epoch" if self.parameters else "Backtest"
        drawdown = self.metrics.get("max_drawdown_account")
        return (
            f"{what} of {self.origin.strategy} on {counted(len(self.pairs), 'pair')}, "
            f"{self.timeframe}, {self.start_date:%Y-%m-%d} to {self.end_date:%Y-%m-%d}: "
            f"{counted(self.n_trades, 'trade')}, {percent(self.profit_ratio)}"
            + ("" if drawdown is None else f", max drawdown {percent(drawdown, signed=False)}")
        )

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the main figures, and the first and last candle."""
        return {
            "timeframe": self.timeframe,
            "n_trades": self.n_trades,
            "profit_ratio": self.profit_ratio,
            "profit_abs": self.profit_abs,
            "stake_currency": self.stake_currency,
            "start_ts": to_seconds(self.start_date),
            "end_ts": to_seconds(self.end_date),
        }
