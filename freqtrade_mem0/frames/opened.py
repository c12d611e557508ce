"""Opens the memory of a frame, and finds the part of it that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from freqtrade_mem0.client.described import described_memory
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.views.scope import find_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder


Config = Mapping[str, Any] | Path | str | None


class Wanted(TypedDict, total=False):
    """Where a memory is, and which part of it is wanted; what is left out allows any value."""

    userdir: Path | str | None
    path: Path | str | None
    strategy: str | None
    mode: str | None
    run_id: str | None
    pair: str | None


@contextmanager
def opened(config: Config, **wanted: Unpack[Wanted]) -> Iterator[tuple[MemoryFolder, Scope]]:
    """Open a memory; close it afterwards."""
    path = wanted.get("path")
    memory = described_memory(config, user_data_dir=wanted.get("userdir"), path=path)
    if not memory.journal.path.exists():
        raise ConfigError(
            f"There is no memory in {memory.folder} yet. Run a backtest or a bot with Mem0Mixin, "
            "or name another memory: config=, userdir= or path=."
        )
    try:
        scope = find_scope(
            memory,
            strategy=wanted.get("strategy"),
            mode=wanted.get("mode"),
            run_id=wanted.get("run_id"),
            pair=wanted.get("pair"),
        )
        yield memory, scope
    finally:
        memory.close()
