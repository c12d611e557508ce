"""The tables of a comparison as text, for the terminal and the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.report.numbers import count, percent, plain, times, with_interval
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.words.numbers import percent as in_percent
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.compare.comparison import Comparison
    from freqtrade_mem0.compare.figures import Figures
    from freqtrade_mem0.compare.statistics.calibration import Calibration
    from freqtrade_mem0.compare.statistics.groups import Group

Z95 = 1.959963984540054
"""Half the width of a normal 95 % interval, in standard errors."""

_RATIOS = ("profit_total", "cagr", "winrate", "max_drawdown_account", "market_change")
_COUNTS = ("total_trades", "rejected_signals")
_CONDITIONS = {
    "fees_plus_50_percent": "fees +50%",
    "entries_one_candle_later": "entries one candle later",
}
_PENALISED, _PENALTY = ("sharpe", "sortino", "calmar", "sqn"), -100.0
"""Freqtrade gives these metrics the value -100 where they do not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Text in rows and columns: the first column is text, the others are numbers.

    A terminal that is too narrow leaves out columns of `spare`, the first ones first.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    spare: tuple[str, ...] = ()


def tables(c: Comparison) -> list[Table]:
    """Return all tables of a comparison, the most important first; none without trades."""
    if not c.has_trades:
        return []
    by_group = (("pair", c.pairs), ("regime", c.regimes), ("enter tag", c.tags))
    groups = [_groups_table(name, groups) for name, groups in by_group if len(groups) > 1]
    calibrated = [_calibration_table(c, c.calibration)] if c.calibration is not None else []
    differing = [_differing_table(c)] if c.only_without or c.only_with else []
    return [
        _figures_table(c),
        _periods_table(c),
        *([_stress_table(c)] if c.stresses else []),
        *groups,
        *differing,
        *calibrated,
        _freqtrade_table(c),
    ]


def summary_table(comparisons: Sequence[Comparison]) -> Table:
    """Return a table with one row per strategy."""
    return Table(
        title="All strategies",
        columns=(
            "strategy",
            "trades",
            "Sharpe",
            "difference (95%)",
            "exposure",
            "random as good",
            "Holm",
            "B.-Hochberg",
            "finding",
        ),
        rows=tuple(
            (
                c.strategy,
                count(c.figures_with.n_trades),
                f"{plain(c.figures_without.sharpe)} -> {plain(c.figures_with.sharpe)}",
                with_interval(c.sharpe_difference, plain),
                times(c.exposure_ratio),
                percent(None if c.shifts is None else c.shifts.p_as_good),
                percent(c.p_holm),
                percent(c.p_bh),
                verdict(c).finding.replace("_", " "),
            )
            for c in comparisons
        ),
        spare=("B.-Hochberg", "exposure", "random as good", "trades"),
        caption="Sharpe: without -> with memory. Random as good: share of random sizings that do "
        "as well. Holm, B.-Hochberg: the same, corrected for the number of strategies (probability "
        "of any false finding; share of false findings).",
    )


def _figures_table(c: Comparison) -> Table:
    currency = c.without.stake_currency
    equal = percent(_yearly(c, c.figures_without)), percent(_yearly_at_equal_exposure(c))

    def row(name: str, shown: Callable[[Figures], str], difference: str = "") -> tuple[str, ...]:
        return name, shown(c.figures_without), shown(c.figures_with), difference

    return Table(
        title="Without and with memory",
        columns=("", "without", "with memory", "difference (95%)"),
        rows=(
            row("trades", lambda f: count(f.n_trades)),
            row("profit", lambda f: percent(f.total_return)),
            row(
                "... per year",
                lambda f: percent(_yearly(c, f)),
                with_interval(c.mean_return, percent),
            ),
            (
                "... at equal exposure",
                *equal,
                with_interval(c.mean_return_equal_exposure, percent),
            ),
            row("Sharpe", lambda f: plain(f.sharpe), with_interval(c.sharpe_difference, plain)),
            row("Sortino", lambda f: plain(f.sortino)),
            row("max drawdown", lambda f: percent(f.max_drawdown)),
            row("mean exposure", lambda f: percent(f.mean_exposure), times(c.exposure_ratio)),
            row(f"mean stake, {currency}", lambda f: count(f.mean_stake_quote)),
            row(f"turnover, {currency}", lambda f: count(f.turnover_quote)),
            row(f"fees, {currency}", lambda f: count(f.fees_quote)),
        ),
        caption="Ratios are annual, of daily returns on the starting balance. Exposure is the "
        "share of the starting balance in the market. At equal exposure, the stakes with memory "
        "are scaled so that both runs have the same exposure.",
    )


