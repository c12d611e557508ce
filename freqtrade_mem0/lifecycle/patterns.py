"""The patterns of a bot: found in its trades, and kept as records in its journal.

A pattern is one record, corrected as trades are added and withdrawn by a correction. Nothing here
is read by a decision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from freqtrade_mem0.insight.patterns.look import Rules, look
from freqtrade_mem0.insight.patterns.trade import PatternTrade
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.runs import runs_with_trades
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.pattern_records import record_of, withdrawn
from freqtrade_mem0.records.base import Mode, Origin, from_ms, to_ms
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.records.kinds.trade import ClosedTrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from freqtrade_mem0.config.lifecycle_settings import LifecycleSettings
    from freqtrade_mem0.insight.patterns.look import Conditions, Look
    from freqtrade_mem0.journal.journal import Journal

_BOTS = (Mode.DRY_RUN, Mode.LIVE)

_PER_PAUSE = 200
"""Trades read between two pauses."""

_BATCH = 50
"""Records written in one transaction."""

_LARGER = 1.1
"""By this factor a pattern has grown where it is recorded again."""


class _Trade(ClosedTrade, Protocol):
    """What is read of a trade, from its record or its evidence."""

    @property
    def close_date(self) -> datetime: ...


class Refreshed(NamedTuple):
    """What a look at the trades of a bot changes.

    `kept` are its patterns before, `records` those that are new or corrected.
    """

    look: Look
    kept: Mapping[Conditions, Pattern]
    records: tuple[Pattern, ...]
    n_found: int
    n_withdrawn: int


def bots(journal: Journal, user_id: str) -> list[Origin]:
    """Return the bots of an owner with trades in the journal."""
    runs = runs_with_trades(journal)
    return [each for each in runs if each.user_id == user_id and each.mode in _BOTS]


def trades_of(
    journal: Journal, origin: Origin, pause: Callable[[], object] = lambda: None
) -> list[PatternTrade]:
    """Return the trades of a bot that are evidence and were recorded on this machine."""
    return plain_trades(OwnRecords(journal, origin).trades(), pause)


def plain_trades(
    trades: Iterable[_Trade], pause: Callable[[], object] = lambda: None
) -> list[PatternTrade]:
    """Return trades as the search for patterns reads them; those that are no evidence left out."""
    found = []
    for number, trade in enumerate(trades):
        if number % _PER_PAUSE == 0:
            pause()
        if trade.is_evidence:
            found.append(_plain(trade))
    return found


def _plain(trade: _Trade) -> PatternTrade:
    return PatternTrade(
        id=trade.id,
        known_ms=to_ms(trade.known_at),
        open_ms=to_ms(trade.open_date),
        close_ms=to_ms(trade.close_date),
        ratio=trade.profit_ratio,
        pair=trade.pair,
        side=trade.side,
        enter_tag=trade.enter_tag,
        exit_reason=trade.exit_reason,
        situation=trade.situation,
    )


def patterns_of(journal: Journal, origin: Origin) -> dict[Conditions, Pattern]:
    """Return the patterns of a bot that are kept, also withdrawn ones, by their conditions."""
    scope = Scope().in_run(origin)
    kept = journal.of_kind(Pattern, scope)
    return {conditions_of(pattern.conditions): pattern for pattern in kept}


def conditions_of(conditions: Mapping[str, str]) -> Conditions:
    """Return conditions as the search names them."""
    return tuple(sorted(conditions.items()))


def rules_of(settings: LifecycleSettings) -> Rules:
    """Return when a pattern is told of."""
    return Rules(
        min_occurrences=settings.pattern_threshold,
        min_confidence=settings.min_confidence,
        max_patterns=settings.max_patterns,
    )


def since_of(kept: Mapping[Conditions, Pattern]) -> dict[Conditions, int]:
    """Return since when each active pattern has been accepted."""
    return {name: to_ms(each.discovered_at) for name, each in kept.items() if each.is_active}


def refreshed(
    journal: Journal,
    origin: Origin,
    now: datetime,
    settings: LifecycleSettings,
    pause: Callable[[], object] = lambda: None,
) -> Refreshed:
    """Look at the trades of a bot; return its patterns as they are now. Writes nothing."""
    kept = patterns_of(journal, origin)
    trades = trades_of(journal, origin, pause)
    if not trades:  # they are another machine's, and so are its patterns
        return Refreshed(look((), 0, rules_of(settings)), kept, (), 0, 0)
    found = look(trades, to_ms(now), rules_of(settings), since_of(kept), pause=pause)
    last_ms = max((t.known_ms for t in trades if t.known_ms < to_ms(now)), default=to_ms(now))
    records = {
        each.conditions: record_of(each, found.n_tested, origin, from_ms(last_ms), now)
        for each in found.patterns
    }
    n_new = sum(name not in kept or not kept[name].is_active for name in records)
    gone = {name for name, each in kept.items() if each.is_active and name not in records}
    for name in gone:
        records[name] = withdrawn(kept[name], from_ms(last_ms), now)
    changed = (
        record
        for name, record in records.items()
        if name not in kept or replace(kept[name], recorded_at=now) != record
    )
    return Refreshed(found, kept, tuple(changed), n_new, len(gone))


def is_news(record: Pattern, kept: Mapping[Conditions, Pattern]) -> bool:
    """Tell whether a bot records a pattern now: a new, withdrawn or larger one, or once a month.

    Each trade changes the numbers of all patterns a little.
    """
    before = kept.get(conditions_of(record.conditions))
    return (
        before is None
        or before.is_active != record.is_active
        or (record.known_at.year, record.known_at.month)
        != (before.known_at.year, before.known_at.month)
        or record.occurrence_count >= _LARGER * before.occurrence_count
    )


def bring_up_to_date(
    journal: Journal,
    origin: Origin,
    now: datetime,
    settings: LifecycleSettings,
    pause: Callable[[], object] = lambda: None,
) -> Refreshed:
    """Look at the trades of a bot, and record what changed in small transactions."""
    seen = refreshed(journal, origin, now, settings, pause)
    for first in range(0, len(seen.records), _BATCH):
        journal.append(seen.records[first : first + _BATCH])
    return seen
