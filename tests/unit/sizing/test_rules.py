"""Rules of thumb: each fires beyond its threshold and not at it, and says so with its numbers."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.insight.performance import RecentPerformance
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Moments
from freqtrade_mem0.sizing.policies.rules import Rules, from_settings
from freqtrade_mem0.sizing.policies.rules import Settings as RuleSettings
from freqtrade_mem0.sizing.policy import Known, Wish

SPREAD = 0.02
DEEP = (
    "25.00% of one stake below its best, which is 12.5 times what a trade moves, more than 10: x0.7"
)


def trades(n: float = 40.0, win_rate: float = 0.5) -> Moments:
    """Return the moments of trades whose root mean square is `SPREAD`."""
    return Moments(n, 0.0, SPREAD**2, n * win_rate)


def wish(
    whole: Moments,
    *levels: EntryGroup,
    form: RecentPerformance | None = None,
    rank: float | str = 0.5,
    bounds: tuple[float, float] = (0.25, 1.75),
    **thresholds: Any,
) -> Wish:
    """Return what rules with some thresholds of their own make of what is known."""
    rules = Rules(
        thresholds=RuleSettings(**thresholds), min_multiplier=bounds[0], max_multiplier=bounds[1]
    )
    known = Known(
        strategy=EntryGroup("strategy", "Sample", whole),
        levels=levels,
        situation={"volatility_rank": rank},
        form=lambda: form or RecentPerformance(),
    )
    return rules(known)


def test_without_trades_no_rule_fires() -> None:
    """Whatever the market does."""
    found = wish(NOTHING, rank=1.0)

    assert (found.multiplier, [r.name for r in found.reasons]) == (1.0, ["no_evidence"])


def test_where_no_rule_fires_that_is_the_reason() -> None:
    """There is always one."""
    (reason,) = wish(trades()).reasons

    assert (reason.name, reason.effect) == ("no_rule", 0.0)
    assert reason.text == "no rule fired: the stake stays as proposed"


@pytest.mark.parametrize(
    ("beyond", "at", "name", "factor", "text"),
    [
        (
            {"whole": trades(win_rate=0.4)},
            {"whole": trades(win_rate=0.45)},
            "low_win_rate",
            0.7,
            "strategy Sample: win rate 40.0% of 40.0 trades, below 45.0%: x0.7",
        ),
        (
            {"whole": trades(20.0, 0.0)},
            {"whole": trades(19.9, 0.0)},
            "low_win_rate",
            0.7,
            "strategy Sample: win rate 0.0% of 20.0 trades, below 45.0%: x0.7",
        ),
        (
            {"whole": trades(win_rate=0.75)},
            {"whole": trades(40.0, 0.6)},
            "high_win_rate",
            1.2,
            "strategy Sample: win rate 75.0% of 40.0 trades, above 60.0%: x1.2",
        ),
        (
            {"form": RecentPerformance(9, 5, 0.1)},
            {"form": RecentPerformance(9, 4, 0.1)},
            "losing_streak",
            0.7,
            "5 losing trades in a row, 5 or more: x0.7",
        ),
        (
            {"form": RecentPerformance(9, 0, 0.25)},
            {"form": RecentPerformance(9, 0, 0.2)},
            "drawdown",
            0.7,
            DEEP,
        ),
        (
            {"rank": 0.95},
            {"rank": 0.9},
            "high_volatility",
            0.8,
            "volatility rank 0.95 at entry, above 0.9: x0.8",
        ),
    ],
    ids=["low_win_rate", "min_trades", "high_win_rate", "losing_streak", "drawdown", "volatility"],
)
def test_a_rule_fires_beyond_its_threshold(
    beyond: dict[str, Any], at: dict[str, Any], name: str, factor: float, text: str
) -> None:
    """Not at it; the reason has the numbers; with null in the config it never fires."""
    ordinary: dict[str, Any] = {"whole": trades()}
    fired = wish(**(ordinary | beyond))

    assert fired.multiplier == pytest.approx(factor)
    assert [(name, text)] == [(reason.name, reason.text) for reason in fired.reasons]
    assert wish(**(ordinary | at)).multiplier == 1.0
    assert wish(**(ordinary | beyond | {name: None})).multiplier == 1.0
    other = wish(**(ordinary | beyond | {f"{name}_factor": 1.0}))
    assert (other.multiplier, other.reasons[0].name) == (1.0, name)


def test_factors_multiply_and_effects_add_up() -> None:
    """Three rules, in their order."""
    found = wish(trades(win_rate=0.4), form=RecentPerformance(9, 6, 0.0), rank=0.99)

    assert found.multiplier == pytest.approx(0.7 * 0.7 * 0.8)
    assert [r.name for r in found.reasons] == ["low_win_rate", "losing_streak", "high_volatility"]
    assert [reason.effect for reason in found.reasons] == pytest.approx([-0.3, -0.21, -0.098])


def test_the_bounds_hold_and_say_so() -> None:
    """The reason is what the bound took back."""
    low = wish(trades(win_rate=0.4), form=RecentPerformance(9, 6, 0.5), bounds=(0.5, 1.1))
    high = wish(trades(win_rate=0.9), bounds=(0.5, 1.1))

    assert (low.multiplier, low.reasons[-1].name) == (0.5, "min_multiplier")
    assert (high.multiplier, high.reasons[-1].name) == (1.1, "max_multiplier")
    assert low.reasons[-1].effect == pytest.approx(0.5 - 0.343)
    assert high.reasons[-1].text == "sizing.max_multiplier of 1.1 keeps the multiplier from 1.2"
    for found in (low, high):
        total = math.fsum(reason.effect for reason in found.reasons)
        assert total == pytest.approx(found.multiplier - 1.0)


def test_levels_have_win_rates_of_their_own_where_that_is_wanted() -> None:
    """Each fires by itself, beside the strategy's."""
    pair = EntryGroup("pair", "ETH/USDT", trades(25.0, 0.2))
    side = EntryGroup("side", "long", trades(25.0, 0.2))

    assert wish(trades(), pair, side).multiplier == 1.0
    found = wish(trades(win_rate=0.4), pair, side, win_rate_levels=("pair",))
    assert found.multiplier == pytest.approx(0.49)
    assert [reason.value for reason in found.reasons] == ["strategy Sample", "pair ETH/USDT"]


