"""The credentials that settings name, and where they are; never their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.secrets import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.config.settings import Settings

_BLOCKS = ("vector_store", "embedder", "llm", "reranker")


def credentials_of(settings: Settings, given: Credentials | None = None) -> dict[str, str]:
    """Return what opening Mem0 uses: by the name of each credential, where it was found."""
    found = {}
    key = given or find_credentials() if settings.mode in ("server", "platform") else None
    if key is not None:
        found["key of Mem0"] = key.source
    if settings.trust.key is not None:
        found["mem0.trust.key"] = settings.trust.key
    if settings.mode != "local":
        blocks = settings.model_dump(include=set(_BLOCKS))
        found |= dict(_references(blocks, "mem0"))
    return found


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _references(inner, f"{path}.{name}")
    elif isinstance(value, str) and value.startswith(PREFIX):
        yield path, value
