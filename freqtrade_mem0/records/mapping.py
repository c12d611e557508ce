"""Records -> memories -> records. A memory carries the whole record, so Mem0 can rebuild a journal.

A memory's metadata has two parts: flat keys that people and Mem0's filters use (times as epoch
seconds), and the record's exact JSON under `record`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, Mode, Origin, Record, to_seconds
from freqtrade_mem0.records.codec import SCHEMA_VERSION, decode, encode
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.retraction import retraction_id
from freqtrade_mem0.records.memory import Memory

CLOCK_SKEW = timedelta(minutes=10)
"""How far another machine's clock may be ahead."""


def to_memory(record: Record, *, with_json: bool = True) -> Memory:
    """Return the memory that stands for `record` in Mem0; without its JSON if only to be read."""
    origin = record.origin
    return Memory(
        id=record.id,
        text=record.sentence(),
        user_id=origin.user_id,
        agent_id=origin.strategy,
        run_id=origin.run_id,
        created_at=record.known_at,
        metadata={
            **record.filter_keys(),
            "kind": record.kind,
            "category": str(record.category),
            "strategy": origin.strategy,
            "mode": str(origin.mode),
            "known_ts": to_seconds(record.known_at),
            "recorded_ts": to_seconds(record.recorded_at),
            "schema_version": SCHEMA_VERSION,
            **({"record": encode(record)} if with_json else {}),
        },
    )


def is_record(memory: Memory) -> bool:
    """Return whether a memory stands for a record that this package wrote."""
    return all(isinstance(memory.metadata.get(key), str) for key in ("kind", "record"))


def note_of(memory: Memory) -> Note:
    """Return a memory that a person or another tool wrote into Mem0 as a note.

    The note has the memory's id, so that a changed memory replaces it.

    Raises
    ------
    RecordError
        The memory holds nothing that a note can keep.
    """
    category = memory.metadata.get("category")
    note = Note(
        id=memory.id,
        origin=Origin(
            user_id=memory.user_id,
            strategy=memory.agent_id or Mode.MANUAL,
            mode=Mode.MANUAL,
            run_id=memory.run_id or Mode.MANUAL,
        ),
        known_at=memory.created_at,
        recorded_at=memory.stored_at or memory.created_at,
        filed_under=(
            Category(category) if category in set(Category) else Category.LEARNING_INSIGHTS
        ),
        content=memory.text,
        metadata=dict(memory.metadata),
    )
    encode(note)  # refuses text and numbers that JSON can not hold
    return note


def from_memory(memory: Memory, now: datetime | None = None) -> Record:
    """Return the record that a memory stands for.

    Parameters
    ----------
    memory
        As it was read.
    now
        Aware UTC wall time; None checks no time.

    Raises
    ------
    RecordError
        The memory was not written by this package, or by a newer version of it; its record
        breaks the schema, is of the future, or does not agree with the memory around it.
    """
    version = memory.metadata.get("schema_version")
    kind, text = memory.metadata.get("kind"), memory.metadata.get("record")
    if not isinstance(kind, str) or not isinstance(text, str):
        raise RecordError(
            f"Memory {memory.id} holds no record of ours (no 'kind' or 'record' key)."
        )
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RecordError(
            f"Memory {memory.id} has schema version {version}; this version reads up to "
            f"{SCHEMA_VERSION}. Upgrade freqtrade_mem0 to read it."
        )
    record = decode(kind, text)
    if differing := _disagreement(memory, record):
        raise RecordError(
            f"Record and memory {memory.id} disagree in: {', '.join(differing)}. Somebody changed "
            "one of them in Mem0; the record is not used."
        )
    if now is not None:
        refuse_future(record, now)
    return record


def refuse_future(record: Record, now: datetime) -> None:
    """Raise `RecordError` for a record of the future: it would outlast all corrections."""
    for name in ("recorded_at", "known_at"):
        moment: datetime = getattr(record, name)
        if moment > now + CLOCK_SKEW:
            raise RecordError(
                f"{name} of record {record.id} is {moment:%Y-%m-%d %H:%M}, in the future; the "
                "record is not used. Compare the clocks of the machines that write to Mem0."
            )


def _disagreement(memory: Memory, record: Record) -> list[str]:
    """Return the names of what a record and its memory say differently."""
    origin, metadata = record.origin, memory.metadata
    if (
        (memory.id, memory.user_id, memory.agent_id, memory.run_id, metadata.get("mode"))
        == (record.id, origin.user_id, origin.strategy, origin.run_id, origin.mode)
    ) and record.retracts is None:
        return []  # as nearly always
    target_id = record.retracts
    expected_id = record.id if target_id is None else retraction_id(target_id)
    pairs = {
        "id": (memory.id, record.id),
        "target_id": (record.id, expected_id),
        "user_id": (memory.user_id, origin.user_id),
        "strategy": (memory.agent_id, origin.strategy),
        "run_id": (memory.run_id, origin.run_id),
        "mode": (metadata.get("mode"), str(origin.mode)),
    }
    return [name for name, (one, other) in pairs.items() if one != other]
