"""Trade tables by dataset and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MIN_TRADES = 100
"""Tables with fewer trades say too little about a policy to be counted."""


@dataclass(frozen=True, slots=True)
class Period:
    """Trades entered from `start` on and closed before `end`; memory starts empty at `start`.

    Parameters
    ----------
    name
        Of the period.
    datasets
        Whose tables are in it.
    start, end
        UTC dates.
    measured_from
        UTC date of the first entry that is measured; "" measures all.
    """

    name: str
    datasets: tuple[str, ...]
    start: str
    end: str
    measured_from: str = ""


SELECTION = Period("2018-2020", ("spot-2018", "futures-2018"), "2018-01-01", "2021-01-01")
CONFIRMATION = (
    Period(
        "2021-2022, memory from 2018",
        ("spot-2018", "futures-2018"),
        "2018-01-01",
        "2023-01-01",
        measured_from="2021-01-01",
    ),
    Period(
        "2018-2022, selection included", ("spot-2018", "futures-2018"), "2018-01-01", "2023-01-01"
    ),
    Period("2021-2022", ("spot-2018", "futures-2018"), "2021-01-01", "2023-01-01"),
    Period("2024 1h", ("spot-2024-1h", "futures-2024-1h"), "2024-01-01", "2025-01-01"),
    Period("2024 5m", ("spot-2024-5m", "futures-2024-5m"), "2024-01-01", "2025-01-01"),
)


def measured(table: pd.DataFrame, period: Period) -> NDArray[np.bool_]:
    """Return which trades of a table are measured, shape (n,)."""
    if not period.measured_from:
        return np.ones(len(table), dtype=np.bool_)
    since = pd.Timestamp(period.measured_from, tz="UTC")
    return np.asarray(table["open_date"] >= since, dtype=np.bool_)


def tables(lab: Path, period: Period) -> dict[str, pd.DataFrame]:
    """Return the trade tables of a period by "dataset/strategy"; small ones are left out."""
    found = {}
    start, end = (pd.Timestamp(day, tz="UTC") for day in (period.start, period.end))
    for dataset in period.datasets:
        for path in sorted((lab / "trades" / dataset).glob("*.feather")):
            table = pd.read_feather(path)
            inside = (table["open_date"] >= start) & (table["close_date"] < end)
            table = table[inside & (table["exit_reason"] != "force_exit")].reset_index(drop=True)
            if measured(table, period).sum() >= MIN_TRADES:
                found[f"{dataset}/{path.stem}"] = table
    return found
