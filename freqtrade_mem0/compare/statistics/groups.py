"""Where a difference comes from: per pair, regime and enter tag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.compare.statistics.bootstrap import Estimate, estimate
from freqtrade_mem0.compare.statistics.returns import close_days, n_days

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.compare.trades import ClosedTrade, Run

    Entry = tuple[str, str, datetime]

MAX_GROUPS = 20
"""Groups shown one by one; the smaller ones are put together as `OTHERS`."""

OTHERS = "(all others)"
UNKNOWN = "(none)"

_N_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The trades of one pair, regime or tag in both runs.

    Parameters
    ----------
    name
        The pair, regime or tag.
    n_without, n_with
        Trades.
    mean_ratio
        Mean profit ratio of the trades with memory (without, where there are none): it does not
        depend on stakes.
    mean_multiplier
        Of the trades with memory; NaN where there are none.
    contribution_without, contribution_with
        Their profit over the starting balance.
    difference
        The latter minus the former, with its interval.
    """

    name: str
    n_without: int
    n_with: int
    mean_ratio: float
    mean_multiplier: float
    contribution_without: float
    contribution_with: float
    difference: Estimate


def pair_of(trade: ClosedTrade) -> str:
    """Return a trade's pair."""
    return trade.pair


def tag_of(trade: ClosedTrade) -> str:
    """Return a trade's enter tag, `UNKNOWN` where it has none."""
    return trade.enter_tag or UNKNOWN


def regime_of(remembered: Run) -> Callable[[ClosedTrade], str]:
    """Return what names a trade's regime in both runs.

    Regimes are noted with memory only; the same entry without memory was made in the same one.
    """
    known: Mapping[Entry, str] = {trade.entry: trade.regime for trade in remembered.trades}

    def regime(trade: ClosedTrade) -> str:
        return known.get(trade.entry) or UNKNOWN

    return regime


def by_group(
    without: Run, remembered: Run, name_of: Callable[[ClosedTrade], str], *, seed: int
) -> list[Group]:
    """Return the groups of both runs' trades, the largest first.

    Parameters
    ----------
    without, remembered
        The runs; of the same days.
    name_of
        Names a trade's group.
    seed
        For the intervals.

    Notes
    -----
    What this does not show: which group memory understands. With many groups some intervals
    exclude zero by chance: the intervals are not corrected for their number.
    """
    counts = Counter(map(name_of, (*without.trades, *remembered.trades)))
    names = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    if len(names) > MAX_GROUPS:
        names = names[: MAX_GROUPS - 1]
    shown = set(names)

    def shown_name(trade: ClosedTrade) -> str:
        return name if (name := name_of(trade)) in shown else OTHERS

    if len(shown) < len(counts):
        names.append(OTHERS)
    return [
        _group(
            name,
            [trade for trade in without.trades if shown_name(trade) == name],
            [trade for trade in remembered.trades if shown_name(trade) == name],
            without,
            seed,
        )
        for name in names
    ]


def _group(
    name: str,
    before: Sequence[ClosedTrade],
    after: Sequence[ClosedTrade],
    run: Run,
    seed: int,
) -> Group:
    days = n_days(run)
    booked = [
        np.bincount(
            close_days(trades, run.start.date(), days),
            weights=np.array([trade.profit_quote for trade in trades], dtype=np.float64),
            minlength=days,
        )
        / run.starting_balance
        for trades in (before, after)
    ]
    change = (booked[1] - booked[0])[:, None]
    return Group(
        name=name,
        n_without=len(before),
        n_with=len(after),
        mean_ratio=_mean([trade.profit_ratio for trade in (after or before)]),
        mean_multiplier=_mean([trade.multiplier for trade in after]),
        contribution_without=float(booked[0].sum()),
        contribution_with=float(booked[1].sum()),
        difference=estimate(
            change,
            lambda means: means[..., 0] * days,
            seed=seed,
            n_resamples=_N_RESAMPLES,
        ),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
