r"""A floor under what memory's stakes lose, however long trades last.

Memory's account books a trade with the weights of the day on which it closes; its stake had those
of its entry. So stakes are watched by themselves. At an entry with the weights :math:`w_k`, let

.. math:: e = \sum_k w_k \Big(\frac{m_k}{\mu_k} - 1\Big)

be how far memory wants to move the stake away from its mean one, and let :math:`y` be the profit
ratio of the trade in usual daily results as of the entry, clipped at :math:`\pm 2`. Memory is
followed in part only, :math:`h e` with :math:`0 \le h \le 1`, so that

.. math:: 2 |h e| \le \tfrac{1}{2} \max\big(0, \min(f, f + S)\big), \qquad
   S = \sum_{closed} h_i e_i y_i

where :math:`f = -\ln(\pi_0) / \eta` is the depth of the account's floor, and :math:`S` what the
stakes of the trades known to be closed before the entry have earned against the same mean stake. In
words: no trade may lose more than half of what is left, nor of what there was at the start.

**The floor.** For every sequence of trades, whoever chose it, with at most :math:`n` of them open
at the same time, :math:`S \ge -f (n + 1) / 2`; `docs/concepts/floor.md` has the proof.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_RESULT = 2.0
"""A trade's result counts at most as that many usual daily results."""

AT_RISK = 0.5
"""The share of what is left that one trade may lose, at most 1 for the proof."""


class StakeSums:
    """What stakes have earned, by the number of trades known; they are added in that order.

    Parameters
    ----------
    reserve
        What they may lose at first, in usual daily results, > 0.
    """

    def __init__(self, reserve: float) -> None:
        self._reserve, self._most = reserve, most_room(reserve)
        self._earned = array("d", [0.0])

    def keep(self, n: int) -> None:
        """Keep the first `n` trades only."""
        del self._earned[n + 1 :]

    def after(self, n: int) -> list[bytes]:
        """Return what is known once `n` trades are, and of those after them, for `restore`."""
        return [self._earned[n:].tobytes()]

    def restore(self, earned: bytes) -> None:
        """Begin with what `after` returned; trades are counted from there."""
        self._earned = array("d", earned)

    def room(self, n_known: int) -> float:
        """Return how far a stake may be moved once `n_known` trades are known, >= 0."""
        earned = self._earned[n_known]
        if earned >= 0.0:
            return self._most
        return most_room(max(0.0, self._reserve + earned))

    def add(self, moved: float, result: float) -> None:
        """Add the next trade.

        Parameters
        ----------
        moved
            How far its stake was moved away from the mean one, as a share of it.
        result
            Its profit ratio in usual daily results.
        """
        if not -MAX_RESULT <= result <= MAX_RESULT:
            result = math.copysign(MAX_RESULT, result)
        self._earned.append(self._earned[-1] + moved * result)

    def extend(
        self,
        wanted: NDArray[np.float64],
        results: NDArray[np.float64],
        n_known: NDArray[np.int64],
    ) -> None:
        """Add the next trades, with the same sums to the last bit as one by one.

        Parameters
        ----------
        wanted
            How far each wanted to move its stake, before it is held back.
        results
            As in `add`.
        n_known
            The number of trades known at each entry, all of them before it in the order.
        """
        import numpy as np

        n_before, earned = len(self._earned), self._earned
        counted = np.clip(results, -MAX_RESULT, MAX_RESULT)
        # As if none had to be held back; that holds up to the first one that has to be.
        sums = np.add.accumulate(np.concatenate((earned[-1:], wanted * counted)))
        earned.frombytes(sums[1:].tobytes())
        then = np.frombuffer(earned)[n_known]
        left = np.where(then >= 0.0, self._reserve, np.maximum(self._reserve + then, 0.0))
        too_far = np.flatnonzero(np.abs(wanted) > AT_RISK * left / MAX_RESULT)
        if len(too_far) == 0:
            return
        first = int(too_far[0])
        del earned[n_before + first :]
        rest = (column[first:].tolist() for column in (wanted, counted, n_known))
        for want, result, n in zip(*rest, strict=True):
            room, moved = self.room(n), want
            if not -room <= want <= room:  # see `Standing.held_back`
                moved = room / abs(want) * want
            earned.append(earned[-1] + moved * result)


def most_room(reserve: float) -> float:
    """Return how far a stake may be moved from its mean one, with so much left to lose."""
    return AT_RISK * reserve / MAX_RESULT
