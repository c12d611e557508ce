"""The comparison as one HTML file: no script, nothing from elsewhere, readable on a phone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from freqtrade_mem0 import __version__
from freqtrade_mem0.compare.report.charts import Label, Series, as_number, as_percent, chart, legend
from freqtrade_mem0.compare.report.style import CSS, READING
from freqtrade_mem0.compare.report.tables import Table, random_sizing, summary_table, tables
from freqtrade_mem0.compare.statistics.returns import daily, drawdown, equity
from freqtrade_mem0.compare.verdict import Finding, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.compare.comparison import Comparison

_N_DATES = 4
_Z95 = 1.959963984540054
_OPEN = 2
"""So many tables are shown at once, the others when they are asked for."""


def report(comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> str:
    """Return the report as an HTML page.

    Parameters
    ----------
    comparisons
        At least one.
    notes
        Sentences on the settings.
    """
    names = ", ".join(c.strategy for c in comparisons)
    parts = [f"<h1>With and without memory</h1><p class=sub>{escape(names)}</p>"]
    if len(comparisons) > 1:
        parts.append(_table(summary_table(comparisons)))
    parts += [_strategy(c) for c in comparisons]
    parts += [f"<p class=note>{escape(note)}</p>" for note in notes]
    parts.append(READING)
    parts.append(f"<footer>freqtrade_mem0 {escape(__version__)}</footer>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Memory compared: {escape(names)}</title><style>{CSS}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


_TONES = {Finding.HELPED: "good", Finding.HURT: "bad"}


def _strategy(c: Comparison) -> str:
    said = verdict(c)
    shown = [_table(table) for table in tables(c)]
    random = f"<p>{escape(random_sizing(c))}</p>" if c.shifts is not None else ""
    more = "".join(shown[_OPEN:])
    return (
        f"<section><h2>{escape(c.strategy)}</h2>"
        f"<p class=sub>{c.without.start:%Y-%m-%d} to {c.without.end:%Y-%m-%d}, candles of "
        f"{escape(c.without.timeframe)}. {c.n_common:,} trades are in both runs; memory changed "
        f"the stake of {c.n_changed:,}.</p>"
        f'<p class="verdict {_TONES.get(said.finding, "open")}">{escape(said.sentence)}</p>'
        f"{shown[0] if shown else ''}{random}"
        f'<div class="charts">{"".join(_charts(c))}</div>'
        f"{shown[1] if len(shown) > 1 else ''}"
        f"{f'<details><summary>More tables</summary>{more}</details>' if more else ''}</section>"
    )


def _charts(c: Comparison) -> list[str]:
    if not c.figures_without.n_trades and not c.figures_with.n_trades:
        return []
    before, after = daily(c.without), daily(c.remembered)
    n = len(before.returns)
    dates = [round(number * (n - 1) / (_N_DATES - 1)) for number in range(_N_DATES)]

    def day(number: float, _step: float) -> str:
        return f"{before.first + timedelta(days=round(number)):%Y-%m-%d}"

    def lines(of: list[list[float]]) -> list[Series]:
        return [
            Series(name=name, style=style, points=list(enumerate(values)))
            for name, style, values in zip(
                ("without memory", "with memory"), ("without", "with"), of, strict=True
            )
        ]

    runs = (before.returns, after.returns)
    balance = lines([equity(returns).tolist() for returns in runs])
    if c.exposure_ratio:
        scaled = equity(after.returns / c.exposure_ratio).tolist()
        name = "with memory, at equal exposure"
        balance.append(Series(name=name, style="scaled", points=list(enumerate(scaled))))
    losses = lines([(-drawdown(returns)).tolist() for returns in runs])
    sized = _multipliers(c, before.first)
    found = [
        _figure("Balance (start = 1)", balance, day, as_number, dates),
        _figure("Below the highest balance so far", losses, day, as_percent, dates),
        _figure("Stake over proposed stake, by trade", sized, day, as_number, dates),
    ]
    if c.calibration is not None:
        title, shown = "Mean outcome by expected profit", as_percent
        if not c.forecast_is_ratio:
            title, shown = "Mean outcome by multiplier - 1", as_number
        found.append(_figure(title, _calibrated(c), shown, as_percent, None))
    return found


def _figure(
    title: str,
    series: Sequence[Series],
    x_label: Label,
    y_label: Label,
    x_ticks: Sequence[float] | None,
) -> str:
    drawn = chart(title, series, x_label=x_label, y_label=y_label, x_ticks=x_ticks)
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>{drawn}"
        f"<div class=legend>{legend(series)}</div></figure>"
    )


def _multipliers(c: Comparison, first: date) -> list[Series]:
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    points = [
        ((trade.open_date - midnight) / timedelta(days=1), trade.multiplier)
        for trade in c.remembered.trades
    ]
    if not points:
        return []
    level = [(0.0, 1.0), (max(x for x, _ in points), 1.0)]
    return [
        Series(name="as proposed", style="guide", points=level),
        Series(name="with memory", style="with", points=points, is_line=False),
    ]


def _calibrated(c: Comparison) -> list[Series]:
    found = c.calibration
    if found is None:
        return []
    points = [(part.forecast, part.outcome) for part in found.bins]
    dots = Series(
        name="fifths of the trades, 95 % bars",
        style="with",
        points=points,
        is_line=False,
        errors=[_Z95 * part.standard_error for part in found.bins],
    )
    ends = (points[0][0], points[-1][0])
    if not c.forecast_is_ratio:
        return [Series(name="no profit", style="guide", points=[(x, 0.0) for x in ends]), dots]
    return [Series(name="as expected", style="guide", points=[(x, x) for x in ends]), dots]


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    caption = f"<p class=note>{escape(table.caption)}</p>" if table.caption else ""
    return (
        f"<h3>{escape(table.title)}</h3><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{caption}"
    )
