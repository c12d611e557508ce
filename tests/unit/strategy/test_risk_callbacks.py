"""Vetoes and leverage at Freqtrade's callbacks: the strategy's own word, and memory's after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.strategy import attach
from tests.support.samples import BACKTEST, a_risk_event
from tests.unit.strategy import test_mixin_composition as mixin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAIN = "class Mine(Mem0Mixin, Base):\n    pass"
BOLD = (
    "class Mine(Mem0Mixin, Base):\n"
    "    asked = 5.0\n"
    "    def leverage(self, **kwargs):\n        return self.asked"
)
DAMPED: dict[str, Any] = {
    "mode": "local",
    "risk": {"damping": {"enabled": True, "severity": {"liquidation": 0.6}}, "leverage": True},
}


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[mixin.Loader]:
    """A loader in a folder of its own, whose strategies' memories are closed at the end."""
    loader = mixin.Loader(tmp_path, [])
    yield loader
    for strategy in loader.started:
        attach.stop(strategy)


def leverage_of(strategy: Any) -> Any:
    """Ask for a leverage as Freqtrade does."""
    return strategy_safe_wrapper(strategy.leverage, default_retval=1.0)(
        pair=mixin.PAIR,
        current_time=mixin.MOMENT,
        current_rate=2_000.0,
        proposed_leverage=1.0,
        max_leverage=20.0,
        side="long",
        entry_tag="dip",
    )


def liquidated(strategy: Any, pair: str = mixin.PAIR) -> None:
    """Let memory know of a liquidation an hour ago or so."""
    session = vars(strategy)["_mem0_runtime"].session
    at_11 = mixin.MOMENT.replace(hour=11)
    event = a_risk_event(1, known_at=at_11, event_type="liquidation", pair=pair)
    session._risk._active.add(event)


def test_a_veto_refuses_the_entry(loader: mixin.Loader) -> None:
    """And stands in the ledger without a trade."""
    block = {"mode": "local", "sizing": {"policy": "bayes", "veto_below": 0.9}}
    strategy = loader.load(PLAIN, mem0=block)
    mixin._stake(strategy)
    assert mixin._confirmed(strategy) is True
    mixin._teach(strategy, -0.02)
    mixin._stake(strategy)
    assert mixin._confirmed(strategy) is False
    *_, line = mixin._journal(strategy)
    assert (line.decision.reasons[-1].name, line.decision.trade_id) == ("vetoed", None)


def test_without_a_threshold_nothing_is_refused(loader: mixin.Loader) -> None:
    """The default."""
    strategy = loader.load(PLAIN)
    mixin._teach(strategy, -0.02)
    mixin._stake(strategy)
    assert mixin._confirmed(strategy) is True


def test_the_own_veto_comes_first(loader: mixin.Loader) -> None:
    """The strategy's own answer is returned as it is, and memory keeps no decision."""
    source = (
        "class Mine(Mem0Mixin, Base):\n"
        "    def confirm_trade_entry(self, **kwargs):\n        return None"
    )
    strategy = loader.load(
        source, mem0={"mode": "local", "sizing": {"policy": "bayes", "veto_below": 0.9}}
    )
    mixin._teach(strategy, -0.02)
    mixin._stake(strategy)
    assert mixin._confirmed(strategy) is None
    assert mixin._journal(strategy) == []


@pytest.mark.parametrize(
    ("asked", "expected"), [(5.0, 2.0), (2, 1.0), (1.0, 1.0), (0.5, 0.5), (None, None)]
)
def test_leverage_is_damped_and_never_below_one(
    loader: mixin.Loader, asked: Any, expected: Any
) -> None:
    """What the strategy asks for times what is left; nonsense is handed through."""
    strategy = loader.load(BOLD, mem0=DAMPED)
    strategy.asked = asked
    assert leverage_of(strategy) == asked
    liquidated(strategy)
    found = leverage_of(strategy)
    assert found == (expected if expected is None else pytest.approx(expected, rel=0.01))


def test_the_decision_says_that_the_leverage_was_damped(loader: mixin.Loader) -> None:
    """Nothing that moves a position escapes the explanation; effects still add up."""
    strategy = loader.load(BOLD, mem0=DAMPED)
    leverage_of(strategy)  # the run begins
    liquidated(strategy, "ETH/USDT:USDT")
    decision = vars(strategy)["_mem0_runtime"].session.decide(
        Proposal(
            pair="ETH/USDT:USDT",
            side="long",
            enter_tag="dip",
            moment=mixin.MOMENT,
            stake=100.0,
            min_stake=10.0,
            max_stake=1_000.0,
            situation={},
        )
    )
    (reason,) = [each for each in decision.reasons if each.name == "leverage"]
    assert reason.text == "risk events damp the leverage to 40% of the strategy's, not below 1"
    assert sum(each.effect for each in decision.reasons) == pytest.approx(decision.multiplier - 1.0)


def test_leverage_is_left_alone_unless_switched_on(loader: mixin.Loader) -> None:
    """The callback is not even wrapped."""
    strategy = loader.load(BOLD)
    assert "leverage" not in vars(strategy)
    liquidated(strategy)
    assert leverage_of(strategy) == 5.0


def test_the_leverage_wrapper_goes_with_memory(loader: mixin.Loader) -> None:
    """It is not pickled, and stopping takes it away."""
    strategy = loader.load(BOLD, mem0=DAMPED)
    assert "leverage" in vars(strategy)
    assert "leverage" not in attach.state_without_memory(strategy)
    attach.stop(strategy)
    assert "leverage" not in vars(strategy)


def test_leverage_fails_to_what_was_asked(
    loader: mixin.Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of ours is logged; Freqtrade gets the strategy's leverage."""
    strategy = loader.load(BOLD, mem0=DAMPED)
    session = vars(strategy)["_mem0_runtime"].session
    monkeypatch.setattr(session, "leverage_factor", lambda *_: 1 / 0)
    assert leverage_of(strategy) == 5.0


def test_a_live_bot_in_shadow_neither_vetoes_nor_damps_leverage(loader: mixin.Loader) -> None:
    """Until `sizing.live` is true."""
    block = {**DAMPED, "sizing": {"veto_below": 0.9}}
    for live, expected in ((False, (True, 5.0)), (True, (False, pytest.approx(2.0, rel=0.01)))):
        mem0 = {**block, "sizing": {**block["sizing"], "live": live}}
        strategy = loader.load(BOLD, runmode=RunMode.LIVE, mem0=mem0, bot_name="bot")
        mixin._teach(strategy, -0.02)
        liquidated(strategy)
        mixin._stake(strategy)
        assert (mixin._confirmed(strategy), leverage_of(strategy)) == expected
        attach.stop(strategy)


def test_events_of_a_test_are_of_a_strategy() -> None:
    """The sample used above is damped by pair."""
    assert a_risk_event(origin=BACKTEST).pair == mixin.PAIR
