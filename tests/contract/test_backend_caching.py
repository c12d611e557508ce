"""The cache: bounded, never older than it says, blind to no write made through it."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.client.cache import CachingBackend
from freqtrade_mem0.errors import BackendError
from tests.support.mem0_stand_in import Mem0StandIn
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}
START = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(3)]


class Clock:
    """Seconds that pass on command."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


class BatchingStandIn(Mem0StandIn):
    """Takes many searches in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def search_many(
        self, queries: Sequence[str], *, filters: Filters, limit: int
    ) -> list[list[Memory]]:
        """Note the batch, then answer."""
        self.batches.append(list(queries))
        return [self.search(each, filters=filters, limit=limit) for each in queries]


def search(backend: CachingBackend, query: str = "profit", **changes: Any) -> list[Memory]:
    """Search with the filter and limit that most tests use."""
    asked: dict[str, Any] = {"filters": MINE, "limit": 5} | changes
    return backend.search(query, **asked)


def test_an_answer_is_repeated_until_it_is_old(make_memory: MakeMemory) -> None:
    """It counts from when it was asked for; another question is another answer."""
    mem0, clock = Mem0StandIn(), Clock()
    backend = CachingBackend(mem0, ttl_s=10, clock=clock)
    backend.write([make_memory(0)])
    first = search(backend)

    clock.now_s = 9.99
    assert first == search(backend)
    assert mem0.n_asked("search") == 1
    clock.now_s = 10.0
    assert first == search(backend)
    assert mem0.n_asked("search") == 2
    for changes in ({"limit": 6}, {"query": "loss"}, {"filters": {**MINE, "n": 0}}):
        search(backend, **changes)
    assert mem0.n_asked("search") == 5
    stats = backend.stats()
    assert (stats.hits, stats.joined, stats.misses, stats.evictions) == (1, 0, 5, 0)


def test_without_a_time_to_live_every_question_is_asked(make_memory: MakeMemory) -> None:
    """What others write is then seen at once."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=0)
    assert search(backend) == []
    mem0.write([make_memory(0)])

    assert [each.id for each in search(backend)] == [make_memory(0).id]
    assert backend.get(make_memory(0).id) == make_memory(0)
    assert backend.stats().memories == 0


@pytest.mark.parametrize("loses_answers", [False, True])
def test_a_write_through_it_is_seen_at_once(
    make_memory: MakeMemory, *, loses_answers: bool
) -> None:
    """Also one that was done and reported as failed; what it did not touch stays held."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=3600)
    backend.write([make_memory(0)])
    other = backend.get(make_memory(0).id)
    assert backend.get(make_memory(1).id) is None
    assert len(search(backend)) == 1

    mem0.loses_answers = loses_answers
    try:
        backend.write([make_memory(1)])
    except BackendError:
        assert loses_answers

    assert backend.get(make_memory(1).id) == make_memory(1)
    assert len(search(backend)) == 2
    assert backend.get(make_memory(0).id) is other
    assert mem0.n_asked("get") == 3
    assert backend.delete([make_memory(0).id]) == 1
    assert backend.get(make_memory(0).id) is None
    assert len(search(backend)) == 1


def test_what_is_held_is_bounded_and_the_least_used_goes_first(make_memory: MakeMemory) -> None:
    """Memories are counted, an empty answer as one; too long an answer drives nothing out."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=3600, max_memories=3)
    backend.write([make_memory(n) for n in range(5)])
    ids = [make_memory(n).id for n in range(5)]
    for n in (0, 1, 2, 0):
        backend.get(ids[n])
    assert backend.stats().memories == 3

    backend.get(ids[3])
    assert backend.stats().evictions == 1
    n_asked = mem0.n_asked("get")
    backend.get(ids[0])
    assert mem0.n_asked("get") == n_asked
    backend.get(ids[1])
    assert mem0.n_asked("get") == n_asked + 1
    assert len(search(backend)) == 5
    assert backend.stats().memories == 3
    assert len(search(backend)) == 5
    assert mem0.n_asked("search") == 2


