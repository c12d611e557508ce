"""What a backtest tells of itself: the run id that Freqtrade stores, and the end of its loop."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from freqtrade.optimize.backtest_caching import get_strategy_run_id

from freqtrade_mem0.host.freqtrade import after_loop, backtest_run_id


class _Backtesting:
    """As much of Freqtrade's class as matters here: it computes ids, then starts strategies."""

    def __init__(self, *strategies: Any) -> None:
        self.strategylist = list(strategies)
        self.run_ids = {s.get_strategy_name(): get_strategy_run_id(s) for s in strategies}

    def start(self, strategy: Any) -> str:
        """Change the config as Freqtrade does, and return the id that the strategy gets."""
        strategy.config["order_types"]["stoploss_on_exchange"] = False
        return backtest_run_id(strategy)


def a_strategy(name: str) -> Any:
    """Return a strategy as far as its run id goes."""
    return SimpleNamespace(
        config={"strategy": name, "order_types": {"stoploss_on_exchange": True}},
        get_strategy_name=lambda: name,
        _ft_params_from_file={},
        __file__=Path(__file__),
    )


def test_the_stored_id_counts_although_the_config_has_changed() -> None:
    """Each strategy of a list gets its own."""
    one, other = a_strategy("One"), a_strategy("Other")
    backtesting = _Backtesting(one, other)
    assert backtesting.start(one) == backtesting.run_ids["One"]
    assert backtesting.start(other) == backtesting.run_ids["Other"]
    assert backtest_run_id(one) != backtesting.run_ids["One"]


def test_another_strategy_of_the_same_name_has_nothing_to_do_with_it() -> None:
    """A strategy that the caller does not run has the id of its own config."""
    stranger = a_strategy("One")
    backtesting = _Backtesting(a_strategy("One"))
    assert backtesting.start(stranger) == get_strategy_run_id(stranger)
    assert backtesting.start(stranger) != backtesting.run_ids["One"]


def test_the_end_of_the_loop_is_told_once_and_between_the_backtest_and_what_follows() -> None:
    """The object is Freqtrade's own again as soon as its method was called."""
    told: list[str] = []

    class Running(_Backtesting):
        """With the method whose end is the end of the loop."""

        def start(self, strategy: Any) -> str:
            """Let memory ask to be told."""
            after_loop(strategy, lambda: told.append("ended"))
            return super().start(strategy)

        def backtest(self, processed: dict[str, int], *, start_date: int) -> int:
            """Walk over the candles."""
            told.append("walked")
            return processed["candles"] + start_date

    strategy = a_strategy("One")
    backtesting = Running(strategy)
    backtesting.start(strategy)
    backtesting.start(strategy)  # stopped by an error before its loop, and started again
    assert backtesting.backtest({"candles": 4}, start_date=3) == 7
    assert told[:2] == ["walked", "ended"]
    del told[:]
    assert backtesting.backtest({"candles": 4}, start_date=3) == 7
    assert (told, "backtest" in vars(backtesting)) == (["walked"], False)
    after_loop(a_strategy("Another"), lambda: told.append("ended"))
