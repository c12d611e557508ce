"""Recall by hand: its strategies, whose memories it gives, and that own writes are seen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.trade_memory import TradeMemory
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from tests.support.mem0_stand_in import Mem0StandIn
from tests.support.samples import ORIGIN, a_note, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

HOUR_S = 3600.0
USER = ORIGIN.user_id


def client_of(mem0: Mem0StandIn, folder: Path, **cache: Any) -> Mem0Client:
    """Return a client over a stand-in that is not asked again soon once it failed."""
    slow = {"retry_s": HOUR_S, "max_retry_s": HOUR_S}
    store = MemoryFolder(Settings.model_validate({"user_id": USER, "delivery": slow}), folder)
    store._backend = mem0
    return Mem0Client(store, **cache)


@pytest.fixture
def mem0() -> Mem0StandIn:
    """An empty Mem0."""
    return Mem0StandIn()


@pytest.fixture(params=[0.0, HOUR_S], ids=["asking", "cached"])
def client(
    request: pytest.FixtureRequest, mem0: Mem0StandIn, tmp_path: Path
) -> Iterator[Mem0Client]:
    """A client that asks every time, and one that repeats what it knows."""
    with client_of(mem0, tmp_path, ttl_s=request.param) as client:
        yield client


def contents(found: list[dict[str, Any]]) -> list[str]:
    """Return the texts."""
    return [memory["content"] for memory in found]


def of_somebody(user_id: str, number: int = 1, **changes: Any) -> Memory:
    """Return a memory as another machine wrote it into Mem0."""
    origin = type(ORIGIN)(user_id=user_id, strategy="X", mode=ORIGIN.mode, run_id="elsewhere")
    return to_memory(a_note(number, origin=origin, **changes))


def test_relevant_gives_the_best_and_nothing_below_the_bound(client: Mem0Client) -> None:
    """Scores fall, none is below, and a bound of nothing leaves what the limit allows."""
    for text in ("news move prices", "news move slowly", "fees eat profits"):
        client.store("learning_insights", text)

    every = client.recall(query="news move prices", strategy="relevant")
    bound = every[1]["score"]
    some = client.recall(query="news move prices", min_relevance=bound)

    assert contents(every)[:2] == ["news move prices", "news move slowly"]
    assert contents(some) == ["news move prices", "news move slowly"]
    assert contents(client.recall(query="news move prices", limit=1)) == ["news move prices"]
    assert client.recall(query="news move prices", min_relevance=1.0, limit=3)[1:] == []


def test_recent_gives_what_became_known_in_the_window(client: Mem0Client) -> None:
    """Both ends belong to it; the newest come first; the limit keeps those."""
    days = [0, 1, 5, 10]
    client.append(*(a_note(n, known_at=at(24 * day)) for n, day in enumerate(days)))

    def known(**asked: Any) -> list[int]:
        found = client.recall(strategy="recent", now=at(24 * 10), **asked)
        return [(memory["created_at"] - at(0)).days for memory in found]

    assert known(window_days=5) == [10, 5]
    assert known(window_days=4.99) == [10]
    assert known() == [10, 5, 1, 0]
    assert known(limit=2) == [10, 5]
    later = client.recall(strategy="recent", now=at(24 * 6), window_days=1)
    assert [memory["created_at"] for memory in later] == [at(24 * 5)]
    assert client.recall(strategy="recent", window_days=1) == []


def test_all_gives_everything_or_the_newest(client: Mem0Client) -> None:
    """Without a limit nothing is cut."""
    client.append(*(a_note(n) for n in range(1, 31)))

    every = client.recall(strategy="all", limit=None)

    assert [memory["created_at"] for memory in every] == [at(n) for n in range(30, 0, -1)]
    assert every[:10] == client.recall() == client.recall(strategy="all")
    assert len(client.recall("market_conditions", limit=None)) == 0


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"limit": "3"}, "limit must be at least 1, got '3'"),
        ({"filters": [1]}, "filters must be a mapping"),
        ({"strategy": "best"}, "strategy 'best' is unknown; there are relevant, recent, all"),
        ({"strategy": "relevant"}, "'relevant' needs a query and a limit"),
        ({"query": "x", "limit": None}, "'relevant' needs a query and a limit"),
        ({"query": "x", "strategy": "all"}, "'all' takes no query, got 'x'"),
        ({"query": "x", "strategy": "recent"}, "'recent' takes no query"),
        ({"min_relevance": 0.5}, "min_relevance goes with a query"),
        ({"query": "x", "min_relevance": 1.1}, r"min_relevance must lie in \[0, 1\], got 1.1"),
        ({"query": "x", "min_relevance": float("nan")}, "min_relevance must lie"),
        ({"window_days": 3}, "window_days goes with strategy 'recent'"),
        ({"strategy": "recent", "window_days": 0}, r"window_days must lie in \(0, 36500\], got 0"),
        ({"category": "risks"}, "category 'risks' is unknown"),
        ({"category": "what of BTC?"}, "what to look for, write query='what of BTC"),
        ({"filters": {"category": "risks"}}, "category 'risks' is unknown"),
        ({"where": "profit:>ten"}, "column 9: .profit. is a number"),
        ({"where": ["profit:>10"]}, "where must be a text"),
        ({"filters": {"user_id": "bob"}}, "The filter names the user 'bob', and this memory is"),
        ({"filters": {"user_id": "*"}}, r"names the user '\*'"),
        ({"filters": {"user_id": {"ne": "bob"}}}, "names the user"),
        ({"filters": {"OR": [{"x": 1}, {"AND": [{"user_id": "bob"}]}]}}, "names the user 'bob'"),
        ({"filters": {"$not": ({"user_id": [USER]},)}}, "names the user"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: Mem0Client, mem0: Mem0StandIn, asked: dict[str, Any], sentence: str
) -> None:
    """With a sentence, before Mem0 is asked."""
    with pytest.raises(RecordError, match=sentence):
        client.recall(**asked)
    assert mem0.asked == []


def test_a_filter_and_the_category_both_hold(client: Mem0Client) -> None:
    """Neither replaces the other, whatever keys the filter uses; the own user may be named."""
    client.store("risk_profile", "one", {"n": 1})
    client.store("risk_profile", "two", {"n": 2})
    client.store("market_conditions", "three", {"n": 2})

    def found(**filters: Any) -> list[str]:
        return sorted(contents(client.recall("risk_profile", filters=filters)))

    assert found(n=2) == ["two"]
    assert found(category="market_conditions") == []
    assert found(NOT=[{"n": 2}]) == ["one"]
    assert found(user_id=USER, OR=[{"n": 1}, {"n": 2}]) == ["one", "two"]
    with pytest.raises(BackendError, match="is no operator"):
        found(n={"near": 1})


def test_users_are_apart(client: Mem0Client, mem0: Mem0StandIn) -> None:
    """Nobody reads or deletes what is another's, by whatever way it came into Mem0."""
    ann, bob = client.for_user("ann"), client.for_user("bob")
    own = ann.store("risk_profile", "no leverage")
    assert bob.store("risk_profile", "no leverage") != own
    foreign = of_somebody("ann", content="written on another machine")
    mem0.memories[foreign.id] = foreign
    client.deliver()  # what others write is seen once Mem0 is asked again

    assert len(ann.recall()) == 2
    assert contents(bob.recall()) == ["no leverage"]
    assert contents(bob.recall(query="another machine written leverage")) == ["no leverage"]
    assert client.recall() == []
    assert [ann.delete(own), bob.delete(own)] == [True, False] == [ann.delete(foreign.id), False]
    assert not bob.delete(foreign.id)
    assert ann.recall() == []
    assert len(bob.recall()) == 1
    TradeMemory(ann).record_market_condition("calm", "nothing moves")
    assert len(ann.recall("market_conditions")) == 1
    assert client.records() == []


