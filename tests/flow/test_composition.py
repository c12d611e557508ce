"""The mixin in real runs: every order of bases trades the same, only the user's own is listed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.demo.freqtrade_run import load_backtest
from tests.flow.harness import run_backtest
from tests.flow.scenarios import (
    CORE,
    ENABLED,
    complaints,
    in_order,
    memory_in,
    numbers_of_record,
    numbers_of_trade,
    run_freqtrade,
    trade_records,
)

if TYPE_CHECKING:
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

NAMES = ("Before", "After", "Deep")
COMPOSED = f'''{CORE}

class Own(Core):
    """Overrides what the mixin needs, without calling `super()`."""

    confirmed, filled, looped = 0, 0, 0

    def bot_loop_start(self, current_time, **kwargs):
        self.looped += 1

    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake,
                            max_stake, leverage, entry_tag, side, **kwargs):
        return proposed_stake / 2

    def confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time,
                            entry_tag, side, **kwargs):
        self.confirmed += 1
        return current_time.minute != 0

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        self.filled += 1
        trade.set_custom_data("filled", self.filled)

    def mem0_situation(self, *, pair, candles, current_time, side, enter_tag):
        return {{"rsi_at_entry": float(candles["rsi"].iloc[-1]), "looped": self.looped}}


class Before(Mem0Mixin, Own):
    pass


class After(Own, Mem0Mixin):
    pass


class Middle(Mem0Mixin, Own):
    def order_filled(self, pair, trade, order, current_time, **kwargs):
        super().order_filled(pair, trade, order, current_time, **kwargs)


class Deep(Middle):
    def confirm_trade_entry(self, *args, **kwargs):
        return super().confirm_trade_entry(*args, **kwargs)
'''


def test_every_composition_trades_and_remembers_the_same(backtests: Backtests) -> None:
    """Own callbacks without `super()`, bases in either order: same trades, all of them recorded."""
    job = replace(
        backtests.job(
            COMPOSED, ENABLED, timerange="20240101-20240105", extra=["--strategy-list", *NAMES]
        ),
        strategy="Before",
    )
    result = run_backtest(job)
    assert complaints(result.log) == []
    trades = {name: load_backtest(job.userdir, name)[1] for name in NAMES}
    assert trades["Before"] == trades["After"] == trades["Deep"]
    assert len(trades["Before"]) > 40
    with memory_in(job.userdir) as store:
        for name in NAMES:
            records = trade_records(store, strategy=name)
            traded = in_order([numbers_of_trade(trade) for trade in trades[name]])
            assert in_order([numbers_of_record(record) for record in records]) == traded
            assert all(record.decision_id for record in records)
            assert all(float(record.situation["rsi_at_entry"]) > 0 for record in records)
            assert {record.open_date.minute for record in records} <= set(range(5, 60, 5))


def test_only_the_users_strategy_is_listed(backtests: Backtests) -> None:
    """`list-strategies` shows what the user wrote and not the mixin, and makes no memory."""
    job = backtests.job(COMPOSED.split("class Middle", maxsplit=1)[0], ENABLED)
    extra = ("--userdir", str(job.userdir), "--strategy-path", str(job.strategy_path), "-1")
    ended = run_freqtrade("list-strategies", job, *extra, bare=True)
    assert ended.code == 0, ended.output
    listed = {line.strip() for line in ended.output.splitlines()}
    assert {"Before", "After", "Own", "Core"} <= listed
    assert "Mem0Mixin" not in ended.output
    assert not (job.userdir / "mem0").exists()
