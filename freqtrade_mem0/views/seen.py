"""Which values the trades of a run had: what a question about an entry is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.evidence.facts import MICROSECOND
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.limits import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.evidence.checked import Trades
    from freqtrade_mem0.journal.evidence.read import Page
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

OF_THE_TRADE = ("pair", "side", "enter_tag")
"""Parts of levels that are no features of the market."""


class Seen:
    """The values of trades, not the trades.

    Parameters
    ----------
    levels
        As in `mem0.sizing.levels`: the values of what they combine are kept.
    """

    def __init__(self, levels: Sequence[str]) -> None:
        self.pairs: set[str] = set()
        self.tags: set[str] = set()
        self.values: dict[str, set[str]] = {
            name: set() for level in levels for name in level.split("*")
        }
        """By the names in levels, as texts."""
        self.last_known_at: datetime = EARLIEST
        """When the last of the trades became known."""

    def add(self, trades: Iterable[ClosedTrade]) -> None:
        """Take note of trades."""
        for trade in trades:
            self.pairs.add(trade.pair)
            self.tags.add(trade.enter_tag)
            self.last_known_at = max(self.last_known_at, trade.known_at)
            for name, values in self.values.items():
                if name in trade.situation:
                    values.add(str(trade.situation[name]))
                elif name in OF_THE_TRADE:
                    values.add(getattr(trade, name))

    def add_page(self, page: Page) -> None:
        """Take note of the trades of a page."""
        for trades in page.trades:
            self._add_columns(trades, page.words)
        self.add(item for _, item in page.items if isinstance(item, TradeEvidence))

    def _add_columns(self, trades: Trades, words: Mapping[int, str]) -> None:
        def texts(numbers: NDArray[Any]) -> set[str]:
            return {words[number] for number in set(numbers.tolist())}

        part = trades.part
        own: dict[str, NDArray[Any]] = {"pair": trades.pairs, **part.texts}
        self.pairs |= texts(own["pair"])
        self.tags |= texts(own["enter_tag"])
        last_us = int(trades.known_us.max())
        self.last_known_at = max(self.last_known_at, EARLIEST + last_us * MICROSECOND)
        for name, values in self.values.items():
            if name in part.numbers:
                values.update(map(str, part.numbers[name].tolist()))
            elif name in part.words:
                values.update(texts(part.words[name]))
            elif name in OF_THE_TRADE:
                values.update(texts(own[name]))
