"""A bot notices patterns after its trades close, and never at its start."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.lifecycle.patterns import refreshed
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.run.bot import patterns
from freqtrade_mem0.run.bot.patterns import PatternWatch
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler
from tests.support.histories import MONTH_MS, START_MS, Noise, records
from tests.support.runs import a_bot, a_run
from tests.support.samples import NOTED, ORIGIN, OrderStandIn, TradeStandIn, at
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = from_ms(START_MS + 13 * MONTH_MS)
TRADES = records(Noise(n=500, months=12).history(1, {("enter_tag", "tag0"): 1.2}))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """The memory of a bot with a pattern in its trades."""
    folder = MemoryFolder(Settings(mode="local", path=tmp_path, user_id="me"), tmp_path)
    folder.journal.append(TRADES)
    yield folder
    folder.close()


def a_session() -> Any:
    """Return what the watch reads of a session."""
    return SimpleNamespace(origin=ORIGIN, n_closed=0)


def n_patterns(memory: MemoryFolder) -> int:
    """Return how many patterns are recorded."""
    return len(list(memory.journal.of_kind(Pattern)))


def test_it_looks_once_a_trade_has_closed(memory: MemoryFolder) -> None:
    """Not at the start, however many trades the journal has."""
    session = a_session()
    watch = PatternWatch(session, memory, lambda: True)

    watch.run(END)
    assert n_patterns(memory) == 0
    session.n_closed = 1
    watch.run(END)
    assert n_patterns(memory) == 1


def test_looks_take_a_hundredth_of_the_time(
    memory: MemoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a look of two seconds the next one waits for two hundred."""
    clock = iter([0.0, 0.0, 2.0, 150.0, 203.0, 203.0, 204.0])
    looks = []

    def look(*given: Any) -> Any:
        looks.append(given)
        return refreshed(*given)

    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(patterns, "refreshed", look)
    session = a_session()
    watch = PatternWatch(session, memory, lambda: True)

    for number, expected in ((1, 1), (2, 1), (3, 2)):
        session.n_closed = number
        watch.run(END)
        assert len(looks) == expected


def test_a_look_ends_when_the_bot_stops(memory: MemoryFolder) -> None:
    """Within a few milliseconds; it is made up for later."""
    session = a_session()
    may_go_on = [True, True, False]
    watch = PatternWatch(session, memory, lambda: may_go_on.pop(0) if may_go_on else True)
    session.n_closed = 1

    watch.run(END)
    assert (may_go_on, n_patterns(memory)) == ([], 0)
    watch.run(END)
    assert n_patterns(memory) == 1


def test_a_running_bot_notices_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its background thread, once the trade that closed is in the journal."""
    for name in ("active_bot_locks", "database_identity", "release"):
        monkeypatch.setattr(f"freqtrade_mem0.host.trade_database.{name}", lambda *_: [])
    monkeypatch.setattr(Reconciler, "run", lambda *_: None)
    settings = Settings(mode="local", user_id="me", path=tmp_path)
    journal = Journal(tmp_path)
    journal.append(TRADES)
    journal.close()
    bot = a_bot(a_run(tmp_path, settings, database_lasts=True), now=lambda: NOTED)
    order = OrderStandIn("dry_run_entry-1", "buy", order_date=at())
    bot.session.trade_closed(
        TradeStandIn(id=1, orders=[order], open_date=at()).close(0.01, hours=5)
    )
    try:
        bot.tick(NOTED)
        assert eventually(lambda: n_patterns(bot.store) == 1)
        (found,) = bot.store.journal.of_kind(Pattern)
        assert found.known_at == at(5), "with the trade that closed"
    finally:
        bot.close()
