"""The Mem0 platform: its ways of storing later, of keeping entities apart and of paging."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.backends.modes import platform as platform_mode
from freqtrade_mem0.backends.opening import open_backend
from freqtrade_mem0.backends.remote import http
from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import BackendError
from tests.servers.backends import platform_at
from tests.servers.certificate import make_certificate
from tests.servers.loopback import Answer
from tests.servers.mem0_platform import PlatformServer
from tests.support.wait import repeated

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

MakeMemory = Callable[..., "Memory"]
MINE = {"user_id": "me"}
ADD = "POST /v3/memories/add/"


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    """Give a platform that stores before it answers."""
    with PlatformServer() as platform:
        yield platform


@pytest.fixture
def late_server() -> Iterator[PlatformServer]:
    """Give a platform that stores after it was asked three times how a write ended."""
    with PlatformServer(polls_until_stored=3) as platform:
        yield platform


def put_by_others(server: PlatformServer, text: str, **fields: Any) -> str:
    """Let somebody else store a memory; return the id that the platform gave it."""
    before = set(server.items)
    body = {"messages": [{"role": "user", "content": text}], "infer": False, **fields}
    server._add(body)
    (remote_id,) = set(server.items) - before
    return remote_id


def test_without_a_key_every_call_says_what_to_do(
    tmp_path: Path, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each method raises the same sentence, and nothing is permanent: memories wait."""
    monkeypatch.setattr(platform_mode, "find_credentials", lambda: None)
    backend = open_backend(Settings(mode="platform"), tmp_path, tuple)
    calls: list[Callable[[], Any]] = [
        lambda: backend.write([make_memory(0)]),
        lambda: backend.get(make_memory(0).id),
        lambda: backend.search("words", filters=MINE, limit=1),
        lambda: list(backend.scan(filters={})),
        lambda: list(backend.changes(filters={}, since=None)),
        lambda: backend.count(filters={}),
        lambda: backend.delete([make_memory(0).id]),
    ]

    for call in calls:
        with pytest.raises(BackendError) as failed:
            call()
        assert not failed.value.permanent
        assert str(failed.value) == (
            '"mem0.mode" is "platform", but no key was found: not as an argument, not in '
            "M0_API_KEY or MEM0_API_KEY, not in .env.mem0. Memories stay in the journal on this "
            "machine and are delivered once there is a key."
        )
    backend.close()


