"""The exits of a bot's open trades as they were decided, until the trades are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.records.execution import Execution, slippage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from freqtrade_mem0.records.kinds.trade import TradeRecord

_KEPT = 1_000
"""Newest trades with a noted exit; far more than a bot has open."""


class AskedExit(NamedTuple):
    """An exit that Freqtrade asked the strategy to confirm; `rate` is that of its order."""

    reason: str
    rate: float
    moment: datetime
    situation: Mapping[str, float | str]
    is_confirmed: bool


class ExitNotes:
    """The last exit asked for, by trade id, and how often it was asked and refused."""

    def __init__(self) -> None:
        self._notes: dict[str, tuple[AskedExit | None, int, int]] = {}

    def add(self, trade_id: str, asked: AskedExit) -> None:
        """Note an exit that Freqtrade asked for."""
        _, n_asked, n_refused = self._notes.pop(trade_id, (None, 0, 0))
        self._notes[trade_id] = (asked, n_asked + 1, n_refused + (not asked.is_confirmed))
        if len(self._notes) > _KEPT:
            del self._notes[next(iter(self._notes))]

    def release(self, trade_id: str) -> None:
        """Forget the exit of a trade whose record has it."""
        self._notes.pop(trade_id, None)

    def execution(self, trade: Any, trade_id: str, earlier: TradeRecord | None) -> Execution | None:
        """Return how a closed trade was decided and filled.

        An `earlier` record of it keeps what it has, unless an exit was noted since.
        """
        asked, n_asked, n_refused = self._notes.get(trade_id, (None, 0, 0))
        if asked is None and earlier is not None:
            return earlier.execution
        is_long = trade.trade_direction == "long"
        filled = [order for order in trade.orders if order.safe_filled > 0]
        entries = [order for order in filled if order.ft_order_side == trade.entry_side]
        exits = [order for order in filled if order.ft_order_side != trade.entry_side]
        entry_rate, entry_slippage = _cost(entries[:1], is_buy=is_long)
        exit_rate, exit_slippage = _cost(exits[-1:], is_buy=not is_long)
        noted: dict[str, Any] = {}
        if asked is not None:
            noted = {
                "asked_reason": asked.reason,
                "asked_rate": asked.rate,
                "asked_at": asked.moment,
                "asked_situation": asked.situation,
                "n_asked": n_asked,
                "n_refused": n_refused,
            }
        return Execution(
            entry_rate=entry_rate,
            entry_slippage=entry_slippage,
            exit_rate=exit_rate,
            exit_slippage=exit_slippage,
            **noted,
        )


def _cost(orders: list[Any], *, is_buy: bool) -> tuple[float | None, float | None]:
    """Return the rate of an order as it was placed, and its slippage; None without an order."""
    if not orders or not orders[0].ft_price:
        return None, None
    rate, average = float(orders[0].ft_price), float(orders[0].safe_price)
    return rate, slippage(rate, average, is_buy=is_buy)
