"""Our vector store by itself: the file, its format, odd rows, threads and what others write."""

from __future__ import annotations

import gzip
import json
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from freqtrade_mem0.backends.payload import stored_since
from freqtrade_mem0.backends.sqlite import store as store_module
from freqtrade_mem0.backends.sqlite.store import SqliteStore
from freqtrade_mem0.backends.sqlite.vector_cache import VectorCache
from freqtrade_mem0.backends.vector_rows import decode_payload
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a store file in a folder that does not exist yet."""
    return tmp_path / "memory" / "memories.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Open an empty store."""
    opened = SqliteStore(path)
    yield opened
    opened.close()


def fill(store: SqliteStore, numbers: range, **fields: Any) -> None:
    """Insert one memory for each number, with a vector that turns with it."""
    store.insert(
        [[np.cos(n / 100), np.sin(n / 100)] for n in numbers],
        [{"user_id": "me", "data": f"memory {n}", "n": n} | fields for n in numbers],
        [f"id-{n:05}" for n in numbers],
    )


def ids_of(rows: list[Any]) -> list[str]:
    """Return the ids of rows."""
    return [row.id for row in rows]


def test_search_is_exact_and_scores_are_cosines(store: SqliteStore) -> None:
    """The nearest vectors come first, with the cosine as score; opposite ones score 0."""
    store.insert(
        [[1, 0], [3, 3], [0, 2], [-1, 0]], [{} for _ in range(4)], ["same", "half", "not", "anti"]
    )

    rows = store.search("", [5, 0], top_k=4)

    assert ids_of(rows) == ["same", "half", "not", "anti"]
    assert [round(row.score or 0.0, 6) for row in rows] == [1.0, round(0.5**0.5, 6), 0.0, 0.0]


def test_equal_scores_keep_the_order_of_storing(store: SqliteStore, path: Path) -> None:
    """Ties are cut off the same way every time, also after reopening."""
    store.insert([[1, 0]] * 50, [{} for _ in range(50)], [f"{n:02}" for n in range(50)])

    first = ids_of(store.search("", [1, 0], top_k=7))

    again = SqliteStore(path)
    assert first == [f"{n:02}" for n in range(7)]
    assert ids_of(again.search("", [1, 0], top_k=7)) == first
    again.close()


def test_everything_is_there_after_reopening(path: Path) -> None:
    """What was inserted is found by a store that opens the file later."""
    first = SqliteStore(path)
    fill(first, range(300))
    first.close()

    second = SqliteStore(path)

    assert second.count({}) == {(): 300}
    assert ids_of(second.search("", [np.cos(1.5), np.sin(1.5)], top_k=1)) == ["id-00150"]
    second.close()


def test_an_open_store_sees_what_another_one_changes(store: SqliteStore, path: Path) -> None:
    """Inserts, replacements and deletions of others show at once, without reading all anew."""
    fill(store, range(100))
    assert store.count({"n": {"lt": 50}}) == {(): 50}
    other = SqliteStore(path)

    fill(other, range(100, 110))
    fill(other, range(5), note="changed")
    other.delete_many(["id-00010", "id-00011", "nobody"])

    assert store.count({}) == {(): 108}
    assert store.count({"n": {"lt": 50}}) == {(): 48}
    assert store.list_ids({"note": "changed"}) == [f"id-{n:05}" for n in range(5)]
    assert "id-00010" not in ids_of(store.search("", [1, 0.1], top_k=200))
    other.close()


