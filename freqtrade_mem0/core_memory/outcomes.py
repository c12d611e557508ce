"""Fills in what became of agents' decisions: from bots' closed trades and from stored candles."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.core_memory.candle_outcome import candle_outcome, candles_between
from freqtrade_mem0.host.freqtrade import timeframe_seconds
from freqtrade_mem0.host.stored_candles import candle_folder, stored_candles
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import (
    CANDLES,
    NONE,
    RESULT,
    TRADE,
    AgentOutcome,
    outcome_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pandas import DataFrame

    from freqtrade_mem0.journal.journal import Journal

logger = logging.getLogger(__name__)

_EARLY = timedelta(minutes=1)
"""How long before its decision an entry may be filled: clocks differ."""

_LATE = timedelta(hours=1)
"""How long after its decision an entry may be filled."""

_CORRECTED = timedelta(days=30)
"""How long after a decision a bot's trade still corrects what an agent or candles said."""

_TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")

_OF_BOTS = """
    SELECT {} FROM evidence {} WHERE scope IN (
        SELECT number FROM scopes
        WHERE user_id = ? AND kind = 'trade' AND mode IN ('live', 'dry_run')
    ) AND is_current = 1 AND {}
"""


@dataclass(frozen=True, slots=True)
class StoredCandles:
    """Where Freqtrade has stored candles, as its config says; `timeframe` is tried first."""

    config: Mapping[str, Any]
    user_data_dir: Path
    timeframe: str = ""


class Outcomes:
    """Finds what became of the decisions of one owner's agents.

    The first look reads all decisions, later looks only what is new in the journal. The closed
    trade of a bot of the same pair and side, opened at most an hour after a decision, is its
    outcome. A decision that no trade and no result resolves gets the outcome that candles show on
    its due date. Safe to share between threads.

    Parameters
    ----------
    journal
        Has the decisions and the trades.
    user_id
        Owner of the decisions.
    candles
        Where candles are; None looks at trades only.
    """

    def __init__(
        self, journal: Journal, user_id: str, candles: StoredCandles | None = None
    ) -> None:
        self._journal = journal
        self._user_id = user_id
        self._candles = candles
        self._lock = threading.Lock()
        self._start_over()

    def resolve(self, now: datetime, append: Callable[[Sequence[AgentOutcome]], object]) -> int:
        """Hand the outcomes that are known by now (aware UTC) to `append`; return how many.

        Raises
        ------
        JournalError
            The journal can not be used. The next call looks at everything again.
        """
        with self._lock:
            try:
                found = [
                    each for each in self._find(now) if self._journal.is_current(each.decision_id)
                ]
                if found:
                    append(found)
            except Exception:
                self._start_over()
                raise
        return len(found)

    def _start_over(self) -> None:
        self._seen_seq = 0
        self._waiting: dict[str, AgentDecision] = {}
        self._outcomes: dict[str, AgentOutcome] = {}
        """Of the waiting decisions, where something is known that a trade may still correct."""
        self._used: set[tuple[str, str]] = set()
        """Trades that are the outcome of a decision, each with the agent."""

    def _find(self, now: datetime) -> list[AgentOutcome]:
        last_seq = self._journal.last_seq()
        if last_seq < self._seen_seq:  # another journal, or rows were deleted
            self._start_over()
        found: dict[str, AgentOutcome] = {}
        if last_seq > self._seen_seq:
            fresh = self._read_news(now)
            found = self._by_trades(fresh)
            self._seen_seq = last_seq
        unresolved = [
            decision
            for decision in self._waiting.values()
            if decision.id not in found and not _is_resolved(self._outcomes.get(decision.id))
        ]
        by_candles = _by_candles(self._candles, unresolved, now) if self._candles else ()
        return [*found.values(), *by_candles]

    def _read_news(self, now: datetime) -> list[AgentDecision]:
        """Read new decisions and outcomes; return those of the decisions that wait."""
        fresh = []
        for decision in self._new(AgentDecision):
            if decision.pair and decision.side:
                self._waiting[decision.id] = decision
                fresh.append(decision)
        for outcome in self._new(AgentOutcome):
            if outcome.trade_id:
                self._used.add((outcome.origin.run_id, outcome.trade_id))
            self._outcomes[outcome.decision_id] = outcome
        for decision in list(self._waiting.values()):
            if not _waits(self._outcomes.get(decision.id), decision, now):
                del self._waiting[decision.id]
        self._outcomes = {key: self._outcomes[key] for key in self._outcomes.keys() & self._waiting}
        return [decision for decision in fresh if decision.id in self._waiting]

    def _new(self, kind: type[Any]) -> Iterator[Any]:
        scope = Scope(user_id=self._user_id, kind=kind.kind)
        for _, record in self._journal.records(scope, after_seq=self._seen_seq):
            if isinstance(record, kind):
                yield record

    def _by_trades(self, fresh: Sequence[AgentDecision]) -> dict[str, AgentOutcome]:
        """Return outcomes by decision: each trade is that of the nearest decision of each agent."""
        if not self._waiting:
            return {}
        decisions = defaultdict(list)
        for each in self._waiting.values():
            decisions[_market(each.pair), each.side].append(each)
        near = sorted(
            (
                (abs(trade.open_date - decision.known_at), trade.id, decision.id, trade, decision)
                for trade in self._trades(fresh)
                for decision in decisions[_market(trade.pair), trade.side]
                if -_EARLY <= trade.open_date - decision.known_at <= _LATE
            ),
            key=lambda each: each[:3],
        )
        found: dict[str, AgentOutcome] = {}
        for _, trade_id, decision_id, trade, decision in near:
            use = (decision.origin.run_id, trade_id)
            if decision_id not in found and use not in self._used:
                self._used.add(use)
                found[decision_id] = _outcome(
                    decision, TRADE, trade.profit_ratio, trade.known_at, trade.recorded_at, trade_id
                )
        return found

    def _trades(self, fresh: Sequence[AgentDecision]) -> Iterable[TradeEvidence]:
        """Return the bots' trades that are new, and those that may be of new decisions."""
        rows = self._journal.connection.rows(
            _OF_BOTS.format(COLUMNS, "NOT INDEXED", "seq > ?"), [self._user_id, self._seen_seq]
        )
        if fresh and self._seen_seq:
            oldest = min(decision.known_at for decision in fresh) - _EARLY
            rows += self._journal.connection.rows(
                _OF_BOTS.format(COLUMNS, "", "known_ms >= ?"), [self._user_id, to_ms(oldest)]
            )
        items = self._journal.evidence.readable([rows])
        return {each.id: each for _, each in items if isinstance(each, TradeEvidence)}.values()


