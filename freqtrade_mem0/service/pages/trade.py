"""One trade: from the proposed stake to memory's, what was known, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from freqtrade_mem0.decide import explain
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.service.shell.shell import Visit, Visitor
from freqtrade_mem0.views.columns.choice import rows_of
from freqtrade_mem0.views.columns.listing import row_at
from freqtrade_mem0.views.columns.nearest import nearest
from freqtrade_mem0.views.waterfall import groups, steps
from freqtrade_mem0.words.numbers import stake_currency

if TYPE_CHECKING:
    from pandas import DataFrame  # loaded where there are candles: it takes 70 MB

router = APIRouter(include_in_schema=False)

_N_NEAREST = 10


@router.get("/trades/{wanted:path}")
def trade(visit: Visitor, wanted: str) -> Response:
    """Show a trade by its id or that of its decision."""
    decision, closed = visit.caller.memory.decision_and_trade(wanted)
    about = decision or closed
    if about is None:
        raise HTTPException(
            404,
            "No trade with this id is remembered, or your key does not reach it. It may have been "
            "forgotten since.",
        )
    values: dict[str, Any] = {
        "about": about,
        "decision": decision,
        "closed": closed,
        "has_amounts": closed is not None
        and not (closed.told and "profit_abs" in closed.told.unknown),
        "currency": stake_currency(about.pair),
        "orders": "" if closed is None else explain.execution(closed),
        "situation": explain.situation(about.situation),
    }
    if decision is not None:
        values |= _explained(decision) | _nearest(visit, decision)
        if closed is not None:
            values["both"] = explain.both_outcomes(decision, closed)
    return visit.page("trade.html", values | _candles(visit, about, closed))


def _explained(decision: Decision) -> dict[str, Any]:
    return {
        "headline": explain.headline(decision),
        "known": explain.known(decision),
        "expected": explain.expected(decision),
        "account": explain.account(decision),
        "waterfall": steps(decision),
        "groups": groups(decision),
    }


def _nearest(visit: Visit, decision: Decision) -> dict[str, Any]:
    """Return the nearest trades of the same run; None while the trades are being read."""
    memory, book = visit.caller.memory, visit.caller.service.pages.book
    table, own = book.table(), decision.origin
    if table is None:
        return {"near": None, "near_ids": {}}
    scope = memory.scope(strategy=own.strategy, mode=own.mode, run_id=own.run_id)
    words, levels = book.words, memory.folder.settings.sizing.levels
    with book.lock:
        found = nearest(table, rows_of(book, table, scope), words, decision, levels, _N_NEAREST)
        near = [row_at(table, at, words) for at in found]
    return {"near": near, "near_ids": book.ids([each.seq for each in near])}


def _candles(
    visit: Visit, about: Decision | TradeRecord, closed: TradeRecord | None
) -> dict[str, Any]:
    opened = closed.open_date if closed is not None else getattr(about, "open_date", None)
    if opened is None:
        return {"candles": None, "candles_text": "The entry order was never filled."}
    last = opened if closed is None else closed.close_date
    market = visit.caller.service.market
    frame, text = market.around(about.origin.strategy, about.pair, opened, last)
    chart = None if frame is None else _chart(frame, opened, closed)
    return {"candles": chart, "candles_text": text}


def _chart(frame: DataFrame, opened: datetime, closed: TradeRecord | None) -> dict[str, Any]:
    """Return candles with the entry and the exit on them; times are UTC."""
    dates = [f"{each:%m-%d %H:%M}" for each in frame["date"]]
    marks: list[dict[str, Any]] = []
    for name, moment, rate, colour in (
        ("entry", opened, None if closed is None else closed.open_rate, "@info"),
        (
            "exit",
            None if closed is None else closed.close_date,
            None if closed is None else closed.close_rate,
            "@up" if closed is not None and closed.profit_ratio > 0.0 else "@down",
        ),
    ):
        if moment is not None:
            at = max(0, int((frame["date"] <= moment).sum()) - 1)
            value = rate or float(frame["close"].iloc[at])
            marks.append(
                {
                    "name": name,
                    "coord": [at, value],
                    "value": name,
                    "symbolRotate": 0 if name == "entry" else 180,
                    "itemStyle": {"color": colour},
                    "label": {"offset": [0, 0 if name == "entry" else 10], "color": "@text"},
                }
            )
    first, last = (mark["coord"][0] for mark in (marks[0], marks[-1]))
    return {
        "xAxis": {"type": "category", "data": dates},
        "yAxis": {"type": "value", "scale": True, "axisLabel": {"formatter": "@money"}},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "cross"}},
        "dataZoom": [{"type": "inside"}],
        "series": [
            {
                "type": "candlestick",
                "name": "candles",
                "data": frame[["open", "close", "low", "high"]].to_numpy().tolist(),
                "itemStyle": {
                    "color": "@up",
                    "borderColor": "@up",
                    "color0": "@down",
                    "borderColor0": "@down",
                },
                "markPoint": {"symbol": "pin", "symbolSize": 44, "data": marks},
                "markArea": {
                    "silent": True,
                    "itemStyle": {"color": "@mark", "opacity": 0.5},
                    "data": [[{"xAxis": first}, {"xAxis": last}]],
                },
            }
        ],
    }
