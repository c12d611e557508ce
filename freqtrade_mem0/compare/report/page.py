"""The comparison as one HTML file: no script, no file or font from elsewhere, fit for a phone.

The page itself is `templates/page.html.j2`; this module computes what it shows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.report.chance import chance_in_words
from freqtrade_mem0.compare.report.charts import Drawing, Series, as_number, as_percent, draw
from freqtrade_mem0.compare.report.pages import page_of
from freqtrade_mem0.compare.report.tables import Z95, summary_table, tables
from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.worth.daily import drawdown, equity
from freqtrade_mem0.worth.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.compare.comparison import Comparison
    from freqtrade_mem0.compare.report.charts import Label
    from freqtrade_mem0.compare.statistics.calibration import Calibration
    from freqtrade_mem0.worth.daily import Daily

_N_DATES = 4
_TONES = {Finding.HELPED: "good", Finding.HURT: "bad"}


def report(comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> str:
    """Return the report as an HTML page.

    Parameters
    ----------
    comparisons
        At least one.
    notes
        Sentences on the settings.
    """
    return page_of(
        "freqtrade_mem0.compare.report",
        "page.html.j2",
        strategies=[_strategy(c) for c in comparisons],
        summary=summary_table(comparisons) if len(comparisons) > 1 else None,
        notes=notes,
    )


def _strategy(c: Comparison) -> dict[str, Any]:
    said = verdict(c)
    return {
        "name": c.strategy,
        "comparison": c,
        "verdict": said.sentence,
        "tone": _TONES.get(said.finding, "open"),
        "chance": chance_in_words(c),
        "tables": tables(c),
        "n_open": 3 if c.stresses else 2,
        "charts": [chart for chart in _charts(c) if chart is not None] if c.has_trades else [],
    }


def _charts(c: Comparison) -> list[Drawing | None]:
    before, after = daily(c.without), daily(c.remembered)
    last = len(before.returns) - 1
    dates = [round(number * last / (_N_DATES - 1)) for number in range(_N_DATES)]

    def day(number: float, _step: float) -> str:
        return f"{before.first + timedelta(days=round(number)):%Y-%m-%d}"

    def over_time(title: str, series: Sequence[Series], y_label: Label) -> Drawing | None:
        return draw(title, series, x_label=day, y_label=y_label, x_ticks=dates)

    losses = [_line(*run, -drawdown(days.returns)) for run, days in _runs(before, after)]
    return [
        over_time("Balance (start = 1)", _balances(c, before, after), as_number),
        over_time("Drawdown", losses, as_percent),
        over_time("Stake multiplier by trade", _multipliers(c), as_number),
        None if c.calibration is None else _calibration_chart(c.calibration, c.forecast_is_ratio),
    ]


def _runs(before: Daily, after: Daily) -> list[tuple[tuple[str, str], Daily]]:
    """Return name and style of both runs, with their days."""
    return [(("without memory", "without"), before), (("with memory", "with"), after)]


def _line(name: str, style: str, values: Any) -> Series:
    return Series(name=name, style=style, points=list(enumerate(values.tolist())))


def _balances(c: Comparison, before: Daily, after: Daily) -> list[Series]:
    lines = [_line(*run, equity(days.returns)) for run, days in _runs(before, after)]
    if c.exposure_ratio:
        scaled = equity(after.returns / c.exposure_ratio)
        lines.append(_line("with memory, at equal exposure", "scaled", scaled))
    return lines


def _multipliers(c: Comparison) -> list[Series]:
    first = c.without.start.date()
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


def _calibration_chart(calibration: Calibration, is_ratio: bool) -> Drawing | None:
    points = [(part.forecast, part.outcome) for part in calibration.bins]
    ends = points[0][0], points[-1][0]
    if is_ratio:
        title, x_label = "Mean outcome by expected profit", as_percent
        guide = Series(name="as expected", style="guide", points=[(x, x) for x in ends])
    else:
        title, x_label = "Mean outcome by stake multiplier - 1", as_number
        guide = Series(name="no profit", style="guide", points=[(x, 0.0) for x in ends])
    dots = Series(
        name="quintiles of the trades, 95% bars",
        style="with",
        points=points,
        is_line=False,
        errors=[Z95 * part.standard_error for part in calibration.bins],
    )
    return draw(title, [guide, dots], x_label=x_label, y_label=as_percent)
