"""A strategy's form: its losing streak and its drawdown, trade by trade."""

from __future__ import annotations

from datetime import timedelta

import pytest

from freqtrade_mem0.insight.performance import (
    PerformanceReader,
    RecentPerformance,
    RunningPerformance,
)
from freqtrade_mem0.recall import Recall
from tests.support.samples import START, a_trade, at


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([], RecentPerformance()),
        ([0.5], RecentPerformance(1, 0, 0.0)),
        ([-0.25], RecentPerformance(1, 1, 0.25)),
        ([0.5, -0.25, -0.125], RecentPerformance(3, 2, 0.375)),
        ([-0.25, 0.5], RecentPerformance(2, 0, 0.0)),
        ([0.5, -0.25, 0.125], RecentPerformance(3, 0, 0.125)),
        ([-0.25, 0.0], RecentPerformance(2, 0, 0.25)),
        ([0.5, -0.75, 0.0, -0.125], RecentPerformance(4, 1, 0.875)),
    ],
)
def test_the_form_after_some_trades(ratios: list[float], expected: RecentPerformance) -> None:
    """Losses in a row up to now; the sum's distance from its highest, which is at least zero."""
    tally = RunningPerformance()
    for ratio in ratios:
        tally.add(ratio)

    assert expected == tally.result()


def test_a_trade_known_at_the_moment_itself_is_not_in_it() -> None:
    """Strictly before, as everywhere."""
    recall = Recall(("pair",), 30.0)
    recall.add(a_trade(1, profit_ratio=-0.5, closed_at=at(5)))
    reader = PerformanceReader(recall.reader())

    assert (RecentPerformance(), RecentPerformance(1, 1, 0.5)) == (
        reader.at(at(5)),
        reader.at(at(5) + timedelta(milliseconds=1)),
    )


def test_moving_on_reads_only_what_is_new() -> None:
    """A backtest pays for each closed trade once, however often it asks."""
    recall = Recall(("pair",), 30.0)
    given: list[float] = []
    read_on = recall.reader()

    def counting(moment):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as read_on
        began_anew, ratios = read_on(moment)
        given.extend(ratios)
        return began_anew, ratios

    reader = PerformanceReader(counting)
    for number in range(50):
        recall.add(a_trade(number, profit_ratio=-0.01, closed_at=at(number)))
        assert reader.at(at(number + 0.5)).losing_streak == number + 1
        reader.at(at(number + 0.7))

    assert len(given) == 50


def test_a_backtest_that_begins_again_knows_nothing() -> None:
    """What the process's previous run taught is gone."""
    recall = Recall(("pair",), 30.0)
    reader = PerformanceReader(recall.reader())
    recall.add(a_trade(1, profit_ratio=-0.5, closed_at=START))
    before = reader.at(at(1))
    recall.clear()

    assert (RecentPerformance(1, 1, 0.5), RecentPerformance()) == (before, reader.at(at(1)))
