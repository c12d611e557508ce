"""The trial of a rule claims something only about time that the rule was not drawn from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from freqtrade_mem0.compare.rule_trial import RuleTrial, Sample, figures, in_words, rule_trial
from tests.unit.compare.made_runs import START, a_run, two_runs


def tried(skill: float, seen_until: datetime, *, seed: int = 3) -> RuleTrial:
    """Return the trial of a rule that sizes trades with this skill, over 240 days."""
    without, remembered = two_runs(seed, days=240, skill=skill)
    sized = [replace(each, multiplier=1.2 * each.multiplier) for each in remembered.trades]
    base = [replace(trade, multiplier=1.2) for trade in without.trades]
    ruled, plain = a_run(sized, 240), a_run(base, 240)
    return rule_trial("Sample", plain, ruled, n_touched=7, seen_until=seen_until)


@pytest.mark.parametrize(
    ("seen_days", "sample"), [(-1.0, Sample.OUT), (100.0, Sample.PART), (1_000.0, Sample.IN)]
)
def test_only_later_time_is_judged(seen_days: float, sample: Sample) -> None:
    """The words and the figures say which."""
    trial = tried(0.0, START + timedelta(days=seen_days))
    found = figures(trial)
    assert (trial.sample, found["sample"]) == (sample, sample)
    assert ("later_trades" in found) is (sample is not Sample.IN)
    if sample is Sample.PART:
        assert found["later_trades"] == 3 * 140 < found["trades"]
        assert "After that: Over 420 trades in 140 days" in in_words(trial)
        assert "do not show that the rule helped or hurt" in in_words(trial)
    if sample is Sample.IN:
        assert found["finding"] == "in_sample"
        assert "does not show that the rule helps" in in_words(trial)


def test_the_rules_own_multiplier_is_what_is_judged() -> None:
    """Not memory's, which both runs have."""
    trial = tried(0.0, START)
    assert max(trade.multiplier for trade in trial.whole.remembered.trades) <= 1.75 + 1e-9
    assert {trade.multiplier for trade in trial.whole.without.trades} == {1.0}


def test_a_rule_without_trades_is_said_to_be_so() -> None:
    """Nothing is divided by nothing."""
    trial = rule_trial("Sample", a_run([]), a_run([]), n_touched=0, seen_until=START)
    assert "No trade was closed." in in_words(trial)
    assert figures(trial)["trades"] == 0


def test_a_rule_with_skill_is_found_to_help() -> None:
    """In time that it was not drawn from; the interval says how much."""
    found = figures(tried(0.8, START + timedelta(days=60)))
    assert found["finding"] == "helped"
    assert 0.0 < found["later_sharpe_low"] < found["later_sharpe_change"]


def test_a_rule_that_changed_a_few_days_has_no_interval() -> None:
    """However many trades there are, resampled days would tell of luck alone."""
    without, _ = two_runs(3, days=240)
    few = [
        replace(each, multiplier=0.5, stake_quote=50.0, profit_quote=each.profit_quote / 2)
        if number % 100 == 0
        else each
        for number, each in enumerate(without.trades)
    ]
    trial = rule_trial("Sample", without, a_run(few, 240), n_touched=8, seen_until=START)
    found = figures(trial)
    assert found["finding"] == "too_little_data"
    assert "sharpe_low" not in found
    assert "too few days" in in_words(trial)
