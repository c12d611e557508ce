"""Memory, asked outside of Freqtrade: what it knows of a run, and what it would decide.

Nothing is written. What is known is what a bot, or the backtest, would have in its recall.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.decider import Proposal
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.session import Session
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.decision import Decision

NO_LIMIT = sys.float_info.max
"""A `max_stake` that binds nothing."""


class Replay:
    """What a run would decide under the present settings.

    Parameters
    ----------
    store
        The memory; its settings decide.
    origin
        The run. A bot also knows what bots of its strategy learned, as when it runs.

    Raises
    ------
    JournalError
        The journal can not be read.
    """

    def __init__(self, store: MemoryFolder, origin: Origin) -> None:
        sizing = store.settings.sizing
        self.recall = Recall(sizing.levels, sizing.half_life_days)
        prior = load_prior(store.journal, origin.user_id, origin.strategy, sizing.prior_discount)
        self._session = Session(
            origin=origin,
            recall=self.recall,
            policy=policy_for(sizing),
            applied=not sizing.shadow and (origin.mode is not Mode.LIVE or sizing.live),
            submit=lambda _: None,
            categories=store.settings.categories,
            now=lambda: datetime.now(UTC),
            prior=prior,
            prior_of_differences=Shrinkage(pseudo_trades=sizing.pseudo_trades),
        )
        if origin.mode in (Mode.DRY_RUN, Mode.LIVE):
            JournalFollower(store.journal, self.recall, origin, sizing.prior_discount).begin()
            return
        scope = Scope(
            user_id=origin.user_id,
            strategy=origin.strategy,
            modes=[origin.mode],
            run_id=origin.run_id,
            kind=TradeRecord.kind,
        )
        entered = {(trade.pair, trade.side, trade.open_date): trade.id for trade in prior.trades}
        for _, record in store.journal.records(scope):
            if isinstance(record, TradeRecord):
                twin = entered.get((record.pair, record.side, record.open_date))
                if twin is not None:
                    self.recall.remove(twin)  # the prior's record of the same trade
                self.recall.add(record)

    def again(self, decision: Decision) -> Decision:
        """Return what would be decided now in place of an earlier decision, as of its moment.

        The limits of exchange and wallet at that moment are not known any more; none is applied.
        """
        return self.asked(
            decision.pair,
            decision.side,
            decision.enter_tag,
            decision.decided_at,
            decision.situation,
            stake=decision.proposed_stake,
        )

    def asked(
        self,
        pair: str,
        side: str,
        enter_tag: str,
        moment: datetime,
        situation: Mapping[str, float | str],
        *,
        stake: float,
    ) -> Decision:
        """Return the decision on an entry.

        Parameters
        ----------
        pair, side, enter_tag
            What is to be entered; the tag is "" where there is none.
        moment
            Aware UTC; only trades known strictly before it count.
        situation
            Features by name; a level whose features are missing says nothing.
        stake
            Proposed, in stake currency, > 0.
        """
        return self._session.decide(
            Proposal(
                pair=pair,
                side=side,
                enter_tag=enter_tag,
                moment=moment,
                stake=stake,
                min_stake=None,
                max_stake=NO_LIMIT,
                situation=situation,
            )
        )
