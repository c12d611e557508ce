"""Show whether the trades of a bot or run still are as its history: triggers, bands, slippage.

A trigger compares the newest trades with a promoted or named backtest, or with the run's own first
trades. A band is what as many days of that backtest look like. Of a backtest, the command says
which triggers would have raised an alarm, and when. Default: the newest run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.words.numbers import amount, counted, percent

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.views.values import Facts

NAME = "drift"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `drift`."""
    parser.add_argument(
        "--backtest",
        metavar="RUN",
        help="Compare with the backtest of this run id, or its first characters. Default: "
        "'mem0.drift.backtest', else the run that was promoted last.",
    )
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print triggers, bands and slippage."""
    from freqtrade_mem0.views.drift import drift
    from freqtrade_mem0.views.left_out import left_out_words

    with opened_memory(arguments) as memory:
        facts = drift(
            memory,
            scope_of(arguments, memory),
            datetime.now(UTC),
            backtest=arguments.backtest,
        )
    if arguments.json:
        print_json(facts)
        return 0
    reference = facts["reference"]
    print_lines(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')} in {counted(facts['age_days'], 'day')}, as of "
        f"{when(facts['as_of'])} UTC, measured by {reference['source']} "
        f"({counted(reference['n_trades'], 'trade')} in {counted(reference['n_days'], 'day')}). "
        f"{left_out_words(facts['n_left_out'])}".rstrip(),
    )
    print_table(
        "Triggers",
        ["trigger", "Threshold", "False alarms a year", "finds", "state"],
        [_trigger(each) for each in facts["triggers"]],
    )
    lacks: dict[str, list[str]] = {}
    for each in facts["triggers"]:
        if each["lacks"]:
            lacks.setdefault(each["lacks"], []).append(each["name"])
    print_lines(*(f"No trigger {', '.join(names)}: {why}." for why, names in lacks.items()))
    if not all(each["lacks"] for each in facts["triggers"]):
        print_lines(
            "Threshold: the sum of what is worse than in the history that raises an alarm, in "
            "standard deviations of a trade. Median: when half of the changed runs are found."
        )
    raised = [(each["name"], alarm) for each in facts["triggers"] for alarm in each["alarms"]]
    raised.sort(key=lambda each: str(each[1]["at"]))
    print_lines(*(_alarm(*each) for each in raised))
    print_lines(*_bands(facts["bands"], facts["age_days"]))
    if facts["slippage"] is not None:
        print_lines(*_slippage(facts["slippage"]))
    return 0


def _trigger(row: Facts) -> list[str]:
    from freqtrade_mem0.lifecycle.drift.words import found_words

    if row["lacks"]:
        return [row["name"], "", "", "", "none"]
    goes_on = any(alarm["ended"] is None for alarm in row["alarms"])
    state = "alarm" if goes_on else "quiet" if not row["alarms"] else "quiet again"
    finds = found_words(row["name"], row["delay_days"], row["found_in_year"])
    rate = f"{row['false_alarms_per_year']:.2f}"
    return [row["name"], f"{row['threshold']:.1f}", rate, finds, state]


def _alarm(name: str, alarm: Facts) -> str:
    ended = "it goes on" if alarm["ended"] is None else f"it ended {when(alarm['ended'])}"
    return (
        f"{when(alarm['at'])} UTC, {name}: {alarm['text']}. Begun {when(alarm['began'])}; {ended}."
    )


def _bands(bands: Facts, age_days: int) -> list[str]:
    from freqtrade_mem0.lifecycle.drift.words import FIGURE_NAMES, figure

    if bands["lacks"]:
        return [f"No bands: {bands['lacks']}."]
    if not bands["figures"]:
        return ["No bands: the first day is not over."]
    rows: list[list[Any]] = []
    for row in bands["figures"]:
        name = row["name"]
        low, middle, high, value = (
            "-" if row[key] is None else figure(name, row[key])
            for key in ("low", "middle", "high", "value")
        )
        state = {True: "inside", False: "outside", None: "unknown"}[row["is_inside"]]
        rows.append([FIGURE_NAMES[name], value, f"{low} to {high}", middle, state])
    print_table(
        f"Bands (95%) of {counted(age_days, 'day')} of the backtest",
        ["figure", "Here", "Band", "Middle", "state"],
        rows,
    )
    left = bands["left"]
    if left is None:
        said = "It has not left its bands"
    else:
        said = f"{left['text'][0].upper()}{left['text'][1:]}"
    looks = bands["looks_at_days"]
    explained = (
        f"{said}. The alarm looks at {counted(len(looks), 'age')} from "
        f"{looks[0] if looks else 0} days on, and is raised once, so that "
        f"{bands['false_alarms_per_year']:.0%} of bots that are as their backtest are alarmed in "
        "their first year. A figure that is outside on one day is no alarm."
    )
    return [explained]


def _slippage(facts: Facts) -> list[str]:
    if not facts["entry"]["n"] and not facts["exit"]["n"]:
        return ["Slippage: no fill was seen with the rate of its order."]
    lines = []
    for name in ("entry", "exit", "both"):
        cost = facts[name]
        if cost["n"]:
            interval = (
                ""
                if cost["low_ratio"] is None
                else f" ({percent(cost['low_ratio'], 3)} to {percent(cost['high_ratio'], 3)})"
            )
            lines.append(
                f"Slippage, {name}: {percent(cost['mean_ratio'], 3)}{interval} of the rate, "
                f"{amount(cost['mean_abs'], 4, signed=True)} a trade and "
                f"{amount(cost['total_abs'], 4, signed=True)} in all in "
                f"{counted(cost['n'], 'trade')}; the backtest assumed none."
            )
    if facts["profit_ratio"] is not None:
        lines.append(
            f"The mean profit of these trades is {percent(facts['profit_ratio'], 3)}, with the "
            "slippage in it; a positive slippage is a cost."
        )
    return lines
