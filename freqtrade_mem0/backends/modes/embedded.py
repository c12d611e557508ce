"""Mode `embedded`: Mem0 in this process, by default with a file in the memory's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.in_process.mem0_setup import import_mem0
from freqtrade_mem0.config import address
from freqtrade_mem0.config.secrets import resolved

if TYPE_CHECKING:
    from freqtrade_mem0.backends.opening import Wanted
    from freqtrade_mem0.config.settings import ProviderSettings


def open_backend(wanted: Wanted) -> EmbeddedBackend:
    """Return Mem0 in this process, with the providers that the settings name."""
    settings = wanted.settings
    return EmbeddedBackend(
        wanted.folder,
        name=settings.mode,
        vector_store=_plain(address.vector_store(settings), "mem0.vector_store"),
        embedder=_plain(settings.embedder, "mem0.embedder"),
        llm=_plain(settings.llm, "mem0.llm"),
        reranker=_plain(settings.reranker, "mem0.reranker"),
        timeout_s=settings.timeout_s,
    )


def prepare(wanted: Wanted) -> None:
    """Import Mem0, unless our own store and embedder are used: writing to them needs no Mem0."""
    if wanted.settings.embedder is not None or address.vector_store(wanted.settings) is not None:
        import_mem0(wanted.folder)


def _plain(provider: ProviderSettings | None, key: str) -> dict[str, Any] | None:
    return None if provider is None else resolved(provider.model_dump(), key)