def test_a_cache_far_behind_starts_anew(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the tombstones it needs are gone, a store reads the collection again."""
    monkeypatch.setattr("freqtrade_mem0.backends.sqlite.file._TOMBSTONES_KEPT", 3)
    fill(store, range(30))
    assert store.count({}) == {(): 30}
    other = SqliteStore(path)

    for n in range(10):
        other.delete(f"id-{n:05}")

    assert store.list_ids() == [f"id-{n:05}" for n in range(10, 30)]
    other.close()


def test_many_replacements_do_not_pile_up(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache drops the places of replaced rows once they are a quarter of it."""
    monkeypatch.setattr("freqtrade_mem0.backends.sqlite.vector_cache._WORTH_REPACKING", 20)
    for turn in range(10):
        fill(store, range(40), turn=turn)
        assert store.count({"turn": turn}) == {(): 40}

    cache = store._cache  # what is dropped shows nowhere else
    assert cache is not None
    assert cache.n_rows < 80


def test_the_same_content_again_is_not_written(store: SqliteStore, path: Path) -> None:
    """Delivering a batch twice leaves the rows as they were, sequence numbers included."""
    fill(store, range(10))
    before = rows_in(path)

    fill(store, range(10))

    assert rows_in(path) == before


def rows_in(path: Path) -> list[tuple[int, str]]:
    """Read sequence numbers and ids past the store."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT seq, id FROM memories ORDER BY seq").fetchall()
    connection.close()
    return rows


def test_update_replaces_vector_payload_or_both(store: SqliteStore) -> None:
    """What is not given stays; an unknown id is refused."""
    store.insert([[1, 0]], [{"data": "old", "n": 1}], ["a"])

    store.update("a", payload={"data": "new"})
    store.update("a", vector=[0, 1])

    assert store.search("", [0, 1], top_k=1)[0].score == 1.0
    row = store.get("a")
    assert row is not None
    assert row.payload == {"data": "new"}
    with pytest.raises(BackendError, match="no memory b to update"):
        store.update("b", payload={})


def test_keyword_search_ranks_rare_words(store: SqliteStore) -> None:
    """BM25 over the words of the text, within the filter; words that all share count nothing."""
    fill(store, range(20))
    store.insert([[1, 0]], [{"user_id": "me", "data": "liquidation of ETH/USDT"}], ["hit"])
    store.insert([[1, 0]], [{"user_id": "you", "data": "liquidation"}], ["theirs"])

    rows = store.keyword_search("Liquidation ETH", top_k=5, filters={"user_id": "me"})

    assert ids_of(rows) == ["hit"]
    assert rows[0].score is not None
    assert rows[0].score > 0
    assert store.keyword_search('"unbalanced (quotes AND', filters={}) == []


def test_keyword_search_follows_changes(store: SqliteStore) -> None:
    """Replaced words are not found any more, new ones are."""
    store.insert([[1, 0]], [{"data": "breakout"}], ["a"])
    store.insert([[1, 0]], [{"data": "liquidation"}], ["a"])

    assert store.keyword_search("breakout") == []
    assert ids_of(store.keyword_search("liquidation")) == ["a"]
    store.delete("a")
    assert store.keyword_search("liquidation") == []


def test_a_remembered_word_answers_as_a_store_that_was_just_opened(
    store: SqliteStore, path: Path
) -> None:
    """Ids, order and scores are the same to the last bit, whoever wrote, deleted or replaced."""
    draw = np.random.default_rng(7)
    words = ("breakout", "dip", "liquidation", "stop", "ETH")
    other = SqliteStore(path, collection_name="others")
    for round_number in range(12):
        writer = (store, other)[round_number % 2]
        for n in draw.integers(0, 40, 8).tolist():
            text = " ".join(draw.choice(words, 2))
            writer.insert([draw.normal(size=2).tolist()], [{"data": text}], [f"id-{n}"])
        writer.delete_many([f"id-{n}" for n in draw.integers(0, 40, 3).tolist()])
        fresh = SqliteStore(path)
        for _ in range(4):
            question, vector = " ".join(draw.choice(words, 3)), draw.normal(size=2).tolist()
            assert fresh.find(question, vector, 10) == store.find(question, vector, 10)
            assert fresh.keyword_search(question) == store.keyword_search(question)
        fresh.close()
    other.close()


def test_only_what_was_stored_since_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the filter says, in a file of any format, also of aged rows; other rows are not read."""
    kept = Path(__file__).with_name("memories_format_1.sqlite.gz")
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(kept.read_bytes()))
    store = SqliteStore(path)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(60):
        fill(store, range(n, n + 1), updated_at=(begin + timedelta(minutes=n)).isoformat())
    since = begin + timedelta(minutes=50, microseconds=1)
    fill(store, range(7, 8), updated_at=since.isoformat(), text="changed")
    odd = ["2126-01-01 05:00:00+05:00", ["2126-01-01"], "soon", 2e9, None, True]
    for n, at in enumerate(odd):
        fill(store, range(100 + n, 101 + n), updated_at=at)
    store.compress(["id-00055", "id-00020"])
    store.delete("id-00056")
    others = SqliteStore(path, "others")
    fill(others, range(300, 310), updated_at="2126-01-01T00:00:00+00:00")
    others.close()
    wanted = store.list_ids(stored_since({"user_id": "me"}, since))
    assert "id-00007" in wanted
    assert "id-00050" not in wanted
    n_read: list[object] = []

    def counted(text: object) -> dict[str, object]:
        n_read.append(text)
        return decode_payload(text)

    monkeypatch.setattr(store_module, "decode_payload", counted)
    monkeypatch.setattr(VectorCache, "refresh", lambda *_: pytest.fail("vectors are read"))

    found = [row.id for page in store.pages({"user_id": "me"}, 5, since) for row in page]
    assert found == wanted
    assert len(n_read) == len(wanted)
    store.close()


