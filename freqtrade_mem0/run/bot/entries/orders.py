"""Tells from a bot's orders which of them came to nothing. Freqtrade has no callback for that.

An order that is cancelled before any of it was filled may be deleted with its trade, and of an
order that the exchange refuses there is no trace at all. So orders are looked at regularly: what
was open and is gone failed, and so did what was confirmed and has no order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.records.kinds.failure import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.host.order_states import OrderState

_CANCELLED = ("cancelled", "canceled", "expired", "rejected")
_REPLACED = "replaced"

_PLACED_WITHIN = timedelta(seconds=30)
"""Freqtrade places an order right after it was confirmed; a slow exchange takes seconds."""

_GIVEN_UP = timedelta(minutes=5)
"""Freqtrade tries an order that fails again in each loop; when it has stopped, that is over."""

_CLOCKS_DIFFER = timedelta(minutes=2)
_MOST = 1_000


class Wanted(NamedTuple):
    """An order that the strategy confirmed."""

    pair: str
    side: str
    is_entry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOrder:
    """What became of an order: `key` names it."""

    key: str
    wanted: Wanted
    cause: Cause
    reason: str
    rate: float
    order_id: str = ""
    filled_ratio: float = 0.0
    n: int = 1
    opened_nothing: bool = False
    """Whether no trade is left of it."""


@dataclass(slots=True)
class _Asked:
    first_at: datetime
    last_at: datetime
    rate: float
    n: int = 1
    n_told: int = 0
    """How many of them are in a record."""


class OrderWatch:
    """Follows the orders of one bot. For one thread at a time.

    Parameters
    ----------
    timeouts
        Seconds after which Freqtrade cancels an unfilled entry and exit; None where unknown.
    """

    def __init__(self, timeouts: tuple[float | None, float | None] = (None, None)) -> None:
        self._timeouts = timeouts
        self._asked: dict[Wanted, _Asked] = {}
        self._open: dict[str, OrderState] = {}
        self._told: set[str] = set()
        """Cancelled orders that are looked at again, as an older one is still open."""
        self.after_row = 0
        """Rows of orders up to this one need not be looked at again."""

    def confirmed(self, wanted: Wanted, moment: datetime, rate: float) -> None:
        """Note that an order is about to be placed; what fails is tried again in each loop."""
        asked = self._asked.get(wanted)
        if asked is not None:
            asked.last_at, asked.n = moment, asked.n + 1
        elif len(self._asked) < _MOST:
            self._asked[wanted] = _Asked(moment, moment, rate)

    def look(self, states: Sequence[OrderState], moment: datetime) -> list[FailedOrder]:
        """Return what failed since the last look; `states` are all orders behind `after_row`."""
        cancelled = [state for state in states if _is_cancelled(state)]
        found = [self._of_cancelled(each) for each in cancelled if each.order_id not in self._told]
        self._told = {state.order_id for state in cancelled}
        there = {state.order_id for state in states}
        gone = [state for order_id, state in self._open.items() if order_id not in there]
        found += [self._of_gone(state, moment) for state in gone]
        self._open = {state.order_id: state for state in states if state.is_open}
        for wanted, asked in list(self._asked.items()):
            of_it = [each for each in (*states, *gone) if wanted == _wanted(each)]
            since = asked.first_at - _CLOCKS_DIFFER
            is_over = any(each.is_open or each.placed_at >= since for each in of_it)
            if is_over or moment - asked.last_at >= _GIVEN_UP:
                del self._asked[wanted]
                is_news = asked.n > asked.n_told > 0
            else:
                is_news = not asked.n_told and moment - asked.first_at >= _PLACED_WITHIN
            if is_news:
                found.append(_not_placed(wanted, asked))
                asked.n_told = asked.n
        if states:
            first_open = min((state.row for state in self._open.values()), default=None)
            self.after_row = states[-1].row if first_open is None else first_open - 1
        return found

    def _of_cancelled(self, state: OrderState) -> FailedOrder:
        cause: Cause = "timed_out" if "timeout" in state.reason else "cancelled"
        return _failed(state, "rejected" if state.status == "rejected" else cause, state.reason)

    def _of_gone(self, state: OrderState, moment: datetime) -> FailedOrder:
        timeout_s = self._timeouts[0 if state.is_entry else 1]
        lasted_s = (moment - state.placed_at).total_seconds()
        if timeout_s is not None and lasted_s >= timeout_s:
            failed = _failed(state, "timed_out", "cancelled due to timeout, nothing was filled")
        else:
            failed = _failed(state, "cancelled", "it was cancelled before anything was filled")
        return replace(failed, opened_nothing=True)


def _is_cancelled(state: OrderState) -> bool:
    is_over = state.status in _CANCELLED and not state.is_open
    return is_over and state.filled_ratio < 1.0 and _REPLACED not in state.reason


def _wanted(state: OrderState) -> Wanted:
    return Wanted(state.pair, state.side, state.is_entry)


def _failed(state: OrderState, cause: Cause, reason: str) -> FailedOrder:
    return FailedOrder(
        key=state.order_id,
        wanted=_wanted(state),
        cause=cause,
        reason=reason,
        rate=state.rate,
        order_id=state.order_id,
        filled_ratio=state.filled_ratio,
    )


def _not_placed(wanted: Wanted, asked: _Asked) -> FailedOrder:
    return FailedOrder(
        key=f"{wanted} {asked.first_at.isoformat()}",
        wanted=wanted,
        cause="not_placed",
        reason="Freqtrade has no order of it: the exchange refused it or gave an error (the log of "
        "Freqtrade has the words), or it was cancelled at once",
        rate=asked.rate,
        n=asked.n,
        opened_nothing=not asked.n_told,
    )
