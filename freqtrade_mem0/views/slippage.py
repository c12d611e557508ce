"""What the fills of a bot cost against the rates of their orders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.drift.slippage import mean_of
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.drift.look import BOTS
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.views.values import Facts

    _Cost = tuple[float, float]
    """As a ratio, and in stake currency."""

_AT_ONCE = 1_000


def slippage_facts(memory: MemoryFolder, origin: Origin) -> Facts | None:
    """Return what the fills of a bot cost against the rates of their orders; None for a backtest.

    `entry`, `exit` and `both` (a trade with both) each have `n`, `mean_ratio`, `low_ratio`,
    `high_ratio` (a 95 % interval, None for fewer than two), and the same and `total` in stake
    currency as `mean_abs`, `low_abs`, `high_abs`, `total_abs`. A positive number is a cost.
    `assumed_ratio` is what a backtest assumes: 0.0, as Freqtrade fills at the rate of the order.
    `profit_ratio` is the mean profit of the same trades.
    """
    if origin.mode not in BOTS:
        return None
    entries: list[_Cost] = []
    exits: list[_Cost] = []
    both: list[_Cost] = []
    profits = []
    for trade in _seen(memory.journal, origin):
        assert trade.execution is not None  # noqa: S101 - for the type checker
        costs = []
        for rate, ratio, to in (
            (trade.execution.entry_rate, trade.execution.entry_slippage, entries),
            (trade.execution.exit_rate, trade.execution.exit_slippage, exits),
        ):
            if rate is not None and ratio is not None:
                costs.append((ratio, ratio * rate * trade.amount))
                to.append(costs[-1])
        if len(costs) == 2:  # noqa: PLR2004 - entry and exit
            both.append((costs[0][0] + costs[1][0], costs[0][1] + costs[1][1]))
            profits.append(trade.profit_ratio)
    return {
        "entry": _costs(entries),
        "exit": _costs(exits),
        "both": _costs(both),
        "assumed_ratio": 0.0,
        "profit_ratio": mean_of(profits).mean if profits else None,
    }


def _seen(journal: Journal, origin: Origin) -> Iterator[TradeRecord]:
    """Yield the trades of a bot that are evidence and whose orders were seen, as they arrived.

    Evidence says which these are; only their records are read.
    """
    seqs: list[int] = []
    for page in journal.evidence.pages(Scope(kind=TradeRecord.kind).in_run(origin)):
        for trades in page.trades:
            if trades.part.is_executed:
                seqs += trades.seqs[trades.part.counts].tolist()
        seqs += [
            seq
            for seq, item in page.items
            if isinstance(item, TradeEvidence) and item.is_evidence and item.said_without_execution
        ]
    seqs.sort()
    for first in range(0, len(seqs), _AT_ONCE):
        for record in journal.records_at(seqs[first : first + _AT_ONCE]).values():
            if isinstance(record, TradeRecord):
                yield record


def _costs(costs: Sequence[_Cost]) -> Facts:
    if not costs:
        return {"n": 0}
    ratio, money = (mean_of(values) for values in zip(*costs, strict=True))
    return {
        "n": ratio.n,
        "mean_ratio": ratio.mean,
        "low_ratio": _known(ratio.low),
        "high_ratio": _known(ratio.high),
        "mean_abs": money.mean,
        "low_abs": _known(money.low),
        "high_abs": _known(money.high),
        "total_abs": money.total,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
