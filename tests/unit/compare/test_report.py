"""The HTML report and its plots: whole, self-contained, safe to open."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from freqtrade_mem0.compare.comparison import adjusted, compare
from freqtrade_mem0.compare.report.charts import (
    Series,
    as_number,
    as_percent,
    chart,
    thinned,
    ticks,
)
from freqtrade_mem0.compare.report.page import report
from freqtrade_mem0.compare.report.tables import tables
from freqtrade_mem0.compare.verdict import verdict
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


def test_report_is_one_file_with_everything() -> None:
    """It has verdicts, tables and four plots a strategy, and needs nothing from elsewhere."""
    comparisons = adjusted([compare(f"Strategy{n}", *two_runs(n)) for n in (1, 2)])
    page = report(comparisons, ["A note."])
    text = outline(page).text

    for c in comparisons:
        assert verdict(c).sentence in text
    assert page.count("<svg") == 8
    assert "A note." in text
    assert "All strategies" in text
    assert re.findall(r"(?:src|href|url|@import)\s*[=(:]", page) == []
    assert "<script" not in page
    assert "prefers-color-scheme:dark" in page
    assert 'name="viewport"' in page
    assert len(page) < 200_000


@pytest.mark.parametrize("trades", [[], [a_trade(3.0)]], ids=["none", "one"])
def test_report_of_next_to_nothing(trades: list[object]) -> None:
    """No trade or one: the page is whole and says so."""
    run = a_run(trades)  # type: ignore[arg-type]
    c = compare("S", run, run)

    assert verdict(c).sentence in outline(report([c])).text


def test_names_can_not_break_the_page() -> None:
    """A tag with markup in it is shown as text."""
    without, remembered = two_runs(3)
    nasty = '<script>alert("x")</script>&amp;'
    sized = tuple(
        replace(trade, enter_tag=nasty if number % 2 else "dip")
        for number, trade in enumerate(remembered.trades)
    )
    page = report([compare("S", without, replace(remembered, trades=sized))])

    assert "<script" not in page
    assert nasty in outline(page).text


def test_charts_are_well_formed_and_inside_their_frame() -> None:
    """Every point lies within the view; the parser of XML takes it."""
    points = [(float(x), (-1.0) ** x * x) for x in range(50)]
    drawn = chart(
        'a "title" & more',
        [Series(name="a", style="with", points=points)],
        x_label=as_number,
        y_label=as_percent,
    )
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    (line,) = [path for path in root if path.attrib.get("class") == "line with"]
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.attrib["d"])]

    assert all(0.0 <= x <= width for x in numbers[::2])
    assert all(0.0 <= y <= height for y in numbers[1::2])
    assert root.attrib["aria-label"] == 'a "title" & more'


def test_a_chart_of_nothing_is_nothing() -> None:
    """No points, no drawing; a single point or a flat line is drawn all the same."""
    empty = Series(name="a", style="with", points=[])
    flat = replace(empty, points=[(0.0, 1.0), (1.0, 1.0)])

    assert chart("t", [empty], x_label=as_number, y_label=as_number) == ""
    assert "<path" in chart("t", [flat], x_label=as_number, y_label=as_number)


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


def test_tables_are_rectangular() -> None:
    """Every row has a cell for each column, in every table."""
    for table in tables(compare("S", *two_runs(4))):
        assert {len(row) for row in table.rows} == {len(table.columns)}
