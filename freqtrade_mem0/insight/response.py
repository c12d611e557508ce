"""How a strategy's trades answer to volatility, inferred from how it enters.

The outcome of a trade depends on the volatility at its entry, and the sign of this dependence
depends on the kind of strategy: trades of dip-buyers gain more in volatile markets, those of trend
followers on both sides less. The kind is known from the entries alone, after some fifty of them;
the slope itself could only be learned from many outcomes.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import ClosedEntry, EntryColumns

SLOPE = 0.5
"""Slope of a strategy that enters neither with nor against the momentum.

The three constants were fitted by least squares to 60 strategies (24 public ones, 20 textbook ones,
16 of them long and short) on Binance spot, 1h, 2018 to 2022: 0.54, -0.45 and -0.81, rounded. Rank
correlation of predicted and real slopes of strategies left out: 0.59 (2018-2020), 0.44 (2021-2022),
0.76 (2024). `python -m benchmarks.value.fit` fits them again."""

SLOPE_PER_MOMENTUM = -0.5
"""What one unit of mean momentum in the trade's direction adds to the slope."""

SLOPE_BOTH_SIDES = -0.8
"""What trading both sides adds to the slope."""

HALF_LIFE_DAYS = 365.0
PSEUDO_ENTRIES = 30.0
"""Entries after which the usual volatility and momentum are believed halfway. With 10, which gain a
little more in the lab, the first fifty stakes of fast strategies move twice as far."""

MAX_MOMENTUM = 5.0
_MAX_EXPONENT = 5.0
"""Beyond exp(5) every multiplier is at its bound."""

_Usual = tuple[float, float, float, float, bool, float]

_HALF_LIFE_MS = HALF_LIFE_DAYS * 86_400_000
_LONG, _SHORT = 1, 2


class Response(NamedTuple):
    """What volatility says about one entry.

    Parameters
    ----------
    multiplier
        `exp(excess * slope)`, not yet inside the bounds of `sizing`; 1.0 where nothing is known.
    excess
        Log of the volatility over its usual value at this strategy's entries, shrunk towards 0.
    slope
        By how much the stake answers to `excess`.
    momentum
        Mean momentum in the direction of the trades at earlier entries, shrunk towards 0, in
        [-5, 5]; below 0 for a strategy that enters against the move.
    both_sides
        Whether it trades long and short.
    n
        Number of earlier entries, those of priors counted at their discount.
    """

    multiplier: float = 1.0
    excess: float = 0.0
    slope: float = 0.0
    momentum: float = 0.0
    both_sides: bool = False
    n: float = 0.0


NEUTRAL = Response()


