"""Cells, and how their scores differ from those around them."""

from __future__ import annotations

from dataclasses import replace as _replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from freqtrade_mem0.insight.patterns.cells import STRATUM, Cells, TradeTable
from freqtrade_mem0.insight.patterns.scores import scores
from tests.support.histories import Noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.insight.patterns.trade import PatternTrade

SPACED = Noise(n=200, months=200, hold_hours=1.0)
"""No trades overlap."""


def by_names(trades: Sequence[PatternTrade]) -> dict[tuple[str, ...], Cells]:
    """Return all tested cells by the names of their features."""
    return {cells.names: cells for cells in TradeTable(trades).cells(5)}


def two_signals(noise: Noise) -> list[PatternTrade]:
    """Return a history in which every second signal has another name."""
    return [
        each._replace(exit_reason="exit_tag")
        if n % 2 and each.exit_reason == "exit_signal"
        else each
        for n, each in enumerate(noise.history(1))
    ]


def test_a_cell_is_compared_with_trades_of_the_same_time() -> None:
    """As computed one by one, stratum by stratum, where no trades overlap."""
    trades = SPACED.history(1)
    moments = [
        np.array([getattr(each, name) for each in trades]) for name in ("known_ms", "open_ms")
    ]
    score = scores(np.array([each.ratio for each in trades]), *moments)
    scored = [each for each, value in zip(trades, score, strict=True) if not np.isnan(value)]
    values = score[~np.isnan(score)]

    cells = by_names(trades)["enter_tag",]

    for place, number in enumerate(cells.numbers):
        tag = cells.conditions(number)["enter_tag"]
        total = variance = 0.0
        for first in range(0, len(scored), STRATUM):
            own = np.array([each.enter_tag == tag for each in scored[first : first + STRATUM]])
            part, share = values[first : first + STRATUM], own.mean()
            total += (1 - share) * part[own].sum() - share * part[~own].sum()
            variance += len(own) * share * (1 - share)
        assert cells.totals[0, place] == pytest.approx(total)
        assert cells.variances[0, place] == pytest.approx(variance)


def test_all_cells_of_depth_one_and_two_are_tried() -> None:
    """Of own values, times and the market."""
    names = by_names(two_signals(SPACED))
    alone = {name for names in names if len(names) == 1 for name in names}

    assert alone >= {"pair", "side", "enter_tag", "hour", "weekday", "session", "rsi", "momentum"}
    assert ("pair", "trend_regime") in names
    assert ("exit_reason", "pair") in names


def test_of_two_mirrored_cells_one_is_tried() -> None:
    """What is better about longs is worse about shorts."""
    assert len(by_names(SPACED.history(1))["side",].numbers) == 1


def test_cells_of_the_same_trades_are_one() -> None:
    """Where each pair has its tag, nothing can tell them apart."""
    trades = [each._replace(enter_tag=f"of {each.pair}") for each in SPACED.history(1)]
    found = by_names(trades)

    assert len(found["pair",].numbers) == 10
    assert len(found["enter_tag",].numbers) == 0
    assert len(found["pair", "enter_tag"].numbers) == 0


def test_exits_that_decide_the_result_make_no_cell() -> None:
    """Stop losses lose, in noise as well; a signal may do either."""
    values = {
        value
        for cells in TradeTable(two_signals(Noise(n=600))).cells(5)
        if "exit_reason" in cells.names
        for number in cells.numbers
        for value in [cells.conditions(number)["exit_reason"]]
    }
    assert values == {"exit_signal", "exit_tag"}


def test_numbers_are_thirds_of_what_was_known_before() -> None:
    """So a number that only grows is always high."""
    trades = [
        each._replace(situation={"rising": float(n), "random": (n * 7919) % 101 / 101})
        for n, each in enumerate(SPACED.history(1))
    ]
    features = {each.name: each for each in TradeTable(trades).features}

    assert "rising" not in features, "one value only"
    counts = np.bincount(features["random"].codes + 1)[1:]
    assert features["random"].values == ("low", "middle", "high")
    assert counts.min() > 40


def test_a_bucket_stands_for_its_indicator() -> None:
    """As in recall's levels."""
    trades = [
        each._replace(
            situation={"ADX(14)": float(n % 50), "ADX(14)_bucket": ("low", "high")[n % 2]}
        )
        for n, each in enumerate(SPACED.history(1))
    ]
    features = {each.name: each.values for each in TradeTable(trades).features}

    assert features["ADX(14)"] == ("high", "low")
    assert "ADX(14)_bucket" not in features


def test_a_clump_counts_as_one_trade() -> None:
    """Of trades that are opened five at a time, about a fifth is counted."""
    clumps = _replace(SPACED, clump=5, hold_hours=24.0).history(1)
    side = by_names(clumps)["side",]

    assert side.n_blocks.max() <= 1.2 * len(clumps) / 5
