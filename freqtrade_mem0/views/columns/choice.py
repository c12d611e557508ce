"""Which trades of the table a page shows, and which runs there are to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.records.base import from_ms

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.views.columns.book import TradeBook
    from freqtrade_mem0.views.columns.table import Table

_BOTS = ("live", "dry_run")


class KnownRun(NamedTuple):
    """A bot or a backtest with closed trades."""

    strategy: str
    mode: str
    run_id: str
    n_trades: int
    first: datetime
    last: datetime


def runs(book: TradeBook, table: Table, scope: Scope) -> list[KnownRun]:
    """Return the runs of a scope: bots first, then backtests, those with the newest trade first."""
    return book.kept(("runs", repr(scope)), lambda: _runs(book, table, scope))


def _runs(book: TradeBook, table: Table, scope: Scope) -> list[KnownRun]:
    there = table["is_there"]
    numbers, known = table["scope"][there], table["known_ms"][there]
    if not len(numbers):
        return []
    size = int(numbers.max()) + 1
    counts = np.bincount(numbers, minlength=size)
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, -1)
    np.minimum.at(first, numbers, known)
    np.maximum.at(last, numbers, known)
    found: dict[tuple[str, str, str], list[int]] = {}
    for number, _, strategy, mode, run_id in _scopes(book, scope):
        if number < size and counts[number]:
            found.setdefault((strategy, mode, run_id), []).append(number)
    known_runs = [
        KnownRun(
            *names,
            sum(int(counts[each]) for each in each_scope),
            from_ms(min(int(first[each]) for each in each_scope)),
            from_ms(max(int(last[each]) for each in each_scope)),
        )
        for names, each_scope in found.items()
    ]
    return sorted(known_runs, key=lambda run: (run.mode in _BOTS, run.last), reverse=True)


def rows_of(book: TradeBook, table: Table, scope: Scope) -> NDArray[np.intp]:
    """Return the rows of a scope's trades, in the order in which they became known.

    To be called under the book's lock.
    """
    numbers = [each[0] for each in _scopes(book, scope)]
    chosen = table["is_there"] & np.isin(table["scope"], numbers)
    if scope.pair is not None:
        pair = next((number for number, word in book.words.items() if word == scope.pair), 0)
        chosen &= table["pair"] == pair
    rows = np.flatnonzero(chosen)
    order = np.argsort(table["known_ms"][rows], kind="stable")
    ordered: NDArray[np.intp] = rows[order]
    return ordered


def _scopes(book: TradeBook, scope: Scope) -> list[tuple[int, str, str, str, str]]:
    wanted = (scope.user_id, scope.strategy, None, scope.run_id)
    return [
        each
        for each in book.scopes()
        if all(asked in {None, own} for asked, own in zip(wanted, each[1:], strict=True))
        and (scope.modes is None or each[3] in scope.modes)
    ]
