"""Long-term memory for Freqtrade bots, kept in Mem0.

`Mem0Mixin` is all a strategy needs; `get_mem0_client` and `TradeMemory` are for scripts and tools.
Nothing is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freqtrade_mem0.client import Mem0Client, get_mem0_client, initialize_mem0
    from freqtrade_mem0.mixin import Mem0Mixin
    from freqtrade_mem0.trade_memory import TradeMemory

__version__ = "0.1.0"

_HOME = {
    "Mem0Client": "freqtrade_mem0.client",
    "Mem0Mixin": "freqtrade_mem0.mixin",
    "TradeMemory": "freqtrade_mem0.trade_memory",
    "get_mem0_client": "freqtrade_mem0.client",
    "initialize_mem0": "freqtrade_mem0.client",
}

__all__ = ["Mem0Client", "Mem0Mixin", "TradeMemory", "get_mem0_client", "initialize_mem0"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
