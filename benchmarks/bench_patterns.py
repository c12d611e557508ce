"""How often patterns are found in noise, how often planted effects are, and what a look takes.

    python -m benchmarks.bench_patterns [--histories 100] [--part noise|planted|time]

Each history has 800 trades over 24 months, with ten pairs, ten tags, two sides, hours, weekdays,
two regimes and four numbers of the market: about 2,000 groups. It is looked at after every month,
where effects are planted after every second one.
Effects are planted on pairs and tags, each of which has 80 trades. Prints JSON, and on the way to
standard error what is known already.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from freqtrade_mem0.insight.patterns.look import Conditions, FoundPattern, Rules, look
from tests.support.histories import MONTH_MS, NOISE, START_MS, Noise, month_ends

RULES = Rules()
MONTHS = 24


@dataclass(frozen=True)
class Planted:
    """Effects that are planted: on how many of the tags and pairs, half of them better."""

    n_values: int
    """Tags, and as many pairs; each has 80 trades."""
    n_planted: int
    """The first so many of the tags, then as many pairs."""

    def signs(self) -> dict[tuple[str, str], int]:
        """Return the sign of the effect by feature and value."""
        values = [("enter_tag", f"tag{n}") for n in range(self.n_values)]
        pairs = [("pair", f"P{n}/USDT") for n in range(self.n_values)]
        found = [value for both in zip(values, pairs, strict=True) for value in both]
        return {value: 1 - n % 4 // 2 * 2 for n, value in enumerate(found[: self.n_planted])}


PLANTED = {
    "1 of 20 tags and pairs": Planted(10, 1),
    "4 of 20 tags and pairs": Planted(10, 4),
    "8 of 20 tags and pairs": Planted(10, 8),
    "30 of 100 tags and pairs": Planted(50, 30),
}


def is_ever_shown(noise: Noise, seed: int) -> bool:
    """Return whether any of the looks at a history shows a pattern."""
    trades = noise.history(seed)
    return any(
        look(trades, moment, RULES, looks_back=False).patterns for moment in month_ends(MONTHS)
    )


def noise_part(n_histories: int) -> dict[str, Any]:
    """Return how many histories of each kind of noise ever show a pattern."""
    found = {}
    for name, settings in NOISE.items():
        noise = Noise(**settings)  # type: ignore[arg-type]
        found[name] = sum(is_ever_shown(noise, seed) for seed in range(n_histories))
        _tell(name, found[name])
    return found


def planted_part(n_histories: int, size: float) -> dict[str, dict[str, float]]:
    """Return which share of planted effects is found, and what became of the found ones."""
    found: dict[str, dict[str, float]] = {}
    for name, what in PLANTED.items():
        signs, n = what.signs(), 80 * what.n_values
        n_found = n_shown = n_true = n_later = n_held = 0
        n_seeds = max(n_histories * 10 // what.n_values, 1)
        for seed in range(n_seeds):
            # The next period, of the same length, confirms or not.
            trades = Noise(n=2 * n, months=2 * MONTHS).history(
                10_000 + seed, {key: size * sign for key, sign in signs.items()}, what.n_values
            )
            seen: dict[Conditions, FoundPattern] = {}
            since: dict[Conditions, int] = {}
            for moment in month_ends(MONTHS)[1::2]:
                shown = look(trades, moment, RULES, since, looks_back=False).patterns
                since = {each.conditions: each.discovered_ms for each in shown}
                seen |= {each.conditions: each for each in shown}
            later = [t for t in trades if t.known_ms >= START_MS + MONTHS * MONTH_MS]
            ratios = np.array([t.ratio for t in later])
            for pattern in seen.values():
                sign = signs.get(pattern.conditions[0], 0) * (len(pattern.conditions) == 1)
                inside = np.array(
                    [all(_value(t, *each) for each in pattern.conditions) for t in later]
                )
                n_shown += 1
                n_true += sign == pattern.sign
                if inside.any():  # groups by thirds of a number are left out here
                    difference = float(ratios[inside].mean() - ratios[~inside].mean())
                    n_later += 1
                    n_held += difference * pattern.sign > 0.0
            n_found += sum((key,) in seen and seen[(key,)].sign == signs[key] for key in signs)
        found[name] = {
            "planted": len(signs) * n_seeds,
            "found": round(n_found / (len(signs) * n_seeds), 3),
            "shown": n_shown,
            "shown that were not planted": n_shown - n_true,
            "sign holds in the next period": round(n_held / max(n_later, 1), 3),
        }
        _tell(size, name, found[name])
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
    parser.add_argument("--part", choices=("noise", "planted", "time"), default=None)
    arguments = parser.parse_args()
    n, part = arguments.histories, arguments.part
    facts: dict[str, Any] = {"histories": n}
    if part in (None, "time"):
        facts["seconds_a_look"] = time_part()
    if part in (None, "planted"):
        facts["planted"] = {size: planted_part(n, size) for size in (0.5, 0.32, 0.72)}
    if part in (None, "noise"):
        facts["noise_ever_shown"] = noise_part(n)
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
