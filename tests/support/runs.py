"""Descriptions of runs, and the runtime of a bot in a folder of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.base import Origin
from freqtrade_mem0.run.bot.runtime import BotRuntime
from freqtrade_mem0.run.description import RunDescription

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def a_run(
    folder: Path,
    settings: Settings | None = None,
    kind: RunKind = RunKind.DRY_RUN,
    *,
    run_id: str = "bot-1",
    database_lasts: bool = False,
) -> RunDescription:
    """Return the description of a run of the strategy `Sample`."""
    settings = Settings(mode="local") if settings is None else settings
    return RunDescription(
        settings=settings,
        kind=kind,
        origin=Origin(user_id=settings.user_id, strategy="Sample", mode=kind.mode, run_id=run_id),
        user_data_dir=folder,
        database_lasts=database_lasts,
    )


def a_bot(
    run: RunDescription,
    send: Callable[[str], None] = lambda _: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    prior: Prior | None = None,
) -> BotRuntime:
    """Return the runtime of a bot."""
    store = MemoryFolder(run.settings, run.user_data_dir)
    return BotRuntime(run, Prior() if prior is None else prior, store, now, send)
