"""Trade tables by dataset and period."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).parent / ".lab"
MIN_TRADES = 100
"""Tables with fewer trades say too little about a policy to be counted."""


@dataclass(frozen=True, slots=True)
class Period:
    """Trades entered from `start` on and closed before `end`; memory is empty at `start`.

    Parameters
    ----------
    name
        Of the period.
    datasets
        Whose tables are in it.
    start, end
        UTC dates.
    """

    name: str
    datasets: tuple[str, ...]
    start: str
    end: str

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield strategy and trade table; a strategy is there on spot and on futures."""
        start, end = (pd.Timestamp(day, tz="UTC") for day in (self.start, self.end))
        for dataset in self.datasets:
            for path in sorted((LAB / "trades" / dataset).glob("*.feather")):
                table = pd.read_feather(path)
                inside = (table["open_date"] >= start) & (table["close_date"] < end)
                inside &= table["exit_reason"] != "force_exit"
                if inside.sum() >= MIN_TRADES:
                    yield path.stem, table[inside].reset_index(drop=True)


_2018, _1H, _5M = (
    tuple(f"{market}-{candles}" for market in ("spot", "futures"))
    for candles in ("2018", "2024-1h", "2024-5m")
)
SELECTION = Period("2018-2020", _2018, "2018-01-01", "2021-01-01")
CONFIRMATION = (
    Period("2021-2022", _2018, "2021-01-01", "2023-01-01"),
    Period("2024 1h", _1H, "2024-01-01", "2025-01-01"),
    Period("2024 5m", _5M, "2024-01-01", "2025-01-01"),
)
PERIODS = {period.name: period for period in (SELECTION, *CONFIRMATION)}
