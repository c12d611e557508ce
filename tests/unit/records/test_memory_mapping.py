"""Records as memories in Mem0, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, Record
from freqtrade_mem0.records.mapping import from_memory, to_memory
from tests.support.samples import (
    a_backtest,
    a_note,
    a_pattern,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
)

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Memory

EVERY_KIND = [
    a_trade(profit_ratio=0.1 + 0.2, decision_id="d"),
    a_backtest(),
    a_risk_event(),
    a_note(),
    a_pattern(),
    a_promotion(),
    a_retraction(a_trade().id),
]


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: record.kind)
def test_a_record_comes_back_from_its_memory(record: Record) -> None:
    """Mem0 alone can rebuild a journal: nothing of a record is lost in it."""
    assert record == from_memory(to_memory(record))


@pytest.mark.parametrize("record", EVERY_KIND, ids=lambda record: record.kind)
def test_a_memory_is_flat_and_scoped(record: Record) -> None:
    """Owner, strategy and run are Mem0's scopes; metadata are the plain values stores insist on."""
    memory = to_memory(record)

    assert ("me", "Sample", record.origin.run_id, record.id, record.known_at) == (
        memory.user_id,
        memory.agent_id,
        memory.run_id,
        memory.id,
        memory.created_at,
    )
    assert {type(value) for value in memory.metadata.values()} <= {str, int, float, bool}


def test_a_trades_memory_can_be_filtered() -> None:
    """What people filter by stands beside the text: numbers as numbers, times as epoch seconds."""
    metadata = to_memory(a_trade()).metadata

    expected = {
        "kind": "trade",
        "category": "strategy_performance",
        "mode": "dry_run",
        "strategy": "Sample",
        "pair": "ETH/USDT",
        "side": "long",
        "profit_ratio": 0.01,
        "close_ts": 1_704_070_800.0,
        "known_ts": 1_704_070_800.0,
        "at_rsi": 31.5,
        "at_regime": "calm uptrend",
        "schema_version": 1,
    }
    assert expected == {key: metadata[key] for key in expected}


def test_a_note_is_filed_where_its_writer_said() -> None:
    """A note's category is its writer's choice, not that of its kind."""
    metadata = to_memory(a_note(filed_under=Category.PORTFOLIO_PATTERNS)).metadata

    assert (metadata["category"], metadata["source"]) == ("portfolio_patterns", "me")


def test_a_notes_own_keys_do_not_displace_ours() -> None:
    """A writer who uses one of our names can not make the note unreadable."""
    note = a_note(metadata={"kind": "mine", "record": "mine", "schema_version": 99})

    assert note == from_memory(to_memory(note))


def test_a_situations_features_do_not_displace_ours() -> None:
    """Features stand under a prefix of their own."""
    trade = a_trade(situation={"kind": "odd", "pair": "odd"})
    metadata = to_memory(trade).metadata

    assert (metadata["kind"], metadata["pair"], metadata["at_pair"]) == ("trade", "ETH/USDT", "odd")
    assert trade == from_memory(to_memory(trade))


def without(memory: Memory, key: str) -> Memory:
    """Return a memory that lacks one key of its metadata."""
    return replace(memory, metadata={k: v for k, v in memory.metadata.items() if k != key})


@pytest.mark.parametrize("key", ["kind", "record"])
def test_a_foreign_memory_is_refused(key: str) -> None:
    """A memory somebody else wrote is named and left alone."""
    memory = without(to_memory(a_note()), key)

    with pytest.raises(RecordError, match=f"Memory {memory.id} holds no record of ours"):
        from_memory(memory)


def test_a_memory_of_a_newer_version_is_refused() -> None:
    """It says which version it is and which one this version reads."""
    memory = to_memory(a_note())
    newer = replace(memory, metadata={**memory.metadata, "schema_version": 2})

    with pytest.raises(
        RecordError, match=r"schema version 2; this version reads up to 1\. Upgrade"
    ):
        from_memory(newer)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            a_trade(),
            "Closed long ETH/USDT +1.00% after 3h 20m, Sample/dip, exit roi, calm uptrend, win",
        ),
        (
            a_trade(
                side="short",
                leverage=2.5,
                enter_tag="",
                exit_reason="",
                situation={},
                open_date=at(),
            ),
            "Closed short ETH/USDT +1.00% at 2.5x after 1h, Sample, exit unknown, win",
        ),
        (a_risk_event(), "Risk event stop_loss of Sample: stop loss of long ETH/USDT at -4.00%"),
        (a_note(), "never hold over the weekend"),
        (
            a_backtest(metrics={}),
            "Backtest of Sample on 2 pairs, 5m, 2024-01-01 to 2024-01-11: 31 trades, +1.23%",
        ),
        (
            a_promotion(),
            "Sample, backtest run run-1, is read as a prior of Sample (result.zip)",
        ),
        (
            a_retraction("r"),
            "Record r is taken back: the trade is not in Freqtrade's database any more",
        ),
    ],
    ids=["trade", "bare trade", "risk event", "note", "backtest", "promotion", "retraction"],
)
def test_a_record_is_a_sentence(record: Record, expected: str) -> None:
    """People and semantic search read the same sentence."""
    assert (expected, expected) == (record.sentence(), to_memory(record).text)
