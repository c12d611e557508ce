"""What a bot's stakes were worth: against plain loops, and on ledgers whose truth is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from freqtrade_mem0.worth import judge as module
from freqtrade_mem0.worth.bootstrap import Estimate
from freqtrade_mem0.worth.daily import sharpe
from freqtrade_mem0.worth.finding import MIN_DAYS, MIN_TRADES, Finding
from freqtrade_mem0.worth.in_words import finding_in_words, more_days, numbers_in_words
from freqtrade_mem0.worth.judge import Worth, worth_of
from freqtrade_mem0.worth.stakes import Stakes

FIRST = date(2024, 1, 1)


def made(
    n: int = 300, *, n_days: int = 150, skill: float = 0.0, drift: float = 0.0, seed: int = 1
) -> Stakes:
    """Return trades whose multipliers follow their outcomes as far as `skill` says."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(n_days, size=n))
    days[0], days[-1] = 0, n_days - 1
    ratios = 0.02 * rng.standard_t(4, n) + drift
    guesses = skill * np.sign(ratios - drift) + (1.0 - abs(skill)) * rng.standard_normal(n)
    return Stakes(
        first=FIRST,
        proposed=rng.uniform(50.0, 150.0, n),
        multipliers=np.clip(1.0 + 0.3 * guesses, 0.25, 2.0),
        base=100.0 * ratios,
        days=days,
    )


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests of many ledgers take seconds."""
    monkeypatch.setattr(module, "N_RESAMPLES", 200)
    monkeypatch.setattr(module, "MAX_SHIFTS", 100)


def test_figures_are_those_of_plain_loops() -> None:
    """Effects, their scaling to the same stake, and the Sharpe ratios follow their definitions."""
    stakes = made()
    both = list(zip(stakes.base, stakes.multipliers, stakes.days, strict=True))
    found = worth_of(stakes)

    assert found.effect.value == pytest.approx(sum(b * (m - 1.0) for b, m, _ in both))
    mean = sum(stakes.proposed * stakes.multipliers) / sum(stakes.proposed)
    assert found.mean_multiplier == pytest.approx(mean)
    assert found.effect_at_same_stake.value == pytest.approx(
        sum(b * (m / mean - 1.0) for b, m, _ in both)
    )
    sized, plain = (np.zeros(150), np.zeros(150))
    for base, multiplier, day in both:
        sized[day] += base * multiplier
        plain[day] += base
    assert (found.n_trades, found.n_days) == (300, 150)
    judged = stakes.closed_first(found.n_judged)
    until = int(judged.days.max()) + 1
    rest = int(np.sum(stakes.days < until)) - found.n_judged  # closed later on the same day
    assert rest == 0
    assert found.sharpe_difference.value == pytest.approx(
        sharpe(sized[:until]) - sharpe(plain[:until])
    )
    assert found.n_raised + found.n_cut == 300
    assert found.last == date(2024, 5, 29)


def test_the_same_ledger_gives_the_same_figures() -> None:
    """Nothing is drawn anew from one look to the next."""
    assert worth_of(made()) == worth_of(made())


@pytest.mark.parametrize(
    ("skill", "expected"), [(0.6, Finding.HELPED), (-0.6, Finding.HURT), (0.0, Finding.NOT_SHOWN)]
)
def test_foresight_is_found(skill: float, expected: Finding) -> None:
    """Stakes that follow the outcomes helped, those that go against them hurt."""
    assert worth_of(made(skill=skill)).finding is expected


@pytest.mark.usefixtures("few_resamples")
def test_noise_is_seldom_called_help() -> None:
    """Of a hundred bots whose stakes foresee nothing, at most five are told that memory helped."""
    found = Counter(
        worth_of(made(150, n_days=100, drift=0.002 * (seed % 3 - 1), seed=seed)).finding
        for seed in range(100)
    )
    assert found[Finding.HELPED] <= 5
    assert found[Finding.HURT] <= 5
    assert found[Finding.NOT_SHOWN] >= 90


@pytest.mark.usefixtures("few_resamples")
def test_the_interval_of_the_effect_holds_its_word() -> None:
    """The 95 % intervals of the effect hold the expected effect in 90 of 100 ledgers or more.

    Multipliers and outcomes are independent, so it is the drift times the mean move of stakes.
    """
    held = 0
    for seed in range(100):
        stakes = made(200, n_days=120, drift=0.003, seed=seed)
        stakes = replace(stakes, multipliers=stakes.multipliers + 0.5)
        expected = 100.0 * 0.003 * 0.5 * 200
        found = worth_of(stakes).effect
        assert found.low is not None
        assert found.high is not None
        held += found.low <= expected <= found.high
    assert held >= 90


def test_smaller_stakes_of_a_losing_bot_are_no_foresight() -> None:
    """Halving all stakes saves money, which the effect says; it is not called help."""
    stakes = made(drift=-0.01)
    halved = replace(stakes, multipliers=np.full(300, 0.5))
    found = worth_of(halved)
    assert found.effect.value == pytest.approx(-0.5 * float(stakes.base.sum()))
    assert found.effect.low is not None
    assert found.effect.low > 0.0
    assert found.effect_at_same_stake.value == pytest.approx(0.0, abs=1e-6)
    assert found.finding is Finding.NOT_SHOWN


def test_unmoved_stakes_are_called_so() -> None:
    """A memory that is not followed yet is told apart from one without effect."""
    unmoved = worth_of(replace(made(), multipliers=np.ones(300)))
    assert unmoved.finding is Finding.NOTHING_CHANGED
    assert unmoved.n_needed is None
    assert numbers_in_words(unmoved, "USDT", applied=True) == []


@pytest.mark.parametrize(
    ("n", "n_days", "needed"),
    [(MIN_TRADES - 1, 200, MIN_TRADES), (200, MIN_DAYS - 1, 203), (10, 10, MIN_TRADES)],
)
def test_too_few_says_how_many(n: int, n_days: int, needed: int) -> None:
    """Below one of the least numbers there is no finding, but the number that is needed."""
    found = worth_of(made(n, n_days=n_days, skill=0.9))
    assert found.finding is Finding.TOO_LITTLE_DATA
    assert found.n_needed == needed
    days = more_days(found)
    assert days is not None
    assert days > 0
    words = finding_in_words(found, applied=True)
    assert words.startswith("Too few to tell")
    assert f"takes about {days} more day" in words


def test_how_many_trades_would_show_a_small_effect() -> None:
    """Repeated until there are as many trades as are said to be needed, a ledger shows its effect.

    With a quarter of them it does not.
    """
    once = made(skill=0.2, seed=2)
    found = worth_of(once)
    assert found.finding is Finding.NOT_SHOWN
    assert found.n_needed is not None
    assert worth_of(repeated(once, -(-found.n_needed // 300))).finding is Finding.HELPED
    assert worth_of(repeated(once, found.n_needed // 1200)).finding is Finding.NOT_SHOWN


def test_the_tests_are_made_when_trades_have_doubled() -> None:
    """Between two looks the finding stands; the first is when trades and days are enough."""
    stakes = made(1200, n_days=200)
    assert stakes.enough == int(np.sum(stakes.days < MIN_DAYS - 1)) + 1
    some = stakes.closed_first(2 * stakes.enough - 1)
    assert worth_of(some).n_judged == stakes.enough
    assert worth_of(stakes.closed_first(2 * stakes.enough)).n_judged == 2 * stakes.enough
    assert worth_of(some).timing == worth_of(stakes.closed_first(stakes.enough)).timing
    assert stakes.closed_first(stakes.enough - 1).enough is None


def repeated(stakes: Stakes, times: int) -> Stakes:
    """Return a ledger that goes on as it did."""
    return Stakes(
        first=FIRST,
        proposed=np.tile(stakes.proposed, times),
        multipliers=np.tile(stakes.multipliers, times),
        base=np.tile(stakes.base, times),
        days=np.concatenate([stakes.days + number * stakes.n_days for number in range(times)]),
    )


@pytest.mark.parametrize(
    ("finding", "applied", "expected"),
    [
        (Finding.HELPED, True, "Memory helped beyond chance: 120 trades in 100 days."),
        (Finding.HELPED, False, "Memory would have helped beyond chance: 120"),
        (Finding.HURT, True, "Memory hurt beyond chance: 120 trades"),
        (Finding.NOT_SHOWN, True, "It can not be told from chance"),
    ],
)
def test_shadow_mode_is_worded_as_what_would_have_been(
    finding: Finding, applied: bool, expected: str
) -> None:
    """A finding in shadow mode claims nothing about trades that were made."""
    found = Worth(finding=finding, n_trades=120, n_judged=120, n_days=100)
    assert finding_in_words(found, applied=applied).startswith(expected)


def test_amounts_without_interval_are_said_so_plainly() -> None:
    """With a handful of days there is a sum and no interval."""
    few = Worth(n_trades=5, n_days=4, n_raised=5, effect=Estimate(value=1.5))
    said = numbers_in_words(few, "USDT", applied=False)[0]
    assert said == "Memory's stakes would have changed the profit by +1.50 USDT."
