"""The HTML page and its charts: complete, self-contained, safe to open, readable on a phone."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import pytest
from markupsafe import escape

from freqtrade_mem0.compare.comparison import Comparison, adjusted, compare
from freqtrade_mem0.compare.report.charts import (
    HEIGHT,
    WIDTH,
    Series,
    as_number,
    as_percent,
    draw,
    thinned,
    ticks,
)
from freqtrade_mem0.compare.report.page import report
from freqtrade_mem0.compare.report.tables import tables
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.words.visible import visible
from tests.support.hostile_text import CONTROLS, HOSTILE_TEXTS
from tests.unit.compare.made_runs import a_run, a_trade, two_runs

VOID = {"meta"}


class Outline(HTMLParser):
    """Checks that what is opened is closed, and keeps the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that has to be closed."""
        del attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Pass over an element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        """Check that it is the last one opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def outline(page: str) -> Outline:
    """Return a page as read by a parser, all of whose elements were closed."""
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_report_is_one_file_with_everything(plain: Comparison) -> None:
    """It has verdicts, tables and four charts per strategy, and needs nothing from elsewhere."""
    comparisons = adjusted([plain, compare("Second", *two_runs(2))])
    page = report(comparisons, ["A note."])
    text = outline(page).text

    for c in comparisons:
        assert verdict(c).sentence in text
    for word in (
        "A note.",
        "All strategies",
        "Drawdown",
        "Stake multiplier by trade",
        "quintile 1",
    ):
        assert word in text
    assert page.count("<svg") == 8
    assert re.findall(r"(?:src|href|url|@import)\s*[=(:]", page) == []
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page
    assert len(page) < 200_000


def test_on_a_phone_no_table_hides_its_difference(plain: Comparison) -> None:
    """Intervals may wrap below their value; rows of wide tables become lists with their columns."""
    page = report(adjusted([plain, replace(plain, strategy="Second")]))
    tables_of_page = re.findall(r"<table(.*?)>(.*?)</table>", page, flags=re.DOTALL)
    with_interval = [found for found in tables_of_page if 'class="interval"' in found[1]]

    assert "@media (max-width: 640px)" in page
    assert len(with_interval) >= 6
    for attributes, rows in with_interval:
        n_columns = rows.count("<th ")
        assert ("stacked" in attributes) is (n_columns > 6)
        assert 'data-column="difference (95%)"' in rows


def test_templates_are_files_of_the_package(pytestconfig: pytest.Config) -> None:
    """They are found as resources, and the wheel takes every file of the package."""
    folder = resources.files("freqtrade_mem0.compare.report") / "templates"
    names = {file.name for file in folder.iterdir()}
    settings = tomllib.loads((pytestconfig.rootpath / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert {"page.html.j2", "table.html.j2", "chart.svg.j2", "style.css"} <= names
    assert wheel == {"packages": ["freqtrade_mem0"]}


@pytest.mark.parametrize("trades", [[], [a_trade(3.0)]], ids=["none", "one"])
def test_report_of_next_to_nothing(trades: list[object]) -> None:
    """No trade or one: the page is whole and says so."""
    run = a_run(trades)  # type: ignore[arg-type]
    c = compare("S", run, run)

    assert verdict(c).sentence in outline(report([c])).text


def test_names_can_not_break_the_page(plain: Comparison) -> None:
    """Markup in a tag, a strategy's name or a note is shown as text."""
    nasty = '<script>alert("x")</script>&amp;'
    sized = tuple(
        replace(trade, enter_tag=nasty if number % 2 else "dip")
        for number, trade in enumerate(plain.remembered.trades)
    )
    c = compare(nasty, plain.without, replace(plain.remembered, trades=sized))
    page = report([c], [nasty])

    assert "<script" not in page
    assert outline(page).text.count(nasty) == 5


def test_charts_are_inside_their_frame() -> None:
    """Every point lies within the view; series without points are left out."""
    points = [(float(x), (-1.0) ** x * x) for x in range(50)]
    empty = Series(name="b", style="without", points=[])
    drawing = draw(
        "title",
        [Series(name="a", style="with", points=points), empty],
        x_label=as_number,
        y_label=as_percent,
    )
    assert drawing is not None
    ((classes, path),) = drawing.paths
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]

    assert classes == "line with"
    assert [series.name for series in drawing.legend] == ["a"]
    assert all(0.0 <= x <= WIDTH for x in numbers[::2])
    assert all(0.0 <= y <= HEIGHT for y in numbers[1::2])


def test_a_chart_without_points_is_left_out() -> None:
    """A single point or a flat line is drawn."""
    empty = Series(name="a", style="with", points=[])
    flat = replace(empty, points=[(0.0, 1.0), (1.0, 1.0)])

    assert draw("t", [empty], x_label=as_number, y_label=as_number) is None
    assert draw("t", [flat], x_label=as_number, y_label=as_number) is not None


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.0037, 0.0004), (990.0, 1010.0)])
def test_ticks_are_round_inside_and_told_apart(low: float, high: float) -> None:
    """Between three and seven of them, evenly spaced, no two with the same label."""
    found = ticks(low, high)
    step = found[1] - found[0]

    assert 3 <= len(found) <= 7
    assert low - 1e-9 <= found[0]
    assert found[-1] <= high + 1e-9
    assert len({as_number(value, step) for value in found}) == len(found)
    assert len({as_percent(value, step) for value in found}) == len(found)


def test_thinning_keeps_peaks_and_ends() -> None:
    """Thousands of points become hundreds; the highest and lowest stay."""
    points = [(float(x), float((x * 7919) % 4001)) for x in range(4_001)]
    kept = thinned(points)

    assert len(kept) < 700
    assert {points[0], points[-1], max(points, key=lambda p: p[1])} <= set(kept)
    assert kept == sorted(kept)


def test_tables_are_rectangular(plain: Comparison) -> None:
    """Every row has a cell for each column, in every table."""
    for table in tables(plain):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_hostile_texts_are_shown_as_they_are(plain: Comparison) -> None:
    """The page has each tag and note as text, with its control characters as codes."""
    texts = [text for text in HOSTILE_TEXTS if len(text) < 100]
    for first in range(0, len(texts), 6):
        some = [*texts[first : first + 6], "dip"]
        runs = [
            replace(
                run,
                trades=tuple(
                    replace(t, enter_tag=some[n % len(some)]) for n, t in enumerate(run.trades)
                ),
            )
            for run in (plain.without, plain.remembered)
        ]
        page = report([compare("S", *runs)], some)
        assert not CONTROLS - {"\n"} & set(page)
        assert "<script" not in page
        for text in some:
            assert page.count(str(escape(visible(text)))) > 1
