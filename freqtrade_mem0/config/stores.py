"""Stores of Mem0 that must not hold a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings

LOSES_DATA = (
    "'mem0.vector_store.provider' is \"faiss\", which loses all memories when a process is killed; "
    "leave the block out, or choose another store"
)


def loses_data(settings: Settings) -> bool:
    """Return whether Mem0 keeps memories in FAISS, which writes its file as a whole."""
    store = settings.vector_store
    return store is not None and settings.mode != "local" and store.provider == "faiss"
