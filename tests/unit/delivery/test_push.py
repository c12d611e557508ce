"""Delivery: each record ends once in Mem0, whatever Mem0 does; what it refuses is listed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import DeliverySettings, Settings
from freqtrade_mem0.delivery.push import Delivery, delivery_of
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.stats import stats
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.samples import NOTED, a_retraction, a_trade
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

NOW = NOTED + timedelta(hours=1)


@pytest.fixture
def backend() -> InMemoryMem0:
    """A backend that works until it is told not to."""
    return InMemoryMem0()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Seven trades wait."""
    fresh = Journal(tmp_path)
    fresh.append([a_trade(number) for number in range(1, 8)])
    yield fresh
    fresh.close()


def a_delivery(journal: Journal, backend: MemoryBackend, **settings: Any) -> Delivery:
    """Return a delivery in batches of three, with short pauses."""
    block = {"batch_size": 3, "retry_s": 0.1, "max_retry_s": 0.1, **settings}
    return Delivery(Outbox(journal), lambda: backend, DeliverySettings.model_validate(block))


def waiting(journal: Journal) -> tuple[int, int]:
    """Return how many records wait, and how many were refused."""
    state = Outbox(journal).state()
    return state.pending, state.dead


def records_in(backend: InMemoryMem0) -> list[Record]:
    """Return what Mem0 has, in the order in which it first came."""
    return backend.records()


TRADES = [a_trade(number) for number in range(1, 8)]


