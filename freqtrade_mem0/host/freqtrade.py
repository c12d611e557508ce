"""What we ask of Freqtrade outside its callbacks: run id, candles, webserver, trade database.

Freqtrade is imported where it is used: its modules are large, and most of our commands need none.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType


def backtest_run_id(strategy: Any) -> str:
    """Return the run id under which Freqtrade stores the backtest of a strategy that starts now.

    Freqtrade computes the id from the config, and then changes the config before it starts the
    strategy (`stoploss_on_exchange` becomes False). So the id is read from the `Backtesting` object
    that starts the strategy; it is computed only where there is none.
    """
    run_id = _stored_run_id(strategy)
    if run_id is not None:
        return run_id
    from freqtrade.optimize.backtest_caching import get_strategy_run_id

    computed: str = get_strategy_run_id(strategy)
    return computed


def _stored_run_id(strategy: Any) -> str | None:
    """Return the run id that a `Backtesting` object among our callers has for a strategy."""
    backtesting = _backtesting(strategy)
    if backtesting is None:
        return None
    run_id: str | None = backtesting.run_ids.get(strategy.get_strategy_name())
    return run_id


def _backtesting(strategy: Any) -> Any:
    """Return the `Backtesting` object among our callers that starts a strategy, or None."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - nothing refers to that object
    while frame is not None:
        caller = frame.f_locals.get("self")
        listed = getattr(caller, "__dict__", {}).get("strategylist", ())
        if any(each is strategy for each in listed):
            return caller
        frame = frame.f_back
    return None


def after_loop(strategy: Any, then: Callable[[], None]) -> None:
    """Call a function when the backtest of a strategy that starts now has seen its last candle.

    Freqtrade has no callback for that, and computes and prints its statistics afterwards. So the
    method `backtest` of its object is replaced for one call. `then` must not raise.
    """
    backtesting = _backtesting(strategy)
    own = getattr(backtesting, "backtest", None)
    if own is None:
        return

    def backtest(*args: Any, **kwargs: Any) -> Any:
        vars(backtesting).pop("backtest", None)
        results = own(*args, **kwargs)
        then()
        return results

    backtesting.backtest = backtest


def timeframe_seconds(timeframe: str) -> int:
    """Return the length of a candle in seconds."""
    from freqtrade.exchange import timeframe_to_seconds

    seconds: int = timeframe_to_seconds(timeframe)
    return seconds


def analysed_candles(strategy: Any, pair: str) -> Any:
    """Return the analysed dataframe of a pair; in a backtest it includes later candles.

    A backtest's data provider copies the dataframe up to now for every call, which takes longer
    than all that we do with it. So its private cache is read, and the caller must ignore later
    candles. Where a later Freqtrade has no such cache, its public method is called.
    """
    key = (pair, strategy.timeframe, strategy.config.get("candle_type_def"))
    whole = getattr(strategy.dp, "_DataProvider__cached_pairs", {}).get(key)
    if whole is not None:
        return whole[0]
    candles, _ = strategy.dp.get_analyzed_dataframe(pair, strategy.timeframe)
    return candles


def runs_in_webserver() -> bool:
    """Return whether a backtest of `freqtrade webserver` runs in this thread."""
    return threading.current_thread() is not threading.main_thread() and webserver_is_busy()


def webserver_is_busy() -> bool:
    """Return whether `freqtrade webserver` is running a backtest or an analysis."""
    server = sys.modules.get("freqtrade.rpc.api_server.webserver_bgwork")
    return server is not None and bool(server.ApiBG.analysis_running)


def database_lasts(config: Mapping[str, Any]) -> bool:
    """Return whether a bot's trade database outlives its process; one in memory does not."""
    url = str(config.get("db_url") or "")
    kind, _, path = url.partition(":///")
    return path not in ("", ":memory:") if kind.startswith("sqlite") else bool(url)


def unfilled_timeouts(config: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return after how many seconds an unfilled entry and exit are cancelled; None for never."""
    given = config.get("unfilledtimeout") or {}
    unit_s = 1.0 if given.get("unit") == "seconds" else 60.0
    entry, leave = given.get("entry"), given.get("exit")
    return (
        None if entry is None else float(entry) * unit_s,
        None if leave is None else float(leave) * unit_s,
    )
