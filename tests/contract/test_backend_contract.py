"""What every home of memories promises: the same tests over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.mapping import from_memory, to_memory
from freqtrade_mem0.records.signing import refuse_unsigned, signed
from freqtrade_mem0.views.probe import probe
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}


def test_a_memory_comes_back_as_it_was_written(home: Any, make_memory: MakeMemory) -> None:
    """Text, scopes, time and the types of metadata survive the way there and back."""
    memory = make_memory(
        0,
        text="Closed long Ξ ETH/USDT +1.8 % 'quoted' \\ and more",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        metadata={"flag": True, "one": 1, "real": 1.0, "tiny": 0.1 + 0.2, "text": "1", "none": ""},
    )

    home.put([memory])

    read = home.backend.get(memory.id)
    assert memory == read
    assert [type(value) for value in memory.metadata.values()] == [
        type(read.metadata[key]) for key in memory.metadata
    ]
    assert [memory] == list(home.backend.scan(filters={}))


def test_a_time_in_another_zone_is_the_same_instant(home: Any, make_memory: MakeMemory) -> None:
    """An aware time is kept as the instant it names."""
    memory = make_memory(0, created_at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5))))

    home.put([memory])

    assert [memory.created_at] == [each.created_at for each in home.backend.scan(filters=MINE)]


def test_empty_scopes_come_back_empty(home: Any, make_memory: MakeMemory) -> None:
    """A memory of an owner alone, without strategy or run, stays that."""
    memory = make_memory(0, agent_id="", run_id="")

    home.put([memory])

    assert memory == home.backend.get(memory.id)
    assert home.backend.count(filters={}, by=["agent_id"]) == {(None,): 1}


def test_unknown_id_is_none(home: Any, make_memory: MakeMemory) -> None:
    """An id that was never written is answered with None."""
    assert home.backend.get(make_memory(9).id) is None


def test_writing_nothing_changes_nothing(home: Any) -> None:
    """An empty batch is no error."""
    home.put([])

    assert home.backend.count(filters={}) == {(): 0}


def test_writing_twice_leaves_one_memory(home: Any, make_memory: MakeMemory) -> None:
    """The same batch again changes nothing, also with an id twice in it."""
    memories = [make_memory(n) for n in range(5)]

    home.put([*memories, memories[0]])
    home.put(memories)

    assert memories == list(home.backend.scan(filters=MINE))


def test_a_known_id_is_replaced(home: Any, make_memory: MakeMemory) -> None:
    """Of an id written again, only the new text and metadata are left."""
    home.put([make_memory(0), make_memory(1)])
    changed = make_memory(0, text="Opened short BTC/USDT", metadata={"pair": "BTC/USDT"})

    home.put([changed])

    assert changed == home.backend.get(changed.id)
    assert home.backend.count(filters=MINE, by=["pair"]) == {("BTC/USDT",): 1, ("ETH/USDT",): 1}
    assert changed.id == home.backend.search("short BTC/USDT", filters=MINE, limit=1)[0].id


def test_search_puts_the_best_first_with_scores(home: Any, make_memory: MakeMemory) -> None:
    """The memory that shares most words comes first; scores lie in [0, 1] and fall."""
    home.put([make_memory(n) for n in range(10)])
    home.put([make_memory(10, text="Liquidation of a short SOL/USDT position")])

    found = home.backend.search("Liquidation of SOL/USDT", filters=MINE, limit=5)

    scores = [each.score for each in found]
    assert make_memory(10).id == found[0].id
    assert len(found) == 5
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert sorted(scores, reverse=True) == scores


def test_search_is_not_cut_at_a_default(home: Any, make_memory: MakeMemory) -> None:
    """More than Mem0's default number of answers come when they are asked for."""
    home.put([make_memory(n) for n in range(150)])

    assert len(home.backend.search("profit", filters=MINE, limit=200)) == 150
    assert len(list(home.backend.scan(filters=MINE))) == 150
    assert home.backend.search("profit", filters=MINE, limit=0) == []


def test_search_keeps_to_its_filter(home: Any, make_memory: MakeMemory) -> None:
    """Only memories that pass the filter are found, however similar the others are."""
    home.put([make_memory(n) for n in range(80)])
    home.put([make_memory(n, agent_id="Other") for n in range(80, 100)])
    recent = {"agent_id": "MyStrategy", "n": {"gte": 70}, "NOT": [{"n": 75}, {"is_win": True}]}

    found = home.backend.search("profit in a calm uptrend", filters=recent, limit=50)

    assert {71, 73, 77, 79} == {each.metadata["n"] for each in found}


def test_conditions_on_one_key_all_hold(home: Any, make_memory: MakeMemory) -> None:
    """Two conditions on one key in an AND do not overwrite each other."""
    home.put([make_memory(n) for n in range(10)])
    both = {**MINE, "AND": [{"n": {"gt": 2}}, {"n": {"in": [1, 5, 6]}}, {"OR": [{"n": 5}]}]}

    found = home.backend.search("profit", filters=both, limit=10)

    assert [each.metadata["n"] for each in found] == [5]
    assert [each.metadata["n"] for each in home.backend.scan(filters=both)] == [5]


