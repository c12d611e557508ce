r"""Memory's account: what following each expert would have earned, and how far it is followed.

An expert names a stake multiplier :math:`m` for each entry. A trader who splits his capital between
the proposed stakes ("off") and several experts, and never moves money between them, follows each
expert as far as it has earned it. With the share :math:`\pi_k` that expert :math:`k` starts with,
:math:`\pi_0 = 1 - \sum_k \pi_k` for "off", and the wealth :math:`W_k` of the expert's share, which
starts at 1,

.. math:: w_k = \frac{\pi_k W_k}{\pi_0 + \sum_j \pi_j W_j}

is the part of the next multiplier that comes from expert :math:`k`. At the end of each UTC day with
closed trades

.. math:: W_k \leftarrow W_k (1 + \eta x_k), \qquad
   x_k = \mathrm{clip}\Big(\frac{1}{\sigma} \sum_i \big(\frac{m_{k,i}}{\mu_k} - 1\big) r_i,
   -3, 3\Big)

with the profit ratios :math:`r_i` of these trades, the mean multiplier :math:`\mu_k` so far, and
the usual daily result :math:`\sigma` with equal stakes. All of them are as of the start of the day.

In the first 20 days, in which :math:`\sigma` is not known, no expert is followed.

**The floor.** For every sequence of :math:`x_k`, whoever chose it,

.. math:: \prod_t \Big(1 + \eta \sum_k w_{k,t} x_{k,t}\Big)
   = \pi_0 + \sum_k \pi_k \prod_t (1 + \eta x_{k,t}) \ge \pi_0,

because the left side is the growth of the whole capital and the share of "off" never shrinks. As
:math:`\ln(1 + y) \le y`, the sum of all :math:`w x` is never below :math:`\ln(\pi_0) / \eta`.

The account books a trade with the weight of the day on which it closes. The stake had that of its
entry: `insight.stakes` puts a floor under what stakes lose.

References
----------
Cover, T. M. (1991). Universal portfolios. Mathematical Finance 1(1), 1-29.
Ramdas, A., Grünwald, P., Vovk, V. and Shafer, G. (2023). Game-theoretic statistics and safe
anytime-valid inference. Statistical Science 38(4), 576-601 (arXiv 2210.01948).
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from operator import attrgetter, mul
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.insight.stakes import most_room
from freqtrade_mem0.insight.standing import Share, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

RATE = 0.2
"""eta. Selected on 2018-2020 together with the shares; see `benchmarks/value`."""

MAX_DAILY = 3.0
"""A day counts at most as that many usual days, so that `1 + RATE * x` stays positive."""

HALF_LIFE_DAYS = 180.0
MIN_DAYS = 20
"""Days since the first trade in which no expert is followed: the usual day is not known yet."""

PSEUDO_TRADES = 50.0
"""Trades with multiplier 1 that are added to the mean multiplier."""

_LEAST, _MOST = 1e-300, 1e12
"""Bounds of an expert's wealth: it stays positive and finite in floating point."""

_MOST_STANDINGS = 1_000
MS_PER_DAY = 86_400_000
_KEPT = 2.0 ** (-1.0 / HALF_LIFE_DAYS)


class _Day(NamedTuple):
    """The account after a day with closed trades.

    Days are counted from 1970. `end` is the number of trades up to its end, `wealth` and `sums` (of
    multipliers) are by expert, `weights` are the trades', and `squares` the decayed sum of squared
    daily results as of the day after. For the rest see `Standing`.
    """

    number: int
    first: int
    end: int
    wealth: tuple[float, ...]
    sums: tuple[float, ...]
    weights: float
    squares: float
    earned: float
    earned_ratio: float
    since_ms: int | None


_NUMBER = attrgetter("number")


