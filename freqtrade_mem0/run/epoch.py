"""Stakes of the default policy in a backtest, an epoch of hyperopt or an analysis: nothing else.

A loop comes back to memory after thousands of other steps of Freqtrade, so the processor has to
load again whatever a stake touches. So little is done, in few places: no decision, no record and no
risk event is made, and a closed trade is known by the numbers that memory's account reads. Each
stake is that of `run.backtest`, to the last bit. Only for the default policy, see
`RunDescription.follows_default_alone`. `run.noted` adds what a backtest records.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.account import AccountReader
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.closed_entry import ClosedEntry
from freqtrade_mem0.insight.shrinkage import NOTHING
from freqtrade_mem0.recall.index.columns import SHORT, entry_numbers, rounded
from freqtrade_mem0.recall.index.entry_list import EntryList
from freqtrade_mem0.records.base import utc_ms
from freqtrade_mem0.records.from_trade import END_OF_DATA, trade_id_of, trade_record
from freqtrade_mem0.run.backtest import BacktestRuntime, BacktestSession
from freqtrade_mem0.sizing.guard import Guarded, unguarded
from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.policies.split import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.insight.standing import Standing
    from freqtrade_mem0.records.decision import Reason
    from freqtrade_mem0.run.setup import SessionSetup

    Place = tuple[str, bool, datetime]
    """Pair, whether it is short, and moment of an entry: the open date of its trade."""

    Ask = tuple[Mapping[str, Any], int, float, tuple[object, object], float | None]
    """The arguments of `custom_stake_amount`, its moment in epoch milliseconds, the strategy's own
    stake, > 0, volatility and momentum of the situation (None for one that is unknown), and the
    smallest stake, see `Proposal`."""

    Said = tuple[float, tuple[Reason, ...], float, Response, Standing]
    """The stake to place, a reason for each limit that changed it, the multiplier, and what this
    followed from."""

logger = logging.getLogger(__name__)

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
        self._known = EntryList(self._id_of)
        self._account = AccountReader(self._known, split.shares, self._ask, self._ask_all)
        self._movements: dict[Place, tuple[object, object]] = {}
        """Volatility and momentum at entries whose trades are not closed."""
        self.n_runs = 0
        """How many runs have begun: each has other candles."""

    def learn_closed(self) -> None:
        """Learn the trades closed since the last call; where another run began, forget all."""
        began, trades = self._trades.take_new()
        if began:
            self._begin_run()
        if trades:
            self._learn(trades)

    def stake(self, ask: Ask, free_slots: Callable[[float], float]) -> Said:
        """Return the stake to place, from what `learn_closed` has learned.

        Parameters
        ----------
        ask
            The entry and the strategy's own stake.
        free_slots
            See `Proposal`.
        """
        call, now_ms, proposed, movement, min_stake = ask
        volatility = movement[0]
        if not isinstance(volatility, float):
            volatility = 0.0
        response, account = self._account.at(now_ms, volatility)
        assert account is not None  # noqa: S101 - for mypy: `split` has shares
        multiplier, said, moved = self._split.with_lone_response(response, account)
        if self._guard.min_multiplier <= multiplier <= self._guard.max_multiplier:
            self._account.note(now_ms, volatility, said, moved, account)
        else:
            multiplier = self._guarded(now_ms, response, account)
        self._movements[call["pair"], call["side"] == "short", call["current_time"]] = movement
        wished, most = proposed * multiplier, call["max_stake"]
        stake, limited = within_limits(proposed, wished, min_stake, most, free_slots)
        return stake, limited, multiplier, response, account

    def note(self, *_: Any) -> None:
        """Note nothing of what was asked and said; see `run.noted`."""

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
        self.learn_closed()

    def _begin_run(self) -> None:
        self.n_runs += 1
        self._known.clear()
        self._movements.clear()

    def _learn(self, trades: Sequence[Any]) -> Sequence[Any]:
        """Learn closed trades; return those that could be learned."""
        movements, without = self._movements, []
        for trade in trades:
            try:
                profit, is_short, opened = trade.close_profit, trade.is_short, trade.open_date
                if profit is None or profit - profit != 0.0:  # not a finite number
                    trade_record(trade, self.origin, self._now())  # says what is wrong
                # Freqtrade enters a pair and side once in a candle.
                movement = movements.pop((trade.pair, is_short, opened), _UNKNOWN)
                if trade.exit_reason != END_OF_DATA:
                    entry = entry_numbers(utc_ms(opened), *movement, SHORT * is_short)
                    open_ms, volatility, toward, _ = entry
                    rest = rounded(profit), 1.0, volatility, toward, is_short, None
                    known = tuple.__new__(ClosedEntry, (utc_ms(trade.close_date), open_ms, *rest))
                    self._known.add(known, trade)
            except RecordError as error:
                logger.warning("%s", error)
                without.append(trade)
            except Exception:
                logger.exception("Trade %s could not be recorded.", trade)
                without.append(trade)
        return [trade for trade in trades if trade not in without] if without else trades

    def _id_of(self, trade: Any) -> str:
        return trade_id_of(trade, self.origin)

    def _ask(self, _: ClosedEntry, response: Response) -> Sequence[float]:
        return (self._lone.multiplier(response),)

    def _ask_all(self, responses: NDArray[np.float64]) -> Sequence[NDArray[np.float64]]:
        return (self._lone.multipliers(responses),)


class EpochRuntime(BacktestRuntime):
    """The runtime of an epoch or an analysis that says stakes only."""

    session: EpochSession
    session_type = EpochSession
