"""A comparison as tables of text, for the terminal and the report alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.statistics.returns import DAYS_PER_YEAR
from freqtrade_mem0.compare.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.compare.comparison import Comparison, Figures
    from freqtrade_mem0.compare.statistics.bootstrap import Estimate
    from freqtrade_mem0.compare.statistics.groups import Group

_Z95 = 1.959963984540054
_RATIOS = ("profit_total", "cagr", "winrate", "max_drawdown_account", "market_change")
_COUNTS = ("total_trades", "rejected_signals")
_PENALISED, _PENALTY = ("sharpe", "sortino", "calmar", "sqn"), -100.0
"""Freqtrade's way to say that a ratio does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Text in rows and columns.

    Parameters
    ----------
    title
        What it shows.
    columns
        Their heads; the first is text, the others are numbers.
    rows
        Each as long as `columns`.
    caption
        What to know when reading it, "" for nothing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


def tables(c: Comparison) -> list[Table]:
    """Return all tables of a comparison, the most important first; none without trades."""
    if not c.figures_without.n_trades and not c.figures_with.n_trades:
        return []
    groups = [
        group_table(name, found)
        for name, found in (("pair", c.pairs), ("regime", c.regimes), ("enter tag", c.tags))
        if len(found) > 1
    ]
    calibrated = [] if c.calibration is None else [_calibration_table(c)]
    return [_figures_table(c), _periods_table(c), *groups, *calibrated, _freqtrade_table(c)]


def summary_table(comparisons: Sequence[Comparison]) -> Table:
    """Return one row for each strategy."""
    return Table(
        title="All strategies",
        columns=(
            "strategy",
            "trades",
            "Sharpe without",
            "with",
            "difference (95 %)",
            "exposure",
            "random as good",
            "Holm",
            "B.-Hochberg",
            "finding",
        ),
        rows=tuple(
            (
                c.strategy,
                _count(c.figures_with.n_trades),
                plain(c.figures_without.sharpe),
                plain(c.figures_with.sharpe),
                with_interval(c.sharpe_difference, plain),
                _times(c.exposure_ratio),
                percent(None if c.shifts is None else c.shifts.p_as_good),
                percent(c.p_holm),
                percent(c.p_bh),
                verdict(c).finding.replace("_", " "),
            )
            for c in comparisons
        ),
        caption="Holm, B.-Hochberg: how often a random sizing does as well, corrected for the "
        "number of strategies (for any false claim; for the share of false claims).",
    )


def group_table(name: str, groups: Sequence[Group]) -> Table:
    """Return the table of one way to tell trades apart."""
    return Table(
        title=f"By {name}",
        columns=(
            name,
            "trades",
            "mean profit",
            "multiplier",
            "without",
            "with",
            "difference (95 %)",
        ),
        rows=tuple(
            (
                group.name,
                _count(group.n_with)
                if group.n_without == group.n_with
                else f"{group.n_without:,} -> {group.n_with:,}",
                percent(group.mean_ratio),
                plain(group.mean_multiplier),
                percent(group.contribution_without),
                percent(group.contribution_with),
                with_interval(group.difference, percent),
            )
            for group in groups
        ),
        caption="Mean profit per trade and mean multiplier; then what the trades added to the "
        "profit. A smaller multiplier alone makes profits and losses smaller; intervals are not "
        "corrected for the number of rows.",
    )


def random_sizing(c: Comparison) -> str:
    """Return what the random-sizing null says, in a sentence; "" where it was not asked."""
    if c.shifts is None:
        return ""
    shifts = "shifts, all there are" if c.shifts.is_complete else "shifts"
    said = (
        f"Random sizing of the same shape ({c.shifts.n_shifts:,} {shifts}): its typical Sharpe "
        f"ratio is {c.shifts.typical:.2f}, memory's {c.shifts.observed:.2f}; as good or better "
        f"{c.shifts.p_as_good:.1%}, as bad or worse {c.shifts.p_as_bad:.1%}."
    )
    if c.timing is None:
        return said
    return (
        f"{said} Timing: stakes and the profits that followed correlate by "
        f"{c.timing.correlation:+.3f}; without any foresight as high {c.timing.p_better:.1%}, as "
        f"low {c.timing.p_worse:.1%}."
    )


