"""Prints the demo's results. Freqtrade's output and numbers are shown unchanged."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from freqtrade_mem0.decide import explain
from freqtrade_mem0.words.visible import visible, visible_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from freqtrade_mem0.demo.candle_choice import Candles
    from freqtrade_mem0.demo.freqtrade_run import Backtest, Metrics
    from freqtrade_mem0.journal.ledger_line import LedgerLine

    Counts = Mapping[tuple[str, str], int]

_BAR_CHARS = 40
_N_BINS = 5

_ROWS: tuple[tuple[str, Callable[[Metrics], str]], ...] = (
    ("trades", lambda m: f"{m.n_trades}"),
    ("total profit %", lambda m: f"{m.profit_ratio:+.2%}".removesuffix("%")),
    ("total profit {currency}", lambda m: f"{m.profit_quote:+.2f}"),
    ("Sharpe, of daily returns", lambda m: _ratio(m.daily_sharpe)),
    ("max drawdown %", lambda m: f"{m.max_drawdown_ratio:.2%}".removesuffix("%")),
    ("mean stake {currency}", lambda m: f"{m.mean_stake_quote:.2f}"),
    ("profit per 100 {currency} staked", lambda m: f"{_profit_per_100(m):+.3f}"),
)


def _rule(console: Console, title: str) -> None:
    console.rule(Text(title, style="bold"))


def show_candles(console: Console, candles: Candles) -> None:
    """Print which candles are used, and whether they are generated."""
    origin = "generated (seeded, not a real market)" if candles.generated else str(candles.datadir)
    within = "" if candles.timerange is None else f", {candles.timerange}"
    text = (
        f"Candles: {origin}; {', '.join(candles.pairs)}; {candles.timeframe}{within}; "
        f"{candles.n_candles:,} in all."
    )
    console.print(Text(visible(text)))


def show_backtest(console: Console, title: str, backtest: Backtest) -> None:
    """Print Freqtrade's own tables of a run."""
    _rule(console, f"{title} - Freqtrade's own output, {backtest.seconds:.0f} s")
    # `out` neither wraps lines nor interprets markup.
    console.out(backtest.tables.rstrip(), highlight=False)


def show_remembered(
    console: Console,
    journal: Counts,
    mem0: Counts,
    waiting: int,
) -> None:
    """Print the numbers of records by `(category, kind)`; `waiting` are not in Mem0 yet."""
    _rule(console, "What was remembered")
    table = Table("category", "kind")
    table.add_column("in the journal", justify="right")
    table.add_column("in Mem0", justify="right")
    for category, kind in sorted(journal):
        counts = journal[category, kind], mem0.get((category, kind), 0)
        table.add_row(category, kind, *map(str, counts))
    console.print(table)
    if waiting:
        console.print(f"{waiting} records are not delivered yet; the next run delivers them.")


def show_stakes(console: Console, lines: Sequence[LedgerLine]) -> None:
    """Print a histogram of the stake multipliers."""
    _rule(console, "Stake multipliers")
    multipliers = [line.decision.multiplier for line in lines]
    for label, count in histogram(multipliers):
        bar = "#" * round(_BAR_CHARS * count / len(multipliers))
        console.out(f"  {label:>14}  {bar:<{_BAR_CHARS}} {count}", highlight=False)
    console.print(
        "Stakes move little: memory is not followed in its first weeks, and then only as far as it "
        "has earned it. What its account can lose has a floor (docs/concepts/floor.md)."
    )


def histogram(multipliers: Sequence[float], n_bins: int = _N_BINS) -> list[tuple[str, int]]:
    """Return `(label, count)`: bins of reduced stakes, then unchanged, then raised stakes.

    >>> histogram([0.5, 0.9, 1.0, 1.4, 1.4], n_bins=1)
    [('x0.50 to x1.00', 2), ('x1 (neutral)', 1), ('x1.00 to x1.40', 2)]
    """
    cut = [m for m in multipliers if m < 1.0]
    raised = [m for m in multipliers if m > 1.0]
    neutral = len(multipliers) - len(cut) - len(raised)
    below = _bins(cut, min(cut), 1.0, n_bins) if cut else []
    above = _bins(raised, 1.0, max(raised), n_bins) if raised else []
    return [*below, ("x1 (neutral)", neutral), *above]


