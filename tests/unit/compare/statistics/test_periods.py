"""Periods: which are chosen, and that their figures add up to the whole."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from freqtrade_mem0.compare.statistics.periods import by_period, spans
from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.worth.daily import max_drawdown, sharpe
from tests.unit.compare.made_runs import two_runs


@pytest.mark.parametrize(
    ("first", "n_days", "labels"),
    [
        (date(2018, 3, 1), 1_400, ["2018", "2019", "2020", "2021"]),
        (date(2024, 1, 1), 250, ["2024 Q1", "2024 Q2", "2024 Q3"]),
        (date(2024, 1, 15), 91, ["2024-01", "2024-02", "2024-03", "2024-04"]),
        (date(2024, 1, 1), 31, ["2024-W01", "2024-W02", "2024-W03", "2024-W04", "2024-W05"]),
        (
            date(2024, 1, 1),
            6,
            ["2024-01-01 to 2024-01-02", "2024-01-03 to 2024-01-04", "2024-01-05 to 2024-01-06"],
        ),
        (date(2024, 1, 1), 1, ["2024-01-01 to 2024-01-01"]),
        (date(2024, 1, 1), 92, ["2024-01", "2024-02", "2024-03 to 2024-04"]),
        (date(2023, 12, 31), 92, ["2023-12 to 2024-01", "2024-02", "2024-03"]),
    ],
)
def test_the_calendar_is_split_where_it_gives_three_to_twelve_parts(
    first: date, n_days: int, labels: list[str]
) -> None:
    """Years, else quarters, else months, else weeks, else thirds; stumps join their neighbour."""
    found = spans(first, n_days)

    assert [span.label for span in found] == labels
    assert found[0].first == 0
    assert found[-1].stop == n_days
    assert all(a.stop == b.first for a, b in pairwise(found))


def test_equal_parts_when_asked() -> None:
    """Four parts of a hundred days are four times twenty-five; never more parts than days."""
    found = spans(date(2024, 1, 1), 100, 4)

    assert [span.stop - span.first for span in found] == [25, 25, 25, 25]
    assert len(spans(date(2024, 1, 1), 2, 5)) == 2


def test_periods_add_up_to_the_whole() -> None:
    """Returns of all periods sum to the run's; ratios are those of the period's own days."""
    before, after = (daily(run) for run in two_runs(3))
    parts = spans(before.first, len(before.returns))
    rows = by_period(before, after, parts)

    assert sum(row.return_without for row in rows) == pytest.approx(before.returns.sum())
    assert sum(row.return_with for row in rows) == pytest.approx(after.returns.sum())
    first = rows[0]
    assert first.sharpe_without == pytest.approx(sharpe(before.returns[: parts[0].stop]))
    assert first.drawdown_with == pytest.approx(max_drawdown(after.returns[: parts[0].stop]))
    assert first.exposure_ratio == pytest.approx(
        after.exposure[: parts[0].stop].sum() / before.exposure[: parts[0].stop].sum()
    )


def test_a_periods_drawdown_is_relative_to_the_balance_it_began_with() -> None:
    """Ten percent of a balance that had doubled is five percent of it."""
    before, _ = (daily(run) for run in two_runs(3, days=20))
    before.returns[:] = 0.0
    before.returns[0], before.returns[15] = 1.0, -0.1

    rows = by_period(before, before, spans(before.first, 20, 2))

    assert rows[1].drawdown_without == pytest.approx(0.05)
