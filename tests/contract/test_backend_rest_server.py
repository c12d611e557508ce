"""The self-hosted Mem0 server: what it can not do, and what older versions of it can not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.errors import BackendError
from tests.servers.backends import rest_server_at
from tests.servers.loopback import Answer
from tests.servers.mem0_rest_server import RestServer

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestServer]:
    """Give a server of today with the real Mem0 in it."""
    with RestServer(tmp_path / "server") as rest:
        yield rest


def test_the_text_and_time_are_mem0s_own(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Who reads the server with other tools sees the sentence, its market time and metadata."""
    backend = rest_server_at(server, tmp_path / "mem0")

    backend.write([make_memory(0)])

    (item,) = server.memory.get_all(filters=MINE)["results"]
    assert item["memory"] == make_memory(0).text
    assert datetime.fromisoformat(item["created_at"]) == make_memory(0).created_at
    assert (item["agent_id"], item["run_id"]) == ("MyStrategy", "bot-1")
    assert make_memory(0).metadata.items() <= item["metadata"].items()
    assert item["metadata"]["memory_id"] == make_memory(0).id
    backend.close()


def test_memories_of_others_are_given_as_they_are(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A note written by another tool has the server's id, and can be found and deleted by it."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(0)])
    added = server.memory.add("Never trade on Sundays", user_id="me", infer=False)
    remote_id = added["results"][0]["id"]

    note = backend.get(remote_id)

    assert note is not None
    assert (note.text, note.user_id) == ("Never trade on Sundays", "me")
    assert note in list(backend.changes(filters=MINE, since=None))
    assert backend.delete([remote_id]) == 1
    assert [make_memory(0)] == list(backend.scan(filters=MINE))
    backend.close()


def test_a_rewritten_memory_takes_the_place_of_the_old_one(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Time and scopes change too, and the server holds one memory afterwards."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(0)])
    earlier = make_memory(0).created_at - timedelta(days=9)
    changed = make_memory(0, text="New words", created_at=earlier, run_id="")

    backend.write([changed])

    assert [changed] == list(backend.scan(filters={}))
    assert server.texts() == ["New words"]
    backend.close()


def test_a_new_memory_costs_one_request(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A scope is listed once, not for each trade that is closed in it."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(0)])
    asked = len(server.asked)

    for n in range(1, 6):
        backend.write([make_memory(n)])

    assert len(server.asked) - asked == 5
    backend.close()


def test_several_scopes_are_asked_for_one_by_one(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A list of runs is read run by run, and nothing else is read."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(n, run_id=f"bot-{n}") for n in range(4)])
    asked = len(server.asked)

    found = list(backend.scan(filters={"run_id": {"in": ["bot-1", "bot-3"]}}))

    assert [each.run_id for each in found] == ["bot-1", "bot-3"]
    assert [each.query["run_id"] for each in server.asked[asked:]] == ["bot-1", "bot-3"]
    backend.close()


def test_the_key_goes_as_a_header(tmp_path: Path, make_memory: MakeMemory) -> None:
    """A server with a key is given it; without a key it says what to set."""
    with RestServer(tmp_path / "server", key="m0-server-key") as server:
        backend = rest_server_at(server, tmp_path / "mem0")
        backend.write([make_memory(0)])
        backend.close()
        assert server.texts() == [make_memory(0).text]

        server.key, key = "", server.key
        keyless = rest_server_at(server, tmp_path / "other")
        server.key = key
        with pytest.raises(BackendError, match="it wants a key: set MEM0_API_KEY") as refused:
            keyless.write([make_memory(1)])

        assert not refused.value.permanent
        keyless.close()


def test_a_server_that_would_rewrite_memories_is_refused(
    tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Without `infer` a language model would turn a trade into something else."""
    with RestServer(tmp_path / "server", version="oldest") as server:
        backend = rest_server_at(server, tmp_path / "mem0")

        with pytest.raises(
            BackendError, match="too old: its POST /memories does not know 'infer'"
        ) as no:
            backend.write([make_memory(0)])

        assert not no.value.permanent
        assert server.texts() == []
        backend.close()


def test_a_list_that_may_be_cut_is_refused(tmp_path: Path, make_memory: MakeMemory) -> None:
    """An older server gives at most a hundred: up to there it is used, then it is named."""
    with RestServer(tmp_path / "server", version="old") as server:
        backend = rest_server_at(server, tmp_path / "mem0")
        backend.write([make_memory(n) for n in range(15)])
        assert backend.count(filters=MINE) == {(): 15}
        assert len(backend.search("profit", filters=MINE, limit=50)) == 15

        backend.write([make_memory(n) for n in range(15, 105)])

        with pytest.raises(BackendError, match="lists at most 100 memories of") as cut:
            backend.count(filters=MINE)
        assert not cut.value.permanent
        backend.close()


def test_a_bound_that_a_server_describes_is_kept(tmp_path: Path, make_memory: MakeMemory) -> None:
    """A server that bounds `top_k` is never asked for more, and a full list is no whole one."""
    with RestServer(tmp_path / "server", most_listed=10) as server:
        backend = rest_server_at(server, tmp_path / "mem0")
        backend.write([make_memory(n) for n in range(9)])
        assert backend.count(filters=MINE) == {(): 9}

        backend.write([make_memory(9)])

        with pytest.raises(BackendError, match="lists at most 10 memories of"):
            backend.count(filters=MINE)
        backend.close()


@pytest.mark.parametrize("description", [Answer(404, {}), Answer(200, {"paths": {}})], ids=str)
def test_a_server_that_hides_its_description_is_taken_as_new(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory, description: Answer
) -> None:
    """What a server can do is then found out by asking it."""
    server.fails("answer", "GET /openapi.json", answer=description)
    backend = rest_server_at(server, tmp_path / "mem0")

    backend.write([make_memory(n) for n in range(30)])

    assert backend.count(filters=MINE) == {(): 30}
    assert len(backend.search("profit", filters=MINE, limit=25)) == 25
    backend.close()


def test_a_missing_memory_is_none_however_it_is_said(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Older servers answer null, newer ones 404; deleting what is gone is no error."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(0), make_memory(1)])
    for item in server.memory.get_all(filters=MINE)["results"]:
        server.memory.delete(item["id"])

    assert backend.get(make_memory(0).id) is None
    server.fails("answer", "GET /memories/", answer=Answer(404, {"detail": "Memory not found"}))
    assert backend.get(make_memory(0).id) is None
    assert backend.delete([make_memory(0).id, make_memory(1).id]) == 0
    backend.close()


def test_a_search_keeps_to_one_scope_at_the_server(
    server: RestServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Scopes and texts are filtered there, so that few answers suffice."""
    backend = rest_server_at(server, tmp_path / "mem0")
    backend.write([make_memory(n, run_id=f"bot-{n % 2}") for n in range(40)])
    wanted = {**MINE, "run_id": "bot-1", "pair": "ETH/USDT", "n": {"gte": 30}}

    found = backend.search("profit", filters=wanted, limit=5)

    assert {31, 33, 35, 37, 39} == {each.metadata["n"] for each in found}
    sent = [each.body["filters"] for each in server.asked if each.path == "/search"]
    assert sent[0] == {"user_id": "me", "run_id": "bot-1", "pair": "ETH/USDT"}
    backend.close()
