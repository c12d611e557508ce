"""A memory in a folder that ages: records of known ages, and one cycle over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Category, record_id
from freqtrade_mem0.records.kinds.note import Note
from tests.support.samples import ORIGIN, a_trade

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.kinds.trade import TradeRecord

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BY_A_BOT = ORIGIN


def ago(days: float) -> datetime:
    """Return the time so many days before `NOW`."""
    return NOW - timedelta(days=days)


def old_trade(number: int, days: float, **changes: Any) -> TradeRecord:
    """Return a trade that was closed so many days ago."""
    return a_trade(number, closed_at=ago(days), **{"recorded_at": ago(days), **changes})


def old_note(
    text: str,
    days: float,
    category: Category = Category.LEARNING_INSIGHTS,
    origin: Origin = BY_A_BOT,
    **metadata: Any,
) -> Note:
    """Return a note that was written so many days ago."""
    return Note(
        id=record_id("note", category, text, str(sorted(metadata.items()))),
        origin=origin,
        known_at=ago(days),
        recorded_at=ago(days),
        filed_under=category,
        content=text,
        metadata=metadata,
    )


def remembering(folder: Path, *records: Record, **block: Any) -> MemoryFolder:
    """Return an opened memory with these records, delivered where the mode delivers."""
    memory = MemoryFolder(Settings(path=folder, user_id=ORIGIN.user_id, **block), folder)
    memory.journal.append(records)
    deliver(memory)
    return memory


def deliver(memory: MemoryFolder) -> None:
    """Deliver what waits."""
    if memory.delivers:
        assert delivery_of(memory).drain(60)


def cycle(memory: MemoryFolder, days_later: float = 0.0, **how: Any) -> dict[str, Any]:
    """Run one cycle, some days after `NOW`; return its report."""
    now = NOW + timedelta(days=days_later)
    return run_cycle(memory, now, pause=lambda _seconds: None, **how).as_dict()


def in_mem0(memory: MemoryFolder) -> dict[str, str]:
    """Return the texts of the memories in Mem0, by id."""
    return {each.id: each.text for each in memory.backend.scan(filters={})}


def by_hand(record: Note) -> Note:
    """Return a note as a person writes it."""
    from freqtrade_mem0.records.base import Mode

    return replace(record, origin=replace(record.origin, mode=Mode.MANUAL))
