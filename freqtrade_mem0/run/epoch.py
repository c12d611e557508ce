"""Memory in an epoch of hyperopt or an analysis, where nothing is recorded: the stake alone.

Nobody will ask why, so no decision, no record and no risk event is made, and a closed trade is
known by the numbers that memory's account reads. Each stake is that of `run.backtest`, to the last
bit. Only for the default policy, see `RunDescription.says_stakes_only`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.account import AccountReader
from freqtrade_mem0.insight.closed_entry import ClosedEntry
from freqtrade_mem0.insight.shrinkage import NOTHING
from freqtrade_mem0.recall.index.columns import SHORT, entry_numbers, rounded
from freqtrade_mem0.recall.index.entry_list import EntryList
from freqtrade_mem0.records.base import utc_ms
from freqtrade_mem0.records.from_trade import END_OF_DATA, trade_ids, trade_record
from freqtrade_mem0.run.backtest import BacktestRuntime, BacktestSession
from freqtrade_mem0.sizing.guard import Guarded, unguarded
from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.policies.split import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.insight.standing import Standing
    from freqtrade_mem0.run.setup import SessionSetup

_UNKNOWN = (None, None)


class EpochSession(BacktestSession):
    """Says stakes with the default policy; see `BacktestSession` for the parameters."""

    def __init__(self, setup: SessionSetup, **others: Any) -> None:
        super().__init__(setup, **others)
        policy = setup.policy
        split = unguarded(policy)
        lone = split.lone_response if isinstance(split, Split) else None
        if not isinstance(policy, Guarded) or not isinstance(split, Split) or lone is None:
            raise TypeError(f"policy {policy.name!r} needs a session that explains its stakes")
        self._guard, self._split, self._lone = policy, split, lone
        self._known = EntryList()
        self._account = AccountReader(self._known, split.shares, self._ask, self._ask_all)
        self._movements: dict[tuple[str, str, int], tuple[object, object]] = {}
        """Volatility and momentum at entries, by pair, side and open date in epoch milliseconds."""
        self._ids: dict[tuple[str, str], Callable[[int], str]] = {}

    def stake(
        self,
        entry: tuple[str, str, int],
        proposed: float,
        movement: tuple[object, object],
        limits: tuple[float | None, float],
        free_slots: Callable[[float], float],
    ) -> float:
        """Return the stake to place.

        Parameters
        ----------
        entry
            Pair, side, and moment in epoch milliseconds.
        proposed
            The strategy's own stake, > 0, in stake currency.
        movement
            Volatility and momentum of the situation; None for one that is unknown.
        limits
            The smallest stake and the largest, see `Proposal`.
        free_slots
            See `Proposal`.
        """
        self._learn_closed()
        now_ms, volatility = entry[2], movement[0]
        if not isinstance(volatility, float):
            volatility = 0.0
        response, account = self._account.at(now_ms, volatility)
        assert account is not None  # noqa: S101 - for mypy: `split` has shares
        multiplier, said, moved = self._split.with_lone_response(response, account)
        if self._guard.min_multiplier <= multiplier <= self._guard.max_multiplier:
            self._account.note(now_ms, volatility, said, moved, account)
        else:
            multiplier = self._guarded(now_ms, response, account)
        self._movements[entry] = movement
        return within_limits(proposed, proposed * multiplier, *limits, free_slots)[0]

    def _guarded(self, now_ms: int, response: Response, account: Standing) -> float:
        """Return what the guard makes of a multiplier beyond its bounds."""
        known = self._decider.evidence.put_together(
            {},
            self.origin.strategy,
            now_ms,
            response=response,
            account=account,
            whole=NOTHING,
            n_foreign=0.0,
        )
        return self._guard(known).multiplier

    def _learn_closed(self) -> None:
        began, trades = self._trades.take_new()
        if began:
            self._known.clear()
            self._movements.clear()
        self._record(trades)

    def _close(self, trade: Any) -> None:
        profit = trade.close_profit
        if profit is None or not math.isfinite(profit):
            trade_record(trade, self.origin, self._now())  # says what is wrong
        if trade.exit_reason == END_OF_DATA:
            return
        pair, side, open_ms = trade.pair, trade.trade_direction, utc_ms(trade.open_date)
        # Freqtrade enters a pair and side once in a candle.
        movement = self._movements.pop((pair, side, open_ms), _UNKNOWN)
        make_id = self._ids.get((pair, side))
        if make_id is None:
            make_id = self._ids[pair, side] = trade_ids(self.origin, pair, side)
        is_short = side == "short"
        _, volatility, momentum, _ = entry_numbers(open_ms, *movement, SHORT * is_short)
        numbers = rounded(profit), 1.0, volatility, momentum, is_short, None
        known = tuple.__new__(ClosedEntry, (utc_ms(trade.close_date), open_ms, *numbers))
        self._known.add(known, partial(make_id, open_ms))

    def _ask(self, _: ClosedEntry, response: Response) -> Sequence[float]:
        return (self._lone.multiplier(response),)

    def _ask_all(self, responses: NDArray[np.float64]) -> Sequence[NDArray[np.float64]]:
        return (self._lone.multipliers(responses),)


class EpochRuntime(BacktestRuntime):
    """The runtime of an epoch or an analysis that says stakes only."""

    session: EpochSession
    session_type = EpochSession
