"""Expected profit ratios by empirical-Bayes shrinkage.

All trades of a strategy share a mean profit ratio. The groups of a level (its pairs, its enter
tags, its market regimes, ...) deviate from it, and each deviation is shrunk towards zero. How
strongly depends on how much the groups of the level really differ, which is estimated from all of
them: where they differ no more than chance explains, the deviations nearly vanish.

What an earlier level explains is not counted again. For a combined level ("side and trend") only
the part of its deviation counts that its parts do not explain. Other levels may overlap, too: a tag
may be used only for short trades, or mostly in uptrends. How far is not known, so all that earlier
levels added is taken as explained: a deviation counts where it goes beyond that, or against it.
Two tags of one side therefore never add up to more than the larger of their deviations. Where two
levels are independent, this believes less than both together would justify.

References
----------
Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations.
Journal of the American Statistical Association 70 (350), 311-319 (shrinkage towards a parent).
Buehlmann, H. and Gisler, A. (2005). A Course in Credibility Theory and its Applications, ch. 4
(the credibility factor n / (n + k), and its estimate from the groups).
Breiman, L. (1995). Better subset regression using the nonnegative garrote. Technometrics 37 (4),
373-384.
Kish, L. (1965). Survey Sampling, ch. 8 (the effective size of a weighted sample).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.insight.student import half_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Key = tuple[str, str]
"""A level and its value, for example ("pair", "ETH/USDT")."""

_MIN_FOR_ERROR = 2.0
_MIN_DIVISOR = 1e-9


class Moments(NamedTuple):
    """Exponentially decayed moments of the profit ratios of some trades.

    Parameters
    ----------
    n
        Sum of the weights, where a trade of this moment weighs 1.
    mean
        Weighted mean profit ratio; 0.0 where `n` is 0.
    variance
        Weighted variance of the profit ratios around `mean`, >= 0.
    wins
        Sum of the weights of trades with a profit above zero, in [0, `n`]; None where not counted.
    kish
        See `n_effective`; None where all weights are 1.
    freedom
        Degrees of freedom for Student's interval of the mean, see `student.freedom_of`; None where
        the weights are not known one by one, which means `n_effective - 1`.
    """

    n: float
    mean: float
    variance: float
    wins: float | None = None
    kish: float | None = None
    freedom: float | None = None

    @property
    def n_effective(self) -> float:
        """How many trades of equal weight give a mean as precise: Kish's effective sample size."""
        return self.n if self.kish is None else self.kish

    @property
    def spread(self) -> float:
        """Root mean square of the profit ratios: the unit in which deviations are measured."""
        return math.sqrt(self.variance + self.mean**2)

    @property
    def win_rate(self) -> float | None:
        """Weighted share of winning trades, in [0, 1]; None without trades or counts."""
        return None if self.wins is None or self.n <= 0.0 else self.wins / self.n


NOTHING = Moments(0.0, 0.0, 0.0)
"""The moments of no trades."""


class Group(NamedTuple):
    """The trades of one group of a level.

    `inside` are the groups it is a subset of, where its level combines others.
    """

    moments: Moments
    inside: tuple[Key, ...] = ()


class EntryGroup(NamedTuple):
    """The group of one level that an entry belongs to.

    Parameters
    ----------
    name, value
        The level and its value, for example "pair" and "ETH/USDT".
    moments
        Of the trades in the group.
    inside
        Names of the levels that this level combines.
    """

    name: str
    value: str
    moments: Moments
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """The prior: how much the groups of a level are assumed to differ without evidence.

    Parameters
    ----------
    pseudo_trades
        The prior's `theta` is 1 / `pseudo_trades`: half of the deviation of a group with this many
        trades is believed. > 0.
    pseudo_groups
        Weight of the prior, in groups of evidence, > 0.
    doubt
        How far the groups of a level must differ to be believed at all, in standard deviations
        beyond what chance gives on average, >= 0.
    """

    pseudo_trades: float
    pseudo_groups: float = 10.0
    doubt: float = 4.0


