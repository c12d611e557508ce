"""Learned rules: they act where all conditions hold, inside the bounds, while they are approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.explain import reasons
from freqtrade_mem0.decide.learned import LearnedRules
from freqtrade_mem0.decide.rule_form import as_text, read_rule
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.records.limits import LATEST
from freqtrade_mem0.run.setup import learned_rules, trial_rules
from freqtrade_mem0.sizing.policy import Wish
from tests.support.samples import a_trade, at
from tests.support.session_stage import a_stage, proposal

if TYPE_CHECKING:
    from freqtrade_mem0.records.decision import Decision


def decided(*given: dict[str, Any], hours: float = 1.0, **setup: Any) -> Decision:
    """Return a decision where these rules act; nothing else moves the stake at first."""
    found = [read_rule(each, f"number-{number}") for number, each in enumerate(given)]
    stage = a_stage(rules=LearnedRules(found, 0.25, 1.75), **setup)
    return stage.session.decide(proposal(hours))


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        (["rsi < 31"], True),
        (["rsi < 30"], False),
        (["rsi < 31", "rsi < 30"], False),
        (["regime == calm uptrend"], True),
        (["regime in volatile uptrend, calm uptrend"], True),
        (["pair == ETH/USDT"], True),
        (["pair != ETH/USDT"], False),
        (["side == short"], False),
        (["enter_tag == dip"], True),
        (["hour == 1", "weekday == Mon"], True),
        (["hour in 22, 23"], False),
        (["session == 00-06h"], True),
        (["no_such_feature != 3"], False),
        (["risk == any"], False),
        (["risk != any"], True),
        ({"rsi": "< 31", "pair": ["ETH/USDT", "BTC/USDT"], "weekday": "Mon"}, True),
        ({"rsi": 30}, True),
    ],
)
def test_a_rule_acts_where_all_conditions_hold(when: Any, fires: bool) -> None:
    """A feature that the entry does not have fires nothing."""
    decision = decided({"when": when, "scale": 0.5, "note": "less here"})
    assert decision.multiplier == (0.5 if fires else 1.0)
    named = [part for part in decision.reasons if part.name == "rule"]
    assert [part.value for part in named] == (["number-0"] if fires else [])


def test_rules_multiply_within_the_bounds() -> None:
    """All effects add up to the multiplier, and the bound is named."""
    scales = [{"when": ["rsi < 40"], "scale": each} for each in (0.5, 0.3)]
    decision = decided(*scales)
    assert decision.multiplier == 0.25
    assert sum(part.effect for part in decision.reasons) == pytest.approx(-0.75)
    assert decision.reasons[-1].name == "min_multiplier"
    assert decided({"when": ["rsi < 40"], "scale": 10.0}).multiplier == 1.75


def test_a_veto_refuses_only_where_the_config_allows_it() -> None:
    """Elsewhere the entry gets the smallest stake; a later rule does not raise it again."""
    veto, more = {"when": ["rsi < 40"], "veto": True}, {"when": ["rsi < 40"], "scale": 4.0}
    assert [part.name for part in decided(veto, more, veto_below=0.3).reasons][-1] == "vetoed"
    plain = decided(veto, more)
    assert plain.multiplier == 0.25
    assert all(part.name != "vetoed" for part in plain.reasons)


def test_a_note_is_said_and_moves_nothing() -> None:
    """`why` shows it with the rule's number."""
    decision = decided({"when": ["rsi < 40"], "note": "the pool was thin here"})
    assert decision.multiplier == 1.0
    assert "+0.000  rule number-0, a note: the pool was thin here" in reasons(decision)


