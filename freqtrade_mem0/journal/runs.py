"""When the runs in a journal were made: the one rule of what "the newest run" means.

What arrived last is not what was made last: an import, a catch-up or a pull from Mem0 may bring an
old run at any time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.read import in_scope
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
    trades = _runs(journal, replace(scope, kind=TradeRecord.kind), "recorded_ms", "known_ms")
    found, marks = trades, Marks(journal)
    if with_decisions:
        found = _runs(journal, replace(scope, kind=None), "decided_ms", "decided_ms")

    def made_ms(origin: Origin) -> int:
        recorded_ms, known_ms = trades.get(origin, found[origin])
        if origin.mode in _BOTS:
            return max(known_ms, found[origin][1])
        noted: int = marks.get(_mark(origin)).get("made_ms", recorded_ms)
        return noted

    return max(found, key=lambda origin: (made_ms(origin), origin.run_id), default=None)


def runs_with_trades(journal: Journal) -> list[Origin]:
    """Return all runs and bots with trades, of all owners, that with the newest record first."""
    found = _runs(journal, Scope(kind=TradeRecord.kind), "recorded_ms", "known_ms")
    return sorted(found, key=lambda origin: (found[origin], str(origin)), reverse=True)


def _runs(
    journal: Journal, scope: Scope, recorded: str, known: str
) -> dict[Origin, tuple[int, int]]:
    """Return the latest of two times of each run: of its trades, or of its opened decisions."""
    scope = replace(scope, since=None)
    chosen, numbers = in_scope(scope)
    tables = [("evidence JOIN scopes ON number = scope WHERE is_current = 1", chosen, numbers)]
    if scope.kind is None:
        where, values = scope.where(with_kind=False)
        tables = [
            ("decisions WHERE trade_id IS NOT NULL", where, values),
            (
                "old_decisions JOIN scopes ON number = scope WHERE trade_id IS NOT NULL",
                chosen,
                numbers,
            ),
        ]
    asked = " UNION ALL ".join(
        f"SELECT user_id, strategy, mode, run_id, max({recorded}), max({known})"  # noqa: S608 - fixed names, values are bound
        f" FROM {table} AND {condition} GROUP BY user_id, strategy, mode, run_id"
        for table, condition, _ in tables
    )
    rows = journal.connection.rows(
        "SELECT user_id, strategy, mode, run_id, max(a), max(b) FROM"  # noqa: S608 - as above
        f" (SELECT '' AS user_id, '' AS strategy, '' AS mode, '' AS run_id, 0 AS a, 0 AS b"
        f" WHERE 0 UNION ALL {asked}) GROUP BY user_id, strategy, mode, run_id",
        [value for _, _, bound in tables for value in bound],
    )
    return {
        Origin(user_id=user_id, strategy=strategy, mode=Mode(mode), run_id=run_id): (first, second)
        for user_id, strategy, mode, run_id, first, second in rows
    }


def _mark(origin: Origin) -> str:
    return f"made {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
