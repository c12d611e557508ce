"""Whether memory helped: what its stakes were worth, for each bot or run with closed trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.sized_trades import sized_trades
from freqtrade_mem0.views.values import Facts, origin_facts
from freqtrade_mem0.worth.bots import by_bot
from freqtrade_mem0.worth.in_words import finding_in_words, more_days, numbers_in_words
from freqtrade_mem0.worth.judge import worth_of
from freqtrade_mem0.worth.stakes import stakes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.journal.sized_trades import SizedTrade
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.worth.bootstrap import Estimate
    from freqtrade_mem0.worth.bots import Bot


def worth(memory: MemoryFolder, scope: Scope) -> list[Facts]:
    """Return what memory's stakes were worth in each bot or run of a scope, the newest first.

    Returns
    -------
    list of dict
        `strategy`, `mode`, `run_id`, `applied` (False: shadow mode, what would have been),
        `stake_currency`, `first` and `last` (days), `n_trades`, `n_trading_days`, `n_days`,
        `n_raised`, `n_cut`, `mean_multiplier`; `profit_with` and `profit_without`, in stake
        currency; `effect`, `effect_at_same_stake` and `sharpe_difference`, each with `value`,
        `low` and `high`; `p_random_sizing` and `p_timing`, each with `as_good` and `as_bad`, null
        where there are too few trades; `finding`, `sentence` and `sentences` (with the figures
        behind it); `n_needed` trades for a finding, and the `more_days` that
        they take at this pace; `days`, for each day
        with a closed trade the two profits up to its end.
    """
    bots = by_bot(sized_trades(memory.journal, scope))
    newest_first = sorted(bots, key=lambda bot: bots[bot][-1].trade.known_at, reverse=True)
    return [worth_facts(bot, bots[bot]) for bot in newest_first]


def worth_facts(bot: Bot, trades: Sequence[SizedTrade]) -> Facts:
    """Return what the stakes of one bot were worth; see `worth`."""
    found = worth_of(stakes_of(trades))
    days = _days(trades)
    sentence = finding_in_words(found, applied=bot.applied)
    more = numbers_in_words(found, bot.currency, applied=bot.applied)
    shifts, timing = found.shifts, found.timing
    return origin_facts(bot.origin) | {
        "applied": bot.applied,
        "stake_currency": bot.currency,
        "first": found.first and found.first.isoformat(),
        "last": found.last and found.last.isoformat(),
        "n_trades": found.n_trades,
        "n_trading_days": found.n_trading_days,
        "n_days": found.n_days,
        "n_raised": found.n_raised,
        "n_cut": found.n_cut,
        "mean_multiplier": found.mean_multiplier,
        "profit_with": days[-1]["with"] if days else 0.0,
        "profit_without": days[-1]["without"] if days else 0.0,
        "effect": _interval(found.effect),
        "effect_at_same_stake": _interval(found.effect_at_same_stake),
        "sharpe_difference": _interval(found.sharpe_difference),
        "p_random_sizing": shifts and {"as_good": shifts.p_as_good, "as_bad": shifts.p_as_bad},
        "p_timing": timing and {"as_good": timing.p_better, "as_bad": timing.p_worse},
        "finding": str(found.finding),
        "sentence": sentence,
        "sentences": [sentence, *more],
        "n_needed": found.n_needed,
        "more_days": more_days(found),
        "days": days,
    }


def profit_of(each: SizedTrade) -> float:
    """Return the profit in stake currency, as Freqtrade has it, else from the stake."""
    if each.profit_abs is not None or each.sized is None:
        return each.profit_abs or 0.0
    sized = each.sized
    placed = sized.stake if sized.applied else sized.proposed
    return placed * sized.filled * each.trade.profit_ratio


def _days(trades: Sequence[SizedTrade]) -> list[Facts]:
    """Return both profits up to the end of each day with a closed trade."""
    found: dict[str, Facts] = {}
    with_memory = without = 0.0
    for each in trades:
        profit, effect = profit_of(each), each.effect
        is_applied = each.sized is not None and each.sized.applied
        with_memory += profit if is_applied else profit + effect
        without += profit - effect if is_applied else profit
        day = each.trade.close_date.date().isoformat()
        found[day] = {"day": day, "with": with_memory, "without": without}
    return list(found.values())


def _interval(found: Estimate) -> Facts:
    return {"value": found.value, "low": found.low, "high": found.high}
