"""Check the lab itself: one policy computed two ways, nothing from the future, honest parts.

python -m benchmarks.value.check --data /path/to/data
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.value.candidate import Candidate
from benchmarks.value.columns import Columns, decide
from benchmarks.value.datasets import spot_candles
from benchmarks.value.load import SELECTION, tables
from benchmarks.value.policy import Policy
from benchmarks.value.replay import closed_of, entry_of, replay
from benchmarks.value.shipped import shipped_multipliers
from benchmarks.value.situations import NAMES, NUMBERS
from benchmarks.value.trials import SHIPPED
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import Candles

if TYPE_CHECKING:
    import pandas as pd

LAB = Path(__file__).parent / ".lab"
TOLERANCE = 1e-9
NEAR = 0.02
"""Mean difference allowed between the package, which learns how groups differ once a day, and the
lab's columns, which do at every close."""
_HOUR_S = 3600


def check_policy(table: pd.DataFrame) -> list[str]:
    """Return what is wrong with the policy on a table."""
    wrong = []
    said = replay(table, Candidate())
    slow = np.array([answer.multiplier for answer in said])
    fast = decide(Columns(table), Policy()).multipliers
    if np.abs(slow - fast).max() > TOLERANCE:
        wrong.append(f"columns differ from the memory by {np.abs(slow - fast).max():.2e}")
    if max(abs(a.multiplier - 1.0 - sum(a.parts.values())) for a in said) > TOLERANCE:
        wrong.append("parts do not add up to the multiplier")
    half = len(table) // 2
    cut = decide(Columns(table.iloc[:half].reset_index(drop=True)), Policy()).multipliers
    if np.abs(cut - fast[:half]).max() > TOLERANCE:
        wrong.append("later trades change earlier stakes")
    shuffled = Candidate()
    rows = list(table.itertuples(index=False))
    for index in np.random.default_rng(0).permutation(half):
        shuffled.observe(closed_of(rows[index], said[index]))
    later = entry_of(rows[half])
    ordered = Candidate()
    for row, answer in zip(rows[:half], said[:half], strict=True):
        ordered.observe(closed_of(row, answer))
    if abs(shuffled.decide(later).multiplier - ordered.decide(later).multiplier) > TOLERANCE:
        wrong.append("the order of arrival matters")
    return wrong


def check_shipped(table: pd.DataFrame) -> list[str]:
    """Return how far the package's own code is from the policy that was measured."""
    lab = decide(Columns(table), SHIPPED).multipliers
    difference = np.abs(shipped_multipliers(table) - lab)
    if difference.mean() > NEAR:
        return [f"the package differs from the lab by {difference.mean():.3f} on average"]
    return []


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
            for name in (*NUMBERS, *NAMES)
            if name in expected and row[name] != expected[name]
        ]
    return wrong


def main() -> int:
    """Check some tables; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the candle folders.")
    data: Path = parser.parse_args().data
    found = tables(LAB, SELECTION)
    wrong = []
    for name in list(found)[::7]:
        problems = check_policy(found[name])
        problems += check_shipped(found[name])
        problems += check_situations(found[name], data / "binance-2018-2022")
        print(f"{name}: {problems or 'all is well'}")
        wrong += problems
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
