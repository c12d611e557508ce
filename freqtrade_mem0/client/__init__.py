"""Memory for scripts, tools and services outside Freqtrade.

`opening` opens one, `mem0_client` stores and recalls by category, `trade_memory` speaks of trades,
`provider` is for asynchronous code.
"""

from freqtrade_mem0.client.injection import inject_memory
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.mem0_provider import Mem0Provider
from freqtrade_mem0.client.opening import get_mem0_client, initialize_mem0
from freqtrade_mem0.client.provider import AsyncMemoryProvider, MemoryProvider
from freqtrade_mem0.client.session_provider import (
    RedisProvider,
    SessionProvider,
    get_session_memory,
)
from freqtrade_mem0.client.trade_memory import TradeMemory

__all__ = [
    "AsyncMemoryProvider",
    "Mem0Client",
    "Mem0Provider",
    "MemoryProvider",
    "RedisProvider",
    "SessionProvider",
    "TradeMemory",
    "get_mem0_client",
    "get_session_memory",
    "initialize_mem0",
    "inject_memory",
]
