"""A summary: stands for the memories of one run's or bot's trades in a pair and month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id, to_seconds
from freqtrade_mem0.records.limits import Count, Instant, Money, Name, Ratio
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.memory import Scalar

_MOST_NAMES = 5
"""Tags and exit reasons that the sentence names: the most frequent ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSummary(Record):
    """Stands in Mem0 for trades that have no memory of their own any more.

    The trades still count: what stakes are computed from does not read summaries.

    Parameters
    ----------
    pair
        Pair of all of them.
    month
        In which they were closed (UTC), as "2026-03".
    trades
        Their ids, by close date.
    n_wins
        How many made money.
    profit_abs
        Their sum, in stake currency.
    mean_profit_ratio, best_profit_ratio, worst_profit_ratio
        After all fees, 0.018 is 1.8 %.
    first_close, last_close
        Aware UTC. `known_at` is `last_close`.
    sides, enter_tags, exit_reasons
        How many trades had which.
    digest
        SHA-256 over what the trades say, so that nobody can change what comes with the memory.
    """

    kind: ClassVar[str] = "summary"
    default_category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE
    ages_as: ClassVar[str | None] = None

    pair: Name
    month: Name
    trades: tuple[Name, ...]
    n_wins: Count
    profit_abs: Money
    mean_profit_ratio: Ratio
    best_profit_ratio: Ratio
    worst_profit_ratio: Ratio
    first_close: Instant
    last_close: Instant
    sides: Mapping[Name, Count]
    enter_tags: Mapping[Name, Count]
    exit_reasons: Mapping[Name, Count]
    digest: Name

    def sentence(self) -> str:
        """Return, for example, "31 closed trades of Sample in ETH/USDT, 2026-03: 18 wins, ..."."""
        n = len(self.trades)
        names = (
            ("", self.sides),
            ("tags ", self.enter_tags),
            ("exits ", self.exit_reasons),
        )
        said = [f"{title}{_listed(counts)}" for title, counts in names if any(counts)]
        return (
            f"{counted(n, 'closed trade')} of {self.origin.strategy} in {self.pair}, {self.month}: "
            f"{counted(self.n_wins, 'win')}, mean {percent(self.mean_profit_ratio)}, "
            f"best {percent(self.best_profit_ratio)}, worst {percent(self.worst_profit_ratio)}"
            f"{''.join(f'; {each}' for each in said)}"
        )

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the keys of the trades that a summary has, too."""
        side = {"side": next(iter(self.sides))} if len(self.sides) == 1 else {}
        return {
            "pair": self.pair,
            **side,
            "month": self.month,
            "n_trades": len(self.trades),
            "n_wins": self.n_wins,
            "profit_abs": self.profit_abs,
            "profit_ratio": self.mean_profit_ratio,
            "best_profit_ratio": self.best_profit_ratio,
            "worst_profit_ratio": self.worst_profit_ratio,
            "open_ts": to_seconds(self.first_close),
            "close_ts": to_seconds(self.last_close),
        }


def summary_id(origin: Origin, pair: str, month: str) -> str:
    """Return the id of the summary of an origin's trades in a pair and month."""
    own = (origin.user_id, origin.strategy, origin.mode, origin.run_id)
    return record_id("summary", *own, pair, month)


def _listed(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_MOST_NAMES]
    return ", ".join(f"{name} {n}" for name, n in most)
