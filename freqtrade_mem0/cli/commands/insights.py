"""Show what the trades of a run or bot say, with intervals.

The table has the mean profit of all trades and of each group of trades, with 95 % intervals, and
how much each group changes the forecast. Default: the newest run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    import argparse

NAME = "insights"

_MANY = 10.0
"""From so many trades on, their number is shown without decimals."""

_SHIFT = (
    "Shift: what the group adds to the strategy's mean in the forecast, beyond what the groups "
    "around it explain. "
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `insights`."""
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known, group by group."""
    from freqtrade_mem0.views.insights import insights
    from freqtrade_mem0.views.triggers import trigger_lines

    with opened_memory(arguments) as memory:
        facts = insights(memory, scope_of(arguments, memory), datetime.now(UTC))
        half_life_days = memory.settings.sizing.half_life_days
    if arguments.json:
        print_json(facts)
        return 0
    forecasts = any(row["believed_shift_ratio"] is not None for row in facts["insights"])
    print_table(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')}, as of {when(facts['as_of'])} UTC",
        ["level", "value", "Trades", "Mean", "Interval (95%)", *(["Shift"] if forecasts else [])],
        [_cells(row)[: None if forecasts else -1] for row in facts["insights"]],
    )
    account = facts["account"]
    print_lines(
        *([f"{account['text'][0].upper()}{account['text'][1:]}."] if account else []),
        f"Trades: older trades count less; the weight halves every {half_life_days:g} days. "
        + (_SHIFT if forecasts else "")
        + "Among many groups some look good or bad by chance.",
        *trigger_lines(facts["triggers"]),
    )
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    low, high, shift = row["low_ratio"], row["high_ratio"], row["believed_shift_ratio"]
    return [
        row["level"].replace("*", " and ").replace("_", " "),
        row["value"],
        f"{row['n_effective']:.{0 if row['n_effective'] >= _MANY else 1}f}",
        percent(row["mean_ratio"]),
        "" if low is None else f"{percent(low)} to {percent(high)}",
        "" if shift is None else percent(shift, 3),
    ]
