"""A service in this process, and clients of it with keys."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service.app import build_app
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.state import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

URL = "http://localhost:8080"


class Served:
    """A running service."""

    def __init__(self, service: Service, app: FastAPI) -> None:
        self.service = service
        self.app = app

    def key(self, role: str = "admin", **bound: Any) -> str:
        """Make a key and return its text."""
        return self.service.keys.add(Role[role.upper()], bound=Bound(**bound))[1]

    def client(self, key: str | None = None, **how: Any) -> TestClient:
        """Return a client that shows a key."""
        headers = {} if key is None else {"X-API-Key": key}
        return TestClient(self.app, base_url=URL, headers=headers, **how)

    def as_(self, role: str = "admin", **bound: Any) -> TestClient:
        """Return a client with a new key."""
        return self.client(self.key(role, **bound))


@contextmanager
def served(folder: Path, *, no_auth: bool = False, **block: Any) -> Iterator[Served]:
    """Serve a memory; without a schedule unless `block` says otherwise."""
    mine = {"mode": "local", "service": {"maintain_hours": None}, "path": str(folder / "mem0")}
    settings = Settings.model_validate(mine | block)
    memory = MemoryFolder(settings, folder)
    config = {"mem0": settings.model_dump(mode="json", exclude_none=True)}
    service = Service(memory, config, folder, no_auth=no_auth)
    service.start()
    try:
        yield Served(service, build_app(service))
    finally:
        service.stop()
