"""The memory of an agent that runs in an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.agents.memory import AgentMemory
from freqtrade_mem0.client.mem0_client import MANUAL_STRATEGY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.views.values import Facts


class MemoryConnector:
    """`AgentMemory` for asynchronous code: the same calls, awaited; threads do the work.

    Parameters
    ----------
    agent_id, memory_path
        As in `AgentMemory`; both may be left out.
    described
        `config` and `user_data_dir` of `AgentMemory`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> async def main(folder: str) -> None:
    ...     async with MemoryConnector(agent_id="trader_1", memory_path=folder) as memory:
    ...         found = await memory.analyze_signal({"symbol": "BTC/USDT", "action": "BUY"})
    ...         print(found["reason"].startswith("Nothing is known"), found["multiplier"])
    >>> with TemporaryDirectory() as folder:
    ...     asyncio.run(main(folder))
    True 1.0
    """

    def __init__(
        self,
        agent_id: str | None = None,
        memory_path: Path | str | None = None,
        **described: Any,
    ) -> None:
        self.sync = AgentMemory(agent_id, memory_path, **described)
        """The same memory for code that does not await."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.sync!r})"

    @property
    def agent_id(self) -> str:
        """Name of the agent."""
        return self.sync.agent_id

    async def initialize(self) -> dict[str, Any]:
        """As `AgentMemory.initialize`. The other calls work without it."""
        return await asyncio.to_thread(self.sync.initialize)

    async def send_command(self, command: str, params: Mapping[str, Any] | None = None) -> Facts:
        """As `AgentMemory.send_command`."""
        return await asyncio.to_thread(self.sync.send_command, command, params)

    async def analyze_signal(self, signal: Mapping[str, Any]) -> Facts:
        """As `AgentMemory.analyze_signal`."""
        return await asyncio.to_thread(self.sync.analyze_signal, signal)

    async def analyze_market(self, market: Mapping[str, Any]) -> Facts:
        """As `AgentMemory.analyze_market`."""
        return await asyncio.to_thread(self.sync.analyze_market, market)

    async def log_decision(self, decision: Mapping[str, Any] | str, result: Any = None) -> str:
        """As `AgentMemory.log_decision`."""
        return await asyncio.to_thread(self.sync.log_decision, decision, result)

    async def propose_parameters(
        self, changes: Mapping[str, Any], reason: str, **details: Any
    ) -> str:
        """As `AgentMemory.propose_parameters`."""
        return await asyncio.to_thread(self.sync.propose_parameters, changes, reason, **details)

    async def parameters(self, strategy: str = MANUAL_STRATEGY) -> Facts:
        """As `AgentMemory.parameters`."""
        return await asyncio.to_thread(self.sync.parameters, strategy)

    async def aclose(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        await asyncio.to_thread(self.sync.close)

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.aclose()
