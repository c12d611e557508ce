"""Risk events over the equity of a bot or run, and how far its triggers are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.service.live.found import newest_records
from freqtrade_mem0.service.shell.choosing import choose, name_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor
from freqtrade_mem0.views.columns.equity import curve, profits

if TYPE_CHECKING:
    from freqtrade_mem0.service.shell.choosing import Chosen
    from freqtrade_mem0.views.columns.equity import Curve
    from freqtrade_mem0.views.columns.table import Table

PAGE = Page(path="/risk", title="Risk", order=60, about="What changed lately?")

router = APIRouter(include_in_schema=False)

_MOST_EVENTS = 500
_MOST_LISTED = 50
_COLOURS = ("@down", "@warn", "@info", "@accent", "@soft", "@up")


@router.get(PAGE.path)
def risk(visit: Visitor, run: str = "", event_type: str = "") -> Response:
    """Show the newest risk events, on the equity curve and as a list."""
    chosen = choose(visit.caller, run)
    values: dict[str, Any] = {
        "chosen": chosen,
        "run": chosen.run and name_of(chosen.run),
        "event_type": event_type,
    }
    if chosen.table is None:
        return visit.page("risk.html", values)
    journal = visit.caller.memory.folder.journal
    records = newest_records(journal, replace(chosen.scope, kind=RiskEvent.kind), _MOST_EVENTS)
    events = [each for each in records if isinstance(each, RiskEvent)]
    counts = Counter(each.event_type for each in events)
    shown = [each for each in events if event_type in {"", each.event_type}]
    points = chosen.kept("risk", partial(_curve, chosen, chosen.table))
    values |= {
        "events": shown[:_MOST_LISTED],
        "n_shown": len(shown),
        "counts": counts.most_common(),
        "is_whole": len(events) < _MOST_EVENTS,
        "chart": _chart(points, shown) if len(points.ms) > 1 else None,
        "share_with_amounts": chosen.book.share_with_amounts,
    }
    return visit.page("risk.html", values)


def _curve(chosen: Chosen, table: Table) -> Curve:
    won = profits(table, chosen.rows(table))
    return curve(replace(won, with_memory=won.own))


def _chart(points: Curve, events: list[RiskEvent]) -> dict[str, Any]:
    """Return equity with events on it, and the fall from its highest value beneath."""
    line = {"type": "line", "showSymbol": False, "lineStyle": {"width": 1.5}}
    lowest = {"min": points.ms[0], "max": points.ms[-1]}
    series: list[dict[str, Any]] = [
        line
        | {
            "name": "profit",
            "itemStyle": {"color": "@accent"},
            "data": [*zip(points.ms, points.with_memory, strict=True)],
        },
        line
        | {
            "name": "below its highest value",
            "xAxisIndex": 1,
            "yAxisIndex": 1,
            "itemStyle": {"color": "@down"},
            "areaStyle": {"opacity": 0.25},
            "data": [*zip(points.ms, points.drawdown_with, strict=True)],
        },
    ]
    by_type: dict[str, list[RiskEvent]] = {}
    for event in events:
        by_type.setdefault(event.event_type, []).append(event)
    for number, (name, some) in enumerate(by_type.items()):
        moments = np.array([to_ms(each.known_at) for each in some])
        heights = np.interp(moments, points.ms, points.with_memory)
        series.append(
            {
                "type": "scatter",
                "name": name,
                "symbolSize": 8,
                "symbol": "circle",
                "itemStyle": {"color": _COLOURS[number % len(_COLOURS)]},
                "data": [
                    {"value": [moment, height], "link": f"/memory/{each.id}"}
                    for moment, height, each in zip(
                        moments.tolist(), heights.tolist(), some, strict=True
                    )
                ],
            }
        )
    return {
        "legend": {},
        "tooltip": {"trigger": "item"},
        "grid": [
            {"left": 64, "right": 16, "top": 36, "height": "55%"},
            {"left": 64, "right": 16, "top": "76%", "height": "16%"},
        ],
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [
            {"type": "time", "gridIndex": 0, **lowest},
            {"type": "time", "gridIndex": 1, "axisLabel": {"show": False}, **lowest},
        ],
        "yAxis": [
            {"type": "value", "scale": True, "axisLabel": {"formatter": "@money"}},
            {
                "type": "value",
                "gridIndex": 1,
                "splitNumber": 2,
                "axisLabel": {"formatter": "@money"},
            },
        ],
        "series": series,
    }