def test_a_memory_of_another_user_is_not_deleted(client: Mem0Client, mem0: Mem0StandIn) -> None:
    """Neither one the journal knows nor one that only Mem0 knows, nor one that is nobody's."""
    own = client.for_user("ann").store("risk_profile", "no leverage")
    mem0.memories |= {each.id: each for each in (of_somebody("ann", 2), of_somebody("", 3))}
    before = dict(mem0.memories)

    for memory_id in before:
        assert not client.delete(memory_id)

    assert before == mem0.memories
    assert own in before


@pytest.mark.parametrize("user_id", ["", "*", "two words", None, 1])
def test_a_name_that_can_be_no_owner_is_refused(client: Mem0Client, user_id: Any) -> None:
    """Above all the wildcard, which a filter would take for everybody."""
    with pytest.raises(RecordError, match="user_id must be a text"):
        client.for_user(user_id)


def test_own_writes_are_seen_at_once(client: Mem0Client, mem0: Mem0StandIn) -> None:
    """However warm the cache is: with Mem0 there, while it is away, and when it is back."""

    def seen() -> list[str]:
        every = contents(client.recall())
        assert sorted(every) == sorted(contents(client.recall(query="number")))
        return sorted(every)

    first = client.store("risk_profile", "number one")
    assert seen() == ["number one"]
    second = client.store("risk_profile", "number two")
    assert seen() == ["number one", "number two"]
    assert client.delete(first)
    assert seen() == ["number two"]

    mem0.is_away = True
    client.store("risk_profile", "number three")
    assert client.delete(second)
    assert not client.delete(second)
    assert seen() == ["number three"]
    assert client.stats()["pending"] == 2

    mem0.is_away = False
    assert client.deliver()
    n_asked = len(mem0.asked)
    assert seen() == ["number three"]
    assert len(mem0.asked) > n_asked
    assert client.stats()["pending"] == 0


