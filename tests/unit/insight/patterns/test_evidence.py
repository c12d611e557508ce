"""E-values, and the procedure that accepts some of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control, t

from freqtrade_mem0.insight.patterns.cells import TradeTable
from freqtrade_mem0.insight.patterns.evidence import accepted, log_e_values, weights
from freqtrade_mem0.insight.student import upper_share
from tests.support.histories import Noise


def test_with_equal_weights_it_is_benjamini_hochberg_on_the_reciprocals() -> None:
    """SciPy is the oracle for one look."""
    rng = np.random.default_rng(2)
    for n in (1, 5, 60):
        for _ in range(40):
            log_e = rng.normal(0.0, 4.0, n) + 6.0 * (rng.random(n) < 0.3)
            p_values = np.minimum(np.exp(-log_e), 1.0)
            expected = false_discovery_control(p_values) <= 0.1
            found = accepted(log_e, np.full(n, -math.log(n)))
            assert found.tolist() == expected.tolist()


def test_weights_move_evidence_between_cells() -> None:
    """Twice the weight needs half of the e-value."""
    log_e = np.log([15.0, 15.0])
    assert accepted(log_e, np.log([0.5, 0.5])).tolist() == [True, True]
    assert accepted(log_e, np.log([0.25, 0.75])).tolist() == [False, True]
    assert not len(accepted(np.zeros(0), np.zeros(0)))


def test_weights_add_up_to_one() -> None:
    """For a history with cells of every type, and with those of one depth only."""
    tested = list(TradeTable(Noise(n=300).history(1)).cells(5))
    assert weights(tested).sum() == pytest.approx(1.0)
    assert weights([each for each in tested if len(each.features) == 2]).sum() == pytest.approx(1.0)
    assert not len(weights([]))


def test_the_mean_e_value_is_at_most_one_without_a_difference() -> None:
    """Over shuffled histories, for the cells whose e-values are not dominated by rare ones."""
    means = []
    for seed in range(60):
        for cells in TradeTable(Noise(n=120, months=6).history(seed)).cells(5):
            few = (cells.variances < 12.0).all(axis=0)
            if few.any():
                log_e, _ = log_e_values(cells.totals[:, few], cells.variances[:, few])
                means.append(np.exp(log_e).mean())
    assert 0.5 < np.mean(means) <= 1.02


def test_a_cell_has_to_differ_from_both_surroundings() -> None:
    """In the same direction; the weaker difference counts."""
    totals = np.array([[20.0, 20.0, -20.0], [20.0, 1.0, 20.0]])
    log_e, sign = log_e_values(totals, np.full((2, 3), 40.0))
    assert log_e[0] > 3.0 > log_e[1]
    assert log_e[2] < 0.0
    assert sign[:2].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("freedom", [1.5, 3.0, 10.0, 100.0])
def test_the_tail_of_student_is_that_of_scipy(freedom: float) -> None:
    """Within the error that the docstring names, for freedoms of at least 3."""
    error = 0.003 if freedom >= 3.0 else 0.02
    for value in np.linspace(-6.0, 6.0, 49):
        assert upper_share(value, freedom) == pytest.approx(t.sf(value, freedom), abs=error)
