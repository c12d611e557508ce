"""Walk forward: the same figures period by period, so that one lucky month can not hide.

Memory learns as it goes: what it does in a period rests on earlier periods alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.compare.statistics.returns import max_drawdown, sharpe

if TYPE_CHECKING:
    from freqtrade_mem0.compare.statistics.returns import Daily

MIN_PARTS, MAX_PARTS = 3, 12
_SLIVER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some days in a row.

    Parameters
    ----------
    label
        For people.
    first, stop
        Day numbers; `stop` is the first day after it.
    """

    label: str
    first: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Both runs in one span of days.

    Parameters
    ----------
    label
        For people.
    n_days
        Days in it.
    return_without, return_with
        Profit over the balance at the start of the whole run.
    sharpe_without, sharpe_with
        Annual; NaN where returns do not vary.
    drawdown_without, drawdown_with
        Largest loss from a high within the period, over that high.
    exposure_ratio
        Exposure with over without memory; NaN where there was none without.
    """

    label: str
    n_days: int
    return_without: float
    return_with: float
    sharpe_without: float
    sharpe_with: float
    drawdown_without: float
    drawdown_with: float
    exposure_ratio: float


def spans(first: date, n_days: int, n_parts: int | None = None) -> list[Span]:
    """Split days into periods.

    Parameters
    ----------
    first
        The first day.
    n_days
        How many days, >= 1.
    n_parts
        So many parts of equal length; None takes years, quarters, months or weeks, the first of
        them that gives 3 to 12 parts, else three equal parts.

    Examples
    --------
    >>> [span.label for span in spans(date(2024, 1, 1), 200)]
    ['2024 Q1', '2024 Q2', '2024 Q3']
    """
    days = [first + timedelta(days=number) for number in range(n_days)]
    if n_parts is None:
        for label in (_year, _quarter, _month, _week):
            found = _without_slivers(_runs([label(day) for day in days]))
            if MIN_PARTS <= len(found) <= MAX_PARTS:
                return found
    edges = np.linspace(0, n_days, min(n_parts or MIN_PARTS, n_days) + 1).round().astype(int)
    return [
        Span(label=f"{days[start]} to {days[stop - 1]}", first=start, stop=stop)
        for start, stop in pairwise(edges.tolist())
    ]


def by_period(without: Daily, remembered: Daily, parts: list[Span]) -> list[Period]:
    """Return both runs' figures in each of some spans of days."""
    rows = []
    for part in parts:
        cut = slice(part.first, part.stop)
        before = without.returns[: part.first].sum(), remembered.returns[: part.first].sum()
        exposed = float(without.exposure[cut].sum())
        rows.append(
            Period(
                label=part.label,
                n_days=part.stop - part.first,
                return_without=float(without.returns[cut].sum()),
                return_with=float(remembered.returns[cut].sum()),
                sharpe_without=sharpe(without.returns[cut]),
                sharpe_with=sharpe(remembered.returns[cut]),
                # The balance at the period's start is what its drawdown is measured on.
                drawdown_without=max_drawdown(without.returns[cut] / (1.0 + before[0])),
                drawdown_with=max_drawdown(remembered.returns[cut] / (1.0 + before[1])),
                exposure_ratio=(
                    float(remembered.exposure[cut].sum()) / exposed if exposed > 0.0 else np.nan
                ),
            )
        )
    return rows


def _runs(labels: list[str]) -> list[Span]:
    found: list[Span] = []
    start = 0
    for number in range(1, len(labels) + 1):
        if number == len(labels) or labels[number] != labels[start]:
            found.append(Span(label=labels[start], first=start, stop=number))
            start = number
    return found


def _without_slivers(parts: list[Span]) -> list[Span]:
    """Join a first or last part that is no more than a stump to its neighbour."""
    longest = max(part.stop - part.first for part in parts)
    if len(parts) > 1 and parts[-1].stop - parts[-1].first < _SLIVER * longest:
        parts = [*parts[:-2], _joined(parts[-2], parts[-1])]
    if len(parts) > 1 and parts[0].stop - parts[0].first < _SLIVER * longest:
        parts = [_joined(parts[0], parts[1]), *parts[2:]]
    return parts


def _joined(earlier: Span, later: Span) -> Span:
    label = f"{earlier.label} to {later.label}"
    return Span(label=label, first=earlier.first, stop=later.stop)


def _year(day: date) -> str:
    return f"{day:%Y}"


def _quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _week(day: date) -> str:
    return f"{day:%G-W%V}"