def _figures_table(c: Comparison) -> Table:
    currency = c.without.stake_currency
    rows: list[tuple[str, Callable[[Figures], str], str]] = [
        ("trades", lambda f: _count(f.n_trades), ""),
        ("profit", lambda f: percent(f.total_return), ""),
        ("... a year", lambda f: percent(_yearly(c, f)), with_interval(c.mean_return, percent)),
        (
            "... at equal exposure",
            lambda f: percent(_yearly(c, f, equal=True)),
            with_interval(c.mean_return_equal_exposure, percent),
        ),
        ("Sharpe", lambda f: plain(f.sharpe), with_interval(c.sharpe_difference, plain)),
        ("Sortino", lambda f: plain(f.sortino), ""),
        ("max drawdown", lambda f: percent(f.max_drawdown), ""),
        ("mean exposure", lambda f: percent(f.mean_exposure), _times(c.exposure_ratio)),
        (f"mean stake, {currency}", lambda f: _count(f.mean_stake_quote), ""),
        (f"turnover, {currency}", lambda f: _count(f.turnover_quote), ""),
        (f"fees, {currency}", lambda f: _count(f.fees_quote), ""),
    ]
    return Table(
        title="Without and with memory",
        columns=("", "without", "with memory", "difference (95 %)"),
        rows=tuple(
            (label, shown(c.figures_without), shown(c.figures_with), difference)
            for label, shown, difference in rows
        ),
        caption="Ratios are annual, of daily returns on the starting balance. Exposure is the "
        "share of it in the market; at equal exposure the bets with memory are scaled so that both "
        "runs had as much at stake.",
    )


def _yearly(c: Comparison, figures: Figures, *, equal: bool = False) -> float | None:
    days = sum(period.n_days for period in c.periods)
    yearly = figures.total_return * DAYS_PER_YEAR / days
    if not equal or figures is not c.figures_with:
        return yearly
    return yearly / c.exposure_ratio if c.exposure_ratio else None


def _periods_table(c: Comparison) -> Table:
    return Table(
        title="Period by period, without -> with memory",
        columns=("period", "days", "profit", "Sharpe", "max drawdown", "exposure"),
        rows=tuple(
            (
                period.label,
                str(period.n_days),
                f"{percent(period.return_without)} -> {percent(period.return_with)}",
                f"{plain(period.sharpe_without)} -> {plain(period.sharpe_with)}",
                f"{percent(period.drawdown_without)} -> {percent(period.drawdown_with)}",
                _times(period.exposure_ratio),
            )
            for period in c.periods
        ),
        caption="Memory learns as it goes: a period rests on what was known before it.",
    )


def _calibration_table(c: Comparison) -> Table:
    found = c.calibration
    assert found is not None  # noqa: S101 - the caller asked
    slope = with_interval(found.slope, plain)
    return Table(
        title="Did trades turn out as expected?",
        columns=(
            "trades by forecast",
            "trades",
            "expected profit" if c.forecast_is_ratio else "multiplier - 1",
            "mean outcome",
            "+/- (95 %)",
        ),
        rows=tuple(
            (
                f"fifth {number}",
                _count(part.n_trades),
                f"{part.forecast:+.3%}" if c.forecast_is_ratio else f"{part.forecast:+.2f}",
                f"{part.outcome:+.3%}",
                f"{_Z95 * part.standard_error:.3%}",
            )
            for number, part in enumerate(found.bins, start=1)
        ),
        caption=f"Slope of outcome on forecast: {slope}."
        + (" 1 is calibrated, 0 is of no use." if c.forecast_is_ratio else ""),
    )


def _freqtrade_table(c: Comparison) -> Table:
    return Table(
        title="Freqtrade's own metrics",
        columns=("", "without", "with memory"),
        rows=tuple(
            (name, _metric(name, value), _metric(name, c.remembered.metrics.get(name)))
            for name, value in c.without.metrics.items()
        ),
        caption="Freqtrade takes its ratios over trades; those above are over days.",
    )


def _metric(name: str, value: float | None) -> str:
    if value is None or (name in _PENALISED and value == _PENALTY):
        return "-"
    if name in _COUNTS:
        return _count(value)
    return percent(value) if name in _RATIOS else f"{value:,.2f}"


def with_interval(estimate: Estimate, shown: Callable[[float | None], str]) -> str:
    """Return a difference with its sign, and its interval where there is one."""
    if estimate.value is None:
        return "-"
    value = f"+{shown(estimate.value)}" if estimate.value > 0.0 else shown(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({shown(estimate.low)} to {shown(estimate.high)})"


def percent(value: float | None) -> str:
    """Return a ratio in percent, "-" where there is none.

    >>> percent(0.0123)
    '1.23%'
    """
    return "-" if value is None or not math.isfinite(value) else f"{value:.2%}"


def plain(value: float | None) -> str:
    """Return a number with two digits, "-" where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.2f}"


def _times(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"x{value:.2f}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
