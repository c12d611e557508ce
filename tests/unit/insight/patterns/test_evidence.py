"""The evidence for cells, and the procedure that accepts some of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm, t

from freqtrade_mem0.insight.patterns.cells import TradeTable
from freqtrade_mem0.insight.patterns.evidence import FALSE_SHARE, accepted, log_evidence, weights
from freqtrade_mem0.insight.student import upper_share
from tests.support.histories import Noise


def test_with_equal_weights_it_is_benjamini_hochberg_on_the_reciprocals() -> None:
    """SciPy is the oracle for one look."""
    rng = np.random.default_rng(2)
    for n in (1, 5, 60):
        for _ in range(40):
            evidence = rng.normal(0.0, 4.0, n) + 6.0 * (rng.random(n) < 0.3)
            p_values = np.minimum(np.exp(-evidence), 1.0)
            expected = false_discovery_control(p_values) <= FALSE_SHARE
            found = accepted(evidence, np.full(n, -math.log(n)))
            assert found.tolist() == expected.tolist()


def test_weights_move_evidence_between_cells() -> None:
    """Twice the weight needs half of the e-value."""
    evidence = np.log([30.0, 30.0])
    assert accepted(evidence, np.log([0.5, 0.5])).tolist() == [True, True]
    assert accepted(evidence, np.log([0.25, 0.75])).tolist() == [False, True]
    assert not len(accepted(np.zeros(0), np.zeros(0)))


def test_weights_add_up_to_one() -> None:
    """For a history with cells of every type, and with those of one depth only."""
    tested = list(TradeTable(Noise(n=300).history(1)).cells(5))
    assert weights(tested).sum() == pytest.approx(1.0)
    assert weights([each for each in tested if len(each.features) == 2]).sum() == pytest.approx(1.0)
    assert not len(weights([]))


def test_chance_comes_as_far_as_the_evidence_says() -> None:
    """Of random walks, about the share p ever has evidence of 1 / p, however long they go on."""
    rng = np.random.default_rng(3)
    variances = np.cumsum(np.r_[np.full(300, 1.0), np.full(300, 5.0)])
    steps = rng.normal(size=(2_000, len(variances))) * np.sqrt(np.diff(variances, prepend=0.0))
    totals = np.cumsum(steps, axis=1)
    log, _ = log_evidence(totals.reshape(1, -1), np.tile(variances, len(totals))[None])
    furthest = log.reshape(totals.shape).max(axis=1)

    for p in (0.3, 0.1, 0.03):
        share = (furthest >= -math.log(p)).mean()
        assert 0.6 * p <= share <= p + 2.0 * math.sqrt(p / len(totals)), p


def test_the_evidence_is_that_of_a_boundary_crossed_by_brownian_motion() -> None:
    """Level until 60 trades' worth of variance, rising by a quarter afterwards."""
    total, variance = 30.0, 80.0
    (log,), (sign,) = log_evidence(np.array([[-total]]), np.array([[variance]]))

    height = total - (variance - 60.0) / 4.0  # of the boundary that is just reached, where level
    won = (height - 15.0) / 2.0
    crossed = 2.0 * norm.sf(height / np.sqrt(60.0)) + np.exp(-won) * norm.cdf(
        (2.0 * won - 15.0) / np.sqrt(60.0)
    )
    assert log == pytest.approx(-np.log(2.0 * crossed))
    assert sign == -1.0


def test_a_cell_has_to_differ_from_both_surroundings() -> None:
    """In the same direction; the weaker difference counts."""
    totals = np.array([[30.0, 30.0, -30.0], [30.0, 1.0, 30.0]])
    log, sign = log_evidence(totals, np.full((2, 3), 40.0))
    assert log[0] > 3.0 > log[1]
    assert log[2] == 0.0
    assert sign[:2].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("freedom", [1.5, 3.0, 10.0, 100.0])
def test_the_tail_of_student_is_that_of_scipy(freedom: float) -> None:
    """Within the error that the docstring names, for freedoms of at least 3."""
    error = 0.003 if freedom >= 3.0 else 0.02
    for value in np.linspace(-6.0, 6.0, 49):
        assert upper_share(value, freedom) == pytest.approx(t.sf(value, freedom), abs=error)
