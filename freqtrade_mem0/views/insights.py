"""What the trades of a run or bot say: the mean profit of all of them and of each group."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.shrinkage import NOTHING, Group, Shrinkage, group_shifts, interval
from freqtrade_mem0.journal.runs import newest_run
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.fill import fill_with
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.sizing.policy import Forecasting
from freqtrade_mem0.sizing.registry import policy_for
from freqtrade_mem0.views.decisions import newest_account
from freqtrade_mem0.views.scope import described
from freqtrade_mem0.views.triggers import triggers_of
from freqtrade_mem0.views.values import Facts, iso, origin_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.insight.shrinkage import Moments
    from freqtrade_mem0.journal.evidence.trade import TradeEvidence
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin


def insights(memory: MemoryFolder, scope: Scope, now: datetime) -> Facts:
    """Return what the trades of the newest run in a scope say, group by group.

    The trades of a bot are weighted by their age at `now`, those of a backtest by their age at its
    last trade.

    Returns
    -------
    dict
        `strategy`, `mode`, `run_id`, `as_of`, `n_trades`, and `insights`: a row for the strategy,
        then one for each group, with `level`, `value`, `n_effective`, `mean_ratio`, the 95 %
        interval `low_ratio` to `high_ratio` (None where it is unknown), and `believed_shift_ratio`,
        what the group adds to the forecast of the configured policy (None where it makes none);
        `account`, memory's account at the run's newest decision (None where it keeps none);
        `triggers`, see `views.triggers.triggers_of`.

    Raises
    ------
    RecordError
        The scope has no trade.
    """
    origin, run = newest_trades(memory, scope)
    sizing = memory.settings.sizing
    recall = Recall(sizing.levels, sizing.half_life_days)
    n_trades, last_known_at = fill_with(recall, memory.journal, run)
    if last_known_at is None:
        raise _no_trade(memory, scope)
    moment = last_known_at + timedelta(milliseconds=1)
    if origin.mode in (Mode.DRY_RUN, Mode.LIVE):
        moment = max(moment, now)
    groups = recall.groups(moment)
    all_trades = groups.pop(STRATEGY, Group(NOTHING)).moments
    shifts = group_shifts(
        all_trades, recall.levels, groups, Shrinkage(pseudo_trades=sizing.pseudo_trades)
    )
    policy = policy_for(sizing)
    share = policy.forecast_share(all_trades) if isinstance(policy, Forecasting) else None
    rows = [_row(STRATEGY[0], origin.strategy, all_trades, None)]
    rows += [
        _row(*key, groups[key].moments, None if share is None else share * shift)
        for key, shift in shifts.items()
    ]
    return origin_facts(origin) | {
        "as_of": iso(moment),
        "n_trades": n_trades,
        "insights": rows,
        "account": newest_account(memory, run),
        "triggers": triggers_of(memory, origin, now),
    }


def trades_of_newest_run(
    memory: MemoryFolder, scope: Scope, preferred: Sequence[Mode] = ()
) -> list[TradeEvidence]:
    """Return the trades of the newest run in a scope, in order of arrival; see `journal.runs`.

    With `preferred` modes, only runs of the first of them that has a trade count.

    Raises
    ------
    RecordError
        The scope has no trade.
    """
    _, run = newest_trades(memory, scope, preferred)
    return list(memory.journal.evidence.trades(run))


def newest_trades(
    memory: MemoryFolder, scope: Scope, preferred: Sequence[Mode] = ()
) -> tuple[Origin, Scope]:
    """Return the newest run in a scope, and the part of the scope that is its trades.

    See `trades_of_newest_run`.
    """
    newest = newest_of(memory, scope, preferred)
    if newest is None:
        raise _no_trade(memory, scope)
    return newest, replace(scope, kind=TradeRecord.kind).in_run(newest)


def _no_trade(memory: MemoryFolder, scope: Scope) -> RecordError:
    return RecordError(
        f"No trade of {described(scope)} is in {memory.folder}. "
        "'freqtrade-mem0 stats' shows what is."
    )


def newest_of(memory: MemoryFolder, scope: Scope, preferred: Sequence[Mode] = ()) -> Origin | None:
    """Return the newest run of a scope, of the first preferred mode that has one; None for none."""
    parts = [replace(scope, modes=[mode]) for mode in preferred] or [scope]
    return next(filter(None, (newest_run(memory.journal, part) for part in parts)), None)


def _row(level: str, value: str, moments: Moments, shift: float | None) -> Facts:
    low, high = interval(moments)
    is_known = math.isfinite(low)
    return {
        "level": level,
        "value": value,
        "n_effective": moments.n_effective,
        "mean_ratio": moments.mean,
        "low_ratio": low if is_known else None,
        "high_ratio": high if is_known else None,
        "believed_shift_ratio": shift,
    }
