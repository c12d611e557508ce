"""The pictures: profit with both stakes, multipliers, situations, and outcomes by what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from freqtrade_mem0.compare.report.charts import Drawing, Series, as_number, as_percent, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

_N_DATES = 4
_MOST_DOTS = 1_500
_N_BINS, _PER_BIN = 8, 10
_FULL_TONE = 0.6
"""Opacity of the colour of the best and the worst cell."""

_Z = 1.96


class Cell(NamedTuple):
    """The trades of one situation."""

    text: str
    n: int
    tone: str
    """"good" or "bad"."""
    opacity: float


class HeatMap(NamedTuple):
    """Mean profit by two features; None where there is no trade."""

    rows: str
    columns: str
    names: Sequence[str]
    cells: Sequence[tuple[str, Sequence[Cell | None]]]


def profits(ledger: pd.DataFrame, currency: str) -> Drawing | None:
    """Return the running profit with memory's stakes and with the proposed ones.

    One of them is what happened; the other differs by memory's effect, as `why` says it.
    """
    closed = ledger[ledger["profit_abs"].notna()].sort_values("close_date")
    if closed.empty:
        return None
    applied = closed["applied"]
    placed = closed["stake"].where(applied, closed["proposed_stake"])
    filled = (
        (closed["stake_amount"] / placed).where(closed["stake_amount"] > 0.0, 1.0).clip(upper=1.0)
    )
    effect = (closed["stake"] - closed["proposed_stake"]) * filled * closed["profit_ratio"]
    both = pd.DataFrame(
        {
            "with": closed["profit_abs"] + effect.where(~applied, 0.0),
            "without": closed["profit_abs"] - effect.where(applied, 0.0),
        }
    ).cumsum()
    days = _days(closed["close_date"])
    shadow = "" if applied.all() else " (shadow)"
    return draw(
        f"Profit, {currency}",
        [
            Series(name=name, style=style, points=_points(days, both[style]))
            for name, style in (
                ("with the proposed stakes", "without"),
                (f"with memory's stakes{shadow}", "with"),
            )
        ],
        **_axis(closed["close_date"]),
        y_label=as_number,
    )


def multipliers(ledger: pd.DataFrame) -> Drawing | None:
    """Return each stake's multiplier over time; of very many, evenly chosen ones."""
    shown = ledger.iloc[:: max(1, -(-len(ledger) // _MOST_DOTS))]
    if shown.empty:
        return None
    days = _days(shown["decided_at"])
    guide = [(days.iloc[0], 1.0), (days.iloc[-1], 1.0)]
    dots = _points(days, shown["multiplier"])
    return draw(
        "Stake multipliers",
        [
            Series(name="as proposed", style="guide", points=guide),
            Series(name="decisions", style="with", points=dots, is_line=False),
        ],
        **_axis(shown["decided_at"]),
        y_label=as_number,
    )


def calibration(ledger: pd.DataFrame) -> tuple[Drawing | None, str]:
    """Return what became of trades by what memory said of them, and a sentence on it.

    Where the policy forecasts, trades are grouped by the forecast, else by the multiplier.
    """
    closed = ledger[ledger["profit_ratio"].notna()]
    forecasts = closed["expected_ratio"].notna()
    by = "expected_ratio" if forecasts.any() else "multiplier"
    closed = closed[closed[by].notna()]
    n_bins = min(_N_BINS, len(closed) // _PER_BIN)
    if n_bins < 2 or closed[by].nunique() < 2:  # noqa: PLR2004
        return None, f"Too few closed trades: {2 * _PER_BIN} with two multipliers are needed."
    bins = pd.qcut(closed[by].rank(method="first"), n_bins, labels=False)
    groups = closed.groupby(bins)
    x, y = groups[by].mean(), groups["profit_ratio"].mean()
    errors: pd.Series[float] = _Z * groups["profit_ratio"].std() / np.sqrt(groups.size())
    is_forecast = by == "expected_ratio"
    level = closed["profit_ratio"].mean()
    ends = [(value, value if is_forecast else level) for value in (x.min(), x.max())]
    drawing = draw(
        "Mean profit of a trade, by its forecast"
        if is_forecast
        else "Mean profit of a trade, by its multiplier",
        [
            Series(name="as forecast" if is_forecast else "mean", style="guide", points=ends),
            Series(
                name="mean, 95% interval",
                style="with",
                points=_points(x, y),
                is_line=False,
                errors=errors.tolist(),
            ),
        ],
        x_label=as_percent if is_forecast else as_number,
        y_label=as_percent,
    )
    words = (
        "Good forecasts lie on the line."
        if is_forecast
        else "Where memory knows something, trades with larger multipliers earn more a trade. The"
        " policy makes no forecast."
    )
    return drawing, f"{len(closed):,} closed trades in {n_bins} groups of equal size. {words}"


def heat_map(situations: pd.DataFrame, rows: str, columns: str) -> HeatMap | None:
    """Return the mean profit by two features of the situation; None where they are missing."""
    if not {rows, columns} <= set(situations):
        return None
    groups = situations.groupby([rows, columns], observed=True)["profit_ratio"]
    means, counts = groups.mean().unstack(), groups.size().unstack()  # noqa: PD010
    largest = float(np.nanmax(np.abs(means.to_numpy()))) if means.size else 0.0

    def cell(mean: float, n: float) -> Cell | None:
        if not n > 0:
            return None
        opacity = _FULL_TONE * abs(mean) / largest if largest else 0.0
        return Cell(f"{mean:+.2%}", int(n), "good" if mean >= 0.0 else "bad", round(opacity, 2))

    found = [
        (str(name), [cell(*each) for each in zip(means.loc[name], counts.loc[name], strict=True)])
        for name in means.index
    ]
    return HeatMap(rows, columns, [str(each) for each in means.columns], found) if found else None


def _days(moments: pd.Series[Any]) -> pd.Series[float]:
    days: pd.Series[float] = (moments - moments.min()) / pd.Timedelta(days=1)
    return days


def _points(x: Any, y: Any) -> list[tuple[float, float]]:
    return list(zip(map(float, x), map(float, y), strict=True))


def _axis(moments: pd.Series[Any]) -> dict[str, Any]:
    first, last = moments.min(), float(_days(moments).max())
    return {
        "x_label": lambda day, _: f"{first + pd.Timedelta(days=day):%Y-%m-%d}",
        "x_ticks": [n * last / (_N_DATES - 1) for n in range(_N_DATES)] if last else [0.0],
    }
