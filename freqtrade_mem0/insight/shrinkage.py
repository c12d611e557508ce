"""Pure statistics: what closed trades say about the next one in a situation like theirs.

All trades of a strategy share a mean profit ratio. The groups of a level (its pairs, its tags, its
market regimes, ...) deviate from that mean, and each group's deviation is pulled towards zero: of
`n` trades a share `n / (n + 1 / theta)` is believed. `theta`, how much the groups of a level really
differ, is itself learned from all of them (empirical Bayes): where they differ by no more than
chance lets them, hardly anything is believed.

What a combined level ("side and trend") adds is counted beyond what its parts explain already.

References
----------
Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations.
Journal of the American Statistical Association 70 (350), 311-319 (shrinkage towards a parent).
Buehlmann, H. and Gisler, A. (2005). A Course in Credibility Theory and its Applications, ch. 4
(the credibility factor n / (n + k), and its estimate from the groups).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Key = tuple[str, str]
"""A level and its value, for example ("pair", "ETH/USDT")."""


class Moments(NamedTuple):
    """Time-decayed moments of the profit ratios of a group of trades.

    Parameters
    ----------
    n
        Effective number of trades: the sum of their weights, a trade of this moment weighing 1.
    mean
        Weighted mean profit ratio; 0.0 where `n` is 0.
    variance
        Weighted variance of the profit ratios around `mean`, >= 0.
    wins
        Sum of the weights of trades with a profit above zero, in [0, `n`]; None where nobody
        counted.
    """

    n: float
    mean: float
    variance: float
    wins: float | None = None

    @property
    def spread(self) -> float:
        """Root mean square profit ratio: the unit in which deviations are measured."""
        return math.sqrt(self.variance + self.mean**2)

    @property
    def win_rate(self) -> float | None:
        """Share of the weight that won, in [0, 1]; None where nothing was counted."""
        return None if self.wins is None or self.n <= 0.0 else self.wins / self.n


_MIN_FOR_ERROR = 2.0
_LEAST_OF_PRIOR = 0.1
"""`theta` never falls below this share of what is assumed without evidence."""
_NOTHING = 1e-9

NOTHING = Moments(0.0, 0.0, 0.0)
"""The moments of no trades at all."""


class Group(NamedTuple):
    """The trades in one group of a level.

    Parameters
    ----------
    moments
        Of its trades.
    inside
        The groups it is a part of, where it belongs to a combined level.
    """

    moments: Moments
    inside: tuple[Key, ...] = ()


class Part(NamedTuple):
    """What one level adds to the forecast for an entry.

    Parameters
    ----------
    name, value
        The level and its key, for example "pair" and "ETH/USDT".
    moments
        Of the trades in it.
    shift
        What it adds to the expected profit ratio.
    inside
        Names of the levels that it combines.
    """

    name: str
    value: str
    moments: Moments
    shift: float = 0.0
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """What is assumed about how much the groups of a level differ, before they tell.

    Parameters
    ----------
    pseudo_trades
        `theta` is 1 / `pseudo_trades`: a group of so many trades is believed halfway. > 0.
    pseudo_groups
        How many groups of evidence this assumption is worth, > 0.
    """

    pseudo_trades: float
    pseudo_groups: float = 10.0


def differences(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> dict[str, float]:
    r"""Estimate for each level how much its groups differ: variance between over variance within.

    With deviations :math:`d_g` from the strategy's mean (less what the groups around `g` explain),
    sizes :math:`n_g`, and the strategy's mean square :math:`s^2` as the variance within,

    .. math::

        E\Big[\sum_g n_g d_g^2 / s^2\Big] = (G - 1) (1 + m \theta), \qquad
        m = \frac{n - \sum_g n_g^2 / n}{G - 1}

    is solved for :math:`\theta`, after `prior.pseudo_groups` groups of the mean size `m` that agree
    with the prior are added.

    Parameters
    ----------
    whole
        Moments of all trades of the strategy.
    levels
        Names of the levels, those that others combine before them.
    groups
        Every group of every level that has a trade.
    prior
        What holds without evidence.

    Returns
    -------
    dict
        By level, > 0, without unit. It does not depend on the order of `groups`.

    Notes
    -----
    What this does not show: the trades of a group are taken as independent of each other. Those
    that overlap share their luck, which makes groups look more different than they are.
    """
    return _walk(whole, levels, groups, prior)[0]


def group_shifts(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> dict[Key, float]:
    """Return what every group adds to a forecast, level by level; see `differences`."""
    return _walk(whole, levels, groups, prior)[1]


def forecast(
    whole: Moments,
    levels: Sequence[Part],
    difference_of: Mapping[str, float],
    prior: Shrinkage,
) -> tuple[Part, ...]:
    """Return the levels of an entry with their shifts: how it should differ from the mean.

    The expected profit ratio is `whole.mean` plus all shifts.

    Parameters
    ----------
    whole
        Moments of all trades of the strategy.
    levels
        The groups the entry is in, those that others combine before them; shifts are ignored.
    difference_of
        What `differences` found; a level that is missing has the prior's.
    prior
        What holds without evidence.
    """
    found = shifts(whole, levels, difference_of, prior)
    return tuple(part._replace(shift=shift) for part, shift in zip(levels, found, strict=True))


def shifts(
    whole: Moments,
    levels: Sequence[Part],
    difference_of: Mapping[str, float],
    prior: Shrinkage,
) -> list[float]:
    """Return what each level adds to a forecast, in their order; see `forecast`."""
    assumed = 1.0 / prior.pseudo_trades
    mean = whole.mean
    found: list[float] = []
    shift_of: dict[str, float] = {}
    for name, _, moments, _, inside in levels:
        shift = 0.0
        n, group_mean, _, _ = moments
        if n > 0.0:
            deviation = group_mean - mean
            if inside:
                deviation -= math.fsum([shift_of.get(around, 0.0) for around in inside])
            # As `belief`, without the call: nine of these are half of a decision.
            shift = deviation * (n / (n + 1.0 / difference_of.get(name, assumed)))
        shift_of[name] = shift
        found.append(shift)
    return found


def belief(n: float, theta: float) -> float:
    """Return the share of a group's deviation that is believed: `n / (n + 1 / theta)`, in [0, 1).

    >>> belief(100.0, 0.01)
    0.5
    """
    return n / (n + 1.0 / theta)


def interval(moments: Moments, level: float = 1.959963984540054) -> tuple[float, float]:
    """Return the interval of a mean: mean -/+ `level` standard errors, (-inf, inf) below 2 trades.

    Parameters
    ----------
    moments
        Of a group of trades.
    level
        Quantile of the normal distribution; the default gives 95 %.
    """
    error = standard_error(moments)
    if error is None:
        return -math.inf, math.inf
    return moments.mean - level * error, moments.mean + level * error


def standard_error(moments: Moments) -> float | None:
    """Return the standard error of a group's mean; None with fewer than two trades.

    Parameters
    ----------
    moments
        Of a group of trades.
    """
    if moments.n < _MIN_FOR_ERROR:
        return None
    return math.sqrt(moments.variance / (moments.n - 1.0))


def _walk(
    whole: Moments, levels: Sequence[str], groups: Mapping[Key, Group], prior: Shrinkage
) -> tuple[dict[str, float], dict[Key, float]]:
    found: dict[str, float] = {}
    shifts: dict[Key, float] = {}
    square = whole.spread**2
    members: dict[str, list[Key]] = {level: [] for level in levels}
    for key in sorted(groups):
        if key[0] in members:
            members[key[0]].append(key)
    for level, keys in members.items():
        rows = []
        for key in keys:
            (n, mean, _, _), inside = groups[key]
            explained = math.fsum([shifts.get(around, 0.0) for around in inside]) if inside else 0.0
            rows.append((n, mean - whole.mean - explained))
        theta = found[level] = _between(rows, whole.n, square, prior)
        for key, (n, deviation) in zip(keys, rows, strict=True):
            shifts[key] = deviation * belief(n, theta)
    return found, shifts


def _between(
    sizes: Sequence[tuple[float, float]], n: float, square: float, prior: Shrinkage
) -> float:
    assumed = 1.0 / prior.pseudo_trades
    freedom = len(sizes) - 1
    if freedom <= 0 or n <= 0.0 or square <= 0.0:
        return assumed
    seen = math.fsum([size * deviation**2 for size, deviation in sizes]) / square
    typical = max(n - math.fsum([size * size for size, _ in sizes]) / n, 0.0) / freedom
    theta = (seen - freedom + prior.pseudo_groups * typical * assumed) / max(
        (freedom + prior.pseudo_groups) * typical, _NOTHING
    )
    return max(theta, assumed * _LEAST_OF_PRIOR)
