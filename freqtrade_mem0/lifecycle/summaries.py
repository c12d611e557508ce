"""Keeps the summaries of trades that have no memory of their own: one per run, pair and month."""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.aging import only_own, with_memory, without_memory
from freqtrade_mem0.records.base import Mode, Origin, from_ms
from freqtrade_mem0.records.block import digest
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.kinds.removal import Removal
from freqtrade_mem0.records.kinds.retraction import Retraction, retraction
from freqtrade_mem0.records.kinds.summary import TradeSummary, summary_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work

_PER_WRITE = 20
_DELIVERY_TIMEOUT_S = 600.0
_LARGEST = 1e18
"""The range of `Money`."""


class _Group(NamedTuple):
    """Whose trades a summary stands for."""

    user_id: str
    strategy: str
    mode: str
    run_id: str
    pair: str
    month: str

    @property
    def summary_id(self) -> str:
        """Id of that summary."""
        origin = Origin(
            user_id=self.user_id, strategy=self.strategy, mode=Mode(self.mode), run_id=self.run_id
        )
        return summary_id(origin, self.pair, self.month)


class Summaries:
    """The summaries of one memory.

    Parameters
    ----------
    work
        What the step was given.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._journal = work.memory.journal

    def take_in(self, joining: Sequence[Aging]) -> set[int]:
        """Write the summaries that trades go into, and deliver them.

        Return the rows that are in no summary: they can not be read, or Mem0 refuses the summary.

        Raises
        ------
        BackendError
            The summaries wait in the journal, as Mem0 can not be reached.
        """
        groups: defaultdict[_Group, dict[str, Aging]] = defaultdict(dict)
        for row in joining:
            groups[_group(row)][row.id] = row
        for row in without_memory(self._work, [TradeRecord.kind]):
            if _group(row) in groups:
                groups[_group(row)][row.id] = row
        return self._write(groups)

    def mend(self) -> int:
        """Write anew the summaries whose trades were retracted or deleted since.

        Return how many there were.
        """
        groups: defaultdict[_Group, dict[str, Aging]] = defaultdict(dict)
        for row in without_memory(self._work, [TradeRecord.kind]):
            groups[_group(row)][row.id] = row
        young = {row.id: row for row in with_memory(self._work, [TradeRecord.kind])}
        removed = self._removed()
        stale: dict[_Group, dict[str, Aging]] = {}
        empty: list[Retraction] = []
        scope = Scope(kind=TradeSummary.kind)
        others = self._journal.adopted(scope) if only_own(self._work) else set()
        for seq, summary in self._journal.records(scope):
            if seq in others or not isinstance(summary, TradeSummary):
                continue
            group = _group_of(summary)
            # A cycle that was killed may have left trades that have a memory of their own, too.
            named = {each: young[each] for each in summary.trades if each in young}
            members = groups.get(group, {}) | named
            live = members.keys() - removed
            if not live:
                empty.append(retraction(summary, "none of its trades is left", self._work.now))
            elif live != set(summary.trades):
                stale[group] = members
        if not self._work.dry_run:
            self._journal.append(empty)
            self._write(stale)
        return len(stale) + len(empty)

    def _removed(self) -> set[str]:
        return {removal.target_id for removal in self._journal.of_kind(Removal)}

    def _write(self, groups: dict[_Group, dict[str, Aging]]) -> set[int]:
        removed = self._removed()
        left_out: set[int] = set()
        written: list[TradeSummary] = []
        for done, members in enumerate(groups.values(), start=1):
            trades = []
            found = self._journal.records_at([row.seq for row in members.values()])
            for row in members.values():
                trade = found.get(row.seq)
                if not isinstance(trade, TradeRecord):
                    left_out.add(row.seq)
                elif row.id not in removed:
                    trades.append(trade)
            if trades:
                written.append(summary_of(trades, self._work.now))
            if len(written) == _PER_WRITE or done == len(groups):
                self._journal.append(written)
                written = []
            self._work.progress("Summarising trades", done, len(groups))
        self._deliver()
        if self._work.memory.delivers and groups:
            self._work.memory.backend.compress([group.summary_id for group in groups])
        refused = {letter.record_id for letter in self._work.memory.outbox.dead_letters()}
        for group, members in groups.items():
            if group.summary_id in refused:
                left_out |= {row.seq for row in members.values()}
        return left_out

    def _deliver(self) -> None:
        memory = self._work.memory
        if not memory.delivers or delivery_of(memory).drain(_DELIVERY_TIMEOUT_S):
            return
        error = memory.outbox.state().last_error
        raise BackendError(
            f"The summaries of trades could not be delivered to Mem0: {error} No memory was taken "
            "away; run 'freqtrade-mem0 maintain' again when Mem0 works."
        )


def summary_of(trades: Sequence[TradeRecord], recorded_at: datetime) -> TradeSummary:
    """Return the summary of trades of one origin, pair and month; at least one.

    It does not depend on the order in which they are given.
    """
    trades = sorted(trades, key=lambda each: (each.close_date, each.id))
    first, last = trades[0], trades[-1]
    known = [each for each in trades if "profit_ratio" not in (each.told or Told()).unknown]
    ratios = [each.profit_ratio for each in known] or [0.0]
    month = f"{first.known_at:%Y-%m}"
    return TradeSummary(
        id=summary_id(first.origin, first.pair, month),
        origin=first.origin,
        known_at=last.known_at,
        recorded_at=recorded_at,
        pair=first.pair,
        month=month,
        trades=tuple(each.id for each in trades),
        n_wins=sum(each > 0 for each in ratios),
        profit_abs=min(max(sum(each.profit_abs for each in known), -_LARGEST), _LARGEST),
        mean_profit_ratio=fmean(ratios),
        best_profit_ratio=max(ratios),
        worst_profit_ratio=min(ratios),
        first_close=first.close_date,
        last_close=last.close_date,
        sides=_counts(each.side for each in trades),
        enter_tags=_counts(each.enter_tag for each in trades),
        exit_reasons=_counts(each.exit_reason for each in trades),
        digest=digest(map(content_hash, trades)),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(name for name in names if name).items()))


def _group(row: Aging) -> _Group:
    month = f"{from_ms(row.known_ms):%Y-%m}"
    return _Group(row.user_id, row.strategy, row.mode, row.run_id, row.pair, month)


def _group_of(summary: TradeSummary) -> _Group:
    origin = summary.origin
    own = (origin.user_id, origin.strategy, str(origin.mode), origin.run_id)
    return _Group(*own, summary.pair, summary.month)
