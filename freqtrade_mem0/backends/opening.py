"""Which backend a config means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config import address
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.secrets import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.config.settings import ProviderSettings, Settings
    from freqtrade_mem0.records.memory import Memory


def open_backend(
    settings: Settings,
    folder: Path,
    memories: Callable[[], Iterable[Memory]],
    credentials: Credentials | None = None,
) -> MemoryBackend:
    """Return the backend of `mem0.mode`. Nothing is opened, loaded or asked before it is used.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    folder
        The memory's folder.
    memories
        Gives what the journal holds, for mode `local`.
    credentials
        Key of a server or of the platform; None looks where `find_credentials` says.

    Raises
    ------
    ConfigError
        An `env:NAME` that is not set, or a wrong address.
    """
    if settings.mode == "local":
        from freqtrade_mem0.backends.local import LocalBackend

        return LocalBackend(memories)
    if settings.mode == "platform":
        from freqtrade_mem0.backends.remote.platform import PlatformBackend

        return PlatformBackend(
            credentials or find_credentials(),
            folder=folder,
            user_id=settings.user_id,
            timeout_s=settings.timeout_s,
            host=settings.host,
        )
    store = address.vector_store(settings)
    if settings.mode == "server" and store is None:
        from freqtrade_mem0.backends.remote.rest_server import RestServerBackend

        return RestServerBackend(
            address.server_url(settings) or "",
            credentials or find_credentials(),
            folder=folder,
            user_id=settings.user_id,
            timeout_s=settings.timeout_s,
        )
    from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend

    return EmbeddedBackend(
        folder,
        name=settings.mode,
        vector_store=_plain(store, "mem0.vector_store"),
        embedder=_plain(settings.embedder, "mem0.embedder"),
        llm=_plain(settings.llm, "mem0.llm"),
        reranker=_plain(settings.reranker, "mem0.reranker"),
        timeout_s=settings.timeout_s,
    )


def prepare(settings: Settings, folder: Path) -> None:
    """Load what the first use of the backend would load, which takes seconds; open nothing.

    Raises
    ------
    BackendError, ConfigError
        As `open_backend` and the backends themselves.
    """
    store = address.vector_store(settings)
    in_process = settings.mode == "embedded" or store is not None
    if in_process and store is None and settings.embedder is None:
        pass
    elif in_process or settings.mode == "platform":
        from freqtrade_mem0.backends.in_process.mem0_setup import import_mem0

        import_mem0(folder)


def _plain(provider: ProviderSettings | None, key: str) -> dict[str, Any] | None:
    return None if provider is None else resolved(provider.model_dump(), key)
