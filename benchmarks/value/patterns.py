"""Patterns in real trades: whether their signs hold later, and what shifted trades show.

    python -m benchmarks.value.patterns [--dataset spot-2018] [--shifts 3]

Each strategy's trades of 2018 to 2020 are looked at every three months; what is ever shown is
compared with its trades of 2021 and 2022. Then results are moved along the trades by a random
number of them, with their exit reasons: what entries have in common no longer has to do with how
they ended, but clumps and good and bad times stay. `benchmarks.value.collect` makes the trades.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.value.load import Period
from freqtrade_mem0.insight.patterns.cells import TradeTable
from freqtrade_mem0.insight.patterns.features import EXIT
from freqtrade_mem0.insight.patterns.look import Conditions, Rules, look
from freqtrade_mem0.insight.patterns.trade import PatternTrade
from freqtrade_mem0.situation.windows import FEATURES

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST, NEXT = (
    int(pd.Timestamp(day, tz="UTC").timestamp() * 1_000) for day in ("2018-01-01", "2021-01-01")
)
LOOKS = range(FIRST, NEXT + 1, (NEXT - FIRST) // 12)
_NAMES = (*FEATURES, "volatility_regime", "trend_regime")


def plain(table: pd.DataFrame) -> list[PatternTrade]:
    """Return the rows of a trade table as the search reads them."""
    return [
        PatternTrade(
            id=f"{number:06}",
            known_ms=row["close_ms"],
            open_ms=row["open_ms"],
            close_ms=row["close_ms"],
            ratio=row["profit_ratio"],
            pair=row["pair"],
            side=row["side"],
            enter_tag=row["enter_tag"],
            exit_reason=row["exit_reason"],
            situation={name: row[name] for name in _NAMES if pd.notna(row[name])},
        )
        for number, row in enumerate(table.to_dict("records"))
    ]


def shown(trades: Sequence[PatternTrade]) -> dict[Conditions, int]:
    """Return the sign of each pattern that is ever shown in the first period."""
    found: dict[Conditions, int] = {}
    for moment in LOOKS:
        patterns = look(trades, moment, Rules(), looks_back=False).patterns
        found |= {each.conditions: each.sign for each in patterns}
    return found


def held(trades: Sequence[PatternTrade], patterns: dict[Conditions, int]) -> list[bool]:
    """Return for each pattern whether its sign holds in the trades of the next period."""
    known = sorted(trades, key=lambda each: (each.known_ms, each.id))
    table = TradeTable(known)
    features = {each.name: each for each in table.features}
    is_later = table.known_ms >= NEXT
    found = []
    for conditions, sign in patterns.items():
        inside, compared = is_later.copy(), is_later.copy()
        for name, value in conditions:
            feature = features[name]
            own = feature.codes == feature.values.index(value)  # noqa: PD011 - no pandas
            inside &= own
            if name == EXIT and len(conditions) > 1:
                compared &= own
        others = compared & ~inside
        if inside.any() and others.any():
            difference = table.ratios[inside].mean() - table.ratios[others].mean()
            found.append(bool(difference * sign > 0.0))
    return found


def one(given: tuple[str, pd.DataFrame, int]) -> dict[str, Any]:
    """Return what is shown in the trades of one strategy, and in its shifted ones."""
    name, table, n_shifts = given
    trades = plain(table)
    patterns = shown(trades)
    own = [place for place, each in enumerate(trades) if each.known_ms < NEXT]
    rng = np.random.default_rng(1)
    n_false = 0
    for _ in range(n_shifts):
        moved = np.roll(own, int(rng.integers(len(own) // 10, len(own) * 9 // 10)))
        shifted = [
            trades[at]._replace(ratio=trades[of].ratio, exit_reason=trades[of].exit_reason)
            for at, of in zip(own, moved.tolist(), strict=True)
        ]
        # An exit reason moves with the result it belongs to.
        n_false += any(EXIT not in dict(each) for each in shown(shifted))
    return {
        "strategy": name,
        "trades": len(trades),
        "patterns": ["; ".join(f"{k} {v}" for k, v in each) for each in patterns],
        "signs held": held(trades, patterns),
        "shifted that show any": n_false,
    }


def main() -> int:
    """Look, count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="spot-2018")
    parser.add_argument("--shifts", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    period = Period("all", (asked.dataset,), "2018-01-01", "2023-01-01")
    work = [(name, table, asked.shifts) for name, table in period.tables()]
    found = []
    with ProcessPoolExecutor(asked.jobs) as pool:
        for each in pool.map(one, work):
            found.append(each)
            print(each, file=sys.stderr, flush=True)
    signs = [sign for each in found for sign in each["signs held"]]
    facts = {
        "strategies": len(found),
        "with a pattern": sum(bool(each["patterns"]) for each in found),
        "patterns": sum(len(each["patterns"]) for each in found),
        "sign holds in the next period": round(float(np.mean(signs)), 3) if signs else None,
        "shifted histories": len(found) * asked.shifts,
        "shifted histories that ever show a pattern": sum(
            each["shifted that show any"] for each in found
        ),
        "by strategy": found,
    }
    sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