def test_a_rule_acts_only_while_it_is_approved() -> None:
    """From strictly after its approval until it is retired."""
    from dataclasses import replace

    rule = read_rule({"when": ["rsi < 40"], "scale": 0.5}, "x")
    rule = replace(rule, since=at(2), until=at(4))
    stage = a_stage(rules=LearnedRules([rule], 0.25, 1.75))
    found = [stage.session.decide(proposal(hours)).multiplier for hours in (1, 2, 3, 4, 5)]
    assert found == [1.0, 1.0, 0.5, 0.5, 1.0]
    stage.session.replace_rules(LearnedRules([replace(rule, until=LATEST)], 0.25, 1.75))
    assert stage.session.decide(proposal(6)).multiplier == 0.5


def test_an_open_risk_event_fires_for_its_pair_and_its_time() -> None:
    """Also where events damp nothing; before it was known it does nothing."""
    rule = read_rule({"when": ["risk in stop_loss, liquidation"], "scale": 0.5}, "x")
    stage = a_stage(rules=LearnedRules([rule], 0.25, 1.75))
    stopped = a_trade(1, exit_reason="stop_loss", profit_ratio=-0.04)
    other = a_trade(2, exit_reason="stop_loss", profit_ratio=-0.04, pair="BTC/USDT")
    stage.session.restore_risk([stopped, other], [])
    found = [stage.session.decide(proposal(hours)).multiplier for hours in (1, 1.5, 168.9, 169.1)]
    assert found == [1.0, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "must be a mapping"),
        ({"when": ["rsi < 30"]}, "this one does nothing"),
        ({"when": [], "scale": 0.5}, "a list of 1 to 20 conditions"),
        ({"when": "rsi < 30", "scale": 0.5}, "a list of 1 to 20 conditions"),
        ({"when": ["rsi"], "scale": 0.5}, "'rsi' is no condition"),
        ({"when": ["rsi < nan"], "scale": 0.5}, "finite number"),
        ({"when": ["pair < 5"], "scale": 0.5}, "compares a text by <"),
        ({"when": ["weekday in Sat,,Sun"], "scale": 0.5}, "an empty value"),
        ({"when": ["rsi < 30"], "scale": 0}, r"a number in \(0, 10\]"),
        ({"when": ["rsi < 30"], "scale": True}, r"a number in \(0, 10\]"),
        ({"when": ["rsi < 30"], "scale": 0.5, "veto": True}, "either veto or scale"),
        ({"when": ["rsi < 30"], "scale": 0.5, "run": "rm"}, "no key 'run'"),
        ({"when": ["risk == no_such"], "scale": 0.5}, "with any or one of"),
        ({"when": ["rsi < 30"], "scale": 0.5, "note": 7}, "note must be a text"),
    ],
)
def test_a_wrong_rule_is_refused(given: Any, message: str) -> None:
    """With the key, the rule and the value; in the config this stops the run."""
    with pytest.raises(RecordError, match=message):
        read_rule(given, "x")
    if isinstance(given, dict):
        settings = Settings.model_validate({"sizing": {"trial_rules": [given]}})
        with pytest.raises(ConfigError, match="trial_rules"):
            trial_rules(settings)


def test_conditions_are_written_as_they_are_read() -> None:
    """So that the same rule is the same text."""
    for text in ("rsi < 30", "weekday in Sat, Sun", "pair == 1INCH/USDT", "hour in 1, 2.5"):
        (one,) = read_rule({"when": [text], "veto": True}, "x").conditions
        assert as_text(one) == text


def test_off_is_off() -> None:
    """No rule acts where the policy leaves every stake as proposed."""
    rule = read_rule({"when": ["rsi < 30"], "scale": 0.5}, "x")
    assert not learned_rules(Settings.model_validate({"sizing": {"policy": "off"}}), [rule])
    assert learned_rules(Settings(), [rule])


def test_a_wish_below_the_bounds_is_the_guards_matter() -> None:
    """Rules that do not fire leave the policy's multiplier as it is."""
    rules = LearnedRules([read_rule({"when": ["rsi > 90"], "scale": 0.5}, "x")], 0.25, 1.75)
    wish = Wish(multiplier=1.1, reasons=())
    assert rules.apply(wish, proposal(), lambda *_: ()) == (1.1, ())
