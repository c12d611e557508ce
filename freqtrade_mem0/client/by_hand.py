"""Changes, deletions and retractions by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.own_metadata import category_named, flat
from freqtrade_mem0.client.told_note import checked_strategy
from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.removal import Removal, removal, removal_id
from freqtrade_mem0.records.kinds.retraction import Retraction, retraction, retraction_id
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import from_memory, is_record, note_of
from freqtrade_mem0.records.told import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client.access import Access
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory, Scalar


def update(
    access: Access,
    user_id: str,
    memory_id: str,
    text: str | None,
    metadata: Mapping[str, Any] | None,
) -> bool:
    """Change a memory; see `Mem0Client.update`."""
    record = access.store.journal.record(memory_id)
    if record is None and (memory := _in_mem0(access, user_id, memory_id)) is not None:
        record = from_memory(memory) if is_record(memory) else note_of(memory)
    if record is None or not _may_touch(record, user_id):
        return False
    new = _changed(record, text, metadata)
    access.append([replace(new, recorded_at=datetime.now(UTC))])
    return True


def delete(access: Access, user_id: str, memory_id: str) -> bool:
    """Delete a memory; see `Mem0Client.delete`."""
    journal, now = access.store.journal, datetime.now(UTC)
    record = journal.record(memory_id)
    if record is None:
        memory = _in_mem0(access, user_id, memory_id)
        if memory is None:
            return False
        if not is_record(memory) or memory.metadata["kind"] == Note.kind:
            return access.delete(memory_id)
        record = from_memory(memory, now)
        journal.adopt([record])  # else its evidence would be lost with the memory
    if not _may_touch(record, user_id) or journal.is_current(removal_id(memory_id)):
        return False
    # Both are delivered like any record, so Mem0 may be away now.
    made = retraction if isinstance(record, Note) else removal
    access.append([made(record, "deleted by hand", now)])
    return True


def retract(access: Access, user_id: str, memory_id: str, reason: str) -> bool:
    """Take a record out of evidence; see `Mem0Client.retract`."""
    record = access.store.journal.record(memory_id)
    if record is None or not _may_touch(record, user_id):
        return False
    _refuse_trades_of_bots(record)
    access.append([retraction(record, reason, datetime.now(UTC))])
    return True


def _may_touch(record: Record, user_id: str) -> bool:
    return record.origin.user_id == user_id and not isinstance(record, Retraction | Removal)


def _in_mem0(access: Access, user_id: str, memory_id: str) -> Memory | None:
    """Return a memory of this owner that the journal does not know, or None."""
    try:
        memory = access.store.backend.get(memory_id)
    except BackendError:
        if access.store.journal.record(retraction_id(memory_id)) is not None:
            return None
        raise
    return memory if memory is not None and memory.user_id == user_id else None


def _changed(record: Record, text: str | None, metadata: Mapping[str, Any] | None) -> Record:
    """Return a record with another text or metadata; raise `RecordError` where it may not change.

    Keys in `metadata` replace those of the same name, None takes a key away, all others stay.
    """
    if text is not None and not text.strip():
        raise RecordError(f"text must be a text that is not blank, got {text!r}.")
    if isinstance(record, Note):
        return _changed_note(record, text, dict(metadata or {}))
    if record.origin.mode is not Mode.MANUAL:
        raise RecordError(
            f"The {record.kind} record {record.id} is what {_owner(record)} recorded, and is not "
            "changed by hand. Store a note about it instead."
        )
    if isinstance(record, TradeRecord):
        if text is not None:
            raise RecordError(
                "The text of a trade is made from its numbers. Tell the trade again with "
                "record_trade and the same trade_id, or change its metadata."
            )
        told = record.told or Told()
        return replace(record, told=replace(told, metadata=_merged(told.metadata, metadata or {})))
    if isinstance(record, RiskEvent) and metadata is None:
        return record if text is None else replace(record, description=text)
    raise RecordError(
        f"A {record.kind} record keeps no metadata of its own. Store a note about it instead."
    )


def _refuse_trades_of_bots(record: Record) -> None:
    """Raise `RecordError` for a bot's trade: it answers to Freqtrade's trade database alone."""
    if isinstance(record, TradeRecord) and record.origin.mode in (Mode.LIVE, Mode.DRY_RUN):
        raise RecordError(
            f"The trade {record.id} is one of {_owner(record)}, and Freqtrade's trade database "
            "says whether it counts. Delete it there (/delete), or take all trades of that writer "
            "out of evidence with 'freqtrade-mem0 revoke'. delete() forgets the memory alone."
        )


def _owner(record: Record) -> str:
    return f"the {record.origin.mode} run {record.origin.run_id!r}"


def _changed_note(note: Note, text: str | None, metadata: dict[str, Any]) -> Note:
    filed_under = note.filed_under
    if metadata.get("category") is not None:
        filed_under = category_named(metadata.pop("category"))
    origin = note.origin
    if metadata.get("strategy") is not None:
        origin = replace(origin, strategy=checked_strategy(metadata.pop("strategy")))
    return replace(
        note,
        origin=origin,
        filed_under=filed_under,
        content=note.content if text is None else text,
        metadata=_merged(note.metadata, metadata),
    )


def _merged(before: Mapping[str, Scalar], metadata: Mapping[str, Any]) -> dict[str, Scalar]:
    gone = [key for key, value in metadata.items() if value is None]
    kept = {
        key: value
        for key, value in before.items()
        if not any(key == name or key.startswith(f"{name}.") for name in gone)
    }
    return kept | flat(metadata)