def test_everything_arrives_in_batches_oldest_first(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """Draining empties the outbox and reports each batch."""
    progress: list[int] = []

    assert a_delivery(journal, backend).drain(20.0, progress.append)
    assert records_in(backend) == TRADES
    assert [3, 3, 1] == progress == [len(ids) for ids in backend.writes]
    assert waiting(journal) == (0, 0)


def test_nothing_to_deliver_does_not_open_mem0(tmp_path: Path) -> None:
    """Opening it costs seconds, so it waits for the first record."""
    journal = Journal(tmp_path)

    def unopened() -> MemoryBackend:
        raise AssertionError("opened for nothing")

    assert Delivery(Outbox(journal), unopened, DeliverySettings()).drain(20.0)
    journal.close()


def test_while_mem0_is_away_records_wait(journal: Journal, backend: InMemoryMem0) -> None:
    """Draining asks a few times, gives up and says so; a later process delivers the rest."""
    delivery = a_delivery(journal, backend)
    delivery.deliver_batch()
    backend.is_away = True

    assert not delivery.drain(20.0)
    assert len(backend.writes) == 1 + 3
    state = Outbox(journal).state()
    assert (state.pending, state.failures, state.last_error) == (4, 3, "Mem0 is away.")
    assert state.waiting_since == NOTED

    backend.is_away = False
    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == TRADES
    state = Outbox(journal).state()
    assert (state.failures, state.last_error, state.waiting_since) == (0, "", None)
    assert state.delivered_at is not None


def test_a_mem0_that_stumbles_is_asked_again(journal: Journal, backend: InMemoryMem0) -> None:
    """Two failures in a row do not end a flush; each success begins the count anew."""
    failing = iter([True, True, False, True, True, False, True, False])
    write = backend.write

    def stumbling(memories: Sequence[Memory]) -> None:
        backend.is_away = next(failing, False)
        write(memories)

    backend.write = stumbling  # type: ignore[method-assign]
    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == TRADES


def test_a_flush_waits_no_longer_than_it_may(journal: Journal, backend: InMemoryMem0) -> None:
    """Where the next pause would be too long, it ends at once."""
    backend.is_away = True
    assert not a_delivery(journal, backend, retry_s=3600, max_retry_s=3600).drain(1800.0)
    assert len(backend.writes) == 1
    backend.retry_after_s = 3600.0
    assert not a_delivery(journal, backend, max_retry_s=3600).drain(1800.0)
    assert len(backend.writes) == 2


def test_an_open_breaker_sends_one_record_alone(journal: Journal, backend: InMemoryMem0) -> None:
    """A Mem0 that failed often gets a single record; one that takes it gets whole batches."""
    backend.is_away = True
    delivery = a_delivery(journal, backend, breaker_failures=2)
    delivery.start()
    try:
        assert eventually(lambda: len(backend.writes) >= 4)
        assert [len(ids) for ids in backend.writes[:4]] == [3, 3, 1, 1]
        backend.is_away = False
        assert eventually(lambda: waiting(journal) == (0, 0))
    finally:
        delivery.stop(20.0)
    taken = [len(ids) for ids in backend.writes if len(ids) > 1 or ids[0] != TRADES[0].id]
    assert taken == [3, 3, 3, 3]
    assert backend.writes[-2:] == [[t.id for t in TRADES[1:4]], [t.id for t in TRADES[4:]]]


def test_the_alarm_is_for_a_mem0_that_failed_often(journal: Journal, backend: InMemoryMem0) -> None:
    """A first failure is trouble, for the log; as many in a row as set are an alarm."""
    backend.is_away = True
    delivery = a_delivery(journal, backend, breaker_failures=2)
    assert (delivery.trouble, delivery.alarm) == ("", "")
    slow = a_delivery(journal, backend, retry_s=3600, max_retry_s=3600, breaker_failures=2)
    slow.start()
    assert eventually(lambda: slow.trouble == "Mem0 is away.")
    assert slow.alarm == ""
    slow.stop(20.0)
    delivery.start()
    try:
        assert eventually(lambda: delivery.alarm == "Mem0 is away.")
        backend.is_away = False
        assert eventually(lambda: delivery.alarm == delivery.trouble == "")
    finally:
        delivery.stop(20.0)


def test_what_is_said_last_of_a_record_is_delivered_last(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """While Mem0 comes and goes, each correction is delivered or left out, never out of order."""
    delivery = a_delivery(journal, backend)
    profits = [n / 100 for n in range(1, 13)]
    seen = []
    for number, profit in enumerate(profits):
        journal.append([a_trade(1, profit_ratio=profit), a_trade(number + 20)])
        backend.is_away = number % 3 == 1
        backend.loses_answers = int(number % 4 == 2)
        try:
            delivery.deliver_batch()
        except BackendError:
            continue
        if a_trade(1).id in backend.memories:
            seen.append(backend.memories[a_trade(1).id].metadata["profit_ratio"])
    backend.is_away, backend.loses_answers = False, 0
    assert delivery.drain(20.0)
    assert seen == sorted(seen)
    assert backend.memories[a_trade(1).id].metadata["profit_ratio"] == profits[-1]
    assert len(backend.memories) == 7 + len(profits)


def test_stats_tell_how_far_behind_mem0_is(tmp_path: Path, backend: InMemoryMem0) -> None:
    """The age of the oldest record that waits; a clock that was ahead gives no negative one."""
    store = MemoryFolder(Settings.model_validate({"user_id": "me"}), tmp_path)
    store._backend = backend
    now = datetime.now(UTC)
    store.journal.append([a_trade(1, recorded_at=now + timedelta(days=3))])
    assert stats(store)["lag_s"] == 0.0
    assert delivery_of(store).drain(20.0)
    store.journal.append([a_trade(2, recorded_at=now - timedelta(hours=2))])
    backend.is_away = True
    facts = stats(store)
    assert 7_200 <= facts["lag_s"] < 10_000
    assert (facts["pending"], facts["mem0"], facts["mem0_error"]) == (1, None, "Mem0 is away.")
    assert facts["delivered_at"] is not None
    backend.is_away = False
    assert delivery_of(store).drain(20.0)
    assert (stats(store)["lag_s"], stats(store)["mem0"]["total"]) == (0.0, 2)
    store.close()


def test_no_time_at_all_delivers_nothing(journal: Journal, backend: InMemoryMem0) -> None:
    """The answer is whether something waits."""
    assert not a_delivery(journal, backend).drain(0.0)
    Outbox(journal).delivered(range(1, 8), NOW)
    assert a_delivery(journal, backend).drain(0.0)
    assert backend.writes == []


def test_a_record_mem0_refuses_is_listed_and_holds_up_nobody(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """Its neighbours in the batch are delivered; it is not tried again."""
    backend.refused = {a_trade(2).id}

    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == [trade for trade in TRADES if trade != a_trade(2)]
    assert waiting(journal) == (0, 1)
    assert Outbox(journal).state().last_error == "Mem0 refuses one of them."
    attempts = len(backend.writes)
    assert a_delivery(journal, backend).drain(20.0)
    assert attempts == len(backend.writes)


def test_a_correction_of_a_refused_record_is_tried(journal: Journal, backend: InMemoryMem0) -> None:
    """What was wrong with it may be mended."""
    backend.refused = {a_trade(2).id}
    a_delivery(journal, backend).drain(20.0)
    backend.refused = set()
    mended = a_trade(2, profit_ratio=0.5)
    journal.append([mended])

    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend)[-1] == mended
    assert Outbox(journal).state().dead == 0


def test_stored_although_it_failed_is_stored_once(journal: Journal, backend: InMemoryMem0) -> None:
    """A connection that breaks after the write leads to a second write of the same ids."""
    backend.loses_answers = 1

    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == TRADES
    assert backend.writes[0] == backend.writes[1]


def test_away_in_the_middle_of_sorting_out_a_refused_batch(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """What was delivered singly is off the queue, the rest waits, nothing is lost."""
    backend.refused = {a_trade(3).id}
    backend.loses_answers = 1  # the first record of the batch, when it is sent alone

    with pytest.raises(BackendError, match="connection broke"):
        a_delivery(journal, backend).deliver_batch()
    assert waiting(journal) == (7, 0)
    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == [trade for trade in TRADES if trade != a_trade(3)]
    assert waiting(journal) == (0, 1)


def test_a_correction_replaces_what_mem0_has(journal: Journal, backend: InMemoryMem0) -> None:
    """One memory per id, and it says the newest."""
    a_delivery(journal, backend).drain(20.0)
    journal.append([a_trade(1, profit_ratio=-0.5)])
    a_delivery(journal, backend).drain(20.0)

    assert records_in(backend) == [a_trade(1, profit_ratio=-0.5), *TRADES[1:]]


def test_what_is_taken_back_is_deleted_in_mem0(journal: Journal, backend: InMemoryMem0) -> None:
    """The retraction itself is a memory like others."""
    a_delivery(journal, backend).drain(20.0)
    retraction = a_retraction(a_trade(4).id)
    journal.append([retraction])

    assert a_delivery(journal, backend).drain(20.0)
    assert records_in(backend) == [*(t for t in TRADES if t != a_trade(4)), retraction]


def test_what_was_taken_back_and_said_again_is_in_mem0(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """Also where both travel in one batch."""
    a_delivery(journal, backend).drain(20.0)
    journal.append([a_retraction(a_trade(4).id)])
    journal.append([a_trade(4)])

    assert a_delivery(journal, backend).drain(20.0)
    assert a_trade(4) in records_in(backend)


def test_the_thread_delivers_what_comes(journal: Journal, backend: InMemoryMem0) -> None:
    """From its start on, and again whenever it is woken."""
    delivery = a_delivery(journal, backend, retry_s=3600, max_retry_s=3600)
    delivery.start()
    assert eventually(lambda: Outbox(journal).state().pending == 0)
    journal.append([a_trade(8)])
    delivery.wake()

    assert eventually(lambda: a_trade(8).id in backend.memories)
    delivery.stop(20.0)


def test_the_thread_tries_again_when_mem0_was_away(journal: Journal, backend: InMemoryMem0) -> None:
    """After its pause, without being asked."""
    backend.is_away = True
    delivery = a_delivery(journal, backend, retry_s=1)
    delivery.start()
    assert eventually(lambda: len(backend.writes) == 1)
    backend.is_away = False

    assert eventually(lambda: records_in(backend) == TRADES)
    delivery.stop(20.0)


def test_stopping_interrupts_any_pause(journal: Journal, backend: InMemoryMem0) -> None:
    """A bot does not wait an hour for its end, idle or in trouble; the thread is gone."""
    before = threading.active_count()
    for backend.is_away in (True, False):
        delivery = a_delivery(journal, backend, retry_s=3600, max_retry_s=3600)
        delivery.start()
        assert eventually(lambda: len(backend.writes) > 0)
        delivery.stop(20.0)

        assert threading.active_count() == before


def test_stopping_finishes_the_batch_it_is_at(journal: Journal, backend: InMemoryMem0) -> None:
    """And begins no other one; what is left waits for the next process."""
    backend.may_write.clear()
    delivery = a_delivery(journal, backend)
    delivery.start()
    assert backend.in_write.wait(HANG_S)
    delivery.stop(0.01)
    backend.may_write.set()

    assert eventually(lambda: Outbox(journal).state().pending == 4)
    assert records_in(backend) == TRADES[:3]


def test_waking_never_waits(journal: Journal, backend: InMemoryMem0) -> None:
    """Whether the thread works, waits, or was never started."""
    delivery = a_delivery(journal, backend)
    delivery.wake()
    backend.may_write.clear()
    delivery.start()
    assert backend.in_write.wait(HANG_S)
    delivery.wake()
    backend.may_write.set()
    delivery.stop(20.0)
    delivery.wake()


def test_two_deliver_from_one_journal(journal: Journal, backend: InMemoryMem0) -> None:
    """A bot and a command at the same time: every record is there once."""
    journal.append([a_trade(number) for number in range(8, 100)])
    other = Journal(journal.path.parent)
    threads = [
        threading.Thread(target=a_delivery(which, backend).drain, args=(20.0,))
        for which in (journal, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {a_trade(number).id for number in range(1, 100)} == set(backend.memories)
    assert waiting(journal) == (0, 0)
    other.close()


def test_an_unreadable_record_is_set_aside_and_holds_nothing_up(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """A row that this version can not read is listed as dead; what comes behind it is delivered."""
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET kind = 'from the future' WHERE seq <= 4")
    assert a_delivery(journal, backend).drain(20.0)
    assert [record.id for record in records_in(backend)] == [trade.id for trade in TRADES[4:]]
    state = Outbox(journal).state()
    assert (state.pending, state.dead) == (0, 4)
    assert "from the future" in state.last_error


def test_the_background_thread_outlives_an_unexpected_error(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """A provider that raises something of its own at start-up is tried again, like one away."""
    attempts = []

    def opened() -> MemoryBackend:
        attempts.append(1)
        if len(attempts) == 1:
            raise KeyError("a provider's own mistake")
        return backend

    delivery = Delivery(Outbox(journal), opened, DeliverySettings(batch_size=3, retry_s=1))
    delivery.start()
    try:
        assert eventually(lambda: len(backend.memories) == 7)
    finally:
        delivery.stop(20.0)


def test_what_another_process_overtook_is_delivered_again(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """A slow write that ends after a retraction was delivered does not have the last word."""
    Outbox(journal).delivered(range(2, 8), NOW)
    quick = a_delivery(journal, InMemoryMem0())

    class Overtaken(InMemoryMem0):
        """While it writes, another process delivers what came after."""

        def write(self, memories: Sequence[Memory]) -> None:
            """Let the other one go first, once."""
            if not backend.writes:
                journal.append([a_retraction(TRADES[0].id)])
                backend.writes.append([])
                quick.drain(20.0)
                backend.delete([TRADES[0].id])
            backend.memories.update({memory.id: memory for memory in memories})

        def delete(self, memory_ids: Sequence[str]) -> int:
            """Delete in the shared Mem0."""
            return backend.delete(memory_ids)

    slow = a_delivery(journal, Overtaken())
    assert slow.drain(20.0)
    assert TRADES[0].id not in backend.memories
    assert Outbox(journal).state().pending == 0


def test_beside_a_run_whole_batches_are_delivered(journal: Journal, backend: InMemoryMem0) -> None:
    """A part of a batch may still grow; who drains in the end takes it."""
    delivery = a_delivery(journal, backend)
    pauses: list[float] = []

    def pause(pause_s: float) -> bool:
        pauses.append(pause_s)
        return len(pauses) > 3

    assert delivery.deliver_beside(pause) == 6
    assert [len(ids) for ids in backend.writes] == [3, 3]
    assert waiting(journal) == (1, 0)
    assert pauses[:3] == [0.0, 0.0, 0.0]
    assert pauses[3] > 0.0


def test_beside_a_run_a_mem0_that_fails_is_left_alone_for_a_while(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """It comes back, and gets what waited; nobody was told, as nothing is lost."""
    delivery = a_delivery(journal, backend, retry_s=5.0, max_retry_s=50.0)
    backend.is_away = True
    pauses: list[float] = []

    def pause(pause_s: float) -> bool:
        pauses.append(pause_s)
        if len(pauses) == 3:
            backend.is_away = False
        return len(pauses) > 5

    assert delivery.deliver_beside(pause) == 6
    assert 2.5 <= pauses[1] <= 5.0 < pauses[2]
    assert records_in(backend) == TRADES[:6]


def test_beside_a_run_the_end_is_heard_before_the_first_look(
    journal: Journal, backend: InMemoryMem0
) -> None:
    """A process that was started at the end goes straight to the rest."""
    assert a_delivery(journal, backend).deliver_beside(lambda _: True) == 0
    assert backend.writes == []
