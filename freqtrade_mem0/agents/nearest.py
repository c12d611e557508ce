"""Which known trades are nearest to an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.views.values import Facts, iso
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.trade import TradeRecord

    Trade = TradeRecord | TradeEvidence

_UNKNOWN = 2.0
"""Squared distance of a number that one of two situations lacks, in its spread: as at random."""


class NearestTrades:
    """Finds the trades nearest to an entry.

    Near is a trade that shares many of the groups of recall's levels with the entry; of several
    with equally many, the one whose numbers of the situation differ least, in their spread.

    Parameters
    ----------
    trades
        Of one strategy; those that are no evidence are left out.
    recall
        Knows the levels.
    """

    def __init__(self, trades: Iterable[Trade], recall: Recall) -> None:
        self._recall = recall
        self._trades: list[Trade] = []
        self._known_ms = np.array([], np.int64)
        self._rows: dict[tuple[str, str], list[int]] = {}
        self.add(trades)

    def add(self, trades: Iterable[Trade]) -> None:
        """Add trades that were not known before."""
        fresh = [trade for trade in trades if trade.is_evidence]
        for row, trade in enumerate(fresh, len(self._trades)):
            keys = self._recall.keys(trade.pair, trade.side, trade.enter_tag, trade.situation)
            for key in keys:
                self._rows.setdefault(key, []).append(row)
        self._trades += fresh
        known_ms = [to_ms(trade.known_at) for trade in fresh]
        self._known_ms = np.append(self._known_ms, np.array(known_ms, np.int64))

    def find(self, decision: Decision, shown: slice) -> list[tuple[int, Trade]]:
        """Return a part of the trades known strictly before a decision, losses first.

        With each its rank: 1 is the nearest, and `shown` is a part of the ranks.
        """
        at_entry = decision.situation
        known = self._known_ms < to_ms(decision.decided_at)
        shared = np.zeros(len(self._trades))
        for key in self._recall.keys(decision.pair, decision.side, decision.enter_tag, at_entry):
            shared[self._rows.get(key, [])] += 1.0
        distance = np.zeros(len(self._trades))
        for name, value in at_entry.items():
            if isinstance(value, float):
                distance += self._distances(name, value, known)
        order = np.lexsort((-self._known_ms, distance, -shared))
        ranked = [(rank, self._trades[row]) for rank, row in enumerate(order[known[order]], 1)]
        return sorted(ranked[shown], key=lambda each: each[1].profit_ratio)

    def _distances(
        self, name: str, value: float, known: NDArray[np.bool_]
    ) -> NDArray[np.float64] | float:
        """Return the squared difference of a feature in each trade, in its spread."""
        values = [trade.situation.get(name) for trade in self._trades]
        column = np.array([each if isinstance(each, float) else np.nan for each in values])
        told = column[known & np.isfinite(column)]
        spread = float(told.std()) if told.size else 0.0
        if spread <= 0.0:
            return 0.0
        return np.nan_to_num(((column - value) / spread) ** 2, nan=_UNKNOWN)


def trade_facts(trade: Trade, rank: int) -> Facts:
    """Return a trade as an agent reads it; `rank` 1 is the nearest."""
    whole = trade.as_record() if isinstance(trade, TradeEvidence) else trade
    return {
        "id": trade.id,
        "rank": rank,
        "pair": visible(trade.pair),
        "side": visible(trade.side),
        "enter_tag": visible(trade.enter_tag),
        "exit_reason": visible(trade.exit_reason),
        "profit_ratio": trade.profit_ratio,
        "open_date": iso(trade.open_date),
        "close_date": iso(trade.close_date),
        "text": visible(whole.sentence()),
    }
