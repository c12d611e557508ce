"""One memory, several openers: in one process, and in processes beside it."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.mapping import to_memory
from tests.flow.scenarios import (
    BUSY,
    REMEMBERING,
    closed_in_database,
    complaints,
    memories_in_mem0,
    memory_in,
    rows,
    trade_records,
)
from tests.support.forked_python import run_forked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.conftest import StartBot
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)

COUNT = """
import sys
from pathlib import Path
from tests.flow.scenarios import memories_in_mem0, memory_in
with memory_in(Path(sys.argv[1])) as store:
    print(sum(store.journal.counts().values()), memories_in_mem0(store))
"""
"""What another process does: it opens both files, counts, and closes them."""


def test_openers_in_one_process_keep_their_locks(tmp_path: Path) -> None:
    """What is written after another process opened and closed the memory is there for everybody.

    SQLite's locks belong to the process and are lost when any handle on the file is closed; a
    second process would then take itself for the last one and delete the log of the first.
    """
    with memory_in(tmp_path) as first, memory_in(tmp_path) as second:
        for number, store in enumerate((first, second)):
            event = _event(number)
            store.journal.append([event])
            store.backend.write([to_memory(event)])
        assert _seen_by_another_process(tmp_path) == "2 2"
        late = _event(3)
        first.journal.append([late])
        first.backend.write([to_memory(late)])
        assert _seen_by_another_process(tmp_path) == "3 3"
        assert sum(second.journal.counts().values()) == 3
        assert memories_in_mem0(second) == 3


def test_a_bot_a_backtest_and_readers_share_one_memory(
    start_bot: StartBot, backtests: Backtests, tmp_path: Path
) -> None:
    """Written to by two Freqtrade processes and read by a third, it holds all trades of both."""
    mem0 = {"path": str(tmp_path / "shared"), "sync_interval": 1, "delivery": {"retry_s": 1}}
    bot = start_bot(BUSY, mem0)
    bot.wait_until(bot.closed_trades)
    reads = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with memory_in(tmp_path, mem0) as store:
                reads.append(len(trade_records(store)))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        result = backtests.run(REMEMBERING, mem0, timerange="20240101-20240106")
    finally:
        done.set()
        reader.join()
    more = len(bot.closed_trades()) + 1
    bot.wait_until(lambda: len(bot.closed_trades()) >= more)
    bot.come_to_rest()
    bot.stop()
    with memory_in(tmp_path, mem0) as store:
        by_mode = Counter(str(record.origin.mode) for record in trade_records(store))
        assert delivery_of(store).drain(30.0)
        held = rows(store)
    assert by_mode == {"backtest": len(result.trades), "dry_run": len(closed_in_database(bot))}
    assert held.memories == held.records
    assert reads == sorted(reads)
    assert complaints(bot.log()) == []
    assert complaints(result.log) == []


def _event(number: int) -> RiskEvent:
    return RiskEvent(
        id=record_id("shared", number),
        origin=Origin(user_id="freqtrade", strategy="Shared", mode=Mode.DRY_RUN, run_id="flow"),
        known_at=MOMENT,
        recorded_at=MOMENT,
        event_type="stop_loss",
        description=f"number {number}",
    )


def _seen_by_another_process(userdir: Path) -> str:
    command = [sys.executable, "-c", COUNT, str(userdir)]
    said: str = run_forked(command, text=True, check=True).stdout
    return said.strip()