def test_nothing_happens_before_the_first_use(server: PlatformServer, tmp_path: Path) -> None:
    """A backend that is only made asks nobody, makes no file and does not import Mem0."""
    backend = platform_at(server, tmp_path / "mem0")
    backend.close()
    backends = "freqtrade_mem0.backends"
    imports = f"import sys, {backends}.modes.platform, {backends}.remote.rest_store;"
    said = subprocess.run(
        [sys.executable, "-c", f"{imports} print('mem0' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert server.asked == []
    assert not (tmp_path / "mem0").exists()
    assert said.stdout == "False\n"


def test_a_write_waits_until_it_is_stored(
    late_server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Accepted is not stored: the event is followed to its end before the write is done."""
    backend = platform_at(late_server, tmp_path)

    backend.write([make_memory(n) for n in range(3)])

    assert late_server.count("GET /v1/event/") == 3 * 4
    assert [make_memory(n) for n in range(3)] == list(backend.scan(filters=MINE))
    backend.close()


def test_what_is_stored_too_late_is_not_sent_again(
    tmp_path: Path, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that is still under way is an error that passes; the next attempt follows it up."""
    monkeypatch.setattr(http, "CALL_TIMEOUTS", 0.05)  # a second in all, twenty for each answer
    with PlatformServer(polls_until_stored=1_000_000) as server:
        backend = platform_at(server, tmp_path, timeout_s=20)
        with pytest.raises(BackendError, match="accepted 2 memories but has not") as late:
            backend.write([make_memory(0), make_memory(1)])
        backend.close()

        server.settle()
        again = platform_at(server, tmp_path)
        again.write([make_memory(0), make_memory(1)])

        assert not late.value.permanent
        assert server.count(ADD) == 2
        assert [make_memory(0), make_memory(1)] == list(again.scan(filters=MINE))
        again.close()


def test_what_the_platform_failed_to_store_is_sent_again(
    late_server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A failed event is an error, and the memory is sent anew by the next attempt."""
    late_server.fails_events = True
    backend = platform_at(late_server, tmp_path)
    with pytest.raises(BackendError, match=f"{make_memory(0).id}: .* failed to store") as failed:
        backend.write([make_memory(0)])
    late_server.fails_events = False

    backend.write([make_memory(0)])

    assert not failed.value.permanent
    assert [make_memory(0)] == list(backend.scan(filters=MINE))
    backend.close()


def test_what_was_deleted_before_it_was_stored_stays_deleted(
    tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A memory whose answer was lost and that comes to be after its deletion is never shown."""
    with PlatformServer(polls_until_stored=1) as server:
        backend = platform_at(server, tmp_path)
        backend.write([make_memory(1)])
        server.fails("drop-answer", ADD)
        with pytest.raises(BackendError):
            backend.write([make_memory(0)])
        server.works()

        assert backend.delete([make_memory(0).id]) == 0
        server.settle()

        assert [make_memory(1)] == list(backend.scan(filters=MINE))
        assert backend.get(make_memory(0).id) is None
        backend.write([make_memory(2)])
        assert len(server.items) == 2
        backend.write([make_memory(0)])
        assert make_memory(0) == backend.get(make_memory(0).id)
        backend.close()


def test_a_memory_is_kept_under_one_entity(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """User, agent and run do not become three memories, and all three come back."""
    backend = platform_at(server, tmp_path)
    agents_own = make_memory(1, user_id="", run_id="")

    backend.write([make_memory(0), agents_own])

    assert len(server.items) == 2
    assert {"user", "agent"} == {
        each["type"] for each in server.answer(server_asked()).body["results"]
    }
    assert [make_memory(0), agents_own] == list(backend.scan(filters={"agent_id": "MyStrategy"}))
    assert agents_own == backend.get(agents_own.id)
    backend.close()


def server_asked() -> Any:
    """Return the question which entities there are."""
    from tests.servers.loopback import Asked

    return Asked("GET", "/v1/entities/", {}, {"authorization": "Token m0-secret"}, None)


def test_a_rewritten_memory_is_replaced_in_place(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """The platform's id stays, and nothing of the old metadata shines through."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(0)])
    before = set(server.items)
    changed = make_memory(0, text="New words", metadata={"n": 1.0}, agent_id="Other", run_id="")

    backend.write([changed])

    assert before == set(server.items)
    assert server.count("PUT /v1/memories/") == 1
    assert [changed] == list(backend.scan(filters=MINE))
    assert isinstance(backend.scan(filters=MINE).__next__().metadata["n"], float)
    backend.close()


def test_a_memory_of_another_owner_is_moved(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """An entity can not be changed in place: the memory is added anew and the old one deleted."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(0, user_id="")])
    moved = make_memory(0)

    backend.write([moved])

    assert moved == backend.get(moved.id)
    assert [i["user_id"] for i in server.items.values()] == ["me"]
    assert backend.count(filters={"agent_id": "MyStrategy"}) == {(): 1}
    backend.close()


def test_memories_of_others_are_given_as_they_are(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A note written by hand has the platform's id, and can be found, read and deleted by it."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(0)])
    remote_id = put_by_others(
        server, "Never trade on Sundays", user_id="me", metadata={"tags": ["a", "b"]}
    )

    note = backend.get(remote_id)

    assert note is not None
    assert (note.text, note.user_id, note.agent_id) == ("Never trade on Sundays", "me", "")
    assert note.metadata == {"tags": '["a", "b"]'}
    assert note.created_at.utcoffset() == datetime.now(UTC).utcoffset()
    assert note in list(backend.changes(filters=MINE, since=None))
    assert remote_id == backend.search("Sundays", filters=MINE, limit=1)[0].id
    assert backend.delete([remote_id, make_memory(7).id]) == 1
    assert [make_memory(0)] == list(backend.scan(filters={}))
    backend.close()


def test_more_than_a_page_is_read(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A scan goes through all pages."""
    for n in range(450):
        put_by_others(server, f"note {n}", user_id="me")
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(0)])

    assert backend.count(filters=MINE) == {(): 451}
    assert server.count("POST /v3/memories/") - server.count(ADD) == 1 + 3
    backend.close()


def test_a_search_asks_for_more_until_it_has_enough(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """What our own filter leaves out does not make a search come back short."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(n) for n in range(3)])
    for n in range(60):
        put_by_others(server, f"profit in a calm uptrend today {n}", user_id="me")

    found = backend.search(
        "profit in a calm uptrend today", filters={**MINE, "agent_id": "MyStrategy"}, limit=3
    )

    assert {make_memory(n).id for n in range(3)} == {each.id for each in found}
    asked = [each.body["top_k"] for each in server.asked if each.path.endswith("/search/")]
    assert asked == [3, 24, 192]
    assert {each.body["threshold"] for each in server.asked if "search" in each.path} == {0.0}
    backend.close()


def test_changes_are_filtered_by_the_platform(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Only what was updated since is transferred."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(n) for n in range(5)])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    for n, item in enumerate(server.items.values()):
        item["updated_at"] = (since - timedelta(days=n)).isoformat()
    n_given: list[int] = []
    passing = server._passing

    def counted(body: dict[str, Any]) -> list[dict[str, Any]]:
        given = passing(body)
        n_given.append(len(given))
        return given

    server._passing = counted  # type: ignore[method-assign]

    assert [make_memory(0)] == list(
        backend.changes(filters={**MINE, "pair": "ETH/USDT"}, since=since)
    )
    assert n_given == [1]

    assert server.asked[-1].body["filters"] == {
        "AND": [
            {"user_id": "me"},
            {"metadata": {"pair": "ETH/USDT"}},
            {"updated_at": {"gte": "2026-01-01T00:00:00+00:00"}},
        ]
    }
    backend.close()


def test_many_are_deleted_at_once(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A batch goes in one request; where one of it is gone already, the others go all the same."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(n) for n in range(6)])
    ids = [make_memory(n).id for n in range(6)]

    assert backend.delete(ids[:3]) == 3
    assert server.count("DELETE /v1/batch/") == 1
    assert server.count("DELETE /v1/memories/") == 0
    server.fails("answer", "DELETE /v1/batch/", answer=Answer(400, {"error": "gone"}))
    assert backend.delete(ids) == 3
    assert server.items == {}
    backend.close()


def test_a_memory_that_others_deleted_is_written_again(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """What was deleted by hand and is changed afterwards is added anew."""
    backend = platform_at(server, tmp_path)
    backend.write([make_memory(0)])
    server.items.clear()

    assert backend.get(make_memory(0).id) is None
    backend.write([make_memory(0, text="New words")])

    assert [make_memory(0, text="New words")] == list(backend.scan(filters=MINE))
    backend.close()


def test_what_goes_over_the_wire(
    server: PlatformServer, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Market time goes as `timestamp`, our id as metadata, and no model rewrites the text."""
    credentials = Credentials(
        api_key=server.key, source="argument", org_id="org-1", project_id="project-1"
    )
    backend = platform_at(server, tmp_path, credentials=credentials)

    backend.write([make_memory(0)])

    added = next(each for each in server.asked if each.path == "/v3/memories/add/")
    metadata = added.body.pop("metadata")
    assert added.body == {
        "messages": [{"role": "user", "content": make_memory(0).text}],
        "user_id": "me",
        "timestamp": 1_767_225_600,
        "infer": False,
    }
    assert (metadata["memory_id"], metadata["pair"]) == (make_memory(0).id, "ETH/USDT")
    scopes = {"org_id": "org-1", "project_id": "project-1"}
    assert all(scopes.items() <= each.query.items() for each in server.asked)
    backend.close()


def test_a_key_of_another_project_is_refused(server: PlatformServer, tmp_path: Path) -> None:
    """Memories do not go into a project that they were not meant for."""
    credentials = Credentials(api_key=server.key, source=".env.mem0", project_id="project-2")
    backend = platform_at(server, tmp_path, credentials=credentials)

    with pytest.raises(BackendError, match=r"M0_PROJECT_ID is 'project-2', but .* 'project-1'"):
        backend.count(filters={})

    backend.close()


def test_encrypted_connections_keep_to_their_time_too(
    tmp_path: Path, make_memory: MakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS, whom we do not trust gets nothing, and who drips bytes holds nobody."""
    tls, trusted = make_certificate(tmp_path)
    with PlatformServer(tls=tls) as server:
        backend = platform_at(server, tmp_path / "mem0")
        with pytest.raises(BackendError, match="certificate verify failed"):
            backend.write([make_memory(0)])
        backend.close()
        assert server.asked == []

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        trusting = platform_at(server, tmp_path / "mem0", timeout_s=1)
        repeated(lambda: trusting.write([make_memory(0)]), BackendError)
        assert [make_memory(0)] == repeated(lambda: list(trusting.scan(filters=MINE)), BackendError)
        for fault in ("drip", "drip-headers"):
            server.fails(fault)
            with pytest.raises(BackendError, match="gave no answer"):
                list(trusting.scan(filters=MINE))
        trusting.close()
