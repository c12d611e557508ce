"""Records -> memories -> records. A memory carries the whole record, so Mem0 can rebuild a journal.

A memory's metadata has two parts: flat keys that people and Mem0's filters use (times as epoch
seconds), and under `record` the record's exact JSON.
"""

from __future__ import annotations

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.backtest import BacktestRecord
from freqtrade_mem0.records.base import Category, Mode, Origin, Record, to_ms
from freqtrade_mem0.records.codec import SCHEMA_VERSION, decode, encode
from freqtrade_mem0.records.memory import Memory, Scalar
from freqtrade_mem0.records.note import Note, category_of
from freqtrade_mem0.records.risk import RiskEvent
from freqtrade_mem0.records.text import sentence
from freqtrade_mem0.records.trade import TradeRecord

_TRADE_KEYS = (
    "pair",
    "side",
    "enter_tag",
    "exit_reason",
    "profit_ratio",
    "profit_abs",
    "leverage",
    "stake_amount",
    "is_evidence",
)
_BACKTEST_KEYS = ("timeframe", "n_trades", "profit_ratio", "profit_abs", "stake_currency")


def to_memory(record: Record) -> Memory:
    """Return the memory that stands for `record` in Mem0."""
    metadata: dict[str, Scalar] = {}
    if isinstance(record, TradeRecord):
        metadata.update((key, getattr(record, key)) for key in _TRADE_KEYS)
        metadata["open_ts"] = to_ms(record.open_date) / 1_000
        metadata["close_ts"] = to_ms(record.close_date) / 1_000
        metadata.update((f"at_{name}", value) for name, value in record.situation.items())
    elif isinstance(record, BacktestRecord):
        metadata.update((key, getattr(record, key)) for key in _BACKTEST_KEYS)
        metadata["start_ts"] = to_ms(record.start_date) / 1_000
        metadata["end_ts"] = to_ms(record.end_date) / 1_000
    elif isinstance(record, RiskEvent):
        metadata["event_type"] = record.event_type
        metadata["impact"] = record.impact
        metadata["pair"] = record.pair
        metadata["response"] = record.response
    elif isinstance(record, Note):
        metadata.update(record.metadata)
    metadata.update(
        kind=record.kind,
        category=str(category_of(record)),
        strategy=record.origin.strategy,
        mode=str(record.origin.mode),
        known_ts=to_ms(record.known_at) / 1_000,
        recorded_ts=to_ms(record.recorded_at) / 1_000,
        schema_version=SCHEMA_VERSION,
        record=encode(record),
    )
    return Memory(
        id=record.id,
        text=sentence(record),
        user_id=record.origin.user_id,
        agent_id=record.origin.strategy,
        run_id=record.origin.run_id,
        created_at=record.known_at,
        metadata=metadata,
    )


def is_record(memory: Memory) -> bool:
    """Return whether a memory was written by this package, and stands for a record."""
    return all(isinstance(memory.metadata.get(key), str) for key in ("kind", "record"))


def note_of(memory: Memory) -> Note:
    """Return what a person or another tool wrote into Mem0, as a note.

    It keeps the memory's id where that is one a note can have, so that a change of it replaces it.

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
    encode(note)  # text or numbers that JSON can not hold are refused here, one by one
    return note


def from_memory(memory: Memory) -> Record:
    """Return the record a memory stands for.

    Raises
    ------
    RecordError
        The memory was not written by this package, or by a newer version of it.
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
    return decode(kind, text)