class EntrySums:
    """Sums over the entries of trades known so far, as of any moment up to now.

    They are added in the order in which the trades became known, so they do not depend on the order
    of arrival. Weights halve every `HALF_LIFE_DAYS`.
    """

    __slots__ = ("_last", "_sides", "_sums", "_usual")

    def __init__(self) -> None:
        self._sums = array("d", [0.0] * 4)
        """By trade, up to it: entries, weight, weighted log volatility, weighted momentum."""
        self._sides = array("B", [0])
        """The sides seen up to it, a sum of `_LONG` and `_SHORT`."""
        self._last: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
        """The sums of all trades: those of most decisions."""
        self._usual: _Usual | None = None
        """What follows from these, once it was asked for."""

    def keep(self, n: int) -> None:
        """Keep the first `n` trades only."""
        del self._sums[4 * (n + 1) :]
        del self._sides[n + 1 :]
        self._last, self._usual = tuple(self._sums[-4:]), None

    def after(self, n: int) -> list[bytes]:
        """Return what is known once `n` trades are, and of those after them, for `restore`."""
        return [self._sums[4 * n :].tobytes(), self._sides[n:].tobytes()]

    def restore(self, sums: bytes, sides: bytes) -> None:
        """Begin with what `after` returned; trades are counted from there."""
        self._sums, self._sides = array("d", sums), array("B", sides)
        self._last, self._usual = tuple(self._sums[-4:]), None

    def add(self, entry: ClosedEntry) -> None:
        """Add the next trade. One without volatility counts for the sides only."""
        known_ms, _, _, counted, volatility, toward, is_short, _ = entry
        sides = self._sides[-1]
        if counted > 0.0:
            sides |= _SHORT if is_short else _LONG
            if volatility > 0.0:
                n, weight, logs, momentum = self._last
                # As of 1970: the factor to another moment cancels in every mean.
                added = counted * 2.0 ** (known_ms / _HALF_LIFE_MS)
                logs += added * math.log(volatility)
                self._last = n + counted, weight + added, logs, momentum + added * toward
        self._sums.extend(self._last)
        self._sides.append(sides)
        self._usual = None

    def extend(self, page: EntryColumns, logs: NDArray[np.float64]) -> None:
        """Add the next trades, with the same sums to the last bit as one by one.

        NumPy's own powers and exponentials may differ in the last bit from Python's.

        Parameters
        ----------
        page
            The trades.
        logs
            Of their volatilities, see `logs_of`.
        """
        import numpy as np

        counts = page.weight > 0.0
        seen = counts & ~np.isnan(logs)
        power = np.array([2.0**each for each in (page.known_ms / _HALF_LIFE_MS).tolist()])
        added = page.weight * power
        terms = np.empty((len(seen) + 1, 4))
        terms[0] = self._sums[-4:]
        values = page.weight, added, added * logs, added * page.momentum
        for column, value in enumerate(values):
            terms[1:, column] = np.where(seen, value, 0.0)
        sides = np.where(counts, np.where(page.is_short, _SHORT, _LONG), 0).astype(np.uint8)
        sides[0] |= self._sides[-1]
        self._sums.frombytes(np.add.accumulate(terms)[1:].tobytes())
        self._sides.frombytes(np.bitwise_or.accumulate(sides).tobytes())
        self._last, self._usual = tuple(self._sums[-4:]), None

    def response(self, n_known: int, volatility: float) -> Response:
        """Return the response of an entry at which the first `n_known` trades were known.

        Parameters
        ----------
        n_known
            From 0 to the number of trades added.
        volatility
            `volatility` of its situation; 0.0 where it is unknown.
        """
        if n_known < len(self._sides) - 1:
            usual = _usual(self._sums[4 * n_known : 4 * n_known + 4], self._sides[n_known])
        elif self._usual is None:
            usual = self._usual = _usual(self._last, self._sides[n_known])
        else:
            usual = self._usual
        believed, log, slope, momentum, both, n = usual
        if volatility <= 0.0 or believed <= 0.0:
            return Response(n=n)
        excess = believed * (math.log(volatility) - log)
        exponent = excess * slope
        if not -_MAX_EXPONENT <= exponent <= _MAX_EXPONENT:
            exponent = math.copysign(_MAX_EXPONENT, exponent)
        return tuple.__new__(Response, (math.exp(exponent), excess, slope, momentum, both, n))

    def multipliers(
        self, n_known: NDArray[np.int64], logs: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return `Response.multiplier` of many entries, the same to the last bit as one by one.

        Parameters
        ----------
        n_known
            As in `response`, of each entry.
        logs
            Of their volatilities, see `logs_of`.
        """
        import numpy as np

        n, weight, usual_logs, momentum = np.frombuffer(self._sums).reshape(-1, 4)[n_known].T
        both = np.frombuffer(self._sides, np.uint8)[n_known] == _LONG | _SHORT
        is_known = ~np.isnan(logs) & (weight > 0.0)
        weight = np.where(is_known, weight, 1.0)
        believed = n / (n + PSEUDO_ENTRIES)
        excess = believed * (logs - usual_logs / weight)
        usual = believed * momentum / weight
        slope = SLOPE + SLOPE_PER_MOMENTUM * usual + SLOPE_BOTH_SIDES * both
        exponents = np.clip(excess * slope, -_MAX_EXPONENT, _MAX_EXPONENT)
        found = np.array(list(map(math.exp, exponents.tolist())))
        return np.where(is_known, found, 1.0)


def _usual(sums: Iterable[float], sides: int) -> _Usual:
    """Return what an entry's volatility is compared with.

    How far it is believed (0.0 where nothing is known), the usual log, slope, momentum, whether
    both sides are traded, and the number of entries.
    """
    n, weight, logs, momentum = sums
    if weight <= 0.0:
        return 0.0, 0.0, 0.0, 0.0, False, n
    believed = n / (n + PSEUDO_ENTRIES)
    usual = believed * momentum / weight
    both = sides == _LONG | _SHORT
    slope = SLOPE + SLOPE_PER_MOMENTUM * usual + SLOPE_BOTH_SIDES * both
    return believed, logs / weight, slope, usual, both, n


def logs_of(volatility: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logs as `math.log` does, shape (n_trades,); NaN where the volatility is unknown."""
    import numpy as np

    known = np.where(volatility > 0.0, volatility, math.nan)
    return np.array(list(map(math.log, known.tolist())))
