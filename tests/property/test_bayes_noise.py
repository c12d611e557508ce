"""The policy `bayes` where there is nothing to learn, and where there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.insight.shrinkage import EntryGroup, Group, Key, Moments, Shrinkage, differences
from freqtrade_mem0.sizing.policy import Known
from freqtrade_mem0.sizing.registry import policy_for

SETTINGS = SizingSettings(policy="bayes")
BAYES = policy_for(SETTINGS)
PRIOR = Shrinkage(pseudo_trades=SETTINGS.pseudo_trades)
GROUPS = {"pair": 10, "side": 2, "enter_tag": 4, "session": 4, "volatility": 3, "trend": 3}
COMBINED = (("volatility", "trend"), ("side", "trend"), ("enter_tag", "trend"))

Texts = NDArray[np.str_]


def moments(ratios: NDArray[np.float64]) -> Moments:
    """Return the undecayed moments of profit ratios."""
    return Moments(float(len(ratios)), float(np.mean(ratios)), float(np.var(ratios)))


def labels(rng: np.random.Generator, n: int) -> dict[str, Texts]:
    """Return the group of each of `n` trades by level, combined levels last."""
    found = {name: rng.integers(0, size, n).astype(str) for name, size in GROUPS.items()}
    for one, other in COMBINED:
        found[f"{one}*{other}"] = np.char.add(np.char.add(found[one], " & "), found[other])
    return found


def multipliers(
    ratios: NDArray[np.float64], of_trade: dict[str, Texts], entries: int
) -> list[float]:
    """Return what `bayes` says to entries like the first trades, after all of them."""
    whole = moments(ratios)
    groups: dict[Key, Group] = {}
    for level, values in of_trade.items():
        names = level.split("*") if "*" in level else []
        for value in np.unique(values):
            inside = tuple(zip(names, str(value).split(" & "), strict=True)) if names else ()
            groups[level, str(value)] = Group(moments(ratios[values == value]), inside)
    theta = differences(whole, list(of_trade), groups, PRIOR)
    said = []
    for number in range(entries):
        keys = [(level, str(values[number])) for level, values in of_trade.items()]
        levels = [
            EntryGroup(*key, groups[key].moments, tuple(name for name, _ in groups[key].inside))
            for key in keys
        ]
        known = Known(strategy=EntryGroup("strategy", "", whole), levels=levels, differences=theta)
        said.append(BAYES(known).multiplier)
    return said


@pytest.mark.parametrize("tails", [3.0, math.inf])
@pytest.mark.parametrize("n", [40, 300, 3000])
def test_on_noise_stakes_stay_near_the_proposal(n: int, tails: float) -> None:
    """With few trades and with many, the root mean square of multiplier - 1 is at most 0.10."""
    rng = np.random.default_rng(n)
    squares = []
    for _ in range(60):
        ratios = rng.standard_normal(n) if math.isinf(tails) else rng.standard_t(tails, n)
        squares += [(m - 1.0) ** 2 for m in multipliers(0.02 * ratios, labels(rng, n), 20)]

    assert math.sqrt(np.mean(squares)) <= 0.10


def test_a_difference_beyond_doubt_moves_stakes() -> None:
    """Where one tag of two wins and one loses, memory follows."""
    rng = np.random.default_rng(1)
    of_trade = labels(rng, 600)
    good = np.isin(of_trade["enter_tag"], ["0", "1"])
    ratios = rng.normal(0.0, 0.02, 600) + np.where(good, 0.008, -0.008)

    said = np.array(multipliers(ratios, of_trade, 100))
    assert said[good[:100]].mean() > 1.3
    assert said[~good[:100]].mean() < 0.7
