"""Mode `server`: a self-hosted Mem0, or a database server that Mem0 in this process uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.backends.modes import embedded
from freqtrade_mem0.config import address
from freqtrade_mem0.config.credentials import find_credentials

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted
    from freqtrade_mem0.backends.port import MemoryBackend


def open_backend(wanted: Wanted) -> MemoryBackend:
    """Return Mem0 in this process where a vector store is named, else the REST server."""
    settings = wanted.settings
    if address.vector_store(settings) is not None:
        return embedded.open_backend(wanted)
    from freqtrade_mem0.backends.remote.rest_server import rest_server_backend

    return rest_server_backend(
        address.server_url(settings) or "",
        wanted.credentials or find_credentials(),
        folder=wanted.folder,
        user_id=settings.user_id,
        timeout_s=settings.timeout_s,
    )


def prepare(wanted: Wanted) -> None:
    """Import Mem0 where it runs in this process."""
    if address.vector_store(wanted.settings) is not None:
        embedded.prepare(wanted)
