"""Whether memory has helped: profit with memory's stakes and with the proposed ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from freqtrade_mem0.service.shell.choosing import choose, name_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor
from freqtrade_mem0.views.columns.chance import daily_figures, rolling, stakes
from freqtrade_mem0.views.columns.equity import curve, profits
from freqtrade_mem0.words.numbers import stake_currency
from freqtrade_mem0.worth.in_words import finding_in_words, numbers_in_words
from freqtrade_mem0.worth.judge import Worth

if TYPE_CHECKING:
    from freqtrade_mem0.service.live.sources import Sources
    from freqtrade_mem0.service.shell.choosing import Chosen
    from freqtrade_mem0.views.columns.chance import Band, DailyFigures, Rolling
    from freqtrade_mem0.views.columns.equity import Curve
    from freqtrade_mem0.views.columns.table import Table

PAGE = Page(
    path="/worth",
    title="Worth",
    order=30,
    about="Has memory helped so far, and is that beyond chance?",
)

router = APIRouter(include_in_schema=False)

_ROLLING_DAYS = 30
_MANY = 20_000
"""With more trades, results of chance are computed anew when one in a hundred is new."""


class _Won(NamedTuple):
    """What the page shows of the trades of a run, without the test against chance."""

    n: int
    win_rate: float
    pair: str
    n_decided: int
    n_shadow: int
    n_unknown: int
    figures: list[tuple[str, DailyFigures | None]]
    curve: Curve
    rolling: Rolling


@router.get(PAGE.path)
def worth(visit: Visitor, run: str = "") -> Response:
    """Show curves, figures and the test against chance of one bot or run."""
    chosen = choose(visit.caller, run)
    values: dict[str, Any] = {"chosen": chosen, "run": chosen.run and name_of(chosen.run)}
    table = chosen.table
    if table is None or chosen.run is None:
        return visit.page("worth.html", values)
    won = chosen.kept("worth", partial(_won, chosen, table))
    judged = _judged(visit.caller.service.pages, chosen, table, won.n_decided)
    currency, applied = stake_currency(won.pair), won.n_shadow < won.n_decided
    values |= {
        "won": won,
        "n": won.n,
        "win_rate": won.win_rate,
        "currency": currency,
        "applied": applied,
        "figures": won.figures,
        "finding": judged and finding_in_words(judged[0], applied=applied),
        "kind": judged and str(judged[0].finding),
        "sentences": judged and numbers_in_words(judged[0], currency, applied=applied),
        "worth": judged and judged[0],
        "is_judging": won.n_decided > 0 and judged is None,
        "share_with_amounts": chosen.book.share_with_amounts,
        "chart": _chart(won.curve, None if judged is None else judged[1]),
        "rolling": _rolling_chart(won.rolling),
        "rolling_days": _ROLLING_DAYS,
    }
    return visit.page("worth.html", values)


def _won(chosen: Chosen, table: Table) -> _Won:
    rows = chosen.rows(table)
    won = profits(table, rows)
    both = (("with memory", won.with_memory), ("as proposed", won.without))
    return _Won(
        n=len(rows),
        win_rate=float((table["ratio"][rows] > 0.0).mean()),
        pair=chosen.book.words.get(int(table["pair"][rows[-1]]), ""),
        n_decided=won.n_decided,
        n_shadow=won.n_shadow,
        n_unknown=won.n_unknown,
        figures=[(name, daily_figures(won.known_ms, each)) for name, each in both],
        curve=curve(won),
        rolling=rolling(won.known_ms, won.with_memory, _ROLLING_DAYS),
    )


def _judged(sources: Sources, chosen: Chosen, table: Table, n: int) -> tuple[Worth, Band] | None:
    """Return the tests against chance of `n` decisions; None while they are computed."""
    if n == 0 or chosen.run is None:
        return Worth(), ([], [], [])
    if chosen.book.share_with_amounts < 1.0:
        return None
    step = n // 100 if n > _MANY else 1
    key = chosen.scope.user_id, name_of(chosen.run), n // step

    def judged() -> tuple[Worth, Band]:
        with chosen.book.lock:
            sized = stakes(table, chosen.rows(table))
        return (Worth(), ([], [], [])) if sized is None else sources.judge.judged(sized)

    return sources.background.result(("worth", *map(str, key)), judged)


def _chart(points: Curve, chance: Band | None) -> dict[str, Any]:
    """Return both curves, what memory changed with the band of random sizing, and the falls."""
    line = {"type": "line", "showSymbol": False}
    changed = {"xAxisIndex": 1, "yAxisIndex": 1}
    below = {"xAxisIndex": 2, "yAxisIndex": 2, "lineStyle": {"width": 1}}
    series: list[dict[str, Any]] = []
    if chance is not None and chance[0]:
        ms, low, high = chance
        hidden = line | changed | {"stack": "chance", "silent": True, "lineStyle": {"opacity": 0}}
        series += [
            # The lower edge of the band, on which the band is stacked.
            hidden | {"name": "low", "stackStrategy": "all", "data": _points(ms, low)},
            hidden
            | {
                "name": "random sizing (95 %)",
                "stackStrategy": "all",
                "itemStyle": {"color": "@soft"},
                "areaStyle": {"color": "@soft", "opacity": 0.25},
                "data": [(at, b - a) for at, a, b in zip(ms, low, high, strict=True)],
            },
        ]
    both = zip(points.with_memory, points.without, strict=True)
    series.append(
        line
        | changed
        | {
            "name": "changed by memory",
            "itemStyle": {"color": "@info"},
            "data": _points(points.ms, [one - other for one, other in both]),
        }
    )
    for name, colour, values, falls in (
        ("with memory", "@accent", points.with_memory, points.drawdown_with),
        ("as proposed", "@warn", points.without, points.drawdown_without),
    ):
        own = {"name": name, "itemStyle": {"color": colour}}
        style = {"width": 2, "type": "solid" if colour == "@accent" else "dashed"}
        area = {"areaStyle": {"opacity": 0.12}}
        series += [
            line | own | {"lineStyle": style, "data": _points(points.ms, values)},
            line | own | below | area | {"data": _points(points.ms, falls)},
        ]
    span = {"min": points.ms[0], "max": points.ms[-1]} if points.ms else {}
    money = {"type": "value", "axisLabel": {"formatter": "@money"}}
    quiet = {"axisLabel": {"show": False}}
    side = {"left": 64, "right": 16}
    return {
        "legend": {"data": [each["name"] for each in series if each["name"] != "low"]},
        "tooltip": {"trigger": "axis", "valueFormatter": "@money"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            side | {"top": 36, "height": "44%"},
            side | {"top": "60%", "height": "18%"},
            side | {"top": "83%", "height": "13%"},
        ],
        "xAxis": [
            {"type": "time", "gridIndex": 0, **span},
            {"type": "time", "gridIndex": 1, **quiet, **span},
            {"type": "time", "gridIndex": 2, **quiet, **span},
        ],
        "yAxis": [
            money | {"scale": True},
            money
            | {
                "gridIndex": 1,
                "splitNumber": 3,
                "name": "changed by memory",
                "nameTextStyle": {"align": "left"},
            },
            money
            | {
                "gridIndex": 2,
                "splitNumber": 2,
                "name": "below the highest value",
                "nameTextStyle": {"align": "left"},
            },
        ],
        "series": series,
    }


def _points(ms: list[int], values: list[float]) -> list[tuple[int, float]]:
    return [(at, float(f"{value:.6g}")) for at, value in zip(ms, values, strict=True)]


def _rolling_chart(found: Rolling) -> dict[str, Any] | None:
    if len(found.ms) < 2:  # noqa: PLR2004 - a line has two points
        return None
    line = {"type": "line", "showSymbol": False, "lineStyle": {"width": 1.5}}
    sharpe = line | {"name": "Sharpe ratio", "data": [*zip(found.ms, found.sharpe, strict=True)]}
    wins = line | {
        "name": "won",
        "yAxisIndex": 1,
        "itemStyle": {"color": "@info"},
        "data": [*zip(found.ms, found.win_rate, strict=True)],
    }
    return {
        "legend": {},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 48, "right": 56, "top": 36, "bottom": 28},
        "xAxis": {"type": "time"},
        "yAxis": [
            {"type": "value", "name": "Sharpe"},
            {
                "type": "value",
                "name": "won",
                "min": 0,
                "max": 1,
                "axisLabel": {"formatter": "@percent"},
                "splitLine": {"show": False},
            },
        ],
        "series": [sharpe, wins],
    }
