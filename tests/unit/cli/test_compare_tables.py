"""What the command prints: verdict last, every strategy, names as they are."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from freqtrade_mem0.compare.comparison import adjusted, compare
from freqtrade_mem0.compare.report.terminal import show
from freqtrade_mem0.compare.verdict import verdict
from tests.unit.compare.made_runs import a_run, two_runs


def printed(width: int, *args: object) -> str:
    """Return what is printed on a terminal of this width."""
    console = Console(file=io.StringIO(), width=width)
    show(console, *args)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 160])
def test_everything_is_printed_and_the_verdict_comes_last(width: int) -> None:
    """Tables, null, what Freqtrade warned of, verdict, notes; nothing is wider than the screen."""
    c = compare("MyStrategy", *two_runs(1))
    text = printed(width, [c], ["A note."], {"MyStrategy": ["BTC data starts at 1970", "Mind!"]})
    lines = text.splitlines()

    for part in ("Sharpe", "2024-01", "BTC/USDT", "volatile", "as expected?", "total_trades"):
        assert part in text
    assert "Random sizing of the same shape" in text
    assert "Freqtrade: Mind!" in text
    assert "1970" not in text
    assert " ".join(text.split()).endswith(f"{verdict(c).sentence} Note: A note.")
    assert max(map(len, lines)) <= width


def test_several_strategies_end_with_a_summary() -> None:
    """One row each, and each verdict once more."""
    comparisons = adjusted([compare("First", *two_runs(1)), compare("Idle", a_run([]), a_run([]))])
    _, _, summary = printed(160, comparisons, [], {}).partition("All strategies")

    assert "not shown" in summary
    assert "no trades" in summary
    assert "First: Over 360 trades" in summary


def test_tags_in_brackets_are_text() -> None:
    """A tag that looks like markup neither vanishes nor breaks the output."""
    without, remembered = two_runs(2)
    tags = ("[red]", "[/]")
    runs = [
        replace(
            run, trades=tuple(replace(t, enter_tag=tags[n % 2]) for n, t in enumerate(run.trades))
        )
        for run in (without, remembered)
    ]
    text = printed(160, [compare("S", *runs)], [], {})

    assert "[red]" in text
    assert "[/]" in text
