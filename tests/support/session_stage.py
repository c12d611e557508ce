"""A session on its own: what it writes goes into a list, its policy doubles what won."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from freqtrade_mem0.config.settings import CategorySettings
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.journal.append import Entry
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.run.backtest import BacktestSession
from freqtrade_mem0.run.bot.session import BotSession
from freqtrade_mem0.run.session import Session
from freqtrade_mem0.run.setup import SessionSetup
from freqtrade_mem0.sizing.policy import Known, Wish
from tests.support.samples import BACKTEST, NOTED, ORIGIN, at

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.journal.writer import Submitted


SITUATION: dict[str, float | str] = {"rsi": 30.0, "regime": "calm uptrend"}


@dataclass(frozen=True)
class FollowsThePair:
    """Bets three quarters more on a pair that won so far, three quarters less on one that lost."""

    name: str = "follows"

    def __call__(self, known: Known) -> Wish:
        """Look at the pair alone."""
        mean = known.levels[0].moments.mean
        multiplier = 1.0 + 0.75 * ((mean > 0.0) - (mean < 0.0))
        text = f"the pair's mean is {mean:+.2%}"
        reason = Reason(name="pair", text=text, effect=multiplier - 1.0)
        return Wish(multiplier=multiplier, reasons=(reason,), expected_ratio=mean)


POLICY = FollowsThePair()


SessionT = TypeVar("SessionT", bound=Session)


@dataclass
class Stage(Generic[SessionT]):
    """A session, and everything it handed to the journal."""

    session: SessionT
    entries: list[Entry]
    told: list[RiskEvent]
    """Risk events that were news for the owner."""

    def written(self, kind: type) -> list[Entry]:
        """Return the entries of a type, in order."""
        return [entry for entry in self.entries if isinstance(entry, kind)]

    def n_known(self, moment: datetime) -> float:
        """Return the effective number of trades known before a moment."""
        self.session.prepare(moment)
        return self.session.recall.as_of(moment, [STRATEGY])[0].n


def a_setup(**changes: Any) -> SessionSetup:
    """Return what a session decides with, but for some changes."""
    setup: dict[str, Any] = {
        "origin": ORIGIN,
        "recall": Recall(("pair", "side"), 120.0),
        "prior": Prior(),
        "policy": POLICY,
        "shrinkage": Shrinkage(pseudo_trades=20.0),
        "categories": CategorySettings(),
    }
    return SessionSetup(**setup | changes)


def a_stage(*, database: str = "", timeframe_s: int = 0, **changes: Any) -> Stage[BotSession]:
    """Return a bot's session; `changes` as for `a_setup`."""
    entries: list[Entry] = []
    told: list[RiskEvent] = []
    session = BotSession(
        a_setup(**changes),
        submit=keeping(entries),
        now=lambda: NOTED,
        tell=told.append,
        timeframe_s=timeframe_s,
    )
    session.database = database
    return Stage(session, entries, told)


def a_backtest_stage(
    submit: Callable[[Submitted], None] | None = None,
    *,
    is_recorded: bool = True,
    **changes: Any,
) -> Stage[BacktestSession]:
    """Return a backtest's session; `changes` as for `a_setup`."""
    entries: list[Entry] = []
    session = BacktestSession(
        a_setup(**{"origin": BACKTEST} | changes),
        submit=submit or keeping(entries),
        now=lambda: NOTED,
        trades=BacktestTrades(),
        locks=BacktestLocks(),
        is_recorded=is_recorded,
    )
    return Stage(session, entries, [])


def keeping(entries: list[Entry]) -> Callable[[Submitted], None]:
    """Return what takes entries into a list, written at once."""

    def keep(entry: Submitted) -> None:
        given = entry() if callable(entry) else entry
        entries.extend(given if isinstance(given, tuple) else [given])

    return keep


def proposal(hours: float = 0.0, pair: str = "ETH/USDT", side: str = "long") -> Proposal:
    """Return a proposed stake of 100."""
    return Proposal(
        pair=pair,
        side=side,
        enter_tag="dip",
        moment=at(hours),
        stake=100.0,
        min_stake=10.0,
        max_stake=1_000.0,
        situation=SITUATION,
    )
