"""The same figures period by period, so that one lucky month does not decide.

Memory learns during the run: its decisions in a period use earlier trades only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.daily import max_drawdown, sharpe

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.worth.daily import Daily

MIN_PARTS, MAX_PARTS = 3, 12

_SHORTEST_SHARE = 0.1
"""A first or last period shorter than this share of the longest joins its neighbour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Consecutive days, from `first` up to but not including `stop`."""

    label: str
    first: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Both runs in one span of days.

    Returns are profits over the balance at the start of the run, Sharpe ratios are annual. NaN
    where returns do not vary, or where there was no exposure without memory.
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


_CALENDAR: tuple[Callable[[date], str], ...] = (
    lambda day: f"{day:%Y}",
    lambda day: f"{day.year} Q{(day.month + 2) // 3}",
    lambda day: f"{day:%Y-%m}",
    lambda day: f"{day:%G-W%V}",
)
"""Years, quarters, months and weeks, by their labels."""


def spans(first: date, n_days: int, n_parts: int | None = None) -> list[Span]:
    """Split `n_days` days from `first` into `n_parts` periods of equal length.

    None takes the first of years, quarters, months and weeks that gives 3 to 12 periods, else three
    equal parts.

    >>> [span.label for span in spans(date(2024, 1, 1), 200)]
    ['2024 Q1', '2024 Q2', '2024 Q3']
    """
    days = [first + timedelta(days=number) for number in range(n_days)]
    if n_parts is None:
        for label in _CALENDAR:
            found = _join_short_ends(_spans_of([label(day) for day in days]))
            if MIN_PARTS <= len(found) <= MAX_PARTS:
                return found
    edges = np.linspace(0, n_days, min(n_parts or MIN_PARTS, n_days) + 1).round().astype(int)
    return [
        Span(label=f"{days[start]} to {days[stop - 1]}", first=start, stop=stop)
        for start, stop in pairwise(edges.tolist())
    ]


def by_period(without: Daily, remembered: Daily, parts: list[Span]) -> list[Period]:
    """Return the figures of both runs in each span."""
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
                # A period's drawdown is relative to the balance at the period's start.
                drawdown_without=max_drawdown(without.returns[cut] / (1.0 + before[0])),
                drawdown_with=max_drawdown(remembered.returns[cut] / (1.0 + before[1])),
                exposure_ratio=(
                    float(remembered.exposure[cut].sum()) / exposed if exposed > 0.0 else np.nan
                ),
            )
        )
    return rows


def _spans_of(labels: list[str]) -> list[Span]:
    """Return one span for each run of equal labels."""
    found: list[Span] = []
    for label, days in groupby(labels):
        first = found[-1].stop if found else 0
        found.append(Span(label=label, first=first, stop=first + len(list(days))))
    return found


def _join_short_ends(parts: list[Span]) -> list[Span]:
    longest = max(part.stop - part.first for part in parts)

    def is_short(part: Span) -> bool:
        return part.stop - part.first < _SHORTEST_SHARE * longest

    if len(parts) > 1 and is_short(parts[-1]):
        parts = [*parts[:-2], _joined(parts[-2], parts[-1])]
    if len(parts) > 1 and is_short(parts[0]):
        parts = [_joined(parts[0], parts[1]), *parts[2:]]
    return parts


def _joined(earlier: Span, later: Span) -> Span:
    label = f"{earlier.label} to {later.label}"
    return Span(label=label, first=earlier.first, stop=later.stop)
