"""Memory for trading agents: they ask before a trade, and log what they decided.

`memory` is what an agent talks to, `connector` the same for asynchronous code; `python -m
freqtrade_mem0.agents` answers commands as lines of JSON.
"""

from freqtrade_mem0.agents.connector import MemoryConnector
from freqtrade_mem0.agents.memory import AgentMemory

__all__ = ["AgentMemory", "MemoryConnector"]
