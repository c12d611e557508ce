"""Which run a page is about: the one in its address, else the newest bot, else the newest run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.views.columns.book import TradeBook
from freqtrade_mem0.views.columns.choice import KnownRun, rows_of, runs
from freqtrade_mem0.views.columns.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.service.caller import Caller

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The trades that a page shows.

    Parameters
    ----------
    runs
        What there is to choose from.
    run
        What was chosen; None where there is nothing.
    scope
        The run, or all that is in reach.
    book, table
        The trades; the table is None as long as they are being read, of which `share_read` is done.
    """

    runs: list[KnownRun]
    run: KnownRun | None
    scope: Scope
    book: TradeBook
    table: Table | None

    @property
    def share_read(self) -> float:
        """How much of the trades has been read."""
        return self.book.share_read

    def rows(self, table: Table) -> NDArray[np.intp]:
        """Return the rows of the run's trades; to be called under the book's lock."""
        return rows_of(self.book, table, self.scope)

    def kept(self, what: str, compute: Callable[[], T], scope: Scope | None = None) -> T:
        """Return figures of the run, or of a scope, as the book keeps them until a trade changes.

        `compute` is called under the book's lock.
        """
        return self.book.kept((what, repr(scope or self.scope)), compute)

    def scope_of(self, run: KnownRun) -> Scope:
        """Return the scope of another run that there is to choose from."""
        return replace(self.scope, strategy=run.strategy, modes=[Mode(run.mode)], run_id=run.run_id)

    @property
    def options(self) -> list[tuple[str, str]]:
        """The runs as values of the address, and as people read them."""
        return [
            (name_of(run), f"{run.run_id} · {run.strategy} · {run.mode} · {run.n_trades:,} trades")
            for run in self.runs
        ]


def name_of(run: KnownRun) -> str:
    """Return a run as addresses have it."""
    return f"{run.mode}/{run.strategy}/{run.run_id}"


def choose(caller: Caller, name: str) -> Chosen:
    """Return the trades of the run with a name, in the caller's reach; "" for the newest one.

    `RecordError`: no run has this name. `ScopeError`: the run is out of reach.
    """
    memory, book = caller.memory, caller.service.pages.book
    mode, _, rest = name.partition("/")
    strategy, _, run_id = rest.partition("/")
    if name and (mode not in set(Mode) or not strategy or not run_id):
        raise RecordError(f"{name!r} is no run. Choose one on the page without ?run=.")
    scope = memory.scope(strategy=strategy, mode=mode, run_id=run_id) if name else memory.reach
    table = book.table()
    known = [] if table is None else runs(book, table, memory.reach)
    run = next((each for each in known if not name or name_of(each) == name), None)
    if run is not None and not name:
        scope = memory.scope(strategy=run.strategy, mode=run.mode, run_id=run.run_id)
    if name and run is None and table is not None:
        raise RecordError(f"No trade of the run {name!r} is remembered.")
    return Chosen(runs=known, run=run, scope=scope, book=book, table=table)