def _yearly(c: Comparison, figures: Figures) -> float:
    return figures.total_return * DAYS_PER_YEAR / c.n_days


def _yearly_at_equal_exposure(c: Comparison) -> float | None:
    return _yearly(c, c.figures_with) / c.exposure_ratio if c.exposure_ratio else None


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
                times(period.exposure_ratio),
            )
            for period in c.periods
        ),
        caption="Memory learns during the run: in each period it knows earlier trades only.",
    )


def _groups_table(name: str, groups: Sequence[Group]) -> Table:
    return Table(
        title=f"By {name}",
        columns=(
            name,
            "trades",
            "mean profit",
            "multiplier",
            "without",
            "with",
            "difference (95%)",
        ),
        rows=tuple(
            (
                group.name,
                count(group.n_with)
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
        spare=("mean profit", "trades"),
        caption="Multiplier: of the stakes, on average. Without, with: what the trades contribute "
        "to the profit without and with memory. A smaller multiplier alone makes profits and "
        "losses smaller. The intervals are not corrected for the number of rows.",
    )


def _differing_table(c: Comparison) -> Table:
    sides = (("without", c.only_without), ("with", c.only_with))
    found = sorted(
        ((trade.open_date, trade, name) for name, trades in sides for trade in trades),
        key=lambda each: each[0],
    )
    return Table(
        title="Trades in one run only",
        columns=("pair", "side", "enter tag", "opened (UTC)", "profit", "memory"),
        rows=tuple(
            (t.pair, t.side, t.enter_tag, f"{t.open_date:%Y-%m-%d %H:%M}", percent(t.profit_ratio),
             name)
            for _, t, name in found
        ),
        caption="Another stake leaves more or less of the wallet to later entries.",
    )  # fmt: skip


def _stress_table(c: Comparison) -> Table:
    before, after = c.figures_without, c.figures_with
    as_it_was = (
        "as it was",
        percent(_yearly(c, before)),
        percent(_yearly(c, after)),
        plain(before.sharpe),
        plain(after.sharpe),
    )
    return Table(
        title="Under worse conditions",
        columns=("", "per year without", "with", "Sharpe without", "with"),
        rows=(
            as_it_was,
            *(
                (
                    _CONDITIONS[stress.name],
                    percent(stress.return_without),
                    percent(stress.return_with),
                    plain(stress.sharpe_without),
                    plain(stress.sharpe_with),
                )
                for stress in c.stresses
            ),
        ),
        caption="Computed from the trades of both runs: stakes and exits stay as they were.",
    )


def _calibration_table(c: Comparison, calibration: Calibration) -> Table:
    shown = "+.3%" if c.forecast_is_ratio else "+.2f"
    slope = with_interval(calibration.slope, plain)
    meaning = " 1 is calibrated, 0 is a useless forecast." if c.forecast_is_ratio else ""
    return Table(
        title="Calibration: did trades turn out as expected?",
        columns=(
            "trades by forecast",
            "trades",
            "expected difference" if c.forecast_is_ratio else "multiplier - 1",
            "mean outcome",
            "+/- (95%)",
        ),
        rows=tuple(
            (
                f"quintile {number}",
                count(part.n_trades),
                f"{part.forecast:{shown}}",
                in_percent(part.outcome, 3),
                f"{Z95 * part.standard_error:.3%}",
            )
            for number, part in enumerate(calibration.bins, start=1)
        ),
        caption=f"Slope of outcome on forecast: {slope}.{meaning}",
    )


def _freqtrade_table(c: Comparison) -> Table:
    return Table(
        title="Freqtrade's own metrics",
        columns=("", "without", "with memory"),
        rows=tuple(
            (name, _metric(name, value), _metric(name, c.remembered.metrics.get(name)))
            for name, value in c.without.metrics.items()
        ),
        caption="Freqtrade computes its ratios from trades; those above are from days.",
    )


def _metric(name: str, value: float | None) -> str:
    if value is None or (name in _PENALISED and value == _PENALTY):
        return "-"
    if name in _COUNTS:
        return count(value)
    return percent(value) if name in _RATIOS else f"{value:,.2f}"
