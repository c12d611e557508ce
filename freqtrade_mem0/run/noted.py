"""A backtest with the default policy: stakes in its loop, what is recorded of them after it.

The loop says stakes as `run.epoch` does, and notes what was asked and said. A note becomes journal
entries where the journal is written: after the loop, in a forked child where there can be one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.run.backtest import BacktestRuntime
from freqtrade_mem0.run.epoch import EpochSession
from freqtrade_mem0.run.explained import Asked, Explained, Once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.host.backtest_state import BacktestLocks
    from freqtrade_mem0.risk.event_type import Lock
    from freqtrade_mem0.run.epoch import Ask, Place, Said
    from freqtrade_mem0.run.setup import SessionSetup
    from freqtrade_mem0.situation import Situation
    from freqtrade_mem0.situation.signals import Signals

_AT_ONCE = 256
"""So many notes are handed to the writer together."""


class NotedSession(EpochSession):
    """Says stakes with the default policy, and notes them; see `BacktestSession`."""

    def __init__(self, setup: SessionSetup, *, locks: BacktestLocks, **others: Any) -> None:
        super().__init__(setup, **others)
        self._setup = setup
        self._locks: BacktestLocks = locks
        self._explained = self._new_explained()
        self._notes: list[Asked] = []
        """What was asked and is not yet handed to the writer."""
        self._asked: dict[Place, Asked] = {}
        """What was handed over before its trade; entries whose order timed out stay."""

    def note(
        self,
        ask: Ask,
        said: Said,
        situation: Situation | Callable[[], Situation] | None,
        signals: Signals,
    ) -> None:
        """Note what was asked and said; see `Asked`."""
        self._notes.append(Asked(self._explained, ask, said, situation, signals))

    def confirmed(self, call: Mapping[str, Any]) -> None:
        """Note that the entry that was asked about last is about to be placed."""
        if self._notes:
            last = self._notes[-1]
            earlier = last.ask[0]
            last.is_confirmed = earlier["pair"] == call["pair"] and earlier["side"] == call["side"]

    def forget_answer(self, *_: Any) -> None:
        """Hand over what was asked before: it can not be confirmed any more."""
        self._hand_over()

    def end_run(self) -> None:
        """Note what was closed after the last entry, and hand everything to the writer."""
        if trades := self._trades.last_of_run():
            self._learn(trades)
        self._hand_over_locks(self._locks.last_of_run())
        self._hand_over_rest()
        self._record_missed()

    def _begin_run(self) -> None:
        self._hand_over_rest()
        super()._begin_run()
        self._explained = self._new_explained()
        self._asked.clear()
        self._forget_missed()

    def _learn(self, trades: Sequence[Any]) -> Sequence[Any]:
        if len(self._notes) >= _AT_ONCE:
            self._hand_over()
        learned = super()._learn(trades)
        self._explained.trades += learned
        self._hand_over_locks(self._locks.take_new())
        return learned

    def _hand_over(self) -> None:
        """Hand over the notes, each after the trades that were closed before it."""
        notes, self._notes = self._notes, []
        for asked in notes:
            self._hand_over_trades(asked.n_learned)
            call = asked.ask[0]
            self._asked[call["pair"], call["side"] == "short", call["current_time"]] = asked
            self._submit(asked)
        self._hand_over_trades(len(self._explained.trades))

    def _hand_over_trades(self, n: int) -> None:
        explained = self._explained
        first = len(explained.entries)
        if first < n:
            recorded_at = self._now()
            for number, trade in enumerate(explained.trades[first:n], first):
                place = trade.pair, trade.is_short, trade.open_date
                explained.entries.append((self._asked.pop(place, None), recorded_at))
                self._submit(partial(explained.closed, number))

    def _hand_over_locks(self, locks: Sequence[Lock]) -> None:
        if locks:
            self._hand_over()
            self._submit(Once(partial(self._explained.locked, locks)))

    def _hand_over_rest(self) -> None:
        self._hand_over()
        explained = self._explained
        if explained.n_to_examine < len(explained.trades):
            explained.n_to_examine = len(explained.trades)
            self._submit(Once(partial(explained.examined, explained.n_to_examine)))

    def _new_explained(self) -> Explained:
        return Explained(self._setup, self._decider, self._now, self._entries_of)


class NotedRuntime(BacktestRuntime):
    """The runtime of a backtest that records and follows the default policy alone."""

    session: NotedSession
    session_type = NotedSession