def differences(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> dict[str, float]:
    r"""Estimate `theta` for each level: variance between its groups over variance within them.

    With the deviations :math:`d_g` of the groups from the strategy's mean (less what the groups
    around :math:`g` explain), their sizes :math:`n_g`, and the strategy's mean square :math:`s^2`
    as the variance within,

    .. math::

        E\Big[\sum_g n_g d_g^2 / s^2\Big] = (G - 1) (1 + m \theta), \qquad
        m = \frac{n - \sum_g n_g^2 / n}{G - 1}

    is solved for :math:`\theta` (Buehlmann and Gisler 2005, ch. 4). Before that,
    `prior.pseudo_groups` groups of the mean size :math:`m` that agree with the prior are added.

    An estimate of a variance is above zero half of the time where there are no differences at all.
    So the result is multiplied by the share of the sum that lies beyond doubt,

    .. math:: 1 - \frac{(G - 1) + \text{doubt} \sqrt{2 (G - 1)}}{\sum_g n_g d_g^2 / s^2}

    or by 0 where that is negative; without differences, the sum has the mean :math:`G - 1` and the
    standard deviation :math:`\sqrt{2 (G - 1)}`. So `theta` is 0 for most levels of most strategies,
    and a large one is hardly changed (the nonnegative garrote of Breiman 1995).

    Parameters
    ----------
    whole
        Moments of all trades of the strategy.
    levels
        Names of the levels, combined levels after their parts.
    groups
        Every group of every level that has a trade.
    prior
        What is assumed without evidence.

    Returns
    -------
    dict
        `theta` by level, >= 0, without unit. It does not depend on the order of `groups`.

    Notes
    -----
    What this does not show: the trades of a group are taken as independent. Trades that overlap in
    time move together, which makes groups look more different than they are.
    """
    return _thetas_and_shifts(whole, levels, groups, prior)[0]


def group_shifts(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> dict[Key, float]:
    """Return the shrunk deviation of every group, level by level; see `differences`."""
    return _thetas_and_shifts(whole, levels, groups, prior)[1]


def shifts(
    whole: Moments,
    levels: Sequence[EntryGroup],
    theta_of: Mapping[str, float],
    prior: Shrinkage,
) -> list[float]:
    """Return the shrunk deviation of each group that an entry belongs to.

    The expected profit ratio of the entry is `whole.mean` plus their sum.

    Parameters
    ----------
    whole
        Moments of all trades of the strategy.
    levels
        The groups of the entry, those of combined levels after their parts.
    theta_of
        By level, from `differences`; the prior's for a level that is missing.
    prior
        What is assumed without evidence.
    """
    prior_theta = 1.0 / prior.pseudo_trades
    mean = whole.mean
    result: list[float] = []
    shift_of: dict[str, float] = {}
    first_with: dict[Moments, str] = {}
    first_of: dict[str, str] = {}
    added = 0.0
    for name, _, moments, inside in levels:
        shift = 0.0
        n, group_mean, *_ = moments
        if n > 0.0:
            if moments in first_with:  # equal moments: the same trades
                first_of[name] = first_with[moments]
            else:
                deviation, others = group_mean - mean, added
                if inside:
                    around = {first_of[level] for level in inside if level in first_of}
                    explained = math.fsum([shift_of[level] for level in around])
                    deviation -= explained
                    others -= explained
                if deviation * others > 0.0:  # the others may explain it
                    rest = deviation - others
                    deviation = rest if rest * deviation > 0.0 else 0.0
                # `credibility` inlined: nine of these are half of a decision.
                believed = n * theta_of.get(name, prior_theta)
                shift = deviation * (believed / (believed + 1.0))
                added += shift
                first_with[moments] = first_of[name] = name
                shift_of[name] = shift
        result.append(shift)
    return result


def credibility(n: float, theta: float) -> float:
    """Return the share of a group's deviation that is believed: `n / (n + 1 / theta)`, in [0, 1).

    0.0 where the groups do not differ, `theta` being 0.

    >>> credibility(100.0, 0.01)
    0.5
    """
    believed = n * theta
    return believed / (believed + 1.0)


def interval(moments: Moments) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean; (-inf, inf) below two effective trades.

    Notes
    -----
    What this does not show: trades are taken as independent.
    """
    error = standard_error(moments)
    if error is None:
        return -math.inf, math.inf
    half = half_width(moments.freedom or moments.n_effective - 1.0) * error
    return moments.mean - half, moments.mean + half


def standard_error(moments: Moments) -> float | None:
    """Return the standard error of the mean; None below two effective trades."""
    n = moments.n_effective
    return None if n < _MIN_FOR_ERROR else math.sqrt(moments.variance / (n - 1.0))


def _thetas_and_shifts(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> tuple[dict[str, float], dict[Key, float]]:
    thetas: dict[str, float] = {}
    shifts: dict[Key, float] = {}
    first_with: dict[Moments, Key] = {}
    square = whole.spread**2
    members: dict[str, list[Key]] = {level: [] for level in levels}
    for key in sorted(groups):
        if key[0] in members:
            members[key[0]].append(key)
    for level, keys in members.items():
        rows = []
        for key in keys:
            (n, mean, *_), inside = groups[key]
            around = {first_with[groups[key].moments] for key in inside if key in groups}
            explained = math.fsum([shifts[key] for key in around])
            rows.append((n, mean - whole.mean - explained))
        theta = thetas[level] = _theta(rows, whole.n, square, prior)
        for key, (n, deviation) in zip(keys, rows, strict=True):
            is_new = groups[key].moments not in first_with
            shifts[key] = deviation * credibility(n, theta) if is_new else 0.0
        for key in keys:
            first_with.setdefault(groups[key].moments, key)
    return thetas, shifts


def _theta(
    sizes_and_deviations: Sequence[tuple[float, float]], n: float, square: float, prior: Shrinkage
) -> float:
    prior_theta = 1.0 / prior.pseudo_trades
    freedom = len(sizes_and_deviations) - 1
    if freedom <= 0 or n <= 0.0 or square <= 0.0:
        return prior_theta
    observed = math.fsum([size * d**2 for size, d in sizes_and_deviations]) / square
    by_chance = freedom + prior.doubt * math.sqrt(2.0 * freedom)
    if observed <= by_chance:
        return 0.0
    mean_size = max(n - math.fsum([size * size for size, _ in sizes_and_deviations]) / n, 0.0)
    mean_size /= freedom
    theta = (observed - freedom + prior.pseudo_groups * mean_size * prior_theta) / max(
        (freedom + prior.pseudo_groups) * mean_size, _MIN_DIVISOR
    )
    return theta * (1.0 - by_chance / observed)
