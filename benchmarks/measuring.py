"""What benchmarks share: variants in turn, figures with their spread, JSON with machine facts.

Machines are noisy, and drift. So variants run in turn within a round, in another order each round,
and are compared within their round: the ratio of two runs that stood beside each other says more
than the ratio of two medians.

Each benchmark prints one JSON object: `benchmark` (its name), `asked` (its sizes), its figures,
`goals` (`{"local.ratio": "<= 1.05"}`, by the path of a figure), `budgets` (the most that a figure
may be, by its path), `machine`, and in `raw` what no table shows. A figure is a number, or what
`spread` or `quantiles` returns.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

T = TypeVar("T")

ROOT = Path(__file__).parents[1]
_SIGNIFICANT_DIGITS = 4


@dataclass(slots=True)
class Cost:
    """What a piece of work took.

    Parameters
    ----------
    wall_s
        Seconds by the clock.
    cpu_s
        Seconds of processor time, all threads of this process.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Give a cost that is filled in when the block has ended."""
    cost = Cost()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.wall_s = time.perf_counter() - wall_s
        cost.cpu_s = time.process_time() - cpu_s


def in_turn(variants: Sequence[T], n_rounds: int) -> Iterator[tuple[int, T]]:
    """Yield `(round, variant)`, each variant once a round; each round begins with another one.

    >>> [variant for _, variant in in_turn("abc", 2)]
    ['a', 'b', 'c', 'b', 'c', 'a']
    """
    for number in range(n_rounds):
        first = number % len(variants)
        for variant in (*variants[first:], *variants[:first]):
            yield number, variant


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, quartiles and extremes of some values, one of each round.

    >>> spread([1.0, 2.0, 4.0])
    {'median': 2.0, 'q1': 1.5, 'q3': 3.0, 'min': 1.0, 'max': 4.0, 'n': 3}
    """
    several = values if len(values) > 1 else [*values, *values]  # of one value, it is all there is
    q1, _, q3 = statistics.quantiles(several, method="inclusive")
    found = {
        "median": statistics.median(values),
        "q1": q1,
        "q3": q3,
        "min": min(values),
        "max": max(values),
    }
    return {name: readable(value) for name, value in found.items()} | {"n": len(values)}


def ratios(of: Sequence[float], to: Sequence[float]) -> dict[str, float]:
    """Return the spread of the ratios of two variants, paired by round.

    >>> ratios([2.0, 9.0], [1.0, 3.0])["median"]
    2.5
    """
    return spread([a / b for a, b in zip(of, to, strict=True)])


def differences(of: Sequence[float], to: Sequence[float]) -> dict[str, float]:
    """Return the spread of the differences of two variants, paired by round."""
    return spread([a - b for a, b in zip(of, to, strict=True)])


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return the middle and the end of many times: p50, p99, p99.9 and the longest.

    >>> quantiles([float(n) for n in range(1001)])
    {'p50': 500.0, 'p99': 990.0, 'p99.9': 999.0, 'longest': 1000.0, 'n': 1001}
    """
    ordered = sorted(values)

    def at(share: float) -> float:
        return readable(ordered[min(len(ordered) - 1, int(share * len(ordered)))])

    return {
        "p50": at(0.5),
        "p99": at(0.99),
        "p99.9": at(0.999),
        "longest": at(1.0),
        "n": len(ordered),
    }


def readable(value: float) -> float:
    """Round to four significant digits, of large numbers to a whole one.

    >>> readable(0.00123456), readable(123456.7)
    (0.001235, 123457)
    """
    return round(value) if abs(value) >= 10_000 else float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def machine() -> dict[str, Any]:
    """Return what figures depend on: machine, versions, commit, date, and how busy it is now."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "cpu": _cpu_model(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "freqtrade": version("freqtrade"),
        "mem0ai": version("mem0ai"),
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def print_result(
    benchmark: str,
    *,
    asked: Mapping[str, Any],
    figures: Mapping[str, Any],
    goals: Mapping[str, str] | None = None,
    budgets: Mapping[str, float] | None = None,
    machine_before: Mapping[str, Any] | None = None,
) -> None:
    """Print a benchmark's JSON.

    Parameters
    ----------
    benchmark
        Its name, as in `make bench BENCH="..."`.
    asked
        Its sizes, so that it can be repeated.
    figures
        Numbers and spreads, in any depth.
    goals
        What a figure should be, by its path: `{"local.ratio": "<= 1.05"}`.
    budgets
        What a figure must not exceed, by its path; `make bench` fails where one does.
    machine_before
        `machine()` before the work: a load that was there already is not the benchmark's own.
    """
    found = {
        "benchmark": benchmark,
        "asked": dict(asked),
        **figures,
        "goals": dict(goals or {}),
        "budgets": dict(budgets or {}),
        "machine": dict(machine_before or machine()),
    }
    print(json.dumps(found, indent=2))


def _cpu_model() -> str:
    """Return the processor's name; Linux alone tells it to everybody."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str:
    """Return what git calls this state, "-dirty" where files differ; "" outside of a checkout."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
