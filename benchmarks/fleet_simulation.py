"""A fleet on one engine, event by event: who waits how long, and what is busy.

Pure: service times go in, as `bench_fleet` measured them or as somebody assumes them. `fleet_model`
computes means; here bots meet, wait for each other and for the network, and give up.

What is simulated: each closed trade is one write. Each bot syncs, and begins again one interval
after its last sync ended, as `MemorySync` does; a sync reads what its group stored since the newest
record it knows, less the overlap. A share of all trades closes in bursts, as bots see one market.
Jobs wait in one row for the engine's cores; answers go over one network link, one after another.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.delivery.pull import OVERLAP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.fleet_model import Fleet

_BURST_EVERY_S = 900.0
_BURST_S = 10.0
_OVERLAP_S = OVERLAP.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What operations take.

    Parameters
    ----------
    sync_s, row_s, record_s
        Processor time of a sync, of each row it reads, and of storing one record, in seconds, > 0.
    row_bytes
        A row on its way.
    cores
        Jobs that are served at once, >= 1.
    link_bytes_per_s
        Of the network.
    spread
        Standard deviation of the logarithm of a service time, >= 0.
    """

    sync_s: float
    row_s: float
    record_s: float
    row_bytes: float = 2_300.0
    cores: int = 1
    link_bytes_per_s: float = 117e6
    spread: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a simulated hour, or part of one, showed.

    Parameters
    ----------
    cores_busy
        Mean number of busy cores.
    link_busy
        Share of the time in which the network was busy, in [0, 1].
    sync_p50_s, sync_p99_s
        Seconds from the start of a sync to its answer.
    rows_per_sync
        Mean.
    failed
        Share of syncs that took longer than a bot waits, in [0, 1].
    """

    cores_busy: float
    link_busy: float
    sync_p50_s: float
    sync_p99_s: float
    rows_per_sync: float
    failed: float


def closings(
    fleet: Fleet, n_bots: int, until_s: float, burst_share: float, draw: np.random.Generator
) -> NDArray[np.float64]:
    """Return when the trades of a group of bots are stored, in order.

    They begin an overlap and an interval before time 0, so that the first syncs find their rows.
    """
    begin_s = -_OVERLAP_S - fleet.sync_interval_s
    n = draw.poisson(fleet.rate * n_bots * (until_s - begin_s))
    at = draw.uniform(begin_s, until_s, n)
    in_burst = draw.random(n) < burst_share
    start = np.floor(at[in_burst] / _BURST_EVERY_S) * _BURST_EVERY_S
    at[in_burst] = start + draw.uniform(0.0, _BURST_S, len(start))
    return np.sort(at)


def simulate(
    fleet: Fleet,
    n_bots: int,
    engine: Engine,
    *,
    group: int,
    until_s: float = 1_200.0,
    burst_share: float = 0.2,
    timeout_s: float = 10.0,
    seed: int = 1,
) -> Seen:
    """Let bots, in groups of so many, trade and sync for so many seconds.

    >>> from benchmarks.fleet_model import Fleet
    >>> engine = Engine(sync_s=0.5, row_s=1e-9, record_s=1e-9, spread=0.0)
    >>> alone = simulate(Fleet(), 1, engine, group=1)
    >>> round(alone.sync_p50_s, 3), round(alone.cores_busy, 3)
    (0.5, 0.008)
    """
    draw = np.random.default_rng(seed)
    groups = [range(first, min(first + group, n_bots)) for first in range(0, n_bots, group)]
    stored = [closings(fleet, len(each), until_s, burst_share, draw) for each in groups]
    events = [(float(at), -1, 0) for times in stored for at in times[times >= 0]]
    known = np.zeros(n_bots, dtype=np.int64)
    for number, bots in enumerate(groups):
        for bot in bots:
            at = float(draw.uniform(0, fleet.sync_interval_s))
            known[bot] = np.searchsorted(stored[number], at - fleet.sync_interval_s)
            events.append((at, bot, number))
    heapq.heapify(events)
    noise = np.exp(draw.normal(-(engine.spread**2) / 2, engine.spread, 4_096)).tolist()
    free = [0.0] * engine.cores
    link_free, busy_s, link_s, n_done = 0.0, 0.0, 0.0, 0
    waits: list[float] = []
    n_rows = 0
    while events:
        at, bot, number = heapq.heappop(events)
        if at >= until_s:
            break
        n_done += 1
        rows = 0
        if bot >= 0:
            times = stored[number]
            newest = times[known[bot] - 1] if known[bot] else -np.inf
            known[bot] = np.searchsorted(times, at, side="right")
            rows = int(known[bot] - np.searchsorted(times, newest - _OVERLAP_S))
        needed = engine.record_s if bot < 0 else engine.sync_s + engine.row_s * rows
        needed *= noise[n_done % len(noise)]
        end = max(at, free[0]) + needed
        heapq.heapreplace(free, end)
        busy_s += needed
        if bot < 0:
            continue
        sent_s = rows * engine.row_bytes / engine.link_bytes_per_s
        link_free = max(link_free, end) + sent_s
        link_s += sent_s
        waits.append(link_free - at)
        n_rows += rows
        heapq.heappush(
            events, (min(link_free, at + timeout_s) + fleet.sync_interval_s, bot, number)
        )
    took = np.array(waits)
    return Seen(
        cores_busy=busy_s / until_s,
        link_busy=link_s / until_s,
        sync_p50_s=float(np.median(took)),
        sync_p99_s=float(np.quantile(took, 0.99)),
        rows_per_sync=n_rows / len(took),
        failed=float(np.mean(took > timeout_s)),
    )


def cores_needed(
    fleet: Fleet, n_bots: int, engine: Engine, *, group: int, most: int = 256
) -> tuple[int | None, Seen]:
    """Return the fewest cores, doubled from one, with which 99 % of syncs answer in a second.

    None where `most` are too few, or where the network is what is full.
    """
    cores = 1
    while True:
        seen = simulate(fleet, n_bots, replace(engine, cores=cores), group=group)
        if seen.sync_p99_s <= 1.0 and seen.failed == 0.0:
            return cores, seen
        if cores >= most or (seen.link_busy > 0.95 and seen.cores_busy < 0.7 * cores):
            return None, seen
        cores *= 2
