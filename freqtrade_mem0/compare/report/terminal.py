"""Prints comparisons on a terminal: tables first, the verdict last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich import box
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from freqtrade_mem0.compare.report.chance import chance_in_words
from freqtrade_mem0.compare.report.tables import summary_table, tables
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from freqtrade_mem0.compare.comparison import Comparison
    from freqtrade_mem0.compare.report import tables as text

_N_ROWS = 12
_N_WARNINGS = 3
_ENDLESS = 10_000
"""Wider than any table, in characters."""
_COMMON = re.compile(r"data starts at|Moving start-date")
"""Freqtrade gives these warnings in nearly every backtest."""


def show(
    console: Console,
    comparisons: Sequence[Comparison],
    notes: Sequence[str],
    warnings: Mapping[str, Sequence[str]],
) -> None:
    """Print all comparisons, with a summary if there are several; `warnings` are by strategy."""
    for comparison in comparisons:
        _show_one(console, comparison, warnings.get(comparison.strategy, ()))
    if len(comparisons) > 1:
        console.rule(_as_text("All strategies", style="bold"))
        _print(console, summary_table(comparisons))
        for comparison in comparisons:
            console.print(_as_text(f"{comparison.strategy}: {verdict(comparison).sentence}"))
    for note in notes:
        console.print(_as_text(f"Note: {note}", style="dim"))


def _show_one(console: Console, c: Comparison, warnings: Sequence[str]) -> None:
    console.rule(_as_text(c.strategy, style="bold"))
    ran = (
        f"{c.without.start:%Y-%m-%d %H:%M} to {c.without.end:%Y-%m-%d %H:%M}, "
        f"{c.without.timeframe} candles. {c.n_common:,} trades are in both runs, "
        f"{len(c.only_without):,} only without memory, {len(c.only_with):,} only with it; memory "
        f"changed the stakes of {c.n_changed:,}. The backtests took {c.without.seconds:.0f} s "
        f"without and {c.remembered.seconds:.0f} s with memory."
    )
    console.print(_as_text(ran))
    for table in tables(c):
        _print(console, table)
    for words in chance_in_words(c):
        console.print(_as_text(words))
    unusual = [warning for warning in warnings if not _COMMON.search(warning)]
    for warning in unusual[:_N_WARNINGS]:
        console.print(_as_text(f"Freqtrade: {warning}", style="dim"))
    if len(unusual) > _N_WARNINGS:
        console.print(f"... and {len(unusual) - _N_WARNINGS} more; see --json.", style="dim")
    console.print(_as_text(verdict(c).sentence, style="bold"), end="\n\n")


def _print(console: Console, shown: text.Table) -> None:
    """Print a table, without columns that can be spared where it is too wide."""
    endless = console.options.update(max_width=_ENDLESS)
    for n_left_out in range(len(shown.spare) + 1):
        table = _table(shown, shown.spare[:n_left_out])
        if Measurement.get(console, endless, table).maximum <= console.width:
            break
    console.print(table)


def _table(shown: text.Table, without: Sequence[str]) -> Table:
    left_out = len(shown.rows) - _N_ROWS if shown.columns[0] in {"pair", "regime"} else 0
    caption = (
        f"{shown.caption} {left_out} more rows with --html." if left_out > 0 else shown.caption
    )
    table = Table(
        title=_as_text(shown.title, style="bold"),
        title_justify="left",
        title_style="",
        caption=_as_text(caption, style="dim italic"),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    places = [number for number, name in enumerate(shown.columns) if name not in without]
    for number in places:
        table.add_column(_as_text(shown.columns[number]), justify="right" if number else "left")
    for row in shown.rows[:_N_ROWS] if left_out > 0 else shown.rows:
        table.add_row(*[_as_text(row[number]) for number in places])
    return table


def _as_text(text: str, style: str = "") -> Text:
    """Return a text that Rich shows as it is: no markup, no emoji, control characters as codes."""
    return Text(visible(text), style=style)
