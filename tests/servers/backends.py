"""Backends that ask the servers here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.opening import open_backend
from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from tests.servers.mem0_platform import PlatformServer
    from tests.servers.mem0_rest_server import RestServer


def platform_at(
    server: PlatformServer,
    folder: Path,
    *,
    key: str | None = None,
    credentials: Credentials | None = None,
    timeout_s: float = 20,
) -> MemoryBackend:
    """Return a backend for a platform, with its key or another one."""
    settings = Settings(mode="platform", host=server.url, user_id="me", timeout_s=timeout_s)
    credentials = credentials or Credentials(api_key=key or server.key, source="argument")
    return open_backend(settings, folder, tuple, credentials)


def rest_server_at(
    server: RestServer, folder: Path, *, key: str | None = None, timeout_s: float = 20
) -> MemoryBackend:
    """Return a backend for a self-hosted server, with its key or another one."""
    settings = Settings(mode="server", host=server.url, user_id="me", timeout_s=timeout_s)
    given = key or server.key
    credentials = Credentials(api_key=given, source="environment MEM0_API_KEY") if given else None
    return open_backend(settings, folder, tuple, credentials)