def test_scopes_take_operators(home: Any, make_memory: MakeMemory) -> None:
    """Several runs can be asked for at once."""
    home.put([make_memory(n, run_id=f"bot-{n}") for n in range(5)])
    runs = {"run_id": {"in": ["bot-1", "bot-3", "bot-9"]}}

    found = home.backend.search("profit", filters=runs, limit=5)

    assert {"bot-1", "bot-3"} == {each.run_id for each in found}


@pytest.mark.parametrize(
    ("query", "filters"),
    [(" ", MINE), ("profit", {}), ("profit", {"pair": "ETH/USDT"})],
)
def test_search_without_words_or_scope_is_refused(home: Any, query: str, filters: Any) -> None:
    """A blank query and a filter without a scope are errors that a retry can not mend."""
    with pytest.raises(BackendError) as refused:
        home.backend.search(query, filters=filters, limit=5)

    assert refused.value.permanent


def test_unknown_operator_is_refused(home: Any) -> None:
    """An operator that Mem0 does not have is named in the error."""
    with pytest.raises(BackendError, match="'near' on 'n' is no operator"):
        list(home.backend.scan(filters={"n": {"near": 1}}))


def test_scan_is_ordered_by_time_then_id(home: Any, make_memory: MakeMemory) -> None:
    """Neither the order of writing nor that of ids alone decides."""
    same_time = [make_memory(n, created_at=make_memory(0).created_at) for n in (3, 1, 2)]
    earlier = make_memory(9, created_at=make_memory(0).created_at - timedelta(microseconds=1))

    home.put([*same_time, earlier])

    ids = [each.id for each in home.backend.scan(filters={})]
    assert [earlier.id, *sorted(each.id for each in same_time)] == ids


def test_count_groups_by_metadata(home: Any, make_memory: MakeMemory) -> None:
    """Groups are named by their values, None where a memory lacks the key."""
    home.put([make_memory(n) for n in range(3)])
    home.put([make_memory(3, metadata={})])

    assert home.backend.count(filters=MINE) == {(): 4}
    assert home.backend.count(filters=MINE, by=["is_win"]) == {(True,): 2, (False,): 1, (None,): 1}
    assert home.backend.count(filters={"user_id": "nobody"}, by=["is_win"]) == {}
    assert home.backend.count(filters={"pair": "*"}, by=["agent_id", "pair"]) == {
        ("MyStrategy", "ETH/USDT"): 3
    }


def test_pages_for_children_hold_all_that_passes(home: Any, make_memory: MakeMemory) -> None:
    """Or there are none; the files were closed for a fork, and are opened when they are used."""
    home.put([make_memory(0), make_memory(1, user_id="somebody")])

    pages = home.backend.pages_for_children(MINE, 1)

    home.put([make_memory(2)])
    assert [memory for page in pages for memory in page()] in ([], [make_memory(0)])
    assert [make_memory(0), make_memory(2)] == list(home.backend.scan(filters=MINE))


def test_changes_without_a_time_are_everything(home: Any, make_memory: MakeMemory) -> None:
    """Asked since the beginning, all that passes the filter comes, in any order."""
    memories = [make_memory(n) for n in range(5)]
    home.put([*memories, make_memory(5, user_id="somebody")])

    assert memories == sorted(
        home.backend.changes(filters=MINE, since=None), key=lambda each: each.created_at
    )


def test_changes_bring_what_was_stored_or_replaced(home: Any, make_memory: MakeMemory) -> None:
    """Whatever was stored since a time comes, however old its market time, and says when."""
    home.put([make_memory(n) for n in range(4)])
    first = list(home.backend.changes(filters=MINE, since=None))
    since = max((each.stored_at for each in first if each.stored_at), default=None)
    changed = make_memory(1, text="Opened short BTC/USDT", metadata={"pair": "BTC/USDT"})
    old = make_memory(9, created_at=datetime(2020, 1, 1, tzinfo=UTC))

    home.put([changed, old])

    came = {each.id: each for each in home.backend.changes(filters=MINE, since=since)}
    assert changed == came[changed.id]
    assert old == came[old.id]
    if home.stores:
        assert all(each.stored_at >= since for each in came.values())
        after = max(each.stored_at for each in came.values()) + timedelta(seconds=1)
        assert list(home.backend.changes(filters=MINE, since=after)) == []


def test_changes_keep_to_their_filter(home: Any, make_memory: MakeMemory) -> None:
    """The time does not loosen the filter, conditions on scopes included."""
    home.put([make_memory(n, run_id=f"bot-{n % 2}") for n in range(6)])
    wanted = {**MINE, "run_id": "bot-1", "n": {"gt": 1}}

    came = home.backend.changes(filters=wanted, since=datetime(2020, 1, 1, tzinfo=UTC))

    assert {3, 5} == {each.metadata["n"] for each in came}


