"""Tables per pair, regime and tag: their parts add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from freqtrade_mem0.compare.statistics.groups import (
    MAX_GROUPS,
    OTHERS,
    UNKNOWN,
    by_group,
    pair_of,
    regime_of,
    tag_of,
)
from tests.unit.compare.made_runs import BALANCE, PAIRS, REGIMES, a_run, a_trade, two_runs


def test_contributions_add_up_to_the_runs_profit() -> None:
    """Every trade is in one group, in both runs; differences add up as well."""
    without, remembered = two_runs(1)
    for name_of in (pair_of, regime_of(remembered), tag_of):
        groups = by_group(without, remembered, name_of, seed=1)
        profit = [
            sum(t.profit_quote for t in run.trades) / BALANCE for run in (without, remembered)
        ]

        assert sum(group.n_with for group in groups) == len(remembered.trades)
        assert sum(group.contribution_without for group in groups) == pytest.approx(profit[0])
        assert sum(group.contribution_with for group in groups) == pytest.approx(profit[1])
        assert sum(group.difference.value or 0.0 for group in groups) == pytest.approx(
            profit[1] - profit[0]
        )


def test_figures_of_a_group_are_those_of_its_trades() -> None:
    """Mean profit ratio and mean multiplier, against NumPy."""
    without, remembered = two_runs(2)
    group = next(g for g in by_group(without, remembered, pair_of, seed=1) if g.name == PAIRS[1])
    own = [trade for trade in remembered.trades if trade.pair == PAIRS[1]]

    assert group.n_without == group.n_with == len(own)
    assert group.mean_ratio == pytest.approx(np.mean([trade.profit_ratio for trade in own]))
    assert group.mean_multiplier == pytest.approx(np.mean([trade.multiplier for trade in own]))
    assert group.difference.low is not None


def test_the_run_without_memory_gets_the_regimes_of_the_same_entries() -> None:
    """Regimes are noted with memory only; an entry that only the other run has, has none."""
    without, remembered = two_runs(3, days=12)
    extra = a_trade(5.25, 0.01)
    groups = by_group(
        a_run([*without.trades, extra], 12), remembered, regime_of(remembered), seed=1
    )
    counts = {group.name: (group.n_without, group.n_with) for group in groups}

    assert counts == {REGIMES[0]: (18, 18), REGIMES[1]: (18, 18), UNKNOWN: (1, 0)}
    assert np.isnan(next(g for g in groups if g.name == UNKNOWN).mean_multiplier)


def test_many_groups_are_put_together() -> None:
    """The largest are shown, the rest is one row that keeps the sum right."""
    trades = [replace(a_trade(n % 50, 0.01), pair=f"C{n:03d}/USDT") for n in range(60)]
    trades += [replace(a_trade(n % 50, 0.01), pair="BTC/USDT") for n in range(5)]
    run = a_run(trades, 60)
    groups = by_group(run, run, pair_of, seed=1)

    assert len(groups) == MAX_GROUPS
    assert groups[0].name == "BTC/USDT"
    assert groups[-1].name == OTHERS
    assert sum(group.n_with for group in groups) == 65


def test_trades_without_a_tag_are_named_so() -> None:
    """An empty tag is shown as none."""
    run = a_run([a_trade(enter_tag="")])
    assert [group.name for group in by_group(run, run, tag_of, seed=1)] == [UNKNOWN]
