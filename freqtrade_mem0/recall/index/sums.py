"""Exponentially decayed sums over groups of trades, as integers: adding can be undone exactly.

A trade of time `t` has the weight `2 ** (t / half-life)`, which never has to be updated; a result
as of a moment is divided by the weight of that moment (forward decay).

References
----------
Cormode, G., Shkapenyuk, V., Srivastava, D. and Xu, B. (2009). Forward decay: a practical time decay
model for streaming systems. IEEE International Conference on Data Engineering, 138-149.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.shrinkage import NOTHING, Moments
from freqtrade_mem0.insight.student import freedom_of
from freqtrade_mem0.recall.index.columns import DISCOUNT_BITS, UNIT_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.insight.shrinkage import Key

_WEIGHT_BITS = 52
_MS_PER_DAY = 86_400_000
_UNIT = 2.0**-UNIT_BITS
_UNIT_SQUARED = 2.0 ** (-2 * UNIT_BITS)
"""Multiplying by a power of two is exact: only the division of integers before it rounds."""

Plain = tuple[int, int, int, int, int, int]
"""Sums of weights, weighted ratios and squares, weights of wins, weights squared and cubed."""


class Decay:
    """Exponential decay of trades' weights, with a half-life in market days, > 0."""

    __slots__ = ("_half_life_ms",)

    def __init__(self, half_life_days: float) -> None:
        self._half_life_ms = half_life_days * _MS_PER_DAY

    def weight(self, known_ms: int) -> int:
        """Return 2 ** (t / half-life) in fixed point."""
        exponent = known_ms / self._half_life_ms
        whole = math.floor(exponent)
        mantissa = int(math.ldexp(2.0 ** (exponent - whole), _WEIGHT_BITS))
        return mantissa << whole if whole >= 0 else mantissa >> -whole

    def terms(
        self, known_ms: NDArray[np.int64], ratio: NDArray[np.float64], discount: NDArray[np.uint16]
    ) -> tuple[list[NDArray[np.object_]], int]:
        """Return what trades add to the sums of their groups, as `terms` does, in integers.

        All of them are smaller, by as many bits as `shifted` is to be given: an integer takes as
        long as it has digits.
        """
        exponent = known_ms / self._half_life_ms
        whole = np.floor(exponent)
        # Python's power: NumPy's may differ in the last bit.
        powers = [2.0**rest for rest in (exponent - whole).tolist()]
        mantissa = np.ldexp(powers, _WEIGHT_BITS).astype(np.int64)
        early = np.minimum(-whole, 63).clip(0).astype(np.int64)  # before 1970
        late = whole.clip(0).astype(np.int64)
        n_bits = int(late.min())
        weight = ((mantissa >> early).astype(np.uint64) * discount).astype(object)
        weight <<= (late - n_bits).astype(object)
        value = np.array([*map(int, np.ldexp(ratio, UNIT_BITS).tolist())], dtype=object)
        weighted, square = weight * value, weight * weight
        won = np.where(ratio > 0.0, weight, 0)
        return [weight, weighted, weighted * value, won, square, square * weight], n_bits

    def since(self, now_ms: int) -> tuple[int, float]:
        """Return the number of whole half-lives up to a moment, and the decay since then.

        The decay is in (0.5, 1]. Weights relative to the start of the current half-life (see
        `Sums.settle`) times it are weights relative to the moment.
        """
        exponent = now_ms / self._half_life_ms
        whole = math.floor(exponent)
        return whole, 2.0 ** (whole - exponent)


class Sums:
    """The sums of one group, and its moments relative to the start of a half-life.

    Parameters
    ----------
    key
        Level and value.
    number
        Its number among all groups.
    inside
        The groups it is a subset of, where its level combines others.
    """

    __slots__ = (
        "freedom",
        "inside",
        "key",
        "kish",
        "mean",
        "n",
        "number",
        "period",
        "squares",
        "variance",
        "weight",
        "weight_cubes",
        "weight_squares",
        "weighted",
        "wins",
        "won",
    )

    def __init__(self, key: Key, number: int, inside: tuple[Key, ...] = ()) -> None:
        self.key = key
        self.number = number
        self.inside = inside
        self.weight = self.weighted = self.squares = self.won = 0
        self.weight_squares = self.weight_cubes = 0
        self.period: int | None = None
        """The half-life for which the numbers below are computed; None: for none."""
        self.n = self.wins = self.mean = self.variance = self.kish = 0.0
        self.freedom: float | None = None

    @property
    def plain(self) -> Plain:
        """The six sums."""
        squares, cubes = self.weight_squares, self.weight_cubes
        return self.weight, self.weighted, self.squares, self.won, squares, cubes

    @plain.setter
    def plain(self, sums: Plain) -> None:
        self.weight, self.weighted, self.squares, self.won = sums[:4]
        self.weight_squares, self.weight_cubes = sums[4:]
        self.period = None

    def settle(self, period: int) -> None:
        """Compute the moments, with weights relative to the start of a half-life."""
        self.period = period
        weight, shift = self.weight, period + _WEIGHT_BITS + DISCOUNT_BITS
        if weight <= 0:
            self.n = self.wins = self.mean = self.variance = self.kish = 0.0
            self.freedom = None
            return
        try:
            self.n, self.wins = math.ldexp(weight, -shift), math.ldexp(self.won, -shift)
        except OverflowError:  # very short half-lives: the integer is too large for a float
            self.n, self.wins = _scaled(weight, shift), _scaled(self.won, shift)
        self.mean = self.weighted / weight * _UNIT
        spread = self.squares * weight - self.weighted * self.weighted
        square = weight * weight
        self.variance = spread / square * _UNIT_SQUARED
        self.kish = square / self.weight_squares
        self.freedom = freedom_of(self.kish, self.weight_cubes / (square * weight))

    def moments(self, period: int, left: float) -> Moments:
        """Return the moments as of a moment; the arguments are from `Decay.since`."""
        if self.weight <= 0:
            return NOTHING
        if self.period != period:
            self.settle(period)
        n, wins = self.n * left, self.wins * left
        # What the named tuple's constructor does, without a call in Python.
        return tuple.__new__(Moments, (n, self.mean, self.variance, wins, self.kish, self.freedom))


def terms(weight: int, ratio: float) -> Plain:
    """Return what one trade adds to the sums of its groups.

    `weight` is `Decay.weight` times the discount, negative to subtract the trade; `ratio` is a
    multiple of 2 ** -50.
    """
    value = int(math.ldexp(ratio, UNIT_BITS))
    weighted = weight * value
    won = weight if value > 0 else 0
    square = weight * abs(weight)
    return weight, weighted, weighted * value, won, square, square * abs(weight)


def shifted(sums: Plain, n_bits: int) -> Plain:
    """Return sums of trades whose weights were smaller by so many bits."""
    weight, weighted, squares, won, weight_squares, weight_cubes = sums
    return (
        weight << n_bits,
        weighted << n_bits,
        squares << n_bits,
        won << n_bits,
        weight_squares << 2 * n_bits,
        weight_cubes << 3 * n_bits,
    )


def _scaled(weight: int, shift: int) -> float:
    return weight / (1 << shift) if shift >= 0 else float(weight << -shift)
