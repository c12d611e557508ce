"""Coverage of the bands of a backtest, and false alarms of the triggers, on real trades.

    python -m benchmarks.value.collect --data /path/to/data --only spot-2018 spot-2024-1h
    python -m benchmarks.bench_drift [--shuffles 4] [--datasets spot-2018 ...] [--strategies ...]

Each table of the lab is cut into halves: the first is the backtest, the second the bot. Shuffled
halves are cut after blocks of 20 days were put into random order: what differs then is chance, and
the method has to be right. Real later halves also differ in the market. Prints JSON, and one line
for each table on the way to standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pandas as pd

from freqtrade_mem0.insight.drift.bands import FIGURES, bands, figures, left
from freqtrade_mem0.insight.drift.history import DAY_MS, DriftTrade, History
from freqtrade_mem0.insight.drift.triggers import alarms, calibrated

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = Path(__file__).parent / "value" / ".lab" / "trades"
BLOCK_DAYS = 20
SHORT_DAYS = 30


def trades_of(path: Path) -> list[DriftTrade]:
    """Return the trades of a table."""
    table = pd.read_feather(path)
    names = ("open_ms", "close_ms", "profit_ratio", "pair", "volatility")
    return [DriftTrade(*row) for row in zip(*(table[name] for name in names), strict=True)]


def halves(trades: list[DriftTrade], order: np.ndarray | None) -> tuple[History, History]:
    """Return both halves of a table; with an order, its blocks of days are put into it first."""
    whole = History(trades)
    n_blocks = whole.n_days // BLOCK_DAYS // 2 * 2
    place = np.argsort(np.arange(n_blocks) if order is None else order)
    half_ms = n_blocks // 2 * BLOCK_DAYS * DAY_MS
    found: tuple[list[DriftTrade], list[DriftTrade]] = ([], [])
    for trade in whole.ordered:
        opened = trade.open_ms - whole.begin_ms
        block = opened // (BLOCK_DAYS * DAY_MS)
        if block >= n_blocks:
            continue
        moved = (int(place[block]) - block) * BLOCK_DAYS * DAY_MS
        new = trade._replace(
            open_ms=int(trade.open_ms + moved), close_ms=int(trade.close_ms + moved)
        )
        number = int(new.open_ms - whole.begin_ms >= half_ms)
        if new.close_ms - whole.begin_ms < (number + 1) * half_ms:
            found[number].append(new)
    end_ms = whole.begin_ms + half_ms
    return History(found[0], until_ms=end_ms - 1), History(found[1], until_ms=end_ms + half_ms - 1)


def look(trades: list[DriftTrade], order: np.ndarray | None) -> dict[str, Any] | None:
    """Return what the second half looks like beside the first; None where one is too short."""
    backtest, bot = halves(trades, order)
    if backtest.lacks or bot.lacks:
        return None
    ages = [SHORT_DAYS, bot.n_days]
    found = bands(backtest, ages)
    inside = {}
    for age in ages:
        seen = figures(bot, age)
        for name in FIGURES:
            is_known = np.isfinite(seen[name]) and np.isfinite(found.by_age[age][name].middle)
            if is_known:
                distance = found.by_age[age][name].distance(seen[name])
                inside[f"{name} {'short' if age == SHORT_DAYS else 'half'}"] = distance <= 1.0
    triggers = calibrated(backtest)
    fired = alarms(triggers, backtest, bot)
    years = bot.n_days / 365
    in_year = left(found, bot, min(bot.n_days, 365))
    return {
        "inside": inside,
        "alarmed": in_year is not None,
        "alarm share of a year": min(bot.n_days, 365) / 365,
        "years": years,
        "fired": Counter(alarm.name for alarm in fired),
        "triggers": {each.name: each for each in triggers if not each.lacks},
    }


def looks(
    trades: list[DriftTrade], shuffles: int, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield looks at shuffled halves, and at the real later half."""
    rng = np.random.default_rng(seed)
    n_blocks = History(trades).n_days // BLOCK_DAYS // 2 * 2
    for number in range(shuffles + 1):
        order = None if number == shuffles else rng.permutation(n_blocks)
        found = look(trades, order)
        if found is not None:
            yield ("later" if order is None else "shuffled"), found


def summed(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return coverage, false alarms of the bands, and alarms of each trigger in a year."""
    inside: dict[str, list[bool]] = defaultdict(list)
    for each in found:
        for name, is_inside in each["inside"].items():
            inside[name].append(is_inside)
            inside[f"all {name.split()[1]}"].append(is_inside)
    names = sorted({name for each in found for name in each["triggers"]})
    rates: dict[str, Any] = {}
    for name in names:
        having = [each for each in found if name in each["triggers"]]
        triggers = [each["triggers"][name] for each in having]
        years = sum(each["years"] for each in having)
        delays = [t.delay_days for t in triggers]
        rates[name] = {
            "alarms a year": round(sum(each["fired"][name] for each in having) / years, 3),
            "measured when calibrated": round(float(np.mean([t.per_year for t in triggers])), 3),
            "found in a year at half the edge": round(
                float(np.mean([t.found_in_year for t in triggers])), 3
            ),
            "median delay": float(np.median([d or np.inf for d in delays])),
            "years": round(years, 1),
        }
    return {
        "looks": len(found),
        "coverage": {name: round(float(np.mean(each)), 4) for name, each in sorted(inside.items())},
        "alarmed by the bands": round(float(np.mean([each["alarmed"] for each in found])), 4),
        "in years": round(float(np.mean([each["alarm share of a year"] for each in found])), 3),
        "triggers": rates,
    }


def main() -> int:
    """Print what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shuffles", type=int, default=4)
    parser.add_argument("--datasets", nargs="*", default=["spot-2018", "spot-2024-1h"])
    parser.add_argument("--strategies", nargs="*", default=[])
    chosen = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {"shuffled": [], "later": []}
    for dataset in chosen.datasets:
        for path in sorted((TABLES / dataset).glob("*.feather")):
            if chosen.strategies and path.stem not in chosen.strategies:
                continue
            n_before = len(found["shuffled"])
            for kind, each in looks(
                trades_of(path), chosen.shuffles, crc32(str(path.name).encode())
            ):
                found[kind].append(each)
            text = summed(found["shuffled"][n_before:]) if len(found["shuffled"]) > n_before else {}
            print(dataset, path.stem, json.dumps(text.get("coverage", {})), file=sys.stderr)
    print(json.dumps({kind: summed(each) for kind, each in found.items() if each}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