def _market(pair: str) -> str:
    """Return base and quote currency, without the settlement of a contract."""
    return pair.partition(":")[0]


def _waits(outcome: AgentOutcome | None, decision: AgentDecision, now: datetime) -> bool:
    """Return whether a trade or candles may still tell the outcome."""
    if outcome is None or outcome.source == NONE:
        return outcome is None or outcome.was_executed
    return outcome.source in (RESULT, CANDLES) and now - decision.known_at <= _CORRECTED


def _is_resolved(outcome: AgentOutcome | None) -> bool:
    return outcome is not None and outcome.is_resolved


def _by_candles(
    source: StoredCandles, decisions: Iterable[AgentDecision], now: datetime
) -> Iterator[AgentOutcome]:
    @cache
    def read(pair: str, timeframe: str) -> DataFrame | None:
        return _candles(source, pair, timeframe)

    for decision in decisions:
        due = decision.due_at
        if due is None or due > now:
            continue
        said = (decision.timeframe, source.timeframe, str(source.config.get("timeframe") or ""))
        for timeframe in dict.fromkeys([*filter(None, said), *_TIMEFRAMES]):
            frame = read(decision.pair, timeframe)
            if frame is None:
                continue
            length = timedelta(seconds=timeframe_seconds(timeframe))
            candles = candles_between(frame, decision.known_at - 2 * length, due)
            known = candle_outcome(decision, candles, length, now)
            if known is not None:
                yield _outcome(decision, CANDLES, known[0], known[1], now)
                break


def _candles(source: StoredCandles, pair: str, timeframe: str) -> DataFrame | None:
    folder = candle_folder(source.config, source.user_data_dir)
    if folder is None:
        return None
    try:
        timeframe_seconds(timeframe)
        return stored_candles(source.config, folder, pair, timeframe)
    except Exception as error:  # noqa: BLE001 - a file or a timeframe can be anything
        logger.debug("The %s candles of %s can not be read: %s", timeframe, pair, error)
        return None


def _outcome(  # noqa: PLR0917
    decision: AgentDecision,
    source: str,
    ratio: float,
    known_at: datetime,
    recorded_at: datetime,
    trade_id: str = "",
) -> AgentOutcome:
    return AgentOutcome(
        id=outcome_id(decision.id),
        origin=decision.origin,
        known_at=known_at,
        recorded_at=recorded_at,
        decision_id=decision.id,
        source=source,
        pair=decision.pair,
        action=decision.action,
        profit_ratio=ratio,
        trade_id=trade_id,
    )
