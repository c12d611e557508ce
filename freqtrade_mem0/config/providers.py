"""Checks of provider blocks that need no provider: sizes out of range or unlike each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.secrets import shown
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.config.settings import Settings

DEFAULT_DIMENSIONS = 256
"""Length of the vectors of our hashing embedder."""

SEMANTIC_DIMENSIONS = 128
"""Length of the vectors of our semantic embedder; beside the keywords, 256 find no more."""

HASHING = "hashing"
SEMANTIC = "wordllama"
OWN_DIMENSIONS = {HASHING: DEFAULT_DIMENSIONS, SEMANTIC: SEMANTIC_DIMENSIONS}
"""Our own embedders, by the name of their provider."""

_LEAST = {"maxconn": 1, "minconn": 0, "embedding_model_dims": 1, "port": 1}


def check_providers(settings: Settings) -> None:
    """Raise ConfigError for a vector store whose sizes are wrong, or do not fit the embedder."""
    store = settings.vector_store
    if store is None:
        return
    key = "mem0.vector_store.config"
    for name, least in _LEAST.items():
        value = store.config.get(name)
        if value is None or isinstance(value, str):  # a text may name a variable
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(
                f'"{key}.{name}" is {shown(value)}: it must be a whole number, at least {least}.'
            )
    wanted = store.config.get("embedding_model_dims")
    given = dimensions_of(settings.embedder.model_dump() if settings.embedder else None)
    if isinstance(wanted, int) and given is not None and wanted != given:
        raise ConfigError(
            f'"{key}.embedding_model_dims" is {wanted}, but the embedder makes vectors of {given} '
            "numbers. Leave the key out, or give both the same number."
        )


def dimensions_of(embedder: Mapping[str, Any] | None) -> int | None:
    """Return the length of an embedder's vectors; None where its block does not say."""
    given = (embedder or {}).get("config") or {}
    provider = HASHING if embedder is None else embedder.get("provider")
    if provider in OWN_DIMENSIONS:
        return int(given.get("embedding_dims") or OWN_DIMENSIONS[provider])
    dimensions = given.get("embedding_dims")
    return None if dimensions is None else int(dimensions)
