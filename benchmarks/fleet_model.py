"""How many bots one PostgreSQL serves, computed from what one bot's sync and one record cost it.

Pure: what goes in was measured, what comes out was not.

A bot that syncs reads what came since the last time, and the `OVERLAP` before it once more. Both
grow with the fleet, and each bot of the fleet reads them: what all of them ask of the server grows
with the square of their number. That, not the constant part of a sync, ends the growth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.delivery.pull import OVERLAP

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One sync as it was measured.

    Parameters
    ----------
    n_read
        Rows it read, those of the overlap included.
    n_new
        Rows that were news.
    wall_s, server_cpu_s, bot_cpu_s
        Seconds by the clock, and of processor time of PostgreSQL and of the bot.
    """

    n_read: int
    n_new: int
    wall_s: float
    server_cpu_s: float
    bot_cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A cost that has a constant part and one for each row, both in seconds, >= 0."""

    constant_s: float
    per_row_s: float

    def at(self, n_rows: float) -> float:
        """Return the cost of so many rows."""
        return self.constant_s + self.per_row_s * n_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How a fleet trades and syncs.

    Parameters
    ----------
    trades_per_day
        Of each bot.
    sync_interval_s
        Seconds from one sync of a bot to its next.
    """

    trades_per_day: float = 100.0
    sync_interval_s: float = 60.0

    @property
    def rate(self) -> float:
        """Records per second of one bot."""
        return self.trades_per_day / _SECONDS_PER_DAY

    def rows_per_sync(self, n_bots: float) -> float:
        """Return how many rows a sync reads in a fleet of this size."""
        return n_bots * self.rate * (OVERLAP.total_seconds() + self.sync_interval_s)


def fitted(pulls: Sequence[Pull], costs_s: Sequence[float]) -> Line:
    """Return the line through what pulls cost, by rows read; no part is below 0.

    >>> pulls = [Pull(n_read=n, n_new=0, wall_s=0, server_cpu_s=0, bot_cpu_s=0) for n in (0, 10)]
    >>> fitted(pulls, [1.0, 3.0])
    Line(constant_s=1.0, per_row_s=0.2)
    """
    costs = np.array(costs_s)
    # Relative errors: else the few largest pulls alone would say what a sync without rows costs.
    weights = 1.0 / np.maximum(costs, 1e-6)
    rows = np.array([[1.0, pull.n_read] for pull in pulls])
    constant_s, per_row_s = np.linalg.lstsq(rows * weights[:, None], costs * weights)[0]
    return Line(
        constant_s=max(0.0, round(float(constant_s), 9)),
        per_row_s=max(0.0, round(float(per_row_s), 9)),
    )


def server_load(fleet: Fleet, n_bots: float, sync: Line, record_s: float) -> float:
    """Return how many cores PostgreSQL needs for a fleet: for its syncs, and for what it records.

    Parameters
    ----------
    fleet, n_bots
        Who asks.
    sync
        Processor time of one sync, by rows.
    record_s
        Processor time of storing one record, in seconds.
    """
    syncs = n_bots / fleet.sync_interval_s * sync.at(fleet.rows_per_sync(n_bots))
    return syncs + n_bots * fleet.rate * record_s


def network_mb_per_s(fleet: Fleet, n_bots: float, row_bytes: float) -> float:
    """Return what leaves the server for syncs of a fleet, in 10^6 bytes a second.

    >>> round(network_mb_per_s(Fleet(), 1_000, 2_000.0), 1)
    25.5
    """
    rows_per_s = n_bots / fleet.sync_interval_s * fleet.rows_per_sync(n_bots)
    return rows_per_s * row_bytes / 1e6


def bots_per_core(fleet: Fleet, sync: Line, record_s: float) -> int:
    """Return the largest fleet that one core of PostgreSQL serves, fully used.

    >>> bots_per_core(Fleet(trades_per_day=0), Line(constant_s=0.06, per_row_s=0.0), 0.0)
    1000
    """
    interval_s = fleet.sync_interval_s
    a = sync.per_row_s * fleet.rows_per_sync(1.0) / interval_s
    b = sync.constant_s / interval_s + fleet.rate * record_s
    if b == 0.0 and a == 0.0:
        raise ValueError("A sync that costs nothing was not measured; ask for more rows or pulls.")
    n_bots = 1.0 / b if a == 0.0 else (math.sqrt(b * b + 4.0 * a) - b) / (2.0 * a)
    return int(n_bots + 1e-9)


def bots_per_disk(fleet: Fleet, commit_s: float) -> int:
    """Return the largest fleet whose commits one disk can sync, one after another.

    Each closed trade is delivered at once, so each is a commit of its own; PostgreSQL syncs
    neighbours together, so a disk does better than this.

    >>> bots_per_disk(Fleet(trades_per_day=86_400), 0.01)
    100
    """
    return int(1.0 / (fleet.rate * commit_s) + 1e-9)
