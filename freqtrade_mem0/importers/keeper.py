"""Puts imported records into the journal, without touching what it knows better.

A record that is in the journal already is never replaced: what a bot or a backtest captured itself
also knows the situation at entry and the decision, which no file of Freqtrade's holds. The one
exception is a later result of the same run (the same config and strategy on newer candles): it
replaces what an earlier import took, and nothing that was captured.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.importers.report import FileKind, FileReport, Skipped
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.event_record import exit_event

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin, Record

_BATCH = 500
"""Records per transaction, so that a bot that writes to the same journal never waits long."""


class Standing(Enum):
    """How a result stands to what is remembered of its run."""

    SAME = auto()
    """Nothing is remembered, or this very result."""
    LATER = auto()
    """It was run after what is remembered was noted, and ended differently."""
    OTHER = auto()
    """It differs from what is remembered, and is not known to be later."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of one file so far; see `FileReport`."""

    n_found: int = 0
    n_new: int = 0
    n_known: int = 0
    n_priors: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def report(self, path: Path, kind: FileKind) -> FileReport:
        """Return the file's report."""
        return FileReport(
            path=path,
            kind=kind,
            n_found=self.n_found,
            n_new=self.n_new,
            n_known=self.n_known,
            n_priors=self.n_priors,
            skipped=tuple(self.skipped),
            notes=tuple(self.notes),
        )


class Keeper:
    """Adds imported records to a memory.

    Parameters
    ----------
    store
        The memory.
    """

    def __init__(self, store: MemoryFolder) -> None:
        self._journal = store.journal
        self._categories = store.settings.categories

    def standing(self, whole: BacktestRecord, ran_at: datetime | None) -> Standing:
        """Return how a result stands to what is remembered of its run.

        Freqtrade names a run after config and strategy file alone: on other candles the same run
        ends differently. A mixture of two results would be neither.

        Parameters
        ----------
        whole
            The result.
        ran_at
            Aware UTC wall time at which it was run; None where that is not known.
        """
        earlier = self._journal.record_of(BacktestRecord, whole.id)
        if earlier is None or _comparable(earlier) == _comparable(whole):
            return Standing.SAME
        is_later = ran_at is not None and ran_at > earlier.recorded_at
        return Standing.LATER if is_later else Standing.OTHER

    def has_exactly(self, origin: Origin, trade_ids: Collection[str]) -> bool:
        """Tell whether these are the trades that are remembered of a run, all and no others."""
        return self._journal.ids(_trades_of(origin)) == set(trade_ids)

    def keep(self, records: Sequence[Record], tally: Tally, *, corrects: bool = False) -> None:
        """Append what is not known yet, as far as its category is written.

        Parameters
        ----------
        records
            In the order in which they are to arrive.
        tally
            Gets the counts.
        corrects
            Also replace what came from a file earlier.
        """
        tally.n_found += len(records)
        kept = [record for record in records if getattr(self._categories, record.category)]
        if len(kept) < len(records):
            why = "their category is switched off in mem0.categories"
            tally.skipped.append(Skipped(what=f"{len(records) - len(kept)} records", why=why))
        known = self._journal.recorded_ms([record.id for record in kept])
        fresh = [
            record
            for record in kept
            if record.id not in known or (corrects and self._may_correct(record))
        ]
        n_new = 0
        for start in range(0, len(fresh), _BATCH):
            n_new += self._journal.append(fresh[start : start + _BATCH])
        tally.n_new += n_new
        tally.n_known += len(kept) - n_new

    def retract_others(self, origin: Origin, trade_ids: Collection[str], now: datetime) -> None:
        """Take back trades of a run that its result does not have: they were of other candles.

        Parameters
        ----------
        origin
            The run.
        trade_ids
            All trades of its result.
        now
            Aware UTC wall time.
        """
        stale_ids = sorted(self._journal.ids(_trades_of(origin)).difference(trade_ids))
        reason = "the run's last result does not have it"
        stale = [
            retraction(gone, reason, now)
            for trade in map(partial(self._journal.record_of, TradeRecord), stale_ids)
            if trade is not None
            for gone in (trade, exit_event(trade))
            if gone is not None
        ]
        if stale:
            self._journal.append(stale)

    def _may_correct(self, record: Record) -> bool:
        """Tell whether what is remembered under a record's id came from a file, too."""
        earlier = self._journal.record(record.id)
        if isinstance(earlier, TradeRecord):
            return earlier.decision_id is None and not earlier.situation
        return earlier is not None


def _trades_of(origin: Origin) -> Scope:
    return Scope(
        user_id=origin.user_id,
        strategy=origin.strategy,
        modes=[origin.mode],
        run_id=origin.run_id,
        kind=TradeRecord.kind,
    )


def _comparable(record: BacktestRecord) -> BacktestRecord:
    """Return what makes a result; how much else is kept of it may change with our versions."""
    return replace(
        record, recorded_at=record.known_at, metrics={}, versions={}, config_fingerprint=""
    )
