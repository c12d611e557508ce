"""The policy `kelly`: fractional Kelly, in proportion to the expected edge over its risk.

The proposed stake is taken as right for the strategy's average edge, so that only the ratio of two
Kelly stakes matters: this situation's over the strategy's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from freqtrade_mem0.config.block import PolicyBlock
from freqtrade_mem0.insight.shrinkage import Moments, Shrinkage, shifts
from freqtrade_mem0.sizing.policy import Known, Wish
from freqtrade_mem0.sizing.wording import group_reason, without_evidence
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.records.decision import Reason

_MAX_STEP = 1e9
"""Bound on one level's edge, in spreads: every multiplier is at its bound far below."""


class Settings(PolicyBlock):
    """Numbers of the policy `kelly`."""

    fraction: float = Field(
        0.5,
        gt=0,
        le=1,
        description="How far Kelly's stake is followed; 0.5 is halfway between it and the proposal."
        " (0, 1]",
    )
    edge: float = Field(
        0.1,
        ge=0.001,
        le=10,
        description="The expected profit of a trade for which the proposal is right, in root mean"
        " squares of the strategy's profit ratios. [0.001, 10]",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kelly:
    r"""The Kelly stake of a situation over that of the strategy, followed a fraction of the way.

    The growth rate of a small stake `f` is :math:`f \mu - f^2 s^2 / 2` up to higher orders, with
    the expected profit ratio :math:`\mu` and the root mean square :math:`s` of the strategy's
    decayed profit ratios (`Moments.spread`). It is largest at :math:`f^* = \mu / s^2`. In units of
    :math:`s`, the strategy's edge, shrunk towards the `edge` that is assumed before trades tell, is

    .. math:: e = \frac{n \, \bar r / s + k \cdot \text{edge}}{n + k}

    with `n` trades of mean :math:`\bar r` and `k` = `prior.pseudo_trades`. The situation's edge is
    :math:`e + \text{trust} \cdot \sum_l \delta_l / s` with the shrunk deviations of the entry's
    groups (`insight.shrinkage.shifts`). Both stakes have the strategy's risk, so their ratio is
    that of the two edges, and the multiplier is

    .. math:: 1 + \text{fraction} \cdot \Big(\frac{e + \text{trust} \sum_l \delta_l / s}
              {\max(e, \text{edge})} - 1\Big)

    kept inside the bounds. It is 1 without trades, rises with the mean of each group, and falls
    below 1 for the whole strategy where its edge is less than assumed: to `1 - fraction` where
    there is none, and on towards `min_multiplier` where it loses.

    Parameters
    ----------
    prior
        What is assumed without evidence. The mean of a strategy with `prior.pseudo_trades` trades
        has half of the weight, too.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    fraction
        How far Kelly's stake is followed, in (0, 1]: 0.5 is halfway between it and the proposal.
    edge
        The expected profit, in root mean squares, for which the proposal is right, > 0.
    trust
        Share of a forecast difference that came true in trials, in (0, 1].

    Notes
    -----
    What this does not show: that the forecast is right. Kelly's stake for an overestimated edge is
    too large, which costs more than one that is too small: hence the fraction. Each trade is sized
    alone: several open trades that move together are a larger bet than each of them. Situations
    have the risk of the whole strategy, so nothing here scales by volatility, which in trials was a
    bet of its own (`benchmarks/value/README.md`).

    References
    ----------
    Kelly, J. L. (1956). A new interpretation of information rate. Bell System Technical Journal
    35 (4), 917-926.
    Thorp, E. O. (2006). The Kelly criterion in blackjack, sports betting and the stock market.
    Handbook of Asset and Liability Management, vol. 1, ch. 9 (the stake mean / variance).
    MacLean, L. C., Thorp, E. O. and Ziemba, W. T. (2010). Long-term capital growth: the good and
    bad properties of the Kelly and fractional Kelly capital growth criteria. Quantitative Finance
    10 (7), 681-687 (a fraction gives up little growth for much safety).
    """

    prior: Shrinkage
    min_multiplier: float
    max_multiplier: float
    fraction: float = 0.5
    edge: float = 0.1
    trust: float = 1.0 / 3.0
    name: str = "kelly"

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry."""
        whole = known.strategy.moments
        spread = whole.spread
        if whole.n <= 0.0 or spread <= 0.0:
            return without_evidence(whole)
        own = edge = self._own_edge(whole)
        reached = self._map(edge, own)
        reasons: list[Reason] = []
        deviations = shifts(whole, known.levels, known.differences, self.prior)
        for group, shift in zip(known.levels, deviations, strict=True):
            # A group's effect is what it adds to the groups before it, so that effects add up.
            edge += max(-_MAX_STEP, min(self.trust * shift / spread, _MAX_STEP))
            moved = self._map(edge, own)
            reasons.append(group_reason(group, moved - reached))
            reached = moved
        rest = reached - 1.0 - math.fsum(reason.effect for reason in reasons)
        strategy = group_reason(
            known.strategy,
            rest,
            f"its edge is taken as {percent(own, 1)} of what a trade moves, this entry's as "
            f"{percent(edge, 1)}",
        )
        return Wish(multiplier=reached, reasons=(strategy, *reasons), expected_ratio=edge * spread)

    def forecast_share(self, _: Moments) -> float:
        """Return which share of the groups' shrunk deviations is in the forecast, in [0, 1]."""
        return self.trust

    def _own_edge(self, whole: Moments) -> float:
        k = self.prior.pseudo_trades
        return (whole.n * (whole.mean / whole.spread) + k * self.edge) / (whole.n + k)

    def _map(self, edge: float, own: float) -> float:
        wanted = 1.0 + self.fraction * (edge / max(own, self.edge) - 1.0)
        return max(self.min_multiplier, min(wanted, self.max_multiplier))


def from_settings(sizing: SizingSettings) -> Kelly:
    """Build the policy."""
    own = sizing.block(Settings)
    return Kelly(
        prior=Shrinkage(pseudo_trades=sizing.pseudo_trades),
        min_multiplier=sizing.min_multiplier,
        max_multiplier=sizing.max_multiplier,
        fraction=own.fraction,
        edge=own.edge,
    )
