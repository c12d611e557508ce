"""How much the situations of a strategy differ, worked out once a market day.

It takes all groups, so it is too much for every decision, and it changes slowly. As of the
beginning of a UTC day it is a function of the trades known before that: the same for every decision
of the day, in a backtest and in a bot, whatever was asked in between.
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


class Outlook:
    """The differences between groups, as of the day of a moment.

    Parameters
    ----------
    recall
        What is known.
    prior
        What is assumed before there is evidence.
    """

    def __init__(self, recall: Recall, prior: Shrinkage) -> None:
        self._recall = recall
        self._prior = prior
        self._day_ms: int | None = None
        self._found: Mapping[str, float] = {}

    def differences(self, now_ms: int) -> Mapping[str, float]:
        """Return by level how much its groups differ, see `insight.differences`.

        Parameters
        ----------
        now_ms
            A moment of the day in question, milliseconds since 1970 in UTC.

        Returns
        -------
        Mapping
            That can not be changed.
        """
        day_ms = now_ms - now_ms % _MS_PER_DAY
        changed_ms = self._recall.oldest_change_ms()
        if day_ms == self._day_ms and (changed_ms is None or changed_ms >= day_ms):
            return self._found
        groups = self._recall.groups(from_ms(day_ms))
        whole = groups.pop(STRATEGY, Group(NOTHING)).moments
        found = differences(whole, self._recall.levels, groups, self._prior)
        self._found = MappingProxyType(found)
        self._day_ms = day_ms
        return self._found
