"""A cycle that was killed anywhere and run again ends where one that was not killed ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.journal.connection import Connection
from freqtrade_mem0.records.base import Category
from tests.support.aging import cycle, deliver, in_mem0, old_note, old_trade, remembering
from tests.unit.lifecycle.test_redundancy import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder

MOST_STEPS = 40


class Killed(BaseException):
    """The process ends here."""


def filled(folder: Path) -> MemoryFolder:
    """Return a memory with something to do for each step."""
    trades = [old_trade(n, n, profit_ratio=(-1) ** n / 50) for n in range(4, 15, 5)]
    notes = [old_note(f"{TEXT} {word}", 3) for word in ("today", "now")]
    seen = [old_note(f"seen {n} times", n, Category.MARKET_CONDITIONS) for n in (1, 9)]
    return remembering(folder, *trades, *notes, *seen)


def state(memory: MemoryFolder) -> tuple[Any, ...]:
    """Return all that a reader can see, without the times at which it was noted."""
    ages = sorted(
        memory.journal.connection.rows(
            "SELECT r.id, aged.state FROM aged JOIN records AS r USING (seq) WHERE is_current = 1"
        )
    )
    return in_mem0(memory), ages, memory.outbox.state().pending


def killing(nth: int, act: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that acts, and ends the process with its `nth` call, before or after it."""
    calls = 0

    def called(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and nth % 2:
            raise Killed
        done = act(*given, **named)
        if calls == nth:
            raise Killed
        return done

    return called


@pytest.mark.parametrize("what", ["delete", "write", "note", "append"])
def test_a_killed_cycle_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """At each of its writes to Mem0 and to the journal, before it and after it."""
    undisturbed = filled(tmp_path / "whole")
    cycle(undisturbed)
    expected = state(undisturbed)
    undisturbed.close()

    for nth in range(1, MOST_STEPS):
        memory = filled(tmp_path / f"{nth}")
        owner = {
            "delete": memory.backend,
            "write": memory.backend,
            "note": memory.aged,
            "append": memory.journal,
        }[what]
        was_killed = False
        with monkeypatch.context() as patch:
            patch.setattr(owner, what, killing(nth, getattr(owner, what)))
            try:
                cycle(memory)
            except Killed:
                was_killed = True
        memory.close()
        memory = remembering(tmp_path / f"{nth}")
        cycle(memory)
        deliver(memory)
        assert state(memory) == expected
        memory.close()
        if not was_killed:
            return
    raise AssertionError(f"{MOST_STEPS} calls were not enough")


def test_no_transaction_of_a_cycle_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that writes to the same journal waits for few rows at a time."""
    memory = remembering(tmp_path, *(old_trade(n, 40 + n / 50) for n in range(600)))
    changes: list[int] = []
    write = Connection.write

    @contextmanager
    def counted(self: Connection) -> Any:
        with write(self) as sqlite:
            before = sqlite.total_changes
            yield sqlite
            changes.append(sqlite.total_changes - before)

    monkeypatch.setattr(Connection, "write", counted)
    cycle(memory)
    memory.close()
    assert 0 < max(changes) <= 1_000
