"""When the runs in a journal were made: the one rule of what "the newest run" means.

What arrived last is not what was made last: an import, a catch-up or a pull from Mem0 may bring an
old run at any time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.read import in_scope
from freqtrade_mem0.journal.ledger_order import last_decided, newest_of
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.journal.journal import Journal

_BOTS = (Mode.DRY_RUN, Mode.LIVE)


def note_made(journal: Journal, origin: Origin, moment: datetime) -> None:
    """Note when a backtest was made; the latest moment counts.

    Parameters
    ----------
    moment
        Aware UTC wall time at which it was started, as Freqtrade's result file says.
    """
    marks, name = Marks(journal), _mark(origin)
    made_ms = to_ms(moment)
    if made_ms > marks.get(name).get("made_ms", -1):
        marks.set(name, {"made_ms": made_ms})


def newest_run(journal: Journal, scope: Scope, *, with_decisions: bool = False) -> Origin | None:
    """Return the run of a scope that was made last; None where the scope is empty.

    A bot's run was made when its last trade closed, or its last decision was taken. A backtest was
    made when its result file says, else when its trades were recorded.

    Parameters
    ----------
    with_decisions
        Choose among runs with decisions in the ledger, instead of runs with trades.
    """
    closed = _last_closed(journal, scope)
    found = last_decided(journal.connection, scope) if with_decisions else closed
    if len(found) < 2:  # noqa: PLR2004 - nothing to compare
        return next(iter(found), None)
    marks = Marks(journal)

    def made_ms(origin: Origin) -> int:
        if origin.mode in _BOTS:
            return max(closed.get(origin, 0), found[origin])
        noted: int | None = marks.get(_mark(origin)).get("made_ms")
        if noted is None:
            noted = _recorded_ms(journal, origin, scope.pair) if origin in closed else found[origin]
        return noted

    return max(found, key=lambda origin: (made_ms(origin), origin.run_id), default=None)


def runs_with_trades(journal: Journal) -> list[Origin]:
    """Return all runs and bots with trades, of all owners, that with the newest record first."""
    rows = journal.connection.rows(
        "SELECT user_id, strategy, mode, run_id, max(recorded_ms), max(known_ms) FROM evidence"
        " JOIN scopes ON number = scope WHERE is_current = 1 AND kind = ?"
        " GROUP BY user_id, strategy, mode, run_id",
        [TradeRecord.kind],
    )
    found = {
        Origin(user_id=user_id, strategy=strategy, mode=Mode(mode), run_id=run_id): last
        for user_id, strategy, mode, run_id, *last in rows
    }
    return sorted(found, key=lambda origin: (found[origin], str(origin)), reverse=True)


def _last_closed(journal: Journal, scope: Scope) -> dict[Origin, int]:
    """Return when the newest trade of each run of a scope closed, in epoch milliseconds."""
    own, values = replace(scope, pair=None, kind=TradeRecord.kind).where()
    of_pair = "" if scope.pair is None else " AND pair = (SELECT number FROM words WHERE word = ?)"
    rows = journal.connection.rows(
        "SELECT user_id, strategy, mode, run_id, (SELECT known_ms FROM evidence"  # noqa: S608 - values are bound
        f" WHERE scope = number AND is_current = 1{of_pair} ORDER BY known_ms DESC LIMIT 1)"
        f" FROM scopes WHERE {own}",
        [*([] if scope.pair is None else [scope.pair]), *values],
    )
    return newest_of(rows)


def _recorded_ms(journal: Journal, origin: Origin, pair: str | None) -> int:
    """Return when the last trade of a run was recorded."""
    scope = Scope(pair=pair, kind=TradeRecord.kind).in_run(origin)
    chosen, values = in_scope(scope)
    query = f"SELECT max(recorded_ms) FROM evidence WHERE is_current = 1 AND {chosen}"  # noqa: S608 - as above
    (last,) = journal.connection.row(query, values)
    return int(last or 0)


def _mark(origin: Origin) -> str:
    return f"made {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