class Account:
    """The account of a strategy as of any day. The trades are added in the order they became known.

    Parameters
    ----------
    shares
        What each expert begins with, by name; each in (0, 1), together below 1.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._experts = tuple(shares)
        self._shares = tuple(shares.values())
        self._off = 1.0 - math.fsum(self._shares)
        if not all(share > 0.0 for share in self._shares) or self._off <= 0.0:
            raise ValueError("each share must be above 0, and all together below 1")
        self.floor = math.log(self._off) / RATE
        # Of each trade: its day, profit ratio, weight, and multiplier by expert.
        self._day_of, self._ratios, self._weights = array("i"), array("d"), array("d")
        self._said = tuple(array("d") for _ in shares)
        self._days: list[_Day] = []
        self._standings: dict[int, Standing] = {}
        """By UTC day: that of today, and those of the entries of trades taken in."""
        self._newest_standing = 0

    def keep(self, n: int) -> None:
        """Keep the first `n` trades only."""
        if n >= len(self._day_of):
            return
        del self._day_of[n:]
        for column in (self._ratios, self._weights, *self._said):
            del column[n:]
        while self._days and self._days[-1].end > n:
            self._days.pop()
        self._standings.clear()

    def after(self, n: int, day: int) -> tuple[list[_Day], list[bytes]] | None:
        """Return days and trades for `restore`: those from a day on, which `n` trades are before.

        And the last day before that. None where one of these days is not closed.
        """
        first = max(bisect_left(self._days, day, key=_NUMBER) - 1, 0)
        days = [each._replace(end=each.end - n) for each in self._days[first:]]
        if n > 0 and not (days and days[-1].end >= 0):
            return None
        columns: list[array[Any]] = [self._day_of, self._ratios, self._weights, *self._said]
        return days, [column[n:].tobytes() for column in columns]

    def restore(self, days: Iterable[Any], columns: Sequence[bytes]) -> None:
        """Begin with what `after` returned; trades are counted from there."""
        self._days = [
            _Day(number, first, end, tuple(wealth), tuple(sums), *others)
            for number, first, end, wealth, sums, *others in days
        ]
        day_of, *others = columns
        self._day_of = array("i", day_of)
        self._ratios, self._weights, *said = (array("d", column) for column in others)
        self._said = tuple(said)

    def add(self, known_ms: int, ratio: float, weight: float, multipliers: Sequence[float]) -> None:
        """Add the next trade.

        Parameters
        ----------
        known_ms
            When it became known; not before the last one.
        ratio
            Profit ratio.
        weight
            In (0, 1]; below 1 for trades of priors, which earn and lose less.
        multipliers
            What each expert said at its entry, shape (n_experts,), > 0.
        """
        day = known_ms // MS_PER_DAY
        if self._days and self._days[-1].number >= day:
            self._open_again(day)
        self._day_of.append(day)
        self._ratios.append(ratio)
        self._weights.append(weight)
        for column, multiplier in zip(self._said, multipliers, strict=True):
            column.append(multiplier)

    def extend(
        self,
        known_ms: NDArray[np.int64],
        ratios: NDArray[np.float64],
        weights: NDArray[np.float64],
        multipliers: Sequence[NDArray[np.float64]],
    ) -> None:
        """Add the next trades, in columns as `add` has them; at least one."""
        days = known_ms // MS_PER_DAY
        self._open_again(int(days[0]))
        self._day_of.frombytes(days.astype("i").tobytes())
        self._ratios.frombytes(ratios.tobytes())
        self._weights.frombytes(weights.tobytes())
        for column, said in zip(self._said, multipliers, strict=True):
            column.frombytes(said.tobytes())

    def at(self, now_ms: int) -> Standing:
        """Return the account at the start of a moment's UTC day, from the trades known by then."""
        today = now_ms // MS_PER_DAY
        known = self._standings.get(today)
        if known is not None:
            end = self._days[-1].end if self._days else 0
            if end == len(self._day_of) or self._day_of[end] >= today:  # all days before are closed
                return known
        self._close_until(today)
        # Later days may be there: the moments asked about go backwards, too.
        position = bisect_left(self._days, today, key=_NUMBER)
        standing = self._standing_after(self._days[position - 1] if position else None, today)
        if len(self._standings) >= _MOST_STANDINGS:
            self._standings.clear()
        self._standings[today] = standing
        self._newest_standing = max(self._newest_standing, today)
        return standing

    def _open_again(self, day: int) -> None:
        """Forget what was computed of a day and those after it: a trade of that day comes."""
        while self._days and self._days[-1].number >= day:
            self._days.pop()
            self._standings.clear()

    def _close_until(self, today: int) -> None:
        """Compute the days before `today` that have not been computed yet."""
        position = self._days[-1].end if self._days else 0
        while position < len(self._day_of) and self._day_of[position] < today:
            number = self._day_of[position]
            end = bisect_right(self._day_of, number, position)
            self._days.append(self._closed(number, position, end))
            if number < self._newest_standing:  # a trade that arrived late
                self._standings.clear()
            position = end

    def _closed(self, number: int, start: int, end: int) -> _Day:
        """Return the account after a day, which has the trades from `start` to `end`."""
        before = self._days[-1] if self._days else self._before_all(number)
        ratios, weights = self._ratios[start:end], self._weights[start:end]
        said = [column[start:end] for column in self._said]
        squares, usual = _usual_day(before, number)
        pseudo = before.weights + PSEUDO_TRADES
        excesses = [
            math.fsum(
                [
                    weight * ratio * (multiplier * pseudo / (total + PSEUDO_TRADES) - 1.0)
                    for weight, ratio, multiplier in zip(weights, ratios, multipliers, strict=True)
                ]
            )
            for multipliers, total in zip(said, before.sums, strict=True)
        ]
        moves = [0.0] * len(excesses)
        if usual > 0.0:
            moves = [max(-MAX_DAILY, min(excess / usual, MAX_DAILY)) for excess in excesses]
        followed = self._followed(before, usual)
        wealth = tuple(
            max(_LEAST, min(old * (1.0 + RATE * move), _MOST))
            for old, move in zip(before.wealth, moves, strict=True)
        )
        since_ms = before.since_ms
        gained = math.fsum(s * (w - 1.0) for s, w in zip(self._shares, wealth, strict=True)) > 0.0
        if not gained:
            since_ms = None
        elif since_ms is None:
            since_ms = (number + 1) * MS_PER_DAY
        result = math.fsum(ratios)
        return _Day(
            number=number,
            first=before.first,
            end=end,
            wealth=wealth,
            sums=tuple(
                total + _dot(weights, multipliers)
                for multipliers, total in zip(said, before.sums, strict=True)
            ),
            weights=before.weights + math.fsum(weights),
            squares=squares * _KEPT + result * result,
            earned=before.earned + _dot(followed, moves),
            earned_ratio=before.earned_ratio + _dot(followed, excesses),
            since_ms=since_ms,
        )

    def _before_all(self, first: int) -> _Day:
        ones, zeros = (1.0,) * len(self._shares), (0.0,) * len(self._shares)
        return _Day(first, first, 0, ones, zeros, 0.0, 0.0, 0.0, 0.0, None)

    def _followed(self, day: _Day, usual: float) -> list[float]:
        """Return how far each expert is followed after a day; not before the usual day is known."""
        if usual <= 0.0:
            return [0.0] * len(self._shares)
        parts = [share * each for share, each in zip(self._shares, day.wealth, strict=True)]
        whole = self._off + math.fsum(parts)
        return [part / whole for part in parts]

    def _standing_after(self, day: _Day | None, today: int) -> Standing:
        day = self._before_all(today) if day is None else day
        pseudo = day.weights + PSEUDO_TRADES
        usual = _usual_day(day, today)[1]
        shares = {
            expert: Share(followed, wealth, (total + PSEUDO_TRADES) / pseudo)
            for expert, followed, wealth, total in zip(
                self._experts, self._followed(day, usual), day.wealth, day.sums, strict=True
            )
        }
        return Standing(
            shares,
            day.earned,
            self.floor,
            day.earned_ratio,
            day.weights,
            day.since_ms,
            usual,
            most_room(-self.floor),
        )


def _usual_day(before: _Day, today: int) -> tuple[float, float]:
    """Return the decayed squares of earlier days, and their root mean square.

    The latter is 0.0 in the first `MIN_DAYS`.
    """
    n_days = today - before.first
    squares = before.squares * _KEPT ** max(today - before.number - 1, 0)
    if n_days < MIN_DAYS:
        return squares, 0.0
    return squares, math.sqrt(squares * (1.0 - _KEPT) / (1.0 - _KEPT**n_days))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(mul, left, right))
