"""Forgetting over the network: the server has nothing of the scope left, and others have all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.forgetting import forget
from tests.contract import postgres
from tests.servers.mem0_platform import PlatformServer
from tests.servers.mem0_rest_server import RestServer
from tests.support.full_memory import CANARY, OTHER, WHOSE, files_with, fill, open_memory, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["server", "platform", "pgvector"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """What opens the memory of a user on a server, which is real but for its address."""
    mode: str = request.param
    if mode == "pgvector":
        server = postgres.shared_server()
        block = server.block(server.new_database())
        yield lambda user_id: open_memory(tmp_path, user_id, path=tmp_path, vector_store=block)
        return
    made = RestServer(tmp_path.parent / f"{tmp_path.name}-server") if mode == "server" else None
    with made or PlatformServer() as home:

        def open_for(user_id: str) -> MemoryFolder:
            settings = Settings(mode=mode, host=home.url, user_id=user_id, timeout_s=20)
            credentials = Credentials(api_key=home.key, source="argument") if home.key else None
            return MemoryFolder(settings, tmp_path, credentials)

        yield open_for


def test_nothing_is_left_here_or_there(opened: Any, tmp_path: Path) -> None:
    """Counted, listed and searched for; what the server keeps by itself is named."""
    for origin, word in ((WHOSE, "canary"), (OTHER, "wren")):
        memory = opened(origin.user_id)
        fill(memory, origin, word, n=8)
        memory.close()
    memory = opened(WHOSE.user_id)
    others = rows_of(memory, OTHER.user_id)
    receipt = forget(memory, ForgetScope(user_id=WHOSE.user_id))
    assert receipt["complete"]
    assert receipt["deleted"]["memories in Mem0"] > 15
    assert receipt["probes"]["memories listed"] == 0
    assert len(receipt["left"]) > 5
    assert rows_of(memory, OTHER.user_id) == others
    memory.close()
    assert files_with(tmp_path, CANARY) == []
