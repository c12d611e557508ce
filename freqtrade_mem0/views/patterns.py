"""The patterns of a run or bot, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.patterns.look import look
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.lifecycle.pattern_records import record_of
from freqtrade_mem0.lifecycle.patterns import (
    conditions_of,
    patterns_of,
    plain_trades,
    rules_of,
    since_of,
    trades_of,
)
from freqtrade_mem0.records.base import Mode, from_ms, to_ms
from freqtrade_mem0.views.left_out import n_left_out, trades_of_run
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.values import Facts, iso, origin_facts

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.kinds.pattern import Pattern

_BOTS = (Mode.DRY_RUN, Mode.LIVE)


def patterns(
    memory: MemoryFolder,
    scope: Scope,
    now: datetime,
    *,
    since: datetime | None = None,
    with_withdrawn: bool = False,
) -> Facts:
    """Return the patterns in the trades of the newest run in a scope, as of now.

    Those of a bot are kept as records, and say since when they are known; those of a backtest are
    computed as a bot would have found them on the first of each month.

    Parameters
    ----------
    scope
        With a pair, those of other pairs are left out.
    since
        Only patterns found, or withdrawn, since this moment.
    with_withdrawn
        Also a bot's patterns that were withdrawn.

    Returns
    -------
    dict
        `strategy`, `mode`, `run_id`, `as_of`, `n_trades`, `n_left_out` (trades that the end of
        the backtest closed), `cells_tried`, `n_found` (active
        patterns, also those of other pairs and from before `since`), `patterns`: for each, best
        evidence first, the fields of its record, and `nearest`: `conditions`, `occurrence_count`
        and `evidence_share` of the group of trades nearest to becoming one (None without any).

    Raises
    ------
    RecordError
        The scope has no trade.
    """
    origin = newest_run(memory.journal, scope)
    if origin is None:
        raise RecordError(
            f"No trade of {described(scope)} is in {memory.folder}. "
            "'freqtrade-mem0 stats' shows what is."
        )
    is_bot = origin.mode in _BOTS
    if is_bot:
        trades = trades_of(memory.journal, origin)
    else:
        trades = plain_trades(trades_of_run(memory, origin))
    last = from_ms(max((trade.known_ms for trade in trades), default=to_ms(now)))
    moment = now if is_bot else last + timedelta(milliseconds=1)
    kept = patterns_of(memory.journal, origin) if is_bot else {}
    found = look(trades, to_ms(moment), rules_of(memory.settings.lifecycle), since_of(kept))
    shown = [record_of(each, found.n_tested, origin, last, now) for each in found.patterns]
    if with_withdrawn:
        active = {conditions_of(each.conditions) for each in shown}
        shown += [each for name, each in kept.items() if name not in active and not each.is_active]
    nearest = found.nearest
    return origin_facts(origin) | {
        "as_of": iso(moment),
        "n_trades": found.n_trades,
        "n_left_out": n_left_out(memory, origin),
        "cells_tried": found.n_tested,
        "n_found": len(found.patterns),
        "patterns": [
            _facts(each)
            for each in shown
            if (since is None or (each.withdrawn_at or each.discovered_at) >= since)
            and scope.pair in (None, each.conditions.get("pair", scope.pair))
        ],
        "nearest": nearest
        and {
            "conditions": dict(nearest.conditions),
            "occurrence_count": nearest.n_occurrences,
            "evidence_share": nearest.share,
        },
    }


def _facts(pattern: Pattern) -> Facts:
    own = {name: value for name, value in asdict(pattern).items() if name != "origin"}
    times = (
        "known_at",
        "recorded_at",
        "discovered_at",
        "withdrawn_at",
        "first_occurrence",
        "last_occurrence",
    )
    return (
        own
        | {name: iso(own[name]) for name in times}
        | {"text": pattern.sentence(), "conditions": dict(pattern.conditions)}
    )
