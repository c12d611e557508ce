"""Adjusted p-values, against their definitions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from freqtrade_mem0.compare.statistics.multiple import benjamini_hochberg, holm


@pytest.mark.parametrize("seed", range(20))
def test_holm_is_the_closed_bonferroni_test(seed: int) -> None:
    """Each is the largest Bonferroni p-value of any set of hypotheses it belongs to."""
    rng = np.random.default_rng(seed)
    p_values = np.round(rng.uniform(size=5) ** 2, 2).tolist()  # with ties
    expected = [
        max(
            min(1.0, size * min(p_values[i] for i in chosen))
            for size in range(1, 6)
            for chosen in combinations(range(5), size)
            if number in chosen
        )
        for number in range(5)
    ]

    assert holm(p_values).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_benjamini_hochberg_is_the_step_up_rule(seed: int) -> None:
    """Each is the smallest rate at which the step-up rule would still claim it."""
    p_values = np.random.default_rng(seed).uniform(size=6) ** 2
    ranks = np.argsort(np.argsort(p_values)) + 1
    expected = [
        min(1.0, *(6 * p / rank for p, rank in zip(p_values, ranks, strict=True) if p >= own))
        for own in p_values
    ]

    assert benjamini_hochberg(p_values.tolist()).tolist() == pytest.approx(expected)


def test_one_strategy_needs_no_correction() -> None:
    """A single p-value stays as it is; none gives none."""
    assert holm([0.03]).tolist() == [0.03]
    assert benjamini_hochberg([0.03]).tolist() == [0.03]
    assert len(holm([])) == len(benjamini_hochberg([])) == 0
