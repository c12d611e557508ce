"""How much the situations of a strategy differ, computed once per market day.

The computation reads all groups, which is too slow for every decision, and its result changes
slowly. It uses the trades known at the beginning of the UTC day, so all decisions of a day get the
same result, in a backtest and in a bot.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.shrinkage import NOTHING, Group, Shrinkage, differences
from freqtrade_mem0.recall import STRATEGY
from freqtrade_mem0.records.base import from_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.recall import Recall

_MS_PER_DAY = 86_400_000
_N_KEPT = 32
"""Days kept: experts are asked again about the entries of trades that have just closed."""


class DailyDifferences:
    """The differences between the groups of each level, cached per day."""

    def __init__(self, recall: Recall, prior: Shrinkage) -> None:
        self._recall = recall
        self._prior = prior
        self._of_days: dict[int, Mapping[str, float]] = {}
        """By start of the day, in the order in which they were asked for."""

    def of_day(self, now_ms: int) -> Mapping[str, float]:
        """Return how much the groups of each level differ; see `insight.shrinkage.differences`.

        Parameters
        ----------
        now_ms
            Any moment of the day, milliseconds since 1970 in UTC.
        """
        day_ms = now_ms - now_ms % _MS_PER_DAY
        changed_ms = self._recall.oldest_change_ms()
        if changed_ms is not None:
            for day in [day for day in self._of_days if day > changed_ms]:
                del self._of_days[day]
        known = self._of_days.get(day_ms)
        if known is not None:
            return known
        groups = self._recall.groups(from_ms(day_ms))
        whole = groups.pop(STRATEGY, Group(NOTHING)).moments
        found = differences(whole, self._recall.levels, groups, self._prior)
        if len(self._of_days) >= _N_KEPT:
            del self._of_days[next(iter(self._of_days))]
        known = self._of_days[day_ms] = MappingProxyType(found)
        return known
