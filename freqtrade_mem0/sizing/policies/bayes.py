"""The policy `bayes`: larger stakes where similar trades did better than the others.

It follows differences between situations, not the strategy's own mean, and only those that chance
does not explain. So on average stakes stay what was proposed, unless the strategy's loss is
significant. On candles it was not selected on it gained nothing (see `docs/benchmarks.md`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.shrinkage import Moments, Shrinkage, shifts
from freqtrade_mem0.sizing.policy import Known, Wish
from freqtrade_mem0.sizing.wording import group_reason, without_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.insight.shrinkage import EntryGroup
    from freqtrade_mem0.records.decision import Reason

_MAX_STEP = 1e6
"""Bound on one level's evidence: tanh is at its limit far below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bayes:
    r"""Empirical-Bayes shrinkage, then a bounded, monotone map from evidence to multiplier.

    With the shrunk deviations :math:`\delta_l` of the entry's groups (`insight.shrinkage.shifts`)
    and the root mean square :math:`s` of the strategy's profit ratios, the evidence is

    .. math:: e = \frac{\text{trust}}{\text{reach}} \cdot \frac{n}{n + \text{warm\_up}}
                  \cdot \frac{\sum_l \delta_l}{s}

    and the multiplier is `1 + (max - 1) * tanh(e)` for `e > 0`, `1 + (1 - min) * tanh(e)` below: 1
    without evidence, and asymptotically at its bounds.

    A strategy whose loss is significant is damped as a whole. With the sum :math:`S` of its decayed
    profit ratios and its standard error :math:`\sigma = s \sqrt{2 (n + 20)}` (trades that overlap
    move together: the variance is taken as twice that of independent trades), the multiplier is
    scaled by `1 + (1 - min) * tanh(S / sigma + brake_after)` where that is below 1.

    Where situations do not differ, the evidence is zero for most levels (`insight.shrinkage`): on
    simulated noise the root mean square of multiplier - 1 is below 0.10, for 40, 300 and 3,000
    trades.

    Parameters
    ----------
    prior
        What is assumed about differences without evidence.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    trust
        Share of a forecast difference that came true in trials, in (0, 1].
    reach
        Trusted forecast difference, in units of `s`, that moves the multiplier tanh(1) of the way
        to a bound, > 0.
    warm_up_trades
        Trades of the strategy after which forecasts have half of their weight, >= 0. Early on the
        estimate of how much groups differ is itself uncertain.
    brake_after
        Standard errors of loss beyond which the strategy is damped; infinity never damps.
    overlap
        Variance of a mean of trades over that of independent trades, >= 1.
    brake_pseudo_trades
        Trades without profit or loss that are added before the test, > 0, so that a few real ones
        can not be significant.
    """

    prior: Shrinkage
    min_multiplier: float
    max_multiplier: float
    trust: float = 1.0 / 3.0
    reach: float = 0.04
    warm_up_trades: float = 100.0
    brake_after: float = 2.0
    overlap: float = 2.0
    brake_pseudo_trades: float = 20.0
    name: str = "bayes"

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry."""
        whole = known.strategy.moments
        spread = whole.spread
        if whole.n <= 0.0 or spread <= 0.0:
            return without_evidence(whole)
        brake = self._brake(whole)
        share = self.forecast_share(whole)
        deviations = shifts(whole, known.levels, known.differences, self.prior)
        unit = self.reach * spread
        steps = [
            step
            if -_MAX_STEP < (step := share * deviation / unit) < _MAX_STEP
            else math.copysign(_MAX_STEP, step)
            for deviation in deviations
        ]
        multiplier = max(self.min_multiplier, brake * self._map(sum(steps)))
        return Wish(
            multiplier=multiplier,
            reasons=partial(self._reasons, known.strategy, known.levels, steps, brake, multiplier),
            expected_ratio=whole.mean + share * math.fsum(deviations),
        )

    def forecast_share(self, whole: Moments) -> float:
        """Return which share of the groups' shrunk deviations is in the forecast, in [0, 1]."""
        return self.trust * whole.n / (whole.n + self.warm_up_trades)

    def _reasons(
        self,
        strategy: EntryGroup,
        levels: Sequence[EntryGroup],
        steps: Sequence[float],
        brake: float,
        multiplier: float,
    ) -> list[Reason]:
        effects, evidence, reached = [], 0.0, 1.0
        for step in steps:
            # A group's effect is what it adds to the groups before it, so that effects add up.
            evidence += step
            moved = self._map(evidence)
            effects.append(brake * (moved - reached))
            reached = moved
        rest = multiplier - 1.0 - math.fsum(effects)
        braked = "a loss beyond doubt" if brake < 1.0 else ""
        return [group_reason(strategy, rest, braked), *map(group_reason, levels, effects)]

    def _map(self, evidence: float) -> float:
        reach = self.max_multiplier - 1.0 if evidence > 0.0 else 1.0 - self.min_multiplier
        # In floating point 1 - (1 - 0.1) is a little less than 0.1, which is the bound.
        return max(self.min_multiplier, 1.0 + reach * math.tanh(evidence))

    def _brake(self, whole: Moments) -> float:
        error = whole.spread * math.sqrt((whole.n + self.brake_pseudo_trades) * self.overlap)
        excess = min(0.0, whole.n * whole.mean / error + self.brake_after) if error else 0.0
        return 1.0 + (1.0 - self.min_multiplier) * math.tanh(excess)


def from_settings(sizing: SizingSettings) -> Bayes:
    """Build the policy."""
    return Bayes(
        prior=Shrinkage(pseudo_trades=sizing.pseudo_trades),
        min_multiplier=sizing.min_multiplier,
        max_multiplier=sizing.max_multiplier,
        brake_after=sizing.brake_after,
    )
