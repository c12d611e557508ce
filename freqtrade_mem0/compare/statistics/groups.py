"""Where the difference comes from: figures per pair, market regime and enter tag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.compare.statistics.returns import close_days, n_days
from freqtrade_mem0.worth.bootstrap import Estimate, estimate
from freqtrade_mem0.worth.daily import by_day

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.compare.trades import ClosedTrade, Run

MAX_GROUPS = 20
"""Largest number of groups; the smallest ones are joined as `OTHERS`."""

OTHERS = "(all others)"
UNKNOWN = "(none)"

_N_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The trades of one pair, regime or tag in both runs.

    The mean profit ratio does not depend on stakes; it is that of the trades with memory, or of
    those without where there are none. The mean multiplier is NaN without trades with memory.
    Contributions are profits over the starting balance.
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
    """Return a function that names a trade's regime, for trades of both runs.

    Only the run with memory records regimes; the same entry in the other run had the same regime.
    """
    known = {trade.entry: trade.regime for trade in remembered.trades}
    return lambda trade: known.get(trade.entry) or UNKNOWN


def by_group(
    without: Run, remembered: Run, name_of: Callable[[ClosedTrade], str], *, seed: int
) -> list[Group]:
    """Return the groups of both runs' trades, the largest first.

    What this does not show: in which group memory works. The intervals are not corrected for the
    number of groups; with many groups some exclude 0 by chance.
    """
    counts = Counter(map(name_of, (*without.trades, *remembered.trades)))
    names = sorted(counts, key=lambda name: (-counts[name], name))
    if len(names) > MAX_GROUPS:
        names = [*names[: MAX_GROUPS - 1], OTHERS]
    shown = set(names)
    trades: dict[str, tuple[list[ClosedTrade], list[ClosedTrade]]] = {n: ([], []) for n in names}
    for which, run in enumerate((without, remembered)):
        for trade in run.trades:
            name = name_of(trade)
            trades[name if name in shown else OTHERS][which].append(trade)
    return [_group(name, *trades[name], without, seed) for name in names]


def _group(
    name: str,
    before: Sequence[ClosedTrade],
    after: Sequence[ClosedTrade],
    run: Run,
    seed: int,
) -> Group:
    days = n_days(run)
    booked = [
        by_day(
            np.array([trade.profit_quote for trade in trades], dtype=np.float64),
            close_days(trades, run.start.date(), days),
            days,
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
            change, lambda means: means[..., 0] * days, seed=seed, n_resamples=_N_RESAMPLES
        ),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
