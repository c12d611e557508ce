"""The forecast: closed forms, an independent NumPy version, simulation, and what it leaves out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from freqtrade_mem0.insight.shrinkage import (
    NOTHING,
    EntryGroup,
    Group,
    Key,
    Moments,
    Shrinkage,
    credibility,
    differences,
    group_shifts,
    interval,
    shifts,
    standard_error,
)
from freqtrade_mem0.insight.student import freedom_of, half_width

if TYPE_CHECKING:
    from collections.abc import Callable

    Floats = np.ndarray[Any, np.dtype[np.float64]]

PRIOR = Shrinkage(pseudo_trades=100.0)


def of(ratios: np.ndarray | list[float]) -> Moments:
    """Return the undecayed moments of profit ratios."""
    return Moments(float(len(ratios)), float(np.mean(ratios)), float(np.var(ratios)))


def split(ratios: np.ndarray, labels: np.ndarray, level: str = "pair") -> dict[Key, Group]:
    """Return the groups of a level."""
    return {(level, str(name)): Group(of(ratios[labels == name])) for name in np.unique(labels)}


def theta_oracle(ratios: np.ndarray, labels: np.ndarray, prior: Shrinkage) -> float:
    """Return the estimate by the formula in the docstring, with arrays."""
    names = np.unique(labels)
    sizes = np.array([np.sum(labels == name) for name in names], dtype=float)
    means = np.array([ratios[labels == name].mean() for name in names])
    seen = np.sum(sizes * (means - ratios.mean()) ** 2) / np.mean(ratios**2)
    freedom = len(names) - 1
    size = (len(ratios) - np.sum(sizes**2) / len(ratios)) / freedom
    assumed = 1.0 / prior.pseudo_trades
    weight = prior.pseudo_groups
    theta = (seen - freedom + weight * size * assumed) / ((freedom + weight) * size)
    beyond = 1.0 - (freedom + prior.doubt * np.sqrt(2 * freedom)) / seen
    return float(theta * max(beyond, 0.0))


@pytest.mark.parametrize("seed", range(20))
def test_differences_match_an_independent_version(seed: int) -> None:
    """Groups of many sizes, some that differ and some that do not."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(rng.integers(2, 15), rng.integers(30, 500))
    ratios = rng.normal(0.002, 0.03, len(labels)) + rng.normal(0, 0.01, 20)[labels]
    groups = split(ratios, labels)

    found = differences(of(ratios), ["pair"], groups, PRIOR)
    assert found["pair"] == pytest.approx(theta_oracle(ratios, labels, PRIOR), rel=1e-9)


@pytest.mark.parametrize("true_theta", [0.01, 0.02, 0.05])
def test_differences_come_near_the_truth(true_theta: float) -> None:
    """With many groups, a weak prior and little doubt, the simulated variance is found again.

    What is allowed for chance is a share of it, the smaller the larger the differences are.
    """
    rng = np.random.default_rng(5)
    found = []
    for _ in range(50):
        labels = np.repeat(np.arange(80), 60)
        ratios = rng.normal(0.0, math.sqrt(true_theta) * 0.02, 80)[labels]
        ratios = ratios + rng.normal(0.0, 0.02, len(labels))
        weak = Shrinkage(pseudo_trades=100.0, pseudo_groups=0.01, doubt=0.0)
        found.append(differences(of(ratios), ["pair"], split(ratios, labels), weak)["pair"])

    by_chance = 79 / (79 * (1 + 60 * true_theta))
    assert np.mean(found) == pytest.approx(true_theta * (1 - by_chance), rel=0.15)


def test_groups_that_do_not_differ_are_not_believed() -> None:
    """Chance alone is nearly never taken for a difference."""
    rng = np.random.default_rng(6)
    found = []
    for _ in range(40):
        labels = rng.choice(60, 6000)
        ratios = rng.normal(0.001, 0.02, len(labels))
        found.append(differences(of(ratios), ["pair"], split(ratios, labels), PRIOR)["pair"])

    assert np.mean(np.array(found) > 0.0) <= 0.05


@pytest.mark.parametrize("groups", [{}, {("pair", "A"): Group(Moments(9.0, 0.01, 0.001))}])
def test_without_two_groups_the_assumption_holds(groups: dict[Key, Group]) -> None:
    """Nothing can be learned about differences."""
    whole = Moments(9.0, 0.01, 0.001)
    assert differences(whole, ["pair"], groups, PRIOR) == {"pair": 0.01}
    assert differences(NOTHING, ["pair"], groups, PRIOR) == {"pair": 0.01}