def test_what_is_replaced_or_deleted_before_its_page_is_read(store: SqliteStore) -> None:
    """A replaced memory has another row, and is read as it is then; a deleted one is left out."""
    fill(store, range(4))
    pages = store.pages({"user_id": "me"}, 2)
    next(pages)
    fill(store, range(3, 4), text="changed")
    store.delete("id-00002")

    (page,) = pages
    assert [(row.id, row.payload["text"]) for row in page] == [("id-00003", "changed")]


def test_list_is_ordered_and_unlimited(store: SqliteStore) -> None:
    """Rows come by creation time and id, in the nested form that Mem0 expects."""
    times = ["2026-01-03T00:00:00+00:00", "2026-01-01T00:00:00+05:00", "2026-01-01T00:00:00"]
    for n, at in enumerate(times):
        store.insert([[1, 0]], [{"created_at": at}], [str(n)])
    fill(store, range(150))

    (rows,) = store.list()

    assert len(rows) == 153
    assert ids_of(rows)[-3:] == ["1", "2", "0"]
    assert ids_of(store.list(top_k=2)[0]) == ["id-00000", "id-00001"]


def test_collections_are_apart(store: SqliteStore, path: Path) -> None:
    """One file holds several collections; deleting or resetting one leaves the others."""
    fill(store, range(3))
    entities = SqliteStore(path, "entities", embedding_model_dims=3)
    entities.insert([[1, 0, 0]], [{"linked_memory_ids": ["x"]}], ["e"])

    assert sorted(store.list_cols()) == ["entities", "memories"]
    assert entities.get("id-00000") is None
    assert store.col_info() == {"name": "memories", "count": 3, "dimensions": 2}

    store.reset()
    assert store.count({}) == {(): 0}
    fill(store, range(2))
    assert store.list_ids() == ["id-00000", "id-00001"]
    store.delete_col()
    assert store.list_cols() == ["entities"]
    assert entities.list()[0][0].payload["linked_memory_ids"] == ["x"]
    entities.close()


def test_the_vectors_of_another_embedder_are_refused(store: SqliteStore) -> None:
    """A changed vector length is named, in a write and in a search; an empty store adapts."""
    store.insert([[1, 0]], [{}], ["a"])

    with pytest.raises(BackendError, match="holds vectors of 2 numbers, this one has 3"):
        store.insert([[1, 0, 0]], [{}], ["b"])
    with pytest.raises(BackendError, match="holds vectors of 2 numbers, this one has 3"):
        store.search("", [1, 0, 0])
    with pytest.raises(BackendError, match="NaN"):
        store.insert([[1, np.nan]], [{}], ["c"])

    store.delete("a")
    store.insert([[1, 0, 0]], [{}], ["b"])
    assert store.list_ids() == ["b"]


