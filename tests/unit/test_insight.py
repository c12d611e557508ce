"""The estimate: closed forms, an independent NumPy version, and what its docstring claims."""

from __future__ import annotations

import math

import numpy as np
import pytest

from freqtrade_mem0.insight import NOTHING, Estimate, Moments, Part, estimate, interval


def part(moments: Moments, name: str = "strategy") -> Part:
    """Return a part without a shift, as `estimate` takes it."""
    return Part(name, "x", moments, 0.0)


def of(ratios: np.ndarray | list[float]) -> Moments:
    """Return the undecayed moments of profit ratios."""
    return Moments(float(len(ratios)), float(np.mean(ratios)), float(np.var(ratios)))


def estimated(whole: Moments, *levels: Moments, k: float = 20.0) -> Estimate:
    """Return the estimate of a strategy with unnamed levels."""
    return estimate(part(whole), [part(moments, f"l{i}") for i, moments in enumerate(levels)], k)


def oracle(whole: Moments, levels: list[Moments], k: float) -> tuple[float, float]:
    """Return mean and standard error by the formula in the docstring, with arrays."""
    n = np.array([level.n for level in levels])
    shrunk = n / (n + k)
    mean = whole.n / (whole.n + k) * whole.mean
    mean += float(np.sum(shrunk * (np.array([level.mean for level in levels]) - whole.mean)))
    spread = 1.0 / (whole.n + k) + float(np.sum(shrunk**2 * (1.0 / n - 1.0 / whole.n)))
    return mean, math.sqrt((whole.variance + whole.mean**2) * spread)


@pytest.mark.parametrize("seed", range(20))
def test_it_matches_an_independent_version(seed: int) -> None:
    """Trades split by several features at once, with and without decay."""
    rng = np.random.default_rng(seed)
    ratios = rng.normal(0.002, 0.03, rng.integers(5, 400))
    members = [np.flatnonzero(rng.random(len(ratios)) < share) for share in (0.2, 0.5, 0.9)]
    levels = [of(ratios[chosen]) for chosen in members if len(chosen)]
    k = float(rng.uniform(1, 60))
    found = estimated(of(ratios), *levels, k=k)

    assert (found.mean, found.standard_error) == pytest.approx(
        oracle(of(ratios), levels, k), rel=1e-12
    )


def test_the_strategy_alone_is_a_closed_form() -> None:
    """20 trades and 20 pseudo-trades: half of the mean is believed."""
    found = estimated(Moments(20.0, 0.01, 0.0003))

    assert found.mean == pytest.approx(0.005, rel=1e-15)
    assert found.standard_error == pytest.approx(math.sqrt((0.0003 + 0.0001) / 40.0), rel=1e-15)
    assert found.z == pytest.approx(0.005 / math.sqrt(0.0004 / 40.0), rel=1e-15)


def test_the_mean_is_the_sum_of_the_parts() -> None:
    """The strategy first, then the levels in their order, each with its share."""
    levels = [Moments(30.0, 0.02, 0.001), Moments(5.0, -0.05, 0.002)]
    found = estimated(Moments(100.0, 0.004, 0.0012), *levels)

    assert [p.name for p in found.parts] == ["strategy", "l0", "l1"]
    assert found.mean == math.fsum(p.shift for p in found.parts)
    assert [p.shift for p in found.parts] == pytest.approx(
        [100 / 120 * 0.004, 30 / 50 * 0.016, 5 / 25 * -0.054]
    )


@pytest.mark.parametrize(
    "whole",
    [NOTHING, Moments(50.0, 0.0, 0.0), Moments(1e-310, 0.0, 0.0)],
    ids=["no trades", "all at zero", "forgotten trades"],
)
def test_without_evidence_nothing_is_said(whole: Moments) -> None:
    """Mean, error and z are zero; the parts are still listed, silent."""
    found = estimated(whole, NOTHING)

    assert (found.mean, found.standard_error, found.z) == (0.0, 0.0, 0.0)
    assert [(p.name, p.shift) for p in found.parts] == [("strategy", 0.0), ("l0", 0.0)]


def test_a_level_without_trades_adds_nothing() -> None:
    """A pair never traded before is judged by the strategy."""
    whole = Moments(40.0, 0.01, 0.001)
    alone, joined = estimated(whole), estimated(whole, NOTHING)

    assert (alone.mean, alone.standard_error) == (joined.mean, joined.standard_error)


