"""The promotion of a run to a prior, which a strategy then knows from the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freqtrade_mem0.records.base import Category, Mode, Record
from freqtrade_mem0.records.limits import Name, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion(Record):
    """The trades of one run are read as a prior, at a discount, until it is withdrawn.

    `origin.strategy` is the strategy that reads them.

    Parameters
    ----------
    source_strategy, source_mode, source_run_id
        The run whose trades are read.
    is_active
        False once withdrawn: a correction of this record.
    provenance
        Where the trades come from, for people, for example the name of an imported file.
    """

    kind: ClassVar[str] = "promotion"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = None

    source_strategy: Name
    source_mode: Mode
    source_run_id: Name
    is_active: bool
    provenance: Text

    def sentence(self) -> str:
        """Return which run is read by which strategy, or is not any more."""
        state = "is read as a prior" if self.is_active else "is no prior any more"
        return (
            f"{self.source_strategy}, {self.source_mode} run {self.source_run_id[:12]}, {state} "
            f"of {self.origin.strategy} ({self.provenance})"
        )
