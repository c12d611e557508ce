"""Our own store and embedders by their names, and which embedder is used where none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.in_process.semantic import SemanticEmbedder, is_installed
from freqtrade_mem0.config.providers import HASHING, SEMANTIC, dimensions_of
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.words.extras import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_STORE = "sqlite"
OWN_EMBEDDERS = {HASHING: HashingEmbedder, SEMANTIC: SemanticEmbedder}


def chosen_embedder(
    vector_store: Mapping[str, Any] | None, embedder: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Return the block of the embedder that is used: that of the config, or our default.

    In our own store it is the semantic one where that is installed. Other stores keep the hashing
    one: several machines may share them, and nothing there says which embedder made a vector.
    """
    if embedder is not None:
        return embedder
    is_own = vector_store is None or provider_of("vector_store", vector_store) == OWN_STORE
    return {"provider": SEMANTIC if is_own and is_installed() else HASHING}


def how_it_searches(embedder: Mapping[str, Any] | None) -> str:
    """Say for people what a search in our own store finds."""
    provider = chosen_embedder(None, embedder)["provider"]
    if provider == SEMANTIC:
        return "searches go by meaning and by words"
    if embedder is None:
        return (
            "searches find shared words only, as the package wordllama is not installed: "
            f"{how_to_install('semantic')}"
        )
    if provider == HASHING:
        return "searches find shared words only, as 'mem0.embedder' says"
    return f"searches go by the embedder {provider!r} and by words"


def name_of(embedder: Mapping[str, Any]) -> str:
    """Return what tells an embedder's vectors from those of others."""
    model = (embedder.get("config") or {}).get("model")
    parts = (embedder.get("provider"), model, dimensions_of(embedder))
    return " ".join(str(part) for part in parts if part)


def provider_of(key: str, block: Mapping[str, Any]) -> str:
    """Return the provider that a block of Mem0's configuration names."""
    provider = block.get("provider")
    if not isinstance(provider, str):
        raise BackendError(
            f'The block "{key}" must name a "provider" and may have a "config", as in '
            f'{{"provider": "qdrant", "config": {{...}}}}; its keys are {sorted(map(str, block))}.'
        )
    return provider
