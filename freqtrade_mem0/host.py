"""What we ask of Freqtrade outside its callbacks: the run mode, the run id, the closed trades.

Freqtrade is imported where it is used: its modules are large, and most commands of ours do without.
"""

from __future__ import annotations

import sys
import threading
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.risk.market import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunKind(StrEnum):
    """The ways Freqtrade runs a strategy in which memory takes part."""

    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    ANALYSIS = "analysis"
    """lookahead-analysis and recursive-analysis: as a backtest, but nothing is written."""
    DRY_RUN = "dry_run"
    LIVE = "live"

    @property
    def is_bot(self) -> bool:
        """Whether it runs by the wall clock, for months."""
        return self in (RunKind.DRY_RUN, RunKind.LIVE)

    @property
    def writes(self) -> bool:
        """Whether its trades are remembered."""
        return self not in (RunKind.HYPEROPT, RunKind.ANALYSIS)


_KINDS = {
    "backtest": RunKind.BACKTEST,
    "hyperopt": RunKind.HYPEROPT,
    "util_no_exchange": RunKind.ANALYSIS,
    "dry_run": RunKind.DRY_RUN,
    "live": RunKind.LIVE,
}


def run_kind(config: Mapping[str, Any]) -> RunKind | None:
    """Return how a strategy is being run; None for plots, lists and all else that loads one."""
    mode = config.get("runmode")
    return _KINDS.get(str(getattr(mode, "value", mode)))


def backtest_run_id(strategy: Any) -> str:
    """Return the run id under which Freqtrade stores this strategy's backtest."""
    from freqtrade.optimize.backtest_caching import get_strategy_run_id

    run_id: str = get_strategy_run_id(strategy)
    return run_id


def timeframe_seconds(timeframe: str) -> int:
    """Return the length of a candle in seconds."""
    from freqtrade.exchange import timeframe_to_seconds

    seconds: int = timeframe_to_seconds(timeframe)
    return seconds


def analysed_candles(strategy: Any, pair: str) -> Any:
    """Return the analysed dataframe of a pair, in a backtest with the candles to come.

    A backtest's data provider cuts a new dataframe for every call, which costs more than all that
    we do with it. The caller sees to it that nothing after its moment is looked at. Where a later
    Freqtrade keeps its dataframes elsewhere, the public way is taken.
    """
    key = (pair, strategy.timeframe, strategy.config.get("candle_type_def"))
    whole = getattr(strategy.dp, "_DataProvider__cached_pairs", {}).get(key)
    if whole is not None:
        return whole[0]
    candles, _ = strategy.dp.get_analyzed_dataframe(pair, strategy.timeframe)
    return candles


def runs_in_webserver() -> bool:
    """Return whether this is a backtest of `freqtrade webserver`, which runs in a worker thread."""
    return threading.current_thread() is not threading.main_thread() and webserver_is_busy()


def webserver_is_busy() -> bool:
    """Return whether `freqtrade webserver` is running a backtest or an analysis."""
    server = sys.modules.get("freqtrade.rpc.api_server.webserver_bgwork")
    return server is not None and bool(server.ApiBG.analysis_running)


class BacktestTrades:
    """The closed trades of the backtest that runs in this process, each handed out once.

    They are Freqtrade's own objects, after it has closed them: the numbers in them are those of its
    result file. (Inside `order_filled` a backtest's trade has no outcome yet.) Freqtrade makes a
    new list for every backtest, so a new list is a new run: that is how a hyperopt epoch is told
    from the one before.
    """

    def __init__(self) -> None:
        from freqtrade.persistence import LocalTrade

        self._freqtrade = LocalTrade
        self._before = LocalTrade.bt_trades
        self._list: list[Any] | None = None
        self._taken = 0

    def take_new(self) -> tuple[bool, list[Any]]:
        """Return whether a new run began since the last call, and its newly closed trades."""
        trades = self._freqtrade.bt_trades
        began = trades is not self._list
        if began:
            self._list, self._taken = trades, 0
        new = trades[self._taken :]
        self._taken = len(trades)
        return began, new

    def last_of_run(self) -> list[Any]:
        """Return what was closed since, unless another run has begun in the meantime."""
        if self._list is None:
            # This run never asked for a stake. Its list is there all the same, if it began.
            began, new = self.take_new()
            return new if began and self._list is not self._before else []
        new = self._list[self._taken :]
        self._taken = len(self._list)
        return new


class BacktestLocks:
    """The locks of the backtest that runs in this process, each handed out once.

    As with its trades, Freqtrade makes a new list for every backtest.
    """

    def __init__(self) -> None:
        from freqtrade.persistence import PairLocks

        self._freqtrade = PairLocks
        self._list: list[Any] | None = None
        self._taken = 0

    def take_new(self) -> list[Lock]:
        """Return the locks made since the last call, or since a new run began."""
        locks = self._freqtrade.locks
        if locks is not self._list:
            self._list, self._taken = locks, 0
        if len(locks) == self._taken:
            return []
        new = locks[self._taken :]
        self._taken = len(locks)
        return [as_lock(lock) for lock in new]

    def last_of_run(self) -> list[Lock]:
        """Return what was locked since, in the run that was asked about last."""
        new = [] if self._list is None else self._list[self._taken :]
        self._taken += len(new)
        return [as_lock(lock) for lock in new]


def as_lock(lock: Any) -> Lock:
    """Return one of Freqtrade's locks as ours."""
    return Lock(
        pair=lock.pair,
        side=lock.side or "*",
        reason=lock.reason or "",
        since=as_utc(lock.lock_time),
        until=as_utc(lock.lock_end_time),
    )


def database_identity(config: Mapping[str, Any]) -> str:
    """Return what tells a bot's trade database from those of other bots; "" for one in memory.

    Two bots may have one name; what one's database lacks says nothing about the other's trades.
    """
    url = str(config.get("db_url") or "")
    kind, _, path = url.partition(":///")
    if kind.startswith("sqlite"):
        if not path or path == ":memory:":
            return ""
        url = f"sqlite:///{Path(path).resolve()}"
    return sha256(url.encode()).hexdigest()[:16] if url else ""
