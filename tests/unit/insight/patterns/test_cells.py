"""Cells, and how their scores differ from those around them."""

from __future__ import annotations

from dataclasses import replace as _replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.linalg import sqrtm

from freqtrade_mem0.insight.patterns.cells import STRATUM, Cells, TradeTable
from freqtrade_mem0.insight.patterns.scores import scores
from tests.support.histories import Noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.trade import PatternTrade

SPACED = Noise(n=200, months=200, hold_hours=1.0)
"""No trades overlap."""


def by_names(trades: Sequence[PatternTrade]) -> dict[tuple[str, ...], Cells]:
    """Return all tested cells by the names of their features."""
    return {cells.names: cells for cells in TradeTable(trades).cells(5)}


def plain_scores(trades: Sequence[PatternTrade]) -> NDArray[np.float64]:
    """Return the scores of trades."""
    ratios, known, opened = (
        np.array([getattr(each, name) for each in trades])
        for name in ("ratio", "known_ms", "open_ms")
    )
    return scores(ratios, known, opened)


def two_signals(noise: Noise) -> list[PatternTrade]:
    """Return a history in which every second signal has another name."""
    return [
        each._replace(exit_reason="exit_tag")
        if n % 2 and each.exit_reason == "exit_signal"
        else each
        for n, each in enumerate(noise.history(1))
    ]


@pytest.mark.parametrize("noise", [SPACED, _replace(SPACED, hold_hours=400.0)])
def test_a_cell_is_compared_with_trades_of_the_same_time(noise: Noise) -> None:
    """As computed trade by trade, stretch by stretch; also where trades overlap."""
    trades = noise.history(1)
    table = TradeTable(trades)
    score = {n: x for n, x in enumerate(table._apart(plain_scores(trades))) if not np.isnan(x)}
    cells = by_names(trades)["enter_tag",]
    blocks = sorted({int(table.block[n]) for n in score})
    members = {block: [n for n in score if table.block[n] == block] for block in blocks}
    stretches: dict[int, list[int]] = {}
    for place, block in enumerate(blocks):
        n_before = sum(len(members[each]) for each in blocks[:place])
        stretches.setdefault(n_before // STRATUM, []).append(block)

    for place, number in enumerate(cells.numbers):
        tag = cells.conditions(number)["enter_tag"]
        weight, centred, usual = {}, {}, 0.0
        for stretch in stretches.values():
            inside = [n for block in stretch for n in members[block]]
            share = np.mean([trades[n].enter_tag == tag for n in inside])
            mean = np.mean([score[n] for n in inside])
            for n in inside:
                weight[n] = (trades[n].enter_tag == tag) - share
                centred[n] = score[n] - mean
            usual += float(len(inside) * share * (1.0 - share))
        total = sum(weight[n] * centred[n] for n in score)
        varied = 0.0
        for inside in members.values():
            effect = total / usual * any(trades[n].enter_tag == tag for n in inside)
            varied += sum(weight[n] * (centred[n] - effect * weight[n]) for n in inside) ** 2

        assert cells.totals[0, place] == pytest.approx(total)
        expected = usual * (varied + 30.0) / (usual + 30.0)
        assert cells.variances[0, place] == pytest.approx(expected)


def test_what_trades_of_a_block_share_is_taken_out() -> None:
    """Whitened scores are those of the inverse square root of the blocks' covariance."""
    trades = Noise(n=800, clump=4, months=200, hold_hours=24.0).history(3)
    table = TradeTable(trades)
    plain = plain_scores(trades)
    whitened = table._apart(plain)

    def shared(of: NDArray[np.float64]) -> float:
        pairs = [
            float(of[n] * of[m])
            for block in range(int(table.block.max()) + 1)
            for n, m in combinations(np.flatnonzero(table.block == block), 2)
        ]
        return float(np.nanmean(pairs))

    assert shared(plain) == pytest.approx(0.5, abs=0.15)
    assert abs(shared(whitened)) < 0.1
    (block,) = (each for each in [np.flatnonzero(table.block == table.block[500])])
    part = shared(plain)
    covariance = np.full((len(block),) * 2, part) + (1.0 - part) * np.eye(len(block))
    expected = np.linalg.inv(sqrtm(covariance)) @ plain[block]
    assert whitened[block] == pytest.approx(expected)


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
