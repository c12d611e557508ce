"""Opens the session memory that the config names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from freqtrade_mem0.session_memory.in_process import InProcessStore
from freqtrade_mem0.session_memory.redis import RedisStore
from freqtrade_mem0.session_memory.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.session_settings import SessionSettings
    from freqtrade_mem0.session_memory.store import SessionStore

ADDRESS = "REDIS_URL"
"""Variable that overrides `session.url`; the password of Redis belongs into it."""


def open_session_store(settings: SessionSettings, folder: Path) -> SessionStore:
    """Return the configured store; `folder` is the memory's. Nothing is read or sent yet.

    Raises
    ------
    ConfigError
        Redis is configured, and its package is missing or its address wrong.
    """
    if settings.store == "redis":
        return RedisStore(os.environ.get(ADDRESS) or settings.url, settings.prefix)
    if settings.store == "sqlite":
        return SqliteStore(folder)
    return InProcessStore(settings.max_keys)
