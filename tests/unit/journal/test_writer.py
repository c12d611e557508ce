"""The writer: callbacks hand over and go on, whatever the disk does; nothing is lost in between."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal import writer as writer_module
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.writer import JournalWriter
from tests.support.samples import a_decision, a_note, a_risk_event, a_trade, opened
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.records.base import Record


@pytest.fixture
def background(journal: Journal) -> Iterator[JournalWriter]:
    """A bot's writer."""
    writer = JournalWriter(journal, background=True)
    yield writer
    writer.close(HANG_S)


@contextmanager
def locked(journal: Journal) -> Iterator[None]:
    """Hold the file as another process would that writes for a long time."""
    journal.counts()  # the file is there
    other = sqlite3.connect(journal.path, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


def records_in(journal: Journal) -> list[Record]:
    """Return the journal's records in order of arrival."""
    return [record for _, record in journal.records()]


class LockedJournal(Journal):
    """Refuses its first attempts to append as a locked file does, then is free."""

    def __init__(self, folder: Path, n_refused: int) -> None:
        super().__init__(folder)
        self._n_refused = n_refused
        self.attempts: list[int] = []
        """How many entries each attempt was to append."""

    def append(self, entries: Iterable[Entry]) -> int:
        """Refuse, or append."""
        given = list(entries)
        self.attempts.append(len(given))
        if len(self.attempts) <= self._n_refused:
            raise JournalError("locked")
        return super().append(given)


def test_entries_arrive_in_the_order_they_were_handed_over(
    journal: Journal, background: JournalWriter
) -> None:
    """Decision, fill and close of a trade belong in this order."""
    decision, trade = a_decision(1), a_trade(1)
    background.submit(decision)
    background.submit(opened(decision, trade), trade)
    for number in range(2, 50):
        background.submit(a_trade(number))

    assert background.flush(HANG_S)
    assert [a_trade(number) for number in range(1, 50)] == records_in(journal)
    assert [trade] == [line.trade for line in journal.ledger()]
    assert background.waiting == 0


def test_the_thread_writes_without_being_asked(journal: Journal, background: JournalWriter) -> None:
    """A record is on disk right behind the callback, not at the end."""
    background.submit(a_trade(1))

    assert eventually(lambda: records_in(journal) == [a_trade(1)])


def test_a_locked_file_holds_up_nobody_and_loses_nothing(
    journal: Journal, background: JournalWriter
) -> None:
    """While another process holds the file, handing over returns at once; later all is written."""
    with locked(journal):
        for number in range(200):
            background.submit(a_trade(number))

        assert not background.flush(0.05)
        assert background.waiting == 200
    assert eventually(lambda: background.waiting == 0)
    assert [a_trade(number) for number in range(200)] == records_in(journal)
    assert background.dropped == 0


def test_a_flush_that_takes_too_long_says_so(journal: Journal, background: JournalWriter) -> None:
    """False means: not everything is on disk yet."""
    with locked(journal):
        background.submit(a_trade(1))

        assert not background.flush(0.05)
    assert background.flush(HANG_S)


def test_above_its_capacity_the_oldest_are_dropped_and_counted(
    journal: Journal, background: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded; what is dropped is known and comes back through reconciliation."""
    monkeypatch.setattr(writer_module, "CAPACITY", 10)
    with locked(journal):
        background.submit(a_note(1))
        background.submit(*(a_trade(number) for number in range(25)))

        assert (background.waiting, background.dropped) == (10, 16)
    assert background.flush(HANG_S)
    assert [a_trade(number) for number in range(15, 25)] == [
        record for record in records_in(journal) if record.kind == "trade"
    ]


def test_an_entry_that_can_not_be_written_does_not_hold_up_the_others(
    journal: Journal, background: JournalWriter
) -> None:
    """NaN has no place in JSON: it is reported and left out, its neighbours are written."""
    background.submit(a_trade(1), a_risk_event(1, impact=float("nan")), a_trade(2))

    assert background.flush(HANG_S)
    assert [a_trade(1), a_trade(2)] == records_in(journal)
    background.submit(a_trade(3))
    assert background.flush(HANG_S)
    assert a_trade(3) in records_in(journal)


def test_an_entry_that_can_not_be_written_is_found_in_few_attempts(tmp_path: Path) -> None:
    """A large backtest is written in halves, not trade by trade."""
    attempts: list[int] = []

    class Counting(Journal):
        """Counts attempts."""

        def append(self, entries: Iterable[Entry]) -> int:
            """Append."""
            attempts.append(1)
            return super().append(entries)

    journal = Counting(tmp_path)
    writer = JournalWriter(journal, background=False)
    trades = [a_trade(number) for number in range(64)]
    writer.submit(*trades[:40], a_risk_event(1, impact=float("nan")), *trades[40:])
    assert writer.flush(HANG_S)
    assert records_in(journal) == trades
    assert len(attempts) < 16


def test_entries_that_were_handed_over_as_one_are_left_out_one_by_one(tmp_path: Path) -> None:
    """A function may return all risk events of a backtest."""
    journal = Journal(tmp_path)
    writer = JournalWriter(journal, background=False)
    events = a_risk_event(1), a_risk_event(2, impact=float("nan")), a_risk_event(3)
    writer.submit(a_trade(1), lambda: events, a_trade(2))
    assert writer.flush(HANG_S)
    assert records_in(journal) == [a_trade(1), events[0], events[2], a_trade(2)]
    journal.close()


def test_closing_writes_what_waits(journal: Journal) -> None:
    """And ends the thread; closing again is harmless."""
    before = threading.active_count()
    writer = JournalWriter(journal, background=True)
    writer.submit(*(a_trade(number) for number in range(100)))

    assert writer.close(HANG_S)
    assert len(records_in(journal)) == 100
    assert threading.active_count() == before
    assert writer.close(HANG_S)


def test_closing_in_time_matters_more_than_the_last_entry(journal: Journal) -> None:
    """A bot's shutdown does not wait for ever for a file that is locked."""
    writer = JournalWriter(journal, background=True)
    with locked(journal):
        writer.submit(a_trade(1))
        assert not writer.close(0.1)
    # The thread was waiting for the file all the same, and gets it now.
    assert eventually(lambda: records_in(journal) == [a_trade(1)])


def test_many_threads_hand_over_at_once(journal: Journal, background: JournalWriter) -> None:
    """Freqtrade's REST server closes trades in a thread of its own."""

    def hand_over(first: int) -> None:
        for number in range(first, first + 50):
            background.submit(a_trade(number))

    threads = [threading.Thread(target=hand_over, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert background.flush(HANG_S)
    assert len(records_in(journal)) == 150


def test_a_backtest_writes_in_batches(journal: Journal) -> None:
    """Without a thread of its own: every `batch` entries, and the rest at the end."""
    writer = JournalWriter(journal, background=False, batch=3)
    writer.submit(a_trade(1), a_trade(2))
    assert (writer.waiting, records_in(journal)) == (2, [])

    writer.submit(a_trade(3))
    assert (writer.waiting, len(records_in(journal))) == (0, 3)

    writer.submit(a_trade(4))
    assert writer.close(HANG_S)
    assert [a_trade(number) for number in range(1, 5)] == records_in(journal)


@pytest.mark.parametrize(("background", "level"), [(True, 2), (False, 1)])
def test_only_a_bot_waits_for_the_disk(journal: Journal, background: bool, level: int) -> None:
    """What a power cut takes of a backtest is there again when it is repeated."""
    writer = JournalWriter(journal, background=background)
    writer.submit(a_trade(1))
    assert writer.close(HANG_S)

    with journal.connection.write() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)


def test_flushing_nothing_is_done_at_once(journal: Journal, background: JournalWriter) -> None:
    """Also while the file is locked: there is nothing to write."""
    with locked(journal):
        assert background.flush(0.0)
        assert JournalWriter(journal, background=False).flush(0.0)


@pytest.mark.parametrize("error", [JournalError("the disk is full"), ConfigError("read-only")])
def test_no_trouble_with_the_file_drops_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Also where the file may not be opened any more: entries wait until it may."""
    monkeypatch.setattr(writer_module, "RETRY_S", 0.01)
    troubles = [error] * 3

    class TroubledJournal(Journal):
        """Three times in trouble, then well."""

        def append(self, entries: Iterable[Entry]) -> int:
            """Refuse, or append."""
            if troubles:
                raise troubles.pop()
            return super().append(entries)

    journal = TroubledJournal(tmp_path)
    writer = JournalWriter(journal, background=True)
    writer.submit(a_trade(1), a_trade(2))
    assert eventually(lambda: len(list(journal.records())) == 2)
    assert writer.close(HANG_S)
    assert (writer.dropped, writer.in_trouble) == (0, False)
    journal.close()


def test_a_backtest_asks_a_locked_journal_once_per_batch(tmp_path: Path) -> None:
    """Each attempt takes its time; while the lock is held, entries only gather."""
    journal = LockedJournal(tmp_path, 2)
    writer = JournalWriter(journal, background=False, batch=3)
    for number in range(1, 10):
        writer.submit(a_trade(number))
    assert journal.attempts == [3, 6, 9]
    assert len(list(journal.records())) == 9


def test_a_large_backtest_asks_again_before_it_drops_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that is gone soon costs no entry, though a second batch has no room in memory."""
    monkeypatch.setattr(writer_module, "CAPACITY", 10)
    journal = LockedJournal(tmp_path, 1)
    writer = JournalWriter(journal, background=False, batch=6)
    for number in range(12):
        writer.submit(a_trade(number))
    assert (journal.attempts, writer.dropped) == ([6, 8], 0)


def test_a_backtest_asks_again_after_entries_were_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What still waits is written when the lock is gone, not only at the end of the run."""
    monkeypatch.setattr(writer_module, "CAPACITY", 10)
    journal = LockedJournal(tmp_path, 4)
    writer = JournalWriter(journal, background=False, batch=6)
    for number in range(16):
        writer.submit(a_trade(number))
    assert (journal.attempts, writer.dropped) == ([6, 8, 10, 10, 10], 4)


def written_by(journal: Journal, *, in_child: bool) -> tuple[list[Record], int]:
    """Write some trades at the end of a backtest; return what is there and how many links."""
    writer = JournalWriter(journal, background=False)
    decision, trade = a_decision(1), a_trade(1)
    writer.submit(decision, lambda: (opened(decision, trade), trade), a_risk_event(2))
    if in_child:
        writer.begin_flush()
    assert writer.flush(HANG_S)
    assert writer.waiting == 0
    links = journal.connection.row("SELECT count(*) FROM chain")[0]
    return records_in(journal), links


def in_this_process() -> JournalError:
    """Return the error of a journal that must not be written to here."""
    return JournalError("written in this process")


@pytest.fixture
def always_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few entries be worth a child, on any machine."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(writer_module, "WORTH_A_CHILD", 1)


@pytest.mark.usefixtures("always_in_a_child")
def test_a_child_writes_what_this_process_would_have_written(
    journal: Journal, tmp_path: Path
) -> None:
    """And this process then has nothing to write."""
    here = os.getpid()

    class OfAChild(Journal):
        """Only another process may append."""

        def append(self, entries: Iterable[Entry]) -> int:
            """Refuse, or append."""
            if os.getpid() == here:
                raise in_this_process()
            return super().append(entries)

    other = OfAChild(tmp_path / "other")
    assert written_by(other, in_child=True) == written_by(journal, in_child=False)
    other.close()


@pytest.mark.usefixtures("always_in_a_child")
@pytest.mark.parametrize("before", [True, False])
def test_a_child_that_dies_costs_only_time(tmp_path: Path, before: bool) -> None:
    """Before its commit or after it: everything is there once."""
    here = os.getpid()

    class Deadly(Journal):
        """A child does not survive it."""

        def append(self, entries: Iterable[Entry]) -> int:
            """Append, unless it dies before."""
            given = list(entries)
            if os.getpid() != here and before:
                os.kill(os.getpid(), signal.SIGKILL)
            n_new = super().append(given)
            if os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            return n_new

    journal, plain = Deadly(tmp_path / "deadly"), Journal(tmp_path / "plain")
    assert written_by(journal, in_child=True) == written_by(plain, in_child=False)
    journal.close()
    plain.close()


@pytest.mark.usefixtures("always_in_a_child")
def test_what_goes_wrong_in_a_child_is_said_once_as_without_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk, for example; the entries wait as ever."""

    class Full(Journal):
        """On a full disk."""

        def append(self, entries: Iterable[Entry]) -> int:
            """Refuse."""
            del entries
            raise JournalError("the disk is full.")

    journal = Full(tmp_path)
    writer = JournalWriter(journal, background=False)
    writer.submit(a_trade(1), a_trade(2))
    writer.begin_flush()
    assert caplog.messages == []
    assert not writer.flush(HANG_S)
    assert caplog.messages == ["the disk is full. 2 entries wait in memory (up to 100000)."]
    assert writer.waiting == 2


def test_few_entries_are_not_worth_a_child(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred trades are written faster than a process starts."""
    monkeypatch.delattr(writer_module, "forked")
    assert written_by(journal, in_child=True)
