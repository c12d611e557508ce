"""The Page-Hinkley test against its definition, and against simulated streams."""

from __future__ import annotations

import random
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.risk.page_hinkley import PageHinkley


def first_alarm(
    values: list[float], delta: Fraction, threshold: Fraction, least: int
) -> int | None:
    """Return the number of values at which the definition raises its first alarm, exactly."""
    total, deviations = Fraction(0), [Fraction(0)]
    for number, value in enumerate(values, start=1):
        total += Fraction(value)
        deviations.append(deviations[-1] + Fraction(value) - total / number - delta)
        if number >= least and deviations[-1] - min(deviations) > threshold:
            return number
    return None


def found(values: list[float], test: PageHinkley) -> int | None:
    """Return the number of values at which a test raises its first alarm."""
    for number, value in enumerate(values, start=1):
        if test.update(value):
            return number
    return None


@given(st.lists(st.sampled_from([0.0, 1.0]), max_size=120), st.integers(1, 40))
def test_it_is_what_is_defined(values: list[float], least: int) -> None:
    """Every prefix of every stream of wins and losses, in exact arithmetic."""
    # An odd threshold, which no sum of these values and means meets by rounding alone.
    delta, threshold = Fraction(1, 8), Fraction("2.71828")
    test = PageHinkley(float(delta), float(threshold), least)
    assert first_alarm(values, delta, threshold, least) == found(values, test)


def test_an_alarm_says_what_changed() -> None:
    """Means before and since the change, and how many values came since."""
    test = PageHinkley()
    assert found([0.0, 1.0] * 50 + [1.0] * 60, test) is not None
    assert test.before == pytest.approx(0.5, abs=0.01)
    assert test.after == 1.0
    assert 15 <= test.n_after <= 30


def test_it_starts_afresh_after_an_alarm() -> None:
    """What was read before an alarm has no part in the next one."""
    test = PageHinkley()
    assert found([0.0] * 50 + [1.0] * 20, test) is not None
    rest = [0.0, 1.0] * 40 + [1.0] * 60
    first = found(rest, test)
    assert first is not None
    assert first == found(rest, PageHinkley())


@pytest.mark.parametrize("loss_rate", [0.3, 0.5, 0.7])
def test_false_alarms_are_rare(loss_rate: float) -> None:
    """Fewer than one in 2000 trades, whatever the rate; the formula says 7500 at even odds."""
    chance = random.Random(1)
    test = PageHinkley()
    n_values = 200_000
    n_alarms = sum(test.update(float(chance.random() < loss_rate)) for _ in range(n_values))
    assert n_alarms < n_values / 2_000


@pytest.mark.parametrize(
    ("rise", "shortest", "longest"), [(0.2, 60, 160), (0.3, 30, 60), (0.45, 15, 40)]
)
def test_a_change_is_found_after_a_while(rise: float, shortest: int, longest: int) -> None:
    """The median delay after 200 trades at even odds; about threshold / (rise - delta)."""
    delays = []
    for seed in range(300):
        chance, test = random.Random(seed), PageHinkley()
        for _ in range(200):
            test.update(float(chance.random() < 0.5))
        delay = 1
        while delay < 2_000 and not test.update(float(chance.random() < 0.5 + rise)):
            delay += 1
        delays.append(delay)
    assert shortest < statistics.median(delays) < longest


def test_a_fall_is_no_alarm() -> None:
    """Fewer losses than before are nothing to warn of."""
    assert found([1.0] * 100 + [0.0] * 500, PageHinkley()) is None
