"""Takes memories away: in Mem0 first, then noted in the journal, a few at a time.

A kill between the two is harmless: the next cycle finds the same memories, deletes nothing and
notes them. No record is deleted, and no evidence: a trade goes into a summary first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.aged import Aging
from freqtrade_mem0.lifecycle.aging import only_own
from freqtrade_mem0.lifecycle.summaries import Summaries
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.aged import State
    from freqtrade_mem0.lifecycle.step import Work

_PER_WRITE = 500
_PER_REQUEST = 20
"""A server that others use gets fewer at a time, and a pause as long as they took."""


@dataclass(slots=True)
class Pruned:
    """What was taken away, or would be."""

    rows: list[Aging] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def n_summarised(self) -> int:
        """How many of them went into summaries."""
        return sum(row.kind == TradeRecord.kind for row in self.rows)

    @property
    def ids(self) -> list[str]:
        """Ids of the records."""
        return [row.id for row in self.rows]


def may_be_pruned(work: Work, row: Aging) -> bool:
    """Return whether a memory may go: one that was written by hand only if a dry run named it."""
    return row.mode != Mode.MANUAL or work.memory.aged.was_told(row.seq)


def prune(work: Work, what: str, rows: Sequence[Aging], state: State) -> Pruned:
    """Take the memories of some records away; `what` says for the progress bar what is done.

    Raises
    ------
    BackendError
        Mem0 can not be reached; what was taken away so far stays.
    """
    pruned = Pruned()
    by_hand = [row for row in rows if row.mode == Mode.MANUAL]
    if work.dry_run:
        work.memory.aged.tell(row.seq for row in by_hand)
        work.claimed.update(row.seq for row in rows)
        pruned.rows = list(rows)
        return pruned
    kept = {row.seq for row in by_hand if not may_be_pruned(work, row)}
    if kept:
        pruned.notes.append(
            f"{counted(len(kept), 'memory', 'memories')} written by hand would be pruned, and stay "
            "until a dry run has named them: run 'freqtrade-mem0 maintain --dry-run --json'."
        )
    going = [row for row in rows if row.seq not in kept]
    if trades := [row for row in going if row.kind == TradeRecord.kind]:
        left_out = Summaries(work).take_in(trades)
        going = [row for row in going if row.seq not in left_out]
    n_at_once = _PER_REQUEST if only_own(work) else _PER_WRITE
    for start in range(0, len(going), n_at_once):
        if work.has_to_stop():
            break
        part = going[start : start + n_at_once]
        if work.memory.delivers:
            began_s = time.monotonic()
            work.memory.backend.delete([row.id for row in part])
            if only_own(work):  # others use this Mem0, too
                work.pause(time.monotonic() - began_s)
        work.memory.aged.note([row.seq for row in part], state)
        pruned.rows += part
        work.progress(what, len(pruned.rows), len(going))
    return pruned
