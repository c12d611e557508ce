"""Whether the trades of a run still are as their history: triggers, bands, slippage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.drift.bands import FALSE_PER_YEAR, FIGURES, figures
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.lifecycle.drift.look import BOTS, DriftMeter
from freqtrade_mem0.lifecycle.drift.records import LEFT
from freqtrade_mem0.lifecycle.drift.words import alarm_words, left_words
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.views.left_out import n_left_out, trades_of_run
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.slippage import slippage_facts
from freqtrade_mem0.views.triggers import trigger_facts
from freqtrade_mem0.views.values import Facts, iso, origin_facts

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.insight.drift.bands import Band
    from freqtrade_mem0.insight.drift.triggers import Alarm
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.lifecycle.drift.look import Drift
    from freqtrade_mem0.memory_folder import MemoryFolder


def drift(
    memory: MemoryFolder, scope: Scope, now: datetime, *, backtest: str | None = None
) -> Facts:
    """Return how far the newest run in a scope is from its history.

    Of a bot, what it has recorded at its looks; of a backtest, what would have been.

    Parameters
    ----------
    backtest
        Run id, or its first characters, of the backtest to compare with; by default as configured.

    Returns
    -------
    dict
        `strategy`, `mode`, `run_id`, `as_of`, `n_trades`, `n_left_out` (trades that the end of
        the backtest closed), `age_days`; `reference` with `source`,
        `run_id` (None for the run's own first trades), `n_trades`, `n_days` and `lacks`;
        `triggers`, see `trigger_facts`, each with `alarms`; `bands` with `lacks`, `figures` (a row
        for each with `name`, `value`, `low`, `middle`, `high`, `is_inside`),
        `false_alarms_per_year`, `looks_at_days` and `left` (`age_days`, `text` and `figures`, each
        with its `limit`, in widths of its band, or None); `slippage`, see `slippage_facts`.

    Raises
    ------
    RecordError
        The scope has no trade or names a pair, or there is no such backtest.
    """
    if scope.pair is not None:
        raise RecordError("Drift is that of a whole run; leave the pair out.")
    origin = newest_run(memory.journal, scope)
    if origin is None:
        raise RecordError(
            f"No trade of {described(scope)} is in {memory.folder}. "
            "'freqtrade-mem0 stats' shows what is."
        )
    settings = memory.settings.drift
    if backtest is not None:
        settings = settings.model_copy(update={"backtest": backtest})
    found = DriftMeter().measure(memory.journal, origin, settings, now)
    is_bot = origin.mode in BOTS
    history = found.reference.history
    if found.seen.n:
        end_ms = max(trade.close_ms for trade in found.seen.trades)
    else:  # all trades may be the history, or too few
        end_ms = max(to_ms(trade.close_date) for trade in trades_of_run(memory, origin))
    return origin_facts(origin) | {
        "as_of": iso(now if is_bot else from_ms(end_ms)),
        "n_trades": found.seen.n,
        "n_left_out": n_left_out(memory, origin),
        "age_days": found.age_days,
        "reference": {
            "source": found.reference.source,
            "run_id": found.reference.run_id or None,
            "n_trades": history.n,
            "n_days": history.n_days,
            "lacks": history.lacks,
        },
        "triggers": [
            trigger_facts(trigger)
            | {
                "alarms": [
                    _alarm(each, found) for each in found.alarms if each.name == trigger.name
                ]
            }
            for trigger in found.triggers
        ],
        "bands": _bands(found),
        "slippage": slippage_facts(memory, origin),
    }


def _alarm(alarm: Alarm, found: Drift) -> Facts:
    began, at = found.trade(alarm.began), found.trade(alarm.at)
    return {
        "began": iso(from_ms(began.close_ms)),
        "at": iso(from_ms(at.close_ms)),
        "ended": None if alarm.ended is None else iso(from_ms(found.trade(alarm.ended).close_ms)),
        "trade_id": at.id,
        "sum": alarm.sum,
        "text": alarm_words(alarm, found),
    }


def _bands(found: Drift) -> Facts:
    made, left = found.bands, found.left
    rows = []
    if made is not None and found.age_days:
        values = figures(found.seen, found.age_days)
        rows = [_row(name, values[name], made.by_age[found.age_days][name]) for name in FIGURES]
    return {
        "lacks": found.lacks_bands,
        "figures": rows,
        "false_alarms_per_year": FALSE_PER_YEAR,
        "looks_at_days": [] if made is None else list(made.limits),
        "event_type": LEFT,
        "left": None
        if left is None or made is None
        else {
            "age_days": left.age_days,
            "text": left_words(found),
            "figures": [
                _row(name, *each) | {"limit": made.limits[left.age_days][name]}
                for name, each in left.figures.items()
            ],
        },
    }


def _row(name: str, value: float, band: Band) -> Facts:
    is_known = math.isfinite(value) and math.isfinite(band.middle)
    return {
        "name": name,
        "value": _finite(value),
        "low": _finite(band.low),
        "middle": _finite(band.middle),
        "high": _finite(band.high),
        "is_inside": band.distance(value) <= 1.0 if is_known else None,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
