"""A change in the mean of a stream, found while it is read: the Page-Hinkley test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PageHinkley:
    r"""Detects a rise of the mean of a stream.

    With the running mean :math:`\bar x_i` of the first :math:`i` values,

    .. math::
        m_t = \sum_{i=1}^{t} (x_i - \bar x_i - \delta), \qquad
        \text{alarm when } m_t - \min_{i \le t} m_i > \lambda

    (and at least `min_values` were read). The change is assumed to have begun at the minimum. After
    an alarm the test starts over.

    For a stream of variance :math:`\sigma^2` around a known mean, a false alarm comes about every
    :math:`\sigma^2 / (2 \delta^2) \cdot e^{2 \delta \lambda / \sigma^2}` values (the random walk's
    mean time to exceed its minimum by :math:`\lambda`), and a rise by :math:`d > \delta` is found
    after about :math:`\lambda / (d - \delta)` values. With the defaults and a stream of 0 and 1 at
    even odds that is 7 500 values, and 40 for a rise by 0.3. As the running mean follows the
    stream, false alarms are rarer: one in 12 000 values of a simulation.

    Parameters
    ----------
    delta
        Rise that raises no alarm, in units of the stream, > 0.
    threshold
        :math:`\lambda`, in units of the stream, > 0.
    min_values
        Values to read before the first alarm, >= 1.

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41, 100-115.
    Hinkley, D. V. (1971). Inference about the change-point from cumulative sum tests. Biometrika
    58, 509-523.
    Gama, J., Zliobaite, I., Bifet, A., Pechenizkiy, M. and Bouchachia, A. (2014). A survey on
    concept drift adaptation. ACM Computing Surveys 46(4).

    What this does not show
    -----------------------
    Why the mean has risen, or that it stays so. Values that depend on each other (trades that
    overlap in one market move) raise false alarms more often than the formula says. A rise so slow
    that the running mean follows it is never found.

    Examples
    --------
    >>> test = PageHinkley(min_values=10)
    >>> stream = [0.0, 1.0] * 20 + [1.0] * 40
    >>> [number for number, value in enumerate(stream) if test.update(value)]
    [67]
    """

    __slots__ = (
        "_delta",
        "_lowest",
        "_min_values",
        "_n",
        "_n_lowest",
        "_sum",
        "_threshold",
        "_total",
        "_total_lowest",
        "after",
        "before",
        "n_after",
    )

    def __init__(self, delta: float = 0.1, threshold: float = 8.0, min_values: int = 30) -> None:
        self._delta = delta
        self._threshold = threshold
        self._min_values = min_values
        self.before = self.after = 0.0
        self.n_after = 0
        self._start()

    def _start(self) -> None:
        self._n = self._n_lowest = 0
        self._total = self._total_lowest = 0.0
        self._sum = self._lowest = 0.0

    def state(self) -> dict[str, float]:
        """Return the sums that later results depend on, for JSON."""
        return {
            "n": self._n,
            "n_lowest": self._n_lowest,
            "total": self._total,
            "total_lowest": self._total_lowest,
            "sum": self._sum,
            "lowest": self._lowest,
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Continue from a `state`."""
        self._n, self._n_lowest = int(state["n"]), int(state["n_lowest"])
        self._total, self._total_lowest = state["total"], state["total_lowest"]
        self._sum, self._lowest = state["sum"], state["lowest"]

    def update(self, value: float) -> bool:
        """Read the next value; return whether it raises an alarm.

        At an alarm, `before` and `after` are the means before and after the assumed change, and
        `n_after` is the number of values after it.
        """
        self._n += 1
        self._total += value
        self._sum += value - self._total / self._n - self._delta
        if self._sum <= self._lowest:
            self._lowest, self._n_lowest, self._total_lowest = self._sum, self._n, self._total
        if self._n < self._min_values or self._sum - self._lowest <= self._threshold:
            return False
        self.n_after = self._n - self._n_lowest
        self.before = self._total_lowest / self._n_lowest if self._n_lowest else 0.0
        self.after = (self._total - self._total_lowest) / self.n_after
        self._start()
        return True
