"""Decisions outside of Freqtrade: what memory would decide now, and what it would have decided.

The session is made as in a run (`run.setup`), so the guard of the policy, bounds, vetoes and risk
damping apply as they do there. Nothing is written.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.rules import acting_rules
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.insight.expectation import Expectation, expectation
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.description import RunDescription
from freqtrade_mem0.run.session import Session
from freqtrade_mem0.run.setup import SessionSetup, learned_rules, session_setup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.decision import Decision

NO_LIMIT = sys.float_info.max
"""A `max_stake` without effect."""


class Replay:
    """Answers what a run would decide under the present settings.

    Parameters
    ----------
    store
        The memory and its settings.
    origin
        The run. A bot also knows the trades of other bots of its strategy, as when it runs.
    in_shadow
        Whether shadow mode is on, in which no entry is vetoed; None for what the config says.

    Raises
    ------
    ConfigError
        The policy can not be made.
    JournalError
        The journal can not be read.
    """

    def __init__(
        self, store: MemoryFolder, origin: Origin, *, in_shadow: bool | None = None
    ) -> None:
        settings, journal = store.settings, store.journal
        is_bot = origin.mode in (Mode.DRY_RUN, Mode.LIVE)
        run = RunDescription(
            settings=settings,
            kind=RunKind(origin.mode) if is_bot else RunKind.ANALYSIS,
            origin=origin,
            user_data_dir=store.folder.parent,
        )
        discount = settings.sizing.prior_discount
        setup = session_setup(run, load_prior(journal, origin.user_id, origin.strategy, discount))
        if is_bot:
            acting = acting_rules(journal, origin)
            setup = replace(setup, rules=learned_rules(settings, acting))
        if in_shadow is not None:
            setup = replace(setup, applied=not in_shadow)
        self.recall, self.prior = setup.recall, setup.prior
        self._shrinkage = setup.shrinkage
        self._evidence: EvidenceReader | None = None
        self._settings, self._journal, self._origin = settings, journal, origin
        self._session = Session(setup, submit=lambda _: None, now=lambda: datetime.now(UTC))
        own = OwnRecords(journal, origin)
        self._knows_risk = _reads_risk(setup)
        if self._knows_risk:
            self._session.restore_risk(own.trades(), own.events())
        self._follower: JournalFollower | None = None
        if is_bot:
            self._follower = JournalFollower(journal, setup.recall, origin, discount)
            self._follower.begin()
        else:
            for trade in own.trades():
                self._session.learn(trade)

    def follow(self, after_seq: int) -> list[TradeRecord | TradeEvidence] | None:
        """Learn what came into the journal after a row; return the bot's own trades among it.

        None where the run has to be read anew: a backtest, or something was taken back, promoted or
        came from elsewhere, or a rule asks for risk events for the first time.
        """
        journal, origin = self._journal, self._origin
        scope = Scope(user_id=origin.user_id, strategy=origin.strategy)
        is_foreign = bool(journal.adopted(scope, after_seq=after_seq))
        if self._follower is None or is_foreign or not self._only_adds(after_seq):
            return None
        own = self._follower.run().own
        events = replace(scope, modes=[origin.mode], run_id=origin.run_id, kind=RiskEvent.kind)
        news = [each for _, each in journal.records(events, after_seq=after_seq)]
        self._session.hear(own, [each for each in news if isinstance(each, RiskEvent)])
        rules = learned_rules(self._settings, acting_rules(journal, origin))
        if rules.reads_risk and not self._knows_risk:
            return None
        self._session.replace_rules(rules)
        return [each for each in own if isinstance(each, TradeRecord | TradeEvidence)]

    def _only_adds(self, after_seq: int) -> bool:
        """Return whether the rows after one are new records, and none of them promotes."""
        (n_others,) = self._journal.connection.row(
            "SELECT count(*) FROM evidence AS e JOIN scopes AS s ON s.number = e.scope"
            " WHERE e.seq > ? AND (s.kind IN ('retraction', 'promotion') OR EXISTS"
            " (SELECT 1 FROM evidence AS o WHERE o.id = e.id AND o.seq < e.seq))",
            [after_seq],
        )
        return int(n_others) == 0

    def again(self, decision: Decision) -> Decision:
        """Return what the present settings would decide in place of an earlier decision.

        It uses what was known at that moment. The limits of exchange and wallet are not applied:
        they were not recorded.
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
        """Return the decision on a proposed entry.

        `decide.vetoes.is_vetoed` tells whether the entry would be refused.

        Parameters
        ----------
        pair, side, enter_tag
            The entry; the tag is "" where there is none.
        moment
            Aware UTC; only trades known strictly before it count.
        situation
            Features by name; a level with a missing feature is left out.
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

    def expected(self, decision: Decision) -> Expectation:
        """Return what the trades known at a decision say about the profit of its entry.

        The estimate of the configured policy is `decision.expected_ratio`; this one is always
        there.
        """
        if self._evidence is None:
            self._evidence = EvidenceReader(self.recall, self._shrinkage)
        known = self._evidence.for_entry(
            strategy=decision.origin.strategy,
            pair=decision.pair,
            side=decision.side,
            enter_tag=decision.enter_tag,
            moment=decision.decided_at,
            situation=decision.situation,
        )
        return expectation(known.strategy.moments, known.levels, known.differences, self._shrinkage)


def _reads_risk(setup: SessionSetup) -> bool:
    """Return whether a decision can depend on risk events; by default none does."""
    return setup.rules.reads_risk or bool(setup.damping and setup.damping.severity)
