"""Ties trades to the decisions that opened them, and keeps what was known at their entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import EntryContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.run.bot.entries.placed import PlacedDecisions


class EntryTies:
    """What was known at the entry of trades that are open.

    Parameters
    ----------
    placed
        Decisions whose order is not filled yet; a fill takes its own off.
    submit
        Takes entries for the journal; never blocks.
    """

    def __init__(self, placed: PlacedDecisions, submit: Callable[[Entry], None]) -> None:
        self._placed = placed
        self._submit = submit
        self._entries: dict[str, EntryContext] = {}

    def __contains__(self, trade_id: str) -> bool:
        return trade_id in self._entries

    def tie(self, trade: Any, trade_id: str) -> None:
        """Tie a trade to the decision that opened it, once; where there is none, do nothing."""
        if trade_id in self._entries:
            return  # a further entry order
        decision = self._placed.take_for(trade)
        if decision is None:
            return  # entered while memory was away; any decision was for another order
        self._entries[trade_id] = EntryContext(
            decision_id=decision.id, situation=decision.situation
        )
        self._submit(
            Opened(decision_id=decision.id, trade_id=trade_id, open_date=as_utc(trade.open_date))
        )

    def get(self, trade_id: str) -> EntryContext | None:
        """Return what was known at a trade's entry; None where nothing is."""
        return self._entries.get(trade_id)

    def add(self, entries: Mapping[str, EntryContext]) -> None:
        """Take up what an earlier process knew, by trade id."""
        self._entries.update(entries)

    def reopen(self, record: TradeRecord) -> None:
        """Keep the entry of a trade that may be closed again."""
        self._entries[record.id] = EntryContext(
            decision_id=record.decision_id, situation=record.situation
        )

    def release(self, trade_id: str) -> None:
        """Forget the entry of a trade that is closed: its record has it."""
        self._entries.pop(trade_id, None)
