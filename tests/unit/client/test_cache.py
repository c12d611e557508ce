"""The cache of reads: bounded, never older than it says, and never older than a write."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.client.cache import PARALLEL_SEARCHES, CachedReads
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.mapping import to_memory
from tests.support.mem0_stand_in import Mem0StandIn
from tests.support.samples import ORIGIN, a_note
from tests.support.wait import eventually

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Memory

MINE = {"user_id": ORIGIN.user_id}


class Clock:
    """Seconds that pass on command."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def a_memory(n: int, text: str = "") -> Memory:
    """Return the n-th of some memories that all hold the word "profit"."""
    memory = to_memory(a_note(n, content=text or f"profit number{n}"))
    return replace(memory, metadata={**memory.metadata, "n": n})


def filled(n_memories: int) -> Mem0StandIn:
    """Return a Mem0 that holds the first memories."""
    mem0 = Mem0StandIn()
    mem0.write([a_memory(n) for n in range(n_memories)])
    return mem0


def search(reads: CachedReads, query: str = "profit", **changes: Any) -> list[Memory]:
    """Search with the filter and limit that most tests use."""
    asked: dict[str, Any] = {"filters": MINE, "limit": 5} | changes
    return reads.search(query, **asked)


def test_an_answer_is_repeated_until_it_is_old() -> None:
    """Its age counts from when it was asked for; a different question is asked."""
    mem0, clock = filled(1), Clock()
    reads = CachedReads(mem0, ttl_s=10, clock=clock)
    first = search(reads)

    clock.now_s = 9.99
    assert first == search(reads)
    assert mem0.n_asked("search") == 1
    clock.now_s = 10.0
    assert first == search(reads)
    assert mem0.n_asked("search") == 2
    for changes in ({"limit": 6}, {"query": "loss"}, {"filters": {**MINE, "n": 0}}):
        search(reads, **changes)
    assert mem0.n_asked("search") == 5
    stats = reads.stats()
    assert (stats.hits, stats.joined, stats.misses, stats.evictions) == (1, 0, 5, 0)


def test_without_a_time_to_live_every_question_is_asked() -> None:
    """What others write is then seen at once."""
    mem0 = Mem0StandIn()
    reads = CachedReads(mem0, ttl_s=0)
    assert search(reads) == []
    mem0.write([a_memory(0)])

    assert [each.id for each in search(reads)] == [a_memory(0).id]
    assert reads.stats().memories == 0


def test_what_is_held_is_bounded_and_the_least_used_goes_first() -> None:
    """Memories are counted, an empty answer as one; too long an answer evicts nothing."""
    mem0 = filled(5)
    reads = CachedReads(mem0, ttl_s=3600, max_memories=3)
    for n in (0, 1, 2, 0):
        search(reads, f"number{n}", limit=1)
    assert reads.stats().memories == 3

    assert search(reads, "number3", filters={**MINE, "n": -1}) == []
    assert (reads.stats().evictions, reads.stats().memories) == (1, 3)
    n_asked = mem0.n_asked("search")
    search(reads, "number0", limit=1)
    assert mem0.n_asked("search") == n_asked
    search(reads, "number1", limit=1)
    assert mem0.n_asked("search") == n_asked + 1
    assert len(search(reads)) == len(search(reads)) == 5
    assert mem0.n_asked("search") == n_asked + 3
    assert (reads.stats().evictions, reads.stats().memories) == (2, 3)


def test_equal_questions_at_the_same_time_are_asked_once() -> None:
    """All get the answer of the first."""
    mem0 = filled(1)
    reads = CachedReads(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(search, reads) for _ in range(8)]
        assert eventually(lambda: reads.stats().joined == 7)
        mem0.may_answer.set()
    ids = [[memory.id for memory in answer.result()] for answer in answers]
    assert ids == [[a_memory(0).id]] * 8
    assert mem0.n_asked("search") == 1


def test_an_error_reaches_all_that_wait_and_is_not_repeated() -> None:
    """The next search is asked again."""
    mem0 = filled(1)
    reads = CachedReads(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    mem0.is_away = True
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(search, reads) for _ in range(3)]
        assert eventually(lambda: reads.stats().joined == 2)
        mem0.may_answer.set()
    for answer in answers:
        with pytest.raises(BackendError, match="Mem0 is away"):
            answer.result()
    mem0.is_away = False
    assert len(search(reads)) == 1
    assert mem0.n_asked("search") == 2


def test_an_answer_from_before_a_write_is_not_held() -> None:
    """A search under way during a write is not joined afterwards, and not repeated."""
    mem0 = Mem0StandIn()
    reads = CachedReads(mem0, ttl_s=3600)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        early = threads.submit(search, reads)
        assert eventually(lambda: mem0.n_inside == 1)
        mem0.memories[a_memory(0).id] = a_memory(0)
        reads.forget()
        mem0.may_answer.set()
        assert len(search(reads)) == 1
        assert early.result() == []
    assert len(search(reads)) == 1
    assert mem0.n_asked("search") == 2


