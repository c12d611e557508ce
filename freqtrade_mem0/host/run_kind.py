"""The ways in which Freqtrade runs a strategy."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import Mode

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
    def mode(self) -> Mode:
        """The mode that the records of such a run carry."""
        return Mode(self) if self.is_bot else Mode.BACKTEST

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
