"""How and by whom a strategy is being run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from freqtrade_mem0.host import RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How and by whom a strategy is being run.

    Parameters
    ----------
    kind
        The way Freqtrade runs it.
    strategy
        Class name.
    run_id
        Freqtrade's run id of a backtest; the bot's id otherwise.
    user_data_dir
        Freqtrade's user data folder.
    database
        Identity of a bot's trade database, see `host.database_identity`.
    """

    kind: RunKind
    strategy: str
    run_id: str
    user_data_dir: Path
    database: str = ""
