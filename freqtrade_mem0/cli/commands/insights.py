"""`insights` and `why`: what memory makes of what it knows."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.commands import now
from freqtrade_mem0.cli.context import (
    described,
    memory_options,
    opened_store,
    output_options,
    scope_of,
    scope_options,
)
from freqtrade_mem0.cli.output import console, print_json, print_table, when
from freqtrade_mem0.decide import explain
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.shrinkage import NOTHING, Group, Shrinkage, group_shifts, interval
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.views.decisions import decision_facts
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.insight.shrinkage import Moments
    from freqtrade_mem0.journal.journal import LedgerLine
    from freqtrade_mem0.memory_folder import MemoryFolder


def add_commands(commands: Commands) -> None:
    """Add `insights` and `why`."""
    insights = commands.add_parser(
        "insights",
        help="show what the trades of a run or bot say, with intervals",
        description="Show the mean profit of all trades and of each level below, with 95 % "
        "intervals, and what each would add to the next estimate. Default: the newest run.",
    )
    scope_options(insights)
    memory_options(insights)
    output_options(insights)
    insights.set_defaults(run=run_insights)

    why = commands.add_parser(
        "why",
        help="explain the stake of a trade, or what memory would do now",
        description="Explain the stake of a trade in words and numbers; with --now, what memory "
        "would make of an entry now, with all it knows and the present settings.",
    )
    why.add_argument(
        "trade",
        nargs="?",
        help="Id of a trade or decision, or its beginning; or a pair (its last trade). Default: the"
        " last trade.",
    )
    now.add_options(why)
    scope_options(why)
    memory_options(why)
    output_options(why)
    why.set_defaults(run=run_why)


def run_insights(arguments: argparse.Namespace) -> int:
    """Print what is known, group by group."""
    with opened_store(arguments) as store:
        trades = _trades_of_newest_run(store, arguments)
        sizing = store.settings.sizing
    newest = trades[-1]
    moment = newest.known_at + timedelta(milliseconds=1)
    if newest.origin.mode in (Mode.DRY_RUN, Mode.LIVE):
        moment = max(moment, datetime.now(UTC))
    recall = Recall(sizing.levels, sizing.half_life_days)
    for trade in trades:
        recall.add(trade)
    groups = recall.groups(moment)
    whole = groups.pop(STRATEGY, Group(NOTHING)).moments
    shifts = group_shifts(
        whole, recall.levels, groups, Shrinkage(pseudo_trades=sizing.pseudo_trades)
    )
    rows = [_insight(STRATEGY[0], newest.origin.strategy, whole, None)]
    rows += [_insight(*key, groups[key].moments, shift) for key, shift in shifts.items()]
    if arguments.json:
        print_json(
            {
                "strategy": newest.origin.strategy,
                "mode": str(newest.origin.mode),
                "run_id": newest.origin.run_id,
                "as_of": iso(moment),
                "n_trades": len(trades),
                "insights": rows,
            }
        )
        return 0
    _print_insights(rows, newest, moment, len(trades), sizing)
    return 0


def run_why(arguments: argparse.Namespace) -> int:
    """Print the explanation of one decision."""
    now.check(arguments)
    if arguments.now is not None:
        return now.run(arguments)
    with opened_store(arguments) as store:
        line = _line_asked_for(store, arguments)
    if not arguments.json:
        console().print(explain.why(line), markup=False)
        return 0
    decision, trade = line.decision, line.trade
    with_memory, without = (None, None) if trade is None else explain.both_outcomes(decision, trade)
    print_json(
        {"text": explain.why(line)}
        | decision_facts(decision)
        | {
            "profit_ratio": None if trade is None else trade.profit_ratio,
            "profit_abs_with_memory": with_memory,
            "profit_abs_without_memory": without,
        }
    )
    return 0


def _trades_of_newest_run(store: MemoryFolder, arguments: argparse.Namespace) -> list[TradeRecord]:
    scope = scope_of(arguments, store, TradeRecord.kind)
    trades = [r for _, r in store.journal.records(scope) if isinstance(r, TradeRecord)]
    if not trades:
        raise RecordError(
            f"No trade of {described(scope)} is remembered in {store.folder}. "
            "'freqtrade-mem0 stats' shows what is."
        )
    newest = trades[-1].origin
    return [trade for trade in trades if trade.origin == newest]


def _insight(level: str, value: str, moments: Moments, shift: float | None) -> dict[str, Any]:
    low, high = interval(moments)
    known = math.isfinite(low)
    return {
        "level": level,
        "value": value,
        "n_effective": moments.n,
        "mean_ratio": moments.mean,
        "low_ratio": low if known else None,
        "high_ratio": high if known else None,
        "believed_shift_ratio": shift,
    }


def _print_insights(
    rows: list[dict[str, Any]],
    newest: TradeRecord,
    moment: datetime,
    n_trades: int,
    sizing: SizingSettings,
) -> None:
    print_table(
        f"{newest.origin.strategy}, {newest.origin.mode} {newest.origin.run_id[:12]}: "
        f"{n_trades} trades, as of {when(moment)} UTC",
        ["level", "value", "Trades", "Mean", "95 % interval", "Believed"],
        [
            [
                row["level"],
                row["value"],
                f"{row['n_effective']:.1f}",
                f"{row['mean_ratio']:+.2%}",
                ""
                if row["low_ratio"] is None
                else f"{row['low_ratio']:+.2%} to {row['high_ratio']:+.2%}",
                ""
                if row["believed_shift_ratio"] is None
                else f"{row['believed_shift_ratio']:+.3%}",
            ]
            for row in rows
        ],
    )
    console().print(
        f"Trades: older ones count less (half after {sizing.half_life_days:g} days). Believed: what"
        " the group adds to the strategy's mean in the next forecast, beyond what the groups around"
        " it explain. With many groups, some look good or bad by chance alone."
    )


def _line_asked_for(store: MemoryFolder, arguments: argparse.Namespace) -> LedgerLine:
    wanted: str | None = arguments.trade
    if wanted is not None and "/" in wanted:
        arguments.pair, wanted = wanted.upper(), None
    scope = scope_of(arguments, store)
    if wanted is None:
        lines = list(store.journal.ledger(scope, limit=1))
    else:
        lines = [
            line
            for line in store.journal.ledger(scope, only_opened=False)
            if (line.decision.trade_id or "").startswith(wanted)
            or line.decision.id.startswith(wanted)
        ]
    if not lines:
        raise RecordError(
            f"No decision {f'{wanted!r} ' if wanted else ''}of {described(scope)} is in the "
            "ledger. 'freqtrade-mem0 ledger' lists them."
        )
    if len(lines) > 1:
        raise RecordError(
            f"{len(lines)} trades begin with {wanted!r}: give more of the id. "
            f"The first are {', '.join((line.decision.trade_id or '')[:13] for line in lines[:5])}."
        )
    return lines[0]