def test_delete_counts_what_was_there(home: Any, make_memory: MakeMemory) -> None:
    """Deleted memories are gone from every answer; unknown ids do not count."""
    if not home.stores:
        pytest.skip("the local backend forgets through the journal")
    memories = [make_memory(n) for n in range(4)]
    home.put(memories)

    assert home.backend.delete([memories[0].id, memories[2].id, make_memory(9).id]) == 2
    assert home.backend.delete([memories[0].id]) == 0
    assert [memories[1], memories[3]] == list(home.backend.scan(filters=MINE))
    assert home.backend.get(memories[0].id) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "trade-1"},
        {"text": "  "},
        {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive on purpose
        {"user_id": "", "agent_id": "", "run_id": ""},
        {"run_id": "two words"},
        {"metadata": {"data": "x"}},
        {"metadata": {"user_id": "x"}},
        {"metadata": {"ratio": math.nan}},
        {"metadata": {"tags": ["a"]}},
        {"metadata": {"nothing": None}},
    ],
    ids=str,
)
def test_what_can_not_be_kept_is_refused(
    home: Any, make_memory: MakeMemory, changes: dict[str, Any]
) -> None:
    """A memory that would not come back as it is leaves nothing behind, its batch included."""
    with pytest.raises(BackendError, match=r"Memory .* can not be stored") as refused:
        home.put([make_memory(0), make_memory(1, **changes)])

    assert refused.value.permanent
    assert home.backend.count(filters={}) == {(): 0}


def test_closed_means_closed(home: Any, make_memory: MakeMemory) -> None:
    """After close, which may come twice, every use is refused."""
    home.put([make_memory(0)])

    home.backend.close()
    home.backend.close()

    with pytest.raises(BackendError, match="closed"):
        home.backend.get(make_memory(0).id)


def test_a_compressed_memory_is_the_same(home: Any, make_memory: MakeMemory) -> None:
    """Compressing, twice and with an unknown id, changes no memory and no search's best answer."""
    memories = [make_memory(n) for n in range(5)]
    home.put(memories)
    before = [each.id for each in home.backend.search("profit", filters=MINE, limit=5)]

    n_compressed = home.backend.compress([*(each.id for each in memories[:3]), make_memory(9).id])

    assert n_compressed in (0, 3)
    assert home.backend.compress([each.id for each in memories[:3]]) == 0
    assert list(home.backend.scan(filters=MINE)) == memories
    found = home.backend.search("profit", filters=MINE, limit=5)
    assert sorted(each.id for each in found) == sorted(before)
    home.put(memories)
    assert list(home.backend.scan(filters=MINE)) == memories


def test_sizes_are_told_of_all_or_none(home: Any, make_memory: MakeMemory) -> None:
    """A store that tells sizes tells one, > 0, for each memory."""
    memories = [make_memory(n) for n in range(3)]
    home.put(memories)

    sizes = home.backend.sizes()

    assert set(sizes) in (set(), {each.id for each in memories})
    assert all(size > 0 for size in sizes.values())


def test_shrinking_keeps_what_is_there(home: Any, make_memory: MakeMemory) -> None:
    """After deletions a store may give space back; what is left is left as it was."""
    memories = [make_memory(n) for n in range(40)]
    home.put(memories)
    if home.stores:
        home.backend.delete([each.id for each in memories[5:]])
        memories = memories[:5]

    assert home.backend.shrink(lambda _seconds: None) >= 0

    assert list(home.backend.scan(filters=MINE)) == memories
    assert len(home.backend.search("profit", filters=MINE, limit=50)) == len(memories)
    assert all(isinstance(each, str) for each in home.backend.upkeep_limits)


def test_a_store_that_tells_no_sizes_says_so(home: Any, make_memory: MakeMemory) -> None:
    """Else the owner would take the bytes of the journal for those of all memories."""
    home.put([make_memory(0)])
    says_so = any("does not tell how many bytes" in each for each in home.backend.upkeep_limits)
    is_away = home.backend.name in {"server", "platform"} and not home.backend.sizes()
    assert says_so == is_away


def test_doctors_probe_is_found_and_gone(home: Any, make_memory: MakeMemory) -> None:
    """It is written, read, searched for and deleted; nothing else is touched."""
    home.put([make_memory(0)])

    assert home.backend.name == "local" or probe(home.backend)
    assert home.backend.count(filters={}, by=["user_id"]) == {("me",): 1}


def test_a_signature_is_added_to_what_is_there(home: Any) -> None:
    """`deliver --again` writes the same record, signed; its signature survives the way back."""
    memory, key = to_memory(a_trade(1)), b"x" * 32
    home.put([memory])
    home.put([signed(memory, key)])

    read = home.backend.get(memory.id)
    refuse_unsigned(read, key)
    assert from_memory(read) == a_trade(1)
