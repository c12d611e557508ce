"""The service in front of a PostgreSQL on another machine, which is away for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.postgres import make_server
from tests.support.service_process import ServiceProcess
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.flow


def test_it_answers_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its journal; what it is told meanwhile is delivered afterwards."""
    server = make_server()
    monkeypatch.setenv("SHARED_PASSWORD", server.password)
    shared = server.block(server.new_database(), password="env:SHARED_PASSWORD")  # noqa: S106
    block: Any = {"mode": "server", "delivery": {"retry_s": 0.2}, "vector_store": shared}
    with (
        ServiceProcess(tmp_path, "--no-auth", **block) as service,
        httpx.Client(base_url=service.url, timeout=HANG_S) as client,
    ):

        def keep(text: str) -> None:
            assert client.post("/memory", json={"messages": text}).status_code == 200

        def waiting() -> int:
            n: int = client.get("/status").json()["pending"]
            return n

        keep("never trade the open on Sundays")
        assert eventually(lambda: waiting() == 0)
        assert client.get("/vectors/status").json()["memories"] == 1
        server.kill()
        keep("funding was high in March")
        found = client.get("/search", params={"query": "funding"}).json()["results"]
        assert "March" in found[0]["content"]
        assert (client.get("/health").status_code, waiting()) == (200, 1)
        assert client.get("/vectors/status").status_code == 503
        server.start()
        assert eventually(lambda: waiting() == 0)
        assert client.get("/vectors/status").json()["memories"] == 2
        assert service.stop() == 0
    server.stop()
