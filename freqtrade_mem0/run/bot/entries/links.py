"""Links trades to the decisions that opened them, and keeps what was known at their entry."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import EntryContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.run.bot.entries.placed import PlacedDecisions


class EntryLinks:
    """The decision and the situation at the entry of each open trade.

    A decision is worded where it is written or read, not in the callback that links it.
    """

    def __init__(
        self,
        placed: PlacedDecisions,
        submit: Callable[[Submitted], None],
        linked: Callable[[Any, Callable[[], Decision]], None],
    ) -> None:
        self._placed = placed
        self._submit = submit
        self._linked = linked
        self._entries: dict[str, EntryContext | Callable[[], Decision]] = {}

    def __contains__(self, trade_id: str) -> bool:
        return trade_id in self._entries

    def link(self, trade: Any, trade_id: str) -> None:
        """Link a trade, once, to the decision that opened it, if there is one."""
        if trade_id in self._entries:
            return  # a further entry order
        decision = self._placed.take_for(trade)
        if decision is None:
            return  # memory was away at the entry; other decisions were for other orders
        self._entries[trade_id] = decision
        self._submit(partial(_opened, decision, trade_id, as_utc(trade.open_date)))
        self._linked(trade, decision)

    def get(self, trade_id: str) -> EntryContext | None:
        """Return what was known at a trade's entry, if anything."""
        known = self._entries.get(trade_id)
        if not callable(known):
            return known
        decision = known()
        return EntryContext(decision_id=decision.id, situation=decision.situation)

    def add(self, entries: Mapping[str, EntryContext]) -> None:
        """Add what an earlier process knew, by trade id."""
        self._entries.update(entries)

    def reopen(self, record: TradeRecord) -> None:
        """Keep the entry of a trade whose record was retracted: it may be closed again."""
        self._entries[record.id] = EntryContext(
            decision_id=record.decision_id, situation=record.situation
        )

    def release(self, trade_id: str) -> None:
        """Forget the entry of a closed trade: its record has it."""
        self._entries.pop(trade_id, None)


def _opened(decision: Callable[[], Decision], trade_id: str, open_date: datetime) -> Opened:
    return Opened(decision_id=decision().id, trade_id=trade_id, open_date=open_date)
