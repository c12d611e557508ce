"""Long-term memory for Freqtrade bots, kept in Mem0.

A strategy needs `Mem0Mixin`; scripts and tools use `get_mem0_client` and `TradeMemory`. Each name
is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freqtrade_mem0.agents import AgentMemory, MemoryConnector
    from freqtrade_mem0.client import (
        AsyncMemoryProvider,
        Mem0Client,
        Mem0Provider,
        MemoryProvider,
        RedisProvider,
        SessionProvider,
        TradeMemory,
        get_mem0_client,
        get_session_memory,
        initialize_mem0,
        inject_memory,
    )
    from freqtrade_mem0.mixin import Mem0Mixin

__version__ = "0.1.0"

__all__ = [
    "AgentMemory",
    "AsyncMemoryProvider",
    "Mem0Client",
    "Mem0Mixin",
    "Mem0Provider",
    "MemoryConnector",
    "MemoryProvider",
    "RedisProvider",
    "SessionProvider",
    "TradeMemory",
    "get_mem0_client",
    "get_session_memory",
    "initialize_mem0",
    "inject_memory",
]

_HOMES = {"Mem0Mixin": "mixin", "AgentMemory": "agents", "MemoryConnector": "agents"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        from freqtrade_mem0.words.mission import NAMES

        if name in NAMES:  # the text of an AttributeError would not reach who imports the name
            raise ImportError(f"There is no {name} in {__name__}; use {NAMES[name]}.")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "client")
    return getattr(import_module(f"{__name__}.{home}"), name)
