"""Stores that are not ours: Qdrant in pages through its own client, and bounds that are told."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.backends.in_process import foreign_qdrant, foreign_store
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

    MakeMemory = Callable[..., Memory]

MINE = {"user_id": "me"}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[EmbeddedBackend]:
    """Give Mem0 over Qdrant's client on a folder, which takes the calls that a server takes."""
    opened = EmbeddedBackend(tmp_path / "mem0", vector_store={"provider": "qdrant"})
    yield opened
    opened.close()


def test_everything_comes_over_many_pages(
    backend: EmbeddedBackend, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing, reading and deleting more than one call takes loses nothing and doubles nothing."""
    monkeypatch.setattr(foreign_qdrant, "_ROWS_PER_CALL", 7)
    memories = [make_memory(n) for n in range(40)]
    backend.write(memories)

    backend.write([*memories[:20], *(make_memory(n, text="changed") for n in range(20, 40))])

    assert [*memories[:20], *(make_memory(n, text="changed") for n in range(20, 40))] == list(
        backend.scan(filters=MINE)
    )
    assert backend.delete([each.id for each in memories] * 2) == 40
    assert list(backend.scan(filters={})) == []


def test_only_what_changed_is_read(
    backend: EmbeddedBackend, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store itself leaves out what was stored before, and what says the same stays old."""
    backend.write([make_memory(n) for n in range(30)])
    stored = {each.id: each.stored_at for each in backend.scan(filters={})}
    since = max(at for at in stored.values() if at is not None)
    backend.write([make_memory(n) for n in range(29)])
    backend.write([make_memory(3, text="changed")])
    n_read: list[str] = []
    read = foreign_qdrant.rows

    def counted(*asked: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        for row in read(*asked):
            n_read.append(row[0])
            yield row

    backend.write([make_memory(n, metadata={"mode": "backtest"}) for n in range(50, 90)])
    monkeypatch.setattr(foreign_qdrant, "rows", counted)

    of_bots = MINE | {"NOT": [{"mode": "backtest"}]}
    changed = {each.id for each in backend.changes(filters=of_bots, since=since)}

    assert make_memory(3).id in changed
    assert changed <= {each for each, at in stored.items() if at == since} | {make_memory(3).id}
    assert changed == set(n_read)
    assert len(list(backend.changes(filters=of_bots, since=None))) == len(n_read) - len(changed)


@pytest.mark.parametrize("fails", [False, True])
def test_a_server_is_asked_to_index_times(
    tmp_path: Path, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """Once, beside Mem0's own indexes; where the key may not, memories are read all the same."""
    from qdrant_client import QdrantClient

    client = QdrantClient(path=str(tmp_path / "server"))
    indexed: list[tuple[str, str]] = []

    def index(_collection: str, field: str, schema: str) -> None:
        indexed.append((field, schema))
        if fails:
            raise RuntimeError("403 (Forbidden)")

    def of_mem0(*_: Any, field_name: str, field_schema: str, **__: Any) -> None:
        indexed.append((field_name, field_schema))

    monkeypatch.setattr(
        client,
        "create_payload_index",
        lambda *told, **named: (index if told else of_mem0)(*told, **named),
    )
    config = {"client": client, "collection_name": "mem0"}
    opened = EmbeddedBackend(
        tmp_path / "mem0", vector_store={"provider": "qdrant", "config": config}
    )
    opened.write([make_memory(0)])
    assert list(opened.changes(filters=MINE, since=None)) != []
    assert ("user_id", "keyword") in indexed
    assert indexed.count(("updated_at", "datetime")) == indexed.count(("mode", "keyword")) == 1
    opened.close()


def test_a_store_that_can_not_be_read_to_its_end_is_refused(
    backend: EmbeddedBackend, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows come all at once and there may be more, an error stands instead of a part."""
    monkeypatch.setattr(foreign_qdrant, "is_qdrant", lambda _store: False)
    monkeypatch.setattr(foreign_store, "_MOST_ROWS", 10)
    backend.write([make_memory(n) for n in range(9)])
    assert len(list(backend.scan(filters=MINE))) == 9

    backend.write([make_memory(n) for n in range(9, 12)])

    for read in (backend.scan, backend.count):
        with pytest.raises(BackendError, match="holds 10 memories or more") as refused:
            read(filters=MINE)
        assert refused.value.permanent
    with pytest.raises(BackendError, match="holds 10 memories or more"):
        backend.search("profit", filters=MINE | {"n": {"gt": 50}}, limit=2)


def test_a_payload_that_lost_a_key_is_stored_without_it(
    backend: EmbeddedBackend, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also through a store that is only updated, and the same again is no change."""
    monkeypatch.setattr(foreign_qdrant, "is_qdrant", lambda _store: False)
    backend.write([make_memory(0)])
    less = make_memory(0, metadata={"pair": "BTC/USDT"})

    backend.write([less])
    stored = [each.stored_at for each in backend.scan(filters={})]
    backend.write([less])

    assert [less] == list(backend.scan(filters={}))
    assert stored == [each.stored_at for each in backend.scan(filters={})]


@pytest.mark.parametrize("by_url", [True, False])
def test_a_server_that_does_not_answer_is_named(tmp_path: Path, *, by_url: bool) -> None:
    """The wait ends, the sentence has the address and not the key, and it may be tried again."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        address = {"url": f"http://127.0.0.1:{port}"} if by_url else {"host": "127.0.0.1"}
        config = address | ({} if by_url else {"port": port}) | {"https": False}
        block = {"provider": "qdrant", "config": config | {"api_key": "hush-hush"}}
        backend = EmbeddedBackend(
            tmp_path / "mem0", name="server", vector_store=block, timeout_s=1.0
        )

        with (
            pytest.warns(UserWarning, match="insecure connection"),
            pytest.raises(BackendError, match=r"Qdrant at .*127\.0\.0\.1") as failed,
        ):
            backend.count(filters={})

    assert str(port) in str(failed.value)
    assert "hush-hush" not in repr(failed.value) + repr(failed.value.__cause__)
    assert not failed.value.permanent
    backend.close()
