"""How Freqtrade runs a strategy: as a backtest, a hyperopt epoch, a bot, ..."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunKind(StrEnum):
    """The ways to run a strategy in which memory is used."""

    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    ANALYSIS = "analysis"
    """lookahead-analysis and recursive-analysis: as a backtest, but nothing is written."""
    DRY_RUN = "dry_run"
    LIVE = "live"

    @property
    def is_bot(self) -> bool:
        """Whether this is a dry-run or live bot."""
        return self in (RunKind.DRY_RUN, RunKind.LIVE)

    @property
    def mode(self) -> Mode:
        """The mode in the records of such a run."""
        return Mode(self) if self.is_bot else Mode.BACKTEST

    @property
    def writes(self) -> bool:
        """Whether its trades are recorded."""
        return self not in (RunKind.HYPEROPT, RunKind.ANALYSIS)


_KINDS = {
    "backtest": RunKind.BACKTEST,
    "hyperopt": RunKind.HYPEROPT,
    "util_no_exchange": RunKind.ANALYSIS,
    "dry_run": RunKind.DRY_RUN,
    "live": RunKind.LIVE,
}


def run_kind(config: Mapping[str, Any]) -> RunKind | None:
    """Return how a strategy is run; None for plots, lists and whatever else only loads it."""
    mode = config.get("runmode")
    return _KINDS.get(str(getattr(mode, "value", mode)))
