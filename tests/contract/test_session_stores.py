"""One contract for every store of session memory: atomic times to live, owners kept apart."""

from __future__ import annotations

import multiprocessing
import socket
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.session_memory.in_process import InProcessStore
from freqtrade_mem0.session_memory.redis import RedisStore
from freqtrade_mem0.session_memory.sqlite import FILE_NAME, SqliteStore
from tests.support.redis_server import RedisServer
from tests.support.wait import eventually, repeated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.session_memory.store import SessionStore

PREFIX = "test[1]*:"
SHORT_S, LONG_S = 0.05, 600.0
N_PROCESSES, N_KEYS = 4, 25


class Clock:
    """A clock that tests move; Redis has its own, for which they wait."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        """Return its seconds."""
        return self.seconds


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    with RedisServer() as server:
        yield server


class Place:
    """A store, and how to let time go by."""

    def __init__(self, store: SessionStore, clock: Clock | None) -> None:
        self.store = store
        self._clock = clock

    def is_gone(self, owner: str, key: str) -> bool:
        """Return whether a text ends that was kept for a short time."""
        if self._clock is None:
            return eventually(lambda: self.store.get(owner, key) is None, 10.0)
        assert self.store.get(owner, key) is not None
        self._clock.seconds += SHORT_S
        return self.store.get(owner, key) is None


@pytest.fixture(params=["in_process", "sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each store, empty."""
    clock = Clock()
    store: SessionStore
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("server")
        server.direct.flushall()
        store = RedisStore(server.url, PREFIX)
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "mem0", clock)
    else:
        store = InProcessStore(now=clock)
    yield Place(store, None if request.param == "redis" else clock)
    store.close()


def test_texts_are_kept_by_owner_and_key(place: Place) -> None:
    """Whatever characters are in them."""
    store = place.store
    assert (store.get("ann", "a"), store.items("ann"), store.clear("ann")) == (None, {}, 0)
    names = [("ann", "a:b"), ("ann:a", "b"), ("ann", "*"), ("a?n", "[x]"), ("ann", "ä \n%3A")]
    for number, (owner, key) in enumerate(names):
        store.put(owner, key, str(number), LONG_S)
    for number, (owner, key) in enumerate(names):
        assert store.get(owner, key) == str(number)
    assert store.items("ann") == {"*": "2", "a:b": "0", "ä \n%3A": "4"}
    store.put("ann", "*", "again", LONG_S)
    assert (store.get("ann", "*"), store.delete("ann", "*")) == ("again", True)
    assert (store.delete("ann", "*"), store.clear("ann"), store.items("ann")) == (False, 2, {})
    assert store.items("a?n") == {"[x]": "3"}
    assert store.purge() == 0


def test_a_text_ends_after_its_time(place: Place) -> None:
    """And leaves nothing; one with a longer time stays."""
    place.store.put("ann", "short", "1", SHORT_S)
    place.store.put("ann", "long", "2", LONG_S)
    assert place.is_gone("ann", "short")
    assert place.store.items("ann") == {"long": "2"}
    assert not place.store.delete("ann", "short")


def test_reading_refreshes_only_when_asked(place: Place) -> None:
    """With the time that is said then."""
    place.store.put("ann", "a", "1", SHORT_S)
    place.store.put("ann", "b", "2", LONG_S)
    assert place.store.get("ann", "b", ttl_s=SHORT_S) == "2"
    assert place.store.get("ann", "none", ttl_s=SHORT_S) is None
    assert place.is_gone("ann", "a")
    assert eventually(lambda: place.store.get("ann", "b") is None, 10.0)
    place.store.put("ann", "c", "3", SHORT_S)
    repeated(lambda: place.store.get("ann", "c", ttl_s=LONG_S), BackendError)
    assert place.store.get("ann", "c") in {"3", None}  # a slow machine may have lost it before


