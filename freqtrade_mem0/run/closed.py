"""A closed trade of a backtest, which is read where memory needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import END_OF_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.records.base import Origin


class Closed:
    """A closed trade of Freqtrade, as recall and risk read it, and later the journal.

    It does not change any more, so that nothing is read before it is asked for.
    """

    __slots__ = ("_id", "_known_at", "_make_id", "answer", "origin", "recorded_at", "trade")

    stop_sold_part = False

    def __init__(
        self,
        trade: Any,
        answer: Answer | None,
        origin: Origin,
        recorded_at: datetime,
        make_id: Callable[[], str],
    ) -> None:
        self.trade = trade
        self.answer = answer
        """The answer to its entry; None where memory failed at it."""
        self.origin = origin
        self.recorded_at = recorded_at
        self._make_id = make_id
        self._id: str | None = None
        self._known_at: datetime | None = None

    @property
    def id(self) -> str:
        """Record id, as of `trade_id_of`."""
        if self._id is None:
            self._id = self._make_id()
        return self._id

    @property
    def known_at(self) -> datetime:
        """When it was closed, UTC."""
        if self._known_at is None:
            self._known_at = as_utc(self.trade.close_date)
        return self._known_at

    @property
    def open_date(self) -> datetime:
        """When it was opened, UTC."""
        return as_utc(self.trade.open_date)

    @property
    def pair(self) -> str:
        """Its pair."""
        pair: str = self.trade.pair
        return pair

    @property
    def side(self) -> str:
        """Its side."""
        side: str = self.trade.trade_direction
        return side

    @property
    def enter_tag(self) -> str:
        """Its tag; empty where there is none."""
        return str(self.trade.enter_tag or "")

    @property
    def exit_reason(self) -> str:
        """Freqtrade's name of its exit."""
        return self.trade.exit_reason or ""

    @property
    def profit_ratio(self) -> float:
        """After fees."""
        ratio: float = self.trade.close_profit
        return ratio

    @property
    def is_evidence(self) -> bool:
        """False where the end of the data closed it."""
        return self.exit_reason != END_OF_DATA

    @property
    def situation(self) -> Mapping[str, float | str]:
        """At its entry; empty where memory failed at it."""
        return {} if self.answer is None else self.answer.proposal.features