def test_form_is_not_asked_for_where_no_rule_needs_it() -> None:
    """It costs time in a backtest."""

    def form() -> RecentPerformance:
        raise AssertionError("nobody needs it")

    rules = Rules(
        thresholds=RuleSettings(losing_streak=None, drawdown=None),
        min_multiplier=0.25,
        max_multiplier=1.75,
    )
    known = Known(strategy=EntryGroup("strategy", "Sample", trades()), levels=[], form=form)
    assert rules(known).multiplier == 1.0


@pytest.mark.parametrize("rank", ["high", ""])
def test_a_market_that_is_not_known_fires_nothing(rank: str) -> None:
    """An author's own feature may have the same name and be a word."""
    assert wish(trades(), rank=rank).multiplier == 1.0


def entry(situation: dict[str, float | str], **conditions: float) -> Wish:
    """Return what conditions make of an entry in a situation."""
    settings = load_settings(
        {
            "mem0": {
                "situation": {"indicators": ["ADX(14)"]},
                "sizing": {
                    "policy": "rules",
                    "rules": {"conditions": conditions},
                },
            }
        }
    )
    assert settings is not None
    known = Known(EntryGroup("strategy", "Sample", trades()), (), situation=situation)
    return from_settings(settings.sizing)(known)


@pytest.mark.parametrize(
    ("text", "situation", "holds"),
    [
        ("ADX(14) < 20", {"ADX(14)": 19.9}, True),
        ("ADX(14) < 20", {"ADX(14)": 20.0}, False),
        ("ADX(14)<=20", {"ADX(14)": 20.0}, True),
        ("ADX(14) >= 20", {"ADX(14)": 20.0}, True),
        ("ADX(14) > 20", {"ADX(14)": 20.0}, False),
        ("weekday == Sun", {"weekday": "Sun"}, True),
        ("weekday != Sun", {"weekday": "Mon"}, True),
        ("weekday != Sun", {}, False),
        ("trend_regime == uptrend", {"trend_regime": 3.0}, False),
        ("ADX(14) < 20", {"ADX(14)": "low"}, False),
        ("regime == calm sideways", {"regime": "calm sideways"}, True),
    ],
)
def test_a_condition_holds_or_not(
    text: str, situation: dict[str, float | str], *, holds: bool
) -> None:
    """A missing feature, or one of another type, fires nothing."""
    found = entry(situation, **{text: 0.5})

    assert found.multiplier == (0.5 if holds else 1.0)
    assert found.reasons[0].name == ("condition" if holds else "no_rule")


def test_a_condition_says_what_it_found() -> None:
    """The reason names condition, value and factor."""
    (reason,) = entry({"ADX(14)": 17.5}, **{"ADX(14) < 20": 0.7}).reasons

    assert (reason.value, reason.text) == ("ADX(14) < 20", "ADX(14) is 17.5 at entry: x0.7")
    assert reason.effect == pytest.approx(-0.3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ADX(14)", "is no condition"),
        ("ADX(14) < nan", "compares with nan"),
        ("weekday > Sun", "compares a text by >"),
        ("ADX(15) < 3", "which is not in situation.indicators: ADX(14)"),
        ("ADX(14) =< 3", "is no condition"),
    ],
)
def test_a_wrong_condition_is_refused_at_the_start(text: str, said: str) -> None:
    """With what to correct."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        entry({}, **{text: 0.5})
