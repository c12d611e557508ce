"""How relevant a memory is: a base, times what its kind, its outcome, its use and its age say.

It decides which memories are pruned first. No stake depends on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.aging import DAY_MS, age_ms, importance
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work
    from freqtrade_mem0.records.base import Record

BASE = 0.5
_OF_SUCCESS = 1.2
_MOST_OF_PROFIT = 0.5
_MOST_OF_ACCESS = 0.3
_ASKED_FOR_MOST = 10
_FADES_DAYS = 30
_LEAST_OF_AGE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """The factors of a memory's relevance.

    Parameters
    ----------
    importance
        Of its kind or category, see the `"importance"` block; [0, 1].
    success
        1.2 for a trade that made money, else 1.
    profit
        1 plus the trade's profit as a ratio, up to 1.5; 1 for a loss and where there is none.
    access
        1 plus a tenth of how often it was asked for, up to 1.3.
    recency
        Falls from 1 to 0.5 in 15 days, and stays there.
    """

    importance: float
    success: float
    profit: float
    access: float
    recency: float

    @property
    def score(self) -> float:
        """0.5 times the product of the factors, at most 1."""
        return min(1.0, BASE * float(prod(asdict(self).values())))


def relevance(work: Work, row: Aging, record: Record | None) -> Relevance:
    """Return the relevance of a memory; `record` is what it stands for, None if unreadable."""
    profit = record.profit_ratio if isinstance(record, TradeRecord) else 0.0
    return Relevance(
        importance=importance(work.settings, row),
        success=_OF_SUCCESS if profit > 0 else 1.0,
        profit=1.0 + min(max(profit, 0.0), _MOST_OF_PROFIT),
        access=1.0 + min(row.n_asked / _ASKED_FOR_MOST, _MOST_OF_ACCESS),
        recency=max(_LEAST_OF_AGE, 1.0 - max(age_ms(work, row), 0) / DAY_MS / _FADES_DAYS),
    )
