"""What a step of the cycle is given, and what it reports.

A module in `lifecycle/steps/` is a step. It defines `NAME`, what it does in a few words for the
progress bar; `ORDER`, steps with lower numbers run earlier; and `run(work) -> StepReport`.

A step may be killed at any point: what it did stays whole, and the next run does the rest. It
writes in transactions of milliseconds, so that a bot that uses the same journal never waits long,
and asks `work.has_to_stop()` between them. With `work.dry_run` it changes nothing and reports what
would go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from freqtrade_mem0.core_memory.outcomes import StoredCandles
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a step works on.

    Parameters
    ----------
    memory
        The opened memory: journal, outbox, marks, and the backend.
    now
        Aware UTC wall time at which the cycle began. Ages are counted up to it.
    dry_run
        Change nothing; report what would be done.
    alone
        Whether no other process had the journal open when the cycle began.
    progress
        Is told how far the step is: what is done, how much of it, of how much.
    has_to_stop
        Whether the step is to end soon; what it has done so far stays.
    pause
        Waits for some seconds, so that other processes can write.
    candles
        Where Freqtrade has stored candles; None where the caller has no config.
    """

    memory: MemoryFolder
    now: datetime
    dry_run: bool
    alone: bool
    progress: Callable[[str, int, int], None]
    has_to_stop: Callable[[], bool]
    pause: Callable[[float], None]
    candles: StoredCandles | None = None
    claimed: set[int] = field(default_factory=set)
    """Rows that earlier steps of a dry run would have taken away."""

    @property
    def settings(self) -> Settings:
        """The `"mem0"` block."""
        return self.memory.settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What a step did, or would do.

    Parameters
    ----------
    counts
        Whole numbers in the form of the cycle's report, such as `{"pruned": {"by_age": 3}}`; those
        of all steps are added up.
    ids
        Ids of the records that a dry run would take away or move, by the same names joined by a
        dot, such as `{"pruned.by_age": [...]}`.
    notes
        Sentences for the owner: what could not be done, and what to do about it.
    """

    counts: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: Sequence[str] = ()


class Step(Protocol):
    """What a module in `lifecycle/steps/` defines."""

    NAME: str
    ORDER: int

    def run(self, work: Work) -> StepReport:
        """Do the step's work."""
