"""Fit the constants of `response` again.

    python -m benchmarks.value.fit [--period 2018-2022]

For each table of the period, the slope of the outcome (profit ratio over its root mean
square) on relative log volatility at entry is a line in how the strategy enters: its mean momentum
in the trade's direction (C), and whether it trades both sides (S). The line is fitted by least
squares, weighted by the number of trades; intervals are drawn over strategies. Multipliers are
`exp(z * 10 * slope)`: the scale is a choice, which sets their spread.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from benchmarks.value.experts import entry_style
from benchmarks.value.load import PERIODS, SELECTION

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS, SCALE = 1000, 10.0


def of_table(table: pd.DataFrame) -> tuple[float, float, float, int]:
    """Return slope, final C, S and number of trades of a table."""
    style = entry_style(table)
    ratio = table["profit_ratio"].to_numpy(dtype=np.float64)
    outcome = ratio / np.sqrt(np.mean(ratio**2))
    z = style.z - style.z.mean()
    slope = float((z * outcome).sum() / (z**2).sum())
    return slope, float(style.momentum[-1]), float(style.both_sides[-1]), len(table)


def line(rows: Floats) -> Floats:
    """Return constant, weight of C and weight of S."""
    slope, momentum, sides, n = rows.T
    weight = np.sqrt(n)
    design = np.column_stack([np.ones_like(momentum), momentum, sides])
    return np.asarray(np.linalg.lstsq(design * weight[:, None], slope * weight, rcond=None)[0])


def main() -> int:
    """Fit, and say how sure that is."""
    parser = argparse.ArgumentParser(description=__doc__)
    periods = {"2018-2022": replace(SELECTION, end="2023-01-01"), **PERIODS}
    parser.add_argument("--period", choices=periods, default="2018-2022")
    period = periods[parser.parse_args().period]
    strategies, found = [], []
    for strategy, table in period.tables():
        strategies.append(strategy)
        found.append(of_table(table))
        print(
            f"{strategy:20} slope {found[-1][0]:+.3f}  C {found[-1][1]:+.2f}  S {found[-1][2]:.0f}"
        )
    rows, rng = np.array(found), np.random.default_rng(1)
    names = np.unique(strategies)
    drawn = []
    for _ in range(DRAWS):
        picked = rng.choice(names, len(names))
        drawn.append(line(np.concatenate([rows[np.array(strategies) == name] for name in picked])))
    fitted = line(rows)
    for name, value, (low, high) in zip(
        ("1", "C", "S"), fitted, np.quantile(drawn, (0.025, 0.975), axis=0).T, strict=True
    ):
        print(f"weight of {name}: {value:+.3f} [{low:+.3f}, {high:+.3f}]")
    print(f"times {SCALE:g}, as the package has them: {np.round(fitted * SCALE, 2)}")
    told = fitted[0] + rows[:, 1] * fitted[1] + rows[:, 2] * fitted[2]
    print(f"rank correlation of line and slope: {spearmanr(told, rows[:, 0]).statistic:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