def test_the_order_of_groups_does_not_matter() -> None:
    """Not a bit: a rebuilt memory has them in another order."""
    rng = np.random.default_rng(7)
    labels = rng.choice(12, 300)
    ratios = rng.normal(0.001, 0.02, 300)
    groups = split(ratios, labels) | split(ratios, rng.choice(3, 300), "side")
    keys = list(groups)
    shuffled = {keys[place]: groups[keys[place]] for place in rng.permutation(len(keys))}

    assert list(shuffled) != list(groups)
    assert differences(of(ratios), ["pair", "side"], groups, PRIOR) == differences(
        of(ratios), ["pair", "side"], shuffled, PRIOR
    )


def test_a_shift_is_a_share_of_the_deviation() -> None:
    """100 trades and the prior's theta: half of it."""
    whole = Moments(400.0, 0.001, 0.0004)
    (shift,) = shifts(whole, [EntryGroup("pair", "A", Moments(100.0, 0.005, 0.0004))], {}, PRIOR)

    assert shift == pytest.approx(0.5 * 0.004, rel=1e-12)
    assert credibility(100.0, 0.01) == 0.5


def test_a_combined_level_adds_only_what_its_parts_do_not_explain() -> None:
    """Side and trend explain -0.001 of 0.004; the combination is credited with half of 0.005."""
    whole = Moments(1000.0, 0.0, 0.0004)
    levels = [
        EntryGroup("side", "long", Moments(1e12, 0.002, 0.0004)),
        EntryGroup("trend", "up", Moments(1e12, -0.003, 0.0004)),
        EntryGroup("side*trend", "long & up", Moments(100.0, 0.004, 0.0004), ("side", "trend")),
    ]
    assert shifts(whole, levels, {}, PRIOR) == pytest.approx([0.002, -0.003, 0.0025], rel=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_tag_of_one_side_adds_only_what_the_side_does_not_explain(sign: float) -> None:
    """Two tags are used for long trades only: the side's deviation is not counted twice."""
    whole = Moments(1000.0, 0.0, 0.0004)
    side = EntryGroup("side", "long", Moments(1e12, sign * 0.004, 0.0004))
    for mean, more in ((0.003, 0.0), (0.004, 0.0), (0.006, 0.001), (-0.002, -0.001)):
        tag = EntryGroup("enter_tag", "dip", Moments(100.0, sign * mean, 0.0004))

        found = shifts(whole, [side, tag], {}, PRIOR)
        assert found == pytest.approx([sign * 0.004, sign * more], rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_levels_together_say_no_more_than_one_of_them(seed: int) -> None:
    """However much levels overlap, the forecast lies between the deviations that were seen."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0.0, 0.01, 6)
    levels = [
        EntryGroup(f"level {number}", "x", Moments(float(rng.integers(1, 1000)), mean, 0.0004))
        for number, mean in enumerate(means)
    ]
    together = sum(shifts(Moments(1000.0, 0.0, 0.0004), levels, {}, PRIOR))

    assert min(0.0, *means) <= together <= max(0.0, *means)


def test_groups_are_shifted_as_entries_in_them_are() -> None:
    """What `insights` lists is what a decision uses."""
    rng = np.random.default_rng(8)
    sides, trends = rng.choice(["long", "short"], 400), rng.choice(["up", "down", "flat"], 400)
    ratios = rng.normal(0.001, 0.02, 400) + 0.01 * (trends == "up")
    both = np.char.add(np.char.add(sides, " & "), trends)
    groups = split(ratios, sides, "side") | split(ratios, trends, "trend")
    for key, group in split(ratios, both, "side*trend").items():
        side, trend = key[1].split(" & ")
        groups[key] = Group(group.moments, (("side", side), ("trend", trend)))
    levels = ["side", "trend", "side*trend"]
    whole = of(ratios)
    theta = differences(whole, levels, groups, PRIOR)
    of_groups = group_shifts(whole, levels, groups, PRIOR)
    entry = [
        EntryGroup("side", "long", groups["side", "long"].moments),
        EntryGroup("trend", "up", groups["trend", "up"].moments),
        EntryGroup(
            "side*trend",
            "long & up",
            groups["side*trend", "long & up"].moments,
            ("side", "trend"),
        ),
    ]

    assert shifts(whole, entry, theta, PRIOR) == [
        of_groups[group.name, group.value] for group in entry
    ]


def test_a_group_with_the_trades_of_another_level_adds_nothing() -> None:
    """A tag only used for short trades: neither it nor what combines it is counted again."""
    whole, short = Moments(400.0, 0.0, 0.0004), Moments(100.0, 0.005, 0.0004)
    both = Moments(60.0, 0.008, 0.0004)
    side, tag = EntryGroup("side", "short", short), EntryGroup("enter_tag", "sell", short)
    trend = EntryGroup("trend", "down", Moments(200.0, 0.004, 0.0004))
    side_trend = EntryGroup("side*trend", "short & down", both, ("side", "trend"))
    tag_trend = EntryGroup("enter_tag*trend", "sell & down", both, ("enter_tag", "trend"))
    once = shifts(whole, [side, trend, side_trend], {}, PRIOR)

    assert shifts(whole, [side, tag, trend, side_trend, tag_trend], {}, PRIOR) == [
        once[0],
        0.0,
        *once[1:],
        0.0,
    ]
    assert shifts(whole, [side, tag, trend, tag_trend], {}, PRIOR) == [once[0], 0.0, *once[1:]]


def test_a_group_without_trades_adds_nothing() -> None:
    """A pair never traded before is judged by everything else."""
    (shift,) = shifts(Moments(40.0, 0.01, 0.001), [EntryGroup("pair", "new", NOTHING)], {}, PRIOR)

    assert shift == 0.0


def test_shrunk_group_means_predict_better_than_raw_ones() -> None:
    """In simulated worlds with and without real differences, out of sample (Stein's paradox)."""
    rng = np.random.default_rng(9)
    for true_theta in (0.0, 0.005, 0.05):
        raw_loss = shrunk_loss = 0.0
        for _ in range(60):
            truth = rng.normal(0.0, math.sqrt(true_theta) * 0.02, 30)
            labels = rng.choice(30, 900)
            ratios = truth[labels] + rng.normal(0.0, 0.02, 900)
            groups = split(ratios, labels)
            shift_of = group_shifts(of(ratios), ["pair"], groups, PRIOR)
            for (_, name), group in groups.items():
                told = of(ratios).mean + shift_of["pair", name]
                shrunk_loss += (told - truth[int(name)]) ** 2
                raw_loss += (group.moments.mean - truth[int(name)]) ** 2
        assert shrunk_loss < raw_loss


def equal(n: int) -> Floats:
    """Return weights that are all the same."""
    return np.ones(n)


def decaying(n: int) -> Floats:
    """Return weights that decay for ever, of this effective number: (1 + k) / (1 - k) for k^i."""
    return np.asarray(((n - 1.0) / (n + 1.0)) ** np.arange(8 * n))


def halved(n: int) -> Floats:
    """Return weights of which the oldest counts half."""
    return np.asarray(0.5 ** (np.arange(n) / (n - 1.0)))


@pytest.mark.parametrize("n", [3, 4, 5, 12, 40, 500])
@pytest.mark.parametrize("weights_of", [equal, decaying, halved])
@pytest.mark.parametrize("tails", ["normal", "heavy"])
def test_an_interval_covers_the_mean_as_often_as_it_says(
    n: int, weights_of: Callable[[int], Floats], tails: str
) -> None:
    """95 % of simulated samples, nearly; heavy tails are Student's t with 4 degrees of freedom."""
    rng = np.random.default_rng(11)
    weights = weights_of(n)
    shares = weights / weights.sum()
    kish = float(1.0 / np.sum(shares**2))
    freedom = freedom_of(kish, float(np.sum(shares**3)))
    n_samples = 4000 if len(weights) < 1000 else 1500
    shape = n_samples, len(weights)
    drawn = rng.normal(0.0, 1.0, shape) if tails == "normal" else rng.standard_t(4.0, shape)
    ratios = 0.003 + 0.02 * drawn
    means = ratios @ shares
    variances = ratios**2 @ shares - means**2
    hits = 0
    for mean, variance in zip(means.tolist(), variances.tolist(), strict=True):
        # Long after the trades, when each of them counts a tenth of what it did.
        moments = Moments(0.1 * weights.sum(), mean, variance, None, kish, freedom)
        low, high = interval(moments)
        hits += low <= 0.003 <= high
    most = 0.97 if tails == "normal" else 0.98
    assert 0.93 <= hits / n_samples <= most


def test_degrees_of_freedom_are_never_fewer_than_with_equal_weights() -> None:
    """Equal weights have one less than their number; an interval is never without a bound."""
    assert freedom_of(7.0, 1.0 / 49.0) == pytest.approx(6.0)
    assert freedom_of(1.9, 0.4) is None
    rng = np.random.default_rng(3)
    for _ in range(500):
        weights = rng.pareto(rng.uniform(0.3, 3.0), rng.integers(2, 60)) + 1e-12
        shares = weights / weights.sum()
        kish = float(1.0 / np.sum(shares**2))
        freedom = freedom_of(kish, float(np.sum(shares**3)))
        assert freedom is None or kish - 1.0 - 1e-9 <= freedom <= 1e9


def test_quantiles_of_students_t_are_scipys() -> None:
    """For whole and other degrees of freedom."""
    for freedom in (1.0, 1.3, 2.0, 2.5, 4.0, 9.9, 30.0, 1e3, 1e9):
        assert half_width(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-5)


def test_no_error_is_known_below_two_trades() -> None:
    """One trade says nothing about the spread."""
    assert standard_error(Moments(1.9, 0.01, 0.0)) is None
    assert interval(Moments(1.9, 0.01, 0.0)) == (-math.inf, math.inf)
