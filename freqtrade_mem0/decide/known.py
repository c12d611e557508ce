"""Reads what is known about an entry, as the input of a policy."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.differences import DailyDifferences
from freqtrade_mem0.insight.performance import PerformanceReader
from freqtrade_mem0.insight.shrinkage import EntryGroup
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.sizing.policy import Known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from freqtrade_mem0.insight.shrinkage import Shrinkage
    from freqtrade_mem0.recall import Recall


class EvidenceReader:
    """Reads what is known about the entries of one strategy.

    Parameters
    ----------
    recall
        The strategy's known trades.
    prior
        What is assumed, before there is evidence, about how much its situations differ.
    """

    def __init__(self, recall: Recall, prior: Shrinkage) -> None:
        self._recall = recall
        self._differences = DailyDifferences(recall, prior)
        self._performance = PerformanceReader(recall.reader())

    def for_entry(
        self,
        *,
        strategy: str,
        pair: str,
        side: str,
        enter_tag: str,
        moment: datetime,
        situation: Mapping[str, float | str],
    ) -> Known:
        """Return what is known about an entry strictly before an aware UTC moment.

        It holds copies and read-only views, so that a policy can not change memory.
        """
        now_ms = to_ms(moment)
        differences = self._differences.of_day(now_ms)
        whole, levels = self._recall.of_entry(pair, side, enter_tag, situation, now_ms)
        return Known(
            strategy=EntryGroup("strategy", strategy, whole),
            levels=levels,
            differences=differences,
            situation=MappingProxyType(situation),
            form=partial(self._performance.at, moment),
        )