def _bins(values: Sequence[float], low: float, high: float, n_bins: int) -> list[tuple[str, int]]:
    width = (high - low) / n_bins
    counts = Counter(min(int((value - low) / width), n_bins - 1) for value in values)
    edges = [low + width * number for number in range(n_bins + 1)]
    labels = [f"x{a:.2f} to x{b:.2f}" for a, b in pairwise(edges)]
    return [(label, counts[number]) for number, label in enumerate(labels)]


def examples(lines: Sequence[LedgerLine]) -> dict[str, LedgerLine]:
    """Choose decisions to show: the smallest and the largest multiplier, the first neutral one.

    Among multipliers that look alike, the one with the most evidence is chosen.
    """
    chosen: dict[str, LedgerLine] = {}
    closed = [line for line in lines if line.trade is not None]
    if not closed:
        return chosen
    lowest = min(closed, key=lambda line: _rank(line, 1.0))
    highest = min(closed, key=lambda line: _rank(line, -1.0))
    if lowest.decision.multiplier < 1.0:
        chosen["The smallest stake multiplier"] = lowest
    if highest.decision.multiplier > 1.0:
        chosen["The largest stake multiplier"] = highest
    neutral = next((line for line in closed if line.decision.multiplier == 1.0), None)
    if neutral is not None:
        chosen["An unchanged stake"] = neutral
    return chosen


def _rank(line: LedgerLine, sign: float) -> tuple[float, float]:
    return sign * round(line.decision.multiplier, 2), -line.decision.n_effective


def show_examples(console: Console, chosen: Mapping[str, LedgerLine]) -> None:
    """Print decisions with their explanations."""
    _rule(console, "Decisions explained")
    for title, line in chosen.items():
        console.print(Text(title, style="bold"))
        console.out(visible_lines(explain.why(line)), highlight=False)
        console.print()


def show_comparison(
    console: Console, without: Metrics, with_memory: Metrics, *, currency: str, generated: bool
) -> None:
    """Print both runs side by side, and what the comparison does not show."""
    _rule(console, "Without and with memory")
    table = Table("")
    table.add_column("without", justify="right")
    table.add_column("with memory", justify="right")
    for name, shown in _ROWS:
        table.add_row(
            Text(visible(name.format(currency=currency))), shown(without), shown(with_memory)
        )
    console.print(table)
    console.print(
        "A smaller mean stake alone can explain a smaller drawdown, and a larger one a larger "
        "profit; the last row does not depend on the mean stake."
    )
    console.print(
        "The generated candles repeat their regimes, so there is something to learn; a real market "
        "need not do so. This shows how memory works, not that it is profitable."
        if generated
        else "This is one strategy in one past period. It shows how memory works, not that it is "
        "profitable."
    )


def show_commands(console: Console, config: Path, trade_id: str) -> None:
    """Print three commands to try next."""
    _rule(console, "Try next")
    quoted = shlex.quote(str(config))
    program = _program()
    for command, meaning in (
        (f"{program} why {trade_id} -c {quoted}", "explains this stake"),
        (f"{program} insights -c {quoted}", "statistics of pairs, tags and regimes"),
        (f"{program} ledger -c {quoted}", "every stake, without and with memory"),
    ):
        console.out(f"  {command}", highlight=False)
        console.out(f"      {meaning}", highlight=False)


def _program() -> str:
    """Return the command of this program, with its path if it is not on PATH."""
    if shutil.which("freqtrade-mem0"):
        return "freqtrade-mem0"
    if Path(sys.argv[0]).name == "freqtrade-mem0":
        return shlex.quote(sys.argv[0])
    return f"{shlex.quote(sys.executable)} -m freqtrade_mem0.cli.main"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _profit_per_100(metrics: Metrics) -> float:
    staked = metrics.n_trades * metrics.mean_stake_quote
    return 100.0 * metrics.profit_quote / staked if staked else 0.0
