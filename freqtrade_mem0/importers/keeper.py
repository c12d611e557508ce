"""Puts imported records into the journal without replacing what was captured.

A bot or backtest that captured a record also knew the situation at entry and the decision, which no
file of Freqtrade's has. So a record that is in the journal stays as it is, with one exception: a
later result of the same run (same config and strategy, newer candles) replaces what an earlier
import added.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.event_record import exit_events
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from freqtrade_mem0.importers.report import FileReport
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin, Record

_BATCH = 500  # records per transaction: a bot that writes to the same journal must not wait long


class Standing(Enum):
    """How a result compares with what the journal has of its run."""

    SAME = auto()
    """The journal has nothing, or this very result."""
    LATER = auto()
    """It is different, and was run after the journal's was noted."""
    OTHER = auto()
    """It is different, and not known to be later."""


class Keeper:
    """Adds imported records to a memory."""

    def __init__(self, store: MemoryFolder) -> None:
        self._journal = store.journal
        self._categories = store.settings.categories

    def standing(self, whole: BacktestRecord, ran_at: datetime | None) -> Standing:
        """Compare a result, run at `ran_at` (None: unknown), with what the journal has of its run.

        Freqtrade's run id stands for config and strategy file alone, so the same run can end
        differently on other candles. Records of two results must not be mixed.
        """
        earlier = self._journal.record_of(BacktestRecord, whole.id)
        if earlier is None or _comparable(earlier) == _comparable(whole):
            return Standing.SAME
        # Freqtrade says in whole seconds when a run began: one that began in the second of the
        # earlier record began after it, as no run begins, ends and is recorded within a second.
        is_later = ran_at is not None and ran_at >= earlier.recorded_at.replace(microsecond=0)
        return Standing.LATER if is_later else Standing.OTHER

    def has_exactly(self, origin: Origin, trade_ids: Collection[str]) -> bool:
        """Tell whether the journal has these trades of a run, and no others."""
        return self._journal.ids(_trades_of(origin)) == set(trade_ids)

    def keep(
        self, records: Sequence[Record], report: FileReport, *, corrects: bool = False
    ) -> None:
        """Append, in this order, what is not known and whose category is switched on.

        With `corrects`, also replace records that an earlier import added.
        """
        report.n_found += len(records)
        kept = [record for record in records if getattr(self._categories, record.category)]
        if len(kept) < len(records):
            what = counted(len(records) - len(kept), "record")
            report.skip(what, "of a category that is switched off in mem0.categories")
        known = self._journal.recorded_ms([record.id for record in kept])
        fresh = [
            record
            for record in kept
            if record.id not in known or (corrects and self._may_correct(record))
        ]
        n_new = 0
        for start in range(0, len(fresh), _BATCH):
            n_new += self._journal.append(fresh[start : start + _BATCH])
        report.n_new += n_new
        report.n_known += len(kept) - n_new

    def retract_others(self, origin: Origin, trade_ids: Collection[str], now: datetime) -> None:
        """Retract the run's trades that its result does not have: they come from other candles."""
        stale_ids = sorted(self._journal.ids(_trades_of(origin)).difference(trade_ids))
        reason = "the run's last result does not have it"
        stale = [
            retraction(gone, reason, now)
            for trade in map(partial(self._journal.record_of, TradeRecord), stale_ids)
            if trade is not None
            for gone in (trade, *exit_events(trade))
        ]
        if stale:
            self._journal.append(stale)

    def _may_correct(self, record: Record) -> bool:
        """Tell whether the journal's record of the same id was imported."""
        earlier = self._journal.record(record.id)
        if isinstance(earlier, TradeRecord):
            return earlier.decision_id is None and not earlier.situation
        return earlier is not None


def _trades_of(origin: Origin) -> Scope:
    return Scope(kind=TradeRecord.kind).in_run(origin)


def _comparable(record: BacktestRecord) -> BacktestRecord:
    """Return a record without what our own versions may add to the same result."""
    return replace(
        record, recorded_at=record.known_at, metrics={}, versions={}, config_fingerprint=""
    )
