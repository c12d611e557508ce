"""The closed trades and locks of the backtest that runs in this process."""

from __future__ import annotations

from typing import Any

from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.risk.event_type import Lock


class BacktestTrades:
    """Hands out each closed trade of the running backtest once.

    The trades are Freqtrade's own objects after it has closed them, with the numbers of its result
    file. (Inside `order_filled` a backtest's trade has no outcome yet.) Freqtrade makes a new list
    for every backtest, so a new list means a new run, for example the next hyperopt epoch.
    """

    def __init__(self) -> None:
        from freqtrade.persistence import LocalTrade

        self._freqtrade = LocalTrade
        self._before = LocalTrade.bt_trades
        self._list: list[Any] | None = None
        self._taken = 0

    def take_new(self) -> tuple[bool, list[Any]]:
        """Return whether a new run began since the last call, and the trades closed since."""
        trades = self._freqtrade.bt_trades
        began = trades is not self._list
        if began:
            self._list, self._taken = trades, 0
        new = trades[self._taken :]
        self._taken = len(trades)
        return began, new

    def last_of_run(self) -> list[Any]:
        """Return the run's last closed trades, unless another run has begun in the meantime."""
        if self._list is None:
            # This run never asked for a stake; it has a list if it began.
            began, new = self.take_new()
            return new if began and self._list is not self._before else []
        new = self._list[self._taken :]
        self._taken = len(self._list)
        return new


class BacktestLocks:
    """Hands out each lock of the running backtest once; a new list means a new run."""

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
        """Return the last locks of the run of the last call."""
        new = [] if self._list is None else self._list[self._taken :]
        self._taken += len(new)
        return [as_lock(lock) for lock in new]


def as_lock(lock: Any) -> Lock:
    """Return a lock of Freqtrade as our type."""
    return Lock(
        pair=lock.pair,
        side=lock.side or "*",
        reason=lock.reason or "",
        since=as_utc(lock.lock_time),
        until=as_utc(lock.lock_end_time),
    )