def test_rows_of_other_tools_break_nothing(store: SqliteStore, path: Path) -> None:
    """Payloads without keys, of odd types or no JSON, and broken vectors: all can be read."""
    fill(store, range(3))
    odd: list[Any] = [
        {},
        {"data": 5, "user_id": "me", "created_at": 1767225600, "hash": 7},
        {"data": None, "user_id": ["me"], "n": {"deep": [1]}},
        {"user_id": 3, "n": "text", "created_at": 1e300, "updated_at": True},
    ]
    store.insert([[1, 0]] * len(odd), odd, [f"odd-{n}" for n in range(len(odd))])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE memories SET payload = 'no json' WHERE id = 'odd-0'")
    connection.execute("UPDATE memories SET vector = x'00' WHERE id = 'odd-1'")
    connection.commit()
    connection.close()

    again = SqliteStore(path)
    rows = again.search("", [1, 0], top_k=None, filters={})

    assert len(rows) == 7
    assert all(isinstance(row.payload["data"], str) for row in rows)
    assert again.count({"n": {"gte": 1}}) == {(): 2}
    assert again.count({"user_id": "me"}) == {(): 5}
    assert sum(again.count({}, ["n", "user_id"]).values()) == 7
    row = again.get("odd-1")
    assert row is not None
    assert row.payload["created_at"] == "2026-01-01T00:00:00+00:00"
    json.dumps([row.payload for row in rows])
    again.close()


def test_files_are_private(store: SqliteStore, path: Path) -> None:
    """Only the owner may read the file, its WAL companions and a folder that we made."""
    fill(store, range(10))

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}

    assert set(modes) == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_newer_file_is_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    """A file of a later format is named, with both versions, and not changed."""
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 5")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(BackendError, match=r"file format 5, .* reads up to 4; update"):
        SqliteStore(path)

    assert path.read_bytes() == before


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    """Somebody else's SQLite file is not taken over."""
    path = tmp_path / "tradesv3.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades (id INTEGER)")
    connection.close()

    with pytest.raises(BackendError, match="no memory store of freqtrade_mem0"):
        SqliteStore(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A damaged file is named with its path."""
    path = tmp_path / "memories.sqlite"
    path.write_bytes(b"not a database " * 100)

    with pytest.raises(BackendError, match=r"memories\.sqlite can not be used"):
        SqliteStore(path)


def test_a_failed_batch_leaves_nothing(store: SqliteStore) -> None:
    """An insert is all or nothing, and the store goes on working after one failed."""
    with pytest.raises(BackendError, match="as many payloads"):
        store.insert([[1, 0], [0, 1]], [{}], ["a"])
    with pytest.raises(BackendError, match="broken characters"):
        store.insert([[1, 0], [0, 1]], [{}, {}], ["a", "\ud800"])

    assert store.list_ids() == []
    fill(store, range(2))
    assert store.count({}) == {(): 2}


def test_a_writer_that_never_ends_stops_writes_but_not_reads(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process holds the file, writes fail in words and reads go on."""
    monkeypatch.setattr("freqtrade_mem0.backends.sqlite.file._BUSY_TIMEOUT_S", 0.05)
    store = SqliteStore(path)
    fill(store, range(3))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(BackendError, match=r"memories\.sqlite can not be used: database is locked"):
        fill(store, range(3, 6))
    assert store.count({}) == {(): 3}

    other.execute("ROLLBACK")
    other.close()
    fill(store, range(3, 6))
    assert store.count({}) == {(): 6}
    store.close()


def test_files_of_format_1_stay_readable(tmp_path: Path) -> None:
    """A file written by the first version is read, searched and written by this one."""
    path = tmp_path / "memories.sqlite"
    kept = Path(__file__).with_name("memories_format_1.sqlite.gz")
    path.write_bytes(gzip.decompress(kept.read_bytes()))

    store = SqliteStore(path)

    assert store.list_ids() == ["id-00000", "id-00002"]
    assert store.count({"user_id": "me"}, ["n"]) == {(0,): 1, (2,): 1}
    assert ids_of(store.search("", [1.0, 0.02], top_k=1)) == ["id-00002"]
    assert ids_of(store.keyword_search("changed")) == ["id-00002"]
    fill(store, range(1, 2))
    assert store.count({}) == {(): 3}
    store.close()


def test_a_file_of_format_1_shrinks_once_rewritten(tmp_path: Path) -> None:
    """A file that an earlier version made gives space back once it was shrunk."""
    path = tmp_path / "memories.sqlite"
    kept = Path(__file__).with_name("memories_format_1.sqlite.gz")
    path.write_bytes(gzip.decompress(kept.read_bytes()))
    store = SqliteStore(path)
    store.shrink(lambda _seconds: None)
    fill(store, range(100, 400), more="x" * 1_000)
    store.shrink(lambda _seconds: None)
    large = path.stat().st_size

    store.delete_many([f"id-{n:05}" for n in range(100, 400)])
    given_back = store.shrink(lambda _seconds: None)

    assert store.list_ids() == ["id-00000", "id-00002"]
    assert path.stat().st_size < large / 2
    assert given_back > large / 2
    store.close()


def test_what_was_deleted_is_not_in_the_file(store: SqliteStore, path: Path) -> None:
    """After shrinking, neither the text nor a word of a deleted memory stands in any file."""
    fill(store, range(200), data="ordinary words", text_lemmatized="ordinary words")
    fill(store, range(7, 8), data="the canaryword sings", text_lemmatized="canaryword sing")
    store.keyword_search("canaryword")
    store.delete_many(["id-00007"])

    store.shrink(lambda _seconds: None)

    for file in path.parent.iterdir():
        assert b"canaryword" not in file.read_bytes()
    assert store.count({}) == {(): 199}


@pytest.mark.parametrize("seed", range(5))
def test_compressed_vectors_are_nearly_the_same(store: SqliteStore, path: Path, seed: int) -> None:
    """The scores of a search change by less than a hundredth, also for who opens the file later."""
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(50, 64)).astype(np.float32)
    vectors[0] = 0.0
    ids = [f"id-{n}" for n in range(50)]
    store.insert(list(vectors), [{"user_id": "me", "data": "x"}] * 50, ids)
    query = generator.normal(size=64).tolist()
    before = {row.id: row.score for row in store.search("", query, top_k=None)}

    assert store.compress(ids) == 50

    other = SqliteStore(path)
    after = {row.id: row.score for row in other.search("", query, top_k=None)}
    other.close()
    assert after == pytest.approx(before, abs=0.01)
    assert sum(store.sizes().values()) < 50 * (64 + 4 + 60)


