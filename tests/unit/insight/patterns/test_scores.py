"""Scores of results, which the evidence for a pattern is made of."""

from __future__ import annotations

import numpy as np
import pytest

from freqtrade_mem0.insight.patterns.scores import MIN_EARLIER, WINDOW, ranks, scores


@pytest.mark.parametrize("n_earlier", range(MIN_EARLIER, WINDOW + 1, 9))
def test_no_bet_on_a_score_gains_where_every_rank_is_equally_likely(n_earlier: int) -> None:
    """The mean of exp(t * score - t ** 2 / 2) over all ranks is at most 1 for each t."""
    # The last of the results has each rank once.
    n = n_earlier + 1
    of_last = []
    for rank in range(n):
        results = np.array([*(place + (place >= rank) for place in range(n_earlier)), rank], float)
        moments = np.arange(n) * 10
        of_last.append(scores(results, moments, moments - 5)[-1])
    for bet in (-1.5, -0.8, -0.4, -0.12, 0.12, 0.4, 0.8, 1.5):
        assert np.mean(np.exp(bet * np.array(of_last) - bet * bet / 2.0)) <= 1.0
    assert np.mean(of_last) == pytest.approx(0.0, abs=1e-12)
    assert np.std(of_last) == pytest.approx(1.0)


def test_ranks_are_among_the_last_trades_known_before_the_entry() -> None:
    """As counted one by one; ties are in the middle, missing values are no comparison."""
    rng = np.random.default_rng(1)
    n = 300
    known = np.sort(rng.integers(0, 2_000, n))
    opened = known - rng.integers(1, 60, n)
    values = rng.integers(0, 12, n).astype(float)
    values[rng.random(n) < 0.1] = np.nan

    found, counts = ranks(values, known, opened)

    for place in range(n):
        before = np.flatnonzero(known < opened[place])[-WINDOW:]
        others = values[before][~np.isnan(values[before])]
        assert counts[place] == len(others)
        if len(others) < MIN_EARLIER or np.isnan(values[place]):
            assert np.isnan(found[place])
            continue
        below = np.sum(others < values[place]) + np.sum(others == values[place]) / 2
        assert found[place] == pytest.approx((below + 0.5) / (len(others) + 1))
