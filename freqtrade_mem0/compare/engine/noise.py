"""How far the policy moves stakes where there is nothing to know: its trades, shuffled outcomes.

The run's decisions are asked again, in their order, by the session of a backtest that sees the same
trades close at the same times with the outcomes of one another.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.backtest_state import BacktestTrades
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.limits import EARLIEST
from freqtrade_mem0.run.backtest import BacktestSession
from freqtrade_mem0.run.description import RunDescription
from freqtrade_mem0.run.setup import session_setup

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from freqtrade_mem0.compare.trades import ClosedTrade
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.records.decision import Decision

N_SHUFFLES = 3


@dataclass(slots=True)
class _Trade:
    """A closed trade as a session reads it."""

    pair: str
    trade_direction: str
    enter_tag: str
    exit_reason: str
    open_date: datetime
    close_date: datetime
    close_profit: float


class _Shuffled(BacktestTrades):
    """Hands out the trades that were closed up to a moment, in the order of their closing."""

    def __init__(self, trades: Sequence[_Trade]) -> None:
        self._waiting = deque(sorted(trades, key=lambda trade: trade.close_date))
        self.moment = EARLIEST

    def take_new(self) -> tuple[bool, list[Any]]:
        """Return the trades closed since the last call."""
        new = []
        while self._waiting and self._waiting[0].close_date <= self.moment:
            new.append(self._waiting.popleft())
        return False, new


def spread_on_noise(
    settings: Settings,
    strategy: str,
    folder: Path,
    entries: Sequence[tuple[Decision, ClosedTrade]],
    *,
    n_shuffles: int = N_SHUFFLES,
) -> float | None:
    """Return the root mean square of multiplier - 1 over trades whose outcomes tell nothing.

    Parameters
    ----------
    settings
        The `"mem0"` block of the run with memory.
    strategy
        Class name.
    folder
        The user data folder of the run; nothing is written there.
    entries
        The run's trades, each with its decision, in the order of entry.
    n_shuffles
        How often the outcomes are shuffled.

    Returns
    -------
    float or None
        None without entries.
    """
    if not entries:
        return None
    run = RunDescription(
        settings=settings,
        kind=RunKind.ANALYSIS,
        origin=Origin(
            user_id=settings.user_id, strategy=strategy, mode=Mode.BACKTEST, run_id="noise"
        ),
        user_data_dir=folder,
    )
    moves = list(
        chain.from_iterable(_multipliers(run, entries, seed) for seed in range(n_shuffles))
    )
    return math.sqrt(math.fsum((multiplier - 1.0) ** 2 for multiplier in moves) / len(moves))


def _multipliers(
    run: RunDescription, entries: Sequence[tuple[Decision, ClosedTrade]], seed: int
) -> list[float]:
    outcomes = np.random.default_rng(seed).permutation([trade.profit_ratio for _, trade in entries])
    trades = _Shuffled(
        [
            _Trade(
                pair=trade.pair,
                trade_direction=trade.side,
                enter_tag=trade.enter_tag,
                exit_reason=trade.exit_reason,
                open_date=trade.open_date,
                close_date=trade.close_date,
                close_profit=float(outcome),
            )
            for (_, trade), outcome in zip(entries, outcomes, strict=True)
        ]
    )
    session = BacktestSession(
        session_setup(run, Prior()),
        submit=lambda _: None,
        now=lambda: datetime.now(UTC),
        trades=trades,
        is_recorded=False,
    )
    found = []
    for decision, _ in entries:
        trades.moment = decision.decided_at
        answer = session.answer(
            Proposal(
                pair=decision.pair,
                side=decision.side,
                enter_tag=decision.enter_tag,
                moment=decision.decided_at,
                stake=decision.proposed_stake,
                min_stake=None,
                max_stake=sys.float_info.max,
                situation=decision.situation,
            )
        )
        session.entry_confirmed(decision.pair, decision.side)
        found.append(answer.multiplier)
    return found