def test_while_own_writes_wait_the_journal_answers(client: Mem0Client, mem0: Mem0StandIn) -> None:
    """A Mem0 that gives and does not take would not show them."""
    mem0.takes_writes = False
    client.store("risk_profile", "number one")

    assert contents(client.recall(query="number")) == ["number one"]
    assert mem0.asked == ["write"]


def test_what_a_bot_noted_and_mem0_does_not_take_is_found(
    client: Mem0Client, mem0: Mem0StandIn
) -> None:
    """The recall itself finds out that it can not be delivered."""
    client.folder.journal.append([a_note(content="noted by a bot")])
    mem0.takes_writes = False

    assert contents(client.recall()) == ["noted by a bot"]
    assert mem0.asked == ["write"]


def test_without_the_fallback_a_mem0_that_is_away_is_an_error(
    mem0: Mem0StandIn, tmp_path: Path
) -> None:
    """What is stored waits all the same, and is found once Mem0 is back."""
    block = {"user_id": USER, "local_fallback": False}
    store = MemoryFolder(Settings.model_validate(block), tmp_path)
    store._backend = mem0
    mem0.is_away = True
    with Mem0Client(store) as client:
        client.store("risk_profile", "number one")
        for _ in range(2):
            with pytest.raises(BackendError, match="local_fallback"):
                client.recall(query="number")
        mem0.is_away = False
        assert client.deliver()
        assert contents(client.recall(query="number")) == ["number one"]