def test_many_searches_run_a_few_at_a_time() -> None:
    """Never more than the bound; each query is asked once, answers come in the order of queries."""
    mem0 = filled(10)
    reads = CachedReads(mem0, ttl_s=3600)
    queries = [f"number{n}" for n in (*range(10), 3)]
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        batch = threads.submit(reads.search_many, queries, filters=MINE, limit=2)
        assert eventually(lambda: mem0.n_inside == PARALLEL_SEARCHES)
        mem0.may_answer.set()
        found = batch.result()
    assert (mem0.most_inside, mem0.n_asked("search")) == (PARALLEL_SEARCHES, 10)
    assert [mem0.search(query, filters=MINE, limit=2) for query in queries] == found
    assert reads.search_many([], filters=MINE, limit=5) == []
    with pytest.raises(BackendError, match="needs a query"):
        reads.search_many(["number2", " "], filters=MINE, limit=5)


def test_what_was_preloaded_is_read_without_asking() -> None:
    """For the time it is held, also without a time to live; a write ends that."""
    mem0, clock = filled(4), Clock()
    reads = CachedReads(mem0, clock=clock)
    memories = list(mem0.scan(filters=MINE))

    assert reads.preload(MINE, hold_s=60) == 4
    n_asked = mem0.n_asked("scan")
    for _ in range(3):
        assert memories == list(reads.scan(filters=MINE))
    assert mem0.n_asked("scan") == n_asked
    clock.now_s = 60.0
    assert memories == list(reads.scan(filters=MINE))
    assert mem0.n_asked("scan") == n_asked + 1
    assert reads.preload(MINE, hold_s=60) == 4
    mem0.write([a_memory(4)])
    reads.forget()
    assert len(list(reads.scan(filters=MINE))) == 5


def test_a_preload_that_does_not_fit_holds_nothing() -> None:
    """The same where Mem0 can not be read."""
    mem0 = filled(3)
    reads = CachedReads(mem0, max_memories=2)

    assert reads.preload(MINE, hold_s=60) == 0
    assert reads.stats().memories == 0
    assert reads.preload({**MINE, "n": {"lt": 2}}, hold_s=60) == 2
    mem0.is_away = True
    with pytest.raises(BackendError, match="away"):
        reads.preload({**MINE, "n": 0}, hold_s=60)
    mem0.is_away = False
    assert len(list(reads.scan(filters={**MINE, "n": 0}))) == 1


def test_a_preload_overtaken_by_a_write_holds_nothing() -> None:
    """What it read may be outdated."""
    mem0 = filled(1)
    reads = CachedReads(mem0)
    mem0.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        preload = threads.submit(reads.preload, MINE, hold_s=60)
        assert eventually(lambda: mem0.n_inside == 1)
        changed = mem0.memories[a_memory(0).id] = a_memory(0, "Corrected since")
        reads.forget()
        mem0.may_answer.set()
        assert preload.result() == 0
    assert [changed] == list(reads.scan(filters=MINE))


def test_filters_that_mean_different_things_are_told_apart() -> None:
    """True is not 1, a text is not a number; a list given or returned may be changed."""
    mem0 = filled(2)
    reads = CachedReads(mem0, ttl_s=3600)
    wanted: list[Any] = [1]
    filters = {**MINE, "n": {"in": wanted}}

    found = search(reads, filters=filters)
    assert [each.metadata["n"] for each in found] == [1]
    found.clear()
    assert len(search(reads, filters=filters)) == 1
    for other in (True, "1", 2):
        wanted[0] = other
        assert search(reads, filters=filters) == []
    for n in (0, 1):
        (only,) = search(reads, filters={**MINE, "AND": (MappingProxyType({"n": n}),)})
        assert only.metadata["n"] == n
    with pytest.raises(BackendError, match="is no operator"):
        search(reads, filters={**MINE, "n": {"near": 1}})


def test_a_forked_child_begins_with_an_empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of the parent may hold the lock, and no thread of the child would release it."""
    reads = CachedReads(filled(1), ttl_s=3600)
    search(reads)
    monkeypatch.setattr("os.getpid", lambda: -1)
    reads._lock.acquire()

    assert len(search(reads)) == 1
    assert reads.stats().misses == 1


def test_it_answers_as_the_backend_itself() -> None:
    """Whatever is written and asked, in any order, however little it holds."""
    chance = random.Random(7)
    for max_memories in (1, 4, 1_000):
        mem0, clock = Mem0StandIn(), Clock()
        reads = CachedReads(mem0, ttl_s=5, max_memories=max_memories, clock=clock)
        for _ in range(300):
            clock.now_s += chance.random()
            filters = {**MINE, "n": {"gte": chance.randrange(4)}}
            action = chance.randrange(6)
            if action == 0:
                n, version = chance.randrange(6), chance.randrange(3)
                mem0.write([a_memory(n, f"number{n} in version{version}")])
                reads.forget()
            elif action == 1:
                reads.preload(filters, hold_s=5)
            query = f"version{chance.randrange(3)}"
            expected = mem0.search(query, filters=filters, limit=3)
            assert expected == reads.search(query, filters=filters, limit=3)
            assert list(mem0.scan(filters=filters)) == list(reads.scan(filters=filters))
            assert reads.stats().memories <= max_memories
        assert max_memories == 1 or reads.stats().hits > 20


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [({"max_memories": 0}, "max_memories must be"), ({"ttl_s": -1}, "ttl_s must be")],
)
def test_bounds_that_make_no_sense_are_refused(rule: dict[str, Any], sentence: str) -> None:
    """With the value."""
    with pytest.raises(ValueError, match=sentence):
        CachedReads(Mem0StandIn(), **rule)