def test_threads_share_a_store(store: SqliteStore) -> None:
    """Eight threads write, replace, delete, search and count at once; the sums are right."""

    def work(worker: int) -> None:
        for n in range(30):
            base = 1_000 * worker + 2 * n
            fill(store, range(base, base + 2), worker=worker)
            fill(store, range(base, base + 1), worker=worker, again=True)
            store.delete(f"id-{base + 1:05}")
            assert len(store.search("", [1, 0], top_k=5, filters={"worker": worker})) >= 1
            assert store.count({"worker": worker}) == {(): n + 1}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    assert store.count({}, ["worker", "again"]) == {(worker, True): 30 for worker in range(8)}


def test_compressed_memories_say_the_same(store: SqliteStore, path: Path) -> None:
    """Whole, filtered and searched; also when replaced, and for who opens the file later."""
    fill(store, range(20), data="ordinary words", text_lemmatized="ordinary words", block="x" * 999)
    ids = [f"id-{n:05}" for n in range(20)]
    before = store.get_many(ids), store.list_ids({"user_id": "me"})
    n_bytes = sum(store.sizes().values())

    assert store.compress(ids) == 20
    assert store.compress(ids) == 0

    other = SqliteStore(path)
    for each in (store, other):
        assert (each.get_many(ids), each.list_ids({"user_id": "me"})) == before
        assert len(each.keyword_search("ordinary", top_k=None)) == len(
            store.keyword_search("ordinary", top_k=None)
        )
    assert sum(store.sizes().values()) < n_bytes / 3
    fill(store, range(20), data="ordinary words", text_lemmatized="ordinary words", block="x" * 999)
    assert store.get_many(ids) == before[0]
    other.close()
