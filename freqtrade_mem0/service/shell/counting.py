"""How many records are in the reach of a caller, counted beside the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.views.stats import summary

if TYPE_CHECKING:
    from freqtrade_mem0.service.caller import Caller
    from freqtrade_mem0.views.values import Facts


def counts_of(caller: Caller) -> Facts | None:
    """Return the counts by kind, category and mode; None as long as they are not counted."""
    journal, reach = caller.service.pages.aside, caller.memory.reach
    if not journal.path.exists():
        return summary({})
    named = "counts", reach.user_id, reach.strategy, reach.run_id
    return caller.service.pages.background.latest(
        named, lambda: summary(journal.counts(scope=reach))
    )
