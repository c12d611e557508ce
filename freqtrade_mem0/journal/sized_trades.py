"""Reads closed trades with the stake that was proposed and the one that memory decided on.

Of decisions and bodies only the numbers are read, which takes a quarter of the time of the ledger.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from math import fsum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.numbers_in_json import paid_in
from freqtrade_mem0.journal.paging import of_seqs
from freqtrade_mem0.records.codec import hash_of
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.numbers_in_json import Paid
    from freqtrade_mem0.journal.scope import Scope

_AT_ONCE = 1_000
_LEFT_OUT: Mapping[str, float | str] = MappingProxyType({})
_SITUATION = TradeEvidence._fields.index("situation")


class Sized(NamedTuple):
    """What was decided about a trade's stake, in stake currency.

    `filled` is the share of the placed stake that was filled, in (0, 1]; 1.0 where that is not
    known, and where later entries added to the trade.
    """

    decision_id: str
    proposed: float
    stake: float
    applied: bool
    filled: float

    @property
    def multiplier(self) -> float:
        """The decided stake over the proposed one."""
        return self.stake / self.proposed


class SizedTrade(NamedTuple):
    """A closed trade; `profit_abs` is None where its amounts are no longer kept.

    `sized` is None where no decision of memory belongs to the trade.
    """

    trade: TradeEvidence
    profit_abs: float | None
    sized: Sized | None

    @property
    def effect(self) -> float:
        """What the decided stake changes in the profit, in stake currency: see `worth.stakes`."""
        if self.sized is None:
            return 0.0
        moved = (self.sized.stake - self.sized.proposed) * self.sized.filled
        return moved * self.trade.profit_ratio


def profits(trades: Iterable[SizedTrade]) -> float | None:
    """Return the sum of profits; None where an amount is no longer kept."""
    found = [each.profit_abs for each in trades]
    known = [each for each in found if each is not None]
    return fsum(known) if len(known) == len(found) else None


def sized_trades(journal: Journal, scope: Scope) -> Iterator[SizedTrade]:
    """Yield the current trades of a scope as they arrived, without their situations.

    Raises
    ------
    JournalError
        The file can not be used.
    """
    decided_in = replace(scope, since=None)
    old = {trade_id: each for trade_id, *each in journal.old_stakes(decided_in)}
    trades = (
        (seq, TradeEvidence._make((*item[:_SITUATION], _LEFT_OUT, *item[_SITUATION + 1 :])))
        for seq, item in journal.evidence.items(replace(scope, kind=TradeRecord.kind))
        if isinstance(item, TradeEvidence)
    )
    while page := dict(islice(trades, _AT_ONCE)):
        ids = [trade.id for trade in page.values()]
        decided = {trade_id: each for trade_id, *each in journal.stakes(decided_in, ids)}
        for seq, _, _, body, said in of_seqs(journal.connection, list(page)):
            # Amounts count only where the body is what was written.
            is_whole = body and hash_of(body, TradeRecord.added_later).startswith(said)
            amounts = paid_in(body) if is_whole else None
            trade = page[seq]
            yield _sized_trade(trade, old.get(trade.id) or decided.get(trade.id), amounts)


def _sized_trade(
    trade: TradeEvidence, decided: Sequence[Any] | None, amounts: Paid | None
) -> SizedTrade:
    profit = None if amounts is None or "profit_abs" in trade.unknown else amounts.profit
    if decided is None or not min(decided[1:3]) > 0.0:
        return SizedTrade(trade, profit, None)
    decision_id, proposed, stake, applied = decided
    placed, filled = stake if applied else proposed, 1.0
    if amounts is not None and amounts.max_stake > 0.0:
        filled = min(1.0, amounts.max_stake / placed)
    return SizedTrade(trade, profit, Sized(decision_id, proposed, stake, applied, filled))