def test_a_mem0_that_is_away_is_left_alone_for_a_while(
    client: Mem0Client, mem0: Mem0StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    """One question finds out, the next go to the journal; `deliver` asks all the same."""
    client.store("risk_profile", "number one")
    mem0.is_away = True
    n_before = len(mem0.asked)

    for _ in range(3):
        assert contents(client.recall(query="number")) == ["number one"]
        client.store("risk_profile", "number one")
    assert len(mem0.asked) == n_before + 1
    assert "The journal on this machine answers instead" in caplog.text
    mem0.is_away = False
    assert client.deliver()
    client.recall(query="number")
    assert mem0.asked[n_before:] == ["search", "write", "search"]


def test_deleting_what_only_an_absent_mem0_knows_is_an_error(
    client: Mem0Client, mem0: Mem0StandIn
) -> None:
    """Whose it is can not be seen, so it is neither deleted nor said to be."""
    foreign = of_somebody(USER)
    mem0.memories[foreign.id] = foreign
    mem0.is_away = True

    with pytest.raises(BackendError, match="away"):
        client.delete(foreign.id)
    mem0.is_away = False
    assert client.delete(foreign.id)
    assert mem0.memories == {}


def test_many_queries_give_what_each_gives_alone(client: Mem0Client, mem0: Mem0StandIn) -> None:
    """In their order, also a query given twice; the other arguments hold for all of them."""
    for text in ("news move prices", "news move slowly", "fees eat profits"):
        client.store("learning_insights", text)
    client.store("risk_profile", "news are a risk")
    queries = ["fees", "news", "fees", "slowly prices"]
    asked: dict[str, Any] = {"category": "learning_insights", "limit": 2, "min_relevance": 0.1}

    expected = [client.recall(query=query, **asked) for query in queries]

    assert expected == client.recall_many(queries, **asked)
    assert client.recall_many([]) == []
    mem0.is_away = True
    assert expected == client.recall_many(queries, **asked)


def test_answers_are_repeated_for_the_time_that_was_given(
    mem0: Mem0StandIn, tmp_path: Path
) -> None:
    """So what others write is seen later; without a time it is seen at once."""
    with client_of(mem0, tmp_path, ttl_s=HOUR_S) as client:
        assert client.recall(query="weekend") == []
        mem0.memories |= {(memory := of_somebody(USER)).id: memory}
        assert client.recall(query="weekend") == []
        assert (client.cache_stats().hits, mem0.n_asked("search")) == (1, 1)
        assert len(client_of(mem0, tmp_path).recall(query="weekend")) == 1


def test_own_writes_are_seen_where_the_journal_is_all_there_is(tmp_path: Path) -> None:
    """In mode `local` nothing is delivered, and the cache hears of a write all the same."""
    store = MemoryFolder(Settings(mode="local", user_id=USER), tmp_path)
    with Mem0Client(store, ttl_s=HOUR_S) as client:
        assert client.recall(query="number") == []
        stored = client.store("risk_profile", "number one")
        assert contents(client.recall(query="number")) == ["number one"]
        assert client.preload() == 1
        assert client.delete(stored)
        assert client.recall() == []
        assert client.recall(query="number") == []


def test_preloaded_memories_are_recalled_without_mem0(
    client: Mem0Client, mem0: Mem0StandIn
) -> None:
    """Until something is written through the client; of one owner and category alone."""
    client.store("risk_profile", "number one")
    client.store("market_conditions", "number two")

    assert client.preload("risk_profile") == 1
    n_asked = len(mem0.asked)
    for limit in (1, 10, None):
        assert contents(client.recall("risk_profile", limit=limit)) == ["number one"]
    assert len(mem0.asked) == n_asked
    assert client.for_user("ann").recall("risk_profile") == []
    client.store("risk_profile", "number three")
    assert contents(client.recall("risk_profile")) == ["number three", "number one"]
    mem0.is_away = True
    assert client.preload("risk_profile", hold_s=1) == 0


def test_a_window_may_reach_into_what_clocks_ahead_wrote(client: Mem0Client) -> None:
    """Without a `now` there is no upper end."""
    stored = client.store("risk_profile", "now")
    (known,) = client.recall(strategy="recent")
    ahead = a_note(5, known_at=known["created_at"] + timedelta(minutes=5))
    client.append(ahead)

    assert [memory["id"] for memory in client.recall(strategy="recent")] == [ahead.id, stored]
