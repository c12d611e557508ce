"""The runs and bots in a memory, and which bots run now."""

from __future__ import annotations

from collections import defaultdict
from math import fsum
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.sized_trades import profits, sized_trades
from freqtrade_mem0.run.bot.namesakes import MARK, signs
from freqtrade_mem0.views.values import Facts, iso, origin_facts
from freqtrade_mem0.words.numbers import stake_currency

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.journal.sized_trades import SizedTrade
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin


def runs(
    memory: MemoryFolder, scope: Scope, now: datetime, since: datetime | None = None
) -> list[Facts]:
    """Return the runs and bots of a scope with closed trades, the newest first.

    Parameters
    ----------
    since
        Only those that closed a trade at or after this moment.

    Returns
    -------
    list of dict
        `strategy`, `mode`, `run_id`, `is_running` (a bot's process wrote here within the last
        minutes), `first` (the first entry), `last` (the last close), `n_trades`, `n_won`,
        `profit_abs` in `stake_currency` (null where amounts are no longer kept, or where a run has
        several currencies), `mean_profit_ratio`.
    """
    by_run: dict[Origin, list[SizedTrade]] = defaultdict(list)
    for each in sized_trades(memory.journal, scope):
        by_run[each.trade.origin].append(each)
    running = running_bots(memory, now)
    found = [_run(origin, trades, running) for origin, trades in by_run.items()]
    start = iso(since) or ""
    return sorted(
        (each for each in found if each["last"] >= start),
        key=lambda each: (each["last"], each["run_id"]),
        reverse=True,
    )


def running_bots(memory: MemoryFolder, now: datetime) -> set[str]:
    """Return the names of the bots that wrote into a memory within the last minutes."""
    marks = memory.marks.all(MARK).items()
    return {name for name, mark in marks if signs(mark, now.timestamp())}


def bot_name(origin: Origin) -> str:
    """Return a bot's name as in `running_bots`."""
    return f"{origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"


def _run(origin: Origin, trades: list[SizedTrade], running: set[str]) -> Facts:
    ratios = [each.trade.profit_ratio for each in trades]
    currencies = {stake_currency(each.trade.pair) for each in trades}
    return origin_facts(origin) | {
        "is_running": bot_name(origin) in running,
        "first": iso(min(each.trade.open_date for each in trades)),
        "last": iso(max(each.trade.close_date for each in trades)),
        "n_trades": len(trades),
        "n_won": sum(ratio > 0.0 for ratio in ratios),
        "profit_abs": profits(trades) if len(currencies) == 1 else None,
        "stake_currency": currencies.pop() if len(currencies) == 1 else None,
        "mean_profit_ratio": fsum(ratios) / len(ratios),
    }
