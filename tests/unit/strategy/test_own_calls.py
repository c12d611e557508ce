"""A strategy that calls its own callbacks gets its own values; only Freqtrade's calls count."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from freqtrade_mem0.strategy import attach
from tests.unit.strategy import test_mixin_composition as mixin
from tests.unit.strategy import test_risk_callbacks as risk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STAKE_BY_POSITION = 'pair, moment, 2000.0, 80.0, 10.0, 1000.0, 1.0, "dip", "long"'
_STAKE_BY_KEYWORD = (
    "pair=pair, current_time=moment, current_rate=2000.0, proposed_stake=80.0, min_stake=10.0,"
    ' max_stake=1000.0, leverage=1.0, entry_tag="dip", side="long"'
)
_ENTRY_BY_POSITION = 'pair, "limit", 1.0, 2000.0, "GTC", moment, "dip", "long"'
_ENTRY_BY_KEYWORD = (
    'pair=pair, order_type="limit", amount=1.0, rate=2000.0, time_in_force="GTC",'
    ' current_time=moment, entry_tag="dip", side="long"'
)
AVERAGING = """
class Mine(Mem0Mixin, Base):
    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake,
                            max_stake, leverage, entry_tag, side, **kwargs):
        return proposed_stake / 2

    def adjust_trade_position(self, trade, current_time, **kwargs):
        pair, moment = trade.pair, current_time
        return {call}
"""
DECORATED = """
def doubled(callback):
    def twice(**kwargs):
        return 2 * callback(**kwargs)
    return twice


class Mine(Mem0Mixin, Base):
    def bot_start(self, **kwargs):
        self.custom_stake_amount = doubled(self.custom_stake_amount)

    def adjust_trade_position(self, trade, current_time, **kwargs):
        pair, moment = trade.pair, current_time
        return self.custom_stake_amount({arguments})
"""
BLOCK: dict[str, Any] = {**risk.DAMPED, "sizing": {"veto_below": 0.9}}


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[mixin.Loader]:
    """A loader in a folder of its own, whose strategies' memories are closed at the end."""
    loader = mixin.Loader(tmp_path, [])
    yield loader
    for strategy in loader.started:
        attach.stop(strategy)


def adjusted(strategy: Any) -> Any:
    """Call `adjust_trade_position` as Freqtrade does."""
    return strategy_safe_wrapper(strategy.adjust_trade_position)(
        trade=mixin._Trade(), current_time=mixin.MOMENT
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (f"self.custom_stake_amount({_STAKE_BY_KEYWORD})", 40.0),
        (f"self.custom_stake_amount({_STAKE_BY_POSITION})", 40.0),
        (f"super().custom_stake_amount({_STAKE_BY_KEYWORD})", 80.0),
        (f"[self.custom_stake_amount({_STAKE_BY_KEYWORD}) for _ in range(2)][-1]", 40.0),
        (f"self.confirm_trade_entry({_ENTRY_BY_KEYWORD})", True),
        (f"self.confirm_trade_entry({_ENTRY_BY_POSITION})", True),
        ('self.leverage(pair, moment, 2000.0, 5.0, 20.0, "dip", "long")', 1.0),
    ],
)
@pytest.mark.parametrize("runmode", [RunMode.BACKTEST, RunMode.DRY_RUN])
def test_own_calls_get_own_values(
    loader: mixin.Loader,
    call: str,
    expected: object,
    runmode: RunMode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No multiplier, no veto, no line in the ledger, nothing logged; Freqtrade's call is scaled."""
    strategy = loader.load(AVERAGING.format(call=call), mem0=BLOCK, runmode=runmode)
    mixin._stake(strategy)  # the run begins
    mixin._teach(strategy, -0.02)
    risk.liquidated(strategy)
    with caplog.at_level(logging.WARNING, logger="freqtrade_mem0"):
        assert adjusted(strategy) == expected
    assert [each for each in caplog.records if each.name.startswith("freqtrade_mem0")] == []
    assert mixin._journal(strategy) == []
    assert mixin._stake(strategy) < 50.0
    assert mixin._confirmed(strategy) is False


def test_an_own_call_between_stake_and_confirmation_loses_no_decision(
    loader: mixin.Loader,
) -> None:
    """The decision of Freqtrade's call is the one that is kept."""
    call = f"self.custom_stake_amount({_STAKE_BY_KEYWORD})"
    strategy = loader.load(AVERAGING.format(call=call))
    mixin._stake(strategy)
    adjusted(strategy)
    assert mixin._decision(strategy).proposed_stake == 50.0


def test_an_own_call_inside_a_callback_is_the_strategys(loader: mixin.Loader) -> None:
    """Leverage asked for in the stake's callback is not damped; the stake itself is scaled."""
    strategy = loader.load(
        "class Mine(Mem0Mixin, Base):\n"
        "    def leverage(self, **kwargs):\n        return 5.0\n"
        "    def custom_stake_amount(self, **kwargs):\n"
        "        return 100.0 * self.leverage(**kwargs)",
        mem0=risk.DAMPED,
    )
    mixin._stake(strategy)  # the run begins
    risk.liquidated(strategy)
    assert mixin._stake(strategy) < 500.0
    assert mixin._decision(strategy).proposed_stake == 500.0
    assert risk.leverage_of(strategy) == pytest.approx(2.0, rel=0.01)


def test_a_decorator_put_on_at_the_start_leaves_freqtrades_calls_scaled(
    loader: mixin.Loader,
) -> None:
    """Freqtrade calls the decorator then; a call of the strategy's own through it is its own."""
    strategy = loader.load(DECORATED.format(arguments=_STAKE_BY_KEYWORD))
    mixin._stake(strategy)  # the run begins
    mixin._teach(strategy, -0.02)
    assert mixin._stake(strategy) < 190.0
    assert mixin._decision(strategy).proposed_stake == 100.0
    assert adjusted(strategy) == 160.0


@pytest.mark.parametrize("call", ["self.bot_loop_start(moment)", "self.bot_loop_start()"])
def test_a_bot_may_call_its_own_loop(
    loader: mixin.Loader, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By position, or without the arguments that Freqtrade gives: it is the strategy's own code."""
    source = AVERAGING.format(call=call) + (
        "\n    def bot_loop_start(self, current_time=None, **kwargs):\n        return 'looped'\n"
    )
    strategy = loader.load(source, runmode=RunMode.DRY_RUN)
    with caplog.at_level(logging.WARNING, logger="freqtrade_mem0"):
        assert adjusted(strategy) == "looped"
    assert [each for each in caplog.records if each.name.startswith("freqtrade_mem0")] == []
