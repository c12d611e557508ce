"""How Freqtrade runs a strategy, and by whom: the description of a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunKind(StrEnum):
    """The ways Freqtrade runs a strategy in which memory takes part."""

    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    ANALYSIS = "analysis"
    """lookahead-analysis and recursive-analysis: as a backtest, but nothing is written."""
    DRY_RUN = "dry_run"
    LIVE = "live"

    @property
    def is_bot(self) -> bool:
        """Whether it runs by the wall clock, for months."""
        return self in (RunKind.DRY_RUN, RunKind.LIVE)

    @property
    def writes(self) -> bool:
        """Whether its trades are remembered."""
        return self not in (RunKind.HYPEROPT, RunKind.ANALYSIS)


_KINDS = {
    "backtest": RunKind.BACKTEST,
    "hyperopt": RunKind.HYPEROPT,
    "util_no_exchange": RunKind.ANALYSIS,
    "dry_run": RunKind.DRY_RUN,
    "live": RunKind.LIVE,
}


def run_kind(config: Mapping[str, Any]) -> RunKind | None:
    """Return how a strategy is being run; None for plots, lists and all else that loads one."""
    mode = config.get("runmode")
    return _KINDS.get(str(getattr(mode, "value", mode)))


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
