"""Fractional Kelly: the documented formula, and the growth rate it comes from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Moments, Shrinkage
from freqtrade_mem0.sizing.policies.kelly import Kelly
from freqtrade_mem0.sizing.policy import Known

K = 100.0
SPREAD = 0.02
KELLY = Kelly(prior=Shrinkage(pseudo_trades=K), min_multiplier=0.25, max_multiplier=1.75)


def known(whole: Moments, *levels: Moments) -> Known:
    """Return what is known of a strategy and some pairs."""
    return Known(
        strategy=EntryGroup("strategy", "Sample", whole),
        levels=[EntryGroup("pair", f"P{i}/USDT", moments) for i, moments in enumerate(levels)],
    )


def spread_out(n: float, edge: float = 0.0) -> Moments:
    """Return moments whose root mean square is `SPREAD`; the mean is so many of these."""
    return Moments(n, edge * SPREAD, SPREAD**2 * (1.0 - edge**2))


def test_without_evidence_the_stake_stays() -> None:
    """No trades, and trades that made nothing."""
    for whole in (NOTHING, Moments(7.0, 0.0, 0.0)):
        wish = KELLY(known(whole, whole))

        assert wish.multiplier == 1.0
        assert [reason.name for reason in wish.reasons] == ["no_evidence"]


@pytest.mark.parametrize("edge", [0.02, 0.05, 0.1])
def test_the_stake_behind_it_has_the_largest_growth_rate(edge: float) -> None:
    """f* = mean / mean square, against the optimum of E log(1 + f r), found numerically."""
    rng = np.random.default_rng(5)
    ratios = 0.001 * rng.standard_normal(200_000)
    ratios += edge * 0.001 - ratios.mean()
    best = minimize_scalar(
        lambda stake: -float(np.mean(np.log1p(stake * ratios))),
        bounds=(0.0, 0.9 / float(-ratios.min())),
        method="bounded",
    )
    approximate = float(ratios.mean() / np.mean(ratios**2))

    assert approximate == pytest.approx(best.x, rel=0.1)


@pytest.mark.parametrize("own", [0.3, 0.05, -0.1])
@pytest.mark.parametrize("edge", [0.0, 0.2, -0.1])
def test_the_multiplier_is_the_documented_ratio(own: float, edge: float) -> None:
    """Half of the way from the proposal to the ratio of the two stakes, one level, closed form."""
    n, m = 400.0, 50.0
    strategy = (n * own + K * 0.1) / (n + K)
    situation = strategy + (1 / 3) * (m / (m + K)) * (edge - own)
    expected = 1.0 + 0.5 * (situation / max(strategy, 0.1) - 1.0)

    wish = KELLY(known(spread_out(n, own), spread_out(m, edge)))
    assert wish.multiplier == pytest.approx(min(max(expected, 0.25), 1.75), rel=1e-12)
    assert wish.expected_ratio == pytest.approx(situation * SPREAD, rel=1e-12)


def test_twice_the_edge_gets_twice_the_stake_in_full_kelly() -> None:
    """Where all is believed, and the bounds are wide."""
    full = replace(KELLY, fraction=1.0, trust=1.0, max_multiplier=5.0)
    sure = 1e12

    wish = full(known(spread_out(sure, 0.2), spread_out(sure, 0.4)))
    assert wish.multiplier == pytest.approx(2.0, rel=1e-6)


def test_a_strategy_that_is_as_good_as_assumed_or_better_keeps_its_stake() -> None:
    """Its proposal is right for its own average edge, however large that is."""
    for edge in (0.1, 0.2, 0.9):
        assert KELLY(known(spread_out(500.0, edge))).multiplier == pytest.approx(1.0, abs=1e-12)


def test_less_edge_means_less_down_to_the_bound() -> None:
    """1 - fraction without any edge, the minimum where it loses."""
    multipliers = [
        KELLY(known(spread_out(1e9, edge))).multiplier for edge in (0.1, 0.05, 0.0, -0.02, -0.1)
    ]

    assert multipliers == sorted(multipliers, reverse=True)
    assert multipliers[2] == pytest.approx(0.5, abs=1e-6)
    assert multipliers[-1] == 0.25


def test_a_single_trade_hardly_matters() -> None:
    """It is shrunk towards the edge that is assumed."""
    for ratio in (0.05, -0.05):
        assert KELLY(known(Moments(1.0, ratio, 0.0))).multiplier == pytest.approx(1.0, abs=0.06)


def test_every_part_has_a_reason() -> None:
    """The strategy's names both edges, each level what it moved."""
    wish = KELLY(known(spread_out(400.0, 0.0), spread_out(50.0, 0.2), NOTHING))
    strategy, good, empty = wish.reasons

    assert strategy.words.startswith("strategy Sample: 400.0 trades, mean 0.00%")
    assert strategy.words.endswith(
        "its edge is taken as +2.0% of what a trade moves, this entry's as +4.2%"
    )
    assert strategy.effect == pytest.approx(-0.4, abs=1e-12)
    assert good.effect > 0.0 == empty.effect
    assert math.fsum(r.effect for r in wish.reasons) == pytest.approx(wish.multiplier - 1.0)
