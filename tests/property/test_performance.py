"""The form of a strategy against the plain way, whatever came when and whatever was asked."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.insight.performance import (
    PerformanceReader,
    RecentPerformance,
    RunningPerformance,
)
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.index.columns import rounded
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

# Few moments, so that trades often share one.
hours = st.integers(0, 6)
ratios = st.floats(-1.0, 3.0).map(lambda ratio: round(ratio, 6))
Change = tuple[int, int, float, bool]
changes: st.SearchStrategy[list[Change]] = st.lists(
    st.tuples(st.integers(0, 8), hours, ratios, st.booleans()), max_size=12
)


def trade_of(change: Change) -> TradeRecord:
    """Return the trade that a change is about."""
    number, hour, ratio, _ = change
    return a_trade(number, profit_ratio=ratio, closed_at=at(hour))


def plain(trades: list[TradeRecord], hour: float) -> RecentPerformance:
    """Return the form from all trades at once, with exact fractions."""
    known = sorted(
        (trade for trade in trades if trade.known_at < at(hour)),
        key=lambda trade: (trade.known_at, trade.id),
    )
    values = [Fraction(trade.profit_ratio) for trade in known]
    sums = [Fraction(0), *accumulate(values)]
    streak = next((i for i, value in enumerate(reversed(values)) if value >= 0), len(values))
    return RecentPerformance(len(values), streak, float(max(sums) - sums[-1]))


@given(changes, st.lists(hours, min_size=1, max_size=13))
def test_it_is_the_plain_one_at_any_time(history: list[Change], asked: list[int]) -> None:
    """Trades come, go and are corrected between questions about any moments, in any order."""
    recall = Recall(("pair",), 30.0)
    reader = PerformanceReader(recall.reader())
    current: dict[str, TradeRecord] = {}
    for number, hour in enumerate(asked):
        for change in history[number : number + 1] if number < len(asked) - 1 else history[number:]:
            trade, stays = trade_of(change), change[3]
            current.pop(trade.id, None)
            if stays:
                current[trade.id] = trade
                recall.add(trade)
            else:
                recall.remove(trade.id)
        found, expected = reader.at(at(hour + 0.5)), plain(list(current.values()), hour + 0.5)
        assert (found.n_trades, found.losing_streak) == (expected.n_trades, expected.losing_streak)
        assert found.drawdown_ratio == pytest.approx(expected.drawdown_ratio, abs=1e-12)


@given(changes, st.randoms(use_true_random=False), hours)
def test_the_order_of_arrival_does_not_matter(
    history: list[Change], dice: object, hour: int
) -> None:
    """The same trades give the same bits."""
    trades = list({trade_of(change).id: trade_of(change) for change in history}.values())
    forms = []
    for _ in range(2):
        recall = Recall(("pair",), 30.0)
        for trade in trades:
            recall.add(trade)
        forms.append(PerformanceReader(recall.reader()).at(at(hour)))
        dice.shuffle(trades)  # type: ignore[attr-defined]

    assert forms[0] == forms[1]


ratio_lists = st.lists(
    st.floats(-1.0, 3.0) | st.sampled_from([0.0, -0.01, 5_000.0, -4_000.0]), max_size=300
)


@given(ratio_lists, ratio_lists, st.integers(1, 8))
def test_many_trades_at_once_are_the_same_as_one_by_one(
    first: list[float], then: list[float], times: int
) -> None:
    """Bit for bit, however far their sum goes beyond what 64 bits hold."""
    one_by_one, at_once = RunningPerformance(), RunningPerformance()
    for ratios in (first, then * times):
        rounded_ratios = [rounded(ratio) for ratio in ratios]
        for ratio in rounded_ratios:
            one_by_one.add(ratio)
        at_once.add_all(np.array(rounded_ratios, dtype=np.float64))

    assert one_by_one.result() == at_once.result()
