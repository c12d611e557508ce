"""Show what the trades of a run or bot say, with intervals.

The table has the mean profit of all trades and of each group of trades, with 95 % intervals, and
how much each group changes the forecast. Default: the newest run.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    import argparse

NAME = "insights"

_N_SHOWN = 12
"""Groups of a level that are shown: a strategy may have dozens of tags, in three regimes each."""

_MANY = 10.0
"""From so many trades on, their number is shown without decimals."""

_SHIFT = (
    "Shift: what the group adds to the strategy's mean in the forecast, beyond what the groups "
    "around it explain. "
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `insights`."""
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"Show all groups. Default: the {_N_SHOWN} of each level with the most trades.",
    )
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
    rows = facts["insights"]
    shown = rows if arguments.all else _largest(rows)
    print_table(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')}, as of {when(facts['as_of'])} UTC",
        ["level", "value", "Trades", "Mean", "Interval (95%)", *(["Shift"] if forecasts else [])],
        [_cells(row)[: None if forecasts else -1] for row in shown],
    )
    account = facts["account"]
    print_lines(
        *([_left_out(rows, shown)] if len(shown) < len(rows) else []),
        *([f"{account['text'][0].upper()}{account['text'][1:]}."] if account else []),
        f"Trades: older trades count less; the weight halves every {half_life_days:g} days. "
        + (_SHIFT if forecasts else "")
        + "Among many groups some look good or bad by chance.",
        *trigger_lines(facts["triggers"]),
    )
    return 0


def _largest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the largest groups of each level, in the order that they had."""
    ranks = Counter[str]()
    kept = set()
    for number in sorted(range(len(rows)), key=lambda number: -rows[number]["n_effective"]):
        level = rows[number]["level"]
        ranks[level] += 1
        if ranks[level] <= _N_SHOWN:
            kept.add(number)
    return [row for number, row in enumerate(rows) if number in kept]


def _left_out(rows: list[dict[str, Any]], shown: list[dict[str, Any]]) -> str:
    """Return in a sentence which groups are not shown."""
    missing = Counter(row["level"] for row in rows) - Counter(row["level"] for row in shown)
    named = ", ".join(f"{n} of {_name(level)}" for level, n in missing.items())
    return f"Left out are the groups with the fewest trades: {named}. --all shows them."


def _name(level: str) -> str:
    return level.replace("*", " and ").replace("_", " ")


def _cells(row: dict[str, Any]) -> list[str]:
    low, high, shift = row["low_ratio"], row["high_ratio"], row["believed_shift_ratio"]
    return [
        _name(row["level"]),
        row["value"],
        f"{row['n_effective']:.{0 if row['n_effective'] >= _MANY else 1}f}",
        percent(row["mean_ratio"]),
        "" if low is None else f"{percent(low)} to {percent(high)}",
        "" if shift is None else percent(shift, 3),
    ]
