"""Fit the constants of `response` again.

    python -m benchmarks.value.fit [--until 2023-01-01]

For each table of 2018 to `--until`, the slope of the outcome (profit ratio over its root mean
square) on relative log volatility at entry is a line in how the strategy enters: its mean momentum
in the trade's direction (C), and whether it trades both sides (S). The line is fitted by least
squares, weighted by the number of trades; intervals are drawn over strategies. Multipliers are
`exp(z * scale * slope)`, and the scale is a choice: it sets the spread of the multipliers.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from benchmarks.value.experts import entry_style
from benchmarks.value.load import SELECTION

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 1000


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
    parser.add_argument("--until", default="2023-01-01", help="UTC date, not included.")
    chosen = parser.parse_args()
    strategies, found = [], []
    for strategy, table in replace(SELECTION, end=chosen.until).tables():
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
    scale = 0.5 / fitted[0]
    print(f"scaled so that the constant is 0.5: {np.round(fitted * scale, 2)} (x{scale:.1f})")
    told = fitted[0] + rows[:, 1] * fitted[1] + rows[:, 2] * fitted[2]
    print(f"rank correlation of line and slope: {spearmanr(told, rows[:, 0]).statistic:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
