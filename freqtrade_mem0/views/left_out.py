"""Trades of a backtest that say nothing about a strategy: those that its end closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin


def trades_of_run(memory: MemoryFolder, origin: Origin) -> Iterator[TradeEvidence]:
    """Return all trades of a run, also those that its end closed."""
    run = Scope(kind=TradeRecord.kind).in_run(origin)
    return iter(memory.journal.evidence.trades(run))


def n_left_out(memory: MemoryFolder, origin: Origin) -> int:
    """Return how many trades of a backtest are no evidence; 0 for a bot, which has no end."""
    if origin.mode is not Mode.BACKTEST:
        return 0
    n = 0
    for page in memory.journal.evidence.pages(Scope(kind=TradeRecord.kind).in_run(origin)):
        n += sum(int((~trades.part.counts).sum()) for trades in page.trades)
        items = (item for _, item in page.items if isinstance(item, TradeEvidence))
        n += sum(not trade.is_evidence for trade in items)
    return n


def left_out_words(n: int) -> str:
    """Return a sentence on trades that are not counted; "" where there are none.

    >>> left_out_words(1)
    '1 trade that the end of the backtest closed is left out.'
    """
    verb = "is" if n == 1 else "are"
    return (
        f"{counted(n, 'trade')} that the end of the backtest closed {verb} left out." if n else ""
    )
