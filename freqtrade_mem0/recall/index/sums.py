"""Time-decayed sums over groups of trades, as integers: what was added can be taken out again.

Weights grow into the future instead of shrinking into the past, `2 ** (t / half-life)`, so that
a stored one never has to be touched again; an answer divides by the weight of its own moment.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.shrinkage import NOTHING, Moments
from freqtrade_mem0.recall.index.columns import UNIT_BITS

if TYPE_CHECKING:
    from freqtrade_mem0.insight.shrinkage import Key

_WEIGHT_BITS = 52
DISCOUNT_BITS = 10
_MS_PER_DAY = 86_400_000
_UNIT = 2.0**-UNIT_BITS
_UNIT_SQUARED = 2.0 ** (-2 * UNIT_BITS)
"""Powers of two: dividing by integers first and multiplying by these rounds once."""

Plain = tuple[int, int, int, int]
"""Sums of weights, of weighted ratios, of weighted squares, and of the weights of wins."""


class Decay:
    """How much trades weigh by their age.

    Parameters
    ----------
    half_life_days
        A trade this many market days old weighs half, > 0.
    """

    __slots__ = ("_half_life_ms",)

    def __init__(self, half_life_days: float) -> None:
        self._half_life_ms = half_life_days * _MS_PER_DAY

    def weight(self, known_ms: int) -> int:
        """Return 2 ** (t / half-life) in fixed point: the weight of a trade of that moment."""
        exponent = known_ms / self._half_life_ms
        whole = math.floor(exponent)
        mantissa = int(math.ldexp(2.0 ** (exponent - whole), _WEIGHT_BITS))
        return mantissa << whole if whole >= 0 else mantissa >> -whole

    def since(self, now_ms: int) -> tuple[int, float]:
        """Return the number of whole half-lives up to a moment, and what is left after the rest.

        The second is in (0.5, 1]: weights relative to the beginning of the half-life under way,
        see `Sums.settle`, times it are weights relative to the moment.
        """
        exponent = now_ms / self._half_life_ms
        whole = math.floor(exponent)
        return whole, 2.0 ** (whole - exponent)


class Sums:
    """The sums of one group, and its moments as far as they do not depend on the hour.

    Parameters
    ----------
    key
        Which group.
    number
        Its number among all groups.
    inside
        The groups it is a part of, where it belongs to a combined level.
    """

    __slots__ = (
        "inside",
        "key",
        "mean",
        "n",
        "number",
        "period",
        "squares",
        "variance",
        "weight",
        "weighted",
        "wins",
        "won",
    )

    def __init__(self, key: Key, number: int, inside: tuple[Key, ...] = ()) -> None:
        self.key = key
        self.number = number
        self.inside = inside
        self.weight = self.weighted = self.squares = self.won = 0
        self.period: int | None = None
        """In which half-life the numbers below hold; None: they do not."""
        self.n = self.wins = self.mean = self.variance = 0.0

    @property
    def plain(self) -> Plain:
        """The sums themselves."""
        return self.weight, self.weighted, self.squares, self.won

    @plain.setter
    def plain(self, sums: Plain) -> None:
        self.weight, self.weighted, self.squares, self.won = sums
        self.period = None

    def settle(self, period: int) -> None:
        """Work out the moments, with weights relative to the beginning of a half-life."""
        self.period = period
        weight, shift = self.weight, period + _WEIGHT_BITS + DISCOUNT_BITS
        if weight <= 0:
            self.n = self.wins = self.mean = self.variance = 0.0
            return
        try:
            self.n, self.wins = math.ldexp(weight, -shift), math.ldexp(self.won, -shift)
        except OverflowError:  # more digits than a float's, where half-lives are very short
            self.n, self.wins = _scaled(weight, shift), _scaled(self.won, shift)
        self.mean = self.weighted / weight * _UNIT
        spread = self.squares * weight - self.weighted * self.weighted
        self.variance = spread / (weight * weight) * _UNIT_SQUARED

    def moments(self, period: int, left: float) -> Moments:
        """Return the moments as of a moment that `Decay.since` was asked about."""
        if self.weight <= 0:
            return NOTHING
        if self.period != period:
            self.settle(period)
        return Moments(self.n * left, self.mean, self.variance, self.wins * left)


def terms(weight: int, ratio: float) -> Plain:
    """Return what one trade adds to the sums of its groups.

    Parameters
    ----------
    weight
        `Decay.weight` times its discount.
    ratio
        Profit ratio, a multiple of 2 ** -50.
    """
    value = int(math.ldexp(ratio, UNIT_BITS))
    weighted = weight * value
    return weight, weighted, weighted * value, weight if value > 0 else 0


def _scaled(weight: int, shift: int) -> float:
    return weight / (1 << shift) if shift >= 0 else float(weight << -shift)