def test_equal_questions_at_the_same_time_are_asked_once(make_memory: MakeMemory) -> None:
    """All get the answer of the first; a different question does not wait for it."""
    mem0 = Mem0StandIn()
    mem0.write([make_memory(0)])
    backend = CachingBackend(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(search, backend) for _ in range(8)]
        assert eventually(lambda: backend.stats().joined == 7)
        mem0.may_answer.set()
    ids = [[memory.id for memory in answer.result()] for answer in answers]
    assert ids == [[make_memory(0).id]] * 8
    assert mem0.n_asked("search") == 1


def test_an_error_reaches_all_who_wait_and_is_not_repeated(make_memory: MakeMemory) -> None:
    """The next one asks anew."""
    mem0 = Mem0StandIn()
    mem0.write([make_memory(0)])
    backend = CachingBackend(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    mem0.is_away = True
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(search, backend) for _ in range(3)]
        assert eventually(lambda: backend.stats().joined == 2)
        mem0.may_answer.set()
    for answer in answers:
        with pytest.raises(BackendError, match="Mem0 is away"):
            answer.result()
    mem0.is_away = False
    assert len(search(backend)) == 1
    assert mem0.n_asked("search") == 2


def test_an_answer_from_before_a_write_is_not_held(make_memory: MakeMemory) -> None:
    """A search that was under way during a write is not joined afterwards, and not repeated."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(search, backend)
        assert eventually(lambda: mem0.n_inside == 1)
        mem0.memories[make_memory(0).id] = make_memory(0)
        backend.forget([make_memory(0).id])  # as a write does when it is done
        mem0.may_answer.set()
        assert len(search(backend)) == 1
        assert early.result() == []
    assert len(search(backend)) == 1
    assert mem0.n_asked("search") == 2


def test_a_batch_goes_at_once_where_the_backend_takes_it(make_memory: MakeMemory) -> None:
    """Only what is not held is asked, each query once; answers come in the order of queries."""
    mem0 = BatchingStandIn()
    backend = CachingBackend(mem0, ttl_s=3600)
    backend.write([make_memory(n) for n in range(3)])
    held = search(backend, "number1")

    queries = ["number2", "number1", "number2", "number0"]
    found = backend.search_many(queries, filters=MINE, limit=5)

    assert mem0.batches == [["number2", "number0"]]
    assert held == found[1]
    assert [search(backend, query) for query in queries] == found
    assert backend.search_many([], filters=MINE, limit=5) == []
    with pytest.raises(BackendError, match="needs a query"):
        backend.search_many(["number2", " "], filters=MINE, limit=5)
    mem0.is_away = True
    with pytest.raises(BackendError, match="away"):
        backend.search_many(["number2", "news"], filters=MINE, limit=5)
    mem0.is_away = False
    assert len(backend.search_many(["news"], filters=MINE, limit=5)) == 1


def test_a_batch_runs_a_few_at_a_time_elsewhere(make_memory: MakeMemory) -> None:
    """Never more than was said, and the answers are those of single searches."""
    mem0 = Mem0StandIn()
    mem0.write([make_memory(n) for n in range(10)])
    backend = CachingBackend(mem0, ttl_s=3600, parallel_searches=3)
    queries = [f"number{n}" for n in range(10)]
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        batch = threads.submit(backend.search_many, queries, filters=MINE, limit=2)
        assert eventually(lambda: mem0.n_inside == 3)
        mem0.may_answer.set()
        found = batch.result()
    assert mem0.most_inside == 3
    assert [mem0.search(query, filters=MINE, limit=2) for query in queries] == found


def test_what_was_preloaded_is_read_without_asking(make_memory: MakeMemory) -> None:
    """For the time it is held, also without a time to live; a write through it ends that."""
    mem0, clock = Mem0StandIn(), Clock()
    backend = CachingBackend(mem0, clock=clock)
    memories = [make_memory(n) for n in range(4)]
    backend.write(memories)

    assert backend.preload(MINE, hold_s=60) == 4
    for _ in range(3):
        assert memories == list(backend.scan(filters=MINE))
        assert memories == [backend.get(each.id) for each in memories]
    assert (mem0.n_asked("scan"), mem0.n_asked("get")) == (1, 0)
    clock.now_s = 60.0
    assert memories == list(backend.scan(filters=MINE))
    assert mem0.n_asked("scan") == 2
    assert backend.preload(MINE, hold_s=60) == 4
    backend.write([make_memory(4)])
    assert len(list(backend.scan(filters=MINE))) == 5


def test_a_preload_that_does_not_fit_holds_nothing(make_memory: MakeMemory) -> None:
    """No more is read than that takes to see; one whose reading fails holds nothing either."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, max_memories=5)
    backend.write([make_memory(n) for n in range(3)])

    assert backend.preload(MINE, hold_s=60) == 0
    assert backend.stats().memories == 0
    assert backend.preload({**MINE, "n": {"lt": 2}}, hold_s=60) == 2
    mem0.is_away = True
    with pytest.raises(BackendError, match="away"):
        backend.preload({**MINE, "n": 0}, hold_s=60)
    mem0.is_away = False
    assert len(list(backend.scan(filters={**MINE, "n": 0}))) == 1


