"""The deflated Sharpe ratio: the paper's numbers, and what it is for, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from freqtrade_mem0.compare.statistics.deflated import (
    deflated,
    expected_best,
    probability_above,
    sharpe_per_day,
)


@pytest.mark.parametrize(("n_tried", "probability"), [(100, 0.9004), (46, 0.9505)])
def test_the_example_of_the_paper(n_tried: int, probability: float) -> None:
    """Annual ratio 2.5 over 1,250 days, skewness -3, kurtosis 10, variance of tries 1/2 a year."""
    by_chance = expected_best(n_tried, 0.5 / 250)

    found = probability_above(
        by_chance, 2.5 / math.sqrt(250), n_days=1250, skewness=-3.0, kurtosis=10.0
    )
    assert found == pytest.approx(probability, abs=2e-4)


@pytest.mark.parametrize("n_tried", [5, 30, 200])
def test_the_expected_best_is_that_of_simulated_tries(n_tried: int) -> None:
    """Normal tries without skill; the formula is the limit for many."""
    best = np.random.default_rng(3).standard_normal((20_000, n_tried)).max(axis=1)

    assert expected_best(n_tried, 0.04) == pytest.approx(0.2 * float(best.mean()), rel=0.04)


def test_a_single_try_is_not_deflated() -> None:
    """Then it is the probability that the true ratio is above 0."""
    returns = np.random.default_rng(1).normal(0.2, 1.0, 400)
    found = deflated(returns, [])
    assert found is not None

    ratio = sharpe_per_day(returns)
    assert (found.n_tried, found.by_chance, found.sharpe) == (1, 0.0, ratio)
    assert found.probability > 0.5
    assert deflated(-returns, []).probability == pytest.approx(  # type: ignore[union-attr]
        1.0 - found.probability, abs=1e-12
    )


@pytest.mark.parametrize("n_tried", [10, 30])
def test_the_best_of_many_settings_that_know_nothing_is_hardly_ever_believed(n_tried: int) -> None:
    """At 95 %; taken alone, the best of them would be believed far more often."""
    rng = np.random.default_rng(n_tried)
    n_rounds, believed, alone = 300, 0, 0
    for _ in range(n_rounds):
        tries = rng.standard_t(5, size=(n_tried, 250))
        ratios = [sharpe_per_day(each) or 0.0 for each in tries]
        best = int(np.argmax(ratios))
        others = [ratio for number, ratio in enumerate(ratios) if number != best]
        judged, plain = deflated(tries[best], others), deflated(tries[best], [])
        assert judged is not None
        assert plain is not None
        believed += judged.probability > 0.95
        alone += plain.probability > 0.95

    assert believed / n_rounds < 0.05
    assert alone / n_rounds > 0.35


def test_real_skill_is_believed_although_many_were_tried() -> None:
    """One setting with an annual ratio of 4 among thirty that know nothing."""
    rng = np.random.default_rng(5)
    skilled = rng.normal(4.0 / math.sqrt(365), 1.0, 730)
    others = [sharpe_per_day(rng.normal(0.0, 1.0, 730)) or 0.0 for _ in range(30)]

    found = deflated(skilled, others)

    assert found is not None
    assert found.probability > 0.95


def test_returns_that_do_not_vary_are_not_judged() -> None:
    """There is no ratio."""
    assert deflated(np.zeros(100), [0.1]) is None
    assert deflated(np.full(100, 0.01), []) is None
