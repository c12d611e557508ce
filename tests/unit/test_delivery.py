"""Delivery: each record ends once in Mem0, whatever Mem0 does; what it refuses is listed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import DeliverySettings
from freqtrade_mem0.delivery import Delivery
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox, OutboxState
from freqtrade_mem0.records.mapping import from_memory
from tests.unit.samples import a_retraction, a_trade
from tests.unit.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters, GroupKey, MemoryBackend
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory


class MemoriesInADict:
    """A backend that fails on command."""

    name = "dict"

    def __init__(self) -> None:
        self.memories: dict[str, Memory] = {}
        self.writes: list[list[str]] = []
        """Ids of each attempt to write."""
        self.is_away = False
        self.refused: set[str] = set()
        self.loses_answers = 0
        """So many next writes are stored, and reported as failed all the same."""
        self.in_write = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of them, or fail as commanded."""
        self.in_write.set()
        assert self.may_write.wait(20.0)
        self.writes.append([memory.id for memory in memories])
        if self.is_away:
            raise BackendError("Mem0 is away.")
        if self.refused & {memory.id for memory in memories}:
            raise BackendError("Mem0 refuses one of them.", permanent=True)
        self.memories.update({memory.id: memory for memory in memories})
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise BackendError("The connection broke.")

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory."""
        return self.memories.get(memory_id)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Nobody asks."""
        raise NotImplementedError

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Nobody asks."""
        raise NotImplementedError

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these."""
        return sum(self.memories.pop(memory_id, None) is not None for memory_id in memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Nobody asks."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to release."""


@pytest.fixture
def backend() -> MemoriesInADict:
    """A backend that works until it is told not to."""
    return MemoriesInADict()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Seven trades wait."""
    fresh = Journal(tmp_path)
    fresh.append([a_trade(number) for number in range(1, 8)])
    yield fresh
    fresh.close()


def delivery_of(journal: Journal, backend: MemoryBackend, retry_s: float = 1.0) -> Delivery:
    """Return a delivery in batches of three."""
    settings = DeliverySettings(batch_size=3, retry_s=retry_s)
    return Delivery(Outbox(journal), lambda: backend, settings)


def records_in(backend: MemoriesInADict) -> list[Record]:
    """Return what Mem0 has, in the order in which it first came."""
    return [from_memory(memory) for memory in backend.memories.values()]


TRADES = [a_trade(number) for number in range(1, 8)]


def test_everything_arrives_in_batches_oldest_first(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """Draining empties the outbox and reports each batch."""
    progress: list[int] = []

    assert delivery_of(journal, backend).drain(20.0, progress.append)
    assert records_in(backend) == TRADES
    assert [3, 3, 1] == progress == [len(ids) for ids in backend.writes]
    assert OutboxState(pending=0, dead=0, last_error="") == Outbox(journal).state()


def test_nothing_to_deliver_does_not_open_mem0(tmp_path: Path) -> None:
    """Opening it costs seconds, so it waits for the first record."""
    journal = Journal(tmp_path)

    def unopened() -> MemoryBackend:
        raise AssertionError("opened for nothing")

    assert Delivery(Outbox(journal), unopened, DeliverySettings()).drain(20.0)
    journal.close()


def test_while_mem0_is_away_records_wait(journal: Journal, backend: MemoriesInADict) -> None:
    """Draining gives up at once and says so; a later process delivers the rest."""
    delivery = delivery_of(journal, backend)
    delivery.deliver_batch()
    backend.is_away = True

    assert not delivery.drain(20.0)
    assert OutboxState(pending=4, dead=0, last_error="Mem0 is away.") == Outbox(journal).state()

    backend.is_away = False
    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend) == TRADES


def test_no_time_at_all_delivers_nothing(journal: Journal, backend: MemoriesInADict) -> None:
    """The answer is whether something waits."""
    assert not delivery_of(journal, backend).drain(0.0)
    Outbox(journal).delivered(range(1, 8))
    assert delivery_of(journal, backend).drain(0.0)
    assert backend.writes == []


def test_a_record_mem0_refuses_is_listed_and_holds_up_nobody(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """Its neighbours in the batch are delivered; it is not tried again."""
    backend.refused = {a_trade(2).id}

    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend) == [trade for trade in TRADES if trade != a_trade(2)]
    assert OutboxState(pending=0, dead=1, last_error="Mem0 refuses one of them.") == (
        Outbox(journal).state()
    )
    attempts = len(backend.writes)
    assert delivery_of(journal, backend).drain(20.0)
    assert attempts == len(backend.writes)


def test_a_correction_of_a_refused_record_is_tried(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """What was wrong with it may be mended."""
    backend.refused = {a_trade(2).id}
    delivery_of(journal, backend).drain(20.0)
    backend.refused = set()
    mended = a_trade(2, profit_ratio=0.5)
    journal.append([mended])

    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend)[-1] == mended
    assert Outbox(journal).state().dead == 0


def test_stored_although_it_failed_is_stored_once(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """A connection that breaks after the write leads to a second write of the same ids."""
    backend.loses_answers = 1

    assert not delivery_of(journal, backend).drain(20.0)
    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend) == TRADES
    assert backend.writes[0] == backend.writes[1]


def test_away_in_the_middle_of_sorting_out_a_refused_batch(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """What was delivered singly is off the queue, the rest waits, nothing is lost."""
    backend.refused = {a_trade(3).id}
    backend.loses_answers = 1  # the first record of the batch, when it is sent alone

    assert not delivery_of(journal, backend).drain(20.0)
    assert Outbox(journal).state().pending == 7
    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend) == [trade for trade in TRADES if trade != a_trade(3)]
    assert (Outbox(journal).state().pending, Outbox(journal).state().dead) == (0, 1)


def test_a_correction_replaces_what_mem0_has(journal: Journal, backend: MemoriesInADict) -> None:
    """One memory per id, and it says the newest."""
    delivery_of(journal, backend).drain(20.0)
    journal.append([a_trade(1, profit_ratio=-0.5)])
    delivery_of(journal, backend).drain(20.0)

    assert records_in(backend) == [a_trade(1, profit_ratio=-0.5), *TRADES[1:]]


def test_what_is_taken_back_is_deleted_in_mem0(journal: Journal, backend: MemoriesInADict) -> None:
    """The retraction itself is a memory like others."""
    delivery_of(journal, backend).drain(20.0)
    retraction = a_retraction(a_trade(4).id)
    journal.append([retraction])

    assert delivery_of(journal, backend).drain(20.0)
    assert records_in(backend) == [*(t for t in TRADES if t != a_trade(4)), retraction]


def test_what_was_taken_back_and_said_again_is_in_mem0(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """Also where both travel in one batch."""
    delivery_of(journal, backend).drain(20.0)
    journal.append([a_retraction(a_trade(4).id)])
    journal.append([a_trade(4)])

    assert delivery_of(journal, backend).drain(20.0)
    assert a_trade(4) in records_in(backend)


def test_the_thread_delivers_what_comes(journal: Journal, backend: MemoriesInADict) -> None:
    """From its start on, and again whenever it is woken."""
    delivery = delivery_of(journal, backend, retry_s=3600.0)
    delivery.start()
    assert eventually(lambda: Outbox(journal).state().pending == 0)
    journal.append([a_trade(8)])
    delivery.wake()

    assert eventually(lambda: a_trade(8).id in backend.memories)
    delivery.stop(20.0)


def test_the_thread_tries_again_when_mem0_was_away(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """After its pause, without being asked."""
    backend.is_away = True
    delivery = delivery_of(journal, backend, retry_s=1.0)
    delivery.start()
    assert eventually(lambda: len(backend.writes) == 1)
    backend.is_away = False

    assert eventually(lambda: records_in(backend) == TRADES)
    delivery.stop(20.0)


def test_stopping_interrupts_any_pause(journal: Journal, backend: MemoriesInADict) -> None:
    """A bot does not wait an hour for its end, idle or in trouble; the thread is gone."""
    before = threading.active_count()
    for backend.is_away in (True, False):
        delivery = delivery_of(journal, backend, retry_s=3600.0)
        delivery.start()
        assert eventually(lambda: len(backend.writes) > 0)
        delivery.stop(20.0)

        assert threading.active_count() == before


def test_stopping_finishes_the_batch_it_is_at(journal: Journal, backend: MemoriesInADict) -> None:
    """And begins no other one; what is left waits for the next process."""
    backend.may_write.clear()
    delivery = delivery_of(journal, backend)
    delivery.start()
    assert backend.in_write.wait(20.0)
    delivery.stop(0.01)
    backend.may_write.set()

    assert eventually(lambda: Outbox(journal).state().pending == 4)
    assert records_in(backend) == TRADES[:3]


def test_waking_never_waits(journal: Journal, backend: MemoriesInADict) -> None:
    """Whether the thread works, waits, or was never started."""
    delivery = delivery_of(journal, backend)
    delivery.wake()
    backend.may_write.clear()
    delivery.start()
    assert backend.in_write.wait(20.0)
    delivery.wake()
    backend.may_write.set()
    delivery.stop(20.0)
    delivery.wake()


def test_two_deliver_from_one_journal(journal: Journal, backend: MemoriesInADict) -> None:
    """A bot and a command at the same time: every record is there once."""
    journal.append([a_trade(number) for number in range(8, 100)])
    other = Journal(journal.path.parent)
    threads = [
        threading.Thread(target=delivery_of(which, backend).drain, args=(20.0,))
        for which in (journal, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {a_trade(number).id for number in range(1, 100)} == set(backend.memories)
    assert OutboxState(pending=0, dead=0, last_error="") == Outbox(journal).state()
    other.close()


def test_an_unreadable_record_is_set_aside_and_holds_nothing_up(
    journal: Journal, backend: MemoriesInADict
) -> None:
    """A row that this version can not read is listed as dead; what comes behind it is delivered."""
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET kind = 'from the future' WHERE seq <= 4")
    assert delivery_of(journal, backend).drain(20.0)
    assert [record.id for record in records_in(backend)] == [trade.id for trade in TRADES[4:]]
    state = Outbox(journal).state()
    assert (state.pending, state.dead) == (0, 4)
    assert "from the future" in state.last_error


def test_the_background_thread_outlives_an_unexpected_error(
    journal: Journal, backend: MemoriesInADict
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
    journal: Journal, backend: MemoriesInADict
) -> None:
    """A slow write that ends after a retraction was delivered does not have the last word."""
    Outbox(journal).delivered(range(2, 8))
    quick = delivery_of(journal, MemoriesInADict())

    class Overtaken(MemoriesInADict):
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

    slow = delivery_of(journal, Overtaken())
    assert slow.drain(20.0)
    assert TRADES[0].id not in backend.memories
    assert Outbox(journal).state().pending == 0
