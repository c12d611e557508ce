"""The explanation of a decision: short, in words, and its numbers add up."""

from __future__ import annotations

import re

import pytest

from freqtrade_mem0.decide import explain
from freqtrade_mem0.journal.ledger_line import LedgerLine
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.records.execution import Execution
from tests.support.samples import a_decision, a_trade

WHOLE = Reason(
    name="strategy",
    value="Sample",
    text="strategy Sample: 80.0 trades, mean +0.10% (95% interval -0.05% to +0.25%)",
    n_effective=80.0,
    mean_ratio=0.001,
)
COMBINED = Reason(
    name="side*trend_regime",
    value="long & uptrend",
    text="side*trend_regime long & uptrend: 12.0 trades, mean +0.90%",
    effect=0.3,
)
SMALL = (
    Reason(name="pair", value="ETH/USDT:USDT", text="pair ETH/USDT:USDT: 9.0 trades", effect=0.004),
    Reason(name="enter_tag*session", value="dip & 00-06h", text="...", effect=0.003),
)
LIMIT = Reason(name="max_stake", text="at most 110 is available, 130.7 was wanted")


def test_levels_read_as_words_and_small_effects_share_a_line() -> None:
    """The strategy's mean stands above; its own line would say nothing."""
    decision = a_decision(
        reasons=(WHOLE, COMBINED, *SMALL, LIMIT), multiplier=1.307, expected_ratio=0.0042
    )
    assert explain.reasons(decision) == [
        "+0.300  side and trend_regime: long, uptrend; 12.0 trades, mean +0.90%",
        "+0.000  at most 110 is available, 130.7 was wanted",
        "+0.007  pair; enter_tag and session: less than 0.005 each",
    ]
    text = explain.why(LedgerLine(decision=decision, trade=a_trade()))
    assert "mean +0.10% (95% interval -0.05% to +0.25%)" in text
    assert (
        "expected profit: +0.42% per trade in this situation, "
        "+0.32% against +0.10% per trade of the strategy"
    ) in text
    assert "= x1.307 of the proposed stake" in text
    shown = [float(effect) for effect in re.findall(r"^    ([+-]\d\.\d+)  ", text, re.MULTILINE)]
    assert abs(1.0 + sum(shown) - 1.307) < 0.001


@pytest.mark.parametrize(
    ("difference", "shown"),
    [
        (0.0001, "+0.110% per trade in this situation, +0.010% against +0.100%"),
        (-0.00000123, "+0.09988% per trade in this situation, -0.00012% against +0.10000%"),
        (0.0, "+0.10% per trade in this situation, +0.00% against +0.10%"),
    ],
)
def test_an_expected_difference_is_visible(difference: float, shown: str) -> None:
    """A stake moves with differences far below a hundredth of a percent."""
    decision = a_decision(reasons=(WHOLE,), expected_ratio=WHOLE.mean_ratio + difference)
    assert explain.expected(decision) == f"expected profit: {shown} per trade of the strategy"


def test_a_strategy_that_is_damped_has_a_line() -> None:
    """With the remark that says why."""
    damped = Reason(
        name="strategy",
        value="Sample",
        text="strategy Sample: 80.0 trades, mean -2.00%; a loss beyond doubt",
        mean_ratio=-0.02,
        effect=-0.4,
    )
    assert explain.reasons(a_decision(reasons=(damped,))) == [
        "-0.400  strategy: Sample; 80.0 trades, mean -2.00%; a loss beyond doubt"
    ]


def test_a_policy_without_a_forecast_tells_none() -> None:
    """No line "expected", and nothing made up."""
    off = Reason(name="off", text="sizing.policy is off: the stake stays as proposed")
    decision = a_decision(reasons=(off,), policy="off", multiplier=1.0, stake=100.0)
    text = explain.why(LedgerLine(decision=decision, trade=None))
    assert "expected" not in text
    assert "+0.000  sizing.policy is off: the stake stays as proposed" in text


def test_features_have_their_units() -> None:
    """Ratios as percent; the regime once."""
    features: dict[str, float | str] = {
        "volatility": 0.0117415,
        "trend": -0.929235,
        "rsi": 21.5205,
        "btc_dominance": 0.123457,
        "volatility_regime": "volatile",
        "trend_regime": "downtrend",
        "regime": "volatile downtrend",
    }
    assert explain.situation(features) == (
        "volatility 1.17%, trend -0.93, rsi 22, btc dominance 0.123457, "
        "volatility regime volatile, trend regime downtrend"
    )
    assert explain.situation({"regime": "calm uptrend"}) == "regime calm uptrend"
    assert "too few closed candles" in explain.situation({"session": "00-06h"})


def test_an_indicator_stands_with_its_bucket() -> None:
    """One entry, not two."""
    features: dict[str, float | str] = {
        "regime": "calm sideways",
        "ADX(14)": 31.5,
        "ADX(14)_bucket": "high",
    }

    assert explain.situation(features) == "regime calm sideways, ADX(14) 31.5 (high)"


def test_a_bots_orders_are_told_with_their_cost() -> None:
    """Worse or better than the rates of the orders, and what was asked and refused."""
    seen = Execution(
        entry_rate=100.0,
        entry_slippage=0.0012,
        exit_rate=110.0,
        exit_slippage=-0.0005,
        asked_reason="roi",
        asked_rate=110.0,
        n_asked=3,
        n_refused=2,
    )

    assert explain.execution(a_trade(execution=seen)) == (
        "entry filled 0.12% worse than its rate; exit filled 0.05% better than its rate; "
        "exit by roi asked for at 110 (3 times in all, refused 2 times)"
    )
    assert explain.execution(a_trade(execution=Execution(exit_slippage=0.0))) == (
        "exit filled at its rate"
    )
    assert explain.execution(a_trade()) == ""


def test_a_multiplier_that_a_limit_reduces_is_shown_with_what_is_left() -> None:
    """Otherwise the explanation of a stake that was left would end with x1.307."""
    decision = a_decision(reasons=(COMBINED, LIMIT), multiplier=1.307, stake=110.0)
    assert explain.numbers(decision)[-1] == (
        "  = x1.307 of the proposed stake; x1.100 within the limits"
    )
    free = a_decision(reasons=(COMBINED,), multiplier=1.307, stake=130.7)
    assert explain.numbers(free)[-1] == "  = x1.307 of the proposed stake"
