"""What the command prints: every strategy, its tables and its verdict."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from freqtrade_mem0.compare.comparison import Comparison, adjusted, compare
from freqtrade_mem0.compare.report.as_json import as_json
from freqtrade_mem0.compare.report.terminal import show
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.words.visible import strict_json, visible
from tests.support.hostile_text import CONTROLS, HOSTILE_TEXTS
from tests.unit.compare.made_runs import a_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.compare.trades import Run


def printed(width: int, *args: object) -> str:
    """Return what is printed on a terminal of this width."""
    console = Console(file=io.StringIO(), width=width)
    show(console, *args)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def tagged(run: Run, tags: Sequence[str]) -> Run:
    """Return a run whose trades have these enter tags in turn."""
    trades = [replace(t, enter_tag=tags[n % len(tags)]) for n, t in enumerate(run.trades)]
    return replace(run, trades=tuple(trades))


@pytest.mark.parametrize("width", [80, 160])
def test_everything_is_printed_and_the_verdict_comes_last(plain: Comparison, width: int) -> None:
    """Tables, tests, Freqtrade's warnings, verdict, notes; nothing is wider than the screen."""
    text = printed(width, [plain], ["A note."], {"S": ["BTC data starts at 1970", "Mind!"]})
    lines = text.splitlines()

    for part in ("Sharpe", "2024-01", "BTC/USDT", "volatile", "quintile 5", "total_trades"):
        assert part in text
    assert "Random sizing: the same multipliers" in text
    assert "Freqtrade: Mind!" in text
    assert "1970" not in text
    assert " ".join(text.split()).endswith(f"{verdict(plain).sentence} Note: A note.")
    assert max(map(len, lines)) <= width


def test_a_narrow_terminal_leaves_columns_out_before_it_breaks_words(plain: Comparison) -> None:
    """The strategy, its Sharpe ratios, their difference and the finding stay."""
    comparisons = adjusted([plain, replace(plain, strategy="AnotherStrategy")])
    wide, narrow = (
        printed(width, comparisons, [], {}).partition("All strategies")[2] for width in (160, 80)
    )

    assert "B.-Hochberg" in wide.splitlines()[3]
    assert "B.-Hochberg" not in narrow.partition("Random as good")[0]
    row = next(line for line in narrow.splitlines() if "AnotherStrategy" in line)
    assert "->" in row
    assert "not shown" in row
    assert "…" not in narrow


def test_several_strategies_end_with_a_summary(plain: Comparison) -> None:
    """One row for each, and each verdict again."""
    comparisons = adjusted([plain, compare("Idle", a_run([]), a_run([]))])
    _, _, summary = printed(160, comparisons, [], {}).partition("All strategies")

    assert "not shown" in summary
    assert "no trades" in summary
    assert "S: Over 360 trades" in summary


def test_tags_in_brackets_are_text(plain: Comparison) -> None:
    """A tag that looks like markup is printed as it is."""
    tags = ("[red]", "[/]")
    runs = [
        replace(
            run, trades=tuple(replace(t, enter_tag=tags[n % 2]) for n, t in enumerate(run.trades))
        )
        for run in (plain.without, plain.remembered)
    ]
    text = printed(160, [compare("S", *runs)], [], {})

    assert "[red]" in text
    assert "[/]" in text


def test_hostile_texts_are_printed_as_they_are(plain: Comparison) -> None:
    """Tags, warnings and notes: no markup, no emoji, no control character reaches the terminal."""
    texts = [text for text in HOSTILE_TEXTS if len(text) < 100]
    for first in range(0, len(texts), 6):
        some = [*texts[first : first + 6], "dip"]
        runs = [tagged(run, some) for run in (plain.without, plain.remembered)]
        name = some[0]
        runs = [replace(run, stake_currency=some[0], timeframe=some[-1]) for run in runs]
        c = compare(name, *runs)
        shown = printed(400, [c, replace(c, strategy="S")], some, {name: some[:3]})
        assert not CONTROLS - {"\n"} & set(shown)
        for text in some:
            assert f"Note: {visible(text)}".rstrip() in shown
            assert shown.count(visible(text)) > 1


def test_hostile_texts_are_in_the_json_as_they_are(plain: Comparison) -> None:
    """A program reads each tag, name and currency; a person sees no control character."""
    texts = [*(text for text in HOSTILE_TEXTS if len(text) < 100), "dip"]
    runs = [tagged(run, texts) for run in (plain.without, plain.remembered)]
    runs = [replace(run, stake_currency=texts[0], timeframe=texts[1]) for run in runs]
    compared = compare("S", *runs)
    for name in texts:
        said = strict_json(as_json(replace(compared, strategy=name)))
        assert not CONTROLS - {"\n"} & set(said)
        read = json.loads(said)
        assert (read["strategy"], read["stake_currency"], read["timeframe"]) == (name, *texts[:2])
        assert {group["name"] for group in read["enter_tags"]} <= {*texts, "(all others)"}
        assert len(read["enter_tags"]) > 1