def test_writing_again_begins_its_time_anew(place: Place) -> None:
    """A text and its time are set together."""
    place.store.put("ann", "a", "1", LONG_S)
    place.store.put("ann", "a", "2", SHORT_S)
    assert place.is_gone("ann", "a")


def _work(kind: str, where: Any, number: int) -> None:
    """Write, read and let end in one of several processes; runs in a child."""
    store: SessionStore
    store = SqliteStore(where) if kind == "sqlite" else RedisStore(where, PREFIX)
    for key in range(N_KEYS):
        name = f"{number}.{key}"
        repeated(lambda name=name: store.put("all", name, "x" * 100, 0.2), BackendError)  # type: ignore[misc]
        repeated(lambda: store.put("all", "shared", str(number), 0.2), BackendError)
        repeated(lambda: store.get("all", "shared", ttl_s=0.2), BackendError)
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_four_processes_leave_nothing(kind: str, server: RedisServer, tmp_path: Path) -> None:
    """After their time, no key is left in the server and no byte in the file."""
    where = tmp_path if kind == "sqlite" else server.url
    context = multiprocessing.get_context("spawn")
    children = [
        context.Process(target=_work, args=(kind, where, number)) for number in range(N_PROCESSES)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * N_PROCESSES
    if kind == "redis":
        assert eventually(lambda: not server.names(), 10.0)
        return
    store = SqliteStore(tmp_path)
    assert eventually(lambda: repeated(lambda: store.items("all"), BackendError) == {}, 10.0)
    store.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as sqlite:
        assert sqlite.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    sqlite.close()
    assert b"x" * 100 not in (tmp_path / FILE_NAME).read_bytes()


def test_every_key_in_redis_has_a_time(server: RedisServer) -> None:
    """Also after being read."""
    store = RedisStore(server.url, PREFIX)
    for number in range(10):
        store.put("ann", str(number), "1", LONG_S)
        store.get("ann", str(number), ttl_s=LONG_S if number % 2 else None)
    names = server.names()
    assert len(names) == 10
    assert all(0 < server.direct.pttl(name) <= LONG_S * 1_000 for name in names)
    store.close()


@pytest.mark.parametrize("answers", [True, False], ids=["hangs", "is away"])
def test_a_server_that_does_not_answer_costs_a_moment(answers: bool) -> None:
    """One that hangs, and one that is not there; the password is not shown."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        if answers:
            listening.listen()
        store = RedisStore(f"redis://me:secret@127.0.0.1:{port}", PREFIX)
        began = time.monotonic()
        with pytest.raises(BackendError, match=f"Redis at redis://127.0.0.1:{port} did") as raised:
            store.put("ann", "a", "1", LONG_S)
        assert time.monotonic() - began < 5.0
        assert "secret" not in str(raised.value)
        store.close()


def test_a_file_that_another_process_writes_costs_a_moment(tmp_path: Path) -> None:
    """The error says that it is in use."""
    store = SqliteStore(tmp_path)
    store.put("ann", "a", "1", LONG_S)
    with sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(BackendError, match="Session memory in"):
            store.put("ann", "b", "2", LONG_S)
        assert time.monotonic() - began < 5.0
        other.execute("ROLLBACK")
    other.close()
    store.put("ann", "b", "2", LONG_S)
    store.close()
    (tmp_path / FILE_NAME).write_bytes(b"not ours" * 100)
    with pytest.raises(BackendError):
        SqliteStore(tmp_path).put("ann", "a", "1", LONG_S)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """Only a write does."""
    store = SqliteStore(tmp_path / "mem0")
    assert (store.get("ann", "a"), store.items("ann"), store.clear("ann")) == (None, {}, 0)
    assert not (tmp_path / "mem0").exists()


def test_this_process_keeps_a_bounded_number() -> None:
    """Of more, the one that ends first goes."""
    store = InProcessStore(max_keys=2)
    for number, ttl_s in enumerate((300.0, 100.0, 200.0)):
        store.put("ann", str(number), "x", ttl_s)
    assert sorted(store.items("ann")) == ["0", "2"]
