"""Reads what is known about an entry, as the input of a policy."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.account import AccountReader
from freqtrade_mem0.decide.differences import DailyDifferences
from freqtrade_mem0.insight.performance import PerformanceReader
from freqtrade_mem0.insight.shrinkage import EntryGroup
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.sizing.guard import reads_levels
from freqtrade_mem0.sizing.policies.split import Split
from freqtrade_mem0.sizing.policy import NO_DIFFERENCES, Known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.decide.account_snapshot import AccountSnapshot
    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.insight.performance import RecentPerformance
    from freqtrade_mem0.insight.response import Response
    from freqtrade_mem0.insight.shrinkage import Moments, Shrinkage
    from freqtrade_mem0.insight.standing import Standing
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.sizing.policy import Policy

_MUST_KEEP = "a recall for experts that are asked again must keep entries"


class EvidenceReader:
    """Reads what is known about the entries of one strategy.

    Parameters
    ----------
    recall
        The strategy's known trades.
    prior
        What is assumed, before there is evidence, about how much its situations differ.
    policy
        Who asks. The experts of `split` other than `response` need a recall that keeps entries;
        None reads all that there is, without an account.
    strategy
        Its name, for experts that are asked again.
    """

    def __init__(
        self, recall: Recall, prior: Shrinkage, policy: Policy | None = None, strategy: str = ""
    ) -> None:
        self._recall = recall
        self._differences = DailyDifferences(recall, prior)
        self._performance = PerformanceReader(recall.reader())
        self._reads_levels = policy is None or reads_levels(policy)
        self.whole_kept, self.whole_later = recall.whole_kept, recall.whole_later
        split = policy if isinstance(policy, Split) else None
        self._strategy = strategy
        self._experts = () if split is None else tuple(split.experts.values())
        self._followed = None if split is None else split.lone_response
        self._shares = {} if split is None else split.shares
        self._account = AccountReader(recall, self._shares, self._ask, self._ask_all)
        self.account_at, self.note = self._account.at, self._account.note

    def prepare(self, moment: datetime, snapshot: AccountSnapshot | None = None) -> None:
        """Take in all trades known before a moment now, so that no decision has to wait for it.

        At a bot's start, `snapshot` has what was computed before.
        """
        followed = self._followed
        now_ms = to_ms(moment)
        self.whole_kept(now_ms)
        if snapshot is None or followed is None:
            self._account.at(now_ms, 0.0)
            return
        snapshot.restore(self._account, f"{self._shares} {followed}")
        self._account.at(now_ms, 0.0)
        snapshot.save(self._account)

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
        volatility = situation.get("volatility")
        response, account = self._account.at(
            now_ms, volatility if isinstance(volatility, float) else 0.0
        )
        return self._known((pair, side, enter_tag, situation), strategy, now_ms, response, account)

    def _known(
        self,
        entry: tuple[str, str, str, Mapping[str, float | str]],
        strategy: str,
        now_ms: int,
        response: Response,
        account: Standing | None = None,
    ) -> Known:
        pair, side, enter_tag, situation = entry
        differences: Mapping[str, float] = NO_DIFFERENCES
        levels: Sequence[EntryGroup] = ()
        if self._reads_levels:
            differences = self._differences.of_day(now_ms)
            whole, levels, n_foreign = self._recall.of_entry(
                pair, side, enter_tag, situation, now_ms
            )
        else:
            whole, n_foreign = self._recall.whole(now_ms)
        return self.put_together(
            situation,
            strategy,
            now_ms,
            response=response,
            account=account,
            whole=whole,
            n_foreign=n_foreign,
            levels=levels,
            differences=differences,
        )

    def put_together(
        self,
        situation: Mapping[str, float | str],
        strategy: str,
        now_ms: int,
        *,
        response: Response,
        account: Standing | None,
        whole: Moments,
        n_foreign: float,
        levels: Sequence[EntryGroup] = (),
        differences: Mapping[str, float] = NO_DIFFERENCES,
    ) -> Known:
        """Return what is known from its parts; see `Known`."""
        new = tuple.__new__  # what the named tuples' constructors do, without a call in Python
        return new(
            Known,
            (
                new(EntryGroup, ("strategy", strategy, whole, ())),
                levels,
                differences,
                MappingProxyType(situation),
                partial(self._form, now_ms),
                response,
                account,
                n_foreign,
            ),
        )

    def _form(self, now_ms: int) -> RecentPerformance:
        return self._performance.at(from_ms(now_ms))

    def _ask(self, closed: ClosedEntry, response: Response) -> Sequence[float]:
        """Return what each expert said at the entry of a closed trade."""
        if self._followed is not None:  # the default, without what it does not read
            return (self._followed.multiplier(response),)
        if closed.entry is None:
            raise ValueError(_MUST_KEEP)
        opened_ms = min(closed.open_ms, closed.known_ms)
        known = self._known(closed.entry, self._strategy, opened_ms, response)
        return [expert(known).multiplier for expert in self._experts]

    def _ask_all(self, responses: NDArray[np.float64]) -> Sequence[NDArray[np.float64]]:
        """Do the same for many entries, from the multipliers of their responses."""
        if self._followed is None:
            raise ValueError(_MUST_KEEP)
        return (self._followed.multipliers(responses),)
