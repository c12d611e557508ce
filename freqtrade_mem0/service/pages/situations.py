"""Where trades win and lose: any feature against any other, with counts and intervals."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.service.shell.choosing import choose, name_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor
from freqtrade_mem0.views.columns.cells import MIN_TRADES, Axis, Cell, axis, cells, features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.service.shell.choosing import Chosen
    from freqtrade_mem0.views.columns.table import Table

PAGE = Page(path="/situations", title="Situations", order=40, about="Where do I lose?")

router = APIRouter(include_in_schema=False)

_ACROSS, _DOWN = ("regime", "trend_regime", "exit_reason"), ("pair",)
_LEVELS = 4
_MOST_LISTED = 50
_AXES = 2


class Shown(NamedTuple):
    """A cell as the page shows it.

    `heat` is its class; `is_sure` says that 0 is outside its interval.
    """

    cell: Cell | None
    heat: str
    is_sure: bool
    link: str


@router.get(PAGE.path)
def situations(
    visit: Visitor,
    run: str = "",
    x: str = "",
    y: str = "",
    cell: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Show a heat map of the run's trades; `cell`, twice, names the one whose trades are listed."""
    chosen = choose(visit.caller, run)
    values: dict[str, Any] = {"chosen": chosen, "run": chosen.run and name_of(chosen.run)}
    table = chosen.table
    if table is None or chosen.run is None:
        return visit.page("situations.html", values)
    names = features(table)
    across = x or next((name for name in _ACROSS if name in names), names[0])
    down = y or next(name for name in _DOWN if name in names)
    listed = tuple(cell) if cell and len(cell) == _AXES else None
    one, other, found, everything, seqs, n_listed, n_at_end = chosen.kept(
        f"situations {across} {down} {listed}", partial(_map, chosen, table, across, down, listed)
    )
    asked = {"run": name_of(chosen.run), "x": across, "y": down}
    values |= {
        "features": names,
        "x": across,
        "y": down,
        "across": one,
        "lines": _lines(one, other, found, asked),
        "all": everything,
        "min_trades": MIN_TRADES,
        "n_sure": sum(_is_sure(each) for each in found if each.n >= MIN_TRADES),
        "n_cells": sum(each.n >= MIN_TRADES for each in found),
        "cell": listed and list(listed),
        "trades": _trades(visit.caller.memory.folder.journal, seqs),
        "n_listed": n_listed,
        "n_at_end": n_at_end,
    }
    return visit.page("situations.html", values)


class _Map(NamedTuple):
    """The heat map: its labels and cells, all trades as one, and the newest of those listed.

    `n_at_end` of all trades were closed by the end of a backtest: memory learns nothing from them.
    """

    across: list[str]
    down: list[str]
    cells: list[Cell]
    everything: Cell
    seqs: list[int]
    n_listed: int
    n_at_end: int


def _map(
    chosen: Chosen, table: Table, across: str, down: str, listed: tuple[str, ...] | None
) -> _Map:
    rows, words = chosen.rows(table), chosen.book.words
    one, other = axis(table, rows, across, words), axis(table, rows, down, words)
    ratios = table["ratio"][rows]
    inside = rows[:0] if listed is None else _rows_in(rows, one, other, listed)
    whole = Axis("", [""], np.zeros(len(rows), dtype=np.intp))
    return _Map(
        one.labels,
        other.labels,
        cells(one, other, ratios),
        cells(whole, whole, ratios)[0],
        table["seq"][inside[::-1][:_MOST_LISTED]].tolist(),
        len(inside),
        int((~table["counts"][rows]).sum()),
    )


def _lines(
    one: list[str], other: list[str], found: list[Cell], asked: dict[str, str]
) -> list[tuple[str, list[Shown]]]:
    """Return the rows of the heat map: a label and its cells from left to right."""
    by_place = {(cell.x, cell.y): cell for cell in found}
    large = [abs(cell.mean) for cell in found if cell.n >= MIN_TRADES]
    most = max(large, default=0.0)
    lines = []
    for y, label in enumerate(other):
        shown = []
        for x, head in enumerate(one):
            cell = by_place.get((x, y))
            link = "?" + urlencode([*asked.items(), ("cell", head), ("cell", label)]) + "#trades"
            shown.append(Shown(cell, _heat(cell, most), cell is not None and _is_sure(cell), link))
        lines.append((label, shown))
    return lines


def _heat(cell: Cell | None, most: float) -> str:
    if cell is None or cell.n < MIN_TRADES:
        return "few"
    level = round(_LEVELS * abs(cell.mean) / most) if most else 0
    return f"{'won' if cell.mean > 0 else 'lost'}{level}"


def _is_sure(cell: Cell) -> bool:
    if cell.low is None or cell.high is None:
        return False
    return cell.low > 0.0 or cell.high < 0.0


def _rows_in(
    rows: NDArray[np.intp], one: Axis, other: Axis, cell: tuple[str, ...]
) -> NDArray[np.intp]:
    """Return the rows of a cell, in the order in which they became known."""
    x, y = (
        each.labels.index(label) if label in each.labels else -1
        for each, label in zip((one, other), cell, strict=True)
    )
    inside: NDArray[np.intp] = rows[(one.codes == x) & (other.codes == y)]
    return inside


def _trades(journal: Journal, seqs: list[int]) -> list[TradeRecord]:
    found = journal.records_at(seqs)
    return [each for seq in seqs if isinstance(each := found.get(seq), TradeRecord)]