@pytest.mark.parametrize("seed", range(10))
def test_a_level_that_holds_all_trades_adds_exactly_nothing(seed: int) -> None:
    """A bot with one pair is judged as if there were no pairs: not a bit differs."""
    rng = np.random.default_rng(seed)
    whole = Moments(*rng.uniform(0.001, 50.0, 3).tolist())
    alone, joined = estimated(whole), estimated(whole, whole, whole)

    assert (alone.mean, alone.standard_error) == (joined.mean, joined.standard_error)
    assert [p.shift for p in joined.parts[1:]] == [0.0, 0.0]


def test_two_equal_trades_do_not_look_certain() -> None:
    """Without a spread of their own, |z| stays below n / sqrt(n + k)."""
    found = estimated(of([0.05, 0.05]))

    assert found.z == pytest.approx(2.0 / math.sqrt(22.0), rel=1e-12)


@pytest.mark.parametrize("n", [0.1, 1.0, 10.0, 1_000.0])
@pytest.mark.parametrize("mean", [-0.5, -1e-9, 1e-9, 0.5])
@pytest.mark.parametrize("variance", [0.0, 1e-12, 0.01])
def test_z_is_bounded_by_the_number_of_trades(n: float, mean: float, variance: float) -> None:
    """|z| <= n / sqrt(n + k) for the strategy's part, whatever the profits were."""
    found = estimated(Moments(n, mean, variance))

    assert abs(found.z) <= n / math.sqrt(n + 20.0) * (1 + 1e-12)
    assert math.copysign(1.0, mean) == math.copysign(1.0, found.z)


def test_a_better_mean_never_gives_a_worse_verdict() -> None:
    """For the strategy alone, and for a level beside a strategy that stays as it is."""
    means = np.linspace(-0.2, 0.2, 81).tolist()
    alone = [estimated(Moments(30.0, mean, 0.0009)).z for mean in means]
    whole = Moments(100.0, 0.01, 0.0016)
    level = [estimated(whole, Moments(30.0, mean, 0.0009)).z for mean in means]

    assert alone == sorted(alone)
    assert level == sorted(level)


def test_more_trades_are_believed_more() -> None:
    """The same mean and spread with more trades behind it moves further, up to the mean."""
    believed = [estimated(Moments(n, 0.01, 0.0009)).mean for n in (1.0, 10.0, 100.0, 1e6)]

    assert believed == sorted(believed)
    assert believed[0] == pytest.approx(0.01 / 21)
    assert believed[-1] == pytest.approx(0.01, rel=1e-4)


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Normal means and trades, known spread: 95 % of the intervals hold the strategy's true mean.

    With s known, the mean square is s^2, and the estimate is the posterior of the model in the
    module's docstring: mean ~ N(0, s^2/k), each trade ~ N(mean, s^2).
    """
    rng = np.random.default_rng(20240101)
    draws, k, s = 2_000, 20.0, 0.03
    covered = 0
    for _ in range(draws):
        truth = rng.normal(0.0, s / math.sqrt(k))
        trades = rng.normal(truth, s, rng.integers(5, 80))
        mean = float(np.mean(trades))
        found = estimated(Moments(float(len(trades)), mean, s**2 - mean**2), k=k)
        covered += abs(found.mean - truth) <= 1.959964 * found.standard_error

    assert 0.93 <= covered / draws <= 0.97


def test_a_level_decayed_to_next_to_nothing_is_harmless() -> None:
    """Trades of a thousand half-lives ago weigh less than any ordinary float can say."""
    whole = Moments(100.0, 0.01, 0.001)
    for n in (5e-324, 1e-310, 1e-300, 1e-160):
        found = estimated(whole, Moments(n, -0.5, 0.0))

        assert found.mean == pytest.approx(estimated(whole).mean, rel=1e-12)
        assert found.standard_error == pytest.approx(estimated(whole).standard_error, rel=1e-12)


def test_an_interval_needs_two_trades() -> None:
    """Below two there is no spread to measure by."""
    assert interval(Moments(1.99, 0.5, 0.1)) == (-math.inf, math.inf)
    assert interval(NOTHING) == (-math.inf, math.inf)


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_is_the_mean_and_its_standard_errors(seed: int) -> None:
    """The standard error of the mean with n - 1, as NumPy has it."""
    ratios = np.random.default_rng(seed).normal(0.01, 0.03, 40)
    half = 1.959963984540054 * float(np.std(ratios, ddof=1)) / math.sqrt(40)
    mean = float(np.mean(ratios))

    assert interval(of(ratios)) == pytest.approx((mean - half, mean + half), rel=1e-12)
    assert interval(of(ratios), 0.0) == pytest.approx((mean, mean), rel=1e-12)
