"""Fills in what became of agents' decisions: from bots' closed trades and from stored candles."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from freqtrade_mem0.agents.candle_outcome import candle_outcome, candles_between
from freqtrade_mem0.agents.pairs import same_market
from freqtrade_mem0.host.freqtrade import timeframe_seconds
from freqtrade_mem0.host.stored_candles import candle_folder, stored_candles
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import sound
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
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pandas import DataFrame

    from freqtrade_mem0.client.mem0_client import Mem0Client
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.views.present import Market

logger = logging.getLogger(__name__)

_EARLY = timedelta(minutes=1)
"""How long before its decision an entry may be filled: clocks differ."""

_LATE = timedelta(hours=1)
"""How long after its decision an entry may be filled."""

_CORRECTED = timedelta(days=30)
"""How long after a decision a bot's trade still corrects what an agent or candles said."""

_TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")


def resolve(client: Mem0Client, market: Market, now: datetime) -> int:
    """Fill in the outcomes of this owner's decisions that are known by now; return how many.

    The closed trade of a bot of the same pair and side, opened at most an hour after the decision,
    is its outcome. A decision that no trade and no result resolves gets the outcome that candles
    show on its due date.

    Raises
    ------
    JournalError
        The journal can not be used.
    """
    journal, scope = client.folder.journal, Scope(user_id=client.user_id)
    outcomes = {each.decision_id: each for each in journal.of_kind(AgentOutcome, scope)}
    waiting = [
        decision
        for decision in journal.of_kind(AgentDecision, scope)
        if decision.pair and decision.side and _waits(outcomes.get(decision.id), decision, now)
    ]
    if not waiting:
        return 0
    found = _by_trades(journal, client.user_id, waiting)
    unresolved = [
        decision
        for decision in waiting
        if decision.id not in found and not _is_resolved(outcomes.get(decision.id))
    ]
    found |= {each.decision_id: each for each in _by_candles(market, unresolved, now)}
    if found:
        client.append(*found.values())
    return len(found)


def _waits(outcome: AgentOutcome | None, decision: AgentDecision, now: datetime) -> bool:
    """Return whether a trade or candles may still tell the outcome."""
    if outcome is None or outcome.source == NONE:
        return outcome is None or outcome.was_executed
    return outcome.source in (RESULT, CANDLES) and now - decision.known_at <= _CORRECTED


def _is_resolved(outcome: AgentOutcome | None) -> bool:
    return outcome is not None and outcome.is_resolved


def _by_trades(
    journal: Journal, user_id: str, decisions: Sequence[AgentDecision]
) -> dict[str, AgentOutcome]:
    """Return outcomes by decision: each trade is that of the nearest decision of each agent."""
    oldest = min(decision.known_at for decision in decisions) - _EARLY
    found: dict[str, AgentOutcome] = {}
    taken: set[tuple[str, str]] = set()
    near = sorted(
        (
            (abs(trade.open_date - decision.known_at), trade.id, decision.id, trade, decision)
            for trade in _bots_trades(journal, user_id, oldest)
            for decision in decisions
            if trade.side == decision.side
            and -_EARLY <= trade.open_date - decision.known_at <= _LATE
            and same_market(trade.pair, decision.pair)
        ),
        key=lambda each: each[:3],
    )
    for _, trade_id, decision_id, trade, decision in near:
        use = (decision.origin.run_id, trade_id)
        if decision_id not in found and use not in taken:
            taken.add(use)
            found[decision_id] = _outcome(
                decision, TRADE, trade.profit_ratio, trade.known_at, trade.recorded_at, trade_id
            )
    return found


def _bots_trades(journal: Journal, user_id: str, since: datetime) -> Iterator[TradeRecord]:
    rows = journal.connection.rows(
        "SELECT id, body, content_hash FROM records WHERE user_id = ? AND kind = ?"
        " AND mode IN ('live', 'dry_run') AND is_current = 1 AND known_ms >= ? ORDER BY known_ms",
        [user_id, TradeRecord.kind, to_ms(since)],
    )
    for row in rows:
        trade = sound(TradeRecord, *row)
        if trade is not None:
            yield trade


def _by_candles(
    market: Market, decisions: Iterable[AgentDecision], now: datetime
) -> Iterator[AgentOutcome]:
    read = cache(partial(_candles, market))
    for decision in decisions:
        due = decision.due_at
        if due is None or due > now:
            continue
        for timeframe in _timeframes(market, decision):
            frame = read(decision.pair, timeframe)
            if frame is None:
                continue
            length = timedelta(seconds=timeframe_seconds(timeframe))
            candles = candles_between(frame, decision.known_at - 2 * length, due)
            known = candle_outcome(decision, candles, length, now)
            if known is not None:
                yield _outcome(decision, CANDLES, known[0], known[1], now)
                break


def _timeframes(market: Market, decision: AgentDecision) -> dict[str, None]:
    said = (decision.timeframe, market.timeframe, str(market.config.get("timeframe") or ""))
    return dict.fromkeys([*filter(None, said), *_TIMEFRAMES])


def _candles(market: Market, pair: str, timeframe: str) -> DataFrame | None:
    folder = candle_folder(market.config, market.user_data_dir)
    if folder is None:
        return None
    try:
        timeframe_seconds(timeframe)
        return stored_candles(market.config, folder, pair, timeframe)
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
