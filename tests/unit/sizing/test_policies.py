"""The policies: neutral without evidence, bounded, and every part of a multiplier explained."""

from __future__ import annotations

import math

import pytest

from freqtrade_mem0.config.settings import SizingSettings
from freqtrade_mem0.insight import NOTHING, Moments, Part
from freqtrade_mem0.sizing.bayes import Bayes
from freqtrade_mem0.sizing.off import Off
from freqtrade_mem0.sizing.policy import Known
from freqtrade_mem0.sizing.registry import policy_for

BAYES = Bayes(pseudo_trades=20.0, min_multiplier=0.25, max_multiplier=1.75)


def known(whole: Moments, *levels: Moments) -> Known:
    """Return what is known of a strategy and some pairs."""
    return Known(
        strategy=Part("strategy", "Sample", whole, 0.0),
        levels=[Part("pair", f"P{i}/USDT", moments, 0.0) for i, moments in enumerate(levels)],
    )


def test_without_evidence_the_stake_stays() -> None:
    """Multiplier 1.0, and the reason says why."""
    wish = BAYES(known(NOTHING, NOTHING))

    assert wish.multiplier == 1.0
    assert [(reason.name, reason.effect) for reason in wish.reasons] == [("no_evidence", 0.0)]
    assert wish.reasons[0].text == "no closed trades are known yet: the stake stays as proposed"


def test_trades_that_made_nothing_are_no_evidence_either_way() -> None:
    """The reason does not claim that there were no trades."""
    wish = BAYES(known(Moments(5.0, 0.0, 0.0)))

    assert (wish.multiplier, wish.reasons[0].n_effective) == (1.0, 5.0)
    assert wish.reasons[0].text == (
        "no closed trade made or lost anything yet: the stake stays as proposed"
    )


@pytest.mark.parametrize(("mean", "reach"), [(0.01, 0.75), (-0.01, 0.75)])
def test_the_multiplier_is_the_documented_map(mean: float, reach: float) -> None:
    """1 + reach * tanh(z), with z in closed form for the strategy alone."""
    n, variance = 30.0, 0.0009
    z = n / (n + 20) * mean / math.sqrt((variance + mean**2) / (n + 20))

    wish = BAYES(known(Moments(n, mean, variance)))
    assert wish.multiplier == pytest.approx(1.0 + reach * math.tanh(z), rel=1e-12)


def test_more_evidence_moves_further() -> None:
    """Good and bad news alike, up to the bounds and not beyond."""
    good, bad = (
        [BAYES(known(Moments(n, mean, 0.0001))).multiplier for n in (1.0, 5.0, 50.0, 1e6)]
        for mean in (0.01, -0.01)
    )

    assert good == sorted(good)
    assert bad == sorted(bad, reverse=True)
    assert (good[-1], bad[-1]) == (1.75, 0.25)


def test_every_part_has_a_reason_with_its_numbers() -> None:
    """The strategy first, then each level: what it is, what is known, what it changed."""
    wish = BAYES(
        known(Moments(40.0, -0.002, 0.0009), Moments(12.5, 0.02, 0.0004), Moments(1.0, 0.1, 0.0))
    )
    strategy, pair, single = wish.reasons

    assert (
        strategy.name,
        strategy.value,
        strategy.n_effective,
        strategy.mean_ratio,
    ) == ("strategy", "Sample", 40.0, -0.002)
    assert strategy.text == (
        "strategy Sample: 40.0 trades, mean -0.20% (95 % interval -1.14% to +0.74%)"
    )
    assert pair.text == "pair P0/USDT: 12.5 trades, mean +2.00% (95 % interval +0.84% to +3.16%)"
    assert single.text == "pair P1/USDT: 1.0 trade, mean +10.00%"
    assert strategy.effect < 0.0 < pair.effect


def test_a_level_without_trades_says_so() -> None:
    """Its effect is nothing at all."""
    wish = BAYES(known(Moments(40.0, 0.01, 0.0009), NOTHING))

    assert (
        wish.reasons[1].text,
        wish.reasons[1].effect,
    ) == ("pair P0/USDT: no trades known yet", 0.0)


def test_off_never_scales() -> None:
    """Whatever is known."""
    for whole in (NOTHING, Moments(1e6, 0.5, 0.0)):
        wish = Off()(known(whole, whole))

        assert wish.multiplier == 1.0
        assert [("off", whole.n)] == [(r.name, r.n_effective) for r in wish.reasons]


def test_the_settings_choose_the_policy() -> None:
    """By its name, with its numbers."""
    settings = SizingSettings(pseudo_trades=7, min_multiplier=0.5, max_multiplier=3)

    assert Bayes(pseudo_trades=7, min_multiplier=0.5, max_multiplier=3) == policy_for(settings)
    assert Off() == policy_for(SizingSettings(policy="off"))
    assert (BAYES.name, Off().name) == ("bayes", "off")
