"""The homes of memories that the contract suite runs over, and memories to put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.local import LocalBackend
from freqtrade_mem0.backends.port import Filters, GroupKey, MemoryBackend
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.memory import Memory
from tests.contract import postgres
from tests.servers.backends import platform_at, rest_server_at
from tests.servers.mem0_platform import PlatformServer
from tests.servers.mem0_rest_server import RestServer

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)
MakeMemory = Callable[..., Memory]


class ReferenceBackend:
    """The port in its plainest form: a dict; what the others are compared with."""

    name = "reference"
    upkeep_limits = ()

    def __init__(self) -> None:
        self._memories: dict[str, Memory] | None = {}

    def write(self, memories: Sequence[Memory]) -> None:
        """Keep memories by id."""
        stored_at = datetime.now(UTC)
        accepted = {each.id: replace(each, stored_at=stored_at) for each in memories}
        for each in memories:
            payload.to_payload(each, str)
        self._open().update(accepted)

    def get(self, memory_id: str) -> Memory | None:
        """Look up by id."""
        return self._open().get(memory_id)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Order by the share of the query's words that a text holds."""
        payload.check_search(query, filters)
        words = set(query.lower().split())
        found = [
            replace(each, score=len(words & set(each.text.lower().split())) / len(words))
            for each in self.scan(filters=filters)
        ]
        return sorted(found, key=lambda each: -(each.score or 0.0))[: max(0, limit)]

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Ask each memory."""
        node = parse_filters(filters)
        memories = sorted(self._open().values(), key=lambda each: (each.created_at, each.id))
        return (each for each in memories if matches(node, payload.as_filterable(each)))

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Ask each memory, also when it was stored."""
        return self.scan(filters=payload.stored_since(filters, since))

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Forget by id."""
        memories = self._open()
        return sum(memories.pop(each, None) is not None for each in memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count what a scan gives."""
        return payload.count_groups(self.scan(filters=filters), by)

    def compress(self, memory_ids: Sequence[str]) -> int:
        """Compress nothing."""
        del memory_ids
        self._open()
        return 0

    def renew(self, limit: int) -> int:
        """Renew nothing."""
        del limit
        self._open()
        return 0

    def sizes(self) -> Mapping[str, int]:
        """Tell nothing."""
        self._open()
        return {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:
        """Shrink nothing."""
        del pause, alone
        self._open()
        return 0

    def pages_for_children(
        self, filters: Filters, size: int
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return nothing."""
        del filters, size
        self._open()
        return []

    def close(self) -> None:
        """Drop everything."""
        self._memories = None

    def _open(self) -> dict[str, Memory]:
        if self._memories is None:
            raise BackendError("The reference is closed.")
        return self._memories


@dataclass(frozen=True)
class Home:
    """A backend and how memories get into it (for the local one: through its journal)."""

    backend: MemoryBackend
    put: Callable[[Sequence[Memory]], None]
    stores: bool


def pytest_sessionfinish() -> None:
    """End the shared server here: pytest-xdist kills a process that takes long to exit."""
    if postgres.shared_server.cache_info().currsize:
        postgres.shared_server().stop()


@pytest.fixture
def server() -> postgres.Server:
    """Give the server that all tests share."""
    return postgres.shared_server()


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """Give a server that may be killed."""
    made = postgres.make_server()
    yield made
    made.stop()


@pytest.fixture
def database(server: postgres.Server) -> str:
    """Give the name of an empty database."""
    return server.new_database()


@pytest.fixture
def open_backend(
    server: postgres.Server, database: str, tmp_path: Path
) -> Iterator[Callable[..., EmbeddedBackend]]:
    """Open backends on one database, each with a folder of its own, and close them."""
    opened: list[EmbeddedBackend] = []

    def make(timeout_s: float = 60.0, **changes: Any) -> EmbeddedBackend:
        block = server.block(database, **changes)
        folder = tmp_path / f"bot-{len(opened)}"
        opened.append(
            EmbeddedBackend(folder, name="server", vector_store=block, timeout_s=timeout_s)
        )
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def make_memory() -> MakeMemory:
    """Make the n-th memory of a small story; keyword arguments replace fields."""

    def make(n: int, **changes: Any) -> Memory:
        fields: dict[str, Any] = {
            "id": str(UUID(int=n + 1)),
            "text": f"Closed long ETH/USDT with profit number{n} in a calm uptrend",
            "user_id": "me",
            "agent_id": "MyStrategy",
            "run_id": "bot-1",
            "created_at": START + timedelta(minutes=n),
            "metadata": {"pair": "ETH/USDT", "n": n, "profit_ratio": n / 7, "is_win": n % 2 == 0},
        }
        return Memory(**(fields | changes))

    return make


@pytest.fixture(
    params=[
        "embedded",
        "embedded-qdrant",
        "pgvector",
        "platform",
        "rest-server",
        "local",
        "reference",
    ]
)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """Give each home of memories in turn, empty."""
    journal: dict[str, Memory] = {}
    serving = ExitStack()
    backend: MemoryBackend
    if request.param == "embedded":
        backend = EmbeddedBackend(tmp_path / "mem0")
    elif request.param == "embedded-qdrant":
        backend = EmbeddedBackend(tmp_path / "mem0", vector_store={"provider": "qdrant"})
    elif request.param == "pgvector":
        server = postgres.shared_server()
        block = server.block(server.new_database())
        backend = EmbeddedBackend(tmp_path / "mem0", name="server", vector_store=block)
    elif request.param == "platform":
        backend = platform_at(serving.enter_context(PlatformServer()), tmp_path / "mem0")
    elif request.param == "rest-server":
        backend = rest_server_at(
            serving.enter_context(RestServer(tmp_path / "server")), tmp_path / "mem0"
        )
    elif request.param == "local":
        backend = LocalBackend(journal.values)
    else:
        backend = ReferenceBackend()

    def put(memories: Sequence[Memory]) -> None:
        backend.write(memories)
        journal.update({each.id: each for each in memories})

    with serving:
        yield Home(backend, put, stores=request.param != "local")
        backend.close()