def test_a_preload_overtaken_by_a_write_holds_nothing(make_memory: MakeMemory) -> None:
    """Neither the listing nor the single memories are those from before the write."""
    mem0 = Mem0StandIn()
    mem0.write([make_memory(0)])
    backend = CachingBackend(mem0)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        preload = threads.submit(backend.preload, MINE, hold_s=60)
        assert eventually(lambda: mem0.n_inside == 1)
        changed = mem0.memories[make_memory(0).id] = make_memory(0, text="Corrected since")
        backend.forget([changed.id])
        mem0.may_answer.set()
        assert preload.result() == 0
    assert changed == backend.get(changed.id)
    assert [changed] == list(backend.scan(filters=MINE))


def test_filters_that_mean_different_things_are_told_apart(make_memory: MakeMemory) -> None:
    """True is not 1, a text is not a number; a list handed out or in is nobody else's."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=3600)
    backend.write([make_memory(1)])
    wanted: list[Any] = [1]
    filters = {**MINE, "n": {"in": wanted}}

    found = search(backend, filters=filters)
    assert [each.metadata["n"] for each in found] == [1]
    found.clear()
    assert len(search(backend, filters=filters)) == 1
    for other in (True, "1", 2):
        wanted[0] = other
        assert search(backend, filters=filters) == []
    with pytest.raises(BackendError, match="is no operator"):
        search(backend, filters={**MINE, "n": {"near": 1}})


def test_a_forked_child_begins_with_an_empty_cache(
    make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held, and who holds the lock, was the parent's."""
    mem0 = Mem0StandIn()
    backend = CachingBackend(mem0, ttl_s=3600)
    backend.write([make_memory(0)])
    search(backend)
    monkeypatch.setattr("os.getpid", lambda: -1)
    backend._cache._lock.acquire()

    assert len(search(backend)) == 1
    assert backend.stats().misses == 1


def test_it_answers_as_the_backend_itself(make_memory: MakeMemory) -> None:
    """Whatever is written, deleted and asked through it, in any order, however little it holds."""
    chance = random.Random(7)
    for max_memories in (1, 4, 1_000):
        mem0, plain, clock = Mem0StandIn(), Mem0StandIn(), Clock()
        backend = CachingBackend(mem0, ttl_s=5, max_memories=max_memories, clock=clock)
        for _ in range(300):
            clock.now_s += chance.random()
            n, version = chance.randrange(6), chance.randrange(3)
            memory = make_memory(
                n, text=f"number{n} in version{version}", created_at=START[version]
            )
            filters = {**MINE, "n": {"gte": chance.randrange(4)}}
            action = chance.randrange(6)
            if action == 0:
                backend.write([memory])
                plain.write([memory])
            elif action == 1:
                assert plain.delete([memory.id]) == backend.delete([memory.id])
            elif action == 2:
                backend.preload(filters, hold_s=5)
            assert plain.get(memory.id) == backend.get(memory.id)
            query = f"version{version}"
            expected = plain.search(query, filters=filters, limit=3)
            assert expected == backend.search(query, filters=filters, limit=3)
            assert list(plain.scan(filters=filters)) == list(backend.scan(filters=filters))
            assert backend.stats().memories <= max_memories
        assert max_memories == 1 or backend.stats().hits > 20


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [({"max_memories": 0}, "max_memories must be"), ({"ttl_s": -1}, "ttl_s must be")],
)
def test_bounds_that_make_no_sense_are_refused(rule: dict[str, Any], sentence: str) -> None:
    """With the value."""
    with pytest.raises(ValueError, match=sentence):
        CachingBackend(Mem0StandIn(), **rule)
