"""Check the lab itself: columns against the package's code, no look-ahead, situations.

python -m benchmarks.value.check --data /path/to/data
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.value.datasets import spot_candles
from benchmarks.value.experts import response, split
from benchmarks.value.load import CONFIRMATION, SELECTION
from benchmarks.value.replayed import replayed
from benchmarks.value.situations import NAMES
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import Candles
from freqtrade_mem0.situation.windows import FEATURES

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-9
_HOUR_S = 3600


def check_split(table: pd.DataFrame) -> list[str]:
    """Return where the columns and the package's own code differ, and what looks ahead."""
    wrong = []
    columns = split(table, response(table))
    for name, found in (("split", columns), ("response", response(table))):
        apart = np.abs(found - replayed(table, name)).max()
        if apart > TOLERANCE:
            wrong.append(f"{name}: the columns differ from the package by {apart:.2e}")
    half = len(table) // 2
    cut = table.iloc[:half].reset_index(drop=True)
    if np.abs(split(cut, response(cut)) - columns[:half]).max() > TOLERANCE:
        wrong.append("later trades change earlier stakes")
    return wrong


def check_situations(table: pd.DataFrame, folder: Path, samples: int = 20) -> list[str]:
    """Return where a table's situations differ from the package's own."""
    wrong = []
    for number in np.random.default_rng(1).integers(0, len(table), samples):
        row: Any = table.iloc[int(number)]
        candles = spot_candles(folder, row["pair"], "1h")
        columns = Candles(candles)
        moment_ms = to_ms(row["open_date"].to_pydatetime())
        expected = columns.features(columns.n_closed(moment_ms, _HOUR_S))
        wrong += [
            f"{row['pair']} {row['open_date']}: {name} is {row[name]}, not {expected[name]}"
            for name in (*FEATURES, *NAMES)
            if name in expected and row[name] != expected[name]
        ]
    return wrong


def main() -> int:
    """Check some tables; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the candle folders.")
    data: Path = parser.parse_args().data
    wrong = []
    for period in (SELECTION, *CONFIRMATION):
        for strategy, table in list(period.tables())[::7]:
            problems = check_split(table)
            if period is SELECTION:
                problems += check_situations(table, data / "binance-2018-2022")
            print(f"{period.name} {strategy}: {problems or 'all is well'}")
            wrong += problems
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
