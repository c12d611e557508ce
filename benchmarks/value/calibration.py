"""Do forecasts come true? Outcomes regressed on forecasts that were made before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks.value.columns import Columns, Decided

    Floats = NDArray[np.float64]

_TAILS = (0.025, 0.975)
_WEEK_DAYS = 7


def calibration(
    tables: Sequence[Columns],
    decide: Callable[[Columns], Decided],
    counted: Callable[[Columns], NDArray[np.bool_]],
    *,
    draws: int = 400,
) -> tuple[float, float, float]:
    """Return slope and 95 % interval of the pooled regression; 1 is honest, 0 is noise.

    Outcomes are profit ratios minus the strategy's mean as of the entry, and both sides are in
    units of the table's standard deviation, so that strategies count alike. The interval is drawn
    over calendar weeks, jointly for all strategies: they share their luck. `counted` names the
    trades that take part.
    """
    weeks, rows = [], []
    for columns in tables:
        said = decide(columns)
        rows_in = counted(columns)
        unit = columns.ratio.std()
        forecast = said.forecast[rows_in] / unit
        outcome = (columns.ratio - said.centre)[rows_in] / unit
        weeks.append(columns.close_ms[rows_in] // (_WEEK_DAYS * MS_PER_DAY))
        rows.append(
            np.column_stack(
                [np.ones_like(forecast), forecast, outcome, forecast**2, forecast * outcome]
            )
        )
    week, values = np.concatenate(weeks), np.concatenate(rows)
    _, week = np.unique(week, return_inverse=True)
    sums = np.column_stack([np.bincount(week, weights=column) for column in values.T])
    rng = np.random.default_rng(1)
    drawn = [_slope(sums[rng.integers(0, len(sums), len(sums))].sum(axis=0)) for _ in range(draws)]
    low, high = np.quantile(drawn, _TAILS)
    return _slope(sums.sum(axis=0)), float(low), float(high)


def _slope(sums: Floats) -> float:
    n, x, y, xx, xy = sums
    spread = xx - x * x / n
    return float((xy - x * y / n) / spread) if spread > 0 else 0.0
