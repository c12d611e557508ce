"""Backends that ask the servers here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.remote.platform import platform_backend
from freqtrade_mem0.backends.remote.rest_server import rest_server_backend
from freqtrade_mem0.config.credentials import Credentials

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.backends.remote.backend import RemoteBackend
    from tests.servers.mem0_platform import PlatformServer
    from tests.servers.mem0_rest_server import RestServer


def platform_at(
    server: PlatformServer, folder: Path, *, key: str | None = None, timeout_s: float = 20
) -> RemoteBackend:
    """Return a backend for a platform, with its key or another one."""
    credentials = Credentials(api_key=key or server.key, source="argument")
    return platform_backend(
        credentials, folder=folder, user_id="me", timeout_s=timeout_s, host=server.url
    )


def rest_server_at(
    server: RestServer, folder: Path, *, key: str | None = None, timeout_s: float = 20
) -> RemoteBackend:
    """Return a backend for a self-hosted server, with its key or another one."""
    given = key or server.key
    credentials = Credentials(api_key=given, source="environment MEM0_API_KEY") if given else None
    return rest_server_backend(
        server.url, credentials, folder=folder, user_id="me", timeout_s=timeout_s
    )
