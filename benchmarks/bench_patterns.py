"""How often patterns are found in noise, how often planted effects are, and what a look takes.

    python -m benchmarks.bench_patterns [--histories 100] [--first 1000] [--part noise|planted|time]

Each history has 800 trades over 24 months, with ten pairs, ten tags, two sides, hours, weekdays,
two regimes and four numbers of the market: about 2,000 groups. It is looked at after every month,
where effects are planted after every second one.
Effects are planted on pairs and tags; the trades of each are 80 on average, or as many as is said.
`--first` is the first seed: the constants of the method were chosen on seeds below 400.
Prints JSON, and on the way to standard error what is known already.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.insight.patterns.look import Conditions, FoundPattern, Rules, look
from tests.support.histories import MONTH_MS, NOISE, START_MS, Noise, month_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RULES = Rules()
MONTHS = 24


@dataclass(frozen=True)
class Planted:
    """Effects that are planted: on how many of the tags and pairs, half of them better."""

    n_values: int = 10
    """Tags, and as many pairs."""
    n_planted: int = 1
    """The first so many of the tags, then as many pairs."""
    size: float = 0.5
    """Of the effect, in standard deviations."""
    n_each: int = 80
    """Trades of each tag or pair."""

    def signs(self) -> dict[tuple[str, str], int]:
        """Return the sign of the effect by feature and value."""
        values = [("enter_tag", f"tag{n}") for n in range(self.n_values)]
        pairs = [("pair", f"P{n}/USDT") for n in range(self.n_values)]
        found = [value for both in zip(values, pairs, strict=True) for value in both]
        return {value: 1 - n % 4 // 2 * 2 for n, value in enumerate(found[: self.n_planted])}


PLANTED = (
    Planted(10, 4),
    Planted(10, 8),
    Planted(50, 30),
    *(Planted(10, 1, size) for size in (0.5, 0.55, 0.6, 0.72)),
    *(Planted(10, 1, 0.5, n) for n in (100, 120)),
)


def is_ever_shown(noise: Noise, seed: int) -> bool:
    """Return whether any of the looks at a history shows a pattern."""
    trades = noise.history(seed)
    return any(
        look(trades, moment, RULES, looks_back=False).patterns for moment in month_ends(MONTHS)
    )


def noise_part(seeds: range, run: Callable[..., Iterable[Any]]) -> dict[str, Any]:
    """Return how many histories of each kind of noise ever show a pattern."""
    found = {}
    for name, settings in NOISE.items():
        noise = Noise(**settings)  # type: ignore[arg-type]
        found[name] = sum(run(partial(is_ever_shown, noise), seeds))
        _tell(name, found[name])
    return found | {"all": sum(found.values()), "histories": len(seeds) * len(NOISE)}


def planted_history(what: Planted, seed: int) -> Counter[str]:
    """Return what becomes of the effects planted in one history, and of what is shown."""
    signs, n = what.signs(), what.n_each * what.n_values
    # The next period, of the same length, confirms or not.
    trades = Noise(n=2 * n, months=2 * MONTHS).history(
        10_000 + seed, {key: what.size * sign for key, sign in signs.items()}, what.n_values
    )
    seen: dict[Conditions, FoundPattern] = {}
    since: dict[Conditions, int] = {}
    for moment in month_ends(MONTHS)[1::2]:
        shown = look(trades, moment, RULES, since, looks_back=False).patterns
        since = {each.conditions: each.discovered_ms for each in shown}
        seen |= {each.conditions: each for each in shown}
    later = [t for t in trades if t.known_ms >= START_MS + MONTHS * MONTH_MS]
    ratios = np.array([t.ratio for t in later])
    counts: Counter[str] = Counter()
    for pattern in seen.values():
        sign = signs.get(pattern.conditions[0], 0) * (len(pattern.conditions) == 1)
        inside = np.array([all(_value(t, *each) for each in pattern.conditions) for t in later])
        counts["shown"] += 1
        counts["false"] += sign != pattern.sign
        if inside.any():  # groups by thirds of a number are left out here
            difference = float(ratios[inside].mean() - ratios[~inside].mean())
            counts["later"] += 1
            counts["held"] += difference * pattern.sign > 0.0
    counts["found"] += sum((key,) in seen and seen[(key,)].sign == signs[key] for key in signs)
    return counts


def planted_part(seeds: range, run: Callable[..., Iterable[Any]]) -> list[dict[str, Any]]:
    """Return which share of planted effects is found, and what became of the found ones."""
    found: list[dict[str, Any]] = []
    for what in PLANTED:
        n_seeds = max(2 * len(seeds) // what.n_planted, 4)
        counts: Counter[str] = Counter()
        for each in run(partial(planted_history, what), range(seeds.start, seeds.start + n_seeds)):
            counts += each
        found.append(
            {
                "planted": f"{what.n_planted} of {2 * what.n_values} tags and pairs",
                "standard deviations": what.size,
                "trades each": what.n_each,
                "histories": n_seeds,
                "found": round(counts["found"] / (what.n_planted * n_seeds), 3),
                "shown": counts["shown"],
                "shown that were not planted": counts["false"],
                "sign holds in the next period": round(counts["held"] / max(counts["later"], 1), 3),
            }
        )
        _tell(found[-1])
    return found


def _tell(*facts: object) -> None:
    print(*facts, file=sys.stderr, flush=True)


def _value(trade: Any, name: str, value: str) -> bool:
    hour = trade.open_ms // 3_600_000
    timing = {"hour": f"{hour % 24:02}h"}
    found = getattr(trade, name, None) or trade.situation.get(name) or timing.get(name)
    return bool(found == value)


def time_part() -> dict[str, float]:
    """Return how long one look takes, in seconds, by number of trades."""
    taken = {}
    for n in (1_000, 10_000, 100_000):
        trades = Noise(n=n, hold_hours=0.2).history(1)
        began = time.perf_counter()
        look(trades, START_MS + (MONTHS + 1) * MONTH_MS, RULES)
        taken[f"{n:,} trades"] = round(time.perf_counter() - began, 3)
    return taken


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--part", choices=("noise", "planted", "time"), default=None)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    n, part = arguments.histories, arguments.part
    seeds = range(arguments.first, arguments.first + n)
    facts: dict[str, Any] = {"histories": n}
    if part in (None, "time"):
        facts["seconds_a_look"] = time_part()
    with ProcessPoolExecutor(arguments.jobs) as pool:
        if part in (None, "planted"):
            facts["planted"] = planted_part(seeds, pool.map)
        if part in (None, "noise"):
            facts["noise_ever_shown"] = noise_part(seeds, pool.map)
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
