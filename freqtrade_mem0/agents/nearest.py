"""Which known trades are nearest to an entry."""

from __future__ import annotations

from heapq import nlargest
from statistics import pstdev
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.views.values import Facts, iso
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.trade import ClosedTrade, TradeRecord

    Trade = TradeRecord | TradeEvidence


def nearest_trades(
    trades: Sequence[Trade], decision: Decision, recall: Recall, limit: int
) -> list[Trade]:
    """Return the trades nearest to the entry of a decision, known strictly before it; losses first.

    Near is a trade that shares many of the groups of recall's levels with the entry; of several
    with equally many, the one whose numbers of the situation differ least, in their spread.

    Parameters
    ----------
    trades
        Of one strategy; those that are no evidence are left out.
    decision
        On the entry.
    recall
        Knows the levels.
    limit
        Most trades returned, >= 0.
    """
    at_entry = decision.situation
    wanted = set(recall.keys(decision.pair, decision.side, decision.enter_tag, at_entry))
    known = [
        trade for trade in trades if trade.is_evidence and trade.known_at < decision.decided_at
    ]
    spreads = {
        name: spread
        for name, value in at_entry.items()
        if isinstance(value, float)
        and (spread := _spread([trade.situation.get(name) for trade in known]))
    }

    def order(trade: ClosedTrade) -> tuple[int, float, datetime]:
        own = recall.keys(trade.pair, trade.side, trade.enter_tag, trade.situation)
        distance = _distance(trade.situation, at_entry, spreads)
        return len(wanted.intersection(own)), -distance, trade.known_at

    found = nlargest(limit, known, key=order)
    return sorted(found, key=lambda trade: trade.profit_ratio)


def trade_facts(trade: Trade) -> Facts:
    """Return a trade as an agent reads it."""
    whole = trade.as_record() if isinstance(trade, TradeEvidence) else trade
    return {
        "id": trade.id,
        "pair": visible(trade.pair),
        "side": visible(trade.side),
        "enter_tag": visible(trade.enter_tag),
        "exit_reason": visible(trade.exit_reason),
        "profit_ratio": trade.profit_ratio,
        "open_date": iso(trade.open_date),
        "close_date": iso(trade.close_date),
        "text": visible(whole.sentence()),
    }


def _spread(values: Sequence[float | str | None]) -> float:
    numbers = [value for value in values if isinstance(value, float)]
    return pstdev(numbers) if numbers else 0.0


def _distance(
    one: Mapping[str, float | str], other: Mapping[str, float | str], spreads: Mapping[str, float]
) -> float:
    """Return the mean squared difference of two situations, in the spread of each feature."""
    total = 0.0
    for name, spread in spreads.items():
        mine, theirs = one.get(name), other[name]
        if isinstance(mine, float) and isinstance(theirs, float):
            total += ((mine - theirs) / spread) ** 2
        else:
            total += 2.0  # what two values at random differ by
    return total
