"""The policies: neutral without evidence, bounded, and every part of a multiplier explained."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Moments, Shrinkage
from freqtrade_mem0.sizing.policies.bayes import Bayes
from freqtrade_mem0.sizing.policies.off import Off
from freqtrade_mem0.sizing.policy import Known
from freqtrade_mem0.sizing.registry import policy_for

PRIOR = Shrinkage(pseudo_trades=100.0)
BAYES = Bayes(prior=PRIOR, min_multiplier=0.25, max_multiplier=1.75)
SPREAD = 0.03


def known(whole: Moments, *levels: Moments) -> Known:
    """Return what is known of a strategy and some pairs."""
    return Known(
        strategy=EntryGroup("strategy", "Sample", whole),
        levels=[EntryGroup("pair", f"P{i}/USDT", moments) for i, moments in enumerate(levels)],
    )


def spread_out(n: float, mean: float = 0.0) -> Moments:
    """Return the moments of a strategy or group whose root mean square is `SPREAD`."""
    return Moments(n, mean, SPREAD**2 - mean**2)


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


@pytest.mark.parametrize("mean", [0.01, -0.01])
def test_the_multiplier_is_the_documented_map(mean: float) -> None:
    """1 + reach * tanh(e), in closed form for one level."""
    n = 50.0
    share = (1 / 3) * 400 / (400 + 100)
    evidence = share * (n / (n + 100)) * mean / (0.04 * SPREAD)

    wish = BAYES(known(spread_out(400.0), spread_out(n, mean)))
    assert wish.multiplier == pytest.approx(1.0 + 0.75 * math.tanh(evidence), rel=1e-12)
    assert wish.expected_ratio == pytest.approx(share * (n / (n + 100)) * mean, rel=1e-12)


def test_few_trades_of_the_strategy_move_little() -> None:
    """25 trades count a fifth of what very many do, however good one of their groups looks."""
    few, many = (
        BAYES(known(spread_out(n), spread_out(3.0, 0.02))).expected_ratio for n in (25.0, 1e9)
    )

    assert few is not None
    assert many is not None
    assert few == pytest.approx(many / 5, rel=1e-6)


def test_more_evidence_moves_further() -> None:
    """Good and bad news alike, up to the bounds and not beyond."""
    good, bad = (
        [
            BAYES(known(spread_out(1e6), spread_out(n, mean))).multiplier
            for n in (1.0, 5.0, 50.0, 1e6)
        ]
        for mean in (0.02, -0.02)
    )

    assert good == sorted(good)
    assert bad == sorted(bad, reverse=True)
    assert good[-1] == pytest.approx(1.75, rel=1e-4)
    assert bad[-1] == pytest.approx(0.25, rel=1e-4)


@pytest.mark.parametrize("mean", [0.02, 0.0, -0.001])
def test_the_strategys_own_mean_alone_moves_nothing(mean: float) -> None:
    """A group that does as well as all others is no reason for another stake."""
    wish = BAYES(known(spread_out(300.0, mean), spread_out(60.0, mean)))

    assert wish.multiplier == 1.0


def test_a_loss_beyond_doubt_damps_all_stakes() -> None:
    """By the documented factor; a loss that may be chance does not."""
    n, mean = 500.0, -0.006
    error = SPREAD * math.sqrt(2 * (n + 20))
    factor = 1 + 0.75 * math.tanh(n * mean / error + 2)
    wish = BAYES(known(spread_out(n, mean)))

    assert wish.multiplier == pytest.approx(factor, rel=1e-12)
    assert wish.reasons[0].effect == pytest.approx(factor - 1, rel=1e-12)
    assert wish.reasons[0].text.endswith("a loss beyond doubt")
    assert BAYES(known(spread_out(50.0, mean))).multiplier == 1.0
    never = replace(BAYES, brake_after=100.0)
    assert never(known(spread_out(n, mean))).multiplier == 1.0


def test_differences_that_were_learned_are_used() -> None:
    """Where the groups of a level are known to differ more, the same group is believed more."""
    believed = [
        BAYES(
            known(spread_out(400.0), spread_out(20.0, 0.005))._replace(differences={"pair": theta})
        ).multiplier
        for theta in (0.001, 0.01, 0.1)
    ]

    assert believed == sorted(believed)
    assert believed[0] < believed[-1]


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
    assert strategy.words == (
        "strategy Sample: 40.0 trades, mean -0.20% (95% interval -1.17% to +0.77%)"
    )
    assert pair.words == "pair P0/USDT: 12.5 trades, mean +2.00% (95% interval +0.71% to +3.29%)"
    assert single.words == "pair P1/USDT: 1.0 trade, mean +10.00%"
    assert strategy.effect == pytest.approx(0.0, abs=1e-15)
    assert pair.effect > 0.0
    assert single.effect > 0.0


def test_a_level_without_trades_says_so() -> None:
    """Its effect is nothing at all."""
    wish = BAYES(known(Moments(40.0, 0.01, 0.0009), NOTHING))

    assert (
        wish.reasons[1].words,
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
    numbers = {"pseudo_trades": 7, "min_multiplier": 0.5, "max_multiplier": 3, "brake_after": 4}
    settings = SizingSettings(policy="bayes", **numbers)
    chosen = Bayes(
        prior=Shrinkage(pseudo_trades=7), min_multiplier=0.5, max_multiplier=3, brake_after=4
    )

    assert chosen == policy_for(settings)
    assert Off() == policy_for(SizingSettings(policy="off"))
    assert policy_for(SizingSettings()).name == "split"
    assert (BAYES.name, Off().name) == ("bayes", "off")
