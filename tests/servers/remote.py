"""One handle for tests that hold for the platform and the self-hosted server alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.backends import platform_at, rest_server_at
from tests.servers.mem0_platform import PlatformServer
from tests.servers.mem0_rest_server import RestServer

if TYPE_CHECKING:
    from freqtrade_mem0.backends.port import MemoryBackend

KEY = "m0-very-secret-key"


@dataclass(frozen=True)
class Remote:
    """A server, and where its backend keeps its notes."""

    server: PlatformServer | RestServer
    folder: Path

    @property
    def adding(self) -> str:
        """The request that adds a memory."""
        is_platform = isinstance(self.server, PlatformServer)
        return "POST /v3/memories/add/" if is_platform else "POST /memories"

    @property
    def listing(self) -> str:
        """The request that lists memories."""
        is_platform = isinstance(self.server, PlatformServer)
        return "POST /v3/memories/" if is_platform else "GET /memories"

    def open(self, *, key: str | None = None, timeout_s: float = 20) -> MemoryBackend:
        """Return a new backend, as a new process would have it."""
        if isinstance(self.server, PlatformServer):
            return platform_at(self.server, self.folder, key=key, timeout_s=timeout_s)
        return rest_server_at(self.server, self.folder, key=key, timeout_s=timeout_s)

    def stored(self) -> list[str]:
        """Return the text of everything that the server holds, doubles included."""
        if isinstance(self.server, PlatformServer):
            return sorted(item["memory"] for item in self.server.items.values())
        return self.server.texts()
