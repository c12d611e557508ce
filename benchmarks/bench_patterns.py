"""How often patterns are found in noise, how often planted effects are, and what a look takes.

    python -m benchmarks.bench_patterns [--histories 100] [--part noise|planted|time]

Each history has 800 trades over 24 months, with ten pairs, ten tags, two sides, hours, weekdays,
two regimes and four numbers of the market: about 2,000 groups. It is looked at after every month.
Effects are planted on pairs and tags, each of which has 80 trades. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np

from freqtrade_mem0.insight.patterns.look import Conditions, FoundPattern, Rules, look
from tests.support.histories import MONTH_MS, NOISE, START_MS, Noise, month_ends

RULES = Rules()
MONTHS = 24

PLANTED = {
    "one of 20": {("enter_tag", "tag0"): 1},
    "three of 20": {("enter_tag", "tag0"): 1, ("enter_tag", "tag1"): -1, ("pair", "P0/USDT"): 1},
    "six of 20": {
        (name, f"{prefix}{number}{suffix}"): 1 if number % 2 else -1
        for name, prefix, suffix in (("enter_tag", "tag", ""), ("pair", "P", "/USDT"))
        for number in range(3)
    },
}


def is_ever_shown(noise: Noise, seed: int) -> bool:
    """Return whether any of the looks at a history shows a pattern."""
    trades = noise.history(seed)
    return any(look(trades, moment, RULES, {}).patterns for moment in month_ends(MONTHS))


def noise_part(n_histories: int) -> dict[str, Any]:
    """Return how many histories of each kind of noise ever show a pattern."""
    return {
        name: sum(is_ever_shown(Noise(**settings), seed) for seed in range(n_histories))  # type: ignore[arg-type]
        for name, settings in NOISE.items()
    }


def planted_part(n_histories: int, size: float) -> dict[str, dict[str, float]]:
    """Return which share of planted effects is found, and what became of the found ones."""
    found: dict[str, dict[str, float]] = {}
    for name, signs in PLANTED.items():
        n_planted = n_found = n_shown = n_true = n_held = 0
        for seed in range(n_histories):
            planted = {key: size * sign for key, sign in signs.items()}
            # The next period, of the same length, confirms or not.
            trades = Noise(n=1600, months=2 * MONTHS).history(10_000 + seed, planted)
            seen: dict[Conditions, FoundPattern] = {}
            since: dict[Conditions, int] = {}
            for moment in month_ends(MONTHS):
                shown = look(trades, moment, RULES, since).patterns
                since = {each.conditions: each.discovered_ms for each in shown}
                seen |= {each.conditions: each for each in shown}
            n_planted += len(planted)
            for key, sign in signs.items():
                pattern = seen.get((key,))
                n_found += pattern is not None and pattern.sign == sign
            for pattern in seen.values():
                sign = signs.get(pattern.conditions[0], 0) if len(pattern.conditions) == 1 else 0
                n_shown += 1
                n_true += sign == pattern.sign
                later = [t for t in trades if t.known_ms >= START_MS + MONTHS * MONTH_MS]
                inside = [all(_value(t, *each) for each in pattern.conditions) for t in later]
                ratios = np.array([t.ratio for t in later])
                difference = ratios[inside].mean() - ratios[np.logical_not(inside)].mean()
                n_held += difference * pattern.sign > 0
        found[name] = {
            "planted": n_planted,
            "found": n_found / n_planted,
            "shown": n_shown,
            "not planted": 1.0 - n_true / max(n_shown, 1),
            "sign holds in the next period": n_held / max(n_shown, 1),
        }
    return found


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
    parser.add_argument("--part", choices=("noise", "planted", "time"), default=None)
    arguments = parser.parse_args()
    n, part = arguments.histories, arguments.part
    facts: dict[str, Any] = {"histories": n}
    if part in (None, "time"):
        facts["seconds_a_look"] = time_part()
    if part in (None, "planted"):
        facts["planted"] = {size: planted_part(n, size) for size in (0.32, 0.5, 0.72)}
    if part in (None, "noise"):
        facts["noise_ever_shown"] = noise_part(n)
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
