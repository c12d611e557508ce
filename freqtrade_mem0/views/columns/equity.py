"""What trades won over time, with memory's stakes and with the proposed ones, in a few points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from freqtrade_mem0.views.columns.table import Table

N_POINTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Profits:
    """Trades by the time they became known; arrays have shape (n_trades,).

    `with_memory` and `without` are profits in stake currency with memory's and with the proposed
    stakes. That of the stake which the trade got is the trade's own profit; the other one differs
    by memory's effect (see `worth.stakes`). They are equal where memory decided nothing, and 0
    where the amounts of such a trade are not kept; of those there are `n_unknown`. `own` are the
    profits with the stakes that the trades got.
    """

    known_ms: NDArray[np.int64]
    with_memory: NDArray[np.float64]
    without: NDArray[np.float64]
    own: NDArray[np.float64]
    n_decided: int
    n_shadow: int
    n_unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points of the curves; each is the end of a stretch of time, shape (n_points,)."""

    ms: list[int]
    with_memory: list[float]
    without: list[float]
    drawdown_with: list[float]
    drawdown_without: list[float]


def profits(table: Table, rows: NDArray[np.intp]) -> Profits:
    """Return what the trades of some rows won; to be called under the book's lock."""
    base, size, decided = decided_of(table, rows)
    paid = table["profit"][rows].astype(np.float64)
    applied = decided & (table["applied"][rows] > 0.0)
    is_unknown = ~decided & ~np.isfinite(paid)
    scaled = np.where(decided, base * np.where(applied, size, 1.0), 0.0)
    own = np.where(np.isfinite(paid), paid, scaled)
    effect = np.where(decided, base * (size - 1.0), 0.0)
    return Profits(
        known_ms=table["known_ms"][rows],
        with_memory=own + np.where(applied, 0.0, effect),
        without=own - np.where(applied, effect, 0.0),
        own=own,
        n_decided=int(decided.sum()),
        n_shadow=int((table["applied"][rows][decided] == 0.0).sum()),
        n_unknown=int(is_unknown.sum()),
    )


def curve(profit: Profits, n_points: int = N_POINTS) -> Curve:
    """Return the curves in at most so many points.

    Of each stretch of time the last trade is shown, and the lowest and the highest of both curves,
    so that no fall is lost.
    """
    n = len(profit.known_ms)
    if not n:
        return Curve(ms=[], with_memory=[], without=[], drawdown_with=[], drawdown_without=[])
    both = [np.cumsum(profit.with_memory), np.cumsum(profit.without)]
    at = _points(profit.known_ms, both, n_points)
    falls = [np.maximum(np.maximum.accumulate(each), 0.0) - each for each in both]
    return Curve(
        ms=profit.known_ms[at].tolist(),
        with_memory=both[0][at].tolist(),
        without=both[1][at].tolist(),
        drawdown_with=(-falls[0][at]).tolist(),
        drawdown_without=(-falls[1][at]).tolist(),
    )


def decided_of(
    table: Table, rows: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return profit at the proposed stake, multiplier, and whether memory decided; (n_rows,)."""
    proposed, stake, applied, most = (
        table[name][rows].astype(np.float64)
        for name in ("proposed", "stake", "applied", "max_stake")
    )
    decided = np.isfinite(proposed)
    with np.errstate(divide="ignore", invalid="ignore"):
        filled = np.minimum(1.0, most / np.where(applied > 0.0, stake, proposed))
        filled = np.where(np.isfinite(filled) & (most > 0.0), filled, 1.0)
        return proposed * filled * table["ratio"][rows], stake / proposed, decided


def _points(
    known_ms: NDArray[np.int64], curves: list[NDArray[np.float64]], n_points: int
) -> NDArray[np.intp]:
    n = len(known_ms)
    if n <= n_points:
        return np.arange(n)
    n_parts = n_points // (1 + 2 * len(curves))
    edges = np.linspace(known_ms[0], known_ms[-1] + 1, n_parts + 1)
    starts = np.unique(np.searchsorted(known_ms, edges[:-1]))
    starts = starts[starts < n]
    ends = np.append(starts[1:], n)
    found = [ends - 1]
    for each in curves:
        found += [
            np.array([a + pick(each[a:b]) for a, b in zip(starts, ends, strict=True)])
            for pick in (np.argmin, np.argmax)
        ]
    points: NDArray[np.intp] = np.unique(np.concatenate(found))
    return points
